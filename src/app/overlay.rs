//! What stands in front of the panes: a stack, the last one foremost. The one below gets the focus back.

use tui_textarea::TextArea;

use crate::domain::{Digest, ExchangeId, Role, StageIndex, Timestamp};

use super::action::Context;
use super::arming::Arming;
use super::casting::Casting;
use super::doc::Doc;
use super::help::Help;
use super::layout;
use super::picker::Picker;
use super::scroll::Scroll;
use super::sheet::REASON_LEAST;
use super::sheet::Sheet;
use super::sight::Sight;

/// Something in front.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// Every key and every sign.
    Help(Box<Help>),
    /// The decision sheet.
    Sheet(Box<Sheet>),
    /// A question that is answered in words.
    Ask(Box<Ask>),
    /// A list to pick from.
    Pick(Box<Picker>),
    /// Who drafts and who objects, to be chosen.
    Casting(Box<Casting>),
    /// The repository's commands, to be read and trusted.
    Trust(Box<Trust>),
    /// A text that has no pane of its own.
    Text {
        /// What it is.
        source: Source,
        /// The place in it.
        scroll: Scroll,
        /// The line where it was searched for last.
        found: Option<usize>,
    },
}

/// A text that has no pane of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The output of this gate.
    Gate(String),
    /// This finding of the current critique, whole: a small pane may have no room for it.
    Finding(usize),
    /// What went over the wire in this call.
    Call(ExchangeId),
    /// A past revision, or what two of them differ in.
    Past,
    /// What happened while the human was away.
    Away,
    /// The author's reply that could not be used, as it came.
    Reply,
}

/// The commands on the screen before they are trusted.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The configuration they come from.
    pub config: Digest,
    /// The commands, and all that decides what they do.
    pub text: Doc,
    /// The place in it.
    pub scroll: Scroll,
    /// How many lines from the first on were all on the screen: nobody trusts what they have not seen.
    seen: usize,
    /// Whether it takes keys.
    pub arming: Arming,
}

impl Trust {
    /// The commands in `text`, to be read.
    pub(super) fn new(config: Digest, text: &str, now: Timestamp) -> Self {
        let scroll = Scroll::default();
        Self { config, text: Doc::prose(text), scroll, seen: 0, arming: Arming::begun(now) }
    }

    /// Notes that it was drawn in a window of this size.
    pub(super) fn painted(&mut self, size: (u16, u16), now: Timestamp) {
        self.arming.painted(now);
        let (width, height) = layout::text_room(size);
        let (from, to) = self.scroll.visible(&Sight::plain(&self.text, width, height));
        if from <= self.seen {
            self.seen = self.seen.max(to);
        }
    }

    /// How many lines were not on the screen yet.
    pub fn unseen(&self) -> usize {
        self.text.len().saturating_sub(self.seen)
    }

    /// The first line that was not on the screen yet.
    pub(super) fn next_unseen(&self) -> Option<usize> {
        (self.unseen() > 0).then_some(self.seen)
    }
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The effort's goal, for a new loop, and the constraint that the last loop named.
    Goal(Option<String>),
    /// The reason for a revision.
    Revise,
    /// The reason for abandoning.
    Abandon,
    /// The reason for going on despite a gate.
    Override(String),
    /// The reason for setting a finding aside.
    Dismiss {
        /// The revision it is about.
        revision: Digest,
        /// Its place in the critique.
        finding: usize,
    },
    /// A question about a finding.
    Question {
        /// The revision it is about.
        revision: Digest,
        /// Its place in the critique.
        finding: usize,
        /// Whom.
        to: Role,
    },
    /// A word on a part of the artifact, which may reject it.
    Remark {
        /// The part.
        part: Digest,
        /// Whether it is rejected.
        rejects: bool,
    },
    /// The reason for going back.
    Reopen(StageIndex),
    /// The artifact itself.
    Edit,
    /// What to search for.
    Search,
}

/// A question that is answered in words.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What the answer is for.
    pub purpose: Purpose,
    /// The question.
    pub title: String,
    /// What the answer should say, or why it is asked.
    pub hint: String,
    /// The answer so far.
    pub area: TextArea<'static>,
    /// Why the answer won't do.
    pub error: Option<String>,
}

impl Ask {
    /// A question, with the text that was begun for it before.
    pub fn new(purpose: Purpose, title: &str, hint: &str, begun: &str) -> Self {
        let mut area = TextArea::from(begun.split('\n').map(str::to_owned));
        area.move_cursor(tui_textarea::CursorMove::Bottom);
        area.move_cursor(tui_textarea::CursorMove::End);
        Self { purpose, title: title.to_owned(), hint: hint.to_owned(), area, error: None }
    }

    /// Whether the answer may have several lines: Enter is then a line feed.
    pub const fn is_long(&self) -> bool {
        matches!(self.purpose, Purpose::Edit)
    }

    /// The answer.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }
}

impl Purpose {
    /// The least characters of an answer, as the engine wants it.
    pub(super) const fn least(&self) -> usize {
        match self {
            Self::Revise | Self::Remark { rejects: true, .. } => 1,
            Self::Abandon | Self::Override(_) | Self::Dismiss { .. } | Self::Reopen(_) => REASON_LEAST,
            _ => 0,
        }
    }

    /// The name under which a text that was begun is kept.
    pub fn key(&self) -> String {
        match self {
            Self::Dismiss { finding, .. } => format!("dismiss {finding}"),
            Self::Question { finding, to, .. } => format!("ask {} {finding}", to.name()),
            Self::Override(gate) => format!("override {gate}"),
            Self::Remark { part, .. } => format!("remark {part}"),
            Self::Goal(_) => "goal".to_owned(),
            other => format!("{other:?}"),
        }
    }
}

impl Overlay {
    /// A text, from its beginning.
    pub(super) fn text(source: Source) -> Self {
        Self::Text { source, scroll: Scroll::default(), found: None }
    }

    /// Whether keys are text.
    pub fn takes_text(&self) -> bool {
        match self {
            Self::Ask(_) | Self::Pick(_) | Self::Casting(_) => true,
            Self::Sheet(sheet) => sheet.field.is_some(),
            Self::Help(help) => help.typing,
            Self::Trust(_) | Self::Text { .. } => false,
        }
    }

    /// Whether it is a decision whose answer is awaited.
    pub(super) fn is_sent(&self) -> bool {
        matches!(self, Self::Sheet(sheet) if sheet.sent)
    }

    /// Where keys are looked up.
    pub fn context(&self) -> Context {
        match self {
            _ if self.takes_text() => Context::Text,
            Self::Sheet(_) => Context::Confirm,
            Self::Trust(_) => Context::Trust,
            _ => Context::List,
        }
    }

    /// When it wants to be drawn again without a key.
    pub(super) fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Sheet(sheet) => sheet.arming.armed_at().filter(|at| *at > now),
            Self::Trust(trust) => trust.arming.armed_at().filter(|at| *at > now),
            _ => None,
        }
    }
}
