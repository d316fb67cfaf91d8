//! Gates and probes: the project's commands judged by their exit code or by the reports they leave, Windlass's own checks
//! of artifacts and trees, and the measurements both rest on.

pub mod arch;
pub mod bench;
pub mod budget;
pub mod builtin;
pub mod cargo;
pub mod case;
pub mod command;
pub mod contract;
pub mod coverage;
pub mod deps;
pub mod guard;
pub mod health;
pub mod junit;
pub mod patch;
pub mod policy;
pub mod probe;
pub mod report;
pub mod runner;
pub mod sarif;
pub mod secrets;
pub mod source;
pub mod table;
#[cfg(test)]
mod testing;

use self::case::{Judged, ReportCase, TreeCase};
use crate::domain::CheckKind;

/// Judges by the reports of a command, for a kind that reads them.
pub fn judge_reports(kind: CheckKind, case: &ReportCase<'_>) -> Judged {
    match kind {
        CheckKind::Junit => junit::judge(case),
        CheckKind::Sarif => sarif::judge(case),
        CheckKind::Cargo => cargo::judge(case),
        CheckKind::Coverage => coverage::judge(case),
        CheckKind::Bench => bench::judge(case),
        CheckKind::Contract => contract::judge(case),
        CheckKind::Secrets => secrets::judge(case),
        CheckKind::Policy => policy::judge(case),
        other => Judged::error(format!("a gate of kind {:?} reads no report", other.name())),
    }
}

/// Judges by the two trees, for a kind that looks at them.
pub fn judge_trees(kind: CheckKind, case: &TreeCase<'_>) -> Judged {
    match kind {
        CheckKind::Deps => deps::judge(case),
        CheckKind::Budget => budget::judge(case),
        CheckKind::Arch => arch::judge(case),
        CheckKind::Secrets => secrets::judge_added(case.settings, case.patch),
        other => Judged::error(format!("a gate of kind {:?} needs a command", other.name())),
    }
}
