//! `windlass export otlp`: calls as spans of OpenTelemetry, with the semantic conventions for generative AI. What was
//! sent and said is left out unless it is asked for.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::domain::{Digest, DigestBuilder, End, ExchangeId, Timestamp, WireFormat, without_keys};
use crate::driver::reread;
use crate::engine::{Event, ExchangeInfo, Loop, Recorded};
use crate::journal::StoredExchange;
use crate::provider::{Form, send_traces};

use super::arguments::Common;
use super::failure::Failure;
use super::open;
use super::record::Record;
use super::words::{count, stage};

/// The kinds of spans: within the program, and a client's call.
const INTERNAL: u8 = 1;
const CLIENT: u8 = 3;

/// The status code of a span that failed.
const FAILED: u8 = 2;

/// Where the spans go.
pub(super) enum To {
    /// A file that isn't there yet, a request a line.
    File(PathBuf),
    /// A collector.
    Endpoint(String),
}

/// Exports every call that has ended.
pub(super) fn export(common: &Common, to: &To, content: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let record = Record::read(&open::repo(common)?)?;
    let ended = ends(&record.events);
    let mut requests = Vec::new();
    let mut calls = 0;
    for one in record.state.loops.values() {
        let spans = spans(&record, one, &ended, content)?;
        // The loop's own span comes first.
        calls += spans.len().saturating_sub(1);
        if spans.len() > 1 {
            requests.push(request(&spans).to_string());
        }
    }
    if requests.is_empty() {
        return Err(Failure::NothingToRecord);
    }
    let told = match to {
        To::File(path) => {
            let failed = |source| Failure::File { doing: "write", path: path.clone(), source };
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
            let mut file = BufWriter::new(file);
            let mut write = || {
                requests.iter().try_for_each(|request| writeln!(file, "{request}"))?;
                file.flush()
            };
            write().map_err(failed)?;
            path.display().to_string()
        }
        To::Endpoint(endpoint) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            for request in requests {
                runtime.block_on(send_traces(endpoint, request))?;
            }
            endpoint.clone()
        }
    };
    let content = if content { "with what was sent and said" } else { "without what was sent and said" };
    Ok(writeln!(out, "Exported {} to {told}, {content}.", count(calls, "call"))?)
}

/// When each call ended.
fn ends(events: &[Recorded]) -> BTreeMap<ExchangeId, Timestamp> {
    let answered = events.iter().filter_map(|recorded| match &recorded.event {
        Event::Answered { exchange, .. } => Some((*exchange, recorded.at)),
        _ => None,
    });
    answered.collect()
}

fn request(spans: &[Value]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let service = Attributes::default().text("service.name", "windlass").text("service.version", version);
    let scope = json!({"name": "windlass", "version": version});
    let resource = json!({"attributes": service.0});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]})
}

/// The span of a loop, and one for each of its calls.
fn spans(
    record: &Record,
    one: &Loop,
    ended: &BTreeMap<ExchangeId, Timestamp>,
    content: bool,
) -> Result<Vec<Value>, Failure> {
    // The same loop has the same ids however often it is exported.
    let root = DigestBuilder::new("trace")
        .text("base", one.base.as_str())
        .field("begun", &one.begun.0.to_le_bytes())
        .field("loop", &one.id.0.to_le_bytes())
        .finish();
    let (mut spans, mut last) = (Vec::new(), one.begun);
    for (id, info) in record.state.exchanges.iter().filter(|(_, info)| info.id == one.id) {
        let Some(end) = ended.get(id) else { continue };
        last = last.max(*end);
        let place = stage(&record.state, info.id, info.stage).unwrap_or_default();
        let call = Call { id: *id, info, stage: place, stored: &record.stored(*id)?, ended: *end };
        spans.push(call.span(&root, content));
    }
    let mut attributes = Attributes::default().number("windlass.loop", one.id.0.into());
    if content {
        attributes = attributes.text("windlass.goal", &one.goal);
    }
    let name = format!("windlass loop {}", one.id);
    let own = json!({
        "traceId": hex(&root, 16), "spanId": hex(&span_id(&root, 0), 8), "name": name, "kind": INTERNAL,
        "startTimeUnixNano": nanos(one.begun), "endTimeUnixNano": nanos(last), "attributes": attributes.0,
    });
    spans.insert(0, own);
    Ok(spans)
}

