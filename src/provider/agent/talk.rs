//! The conversation with an agent: greeted, given a session in its directory and one task, answered what it asks for,
//! and sent home.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::message::{self, BAD_PARAMS, Message, Permission, ReadFile, Tool, WriteFile};
use super::{Asks, Denied, Workplace};
use crate::domain::{End, visible_line, without_keys};
use crate::process::supervise::{Ending, Finished, Stream};
use crate::provider::failure::{excerpt, words_in};
use crate::provider::secrets::{Masking, Secrets};
use crate::provider::transport::{REPLY_CAP, RESPONSE_CAP, in_words, millis};
use crate::provider::{Limits, Observer, Reply};

/// The most that is sent to an agent: what it doesn't read waits in memory.
const SENT_CAP: usize = 128 * 1024 * 1024;

/// The most of standard error, of a path and of a line that is quoted, in bytes.
const ERRORS: usize = 2 * 1024;
const QUOTED: usize = 200;

/// How many tools are remembered.
const TOOLS: usize = 1000;

/// How long an agent may take to come to an end: of its turn when it is told to cancel, and of itself after its turn.
const PARTING: Duration = Duration::from_secs(2);

/// How far the conversation has come. Each step is the answer that is waited for; its number is the request's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Greeting = 1,
    Session = 2,
    Turn = 3,
    /// It was told to cancel its turn.
    Cancelling = 4,
    /// Nothing more is said; it may end by itself.
    Parting = 5,
    /// It is to be ended.
    Over = 6,
}

/// The conversation.
pub(super) struct Talk<'a> {
    step: Step,
    session: String,
    task: String,
    place: &'a mut dyn Workplace,
    observer: &'a mut dyn Observer,
    secrets: &'a Secrets,
    heard: Masking<'a>,
    say: Option<UnboundedSender<Bytes>>,
    limits: Limits,
    begun: Instant,
    /// When it was heard of last, or when what it does now began.
    since: Instant,
    /// A line that isn't whole yet.
    line: Vec<u8>,
    /// The end of standard error.
    errors: Vec<u8>,
    received: usize,
    sent: usize,
    /// It has told or asked something in its turn.
    is_at_work: bool,
    tools: BTreeMap<String, Tool>,
    reply: Reply,
    end: Option<End>,
    /// The last words on the screen aren't the agent's, or don't end their line.
    broken_off: bool,
    bare: bool,
}

impl<'a> Talk<'a> {
    /// Greets the agent that listens at the other end of `say`.
    pub(super) fn begin(
        task: String,
        place: &'a mut dyn Workplace,
        observer: &'a mut dyn Observer,
        secrets: &'a Secrets,
        say: UnboundedSender<Bytes>,
        limits: Limits,
    ) -> Self {
        let now = Instant::now();
        let mut talk = Self {
            step: Step::Greeting,
            session: String::new(),
            task,
            place,
            observer,
            secrets,
            heard: secrets.stream(),
            say: Some(say),
            limits,
            begun: now,
            since: now,
            line: Vec::new(),
            errors: Vec::new(),
            received: 0,
            sent: 0,
            is_at_work: false,
            tools: BTreeMap::new(),
            reply: Reply::new(End::Interrupted),
            end: None,
            broken_off: false,
            bare: true,
        };
        talk.ask("initialize", &message::initialize());
        talk
    }

    /// Whether there is anything to cancel.
    pub(super) fn is_going_on(&self) -> bool {
        self.step <= Step::Turn
    }

    /// When patience ends.
    pub(super) fn until(&self) -> Instant {
        self.since + self.patience()
    }

    /// Whether the process has to be ended now.
    pub(super) fn wants_an_end(&mut self, now: Instant) -> bool {
        if now >= self.until() {
            if self.is_going_on() {
                let long = in_words(self.patience());
                self.fail(format!("said nothing for {long} and was stopped"));
            }
            self.step = Step::Over;
        }
        self.step == Step::Over
    }

    /// Tells it to give up its turn; if it has none yet, there is nothing to give up.
    pub(super) fn cancel(&mut self) {
        if !self.is_going_on() {
            return;
        }
        let in_turn = self.step == Step::Turn;
        self.end = Some(End::Cancelled);
        self.go(if in_turn { Step::Cancelling } else { Step::Over });
        if in_turn {
            self.send(message::notification("session/cancel", &json!({"sessionId": self.session})));
        }
    }

