//! `windlass show x N`: exactly what went over the wire in an exchange.

use std::fmt::Write as _;
use std::io::Write;

use serde::Serialize;

use crate::domain::{ExchangeId, visible, visible_line, without_keys};
use crate::journal::StoredExchange;

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
        let earlier = std::mem::take(&mut stored.earlier).into_iter().map(Attempt::of).collect();
        Self { call, earlier, last: Attempt::of(stored) }
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for line in self.call.lines() {
            writeln!(out, "{}", visible_line(&line))?;
        }
        for (attempt, nth) in self.earlier.iter().zip(1..) {
            writeln!(out, "\n--- attempt {nth} of {}, which failed", self.earlier.len() + 1)?;
            attempt.write(out)?;
        }
        self.last.write(out)
    }
}

impl Attempt {
    fn of(stored: StoredExchange) -> Self {
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
        Self { request, response: came.then_some(response), turns }
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
