//! The journal as a driver and readers use it: real files, real locks.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use crate::domain::{Digest, ExchangeId, LoopId, Measurement, Reading, Sample, Side, StageIndex, Timestamp};
use crate::engine::{Event, Recorded, State, apply};

use super::testing::{Session, ada, chunk, every_event, items, request, response};
use super::{AppendError, Head, Journal, OpenError, Reader, StoredExchange, WireKind, WireRow, verify};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn folder() -> TempDir {
    tempdir().unwrap()
}

fn replayed(recorded: &[Recorded]) -> State {
    let mut state = State::default();
    for one in recorded {
        apply(&mut state, one).unwrap();
    }
    state
}

fn raw(dir: &Path) -> Connection {
    Connection::open(dir.join("journal.sqlite3")).unwrap()
}

#[test]
fn what_was_recorded_is_there_again_after_reopening() {
    let dir = folder();
    let mut session = Session::begin(dir.path());
    session.approve_one_stage();
    let Session { journal, state, recorded, .. } = session;
    let head = journal.head();
    drop(journal);

    let (mut journal, again) = Journal::open(dir.path()).unwrap();
    assert_eq!(again, recorded);
    assert_eq!(replayed(&again), state);
    assert_eq!(journal.head(), head);

    assert_eq!(journal.hash_at(head.seq).unwrap(), Some(head.hash));
    assert_eq!(journal.hash_at(head.seq + 1).unwrap(), None);
    let more = journal.append(NOW, vec![Event::Parked { id: LoopId(1), by: ada() }]).unwrap();
    assert_eq!(more[0].seq, head.seq + 1);
    drop(journal);
    let verified = verify(dir.path()).unwrap();
    assert_eq!(verified.rows, head.seq + 1);
    let reader = Reader::open(dir.path()).unwrap().unwrap();
    assert_eq!(reader.hash_at(head.seq).unwrap(), Some(head.hash), "rows that follow change nothing about it");
}

#[test]
fn every_kind_of_event_survives_the_disk() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let recorded = journal.append(NOW, every_event()).unwrap();
    assert_eq!(recorded.iter().map(|one| one.seq).collect::<Vec<_>>(), (1..=recorded.len() as u64).collect::<Vec<_>>());
    drop(journal);
    assert_eq!(Journal::open(dir.path()).unwrap().1, recorded);
}

#[test]
fn an_empty_journal_is_a_journal() {
    let dir = folder();
    let below = dir.path().join("not/there/yet");
    assert!(Reader::open(&below).unwrap().is_none());
    let (mut journal, events) = Journal::open(&below).unwrap();
    assert_eq!((events.len(), journal.head().seq), (0, 0));
    let head = journal.head();
    assert!(journal.append(NOW, Vec::new()).unwrap().is_empty());
    journal.wire(NOW, &[]).unwrap();
    assert_eq!(journal.head(), head);
    drop(journal);
    assert_eq!(Journal::open(&below).unwrap().1.len(), 0);
    assert_eq!(verify(&below).unwrap().rows, 0);
}

#[test]
fn a_second_driver_is_told_who_drives_until_the_first_lets_go() {
    let dir = folder();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    let reader = Reader::open(dir.path()).unwrap().unwrap();
    let expected = format!("pid {} on ", std::process::id());
    let Err(OpenError::Driven { by }) = Journal::open(dir.path()) else { panic!("two drivers") };
    assert!(by.starts_with(&expected) && by.contains(" since 20") && by.ends_with('Z'), "{by}");
    assert_eq!(reader.driver().unwrap(), Some(by));
    drop(journal);
    assert_eq!(reader.driver().unwrap(), None);
    let (journal, _) = Journal::open(dir.path()).unwrap();
    assert!(reader.driver().unwrap().is_some());
    drop(journal);
}

#[test]
fn readers_that_ask_who_drives_never_keep_a_driver_out() {
    let dir = folder();
    drop(Journal::open(dir.path()).unwrap());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let reader = Reader::open(dir.path()).unwrap().unwrap();
            while !done.load(Ordering::Relaxed) {
                reader.driver().unwrap();
                thread::yield_now();
            }
        });
        let outcomes: Vec<_> = (0..50).map(|_| Journal::open(dir.path()).map(drop)).collect();
        done.store(true, Ordering::Relaxed);
        for outcome in outcomes {
            outcome.unwrap();
        }
    });
}

#[test]
fn a_reader_follows_while_a_driver_writes() {
    let dir = folder();
    let mut session = Session::begin(dir.path());
    let reader = Reader::open(dir.path()).unwrap().unwrap();
    assert_eq!(reader.events_after(0).unwrap(), []);
    session.approve_one_stage();
    let first = reader.events_after(0).unwrap();
    assert_eq!(first, session.recorded);
    let seen = first.last().unwrap().seq;
    session.fill(session.journal.head().seq + 30);
    let news = reader.events_after(seen).unwrap();
    assert_eq!(news, session.recorded[first.len()..]);
    assert!(reader.events_after(u64::MAX >> 1).unwrap().is_empty());
    assert_eq!(reader.head().unwrap(), session.journal.head());
    assert_eq!(verify(dir.path()).unwrap().head, session.journal.head());
}

