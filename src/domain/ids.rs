//! Names of things: loops, stages, exchanges, gate runs, git objects, moments.

use std::fmt;
use std::str::FromStr;

/// A loop of this repository, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoopId(pub u32);

/// The place of a stage in its workflow, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StageIndex(pub usize);

/// One call of a model, counted from 1 through the whole journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u64);

/// One execution of a gate, counted from 1 through the whole journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

/// Milliseconds since 1970-01-01T00:00:00Z. Enters the engine through commands only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

macro_rules! shown_as_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
shown_as_number!(LoopId, ExchangeId, RunId);

impl StageIndex {
    /// The stage after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number people say: counted from 1.
    pub const fn number(self) -> usize {
        self.0 + 1
    }
}

/// The text was not a git object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a git object id is 40 or 64 lower-case hexadecimal digits, not {0:?}")]
pub struct ParseObjectIdError(String);

fn object_id(text: &str) -> Result<String, ParseObjectIdError> {
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if hex && matches!(text.len(), 40 | 64) { Ok(text.to_owned()) } else { Err(ParseObjectIdError(text.to_owned())) }
}

macro_rules! git_object {
    ($(#[$doc:meta] $name:ident),*) => {$(
        #[$doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The full hexadecimal id.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first ten digits: what a screen shows.
            pub fn short(&self) -> &str {
                self.0.get(..10).unwrap_or(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseObjectIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                object_id(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.short())
            }
        }
    )*};
}
git_object!(
    /// The id of a git commit.
    CommitId,
    /// The id of a git tree: exactly the content that gates ran on and that lands.
    TreeId
);
