//! The record against the wire: for every format, what the journal holds of a call is what the server received and sent.

use serde_json::json;
use windlass::domain::{Digest, ExchangeId};
use windlass::journal::{Reader, StoredExchange};

use crate::desk::Desk;
use crate::format::Format;
use crate::hands::{await_decision, draft, leave, trust};
use crate::server::{Reserved, Server};

const KEY: &str = "key-5e8b1c0d9f2a4376";

/// What one attempt was on the server's side.
struct Attempt {
    /// Head and body as they came.
    head: String,
    received: Vec<u8>,
    /// The body that was sent back.
    sent: Vec<u8>,
}

/// Refuses a call once, answers it the second time, and keeps both attempts.
#[track_caller]
fn answer(server: &Server, model: &str, asks: &str, text: &str) -> [Attempt; 2] {
    let call = server.call(model, asks);
    let busy = json!({"error": {"message": "the model is loading, é 🦀", "code": 503}});
    let (head, received) = (call.head().to_owned(), call.body.clone());
    call.refuse("503 Service Unavailable", &busy);
    let failed = Attempt { head, received, sent: busy.to_string().into_bytes() };
    let call = server.call(model, asks);
    let (head, received) = (call.head().to_owned(), call.body.clone());
    [failed, Attempt { head, received, sent: call.answer(text) }]
}

#[track_caller]
fn assert_recorded(stored: &StoredExchange, attempt: &Attempt, status: u16, format: Format) {
    let request = stored.request.as_ref().unwrap();
    assert_eq!(Digest::of(&request.body), Digest::of(&attempt.received), "{format:?}: the request's body");
    let body: Vec<u8> = stored.chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
    assert_eq!(Digest::of(&body), Digest::of(&attempt.sent), "{format:?}: the response's body");
    assert!(stored.chunks.is_sorted_by_key(|chunk| chunk.elapsed_ns), "{format:?}");
    assert_eq!(stored.response.as_ref().unwrap().status, status, "{format:?}");

    // Beside what the record has, only what follows from address and body went over the wire.
    let mut lines = attempt.head.trim_end().lines();
    let (line, url) = (lines.next().unwrap(), request.url.split_once("//").unwrap().1);
    assert_eq!(line, format!("{} {} HTTP/1.1", request.method, &url[url.find('/').unwrap()..]), "{format:?}");
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let recorded = request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match recorded {
            Some((_, recorded)) if value.contains(KEY) => assert_eq!(recorded, &value.replace(KEY, "***")),
            Some((_, recorded)) => assert_eq!(recorded, value, "{format:?}: {name}"),
            None => assert!(["host", "content-length"].contains(&name), "{format:?}: {line} isn't on record"),
        }
    }
}

#[test]
fn the_record_of_every_format_is_what_went_over_the_wire_retries_included() {
    let pairs =
        [(Format::Chat, Format::Responses), (Format::Messages, Format::Gemini), (Format::Ollama, Format::Messages)];
    for (by, of) in pairs {
        let (near, far) = (Reserved::new(), Reserved::new());
        let mut desk = Desk::new();
        desk.furnish("");
        let provider = |name: &str, format: Format, at: &Reserved| {
            let (kind, url) = (format.name(), at.base_url());
            format!("[providers.{name}]\nkind = {kind:?}\nbase_url = {url:?}\napi_key_env = \"A_KEY\"\n")
        };
        desk.write_own_config(&(provider("near", by, &near) + &provider("far", of, &far)));
        desk.set("A_KEY", KEY);
        desk.set("WINDLASS_AUTHOR", "near/author-1");
        desk.set("WINDLASS_CRITIC", "far/critic-1");
        let (author, critic) = (near.serve(), far.serve());

        let mut screen = desk.open(&["new", "Fewer steps"], (90, 60));
        trust(&mut screen);
        draft(&mut screen, "constraint");
        let drafted = answer(&author, "author-1", "Write the constraint now", &desk.reply("author-constraint.1"));
        let reviewed = answer(&critic, "critic-1", "Write the findings now", "note line 3 - only a walk, é 🦀\n");
        let frame = await_decision(&screen, "constraint");
        assert!(!frame.says("no critique"), "{frame}");
        leave(&mut screen);
        assert!(author.is_idle() && critic.is_idle());

        let reader = Reader::open(&desk.private()).unwrap().unwrap();
        for (id, format, [failed, last]) in [(1, by, &drafted), (2, of, &reviewed)] {
            let stored = reader.exchange(ExchangeId(id)).unwrap().unwrap();
            assert_eq!(stored.earlier.len(), 1, "{format:?}");
            assert_recorded(&stored.earlier[0], failed, 503, format);
            assert_recorded(&stored, last, 200, format);
            let id = id.to_string();
            assert_eq!(desk.run(&["calls", &id, "--raw"]).stdout, last.sent, "{format:?}");
            assert_eq!(desk.run(&["calls", &id, "--raw=sent"]).stdout, last.received, "{format:?}");
            let text = desk.printed(&["calls", &id]);
            for part in
                [&format!("attempt 1: 503, {} bytes", failed.sent.len()), "attempt 2: 200, ", "first event after "]
            {
                assert!(text.contains(part), "{part:?} isn't in {text}");
            }
            let shown = desk.json(&["calls", &id, "--json"]);
            let counted = (&shown["tokens"]["input"], &shown["tokens"]["output"], &shown["ended"]);
            assert_eq!(counted, (&json!(1200), &json!(34), &json!("complete")), "{format:?}");
        }
        // All of it can be searched, by way of the index.
        let ids = || [ExchangeId(1), ExchangeId(2)];
        assert_eq!(reader.may_have("nobody says this", ids()).unwrap(), []);
        assert_eq!(reader.may_have("ONLY A WALK, é 🦀", ids()).unwrap(), [ExchangeId(2)]);
        let found = desk.json(&["calls", "--grep", "Model is loading", "--json"]);
        assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
        desk.assert_nowhere(&[KEY], &screen);
        desk.printed(&["verify"]);
    }
}