#[test]
fn a_reader_in_another_thread_sees_whole_batches_only() {
    let dir = folder();
    let mut session = Session::begin(dir.path());
    session.approve_one_stage();
    let (before, head) = (session.recorded.len(), session.journal.head());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let reader = Reader::open(dir.path()).unwrap().unwrap();
            while !done.load(Ordering::Relaxed) {
                let events = reader.events_after(head.seq).unwrap();
                assert_eq!(events.len() % 5, 0, "part of a batch was seen");
                verify(dir.path()).unwrap();
            }
        });
        for n in 0..40 {
            let event = |k| Event::ContextChosen {
                id: LoopId(1),
                stage: StageIndex(1),
                name: items()[0].name.clone(),
                included: (n + k) % 2 == 0,
            };
            session.record((0..5).map(event).collect());
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(session.recorded.len(), before + 200);
}

#[test]
fn exchanges_come_back_byte_for_byte_and_apart_from_each_other() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let row = |exchange, kind| WireRow { exchange: ExchangeId(exchange), kind };
    journal.wire(NOW, &[row(1, request()), row(u64::MAX, request())]).unwrap();
    journal.wire(NOW, &[row(1, response()), row(1, chunk(1)), row(u64::MAX, chunk(7)), row(1, chunk(2))]).unwrap();
    drop(journal);

    let reader = Reader::open(dir.path()).unwrap().unwrap();
    let found = reader.exchange(ExchangeId(1)).unwrap().unwrap();
    let StoredExchange { request: Some(sent), response: Some(received), chunks, earlier, .. } = found else {
        panic!("incomplete")
    };
    assert_eq!(earlier, []);
    assert_eq!(WireKind::Request(sent), request());
    assert_eq!(WireKind::Response(received), response());
    assert_eq!(chunks.into_iter().map(WireKind::Chunk).collect::<Vec<_>>(), [chunk(1), chunk(2)]);
    let other = reader.exchange(ExchangeId(u64::MAX)).unwrap().unwrap();
    assert_eq!((other.response, other.chunks.len()), (None, 1));
    assert_eq!(reader.exchange(ExchangeId(2)).unwrap(), None);
    assert_eq!(reader.events_after(0).unwrap(), []);
}

#[test]
fn attempts_come_back_apart_and_a_second_response_to_one_is_reported() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let row = |kind| WireRow { exchange: ExchangeId(1), kind };
    let rows = [request(), response(), chunk(1), request(), request(), response(), chunk(2)].map(row);
    journal.wire(NOW, &rows).unwrap();
    let reader = Reader::open(dir.path()).unwrap().unwrap();
    let found = reader.exchange(ExchangeId(1)).unwrap().unwrap();
    let came = |one: &StoredExchange| (one.request.is_some(), one.response.is_some(), one.chunks.len());
    assert_eq!(found.earlier.iter().map(came).collect::<Vec<_>>(), [(true, true, 1), (true, false, 0)]);
    assert_eq!(came(&found), (true, true, 1));
    assert_eq!(WireKind::Chunk(found.chunks[0].clone()), chunk(2));

    journal.wire(NOW, &[row(response())]).unwrap();
    let error = reader.exchange(ExchangeId(1)).unwrap_err().to_string();
    assert!(error.starts_with("row 8 of ") && error.contains("has a response already"), "{error}");
}

#[test]
fn what_would_not_read_back_is_refused_and_nothing_of_the_batch_is_kept() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let readings = vec![Reading { name: "n".into(), value: f64::NAN, unit: String::new() }];
    let samples = vec![Sample { probe: "p".into(), side: Side::Before, round: 1, readings }];
    let measurement = Some(Measurement { samples, ..Measurement::default() });
    let unkept =
        Event::Prepared { id: LoopId(1), stage: StageIndex(0), items: Vec::new(), measurement, unmeasured: None };
    let error = journal.append(NOW, vec![Event::Recovered, unkept]).unwrap_err();
    assert!(matches!(error, AppendError::NotKept(_)), "{error}");

    let mut forged = every_event().into_iter().find(|event| matches!(event, Event::Drafted { .. })).unwrap();
    if let Event::Drafted { revision, .. } = &mut forged {
        revision.id = Digest::of(b"another");
    }
    assert!(matches!(journal.append(NOW, vec![forged]), Err(AppendError::NotKept(_))));
    assert_eq!(journal.head().seq, 0);
    drop(journal);
    assert_eq!(Journal::open(dir.path()).unwrap().1, []);
}

