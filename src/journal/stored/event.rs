//! The stored form of every event. One variant a kind of event; `tests/fixtures/journal/v1.json` has a sample of each.

use serde::{Deserialize, Serialize};

use crate::domain::{ExchangeId, LoopId, ModelId, Person, StageIndex};
use crate::engine;

use super::review::{Critique, Decision, End, GateRun, Override, PromptRef, Quote, Timings, Trouble, Usage};
use super::values::{ContextItem, Measurement, Revision, Setup, Workflow};
use super::words::{Hex, Role};
use super::{StoredError, back, each};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Event {
    Trusted {
        config: Hex,
        by: String,
    },
    Begun {
        id: u32,
        goal: String,
        hint: Option<String>,
        workflow: Workflow,
        base: String,
        branch: Option<String>,
        setup: Setup,
        by: String,
    },
    Configured {
        id: u32,
        setup: Setup,
    },
    Prepared {
        id: u32,
        stage: usize,
        items: Vec<ContextItem>,
        measurement: Option<Measurement>,
        /// Absent where something was measured, or need not be; and before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unmeasured: Option<String>,
    },
    ContextChosen {
        id: u32,
        stage: usize,
        name: String,
        included: bool,
    },
    ModelChosen {
        id: u32,
        stage: usize,
        role: Role,
        model: String,
        by: String,
    },
    DraftBegun {
        id: u32,
        stage: usize,
    },
    Asked {
        exchange: u64,
        id: u32,
        stage: usize,
        role: Role,
        /// Absent for a draft or a critique.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finding: Option<usize>,
        model: String,
        prompt: PromptRef,
        /// Absent before calls were priced.
        #[serde(default)]
        quote: Quote,
    },
    Answered {
        exchange: u64,
        end: End,
        usage: Usage,
        timings: Timings,
    },
    Drafted {
        id: u32,
        stage: usize,
        revision: Revision,
    },
    DraftFailed {
        id: u32,
        stage: usize,
        trouble: Trouble,
    },
    Written {
        id: u32,
        stage: usize,
        text: String,
        by: String,
    },
    WorktreeTaken {
        id: u32,
        stage: usize,
        by: String,
    },
    Critiqued {
        id: u32,
        stage: usize,
        critique: Critique,
    },
    CritiqueFailed {
        id: u32,
        stage: usize,
        revision: Hex,
        why: String,
    },
    GateFinished {
        id: u32,
        stage: usize,
        run: GateRun,
    },
    RerunAsked {
        id: u32,
        stage: usize,
        gates: Vec<String>,
        critique: bool,
    },
    Dismissed {
        id: u32,
        stage: usize,
        revision: Hex,
        finding: usize,
        reason: String,
        by: String,
    },
    Questioned {
        id: u32,
        stage: usize,
        revision: Hex,
        finding: usize,
        to: Role,
        question: String,
        by: String,
    },
    Replied {
        id: u32,
        stage: usize,
        revision: Hex,
        finding: usize,
        exchange: u64,
        text: String,
    },
    ReplyFailed {
        id: u32,
        stage: usize,
        revision: Hex,
        finding: usize,
        exchange: Option<u64>,
        why: String,
    },
    Overridden {
        id: u32,
        stage: usize,
        by: Override,
    },
    Decided {
        id: u32,
        stage: usize,
        decision: Decision,
    },
    TakenBack {
        id: u32,
        stage: usize,
    },
    CancelAsked {
        id: u32,
    },
    Reopened {
        id: u32,
        stage: usize,
        reason: String,
        by: String,
    },
    Parked {
        id: u32,
        by: String,
    },
    Resumed {
        id: u32,
        by: String,
    },
    Landed {
        id: u32,
        commit: String,
        left: Option<String>,
    },
    LandingFailed {
        id: u32,
        why: String,
    },
    LandingRetried {
        id: u32,
    },
    Recovered,
}

