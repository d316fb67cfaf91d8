//! Tampering, of every kind: what `verify` must find.

use std::fs;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tempfile::tempdir;

use crate::domain::{Digest, Timestamp, Verb};
use crate::engine::Event;
use crate::journal::chain::Columns;
use crate::journal::testing::{Session, every_event};
use crate::journal::{Journal, Reader};

use super::{VerifyError, verify};

const ROWS: u64 = 1_000;
const NAMES: [&str; 7] = ["seq", "at", "kind", "exchange", "version", "body", "hash"];

/// A closed journal of [`ROWS`] rows, and a way to alter it that the journal knows nothing of.
struct Bench {
    dir: tempfile::TempDir,
    raw: Connection,
    random: u64,
    tried: u32,
}

impl Bench {
    fn new(rows: u64) -> Self {
        let dir = tempdir().unwrap();
        let mut session = Session::begin(dir.path());
        session.approve_one_stage();
        session.fill(rows);
        assert_eq!(session.journal.head().seq, rows);
        drop(session);
        let raw = Connection::open(dir.path().join("journal.sqlite3")).unwrap();
        raw.pragma_update(None, "synchronous", "off").unwrap();
        Self { dir, raw, random: 0x9e37_79b9_7f4a_7c15, tried: 0 }
    }

    /// The next of a fixed sequence of numbers below `bound` (xorshift64).
    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % bound as u64).unwrap()
    }

    fn row(&self, seq: u64) -> Vec<Value> {
        let sql = "SELECT seq, at, CAST(kind AS BLOB), exchange, version, body, hash FROM record WHERE seq = ?1";
        self.raw.query_row(sql, [seq.cast_signed()], |row| (0..7).map(|i| row.get(i)).collect()).unwrap()
    }

    fn delete(&self, seq: u64) {
        assert_eq!(self.raw.execute("DELETE FROM record WHERE seq = ?1", [seq.cast_signed()]).unwrap(), 1);
    }

    /// Puts a row in; false if its place is taken.
    fn insert(&self, row: &[Value]) -> bool {
        let sql = "INSERT OR IGNORE INTO record VALUES (?1, ?2, CAST(?3 AS TEXT), ?4, ?5, ?6, ?7)";
        self.raw.execute(sql, params_from_iter(row)).unwrap() == 1
    }

    /// Asserts that `verify` finds something wrong, first of all at one of these rows.
    fn is_found(&mut self, at: &[u64], what: &str) {
        self.tried += 1;
        match verify(self.dir.path()) {
            Err(VerifyError::Row { seq, .. }) => assert!(at.contains(&seq), "{what}: found at {seq}, not {at:?}"),
            other => panic!("{what}: {other:?}"),
        }
    }

    /// Puts `altered` in the place of row `seq`, asserts that it is found, and undoes it.
    fn altered(&mut self, seq: u64, altered: &[Value], what: &str) {
        let original = self.row(seq);
        assert_ne!(original, altered, "{what}");
        self.raw.execute_batch("BEGIN").unwrap();
        self.delete(seq);
        let placed = self.insert(altered);
        if placed {
            self.raw.execute_batch("COMMIT").unwrap();
            let moved = match altered[0] {
                Value::Integer(moved) => moved.cast_unsigned(),
                _ => seq,
            };
            // A row that moved ahead is found where it stands now, one that moved back where it is missing; a negative
            // place is the first of all.
            let first = if moved.cast_signed() < 1 { 1 } else { seq.min(moved) };
            self.is_found(&[first, seq], what);
            self.delete(moved);
            assert!(self.insert(&original));
        } else {
            self.raw.execute_batch("ROLLBACK").unwrap();
        }
    }

    /// Changes one byte of one column, asserts that it is found, and undoes it.
    fn flipped(&mut self, seq: u64, column: usize, byte: usize, mask: u8) {
        let mut row = self.row(seq);
        row[column] = match row[column].clone() {
            Value::Integer(number) => {
                let mut bytes = number.to_le_bytes();
                bytes[byte % 8] ^= mask;
                Value::Integer(i64::from_le_bytes(bytes))
            }
            Value::Blob(mut bytes) => {
                let byte = byte % bytes.len();
                bytes[byte] ^= mask;
                Value::Blob(bytes)
            }
            Value::Null => Value::Integer(1 << (byte % 63)),
            other => panic!("unexpected {other:?}"),
        };
        self.altered(seq, &row, &format!("byte {byte} of {} of row {seq} by {mask:#04x}", NAMES[column]));
    }

    fn bytes_of(&self, seq: u64, column: usize) -> usize {
        match &self.row(seq)[column] {
            Value::Blob(bytes) => bytes.len(),
            Value::Null => 1,
            _ => 8,
        }
    }

    fn finish(self) {
        verify(self.dir.path()).unwrap();
        assert!(self.tried > 0);
        println!("{} of {} found", self.tried, self.tried);
    }
}

