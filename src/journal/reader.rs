//! Reading: the events in order, one exchange, the head, and who drives. Any number of readers, at any time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use crate::domain::{Digest, ExchangeId, Timestamp};
use crate::engine::Recorded;

use super::chain::stated_head;
use super::wire::WireKind;
use super::{Head, LockError, OpenError, StorageError, StoredExchange, file, lock, stored};

/// The method of a request that asked no model.
const PLAYED: &str = "PLAY";

/// A read-only handle.
pub struct Reader {
    connection: Connection,
    dir: PathBuf,
    path: PathBuf,
}

/// Something in the journal can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A row isn't of a form that this version writes.
    #[error("row {seq} of {} can't be read: {why}; `windlass verify` says whether it was altered", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The row's place.
        seq: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The row that names the last one is gone.
    #[error("{} doesn't say where it ends: it was altered; restore it from a copy", .0.display())]
    NoHead(PathBuf),
    /// SQLite says no.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It can't be told who drives.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl Reader {
    /// Opens the journal in `dir`; none if there isn't one yet.
    ///
    /// # Errors
    /// If the file is not a journal, is a newer one's, or may not be read.
    pub fn open(dir: &Path) -> Result<Option<Self>, OpenError> {
        let path = file::path_in(dir);
        let connection = file::open_to_read(&path)?;
        Ok(connection.map(|connection| Self { connection, dir: dir.to_owned(), path }))
    }

    /// Every event behind the row `seq`, in order; 0 gives all.
    ///
    /// # Errors
    /// If one can't be read.
    pub fn events_after(&self, seq: u64) -> Result<Vec<Recorded>, ReadError> {
        events_after(&self.connection, &self.path, seq)
    }

    /// What went over the wire in an exchange; none if nothing was recorded of it.
    ///
    /// # Errors
    /// If a row of it can't be read.
    pub fn exchange(&self, id: ExchangeId) -> Result<Option<StoredExchange>, ReadError> {
        exchange(&self.connection, &self.path, id)
    }

    /// The exchanges that were played from a file: no model was asked, and nothing was paid.
    ///
    /// # Errors
    /// If a row of theirs can't be read.
    pub fn played(&self) -> Result<BTreeSet<ExchangeId>, ReadError> {
        let failed = StorageError::when("read", &self.path);
        let sql = "SELECT seq, exchange, kind, version, body FROM record INDEXED BY record_exchange
                   WHERE exchange IS NOT NULL AND kind = 'request'";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        let mut played = BTreeSet::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let columns = || -> rusqlite::Result<_> {
                let (seq, id): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok((seq, id, row.get_ref(2)?.as_bytes()?, row.get(3)?, row.get_ref(4)?.as_blob()?))
            };
            let (seq, id, kind, version, body) = columns().map_err(&failed)?;
            match WireKind::decode(kind, version, body).map_err(|why| unreadable(&self.path, seq, why))? {
                WireKind::Request(sent) if sent.method == PLAYED => {
                    played.insert(ExchangeId(id.cast_unsigned()));
                }
                _ => {}
            }
        }
        Ok(played)
    }

    /// The file, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The connection.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where the journal ends now.
    ///
    /// # Errors
    /// If it doesn't say.
    pub fn head(&self) -> Result<Head, ReadError> {
        let head = stated_head(&self.connection).map_err(StorageError::when("read", &self.path))?;
        head.ok_or_else(|| ReadError::NoHead(self.path.clone()))
    }

    /// The hash of the row `seq`, which covers every row before it; none if there is no such row.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn hash_at(&self, seq: u64) -> Result<Option<Digest>, ReadError> {
        Ok(hash_at(&self.connection, &self.path, seq)?)
    }

    /// The process that drives now: its id, host and time of opening; none if nobody drives.
    ///
    /// # Errors
    /// If the lock can't be looked at.
    pub fn driver(&self) -> Result<Option<String>, ReadError> {
        Ok(lock::holder(&self.dir)?)
    }
}

/// What went over the wire in an exchange; none if nothing was recorded of it.
pub(super) fn exchange(
    connection: &Connection,
    path: &Path,
    id: ExchangeId,
) -> Result<Option<StoredExchange>, ReadError> {
    let failed = StorageError::when("read", path);
    let sql = "SELECT seq, kind, version, body FROM record INDEXED BY record_exchange
               WHERE exchange = ?1 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql).map_err(&failed)?;
    let mut rows = statement.query([id.0.cast_signed()]).map_err(&failed)?;
    let mut found: Option<StoredExchange> = None;
    while let Some(row) = rows.next().map_err(&failed)? {
        let columns = || -> rusqlite::Result<_> {
            Ok((row.get::<_, i64>(0)?, row.get_ref(1)?.as_bytes()?, row.get(2)?, row.get_ref(3)?.as_blob()?))
        };
        let (seq, kind, version, body) = columns().map_err(&failed)?;
        let added = WireKind::decode(kind, version, body).and_then(|row| found.get_or_insert_default().add(row));
        added.map_err(|why| unreadable(path, seq, why))?;
    }
    Ok(found)
}

/// The hash of the row `seq`, if there is one.
pub(super) fn hash_at(connection: &Connection, path: &Path, seq: u64) -> Result<Option<Digest>, StorageError> {
    let row = connection.query_row("SELECT hash FROM record WHERE seq = ?1", [seq.cast_signed()], |row| row.get(0));
    Ok(row.optional().map_err(StorageError::when("read", path))?.map(Digest::from_bytes))
}

/// Every event behind the row `seq`, in order.
pub(super) fn events_after(connection: &Connection, path: &Path, seq: u64) -> Result<Vec<Recorded>, ReadError> {
    let failed = StorageError::when("read", path);
    let sql = "SELECT seq, at, version, body FROM record INDEXED BY record_event
               WHERE kind = 'event' AND seq > ?1 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql).map_err(&failed)?;
    let mut rows = statement.query([seq.cast_signed()]).map_err(&failed)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        let columns = || -> rusqlite::Result<_> {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get_ref(3)?.as_blob()?))
        };
        let (seq, at, version, body) = columns().map_err(&failed)?;
        let event = stored::decode(version, body).map_err(|why| unreadable(path, seq, why))?;
        events.push(Recorded { seq: seq.cast_unsigned(), at: Timestamp(at), event });
    }
    Ok(events)
}

fn unreadable(path: &Path, seq: i64, why: impl ToString) -> ReadError {
    ReadError::Row { path: path.to_owned(), seq: seq.cast_unsigned(), why: why.to_string() }
}
