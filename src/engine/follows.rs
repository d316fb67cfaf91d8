//! Which event can follow from a state. The driver's reports are decided by it (one that doesn't fit any more is out of
//! date), and every event is held against it again when it is applied, so that a forged or damaged record is found out
//! before it changes anything.

use crate::domain::{
    ArtifactKind, Critique, Decision, Digest, GateRun, LoopId, Measurement, ModelId, Origin, Revision, Role,
    StageIndex, Verb,
};

use super::approval::{evidence, is_reason, judge};
use super::thread;
use super::{Event, Loop, Phase, Setup, Stage, State, Status};

/// Whether `event` can follow from `state`.
///
/// # Errors
/// What doesn't fit, in words.
pub(super) fn follows(state: &State, event: &Event) -> Result<(), String> {
    match event {
        Event::Trusted { .. } | Event::Recovered => Ok(()),
        Event::Begun { id, setup, .. } => {
            must(state.active().is_none(), "a loop begins while one is active")?;
            must(*id == state.next_loop(), "a loop begins out of turn")?;
            must(setup.reviews_itself().is_none(), "author and critic are the same model")
        }
        Event::Configured { id, setup } => {
            must(known(state, *id)?.is_going_on(), "the loop has ended, or is landing")?;
            must(setup.reviews_itself().is_none(), "author and critic are the same model")
        }
        Event::Prepared { id, stage, measurement, .. } => prepared(state, *id, *stage, measurement.as_ref()),
        Event::ContextChosen { id, stage, .. } => {
            must(open(state, *id, *stage)?.1.phase == Phase::Ready, "context is chosen before it is listed")
        }
        Event::ModelChosen { id, stage: index, role, model, .. } => {
            let (one, stage) = open(state, *id, *index)?;
            must(stage.takes_another(*role), "a model is chosen while its role is taken")?;
            must(!one.is_taken(*index, *role, model), "author and critic are the same model")
        }
        Event::DraftBegun { id, stage: index } => {
            let (one, stage) = open(state, *id, *index)?;
            must(stage.phase == Phase::Ready, "a draft begins before its context is listed")?;
            must(one.model(*index, Role::Author).is_some(), "a draft begins without an author")
        }
        Event::Asked { exchange, id, stage, role, finding, .. } => {
            let (_, stage) = open(state, *id, *stage)?;
            must(*exchange == state.next_exchange(), "a call is made out of turn")?;
            let wanted = match (finding, role, stage.phase) {
                (Some(finding), role, _) => thread::awaits_call(stage, *finding, *role),
                (None, Role::Author, Phase::Drafting { attempt }) => attempt > 0,
                (None, Role::Critic, Phase::Reviewing) => stage.pending.critique,
                _ => false,
            };
            must(wanted, "a model is called that nothing waits for")
        }
        Event::Answered { exchange, .. } => {
            let running = state.exchanges.get(exchange).is_some_and(|info| info.end.is_none());
            must(running, "an answer to a call that is not running")
        }
        Event::Drafted { id, stage, revision } => drafted(state, *id, *stage, revision),
        Event::DraftFailed { id, stage, .. } => {
            let (_, stage) = open(state, *id, *stage)?;
            must(matches!(stage.phase, Phase::Drafting { .. }), "a draft fails that was not begun")
        }
        Event::Written { id, stage, .. } => {
            let (_, stage) = open(state, *id, *stage)?;
            must(stage.is_editable(), "an answer is written while something runs")
        }
        Event::WorktreeTaken { id, stage, .. } => {
            let (_, stage) = open(state, *id, *stage)?;
            must(stage.spec.artifact == ArtifactKind::Change, "the stage has no worktree to take")?;
            must(stage.is_editable(), "a worktree is taken while something runs")
        }
        Event::Critiqued { id, stage, critique } => critiqued(state, *id, *stage, critique),
        Event::CritiqueFailed { id, stage, revision, .. } => {
            must(awaits_critique(open(state, *id, *stage)?.1, *revision), "no critique is awaited")
        }
        Event::GateFinished { id, stage, run } => gate_finished(state, *id, *stage, run),
        Event::RerunAsked { id, stage, gates, critique } => {
            let (_, stage) = open(state, *id, *stage)?;
            let reviewed = matches!(stage.phase, Phase::Reviewing | Phase::Awaiting);
            let measures = stage.can_measure_again() && gates.is_empty() && !critique;
            must(reviewed || measures, "there is nothing under review")
        }
        Event::Dismissed { id, stage, revision, finding, reason, .. } => {
            let (_, stage) = open(state, *id, *stage)?;
            let critique = stage.current_critique().filter(|critique| critique.revision == *revision);
            let found = critique.is_some_and(|critique| critique.findings.get(*finding).is_some());
            must(found, "a finding that was never made is dismissed")?;
            must(is_reason(reason), "a finding is dismissed without a reason")
        }
        Event::Questioned { id, stage: index, revision, finding, to, .. } => {
            let (one, stage) = open(state, *id, *index)?;
            let place = thread::Place { id: *id, stage: *index, revision: *revision, finding: *finding };
            thread::may_ask(one, stage, place, *to).map_err(|refusal| refusal.to_string())
        }
        Event::Replied { id, stage, revision, finding, exchange, .. } => {
            let place = thread::Place { id: *id, stage: *stage, revision: *revision, finding: *finding };
            must(thread::awaits_report(state, place, Some(*exchange)), "an answer that nothing waits for")
        }
        Event::ReplyFailed { id, stage, revision, finding, exchange, .. } => {
            let place = thread::Place { id: *id, stage: *stage, revision: *revision, finding: *finding };
            must(thread::awaits_report(state, place, *exchange), "an answer fails that nothing waits for")
        }
        Event::Overridden { id, stage: index, by } => {
            let (one, stage) = open(state, *id, *index)?;
            let subject = stage.subject().map(|subject| subject.digest());
            must(stage.phase == Phase::Awaiting && subject == Some(by.subject), "an override of something else")?;
            let gate = one.gates(*index).into_iter().find(|gate| gate.name == by.gate);
            let gate = gate.ok_or("an override of a gate that is not there")?;
            must(!stage.is_firm(&gate), "an override of a gate that takes none")?;
            must(is_reason(&by.reason), "an override without a reason")
        }
        Event::Decided { id, stage, decision } => decided(state, *id, *stage, decision),
        Event::TakenBack { id, stage } => {
            let (_, stage) = open(state, *id, *stage)?;
            must(stage.can_be_taken_back(), "a draft is taken back that was not sent back")
        }
        Event::CancelAsked { id } => active(state, *id).map(|_| ()),
        Event::Reopened { id, stage, reason, .. } => {
            let earlier = active(state, *id)?.stage(*stage);
            let approved = earlier.is_some_and(|stage| matches!(stage.phase, Phase::Approved(_)));
            must(approved, "a stage that is not approved is opened again")?;
            must(is_reason(reason), "a stage is opened again without a reason")
        }
        Event::Parked { id, .. } => active(state, *id).map(|_| ()),
        Event::Resumed { id, .. } => {
            must(state.active().is_none(), "a loop is resumed while one is active")?;
            must(known(state, *id)?.status == Status::Parked, "a loop is resumed that is not parked")
        }
        Event::Landed { id, .. } | Event::LandingFailed { id, .. } => {
            must(matches!(known(state, *id)?.status, Status::Landing(_)), "the loop is not landing")
        }
        Event::LandingRetried { id } => {
            must(known(state, *id)?.has_failed_to_land(), "a landing is tried again that has not failed")
        }
    }
}

