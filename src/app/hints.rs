//! Which actions make sense now: the footer shows a few of them, the palette says why the others don't.

use crate::domain::{GateDef, Measure, Role};
use crate::engine::{Loop, Phase, Status};

use super::action::Action;
use super::layout::Pane;
use super::model::{Face, Model};

/// What is so where a windlass that only reads has outlived the one that drove.
pub const GONE: &str = "nobody drives any more; leave, and start windlass again to go on";

impl Model {
    /// The actions worth a place in the footer, most useful first.
    pub fn hints(&self) -> Vec<Action> {
        let mut hints = Vec::new();
        let phase = self.stage().map(|stage| stage.phase);
        if self.is_live() {
            match phase {
                Some(Phase::Ready) if self.stage().is_some_and(|stage| stage.trouble.is_some()) => hints.extend([
                    Action::DraftSend,
                    Action::ModelChoose,
                    Action::DraftWrite,
                    Action::DraftTakeBack,
                    Action::ReplyShow,
                    Action::ContextToggle,
                    Action::ContextAdd,
                ]),
                Some(Phase::Ready) => hints.extend([
                    Action::DraftSend,
                    Action::DraftTakeBack,
                    Action::ReplyShow,
                    Action::ContextToggle,
                    Action::ContextAdd,
                    Action::DraftWrite,
                ]),
                Some(Phase::Awaiting) => {
                    hints.push(Action::DecisionOpen);
                    if self.stage().is_some_and(|stage| stage.critique_failed.is_some()) {
                        hints.extend([Action::CritiqueRerun, Action::ModelChoose]);
                    }
                    if self.unusable().is_some() {
                        hints.push(Action::ReplyShow);
                    }
                    let (unread, findings) = (self.unread(), self.unread_findings());
                    if unread.seen < unread.total || findings.seen < findings.total {
                        hints.push(Action::HunkNextUnread);
                    }
                }
                Some(Phase::Preparing | Phase::Drafting { .. } | Phase::Reviewing) => {
                    hints.extend([Action::CallRetryNow, Action::RunCancel]);
                }
                _ => {}
            }
            if self.unavailable(Action::TrustOpen).is_none() {
                hints.insert(0, Action::TrustOpen);
            }
        } else {
            hints.extend([
                Action::StageReopen,
                Action::LoopLand,
                Action::LoopAbandon,
                Action::LoopNew,
                Action::LoopList,
            ]);
        }
        if self.review.range.is_some() {
            hints = vec![Action::HunkComment, Action::HunkReject, Action::HunkAccept, Action::Back];
        }
        match self.focus {
            Pane::Critique => hints.extend([
                Action::FindingJump,
                Action::FindingExplain,
                Action::FindingAnswer,
                Action::FindingDismiss,
            ]),
            Pane::Gates if self.selected_gate_can_be_overridden() => {
                hints.extend([Action::GateOverride, Action::GateLog, Action::GateRerun]);
            }
            Pane::Gates => hints.extend([Action::GateLog, Action::GateRerun]),
            Pane::Constraint | Pane::Plan if self.face() == Face::Artifact => {
                if self.artifact.has_diff() {
                    hints.extend([Action::HunkAccept, Action::HunkReject]);
                }
                hints.extend([Action::HunkComment, Action::PlanEditInline, Action::PlanEditExternal]);
            }
            Pane::Constraint | Pane::Plan => {}
        }
        hints.retain(|action| self.unavailable(*action).is_none());
        hints.extend([Action::FocusNext, Action::ZoomToggle, Action::PaletteOpen]);
        hints
    }

    fn landing_failed(&self) -> bool {
        let failed = |one: &Loop| matches!(&one.status, Status::Landing(landing) if landing.failed.is_some());
        self.current().is_some_and(failed)
    }

    fn selected_gate(&self) -> Option<GateDef> {
        self.current()?.gates(self.stage_index()).into_iter().nth(self.gate)
    }

