//! Stored forms of what has no parts: words, and digests as hexadecimal. The words stay, whatever the code calls them.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain;

macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),+ })+) => {$(
        #[derive(Clone, Copy, Serialize, Deserialize)]
        pub(super) enum $name {
            $(#[serde(rename = $word)] $variant),+
        }

        impl From<domain::$name> for $name {
            fn from(value: domain::$name) -> Self {
                match value { $(domain::$name::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for domain::$name {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant),+ }
            }
        }
    )+};
}

words! {
    ArtifactKind { Constraint = "constraint", Plan = "plan", Change = "change", Outcome = "outcome" }
    Enforcement { Advisory = "advisory", Required = "required", Mandatory = "mandatory" }
    ItemKind {
        Goal = "goal", Approved = "approved", Criteria = "criteria", Readings = "readings", Feedback = "feedback",
        Conventions = "conventions", Map = "map", File = "file"
    }
    Measure { Nothing = "nothing", Base = "base", BaseAndChange = "base-and-change" }
    Role { Author = "author", Critic = "critic" }
    Severity { Note = "note", Minor = "minor", Major = "major", Blocker = "blocker" }
    Side { Before = "before", After = "after" }
    Verb { Approve = "approve", Revise = "revise", Abandon = "abandon" }
    Verdict {
        Pass = "pass", Fail = "fail", Error = "error", Timeout = "timeout", Cancelled = "cancelled",
        Skipped = "skipped", NotApplicable = "not-applicable", Inconclusive = "inconclusive", Flaky = "flaky"
    }
}

/// A digest as 64 hexadecimal digits.
#[derive(Clone, Copy)]
pub(super) struct Hex(pub(super) domain::Digest);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Hex;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex, E> {
                text.parse().map(Hex).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// A number as its shortest exact decimal text: JSON numbers are not exact everywhere.
pub(super) mod exact {
    use std::borrow::Cow;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::journal::stored) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:?}"))
    }

    pub(in crate::journal::stored) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let value: f64 = text.parse().map_err(D::Error::custom)?;
        if value.is_finite() { Ok(value) } else { Err(D::Error::custom("a reading is a finite number")) }
    }
}