#[test]
fn a_driver_notices_that_another_program_wrote_and_writes_nothing() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    journal.append(NOW, vec![Event::Recovered]).unwrap();
    raw(dir.path()).execute("UPDATE head SET hash = zeroblob(32)", []).unwrap();
    let error = journal.append(NOW, vec![Event::Recovered]).unwrap_err();
    assert!(matches!(error, AppendError::Overtaken(_)), "{error}");
    let rows: i64 = raw(dir.path()).query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn a_lost_or_altered_end_is_noticed_on_opening() {
    for damage in [
        "DELETE FROM record WHERE seq = 3",
        "DELETE FROM record",
        "UPDATE record SET body = x'22' WHERE seq = 3",
        "UPDATE record SET hash = zeroblob(32) WHERE seq = 3",
        "UPDATE record SET at = at + 1 WHERE seq = 3",
        "UPDATE head SET seq = 2",
        "INSERT INTO record SELECT 4, at, kind, exchange, version, body, hash FROM record WHERE seq = 3",
    ] {
        let dir = folder();
        let (mut journal, _) = Journal::open(dir.path()).unwrap();
        journal.append(NOW, vec![Event::Recovered, Event::Recovered, Event::Recovered]).unwrap();
        drop(journal);
        raw(dir.path()).execute_batch(damage).unwrap();
        let Err(error) = Journal::open(dir.path()) else { panic!("{damage}") };
        assert!(matches!(error, OpenError::Damaged(_)), "{damage}: {error}");
        assert!(error.to_string().contains("windlass verify"), "{error}");
    }
    let dir = folder();
    drop(Journal::open(dir.path()).unwrap());
    raw(dir.path()).execute("DELETE FROM head", []).unwrap();
    let Err(error) = Journal::open(dir.path()) else { panic!("opened without a head") };
    assert!(error.to_string().contains("doesn't say where it ends"), "{error}");
}

#[test]
fn a_newer_journal_is_refused_and_left_alone() {
    let dir = folder();
    drop(Journal::open(dir.path()).unwrap());
    raw(dir.path()).pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(OpenError::Newer(_))));
    assert!(matches!(Reader::open(dir.path()), Err(OpenError::Newer(_))));
    let version: i64 = raw(dir.path()).pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn an_event_of_a_newer_form_is_named() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    journal.append(NOW, vec![Event::Recovered, Event::Recovered]).unwrap();
    drop(journal);
    raw(dir.path()).execute("UPDATE record SET version = 9 WHERE seq = 1", []).unwrap();
    let Err(error) = Journal::open(dir.path()) else { panic!("read a form it doesn't know") };
    let error = error.to_string();
    assert!(error.starts_with("row 1 of ") && error.contains("version 9"), "{error}");
}

#[test]
fn a_file_that_is_something_else_is_refused_and_left_alone() {
    let dir = folder();
    let file = dir.path().join("journal.sqlite3");
    let text = "this is a shopping list, not a database\n".repeat(100);
    fs::write(&file, &text).unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(OpenError::Foreign(_))));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    fs::remove_file(&file).unwrap();
    raw(dir.path()).execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(OpenError::Foreign(_))));
    assert!(matches!(Reader::open(dir.path()), Err(OpenError::Foreign(_))));
}

#[test]
fn a_full_disk_is_said_and_what_was_acknowledged_stays() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let kept = journal.append(NOW, vec![Event::Recovered]).unwrap();
    let pages: i64 = journal.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    // SQLite's own limit gives the error that a full disk gives.
    journal.connection().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    let text = "x".repeat(100_000);
    let large = Event::Written { id: LoopId(1), stage: StageIndex(0), text, by: ada() };
    let error = journal.append(NOW, vec![large.clone()]).unwrap_err().to_string();
    assert!(error.contains("journal.sqlite3") && error.contains("free some space"), "{error}");
    journal.connection().pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap();
    let more = journal.append(NOW, vec![large]).unwrap();
    assert_eq!(more[0].seq, 2);
    drop(journal);
    assert_eq!(Journal::open(dir.path()).unwrap().1, [kept, more].concat());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let dir = folder();
    let file = dir.path().join("plain");
    fs::write(&file, "").unwrap();
    let Err(error) = Journal::open(&file.join("windlass")) else { panic!("opened below a file") };
    assert!(error.to_string().starts_with("failed to create the directory "), "{error}");
    fs::create_dir(dir.path().join("journal.sqlite3")).unwrap();
    let Err(error) = Journal::open(dir.path()) else { panic!("opened a directory") };
    assert!(error.to_string().contains("check that you may write"), "{error}");
}

#[test]
fn an_empty_head_is_the_one_that_a_new_journal_states() {
    let dir = folder();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.head(), Head { seq: 0, hash: Digest::from_bytes([0; 32]) });
}
