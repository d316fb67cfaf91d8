//! What a stage produces: an artifact, in immutable, content-addressed revisions.

use std::sync::Arc;

use super::{CommitId, Digest, DigestBuilder, ExchangeId, ModelId, TreeId};

/// The kind of thing a stage produces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArtifactKind {
    /// The one thing that limits the effort now.
    Constraint,
    /// What to do about it.
    Plan,
    /// A patch, applied in a worktree.
    Change,
    /// Before and after.
    Outcome,
}

impl ArtifactKind {
    /// The lower-case word used in files and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constraint => "constraint",
            Self::Plan => "plan",
            Self::Change => "change",
            Self::Outcome => "outcome",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Constraint, Self::Plan, Self::Change, Self::Outcome].into_iter().find(|kind| kind.name() == name)
    }
}

/// Who wrote a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A model, in this exchange.
    Model {
        /// Which model.
        model: ModelId,
        /// Which call of it.
        exchange: ExchangeId,
    },
    /// A human, by hand.
    Human {
        /// Name and address as git has them.
        name: String,
    },
}

impl Origin {
    /// Who wrote it: the model's name, or the person's.
    pub fn writer(&self) -> &str {
        match self {
            Self::Model { model, .. } => &model.0,
            Self::Human { name } => name,
        }
    }
}

/// Lines added to and removed from one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// Path inside the repository.
    pub path: String,
    /// Lines added; 0 for a binary file.
    pub added: u32,
    /// Lines removed; 0 for a binary file.
    pub removed: u32,
}

/// A change as git sees it: one tree against one base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The commit it stands on.
    pub base: CommitId,
    /// The tree it makes; what gates run on and what lands.
    pub tree: TreeId,
    /// git's own unified diff of base and tree; shared, for it may be large.
    pub patch: Arc<str>,
    /// Per file, in git's order.
    pub files: Vec<FileStat>,
    /// What vetting wants the human to see ("edits .windlass/config.toml").
    pub flags: Vec<String>,
}

/// One immutable version of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Digest over kind, text and change.
    pub id: Digest,
    /// Counted from 1 within its stage.
    pub ordinal: u32,
    /// The artifact's Markdown: for a change, the author's words around the patch.
    pub text: String,
    /// The applied change, for a change (and, carried along, for an outcome).
    pub change: Option<Change>,
    /// Who wrote it.
    pub origin: Origin,
}

impl Revision {
    /// A revision of these contents; its id is computed here.
    pub fn new(kind: ArtifactKind, ordinal: u32, text: String, change: Option<Change>, origin: Origin) -> Self {
        let id = Self::id_of(kind, &text, change.as_ref());
        Self { id, ordinal, text, change, origin }
    }

    /// The id a revision of these contents has.
    pub fn id_of(kind: ArtifactKind, text: &str, change: Option<&Change>) -> Digest {
        let builder = DigestBuilder::new("revision").text("kind", kind.name()).text("text", text);
        match change {
            None => builder.finish(),
            Some(change) => builder
                .text("base", change.base.as_str())
                .text("tree", change.tree.as_str())
                .text("patch", &change.patch)
                .list("flags", &change.flags)
                .finish(),
        }
    }

    /// The tree it makes, if it makes one.
    pub fn tree(&self) -> Option<&TreeId> {
        self.change.as_ref().map(|change| &change.tree)
    }
}
