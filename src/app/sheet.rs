//! The decision sheet: what is decided, on which evidence, and what stands in the way.
//!
//! It takes no key before it is armed, see [`Arming`].

use tui_textarea::TextArea;

use crate::domain::{Gap, LoopId, StageIndex, Unread};
use crate::engine::{Approval, Command, Evidence, Loop, Obstacle, evidence, gaps, obstacles};

use super::arming::Arming;
use super::model::Model;
use super::remarks::Tally;

/// The least characters of a reason.
pub(super) const REASON_LEAST: usize = 12;

/// The field being filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The reason for the gaps.
    Reason,
    /// The stage's name, where approval lands.
    Name,
}

/// The decision sheet of one stage.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The loop.
    pub id: LoopId,
    /// The stage.
    pub stage: StageIndex,
    /// The evidence it shows.
    pub evidence: Evidence,
    /// What changed since the sheet was last looked at; none at the first look.
    pub changed: Option<Vec<String>>,
    /// How much of the artifact was read when it was opened.
    pub unread: Unread,
    /// How many of the findings were read then.
    pub findings: Unread,
    /// What the human thinks of its parts.
    pub remarks: Tally,
    /// What no reason goes past.
    pub obstacles: Vec<Obstacle>,
    /// What an approval would go past.
    pub gaps: Vec<Gap>,
    /// The reason for the gaps.
    pub reason: TextArea<'static>,
    /// The stage's name as typed.
    pub name: TextArea<'static>,
    /// The field being filled in.
    pub field: Option<Field>,
    /// The stage's name to type, where approval lands.
    pub lands: Option<String>,
    /// The first row shown, where not all fit.
    pub scroll: u16,
    /// What went wrong.
    pub error: Option<String>,
    /// Whether the approval was given and its answer is awaited.
    pub(super) sent: bool,
    /// Whether it takes keys.
    pub arming: Arming,
}

impl Sheet {
    /// The sheet of the open stage of `one`.
    pub fn new(one: &Loop, model: &Model) -> Self {
        let stage = one.open;
        let evidence = evidence(one, stage);
        let (unread, findings) = (model.unread(), model.unread_findings());
        let last = model.last_look.get(&(one.id, stage));
        Self {
            id: one.id,
            stage,
            changed: last.map(|last| last.changed(&evidence)),
            evidence,
            unread,
            findings,
            remarks: model.remarks.tally(&model.artifact),
            obstacles: obstacles(one, stage),
            gaps: gaps(one, stage, unread, findings),
            reason: TextArea::default(),
            name: TextArea::default(),
            field: None,
            lands: one.stage(stage).filter(|stage| stage.spec.lands).map(|stage| stage.spec.id.clone()),
            scroll: 0,
            error: None,
            sent: false,
            arming: Arming::begun(model.now),
        }
    }

    /// Whether an approval needs a reason here.
    pub fn needs_reason(&self) -> bool {
        self.gaps.iter().any(|gap| matches!(gap, Gap::Unread(_) | Gap::UnreadFindings(_) | Gap::NoCritique))
    }

    /// Whether the stage's name was typed, where it must be.
    pub fn is_named(&self) -> bool {
        self.lands.as_ref().is_none_or(|name| text(&self.name).trim() == name)
    }

    /// The first field that is still to be filled in.
    pub(super) fn missing(&self) -> Option<Field> {
        if self.needs_reason() && text(&self.reason).trim().chars().count() < REASON_LEAST {
            return Some(Field::Reason);
        }
        (!self.is_named()).then_some(Field::Name)
    }

    /// The approval, once nothing is missing.
    pub(super) fn approval(&self, model: &Model) -> Command {
        Command::Approve(Box::new(Approval {
            id: self.id,
            stage: self.stage,
            evidence: self.evidence.clone(),
            unread: self.unread,
            findings: self.findings,
            reason: Some(text(&self.reason)).filter(|_| self.needs_reason()),
            typed: self.lands.as_ref().map(|_| text(&self.name)),
            by: model.person(),
        }))
    }
}

/// The text in a field.
pub(super) fn text(area: &TextArea<'_>) -> String {
    area.lines().join("\n")
}
