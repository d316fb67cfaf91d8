//! The one HTTP transport under all wire formats: a request's bytes out, a response's bytes in, each shown to the
//! observer, under time limits and caps, until the format's [`Reader`] says that the reply has ended.
//!
//! No redirect is followed (reqwest would carry `x-api-key` to another origin), nothing is resent, nothing is
//! decompressed, no key stands in an address. Masking comes first: what is recorded is what was decoded.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE, USER_AGENT,
};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::failure::{Asked, root_cause, words_of};
use super::secrets::{Masking, Secrets};
use super::{HttpSpec, Observer, Reply, Request, SetupError};
use crate::domain::{End, Timings, Usage};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How long the server may take over its words on an error.
const ASIDE: Duration = Duration::from_secs(5);

/// The most bytes of text and reasoning together.
const REPLY_CAP: usize = 16 * 1024 * 1024;

/// The most bytes of a response: a token of four bytes comes in an event of 200 to 400.
const RESPONSE_CAP: usize = 512 * 1024 * 1024;

/// The most bytes read of an error response.
const ERROR_CAP: usize = 64 * 1024;

/// The most bytes read of a list of models.
const LIST_CAP: usize = 4 * 1024 * 1024;

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the first text or reasoning: a long prompt on a slow machine, or reasoning that isn't
    /// shown, is silent until then.
    pub first: Duration,
    /// From one piece of text or reasoning to the next. Pings and comments don't count.
    pub idle: Duration,
    /// The whole call.
    pub total: Duration,
}

impl Default for Limits {
    /// 10 minutes, 2 minutes, 30 minutes.
    fn default() -> Self {
        Self { first: Duration::from_secs(600), idle: Duration::from_secs(120), total: Duration::from_secs(1800) }
    }
}

/// Something a wire format finds in a response.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Reasoning(String),
    /// The counts so far, and the JSON they were read from.
    Usage(Usage, String),
    /// The model that answers.
    Model(String),
    /// The last part.
    End(End),
}

/// A wire format's reading of one response.
pub(super) trait Reader: Send {
    /// Takes more bytes of the response and appends the parts they complete.
    fn read(&mut self, bytes: &[u8], parts: &mut Vec<Part>);
    /// Takes note of the response's orderly end; the last part appended is always an end.
    fn finish(&mut self, parts: &mut Vec<Part>);
}

/// A request in a wire format.
pub(super) struct Post<'a> {
    /// Where, below the base address.
    pub(super) path: &'static str,
    /// JSON.
    pub(super) body: Bytes,
    /// The model that is asked, for messages.
    pub(super) model: &'a str,
}

/// A model server and how to reach it.
pub(super) struct Server {
    provider: String,
    base: Url,
    key_env: Option<String>,
    key: Option<SecretString>,
    headers: HeaderMap,
    secrets: Secrets,
    /// Made by the first call: loading root certificates would delay the start of the program.
    client: OnceCell<Client>,
}

