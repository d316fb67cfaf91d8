//! From an event to the next state and the effects that it calls for.

use std::collections::BTreeMap;

use crate::domain::{
    Answer, Decision, Disposition, End, GateDef, GateKind, LoopId, Measure, Revision, Role, StageIndex, Timestamp,
    Timings, Turn, Usage, Verb,
};

use super::approval::{self, Approved};
use super::follows::follows;
use super::{
    Effect, Event, ExchangeInfo, Feedback, Landing, Loop, Pending, Phase, Recorded, Setup, Stage, State, Status,
    Trouble,
};

/// How often a refused patch goes back to the author by itself before the human is asked: two repairs.
const PATCH_ATTEMPTS: u32 = 3;

/// Why no answer comes where the loop was parked, or Windlass has ended.
const STOPPED: &str = "it was interrupted";

/// An event doesn't fit the state: the record is damaged, or was not made by Windlass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} does not fit what came before it: {why}")]
pub struct Corrupt {
    /// The event's place.
    pub seq: u64,
    /// What doesn't fit.
    pub why: String,
}

/// Changes `state` by one event and says what is to be done because of it.
///
/// # Errors
/// If the event can't have followed from this state, above all an approval that the laws don't allow. The state is then
/// as it was.
pub fn apply(state: &mut State, recorded: &Recorded) -> Result<Vec<Effect>, Corrupt> {
    let Recorded { seq, at, event } = recorded;
    let corrupt = |why| Corrupt { seq: *seq, why };
    let effects = follows(state, event).and_then(|()| change(state, event, *at)).map_err(corrupt)?;
    if let Event::Decided { id, .. } = event {
        known(state, *id).map_err(corrupt)?.decided = *seq;
    }
    Ok(effects)
}

