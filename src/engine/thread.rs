//! Threads: what a human asks about a finding, and what the models answer. A thread changes no finding, opens no stage
//! and decides nothing; its answers are evidence, as the findings are.

use crate::domain::{Answer, Digest, ExchangeId, Finding, LoopId, Role, StageIndex, Turn};

use super::{ExchangeInfo, Loop, Phase, Refusal, Stage, State, Status};

/// A finding of the open stage's critique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: LoopId,
    pub(super) stage: StageIndex,
    pub(super) revision: Digest,
    pub(super) finding: usize,
}

impl Stage {
    /// A finding of the critique of the revision under review.
    pub fn finding(&self, revision: Digest, finding: usize) -> Option<&Finding> {
        self.current_critique().filter(|critique| critique.revision == revision)?.findings.get(finding)
    }

    /// Whether its findings can be asked about: there is a critique, and no other one on its way.
    pub fn can_be_asked(&self) -> bool {
        matches!(self.phase, Phase::Reviewing | Phase::Awaiting)
            && self.current_critique().is_some()
            && !self.pending.critique
    }

    /// Whether a question about one of its findings waits for an answer.
    pub fn awaits_answer(&self) -> bool {
        self.critique.iter().flat_map(|critique| &critique.findings).any(Finding::awaits_answer)
    }

    /// The last question about a finding.
    pub(super) fn turn_mut(&mut self, finding: usize) -> Option<&mut Turn> {
        self.critique.as_mut()?.findings.get_mut(finding)?.thread.last_mut()
    }

    /// Notes that no answer will come any more; false if none was awaited.
    pub(super) fn stop_answers(&mut self, why: &str) -> bool {
        let turns = self.critique.iter_mut().flat_map(|critique| &mut critique.findings).flat_map(|f| &mut f.thread);
        let mut stopped = false;
        for turn in turns.filter(|turn| turn.answer == Answer::Awaited) {
            turn.answer = Answer::Failed(why.to_owned());
            stopped = true;
        }
        stopped
    }
}

impl State {
    /// The how-many-th call of this role in this stage, on this finding or on none, the next one is.
    pub fn next_call(&self, id: LoopId, stage: StageIndex, role: Role, finding: Option<usize>) -> u32 {
        let same = |info: &&ExchangeInfo| (info.id, info.stage, info.role, info.finding) == (id, stage, role, finding);
        u32::try_from(self.exchanges.values().filter(same).count()).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// Whether a human may ask `to` about a finding now.
pub(super) fn may_ask(one: &Loop, stage: &Stage, place: Place, to: Role) -> Result<(), Refusal> {
    let finding = stage.finding(place.revision, place.finding).ok_or(Refusal::NoFinding)?;
    if !stage.can_be_asked() {
        return Err(Refusal::NotNow {
            stage: stage.spec.id.clone(),
            phase: stage.phase.name(),
            needs: "a finding can be asked about while its revision is under review",
        });
    }
    if finding.awaits_answer() {
        return Err(Refusal::AnswerAwaited);
    }
    let asked = match to {
        Role::Author => one.model(place.stage, Role::Author),
        Role::Critic => one.critic(),
    };
    asked.map(|_| ()).ok_or(Refusal::NoModel(to.name()))
}

/// Whether a call for an answer can be made: a human has asked this role, and no call was made for it yet.
pub(super) fn awaits_call(stage: &Stage, finding: usize, to: Role) -> bool {
    last_turn(stage, finding).is_some_and(|turn| turn.to == to && turn.exchange.is_none())
}

/// Whether a report of this call, or of one that could not be made, is about the question that waits.
pub(super) fn awaits_report(state: &State, place: Place, exchange: Option<ExchangeId>) -> bool {
    let one = state.loops.get(&place.id).filter(|one| one.status == Status::Active && one.open == place.stage);
    let stage = one.and_then(Loop::open_stage).filter(|stage| stage.finding(place.revision, place.finding).is_some());
    stage.and_then(|stage| last_turn(stage, place.finding)).is_some_and(|turn| turn.exchange == exchange)
}

fn last_turn(stage: &Stage, finding: usize) -> Option<&Turn> {
    let turn = stage.current_critique()?.findings.get(finding)?.thread.last()?;
    Some(turn).filter(|turn| turn.answer == Answer::Awaited)
}