impl Server {
    /// The server of this configuration, with its key from `env`.
    pub(super) fn new(
        provider: &str,
        spec: &HttpSpec,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SetupError> {
        let base = base_url(&spec.base_url)
            .map_err(|problem| SetupError::BaseUrl { provider: provider.to_owned(), problem: problem.to_owned() })?;
        let key = spec.api_key_env.as_deref().map(|variable| key_in(variable, provider, env)).transpose()?;
        let mut headers = HeaderMap::new();
        for (name, value) in &spec.headers {
            let bad = || SetupError::Header { provider: provider.to_owned(), name: name.clone() };
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            let mut content = HeaderValue::from_str(value).map_err(|_| bad())?;
            content.set_sensitive(is_secret(&header));
            headers.append(header, content);
        }
        let sensitive = headers.values().filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        let secrets = Secrets::new(key.iter().map(ExposeSecret::expose_secret).chain(sensitive));
        let (provider, key_env) = (provider.to_owned(), spec.api_key_env.clone());
        Ok(Self { provider, base, key_env, key, headers, secrets, client: OnceCell::new() })
    }

    async fn client(&self) -> Result<&Client, reqwest::Error> {
        self.client.get_or_try_init(async || client_for(&self.base, CONNECT)).await
    }

    /// The address of `path` below the base address.
    fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// The headers of a request; secret ones are marked as sensitive.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("windlass/", env!("CARGO_PKG_VERSION"))));
        // `key_in` has let only visible ASCII through, so this makes a valid header.
        let bearer = self.key.as_ref().map(|key| HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())));
        if let Some(Ok(mut bearer)) = bearer {
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        headers.extend(self.headers.clone());
        headers
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

fn key_in(variable: &str, provider: &str, env: impl Fn(&str) -> Option<String>) -> Result<SecretString, SetupError> {
    let key = env(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let (provider, variable) = (provider.to_owned(), variable.to_owned());
    match key {
        None => Err(SetupError::MissingKey { provider, variable }),
        Some(key) if !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(SetupError::MalformedKey { provider, variable })
        }
        Some(key) => Ok(SecretString::from(key)),
    }
}

/// Whether a header's name says that its value is nobody's business.
fn is_secret(name: &HeaderName) -> bool {
    ["auth", "key", "token", "secret", "cookie", "password"].iter().any(|word| name.as_str().contains(word))
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

/// The models that `GET url` lists in OpenAI's form; none if there is no such list.
pub(super) async fn list_models(client: &Client, url: &str, headers: HeaderMap) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct List {
        /// `null` from an Ollama that has no model.
        data: Option<Vec<Model>>,
    }
    #[derive(Deserialize)]
    struct Model {
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
    value.get("data")?;
    let list: List = serde_json::from_value(value).ok()?;
    Some(list.data.unwrap_or_default().into_iter().map(|model| model.id).collect())
}

/// Sends `post` and reads the reply, to its end, a limit or `cancel`.
pub(super) async fn exchange(
    server: &Server,
    post: Post<'_>,
    reader: &mut dyn Reader,
    limits: Limits,
    observer: &mut dyn Observer,
    cancel: &CancellationToken,
) -> Reply {
    let mut intake = Intake::new(server, limits, observer);
    // Whatever ends first, the others are dropped, and with them the connection.
    let end = tokio::select! {
        biased;
        () = cancel.cancelled() => End::Cancelled,
        end = intake.run(post, reader) => end,
        () = tokio::time::sleep(limits.total) => End::Failed(format!(
            "the call was stopped: it has taken {}, the limit for a whole call", in_words(limits.total)
        )),
    };
    intake.close(end)
}

/// The receiving end of one exchange.
struct Intake<'a> {
    server: &'a Server,
    limits: Limits,
    observer: &'a mut dyn Observer,
    sent: Instant,
    /// When the wait for text or reasoning is over.
    deadline: Instant,
    /// Bytes of the response so far.
    received: usize,
    wire: Masking<'a>,
    text: Masking<'a>,
    reasoning: Masking<'a>,
    reply: Reply,
}

impl<'a> Intake<'a> {
    fn new(server: &'a Server, limits: Limits, observer: &'a mut dyn Observer) -> Self {
        let now = Instant::now();
        let reply = Reply {
            text: String::new(),
            reasoning: String::new(),
            end: End::Interrupted,
            usage: Usage::default(),
            raw_usage: None,
            timings: Timings::default(),
            served_by: None,
        };
        Self {
            server,
            limits,
            observer,
            sent: now,
            deadline: now + limits.first,
            received: 0,
            wire: server.secrets.stream(),
            text: server.secrets.stream(),
            reasoning: server.secrets.stream(),
            reply,
        }
    }

    async fn run(&mut self, post: Post<'_>, reader: &mut dyn Reader) -> End {
        let server = self.server;
        let url = server.address(post.path);
        let (provider, key_env, list) = (&server.provider, server.key_env.as_deref(), server.address("models"));
        let asked = Asked { provider, url: &url, list: &list, key_env, model: post.model };
        let client = match server.client().await {
            Ok(client) => client,
            Err(error) => return End::Failed(format!("failed to set up HTTPS: {}", root_cause(&error))),
        };
        // A key that found its way into a prompt is neither recorded nor sent.
        let body = Bytes::from(server.secrets.mask_bytes(&post.body));
        let headers = server.headers();
        let shown = shown_headers(&headers, &server.secrets);
        self.observer.request(&Request { method: "POST", url: url.clone(), headers: shown, body: body.clone() });
        self.sent = Instant::now();
        self.deadline = self.sent + self.limits.first;

        let request = client.post(url.as_str()).headers(headers).body(body).send();
        let response = match timeout_at(self.deadline, request).await {
            Err(_) => return self.too_quiet(),
            Ok(Err(error)) => return End::Failed(asked.unreachable(&error)),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        self.observer.response(status.as_u16(), &shown_headers(response.headers(), &server.secrets));
        if status.is_redirection() {
            let location =
                response.headers().get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
            return End::Failed(asked.redirected(status, &location.unwrap_or_default()));
        }
        if !status.is_success() {
            let words = words_of(&self.error_body(response).await);
            return End::Failed(asked.refused(status, &words));
        }
        self.read(response, reader).await
    }

    /// Reads a response to the end of the reply.
    async fn read(&mut self, mut response: Response, reader: &mut dyn Reader) -> End {
        let mut parts = Vec::new();
        loop {
            match timeout_at(self.deadline, response.chunk()).await {
                Err(_) => return self.too_quiet(),
                Ok(Err(error)) => return End::Failed(format!("the connection broke: {}", root_cause(&error))),
                Ok(Ok(Some(bytes))) => {
                    let bytes = self.receive(&bytes);
                    reader.read(&bytes, &mut parts);
                }
                Ok(Ok(None)) => {
                    reader.read(&self.release(), &mut parts);
                    reader.finish(&mut parts);
                }
            }
            for part in parts.drain(..) {
                if let Some(end) = self.take(part) {
                    return end;
                }
            }
            if self.received > RESPONSE_CAP {
                return End::Failed("the response is larger than 512 MiB; reading stopped there".to_owned());
            }
            // Chunks that are always ready would keep the timer from being looked at.
            if Instant::now() >= self.deadline {
                return self.too_quiet();
            }
        }
    }

    /// Takes bytes off the wire: masks and records them, and gives back those that are certain.
    fn receive(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.reply.timings.first_byte.is_none() {
            self.reply.timings.first_byte = Some(millis(self.sent.elapsed()));
        }
        self.received += bytes.len();
        let masked = self.wire.push(bytes);
        self.record(&masked);
        masked
    }

    /// Records and gives back what was held back of the response.
    fn release(&mut self) -> Vec<u8> {
        let held = self.wire.finish();
        self.record(&held);
        held
    }

    fn record(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let elapsed = u64::try_from(self.sent.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.observer.chunk(elapsed, bytes);
        }
    }

    /// Takes one part of the reply; an end if the reply ends with it.
    fn take(&mut self, part: Part) -> Option<End> {
        match part {
            Part::End(end) => return Some(end),
            Part::Usage(usage, raw) => {
                self.reply.usage = usage;
                self.reply.raw_usage = Some(raw);
            }
            Part::Model(model) => {
                self.reply.served_by.get_or_insert(model);
            }
            Part::Text(delta) => {
                self.reply.timings.first_text.get_or_insert(millis(self.sent.elapsed()));
                self.deadline = Instant::now() + self.limits.idle;
                let delta = self.text.push_str(&delta);
                self.say(&delta);
            }
            Part::Reasoning(delta) => {
                self.deadline = Instant::now() + self.limits.idle;
                let delta = self.reasoning.push_str(&delta);
                self.think(&delta);
            }
        }
        (self.reply.text.len() + self.reply.reasoning.len() > REPLY_CAP)
            .then(|| End::Failed("the reply is longer than 16 MiB; reading stopped there".to_owned()))
    }

    fn say(&mut self, delta: &str) {
        if !delta.is_empty() {
            self.reply.text.push_str(delta);
            self.observer.text(delta);
        }
    }

    fn think(&mut self, delta: &str) {
        if !delta.is_empty() {
            self.reply.reasoning.push_str(delta);
            self.observer.reasoning(delta);
        }
    }

    /// As much of an error response's body as matters.
    async fn error_body(&mut self, mut response: Response) -> Vec<u8> {
        let (mut body, deadline) = (Vec::new(), Instant::now() + ASIDE);
        // The status is the answer; a body that breaks off or dawdles only makes for fewer words.
        while let Ok(Ok(Some(bytes))) = timeout_at(deadline, response.chunk()).await {
            body.extend(self.receive(&bytes));
            if body.len() > ERROR_CAP {
                break;
            }
        }
        body.extend(self.release());
        body
    }

    fn too_quiet(&self) -> End {
        let nothing_yet = self.reply.text.is_empty() && self.reply.reasoning.is_empty();
        let (what, limit) =
            if nothing_yet { ("answered nothing", self.limits.first) } else { ("added nothing", self.limits.idle) };
        End::Failed(format!("the server has {what} for {}; the call was stopped", in_words(limit)))
    }

    /// The reply, which ended like this.
    fn close(mut self, end: End) -> Reply {
        self.release();
        let (text, reasoning) = (self.text.finish(), self.reasoning.finish());
        self.think(&String::from_utf8_lossy(&reasoning));
        self.say(&String::from_utf8_lossy(&text));
        let mask = |text: String| self.server.secrets.mask(&text);
        self.reply.end = match end {
            End::Failed(message) => End::Failed(mask(message)),
            End::Truncated(message) => End::Truncated(mask(message)),
            end @ (End::Complete | End::Cancelled | End::Interrupted) => end,
        };
        self.reply.served_by = self.reply.served_by.map(mask);
        self.reply.raw_usage = self.reply.raw_usage.map(mask);
        self.reply.timings.total = millis(self.sent.elapsed());
        self.reply
    }
}

/// Headers as they may be shown.
fn shown_headers(headers: &HeaderMap, secrets: &Secrets) -> Vec<(String, String)> {
    let show = |name: &HeaderName, value: &HeaderValue| match value {
        value if value.as_bytes().starts_with(b"Bearer ") => "Bearer ***".to_owned(),
        value if value.is_sensitive() || name == SET_COOKIE => "***".to_owned(),
        value => secrets.mask(&String::from_utf8_lossy(value.as_bytes())),
    };
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), show(name, value))).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A limit as people say it.
fn in_words(limit: Duration) -> String {
    match limit.as_secs() {
        0 => format!("{} ms", limit.as_millis()),
        seconds if seconds >= 120 && seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
