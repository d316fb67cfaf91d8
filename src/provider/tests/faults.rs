//! Attempts that fail and are made again, or not; limits and caps.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::super::testing::{FakeServer, Seen, Step, Witness, call, event, http, stop, stream_head};
use super::{ask, failure};
use crate::domain::{End, ProviderSpec, ServerSpec, WireFormat};
use crate::provider::{Limits, Provider, Reply};

fn provider(server: &FakeServer, format: WireFormat) -> Provider {
    let limits = Limits { attempts: 3, ..Limits::default() };
    Provider::new("fake", &ProviderSpec::Server(server.spec(format))).unwrap().with_limits(limits)
}

fn answer() -> Vec<Step> {
    vec![stream_head(), event("Yes."), stop()]
}

async fn asked_of(connections: Vec<Vec<Step>>) -> (Reply, Witness, usize) {
    let mut server = FakeServer::start(connections).await;
    let (reply, witness) = ask(&provider(&server, WireFormat::OpenAiChat)).await;
    let mut seen = 0;
    while let Some(Seen::Request(head, body)) = server.seen_so_far() {
        assert!(head.starts_with("POST") && body.as_bytes() == witness.requests[seen].body);
        seen += 1;
    }
    (reply, witness, seen)
}

#[tokio::test]
async fn statuses_and_headers_decide_whether_and_when_to_ask_again() {
    let date = |seconds: i64| {
        let then = Timestamp::now() + SignedDuration::from_secs(seconds);
        format!("retry-after: {}", then.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    };
    let pause = Some(500..=500);
    for status in ["408 Request Timeout", "409 Conflict", "429 Too Many Requests", "500 Oops", "503 Later", "529 Busy"]
    {
        for (header, wait) in [
            (String::new(), pause.clone()),
            ("retry-after: soon".to_owned(), pause.clone()),
            ("retry-after: -7".to_owned(), pause.clone()),
            ("retry-after-ms: nonsense".to_owned(), pause.clone()),
            ("retry-after: 7".to_owned(), Some(7_000..=7_000)),
            ("retry-after-ms: 70".to_owned(), Some(70..=70)),
            (date(30), Some(25_000..=30_000)),
            (date(-30), pause.clone()),
            ("retry-after: 1800".to_owned(), Some(1_800_000..=1_800_000)),
            ("retry-after: 3601".to_owned(), None),
            (date(4000), None),
            ("x-should-retry: false".to_owned(), None),
        ] {
            let (reply, witness, seen) = asked_of(vec![http(status, &header, "busy"), answer()]).await;
            match wait {
                Some(wait) => {
                    assert_eq!((reply.end, seen, reply.text.as_str()), (End::Complete, 2, "Yes."), "{status} {header}");
                    let [(why, told)] = &witness.retries[..] else { panic!("{:?}", witness.retries) };
                    assert!(wait.contains(&told.as_millis()), "{status} {header}: {told:?}");
                    assert!(why.contains(": busy"), "{why}");
                }
                None => {
                    assert_eq!((seen, witness.retries.len()), (1, 0), "{status} {header}");
                    let long = !header.starts_with("x-should");
                    assert_eq!(failure(&reply).contains("The server asks to wait "), long, "{:?}", reply.end);
                    assert_eq!(failure(&reply).contains("ask again after 20"), long, "{:?}", reply.end);
                }
            }
        }
    }
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "422 No"] {
        for header in ["", "retry-after: 1"] {
            let (reply, _, seen) = asked_of(vec![http(status, header, "no"), answer()]).await;
            assert!(failure(&reply).contains("no") && seen == 1, "{status}: {:?}", reply.end);
        }
    }
    let spent = r#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}"#;
    let (reply, _, seen) = asked_of(vec![http("429 Slow", "retry-after: 1", spent), answer()]).await;
    assert!(failure(&reply).contains("billing") && seen == 1, "{:?}", reply.end);
}

