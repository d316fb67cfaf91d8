//! The linear mode: the same model, the same driver and the same laws as the screen, in lines that are only ever added.
//!
//! For screen readers, dumb terminals and logs. Nothing is drawn, nothing moves, nothing ticks; what happens is said in
//! sentences, and what is wanted is typed as words. It stands in this room because it is a second hand on the same
//! terminal: it shares the record, the drafts and the editor with the screen, and every rule with [`crate::app`].

mod front;
mod hear;
mod keyboard;
mod paper;
mod put;
mod show;
mod speech;
mod turn;
mod words;

use std::time::{Duration, Instant};

use tokio::runtime;

use super::work::{Opened, Work};
use super::{Start, TuiError};

use self::front::Front;
use self::keyboard::Keyboard;
use self::paper::Paper;
use self::turn::Session;

/// The sheet of paper is as long as the artifact: what is put before the human is never cut off at an edge.
const SIZE: (u16, u16) = (200, 10_000);

/// What the linear mode needs to know of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// It shows nothing but ASCII.
    pub is_ascii: bool,
    /// It knows no control sequences at all.
    pub is_dumb: bool,
}

/// Runs the linear mode until the person leaves, the terminal goes, or the record can't be kept. Standard input and
/// output must be a terminal.
///
/// # Errors
/// If the terminal or the record fails.
pub fn run(start: Start, terminal: Terminal) -> Result<(), TuiError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut work, Opened { reports, quiet, decide, .. }) = Work::open(start, SIZE)?;
    work.model.is_plain = true;
    let session = Session {
        work,
        keyboard: Keyboard::open()?,
        paper: Paper::begin(terminal.is_ascii, !terminal.is_dumb)?,
        speech: Default::default(),
        front: Front::Nothing,
        question: None,
        reading: None,
        awaited: None,
        offered: None,
        lent: false,
        decide,
    };
    let (session, result) = runtime.block_on(session.serve(reports));
    let Session { work, paper, .. } = session;
    // The terminal first: whatever the driver has to say belongs on it as it was.
    drop(paper);
    let ended = work.source.end();
    drop(quiet);
    result.and(ended)
}

/// A question that was put, or is about to be.
struct Question {
    /// What it says.
    text: String,
    /// When it is put: what decides is asked once it stood there for a moment.
    due: Instant,
    /// Whether it was put. Before that nothing answers it.
    put: bool,
    /// Whether the answer decides, so that it has to be typed.
    decides: bool,
    /// Whether the answer counts for a decision, so that no held key may give it.
    counts: bool,
    /// Why the last thing typed didn't count, once that was said.
    told: Option<&'static str>,
}

impl Question {
    fn new(text: impl Into<String>, wait: Duration, decides: bool) -> Self {
        let due = Instant::now() + wait;
        // What takes its time to be asked isn't answered in a hurry either.
        Self { text: text.into(), due, put: false, decides, counts: !wait.is_zero(), told: None }
    }
}
