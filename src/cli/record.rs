//! The record, to be read: every event replayed, and who drives.

use crate::engine::{Recorded, State, apply};
use crate::journal::Reader;
use crate::repo::Repo;

use super::failure::Failure;

/// What the journal says now.
pub(super) struct Record {
    /// For the bytes of exchanges; none while there is no journal.
    pub(super) reader: Option<Reader>,
    /// Every event.
    pub(super) events: Vec<Recorded>,
    /// What they made.
    pub(super) state: State,
    /// The process that drives.
    pub(super) driver: Option<String>,
}

impl Record {
    /// Reads it, without becoming the driver.
    pub(super) fn read(repo: &Repo) -> Result<Self, Failure> {
        let reader = Reader::open(&repo.private_dir()?)?;
        let (events, driver) = match &reader {
            Some(reader) => (reader.events_after(0)?, reader.driver()?),
            None => (Vec::new(), None),
        };
        let state = replay(&events)?;
        Ok(Self { reader, events, state, driver })
    }
}

/// The state that these events make.
pub(super) fn replay(events: &[Recorded]) -> Result<State, Failure> {
    let mut state = State::default();
    for recorded in events {
        apply(&mut state, recorded)?;
    }
    Ok(state)
}