impl From<&engine::Event> for Event {
    fn from(event: &engine::Event) -> Self {
        use engine::Event as E;
        match event {
            E::Trusted { config, by } => Self::Trusted { config: Hex(*config), by: by.0.clone() },
            E::Begun { id, goal, hint, workflow, base, branch, setup, by } => Self::Begun {
                id: id.0,
                goal: goal.clone(),
                hint: hint.clone(),
                workflow: workflow.into(),
                base: base.as_str().to_owned(),
                branch: branch.clone(),
                setup: setup.into(),
                by: by.0.clone(),
            },
            E::Configured { id, setup } => Self::Configured { id: id.0, setup: setup.into() },
            E::Prepared { id, stage, items, measurement, unmeasured } => Self::Prepared {
                id: id.0,
                stage: stage.0,
                items: each(items),
                measurement: measurement.as_ref().map(Measurement::from),
                unmeasured: unmeasured.clone(),
            },
            E::ContextChosen { id, stage, name, included } => {
                Self::ContextChosen { id: id.0, stage: stage.0, name: name.clone(), included: *included }
            }
            E::ModelChosen { id, stage, role, model, by } => Self::ModelChosen {
                id: id.0,
                stage: stage.0,
                role: (*role).into(),
                model: model.0.clone(),
                by: by.0.clone(),
            },
            E::DraftBegun { id, stage } => Self::DraftBegun { id: id.0, stage: stage.0 },
            E::Asked { exchange, id, stage, role, finding, model, prompt, quote } => Self::Asked {
                exchange: exchange.0,
                id: id.0,
                stage: stage.0,
                role: (*role).into(),
                finding: *finding,
                model: model.0.clone(),
                prompt: prompt.into(),
                quote: quote.into(),
            },
            E::Answered { exchange, end, usage, timings } => {
                Self::Answered { exchange: exchange.0, end: end.into(), usage: usage.into(), timings: timings.into() }
            }
            E::Drafted { id, stage, revision } => Self::Drafted { id: id.0, stage: stage.0, revision: revision.into() },
            E::DraftFailed { id, stage, trouble } => {
                Self::DraftFailed { id: id.0, stage: stage.0, trouble: trouble.into() }
            }
            E::Written { id, stage, text, by } => {
                Self::Written { id: id.0, stage: stage.0, text: text.clone(), by: by.0.clone() }
            }
            E::WorktreeTaken { id, stage, by } => Self::WorktreeTaken { id: id.0, stage: stage.0, by: by.0.clone() },
            E::Critiqued { id, stage, critique } => {
                Self::Critiqued { id: id.0, stage: stage.0, critique: critique.into() }
            }
            E::CritiqueFailed { id, stage, revision, why } => {
                Self::CritiqueFailed { id: id.0, stage: stage.0, revision: Hex(*revision), why: why.clone() }
            }
            E::GateFinished { id, stage, run } => Self::GateFinished { id: id.0, stage: stage.0, run: run.into() },
            E::RerunAsked { id, stage, gates, critique } => {
                Self::RerunAsked { id: id.0, stage: stage.0, gates: gates.clone(), critique: *critique }
            }
            E::Dismissed { id, stage, revision, finding, reason, by } => Self::Dismissed {
                id: id.0,
                stage: stage.0,
                revision: Hex(*revision),
                finding: *finding,
                reason: reason.clone(),
                by: by.0.clone(),
            },
            E::Questioned { id, stage, revision, finding, to, question, by } => Self::Questioned {
                id: id.0,
                stage: stage.0,
                revision: Hex(*revision),
                finding: *finding,
                to: (*to).into(),
                question: question.clone(),
                by: by.0.clone(),
            },
            E::Replied { id, stage, revision, finding, exchange, text } => Self::Replied {
                id: id.0,
                stage: stage.0,
                revision: Hex(*revision),
                finding: *finding,
                exchange: exchange.0,
                text: text.clone(),
            },
            E::ReplyFailed { id, stage, revision, finding, exchange, why } => Self::ReplyFailed {
                id: id.0,
                stage: stage.0,
                revision: Hex(*revision),
                finding: *finding,
                exchange: exchange.map(|exchange| exchange.0),
                why: why.clone(),
            },
            E::Overridden { id, stage, by } => Self::Overridden { id: id.0, stage: stage.0, by: by.into() },
            E::Decided { id, stage, decision } => Self::Decided { id: id.0, stage: stage.0, decision: decision.into() },
            E::TakenBack { id, stage } => Self::TakenBack { id: id.0, stage: stage.0 },
            E::CancelAsked { id } => Self::CancelAsked { id: id.0 },
            E::Reopened { id, stage, reason, by } => {
                Self::Reopened { id: id.0, stage: stage.0, reason: reason.clone(), by: by.0.clone() }
            }
            E::Parked { id, by } => Self::Parked { id: id.0, by: by.0.clone() },
            E::Resumed { id, by } => Self::Resumed { id: id.0, by: by.0.clone() },
            E::Landed { id, commit, left } => {
                Self::Landed { id: id.0, commit: commit.as_str().to_owned(), left: left.clone() }
            }
            E::LandingFailed { id, why } => Self::LandingFailed { id: id.0, why: why.clone() },
            E::LandingRetried { id } => Self::LandingRetried { id: id.0 },
            E::Recovered => Self::Recovered,
        }
    }
}

impl TryFrom<Event> for engine::Event {
    type Error = StoredError;