    /// Whether a reason can go past the selected gate: it was run on the revision under review, isn't satisfied, and isn't
    /// overridden yet.
    fn selected_gate_can_be_overridden(&self) -> bool {
        let (Some(gate), Some(stage)) = (self.selected_gate(), self.stage()) else { return false };
        stage.fresh_run(&gate).is_some_and(|run| !run.verdict.satisfies())
            && stage.fresh_override(&gate.name).is_none()
            && !stage.is_firm(&gate)
    }

    /// Why an action can't be done now; none if it can.
    pub fn unavailable(&self, action: Action) -> Option<&'static str> {
        if let Some(place) = belongs_in_front(action) {
            return Some(place);
        }
        if self.host.reads_only && changes_the_record(action) {
            return Some(if self.driver_gone { GONE } else { "another windlass drives, this one only reads" });
        }
        if self.host.reads_only && is_an_opinion(action) {
            return Some("whoever drives tells the author; this one only reads");
        }
        if self.host.demo && action == Action::RolesOpen {
            return Some("the demo's models are scripted");
        }
        let Some(stage) = self.stage() else {
            return match action {
                Action::LoopNew
                | Action::RolesOpen
                | Action::ConfigReload
                | Action::HelpOpen
                | Action::Suspend
                | Action::Quit
                | Action::PaletteOpen
                | Action::NextExplain
                | Action::Back => None,
                Action::ThemePick => self.no_themes(),
                Action::TrustOpen if self.host.commands.is_some() => None,
                _ => Some("there is no loop yet"),
            };
        };
        let need = |holds: bool, why: &'static str| (!holds).then_some(why);
        let live = self.is_live();
        let (ready, awaiting) = (stage.phase == Phase::Ready, stage.phase == Phase::Awaiting);
        match action {
            Action::DecisionOpen => need(live && awaiting, "no stage waits for a decision"),
            Action::DraftSend if live && ready && self.model_of(Role::Author).is_none() => {
                Some("no author is configured")
            }
            Action::DraftSend | Action::ContextToggle | Action::ContextAdd
                if live && stage.phase == Phase::Preparing =>
            {
                Some("the stage is being measured, and its context gathered")
            }
            Action::DraftSend | Action::ContextToggle | Action::ContextAdd => {
                need(live && ready, "the stage isn't ready to draft")
            }
            Action::DraftTakeBack => need(live && stage.can_be_taken_back(), "no draft was sent back"),
            Action::ReplyShow => need(self.unusable().is_some(), "the last reply could be used"),
            Action::ChangedNext | Action::ChangedShow => {
                need(self.has_looked(), "you have looked at no earlier revision of it")
            }
            Action::FilesOpen | Action::FileFold | Action::DiffSides | Action::DiffSpace => {
                need(self.face() == Face::Artifact && self.artifact.has_diff(), "no change is on the screen")
            }
            Action::HunkAccept
            | Action::HunkReject
            | Action::HunkComment
            | Action::HunkRange
            | Action::HunkSplit
            | Action::HunkUndo => need(live && self.face() == Face::Artifact, "there is no artifact under review"),
            Action::DraftWrite => need(live && (ready || awaiting), "wait for what is running, or cancel it"),
            Action::ModelChoose => need(self.open_role().is_some(), "wait for what is running, or cancel it"),
            Action::CallRetryNow => need(live && self.is_waiting(), "no call waits for its next attempt"),
            Action::RunCancel => {
                need(live && self.is_busy(), "nothing is running; everything is saved, so you can quit")
            }
            Action::PlanEditInline | Action::PlanEditExternal => {
                need(live && (awaiting || ready), "there is nothing to edit yet")
            }
            Action::CritiqueRerun if self.model_of(Role::Critic).is_none() => Some("no critic is configured"),
            Action::GateOverride
                if live && awaiting && self.selected_gate().is_some_and(|gate| stage.is_firm(&gate)) =>
            {
                Some("no reason goes past this gate: send the stage back")
            }
            Action::CritiqueRerun | Action::GateOverride => need(live && awaiting, "the review isn't done"),
            Action::GateRerun | Action::GateRerunAll => {
                let measures = action == Action::GateRerunAll && ready && stage.spec.measure != Measure::Nothing;
                let judged = matches!(stage.phase, Phase::Awaiting | Phase::Reviewing);
                need(live && (judged || measures), "there is no draft to judge")
            }
            Action::FindingNext | Action::FindingPrev | Action::FindingJump | Action::FindingShow => {
                need(stage.current_critique().is_some_and(|c| !c.findings.is_empty()), "there are no findings")
            }
            Action::FindingExplain => self.cant_ask(Role::Critic),
            Action::FindingAnswer => self.cant_ask(Role::Author),
            Action::PlaceBack => need(!self.places.is_empty(), "no jump was made"),
            Action::FindingDismiss => {
                need(live && stage.current_critique().is_some_and(|c| !c.findings.is_empty()), "there are no findings")
            }
            Action::StageReopen => {
                let approved = matches!(stage.phase, Phase::Approved(_));
                let active = self.current().is_some_and(|one| one.status == Status::Active);
                need(active && approved && !live, "look at an approved stage first")
            }
            Action::LoopPark => need(live, "no loop is active"),
            Action::LoopAbandon => need(live || self.landing_failed(), "no loop is active"),
            Action::AwayShow => need(self.away.has_missed(), "nothing happened while you were away"),
            Action::TimelineOpen => need(
                self.current().is_some_and(|one| one.stages.iter().any(|stage| !stage.revisions.is_empty())),
                "nothing was drafted yet",
            ),
            Action::CallsOpen => need(!self.state.exchanges.is_empty(), "no model was called yet"),
            Action::LoopLand => need(
                self.current()
                    .is_some_and(|one| matches!(&one.status, Status::Landing(landing) if landing.failed.is_some())),
                "no landing has failed",
            ),
            Action::LoopNew => {
                need(self.state.active().is_none(), "a loop is under way: park, land or abandon it first")
            }
            Action::TrustOpen => {
                let untrusted = self.current().is_some_and(|one| !self.state.is_trusted(one));
                need(untrusted && self.host.commands.is_some(), "nothing needs trust")
            }
            Action::ThemePick => self.no_themes(),
            _ => None,
        }
    }

    fn no_themes(&self) -> Option<&'static str> {
        self.host.themes.is_empty().then_some("colours are off: NO_COLOR is set, or TERM is dumb")
    }
}

