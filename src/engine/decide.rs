//! From a command to the events that follow from it, or a refusal.

use crate::domain::{
    ArtifactKind, Decision, Gap, GateRun, LoopId, ModelId, Origin, Override, Person, Revision, RunId, StageIndex,
    Timestamp, Verb,
};

use super::approval::{self, is_reason};
use super::{Approval, Command, Event, Evidence, Loop, Phase, Refusal, Setup, Stage, State, Status, Trouble};

type Decided = Result<Vec<Event>, Refusal>;

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
            if let Some(active) = state.active() {
                return Err(Refusal::AnotherActive(active.id));
            }
            let goal = text(&goal, Refusal::NoGoal)?;
            check_roles(&setup)?;
            one(Event::Begun { id: state.next_loop(), goal, hint, workflow, base, branch, setup, by })
        }
        Command::Configure { id, setup } => {
            let current = get(state, id)?;
            check_roles(&setup)?;
            if current.setup == setup { Ok(Vec::new()) } else { one(Event::Configured { id, setup }) }
        }
        Command::Choose { id, name, included } => {
            let (_, stage, index) = open(state, id)?;
            needs(stage, matches!(stage.phase, Phase::Ready), "context is chosen before the draft is sent")?;
            one(Event::ContextChosen { id, stage: index, name, included })
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
            needs(stage, is_editable(stage), "wait for what is running, or cancel it")?;
            one(Event::WorktreeTaken { id, stage: index, by })
        }
        Command::Approve(approval) => approve(state, *approval, at),
        Command::Revise { id, evidence, reason, by } => revise(state, id, &evidence, &reason, by, at),
        Command::Abandon { id, reason, by } => {
            let current = get(state, id)?;
            if !matches!(current.status, Status::Active | Status::Parked) {
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
        Command::Override { id, gate, reason, by } => {
            let (current, stage, index) = open(state, id)?;
            needs(stage, stage.phase == Phase::Awaiting, "a gate can be overridden once it has run")?;
            let subject = stage.subject().ok_or(Refusal::Stale)?.digest();
            if !current.gates(index).iter().any(|def| def.name == gate) {
                return Err(Refusal::NoGate(gate));
            }
            let reason = reason_of(&reason, "going on despite a gate")?;
            one(Event::Overridden { id, stage: index, by: Override { gate, subject, reason, by } })
        }
        Command::Rerun { id, gate } => {
            let (current, stage, index) = open(state, id)?;
            let reviewed = matches!(stage.phase, Phase::Reviewing | Phase::Awaiting);
            needs(stage, reviewed, "gates run on a draft")?;
            let names = current.gates(index).into_iter().map(|def| def.name);
            let gates: Vec<String> = match &gate {
                None => names.collect(),
                Some(wanted) => names.filter(|name| name == wanted).collect(),
            };
            if let (Some(wanted), true) = (gate, gates.is_empty()) {
                return Err(Refusal::NoGate(wanted));
            }
            one(Event::RerunAsked { id, stage: index, gates, critique: false })
        }
        Command::Recritique { id } => {
            let (current, stage, index) = open(state, id)?;
            critic(current)?;
            needs(stage, stage.phase == Phase::Awaiting, "the critic can be asked again once the review is done")?;
            one(Event::RerunAsked { id, stage: index, gates: Vec::new(), critique: true })
        }
        Command::Cancel { id } => {
            let (_, stage, _) = open(state, id)?;
            let running = matches!(stage.phase, Phase::Preparing | Phase::Drafting { .. } | Phase::Reviewing);
            needs(stage, running, "nothing is running")?;
            one(Event::CancelAsked { id })
        }
        Command::Reopen { id, stage, reason, by } => reopen(state, id, stage, &reason, by),
        Command::Park { id, by } => {
            let (_, _, _) = open(state, id)?;
            one(Event::Parked { id, by })
        }
        Command::Resume { id, by } => {
            let parked = get(state, id)?;
            if parked.status != Status::Parked {
                return Err(Refusal::NotActive { id, status: parked.status.name() });
            }
            match state.active() {
                Some(active) => Err(Refusal::AnotherActive(active.id)),
                None => one(Event::Resumed { id, by }),
            }
        }
        Command::Land { id } => {
            let current = get(state, id)?;
            match &current.status {
                Status::Landing(landing) if landing.failed.is_some() => one(Event::LandingRetried { id }),
                status => Err(Refusal::NotActive { id, status: status.name() }),
            }
        }
        Command::Recover => Ok(if in_flight(state) { vec![Event::Recovered] } else { Vec::new() }),
        report => decide_report(state, report),
    }
}