struct Call<'a> {
    id: ExchangeId,
    info: &'a ExchangeInfo,
    stage: &'a str,
    stored: &'a StoredExchange,
    ended: Timestamp,
}

impl Call<'_> {
    fn span(&self, root: &Digest, content: bool) -> Value {
        let Self { info, stored, .. } = self;
        let read = reread(stored);
        let request = stored.request.as_ref();
        let form = request.and_then(|sent| Form::of(&sent.method, &sent.url));
        let over_http = request.is_some_and(|sent| sent.method == "POST");
        let server = request.filter(|_| over_http).and_then(|sent| server(&sent.url));
        let (provider, model) = info.model.0.split_once('/').unwrap_or(("", &info.model.0));
        let vendor = match (form, &server) {
            (Some(Form::Wire(WireFormat::Anthropic)), _) => "anthropic",
            (Some(Form::Wire(WireFormat::Gemini)), _) => "gcp.gemini",
            (Some(Form::Wire(WireFormat::OpenAiChat | WireFormat::OpenAiResponses)), Some((host, _)))
                if host == "api.openai.com" =>
            {
                "openai"
            }
            _ => provider,
        };
        let usage = &info.usage;
        let mut attributes = Attributes::default()
            .text("gen_ai.operation.name", "chat")
            .text("gen_ai.provider.name", vendor)
            .text("gen_ai.request.model", model)
            .some_number("gen_ai.usage.input_tokens", usage.input)
            .some_number("gen_ai.usage.output_tokens", usage.output)
            .some_number("gen_ai.usage.cache_read.input_tokens", usage.cached)
            .some_number("gen_ai.usage.reasoning.output_tokens", usage.reasoning)
            .number("windlass.exchange", self.id.0)
            .text("windlass.stage", self.stage)
            .text("windlass.role", info.role.name())
            .text("windlass.prompt.name", &info.prompt.name)
            .text("windlass.prompt.version", &info.prompt.version)
            .number("windlass.attempts", stored.earlier.len() as u64 + u64::from(request.is_some()));
        if over_http {
            attributes = attributes.truth("gen_ai.request.stream", true);
        }
        if let Some(served_by) = &read.served_by {
            attributes = attributes.text("gen_ai.response.model", served_by);
        }
        if let Some(first) = read.first_byte {
            attributes = attributes.real("gen_ai.response.time_to_first_chunk", first as f64 / 1e9);
        }
        if let Some((host, port)) = &server {
            attributes = attributes.text("server.address", host).number("server.port", (*port).into());
        }
        if request.is_some_and(|sent| sent.method == "PLAY") {
            attributes = attributes.truth("windlass.played", true);
        } else if let Some(cost) = info.cost() {
            attributes = attributes.real("windlass.cost_usd", cost.0 as f64 / 1e9);
        }
        if content {
            let output = json!([{"role": "assistant", "parts": [text_part(&read.text)]}]);
            attributes = attributes
                .text("gen_ai.input.messages", &Value::from(messages(stored)).to_string())
                .text("gen_ai.output.messages", &output.to_string());
        }
        let (error, why) = match info.end.as_ref() {
            None | Some(End::Complete) => (None, String::new()),
            Some(End::Truncated(why)) => (Some("truncated".to_owned()), why.clone()),
            Some(End::Failed(why)) => {
                let status = stored.response.as_ref().map(|head| head.status).filter(|status| *status >= 400);
                (Some(status.map_or_else(|| "_OTHER".to_owned(), |status| status.to_string())), why.clone())
            }
            Some(End::Cancelled) => (Some("cancelled".to_owned()), String::new()),
            Some(End::Interrupted) => (Some("interrupted".to_owned()), String::new()),
        };
        let mut status = json!({});
        if let Some(error) = error {
            attributes = attributes.text("error.type", &error);
            // The words may be the server's, which may repeat the prompt's.
            status =
                if content { json!({"code": FAILED, "message": without_keys(&why)}) } else { json!({"code": FAILED}) };
        }
        json!({
            "traceId": hex(root, 16),
            "spanId": hex(&span_id(root, self.id.0), 8),
            "parentSpanId": hex(&span_id(root, 0), 8),
            "name": format!("chat {model}"),
            "kind": if over_http { CLIENT } else { INTERNAL },
            "startTimeUnixNano": nanos(info.asked),
            "endTimeUnixNano": nanos(self.ended),
            "attributes": attributes.0,
            "status": status,
        })
    }
}

