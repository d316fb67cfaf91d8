//! What the second model says of a revision: findings, one line each, so that they appear as they stream.
//!
//! The form is `severity anchor - text`: `blocker line 12 - moves the bottleneck to the database`,
//! `minor src/cart.rs:40 - the lock is still held here`, `note whole - …`.

use std::fmt;
use std::str::FromStr;

use super::{Digest, ExchangeId, ModelId, Turn};

/// How much a finding matters. Ordered: a blocker is greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Worth mending.
    Minor,
    /// Should be mended before going on.
    Major,
    /// Going on needs a human's reason.
    Blocker,
}

impl Severity {
    /// Every severity, least first.
    pub const ALL: [Self; 4] = [Self::Note, Self::Minor, Self::Major, Self::Blocker];

    /// The lower-case word models write and screens show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Blocker => "blocker",
        }
    }
}

/// Where a finding points.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// A line of the artifact's text, counted from 1.
    Line(u32),
    /// A line of a changed file, counted from 1 in its new form.
    File {
        /// Path inside the repository.
        path: String,
        /// Line, if one is named.
        line: Option<u32>,
    },
    /// The artifact as a whole.
    Whole,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::File { path, line: Some(line) } => write!(f, "{path}:{line}"),
            Self::File { path, line: None } => f.write_str(path),
            Self::Whole => f.write_str("whole"),
        }
    }
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing yet.
    Open,
    /// A human set it aside, for this reason.
    Dismissed(String),
}

/// One objection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Where it points.
    pub anchor: Anchor,
    /// What it says, in one line.
    pub text: String,
    /// What became of it.
    pub disposition: Disposition,
    /// What was asked about it, and answered, oldest first.
    pub thread: Vec<Turn>,
}

impl Finding {
    /// Whether it is a blocker that no human has dismissed.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Blocker && self.disposition == Disposition::Open
    }
}

/// The line is not of the form `severity anchor - text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseFindingError {
    /// It doesn't begin with a severity: prose, most likely.
    #[error("the line does not begin with blocker, major, minor or note")]
    NotAFinding,
    /// It does, but no ` - ` parts anchor and text.
    #[error("no \" - \" between anchor and text")]
    NoText,
}

impl FromStr for Finding {
    type Err = ParseFindingError;

    /// Reads one line. A list marker, bold marks around the severity and a colon after it are forgiven.
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let line = line.trim().trim_start_matches(['-', '*', '+', ' ']).trim_start();
        let (word, rest) = line.split_once(|c: char| c.is_whitespace()).unwrap_or((line, ""));
        let word = word.trim_matches(|c: char| matches!(c, '*' | '`' | ':' | '[' | ']')).to_ascii_lowercase();
        let severity = Severity::ALL.into_iter().find(|s| s.name() == word).ok_or(ParseFindingError::NotAFinding)?;
        let parted = [" - ", " – ", " — "].iter().filter_map(|dash| rest.split_once(dash)).min_by_key(|(a, _)| a.len());
        let (anchor, text) = parted.ok_or(ParseFindingError::NoText)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(ParseFindingError::NoText);
        }
        let anchor = anchor_of(anchor);
        Ok(Self { severity, anchor, text: text.to_owned(), disposition: Disposition::Open, thread: Vec::new() })
    }
}

fn anchor_of(text: &str) -> Anchor {
    let text = text.trim().trim_matches('`');
    let lower = text.to_ascii_lowercase();
    if let Some(number) = lower.strip_prefix("line").or_else(|| lower.strip_prefix('l'))
        && let Ok(line) = number.trim().parse()
    {
        return Anchor::Line(line);
    }
    if text.is_empty() || lower == "whole" {
        return Anchor::Whole;
    }
    match text.rsplit_once(':').map(|(path, line)| (path, line.parse())) {
        Some((path, Ok(line))) => Anchor::File { path: path.to_owned(), line: Some(line) },
        _ => Anchor::File { path: text.to_owned(), line: None },
    }
}

/// One review of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Critique {
    /// The revision it is about.
    pub revision: Digest,
    /// Who wrote it.
    pub model: ModelId,
    /// In which call.
    pub exchange: ExchangeId,
    /// The whole reply.
    pub text: String,
    /// The findings in it, in order.
    pub findings: Vec<Finding>,
}

impl Critique {
    /// A critique with the findings that `text` contains.
    pub fn read(revision: Digest, model: ModelId, exchange: ExchangeId, text: String) -> Self {
        let findings = text.lines().filter_map(|line| line.parse().ok()).collect();
        Self { revision, model, exchange, text, findings }
    }

    /// Whether the reply is usable: at least one finding, or the plain statement that there is none.
    pub fn is_readable(&self) -> bool {
        !self.findings.is_empty()
            || self.text.lines().any(|line| line.trim().to_ascii_lowercase().starts_with("no findings"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(Severity, Anchor, String)> {
        line.parse::<Finding>().ok().map(|f| (f.severity, f.anchor, f.text))
    }

    #[test]
    fn findings_are_read_from_the_forms_models_write() {
        let file = |path: &str, line| Anchor::File { path: path.into(), line };
        for (line, expected) in [
            (
                "blocker line 12 - moves the bottleneck",
                Some((Severity::Blocker, Anchor::Line(12), "moves the bottleneck")),
            ),
            (
                "- **major** src/a.rs:40 - still locked",
                Some((Severity::Major, file("src/a.rs", Some(40)), "still locked")),
            ),
            ("* minor: `lib/x.py` — unused", Some((Severity::Minor, file("lib/x.py", None), "unused"))),
            ("note whole - a - b", Some((Severity::Note, Anchor::Whole, "a - b"))),
            ("NOTE L3 - shout", Some((Severity::Note, Anchor::Line(3), "shout"))),
            ("The plan has a blocker - it is slow", None),
            ("blocker line 3", None),
            ("blocker line 3 - ", None),
            ("", None),
        ] {
            assert_eq!(read(line), expected.map(|(s, a, t)| (s, a, t.to_owned())), "{line:?}");
        }
    }
}
