//! The exact bytes of exchanges as rows: one line of JSON about them, a line feed, then the bytes themselves, so that a
//! row is readable by eye and nothing in it is escaped.

use serde::{Deserialize, Serialize};

use crate::domain::ExchangeId;

/// What went over the wire, and in which exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRow {
    /// The exchange.
    pub exchange: ExchangeId,
    /// What went over the wire.
    pub kind: WireKind,
}

/// One thing that went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireKind {
    /// The request, before it is sent. An exchange has one for each attempt.
    Request(SentRequest),
    /// The response's head. An attempt has at most one.
    Response(ReceivedResponse),
    /// Some of the response's body.
    Chunk(ReceivedChunk),
    /// More that was sent after the request, where both sides talk.
    Sent(SentChunk),
}

/// A request as it was sent, secrets masked by whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedResponse {
    /// The status code.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
}

/// Some of a response's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedChunk {
    /// Nanoseconds after the request was sent.
    pub elapsed_ns: u64,
    /// The bytes as they arrived.
    pub bytes: Vec<u8>,
}

/// Something sent in the course of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentChunk {
    /// Nanoseconds after the request was sent.
    pub elapsed_ns: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// An exchange, as far as it got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredExchange {
    /// The attempts that failed and were followed by another, in order; none of them has earlier ones itself.
    pub earlier: Vec<StoredExchange>,
    /// What was sent.
    pub request: Option<SentRequest>,
    /// The head of what came back.
    pub response: Option<ReceivedResponse>,
    /// The body of what came back, in order.
    pub chunks: Vec<ReceivedChunk>,
    /// What was sent after the request, in order, each with the number of chunks that had been received before it.
    pub sent: Vec<(usize, SentChunk)>,
}

/// The words of the `kind` column for these rows.
pub(super) const REQUEST: &str = "request";
pub(super) const RESPONSE: &str = "response";
pub(super) const CHUNK: &str = "chunk";
pub(super) const SENT: &str = "sent";

/// The version of the form written here.
pub(super) const VERSION: i64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestLine {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseLine {
    status: u16,
    headers: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChunkLine {
    elapsed_ns: u64,
}

/// The bytes of a row are not of the form written here.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("its form has version {0}, which this windlass does not know")]
    Version(i64),
    #[error("its kind is none that windlass writes")]
    Kind,
    #[error("it has no line feed between its description and its bytes")]
    Line,
    #[error("its description can't be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("its exchange has a response already")]
    Twice,
}

impl WireKind {
    /// The word for the `kind` column, and the body.
    pub(super) fn encode(&self) -> Result<(&'static str, Vec<u8>), serde_json::Error> {
        match self {
            Self::Request(SentRequest { method, url, headers, body }) => {
                let line = RequestLine { method: method.clone(), url: url.clone(), headers: headers.clone() };
                Ok((REQUEST, join(&line, body)?))
            }
            Self::Response(ReceivedResponse { status, headers }) => {
                let line = ResponseLine { status: *status, headers: headers.clone() };
                Ok((RESPONSE, join(&line, &[])?))
            }
            Self::Chunk(ReceivedChunk { elapsed_ns, bytes }) => {
                Ok((CHUNK, join(&ChunkLine { elapsed_ns: *elapsed_ns }, bytes)?))
            }
            Self::Sent(SentChunk { elapsed_ns, bytes }) => {
                Ok((SENT, join(&ChunkLine { elapsed_ns: *elapsed_ns }, bytes)?))
            }
        }
    }

    /// Reads what [`Self::encode`] wrote.
    pub(super) fn decode(kind: &[u8], version: i64, body: &[u8]) -> Result<Self, WireError> {
        if version != VERSION {
            return Err(WireError::Version(version));
        }
        let feed = body.iter().position(|byte| *byte == b'\n').ok_or(WireError::Line)?;
        let (line, rest) = body.split_at_checked(feed).ok_or(WireError::Line)?;
        let bytes = rest.get(1..).ok_or(WireError::Line)?.to_vec();
        if kind == REQUEST.as_bytes() {
            let RequestLine { method, url, headers } = serde_json::from_slice(line)?;
            Ok(Self::Request(SentRequest { method, url, headers, body: bytes }))
        } else if kind == RESPONSE.as_bytes() {
            let ResponseLine { status, headers } = serde_json::from_slice(line)?;
            Ok(Self::Response(ReceivedResponse { status, headers }))
        } else if kind == CHUNK.as_bytes() {
            let ChunkLine { elapsed_ns } = serde_json::from_slice(line)?;
            Ok(Self::Chunk(ReceivedChunk { elapsed_ns, bytes }))
        } else if kind == SENT.as_bytes() {
            let ChunkLine { elapsed_ns } = serde_json::from_slice(line)?;
            Ok(Self::Sent(SentChunk { elapsed_ns, bytes }))
        } else {
            Err(WireError::Kind)
        }
    }
}

fn join(line: &impl Serialize, bytes: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = serde_json::to_vec(line)?;
    body.reserve_exact(bytes.len().saturating_add(1));
    body.push(b'\n');
    body.extend_from_slice(bytes);
    Ok(body)
}

impl StoredExchange {
    /// What went over the wire where both sides talk, in turn: whether it was received, and the bytes. Nothing where one
    /// request has one response.
    pub fn turns(&self) -> Vec<(bool, Vec<u8>)> {
        let mut turns: Vec<(bool, Vec<u8>)> = Vec::new();
        if self.sent.is_empty() {
            return turns;
        }
        let mut add = |received: bool, bytes: &[u8]| match turns.last_mut() {
            Some((same, all)) if *same == received => all.extend_from_slice(bytes),
            _ => turns.push((received, bytes.to_vec())),
        };
        let mut sent = self.sent.iter().peekable();
        for (before, chunk) in self.chunks.iter().enumerate() {
            while let Some((_, said)) = sent.next_if(|(after, _)| *after <= before) {
                add(false, &said.bytes);
            }
            add(true, &chunk.bytes);
        }
        sent.for_each(|(_, said)| add(false, &said.bytes));
        turns
    }

    /// Adds the next row.
    pub(super) fn add(&mut self, row: WireKind) -> Result<(), WireError> {
        match row {
            WireKind::Request(request) => {
                if self.request.is_some() {
                    let earlier = std::mem::take(&mut self.earlier);
                    let failed = std::mem::take(self);
                    self.earlier = earlier;
                    self.earlier.push(failed);
                }
                self.request = Some(request);
            }
            WireKind::Response(response) if self.response.is_none() => self.response = Some(response),
            WireKind::Response(_) => return Err(WireError::Twice),
            WireKind::Chunk(chunk) => self.chunks.push(chunk),
            WireKind::Sent(sent) => self.sent.push((self.chunks.len(), sent)),
        }
        Ok(())
    }
}
