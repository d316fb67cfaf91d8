//! Calling models: one [`Provider`] per `[providers]` table, one file per wire format, one HTTP transport under them.
//!
//! A call never fails as a Rust error. Whatever happens is a [`Reply`] whose `end` says how it went, with the text
//! that arrived until then, so that a partial reply is kept and never taken for a whole one. While it runs, an
//! [`Observer`] is handed everything that went over the wire, keys masked. An attempt that fails before the reply has
//! begun, in a way that passes, is made again, and the observer is told; no redirect is followed.
//!
//! A further wire format is a file beside `chat.rs` (a request and a `framing::Format`), a variant of
//! [`WireFormat`], and a line in `speak` and `reader`.

mod agent;
mod anthropic;
mod cassette;
mod chat;
mod command;
mod discover;
mod failure;
mod framing;
mod gemini;
mod key;
mod models;
mod ollama;
mod otlp;
mod recorded;
mod responses;
mod retry;
mod scratch;
mod script;
mod secrets;
mod server;
mod sse;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod transport;
mod trial;
mod usual;

pub use agent::{Asks, Denied, Workplace};
pub use cassette::{Attempt, Cassette, CassetteError, Goal, Head, Sent, Track};
pub use discover::{Found, LOCAL_SERVERS, LocalServer, discover};
pub use otlp::{SendError, send_traces};
pub use recorded::{Form, Reread};
pub use transport::Limits;
pub use trial::{QUESTION, is_free, quote};
pub use usual::{Agent, agents, is_on_path, usual_models};

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use self::framing::Framed;
use crate::domain::{End, ProviderSpec, Role, Timings, Usage, WireFormat};

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
    /// The loop it is for, counted from 1.
    pub number: u32,
    /// The stage it is for, or the place of the finding it is about, see [`finding_place`].
    pub stage: String,
    /// The how-many-th call of this role there, from 1.
    pub nth: u32,
}

/// The place of a finding of a stage, counted from 0, by which recordings and scripts know calls about it.
pub fn finding_place(stage: &str, finding: usize) -> String {
    format!("{stage}-finding-{}", finding + 1)
}

/// What is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `POST`; `RUN` for a command or an agent, `PLAY` for a script.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// The headers Windlass sets (`host` and `content-length` follow from address and body); secrets are `***`.
    pub headers: Vec<(String, String)>,
    /// Exactly the bytes of the body.
    pub body: Bytes,
}

/// An attempt that failed, and will be made again.
#[derive(Debug, Clone)]
pub struct Retry {
    /// The attempt that failed, counted from 1.
    pub attempt: u32,
    /// What went wrong.
    pub why: String,
    /// How long until the next attempt.
    pub wait: Duration,
    /// Cancelling this makes the next attempt at once. (Cancelling the call gives it up.)
    pub skip: CancellationToken,
}

/// Watches a call. Every method is called in the order in which things happen and should return at once.
///
/// A call may take several attempts: each has its own request, at most one response and that one's chunks, and
/// [`Observer::retry`] stands between them. Text and reasoning come of the last one only.
///
/// The keys of the provider are masked by value in everything handed over; apart from that, bytes and text are exact.
pub trait Observer: Send {
    /// The request of an attempt, before its first byte is sent.
    fn request(&mut self, request: &Request);
    /// The attempt has failed, and another will follow.
    fn retry(&mut self, retry: &Retry);
    /// Status and headers of the response.
    fn response(&mut self, status: u16, headers: &[(String, String)]);
    /// More bytes sent after the request, this many nanoseconds after it: an agent is talked with.
    fn sent(&mut self, elapsed_ns: u64, bytes: &[u8]);
    /// Bytes of the response's body, as they arrived, this many nanoseconds after the attempt's request was sent.
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
    /// Tokens of all attempts together, where the server said.
    pub usage: Usage,
    /// The server's own usage block of the last attempt, as JSON.
    pub raw_usage: Option<String>,
    /// When things happened in the last attempt.
    pub timings: Timings,
    /// The model that the server says answered.
    pub served_by: Option<String>,
}

impl Reply {
    /// A reply that ended like this, without having said anything.
    fn new(end: End) -> Self {
        Self {
            text: String::new(),
            reasoning: String::new(),
            end,
            usage: Usage::default(),
            raw_usage: None,
            timings: Timings::default(),
            served_by: None,
        }
    }
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
    #[error("the key in {place} (provider {provider:?}) is empty or holds characters that no key has: set it again")]
    MalformedKey {
        /// The provider.
        provider: String,
        /// The variable or the file.
        place: String,
    },
    /// The key's file can't be used.
    #[error("{}, the api_key_file of provider {provider:?}, {problem}", path.display())]
    KeyFile {
        /// The provider.
        provider: String,
        /// The file.
        path: PathBuf,
        /// What is wrong, as a verb phrase.
        problem: String,
    },
    /// The address is unusable.
    #[error("base_url of provider {provider:?} {problem}; it should look like {example}")]
    BaseUrl {
        /// The provider.
        provider: String,
        /// What is wrong, as a verb phrase.
        problem: &'static str,
        /// An address of this kind.
        example: &'static str,
    },
    /// The script's directory isn't there.
    #[error("provider {provider:?} plays replies from {}, which is not a directory: correct its dir", dir.display())]
    ScriptDir {
        /// The provider.
        provider: String,
        /// The directory.
        dir: PathBuf,
    },
    /// The recording can't be played.
    #[error("provider {provider:?} plays a recording that can't be used: {why}")]
    Cassette {
        /// The provider.
        provider: String,
        /// What is wrong, and where.
        why: String,
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
    owner: Option<PathBuf>,
}

enum Kind {
    Server(Box<server::Server>),
    Command(command::Program),
    Agent(agent::Agent),
    Script(script::Script),
    Cassette(cassette::Player),
}

impl Provider {
    /// The provider called `name` in the configuration. Reads its key, unless a command prints it; opens no connection.
    ///
    /// # Errors
    /// If the key is missing or malformed, or if the address or the script's directory is unusable.
    pub fn new(name: &str, spec: &ProviderSpec) -> Result<Self, SetupError> {
        Self::with_env(name, spec, |variable| std::env::var(variable).ok())
    }

