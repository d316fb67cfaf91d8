//! What runs now, told to other processes on this machine that look on: one line of JSON for each thing told, over a
//! socket in Windlass's private directory.
//!
//! The record is the truth and is read from the journal; the socket only says that there is more of it, and carries what
//! isn't in it yet: words of models, output of gates. Nothing that comes back over it can decide anything.

mod feed;
mod gallery;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::app::doc::Doc;
use crate::app::{Live, Model, Stream, Waiting};
use crate::domain::{LoopId, ModelId, Role, StageIndex, Timestamp};
use crate::driver::Report;

pub(super) use self::feed::Feed;
pub(super) use self::gallery::Gallery;

/// The most lines of a gate's output that a newcomer is told.
const OUTPUT_LINES: usize = 500;

/// Where the socket is.
pub(super) fn socket(private: &Path) -> PathBuf {
    private.join("live.sock")
}

/// A line to those who look on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "kebab-case")]
pub(super) enum Told {
    /// What ran when they came; always the first line.
    Now(Box<Now>),
    /// The journal has an event at this place.
    Event { seq: u64 },
    /// A model said more.
    Said {
        id: u32,
        stage: usize,
        critic: bool,
        #[serde(default)]
        finding: Option<usize>,
        text: String,
        reasoning: bool,
    },
    /// A call waits between two attempts.
    Waits {
        id: u32,
        stage: usize,
        critic: bool,
        #[serde(default)]
        finding: Option<usize>,
        why: String,
        until: i64,
    },
    /// It is a gate's turn.
    Begun { gate: String, at: i64 },
    /// A gate printed more.
    Printed { gate: String, text: String },
    /// How a preparation is getting on.
    Progress { text: String },
}

/// What runs at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Now {
    /// The place of the last event that it rests on.
    pub(super) seq: u64,
    author: Option<Reply>,
    critic: Option<Reply>,
    #[serde(default)]
    answers: Vec<(usize, Reply)>,
    gates: BTreeMap<String, String>,
    begun: BTreeMap<String, i64>,
    progress: Option<String>,
}

/// A reply on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reply {
    model: Option<String>,
    text: String,
    reasoning: usize,
    since: i64,
    waits: Option<(String, i64)>,
}

/// A line from who looks on: who it is. The first one, and the only one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// As git has them.
    pub(super) who: String,
}

/// What somebody who looks on heard, or those who are looked at by.
#[derive(Debug)]
pub(super) enum Heard {
    /// Somebody came, and is to be told what runs now.
    Came(u64),
    /// Who looks on changed.
    Watchers(Vec<String>),
    /// The driver told this.
    Told(Told),
    /// Nobody tells anything: the journal has to be looked at.
    Silence,
}

/// The end of the socket that this process has.
pub(super) enum Company {
    /// We drive, and others may look on.
    Driving(Gallery),
    /// We look on.
    Watching(Feed),
}

impl Company {
    /// The next thing that comes over the socket.
    pub(super) async fn next(&mut self) -> Heard {
        match self {
            Self::Driving(gallery) => gallery.next().await,
            Self::Watching(feed) => feed.next().await,
        }
    }

    /// Tells one who has come what runs now.
    pub(super) fn welcome(&mut self, number: u64, model: &Model) {
        if let Self::Driving(gallery) = self {
            gallery.tell_one(number, &Told::Now(Box::new(Now::of(model))));
        }
    }

    /// Whether the driver is heard, or we are the driver.
    pub(super) const fn hears(&self) -> bool {
        match self {
            Self::Driving(_) => true,
            Self::Watching(feed) => feed.hears(),
        }
    }

    /// Tells those who look on what the driver tells; nothing if nobody does.
    pub(super) fn tell(&mut self, report: &Report) {
        if let Self::Driving(gallery) = self
            && !gallery.is_empty()
            && let Some(told) = Told::of(report)
        {
            gallery.tell(&told);
        }
    }
}

impl Told {
    /// What others are told of a report; none where it is for this screen alone.
    fn of(report: &Report) -> Option<Self> {
        Some(match report {
            Report::Event(recorded) => Self::Event { seq: recorded.seq },
            Report::Delta { id, stage, role, finding, text, reasoning } => Self::Said {
                id: id.0,
                stage: stage.0,
                critic: *role == Role::Critic,
                finding: *finding,
                text: text.clone(),
                reasoning: *reasoning,
            },
            Report::Waiting { id, stage, role, finding, why, until } => Self::Waits {
                id: id.0,
                stage: stage.0,
                critic: *role == Role::Critic,
                finding: *finding,
                why: why.clone(),
                until: until.0,
            },
            Report::GateBegan { gate, at } => Self::Begun { gate: gate.clone(), at: at.0 },
            Report::GateOutput { gate, text } => Self::Printed { gate: gate.clone(), text: text.clone() },
            Report::Progress(text) => Self::Progress { text: text.clone() },
            Report::Refused(_) | Report::Files(_) | Report::Models { .. } | Report::Worktree(_) => return None,
        })
    }

