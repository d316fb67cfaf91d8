//! What goes into a prompt, listed with sizes before anything is sent.

use super::Digest;

/// Where a context item comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    /// The effort's goal.
    Goal,
    /// An approved artifact of an earlier stage.
    Approved,
    /// Acceptance criteria.
    Criteria,
    /// Readings of the probes.
    Readings,
    /// The human's reason for a revision, with the findings still open.
    Feedback,
    /// `AGENTS.md` or `CLAUDE.md`.
    Conventions,
    /// The list of the repository's files.
    Map,
    /// A file of the repository.
    File,
}

/// One item of a stage's context. Its content is known by digest; the exchange records the exact bytes sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextItem {
    /// Where it comes from.
    pub kind: ItemKind,
    /// What a person calls it: a path for a file.
    pub name: String,
    /// Digest of its content.
    pub digest: Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// Estimated tokens, see [`tokens_of`].
    pub tokens: u64,
    /// Whether it will be sent.
    pub included: bool,
}

/// Estimated tokens of a text of this many bytes: one per four, rounded up. The exchange's usage has the true count.
pub const fn tokens_of(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}
