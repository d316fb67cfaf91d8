//! From the bytes of a response to the pieces of JSON in it: server-sent events, lines, or one document.
//!
//! The form is known from the first byte, because content types are wrong too often, and because servers and proxies
//! answer with one document where a stream was asked for.

use serde_json::value::RawValue;

use super::failure::excerpt;
use super::sse::Decoder;
use super::transport::{Part, Reader};
use crate::domain::End;

/// The longest line, and the largest document, in bytes.
const CAP: usize = 16 * 1024 * 1024;

/// The most of a foreign word or line that a message quotes, in bytes.
pub(super) const QUOTED: usize = 200;

/// What a wire format makes of the pieces.
pub(super) trait Format: Default + Send {
    /// What the pieces are pieces of, for messages.
    const WHAT: &'static str;
    /// Whether a stream comes as lines of JSON rather than as events.
    const LINES: bool = false;

    /// Takes the data of one event, one line, or the whole document, and appends what it says. An end if it says that
    /// the reply has ended.
    fn piece(&mut self, json: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error>;

    /// How the reply ended, given that the response did. `marked`: the response's own framing says that this is its
    /// end, or it was one whole document.
    fn verdict(&self, marked: bool) -> End;
}

/// A reader of one response in the format `F`.
#[derive(Default)]
pub(super) struct Framed<F> {
    form: Form,
    /// Pieces read so far.
    pieces: usize,
    format: F,
}

#[derive(Default)]
enum Form {
    #[default]
    Unknown,
    Events(Decoder),
    Lines(Vec<u8>),
    Document(Vec<u8>),
}

impl<F: Format> Reader for Framed<F> {
    fn read(&mut self, bytes: &[u8], parts: &mut Vec<Part>) {
        if matches!(self.form, Form::Unknown) {
            self.form = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => return,
                Some(b'<') => return parts.push(Part::End(web_page(bytes))),
                Some(b'{') if F::LINES => Form::Lines(Vec::new()),
                Some(b'{' | b'[') => Form::Document(Vec::new()),
                Some(_) => Form::Events(Decoder::default()),
            };
        }
        let (mut pieces, mut fault) = (Vec::new(), None);
        match &mut self.form {
            Form::Unknown => {}
            Form::Document(document) if document.len() + bytes.len() > CAP => {
                fault = Some("the response is one JSON document of more than 16 MiB".to_owned());
            }
            Form::Document(document) => document.extend_from_slice(bytes),
            Form::Lines(line) => {
                for part in bytes.split_inclusive(|byte| *byte == b'\n') {
                    if line.len() + part.len() > CAP {
                        fault = Some("the stream has a line longer than 16 MiB".to_owned());
                        break;
                    }
                    line.extend_from_slice(part);
                    if part.ends_with(b"\n") {
                        pieces.push(std::mem::take(line));
                    }
                }
            }
            Form::Events(decoder) => fault = decoder.push(bytes, &mut pieces).err().map(|error| error.to_string()),
        }
        for piece in pieces {
            match self.piece(&piece, parts) {
                Ok(None) => {}
                Ok(Some(end)) => return parts.push(Part::End(end)),
                Err(error) => return parts.push(Part::End(self.malformed(&piece, &error))),
            }
        }
        parts.extend(fault.map(|why| Part::End(End::Failed(why))));
    }

    fn finish(&mut self, marked: bool, parts: &mut Vec<Part>) {
        let (last, marked) = match &mut self.form {
            Form::Unknown => (None, marked),
            Form::Document(document) => (Some(std::mem::take(document)), true),
            Form::Lines(line) => (Some(std::mem::take(line)), marked),
            Form::Events(decoder) => match decoder.finish() {
                Ok(last) => (last, marked),
                Err(error) => return parts.push(Part::End(End::Failed(error.to_string()))),
            },
        };
        let end = match last.map(|piece| (self.whole(&piece, parts), piece)) {
            None | Some((Ok(None), _)) => self.format.verdict(marked),
            Some((Ok(Some(end)), _)) => end,
            Some((Err(error), piece)) if is_cut(&piece, &error) => {
                End::Truncated("the response ended in the middle of its JSON: the connection was cut".to_owned())
            }
            Some((Err(error), piece)) => self.malformed(&piece, &error),
        };
        parts.push(Part::End(end));
    }

    fn pieces(&self) -> usize {
        self.pieces
    }
}

impl<F: Format> Framed<F> {
    /// The last piece. A document may be an array of what a stream has one by one.
    fn whole(&mut self, json: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        if !(matches!(self.form, Form::Document(_)) && json.trim_ascii_start().starts_with(b"[")) {
            return self.piece(json, parts);
        }
        for piece in serde_json::from_slice::<Vec<&RawValue>>(json)? {
            if let Some(end) = self.piece(piece.get().as_bytes(), parts)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn piece(&mut self, json: &[u8], parts: &mut Vec<Part>) -> Result<Option<End>, serde_json::Error> {
        let json = json.trim_ascii();
        if json.is_empty() {
            return Ok(None);
        }
        self.pieces += 1;
        self.format.piece(json, parts)
    }

    fn malformed(&self, json: &[u8], error: &serde_json::Error) -> End {
        let (quoted, nth, what) = (excerpt(&String::from_utf8_lossy(json), QUOTED), self.pieces, F::WHAT);
        End::Failed(match self.form {
            Form::Document(_) => format!("the response is not a {what} ({error}): {quoted}"),
            Form::Lines(_) => format!("line {nth} of the stream is not a piece of a {what} ({error}): {quoted}"),
            _ => format!("event {nth} of the stream is not a piece of a {what} ({error}): {quoted}"),
        })
    }
}

/// Whether JSON is wrong for being incomplete. (A number cut at its point isn't reported as the end of input.)
fn is_cut(json: &[u8], error: &serde_json::Error) -> bool {
    let json = json.trim_ascii();
    let last = match json.first() {
        Some(b'{') => b'}',
        Some(b'[') => b']',
        _ => return false,
    };
    error.is_eof() || json.last() != Some(&last)
}

fn web_page(bytes: &[u8]) -> End {
    let quoted = excerpt(&String::from_utf8_lossy(bytes), QUOTED);
    End::Failed(format!("the server answered with a web page, so base_url is likely to be wrong: {quoted}"))
}

/// The end of a response that doesn't say that its reply has ended.
pub(super) fn cut(missing: &str) -> End {
    End::Truncated(format!("the response ended without {missing}: the connection was cut"))
}
