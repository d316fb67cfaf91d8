//! A call as the record has it, read again: what the model said, when it said the first of it, and how fast.

use std::fmt::Write as _;

use crate::journal::StoredExchange;
use crate::provider::{Form, Reread};

/// When things happened in one attempt of a call, in nanoseconds after its request was sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
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
    /// Tokens of the reply, reasoning included, a second, from the first of either to the last byte.
    pub tokens_per_second: Option<f64>,
}

/// What the last attempt of a call said; nothing where its server refused.
pub fn reread(stored: &StoredExchange) -> Reread {
    let answered = stored.response.as_ref().is_none_or(|head| (200..300).contains(&head.status));
    let form = stored.request.as_ref().filter(|_| answered).and_then(|sent| Form::of(&sent.method, &sent.url));
    let chunks = || stored.chunks.iter().map(|chunk| (chunk.elapsed_ns, chunk.bytes.as_slice()));
    match form {
        Some(form) => Reread::of(form, chunks()),
        None => {
            let (first_byte, last_byte) = (chunks().next(), chunks().next_back());
            let at = |chunk: Option<(u64, &[u8])>| chunk.map(|(elapsed, _)| elapsed);
            Reread { first_byte: at(first_byte), last_byte: at(last_byte), ..Reread::default() }
        }
    }
}

impl Moments {
    /// The moments of the last attempt; `counted` is how many tokens its reply had, where the response doesn't say.
    pub fn of(read: &Reread, counted: Option<u64>) -> Self {
        let tokens = read.usage.output.or(counted);
        let took = read.begun().zip(read.last_byte).and_then(|(from, to)| to.checked_sub(from));
        let rate = |(tokens, took): (u64, u64)| tokens as f64 * 1e9 / took as f64;
        Self {
            first_byte: read.first_byte,
            first_event: read.first_event,
            first_reasoning: read.first_reasoning,
            first_text: read.first_text,
            last_byte: read.last_byte,
            tokens_per_second: tokens.zip(took.filter(|took| *took > 0)).map(rate),
        }
    }

    /// The same in a line; none if nothing came.
    pub fn line(&self) -> Option<String> {
        let moments = [
            ("first byte", self.first_byte),
            ("first event", self.first_event),
            ("first reasoning", self.first_reasoning),
            ("first text", self.first_text),
            ("last byte", self.last_byte),
        ];
        let known = moments.into_iter().filter_map(|(what, at)| Some((what, at? / 1_000_000)));
        let mut line = known.map(|(what, ms)| format!("{what} after {ms} ms")).collect::<Vec<_>>().join(", ");
        if let Some(rate) = self.tokens_per_second {
            // Writing to a string can't fail.
            let _ = write!(line, "; {rate:.1} tokens a second");
        }
        (!line.is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Moments, reread};
    use crate::journal::{ReceivedChunk, ReceivedResponse, SentRequest, StoredExchange};

    fn stored(status: u16, chunks: &[(u64, &str)]) -> StoredExchange {
        let (method, url) = ("POST".to_owned(), "http://here/api/chat".to_owned());
        let chunk = |(ms, bytes): &(u64, &str)| ReceivedChunk { elapsed_ns: ms * 1_000_000, bytes: (*bytes).into() };
        StoredExchange {
            request: Some(SentRequest { method, url, headers: Vec::new(), body: Vec::new() }),
            response: Some(ReceivedResponse { status, headers: Vec::new() }),
            chunks: chunks.iter().map(chunk).collect(),
            ..StoredExchange::default()
        }
    }

    #[test]
    fn moments_and_speed_follow_from_the_bytes_on_record() {
        let thinks = "{\"message\":{\"content\":\"\",\"thinking\":\"Hm\"},\"done\":false}\n";
        let says = "{\"message\":{\"content\":\"Yes\"},\"done\":false}\n";
        let ends = "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"eval_count\":30}\n";
        let read = reread(&stored(200, &[(100, "{\"mess"), (200, &thinks[6..]), (300, says), (1700, ends)]));
        assert_eq!(read.text, "Yes");
        let line = "first byte after 100 ms, first event after 200 ms, first reasoning after 200 ms, first text after \
                    300 ms, last byte after 1700 ms; 20.0 tokens a second";
        assert_eq!(Moments::of(&read, None).line().as_deref(), Some(line));

        // A refusal says when it came, and is no reply.
        let read = reread(&stored(503, &[(5, "{\"error\":\"busy\"}")]));
        assert_eq!(Moments::of(&read, Some(9)).line().unwrap(), "first byte after 5 ms, last byte after 5 ms");
        assert_eq!(Moments::of(&reread(&stored(200, &[])), Some(9)).line(), None);
        // What came at once has no speed.
        assert_eq!(Moments::of(&reread(&stored(200, &[(5, says)])), Some(9)).tokens_per_second, None);
    }
}
