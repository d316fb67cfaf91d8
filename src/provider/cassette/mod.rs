//! Cassettes: recorded sessions as files of JSON lines, readable by eye, without keys, that can be played again.
//!
//! The first line is `{"cassette":{"version":1}}`. Then come the goals of the loops, `{"loop":{..}}`, and the exchanges,
//! each as `{"exchange":{..}}`, for every attempt a `{"request":{..}}`, a `{"response":{..}}` and its `{"chunk":{..}}`s
//! with their times, and `{"end":{..}}`.

mod line;
mod player;

pub(super) use player::Player;

use std::borrow::Cow;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use self::line::Line;
use super::recorded::{Form, Reread};
use crate::domain::{End, Role, Timings, Usage, without_keys};

/// The version of the form written here.
const VERSION: u32 = 1;

/// The longest line, in bytes: a chunk or a prompt stands on one.
const LONGEST: u64 = 64 * 1024 * 1024;

/// A recorded session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cassette {
    /// What its loops were for.
    pub goals: Vec<Goal>,
    /// Its exchanges, in the order in which they were asked.
    pub tracks: Vec<Track>,
}

/// What a loop was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The loop.
    pub number: u32,
    /// Its goal.
    pub goal: String,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Its number where it was recorded.
    pub exchange: u64,
    /// The loop's number there.
    pub number: u32,
    /// The stage.
    pub stage: String,
    /// The job the model did.
    pub role: Role,
    /// The how-many-th call of this role in this stage, from 1.
    pub nth: u32,
    /// The model, as `provider/model`.
    pub model: String,
    /// Name, version and digest of the prompt's template.
    pub prompt: (String, String, String),
    /// When it was asked (RFC 3339).
    pub asked: String,
    /// Every attempt, the last one last; none if nothing was sent.
    pub attempts: Vec<Attempt>,
    /// How it ended.
    pub end: End,
    /// The tokens of all attempts.
    pub usage: Usage,
    /// When what came in the last attempt.
    pub timings: Timings,
}

/// One attempt of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What was sent.
    pub request: Sent,
    /// What the response's bytes are.
    pub form: Form,
    /// The response's head, if one came.
    pub response: Option<Head>,
    /// The response's body: nanoseconds after the request was sent, and the bytes that came then.
    pub chunks: Vec<(u64, Vec<u8>)>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A response's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
}

/// A file is not a cassette that can be played.
#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    /// It can't be read.
    #[error("failed to read the cassette {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of it is wrong.
    #[error("line {line} of the cassette {} {what}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, as a verb phrase.
        what: String,
    },
}

impl Cassette {
    /// Reads a file.
    ///
    /// # Errors
    /// If it can't be read, isn't a cassette, or is a newer Windlass's.
    pub fn read(path: &Path) -> Result<Self, CassetteError> {
        let failed = |source| CassetteError::File { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        Self::parse(io::BufReader::new(file)).map_err(|error| match error {
            ParseError::Io(source) => failed(source),
            ParseError::Line { line, what } => CassetteError::Line { path: path.to_owned(), line, what },
        })
    }

    fn parse(mut input: impl BufRead) -> Result<Self, ParseError> {
        let mut builder = line::Builder::default();
        let (mut number, mut bytes) = (0, Vec::new());
        loop {
            bytes.clear();
            let length = io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut bytes).map_err(ParseError::Io)?;
            number += 1;
            let wrong = |what| ParseError::Line { line: number, what };
            if length == 0 {
                return builder.finish().map_err(wrong);
            }
            if length as u64 == LONGEST {
                return Err(wrong("is longer than 64 MiB".to_owned()));
            }
            if !bytes.trim_ascii().is_empty() {
                builder.take(&bytes).map_err(wrong)?;
            }
        }
    }

    /// Writes it, without what looks like a key. `form` is given each line of JSON and may write the same in other words.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write(&self, out: &mut dyn Write, form: impl Fn(&str) -> String) -> io::Result<()> {
        let mut line = |line: Line<'_>| writeln!(out, "{}", form(&serde_json::to_string(&line)?));
        line(Line::cassette())?;
        for goal in &self.goals {
            line(Line::goal(goal))?;
        }
        for track in &self.tracks {
            line(Line::exchange(track))?;
            for attempt in &track.attempts {
                let safe = attempt.without_keys();
                line(Line::request(&safe))?;
                if let Some(head) = &safe.response {
                    line(Line::response(head))?;
                }
                for (elapsed, bytes) in &safe.chunks {
                    line(Line::chunk(*elapsed, bytes))?;
                }
            }
            line(Line::end(track))?;
        }
        Ok(())
    }

    /// The model that did this job first.
    pub fn model(&self, role: Role) -> Option<&str> {
        self.tracks.iter().find(|track| track.role == role).map(|track| track.model.as_str())
    }
}

enum ParseError {
    Io(io::Error),
    Line { line: usize, what: String },
}

impl Attempt {
    /// The same without what looks like a key. A response that spells one out, be it in pieces, is kept as the text it
    /// says, with everything at the time of its last byte.
    fn without_keys(&self) -> Self {
        let masked = |bytes: &[u8]| without_keys(&String::from_utf8_lossy(bytes)).into_owned().into_bytes();
        let headers = |headers: &[(String, String)]| -> Vec<_> {
            headers.iter().map(|(name, value)| (name.clone(), without_keys(value).into_owned())).collect()
        };
        let body: Vec<u8> = self.chunks.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        let read = Reread::of(self.form, self.chunks.iter().map(|(elapsed, bytes)| (*elapsed, bytes.as_slice())));
        let holds = |text: &str| matches!(without_keys(text), Cow::Owned(_));
        let spelled = holds(&read.text) || holds(&read.reasoning);
        let is_written = holds(&String::from_utf8_lossy(&body));
        let request = Sent {
            url: without_keys(&self.request.url).into_owned(),
            headers: headers(&self.request.headers),
            body: if std::str::from_utf8(&self.request.body).is_ok() {
                masked(&self.request.body)
            } else {
                self.request.body.clone()
            },
            ..self.request.clone()
        };
        let response = self.response.as_ref().map(|head| Head { headers: headers(&head.headers), ..head.clone() });
        let last = self.chunks.last().map_or(0, |(elapsed, _)| *elapsed);
        let (form, chunks) = if spelled || (is_written && !read.text.is_empty()) {
            (Form::Text, vec![(last, masked(read.text.as_bytes()))])
        } else if is_written {
            (self.form, vec![(last, masked(&body))])
        } else {
            (self.form, self.chunks.clone())
        };
        Self { request, form, response, chunks }
    }
}

#[cfg(test)]
mod tests;
