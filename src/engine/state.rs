//! The state: every loop of the repository, as the events made it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    ArtifactKind, CommitId, ContextItem, Critique, Decision, Digest, Disposition, End, Enforcement, ExchangeId,
    Finding, GateDef, GateKind, GateRules, GateRun, LoopId, Measure, Measurement, ModelId, Money, Origin, Override,
    PromptRef, Quote, Revision, Role, StageIndex, StageSpec, Subject, Timestamp, Timings, Usage, Workflow, sections,
};

use super::{Setup, Trouble};

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

/// Everything Windlass knows about a repository.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// Every loop.
    pub loops: BTreeMap<LoopId, Loop>,
    /// Digests of configurations whose commands a human trusted.
    pub trusted: BTreeSet<Digest>,
    /// Every call of a model.
    pub exchanges: BTreeMap<ExchangeId, ExchangeInfo>,
    /// The number of the last gate run.
    pub last_run: u64,
    /// Answers of gates that may be used again, by what they rest on.
    pub(super) answered: BTreeMap<Digest, GateRun>,
    /// The reason of the last approval that needed one.
    pub last_reason: Option<String>,
}

/// Where a loop stands as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// One stage is open.
    Active,
    /// It rests.
    Parked,
    /// Its last stage is approved; the commit is being made.
    Landing(Landing),
    /// It is a commit.
    Landed {
        /// The commit.
        commit: CommitId,
        /// Why the branch didn't move, and the command that moves it.
        left: Option<String>,
    },
    /// It landed without a commit: its workflow has no landing.
    Finished,
    /// A human ended it.
    Abandoned,
}

/// A landing on its way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Landing {
    /// Why the last try failed.
    pub failed: Option<String>,
}

impl Status {
    /// The lower-case word used in files and on screens.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Parked => "parked",
            Self::Landing(_) => "landing",
            Self::Landed { .. } => "landed",
            Self::Finished => "finished",
            Self::Abandoned => "abandoned",
        }
    }
}

/// One turn of the crank.
#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    /// Its number.
    pub id: LoopId,
    /// When it began.
    pub begun: Timestamp,
    /// The effort's goal.
    pub goal: String,
    /// The constraint that the previous loop named.
    pub hint: Option<String>,
    /// The commit it stands on.
    pub base: CommitId,
    /// The branch to land on.
    pub branch: Option<String>,
    /// Roles and gates.
    pub setup: Setup,
    /// Its workflow.
    pub workflow: Workflow,
    /// Its stages; never empty.
    pub stages: Vec<Stage>,
    /// The stage that is open, or was last.
    pub open: StageIndex,
    /// Where it stands.
    pub status: Status,
    /// The place in the journal of the last decision on it; 0 before there is one. What lands names it.
    pub decided: u64,
}

/// Where a stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not opened yet.
    Closed,
    /// Context is being gathered and measured.
    Preparing,
    /// The context is listed; nothing is sent yet.
    Ready,
    /// The author is at work.
    Drafting {
        /// Which try of the author, counted from 1; 0 while a human's own text is being applied.
        attempt: u32,
    },
    /// Critic and gates are at work.
    Reviewing,
    /// It waits for the human.
    Awaiting,
    /// A human approved it, on this evidence.
    Approved(Digest),
    /// It was opened once, but an earlier stage is open again.
    Stale,
}

impl Phase {
    /// The lower-case word used in files and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::Drafting { .. } => "drafting",
            Self::Reviewing => "reviewing",
            Self::Awaiting => "awaiting decision",
            Self::Approved(_) => "approved",
            Self::Stale => "stale",
        }
    }

    /// Whether the stage is the open one.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Preparing | Self::Ready | Self::Drafting { .. } | Self::Reviewing | Self::Awaiting)
    }
}

/// What a review still waits for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pending {
    /// The critic.
    pub critique: bool,
    /// These gates.
    pub gates: BTreeSet<String>,
}

impl Pending {
    /// Whether nothing is awaited any more.
    pub fn is_empty(&self) -> bool {
        !self.critique && self.gates.is_empty()
    }
}

/// What goes back to the author.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Feedback {
    /// The human's reasons that no draft has answered yet, oldest first.
    pub reasons: Vec<String>,
    /// The findings that were open.
    pub findings: Vec<Finding>,
    /// What was wrong with the last reply's form or patch.
    pub problems: Vec<String>,
}

