//! Why a command is not carried out, in words a person can act on.

use crate::domain::{LoopId, Money, StageIndex};

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such loop.
    #[error("there is no loop {0}")]
    NoLoop(LoopId),
    /// Another loop is active.
    #[error("loop {0} is active: park or finish it first")]
    AnotherActive(LoopId),
    /// Another loop has still to land.
    #[error("loop {0} has failed to land: try the landing again, or abandon it, first")]
    NotLanded(LoopId),
    /// The loop isn't active.
    #[error("loop {id} is {status}")]
    NotActive {
        /// The loop.
        id: LoopId,
        /// What it is instead.
        status: &'static str,
    },
    /// The stage isn't in the state this needs.
    #[error("not now: stage {stage} is {phase}; {needs}")]
    NotNow {
        /// The stage's name.
        stage: String,
        /// Its phase.
        phase: &'static str,
        /// What the command needs.
        needs: &'static str,
    },
    /// The evidence isn't what the human saw.
    #[error("changed under you: {}", .0.join(", "))]
    ChangedUnderYou(Vec<String>),
    /// A required gate stands in the way.
    #[error("gate {gate} is required and {state}: mend it, run it again, or override it with a reason")]
    Gate {
        /// The gate.
        gate: String,
        /// How it stands.
        state: String,
    },
    /// An override of a gate that takes none.
    #[error("gate {0} is mandatory, and no reason goes past it: mend what it found and run it again")]
    Mandatory(String),
    /// An override of what a gate is firm about.
    #[error("no reason goes past gate {gate} here: {summary}")]
    Firm {
        /// The gate.
        gate: String,
        /// What it said.
        summary: String,
    },
    /// A blocker stands in the way.
    #[error("a blocker is open: send the stage back, or dismiss it with a reason ({0})")]
    Blocker(String),
    /// A reason is needed.
    #[error("a reason of at least {least} characters is needed: {gaps}")]
    ReasonNeeded {
        /// The least number of characters.
        least: usize,
        /// What it is needed for.
        gaps: String,
    },
    /// The reason is the last one again.
    #[error("that reason was given before; say what is so this time")]
    ReasonRepeated,
    /// Approval lands, and the stage's name wasn't typed.
    #[error("this approval lands: type the stage's name, {0:?}, to confirm")]
    TypeTheName(String),
    /// Nobody to call.
    #[error("no {0} is configured: add it under [roles], or write the artifact by hand")]
    NoModel(&'static str),
    /// One model in both roles.
    #[error("author and critic are both {0}: the critic must be another model")]
    SameModel(String),
    /// Two gates of one stage share a name.
    #[error("two gates are called {0:?}: give one of them another name")]
    GateTwice(String),
    /// The commands are the repository's, and nobody has trusted them as they are.
    #[error("the repository's commands are not trusted as they are now: read them and trust them first")]
    NotTrusted,
    /// An approval that lands, of a revision that makes no tree.
    #[error("this approval lands, and the revision makes no tree: draft it again")]
    NoTree,
    /// The goal is empty.
    #[error("a goal is needed")]
    NoGoal,
    /// The text is empty.
    #[error("the text is empty")]
    NoText,
    /// No such gate in this stage.
    #[error("no gate {0:?} in this stage")]
    NoGate(String),
    /// The gate hasn't finished.
    #[error("gate {0} is running: wait for it, or cancel it")]
    GateRunning(String),
    /// No such finding.
    #[error("no such finding")]
    NoFinding,
    /// A question about the finding waits for its answer.
    #[error("an answer about this finding is on its way: wait for it, or cancel it")]
    AnswerAwaited,
    /// Not a stage one can go back to.
    #[error("stage {} is not approved, so there is nothing to go back to", .0.number())]
    NotApproved(StageIndex),
    /// A limited call whose price nobody knows.
    #[error(
        "there is a budget, and no price is known for {0}: add it under [prices] in your own config.toml \
         (dollars per million tokens; 0 for a model that costs nothing)"
    )]
    PriceUnknown(String),
    /// A call that would pass a limit. Nothing was sent.
    #[error(
        "over budget: this call is expected to cost {expected}, {spent} is spent, and the limit for one {what} is \
         {limit}; raise it under [budget] and reload, or write the artifact by hand"
    )]
    OverBudget {
        /// Which limit.
        what: &'static str,
        /// The limit.
        limit: Money,
        /// What was spent before.
        spent: Money,
        /// What the call is expected to cost.
        expected: Money,
    },
    /// The result of something that no longer matters. Not shown.
    #[error("out of date")]
    Stale,
}
