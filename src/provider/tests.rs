//! The provider against a real HTTP server: what it sends, what it makes of what comes back, and what it gives away.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

mod canary;
mod faults;
mod formats;

use super::testing::{FakeServer, Seen, Step, Witness, call, event, http, once, stop, stream_head};
use super::{Limits, Provider, Reply, SetupError};
use crate::domain::{End, KeySource, ProviderSpec, ServerSpec, Usage, WireFormat};

const SCHEMA: &[u8] = include_bytes!("../../tests/fixtures/wire/openai-chat-json-schema.sse");
const ERROR: &str = include_str!("../../tests/fixtures/wire/openai-error-400.json");

async fn ask(provider: &Provider) -> (Reply, Witness) {
    let mut witness = Witness::default();
    let reply = provider.call(&call(), &mut witness, &CancellationToken::new()).await;
    (reply, witness)
}

fn failure(reply: &Reply) -> &str {
    match &reply.end {
        End::Failed(why) => why,
        other => panic!("expected a failure, not {other:?}"),
    }
}

#[tokio::test]
async fn a_reply_is_read_and_every_byte_of_the_exchange_recorded() {
    for size in [1, 7, 100, SCHEMA.len()] {
        let mut steps = vec![stream_head()];
        steps.extend(SCHEMA.chunks(size).map(|piece| Step::Send(piece.to_vec())));
        let mut server = FakeServer::start(vec![steps]).await;
        let (reply, witness) = ask(&server.provider()).await;
        assert_eq!(reply.end, End::Complete);
        assert!(reply.text.starts_with("{\n    \"severity"), "{}", reply.text);
        assert_eq!(witness.deltas.concat(), reply.text);
        assert_eq!(witness.body().as_bytes(), SCHEMA.get(..witness.body().len()).unwrap());
        assert!(witness.body().trim_end().ends_with("[DONE]"));
        let counted = Usage { input: Some(30), output: Some(48), cached: Some(1), reasoning: None };
        assert_eq!((reply.usage, reply.served_by.as_deref()), (counted, Some("gemma-3-270m")));
        assert!(reply.raw_usage.unwrap().starts_with("{\"completion_tokens\":48"));
        assert!(reply.timings.first_byte <= reply.timings.first_text);
        assert!(reply.timings.first_text <= Some(reply.timings.total));

        let Seen::Request(head, body) = server.next().await else { panic!("no request") };
        let request = witness.requests.first().unwrap();
        assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
        assert_eq!(body.as_bytes(), request.body);
        assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
        for (name, value) in &request.headers {
            assert!(head.contains(&format!("{name}: {value}")), "{name} is recorded but not in {head}");
        }
    }
}