/// A decision, and what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The decision.
    pub decision: Decision,
    /// The revision under review; none where the loop was abandoned before there was one.
    pub on: Option<Digest>,
    /// The findings that were open.
    pub open: Vec<Finding>,
}

/// One step of a loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// What makes it this stage.
    pub spec: StageSpec,
    /// Where it stands.
    pub phase: Phase,
    /// What would be sent, or was.
    pub context: Vec<ContextItem>,
    /// Models that a human put in the place of the configured ones, for this stage.
    pub chosen: BTreeMap<Role, ModelId>,
    /// What the human kept (true) or dropped (false) against the default, by name.
    pub choices: BTreeMap<String, bool>,
    /// Readings taken before drafting.
    pub measurement: Option<Measurement>,
    /// Why there are none, where the stage asks for them.
    pub unmeasured: Option<String>,
    /// It was sent back before anything was measured: the author begins as soon as there are readings.
    pub drafts_when_measured: bool,
    /// Every revision, oldest first.
    pub revisions: Vec<Revision>,
    /// The revision under review.
    pub current: Option<Digest>,
    /// The critique of the current revision.
    pub critique: Option<Critique>,
    /// Why the critic's last call gave no critique.
    pub critique_failed: Option<String>,
    /// The last run of each gate.
    pub runs: BTreeMap<String, GateRun>,
    /// Overrides, by gate.
    pub overrides: BTreeMap<String, Override>,
    /// What the review waits for.
    pub pending: Pending,
    /// What goes back to the author.
    pub feedback: Option<Feedback>,
    /// Why the last draft, or the last edit by hand, gave no revision; gone with the next one, and with a decision.
    pub trouble: Option<Trouble>,
    /// The author's latest call for the draft under way; an answer to any other is out of date.
    pub author_call: Option<ExchangeId>,
    /// Every decision on it, oldest first.
    pub rulings: Vec<Ruling>,
    /// How often the author was called in this stage.
    pub author_calls: u32,
    /// How often the critic was called in this stage.
    pub critic_calls: u32,
}

/// A call of a model, without its bytes (the journal has them).
#[derive(Debug, Clone, PartialEq)]
pub struct ExchangeInfo {
    /// The loop.
    pub id: LoopId,
    /// The stage.
    pub stage: StageIndex,
    /// In which role.
    pub role: Role,
    /// The finding it was asked about; none for a draft or a critique.
    pub finding: Option<usize>,
    /// Which model.
    pub model: ModelId,
    /// From which prompt.
    pub prompt: PromptRef,
    /// What it was expected to take, and at which price.
    pub quote: Quote,
    /// When it was asked.
    pub asked: Timestamp,
    /// How it ended; none while it runs.
    pub end: Option<End>,
    /// What it took.
    pub usage: Usage,
    /// When what came.
    pub timings: Timings,
}

impl ExchangeInfo {
    /// What it cost, by the server's own count; none while that or the price is unknown.
    pub fn cost(&self) -> Option<Money> {
        self.quote.price?.of(&self.usage)
    }

    /// What to reckon with where the server didn't count: what was expected.
    fn reckoned(&self) -> Option<Money> {
        self.cost().or_else(|| self.quote.expected())
    }
}

impl State {
    /// What was spent in a loop; calls that the server didn't count are reckoned with what was expected of them, and
    /// calls of unknown price not at all.
    pub fn spent_in(&self, id: LoopId) -> Money {
        self.exchanges.values().filter(|call| call.id == id).filter_map(ExchangeInfo::reckoned).sum()
    }

    /// The same for the day, in UTC, of `at`.
    pub fn spent_on_day_of(&self, at: Timestamp) -> Money {
        let day = |at: Timestamp| at.0.div_euclid(DAY_MS);
        let of_day = self.exchanges.values().filter(|call| day(call.asked) == day(at));
        of_day.filter_map(ExchangeInfo::reckoned).sum()
    }
}

impl Stage {
    /// A stage not opened yet.
    pub(super) fn new(spec: StageSpec) -> Self {
        Self {
            spec,
            phase: Phase::Closed,
            context: Vec::new(),
            chosen: BTreeMap::new(),
            choices: BTreeMap::new(),
            measurement: None,
            unmeasured: None,
            drafts_when_measured: false,
            revisions: Vec::new(),
            current: None,
            critique: None,
            critique_failed: None,
            runs: BTreeMap::new(),
            overrides: BTreeMap::new(),
            pending: Pending::default(),
            feedback: None,
            trouble: None,
            author_call: None,
            rulings: Vec::new(),
            author_calls: 0,
            critic_calls: 0,
        }
    }

