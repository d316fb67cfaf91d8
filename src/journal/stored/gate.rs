//! Stored forms of gates: their definitions, and what is behind a run's verdict.
//!
//! Version 2 of the stored form added kinds beyond commands, rules and details. What has none of them is written as in
//! version 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain;

use super::words::{Enforcement, Hex, Verdict, exact};
use super::{StoredError, back, each};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateDef {
    name: String,
    kind: GateKind,
    enforcement: Enforcement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<Rules>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum GateKind {
    Builtin,
    Command(Command),
    Check { kind: String, command: Option<Command>, settings: BTreeMap<String, Setting> },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    argv: Vec<String>,
    dir: String,
    timeout_s: u64,
    env: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    network: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    writable: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runner: Vec<String>,
}

/// What serde asks of a value that is only written when it is set.
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Setting {
    Text(String),
    Thousandths(i64),
    Truth(bool),
    Texts(Vec<String>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    applies_if: Vec<String>,
    needs: Vec<String>,
    retries: u32,
    weight: u32,
    ttl_s: Option<u64>,
    version: Vec<String>,
}

impl From<&domain::CommandSpec> for Command {
    fn from(spec: &domain::CommandSpec) -> Self {
        Self {
            argv: spec.argv.clone(),
            dir: spec.dir.clone(),
            timeout_s: spec.timeout_s,
            env: spec.env.clone(),
            network: spec.reach.network,
            writable: spec.reach.writable.clone(),
            runner: spec.reach.runner.clone(),
        }
    }
}

impl From<Command> for domain::CommandSpec {
    fn from(stored: Command) -> Self {
        let Command { argv, dir, timeout_s, env, network, writable, runner } = stored;
        Self { argv, dir, timeout_s, env, reach: domain::Reach { network, writable, runner } }
    }
}

impl From<&domain::Setting> for Setting {
    fn from(setting: &domain::Setting) -> Self {
        match setting {
            domain::Setting::Text(text) => Self::Text(text.clone()),
            domain::Setting::Number(thousandths) => Self::Thousandths(*thousandths),
            domain::Setting::Truth(truth) => Self::Truth(*truth),
            domain::Setting::Texts(texts) => Self::Texts(texts.clone()),
        }
    }
}

impl From<Setting> for domain::Setting {
    fn from(stored: Setting) -> Self {
        match stored {
            Setting::Text(text) => Self::Text(text),
            Setting::Thousandths(thousandths) => Self::Number(thousandths),
            Setting::Truth(truth) => Self::Truth(truth),
            Setting::Texts(texts) => Self::Texts(texts),
        }
    }
}

impl From<&domain::GateDef> for GateDef {
    fn from(gate: &domain::GateDef) -> Self {
        let kind = match &gate.kind {
            domain::GateKind::Builtin => GateKind::Builtin,
            domain::GateKind::Command(spec) => GateKind::Command(spec.into()),
            domain::GateKind::Check(check) => GateKind::Check {
                kind: check.kind.name().to_owned(),
                command: check.command.as_ref().map(Command::from),
                settings: check.settings.0.iter().map(|(key, setting)| (key.clone(), setting.into())).collect(),
            },
        };
        let rules = &gate.rules;
        let rules = (*rules != domain::GateRules::default()).then(|| Rules {
            applies_if: rules.applies_if.clone(),
            needs: rules.needs.clone(),
            retries: rules.retries,
            weight: rules.weight,
            ttl_s: rules.ttl_s,
            version: rules.version.clone(),
        });
        Self { name: gate.name.clone(), kind, enforcement: gate.enforcement.into(), rules }
    }
}

impl TryFrom<GateDef> for domain::GateDef {
    type Error = StoredError;

    fn try_from(stored: GateDef) -> Result<Self, StoredError> {
        let kind = match stored.kind {
            GateKind::Builtin => domain::GateKind::Builtin,
            GateKind::Command(spec) => domain::GateKind::Command(spec.into()),
            GateKind::Check { kind, command, settings } => domain::GateKind::Check(domain::Check {
                kind: domain::CheckKind::from_name(&kind)
                    .ok_or_else(|| StoredError::value(format_args!("no kind of gate is called {kind:?}")))?,
                command: command.map(domain::CommandSpec::from),
                settings: domain::Settings(settings.into_iter().map(|(key, setting)| (key, setting.into())).collect()),
            }),
        };
        let rules = stored.rules.map(|rules| {
            let Rules { applies_if, needs, retries, weight, ttl_s, version } = rules;
            domain::GateRules { applies_if, needs, retries, weight, ttl_s, version }
        });
        let (name, enforcement) = (stored.name, stored.enforcement.into());
        Ok(Self { name, kind, enforcement, rules: rules.unwrap_or_default() })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Details {
    figure: Option<Figure>,
    spots: Vec<Spot>,
    base_tree: Option<String>,
    key: Option<Hex>,
    tool: Option<String>,
    attempts: Vec<Verdict>,
    cached_from: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    firm: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figure {
    #[serde(with = "exact")]
    value: f64,
    unit: String,
    threshold: Option<Exact>,
    baseline: Option<Exact>,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Exact(#[serde(with = "exact")] f64);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spot {
    path: String,
    lines: Option<(u32, u32)>,
    text: String,
}

impl From<&domain::Details> for Details {
    fn from(details: &domain::Details) -> Self {
        Self {
            figure: details.figure.as_ref().map(|figure| Figure {
                value: figure.value,
                unit: figure.unit.clone(),
                threshold: figure.threshold.map(Exact),
                baseline: figure.baseline.map(Exact),
            }),
            spots: each(&details.spots),
            base_tree: details.base_tree.as_ref().map(|tree| tree.as_str().to_owned()),
            key: details.key.map(Hex),
            tool: details.tool.clone(),
            attempts: details.attempts.iter().map(|verdict| (*verdict).into()).collect(),
            cached_from: details.cached_from.map(|run| run.0),
            firm: details.firm,
        }
    }
}

impl TryFrom<Details> for domain::Details {
    type Error = StoredError;

    fn try_from(stored: Details) -> Result<Self, StoredError> {
        Ok(Self {
            figure: stored.figure.map(|figure| domain::Figure {
                value: figure.value,
                unit: figure.unit,
                threshold: figure.threshold.map(|number| number.0),
                baseline: figure.baseline.map(|number| number.0),
            }),
            spots: back(stored.spots),
            base_tree: stored.base_tree.map(|tree| tree.parse()).transpose().map_err(StoredError::value)?,
            key: stored.key.map(|key| key.0),
            tool: stored.tool,
            attempts: stored.attempts.into_iter().map(Into::into).collect(),
            cached_from: stored.cached_from.map(domain::RunId),
            firm: stored.firm,
        })
    }
}

impl From<&domain::Spot> for Spot {
    fn from(spot: &domain::Spot) -> Self {
        Self { path: spot.path.clone(), lines: spot.lines, text: spot.text.clone() }
    }
}

impl From<Spot> for domain::Spot {
    fn from(stored: Spot) -> Self {
        Self { path: stored.path, lines: stored.lines, text: stored.text }
    }
}