/// What was sent, message by message.
fn messages(stored: &StoredExchange) -> Vec<Value> {
    let message = |role: &str, text: &str| json!({"role": role, "parts": [text_part(text)]});
    let body: Value =
        stored.request.as_ref().and_then(|sent| serde_json::from_slice(&sent.body).ok()).unwrap_or_default();
    let mut found = Vec::new();
    if let Some(Value::Array(sent)) = body.get("messages") {
        for one in sent {
            if let (Some(Value::String(role)), Some(Value::String(text))) = (one.get("role"), one.get("content")) {
                found.push(message(role, text));
            }
        }
        if let Some(Value::String(system)) = body.get("system") {
            found.insert(0, message("system", system));
        }
        return found;
    }
    let texts = stored.last_prompt();
    let roles = if texts.len() > 1 { ["system", "user"] } else { ["user", "user"] };
    texts
        .iter()
        .zip(roles.into_iter().chain(std::iter::repeat("user")))
        .map(|(text, role)| message(role, text))
        .collect()
}

fn text_part(text: &str) -> Value {
    json!({"type": "text", "content": without_keys(text)})
}

/// Host and port of an address.
fn server(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    match authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => Some((host.to_owned(), port)),
        None => Some((authority.to_owned(), if scheme == "http" { 80 } else { 443 })),
    }
}

fn span_id(root: &Digest, number: u64) -> Digest {
    DigestBuilder::new("span").digest("trace", root).field("exchange", &number.to_le_bytes()).finish()
}

/// The first bytes of a digest as hexadecimal digits.
fn hex(digest: &Digest, bytes: usize) -> String {
    digest.to_string().chars().take(bytes * 2).collect()
}

/// OTLP's JSON writes 64-bit numbers as text.
fn nanos(at: Timestamp) -> String {
    at.0.saturating_mul(1_000_000).to_string()
}

/// Attributes in OTLP's form.
#[derive(Default)]
struct Attributes(Vec<Value>);

impl Attributes {
    fn with(mut self, key: &str, value: Value) -> Self {
        self.0.push(json!({"key": key, "value": value}));
        self
    }

    fn text(self, key: &str, value: &str) -> Self {
        self.with(key, json!({"stringValue": without_keys(value)}))
    }

    fn number(self, key: &str, value: u64) -> Self {
        self.with(key, json!({"intValue": value.to_string()}))
    }

    fn some_number(self, key: &str, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self,
        }
    }

    fn real(self, key: &str, value: f64) -> Self {
        self.with(key, json!({"doubleValue": value}))
    }

    fn truth(self, key: &str, value: bool) -> Self {
        self.with(key, json!({"boolValue": value}))
    }
}

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn servers_are_known_by_their_address() {
        let at = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(server("https://api.openai.com/v1/responses"), at("api.openai.com", 443));
        assert_eq!(server("http://127.0.0.1:11434/api/chat"), at("127.0.0.1", 11434));
        assert_eq!(server("http://[::1]:80/api/chat?x=a:1"), at("[::1]", 80));
        assert_eq!(server("command:llm"), None);
    }
}
