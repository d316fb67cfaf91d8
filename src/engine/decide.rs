//! From a command to the events that follow from it, or a refusal.

use std::collections::BTreeSet;

use crate::domain::{
    ArtifactKind, Budget, Decision, Enforcement, Gap, GateKind, GateRun, LoopId, ModelId, Money, Origin, Override,
    Person, Quote, Revision, Role, RunId, StageIndex, Timestamp, Verb, Workflow, usual_question,
};

use super::approval::{self, is_reason};
use super::follows::follows;
use super::thread::{self, Place};
use super::{Approval, Command, Event, Evidence, Loop, Phase, Refusal, Setup, Stage, State, Status, Trouble};

type Decided = Result<Vec<Event>, Refusal>;

/// A new critique would take the finding away whose answer is awaited.
const ANSWER_FIRST: &str = "wait for the answer about the finding, or cancel it";

/// The events that follow from `command` in `state`. None of them is applied yet.
///
/// # Errors
/// The reason why nothing follows.
pub fn decide(state: &State, command: Command, at: Timestamp) -> Decided {
    match command {
        Command::Trust { config, by } => {
            if state.trusted.contains(&config) {
                Err(Refusal::Stale)
            } else {
                one(Event::Trusted { config, by })
            }
        }
        Command::Begin { goal, hint, workflow, base, branch, setup, by } => {
            no_other(state)?;
            let goal = text(&goal, Refusal::NoGoal)?;
            check(&setup, &workflow)?;
            one(Event::Begun { id: state.next_loop(), goal, hint, workflow, base, branch, setup, by })
        }
        Command::Choose { id, name, included } => {
            let (_, stage, index) = open(state, id)?;
            needs(stage, matches!(stage.phase, Phase::Ready), "context is chosen before the draft is sent")?;
            one(Event::ContextChosen { id, stage: index, name, included })
        }
        Command::ChooseModel { id, role, model, by } => {
            let (current, stage, index) = open(state, id)?;
            let needed = match role {
                Role::Author => "another author is chosen before a draft is sent",
                Role::Critic => "another critic is chosen once the review is done",
            };
            needs(stage, stage.takes_another(role), needed)?;
            needs(stage, !stage.awaits_answer(), ANSWER_FIRST)?;
            if current.is_taken(index, role, &model) {
                return Err(Refusal::SameModel(model.to_string()));
            }
            one(Event::ModelChosen { id, stage: index, role, model, by })
        }
        Command::Draft { id } => {
            let (current, stage, index) = open(state, id)?;
            needs(stage, stage.phase == Phase::Ready, "the context must be listed before it is sent")?;
            author(current)?;
            one(Event::DraftBegun { id, stage: index })
        }
        Command::Write { id, text, by } => write(state, id, text, by),
        Command::TakeWorktree { id, by } => {
            let (_, stage, index) = open(state, id)?;
            needs(stage, stage.spec.artifact == ArtifactKind::Change, "only a change has a worktree to edit")?;
            needs(stage, stage.is_editable(), "wait for what is running, or cancel it")?;
            one(Event::WorktreeTaken { id, stage: index, by })
        }
        Command::Approve(approval) => approve(state, *approval, at),
        Command::Revise { id, evidence, reason, by } => revise(state, id, &evidence, &reason, by, at),
        Command::TakeBack { id } => {
            let (_, stage, index) = open(state, id)?;
            needs(stage, stage.can_be_taken_back(), "only a draft that was sent back can be taken back")?;
            one(Event::TakenBack { id, stage: index })
        }
        Command::Abandon { id, reason, by } => {
            let current = known(state, id)?;
            if !current.is_going_on() && !current.has_failed_to_land() {
                return Err(Refusal::NotActive { id, status: current.status.name() });
            }
            let reason = reason_of(&reason, "abandoning the loop")?;
            let evidence = approval::evidence(current, current.open).digest();
            let decision = Decision { verb: Verb::Abandon, evidence, by, at, reason: Some(reason), gaps: Vec::new() };
            one(Event::Decided { id, stage: current.open, decision })
        }
        Command::Dismiss { id, revision, finding, reason, by } => {
            let (_, stage, index) = open(state, id)?;
            let critique = stage.current_critique().filter(|c| c.revision == revision).ok_or(Refusal::NoFinding)?;
            critique.findings.get(finding).ok_or(Refusal::NoFinding)?;
            let reason = reason_of(&reason, "dismissing a finding")?;
            one(Event::Dismissed { id, stage: index, revision, finding, reason, by })
        }
        Command::Question { id, revision, finding, to, question, by } => {
            let (current, stage, index) = open(state, id)?;
            thread::may_ask(current, stage, Place { id, stage: index, revision, finding }, to)?;
            let question = match question.trim() {
                "" => usual_question(to).to_owned(),
                typed => typed.to_owned(),
            };
            one(Event::Questioned { id, stage: index, revision, finding, to, question, by })
        }
        Command::Override { id, gate, reason, by } => {
            let (current, stage, index) = open(state, id)?;
            needs(stage, stage.phase == Phase::Awaiting, "a gate can be overridden once it has run")?;
            let subject = stage.subject().ok_or(Refusal::Stale)?.digest();
            let gates = current.gates(index);
            let def = gates.iter().find(|def| def.name == gate).ok_or_else(|| Refusal::NoGate(gate.clone()))?;
            let satisfied = stage.fresh_run(def).is_some_and(|run| run.verdict.satisfies());
            needs(stage, !satisfied, "the gate is satisfied, so there is nothing to override")?;
            if def.enforcement == Enforcement::Mandatory {
                return Err(Refusal::Mandatory(gate));
            }
            if let Some(run) = stage.fresh_run(def).filter(|_| stage.is_firm(def)) {
                return Err(Refusal::Firm { gate, summary: run.summary.clone() });
            }
            let reason = reason_of(&reason, "going on despite a gate")?;
            one(Event::Overridden { id, stage: index, by: Override { gate, subject, reason, by } })
        }
        Command::Rerun { id, gate } => rerun(state, id, gate),
        Command::Recritique { id } => {
            let (current, stage, index) = open(state, id)?;
            let critic = current.model(index, Role::Critic).ok_or(Refusal::NoModel("critic"))?;
            needs(stage, stage.phase == Phase::Awaiting, "the critic can be asked again once the review is done")?;
            needs(stage, !stage.awaits_answer(), ANSWER_FIRST)?;
            current.critic().ok_or_else(|| Refusal::SameModel(critic.to_string()))?;
            one(Event::RerunAsked { id, stage: index, gates: Vec::new(), critique: true })
        }
        Command::Cancel { id } => {
            let (_, stage, _) = open(state, id)?;
            let running = matches!(stage.phase, Phase::Preparing | Phase::Drafting { .. } | Phase::Reviewing);
            needs(stage, running || stage.awaits_answer(), "nothing is running")?;
            one(Event::CancelAsked { id })
        }
        Command::Reopen { id, stage, reason, by } => reopen(state, id, stage, &reason, by),
        Command::Park { id, by } => {
            let (_, _, _) = open(state, id)?;
            one(Event::Parked { id, by })
        }
        Command::Resume { id, by } => {
            let parked = known(state, id)?;
            if parked.status != Status::Parked {
                return Err(Refusal::NotActive { id, status: parked.status.name() });
            }
            no_other(state)?;
            one(Event::Resumed { id, by })
        }
        Command::Land { id } => {
            let current = known(state, id)?;
            if current.has_failed_to_land() {
                one(Event::LandingRetried { id })
            } else {
                Err(Refusal::NotActive { id, status: current.status.name() })
            }
        }
        Command::Recover => Ok(if in_flight(state) { vec![Event::Recovered] } else { Vec::new() }),
        report => decide_report(state, report, at),
    }
}

