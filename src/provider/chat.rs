//! OpenAI Chat Completions, as OpenAI and the many servers that imitate it speak it.
//!
//! Format: <https://platform.openai.com/docs/api-reference/chat>. Imitators differ in ways met here: reasoning comes
//! as `reasoning_content` or `reasoning`, errors come inside the stream, `stream: true` is ignored and one JSON
//! document comes back, the closing `[DONE]` is missing.
//!
//! A reply is complete when `finish_reason` is `stop` and then `[DONE]` or the orderly end of the response follows. The
//! latter is enough because nothing but the usage block can come after the finish reason.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Call;
use super::failure::{excerpt, words_in};
use super::sse::Decoder;
use super::transport::{self, Part, Post};
use crate::domain::{End, Usage};

/// The most bytes of a reply that comes as one JSON document.
const DOCUMENT_CAP: usize = 16 * 1024 * 1024;

/// The most of a foreign word or line that a message quotes, in bytes.
const QUOTED: usize = 200;

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
    Post { path: "chat/completions", body: Bytes::from(body.to_string()), model: &call.model }
}

/// Finds the reply in the bytes of a response.
#[derive(Default)]
pub(super) struct Reader {
    form: Form,
    /// Events read so far.
    events: usize,
    finish_reason: Option<String>,
    refusal: String,
}

/// The form of a response, known from its first byte: content types are wrong too often.
#[derive(Default)]
enum Form {
    #[default]
    Unknown,
    Events(Decoder),
    Document(Vec<u8>),
}

impl transport::Reader for Reader {
    fn read(&mut self, bytes: &[u8], parts: &mut Vec<Part>) {
        if matches!(self.form, Form::Unknown) {
            self.form = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => return,
                Some(b'{') => Form::Document(Vec::new()),
                Some(b'<') => return parts.push(Part::End(web_page(bytes))),
                Some(_) => Form::Events(Decoder::default()),
            };
        }
        match &mut self.form {
            Form::Unknown => {}
            Form::Document(document) if document.len() + bytes.len() > DOCUMENT_CAP => {
                parts.push(Part::End(End::Failed("the response is one JSON document of more than 16 MiB".to_owned())));
            }
            Form::Document(document) => document.extend_from_slice(bytes),
            Form::Events(decoder) => {
                let mut events = Vec::new();
                let pushed = decoder.push(bytes, &mut events);
                for data in events {
                    match self.event(&data, parts) {
                        Ok(None) => {}
                        Ok(Some(end)) => return parts.push(Part::End(end)),
                        Err(error) => return parts.push(Part::End(self.malformed(&data, &error))),
                    }
                }
                if let Err(error) = pushed {
                    parts.push(Part::End(End::Failed(error.to_string())));
                }
            }
        }
    }

    fn finish(&mut self, parts: &mut Vec<Part>) {
        let last = match &mut self.form {
            Form::Unknown => Ok(None),
            Form::Document(document) => Ok(Some(std::mem::take(document))),
            Form::Events(decoder) => decoder.finish(),
        };
        let end = match last {
            Err(error) => End::Failed(error.to_string()),
            Ok(None) => self.verdict("the response"),
            Ok(Some(data)) => match self.event(&data, parts) {
                Ok(end) => end.unwrap_or_else(|| self.verdict("the response")),
                Err(error) if is_cut(&data, &error) => {
                    End::Truncated("the response ended in the middle of its JSON: the connection was cut".to_owned())
                }
                Err(error) => self.malformed(&data, &error),
            },
        };
        parts.push(Part::End(end));
    }
}

