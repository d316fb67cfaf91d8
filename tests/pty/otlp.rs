//! Calls as OpenTelemetry spans: into a file and to a collector on loopback, without what was said unless asked for.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::format::Format;
use crate::hands::{await_decision, draft, leave, trust};
use crate::server::Reserved;

const GOAL: &str = "Fewer steps of a secret kind";

/// A collector that takes one request, answers with this status, and gives the request's head and body.
fn collector(status: &'static str) -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap() > 2 {}
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}").unwrap();
        (head, serde_json::from_slice(&body).unwrap())
    });
    (url, taken)
}

/// The value of a span's attribute.
fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    attributes.iter().find(|one| one["key"] == key).map_or(&Value::Null, |one| &one["value"])
}

#[test]
fn calls_are_spans_without_what_was_said() {
    let near = Reserved::new();
    let mut desk = Desk::new();
    desk.furnish("");
    let (url, replies) = (near.base_url(), desk.home().join("replies"));
    desk.write_own_config(&format!(
        "[providers.near]\nkind = \"anthropic\"\nbase_url = {url:?}\n\
         [providers.script]\nkind = \"script\"\ndir = {replies:?}\n\
         [prices]\n\"near/*\" = {{ input = 1, output = 10 }}\n"
    ));
    desk.set("WINDLASS_AUTHOR", "near/author-1");
    let author = near.serve();
    let mut screen = desk.open(&["new", GOAL], (90, 60));
    trust(&mut screen);
    draft(&mut screen, "constraint");
    let call = author.call("author-1", "Write the constraint now");
    assert_eq!(Format::of(call.head()), Format::Messages);
    call.answer(&desk.reply("author-constraint.1"));
    await_decision(&screen, "constraint");
    leave(&mut screen);

    let file = desk.home().join("spans.jsonl");
    let told = desk.printed(&["export", "otlp", "-o", file.to_str().unwrap()]);
    assert!(told.starts_with("Exported 2 calls to ") && told.contains("without what was sent and said"), "{told}");
    let text = fs::read_to_string(&file).unwrap();
    for said in [GOAL, "limits the sum", "No findings", "Write the constraint"] {
        assert!(!text.contains(said), "{said:?} is in {text}");
    }
    let written: Value = serde_json::from_str(text.trim_end()).unwrap();
    let spans = &written["resourceSpans"][0]["scopeSpans"][0]["spans"];
    let [root, drafted, reviewed] = spans.as_array().unwrap().as_slice() else { panic!("{spans}") };
    assert_eq!(drafted["parentSpanId"], root["spanId"]);
    assert!([drafted, reviewed].iter().all(|span| span["traceId"] == root["traceId"]));
    let lengths = ["traceId", "spanId"].map(|id| drafted[id].as_str().unwrap().len());
    assert_eq!(lengths, [32, 16]);
    assert_eq!((&drafted["name"], &drafted["kind"]), (&json!("chat author-1"), &json!(3)));
    let nanos = |key: &str| drafted[key].as_str().unwrap().parse::<u64>().unwrap();
    assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"));
    for (key, value) in [
        ("gen_ai.operation.name", json!({"stringValue": "chat"})),
        ("gen_ai.provider.name", json!({"stringValue": "anthropic"})),
        ("gen_ai.request.model", json!({"stringValue": "author-1"})),
        ("gen_ai.usage.input_tokens", json!({"intValue": "1200"})),
        ("gen_ai.usage.output_tokens", json!({"intValue": "34"})),
        ("server.address", json!({"stringValue": "127.0.0.1"})),
        ("windlass.cost_usd", json!({"doubleValue": 0.00154})),
        ("windlass.stage", json!({"stringValue": "constraint"})),
        ("gen_ai.input.messages", Value::Null),
        ("error.type", Value::Null),
    ] {
        assert_eq!(attribute(drafted, key), &value, "{key}");
    }
    assert_eq!(attribute(reviewed, "windlass.played"), &json!({"boolValue": true}));
    assert_eq!(attribute(reviewed, "windlass.cost_usd"), &Value::Null);

    // The same to a collector, and with what was said.
    let (url, taken) = collector("200 OK");
    desk.printed(&["export", "otlp", "--endpoint", &url]);
    let (head, sent) = taken.join().unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n") && head.contains("content-type: application/json"));
    assert_eq!(sent, written);
    let (url, taken) = collector("200 OK");
    desk.printed(&["export", "otlp", "--endpoint", &format!("{url}/v1/traces"), "--content"]);
    let (_, sent) = taken.join().unwrap();
    let drafted = &sent["resourceSpans"][0]["scopeSpans"][0]["spans"][1];
    let messages =
        |key| -> Value { serde_json::from_str(attribute(drafted, key)["stringValue"].as_str().unwrap()).unwrap() };
    let (asked, said) = (messages("gen_ai.input.messages"), messages("gen_ai.output.messages"));
    assert_eq!((&asked[0]["role"], &asked[1]["role"]), (&json!("system"), &json!("user")));
    assert!(asked[1]["parts"][0]["content"].as_str().unwrap().contains(GOAL));
    assert_eq!(said[0]["parts"][0]["content"], desk.reply("author-constraint.1"));

    // What goes wrong is told in the collector's words, and nothing goes anywhere without a place to go.
    let (url, taken) = collector("401 Unauthorized");
    let refused = desk.run(&["export", "otlp", "--endpoint", &url]);
    taken.join().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && told.contains("answered 401 Unauthorized: {}"), "{told}");
    assert_eq!(desk.run(&["export", "otlp"]).status.code(), Some(2));
}
