//! Stored forms of what a loop is made of: workflow, setup, context, measurement, revision.

use serde::{Deserialize, Serialize};

use crate::{domain, engine};

use super::gate::GateDef;
use super::words::{ArtifactKind, Hex, ItemKind, Measure, Side, exact};
use super::{StoredError, back, each};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workflow {
    name: String,
    stages: Vec<StageSpec>,
}

impl From<&domain::Workflow> for Workflow {
    fn from(workflow: &domain::Workflow) -> Self {
        Self { name: workflow.name().to_owned(), stages: each(workflow.stages()) }
    }
}

impl TryFrom<Workflow> for domain::Workflow {
    type Error = StoredError;

    fn try_from(stored: Workflow) -> Result<Self, StoredError> {
        Self::new(stored.name, back(stored.stages)).map_err(StoredError::value)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageSpec {
    id: String,
    artifact: ArtifactKind,
    drafts: String,
    asks: String,
    means: String,
    sections: Vec<String>,
    criteria: Vec<String>,
    gates: Vec<String>,
    runs_commands: bool,
    measure: Measure,
    budget_lines: usize,
    lands: bool,
}

impl From<&domain::StageSpec> for StageSpec {
    fn from(spec: &domain::StageSpec) -> Self {
        Self {
            id: spec.id.clone(),
            artifact: spec.artifact.into(),
            drafts: spec.drafts.clone(),
            asks: spec.asks.clone(),
            means: spec.means.clone(),
            sections: spec.sections.clone(),
            criteria: spec.criteria.clone(),
            gates: spec.gates.clone(),
            runs_commands: spec.runs_commands,
            measure: spec.measure.into(),
            budget_lines: spec.budget_lines,
            lands: spec.lands,
        }
    }
}

impl From<StageSpec> for domain::StageSpec {
    fn from(stored: StageSpec) -> Self {
        Self {
            id: stored.id,
            artifact: stored.artifact.into(),
            drafts: stored.drafts,
            asks: stored.asks,
            means: stored.means,
            sections: stored.sections,
            criteria: stored.criteria,
            gates: stored.gates,
            runs_commands: stored.runs_commands,
            measure: stored.measure.into(),
            budget_lines: stored.budget_lines,
            lands: stored.lands,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    change_author: Option<String>,
    critic: Option<String>,
    gates: Vec<GateDef>,
    config: Option<Hex>,
}

impl From<&engine::Setup> for Setup {
    fn from(setup: &engine::Setup) -> Self {
        let name = |model: &domain::ModelId| model.0.clone();
        Self {
            author: setup.author.as_ref().map(name),
            change_author: setup.change_author.as_ref().map(name),
            critic: setup.critic.as_ref().map(name),
            gates: each(&setup.gates),
            config: setup.config.map(Hex),
        }
    }
}

impl TryFrom<Setup> for engine::Setup {
    type Error = StoredError;

    fn try_from(stored: Setup) -> Result<Self, StoredError> {
        let gates: Result<_, StoredError> = stored.gates.into_iter().map(domain::GateDef::try_from).collect();
        Ok(Self {
            author: stored.author.map(domain::ModelId),
            change_author: stored.change_author.map(domain::ModelId),
            critic: stored.critic.map(domain::ModelId),
            gates: gates?,
            config: stored.config.map(|config| config.0),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextItem {
    kind: ItemKind,
    name: String,
    digest: Hex,
    bytes: u64,
    tokens: u64,
    included: bool,
}

impl From<&domain::ContextItem> for ContextItem {
    fn from(item: &domain::ContextItem) -> Self {
        Self {
            kind: item.kind.into(),
            name: item.name.clone(),
            digest: Hex(item.digest),
            bytes: item.bytes,
            tokens: item.tokens,
            included: item.included,
        }
    }
}

impl From<ContextItem> for domain::ContextItem {
    fn from(stored: ContextItem) -> Self {
        Self {
            kind: stored.kind.into(),
            name: stored.name,
            digest: stored.digest.0,
            bytes: stored.bytes,
            tokens: stored.tokens,
            included: stored.included,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measurement {
    tree: Option<String>,
    samples: Vec<Sample>,
    failures: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    probe: String,
    side: Side,
    round: u32,
    readings: Vec<Reading>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    name: String,
    #[serde(with = "exact")]
    value: f64,
    unit: String,
}

impl From<&domain::Measurement> for Measurement {
    fn from(measurement: &domain::Measurement) -> Self {
        Self {
            tree: measurement.tree.as_ref().map(|tree| tree.as_str().to_owned()),
            samples: each(&measurement.samples),
            failures: measurement.failures.clone(),
        }
    }
}

impl TryFrom<Measurement> for domain::Measurement {
    type Error = StoredError;

    fn try_from(stored: Measurement) -> Result<Self, StoredError> {
        let tree = stored.tree.map(|tree| tree.parse()).transpose().map_err(StoredError::value)?;
        Ok(Self { tree, samples: back(stored.samples), failures: stored.failures })
    }
}

impl From<&domain::Sample> for Sample {
    fn from(sample: &domain::Sample) -> Self {
        Self {
            probe: sample.probe.clone(),
            side: sample.side.into(),
            round: sample.round,
            readings: each(&sample.readings),
        }
    }
}

impl From<Sample> for domain::Sample {
    fn from(stored: Sample) -> Self {
        Self { probe: stored.probe, side: stored.side.into(), round: stored.round, readings: back(stored.readings) }
    }
}

impl From<&domain::Reading> for Reading {
    fn from(reading: &domain::Reading) -> Self {
        Self { name: reading.name.clone(), value: reading.value, unit: reading.unit.clone() }
    }
}

impl From<Reading> for domain::Reading {
    fn from(stored: Reading) -> Self {
        Self { name: stored.name, value: stored.value, unit: stored.unit }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revision {
    id: Hex,
    ordinal: u32,
    text: String,
    change: Option<Change>,
    origin: Origin,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Origin {
    Model { model: String, exchange: u64 },
    Human { name: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    base: String,
    tree: String,
    patch: String,
    files: Vec<FileStat>,
    flags: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStat {
    path: String,
    added: u32,
    removed: u32,
}

impl From<&domain::Revision> for Revision {
    fn from(revision: &domain::Revision) -> Self {
        let origin = match &revision.origin {
            domain::Origin::Model { model, exchange } => Origin::Model { model: model.0.clone(), exchange: exchange.0 },
            domain::Origin::Human { name } => Origin::Human { name: name.clone() },
        };
        Self {
            id: Hex(revision.id),
            ordinal: revision.ordinal,
            text: revision.text.clone(),
            change: revision.change.as_ref().map(Change::from),
            origin,
        }
    }
}

impl TryFrom<Revision> for domain::Revision {
    type Error = StoredError;

    fn try_from(stored: Revision) -> Result<Self, StoredError> {
        let Revision { id: Hex(id), ordinal, text, change, origin } = stored;
        let change = change.map(domain::Change::try_from).transpose()?;
        // The record doesn't name the kind; the stage does. An id that fits none is an id of other contents.
        let kinds = [
            domain::ArtifactKind::Plan,
            domain::ArtifactKind::Change,
            domain::ArtifactKind::Constraint,
            domain::ArtifactKind::Outcome,
        ];
        if !kinds.iter().any(|kind| Self::id_of(*kind, &text, change.as_ref()) == id) {
            return Err(StoredError::value(format_args!("revision {id} has other contents than its id says")));
        }
        let origin = match origin {
            Origin::Model { model, exchange } => {
                domain::Origin::Model { model: domain::ModelId(model), exchange: domain::ExchangeId(exchange) }
            }
            Origin::Human { name } => domain::Origin::Human { name },
        };
        Ok(Self { id, ordinal, text, change, origin })
    }
}

impl From<&domain::Change> for Change {
    fn from(change: &domain::Change) -> Self {
        Self {
            base: change.base.as_str().to_owned(),
            tree: change.tree.as_str().to_owned(),
            patch: change.patch.to_string(),
            files: each(&change.files),
            flags: change.flags.clone(),
        }
    }
}

impl TryFrom<Change> for domain::Change {
    type Error = StoredError;

    fn try_from(stored: Change) -> Result<Self, StoredError> {
        Ok(Self {
            base: stored.base.parse().map_err(StoredError::value)?,
            tree: stored.tree.parse().map_err(StoredError::value)?,
            patch: stored.patch.into(),
            files: back(stored.files),
            flags: stored.flags,
        })
    }
}

impl From<&domain::FileStat> for FileStat {
    fn from(file: &domain::FileStat) -> Self {
        Self { path: file.path.clone(), added: file.added, removed: file.removed }
    }
}

impl From<FileStat> for domain::FileStat {
    fn from(stored: FileStat) -> Self {
        Self { path: stored.path, added: stored.added, removed: stored.removed }
    }
}
