//! One call of a model, as the record keeps it.

use std::fmt;

use super::Digest;

/// Which job a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Drafts artifacts.
    Author,
    /// Objects to them.
    Critic,
}

impl Role {
    /// The lower-case word used in files and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Critic => "critic",
        }
    }
}

/// A model, as `provider/model`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(pub String);

impl ModelId {
    /// The part before the first slash.
    pub fn provider(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(provider, _)| provider)
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The prompt template an exchange was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptRef {
    /// Template name (`author-plan`).
    pub name: String,
    /// The version its front matter states.
    pub version: String,
    /// Digest of the template's bytes.
    pub digest: Digest,
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Terminator and finish reason both seen.
    Complete,
    /// The reply stops early, and why ("finish_reason: length", "no terminator").
    Truncated(String),
    /// The server's own words, or the transport's.
    Failed(String),
    /// The human stopped it.
    Cancelled,
    /// Windlass ended while it ran.
    Interrupted,
}

/// Tokens as the server counted them; absent where it didn't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub input: Option<u64>,
    /// Tokens of the reply, reasoning included.
    pub output: Option<u64>,
    /// Prompt tokens served from a cache.
    pub cached: Option<u64>,
    /// Reply tokens spent on reasoning.
    pub reasoning: Option<u64>,
}

/// When things happened, in milliseconds after the request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// First byte of the response body.
    pub first_byte: Option<u64>,
    /// First text of the reply.
    pub first_text: Option<u64>,
    /// The end.
    pub total: u64,
}
