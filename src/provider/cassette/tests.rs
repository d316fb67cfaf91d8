//! Cassettes: written and read alike, played as recorded, without keys, and refused where they are broken.

use tokio_util::sync::CancellationToken;

use super::super::testing::{FakeServer, Step, Witness, call, http, stream_head};
use super::super::{Call, Provider, Reply, SetupError};
use super::{Attempt, Cassette, Form, Goal, Head, Sent, Track};
use crate::domain::{End, ProviderSpec, Role, Timings, Usage, WireFormat};

const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"Hm.\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"Yes, \\u00e9 \"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"🦀.\"},\"finish_reason\":\"stop\"}]}\n\n\
                      data: [DONE]\n\n";

fn track(form: Form, chunks: Vec<(u64, Vec<u8>)>) -> Track {
    let (method, url) = ("POST".to_owned(), "http://127.0.0.1/v1/chat/completions".to_owned());
    let headers = vec![("authorization".to_owned(), "Bearer ***".to_owned())];
    let request = Sent { method, url, headers, body: b"{\"model\":\"m\"}".to_vec() };
    let attempt = Attempt { request, form, response: Some(Head { status: 200, headers: Vec::new() }), chunks };
    Track {
        exchange: 3,
        number: 2,
        stage: "plan".into(),
        role: Role::Author,
        nth: 1,
        model: "near/m".into(),
        prompt: ("author-plan".into(), "1".into(), "00".into()),
        asked: "2026-01-01T00:00:00Z".into(),
        attempts: vec![attempt],
        end: End::Complete,
        usage: Usage { input: Some(30), output: Some(12), cached: None, reasoning: None },
        timings: Timings { first_byte: Some(10), first_text: Some(20), total: 60 },
    }
}

fn of(tracks: Vec<Track>) -> Cassette {
    Cassette { goals: vec![Goal { number: 2, goal: "Go".into() }], tracks }
}

fn written(cassette: &Cassette) -> String {
    let mut out = Vec::new();
    cassette.write(&mut out, str::to_owned).unwrap();
    String::from_utf8(out).unwrap()
}

fn file(text: &str) -> (ProviderSpec, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("one.jsonl");
    std::fs::write(&file, text).unwrap();
    (ProviderSpec::Cassette { file, timed: false }, dir)
}

async fn play(text: &str, call: &Call) -> (Reply, Witness) {
    let (spec, _dir) = file(text);
    let mut witness = Witness::default();
    let provider = Provider::new("near", &spec).unwrap();
    (provider.call(call, &mut witness, &CancellationToken::new()).await, witness)
}

#[test]
fn what_is_written_is_read() {
    // Split inside a character, and with an attempt that failed before.
    let bytes = STREAM.as_bytes();
    let (head, tail) = bytes.split_at(STREAM.find('🦀').unwrap() + 2);
    let mut two = track(Form::Wire(WireFormat::OpenAiChat), vec![(10, head.to_vec()), (40, tail.to_vec())]);
    let busy = Attempt {
        response: Some(Head { status: 503, headers: vec![("x".into(), "y".into())] }),
        chunks: vec![(5, b"busy".to_vec())],
        ..two.attempts[0].clone()
    };
    two.attempts.insert(0, busy);
    let unsent = Track { attempts: Vec::new(), end: End::Failed("no key".into()), ..two.clone() };
    let cassette = of(vec![two, unsent]);
    let text = written(&cassette);
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{text}");
    assert_eq!(Cassette::parse(text.as_bytes()).ok().unwrap(), cassette);
}

#[tokio::test]
async fn a_call_is_played_as_it_was_recorded() {
    let steps = vec![stream_head(), Step::Send(STREAM.as_bytes().to_vec())];
    let busy = http("503 Busy", "", "busy");
    let server = FakeServer::start(vec![busy, steps]).await;
    let provider = Provider::new("fake", &ProviderSpec::Server(server.spec(WireFormat::OpenAiChat))).unwrap();
    let mut live = Witness::default();
    let told = provider.call(&call(), &mut live, &CancellationToken::new()).await;
    assert_eq!((told.text.as_str(), &told.end), ("Yes, é 🦀.", &End::Complete));

    let mut one = track(Form::Wire(WireFormat::OpenAiChat), live.chunks[1..].to_vec());
    one.attempts.insert(
        0,
        Attempt {
            response: Some(Head { status: 503, headers: Vec::new() }),
            chunks: live.chunks[..1].to_vec(),
            ..one.attempts[0].clone()
        },
    );
    (one.usage, one.timings) = (told.usage, told.timings);
    let (again, witness) = play(&written(&of(vec![one])), &call()).await;
    assert_eq!(again, told);
    assert_eq!((&witness.chunks, &witness.statuses), (&live.chunks, &live.statuses));
    assert_eq!((witness.deltas.concat(), witness.reasoning.concat()), (told.text, told.reasoning));
    assert_eq!(witness.requests.len(), 2);
    assert_eq!(witness.requests[1].url, "cassette:openai-chat:one.jsonl#3");
    assert!(String::from_utf8_lossy(&witness.requests[1].body).contains("Why?"), "the record has today's prompt");
}

