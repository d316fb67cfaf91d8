//! Anthropic Messages.
//!
//! Format: <https://docs.anthropic.com/en/api/messages-streaming>. A reply is complete when `stop_reason` says so and
//! `message_stop` follows. Counts are cumulative, and cached tokens stand beside the input, not in it.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Call;
use super::failure::{broken, excerpt};
use super::framing::{Format, QUOTED, cut};
use super::transport::{Part, Post};
use crate::domain::{End, Usage};

/// The format wants a limit. What every model sold since 2025 can write, reasoning included.
const MAX_TOKENS: u64 = 32_000;

/// The request for this call.
pub(super) fn post(call: &Call) -> Post<'_> {
    let mut body = json!({
        "model": call.model,
        "max_tokens": call.max_output.unwrap_or(MAX_TOKENS),
        "messages": [{"role": "user", "content": call.prompt}],
        "stream": true,
    });
    if let (false, Some(fields)) = (call.system.is_empty(), body.as_object_mut()) {
        fields.insert("system".to_owned(), call.system.clone().into());
    }
    Post { path: "messages".into(), body: Bytes::from(body.to_string()), model: &call.model }
}

/// What the reply has said so far.
#[derive(Default)]
pub(super) struct Anthropic {
    stop_reason: Option<String>,
    refusal: Option<String>,
    /// The counts of all events, later ones in place of earlier ones.
    usage: Map<String, Value>,
}

impl Format for Anthropic {
    const WHAT: &'static str = "message";

    fn piece(&mut self, json: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        let event: Event = serde_json::from_slice(json)?;
        match event.kind.as_str() {
            "message_start" => {
                if let Some(message) = event.message {
                    self.message(message, parts);
                }
            }
            "content_block_start" => parts.extend(event.content_block.and_then(Block::part)),
            "content_block_delta" => parts.extend(event.delta.and_then(Block::part)),
            "message_delta" => {
                let delta = event.delta.unwrap_or_default();
                self.stop(delta.stop_reason, delta.stop_details);
                self.count(event.usage, parts);
            }
            "message_stop" => return Ok(Some(self.ending())),
            // The document of an answer that isn't streamed.
            "message" => {
                self.message(serde_json::from_slice(json)?, parts);
                return Ok(Some(self.ending()));
            }
            "error" => parts.push(broken(&event.error.unwrap_or_default())),
            _ => {}
        }
        Ok(None)
    }

    fn verdict(&self, _marked: bool) -> End {
        match self.ending() {
            End::Complete => cut("message_stop"),
            end => end,
        }
    }
}

impl Anthropic {
    /// How the reply ended, now that it has.
    fn ending(&self) -> End {
        let truncated = |why: &str| End::Truncated(format!("stop_reason: {why}"));
        match self.stop_reason.as_deref() {
            None => cut("a stop_reason"),
            Some("refusal") => match &self.refusal {
                Some(words) => End::Failed(format!("the model refused: {}", excerpt(words, QUOTED))),
                None => End::Failed("the model refused, and gave no reason".to_owned()),
            },
            Some("end_turn" | "stop_sequence") => End::Complete,
            Some("max_tokens") => {
                truncated("max_tokens, the output limit or the end of the model's context was reached")
            }
            Some("model_context_window_exceeded") => {
                truncated("model_context_window_exceeded, the end of the model's context was reached")
            }
            Some(other) => truncated(&format!("{}, not the end of a reply", excerpt(other, QUOTED))),
        }
    }

    fn message(&mut self, message: Message, parts: &mut Vec<Part>) {
        parts.extend(message.model.filter(|model| !model.is_empty()).map(Part::Model));
        parts.extend(message.content.into_iter().flatten().filter_map(Block::part));
        self.stop(message.stop_reason, message.stop_details);
        self.count(message.usage, parts);
    }

    fn stop(&mut self, reason: Option<String>, details: Option<Details>) {
        self.stop_reason = reason.or(self.stop_reason.take());
        let words = details.and_then(|details| details.explanation.or(details.category));
        self.refusal = words.or(self.refusal.take());
    }

    fn count(&mut self, counts: Option<Map<String, Value>>, parts: &mut Vec<Part>) {
        let Some(counts) = counts else { return };
        self.usage.extend(counts.into_iter().filter(|(_, count)| !count.is_null()));
        let count = |name: &str| self.usage.get(name).and_then(Value::as_u64);
        let cached = count("cache_read_input_tokens");
        let beside = [cached, count("cache_creation_input_tokens")].into_iter().flatten();
        let details = self.usage.get("output_tokens_details");
        let usage = Usage {
            input: count("input_tokens").map(|input| beside.fold(input, u64::saturating_add)),
            output: count("output_tokens"),
            cached,
            reasoning: details.and_then(|details| details.get("thinking_tokens")).and_then(Value::as_u64),
        };
        parts.push(Part::Usage(usage, Value::from(self.usage.clone()).to_string()));
    }
}

/// One event of a stream, or the one document of an answer that isn't streamed.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    message: Option<Message>,
    content_block: Option<Block>,
    delta: Option<Block>,
    usage: Option<Map<String, Value>>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    model: Option<String>,
    content: Option<Vec<Block>>,
    stop_reason: Option<String>,
    stop_details: Option<Details>,
    usage: Option<Map<String, Value>>,
}

/// A block of content, more of one, or the news of a `message_delta`.
#[derive(Deserialize, Default)]
struct Block {
    text: Option<String>,
    thinking: Option<String>,
    stop_reason: Option<String>,
    stop_details: Option<Details>,
}

impl Block {
    fn part(self) -> Option<Part> {
        let text = self.text.filter(|text| !text.is_empty()).map(Part::Text);
        text.or(self.thinking.filter(|text| !text.is_empty()).map(Part::Reasoning))
    }
}

/// Why the model refused.
#[derive(Deserialize)]
struct Details {
    category: Option<String>,
    explanation: Option<String>,
}
