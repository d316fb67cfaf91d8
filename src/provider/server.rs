//! A model server: its address, its headers, and the HTTP client for it.
//!
//! No redirect is followed (reqwest would carry `x-api-key` to another origin), nothing is resent, nothing is
//! decompressed, no key stands in an address.

use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, USER_AGENT,
};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::SetupError;
use super::failure::Asked;
use super::key::Key;
use super::secrets::Secrets;
use crate::domain::{ServerSpec, WireFormat};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The most bytes read of a list of models.
const LIST_CAP: usize = 4 * 1024 * 1024;

/// A model server and how to reach it.
pub(super) struct Server {
    /// The provider's name in the configuration.
    provider: String,
    pub(super) format: WireFormat,
    base: Url,
    pub(super) key: Option<Key>,
    /// Made by the first call: loading root certificates would delay the start of the program.
    client: OnceCell<Client>,
}

impl Server {
    /// The server of this configuration; a key in a variable of `env` or in a file is read now.
    pub(super) fn new(
        provider: &str,
        spec: &ServerSpec,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SetupError> {
        let base = base_url(&spec.base_url).map_err(|problem| SetupError::BaseUrl {
            provider: provider.to_owned(),
            problem,
            example: spec.format.base_url(),
        })?;
        let key = spec.key.as_ref().map(|source| Key::new(provider, source, env)).transpose()?;
        Ok(Self { provider: provider.to_owned(), format: spec.format, base, key, client: OnceCell::new() })
    }

    /// The client, made by the first call of this.
    pub(super) async fn client(&self) -> Result<&Client, reqwest::Error> {
        self.client.get_or_try_init(async || client_for(&self.base, CONNECT)).await
    }

    /// The address of `path` below the base address.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// The headers of a request; the key is marked as sensitive.
    pub(super) fn headers(&self, key: Option<&SecretString>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream, application/x-ndjson, application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("windlass/", env!("CARGO_PKG_VERSION"))));
        let (name, scheme) = match self.format {
            WireFormat::Anthropic => (HeaderName::from_static("x-api-key"), ""),
            WireFormat::Gemini => (HeaderName::from_static("x-goog-api-key"), ""),
            WireFormat::OpenAiChat | WireFormat::OpenAiResponses | WireFormat::Ollama => (AUTHORIZATION, "Bearer "),
        };
        if self.format == WireFormat::Anthropic {
            headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        }
        // `Key` lets only visible ASCII through, so this makes a valid header.
        let value = key.map(|key| HeaderValue::from_str(&format!("{scheme}{}", key.expose_secret())));
        if let Some(Ok(mut value)) = value {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers
    }

    /// What messages say of a request for `model` to `url`.
    pub(super) fn asked<'a>(&'a self, url: &'a str, model: &'a str) -> Asked<'a> {
        let list = match self.format {
            WireFormat::Ollama => "api/tags",
            _ => "models",
        };
        let key = self.key.as_ref().map(Key::source);
        Asked { provider: &self.provider, format: self.format, url, list: self.address(list), key, model }
    }
}

fn base_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not an address")?;
    match url {
        _ if !matches!(url.scheme(), "http" | "https") => Err("is neither http nor https"),
        _ if !url.username().is_empty() || url.password().is_some() => {
            Err("holds a user name or password, which would be recorded: put the key into a variable (api_key_env)")
        }
        _ if url.query().is_some() || url.fragment().is_some() => Err("has a part after ? or #"),
        url => Ok(url),
    }
}

/// Headers as they may be shown.
pub(super) fn shown(headers: &HeaderMap, secrets: &Secrets) -> Vec<(String, String)> {
    let show = |name: &HeaderName, value: &HeaderValue| match value {
        value if value.as_bytes().starts_with(b"Bearer ") => "Bearer ***".to_owned(),
        value if value.is_sensitive() || name == SET_COOKIE => "***".to_owned(),
        value => secrets.mask(&String::from_utf8_lossy(value.as_bytes())),
    };
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), show(name, value))).collect()
}

/// A client for one server.
pub(super) fn client_for(base: &Url, connect: Duration) -> Result<Client, reqwest::Error> {
    // Whoever comes first installs it; to come second is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(Policy::none()).retry(reqwest::retry::never()).connect_timeout(connect);
    let local = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match (local, base.scheme()) {
        // No proxy can reach this machine's own ports, and plain HTTP needs no root certificates.
        (true, "http") => builder.no_proxy().tls_certs_only(std::iter::empty::<Certificate>()).build(),
        (true, _) => builder.no_proxy().build(),
        (false, _) => builder.build(),
    }
}

/// The models that `GET url` lists, in OpenAI's form (`data`, `id`) or Google's and Ollama's (`models`, `name`); none if
/// there is no such list.
pub(super) async fn list_models(client: &Client, url: &str, headers: HeaderMap) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Model {
        #[serde(alias = "name")]
        id: String,
    }
    let mut response = client.get(url).headers(headers).send().await.ok()?.error_for_status().ok()?;
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.ok()? {
        body.extend_from_slice(&bytes);
        if body.len() > LIST_CAP {
            return None;
        }
    }
    let value: serde_json::Value = serde_json::from_slice(&body).ok()?;
    // `null` from an Ollama that has no model.
    let list = value.get("data").or_else(|| value.get("models"))?;
    let list: Option<Vec<Model>> = serde_json::from_value(list.clone()).ok()?;
    // Google writes `models/gemini-...` and takes the name without it.
    let name = |model: Model| model.id.strip_prefix("models/").map(str::to_owned).unwrap_or(model.id);
    Some(list.unwrap_or_default().into_iter().map(name).collect())
}