fn change(state: &mut State, event: &Event, at: Timestamp) -> Result<Vec<Effect>, String> {
    match event {
        Event::Trusted { config, .. } => {
            state.trusted.insert(*config);
            let Some(one) = state.loops.values_mut().find(|one| one.status == Status::Active) else {
                return Ok(vec![]);
            };
            Ok(if one.setup.config == Some(*config) { after_trust(one) } else { Vec::new() })
        }
        Event::Begun { id, goal, hint, workflow, base, branch, setup, .. } => {
            let mut stages: Vec<Stage> = workflow.stages().iter().cloned().map(Stage::new).collect();
            stages.first_mut().ok_or("a loop without stages")?.phase = Phase::Preparing;
            let begun = Loop {
                id: *id,
                begun: at,
                goal: goal.clone(),
                hint: hint.clone(),
                base: base.clone(),
                branch: branch.clone(),
                setup: setup.clone(),
                workflow: workflow.clone(),
                stages,
                open: StageIndex(0),
                status: Status::Active,
                decided: 0,
            };
            state.loops.insert(*id, begun);
            Ok(vec![Effect::Prepare { id: *id, stage: StageIndex(0) }])
        }
        Event::Configured { id, setup } => {
            let outdated = configure(known(state, *id)?, setup);
            let (one, trusted) = known_and_trusted(state, *id)?;
            if let Some(index) = outdated {
                return Ok(reopen(one, trusted, index, "its gates were changed after it was approved"));
            }
            let reviewed = one.status == Status::Active
                && one.open_stage().is_some_and(|s| matches!(s.phase, Phase::Reviewing | Phase::Awaiting));
            Ok(if reviewed { review(one, trusted, &Wanted::Missing) } else { Vec::new() })
        }
        Event::Prepared { id, stage: index, items, measurement, unmeasured } => {
            let stage = open_stage(state, *id, *index)?;
            stage.context.clone_from(items);
            stage.unmeasured.clone_from(unmeasured);
            if measurement.is_some() {
                stage.measurement.clone_from(measurement);
                // Whatever was said of a draft that was sent back was said in view of other readings, or of none.
                stage.runs.clear();
                stage.overrides.clear();
                stage.critique = None;
                stage.critique_failed = None;
            }
            stage.phase = Phase::Ready;
            if std::mem::take(&mut stage.drafts_when_measured) {
                begin_draft(stage, 1);
                return Ok(vec![Effect::Draft { id: *id, stage: *index }]);
            }
            Ok(Vec::new())
        }
        Event::ContextChosen { id, stage: index, name, included } => {
            let stage = open_stage(state, *id, *index)?;
            stage.choices.insert(name.clone(), *included);
            if let Some(item) = stage.context.iter_mut().find(|item| item.name == *name) {
                item.included = *included;
                return Ok(Vec::new());
            }
            // Nothing is sent before it is listed with its size.
            stage.phase = Phase::Preparing;
            Ok(vec![Effect::Prepare { id: *id, stage: *index }])
        }
        Event::ModelChosen { id, stage: index, role, model, .. } => {
            open_stage(state, *id, *index)?.chosen.insert(*role, model.clone());
            match role {
                // Nothing is sent before the human sends it.
                Role::Author => Ok(Vec::new()),
                Role::Critic => {
                    let (one, trusted) = known_and_trusted(state, *id)?;
                    Ok(review(one, trusted, &Wanted::These { gates: &[], critique: true }))
                }
            }
        }
        Event::DraftBegun { id, stage: index } => {
            begin_draft(open_stage(state, *id, *index)?, 1);
            Ok(vec![Effect::Draft { id: *id, stage: *index }])
        }
        Event::Asked { exchange, id, stage: index, role, finding, model, prompt, quote } => {
            let stage = open_stage(state, *id, *index)?;
            match (role, finding) {
                (_, Some(finding)) => {
                    let turn = stage.turn_mut(*finding).ok_or("a call about a finding that was not asked about")?;
                    turn.exchange = Some(*exchange);
                }
                (Role::Author, None) => {
                    stage.author_calls += 1;
                    stage.author_call = Some(*exchange);
                }
                (Role::Critic, None) => stage.critic_calls += 1,
            }
            let info = ExchangeInfo {
                id: *id,
                stage: *index,
                role: *role,
                finding: *finding,
                model: model.clone(),
                prompt: prompt.clone(),
                quote: *quote,
                asked: at,
                end: None,
                usage: Usage::default(),
                timings: Timings::default(),
            };
            state.exchanges.insert(*exchange, info);
            Ok(Vec::new())
        }
        Event::Answered { exchange, end, usage, timings } => {
            let info = state.exchanges.get_mut(exchange).ok_or("an answer to a call that was not made")?;
            info.end = Some(end.clone());
            info.usage = *usage;
            info.timings = *timings;
            Ok(Vec::new())
        }
        Event::Drafted { id, stage: index, revision } => {
            let stage = open_stage(state, *id, *index)?;
            let asks_in_vain = stage.stop_answers("there is another revision");
            take_revision(stage, revision);
            let (one, trusted) = known_and_trusted(state, *id)?;
            let mut effects = cancel_if(asks_in_vain, *id);
            effects.extend(review(one, trusted, &Wanted::Everything));
            Ok(effects)
        }
        Event::DraftFailed { id, stage: index, trouble } => {
            let stage = open_stage(state, *id, *index)?;
            if draft_failed(stage, trouble) {
                return Ok(vec![Effect::Draft { id: *id, stage: *index }]);
            }
            if stage.phase != Phase::Awaiting {
                return Ok(Vec::new());
            }
            // Gates or trust may have changed while the human's edit was being applied.
            let (one, trusted) = known_and_trusted(state, *id)?;
            Ok(review(one, trusted, &Wanted::Missing))
        }
        Event::Written { id, stage: index, text, by } => {
            begin_draft(open_stage(state, *id, *index)?, 0);
            Ok(vec![Effect::Build { id: *id, stage: *index, text: text.clone(), by: by.0.clone() }])
        }
        Event::WorktreeTaken { id, stage: index, by } => {
            begin_draft(open_stage(state, *id, *index)?, 0);
            Ok(vec![Effect::TakeWorktree { id: *id, stage: *index, by: by.0.clone() }])
        }
        Event::Critiqued { id, stage, critique } => {
            let stage = open_stage(state, *id, *stage)?;
            stage.critique = Some(critique.clone());
            stage.critique_failed = None;
            stage.pending.critique = false;
            settle(stage);
            Ok(Vec::new())
        }
        Event::CritiqueFailed { id, stage, why, .. } => {
            let stage = open_stage(state, *id, *stage)?;
            stage.critique_failed = Some(why.clone());
            stage.pending.critique = false;
            settle(stage);
            Ok(Vec::new())
        }
        Event::GateFinished { id, stage, run } => {
            state.last_run = run.id.0;
            state.remember(run);
            let stage = open_stage(state, *id, *stage)?;
            stage.pending.gates.remove(&run.gate);
            stage.runs.insert(run.gate.clone(), run.clone());
            settle(stage);
            Ok(Vec::new())
        }
        Event::RerunAsked { id, stage: index, gates, critique } => {
            let stage = open_stage(state, *id, *index)?;
            if stage.phase == Phase::Ready {
                stage.measurement = None;
                stage.phase = Phase::Preparing;
                return Ok(vec![Effect::Prepare { id: *id, stage: *index }]);
            }
            let (one, trusted) = known_and_trusted(state, *id)?;
            Ok(review(one, trusted, &Wanted::These { gates, critique: *critique }))
        }
        Event::Dismissed { id, stage, revision, finding, reason, .. } => {
            let stage = open_stage(state, *id, *stage)?;
            let critique = stage.critique.as_mut().filter(|critique| critique.revision == *revision);
            let finding = critique.and_then(|critique| critique.findings.get_mut(*finding));
            finding.ok_or("a finding that was never made is dismissed")?.disposition =
                Disposition::Dismissed(reason.clone());
            Ok(Vec::new())
        }
        Event::Questioned { id, stage: index, revision, finding, to, question, .. } => {
            let stage = open_stage(state, *id, *index)?;
            let asked = stage.critique.as_mut().and_then(|critique| critique.findings.get_mut(*finding));
            let turn = Turn { to: *to, question: question.clone(), exchange: None, answer: Answer::Awaited };
            asked.ok_or("a question about a finding that was never made")?.thread.push(turn);
            Ok(vec![Effect::Reply { id: *id, stage: *index, revision: *revision, finding: *finding }])
        }
        Event::Replied { id, stage, finding, text, .. } => {
            let turn = open_stage(state, *id, *stage)?.turn_mut(*finding).ok_or("an answer to no question")?;
            turn.answer = Answer::Given(text.clone());
            Ok(Vec::new())
        }
        Event::ReplyFailed { id, stage, finding, why, .. } => {
            let turn = open_stage(state, *id, *stage)?.turn_mut(*finding).ok_or("an answer to no question")?;
            turn.answer = Answer::Failed(why.clone());
            Ok(Vec::new())
        }
        Event::Overridden { id, stage, by } => {
            let stage = open_stage(state, *id, *stage)?;
            stage.overrides.insert(by.gate.clone(), by.clone());
            Ok(Vec::new())
        }
        Event::Decided { id, stage, decision } => decided(state, *id, *stage, decision),
        Event::TakenBack { id, stage: index } => {
            take_back(open_stage(state, *id, *index)?);
            let (one, trusted) = known_and_trusted(state, *id)?;
            Ok(review(one, trusted, &Wanted::Missing))
        }
        Event::CancelAsked { id } => {
            let one = known(state, *id)?;
            if let Some(stage) = one.stages.get_mut(one.open.0) {
                stage.drafts_when_measured = false;
            }
            Ok(vec![Effect::Cancel { id: *id }])
        }
        Event::Reopened { id, stage, reason, .. } => {
            let (one, trusted) = known_and_trusted(state, *id)?;
            Ok(reopen(one, trusted, *stage, reason))
        }
        Event::Parked { id, .. } => {
            let one = known(state, *id)?;
            interrupt(one, "the loop was parked");
            one.status = Status::Parked;
            Ok(vec![Effect::Cancel { id: *id }])
        }
        Event::Resumed { id, .. } => {
            let (one, trusted) = known_and_trusted(state, *id)?;
            one.status = Status::Active;
            Ok(pick_up(one, trusted))
        }
        Event::Landed { id, commit, left } => {
            known(state, *id)?.status = Status::Landed { commit: commit.clone(), left: left.clone() };
            Ok(vec![Effect::CleanUp { id: *id }])
        }
        Event::LandingFailed { id, why } => {
            known(state, *id)?.status = Status::Landing(Landing { failed: Some(why.clone()) });
            Ok(Vec::new())
        }
        Event::LandingRetried { id } => {
            let one = known(state, *id)?;
            one.status = Status::Landing(Landing::default());
            Ok(approval::on_record(one).map(Effect::Land).into_iter().collect())
        }
        Event::Recovered => {
            for info in state.exchanges.values_mut().filter(|info| info.end.is_none()) {
                info.end = Some(End::Interrupted);
            }
            let Some(id) = state.active().map(|one| one.id) else { return Ok(Vec::new()) };
            let (one, trusted) = known_and_trusted(state, id)?;
            interrupt(one, "Windlass ended while the author was at work; the partial reply is in the record");
            Ok(pick_up(one, trusted))
        }
    }
}

