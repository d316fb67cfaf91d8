//! The record, to be read: every event replayed, and who drives.

use crate::domain::ExchangeId;
use crate::engine::{Recorded, State, apply};
use crate::journal::{Reader, StoredExchange};
use crate::repo::Repo;

use super::failure::Failure;

/// What the journal says now.
pub(super) struct Record {
    /// None while there is no journal.
    reader: Option<Reader>,
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

    /// What went over the wire in an exchange; nothing if nothing was recorded of it.
    pub(super) fn stored(&self, id: ExchangeId) -> Result<StoredExchange, Failure> {
        let found = self.reader.as_ref().map(|reader| reader.exchange(id)).transpose()?;
        Ok(found.flatten().unwrap_or_default())
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
