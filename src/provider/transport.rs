//! The one HTTP transport under all wire formats: a request's bytes out, a response's bytes in, each shown to the
//! observer, under time limits and caps, until the format's [`Reader`] says that the reply has ended.
//!
//! Masking comes first: what is recorded is what was decoded. An attempt that fails before the reply has begun, in a way
//! that passes, is made again; what has been said is never asked for twice.

use std::borrow::Cow;
use std::future::poll_fn;
use std::mem;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt as _;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, LOCATION, TRANSFER_ENCODING};
use reqwest::{Client, Response, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::failure::{Asked, may_pass, root_cause, words_of};
use super::retry::{Fault, asked_for, is_temporary, pause};
use super::secrets::{Masking, Secrets};
use super::server::{Server, shown};
use super::{Call, Observer, Reply, Request, Retry, speak};
use crate::domain::{End, Usage, without_keys};

/// How long the server may take over its words on an error.
const ASIDE: Duration = Duration::from_secs(5);

/// How long the rest of a response is waited for when its reply has ended, so that the record has all of it.
const REST: Duration = Duration::from_millis(200);

/// How long a fast server's words are left to gather: taking them one by one costs several times as much, and no eye sees
/// the difference.
const GATHER: Duration = Duration::from_millis(15);

/// The most bytes of text and reasoning together.
pub(super) const REPLY_CAP: usize = 16 * 1024 * 1024;

/// The most bytes of a response: a token of four bytes comes in an event of 200 to 400.
pub(super) const RESPONSE_CAP: usize = 512 * 1024 * 1024;

/// The most bytes read of an error response, and of what follows a reply.
const ERROR_CAP: usize = 64 * 1024;

/// How long a call may take, and how often it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the first text or reasoning: a long prompt on a slow machine, or reasoning that isn't
    /// shown, is silent until then.
    pub first: Duration,
    /// From one piece of text or reasoning to the next. Pings and comments don't count.
    pub idle: Duration,
    /// The whole call, with all its attempts; the waits between them don't count, as the person sees them.
    pub total: Duration,
    /// The most attempts, at least 1.
    pub attempts: u32,
    /// The pause before the second attempt, where the server asks for none; it doubles with each.
    pub pause: Duration,
}

impl Default for Limits {
    /// 10 minutes, 2 minutes, 30 minutes; 4 attempts with half a second after the first.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(600),
            idle: Duration::from_secs(120),
            total: Duration::from_secs(1800),
            attempts: 4,
            pause: Duration::from_millis(500),
        }
    }
}

/// Something a wire format finds in a response.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Reasoning(String),
    /// The counts so far, and the JSON they were read from.
    Usage(Usage, String),
    /// The model that answers.
    Model(String),
    /// The server broke off with these words; another attempt may go better. Nothing counts after it.
    Broken {
        words: String,
        temporary: bool,
    },
    /// The last part.
    End(End),
}

/// A wire format's reading of one response.
pub(super) trait Reader: Send {
    /// Takes more bytes of the response and appends the parts they complete.
    fn read(&mut self, bytes: &[u8], parts: &mut Vec<Part>);
    /// Takes note of the response's orderly end, which its framing marks as one or not; the last part appended is
    /// always an end.
    fn finish(&mut self, marked: bool, parts: &mut Vec<Part>);
    /// How many whole events, lines or documents there were.
    fn pieces(&self) -> usize;
}

/// A request in a wire format.
pub(super) struct Post<'a> {
    /// Where, below the base address.
    pub(super) path: Cow<'static, str>,
    /// JSON.
    pub(super) body: Bytes,
    /// The model that is asked, for messages.
    pub(super) model: &'a str,
}

/// Asks the server, and reads the reply to its end, a limit or `cancel`.
pub(super) async fn exchange(
    server: &Server,
    call: &Call,
    limits: Limits,
    observer: &mut dyn Observer,
    cancel: &CancellationToken,
) -> Reply {
    let key = match &server.key {
        None => None,
        Some(key) => match key.fetch(cancel).await {
            Ok(Some(key)) => Some(key),
            Ok(None) => return Reply::new(End::Cancelled),
            Err(why) => return Reply::new(End::Failed(why)),
        },
    };
    let secrets = Secrets::new(key.iter().map(ExposeSecret::expose_secret));
    let mut intake = Intake::new(&secrets, limits, observer);
    // Whatever ends first, the others are dropped, and with them the connection.
    let end = tokio::select! {
        biased;
        () = cancel.cancelled() => End::Cancelled,
        end = intake.ask(server, key.as_ref(), call) => end,
    };
    intake.close(end)
}

/// How an attempt ended, if not in a fault that may pass.
type Outcome = Result<End, Fault>;