fn known(state: &mut State, id: LoopId) -> Result<&mut Loop, String> {
    state.loops.get_mut(&id).ok_or_else(|| format!("there is no loop {id}"))
}

/// A loop, and whether its commands may run.
fn known_and_trusted(state: &mut State, id: LoopId) -> Result<(&mut Loop, bool), String> {
    let trusted = state.loops.get(&id).is_some_and(|one| state.is_trusted(one));
    Ok((known(state, id)?, trusted))
}

/// The open stage of an active loop, which the event must be about.
fn open_stage(state: &mut State, id: LoopId, index: StageIndex) -> Result<&mut Stage, String> {
    let one = known(state, id)?;
    let open = one.status == Status::Active && one.open == index;
    let stage = one.stages.get_mut(index.0).filter(|_| open);
    stage.ok_or_else(|| format!("stage {} of loop {id} is not open", index.number()))
}

/// Which parts of a review are to run.
enum Wanted<'a> {
    /// All of it: the revision is new.
    Everything,
    /// What has no fresh result.
    Missing,
    /// What a human asked for.
    These { gates: &'a [String], critique: bool },
}

/// Starts what is wanted of the open stage's review, and settles its phase.
fn review(one: &mut Loop, trusted: bool, wanted: &Wanted<'_>) -> Vec<Effect> {
    let (id, index) = (one.id, one.open);
    let gates = one.gates(index);
    let has_critic = one.critic().is_some();
    let Some(stage) = one.stages.get_mut(index.0) else { return Vec::new() };
    let Some(revision) = stage.revision().map(|revision| revision.id) else { return Vec::new() };
    let mut effects = Vec::new();
    for gate in gates {
        let runs = match wanted {
            Wanted::Everything => true,
            Wanted::Missing => stage.fresh_run(&gate).is_none(),
            Wanted::These { gates, .. } => gates.contains(&gate.name),
        };
        // An untrusted command waits for the human's trust, not for the review.
        let may_run = trusted || gate.kind == GateKind::Builtin;
        if runs && may_run && stage.pending.gates.insert(gate.name.clone()) {
            effects.push(Effect::RunGate { id, stage: index, gate: gate.name });
        }
    }
    let asks = match wanted {
        Wanted::Everything => true,
        Wanted::Missing => stage.current_critique().is_none() && stage.critique_failed.is_none(),
        Wanted::These { critique, .. } => *critique,
    };
    if asks && has_critic && !stage.pending.critique {
        // What the critic said before stands, blockers and all, until it has spoken again.
        stage.critique_failed = None;
        stage.pending.critique = true;
        effects.push(Effect::Critique { id, stage: index, revision });
    }
    settle(stage);
    effects
}

