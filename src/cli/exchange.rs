//! `windlass show x N`: exactly what went over the wire in an exchange.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::domain::{ExchangeId, visible, visible_line, without_keys};
use crate::driver::{Moments, reread};
use crate::journal::StoredExchange;

use super::arguments::Side;
use super::calls::Call;
use super::failure::Failure;
use super::json;
use super::record::Record;

#[derive(Debug, Serialize)]
struct Exchange {
    #[serde(flatten)]
    call: Call,
    /// Attempts that failed and were followed by another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Attempt>,
    #[serde(flatten)]
    last: Attempt,
}

#[derive(Debug, Serialize)]
struct Attempt {
    request: Option<Request>,
    response: Option<Response>,
    /// Both sides in turn, where they talk: whether it was received, and the bytes.
    #[serde(skip)]
    turns: Vec<(bool, Vec<u8>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moments: Option<Times>,
    /// The same for people.
    #[serde(skip)]
    line: Option<String>,
}

/// Nanoseconds after the request was sent.
#[derive(Debug, Serialize)]
struct Times {
    first_byte_ns: Option<u64>,
    first_event_ns: Option<u64>,
    first_reasoning_ns: Option<u64>,
    first_text_ns: Option<u64>,
    last_byte_ns: Option<u64>,
    tokens_per_second: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    #[serde(flatten)]
    body: Body,
    /// The parts of the body that were sent in the course of the exchange.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chunks: Vec<Chunk>,
}

#[derive(Debug, Serialize)]
struct Response {
    status: Option<u16>,
    headers: Vec<(String, String)>,
    #[serde(flatten)]
    body: Body,
    chunks: Vec<Chunk>,
}

/// The bytes; as text where that loses nothing.
#[derive(Debug, Serialize)]
enum Body {
    #[serde(rename = "body")]
    Text(String),
    #[serde(rename = "body_hex")]
    Hex(String),
}

#[derive(Debug, Serialize)]
struct Chunk {
    elapsed_ns: u64,
    bytes: usize,
}

/// Writes a body as it went over the wire, to the byte: of the last attempt, what was sent or what came.
pub(super) fn raw(record: &Record, id: ExchangeId, side: Side, out: &mut dyn Write) -> Result<(), Failure> {
    if !record.state.exchanges.contains_key(&id) {
        return Err(Failure::Nothing { what: "exchange", number: id.0 });
    }
    // Bytes of others are no text: a terminal would do what they say.
    if io::stdout().is_terminal() {
        return Err(Failure::RawOnTerminal);
    }
    let stored = record.stored(id)?;
    Ok(out.write_all(&match side {
        Side::Sent => stored.request.map(|sent| sent.body).unwrap_or_default(),
        Side::Received => stored.body(),
    })?)
}

/// Prints an exchange.
pub(super) fn print(record: &Record, id: ExchangeId, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(info) = record.state.exchanges.get(&id) else {
        return Err(Failure::Nothing { what: "exchange", number: id.0 });
    };
    let exchange = Exchange::of(Call::of(id, info, &record.state), record.stored(id)?);
    if as_json { json::print(&exchange, out) } else { Ok(exchange.write(out)?) }
}

impl Exchange {
    fn of(call: Call, mut stored: StoredExchange) -> Self {
        let earlier: Vec<Attempt> =
            std::mem::take(&mut stored.earlier).into_iter().map(|attempt| Attempt::of(attempt, None)).collect();
        // The count is that of all attempts.
        let counted = call.output_tokens().filter(|_| earlier.is_empty());
        Self { call, earlier, last: Attempt::of(stored, counted) }
    }