/// The receiving end of one call.
struct Intake<'a> {
    secrets: &'a Secrets,
    limits: Limits,
    observer: &'a mut dyn Observer,
    sent: Instant,
    /// When the wait for text or reasoning is over.
    deadline: Instant,
    /// Bytes of the response so far.
    received: usize,
    /// Whether any text or reasoning has come.
    begun: bool,
    /// Bytes that aren't recorded yet: the text in them may turn out to spell a key.
    unrecorded: Vec<(u64, Vec<u8>)>,
    wire: Masking<'a>,
    text: Masking<'a>,
    reasoning: Masking<'a>,
    /// What the attempts that failed have cost.
    spent: Usage,
    reply: Reply,
}

impl<'a> Intake<'a> {
    fn new(secrets: &'a Secrets, limits: Limits, observer: &'a mut dyn Observer) -> Self {
        let now = Instant::now();
        Self {
            secrets,
            limits,
            observer,
            sent: now,
            deadline: now + limits.first,
            received: 0,
            begun: false,
            unrecorded: Vec::new(),
            wire: secrets.stream(),
            text: secrets.stream(),
            reasoning: secrets.stream(),
            spent: Usage::default(),
            reply: Reply::new(End::Interrupted),
        }
    }

    /// Asks until an answer begins or there is no point in it.
    async fn ask(&mut self, server: &Server, key: Option<&SecretString>, call: &Call) -> End {
        let client = match server.client().await {
            Ok(client) => client,
            Err(error) => return End::Failed(format!("failed to set up HTTPS: {}", root_cause(&error))),
        };
        let headers = server.headers(key);
        let (mut attempt, mut left) = (1, self.limits.total);
        loop {
            let (post, mut reader) = speak(server.format, call);
            let url = server.address(&post.path);
            let asked = server.asked(&url, post.model);
            // A key that found its way into a prompt is neither recorded nor sent.
            let body = Bytes::from(self.secrets.mask_bytes(&post.body));
            let begun = Instant::now();
            let fault = match timeout(left, self.attempt(client, &asked, headers.clone(), body, reader.as_mut())).await
            {
                Ok(Ok(end)) => return end,
                Ok(Err(fault)) => fault,
                Err(_) => {
                    let total = in_words(self.limits.total);
                    let why = format!("the call was stopped: it has taken {total}, the limit for a whole call");
                    return End::Failed(why);
                }
            };
            left = left.saturating_sub(begun.elapsed());
            if attempt >= self.limits.attempts {
                let times = if attempt > 1 { format!("\nIt was asked {attempt} times.") } else { String::new() };
                return End::Failed(format!("{}{times}", fault.why));
            }
            let wait = match pause(&fault, attempt, self.limits.pause) {
                Ok(wait) => wait,
                Err(wish) => return End::Failed(format!("{}\n{wish}", fault.why)),
            };
            self.end_attempt();
            let retry = Retry { attempt, why: self.shown(&fault.why), wait, skip: CancellationToken::new() };
            self.observer.retry(&retry);
            tokio::select! {
                () = retry.skip.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
            attempt += 1;
        }
    }

    /// Asks once.
    async fn attempt(
        &mut self,
        client: &Client,
        asked: &Asked<'_>,
        headers: HeaderMap,
        body: Bytes,
        reader: &mut dyn Reader,
    ) -> Outcome {
        let url = asked.url.to_owned();
        let shown_headers = shown(&headers, self.secrets);
        self.observer.request(&Request { method: "POST", url, headers: shown_headers, body: body.clone() });
        self.sent = Instant::now();
        self.deadline = self.sent + self.limits.first;

        let request = client.post(asked.url).headers(headers).body(body).send();
        let response = match timeout_at(self.deadline, request).await {
            Err(_) => return Ok(self.too_quiet()),
            Ok(Err(error)) if may_pass(&error) => return Err(Fault { why: asked.unreachable(&error), wait: None }),
            Ok(Err(error)) => return Ok(End::Failed(asked.unreachable(&error))),
            Ok(Ok(response)) => response,
        };
        let (status, headers) = (response.status(), response.headers().clone());
        self.observer.response(status.as_u16(), &shown(&headers, self.secrets));
        if status.is_redirection() {
            let location = headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
            return Ok(End::Failed(asked.redirected(status, &location.unwrap_or_default())));
        }
        if !status.is_success() {
            let body = self.body(response, ASIDE).await;
            let why = asked.refused(status, &words_of(&body));
            if !is_temporary(status, &headers, &body) {
                return Ok(End::Failed(why));
            }
            return Err(Fault { why, wait: asked_for(&headers, &body, SystemTime::now()) });
        }
        self.read(response, reader).await
    }

    /// Reads a response to the end of the reply.
    async fn read(&mut self, mut response: Response, reader: &mut dyn Reader) -> Outcome {
        let told =
            response.headers().contains_key(CONTENT_LENGTH) || response.headers().contains_key(TRANSFER_ENCODING);
        let marked = told || !matches!(response.version(), Version::HTTP_09 | Version::HTTP_10 | Version::HTTP_11);
        let (mut parts, mut is_fast) = (Vec::new(), false);
        loop {
            let chunk = match at_hand(&mut response).await {
                Some(chunk) => Ok(chunk),
                None => {
                    if is_fast {
                        sleep_until(self.deadline.min(Instant::now() + GATHER)).await;
                    }
                    let asked = Instant::now();
                    let chunk = timeout_at(self.deadline, response.chunk()).await;
                    is_fast = asked.elapsed() < GATHER;
                    chunk
                }
            };
            match chunk {
                Err(_) => return Ok(self.too_quiet()),
                Ok(Err(error)) => {
                    let why = format!("the connection broke: {}", root_cause(&error));
                    return if self.begun { Ok(End::Failed(why)) } else { Err(Fault { why, wait: None }) };
                }
                Ok(Ok(Some(bytes))) => {
                    let bytes = self.receive(&bytes);
                    reader.read(&bytes, &mut parts);
                }
                Ok(Ok(None)) => {
                    reader.read(&self.release(), &mut parts);
                    reader.finish(marked, &mut parts);
                }
            }
            for part in parts.drain(..) {
                match self.take(part) {
                    None => {}
                    Some(Ok(end @ (End::Complete | End::Truncated(_)))) => {
                        self.body(response, REST).await;
                        return Ok(end);
                    }
                    Some(outcome) => return outcome,
                }
            }
            self.record();
            if self.received > RESPONSE_CAP {
                return Ok(End::Failed("the response is larger than 512 MiB; reading stopped there".to_owned()));
            }
            // Chunks that are always ready would keep the timer from being looked at.
            if Instant::now() >= self.deadline {
                return Ok(self.too_quiet());
            }
        }
    }

    /// Takes bytes off the wire: masks them, and gives back those that are certain.
    fn receive(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.reply.timings.first_byte.is_none() {
            self.reply.timings.first_byte = Some(millis(self.sent.elapsed()));
        }
        self.received += bytes.len();
        let masked = self.wire.push(bytes);
        self.keep(&masked);
        masked
    }

    /// Gives back what was held back of the response.
    fn release(&mut self) -> Vec<u8> {
        let held = self.wire.finish();
        self.keep(&held);
        held
    }

    fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let elapsed = u64::try_from(self.sent.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.unrecorded.push((elapsed, bytes.to_vec()));
        }
    }

