//! Which models a provider lists. Nothing is spent by asking.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::server::list_models;
use super::{Kind, Provider};
use crate::domain::{KeySource, WireFormat};

impl Provider {
    /// The models that the server lists within `wait`; none where there is no list to be had. A key that only a command
    /// prints is not asked for: that may ask its owner for a passphrase.
    pub async fn models(&self, wait: Duration) -> Option<Vec<String>> {
        let Kind::Server(server) = &self.kind else { return None };
        let list = match server.format {
            WireFormat::Ollama => "api/tags",
            _ => "models",
        };
        let key = match &server.key {
            Some(key) if matches!(key.source(), KeySource::Command(_)) => return None,
            Some(key) => key.fetch(&CancellationToken::new()).await.ok()?,
            None => None,
        };
        let client = server.client().await.ok()?;
        timeout(wait, list_models(client, &server.address(list), server.headers(key.as_ref()))).await.ok()?
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{FakeServer, Seen, http};
    use super::Provider;
    use crate::domain::{ProviderSpec, ServerSpec, WireFormat};

    #[tokio::test]
    async fn every_kind_of_list_is_read() {
        let openai = r#"{"object":"list","data":[{"id":"one"},{"id":"two"}]}"#;
        let anthropic = r#"{"data":[{"type":"model","id":"one"},{"type":"model","id":"two"}],"has_more":false}"#;
        let gemini = r#"{"models":[{"name":"models/one"},{"name":"models/two"}]}"#;
        let ollama = r#"{"models":[{"name":"one","size":1},{"name":"two"}]}"#;
        for (format, body, path) in [
            (WireFormat::OpenAiChat, openai, "/v1/models"),
            (WireFormat::Anthropic, anthropic, "/v1/models"),
            (WireFormat::Gemini, gemini, "/v1/models"),
            (WireFormat::Ollama, ollama, "/v1/api/tags"),
        ] {
            let mut fake = FakeServer::start(vec![http("200 OK", "", body)]).await;
            let spec = ServerSpec { format, base_url: format!("http://127.0.0.1:{}/v1", fake.port), key: None };
            let provider = Provider::new("near", &ProviderSpec::Server(spec)).unwrap();
            let listed = provider.models(Duration::from_secs(60)).await;
            assert_eq!(listed, Some(vec!["one".to_owned(), "two".to_owned()]), "{format:?}");
            let Seen::Request(asked, _) = fake.next().await else { panic!("nobody asked") };
            assert!(asked.starts_with(&format!("GET {path} ")), "{asked}");
        }
    }
}