    /// Whether a human may put a text or a tree of their own in place of the draft.
    pub(super) const fn is_editable(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Awaiting)
    }

    /// Whether `role` may be given to another model now: an author before a draft, a critic after a review.
    pub fn takes_another(&self, role: Role) -> bool {
        match role {
            Role::Author => self.phase == Phase::Ready,
            Role::Critic => self.phase == Phase::Awaiting,
        }
    }

    /// Whether its measurement may be taken again: nothing rests on it yet.
    pub(super) fn can_measure_again(&self) -> bool {
        self.phase == Phase::Ready && self.spec.measure != Measure::Nothing
    }

    /// Whether it asks for readings and has none.
    pub(super) fn lacks_measurement(&self) -> bool {
        self.spec.measure != Measure::Nothing && self.measurement.is_none()
    }

    /// Whether its revision was sent back and nothing has come in its place: it is there to be decided on again.
    pub fn can_be_taken_back(&self) -> bool {
        self.phase == Phase::Ready && self.revision().is_some()
    }

    /// The number of the revision that comes next.
    pub(super) fn next_ordinal(&self) -> u32 {
        u32::try_from(self.revisions.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The revision under review.
    pub fn revision(&self) -> Option<&Revision> {
        let id = self.current?;
        self.revisions.iter().rev().find(|revision| revision.id == id)
    }

    /// What gates run on now.
    pub fn subject(&self) -> Option<Subject> {
        self.revision().map(|revision| Subject { revision: revision.id, tree: revision.tree().cloned() })
    }

    /// Keeps a decision with what it was about.
    pub(super) fn rule(&mut self, decision: &Decision) {
        let findings = self.current_critique().into_iter().flat_map(|critique| &critique.findings);
        let open = findings.filter(|finding| finding.disposition == Disposition::Open).cloned().collect();
        self.rulings.push(Ruling { decision: decision.clone(), on: self.current, open });
    }

    /// The revision that a decision was about.
    pub fn revision_of(&self, ruling: &Ruling) -> Option<&Revision> {
        self.revisions.iter().rev().find(|revision| Some(revision.id) == ruling.on)
    }

    /// The critique, if it is about the revision under review.
    pub fn current_critique(&self) -> Option<&Critique> {
        self.critique.as_ref().filter(|critique| Some(critique.revision) == self.current)
    }

    /// The last run of `gate`, if it ran under this definition on the revision under review.
    pub fn fresh_run(&self, gate: &GateDef) -> Option<&GateRun> {
        let subject = self.subject()?;
        self.runs.get(&gate.name).filter(|run| run.subject == subject && run.definition == gate.digest())
    }

    /// Whether no reason goes past what `gate` says of the revision under review.
    pub fn is_firm(&self, gate: &GateDef) -> bool {
        gate.enforcement == Enforcement::Mandatory || self.fresh_run(gate).is_some_and(|run| run.details.firm)
    }

    /// The override of `gate`, if it holds for the revision under review.
    pub fn fresh_override(&self, gate: &str) -> Option<&Override> {
        let subject = self.subject()?.digest();
        self.overrides.get(gate).filter(|over| over.subject == subject)
    }
}

impl Revision {
    /// Whether this model wrote it.
    pub(super) fn is_by(&self, model: &ModelId) -> bool {
        matches!(&self.origin, Origin::Model { model: author, .. } if author == model)
    }
}

impl Loop {
    /// Whether it still has decisions before it: active, or parked.
    pub(super) fn is_going_on(&self) -> bool {
        matches!(self.status, Status::Active | Status::Parked)
    }

    /// Whether its landing was tried and failed.
    pub(super) fn has_failed_to_land(&self) -> bool {
        matches!(&self.status, Status::Landing(landing) if landing.failed.is_some())
    }

    /// The model that has `role` in the stage at `index`: the one chosen there, else the configured one.
    pub fn model(&self, index: StageIndex, role: Role) -> Option<&ModelId> {
        let stage = self.stage(index)?;
        let configured = match role {
            Role::Author => self.setup.author_of(stage.spec.artifact),
            Role::Critic => self.setup.critic.as_ref(),
        };
        stage.chosen.get(&role).or(configured)
    }

    /// Whether `model` can't have `role` in the stage at `index`: it has the other one, or wrote what is to be reviewed.
    pub fn is_taken(&self, index: StageIndex, role: Role, model: &ModelId) -> bool {
        let other = match role {
            Role::Author => Role::Critic,
            Role::Critic => Role::Author,
        };
        let wrote = || self.stage(index).and_then(Stage::revision).is_some_and(|revision| revision.is_by(model));
        self.model(index, other) == Some(model) || (role == Role::Critic && wrote())
    }

    /// Who reviews the open stage's revision: the critic, unless it wrote the revision itself (the roles may have
    /// changed since).
    pub(super) fn critic(&self) -> Option<&ModelId> {
        let revision = self.open_stage()?.revision()?;
        self.model(self.open, Role::Critic).filter(|critic| !revision.is_by(critic))
    }

    /// The stage that is open, or was last.
    pub fn open_stage(&self) -> Option<&Stage> {
        self.stages.get(self.open.0)
    }

    /// The stage at `index`.
    pub fn stage(&self, index: StageIndex) -> Option<&Stage> {
        self.stages.get(index.0)
    }

    /// The gates of a stage: its built-in ones, then the project's commands where the stage runs them.
    pub fn gates(&self, index: StageIndex) -> Vec<GateDef> {
        let Some(stage) = self.stage(index) else { return Vec::new() };
        let builtin = stage.spec.gates.iter().map(|name| GateDef {
            name: name.clone(),
            kind: GateKind::Builtin,
            enforcement: Enforcement::Required,
            rules: GateRules::default(),
        });
        let commands = self.setup.gates.iter().filter(|_| stage.spec.runs_commands).cloned();
        builtin.chain(commands).collect()
    }

    /// The approved revision of the last stage that makes this kind of artifact.
    pub fn artifact(&self, kind: ArtifactKind) -> Option<&Revision> {
        let made = self.stages.iter().filter(|stage| stage.spec.artifact == kind);
        made.filter(|stage| matches!(stage.phase, Phase::Approved(_))).filter_map(Stage::revision).next_back()
    }

    /// The acceptance criteria that the approved constraint states.
    pub fn criteria(&self) -> Vec<String> {
        let Some(constraint) = self.artifact(ArtifactKind::Constraint) else { return Vec::new() };
        sections(&constraint.text)
            .iter()
            .filter(|section| section.is("Acceptance criteria"))
            .flat_map(|section| section.items().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// The next constraint that the outcome names: its section's first paragraph, as one line.
    pub fn next_constraint(&self) -> Option<String> {
        let outcome = self.stages.iter().rev().find(|s| s.spec.artifact == ArtifactKind::Outcome)?.revision()?;
        let named = sections(&outcome.text).into_iter().find(|section| section.is("Next constraint"))?.body.trim();
        let paragraph: Vec<&str> = named.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let text = paragraph.join(" ").trim_start_matches("- ").to_owned();
        (!text.is_empty()).then_some(text)
    }
}

impl State {
    /// The loop that is active or landing; there is at most one.
    pub fn active(&self) -> Option<&Loop> {
        self.loops.values().find(|one| matches!(one.status, Status::Active | Status::Landing(_)))
    }

    /// The number a new loop gets.
    pub fn next_loop(&self) -> LoopId {
        LoopId(self.loops.keys().next_back().map_or(1, |last| last.0 + 1))
    }

    /// The number a new exchange gets.
    pub fn next_exchange(&self) -> ExchangeId {
        ExchangeId(self.exchanges.keys().next_back().map_or(1, |last| last.0 + 1))
    }

    /// Whether a gate hasn't run on the open stage's revision because nobody has trusted the repository's commands.
    pub fn waits_for_trust(&self, one: &Loop, gate: &GateDef) -> bool {
        let has_run = one.open_stage().is_some_and(|stage| stage.fresh_run(gate).is_some());
        gate.kind != GateKind::Builtin && !has_run && !self.is_trusted(one)
    }

    /// Whether a loop's commands may run: it has none from the repository, or a human trusted exactly these.
    pub fn is_trusted(&self, one: &Loop) -> bool {
        one.setup.config.is_none_or(|config| self.trusted.contains(&config))
    }
}