    fn try_from(stored: Event) -> Result<Self, StoredError> {
        use Event as E;
        Ok(match stored {
            E::Trusted { config, by } => Self::Trusted { config: config.0, by: Person(by) },
            E::Begun { id, goal, hint, workflow, base, branch, setup, by } => Self::Begun {
                id: LoopId(id),
                goal,
                hint,
                workflow: workflow.try_into()?,
                base: base.parse().map_err(StoredError::value)?,
                branch,
                setup: setup.try_into()?,
                by: Person(by),
            },
            E::Configured { id, setup } => Self::Configured { id: LoopId(id), setup: setup.try_into()? },
            E::Prepared { id, stage, items, measurement, unmeasured } => Self::Prepared {
                id: LoopId(id),
                stage: StageIndex(stage),
                items: back(items),
                measurement: measurement.map(Measurement::try_into).transpose()?,
                unmeasured,
            },
            E::ContextChosen { id, stage, name, included } => {
                Self::ContextChosen { id: LoopId(id), stage: StageIndex(stage), name, included }
            }
            E::ModelChosen { id, stage, role, model, by } => Self::ModelChosen {
                id: LoopId(id),
                stage: StageIndex(stage),
                role: role.into(),
                model: ModelId(model),
                by: Person(by),
            },
            E::DraftBegun { id, stage } => Self::DraftBegun { id: LoopId(id), stage: StageIndex(stage) },
            E::Asked { exchange, id, stage, role, finding, model, prompt, quote } => Self::Asked {
                exchange: ExchangeId(exchange),
                id: LoopId(id),
                stage: StageIndex(stage),
                role: role.into(),
                finding,
                model: ModelId(model),
                prompt: prompt.into(),
                quote: quote.into(),
            },
            E::Answered { exchange, end, usage, timings } => Self::Answered {
                exchange: ExchangeId(exchange),
                end: end.into(),
                usage: usage.into(),
                timings: timings.into(),
            },
            E::Drafted { id, stage, revision } => {
                Self::Drafted { id: LoopId(id), stage: StageIndex(stage), revision: revision.try_into()? }
            }
            E::DraftFailed { id, stage, trouble } => {
                Self::DraftFailed { id: LoopId(id), stage: StageIndex(stage), trouble: trouble.into() }
            }
            E::Written { id, stage, text, by } => {
                Self::Written { id: LoopId(id), stage: StageIndex(stage), text, by: Person(by) }
            }
            E::WorktreeTaken { id, stage, by } => {
                Self::WorktreeTaken { id: LoopId(id), stage: StageIndex(stage), by: Person(by) }
            }
            E::Critiqued { id, stage, critique } => {
                Self::Critiqued { id: LoopId(id), stage: StageIndex(stage), critique: critique.into() }
            }
            E::CritiqueFailed { id, stage, revision, why } => {
                Self::CritiqueFailed { id: LoopId(id), stage: StageIndex(stage), revision: revision.0, why }
            }
            E::GateFinished { id, stage, run } => {
                Self::GateFinished { id: LoopId(id), stage: StageIndex(stage), run: run.try_into()? }
            }
            E::RerunAsked { id, stage, gates, critique } => {
                Self::RerunAsked { id: LoopId(id), stage: StageIndex(stage), gates, critique }
            }
            E::Dismissed { id, stage, revision, finding, reason, by } => Self::Dismissed {
                id: LoopId(id),
                stage: StageIndex(stage),
                revision: revision.0,
                finding,
                reason,
                by: Person(by),
            },
            E::Questioned { id, stage, revision, finding, to, question, by } => Self::Questioned {
                id: LoopId(id),
                stage: StageIndex(stage),
                revision: revision.0,
                finding,
                to: to.into(),
                question,
                by: Person(by),
            },
            E::Replied { id, stage, revision, finding, exchange, text } => Self::Replied {
                id: LoopId(id),
                stage: StageIndex(stage),
                revision: revision.0,
                finding,
                exchange: ExchangeId(exchange),
                text,
            },
            E::ReplyFailed { id, stage, revision, finding, exchange, why } => Self::ReplyFailed {
                id: LoopId(id),
                stage: StageIndex(stage),
                revision: revision.0,
                finding,
                exchange: exchange.map(ExchangeId),
                why,
            },
            E::Overridden { id, stage, by } => {
                Self::Overridden { id: LoopId(id), stage: StageIndex(stage), by: by.into() }
            }
            E::Decided { id, stage, decision } => {
                Self::Decided { id: LoopId(id), stage: StageIndex(stage), decision: decision.into() }
            }
            E::TakenBack { id, stage } => Self::TakenBack { id: LoopId(id), stage: StageIndex(stage) },
            E::CancelAsked { id } => Self::CancelAsked { id: LoopId(id) },
            E::Reopened { id, stage, reason, by } => {
                Self::Reopened { id: LoopId(id), stage: StageIndex(stage), reason, by: Person(by) }
            }
            E::Parked { id, by } => Self::Parked { id: LoopId(id), by: Person(by) },
            E::Resumed { id, by } => Self::Resumed { id: LoopId(id), by: Person(by) },
            E::Landed { id, commit, left } => {
                Self::Landed { id: LoopId(id), commit: commit.parse().map_err(StoredError::value)?, left }
            }
            E::LandingFailed { id, why } => Self::LandingFailed { id: LoopId(id), why },
            E::LandingRetried { id } => Self::LandingRetried { id: LoopId(id) },
            E::Recovered => Self::Recovered,
        })
    }
}
