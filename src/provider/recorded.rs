//! A response on record, read again as it was read when it came: what it said, and when which part of it was there.

use super::reader;
use super::transport::{Part, Reader};
use crate::domain::{Usage, WireFormat};

/// What the bytes of a response are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The reply itself: a command's output, a script's text.
    Text,
    /// A stream or a document of this format.
    Wire(WireFormat),
}

impl Form {
    /// The form of the response to a request that is on record; none if it isn't one that Windlass makes.
    pub fn of(method: &str, url: &str) -> Option<Self> {
        if let Some(played) = url.strip_prefix("cassette:") {
            return Self::from_name(played.split_once(':')?.0);
        }
        if method != "POST" {
            return Some(Self::Text);
        }
        let path = url.split_once('?').map_or(url, |(path, _)| path);
        let ends = [
            ("/chat/completions", WireFormat::OpenAiChat),
            ("/responses", WireFormat::OpenAiResponses),
            ("/messages", WireFormat::Anthropic),
            (":streamGenerateContent", WireFormat::Gemini),
            ("/api/chat", WireFormat::Ollama),
        ];
        ends.into_iter().find(|(end, _)| path.ends_with(end)).map(|(_, format)| Self::Wire(format))
    }

    /// The word in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Wire(format) => format.name(),
        }
    }

    /// The form of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let wire = WireFormat::ALL.into_iter().map(Self::Wire);
        wire.chain([Self::Text]).find(|form| form.name() == name)
    }
}

/// What a response said, and when; times are nanoseconds after its request was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reread {
    /// The reply's text.
    pub text: String,
    /// The model's reasoning.
    pub reasoning: String,
    /// The server's own usage block, as JSON.
    pub raw_usage: Option<String>,
    /// The tokens it counts.
    pub usage: Usage,
    /// The model that says it answered.
    pub served_by: Option<String>,
    /// The first byte.
    pub first_byte: Option<u64>,
    /// The first whole event, line or document.
    pub first_event: Option<u64>,
    /// The first of the reasoning.
    pub first_reasoning: Option<u64>,
    /// The first of the text.
    pub first_text: Option<u64>,
    /// The last byte.
    pub last_byte: Option<u64>,
}

impl Reread {
    /// Reads these chunks, each with its time.
    pub fn of<'a>(form: Form, chunks: impl IntoIterator<Item = (u64, &'a [u8])>) -> Self {
        let mut rereader = Rereader::new(form);
        for (elapsed, bytes) in chunks {
            rereader.take(elapsed, bytes);
        }
        rereader.finish();
        rereader.read
    }

    /// When the model began to say anything.
    pub fn begun(&self) -> Option<u64> {
        [self.first_reasoning, self.first_text].into_iter().flatten().min()
    }
}

/// More of what a response says.
#[derive(Debug, Default)]
pub(super) struct More {
    pub(super) text: String,
    pub(super) reasoning: String,
}

/// Reads a response chunk by chunk.
pub(super) struct Rereader {
    /// None for text.
    reader: Option<Box<dyn Reader>>,
    /// Bytes of a character whose rest is to come.
    partial: Vec<u8>,
    /// Nothing counts any more.
    ended: bool,
    pub(super) read: Reread,
}

impl Rereader {
    pub(super) fn new(form: Form) -> Self {
        let reader = match form {
            Form::Text => None,
            Form::Wire(format) => Some(reader(format)),
        };
        Self { reader, partial: Vec::new(), ended: false, read: Reread::default() }
    }

    /// Takes a chunk.
    pub(super) fn take(&mut self, elapsed: u64, bytes: &[u8]) -> More {
        self.read.first_byte.get_or_insert(elapsed);
        self.read.last_byte = Some(elapsed);
        let mut parts = Vec::new();
        match &mut self.reader {
            Some(reader) => {
                reader.read(bytes, &mut parts);
                if reader.pieces() > 0 {
                    self.read.first_event.get_or_insert(elapsed);
                }
            }
            None => {
                self.read.first_event.get_or_insert(elapsed);
                self.partial.extend_from_slice(bytes);
                let whole = match std::str::from_utf8(&self.partial) {
                    // The end may be the beginning of a character.
                    Err(error) if error.error_len().is_none() => error.valid_up_to(),
                    _ => self.partial.len(),
                };
                let text: Vec<u8> = self.partial.drain(..whole).collect();
                parts.push(Part::Text(String::from_utf8_lossy(&text).into_owned()));
            }
        }
        self.note(elapsed, parts)
    }

