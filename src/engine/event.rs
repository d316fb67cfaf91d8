//! What happened: the only thing that changes the state, and all that the journal keeps of it.

use crate::domain::{
    ArtifactKind, CommitId, ContextItem, Critique, Decision, Digest, End, ExchangeId, GateDef, GateRun, LoopId,
    Measurement, ModelId, Override, Person, PromptRef, Quote, Revision, Role, StageIndex, Timestamp, Timings, Usage,
    Workflow,
};

/// What the configuration says about a loop: who drafts, who objects, which gates judge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// The model that drafts; none if a human writes everything.
    pub author: Option<ModelId>,
    /// The model or agent that makes changes in the author's place.
    pub change_author: Option<ModelId>,
    /// The model that objects; none if nobody does.
    pub critic: Option<ModelId>,
    /// The project's command gates, in the order of the configuration.
    pub gates: Vec<GateDef>,
    /// Digest of the repository's configuration file; its commands run only once a human has trusted exactly this.
    pub config: Option<Digest>,
}

impl Setup {
    /// Who drafts an artifact of this kind; none if a human writes it.
    pub fn author_of(&self, kind: ArtifactKind) -> Option<&ModelId> {
        let special = self.change_author.as_ref().filter(|_| kind == ArtifactKind::Change);
        special.or(self.author.as_ref())
    }
}

/// Why a draft gave no revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The call failed; the server's own words.
    Call(String),
    /// A human stopped it, or Windlass ended meanwhile.
    Stopped(String),
    /// The reply lacks required parts. It is kept and shown as it is.
    Malformed {
        /// The whole reply.
        text: String,
        /// What is missing, in words that can be sent back.
        missing: Vec<String>,
    },
    /// The reply's patch was refused or doesn't apply.
    Patch {
        /// The whole reply.
        text: String,
        /// Each problem, in words that can be sent back.
        problems: Vec<String>,
    },
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A human trusted the repository's commands, exactly as they are in this configuration.
    Trusted {
        /// Digest of the configuration file.
        config: Digest,
        /// Who.
        by: Person,
    },
    /// A loop began; its first stage is open.
    Begun {
        /// The new loop.
        id: LoopId,
        /// The effort's goal.
        goal: String,
        /// The constraint that the previous loop named, if this one follows it.
        hint: Option<String>,
        /// Its workflow, whole: later editions of the file don't change a running loop.
        workflow: Workflow,
        /// The commit it stands on.
        base: CommitId,
        /// The branch to land on; none when the checkout was detached.
        branch: Option<String>,
        /// Roles and gates.
        setup: Setup,
        /// Who.
        by: Person,
    },
    /// Roles or gates are different from now on.
    Configured {
        /// The loop.
        id: LoopId,
        /// The new setup.
        setup: Setup,
    },
    /// The open stage's context is gathered and, where the stage asks for it, measured.
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
    /// The human kept, dropped or added a context item.
    ContextChosen {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The item's name; for a file, its path.
        name: String,
        /// Whether it is to be sent.
        included: bool,
    },
    /// A human gave a role to another model, for this stage only.
    ModelChosen {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The role.
        role: Role,
        /// The model.
        model: ModelId,
        /// Who.
        by: Person,
    },
    /// Drafting began.
    DraftBegun {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
    },
    /// A model was called.
    Asked {
        /// The call.
        exchange: ExchangeId,
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
        /// What it was expected to take, and at which price.
        quote: Quote,
    },
    /// A call ended.
    Answered {
        /// The call.
        exchange: ExchangeId,
        /// How.
        end: End,
        /// What it took.
        usage: Usage,
        /// When what came.
        timings: Timings,
    },
    /// There is a new revision; its review begins.
    Drafted {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision.
        revision: Revision,
    },
    /// Drafting gave no revision.
    DraftFailed {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Why.
        trouble: Trouble,
    },
    /// A human wrote a change as an answer in text; it is vetted and applied like a model's.
    Written {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The text.
        text: String,
        /// Who.
        by: Person,
    },
    /// A human edited the change in a worktree; what is there becomes a revision.
    WorktreeTaken {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Who.
        by: Person,
    },
    /// The critic has spoken.
    Critiqued {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// What it said, of which revision.
        critique: Critique,
    },
    /// There is no critique of this revision.
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
    /// A gate has run.
    GateFinished {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The run.
        run: GateRun,
    },
    /// A human wants gates or the critique again; before anything is drafted, the measurement.
    RerunAsked {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Which gates.
        gates: Vec<String>,
        /// Whether the critic is asked again.
        critique: bool,
    },
    /// A human set a finding aside.
    Dismissed {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision it is about.
        revision: Digest,
        /// Its place in the critique, counted from 0.
        finding: usize,
        /// Why.
        reason: String,
        /// Who.
        by: Person,
    },
    /// A human asked the author or the critic about a finding.
    Questioned {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision it is about.
        revision: Digest,
        /// Its place in the critique, counted from 0.
        finding: usize,
        /// Whom.
        to: Role,
        /// What.
        question: String,
        /// Who.
        by: Person,
    },
    /// A question about a finding is answered.
    Replied {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision.
        revision: Digest,
        /// The finding's place in the critique, counted from 0.
        finding: usize,
        /// In which call.
        exchange: ExchangeId,
        /// The answer.
        text: String,
    },
    /// A question about a finding has no answer; it can be asked again.
    ReplyFailed {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision.
        revision: Digest,
        /// The finding's place in the critique, counted from 0.
        finding: usize,
        /// In which call; none if it could not be made.
        exchange: Option<ExchangeId>,
        /// Why.
        why: String,
    },
    /// A human goes on despite a gate.
    Overridden {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Which gate, on what, why and who.
        by: Override,
    },
    /// A human decided on the open stage.
    Decided {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// What.
        decision: Decision,
    },
    /// A human took the revision that was sent back up again; it waits for a decision as before.
    TakenBack {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
    },
    /// A human wants what is running stopped.
    CancelAsked {
        /// The loop.
        id: LoopId,
    },
    /// A human went back to an approved stage.
    Reopened {
        /// The loop.
        id: LoopId,
        /// The stage that is open again.
        stage: StageIndex,
        /// Why.
        reason: String,
        /// Who.
        by: Person,
    },
    /// The loop rests.
    Parked {
        /// The loop.
        id: LoopId,
        /// Who.
        by: Person,
    },
    /// The loop goes on.
    Resumed {
        /// The loop.
        id: LoopId,
        /// Who.
        by: Person,
    },
    /// The approved tree is a commit.
    Landed {
        /// The loop.
        id: LoopId,
        /// The commit.
        commit: CommitId,
        /// Why the branch didn't move and the command that moves it; none if it moved.
        left: Option<String>,
    },
    /// The approved tree could not be made a commit; it can be tried again.
    LandingFailed {
        /// The loop.
        id: LoopId,
        /// Why.
        why: String,
    },
    /// A human tries the landing again.
    LandingRetried {
        /// The loop.
        id: LoopId,
    },
    /// Windlass opened this journal again; whatever was in flight had ended without a record.
    Recovered,
}