    /// Records what came, unless its text may yet spell a key; once it has, a note takes its place.
    fn record(&mut self) {
        if self.text.take_found() | self.reasoning.take_found() {
            let last = self.unrecorded.last().map_or(0, |(elapsed, _)| *elapsed);
            let length: usize = self.unrecorded.drain(..).map(|(_, bytes)| bytes.len()).sum();
            let note = format!("[{length} bytes that spell out the key were removed by windlass]");
            self.unrecorded.push((last, note.into_bytes()));
        }
        if !self.text.is_holding() && !self.reasoning.is_holding() {
            for (elapsed, bytes) in self.unrecorded.drain(..) {
                self.observer.chunk(elapsed, &bytes);
            }
        }
    }

    /// Takes one part of the reply; an outcome if the reply ends with it.
    fn take(&mut self, part: Part) -> Option<Outcome> {
        match part {
            Part::End(end) => return Some(Ok(end)),
            Part::Broken { words, temporary } => {
                let why = format!("the server broke off: {words}");
                let passes = temporary && !self.begun;
                return Some(if passes { Err(Fault { why, wait: None }) } else { Ok(End::Failed(why)) });
            }
            Part::Usage(usage, raw) => {
                self.reply.usage = usage;
                self.reply.raw_usage = Some(raw);
            }
            Part::Model(model) => {
                self.reply.served_by.get_or_insert(model);
            }
            Part::Text(delta) => {
                self.reply.timings.first_text.get_or_insert(millis(self.sent.elapsed()));
                self.go_on();
                let delta = self.text.push_str(&delta);
                self.say(&delta);
            }
            Part::Reasoning(delta) => {
                self.go_on();
                let delta = self.reasoning.push_str(&delta);
                self.think(&delta);
            }
        }
        (self.reply.text.len() + self.reply.reasoning.len() > REPLY_CAP)
            .then(|| Ok(End::Failed("the reply is longer than 16 MiB; reading stopped there".to_owned())))
    }

    fn go_on(&mut self) {
        self.begun = true;
        self.deadline = Instant::now() + self.limits.idle;
    }

