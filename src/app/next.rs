//! What is waited for, and which key goes on: one sentence for every state of a loop.

use super::action::Action;
use super::hints::GONE;
use super::model::{Face, Model};
use crate::domain::{GateDef, Role};
use crate::engine::{Phase, Stage, Status};

impl Model {
    /// What to do next, with its key.
    pub fn next_step(&self) -> String {
        let key = |action| self.key_named(action);
        if self.driver_gone {
            return format!("{} leaves; `windlass` then goes on: {GONE}", key(Action::Quit));
        }
        if self.host.reads_only {
            return "nothing is waited for here: another windlass drives, and it decides".to_owned();
        }
        let (Some(one), Some(stage)) = (self.current(), self.stage()) else {
            return match self.host.setup.author {
                Some(_) => format!("{} begins a loop: name the goal", key(Action::LoopNew)),
                None => format!(
                    "no author is configured: `windlass init` looks for models; or {} begins a loop by hand",
                    key(Action::LoopNew)
                ),
            };
        };
        match &one.status {
            Status::Active => {}
            Status::Landing(landing) if landing.failed.is_some() => {
                return format!("the landing failed: mend the cause, then {} tries again", key(Action::LoopLand));
            }
            Status::Landing(_) => return "nothing to do: the approved tree is landing".to_owned(),
            Status::Parked => {
                return format!("{} lists the loops: Enter there goes on with one", key(Action::LoopList));
            }
            Status::Landed { .. } | Status::Finished | Status::Abandoned => {
                return format!("this loop is over: {} begins the next one", key(Action::LoopNew));
            }
        }
        if !self.is_live() {
            return format!("you look at an earlier stage: {} goes back to the open one", key(Action::Back));
        }
        if self.unavailable(Action::TrustOpen).is_none() {
            return format!("the repository's commands wait for your trust: {} shows them", key(Action::TrustOpen));
        }
        match stage.phase {
            Phase::Preparing => "nothing to do: the context is being gathered".to_owned(),
            Phase::Ready if self.host.setup.author.is_none() => {
                format!("no author is configured: {} writes the draft by hand", key(Action::DraftWrite))
            }
            Phase::Ready => format!(
                "{} sends the list to the author; {} leaves out what it needn't see",
                key(Action::DraftSend),
                key(Action::ContextToggle)
            ),
            Phase::Drafting { .. } | Phase::Reviewing if self.is_waiting() => format!(
                "a call waits for its next attempt: {} asks now, {} gives it up",
                key(Action::CallRetryNow),
                key(Action::RunCancel)
            ),
            Phase::Drafting { .. } => format!("nothing to do: the author drafts; {} cancels", key(Action::RunCancel)),
            Phase::Reviewing => format!("read on while critic and gates work; {} cancels", key(Action::RunCancel)),
            Phase::Awaiting => self.next_of_review(stage),
            Phase::Closed | Phase::Approved(_) | Phase::Stale => "nothing is waited for here".to_owned(),
        }
    }

    /// What stands between the human and a decision, the nearest first.
    fn next_of_review(&self, stage: &Stage) -> String {
        let key = |action| self.key_named(action);
        let (decide, revise) = (key(Action::DecisionOpen), key(Action::DecisionRevise));
        if self.face() == Face::Artifact && self.remarks.tally(&self.artifact).asks_for_revision() {
            return format!("you rejected or commented on parts: {decide}, then {revise} sends them to the author");
        }
        let unread = self.unread();
        let left = unread.total.saturating_sub(unread.seen);
        if left > 0 {
            let (unread, total) = (key(Action::HunkNextUnread), unread.total);
            return format!("{left} of {total} parts were not on screen yet: {unread} goes to the next; then {decide}");
        }
        let findings = self.unread_findings();
        if findings.seen < findings.total {
            let (left, unread) = (findings.total - findings.seen, key(Action::HunkNextUnread));
            let total = findings.total;
            return format!(
                "{left} of {total} findings were not on screen yet: {unread} goes to the next; then {decide}"
            );
        }
        if let Some(gate) = self.gates_in_the_way().first() {
            let (pane, again) = (key(Action::FocusGates), key(Action::GateRerun));
            let name = &gate.name;
            if stage.is_firm(gate) {
                return format!("no reason goes past gate {name}: {decide}, then {revise} sends the stage back");
            }
            let over = key(Action::GateOverride);
            return format!("gate {name} is in the way: {pane}, then {again} reruns it or {over} overrides it");
        }
        if stage.critique_failed.is_some() && self.model_of(Role::Critic).is_some() {
            let again = key(Action::CritiqueRerun);
            return format!("there is no critique: {again} asks again; {decide}, and approving asks for a reason");
        }
        let blocked = stage.current_critique().is_some_and(|critique| critique.findings.iter().any(|one| one.blocks()));
        if blocked {
            let (pane, aside) = (key(Action::FocusCritique), key(Action::FindingDismiss));
            return format!(
                "a blocker is open: {decide}, then {revise} sends it back; or {pane}, {aside} sets it aside"
            );
        }
        format!("nothing is in the way: {decide}, then {} approves", key(Action::StageApprove))
    }

    /// The gates that stop an approval, ran on the revision under review, and are neither satisfied nor overridden.
    pub fn gates_in_the_way(&self) -> Vec<GateDef> {
        let (Some(one), Some(stage)) = (self.current(), self.stage()) else { return Vec::new() };
        let gates = one.gates(self.stage_index()).into_iter().filter(|gate| {
            gate.enforcement.stops()
                && stage.fresh_override(&gate.name).is_none()
                && stage.fresh_run(gate).is_some_and(|run| !run.verdict.satisfies())
        });
        gates.collect()
    }
}