fn mask(random: usize) -> u8 {
    u8::try_from(random % 255 + 1).unwrap()
}

#[test]
fn every_row_is_guarded_in_every_column() {
    let mut bench = Bench::new(ROWS);
    for seq in 1..=ROWS {
        // Three of the seven columns of each row, in turn, so that every column meets many rows.
        for turn in 0..3 {
            let column = usize::try_from((seq * 3 + turn) % 7).unwrap();
            let (byte, mask) = (bench.below(1 << 20), mask(bench.below(1 << 20)));
            bench.flipped(seq, column, byte, mask);
        }
    }
    bench.finish();
}

#[test]
fn every_byte_of_twenty_rows_is_guarded() {
    let mut bench = Bench::new(ROWS);
    let mut seqs: Vec<u64> = (0..17).map(|n| 60 + n * 5).collect();
    seqs.extend([1, 2, 3, ROWS - 2, ROWS - 1, ROWS]);
    for seq in seqs {
        for column in 0..7 {
            for byte in 0..bench.bytes_of(seq, column) {
                let mask = mask(bench.below(1 << 20));
                bench.flipped(seq, column, byte, mask);
            }
        }
    }
    bench.finish();
}

#[test]
fn every_missing_row_is_found() {
    let mut bench = Bench::new(ROWS);
    for seq in 1..=ROWS {
        let row = bench.row(seq);
        bench.delete(seq);
        bench.is_found(&[seq], &format!("row {seq} deleted"));
        assert!(bench.insert(&row));
    }
    bench.finish();
}

#[test]
fn every_swap_is_found() {
    let mut bench = Bench::new(ROWS);
    let mut pairs: Vec<(u64, u64)> = (1..ROWS).map(|seq| (seq, seq + 1)).collect();
    for _ in 0..300 {
        let (one, other) = (bench.below(1_000) as u64 + 1, bench.below(1_000) as u64 + 1);
        if one != other {
            pairs.push((one.min(other), one.max(other)));
        }
    }
    for (one, other) in pairs {
        let (first, second) = (bench.row(one), bench.row(other));
        let placed = |row: &[Value], seq: &Value| [std::slice::from_ref(seq), &row[1..]].concat();
        bench.raw.execute_batch("BEGIN").unwrap();
        bench.delete(one);
        bench.delete(other);
        assert!(bench.insert(&placed(&second, &first[0])) && bench.insert(&placed(&first, &second[0])));
        bench.raw.execute_batch("COMMIT").unwrap();
        bench.is_found(&[one], &format!("rows {one} and {other} swapped"));
        bench.delete(one);
        bench.delete(other);
        assert!(bench.insert(&first) && bench.insert(&second));
    }
    bench.finish();
}