#[tokio::test]
async fn the_same_call_of_the_same_loop_is_found() {
    let say = |number, role, nth, text: &str| Track {
        number,
        role,
        nth,
        ..track(Form::Text, vec![(1, text.as_bytes().to_vec())])
    };
    let (author, critic) = (Role::Author, Role::Critic);
    let text = written(&of(vec![
        say(4, author, 1, "four, first"),
        say(4, critic, 1, "four, critic"),
        say(4, author, 3, "four, third"),
        say(7, author, 2, "seven, second"),
    ]));
    for (number, role, nth, expected) in [
        (1, author, 1, "four, first"),
        (1, author, 2, "four, first"),
        (1, author, 9, "four, third"),
        (1, critic, 1, "four, critic"),
        (2, author, 1, "seven, second"),
        (9, author, 2, "seven, second"),
        // The second loop's critic was not recorded.
        (2, critic, 1, "four, critic"),
    ] {
        let (reply, _) = play(&text, &Call { number, role, nth, ..call() }).await;
        assert_eq!((reply.text.as_str(), reply.end), (expected, End::Complete), "{number} {role:?} {nth}");
    }
    let (reply, _) = play(&text, &Call { stage: "change".into(), ..call() }).await;
    assert!(matches!(&reply.end, End::Failed(why) if why.contains("no call of the author in the stage \"change\"")));
}

#[tokio::test]
async fn a_call_that_failed_fails_again_and_cancel_stops_a_slow_one() {
    let cut = Track { end: End::Truncated("cut".into()), ..track(Form::Text, vec![(1, b"Half".to_vec())]) };
    let (reply, _) = play(&written(&of(vec![cut])), &call()).await;
    assert_eq!((reply.text.as_str(), reply.end), ("Half", End::Truncated("cut".into())));

    let hour = 3_600_000_000_000;
    let (spec, _dir) = file(&written(&of(vec![track(Form::Text, vec![(1, b"a".to_vec()), (hour, b"b".to_vec())])])));
    let ProviderSpec::Cassette { file, .. } = spec else { panic!() };
    let provider = Provider::new("near", &ProviderSpec::Cassette { file, timed: true }).unwrap();
    let cancel = CancellationToken::new();
    let on_text = cancel.clone();
    let mut witness = Witness { on_text: Some(Box::new(move || on_text.cancel())), ..Witness::default() };
    let reply = provider.call(&call(), &mut witness, &cancel).await;
    assert_eq!((reply.text.as_str(), reply.end), ("a", End::Cancelled));
}

#[test]
fn no_key_is_written_not_even_in_pieces() {
    let key = "sk-ant-api03-0123456789abcdefghij";
    let piece = |text: &str| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{text:?}}}}}]}}\n\n").into_bytes();
    let pieces = key.as_bytes().chunks(5).map(|part| (7, piece(std::str::from_utf8(part).unwrap())));
    let mut one = track(Form::Wire(WireFormat::OpenAiChat), pieces.collect());
    one.attempts[0].request.body = format!("{{\"prompt\":\"{key}\"}}").into_bytes();
    one.attempts[0].request.url.push_str(&format!("?key={key}"));
    one.end = End::Failed(format!("wrong key {key}"));
    let mut cassette = of(vec![one]);
    cassette.goals[0].goal = format!("Hide {key}");
    let text = written(&cassette);
    assert!(!text.contains("0123456789") && !text.contains("i03-0") && text.contains("sk-ant-***"), "{text}");
    let read = Cassette::parse(text.as_bytes()).ok().unwrap();
    assert_eq!(read.tracks[0].attempts[0].form, Form::Text);
    assert_eq!(read.tracks[0].attempts[0].chunks, [(7, b"sk-ant-***".to_vec())]);
}

#[test]
fn a_broken_cassette_is_refused_with_the_line() {
    let good = written(&of(vec![track(Form::Text, vec![(1, b"a".to_vec())])]));
    let lines: Vec<&str> = good.lines().collect();
    let without = |nth: usize| lines.iter().enumerate().filter(move |(at, _)| *at != nth).map(|(_, line)| *line);
    for (text, expected) in [
        (String::new(), "line 1 of the cassette"),
        (without(0).collect::<Vec<_>>().join("\n"), "its first line must give its version"),
        (good.replace("\"version\":1", "\"version\":2"), "has version 2, which this windlass does not know"),
        (good.replace("\"author\"", "\"judge\""), "names a role that is none"),
        (good.replace("\"text\":\"a\"", "\"hex\":\"zz\""), "not hexadecimal"),
        (good.replace("\"form\":\"text\"", "\"form\":\"morse\""), "unknown form \"morse\""),
        (lines[..lines.len() - 1].join("\n"), "the last exchange has no end"),
        (format!("{good}{}", lines[3]), "belongs to no exchange"),
        ("SQLite format 3\0".to_owned(), "is it another file?"),
    ] {
        let (spec, _dir) = file(&text);
        let Err(SetupError::Cassette { why, .. }) = Provider::new("near", &spec) else { panic!("{expected}") };
        assert!(why.contains(expected), "{expected:?} isn't in {why}");
    }
    let nowhere = ProviderSpec::Cassette { file: "no/such.jsonl".into(), timed: false };
    assert!(
        matches!(Provider::new("near", &nowhere), Err(SetupError::Cassette { why, .. }) if why.contains("no/such"))
    );
}
