//! What could answer here: keys in the environment, and model servers on this machine's usual ports.
//!
//! Nothing leaves the machine: a key is only looked for, never used.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;
use reqwest::header::HeaderMap;
use tokio::time::timeout;

use super::server::{client_for, list_models};
use crate::domain::WireFormat;

/// How long a port of this machine may take to accept a connection.
const CONNECT: Duration = Duration::from_millis(300);

/// How long a server may take to list its models.
const ANSWER: Duration = Duration::from_millis(700);

/// A model server that listens on a port of its own by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalServer {
    /// What a provider of it may be called in the configuration.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// What it is best spoken to in. All of them list their models as OpenAI does.
    pub format: WireFormat,
}

/// The servers looked for.
pub const LOCAL_SERVERS: [LocalServer; 4] = [
    // In OpenAI's format it cuts long prompts off at the size of a context that can't be asked for.
    LocalServer { name: "ollama", title: "Ollama", port: 11434, format: WireFormat::Ollama },
    LocalServer { name: "llamacpp", title: "llama.cpp", port: 8080, format: WireFormat::OpenAiChat },
    LocalServer { name: "lmstudio", title: "LM Studio", port: 1234, format: WireFormat::OpenAiChat },
    LocalServer { name: "vllm", title: "vLLM", port: 8000, format: WireFormat::OpenAiChat },
];

/// Variable, provider, what it speaks, and its base address.
const KEYS: [(&str, &str, WireFormat, &str); 6] = [
    ("OPENAI_API_KEY", "openai", WireFormat::OpenAiChat, WireFormat::OpenAiChat.base_url()),
    ("ANTHROPIC_API_KEY", "anthropic", WireFormat::Anthropic, WireFormat::Anthropic.base_url()),
    ("GEMINI_API_KEY", "gemini", WireFormat::Gemini, WireFormat::Gemini.base_url()),
    ("OPENROUTER_API_KEY", "openrouter", WireFormat::OpenAiChat, "https://openrouter.ai/api/v1"),
    ("XAI_API_KEY", "xai", WireFormat::OpenAiChat, "https://api.x.ai/v1"),
    ("DEEPSEEK_API_KEY", "deepseek", WireFormat::OpenAiChat, "https://api.deepseek.com/v1"),
];

/// Something that could answer calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it may be called in the configuration (`openai`, `ollama`).
    pub name: &'static str,
    /// What was found: `OPENAI_API_KEY is set`, `Ollama's port 11434 answers`.
    pub what: String,
    /// What it speaks.
    pub format: WireFormat,
    /// The base address to configure.
    pub base_url: String,
    /// The variable that holds its key.
    pub api_key_env: Option<&'static str>,
    /// The models a server lists; empty for a key, and for a server that has loaded none.
    pub models: Vec<String>,
}

/// The keys in `env` and those of `servers` that answer, in that order; takes at most 0.7 seconds.
pub async fn discover(env: impl Fn(&str) -> Option<String>, servers: &[LocalServer]) -> Vec<Found> {
    let set = |variable: &str| env(variable).is_some_and(|value| !value.trim().is_empty());
    let keys = KEYS.iter().filter(|(variable, ..)| set(variable)).map(|(variable, name, format, base_url)| Found {
        name,
        what: format!("{variable} is set"),
        format: *format,
        base_url: elsewhere(&env, name).unwrap_or_else(|| (*base_url).to_owned()),
        api_key_env: Some(variable),
        models: Vec::new(),
    });
    let mut found: Vec<Found> = keys.collect();
    found.extend(join_all(servers.iter().map(|server| ask(server, CONNECT, ANSWER))).await.into_iter().flatten());
    found
}

/// The address that a vendor's own libraries are sent to instead of the vendor's, by a variable of theirs.
fn elsewhere(env: &impl Fn(&str) -> Option<String>, provider: &str) -> Option<String> {
    let set =
        |name: &str| env(name).map(|url| url.trim().trim_end_matches('/').to_owned()).filter(|url| !url.is_empty());
    match provider {
        "openai" => set("OPENAI_BASE_URL"),
        // Theirs has no version in it.
        "anthropic" => set("ANTHROPIC_BASE_URL").map(|url| url.trim_end_matches("/v1").to_owned() + "/v1"),
        _ => None,
    }
}

