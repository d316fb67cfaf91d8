//! The lines of a cassette, and putting them together again.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Attempt, Cassette, Form, Goal, Head, Sent, Track, VERSION};
use crate::domain::{End, Role, Timings, Usage, without_keys};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line<'a> {
    Cassette {
        version: u32,
    },
    Loop {
        number: u32,
        goal: Cow<'a, str>,
    },
    Exchange {
        exchange: u64,
        #[serde(rename = "loop")]
        number: u32,
        stage: Cow<'a, str>,
        role: Cow<'a, str>,
        nth: u32,
        model: Cow<'a, str>,
        prompt: Prompt<'a>,
        asked: Cow<'a, str>,
    },
    Request {
        method: Cow<'a, str>,
        url: Cow<'a, str>,
        headers: Cow<'a, [(String, String)]>,
        form: Cow<'a, str>,
        #[serde(flatten)]
        body: Bytes,
    },
    Response {
        status: u16,
        headers: Cow<'a, [(String, String)]>,
    },
    Chunk {
        at_ns: u64,
        #[serde(flatten)]
        bytes: Bytes,
    },
    End {
        end: Cow<'a, str>,
        why: Option<Cow<'a, str>>,
        tokens: Tokens,
        first_byte_ms: Option<u64>,
        first_text_ms: Option<u64>,
        total_ms: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Prompt<'a> {
    name: Cow<'a, str>,
    version: Cow<'a, str>,
    digest: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
}

/// Bytes; as text where that loses nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Bytes {
    Text(String),
    Hex(String),
}

impl Bytes {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Hex(bytes.iter().fold(String::new(), |mut hex, byte| {
                // Writing to a string can't fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })),
        }
    }

    fn bytes(self) -> Result<Vec<u8>, String> {
        let digits = match self {
            Self::Text(text) => return Ok(text.into_bytes()),
            Self::Hex(digits) => digits,
        };
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(pair).collect();
        bytes.ok_or_else(|| "has bytes that are not hexadecimal".to_owned())
    }
}

impl<'a> Line<'a> {
    pub(super) fn cassette() -> Self {
        Self::Cassette { version: VERSION }
    }

    pub(super) fn goal(goal: &'a Goal) -> Self {
        Self::Loop { number: goal.number, goal: without_keys(&goal.goal) }
    }

    pub(super) fn exchange(track: &'a Track) -> Self {
        let (name, version, digest) = &track.prompt;
        Self::Exchange {
            exchange: track.exchange,
            number: track.number,
            stage: track.stage.as_str().into(),
            role: track.role.name().into(),
            nth: track.nth,
            model: track.model.as_str().into(),
            prompt: Prompt { name: name.into(), version: version.into(), digest: digest.into() },
            asked: track.asked.as_str().into(),
        }
    }

    pub(super) fn request(attempt: &'a Attempt) -> Self {
        let Sent { method, url, headers, body } = &attempt.request;
        let (headers, form) = (headers.as_slice().into(), attempt.form.name().into());
        Self::Request { method: method.into(), url: url.into(), headers, form, body: Bytes::of(body) }
    }

    pub(super) fn response(head: &'a Head) -> Self {
        Self::Response { status: head.status, headers: head.headers.as_slice().into() }
    }

    pub(super) fn chunk(elapsed: u64, bytes: &[u8]) -> Self {
        Self::Chunk { at_ns: elapsed, bytes: Bytes::of(bytes) }
    }

