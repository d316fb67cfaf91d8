//! Verification: reads every row once, in order, and stops at the first that isn't what was written.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::domain::Timestamp;
use crate::engine::{Recorded, State, apply};

use super::chain::{Columns, stated_head};
use super::wire::WireKind;
use super::{Head, OpenError, StorageError, file, stored};

/// A journal in which nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many rows there are, events and wire bytes together.
    pub rows: u64,
    /// Where it ends.
    pub head: Head,
}

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A row isn't what was written.
    #[error("row {seq} {what}; every row before it is as it was written")]
    Row {
        /// The first bad row's place, or the place where one is missing.
        seq: u64,
        /// What is wrong, in words.
        what: String,
    },
    /// Every row is as it was written, but the file's own structure is damaged.
    #[error("{} is damaged, though every row in it is as it was written: {what}", path.display())]
    Structure {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// There is no journal.
    #[error("there is no journal at {}", .0.display())]
    Missing(PathBuf),
    /// It can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite can't read it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Checks the whole journal in `dir`, also while a process drives it: the chain of hashes, that no row is missing, that
/// every row can be read, that the events follow from each other by the laws of the engine, and the file's structure.
/// Rows are read one at a time.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(dir: &Path) -> Result<Verified, VerifyError> {
    let path = file::path_in(dir);
    let connection = file::open_to_read(&path)?.ok_or_else(|| VerifyError::Missing(path.clone()))?;
    let failed = StorageError::when("read", &path);
    // One view of the file throughout, whatever a driver writes meanwhile.
    let view = connection.unchecked_transaction().map_err(&failed)?;
    let verified = rows(&view, &path)?;
    let sql = "PRAGMA integrity_check(1)";
    let what: String = view.query_row(sql, [], |row| row.get(0)).map_err(&failed)?;
    if what == "ok" { Ok(verified) } else { Err(VerifyError::Structure { path, what }) }
}

fn rows(connection: &Connection, path: &Path) -> Result<Verified, VerifyError> {
    let failed = StorageError::when("read", path);
    let sql = format!("SELECT {} FROM record NOT INDEXED ORDER BY seq", Columns::NAMES);
    let mut statement = connection.prepare(&sql).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let (mut end, mut state) = (Head::EMPTY, State::default());
    while let Some(row) = rows.next().map_err(&failed)? {
        let seq = end.seq + 1;
        let bad = |what: String| VerifyError::Row { seq, what };
        let (columns, hash) =
            Columns::of(row).map_err(|error| bad(format!("has a column of another type: {error}")))?;
        if columns.seq != seq.cast_signed() {
            return Err(bad(format!("is missing: row {} stands in its place", columns.seq)));
        }
        if columns.hash(&end.hash) != hash {
            return Err(bad("was altered: its hash is wrong".to_owned()));
        }
        fits(&mut state, &columns).map_err(bad)?;
        end = Head { seq, hash };
    }
    let stated = stated_head(connection).map_err(&failed)?;
    let missing = |what: &str| VerifyError::Row { seq: end.seq + 1, what: what.to_owned() };
    match stated {
        Some(head) if head == end => Ok(Verified { rows: end.seq, head: end }),
        Some(head) if head.seq > end.seq => Err(missing("is missing: the journal once was longer")),
        Some(_) => Err(VerifyError::Row {
            seq: end.seq,
            what: "is not the last that the journal says it has: it was added or altered".to_owned(),
        }),
        None => Err(missing("may be missing: the journal doesn't say where it ends")),
    }
}

/// Whether a row can be read and, if it is an event, follows from the events before it.
fn fits(state: &mut State, columns: &Columns<'_>) -> Result<(), String> {
    if columns.kind == stored::KIND.as_bytes() {
        let event = stored::decode(columns.version, columns.body).map_err(|why| format!("can't be read: {why}"))?;
        let recorded = Recorded { seq: columns.seq.cast_unsigned(), at: Timestamp(columns.at), event };
        apply(state, &recorded).map_err(|corrupt| format!("breaks a law: {corrupt}"))?;
        return Ok(());
    }
    WireKind::decode(columns.kind, columns.version, columns.body).map_err(|why| format!("can't be read: {why}"))?;
    Ok(())
}

#[cfg(test)]
mod tests;
