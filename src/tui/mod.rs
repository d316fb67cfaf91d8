//! The screen: what the command line hands to it. A placeholder until the room is there.

use crate::app::Host;
use crate::config::Config;
use crate::driver::Order;
use crate::engine::Recorded;
use crate::journal::{Journal, Reader};
use crate::keymap::Keymap;
use crate::repo::Repo;
use crate::theme::Theme;

/// Everything that the screen begins with.
pub struct Start {
    /// The repository.
    pub repo: Repo,
    /// The configuration.
    pub config: Config,
    /// The record, and whether this process may add to it.
    pub record: Record,
    /// The checkout and the person.
    pub host: Host,
    /// How things look.
    pub theme: Theme,
    /// What keys do.
    pub keymap: Keymap,
    /// Given to the driver at once: `windlass new`.
    pub first: Option<Order>,
    /// The goal that a first loop's question is prefilled with.
    pub goal: Option<String>,
}

/// The record, open.
pub enum Record {
    /// This process drives.
    Driving {
        /// The journal.
        journal: Journal,
        /// Everything in it.
        events: Vec<Recorded>,
    },
    /// Another process drives.
    Reading {
        /// The journal.
        reader: Reader,
        /// The process that drives, as it has signed the lock.
        who: String,
    },
}

/// The screen had to end.
#[derive(Debug, thiserror::Error)]
#[error("the screen is not there yet")]
pub struct TuiError;

/// Shows the screen until the person leaves.
///
/// # Errors
/// If the terminal can't be used.
pub fn run(start: Start) -> Result<(), TuiError> {
    drop(start);
    Err(TuiError)
}
