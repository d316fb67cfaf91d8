//! OpenAI Chat Completions, as OpenAI and the many servers that imitate it speak it.
//!
//! Format: <https://platform.openai.com/docs/api-reference/chat>. Imitators differ in ways met here: reasoning comes
//! as `reasoning_content` or `reasoning`, errors come inside the stream, `stream: true` is ignored and one JSON
//! document comes back, the closing `[DONE]` is missing.
//!
//! A reply is complete when `finish_reason` is `stop` and then `[DONE]` follows, or an end that the response's framing
//! marks as one. The latter is enough because nothing but the usage block can come after the finish reason.

use std::borrow::Cow;

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
    let mut messages = Vec::new();
    if !call.system.is_empty() {
        messages.push(json!({"role": "system", "content": call.system}));
    }
    messages.push(json!({"role": "user", "content": call.prompt}));
    let mut body = json!({
        "model": call.model,
        "messages": messages,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    if let (Some(max), Some(fields)) = (call.max_output, body.as_object_mut()) {
        fields.insert("max_completion_tokens".to_owned(), max.into());
    }
    Post { path: "chat/completions".into(), body: Bytes::from(body.to_string()), model: &call.model }
}

/// What the reply has said of its end so far.
#[derive(Default)]
pub(super) struct Chat {
    finish_reason: Option<String>,
    refusal: String,
}

impl Format for Chat {
    const WHAT: &'static str = "chat completion";

    fn piece(&mut self, json: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        if json == b"[DONE]" {
            return Ok(Some(match self.finish_reason {
                Some(_) => self.verdict(true),
                None => End::Truncated("the stream ended with [DONE] without a finish_reason".into()),
            }));
        }
        let chunk: Chunk = serde_json::from_slice(json)?;
        // vLLM's errors have no choices, but a message.
        let error = chunk.error.as_ref().or(chunk.message.as_ref().filter(|_| chunk.choices.is_none()));
        if let Some(error) = error {
            parts.push(broken(error));
            return Ok(None);
        }
        parts.extend(chunk.model.filter(|model| !model.is_empty()).map(|model| Part::Model(model.into_owned())));
        for choice in chunk.choices.into_iter().flatten().filter(|choice| choice.index == 0) {
            self.choice(choice, parts);
        }
        if let Some(raw) = chunk.usage {
            // Counts of a form unknown to us are kept as they came and reported as not known.
            let usage = serde_json::from_str::<WireUsage>(raw.get()).map(Usage::from).unwrap_or_default();
            parts.push(Part::Usage(usage, raw.get().to_owned()));
        }
        Ok(None)
    }

    fn verdict(&self, marked: bool) -> End {
        let truncated = |why: &str| End::Truncated(format!("finish_reason: {why}"));
        match self.finish_reason.as_deref() {
            None => cut("a finish_reason"),
            Some("stop") if !self.refusal.is_empty() => {
                End::Failed(format!("the model refused: {}", excerpt(&self.refusal, QUOTED)))
            }
            Some("stop") if marked => End::Complete,
            Some("stop") => cut("[DONE]"),
            Some("length") => truncated("length, the output limit or the end of the model's context was reached"),
            Some("content_filter") => truncated("content_filter, the server's filter stopped the reply"),
            Some(other) => truncated(&format!("{}, not the end of a reply", excerpt(other, QUOTED))),
        }
    }
}

impl Chat {
    fn choice(&mut self, choice: Choice, parts: &mut Vec<Part>) {
        let said = choice.delta.or(choice.message).unwrap_or_default();
        // A server in transition from one name to the other sends both: they say the same.
        let reasoning = said.reasoning_content.filter(|text| !text.is_empty()).or(said.reasoning);
        parts.extend(reasoning.filter(|text| !text.is_empty()).map(Part::Reasoning));
        parts.extend(said.content.filter(|text| !text.is_empty()).map(Part::Text));
        if let Some(refusal) = said.refusal.filter(|text| !text.is_empty()) {
            self.refusal.push_str(&refusal);
            parts.push(Part::Text(refusal));
        }
        self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
    }
}

/// One event of a stream, or the one document of an answer that isn't streamed. Unknown fields are ignored.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    choices: Option<Vec<Choice>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    error: Option<Value>,
    message: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    delta: Option<Said>,
    message: Option<Said>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
}

