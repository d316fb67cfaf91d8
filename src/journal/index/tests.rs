//! The index names every exchange that has a text, in any script, and few that don't; old journals get one.

use rusqlite::Connection;

use super::super::{Journal, Reader, ReceivedChunk, SentRequest, WireKind, WireRow, file, verify};
use crate::domain::{ExchangeId, Timestamp};

fn call(id: u64, prompt: &str, reply: &[&str]) -> Vec<WireRow> {
    let body = serde_json::json!({"model": "walker", "messages": [{"role": "user", "content": prompt}]});
    let (method, url, headers) = ("POST".to_owned(), "http://here/v1".to_owned(), Vec::new());
    let request = WireKind::Request(SentRequest { method, url, headers, body: body.to_string().into_bytes() });
    let chunk = |text: &&str| {
        let bytes = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{text:?}}}}}]}}\n\n").into_bytes();
        WireKind::Chunk(ReceivedChunk { elapsed_ns: 1, bytes })
    };
    let kinds = std::iter::once(request).chain(reply.iter().map(chunk));
    kinds.map(|kind| WireRow { exchange: ExchangeId(id), kind }).collect()
}

fn ids(numbers: &[u64]) -> Vec<ExchangeId> {
    numbers.iter().map(|id| ExchangeId(*id)).collect()
}

#[test]
fn the_calls_that_have_a_text_are_named_and_few_others() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    for rows in [
        call(1, "Why is the connection pool small?", &["The Po", "ol is \"full\"."]),
        call(2, "연결 풀이 작은가요?", &["ÉTUDE, 🦀 crabs"]),
        call(3, "a\u{0}b", &[]),
        call(4, "Not indexed", &["pool"]),
    ] {
        journal.wire(Timestamp(1), &rows).unwrap();
    }
    for id in [1, 2, 3, 1] {
        journal.index(ExchangeId(id)).unwrap();
    }
    assert_eq!(journal.indexed().unwrap().into_iter().collect::<Vec<_>>(), ids(&[1, 2, 3]));
    let reader = Reader::open(dir.path()).unwrap().unwrap();
    for (text, expected) in [
        ("CONNECTION pool", &[1, 4][..]),
        // Said in two pieces, and with marks that a query language has.
        ("pool is \"FULL\".", &[1, 4]),
        ("nothing OR *", &[4]),
        ("풀이 작", &[2, 4]),
        ("étude", &[2, 4]),
        ("🦀 CR", &[2, 4]),
        // The label of a field is said by nobody.
        ("walker", &[4]),
        // Too short for the index: all have to be looked through.
        ("ab", &[1, 2, 3, 4]),
    ] {
        assert_eq!(reader.may_have(text, ids(&[1, 2, 3, 4])).unwrap(), ids(expected), "{text:?}");
    }
    verify(dir.path()).unwrap();
}

#[test]
fn an_old_journal_is_searched_without_an_index_and_gets_one_when_it_is_driven() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    journal.wire(Timestamp(1), &call(1, "Why?", &["Because."])).unwrap();
    drop(journal);
    // As the version before this one left it.
    let connection = Connection::open(file::path_in(dir.path())).unwrap();
    connection.execute_batch("DROP TABLE said; DROP TABLE indexed; PRAGMA user_version = 1;").unwrap();
    drop(connection);

    let reader = Reader::open(dir.path()).unwrap().unwrap();
    assert_eq!(reader.may_have("nowhere", ids(&[1])).unwrap(), ids(&[1]));
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.indexed().unwrap().len(), 0);
    journal.index(ExchangeId(1)).unwrap();
    let reader = Reader::open(dir.path()).unwrap().unwrap();
    assert_eq!(reader.may_have("nowhere", ids(&[1])).unwrap(), []);
    assert_eq!(reader.may_have("because", ids(&[1])).unwrap(), ids(&[1]));
    verify(dir.path()).unwrap();
}
