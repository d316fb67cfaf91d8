//! What is wanted: from the human's keys, and from the driver when an effect has a result.

use crate::domain::{
    Budget, Change, CommitId, ContextItem, Critique, Digest, End, ExchangeId, GateRun, LoopId, Measurement, ModelId,
    Origin, Person, PromptRef, Quote, Role, StageIndex, Timings, Unread, Usage, Workflow,
};

use super::{Evidence, Setup, Trouble};

/// An approval as the decision sheet makes it. There is no other form: one loop, one stage, one set of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The loop.
    pub id: LoopId,
    /// The stage.
    pub stage: StageIndex,
    /// The evidence that was on the screen.
    pub evidence: Evidence,
    /// How much of the artifact has been on the screen.
    pub unread: Unread,
    /// How much of the critique has been on the screen, in findings.
    pub findings: Unread,
    /// The human's reason, where there are gaps.
    pub reason: Option<String>,
    /// The stage's name as the human typed it, where approval lands.
    pub typed: Option<String>,
    /// Who.
    pub by: Person,
}

/// Something that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Human: trust the repository's commands as they are in this configuration.
    Trust {
        /// Digest of the configuration file.
        config: Digest,
        /// Who.
        by: Person,
    },
    /// Human: begin a loop.
    Begin {
        /// The effort's goal.
        goal: String,
        /// The constraint that the previous loop named.
        hint: Option<String>,
        /// The workflow.
        workflow: Workflow,
        /// The commit to stand on.
        base: CommitId,
        /// The branch to land on.
        branch: Option<String>,
        /// Roles and gates.
        setup: Setup,
        /// Who.
        by: Person,
    },
    /// Driver: the configuration as it is now.
    Configure {
        /// The loop.
        id: LoopId,
        /// Roles and gates.
        setup: Setup,
    },
    /// Human: keep, drop or add a context item.
    Choose {
        /// The loop.
        id: LoopId,
        /// The item's name; for a file, its path.
        name: String,
        /// Whether it is to be sent.
        included: bool,
    },
    /// Human: in this stage another configured model has this role.
    ChooseModel {
        /// The loop.
        id: LoopId,
        /// The role.
        role: Role,
        /// The model.
        model: ModelId,
        /// Who.
        by: Person,
    },
    /// Human: send the listed context to the author.
    Draft {
        /// The loop.
        id: LoopId,
    },
    /// Human: this text is the artifact (or, for a change, the answer to apply).
    Write {
        /// The loop.
        id: LoopId,
        /// The text.
        text: String,
        /// Who.
        by: Person,
    },
    /// Human: what I made of the change in the worktree to edit is the change.
    TakeWorktree {
        /// The loop.
        id: LoopId,
        /// Who.
        by: Person,
    },
    /// Human: approve the open stage.
    Approve(Box<Approval>),
    /// Human: draft again, for a reason.
    Revise {
        /// The loop.
        id: LoopId,
        /// The evidence that was on the screen.
        evidence: Evidence,
        /// Why; goes to the author.
        reason: String,
        /// Who.
        by: Person,
    },
    /// Human: decide on the revision that was sent back after all; nothing has come in its place.
    TakeBack {
        /// The loop.
        id: LoopId,
    },
    /// Human: end the loop without landing.
    Abandon {
        /// The loop.
        id: LoopId,
        /// Why.
        reason: String,
        /// Who.
        by: Person,
    },
    /// Human: set a finding aside.
    Dismiss {
        /// The loop.
        id: LoopId,
        /// The revision it is about.
        revision: Digest,
        /// Its place in the critique, counted from 0.
        finding: usize,
        /// Why.
        reason: String,
        /// Who.
        by: Person,
    },
    /// Human: ask the author or the critic about a finding.
    Question {
        /// The loop.
        id: LoopId,
        /// The revision it is about.
        revision: Digest,
        /// Its place in the critique, counted from 0.
        finding: usize,
        /// Whom.
        to: Role,
        /// What; if empty, what is usually asked.
        question: String,
        /// Who.
        by: Person,
    },
    /// Human: go on despite a gate.
    Override {
        /// The loop.
        id: LoopId,
        /// The gate.
        gate: String,
        /// Why.
        reason: String,
        /// Who.
        by: Person,
    },
    /// Human: run a gate again, or all of them. Before anything is drafted: take the measurement again.
    Rerun {
        /// The loop.
        id: LoopId,
        /// Which; none for all (and for the measurement).
        gate: Option<String>,
    },
    /// Human: ask the critic again.
    Recritique {
        /// The loop.
        id: LoopId,
    },
    /// Human: stop what is running.
    Cancel {
        /// The loop.
        id: LoopId,
    },
    /// Human: go back to an approved stage.
    Reopen {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Why.
        reason: String,
        /// Who.
        by: Person,
    },
    /// Human: let the loop rest.
    Park {
        /// The loop.
        id: LoopId,
        /// Who.
        by: Person,
    },
    /// Human: go on with a parked loop.
    Resume {
        /// The loop.
        id: LoopId,
        /// Who.
        by: Person,
    },
    /// Human: try a failed landing again.
    Land {
        /// The loop.
        id: LoopId,
    },
    /// Driver: the context is gathered.
    Prepared {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// What would be sent.
        items: Vec<ContextItem>,
        /// The measurement, when one was taken.
        measurement: Option<Measurement>,
        /// Why the stage, which asks for a measurement, has none.
        unmeasured: Option<String>,
    },
    /// Driver: a model is about to be called.
    Ask {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// In which role.
        role: Role,
        /// The finding it is asked about; none for a draft or a critique.
        finding: Option<usize>,
        /// Which model.
        model: ModelId,
        /// From which prompt.
        prompt: PromptRef,
        /// What it is expected to take.
        quote: Quote,
        /// What may be spent.
        budget: Budget,
    },
    /// Driver: the call ended.
    Answer {
        /// The call.
        exchange: ExchangeId,
        /// How.
        end: End,
        /// What it took.
        usage: Usage,
        /// When what came.
        timings: Timings,
    },
    /// Driver: a draft is there.
    Drafted {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The artifact's text.
        text: String,
        /// The applied change.
        change: Option<Change>,
        /// Who wrote it.
        origin: Origin,
    },
    /// Driver: there is no draft.
    DraftFailed {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Why.
        trouble: Trouble,
    },
    /// Driver: the critic has spoken.
    Critiqued {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// What it said.
        critique: Critique,
    },
    /// Driver: there is no critique.
    CritiqueFailed {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision.
        revision: Digest,
        /// Why.
        why: String,
    },
    /// Driver: a question about a finding is answered.
    Replied {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision.
        revision: Digest,
        /// The finding's place in the critique.
        finding: usize,
        /// In which call.
        exchange: ExchangeId,
        /// The answer.
        text: String,
    },
    /// Driver: a question about a finding has no answer.
    ReplyFailed {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision.
        revision: Digest,
        /// The finding's place in the critique.
        finding: usize,
        /// In which call; none if it could not be made.
        exchange: Option<ExchangeId>,
        /// Why.
        why: String,
    },
    /// Driver: a gate has run.
    GateFinished {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The run; its id is given by the engine.
        run: GateRun,
    },
    /// Driver: the approved tree is a commit.
    Landed {
        /// The loop.
        id: LoopId,
        /// The commit.
        commit: CommitId,
        /// Why the branch didn't move, and the command that moves it.
        left: Option<String>,
    },
    /// Driver: the approved tree could not be made a commit.
    LandingFailed {
        /// The loop.
        id: LoopId,
        /// Why.
        why: String,
    },
    /// Driver: the journal was opened; pick up what was in flight.
    Recover,
}