    /// Takes what came out of a pipe.
    pub(super) fn hear(&mut self, stream: Stream, bytes: &[u8]) {
        if stream == Stream::Err {
            self.errors.extend_from_slice(bytes);
            let surplus = self.errors.len().saturating_sub(ERRORS);
            self.errors.drain(..surplus);
            return;
        }
        self.reply.timings.first_byte.get_or_insert(millis(self.begun.elapsed()));
        // What is recorded is what was read.
        let bytes = self.heard.push(bytes);
        self.record(&bytes);
        self.received = self.received.saturating_add(bytes.len());
        if self.received > RESPONSE_CAP {
            self.fail("sent more than 512 MiB and was stopped".to_owned());
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.line);
                self.read(line.trim_ascii());
            } else if self.line.len() > REPLY_CAP {
                self.line.clear();
                self.fail("sent a line of more than 16 MiB and was stopped".to_owned());
            }
        }
    }

    /// What came of it, now that the process has ended.
    pub(super) fn close(mut self, command: &str, finished: &Finished) -> Reply {
        let held = self.heard.finish();
        self.record(&held);
        let errors = String::from_utf8_lossy(&self.errors);
        let errors = match excerpt(errors.trim(), ERRORS) {
            none if none.is_empty() => String::new(),
            some => format!(": {some}"),
        };
        let end = self.end.take().unwrap_or_else(|| {
            End::Failed(match &finished.ending {
                Ending::Timeout => format!("took {}, the limit for a whole call", in_words(self.limits.total)),
                Ending::Exit(code) | Ending::Leak { code } => {
                    format!("ended with exit code {code} before it was done{errors}")
                }
                Ending::Signal(signal) => format!("was killed by signal {signal} before it was done{errors}"),
                Ending::Cancelled => format!("was stopped before it was done{errors}"),
                Ending::NotStarted(why) | Ending::Lost(why) => format!("did not run: {why}"),
            })
        });
        let named = |why: &str| without_keys(&format!("`{command}` {why}")).into_owned();
        self.reply.end = match end {
            End::Failed(why) => End::Failed(named(&why)),
            End::Truncated(why) => End::Truncated(named(&why)),
            other => other,
        };
        self.reply.timings.total = millis(self.begun.elapsed());
        self.reply
    }

    /// How long the agent may be silent. A tool at work is silent for as long as its command takes.
    fn patience(&self) -> Duration {
        match self.step {
            Step::Cancelling | Step::Parting | Step::Over => PARTING,
            Step::Turn if self.is_at_work && !self.tools.values().any(|tool| tool.is_open) => self.limits.idle,
            _ => self.limits.first,
        }
    }

    fn go(&mut self, step: Step) {
        self.step = step;
        self.since = Instant::now();
        if step >= Step::Parting {
            // The end of its standard input: an agent that listens ends by itself.
            self.say = None;
        }
    }

    fn fail(&mut self, why: String) {
        self.end.get_or_insert(End::Failed(why));
        self.go(Step::Over);
    }

    fn elapsed_ns(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn record(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.observer.chunk(self.elapsed_ns(), bytes);
        }
    }

    fn send(&mut self, mut line: String) {
        let Some(say) = &self.say else { return };
        line.push('\n');
        self.sent = self.sent.saturating_add(line.len());
        // A process that has ended listens no more, and its end is told anyway.
        let _ = say.send(Bytes::from(line.clone()));
        self.observer.sent(self.elapsed_ns(), &self.secrets.mask_bytes(line.as_bytes()));
        if self.sent > SENT_CAP {
            self.fail("asked for more than 128 MiB and was stopped".to_owned());
        }
    }

    /// Sends the request of the step that is reached.
    fn ask(&mut self, method: &str, params: &Value) {
        self.send(message::request(self.step as u64, method, params));
    }

    /// Takes one line.
    fn read(&mut self, line: &[u8]) {
        if line.is_empty() || self.step >= Step::Parting {
            return;
        }
        if self.is_going_on() {
            self.since = Instant::now();
        }
        let Ok(message) = serde_json::from_slice::<Message>(line) else {
            let line = excerpt(&visible_line(&String::from_utf8_lossy(line)), QUOTED);
            return self.fail(format!("does not speak the Agent Client Protocol; it said: {line}"));
        };
        self.is_at_work |= message.method.is_some();
        match (message.method.as_deref(), message.id) {
            (Some(method), Some(id)) => self.answer(method, &id, message.params),
            (Some("session/update"), None) => {
                if let Some(update) = message.params.get("update") {
                    self.update(update);
                }
            }
            // A notification of something that doesn't concern a change.
            (Some(_), None) => {}
            (None, id) => {
                let awaited = if self.step == Step::Cancelling { Step::Turn } else { self.step };
                if id.and_then(|id| id.as_u64()) == Some(awaited as u64) {
                    self.answered(message.result, message.error);
                }
            }
        }
    }

    /// Takes the answer to the request of this step.
    fn answered(&mut self, result: Option<Value>, error: Option<Value>) {
        if let Some(error) = error {
            let login = error.get("code").and_then(Value::as_i64) == Some(message::LOGIN_NEEDED);
            let next = if login { "; log in with its own command first" } else { "" };
            let words = visible_line(&words_in(&error)).into_owned();
            return self.fail(format!("answered with an error: {words}{next}"));
        }
        let result = result.unwrap_or_default();
        let text = |name: &str| result.get(name).and_then(Value::as_str).map(str::to_owned);
        match self.step {
            Step::Greeting => {
                let version = result.get("protocolVersion").and_then(Value::as_u64);
                if version != Some(message::VERSION) {
                    let spoken = version.map_or("none".to_owned(), |version| version.to_string());
                    let wanted = message::VERSION;
                    return self.fail(format!(
                        "speaks version {spoken} of the Agent Client Protocol, windlass speaks {wanted}: \
                         install a release of it that does"
                    ));
                }
                let Some(dir) = self.place.dir().to_str().map(str::to_owned) else {
                    return self.fail("can't be told of its directory, whose name is not UTF-8".to_owned());
                };
                self.go(Step::Session);
                self.ask("session/new", &json!({"cwd": dir, "mcpServers": []}));
            }
            Step::Session => {
                let Some(session) = text("sessionId") else {
                    return self.fail("began a session without an id".to_owned());
                };
                self.session = session;
                self.go(Step::Turn);
                let prompt = json!([{"type": "text", "text": self.task}]);
                self.ask("session/prompt", &json!({"sessionId": self.session, "prompt": prompt}));
            }
            _ => self.finish(text("stopReason").as_deref()),
        }
    }

    /// Takes the end of its turn.
    fn finish(&mut self, reason: Option<&str>) {
        let last = || match self.reply.text.trim().rsplit("\n\n").next() {
            None | Some("") => String::new(),
            Some(words) => format!(": {}", excerpt(&visible_line(words), QUOTED)),
        };
        let end = match reason {
            Some("end_turn") => End::Complete,
            Some("refusal") => End::Failed(format!("refused to do it{}", last())),
            Some(limit @ ("max_tokens" | "max_turn_requests")) => {
                End::Truncated(format!("stopped at a limit of its own, {limit}{}", last()))
            }
            Some("cancelled") => End::Failed(format!("says that it was cancelled, which nobody did{}", last())),
            other => End::Failed(format!("ended its turn for a reason that is not known, {other:?}{}", last())),
        };
        self.end.get_or_insert(end);
        self.go(Step::Parting);
    }

    /// Takes what it tells.
    fn update(&mut self, update: &Value) {
        let words = || update.get("content").and_then(|content| content.get("text")).and_then(Value::as_str);
        match update.get("sessionUpdate").and_then(Value::as_str) {
            Some("agent_message_chunk") => self.speak(words().unwrap_or_default()),
            Some("agent_thought_chunk") => {
                let thought = words().unwrap_or_default();
                self.reply.reasoning.push_str(thought);
                self.observer.reasoning(thought);
            }
            Some("tool_call" | "tool_call_update") => {
                if let Some(id) = self.learn(update)
                    && update.get("sessionUpdate").is_some_and(|kind| kind == "tool_call")
                {
                    let title = self.tools.get(&id).map(|tool| tool.title.clone()).unwrap_or_default();
                    self.note(&format!("tool: {title}"));
                }
            }
            _ => {}
        }
        if self.reply.text.len() + self.reply.reasoning.len() > REPLY_CAP {
            self.fail("said more than 16 MiB and was stopped".to_owned());
        }
    }

    /// Learns more of a tool; its id.
    fn learn(&mut self, said: &Value) -> Option<String> {
        let id = said.get("toolCallId")?.as_str()?.to_owned();
        if self.tools.len() >= TOOLS && !self.tools.contains_key(&id) {
            self.tools.pop_first();
        }
        self.tools.entry(id.clone()).or_default().learn(said);
        Some(id)
    }

    /// The agent's own words.
    fn speak(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        self.reply.timings.first_text.get_or_insert(millis(self.begun.elapsed()));
        if self.broken_off {
            self.broken_off = false;
            if !self.reply.text.is_empty() {
                self.reply.text.push_str("\n\n");
            }
            self.observer.text("\n");
        }
        self.reply.text.push_str(words);
        self.observer.text(words);
        self.bare = words.ends_with('\n');
    }

    /// A line on what it does, between its words on the screen.
    fn note(&mut self, line: &str) {
        let start = if self.bare { "" } else { "\n" };
        let blank = if self.broken_off { "" } else { "\n" };
        self.observer.text(&format!("{start}{blank}> {}\n", visible_line(line)));
        (self.bare, self.broken_off) = (true, true);
    }

    /// Answers what it asks for.
    fn answer(&mut self, method: &str, id: &Value, params: Value) {
        let line = match method {
            "fs/read_text_file" => self.with(id, params, |talk, asked: ReadFile| {
                let read = talk.place.read(&asked.path);
                let told = talk.tell("read", &asked.path, read.as_ref().err());
                read.map(|text| json!({"content": part(&text, asked.line, asked.limit)})).map_err(|_| told)
            }),
            "fs/write_text_file" => self.with(id, params, |talk, asked: WriteFile| {
                let written = talk.place.write(&asked.path, &asked.content);
                let told = talk.tell("write", &asked.path, written.as_ref().err());
                written.map(|()| json!({})).map_err(|_| told)
            }),
            "session/request_permission" => self.with(id, params, |talk, asked: Permission| Ok(talk.permit(&asked))),
            other => {
                let what = excerpt(other, QUOTED);
                self.turn_down(&format!("{what}: refused, it is not offered"));
                message::error(id, message::NO_METHOD, &format!("windlass does not offer {what}"))
            }
        };
        self.send(line);
    }

    /// The answer to a request whose parameters are a `T`.
    fn with<T: DeserializeOwned>(
        &mut self,
        id: &Value,
        params: Value,
        does: impl FnOnce(&mut Self, T) -> Result<Value, (i64, String)>,
    ) -> String {
        let done = match serde_json::from_value(params) {
            Ok(asked) => does(self, asked),
            Err(error) => Err((BAD_PARAMS, error.to_string())),
        };
        match done {
            Ok(value) => message::result(id, &value),
            Err((code, why)) => message::error(id, code, &why),
        }
    }

    /// Says what became of a request for a file; for the agent, if it was denied.
    fn tell(&mut self, verb: &str, path: &Path, denied: Option<&Denied>) -> (i64, String) {
        let path = self.named(path);
        match denied {
            None => {
                self.note(&format!("{verb} {path}: done"));
                (message::FAILED, String::new())
            }
            Some(Denied::Failed(why)) => {
                self.note(&format!("{verb} {path}: failed, it {why}"));
                (message::NOT_FOUND, format!("{path} {why}"))
            }
            Some(Denied::Refused(why)) => {
                self.turn_down(&format!("{verb} {path}: refused, it {why}"));
                (BAD_PARAMS, format!("refused: {path} {why}"))
            }
        }
    }

    /// Decides whether a tool may be used: only on files, and only if all of them are the agent's to use.
    fn permit(&mut self, asked: &Permission) -> Value {
        if self.step == Step::Cancelling {
            return message::no_permission();
        }
        let id = self.learn(&asked.tool_call).unwrap_or_default();
        let verdict = self.judge(&id);
        let title = self.tools.get(&id).map(|tool| tool.title.clone()).filter(|title| !title.is_empty());
        let what = format!("asks: {}", excerpt(&title.unwrap_or_else(|| "to use a tool".to_owned()), QUOTED));
        let answer = asked.answer(verdict.is_ok());
        match (verdict, &answer) {
            (Ok(()), Some(_)) => self.note(&format!("{what}: allowed once")),
            (Ok(()), None) => self.turn_down(&format!("{what}: refused, it can't be allowed for this once only")),
            (Err(why), _) => self.turn_down(&format!("{what}: refused, {why}")),
        }
        answer.unwrap_or_else(message::no_permission)
    }

    fn judge(&self, id: &str) -> Result<(), String> {
        let nameless = || "it names no file, so nothing says that it stays in the worktree".to_owned();
        let tool = self.tools.get(id).ok_or_else(nameless)?;
        let asks = match tool.kind.as_str() {
            "read" | "search" => Asks::Read,
            "edit" | "delete" | "move" => Asks::Write,
            _ if tool.has_diff() => Asks::Write,
            _ => return Err("it is not about reading or editing files".to_owned()),
        };
        tool.paths().next().ok_or_else(nameless)?;
        tool.paths()
            .try_for_each(|path| self.place.may(asks, path).map_err(|why| format!("{} {why}", self.named(path))))
    }

    fn turn_down(&mut self, line: &str) {
        self.note(line);
        self.place.refused(&visible_line(line));
    }

    /// A path as people read it: from the top of the directory.
    fn named(&self, path: &Path) -> String {
        let short = path.strip_prefix(self.place.dir()).unwrap_or(path);
        excerpt(&visible_line(&short.to_string_lossy()), QUOTED)
    }
}

/// So many lines of a text, from this one, counted from 1.
fn part(text: &str, line: Option<usize>, limit: Option<usize>) -> String {
    let lines = text.split_inclusive('\n').skip(line.unwrap_or(1).saturating_sub(1));
    lines.take(limit.unwrap_or(usize::MAX)).collect()
}
