//! Writing: the driver's handle. What it has acknowledged is on the disk.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior, params};

use crate::domain::{Digest, Timestamp};
use crate::engine::{Event, Recorded};

use super::chain::{self, Columns, stated_head};
use super::lock::{self, DriverLock};
use super::reader::{events_after, hash_at};
use super::{Head, OpenError, ReadError, StorageError, WireRow, file, stored, wire};

/// The one writer of a journal.
pub struct Journal {
    // Dropped in this order: the file is closed before another process may drive.
    connection: Connection,
    path: PathBuf,
    head: Head,
    _lock: DriverLock,
}

/// Something was not recorded. The journal is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It would not be the same when read again.
    #[error("failed to record this, because it would not read back as it is: {0}")]
    NotKept(String),
    /// The rows on the disk aren't the ones this process wrote.
    #[error("failed to write to {}: another program has written to it; end windlass and start it again", .0.display())]
    Overtaken(PathBuf),
    /// SQLite says no.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Journal {
    /// Opens the journal in `dir` to drive it, or begins it, and reads every event. No other process can open it so
    /// until this one drops it or ends.
    ///
    /// # Errors
    /// If another process drives; if the file is not a journal, is a newer one's, has lost its end, or can't be read or
    /// written.
    pub fn open(dir: &Path) -> Result<(Self, Vec<Recorded>), OpenError> {
        fs::create_dir_all(dir).map_err(|source| OpenError::Directory { path: dir.to_owned(), source })?;
        let lock = lock::take(dir)?;
        let path = file::path_in(dir);
        let connection = file::open_to_write(&path)?;
        let failed = StorageError::when("read", &path);
        let head = stated_head(&connection).map_err(&failed)?.ok_or_else(|| ReadError::NoHead(path.clone()))?;
        if !chain::ends_at(&connection, head).map_err(&failed)? {
            return Err(OpenError::Damaged(path));
        }
        let events = events_after(&connection, &path, 0)?;
        Ok((Self { connection, path, head, _lock: lock }, events))
    }

    /// Records events, all or none. When this returns they are on the disk.
    ///
    /// # Errors
    /// If they could not be recorded.
    pub fn append(&mut self, at: Timestamp, events: Vec<Event>) -> Result<Vec<Recorded>, AppendError> {
        let mut bodies = Vec::with_capacity(events.len());
        for event in &events {
            bodies.push((stored::KIND, None, stored::VERSION, kept(event)?));
        }
        let before = self.head.seq;
        self.write(at, &bodies)?;
        Ok((before + 1..).zip(events).map(|(seq, event)| Recorded { seq, at, event }).collect())
    }

    /// Records what went over the wire, all or nothing. When this returns it is on the disk.
    ///
    /// # Errors
    /// If it could not be recorded.
    pub fn wire(&mut self, at: Timestamp, rows: &[WireRow]) -> Result<(), AppendError> {
        let mut bodies = Vec::with_capacity(rows.len());
        for row in rows {
            let (kind, body) = row.kind.encode().map_err(|error| AppendError::NotKept(error.to_string()))?;
            bodies.push((kind, Some(row.exchange.0.cast_signed()), wire::VERSION, body));
        }
        self.write(at, &bodies)
    }

    /// Where the journal ends.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The hash of the row `seq`, which covers every row before it; none if there is no such row.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn hash_at(&self, seq: u64) -> Result<Option<Digest>, StorageError> {
        hash_at(&self.connection, &self.path, seq)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn write(&mut self, at: Timestamp, rows: &[(&str, Option<i64>, i64, Vec<u8>)]) -> Result<(), AppendError> {
        if rows.is_empty() {
            return Ok(());
        }
        let failed = StorageError::when("write to", &self.path);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let mut head = self.head;
        {
            let mut insert = prepared(&transaction).map_err(&failed)?;
            for (kind, exchange, version, body) in rows {
                let seq = head.seq + 1;
                let columns = Columns {
                    seq: seq.cast_signed(),
                    at: at.0,
                    kind: kind.as_bytes(),
                    exchange: *exchange,
                    version: *version,
                    body,
                };
                head = Head { seq, hash: columns.hash(&head.hash) };
                let row = params![columns.seq, at.0, kind, exchange, version, body, head.hash.as_bytes()];
                insert.execute(row).map_err(&failed)?;
            }
        }
        if !moves(&transaction, self.head, head).map_err(&failed)? {
            return Err(AppendError::Overtaken(self.path.clone()));
        }
        transaction.commit().map_err(&failed)?;
        self.head = head;
        Ok(())
    }
}

/// The body of an event, known to give the same event when it is read.
fn kept(event: &Event) -> Result<Vec<u8>, AppendError> {
    let not_kept = |error: stored::StoredError| AppendError::NotKept(error.to_string());
    let body = stored::encode(event).map_err(not_kept)?;
    if stored::decode(stored::VERSION, &body).map_err(not_kept)? == *event {
        Ok(body)
    } else {
        Err(AppendError::NotKept("a value in it has no exact form in the record".to_owned()))
    }
}

fn prepared<'a>(transaction: &'a Transaction<'_>) -> rusqlite::Result<CachedStatement<'a>> {
    transaction.prepare_cached(
        "INSERT INTO record (seq, at, kind, exchange, version, body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
}

/// Moves the stated head; false if it wasn't where this process left it.
fn moves(transaction: &Transaction<'_>, from: Head, to: Head) -> rusqlite::Result<bool> {
    let mut update = transaction.prepare_cached("UPDATE head SET seq = ?1, hash = ?2 WHERE seq = ?3 AND hash = ?4")?;
    let row = params![to.seq.cast_signed(), to.hash.as_bytes(), from.seq.cast_signed(), from.hash.as_bytes()];
    Ok(update.execute(row)? == 1)
}