/// The driver's reports. A report about something that is no longer so is stale, and nothing follows from it.
fn decide_report(state: &State, command: Command) -> Decided {
    match command {
        Command::Prepared { id, stage, items, measurement } => {
            expect(state, id, stage, |phase| matches!(phase, Phase::Preparing | Phase::Ready))?;
            one(Event::Prepared { id, stage, items, measurement })
        }
        Command::Ask { id, stage, role, model, prompt } => {
            expect(state, id, stage, |phase| matches!(phase, Phase::Drafting { .. } | Phase::Reviewing))?;
            one(Event::Asked { exchange: state.next_exchange(), id, stage, role, model, prompt })
        }
        Command::Answer { exchange, end, usage, timings } => {
            let known = state.exchanges.get(&exchange).is_some_and(|info| info.end.is_none());
            if known { one(Event::Answered { exchange, end, usage, timings }) } else { Err(Refusal::Stale) }
        }
        Command::Drafted { id, stage, text, change, origin } => {
            let human = matches!(origin, Origin::Human { .. });
            let (_, drafted) = expect(state, id, stage, |phase| match phase {
                Phase::Drafting { .. } => true,
                Phase::Ready | Phase::Awaiting | Phase::Reviewing => human,
                _ => false,
            })?;
            let ordinal = u32::try_from(drafted.revisions.len()).unwrap_or(u32::MAX).saturating_add(1);
            let revision = Revision::new(drafted.spec.artifact, ordinal, text, change, origin);
            one(Event::Drafted { id, stage, revision })
        }
        Command::DraftFailed { id, stage, trouble } => {
            expect(state, id, stage, |phase| matches!(phase, Phase::Drafting { .. } | Phase::Ready | Phase::Awaiting))?;
            one(Event::DraftFailed { id, stage, trouble })
        }
        Command::Critiqued { id, stage, critique } => {
            let (_, reviewed) = expect(state, id, stage, |phase| phase == Phase::Reviewing)?;
            let awaited = reviewed.pending.critique && reviewed.current == Some(critique.revision);
            if awaited { one(Event::Critiqued { id, stage, critique }) } else { Err(Refusal::Stale) }
        }
        Command::CritiqueFailed { id, stage, revision, why } => {
            let (_, reviewed) = expect(state, id, stage, |phase| phase == Phase::Reviewing)?;
            let awaited = reviewed.pending.critique && reviewed.current == Some(revision);
            if awaited { one(Event::CritiqueFailed { id, stage, revision, why }) } else { Err(Refusal::Stale) }
        }
        Command::GateFinished { id, stage, run } => {
            let (_, reviewed) = expect(state, id, stage, |phase| phase == Phase::Reviewing)?;
            let awaited =
                reviewed.pending.gates.contains(&run.gate) && reviewed.subject().as_ref() == Some(&run.subject);
            if !awaited {
                return Err(Refusal::Stale);
            }
            let run = GateRun { id: RunId(state.last_run + 1), ..run };
            one(Event::GateFinished { id, stage, run })
        }
        Command::Landed { id, commit, left } => {
            landing(state, id)?;
            one(Event::Landed { id, commit, left })
        }
        Command::LandingFailed { id, why } => {
            landing(state, id)?;
            one(Event::LandingFailed { id, why })
        }
        // The human's commands are decided above.
        _ => Err(Refusal::Stale),
    }
}

