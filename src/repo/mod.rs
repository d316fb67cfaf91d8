//! git: what the repository holds, worktrees to work in, edits of models read, vetted and applied, and landing.
//!
//! Floor 2. Everything goes through the `git` command line, and everything but [`Repo::land`] leaves the person's
//! checkout alone: trees are built through temporary indexes, and work happens in linked worktrees under
//! `<git common dir>/windlass/worktrees`.
//!
//! The way of an answer: [`parse_answer`] reads it into [`FileEdit`]s and prose, [`Repo::apply`] vets them against a base tree and a
//! [`Boundary`] and makes the new tree, [`Repo::change`] shows that tree as git's own diff, [`Repo::land`] commits it.

mod answer;
mod apply;
mod boundary;
mod change;
mod edit;
mod enclosure;
mod flags;
mod git;
mod hunk;
mod index_lock;
mod landing;
mod moving;
mod objects;
mod open;
mod parcel;
mod path;
mod revision;
mod scratch;
mod vet;
mod worktree;

#[cfg(test)]
mod tests;

pub use answer::{Answer, AnswerError, parse_answer};
pub use apply::ApplyError;
pub use boundary::Boundary;
pub use edit::{Action, FileEdit, Hunk};
pub use enclosure::{Enclosure, NotDone};
pub use git::RepoError;
pub use landing::{Checkout, LandError, Landed, Landing, Left};
pub use objects::{FileEntry, FileMode};
pub use open::{OpenError, Repo};
pub use vet::{MAX_FILE_BYTES, MAX_FILES, Problem};
