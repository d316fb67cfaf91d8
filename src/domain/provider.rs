//! Where models are served, as the person's file says it and the provider's room uses it.

use std::fmt;
use std::path::PathBuf;

/// How to reach the models of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderSpec {
    /// A model server.
    Server(ServerSpec),
    /// A program that takes the prompt on standard input and answers on standard output.
    Command {
        /// Program and arguments; there is no shell. `{model}` in an argument stands for the model's name.
        argv: Vec<String>,
    },
    /// A coding agent that speaks the Agent Client Protocol on its standard input and output, and makes changes itself.
    Agent {
        /// Program and arguments; there is no shell. `{model}` in an argument stands for the model's name.
        argv: Vec<String>,
        /// Names of variables passed on to it, beyond those every command gets.
        env: Vec<String>,
    },
    /// Replies played from files, `<role>-<stage>.<nth>.md`.
    Script {
        /// The directory of the replies.
        dir: PathBuf,
        /// How fast they are played, at least 1; none plays them at once.
        chars_per_second: Option<u32>,
    },
    /// A recorded session, played again.
    Cassette {
        /// The recording.
        file: PathBuf,
        /// Whether it is played as slowly as it was recorded; else at once.
        timed: bool,
    },
}

impl ProviderSpec {
    /// Whether its replies are read from files, so that it is nobody's model.
    pub const fn is_played(&self) -> bool {
        matches!(self, Self::Script { .. } | Self::Cassette { .. })
    }
}

/// A model server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSpec {
    /// What it speaks.
    pub format: WireFormat,
    /// Where its API begins: `https://api.openai.com/v1`, `http://127.0.0.1:11434`.
    pub base_url: String,
    /// Where its key is; none for a server that wants none.
    pub key: Option<KeySource>,
}

/// What a model server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireFormat {
    /// OpenAI Chat Completions, and the many servers that imitate it.
    OpenAiChat,
    /// OpenAI Responses.
    OpenAiResponses,
    /// Anthropic Messages.
    Anthropic,
    /// Google Gemini.
    Gemini,
    /// Ollama's own.
    Ollama,
}

impl WireFormat {
    /// Every format, in the order in which people are told of them.
    pub const ALL: [Self; 5] = [Self::OpenAiChat, Self::OpenAiResponses, Self::Anthropic, Self::Gemini, Self::Ollama];

    /// The word in configuration files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai-chat",
            Self::OpenAiResponses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    /// The base address of the vendor's own server, or of a local one where the format has no vendor.
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com/v1",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta",
            Self::Ollama => "http://127.0.0.1:11434",
        }
    }
}

/// Where a key is to be had. Never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// An environment variable.
    Env(String),
    /// A command that prints it; there is no shell.
    Command(Vec<String>),
    /// A file that nobody else can read.
    File(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(variable) => f.write_str(variable),
            Self::Command(argv) => write!(f, "the output of `{}`", argv.join(" ")),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