fn approve(state: &State, approval: Approval, at: Timestamp) -> Decided {
    let Approval { id, stage: index, evidence, unread, reason, typed, by } = approval;
    let (current, stage, open) = open(state, id)?;
    if index != open {
        return Err(Refusal::ChangedUnderYou(vec![format!("the open stage is {}", stage.spec.id)]));
    }
    needs(stage, stage.phase == Phase::Awaiting, "it can be approved once critic and gates are done")?;
    unchanged(current, index, &evidence)?;
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let gaps: Vec<Gap> = approval::gaps(current, index, unread);
    if approval::reasons_needed(&gaps).is_some() && reason.is_some() && reason == state.last_reason {
        return Err(Refusal::ReasonRepeated);
    }
    let decision = Decision { verb: Verb::Approve, evidence: evidence.digest(), by, at, reason, gaps };
    approval::judge(current, index, &decision)?;
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
    needs(stage, is_editable(stage), "wait for what is running, or cancel it")?;
    let written = text(&written, Refusal::NoText)?;
    match stage.spec.artifact {
        // What is applied in a tree is built by the driver, as a model's answer is.
        ArtifactKind::Change | ArtifactKind::Outcome => one(Event::Written { id, stage: index, text: written, by }),
        kind @ (ArtifactKind::Constraint | ArtifactKind::Plan) => {
            let ordinal = u32::try_from(stage.revisions.len()).unwrap_or(u32::MAX).saturating_add(1);
            let revision = Revision::new(kind, ordinal, written, None, Origin::Human { name: by.0 });
            one(Event::Drafted { id, stage: index, revision })
        }
    }
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

fn get(state: &State, id: LoopId) -> Result<&Loop, Refusal> {
    state.loops.get(&id).ok_or(Refusal::NoLoop(id))
}

fn open(state: &State, id: LoopId) -> Result<(&Loop, &Stage, StageIndex), Refusal> {
    let current = get(state, id)?;
    match (&current.status, current.open_stage()) {
        (Status::Active, Some(stage)) => Ok((current, stage, current.open)),
        (status, _) => Err(Refusal::NotActive { id, status: status.name() }),
    }
}

/// The stage a report is about, if it is still open and in a phase that waits for such a report.
fn expect(
    state: &State,
    id: LoopId,
    stage: StageIndex,
    awaited: impl Fn(Phase) -> bool,
) -> Result<(&Loop, &Stage), Refusal> {
    let (current, open, index) = open(state, id).map_err(|_| Refusal::Stale)?;
    if index == stage && awaited(open.phase) { Ok((current, open)) } else { Err(Refusal::Stale) }
}

fn landing(state: &State, id: LoopId) -> Result<(), Refusal> {
    match state.loops.get(&id).map(|current| &current.status) {
        Some(Status::Landing(_)) => Ok(()),
        _ => Err(Refusal::Stale),
    }
}

fn needs(stage: &Stage, holds: bool, needs: &'static str) -> Result<(), Refusal> {
    if holds {
        return Ok(());
    }
    Err(Refusal::NotNow { stage: stage.spec.id.clone(), phase: stage.phase.name(), needs })
}

const fn is_editable(stage: &Stage) -> bool {
    matches!(stage.phase, Phase::Ready | Phase::Awaiting)
}

fn unchanged(current: &Loop, index: StageIndex, seen: &Evidence) -> Result<(), Refusal> {
    let changed = seen.changed(&approval::evidence(current, index));
    if changed.is_empty() { Ok(()) } else { Err(Refusal::ChangedUnderYou(changed)) }
}

fn author(current: &Loop) -> Result<&ModelId, Refusal> {
    current.setup.author.as_ref().ok_or(Refusal::NoModel("author"))
}

fn critic(current: &Loop) -> Result<&ModelId, Refusal> {
    current.setup.critic.as_ref().ok_or(Refusal::NoModel("critic"))
}

fn check_roles(setup: &Setup) -> Result<(), Refusal> {
    match (&setup.author, &setup.critic) {
        (Some(author), Some(critic)) if author == critic => Err(Refusal::SameModel(author.to_string())),
        _ => Ok(()),
    }
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
        _ => current
            .open_stage()
            .is_some_and(|stage| matches!(stage.phase, Phase::Preparing | Phase::Drafting { .. } | Phase::Reviewing)),
    });
    calls || stages
}

impl Trouble {
    /// Whether the same request, with what was wrong, may go back to the author without asking the human.
    pub(super) const fn is_mendable(&self) -> bool {
        matches!(self, Self::Patch { .. })
    }
}