fn must(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn known(state: &State, id: LoopId) -> Result<&Loop, String> {
    state.loops.get(&id).ok_or_else(|| format!("there is no loop {id}"))
}

fn active(state: &State, id: LoopId) -> Result<&Loop, String> {
    let one = known(state, id)?;
    must(one.status == Status::Active, "the loop is not active")?;
    Ok(one)
}

/// The open stage of an active loop, which the event must be about.
fn open(state: &State, id: LoopId, index: StageIndex) -> Result<(&Loop, &Stage), String> {
    let one = active(state, id)?;
    let stage = one.open_stage().filter(|_| one.open == index);
    stage.map(|stage| (one, stage)).ok_or_else(|| "the stage is not open".to_owned())
}

fn prepared(state: &State, id: LoopId, index: StageIndex, measured: Option<&Measurement>) -> Result<(), String> {
    let (one, stage) = open(state, id, index)?;
    must(stage.phase == Phase::Preparing, "context is listed that nothing waits for")?;
    let tree = one.artifact(ArtifactKind::Change).and_then(Revision::tree);
    let on_tree = measured.and_then(|measurement| measurement.tree.as_ref());
    must(on_tree.is_none() || on_tree == tree, "the measurement is of another tree than the approved change's")
}

fn drafted(state: &State, id: LoopId, index: StageIndex, revision: &Revision) -> Result<(), String> {
    let (one, stage) = open(state, id, index)?;
    let kind = stage.spec.artifact;
    let is_its_own = revision.id == Revision::id_of(kind, &revision.text, revision.change.as_ref());
    must(is_its_own, "the revision's id is not the digest of its contents")?;
    let on_base = revision.change.as_ref().is_none_or(|change| change.base == one.base);
    must(on_base, "the change stands on another commit than the loop")?;
    let awaited = match (&revision.origin, stage.phase) {
        (Origin::Model { exchange, .. }, Phase::Drafting { attempt }) => {
            attempt > 0 && stage.author_call == Some(*exchange)
        }
        (Origin::Human { .. }, Phase::Drafting { attempt }) => attempt == 0,
        (Origin::Human { .. }, _) => {
            stage.is_editable() && matches!(kind, ArtifactKind::Constraint | ArtifactKind::Plan)
        }
        _ => false,
    };
    must(awaited, "a draft that nothing waits for")
}

fn awaits_critique(stage: &Stage, revision: Digest) -> bool {
    stage.phase == Phase::Reviewing && stage.pending.critique && stage.current == Some(revision)
}

fn critiqued(state: &State, id: LoopId, index: StageIndex, critique: &Critique) -> Result<(), String> {
    let (_, stage) = open(state, id, index)?;
    must(awaits_critique(stage, critique.revision), "no critique is awaited")?;
    let own = stage.revision().is_some_and(|revision| revision.is_by(&critique.model));
    must(!own, "a model has reviewed its own revision")
}

fn gate_finished(state: &State, id: LoopId, index: StageIndex, run: &GateRun) -> Result<(), String> {
    let (one, stage) = open(state, id, index)?;
    must(state.last_run.checked_add(1) == Some(run.id.0), "a gate run is out of turn")?;
    let gate = one.gates(index).into_iter().find(|gate| gate.name == run.gate);
    let defined = gate.is_some_and(|gate| gate.digest() == run.definition);
    let awaited = stage.phase == Phase::Reviewing && stage.pending.gates.contains(&run.gate);
    must(awaited && defined && stage.subject().as_ref() == Some(&run.subject), "a gate run that nothing waits for")
}

fn decided(state: &State, id: LoopId, index: StageIndex, decision: &Decision) -> Result<(), String> {
    let one = known(state, id)?;
    must(one.open == index, "a decision on a stage that is not open")?;
    if decision.verb == Verb::Abandon {
        return must(one.is_going_on() || one.has_failed_to_land(), "a loop is abandoned that has ended");
    }
    let (_, stage) = open(state, id, index)?;
    match decision.verb {
        Verb::Approve => judge(one, index, decision).map(|_| ()).map_err(|refusal| refusal.to_string()),
        _ => {
            must(stage.phase == Phase::Awaiting, "a stage is sent back that does not wait for a decision")?;
            must(one.model(index, Role::Author).is_some(), "a stage is sent back to nobody")?;
            must(decision.evidence == evidence(one, index).digest(), "a decision on other evidence")
        }
    }
}

impl Setup {
    /// The model that would review its own work, if there is one.
    pub(super) fn reviews_itself(&self) -> Option<&ModelId> {
        [&self.author, &self.change_author].into_iter().flatten().find(|author| self.critic.as_ref() == Some(*author))
    }
}