impl Reader {
    /// Takes the data of one event, or the whole document. An end if this is the last event that matters.
    fn event(&mut self, data: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        let data = data.trim_ascii();
        if data.is_empty() {
            return Ok(None);
        }
        if data == b"[DONE]" {
            return Ok(Some(self.verdict("[DONE]")));
        }
        self.events += 1;
        let chunk: Chunk = serde_json::from_slice(data)?;
        if let Some(error) = &chunk.error {
            return Ok(Some(End::Failed(format!("the server broke off: {}", words_in(error)))));
        }
        if let (None, Some(message)) = (&chunk.choices, &chunk.message) {
            return Ok(Some(End::Failed(format!("the server broke off: {}", words_in(message)))));
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

    /// How the reply ended, given that nothing more comes after `closing`.
    fn verdict(&self, closing: &str) -> End {
        let truncated = |why: &str| End::Truncated(format!("finish_reason: {why}"));
        match self.finish_reason.as_deref() {
            Some("stop") if self.refusal.is_empty() => End::Complete,
            Some("stop") => End::Failed(format!("the model refused: {}", excerpt(&self.refusal, QUOTED))),
            Some("length") => truncated("length, the output limit or the end of the model's context was reached"),
            Some("content_filter") => truncated("content_filter, the server's filter stopped the reply"),
            Some(other) => truncated(&format!("{}, not the end of a reply", excerpt(other, QUOTED))),
            None if closing == "[DONE]" => {
                End::Truncated("the stream ended with [DONE] without a finish_reason".into())
            }
            None => End::Truncated(format!("{closing} ended without a finish_reason: the connection was cut")),
        }
    }

    fn malformed(&self, data: &[u8], error: &serde_json::Error) -> End {
        let quoted = excerpt(&String::from_utf8_lossy(data), QUOTED);
        let message = match self.form {
            Form::Document(_) => format!("the response is not a chat completion ({error}): {quoted}"),
            _ => format!("event {} of the stream is not a piece of a chat completion ({error}): {quoted}", self.events),
        };
        End::Failed(message)
    }
}

/// Whether JSON is wrong for being incomplete. (A number cut at its point isn't reported as the end of input.)
fn is_cut(data: &[u8], error: &serde_json::Error) -> bool {
    let data = data.trim_ascii();
    matches!(data.first(), Some(b'{' | b'[')) && (error.is_eof() || data.last() != Some(&b'}'))
}

fn web_page(bytes: &[u8]) -> End {
    let quoted = excerpt(&String::from_utf8_lossy(bytes), QUOTED);
    End::Failed(format!("the server answered with a web page, so base_url is likely to be wrong: {quoted}"))
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
    /// An error in the form of vLLM: no choices, but a message.
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
    use super::super::transport::{Part, Reader as _};
    use super::{Reader, post};
    use crate::domain::{End, Role, Usage};
    use crate::provider::Call;

    const STREAM: &[u8] = include_bytes!("../../tests/fixtures/wire/openai-chat.sse");
    const SCHEMA: &[u8] = include_bytes!("../../tests/fixtures/wire/openai-chat-json-schema.sse");
    const DOCUMENT: &[u8] = include_bytes!("../../tests/fixtures/wire/openai-chat.json");
    const LENGTH: &[u8] = include_bytes!("../../tests/fixtures/wire/openai-chat-length.json");

    /// What a response says, its parts put together.
    #[derive(Debug, PartialEq)]
    struct Said {
        text: String,
        reasoning: String,
        end: End,
        usage: Usage,
        model: String,
    }

    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Said {
        let (mut reader, mut parts) = (Reader::default(), Vec::new());
        for piece in pieces {
            reader.read(piece, &mut parts);
        }
        reader.finish(&mut parts);
        let (text, reasoning, model) = Default::default();
        let mut said = Said { text, reasoning, end: End::Interrupted, usage: Usage::default(), model };
        for part in parts {
            match part {
                Part::Text(text) => said.text.push_str(&text),
                Part::Reasoning(text) => said.reasoning.push_str(&text),
                Part::Usage(usage, _) => said.usage = usage,
                Part::Model(model) => said.model = model,
                Part::End(end) => {
                    said.end = end;
                    break;
                }
            }
        }
        said
    }

    fn events(lines: &[&str]) -> Said {
        let stream: String = lines.iter().map(|line| format!("data: {line}\n\n")).collect();
        read([stream.as_bytes()])
    }

    fn why(end: &End) -> &str {
        match end {
            End::Truncated(why) | End::Failed(why) => why,
            End::Complete | End::Cancelled | End::Interrupted => "",
        }
    }

    fn usage(input: u64, output: u64, cached: u64) -> Usage {
        Usage { input: Some(input), output: Some(output), cached: Some(cached), reasoning: None }
    }

    #[test]
    fn recorded_replies_are_read_wherever_they_are_split() {
        for (bytes, begins, ends, complete, counted) in [
            (STREAM, "<|im_end|>user\n", "", false, usage(36, 40, 0)),
            (SCHEMA, "{\n    \"severity", "}", true, usage(30, 48, 1)),
            (DOCUMENT, "Hi<|im_end|>\n<|", "", false, usage(25, 10, 1)),
        ] {
            let whole = read([bytes]);
            assert!(whole.text.starts_with(begins) && whole.text.ends_with(ends), "{:?}", whole.text);
            assert_eq!(whole.end == End::Complete, complete, "{:?}", whole.end);
            assert!(complete || why(&whole.end).starts_with("finish_reason: length"), "{:?}", whole.end);
            assert_eq!((whole.usage, whole.model.as_str()), (counted, "gemma-3-270m"));
            for size in [1, 2, 3, 5, 64, 1000] {
                assert_eq!(read(bytes.chunks(size)), whole, "in pieces of {size}");
            }
            // The decoder's own test splits the recordings at every byte.
            for at in (0..bytes.len()).filter(|at| at % 31 == 0 || at + 64 > bytes.len()) {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(read([head, tail]), whole, "split at {at}");
            }
        }
        assert!(matches!(read([LENGTH]).end, End::Truncated(_)));
    }

    #[test]
    fn no_prefix_of_a_recorded_reply_is_complete() {
        let finished = SCHEMA.windows(22).position(|window| window == br#""finish_reason":"stop""#).unwrap();
        for at in (0..finished).step_by(17) {
            let said = read([&SCHEMA[..at]]);
            assert!(matches!(said.end, End::Truncated(_)), "cut at {at}: {:?}", said.end);
        }
        let end = SCHEMA.len() - "NE]\n\n".len();
        assert!(matches!(read([&SCHEMA[..end]]).end, End::Truncated(_)), "cut inside [DONE]");
        for at in 0..DOCUMENT.len() - 1 {
            let said = read([&DOCUMENT[..at]]);
            assert!(matches!(said.end, End::Truncated(_)), "cut at {at}: {:?}", said.end);
        }
    }

    #[test]
    fn only_a_stop_is_complete() {
        let text = r#"{"choices":[{"delta":{"content":"Yes."}}]}"#;
        let finish = |reason: &str| format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
        let stop = finish("stop");
        assert_eq!(events(&[text, &stop, "[DONE]"]).end, End::Complete);
        assert_eq!(events(&[text, &stop]).end, End::Complete, "[DONE] may be missing");
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
        let page = read([&b"\n<!doctype html><title>Sign in</title>"[..]]);
        assert!(why(&page.end).contains("web page"), "{:?}", page.end);
        assert_eq!(why(&read([&br#"{"error":{"message":"no"}}"#[..]]).end), "the server broke off: no");
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
        let mut call = Call {
            model: "m".into(),
            system: "Be brief.".into(),
            prompt: "Why?\n\"é\"".into(),
            max_output: None,
            role: Role::Author,
            stage: "plan".into(),
            nth: 1,
        };
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