    fn say(&mut self, delta: &str) {
        if !delta.is_empty() {
            self.reply.text.push_str(delta);
            self.observer.text(delta);
        }
    }

    fn think(&mut self, delta: &str) {
        if !delta.is_empty() {
            self.reply.reasoning.push_str(delta);
            self.observer.reasoning(delta);
        }
    }

    /// As much of the body as comes in this time and matters: of an error response, or of what follows a reply.
    async fn body(&mut self, mut response: Response, time: Duration) -> Vec<u8> {
        let (mut body, deadline) = (Vec::new(), Instant::now() + time);
        // The end is known already; a body that breaks off or dawdles only makes for fewer words.
        while let Ok(Ok(Some(bytes))) = timeout_at(deadline, response.chunk()).await {
            body.extend(self.receive(&bytes));
            if body.len() > ERROR_CAP {
                break;
            }
        }
        body.extend(self.release());
        body
    }

    fn too_quiet(&self) -> End {
        let (what, limit) =
            if self.begun { ("added nothing", self.limits.idle) } else { ("answered nothing", self.limits.first) };
        End::Failed(format!("the server has {what} for {}; the call was stopped", in_words(limit)))
    }

    /// Lets go of everything that was held back.
    fn release_all(&mut self) {
        self.release();
        let (text, reasoning) = (self.text.finish(), self.reasoning.finish());
        self.think(&String::from_utf8_lossy(&reasoning));
        self.say(&String::from_utf8_lossy(&text));
        self.record();
    }

    /// Ends an attempt that another one follows.
    fn end_attempt(&mut self) {
        self.release_all();
        self.received = 0;
        self.spent = together(self.spent, self.reply.usage);
        self.reply = Reply::new(End::Interrupted);
    }

    /// A message as it may be shown.
    fn shown(&self, message: &str) -> String {
        without_keys(&self.secrets.mask(message)).into_owned()
    }

    /// The reply, which ended like this.
    fn close(mut self, end: End) -> Reply {
        self.release_all();
        self.reply.end = match end {
            End::Failed(message) => End::Failed(self.shown(&message)),
            End::Truncated(message) => End::Truncated(self.shown(&message)),
            end @ (End::Complete | End::Cancelled | End::Interrupted) => end,
        };
        self.reply.usage = together(self.spent, self.reply.usage);
        let mask = |text: String| self.secrets.mask(&text);
        self.reply.served_by = self.reply.served_by.map(mask);
        self.reply.raw_usage = self.reply.raw_usage.map(mask);
        self.reply.timings.total = millis(self.sent.elapsed());
        self.reply
    }
}

/// The next chunk of a response, or its end, if it has come already.
async fn at_hand(response: &mut Response) -> Option<reqwest::Result<Option<Bytes>>> {
    if let Some(chunk) = response.chunk().now_or_never() {
        return Some(chunk);
    }
    // The connection is read by a task of its own, which goes on now that it was asked. tokio's own way of letting it
    // would ask the system for events first, for every chunk.
    let mut waits = true;
    poll_fn(|context| {
        if mem::take(&mut waits) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
    response.chunk().now_or_never()
}

/// The tokens of two attempts; one that says nothing of them took none.
fn together(one: Usage, other: Usage) -> Usage {
    let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    };
    Usage {
        input: sum(one.input, other.input),
        output: sum(one.output, other.output),
        cached: sum(one.cached, other.cached),
        reasoning: sum(one.reasoning, other.reasoning),
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A limit as people say it.
pub(super) fn in_words(limit: Duration) -> String {
    match limit.as_secs() {
        0 => format!("{} ms", limit.as_millis()),
        seconds if seconds >= 120 && seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Witness, once};
    use super::{Intake, Part, Secrets};

    #[test]
    fn what_may_yet_spell_a_key_is_not_recorded_before_it_is_certain() {
        let secrets = Secrets::new(["sk-0123456789"]);
        for (pieces, recorded) in [
            (&["It is sk-", "01234", "56789", "."][..], "[19 bytes that spell out the key were removed by windlass]|."),
            (&["It is sk-", "0123", "X", "."], "It is |sk-|0123|X|."),
            (&["sk-01234567", "8"], "[12 bytes that spell out the key were removed by windlass]"),
            (&["sk-0", "1"], "sk-0|1"),
        ] {
            let mut witness = Witness::default();
            let mut intake = Intake::new(&secrets, once(), &mut witness);
            for piece in pieces {
                // On the wire something stands between the pieces.
                intake.receive(piece.as_bytes());
                intake.release();
                assert!(intake.take(Part::Text((*piece).to_owned())).is_none());
                intake.record();
            }
            intake.release_all();
            let chunks: Vec<_> = witness.chunks.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes)).collect();
            assert_eq!(chunks.join("|"), recorded);
        }
    }
}