/// A stage under review waits for the human once nothing else is awaited.
fn settle(stage: &mut Stage) {
    stage.phase = if stage.pending.is_empty() { Phase::Awaiting } else { Phase::Reviewing };
}

fn begin_draft(stage: &mut Stage, attempt: u32) {
    stage.phase = Phase::Drafting { attempt };
    stage.author_call = None;
    stage.pending = Pending::default();
    stage.trouble = None;
}

/// Withdraws what the revision was sent back with. Reasons from before that still wait for a draft to answer them.
fn take_back(stage: &mut Stage) {
    stage.trouble = None;
    stage.feedback = stage.feedback.take().and_then(|Feedback { mut reasons, .. }| {
        reasons.pop();
        (!reasons.is_empty()).then(|| Feedback { reasons, ..Feedback::default() })
    });
}

fn take_revision(stage: &mut Stage, revision: &Revision) {
    if !stage.revisions.iter().any(|known| known.id == revision.id) {
        stage.revisions.push(revision.clone());
    }
    // The same text again is judged again: built-in gates look at readings and earlier stages too, which may be others.
    stage.runs.retain(|_, run| run.subject.revision != revision.id);
    stage.overrides.clear();
    stage.current = Some(revision.id);
    stage.critique = None;
    stage.critique_failed = None;
    stage.pending = Pending::default();
    stage.feedback = None;
    stage.trouble = None;
}