#[test]
fn forgeries_that_mend_what_they_touch_are_found() {
    let mut bench = Bench::new(200);
    let hash_of = |seq: u64, at: i64, dir: &Path| {
        let raw = Connection::open(dir.join("journal.sqlite3")).unwrap();
        let before: [u8; 32] =
            raw.query_row("SELECT hash FROM record WHERE seq = ?1", [seq.cast_signed() - 1], |row| row.get(0)).unwrap();
        let sql = format!("SELECT {} FROM record WHERE seq = ?1", Columns::NAMES);
        raw.query_row(&sql, [seq.cast_signed()], |row| {
            let (columns, _) = Columns::of(row)?;
            Ok(Columns { at, ..columns }.hash(&Digest::from_bytes(before)).as_bytes().to_vec())
        })
        .unwrap()
    };
    // A later time, with the row's own hash made right again: the row after it, or the head, gives it away.
    for (seq, found) in [(100, 101), (200, 200)] {
        let mut row = bench.row(seq);
        let Value::Integer(at) = row[1] else { panic!() };
        row[1] = Value::Integer(at + 1);
        row[6] = Value::Blob(hash_of(seq, at + 1, bench.dir.path()));
        let original = bench.row(seq);
        bench.delete(seq);
        assert!(bench.insert(&row));
        bench.is_found(&[found], "mended hash");
        bench.delete(seq);
        assert!(bench.insert(&original));
    }
    // A row at the end that the journal never wrote.
    let mut row = bench.row(200);
    row[0] = Value::Integer(201);
    assert!(bench.insert(&row));
    bench.is_found(&[201], "added row");
    bench.delete(201);
    // The tail gone, and the head with it.
    let head: (i64, Vec<u8>) =
        bench.raw.query_row("SELECT seq, hash FROM head", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    bench.raw.execute("DELETE FROM head", []).unwrap();
    bench.is_found(&[201], "head gone");
    bench.raw.execute("INSERT INTO head VALUES (1, 12, ?1)", [&head.1]).unwrap();
    bench.is_found(&[200], "head moved back");
    bench.raw.execute("UPDATE head SET seq = 300", []).unwrap();
    bench.is_found(&[201], "head moved on");
    bench.raw.execute("UPDATE head SET seq = ?1, hash = ?2", (head.0, &head.1)).unwrap();
    bench.finish();
}

#[test]
fn a_well_chained_journal_that_breaks_a_law_is_found() {
    let dir = tempdir().unwrap();
    let mut session = Session::begin(dir.path());
    session.approve_one_stage();
    let is = |event: &Event| matches!(event, Event::Decided { decision, .. } if decision.verb == Verb::Approve);
    let forged = every_event().into_iter().find(is).unwrap();
    let recorded = session.journal.append(Timestamp(1), vec![forged]).unwrap();
    match verify(dir.path()) {
        Err(VerifyError::Row { seq, what }) => {
            assert_eq!(seq, recorded[0].seq);
            assert!(what.starts_with("breaks a law: "), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

/// The index that replay goes by lacks an event, and the schema doesn't show it: every row is as it was written.
#[test]
fn an_event_hidden_from_the_index_is_found() {
    let bench = Bench::new(200);
    let index = "CREATE INDEX record_event ON record (seq) WHERE kind = 'event'";
    bench
        .raw
        .execute_batch(&format!("DROP INDEX record_event; {index} AND seq <> 3; PRAGMA writable_schema = on"))
        .unwrap();
    bench.raw.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = 'record_event'", [index]).unwrap();
    drop(bench.raw);
    let reader = Reader::open(bench.dir.path()).unwrap().unwrap();
    assert!(reader.events_after(0).unwrap().iter().all(|recorded| recorded.seq != 3));
    match verify(bench.dir.path()) {
        Err(VerifyError::Structure { what, .. }) => assert!(what.contains("record_event"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_journal_is_not_a_sound_journal() {
    let dir = tempdir().unwrap();
    assert!(matches!(verify(dir.path()), Err(VerifyError::Missing(_))));
}

/// Bytes of the file itself, below SQLite. A byte that holds nothing may change unnoticed, as long as everything reads
/// as before.
#[test]
fn a_damaged_file_is_found_or_reads_as_before() {
    let mut bench = Bench::new(200);
    bench.raw.pragma_update_and_check(None, "wal_checkpoint", "truncate", |_| Ok(())).unwrap();
    let file = bench.dir.path().join("journal.sqlite3");
    let sound = fs::read(&file).unwrap();
    let elsewhere = tempdir().unwrap();
    let copy = elsewhere.path().join("journal.sqlite3");
    let before = Reader::open(bench.dir.path()).unwrap().unwrap().events_after(0).unwrap();
    let mut found = 0;
    for _ in 0..400 {
        let mut bytes = sound.clone();
        let byte = bench.below(bytes.len());
        bytes[byte] ^= mask(bench.below(1 << 20));
        fs::write(&copy, &bytes).unwrap();
        if verify(elsewhere.path()).is_err() {
            found += 1;
        } else {
            let (journal, events) = Journal::open(elsewhere.path()).unwrap();
            assert_eq!(events, before, "byte {byte}");
            drop(journal);
        }
        for rest in ["journal.sqlite3-wal", "journal.sqlite3-shm"] {
            fs::remove_file(elsewhere.path().join(rest)).ok();
        }
    }
    assert!(found > 0);
}
