//! The kinds of gates that read reports, compare trees or ask the network, and the settings each of them takes.
//!
//! One table: the reader of configurations refuses what isn't in it, and every kind takes its settings from here.

use std::collections::BTreeMap;

use super::{CommandSpec, DigestBuilder};

/// One setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A text.
    Text(String),
    /// A number, in thousandths: exact, so that a definition has one digest.
    Number(i64),
    /// Yes or no.
    Truth(bool),
    /// Several texts.
    Texts(Vec<String>),
}

/// What a setting may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number from the first to the second.
    Number(i64, i64),
    /// Yes or no.
    Truth,
    /// Several texts.
    Texts,
}

/// Whether a kind runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// It needs one.
    Needs,
    /// It takes one, or judges by itself.
    May,
    /// It takes none.
    Never,
}

/// One setting a kind takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingSpec {
    /// Its key in the configuration.
    pub key: &'static str,
    /// What it may be.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
}

const fn may(key: &'static str, shape: Shape) -> SettingSpec {
    SettingSpec { key, shape, required: false }
}

const fn must(key: &'static str, shape: Shape) -> SettingSpec {
    SettingSpec { key, shape, required: true }
}

/// Numbers of things.
const COUNT: Shape = Shape::Number(0, 1_000_000_000);
/// Per cent.
const PERCENT: Shape = Shape::Number(0, 100);

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal $runs:ident [$($setting:expr),* $(,)?])+) => {
        /// A kind of gate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CheckKind {
            $($(#[$doc])* $variant),+
        }

        impl CheckKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The lower-case word used in files and on screens.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Whether it runs a command.
            pub const fn runs(self) -> Runs {
                match self { $(Self::$variant => Runs::$runs),+ }
            }

            /// The settings it takes, beyond those of every gate.
            pub const fn settings(self) -> &'static [SettingSpec] {
                match self { $(Self::$variant => const { &[$($setting),*] }),+ }
            }
        }
    };
}

kinds! {
    /// JUnit XML: failing tests, and fewer tests than the base had.
    Junit "junit" Needs [may("report", Shape::Text), may("base", Shape::Truth)]
    /// SARIF 2.1.0: findings the base hasn't.
    Sarif "sarif" Needs [
        may("report", Shape::Text), may("base", Shape::Truth), may("level", Shape::Word(&["error", "warning", "note"])),
    ]
    /// Messages of rustc and clippy: errors, and warnings the base hasn't.
    Cargo "cargo" Needs [may("report", Shape::Text), may("base", Shape::Truth)]
    /// lcov or Cobertura: changed lines that tests reach, and the total against the base.
    Coverage "coverage" Needs [
        must("report", Shape::Text), may("base", Shape::Truth), may("changed", PERCENT), may("drop", PERCENT),
    ]
    /// A command timed on both trees in turns, or two reports of criterion or hyperfine.
    Bench "bench" Needs [
        may("report", Shape::Text), may("pairs", Shape::Number(5, 1000)), may("threshold", Shape::Number(0, 1000)),
    ]
    /// Services that answer.
    Health "health" Never [
        must("urls", Shape::Texts), may("tries", Shape::Number(1, 100)), may("healthy", Shape::Number(1, 100)),
        may("within_ms", Shape::Number(1, 600_000)), may("pause_ms", Shape::Number(0, 60_000)),
    ]
    /// Contracts between services: breaking changes.
    Contract "contract" Needs [
        must("tool", Shape::Word(&["oasdiff", "pact", "schemathesis"])), may("report", Shape::Text),
    ]
    /// Lock files: packages that are new.
    Deps "deps" Never [
        may("files", Shape::Texts), may("max_new", COUNT), may("max_total", COUNT), may("new_sources", Shape::Truth),
    ]
    /// The size of the change.
    Budget "budget" Never [
        may("lines", COUNT), may("files", COUNT), may("functions", COUNT), may("dependencies", COUNT),
        may("layers", COUNT),
    ]
    /// Keys and passwords: in a report of gitleaks, or in the added lines.
    Secrets "secrets" May [may("report", Shape::Text), may("base", Shape::Truth), may("allow", Shape::Texts)]
    /// Imports that no rule allows, and cycles.
    Arch "arch" Never [must("files", Shape::Texts), may("deny", Shape::Texts), may("cycles", Shape::Truth)]
    /// Policies: denials of conftest or OPA.
    Policy "policy" Needs [may("report", Shape::Text)]
}

impl CheckKind {
    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether what it says rests on the network, so that it is good for a while at most.
    pub const fn is_of_the_network(self) -> bool {
        matches!(self, Self::Health)
    }
}

/// The settings of one gate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings(pub BTreeMap<String, Setting>);

impl Settings {
    /// The text under `key`.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key) {
            Some(Setting::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The number under `key`.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.0.get(key) {
            #[expect(clippy::cast_precision_loss, reason = "settings are far below 2^52 thousandths")]
            Some(Setting::Number(thousandths)) => Some(*thousandths as f64 / 1000.0),
            _ => None,
        }
    }

    /// The whole number under `key`.
    pub fn count(&self, key: &str) -> Option<u64> {
        match self.0.get(key) {
            Some(Setting::Number(thousandths)) => u64::try_from(thousandths / 1000).ok(),
            _ => None,
        }
    }

    /// What stands under `key`, or `otherwise`.
    pub fn truth(&self, key: &str, otherwise: bool) -> bool {
        match self.0.get(key) {
            Some(Setting::Truth(truth)) => *truth,
            _ => otherwise,
        }
    }

    /// The texts under `key`.
    pub fn texts(&self, key: &str) -> &[String] {
        match self.0.get(key) {
            Some(Setting::Texts(texts)) => texts,
            _ => &[],
        }
    }
}

/// A gate of one of the kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub kind: CheckKind,
    /// What it runs.
    pub command: Option<CommandSpec>,
    /// How it judges.
    pub settings: Settings,
}

impl Check {
    /// Whether the same is done on the base, to compare with.
    pub fn compares(&self) -> bool {
        let by_nature = match self.kind {
            CheckKind::Junit | CheckKind::Sarif | CheckKind::Cargo | CheckKind::Coverage => true,
            CheckKind::Bench => return self.settings.text("report").is_some(),
            CheckKind::Secrets => self.command.is_some(),
            _ => return false,
        };
        by_nature && self.settings.truth("base", true)
    }

    /// Adds it to a digest.
    pub(super) fn digested(&self, builder: DigestBuilder) -> DigestBuilder {
        let builder = builder.text("kind", self.kind.name());
        let builder = self.command.iter().fold(builder, |builder, command| command.digested(builder));
        self.settings.0.iter().fold(builder, |builder, (key, setting)| match setting {
            Setting::Text(text) => builder.text(key, text),
            Setting::Number(thousandths) => builder.field(key, &thousandths.to_le_bytes()),
            Setting::Truth(truth) => builder.field(key, &[u8::from(*truth)]),
            Setting::Texts(texts) => builder.list(key, texts),
        })
    }
}
