//! Configuration: what the person and the repository decide, read strictly, layer over layer.
//!
//! Built-in < user < repository < environment < flags. A repository's file is code review material written by anyone
//! with a commit, so it can't name servers, keys or the person's own taste; its commands wait for trust, which is bound
//! to the digest of its exact bytes.

mod choose;
mod document;
mod gate;
mod init;
mod layer;
mod library;
mod load;
mod paths;
mod prices;
mod problem;
mod propose;
mod provider;
mod source;
mod workflow;
mod write;

#[cfg(test)]
mod tests;

pub use document::{Document, Fields, Located, kind};
pub use gate::Schedule;
pub use init::init_text;
pub use library::{Library, Sheet};
pub use load::{Access, BUILTIN_GATES, Config, Flags, Loaded, Probe, load};
pub use paths::Paths;
pub use prices::{Prices, prices_dated};
pub use problem::{ConfigError, Place, Problem, nearest, suggestion};
pub use propose::{Proposal, proposals};
pub use source::{Written, gate_source};
pub use workflow::{workflow, workflow_names};
pub use write::{Additions, WriteError, add_gates, write_user_providers};