/// Keeps why there is no revision; true if the author is to try again by itself.
fn draft_failed(stage: &mut Stage, trouble: &Trouble) -> bool {
    let attempt = match stage.phase {
        Phase::Drafting { attempt } => attempt,
        _ => 0,
    };
    let problems = match trouble {
        Trouble::Call(_) | Trouble::Stopped(_) => &[][..],
        Trouble::Malformed { missing, .. } => missing,
        Trouble::Patch { problems, .. } => problems,
    };
    // What is wrong with a human's own edit is nothing to tell the author.
    if attempt > 0 && !problems.is_empty() {
        stage.feedback.get_or_insert_default().problems = problems.to_vec();
    }
    let again = trouble.is_mendable() && (1..PATCH_ATTEMPTS).contains(&attempt);
    if again {
        begin_draft(stage, attempt + 1);
    } else {
        // A human's edit that came to nothing leaves the revision that was under review where it was.
        stage.phase = if attempt == 0 && stage.current.is_some() { Phase::Awaiting } else { Phase::Ready };
    }
    stage.trouble = Some(trouble.clone());
    again
}

/// A decision ends the questions about what it decides on. The answers that have come are part of its evidence.
fn decided(state: &mut State, id: LoopId, index: StageIndex, decision: &Decision) -> Result<Vec<Effect>, String> {
    let stage = known(state, id)?.stages.get_mut(index.0);
    let asks_in_vain = stage.is_some_and(|stage| stage.stop_answers("the stage was decided on before it came"));
    let mut effects = cancel_if(asks_in_vain && decision.verb != Verb::Abandon, id);
    effects.extend(rule(state, id, index, decision)?);
    Ok(effects)
}

/// Stops what runs for a loop where nothing runs but calls that nobody waits for any more.
fn cancel_if(stops: bool, id: LoopId) -> Vec<Effect> {
    if stops { vec![Effect::Cancel { id }] } else { Vec::new() }
}

fn rule(state: &mut State, id: LoopId, index: StageIndex, decision: &Decision) -> Result<Vec<Effect>, String> {
    if decision.verb == Verb::Abandon {
        let one = known(state, id)?;
        one.status = Status::Abandoned;
        if let Some(stage) = one.stages.get_mut(index.0) {
            stage.rule(decision);
        }
        return Ok(vec![Effect::Cancel { id }, Effect::CleanUp { id }]);
    }
    open_stage(state, id, index)?;
    if decision.verb == Verb::Revise {
        let trusted = known_and_trusted(state, id)?.1;
        let stage = open_stage(state, id, index)?;
        stage.rule(decision);
        let open = stage.rulings.last().map(|ruling| ruling.open.clone()).unwrap_or_default();
        // Why the human went back to this stage was never said to its author.
        let mut reasons = stage.feedback.take().map(|feedback| feedback.reasons).unwrap_or_default();
        reasons.extend(decision.reason.clone());
        stage.feedback = Some(Feedback { reasons, findings: open, problems: Vec::new() });
        if trusted && stage.lacks_measurement() {
            stage.phase = Phase::Preparing;
            stage.pending = Pending::default();
            stage.drafts_when_measured = true;
            return Ok(vec![Effect::Prepare { id, stage: index }]);
        }
        begin_draft(stage, 1);
        return Ok(vec![Effect::Draft { id, stage: index }]);
    }
    let proof = approval::judge(known(state, id)?, index, decision).map_err(|refusal| refusal.to_string())?;
    if approval::reasons_needed(&decision.gaps).is_some() {
        state.last_reason.clone_from(&decision.reason);
    }
    let one = known(state, id)?;
    if let Some(stage) = one.stages.get_mut(index.0) {
        stage.rule(decision);
    }
    Ok(open_next(one, proof))
}

/// Closes the approved stage and opens the one after it, or lands. The only place where a stage after the first opens.
fn open_next(one: &mut Loop, proof: Approved) -> Vec<Effect> {
    let index = proof.stage();
    let mut lands = false;
    if let Some(stage) = one.stages.get_mut(index.0) {
        stage.phase = Phase::Approved(proof.evidence());
        stage.trouble = None;
        lands = stage.spec.lands;
    }
    if lands {
        one.status = Status::Landing(Landing::default());
        return vec![Effect::Land(proof)];
    }
    let Some(next) = one.stages.get_mut(index.next().0) else {
        one.status = Status::Finished;
        return vec![Effect::CleanUp { id: one.id }];
    };
    next.phase = Phase::Preparing;
    next.current = None;
    next.critique = None;
    next.critique_failed = None;
    next.feedback = None;
    next.trouble = None;
    next.measurement = None;
    next.unmeasured = None;
    next.chosen.clear();
    one.open = index.next();
    vec![Effect::OpenStage(proof)]
}

