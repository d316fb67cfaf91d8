//! A human's decision, bound to the evidence that was on the screen.

use super::{Digest, Timestamp, Verdict};

/// Name and address of the human, as git has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person(pub String);

/// What a human can decide about a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Go on.
    Approve,
    /// Draft again, for a reason.
    Revise,
    /// End the loop.
    Abandon,
}

impl Verb {
    /// The lower-case word used in files and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Revise => "revise",
            Self::Abandon => "abandon",
        }
    }
}

/// How much of the artifact has been on screen, in review units (hunks of a change, blocks of prose).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unread {
    /// Units seen.
    pub seen: u32,
    /// Units there are.
    pub total: u32,
}

/// Something that a decision goes past. Each needs the human's reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Part of the artifact was never on screen.
    Unread(Unread),
    /// Findings that were never on screen.
    UnreadFindings(Unread),
    /// A required gate isn't satisfied and was overridden.
    Gate {
        /// Its name.
        gate: String,
        /// What it said; none if it never ran on this content.
        verdict: Option<Verdict>,
    },
    /// A blocker that the human dismissed.
    Blocker {
        /// Its text.
        text: String,
    },
    /// No second model has reviewed this revision.
    NoCritique,
}

/// A human's decision on one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub verb: Verb,
    /// Digest over everything the decision rests on.
    pub evidence: Digest,
    /// Who decided.
    pub by: Person,
    /// When.
    pub at: Timestamp,
    /// Why; always there for revise and abandon, and for an approval with gaps.
    pub reason: Option<String>,
    /// What the decision goes past.
    pub gaps: Vec<Gap>,
}

/// A human's reason to go on despite a failing gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The gate.
    pub gate: String,
    /// The gate subject (revision and tree) it holds for.
    pub subject: Digest,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Person,
}