#[derive(Deserialize)]
struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's name for the cached tokens.
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl From<WireUsage> for Usage {
    fn from(wire: WireUsage) -> Self {
        let cached = wire.prompt_tokens_details.and_then(|details| details.cached_tokens);
        Self {
            input: wire.prompt_tokens,
            output: wire.completion_tokens,
            cached: cached.or(wire.prompt_cache_hit_tokens),
            reasoning: wire.completion_tokens_details.and_then(|details| details.reasoning_tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, Said, call};
    use super::post;
    use crate::domain::{End, Usage, WireFormat};
    use crate::provider::Call;

    const SCHEMA: &[u8] = include_bytes!("../../tests/fixtures/wire/openai-chat-json-schema.sse");
    const DOCUMENT: &[u8] = include_bytes!("../../tests/fixtures/wire/openai-chat.json");

    fn read(bytes: &[u8]) -> Said {
        testing::read(WireFormat::OpenAiChat, [bytes], true)
    }

    fn events(lines: &[&str]) -> Said {
        let stream: String = lines.iter().map(|line| format!("data: {line}\n\n")).collect();
        read(stream.as_bytes())
    }

    fn why(end: &End) -> &str {
        match end {
            End::Truncated(why) | End::Failed(why) => why,
            End::Complete | End::Cancelled | End::Interrupted => "",
        }
    }

    #[test]
    fn no_prefix_of_a_recorded_reply_is_complete() {
        let finished = SCHEMA.windows(22).position(|window| window == br#""finish_reason":"stop""#).unwrap();
        for at in (0..finished).step_by(17) {
            let said = read(&SCHEMA[..at]);
            assert!(matches!(said.end, End::Truncated(_)), "cut at {at}: {:?}", said.end);
        }
        let end = SCHEMA.len() - "NE]\n\n".len();
        assert!(matches!(read(&SCHEMA[..end]).end, End::Truncated(_)), "cut inside [DONE]");
        for at in 0..DOCUMENT.len() - 1 {
            let said = read(&DOCUMENT[..at]);
            assert!(matches!(said.end, End::Truncated(_)), "cut at {at}: {:?}", said.end);
        }
    }

    #[test]
    fn only_a_stop_is_complete() {
        let text = r#"{"choices":[{"delta":{"content":"Yes."}}]}"#;
        let finish = |reason: &str| format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
        let stop = finish("stop");
        assert_eq!(events(&[text, &stop, "[DONE]"]).end, End::Complete);
        assert_eq!(events(&[text, &stop]).end, End::Complete, "[DONE] may be missing where the end is marked");
        let stream = format!("data: {text}\n\ndata: {stop}\n\n");
        let unmarked = testing::read(WireFormat::OpenAiChat, [stream.as_bytes()], false).end;
        assert!(why(&unmarked).contains("ended without [DONE]"), "{unmarked:?}");
        assert_eq!(events(&[text, &stop, r#"{"choices":[],"usage":null}"#, "[DONE]"]).end, End::Complete);
        for (lines, expected) in [
            (&[text][..], "ended without a finish_reason"),
            (&[text, "[DONE]"], "[DONE] without a finish_reason"),
            (&[text, &finish("length"), "[DONE]"], "finish_reason: length"),
            (&[text, &finish("content_filter"), "[DONE]"], "finish_reason: content_filter"),
            (&[text, &finish("tool_calls"), "[DONE]"], "finish_reason: tool_calls"),
            (&[], "ended without a finish_reason"),
        ] {
            let said = events(lines);
            assert!(matches!(&said.end, End::Truncated(why) if why.contains(expected)), "{:?}", said.end);
        }
    }

    #[test]
    fn what_goes_wrong_inside_a_stream_fails_and_keeps_the_text() {
        let text = r#"{"choices":[{"delta":{"content":"Half"}}]}"#;
        for (line, expected) in [
            (r#"{"error":{"message":"Provider disconnected","code":502},"choices":[]}"#, "Provider disconnected"),
            (r#"{"error":"model runner has stopped"}"#, "model runner has stopped"),
            (r#"{"object":"error","message":"CUDA out of memory","code":500}"#, "CUDA out of memory"),
            (r#"{"choices":[{"delta":{"content":"ov"#, "event 2 of the stream"),
            (r#"{"choices":[{"delta":{"content":7}}]}"#, "event 2 of the stream"),
            (r#"{"choices":[{"delta":{"refusal":"I won't."},"finish_reason":"stop"}]}"#, "refused: I won't."),
        ] {
            let said = events(&[text, line, "[DONE]"]);
            assert!(matches!(&said.end, End::Failed(why) if why.contains(expected)), "{line}: {:?}", said.end);
            assert!(said.text.starts_with("Half"));
        }
        let page = read(b"\n<!doctype html><title>Sign in</title>");
        assert!(why(&page.end).contains("web page"), "{:?}", page.end);
        assert_eq!(why(&read(br#"{"error":{"message":"no"}}"#).end), "the server broke off: no");
    }

    #[test]
    fn dialects_are_understood() {
        let said = events(&[
            r#"{"model":"","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"Let"}}],"error":null}"#,
            r#"{"model":"m-1","choices":[{"index":0,"delta":{"reasoning":" me","reasoning_content":null,"content":null}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"reasoning_content":" see","reasoning":" see"}}],"new_field":[{}]}"#,
            r#"{"choices":[{"index":1,"delta":{"content":"another choice"}},{"index":0,"delta":{"content":"A\u00e9"}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,
                "prompt_cache_hit_tokens":4,"completion_tokens_details":{"reasoning_tokens":3}}}"#
                .replace('\n', "")
                .as_str(),
            "[DONE]",
        ]);
        let counted = Usage { input: Some(9), output: Some(5), cached: Some(4), reasoning: Some(3) };
        let (text, reasoning) = ("Aé".to_owned(), "Let me see".to_owned());
        assert_eq!(said, Said { text, reasoning, end: End::Complete, usage: counted, model: "m-1".into() });
    }

    #[test]
    fn a_reply_may_be_one_token_of_ten_megabytes() {
        let token = "x".repeat(10 * 1024 * 1024);
        let line = format!(r#"{{"choices":[{{"delta":{{"content":"{token}"}},"finish_reason":"stop"}}]}}"#);
        let said = events(&[&line, "[DONE]"]);
        assert_eq!((said.text.len(), said.end), (token.len(), End::Complete));
    }

    #[test]
    fn the_request_says_what_was_asked_and_no_more() {
        let mut call = Call { system: "Be brief.".into(), prompt: "Why?\n\"é\"".into(), ..call() };
        let body = |call: &Call| serde_json::from_slice::<serde_json::Value>(&post(call).body).unwrap();
        let expected = serde_json::json!({
            "model": "m", "stream": true, "stream_options": {"include_usage": true},
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?\n\"é\""}],
        });
        assert_eq!(body(&call), expected);
        call.max_output = Some(700);
        assert_eq!(body(&call)["max_completion_tokens"], 700);
        call.system.clear();
        assert_eq!(body(&call)["messages"].as_array().unwrap().len(), 1);
    }
}