/// Takes over a setup. What rested on a gate that is different now no longer counts: its run under way, its override,
/// and every approval; the answer is the first stage whose approval is void.
fn configure(one: &mut Loop, setup: &Setup) -> Option<StageIndex> {
    let definitions = |one: &Loop, index: usize| -> BTreeMap<String, GateDef> {
        one.gates(StageIndex(index)).into_iter().map(|gate| (gate.name.clone(), gate)).collect()
    };
    let before: Vec<_> = (0..one.stages.len()).map(|index| definitions(one, index)).collect();
    release_roles(one, setup);
    one.setup = setup.clone();
    let mut outdated = None;
    for (index, before) in before.iter().enumerate() {
        let now = definitions(one, index);
        let Some(stage) = one.stages.get_mut(index) else { continue };
        stage.pending.gates.retain(|gate| before.get(gate) == now.get(gate));
        stage.overrides.retain(|gate, _| before.get(gate) == now.get(gate));
        if *before != now && matches!(stage.phase, Phase::Approved(_)) && outdated.is_none() {
            outdated = Some(StageIndex(index));
        }
    }
    outdated
}

/// What was chosen in place of a model that is configured otherwise now has had its day; and nobody gets both roles.
fn release_roles(one: &mut Loop, setup: &Setup) {
    let changed = [
        (Role::Author, one.setup.author != setup.author, &setup.critic),
        (Role::Critic, one.setup.critic != setup.critic, &setup.author),
    ];
    for stage in &mut one.stages {
        for (role, has_changed, other) in changed {
            if has_changed || stage.chosen.get(&role) == other.as_ref() {
                stage.chosen.remove(&role);
            }
        }
    }
}

/// Opens an approved stage again and puts it back under review; later ones become stale.
fn reopen(one: &mut Loop, trusted: bool, index: StageIndex, reason: &str) -> Vec<Effect> {
    for later in one.stages.iter_mut().skip(index.next().0).filter(|stage| stage.phase != Phase::Closed) {
        later.phase = Phase::Stale;
        later.pending = Pending::default();
        later.stop_answers("an earlier stage was opened again");
    }
    one.open = index;
    if let Some(stage) = one.stages.get_mut(index.0) {
        stage.phase = Phase::Reviewing;
        stage.pending = Pending::default();
        stage.feedback = Some(Feedback { reasons: vec![reason.to_owned()], ..Feedback::default() });
    }
    if one.status != Status::Active {
        // A parked loop takes its review up when it is resumed.
        return Vec::new();
    }
    let mut effects = vec![Effect::Cancel { id: one.id }];
    effects.extend(review(one, trusted, &Wanted::Missing));
    effects
}

/// Notes that what was running isn't any more.
fn interrupt(one: &mut Loop, why: &str) {
    let Some(stage) = one.stages.get_mut(one.open.0) else { return };
    stage.pending = Pending::default();
    stage.stop_answers(STOPPED);
    stage.drafts_when_measured = false;
    if let Phase::Drafting { attempt } = stage.phase {
        stage.trouble = Some(Trouble::Stopped(why.to_owned()));
        stage.phase = if attempt == 0 && stage.current.is_some() { Phase::Awaiting } else { Phase::Ready };
    }
}

/// The effects that take a loop up where it was left.
fn pick_up(one: &mut Loop, trusted: bool) -> Vec<Effect> {
    if let Status::Landing(landing) = &one.status {
        let again = landing.failed.is_none().then(|| approval::on_record(one)).flatten();
        return again.map(Effect::Land).into_iter().collect();
    }
    match one.open_stage().map(|stage| stage.phase) {
        Some(Phase::Preparing) => vec![Effect::Prepare { id: one.id, stage: one.open }],
        Some(Phase::Reviewing | Phase::Awaiting) => review(one, trusted, &Wanted::Missing),
        _ => Vec::new(),
    }
}

/// What could not run for want of trust runs now.
fn after_trust(one: &mut Loop) -> Vec<Effect> {
    let (id, index) = (one.id, one.open);
    let Some(stage) = one.stages.get_mut(index.0) else { return Vec::new() };
    match stage.phase {
        Phase::Ready if stage.spec.measure != Measure::Nothing => {
            stage.phase = Phase::Preparing;
            vec![Effect::Prepare { id, stage: index }]
        }
        Phase::Reviewing | Phase::Awaiting => review(one, true, &Wanted::Missing),
        _ => Vec::new(),
    }
}
