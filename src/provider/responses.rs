//! OpenAI Responses.
//!
//! Format: <https://platform.openai.com/docs/api-reference/responses>. A reply is complete with the one event
//! `response.completed`, which is terminator and finish reason at once. The server is told to store nothing.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Call;
use super::failure::{broken, excerpt};
use super::framing::{Format, QUOTED, cut};
use super::transport::{Part, Post};
use crate::domain::{End, Usage};

/// The request for this call.
pub(super) fn post(call: &Call) -> Post<'_> {
    let mut body = json!({"model": call.model, "input": call.prompt, "stream": true, "store": false});
    if let Some(fields) = body.as_object_mut() {
        if !call.system.is_empty() {
            fields.insert("instructions".to_owned(), call.system.clone().into());
        }
        if let Some(max) = call.max_output {
            fields.insert("max_output_tokens".to_owned(), max.into());
        }
    }
    Post { path: "responses".into(), body: Bytes::from(body.to_string()), model: &call.model }
}

/// What the reply has said so far.
#[derive(Default)]
pub(super) struct Responses {
    /// Whether text has come as deltas; the whole text follows them again.
    said: bool,
    thought: bool,
    refusal: String,
}

impl Format for Responses {
    const WHAT: &'static str = "response";

    fn piece(&mut self, json: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        let event: Event = serde_json::from_slice(json)?;
        match event.kind {
            // The document of an answer that isn't streamed.
            None if event.error.is_none() => return self.closing(&serde_json::from_slice(json)?, parts),
            None | Some("error") => {
                // The error stands in a field of its own, or its fields are the event's.
                let error = event.error.filter(|error| !error.is_null());
                parts.push(broken(&error.map_or_else(|| serde_json::from_slice(json), Ok)?));
            }
            Some("response.output_text.delta") => {
                self.said = true;
                parts.extend(event.delta.filter(|text| !text.is_empty()).map(Part::Text));
            }
            Some("response.reasoning_summary_text.delta" | "response.reasoning_text.delta") => {
                self.thought = true;
                parts.extend(event.delta.filter(|text| !text.is_empty()).map(Part::Reasoning));
            }
            Some("response.refusal.delta") => self.refuse(event.delta.unwrap_or_default(), parts),
            Some("response.completed" | "response.incomplete" | "response.failed") => {
                if let Some(raw) = event.response {
                    return self.closing(&serde_json::from_str(raw.get())?, parts);
                }
            }
            Some(_) => {}
        }
        Ok(None)
    }

    fn verdict(&self, _marked: bool) -> End {
        cut("response.completed")
    }
}

impl Responses {
    fn refuse(&mut self, words: String, parts: &mut Vec<Part>) {
        self.refusal.push_str(&words);
        parts.extend((!words.is_empty()).then_some(Part::Text(words)));
    }

    /// Takes the whole response, which closes a stream or is all there is.
    fn closing(&mut self, whole: &Whole, parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        parts.extend(whole.model.clone().filter(|model| !model.is_empty()).map(Part::Model));
        if let Some(raw) = whole.usage {
            let usage = serde_json::from_str::<WireUsage>(raw.get()).map(Usage::from).unwrap_or_default();
            parts.push(Part::Usage(usage, raw.get().to_owned()));
        }
        self.output(whole, parts);
        let why = whole.incomplete_details.as_ref().and_then(|details| details.reason.as_deref());
        Ok(Some(match (whole.status.as_deref(), why) {
            (Some("completed"), _) if self.refusal.is_empty() => End::Complete,
            (Some("completed"), _) => End::Failed(format!("the model refused: {}", excerpt(&self.refusal, QUOTED))),
            (Some("incomplete"), Some("max_output_tokens")) => End::Truncated(
                "incomplete: max_output_tokens, the output limit or the end of the model's context was reached".into(),
            ),
            (Some("incomplete"), Some("content_filter")) => {
                End::Truncated("incomplete: content_filter, the server's filter stopped the reply".to_owned())
            }
            (Some("incomplete"), why) => {
                End::Truncated(format!("incomplete: {}", excerpt(why.unwrap_or("the server gave no reason"), QUOTED)))
            }
            (Some("failed"), _) => {
                parts.push(broken(&whole.error.clone().unwrap_or_default()));
                return Ok(None);
            }
            (Some(status), _) => End::Truncated(format!("status: {}, not the end of a reply", excerpt(status, QUOTED))),
            (None, _) => cut("a status"),
        }))
    }

    /// What the whole response says that no delta has said.
    fn output(&mut self, whole: &Whole, parts: &mut Vec<Part>) {
        for item in whole.output.iter().flatten() {
            for piece in item.summary.iter().flatten().filter(|_| !self.thought) {
                parts.extend(piece.text.clone().map(Part::Reasoning));
            }
            for piece in item.content.iter().flatten() {
                match (piece.kind.as_deref(), &piece.text, &piece.refusal) {
                    (Some("output_text"), Some(text), _) if !self.said => parts.push(Part::Text(text.clone())),
                    (Some("reasoning_text"), Some(text), _) if !self.thought => {
                        parts.push(Part::Reasoning(text.clone()));
                    }
                    (Some("refusal"), _, Some(words)) if self.refusal.is_empty() => self.refuse(words.clone(), parts),
                    _ => {}
                }
            }
        }
    }
}

/// One event of a stream.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    delta: Option<String>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    error: Option<Value>,
}

/// A response object.
#[derive(Deserialize)]
struct Whole<'a> {
    status: Option<String>,
    model: Option<String>,
    output: Option<Vec<Item>>,
    incomplete_details: Option<Details>,
    error: Option<Value>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Item {
    content: Option<Vec<Piece>>,
    summary: Option<Vec<Piece>>,
}

#[derive(Deserialize)]
struct Piece {
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Details {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct WireUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

impl From<WireUsage> for Usage {
    fn from(wire: WireUsage) -> Self {
        Self {
            input: wire.input_tokens,
            output: wire.output_tokens,
            cached: wire.input_tokens_details.and_then(|details| details.cached_tokens),
            reasoning: wire.output_tokens_details.and_then(|details| details.reasoning_tokens),
        }
    }
}
