//! A call read back from the journal, as text for the screen: what was sent, piece by piece, and what came, as it came.
//!
//! `windlass show x N` has the same bytes, exactly.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::domain::{ExchangeId, without_keys};
use crate::driver::{Moments, reread};
use crate::journal::{self, Found, OpenError, ReadError, Reader, StoredExchange};

/// Why a call can't be read back.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    /// The journal can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What went over the wire in a call.
pub(super) fn text(dir: &Path, id: ExchangeId) -> Result<String, ExchangeError> {
    let stored = match Reader::open(dir)? {
        Some(reader) => reader.exchange(id)?.unwrap_or_default(),
        None => StoredExchange::default(),
    };
    Ok(without_keys(&told(&stored)).into_owned())
}

/// Those of these calls that have a text in what was sent or said, each with the first line that has it.
pub(super) fn find(
    dir: &Path,
    text: &str,
    ids: Vec<ExchangeId>,
) -> Result<BTreeMap<ExchangeId, String>, ExchangeError> {
    let mut lines = BTreeMap::new();
    let Some(reader) = Reader::open(dir)? else { return Ok(lines) };
    for id in reader.may_have(text, ids)? {
        let stored = reader.exchange(id)?.unwrap_or_default();
        if let Some(Found { side, text }) = journal::find(&stored, text).into_iter().next() {
            lines.insert(id, format!("{side}: {}", text.trim()));
        }
    }
    Ok(lines)
}

fn told(stored: &StoredExchange) -> String {
    let attempts = stored.earlier.len() + 1;
    let mut text = String::new();
    for (attempt, number) in stored.earlier.iter().zip(1..) {
        let _ = writeln!(text, "# Attempt {number} of {attempts}, which failed\n\n{}", told(attempt));
    }
    // Writing to a string can't fail.
    if let Some(line) = Moments::of(&reread(stored), None).line() {
        let _ = writeln!(text, "{line}\n");
    }
    match &stored.request {
        None => text.push_str("# Nothing was sent\n"),
        Some(sent) => {
            let _ = writeln!(text, "# Sent\n\n{} {}", sent.method, sent.url);
            for (name, value) in &sent.headers {
                let _ = writeln!(text, "{name}: {value}");
            }
            text.push('\n');
            body(&mut text, &sent.body);
        }
    }
    let turns = stored.turns();
    if !turns.is_empty() {
        for (received, bytes) in turns {
            let _ = writeln!(text, "\n# {}\n", if received { "Received" } else { "Sent" });
            bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| body(&mut text, line));
        }
        return text;
    }
    let bytes: Vec<u8> = stored.chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
    match &stored.response {
        None if bytes.is_empty() => text.push_str("\n# Nothing came\n"),
        response => {
            let status = response.as_ref().map(|head| head.status.to_string()).unwrap_or_default();
            let _ = writeln!(text, "\n# Received {status}, {} chunks\n", stored.chunks.len());
            for (name, value) in response.iter().flat_map(|head| &head.headers) {
                let _ = writeln!(text, "{name}: {value}");
            }
            text.push('\n');
            body(&mut text, &bytes);
        }
    }
    text
}

/// JSON with its texts written out, line by line; anything else as it is.
fn body(text: &mut String, bytes: &[u8]) {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => outline(text, "", &value, 0),
        Err(_) => text.push_str(&String::from_utf8_lossy(bytes)),
    }
    text.push('\n');
}

fn outline(text: &mut String, key: &str, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    let head = if key.is_empty() { indent.clone() } else { format!("{indent}{key}: ") };
    match value {
        Value::Object(fields) => {
            if !key.is_empty() {
                let _ = writeln!(text, "{}", head.trim_end());
            }
            for (key, value) in fields {
                outline(text, key, value, depth + usize::from(!key.is_empty()));
            }
        }
        Value::Array(items) => {
            let _ = writeln!(text, "{}", head.trim_end());
            for (index, item) in items.iter().enumerate() {
                outline(text, &format!("{}", index + 1), item, depth + 1);
            }
        }
        Value::String(words) if words.contains('\n') => {
            let _ = writeln!(text, "{}", head.trim_end());
            for line in words.lines() {
                let _ = writeln!(text, "{indent}  {line}");
            }
        }
        Value::String(words) => {
            let _ = writeln!(text, "{head}{words}");
        }
        other => {
            let _ = writeln!(text, "{head}{other}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{ReceivedChunk, ReceivedResponse, SentRequest};

    #[test]
    fn a_prompt_is_readable_and_a_stream_is_as_it_came() {
        let body = br###"{"model":"m","messages":[{"role":"user","content":"# Task\n\n- one"}],"stream":true}"###;
        let stored = StoredExchange {
            earlier: Vec::new(),
            request: Some(SentRequest {
                method: "POST".to_owned(),
                url: "http://127.0.0.1/v1".to_owned(),
                headers: vec![("authorization".to_owned(), "***".to_owned())],
                body: body.to_vec(),
            }),
            response: Some(ReceivedResponse { status: 200, headers: Vec::new() }),
            chunks: vec![ReceivedChunk { elapsed_ns: 1, bytes: b"data: {\"x\":1}\n\n".to_vec() }],
            sent: Vec::new(),
        };
        let text = told(&stored);
        for part in [
            "POST http://127.0.0.1/v1",
            "content:\n",
            "# Task\n",
            "- one\n",
            "stream: true",
            "data: {\"x\":1}",
            "first byte after 0 ms",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(told(&StoredExchange::default()).contains("Nothing was sent"));
    }
}
