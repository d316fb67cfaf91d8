//! Answers to what a human asks about a finding: what follows from a call, and from one that could not be made.

use crate::domain::{Digest, End, ExchangeId, LoopId, StageIndex};
use crate::engine::Command;
use crate::prompt;

/// The finding that a call is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    pub(super) id: LoopId,
    pub(super) stage: StageIndex,
    pub(super) revision: Digest,
    pub(super) finding: usize,
}

impl About {
    /// What follows from the end of the call.
    pub(super) fn answered(self, exchange: ExchangeId, end: End, text: &str) -> Command {
        let Self { id, stage, revision, finding } = self;
        let text = prompt::unwrap_reply(text).trim();
        let why = match end {
            End::Complete if text.is_empty() => "the reply is empty".to_owned(),
            End::Complete => {
                return Command::Replied { id, stage, revision, finding, exchange, text: text.to_owned() };
            }
            End::Truncated(why) => format!("the reply is cut off: {why}"),
            End::Failed(why) => why,
            End::Cancelled | End::Interrupted => "it was cancelled".to_owned(),
        };
        self.failed(Some(exchange), why)
    }

    /// There is no answer.
    pub(super) const fn failed(self, exchange: Option<ExchangeId>, why: String) -> Command {
        let Self { id, stage, revision, finding } = self;
        Command::ReplyFailed { id, stage, revision, finding, exchange, why }
    }
}
