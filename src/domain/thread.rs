//! What was asked about a finding, and what was answered: a thread of turns. It informs; it changes no finding.

use super::{ExchangeId, Finding, Role};

/// One question about a finding, put by a human to one of the two models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whom.
    pub to: Role,
    /// What, as it was put.
    pub question: String,
    /// In which call; none until it is made.
    pub exchange: Option<ExchangeId>,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    Awaited,
    /// This.
    Given(String),
    /// There is none, and why; it can be asked again.
    Failed(String),
}

impl Turn {
    /// What was answered, if anything was.
    pub fn given(&self) -> Option<&str> {
        match &self.answer {
            Answer::Given(text) => Some(text),
            Answer::Awaited | Answer::Failed(_) => None,
        }
    }
}

/// The question that is put where a human types none.
pub const fn usual_question(to: Role) -> &'static str {
    match to {
        Role::Author => "Is this finding right? If so, what would you change; if not, why not?",
        Role::Critic => "What exactly goes wrong, how would one see it, and what would settle it?",
    }
}

impl Finding {
    /// Whether a question about it waits for its answer.
    pub fn awaits_answer(&self) -> bool {
        self.thread.last().is_some_and(|turn| turn.answer == Answer::Awaited)
    }
}