    pub(super) fn end(track: &'a Track) -> Self {
        let (end, why) = match &track.end {
            End::Complete => ("complete", None),
            End::Truncated(why) => ("truncated", Some(why)),
            End::Failed(why) => ("failed", Some(why)),
            End::Cancelled => ("cancelled", None),
            End::Interrupted => ("interrupted", None),
        };
        let Usage { input, output, cached, reasoning } = track.usage;
        Self::End {
            end: end.into(),
            why: why.map(|why| without_keys(why)),
            tokens: Tokens { input, output, cached, reasoning },
            first_byte_ms: track.timings.first_byte,
            first_text_ms: track.timings.first_text,
            total_ms: track.timings.total,
        }
    }
}

/// Puts the lines of a cassette together.
#[derive(Default)]
pub(super) struct Builder {
    begun: bool,
    cassette: Cassette,
    /// The exchange whose end is to come.
    track: Option<Track>,
}

impl Builder {
    /// Takes a line; else what is wrong with it, as a verb phrase.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        let line: Line<'_> = match serde_json::from_slice(bytes) {
            Ok(line) => line,
            Err(_) if !self.begun => return Err("does not begin a cassette: is it another file?".to_owned()),
            Err(error) => return Err(format!("can't be read: {error}")),
        };
        if let Line::Cassette { version } = line {
            return match version {
                VERSION if !self.begun => {
                    self.begun = true;
                    Ok(())
                }
                VERSION => Err("begins a second cassette".to_owned()),
                newer => Err(format!("says that it has version {newer}, which this windlass does not know")),
            };
        }
        if !self.begun {
            return Err("does not begin a cassette: its first line must give its version".to_owned());
        }
        self.add(line)
    }

    fn add(&mut self, line: Line<'_>) -> Result<(), String> {
        match line {
            Line::Cassette { .. } => {}
            Line::Loop { number, goal } => self.cassette.goals.push(Goal { number, goal: goal.into_owned() }),
            Line::Exchange { exchange, number, stage, role, nth, model, prompt, asked } => {
                if self.track.is_some() {
                    return Err("begins an exchange before the last one has ended".to_owned());
                }
                let role = [Role::Author, Role::Critic].into_iter().find(|known| known.name() == role);
                self.track = Some(Track {
                    exchange,
                    number,
                    stage: stage.into_owned(),
                    role: role.ok_or("names a role that is none")?,
                    nth,
                    model: model.into_owned(),
                    prompt: (prompt.name.into_owned(), prompt.version.into_owned(), prompt.digest.into_owned()),
                    asked: asked.into_owned(),
                    attempts: Vec::new(),
                    end: End::Interrupted,
                    usage: Usage::default(),
                    timings: Timings::default(),
                });
            }
            Line::Request { method, url, headers, form, body } => {
                let form = Form::from_name(&form).ok_or_else(|| format!("names the unknown form {form:?}"))?;
                let request = Sent {
                    method: method.into_owned(),
                    url: url.into_owned(),
                    headers: headers.into_owned(),
                    body: body.bytes()?,
                };
                self.track()?.attempts.push(Attempt { request, form, response: None, chunks: Vec::new() });
            }
            Line::Response { status, headers } => {
                let head = Head { status, headers: headers.into_owned() };
                if self.attempt()?.response.replace(head).is_some() {
                    return Err("is a second response to one request".to_owned());
                }
            }
            Line::Chunk { at_ns, bytes } => self.attempt()?.chunks.push((at_ns, bytes.bytes()?)),
            Line::End { end, why, tokens, first_byte_ms, first_text_ms, total_ms } => {
                let why = why.map(Cow::into_owned).unwrap_or_default();
                let end = match end.as_ref() {
                    "complete" => End::Complete,
                    "truncated" => End::Truncated(why),
                    "failed" => End::Failed(why),
                    "cancelled" => End::Cancelled,
                    "interrupted" => End::Interrupted,
                    other => return Err(format!("names the unknown end {other:?}")),
                };
                let mut track = self.track.take().ok_or("ends an exchange that hasn't begun")?;
                let Tokens { input, output, cached, reasoning } = tokens;
                track.end = end;
                track.usage = Usage { input, output, cached, reasoning };
                track.timings = Timings { first_byte: first_byte_ms, first_text: first_text_ms, total: total_ms };
                self.cassette.tracks.push(track);
            }
        }
        Ok(())
    }

    fn track(&mut self) -> Result<&mut Track, String> {
        self.track.as_mut().ok_or_else(|| "belongs to no exchange".to_owned())
    }

    fn attempt(&mut self) -> Result<&mut Attempt, String> {
        self.track()?.attempts.last_mut().ok_or_else(|| "belongs to no request".to_owned())
    }

    /// The cassette; else what is missing.
    pub(super) fn finish(self) -> Result<Cassette, String> {
        if !self.begun {
            return Err("is missing: the file is empty".to_owned());
        }
        if self.track.is_some() {
            return Err("is missing: the last exchange has no end".to_owned());
        }
        Ok(self.cassette)
    }
}