/// An event in its place in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its place, counted from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

impl Event {
    /// The loop it belongs to, if it belongs to one.
    pub fn loop_id(&self) -> Option<LoopId> {
        match self {
            Self::Trusted { .. } | Self::Answered { .. } | Self::Recovered => None,
            Self::Begun { id, .. }
            | Self::Configured { id, .. }
            | Self::Prepared { id, .. }
            | Self::ContextChosen { id, .. }
            | Self::ModelChosen { id, .. }
            | Self::DraftBegun { id, .. }
            | Self::Asked { id, .. }
            | Self::Drafted { id, .. }
            | Self::DraftFailed { id, .. }
            | Self::Written { id, .. }
            | Self::WorktreeTaken { id, .. }
            | Self::Critiqued { id, .. }
            | Self::CritiqueFailed { id, .. }
            | Self::GateFinished { id, .. }
            | Self::RerunAsked { id, .. }
            | Self::Dismissed { id, .. }
            | Self::Questioned { id, .. }
            | Self::Replied { id, .. }
            | Self::ReplyFailed { id, .. }
            | Self::Overridden { id, .. }
            | Self::Decided { id, .. }
            | Self::TakenBack { id, .. }
            | Self::CancelAsked { id }
            | Self::Reopened { id, .. }
            | Self::Parked { id, .. }
            | Self::Resumed { id, .. }
            | Self::Landed { id, .. }
            | Self::LandingFailed { id, .. }
            | Self::LandingRetried { id } => Some(*id),
        }
    }
}