/// Where an action belongs that means something only there; it is never given from the panes or the palette.
const fn belongs_in_front(action: Action) -> Option<&'static str> {
    match action {
        Action::StageApprove | Action::DecisionRevise | Action::DecisionAbandon => {
            Some("it is decided on the decision sheet only")
        }
        Action::TrustGive => Some("the commands must be on the screen"),
        Action::TextSubmit => Some("no text is being typed"),
        Action::Select => Some("no list is open"),
        _ => None,
    }
}

/// Whether an action is an opinion on a part of the artifact, which goes to the author with a decision.
const fn is_an_opinion(action: Action) -> bool {
    use Action::{HunkAccept, HunkComment, HunkRange, HunkReject, HunkSplit, HunkUndo};
    matches!(action, HunkAccept | HunkComment | HunkRange | HunkReject | HunkSplit | HunkUndo)
}

/// Whether an action can lead to an event.
const fn changes_the_record(action: Action) -> bool {
    use Action::{
        CallRetryNow, ContextAdd, ContextToggle, CritiqueRerun, DecisionOpen, DraftSend, DraftTakeBack, DraftWrite,
        FindingAnswer, FindingDismiss, FindingExplain, GateOverride, GateRerun, GateRerunAll, LoopAbandon, LoopLand,
        LoopNew, LoopPark, ModelChoose, PlanEditExternal, PlanEditInline, RolesOpen, RunCancel, StageReopen, TrustOpen,
    };
    matches!(
        action,
        CallRetryNow
            | ContextAdd
            | ContextToggle
            | CritiqueRerun
            | DecisionOpen
            | DraftSend
            | DraftTakeBack
            | DraftWrite
            | FindingAnswer
            | FindingDismiss
            | FindingExplain
            | GateOverride
            | GateRerun
            | GateRerunAll
            | LoopAbandon
            | LoopLand
            | LoopNew
            | LoopPark
            | ModelChoose
            | PlanEditExternal
            | PlanEditInline
            | RolesOpen
            | RunCancel
            | StageReopen
            | TrustOpen
    )
}
