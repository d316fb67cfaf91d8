//! Google Gemini.
//!
//! Format: <https://ai.google.dev/api/generate-content>. Every event is a whole response with a part of the text. There
//! is no terminator but the response's own end, so that end must be marked by its framing. Counts are cumulative, and
//! reasoning stands beside the output, not in it.

use std::fmt::Write as _;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Call;
use super::failure::{broken, excerpt};
use super::framing::{Format, QUOTED, cut};
use super::transport::{Part, Post};
use crate::domain::{End, Usage};

/// The request for this call.
pub(super) fn post(call: &Call) -> Post<'_> {
    let mut body = json!({"contents": [{"role": "user", "parts": [{"text": call.prompt}]}]});
    if let Some(fields) = body.as_object_mut() {
        if !call.system.is_empty() {
            fields.insert("systemInstruction".to_owned(), json!({"parts": [{"text": call.system}]}));
        }
        if let Some(max) = call.max_output {
            fields.insert("generationConfig".to_owned(), json!({"maxOutputTokens": max}));
        }
    }
    // Tuned models have a path of their own.
    let place = if call.model.contains('/') { "" } else { "models/" };
    let path = format!("{place}{}:streamGenerateContent?alt=sse", encoded(&call.model));
    Post { path: path.into(), body: Bytes::from(body.to_string()), model: &call.model }
}

/// `name` as a part of an address, with its slashes.
fn encoded(name: &str) -> String {
    name.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

/// What the reply has said so far.
#[derive(Default)]
pub(super) struct Gemini {
    finish_reason: Option<String>,
    finish_message: Option<String>,
    /// The counts of all events, later ones in place of earlier ones.
    usage: Map<String, Value>,
}

impl Format for Gemini {
    const WHAT: &'static str = "Gemini response";

    fn piece(&mut self, json: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        let event: Event = serde_json::from_slice(json)?;
        if let Some(error) = event.error {
            parts.push(broken(&error));
            return Ok(None);
        }
        parts.extend(event.model_version.filter(|model| !model.is_empty()).map(Part::Model));
        self.count(event.usage_metadata, parts);
        let blocked = event.prompt_feedback.and_then(|feedback| feedback.block_reason);
        if let Some(reason) = blocked {
            let reason = excerpt(&reason, QUOTED);
            return Ok(Some(End::Failed(format!("the server refused the prompt: blockReason {reason}"))));
        }
        for candidate in event.candidates.into_iter().flatten().filter(|candidate| candidate.index == 0) {
            for piece in candidate.content.and_then(|content| content.parts).into_iter().flatten() {
                let part = if piece.thought { Part::Reasoning } else { Part::Text };
                parts.extend(piece.text.filter(|text| !text.is_empty()).map(part));
            }
            self.finish_reason = candidate.finish_reason.or(self.finish_reason.take());
            self.finish_message = candidate.finish_message.or(self.finish_message.take());
        }
        Ok(None)
    }

    fn verdict(&self, marked: bool) -> End {
        let words = self.finish_message.as_deref().map(|words| format!(": {}", excerpt(words, QUOTED)));
        let words = words.unwrap_or_default();
        match self.finish_reason.as_deref() {
            None => cut("a finishReason"),
            Some("STOP") if marked => End::Complete,
            Some("STOP") => cut("a mark of its end"),
            Some("MAX_TOKENS") => End::Truncated("finishReason: MAX_TOKENS, the output limit was reached".to_owned()),
            Some(filter @ ("SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII")) => {
                End::Truncated(format!("finishReason: {filter}, the server's filter stopped the reply{words}"))
            }
            Some(other) => {
                End::Truncated(format!("finishReason: {}, not the end of a reply{words}", excerpt(other, QUOTED)))
            }
        }
    }
}

impl Gemini {
    fn count(&mut self, counts: Option<Map<String, Value>>, parts: &mut Vec<Part>) {
        let Some(counts) = counts else { return };
        self.usage.extend(counts.into_iter().filter(|(_, count)| !count.is_null()));
        let count = |name: &str| self.usage.get(name).and_then(Value::as_u64);
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        let reasoning = count("thoughtsTokenCount");
        let usage = Usage {
            input: sum(count("promptTokenCount"), count("toolUsePromptTokenCount")),
            output: sum(count("candidatesTokenCount"), reasoning),
            cached: count("cachedContentTokenCount"),
            reasoning,
        };
        parts.push(Part::Usage(usage, Value::from(self.usage.clone()).to_string()));
    }
}

/// One event of a stream, one element of an array, or the one document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Map<String, Value>>,
    model_version: Option<String>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    index: u32,
    content: Option<Content>,
    finish_reason: Option<String>,
    finish_message: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    parts: Option<Vec<Piece>>,
}

#[derive(Deserialize)]
struct Piece {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}
