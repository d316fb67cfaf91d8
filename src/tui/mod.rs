//! The screen as a program: the terminal, its keys, and the one loop that joins them with the driver.
//!
//! Nothing ticks. The loop sleeps until a key, a report, a signal, or the moment the model asked to be woken at; a screen
//! on which nothing changes costs no time and writes no byte.

mod background;
mod casting;
mod clipboard;
mod drafts;
mod editor;
mod exchange;
mod input;
mod live;
mod pen;
pub mod plain;
mod record;
mod run;
mod terminal;
mod work;

use std::io;
use std::path::PathBuf;

use crate::app::Host;
use crate::config::Config;
use crate::driver::{DriverError, Order};
use crate::engine::{Corrupt, Recorded};
use crate::journal::{Journal, ReadError, Reader};
use crate::keymap::Keymap;
use crate::repo::{Repo, RepoError};
use crate::theme::{Depth, Theme};

pub use self::background::background;
pub use self::run::run;
pub use self::terminal::size;

/// Everything the screen starts from.
pub struct Start {
    /// The person's repository.
    pub repo: Repo,
    /// The record, and whether we may add to it.
    pub record: Record,
    /// What is configured.
    pub settings: Settings,
    /// Reads the configuration again; what is wrong with it, in words for the person.
    pub reload: Box<dyn Fn() -> Result<Settings, String>>,
    /// What the driver is asked at once: to begin a loop.
    pub first: Option<Order>,
    /// Whether no model is configured at all: in a repository without a loop, choosing them comes first.
    pub first_run: bool,
    /// The goal that the first loop's question begins with.
    pub goal: Option<String>,
    /// Whether it is about the decision that is awaited alone: that opens at once, and when it is closed, the program
    /// ends.
    pub decide: bool,
}

/// What the configuration, and the checkout, make of the screen.
pub struct Settings {
    /// The configuration itself.
    pub config: Config,
    /// The checkout and the person.
    pub host: Host,
    /// How it looks.
    pub theme: Theme,
    /// How many colours the terminal has.
    pub depth: Depth,
    /// Where the person's own themes are.
    pub themes: Option<PathBuf>,
    /// Which keys do what.
    pub keymap: Keymap,
}

/// How the screen was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The person has gone, or the terminal has.
    Done,
    /// For the demo.
    Demo,
}

/// The record of the repository.
pub enum Record {
    /// We drive.
    Driving {
        /// The journal.
        journal: Journal,
        /// Its events.
        events: Vec<Recorded>,
    },
    /// Another process drives, or may; we look on.
    Reading {
        /// The journal.
        reader: Reader,
        /// Who drives, as the lock says; none if nobody does.
        who: Option<String>,
    },
}

/// Why the screen could not go on. Nothing that was acknowledged is lost.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal doesn't do what it must.
    #[error("failed to use the terminal: {0}")]
    Terminal(#[from] io::Error),
    /// The record's events contradict each other.
    #[error("the journal does not hold together: {0}; `windlass verify` says where it was altered")]
    Corrupt(#[from] Corrupt),
    /// The record can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// git says no.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The record can't be kept.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// A fault of Windlass's own.
    #[error("the driver stopped without a reason; everything up to the last event is in the journal")]
    DriverGone,
}