/// A server that doesn't answer in time, or not with a list of models, is not there.
async fn ask(server: &LocalServer, connect: Duration, answer: Duration) -> Option<Found> {
    let root = format!("http://127.0.0.1:{}", server.port);
    let client = client_for(&Url::parse(&root).ok()?, connect).ok()?;
    let address = format!("{root}/v1/models");
    let models = timeout(answer, list_models(&client, &address, HeaderMap::new())).await.ok()??;
    let what = format!("{}'s port {} answers", server.title, server.port);
    let base_url = if server.format == WireFormat::Ollama { root } else { format!("{root}/v1") };
    Some(Found { name: server.name, what, format: server.format, base_url, api_key_env: None, models })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{FakeServer, Step, http};
    use super::{LOCAL_SERVERS, LocalServer, WireFormat, ask, discover};

    const MODELS: &str = include_str!("../../tests/fixtures/wire/openai-models.json");

    #[tokio::test]
    async fn keys_are_named_and_not_shown() {
        let env = |name: &str| match name {
            "OPENAI_API_KEY" | "ANTHROPIC_API_KEY" => Some("secret".to_owned()),
            "XAI_API_KEY" => Some(" ".to_owned()),
            _ => None,
        };
        let found = discover(env, &[]).await;
        let told: Vec<_> = found.iter().map(|f| (f.format, f.what.as_str())).collect();
        let expected =
            [(WireFormat::OpenAiChat, "OPENAI_API_KEY is set"), (WireFormat::Anthropic, "ANTHROPIC_API_KEY is set")];
        assert_eq!(told, expected);
        assert!(!format!("{found:?}").contains("secret"));
        let env = |name: &str| match name {
            "ANTHROPIC_API_KEY" => Some("secret".to_owned()),
            "ANTHROPIC_BASE_URL" => Some("https://gate.example.org/".to_owned()),
            _ => None,
        };
        assert_eq!(discover(env, &[]).await[0].base_url, "https://gate.example.org/v1");
    }

    #[tokio::test]
    async fn servers_that_list_models_are_found_and_others_are_not() {
        const SHORT: Duration = Duration::from_millis(100);
        const LONG: Duration = Duration::from_secs(60);
        let [ollama, llama, ..] = LOCAL_SERVERS;
        let page = || http("200 OK", "content-type: text/html", "<html>");
        let empty = || http("200 OK", "", r#"{"object":"list","data":null}"#);
        for (steps, limit, models) in [
            (http("200 OK", "", MODELS), LONG, Some(vec!["gemma-3-270m".to_owned()])),
            (empty(), LONG, Some(vec![])),
            (page(), LONG, None),
            (http("401 Unauthorized", "", ""), LONG, None),
            (vec![Step::AwaitClose], SHORT, None),
        ] {
            let fake = FakeServer::start(vec![steps]).await;
            let found = ask(&LocalServer { port: fake.port, ..ollama }, limit, limit).await;
            assert_eq!(found.as_ref().map(|f| f.models.clone()), models);
            let base_url = format!("http://127.0.0.1:{}", fake.port);
            assert!(found.is_none_or(|f| f.base_url == base_url && f.name == "ollama"));
        }
        let fake = FakeServer::start(vec![http("200 OK", "", MODELS)]).await;
        let found = ask(&LocalServer { port: fake.port, ..llama }, LONG, LONG).await.unwrap();
        assert_eq!(found.base_url, format!("http://127.0.0.1:{}/v1", fake.port));
    }

    #[tokio::test]
    async fn closed_ports_are_passed_over() {
        let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let servers = LOCAL_SERVERS.map(|server| LocalServer { port: closed, ..server });
        assert_eq!(discover(|_| None, &servers).await, []);
    }
}