    /// Takes note of the response's end.
    pub(super) fn finish(&mut self) -> More {
        let elapsed = self.read.last_byte.unwrap_or_default();
        let mut parts = Vec::new();
        match &mut self.reader {
            Some(reader) => {
                reader.finish(true, &mut parts);
                if reader.pieces() > 0 {
                    self.read.first_event.get_or_insert(elapsed);
                }
            }
            None => {
                let rest = std::mem::take(&mut self.partial);
                parts.push(Part::Text(String::from_utf8_lossy(&rest).into_owned()));
            }
        }
        self.note(elapsed, parts)
    }

    fn note(&mut self, elapsed: u64, parts: Vec<Part>) -> More {
        let mut more = More::default();
        for part in parts {
            match part {
                _ if self.ended => {}
                Part::Text(text) if text.is_empty() => {}
                Part::Text(text) => {
                    self.read.first_text.get_or_insert(elapsed);
                    more.text.push_str(&text);
                }
                Part::Reasoning(text) => {
                    self.read.first_reasoning.get_or_insert(elapsed);
                    more.reasoning.push_str(&text);
                }
                Part::Usage(usage, raw) => (self.read.usage, self.read.raw_usage) = (usage, Some(raw)),
                Part::Model(model) => {
                    self.read.served_by.get_or_insert(model);
                }
                Part::Broken { .. } | Part::End(_) => self.ended = true,
            }
        }
        self.read.text.push_str(&more.text);
        self.read.reasoning.push_str(&more.reasoning);
        more
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Reread};
    use crate::domain::WireFormat;

    #[test]
    fn the_form_is_known_from_the_request() {
        let wire = |format| Some(Form::Wire(format));
        for (method, url, form) in [
            ("POST", "http://h/v1/chat/completions", wire(WireFormat::OpenAiChat)),
            ("POST", "https://h/v1/responses", wire(WireFormat::OpenAiResponses)),
            ("POST", "https://h/v1/messages", wire(WireFormat::Anthropic)),
            ("POST", "https://h/v1beta/models/m:streamGenerateContent?alt=sse", wire(WireFormat::Gemini)),
            ("POST", "http://h/api/chat", wire(WireFormat::Ollama)),
            ("POST", "http://h/elsewhere", None),
            ("RUN", "command:llm -m x", Some(Form::Text)),
            ("PLAY", "script:author-plan.1.md", Some(Form::Text)),
            ("PLAY", "cassette:anthropic:a.jsonl#3", wire(WireFormat::Anthropic)),
            ("PLAY", "cassette:text:a.jsonl#3", Some(Form::Text)),
            ("PLAY", "cassette:morse:a.jsonl#3", None),
        ] {
            assert_eq!(Form::of(method, url), form, "{url}");
        }
    }

    #[test]
    fn every_moment_is_told_apart() {
        let chunks: [(u64, &[u8]); 6] = [
            (10, b"event: message_st"),
            (20, b"art\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m-1\",\"usage\":{\"input_tokens\":3}}}\n\n"),
            (30, b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"Hm.\"}}\n\n"),
            (40, b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Yes.\"}}\n\n"),
            (50, b"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n"),
            (60, b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
        ];
        let read = Reread::of(Form::Wire(WireFormat::Anthropic), chunks);
        assert_eq!(
            (read.text.as_str(), read.reasoning.as_str(), read.served_by.as_deref()),
            ("Yes.", "Hm.", Some("m-1"))
        );
        let moments = [read.first_byte, read.first_event, read.first_reasoning, read.first_text, read.last_byte];
        assert_eq!(moments, [10, 20, 30, 40, 60].map(Some));
        assert_eq!((read.usage.input, read.usage.output, read.begun()), (Some(3), Some(7), Some(30)));

        // A character in two chunks of text is one character.
        let read = Reread::of(Form::Text, [(1, &b"\xc3"[..]), (2, b"\xa9!")]);
        assert_eq!((read.text.as_str(), read.first_text, read.first_byte), ("\u{e9}!", Some(2), Some(1)));
    }
}