/// The driver's reports. A report about something that is no longer so is out of date, and nothing follows from it.
fn decide_report(state: &State, command: Command, at: Timestamp) -> Decided {
    let event = match command {
        Command::Configure { id, setup } => {
            if known(state, id)?.setup == setup {
                return Ok(Vec::new());
            }
            check(&setup, &known(state, id)?.workflow)?;
            Event::Configured { id, setup }
        }
        Command::Prepared { id, stage, items, measurement, unmeasured } => {
            Event::Prepared { id, stage, items, measurement, unmeasured }
        }
        Command::Ask { id, stage, role, finding, model, prompt, quote, budget } => {
            within(state, id, &model, quote, budget, at)?;
            Event::Asked { exchange: state.next_exchange(), id, stage, role, finding, model, prompt, quote }
        }
        Command::Answer { exchange, end, usage, timings } => Event::Answered { exchange, end, usage, timings },
        Command::Drafted { id, stage, text, change, origin } => {
            let drafted = known(state, id)?.stage(stage).ok_or(Refusal::Stale)?;
            let revision = Revision::new(drafted.spec.artifact, drafted.next_ordinal(), text, change, origin);
            Event::Drafted { id, stage, revision }
        }
        Command::DraftFailed { id, stage, trouble } => Event::DraftFailed { id, stage, trouble },
        Command::Critiqued { id, stage, critique } => {
            let revision = known(state, id)?.stage(stage).and_then(Stage::revision);
            if revision.is_some_and(|revision| revision.is_by(&critique.model)) {
                let why = "the author may not review its own revision".to_owned();
                Event::CritiqueFailed { id, stage, revision: critique.revision, why }
            } else {
                Event::Critiqued { id, stage, critique }
            }
        }
        Command::CritiqueFailed { id, stage, revision, why } => Event::CritiqueFailed { id, stage, revision, why },
        Command::Replied { id, stage, revision, finding, exchange, text } => {
            Event::Replied { id, stage, revision, finding, exchange, text }
        }
        Command::ReplyFailed { id, stage, revision, finding, exchange, why } => {
            Event::ReplyFailed { id, stage, revision, finding, exchange, why }
        }
        Command::GateFinished { id, stage, run } => {
            let run = GateRun { id: RunId(state.last_run.saturating_add(1)), ..run };
            Event::GateFinished { id, stage, run }
        }
        Command::Landed { id, commit, left } => Event::Landed { id, commit, left },
        Command::LandingFailed { id, why } => Event::LandingFailed { id, why },
        // The human's commands are decided above.
        _ => return Err(Refusal::Stale),
    };
    follows(state, &event).map_err(|_| Refusal::Stale)?;
    one(event)
}

