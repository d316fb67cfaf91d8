//! Ollama's own format: lines of JSON.
//!
//! Format: <https://github.com/ollama/ollama/blob/main/docs/api.md>. A reply is complete when a line says `done` and its
//! `done_reason` is `stop`. Unlike its imitation of OpenAI, this format takes the size of the context: without it a
//! prompt longer than the server's default loses its beginning in silence.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::failure::{broken, excerpt};
use super::framing::{Format, QUOTED, cut};
use super::transport::{Part, Post};
use crate::domain::{End, Usage};

/// Room for the reply, in tokens, where no limit is set.
const REPLY: u64 = 8 * 1024;

/// Contexts grow in steps, so that the server rarely has to load the model anew.
const STEP: u64 = 8 * 1024;

/// The request for this call.
pub(super) fn post(call: &Call) -> Post<'_> {
    let mut messages = Vec::new();
    if !call.system.is_empty() {
        messages.push(json!({"role": "system", "content": call.system}));
    }
    messages.push(json!({"role": "user", "content": call.prompt}));
    // A token of code has three bytes or more.
    let asked = (call.system.len() + call.prompt.len()).div_ceil(3) as u64;
    let wanted = asked.saturating_add(call.max_output.unwrap_or(REPLY));
    let mut options = json!({"num_ctx": wanted.div_ceil(STEP).saturating_mul(STEP)});
    if let (Some(max), Some(fields)) = (call.max_output, options.as_object_mut()) {
        fields.insert("num_predict".to_owned(), max.into());
    }
    let body = json!({"model": call.model, "messages": messages, "stream": true, "options": options});
    Post { path: "api/chat".into(), body: Bytes::from(body.to_string()), model: &call.model }
}

/// Nothing but the last line says how the reply ended.
#[derive(Default)]
pub(super) struct Ollama;

impl Format for Ollama {
    const WHAT: &'static str = "chat of Ollama";
    const LINES: bool = true;

    fn piece(&mut self, json: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        let line: Line = serde_json::from_slice(json)?;
        if let Some(error) = line.error {
            parts.push(broken(&error));
            return Ok(None);
        }
        parts.extend(line.model.filter(|model| !model.is_empty()).map(Part::Model));
        if let Some(message) = line.message {
            parts.extend(message.thinking.filter(|text| !text.is_empty()).map(Part::Reasoning));
            parts.extend(message.content.filter(|text| !text.is_empty()).map(Part::Text));
        }
        if !line.done {
            return Ok(None);
        }
        let usage = Usage { input: line.prompt_eval_count, output: line.eval_count, cached: None, reasoning: None };
        // The line itself holds the counts, among durations and what has been taken already.
        let counts: Value = json!({"prompt_eval_count": usage.input, "eval_count": usage.output});
        parts.push(Part::Usage(usage, counts.to_string()));
        Ok(Some(match line.done_reason.as_deref() {
            Some("stop") => End::Complete,
            Some("length") => End::Truncated(
                "done_reason: length, the output limit or the end of the model's context was reached".to_owned(),
            ),
            Some(other) => End::Truncated(format!("done_reason: {}, not the end of a reply", excerpt(other, QUOTED))),
            None => cut("a done_reason"),
        }))
    }

    fn verdict(&self, _marked: bool) -> End {
        cut("a line that says done")
    }
}

#[derive(Deserialize)]
struct Line {
    model: Option<String>,
    message: Option<Message>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    thinking: Option<String>,
}