#[tokio::test]
async fn attempts_are_counted_and_each_is_observed() {
    let busy = |words: &str| http("503 Later", "", words);
    let (reply, witness, seen) = asked_of(vec![busy("one"), busy("two"), busy("three"), answer()]).await;
    assert!(failure(&reply).contains("three") && failure(&reply).ends_with("It was asked 3 times."), "{:?}", reply.end);
    assert_eq!((seen, witness.requests.len(), witness.statuses.as_slice()), (3, 3, &[503, 503, 503][..]));
    assert_eq!(witness.body(), "onetwothree");
    let waits: Vec<_> = witness.retries.iter().map(|(_, wait)| wait.as_millis()).collect();
    assert_eq!(waits, [500, 1000]);
}

#[tokio::test]
async fn a_connection_that_breaks_before_anything_is_said_is_made_again() {
    let broken_head = vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n: ping\n\n".to_vec())];
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let inside = vec![stream_head(), Step::Send(br#"data: {"error":{"code":502,"message":"gone"}}"#.to_vec())];
    for first in [vec![], broken_head, inside] {
        let (reply, witness, seen) = asked_of(vec![first, answer()]).await;
        assert_eq!((reply.end, reply.text.as_str(), seen), (End::Complete, "Yes.", 2));
        assert_eq!(witness.retries.len(), 1);
    }
    // The tokens of an attempt that failed were spent all the same.
    let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":30,"output_tokens":1}}}"#;
    let begun = format!("data: {start}\n\n");
    let failed = Step::Send(format!("{begun}event: error\ndata: {overloaded}\n\n").into_bytes());
    let whole = r#"{"type":"message","content":[{"text":"Yes."}],"stop_reason":"end_turn","usage":{"input_tokens":30,"output_tokens":9}}"#;
    let server = FakeServer::start(vec![vec![stream_head(), failed], http("200 OK", "", whole)]).await;
    let (reply, witness) = ask(&provider(&server, WireFormat::Anthropic)).await;
    assert_eq!((reply.end, reply.text.as_str()), (End::Complete, "Yes."));
    assert_eq!((reply.usage.input, reply.usage.output), (Some(60), Some(10)));
    assert!(witness.retries[0].0.contains("Overloaded"), "{:?}", witness.retries);

    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let base_url = format!("http://127.0.0.1:{closed}/v1");
    let spec = ServerSpec { format: WireFormat::OpenAiChat, base_url, key: None };
    let limits = Limits { attempts: 3, ..Limits::default() };
    let (reply, witness) = ask(&Provider::new("p", &ProviderSpec::Server(spec)).unwrap().with_limits(limits)).await;
    assert!(failure(&reply).contains("Is the server running?"), "{:?}", reply.end);
    assert_eq!(witness.requests.len(), 3);
}

#[tokio::test]
async fn what_was_said_is_never_asked_for_twice() {
    let error = br#"data: {"error":{"code":503,"message":"gone"}}"#;
    let thought = br#"data: {"choices":[{"delta":{"reasoning":"Hm"}}]}"#;
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n36\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Half\"}}]}\n\n\r\n";
    for first in [
        vec![stream_head(), event("Half"), Step::Send(error.to_vec())],
        vec![stream_head(), Step::Send([&thought[..], b"\n\n", error].concat())],
        vec![Step::Send(head.to_vec())],
    ] {
        let (reply, witness, seen) = asked_of(vec![first, answer()]).await;
        assert!(matches!(reply.end, End::Failed(_)), "{:?}", reply.end);
        assert_eq!((seen, witness.retries.len()), (1, 0));
        assert_eq!(format!("{}{}", reply.text, reply.reasoning).len() % 2, 0, "Half or Hm is kept");
    }
}

#[tokio::test]
async fn cancel_ends_the_wait_between_two_attempts() {
    /// Cancels the call when it hears of a retry, and leaves the wait alone.
    struct Impatient(CancellationToken, usize);
    impl crate::provider::Observer for Impatient {
        fn request(&mut self, _: &crate::provider::Request) {
            self.1 += 1;
        }
        fn retry(&mut self, retry: &crate::provider::Retry) {
            assert_eq!(retry.wait, Duration::from_secs(60));
            self.0.cancel();
        }
        fn response(&mut self, _: u16, _: &[(String, String)]) {}
        fn sent(&mut self, _: u64, _: &[u8]) {}
        fn chunk(&mut self, _: u64, _: &[u8]) {}
        fn text(&mut self, _: &str) {}
        fn reasoning(&mut self, _: &str) {}
    }
    let server = FakeServer::start(vec![http("429 Slow", "retry-after: 60", ""), answer()]).await;
    let cancel = CancellationToken::new();
    let mut observer = Impatient(cancel.clone(), 0);
    let reply = provider(&server, WireFormat::OpenAiChat).call(&call(), &mut observer, &cancel).await;
    assert_eq!((reply.end, observer.1), (End::Cancelled, 1));
}

/// Forgets everything, as a journal that writes it down does.
struct Forgetful;

impl crate::provider::Observer for Forgetful {
    fn request(&mut self, _: &crate::provider::Request) {}
    fn retry(&mut self, _: &crate::provider::Retry) {}
    fn response(&mut self, _: u16, _: &[(String, String)]) {}
    fn sent(&mut self, _: u64, _: &[u8]) {}
    fn chunk(&mut self, _: u64, _: &[u8]) {}
    fn text(&mut self, _: &str) {}
    fn reasoning(&mut self, _: &str) {}
}

#[tokio::test]
async fn the_limit_of_a_whole_call_leaves_out_the_waits() {
    let server = FakeServer::start(vec![http("429 Slow", "retry-after-ms: 2500", ""), answer()]).await;
    let limits = Limits { total: Duration::from_secs(2), ..Limits::default() };
    let provider = provider(&server, WireFormat::OpenAiChat).with_limits(limits);
    let reply = provider.call(&call(), &mut Forgetful, &CancellationToken::new()).await;
    assert_eq!((reply.end, reply.text.as_str()), (End::Complete, "Yes."));
}

async fn flooded(bytes: Vec<u8>, times: usize) -> Reply {
    let server = FakeServer::start(vec![vec![stream_head(), Step::Times(bytes, times), event("Yes."), stop()]]).await;
    let spec =
        ServerSpec { key: Some(crate::domain::KeySource::Env("K".into())), ..server.spec(WireFormat::OpenAiChat) };
    let provider =
        Provider::with_env("p", &ProviderSpec::Server(spec), |_| Some("sk-0123456789abcdef".into())).unwrap();
    provider.call(&call(), &mut Forgetful, &CancellationToken::new()).await
}

/// Names the flood that a process of its own goes through.
const FLOOD: &str = "WINDLASS_TEST_FLOOD";

/// Goes through one flood, and prints the most memory that this process ever held, in KiB.
async fn go_through(flood: &str) {
    let events = |text: &str| match event(text) {
        Step::Send(bytes) => bytes,
        _ => panic!("an event is sent"),
    };
    let (kilobyte, megabytes) = ("x".repeat(1024), 1024 * 1024);
    match flood {
        "text" => {
            let reply = flooded(events(&kilobyte), 100 * 1024).await;
            assert!(failure(&reply).contains("longer than 16 MiB; reading stopped there"), "{:?}", reply.end);
        }
        "pings" => {
            let reply = flooded(format!(": {kilobyte}\n\n").into_bytes(), 100 * 1024).await;
            assert_eq!((reply.end, reply.text.as_str()), (End::Complete, "Yes."));
        }
        "a line" => {
            let reply = flooded(kilobyte.into_bytes(), 100 * 1024).await;
            assert!(failure(&reply).contains("a line or event longer than 16 MiB"), "{:?}", reply.end);
        }
        _ => {
            let reply = flooded(events(&"x".repeat(10 * megabytes)), 1).await;
            assert_eq!((reply.end, reply.text.len()), (End::Complete, 10 * megabytes + 4));
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("\npeak {}", peak.trim().trim_end_matches(" kB"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_hundred_megabytes_are_read_in_less_memory_than_that() {
    if let Ok(flood) = std::env::var(FLOOD) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(go_through(&flood));
    }
    for flood in ["text", "pings", "a line", "a token of 10 MiB"] {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        let this = "provider::tests::faults::a_hundred_megabytes_are_read_in_less_memory_than_that";
        let output = command.args(["--exact", this, "--nocapture"]).env(FLOOD, flood).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{flood}: {said}{}", String::from_utf8_lossy(&output.stderr));
        let peak = said.lines().find_map(|line| line.strip_prefix("peak ")?.parse::<u64>().ok());
        let peak = peak.unwrap_or_else(|| panic!("no peak in {said}")) / 1024;
        assert!(peak < 100, "{flood}: {peak} MiB");
    }
}