/// Whether a call stays within every limit, with what was spent before it.
fn within(
    state: &State,
    id: LoopId,
    model: &ModelId,
    quote: Quote,
    budget: Budget,
    at: Timestamp,
) -> Result<(), Refusal> {
    if !budget.is_limited() {
        return Ok(());
    }
    let expected = quote.expected().ok_or_else(|| Refusal::PriceUnknown(model.0.clone()))?;
    let limits = [
        ("call", budget.call, Money::default()),
        ("loop", budget.loop_, state.spent_in(id)),
        ("day", budget.day, state.spent_on_day_of(at)),
    ];
    for (what, limit, spent) in limits {
        if let Some(limit) = limit.filter(|limit| spent.plus(expected) > *limit) {
            return Err(Refusal::OverBudget { what, limit, spent, expected });
        }
    }
    Ok(())
}

fn approve(state: &State, approval: Approval, at: Timestamp) -> Decided {
    let Approval { id, stage: index, evidence, unread, findings, reason, typed, by } = approval;
    let (current, stage, open) = open(state, id)?;
    if index != open {
        return Err(Refusal::ChangedUnderYou(vec![format!("the open stage is {}", stage.spec.id)]));
    }
    needs(stage, stage.phase == Phase::Awaiting, "it can be approved once critic and gates are done")?;
    unchanged(current, index, &evidence)?;
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let gaps: Vec<Gap> = approval::gaps(current, index, unread, findings);
    if approval::reasons_needed(&gaps).is_some() && reason.is_some() && reason == state.last_reason {
        return Err(Refusal::ReasonRepeated);
    }
    let decision = Decision { verb: Verb::Approve, evidence: evidence.digest(), by, at, reason, gaps };
    approval::judge(current, index, &decision).map_err(|refusal| match refusal {
        Refusal::Gate { gate, .. }
            if current.gates(index).iter().any(|def| def.name == gate && state.waits_for_trust(current, def)) =>
        {
            Refusal::Gate { gate, state: "waits for trust".to_owned() }
        }
        refusal => refusal,
    })?;
    if stage.spec.lands && typed.as_deref().map(str::trim) != Some(stage.spec.id.as_str()) {
        return Err(Refusal::TypeTheName(stage.spec.id.clone()));
    }
    one(Event::Decided { id, stage: index, decision })
}

