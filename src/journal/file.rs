//! The journal's file: where it is, how it is opened, its schema versions, and what its errors tell a person to do.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rusqlite_migration::{M, Migrations};

use super::{LockError, ReadError};

const NAME: &str = "journal.sqlite3";

/// Marks the file as ours in SQLite's header: "WNDL". The first migration states the same number.
const APPLICATION_ID: i32 = 0x574e_444c;

/// How long to wait for another process that holds the file.
const BUSY: Duration = Duration::from_secs(5);

/// Never edit a migration that has been released: add one. The indexes are partial so that replay doesn't touch the
/// bytes of exchanges, and reading an exchange touches nothing else.
const STEPS: &[M<'_>] = &[
    M::up(
    "PRAGMA application_id = 0x574e444c;
     CREATE TABLE record (
         seq INTEGER PRIMARY KEY,
         at INTEGER NOT NULL,
         kind TEXT NOT NULL,
         exchange INTEGER,
         version INTEGER NOT NULL,
         body BLOB NOT NULL,
         hash BLOB NOT NULL
     ) STRICT;
     CREATE INDEX record_event ON record (seq) WHERE kind = 'event';
     CREATE INDEX record_exchange ON record (exchange, seq) WHERE exchange IS NOT NULL;
     CREATE TABLE head (
         one INTEGER PRIMARY KEY CHECK (one = 1),
         seq INTEGER NOT NULL,
         hash BLOB NOT NULL
     ) STRICT;
     INSERT INTO head VALUES (1, 0, zeroblob(32));",
    ),
    // Which three letters occur in what was sent and said: found in the index, made sure of in the rows themselves. It
    // is no part of the record: it can be made again from it.
    M::up(
        "CREATE VIRTUAL TABLE said USING fts5 (text, content = '', detail = none, tokenize = 'trigram case_sensitive 1');
         CREATE TABLE indexed (exchange INTEGER PRIMARY KEY) STRICT;",
    ),
];
const MIGRATIONS: Migrations<'_> = Migrations::from_slice(STEPS);

/// The journal can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process drives it.
    #[error("another windlass drives this repository ({by}); here it can only be read")]
    Driven {
        /// Process id, host and time, as that process wrote them.
        by: String,
    },
    /// A newer Windlass has written it.
    #[error("{} was written by a newer windlass: install that version, this one can't read it", .0.display())]
    Newer(PathBuf),
    /// It is something else.
    #[error("{} is not a windlass journal: move it away, and windlass begins a new one", .0.display())]
    Foreign(PathBuf),
    /// Its last row isn't the one it should be.
    #[error("{} has lost its end, or its last row was altered: `windlass verify` says where; restore the file from a copy, or move it away to begin a new one", .0.display())]
    Damaged(PathBuf),
    /// Its directory can't be made.
    #[error("failed to create the directory {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lock that makes this process the only driver can't be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// SQLite says no.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// SQLite could not do something with the journal.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing} {}: {source}{}", path.display(), next_step(source))]
pub struct StorageError {
    doing: &'static str,
    path: PathBuf,
    source: rusqlite::Error,
}

impl StorageError {
    /// Gives the errors of SQLite the words that they lack.
    pub(super) fn when(doing: &'static str, path: &Path) -> impl Fn(rusqlite::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self { doing, path: path.clone(), source }
    }
}

fn next_step(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "; free some space and try again: what was recorded before is safe",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "; check that you may write to the file and its directory, and that the disk is not mounted read-only"
        }
        Some(ErrorCode::DatabaseCorrupt) => "; restore the file from a copy, or move it away to begin a new one",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "; another program has held it for 5 s: close that program and try again"
        }
        Some(ErrorCode::SystemIoFailure) => {
            "; the disk reports an error: check it, and the system's log, before going on"
        }
        _ => "",
    }
}

/// The file of the journal in `dir`.
pub(super) fn path_in(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

/// Opens the file to write, makes it if there is none, and brings its schema up to date.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, OpenError> {
    let failed = StorageError::when("open", path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(path, flags)?;
    is_ours(&connection, path)?;
    let configured = || -> rusqlite::Result<()> {
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
        connection.pragma_update(None, "synchronous", "full")?;
        // Where fsync alone doesn't reach the disk (macOS), this does; elsewhere it changes nothing.
        connection.pragma_update(None, "fullfsync", true)
    };
    configured().map_err(&failed)?;
    match MIGRATIONS.to_latest(&mut connection) {
        Ok(()) => Ok(connection),
        Err(rusqlite_migration::Error::RusqliteError { err, .. }) => Err(failed(err).into()),
        // Anything else means that the schema version in the header is none of ours.
        Err(_) => Err(OpenError::Foreign(path.to_owned())),
    }
}

/// Opens the file to read; none if there is no journal yet.
pub(super) fn open_to_read(path: &Path) -> Result<Option<Connection>, OpenError> {
    if matches!(path.try_exists(), Ok(false)) {
        return Ok(None);
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    Ok(is_ours(&connection, path)?.then_some(connection))
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let failed = StorageError::when("open", path);
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection.busy_timeout(BUSY).map_err(&failed)?;
    Ok(connection)
}

/// True if the file is a journal that this version reads, false if it is still empty.
fn is_ours(connection: &Connection, path: &Path) -> Result<bool, OpenError> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign(path.to_owned()),
        _ => StorageError::when("open", path)(error).into(),
    };
    let sql =
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
                      (SELECT count(*) FROM sqlite_schema)";
    let header = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let (application, version, tables): (i32, i64, i64) = header.map_err(failed)?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    match application {
        APPLICATION_ID if version > known => Err(OpenError::Newer(path.to_owned())),
        APPLICATION_ID if version > 0 => Ok(true),
        0 if version == 0 && tables == 0 => Ok(false),
        _ => Err(OpenError::Foreign(path.to_owned())),
    }
}