    /// A line for each attempt, where there were several.
    fn chain(&self) -> Vec<String> {
        let attempts = || self.earlier.iter().chain([&self.last]);
        let line = |(attempt, nth): (&Attempt, usize)| format!("attempt {nth}: {}", attempt.summary());
        if self.earlier.is_empty() { Vec::new() } else { attempts().zip(1..).map(line).collect() }
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for line in self.call.lines() {
            writeln!(out, "{}", visible_line(&line))?;
        }
        for line in self.last.line.iter().chain(&self.chain()) {
            writeln!(out, "{line}")?;
        }
        for (attempt, nth) in self.earlier.iter().zip(1..) {
            writeln!(out, "\n--- attempt {nth} of {}, which failed", self.earlier.len() + 1)?;
            attempt.write(out)?;
        }
        self.last.write(out)
    }
}

impl Attempt {
    fn of(stored: StoredExchange, counted: Option<u64>) -> Self {
        let moments = Moments::of(&reread(&stored), counted);
        let line = moments.line();
        let turns = stored.turns();
        let StoredExchange { request, response, chunks, sent: more, .. } = stored;
        let timed = |elapsed_ns, bytes: &[u8]| Chunk { elapsed_ns, bytes: bytes.len() };
        let request = request.map(|sent| Request {
            method: sent.method,
            url: sent.url,
            headers: sent.headers,
            chunks: more.iter().map(|(_, part)| timed(part.elapsed_ns, &part.bytes)).collect(),
            body: Body::of(
                [sent.body].into_iter().chain(more.into_iter().map(|(_, part)| part.bytes)).flatten().collect(),
            ),
        });
        let (status, headers) = response.map_or((None, Vec::new()), |head| (Some(head.status), head.headers));
        let timed = chunks.iter().map(|chunk| timed(chunk.elapsed_ns, &chunk.bytes)).collect();
        let bytes = chunks.into_iter().flat_map(|chunk| chunk.bytes).collect();
        let response = Response { status, headers, body: Body::of(bytes), chunks: timed };
        let came = response.status.is_some() || !response.chunks.is_empty();
        let times = Times {
            first_byte_ns: moments.first_byte,
            first_event_ns: moments.first_event,
            first_reasoning_ns: moments.first_reasoning,
            first_text_ns: moments.first_text,
            last_byte_ns: moments.last_byte,
            tokens_per_second: moments.tokens_per_second,
        };
        Self { request, response: came.then_some(response), turns, moments: line.is_some().then_some(times), line }
    }

    /// Its status, its size, and its end.
    fn summary(&self) -> String {
        let Some(Response { status, chunks, .. }) = &self.response else { return "no response came".to_owned() };
        let status = status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
        let bytes: usize = chunks.iter().map(|chunk| chunk.bytes).sum();
        let last = chunks.last().map_or(0, |chunk| chunk.elapsed_ns / 1_000_000);
        format!("{status}, {bytes} bytes after {last} ms")
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        match &self.request {
            None => writeln!(out, "\n--- request: none was sent")?,
            Some(request) => {
                writeln!(out, "\n--- request")?;
                writeln!(out, "{} {}", visible_line(&request.method), visible_line(&request.url))?;
                if !self.turns.is_empty() {
                    return write_turns(&self.turns, out);
                }
                write_message(&request.headers, &request.body, out)?;
            }
        }
        match &self.response {
            None => writeln!(out, "\n--- response: none came")?,
            Some(response) => {
                let status = response.status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
                writeln!(out, "\n--- response {status}, {} chunks", response.chunks.len())?;
                write_message(&response.headers, &response.body, out)?;
            }
        }
        Ok(())
    }
}

/// For people, who pass on what they see: what looks like a key is masked. The exact bytes are in the JSON.
fn write_message(headers: &[(String, String)], body: &Body, out: &mut dyn Write) -> std::io::Result<()> {
    for (name, value) in headers {
        writeln!(out, "{}: {}", visible_line(name), visible_line(&without_keys(value)))?;
    }
    match body {
        Body::Text(text) => writeln!(out, "\n{}", visible(&without_keys(text))),
        Body::Hex(hex) => writeln!(out, "\nnot UTF-8, so in hexadecimal: {hex}"),
    }
}

/// Line by line, with who said it.
fn write_turns(turns: &[(bool, Vec<u8>)], out: &mut dyn Write) -> std::io::Result<()> {
    for (received, bytes) in turns {
        writeln!(out, "\n--- {}", if *received { "received" } else { "sent" })?;
        writeln!(out, "{}", visible(without_keys(&String::from_utf8_lossy(bytes)).trim_end()))?;
    }
    Ok(())
}

impl Body {
    fn of(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Hex(error.as_bytes().iter().fold(String::new(), |mut hex, byte| {
                // Writing to a string can't fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, write_message};

    #[test]
    fn keys_in_a_message_are_masked_for_people() {
        let key = "sk-ant-api03-0123456789abcdefghij";
        let body = Body::of(format!("my key is {key}").into_bytes());
        let mut out = Vec::new();
        write_message(&[("x-echo".to_owned(), key.to_owned())], &body, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "x-echo: sk-ant-***\n\nmy key is sk-ant-***\n");
    }
}
