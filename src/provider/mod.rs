//! Calling models: one [`Provider`] per `[providers]` table, one file per wire format, one HTTP transport under them.
//!
//! A call never fails as a Rust error. Whatever happens is a [`Reply`] whose `end` says how it went, with the text
//! that arrived until then, so that a partial reply is kept and never taken for a whole one. While it runs, an
//! [`Observer`] is handed everything that went over the wire, keys masked. Nothing is sent twice: no retry, no redirect.
//!
//! A further wire format is a file beside `chat.rs` (a request body and a `transport::Reader`) and a variant of [`Spec`].

mod chat;
mod discover;
mod failure;
mod script;
mod secrets;
mod sse;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod transport;

pub use discover::{Found, LOCAL_SERVERS, LocalServer, discover};
pub use transport::Limits;

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::domain::{End, Role, Timings, Usage};

/// What the configuration says of a provider.
#[derive(Debug, Clone)]
pub enum Spec {
    /// A server that speaks OpenAI Chat Completions.
    OpenAiChat(HttpSpec),
    /// Replies played from files.
    Script(ScriptSpec),
}

/// A model server.
#[derive(Clone, Default)]
pub struct HttpSpec {
    /// Where its API begins: `https://api.openai.com/v1`, `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// The environment variable that holds its key; none for a server that wants none.
    pub api_key_env: Option<String>,
    /// Headers to send besides; those whose name speaks of a key, token, secret, cookie or authorization are masked.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for HttpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpSpec")
            .field("base_url", &self.base_url)
            .field("api_key_env", &self.api_key_env)
            .field("headers", &names)
            .finish()
    }
}

/// A directory of replies, `<role>-<stage>.<nth>.md`.
#[derive(Debug, Clone)]
pub struct ScriptSpec {
    /// Where the files are.
    pub dir: PathBuf,
    /// How fast they are played, at least 1; none plays them at once.
    pub chars_per_second: Option<u32>,
}

/// One question to a model.
#[derive(Debug, Clone)]
pub struct Call {
    /// The model's name at the provider.
    pub model: String,
    /// The system message; empty for none.
    pub system: String,
    /// The user message.
    pub prompt: String,
    /// The most tokens the reply may have; none leaves it to the server.
    pub max_output: Option<u64>,
    /// The job the model does in this call.
    pub role: Role,
    /// The stage it is for.
    pub stage: String,
    /// The how-many-th call of this role in this stage, from 1.
    pub nth: u32,
}

/// What is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `POST`; `PLAY` for a script.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// The headers Windlass sets (`host` and `content-length` follow from address and body); secrets are `***`.
    pub headers: Vec<(String, String)>,
    /// Exactly the bytes of the body.
    pub body: Bytes,
}

/// Watches a call. Every method is called in the order in which things happen and should return at once.
///
/// The keys of the provider are masked by value in everything handed over; apart from that, bytes and text are exact.
pub trait Observer: Send {
    /// The request, before its first byte is sent.
    fn request(&mut self, request: &Request);
    /// Status and headers of the response.
    fn response(&mut self, status: u16, headers: &[(String, String)]);
    /// Bytes of the response's body, as they arrived, this many nanoseconds after the request was sent.
    fn chunk(&mut self, elapsed_ns: u64, bytes: &[u8]);
    /// More of the reply's text.
    fn text(&mut self, delta: &str);
    /// More of the model's reasoning.
    fn reasoning(&mut self, delta: &str);
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The text: all of it if `end` is [`End::Complete`], otherwise as much as arrived.
    pub text: String,
    /// The model's reasoning, where the server shows it.
    pub reasoning: String,
    /// How it ended.
    pub end: End,
    /// Tokens, where the server said.
    pub usage: Usage,
    /// The server's own usage block, as JSON.
    pub raw_usage: Option<String>,
    /// When things happened.
    pub timings: Timings,
    /// The model that the server says answered.
    pub served_by: Option<String>,
}

/// Why a provider can't be used as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The variable that should hold the key is unset or empty.
    #[error(
        "provider {provider:?} takes its key from the environment variable {variable}, which is not set: \
         export {variable}=<your key> and start windlass again, or name another variable in its api_key_env"
    )]
    MissingKey {
        /// The provider.
        provider: String,
        /// The variable.
        variable: String,
    },
    /// The key can't be part of an HTTP header.
    #[error("the key in {variable} (provider {provider:?}) holds characters that no key has: set it again")]
    MalformedKey {
        /// The provider.
        provider: String,
        /// The variable.
        variable: String,
    },
    /// The address is unusable.
    #[error("base_url of provider {provider:?} {problem}; it should look like https://api.openai.com/v1")]
    BaseUrl {
        /// The provider.
        provider: String,
        /// What is wrong, as a verb phrase.
        problem: String,
    },
    /// A header can't be sent.
    #[error("header {name:?} of provider {provider:?} is not a valid HTTP header: correct its name or its value")]
    Header {
        /// The provider.
        provider: String,
        /// The header's name.
        name: String,
    },
    /// The script's directory isn't there.
    #[error("provider {provider:?} plays replies from {}, which is not a directory: correct its dir", dir.display())]
    ScriptDir {
        /// The provider.
        provider: String,
        /// The directory.
        dir: PathBuf,
    },
    /// The script would never end.
    #[error("chars_per_second of provider {provider:?} is 0: give at least 1, or leave it out to play at once")]
    ScriptPace {
        /// The provider.
        provider: String,
    },
}

/// Something that answers calls.
pub struct Provider {
    kind: Kind,
    limits: Limits,
}

enum Kind {
    OpenAiChat(Box<transport::Server>),
    Script(script::Script),
}

impl Provider {
    /// The provider called `name` in the configuration. Reads its key from the environment; opens no connection.
    ///
    /// # Errors
    /// If the key is missing or malformed, or if the address, a header or the script's directory is unusable.
    pub fn new(name: &str, spec: &Spec) -> Result<Self, SetupError> {
        Self::with_env(name, spec, |variable| std::env::var(variable).ok())
    }

    fn with_env(name: &str, spec: &Spec, env: impl Fn(&str) -> Option<String>) -> Result<Self, SetupError> {
        let kind = match spec {
            Spec::OpenAiChat(http) => Kind::OpenAiChat(Box::new(transport::Server::new(name, http, env)?)),
            Spec::Script(script) => Kind::Script(script::Script::new(name, script)?),
        };
        Ok(Self { kind, limits: Limits::default() })
    }

    /// The same provider under other time limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Asks once, and reads the answer to its end, to a limit, or until `cancel`.
    pub async fn call(&self, call: &Call, observer: &mut dyn Observer, cancel: &CancellationToken) -> Reply {
        match &self.kind {
            Kind::OpenAiChat(server) => {
                let mut reader = chat::Reader::default();
                transport::exchange(server, chat::post(call), &mut reader, self.limits, observer, cancel).await
            }
            Kind::Script(script) => script.play(call, observer, cancel).await,
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::OpenAiChat(_) => "OpenAiChat",
            Kind::Script(_) => "Script",
        };
        f.debug_struct("Provider").field("kind", &kind).field("limits", &self.limits).finish_non_exhaustive()
    }
}