fn revise(state: &State, id: LoopId, evidence: &Evidence, reason: &str, by: Person, at: Timestamp) -> Decided {
    let (current, stage, index) = open(state, id)?;
    needs(stage, stage.phase == Phase::Awaiting, "a draft can be sent back once critic and gates are done")?;
    unchanged(current, index, evidence)?;
    author(current)?;
    let reason =
        text(reason, Refusal::ReasonNeeded { least: 1, gaps: "the author needs to know what to change".into() })?;
    let decision =
        Decision { verb: Verb::Revise, evidence: evidence.digest(), by, at, reason: Some(reason), gaps: Vec::new() };
    one(Event::Decided { id, stage: index, decision })
}

fn write(state: &State, id: LoopId, written: String, by: Person) -> Decided {
    let (_, stage, index) = open(state, id)?;
    needs(stage, stage.is_editable(), "wait for what is running, or cancel it")?;
    let written = text(&written, Refusal::NoText)?;
    match stage.spec.artifact {
        // What is applied in a tree is built by the driver, as a model's answer is.
        ArtifactKind::Change | ArtifactKind::Outcome => one(Event::Written { id, stage: index, text: written, by }),
        kind @ (ArtifactKind::Constraint | ArtifactKind::Plan) => {
            let revision = Revision::new(kind, stage.next_ordinal(), written, None, Origin::Human { name: by.0 });
            one(Event::Drafted { id, stage: index, revision })
        }
    }
}

fn rerun(state: &State, id: LoopId, gate: Option<String>) -> Decided {
    let (current, stage, index) = open(state, id)?;
    if gate.is_none() && stage.can_measure_again() {
        if !state.is_trusted(current) {
            return Err(Refusal::NotTrusted);
        }
        return one(Event::RerunAsked { id, stage: index, gates: Vec::new(), critique: false });
    }
    let reviewed = matches!(stage.phase, Phase::Reviewing | Phase::Awaiting);
    needs(stage, reviewed, "gates run on a draft")?;
    let mut gates = current.gates(index);
    if let Some(gate) = gate {
        gates.retain(|def| def.name == gate);
        if gates.is_empty() {
            return Err(Refusal::NoGate(gate));
        }
        if stage.pending.gates.contains(&gate) {
            return Err(Refusal::GateRunning(gate));
        }
    }
    gates.retain(|def| !stage.pending.gates.contains(&def.name));
    needs(stage, !gates.is_empty(), "every gate of it is running, or it has none")?;
    if !state.is_trusted(current) && gates.iter().all(|def| def.kind != GateKind::Builtin) {
        return Err(Refusal::NotTrusted);
    }
    let gates = gates.into_iter().map(|def| def.name).collect();
    one(Event::RerunAsked { id, stage: index, gates, critique: false })
}

