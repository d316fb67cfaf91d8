//! The record, to be read: every event replayed, and who drives.

use std::collections::BTreeSet;

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

    /// The exchanges that were played from a file.
    pub(super) fn played(&self) -> Result<BTreeSet<ExchangeId>, Failure> {
        Ok(self.reader.as_ref().map(Reader::played).transpose()?.unwrap_or_default())
    }

    /// Those exchanges that can have this text in what was sent or said, so that they have to be looked through.
    pub(super) fn may_have(&self, text: &str) -> Result<Vec<ExchangeId>, Failure> {
        let ids = || self.state.exchanges.keys().copied();
        match &self.reader {
            Some(reader) => Ok(reader.may_have(text, ids())?),
            None => Ok(ids().collect()),
        }
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
