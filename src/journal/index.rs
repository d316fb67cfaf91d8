//! Full-text search over what was sent to models and said by them: an FTS5 index of trigrams names the exchanges that
//! can have a text, so that only those need be read.
//!
//! The index is made beside the record, not in it: it holds which three letters occur where, and nothing rests on it.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::domain::ExchangeId;

use super::{Journal, ReadError, Reader, StorageError, StoredExchange};

/// The letters of one entry of the index.
const LETTERS: usize = 3;

/// The schema version that brought the index.
const SINCE: i64 = 2;

impl Journal {
    /// Puts an exchange that has ended into the index of what was said.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub fn index(&mut self, id: ExchangeId) -> Result<(), ReadError> {
        let stored = super::reader::exchange(self.connection(), self.path(), id)?.unwrap_or_default();
        let failed = StorageError::when("write to", self.path());
        let transaction = self.connection_mut().transaction().map_err(&failed)?;
        let number = id.0.cast_signed();
        let is_new = transaction.execute("INSERT OR IGNORE INTO indexed VALUES (?1)", [number]).map_err(&failed)? == 1;
        if is_new {
            let row = params![number, folded(&stored)];
            transaction.execute("INSERT INTO said (rowid, text) VALUES (?1, ?2)", row).map_err(&failed)?;
        }
        Ok(transaction.commit().map_err(&failed)?)
    }

    /// Which exchanges are in the index.
    ///
    /// # Errors
    /// If that can't be read.
    pub fn indexed(&self) -> Result<BTreeSet<ExchangeId>, StorageError> {
        indexed(self.connection()).map_err(StorageError::when("read", self.path()))
    }
}

impl Reader {
    /// Those of `ids` that can have this text in what was sent or said, in any case: the others don't have it.
    ///
    /// # Errors
    /// If the index can't be read.
    pub fn may_have(
        &self,
        text: &str,
        ids: impl IntoIterator<Item = ExchangeId>,
    ) -> Result<Vec<ExchangeId>, ReadError> {
        let ids = ids.into_iter().collect();
        let failed = StorageError::when("search", self.path());
        let connection = self.connection();
        let version = connection.query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get(0));
        let Some(query) = query(text).filter(|_| matches!(version, Ok(SINCE..))) else { return Ok(ids) };
        let indexed = indexed(connection).map_err(&failed)?;
        let mut statement = connection.prepare_cached("SELECT rowid FROM said WHERE said MATCH ?1").map_err(&failed)?;
        let rows = statement.query_map([query], |row| row.get::<_, i64>(0)).map_err(&failed)?;
        let found: rusqlite::Result<BTreeSet<ExchangeId>> =
            rows.map(|row| Ok(ExchangeId(row?.cast_unsigned()))).collect();
        let found = found.map_err(&failed)?;
        // What isn't indexed yet has to be looked through.
        Ok(ids.into_iter().filter(|id| found.contains(id) || !indexed.contains(id)).collect())
    }
}

fn indexed(connection: &Connection) -> rusqlite::Result<BTreeSet<ExchangeId>> {
    let mut statement = connection.prepare_cached("SELECT exchange FROM indexed")?;
    let rows = statement.query_map([], |row| row.get::<_, i64>(0))?;
    rows.map(|row| Ok(ExchangeId(row?.cast_unsigned()))).collect()
}

/// What the index has of an exchange. Lower case here as in the query, so that both fold alike in every script.
fn folded(stored: &StoredExchange) -> String {
    let texts: Vec<String> = stored.prompts().chain(stored.replies()).map(|text| text.to_lowercase()).collect();
    texts.join("\n").replace('\0', " ")
}

/// Every three letters of the text, all of which must be there; none if it is shorter than that.
fn query(text: &str) -> Option<String> {
    let letters: Vec<char> = text.to_lowercase().chars().filter(|c| *c != '\0').collect();
    let quoted = |three: &[char]| format!("\"{}\"", three.iter().collect::<String>().replace('"', "\"\""));
    let all: BTreeSet<String> = letters.windows(LETTERS).map(quoted).collect();
    (!all.is_empty()).then(|| all.into_iter().collect::<Vec<_>>().join(" AND "))
}

#[cfg(test)]
mod tests;