fn reopen(state: &State, id: LoopId, stage: StageIndex, reason: &str, by: Person) -> Decided {
    let (current, _, index) = open(state, id)?;
    let earlier = current.stage(stage).filter(|_| stage < index).ok_or(Refusal::NotApproved(stage))?;
    if !matches!(earlier.phase, Phase::Approved(_)) {
        return Err(Refusal::NotApproved(stage));
    }
    let reason = reason_of(reason, "going back to an approved stage")?;
    one(Event::Reopened { id, stage, reason, by })
}

fn one(event: Event) -> Decided {
    Ok(vec![event])
}

fn known(state: &State, id: LoopId) -> Result<&Loop, Refusal> {
    state.loops.get(&id).ok_or(Refusal::NoLoop(id))
}

fn open(state: &State, id: LoopId) -> Result<(&Loop, &Stage, StageIndex), Refusal> {
    let current = known(state, id)?;
    match (&current.status, current.open_stage()) {
        (Status::Active, Some(stage)) => Ok((current, stage, current.open)),
        (status, _) => Err(Refusal::NotActive { id, status: status.name() }),
    }
}

/// Whether nothing stands in the way of a loop's becoming the active one.
fn no_other(state: &State) -> Result<(), Refusal> {
    match state.active() {
        None => Ok(()),
        Some(active) if active.has_failed_to_land() => Err(Refusal::NotLanded(active.id)),
        Some(active) => Err(Refusal::AnotherActive(active.id)),
    }
}

fn needs(stage: &Stage, holds: bool, needs: &'static str) -> Result<(), Refusal> {
    if holds {
        return Ok(());
    }
    Err(Refusal::NotNow { stage: stage.spec.id.clone(), phase: stage.phase.name(), needs })
}

fn unchanged(current: &Loop, index: StageIndex, seen: &Evidence) -> Result<(), Refusal> {
    let changed = seen.changed(&approval::evidence(current, index));
    if changed.is_empty() { Ok(()) } else { Err(Refusal::ChangedUnderYou(changed)) }
}

fn author(current: &Loop) -> Result<&ModelId, Refusal> {
    current.model(current.open, Role::Author).ok_or(Refusal::NoModel("author"))
}

/// Whether a setup can be worked with: two models, and every gate of a stage under a name of its own.
fn check(setup: &Setup, workflow: &Workflow) -> Result<(), Refusal> {
    if let Some(model) = setup.reviews_itself() {
        return Err(Refusal::SameModel(model.to_string()));
    }
    let builtin = workflow.stages().iter().filter(|stage| stage.runs_commands).flat_map(|stage| &stage.gates);
    let builtin: BTreeSet<&String> = builtin.collect();
    for (index, gate) in setup.gates.iter().enumerate() {
        let again = setup.gates.iter().take(index).any(|other| other.name == gate.name);
        if again || builtin.contains(&gate.name) {
            return Err(Refusal::GateTwice(gate.name.clone()));
        }
    }
    Ok(())
}

fn text(given: &str, otherwise: Refusal) -> Result<String, Refusal> {
    let given = given.trim();
    if given.is_empty() { Err(otherwise) } else { Ok(given.to_owned()) }
}

fn reason_of(given: &str, what: &str) -> Result<String, Refusal> {
    let given = given.trim();
    if is_reason(given) {
        return Ok(given.to_owned());
    }
    Err(Refusal::ReasonNeeded { least: approval::REASON_LEAST, gaps: what.to_owned() })
}

/// Whether anything was going on when the journal was last written.
fn in_flight(state: &State) -> bool {
    let calls = state.exchanges.values().any(|info| info.end.is_none());
    let stages = state.active().is_some_and(|current| match &current.status {
        Status::Landing(landing) => landing.failed.is_none(),
        _ => current.open_stage().is_some_and(|stage| {
            let runs = matches!(stage.phase, Phase::Preparing | Phase::Drafting { .. } | Phase::Reviewing);
            runs || stage.awaits_answer()
        }),
    });
    calls || stages
}

impl Trouble {
    /// Whether the same request, with what was wrong, may go back to the author without asking the human.
    pub(super) const fn is_mendable(&self) -> bool {
        matches!(self, Self::Patch { .. })
    }
}