    fn with_env(name: &str, spec: &ProviderSpec, env: impl Fn(&str) -> Option<String>) -> Result<Self, SetupError> {
        let kind = match spec {
            ProviderSpec::Server(spec) => Kind::Server(Box::new(server::Server::new(name, spec, env)?)),
            ProviderSpec::Command { argv } => Kind::Command(command::Program::new(argv)),
            ProviderSpec::Agent { argv, env: names } => Kind::Agent(agent::Agent::new(argv, names, env)),
            ProviderSpec::Script { dir, chars_per_second } => {
                Kind::Script(script::Script::new(name, dir, *chars_per_second)?)
            }
            ProviderSpec::Cassette { file, timed } => Kind::Cassette(cassette::Player::new(name, file, *timed)?),
        };
        Ok(Self { kind, limits: Limits::default(), owner: None })
    }

    /// The same provider under other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same provider, whose commands belong to the directory `owner`: should Windlass be killed, the next one ends
    /// what it finds of them with [`end_leftovers`](crate::process::supervise::end_leftovers).
    #[must_use]
    pub fn owned_by(self, owner: &Path) -> Self {
        Self { owner: Some(owner.to_owned()), ..self }
    }

    /// Asks, and reads the answer to its end, to a limit, or until `cancel`.
    pub async fn call(&self, call: &Call, observer: &mut dyn Observer, cancel: &CancellationToken) -> Reply {
        match &self.kind {
            Kind::Server(server) => transport::exchange(server, call, self.limits, observer, cancel).await,
            Kind::Command(program) => program.run(call, self.owner.as_deref(), self.limits, observer, cancel).await,
            Kind::Agent(_) => Reply::new(End::Failed(NOT_IN_TEXT.to_owned())),
            Kind::Script(script) => script.play(call, observer, cancel).await,
            Kind::Cassette(player) => player.play(call, observer, cancel).await,
        }
    }

    /// Whether it makes changes itself, in a directory, instead of answering in text; see [`Self::work`].
    pub fn is_agent(&self) -> bool {
        matches!(self.kind, Kind::Agent(_))
    }

    /// Lets an agent do what `call` asks for in `place`, to its end, to a limit, or until `cancel`. The reply's text is
    /// what it said; what it did is in the place.
    pub async fn work(
        &self,
        call: &Call,
        place: &mut dyn Workplace,
        observer: &mut dyn Observer,
        cancel: &CancellationToken,
    ) -> Reply {
        match &self.kind {
            Kind::Agent(agent) => agent.work(call, place, self.owner.as_deref(), self.limits, observer, cancel).await,
            _ => self.call(call, observer, cancel).await,
        }
    }
}

/// Configuration refuses it; a role may have been changed under a running loop, though.
const NOT_IN_TEXT: &str = "an agent (kind = \"acp\") can only make changes: name it as \"change_author\" under [roles], \
                           and a model as \"author\"";

/// A call in a wire format, and a reader for the answer.
fn speak(format: WireFormat, call: &Call) -> (transport::Post<'_>, Box<dyn transport::Reader>) {
    let post = match format {
        WireFormat::OpenAiChat => chat::post(call),
        WireFormat::OpenAiResponses => responses::post(call),
        WireFormat::Anthropic => anthropic::post(call),
        WireFormat::Gemini => gemini::post(call),
        WireFormat::Ollama => ollama::post(call),
    };
    (post, reader(format))
}

/// A reader for an answer in a wire format.
fn reader(format: WireFormat) -> Box<dyn transport::Reader> {
    match format {
        WireFormat::OpenAiChat => Box::new(Framed::<chat::Chat>::default()),
        WireFormat::OpenAiResponses => Box::new(Framed::<responses::Responses>::default()),
        WireFormat::Anthropic => Box::new(Framed::<anthropic::Anthropic>::default()),
        WireFormat::Gemini => Box::new(Framed::<gemini::Gemini>::default()),
        WireFormat::Ollama => Box::new(Framed::<ollama::Ollama>::default()),
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Server(server) => server.format.name(),
            Kind::Command(_) => "command",
            Kind::Agent(_) => "acp",
            Kind::Script(_) => "script",
            Kind::Cassette(_) => "cassette",
        };
        f.debug_struct("Provider").field("kind", &kind).field("limits", &self.limits).finish_non_exhaustive()
    }
}