#[tokio::test]
async fn a_call_can_run_as_a_task() {
    let server = FakeServer::start(vec![vec![stream_head(), event("Yes."), stop()]]).await;
    let provider = server.provider();
    let (reply, witness) = tokio::spawn(async move { ask(&provider).await }).await.unwrap();
    assert_eq!((reply.end, witness.deltas.concat()), (End::Complete, "Yes.".to_owned()));
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_is_read_too() {
    let body = r#"{"choices":[{"message":{"content":"Yes.","reasoning_content":"Hm."},"finish_reason":"stop"}]}"#;
    let server = FakeServer::start(vec![http("200 OK", "content-type: application/json", body)]).await;
    let (reply, _) = ask(&server.provider()).await;
    assert_eq!((reply.text.as_str(), reply.reasoning.as_str(), reply.end), ("Yes.", "Hm.", End::Complete));
}

#[tokio::test]
async fn a_cut_stream_keeps_its_text_and_is_not_complete() {
    let server = FakeServer::start(vec![vec![stream_head(), event("Half a ")]]).await;
    let (reply, _) = ask(&server.provider()).await;
    assert!(matches!(reply.end, End::Truncated(_)), "{:?}", reply.end);
    assert_eq!(reply.text, "Half a ");

    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let server = FakeServer::start(vec![vec![Step::Send(chunked.to_vec())]]).await;
    let (reply, _) = ask(&server.provider()).await;
    assert!(failure(&reply).starts_with("the connection broke: "), "{:?}", reply.end);
    assert_eq!(reply.text, "x");
}

#[tokio::test]
async fn errors_come_in_the_servers_words_with_the_next_step() {
    for (connections, expected) in [
        (vec![http("400 Bad Request", "", ERROR)], &["400 Bad Request: 'messages' is required"][..]),
        (
            vec![http("404 Not Found", "", r#"{"error":"model 'm' not found"}"#)],
            &["model 'm' not found", "lists its models at http://127.0.0.1:", "/v1/models"],
        ),
        (vec![http("400 Bad Request", "", r#"{"detail":"Unknown Model"}"#)], &["Check the model's name, \"m\""]),
        (vec![http("404 Not Found", "", "nothing here")], &["nothing here", "https://api.openai.com/v1"]),
        (vec![http("401 Unauthorized", "", "who?")], &["401 Unauthorized: who?", "api_key_env of provider \"fake\""]),
        (vec![http("500 Oops", "", "")], &["it gave no reason", "ask again later"]),
        (vec![vec![Step::Send(b"SSH-2.0-OpenSSH\r\n".to_vec())]], &["failed to reach http://127.0.0.1:"]),
        (vec![vec![]], &["failed to reach http://127.0.0.1:"]),
    ] {
        let server = FakeServer::start(connections).await;
        let (reply, witness) = ask(&server.provider()).await;
        for words in expected {
            assert!(failure(&reply).contains(words), "{words:?} is not in {:?}", reply.end);
        }
        assert_eq!((reply.text.as_str(), witness.requests.len()), ("", 1));
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_named() {
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let plain = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let plain_port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    for (base_url, expected) in [
        (format!("http://127.0.0.1:{closed}/v1"), "Is the server running?"),
        (format!("https://127.0.0.1:{plain_port}/v1"), "http or https?"),
    ] {
        let spec = ServerSpec { format: WireFormat::OpenAiChat, base_url: base_url.clone(), key: None };
        let (reply, _) = ask(&Provider::new("fake", &ProviderSpec::Server(spec)).unwrap().with_limits(once())).await;
        assert!(failure(&reply).contains(&base_url) && failure(&reply).contains(expected), "{:?}", reply.end);
    }
}

#[tokio::test]
async fn cancel_hangs_up_and_keeps_the_text() {
    let mut server = FakeServer::start(vec![vec![stream_head(), event("Half"), Step::AwaitClose]]).await;
    let cancel = CancellationToken::new();
    let on_text = cancel.clone();
    let mut witness = Witness { on_text: Some(Box::new(move || on_text.cancel())), ..Witness::default() };
    let reply = server.provider().call(&call(), &mut witness, &cancel).await;
    assert_eq!((reply.text.as_str(), reply.end), ("Half", End::Cancelled));
    assert!(matches!(server.next().await, Seen::Request(..)));
    assert_eq!(server.next().await, Seen::HungUp);

    let mut untold = Witness::default();
    let reply = server.provider().call(&call(), &mut untold, &cancel).await;
    assert_eq!((reply.end, untold.requests.len()), (End::Cancelled, 0), "cancelled before it was sent");
}

#[tokio::test]
async fn pings_do_not_keep_a_silent_server_alive() {
    let short = Duration::from_millis(200);
    let (first, idle) = (Limits { first: short, ..once() }, Limits { idle: short, ..once() });
    let pings = || Step::Repeat(b": ping\n\n".to_vec(), Duration::from_millis(5));
    for (limits, steps, text, expected) in [
        (first, vec![Step::AwaitClose], "", "answered nothing for 200 ms"),
        (first, vec![stream_head(), pings()], "", "answered nothing for 200 ms"),
        (idle, vec![stream_head(), event("Half"), pings()], "Half", "added nothing for 200 ms"),
    ] {
        let mut server = FakeServer::start(vec![steps]).await;
        let (reply, _) = ask(&server.provider().with_limits(limits)).await;
        assert!(failure(&reply).contains(expected), "{:?}", reply.end);
        assert_eq!(reply.text, text);
        assert!(matches!(server.next().await, Seen::Request(..)));
        assert_eq!(server.next().await, Seen::HungUp);
    }
}

#[tokio::test]
async fn a_call_has_a_limit_as_a_whole() {
    let limits = Limits { total: Duration::from_millis(300), ..Limits::default() };
    let data = b"data: {\"choices\":[{\"delta\":{\"content\":\"more \"}}]}\n\n".to_vec();
    let server = FakeServer::start(vec![vec![stream_head(), Step::Repeat(data, Duration::from_millis(5))]]).await;
    let (reply, _) = ask(&server.provider().with_limits(limits)).await;
    assert!(failure(&reply).contains("300 ms, the limit for a whole call"), "{:?}", reply.end);
}

#[tokio::test]
async fn an_endless_reply_is_cut_off() {
    let flood: Vec<Step> =
        std::iter::once(stream_head()).chain((0..20).map(|_| event(&"x".repeat(1024 * 1024)))).collect();
    let server = FakeServer::start(vec![flood]).await;
    let (reply, _) = ask(&server.provider()).await;
    assert!(failure(&reply).contains("longer than 16 MiB"), "{:?}", reply.end);
    assert_eq!(reply.text.len(), 17 * 1024 * 1024);
}

#[test]
fn an_unusable_provider_says_what_to_do() {
    let spec = |base_url: &str, key: Option<&str>| {
        let key = key.map(|variable| KeySource::Env(variable.to_owned()));
        ProviderSpec::Server(ServerSpec { format: WireFormat::Gemini, base_url: base_url.into(), key })
    };
    let good = "https://h/v1";
    for (spec, key, expected) in [
        (spec(good, Some("MY_KEY")), None, "export MY_KEY=<your key>"),
        (spec(good, Some("MY_KEY")), Some(" \n"), "export MY_KEY=<your key>"),
        (spec(good, Some("MY_KEY")), Some("two\nlines"), "the key in MY_KEY"),
        (spec("localhost:8080/v1", None), None, "is neither http nor https"),
        (spec("/v1", None), None, "should look like https://generativelanguage.googleapis.com/v1beta"),
        (spec("https://me:pass-word@h/v1", None), None, "user name or password"),
        (spec("https://h/v1?key=pass-word", None), None, "after ? or #"),
    ] {
        let error = Provider::with_env("fake", &spec, |_| key.map(str::to_owned)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("pass-word") && !error.to_string().contains("two"), "{error}");
        assert!(
            matches!(&error, SetupError::MissingKey { variable, .. } if variable == "MY_KEY")
                || !expected.contains("export")
        );
    }
}