    /// The report that it was made from; none for what isn't one.
    pub(super) fn report(self) -> Option<Report> {
        let role = |critic| if critic { Role::Critic } else { Role::Author };
        Some(match self {
            Self::Now(_) | Self::Event { .. } => return None,
            Self::Said { id, stage, critic, finding, text, reasoning } => {
                let (id, stage) = (LoopId(id), StageIndex(stage));
                Report::Delta { id, stage, role: role(critic), finding, text, reasoning }
            }
            Self::Waits { id, stage, critic, finding, why, until } => {
                let (id, stage) = (LoopId(id), StageIndex(stage));
                Report::Waiting { id, stage, role: role(critic), finding, why, until: Timestamp(until) }
            }
            Self::Begun { gate, at } => Report::GateBegan { gate, at: Timestamp(at) },
            Self::Printed { gate, text } => Report::GateOutput { gate, text },
            Self::Progress { text } => Report::Progress(text),
        })
    }
}

impl Now {
    /// What runs on this screen.
    pub(super) fn of(model: &Model) -> Self {
        let reply = |stream: &Stream| Reply {
            model: stream.model.as_ref().map(ToString::to_string),
            text: stream.text.clone(),
            reasoning: stream.reasoning,
            since: stream.since.0,
            waits: stream.waiting.as_ref().map(|waiting| (waiting.why.clone(), waiting.until.0)),
        };
        let Live { author, critic, answers, gates, begun, progress, .. } = &model.live;
        Self {
            seq: model.seq,
            author: author.as_ref().map(reply),
            critic: critic.as_ref().map(reply),
            answers: answers.iter().map(|(finding, stream)| (*finding, reply(stream))).collect(),
            gates: gates.iter().map(|(name, doc)| (name.clone(), end_of(doc))).collect(),
            begun: begun.iter().map(|(name, at)| (name.clone(), at.0)).collect(),
            progress: progress.clone(),
        }
    }

    /// The same on another screen.
    pub(super) fn live(self) -> Live {
        let stream = |reply: Reply| {
            let Reply { model, text, reasoning, since, waits } = reply;
            let waiting = waits.map(|(why, until)| Waiting { why, until: Timestamp(until) });
            let (model, since) = (model.map(ModelId), Timestamp(since));
            Stream { model, doc: said(&text), text, reasoning, since, waiting }
        };
        Live {
            author: self.author.map(stream),
            critic: self.critic.map(stream),
            answers: self.answers.into_iter().map(|(finding, reply)| (finding, stream(reply))).collect(),
            gates: self.gates.into_iter().map(|(name, text)| (name, said(&text))).collect(),
            begun: self.begun.into_iter().map(|(name, at)| (name, Timestamp(at))).collect(),
            progress: self.progress,
            call: None,
            past: None,
        }
    }
}

/// A text on its way, as far as it has come.
fn said(text: &str) -> Doc {
    let mut doc = Doc::default();
    doc.push(text);
    doc
}

fn end_of(doc: &Doc) -> String {
    let last = doc.lines_from(doc.len().saturating_sub(OUTPUT_LINES));
    last.map(|(_, line)| line.text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_in_the_middle_hears_what_was_said_before() {
        let reply = |text: &str| Reply { model: None, text: text.to_owned(), reasoning: 0, since: 7, waits: None };
        let now = Now {
            seq: 3,
            critic: Some(reply("minor")),
            answers: vec![(0, reply("The sum is made")), (2, reply(""))],
            gates: [("test".to_owned(), "ran".to_owned())].into(),
            begun: [("test".to_owned(), 5)].into(),
            ..Now::default()
        };
        let line = serde_json::to_string(&Told::Now(Box::new(now.clone()))).unwrap();
        assert_eq!(serde_json::from_str::<Told>(&line).unwrap(), Told::Now(Box::new(now.clone())));
        let live = now.live();
        assert_eq!(live.answers.get(&0).map(|stream| stream.text.as_str()), Some("The sum is made"));
        assert_eq!(live.answers.len(), 2);
    }
}
