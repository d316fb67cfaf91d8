//! The hash chain: what a row's hash covers, and where the chain ends.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::domain::{Digest, DigestBuilder};

/// Where the chain ends: the last row's place and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Place of the last row, counted from 1; 0 in an empty journal.
    pub seq: u64,
    /// Hash of the last row; zeros in an empty journal.
    pub hash: Digest,
}

impl Head {
    /// The head of a journal without rows; the first row's hash builds on it.
    pub(super) const EMPTY: Self = Self { seq: 0, hash: Digest::from_bytes([0; 32]) };
}

/// The columns of a row that its hash covers.
pub(super) struct Columns<'a> {
    pub(super) seq: i64,
    pub(super) at: i64,
    pub(super) kind: &'a [u8],
    pub(super) exchange: Option<i64>,
    pub(super) version: i64,
    pub(super) body: &'a [u8],
}

impl<'a> Columns<'a> {
    /// The columns, in the order of the table; the hash is the one after them.
    pub(super) const NAMES: &'static str = "seq, at, kind, exchange, version, body, hash";

    /// Borrows a row of [`Self::NAMES`] and reads its hash.
    pub(super) fn of(row: &'a Row<'_>) -> rusqlite::Result<(Self, Digest)> {
        let columns = Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            kind: row.get_ref(2)?.as_bytes()?,
            exchange: row.get(3)?,
            version: row.get(4)?,
            body: row.get_ref(5)?.as_blob()?,
        };
        Ok((columns, Digest::from_bytes(row.get(6)?)))
    }

    /// The hash of a row with these columns that follows a row of hash `previous`.
    pub(super) fn hash(&self, previous: &Digest) -> Digest {
        let exchange = self.exchange.map(i64::to_le_bytes);
        DigestBuilder::new("record")
            .digest("previous", previous)
            .field("seq", &self.seq.to_le_bytes())
            .field("at", &self.at.to_le_bytes())
            .field("kind", self.kind)
            .field("exchange", exchange.as_ref().map_or(&[], |bytes| bytes.as_slice()))
            .field("version", &self.version.to_le_bytes())
            .field("body", self.body)
            .finish()
    }
}

/// The head as the journal states it; none if its row is gone.
pub(super) fn stated_head(connection: &Connection) -> rusqlite::Result<Option<Head>> {
    let mut statement = connection.prepare_cached("SELECT seq, hash FROM head")?;
    let read =
        |row: &Row<'_>| Ok(Head { seq: row.get::<_, i64>(0)?.cast_unsigned(), hash: Digest::from_bytes(row.get(1)?) });
    statement.query_row([], read).optional()
}

/// Whether the last row is the one that the head names, and its hash is right.
pub(super) fn ends_at(connection: &Connection, head: Head) -> rusqlite::Result<bool> {
    let before = "SELECT hash FROM record WHERE seq < ?1 ORDER BY seq DESC LIMIT 1";
    let before = connection.query_row(before, [head.seq.cast_signed()], |row| row.get(0)).optional()?;
    let before = before.map_or(Head::EMPTY.hash, Digest::from_bytes);
    let last = format!("SELECT {} FROM record ORDER BY seq DESC LIMIT 1", Columns::NAMES);
    let is_head = |row: &Row<'_>| {
        let (columns, hash) = Columns::of(row)?;
        Ok(columns.seq == head.seq.cast_signed() && hash == head.hash && columns.hash(&before) == hash)
    };
    Ok(connection.query_row(&last, [], is_head).optional()?.unwrap_or(head == Head::EMPTY))
}
