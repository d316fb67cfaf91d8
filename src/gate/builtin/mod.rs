//! Windlass's own gates: pure checks of an artifact against its stage, its plan and its measurement.

mod files;
mod measured;
mod quoted;
#[cfg(test)]
mod tests;
mod text;
mod weakening;

use super::case::Judged;
use crate::domain::{ArtifactKind, Measurement, Revision, StageSpec, Verdict};

/// Everything a built-in gate may look at.
pub struct Evidence<'a> {
    /// The stage whose artifact is judged.
    pub spec: &'a StageSpec,
    /// The artifact.
    pub revision: &'a Revision,
    /// The text of the approved plan, if there is one.
    pub plan: Option<&'a str>,
    /// The lines of the approved constraint's acceptance criteria.
    pub criteria: &'a [String],
    /// What was measured for this stage, if anything.
    pub measurement: Option<&'a Measurement>,
    /// Whether the human allows changes to this path of the repository.
    pub boundary_allows: &'a dyn Fn(&str) -> bool,
    /// Whether the base has a file of this path.
    pub repo_has: &'a dyn Fn(&str) -> bool,
}

/// What a gate says: the outcome, one line a person reads, and the lines behind it.
type Judgement = (Verdict, String, String);

/// One row of the table of built-in gates.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// The name workflows use.
    pub name: &'static str,
    /// What it asks, in one sentence.
    pub doc: &'static str,
    judge: fn(&Evidence<'_>) -> Judged,
}

/// Every built-in gate.
pub const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "sections",
        doc: "Every section the stage asks for is there and has text",
        judge: |evidence| text::sections_present(evidence).into(),
    },
    Builtin {
        name: "size-budget",
        doc: "The artifact, or the change, has at most as many lines as the stage allows",
        judge: |evidence| size_budget(evidence).into(),
    },
    Builtin {
        name: "readings-quoted",
        doc: "Every number in the Evidence or Result is one that was measured",
        judge: |evidence| quoted::readings_quoted(evidence).into(),
    },
    Builtin {
        name: "plan-files",
        doc: "The plan names files inside the boundary, and the change touches exactly those",
        judge: |evidence| files::plan_files(evidence).into(),
    },
    Builtin {
        name: "weakening",
        doc: "The change leaves tests, assertions, thresholds and rules as strict as they are; if it has to weaken them, \
              it does nothing else, and a human says why",
        judge: weakening::judge,
    },
    Builtin {
        name: "criteria-met",
        doc: "Every measurable acceptance criterion is met by the readings",
        judge: |evidence| measured::criteria_met(evidence).into(),
    },
    Builtin {
        name: "downstream",
        doc: "No reading outside the criteria got worse by more than 10 %",
        judge: |evidence| measured::downstream(evidence).into(),
    },
];

impl From<Judgement> for Judged {
    fn from((verdict, summary, text): Judgement) -> Self {
        Self { text, ..Self::new(verdict, summary) }
    }
}

/// Judges by the built-in gate `name`. An unknown name is an error, never a pass.
pub fn run_builtin(name: &str, evidence: &Evidence<'_>) -> Judged {
    match BUILTINS.iter().find(|gate| gate.name == name) {
        Some(gate) => (gate.judge)(evidence),
        None => {
            let known: Vec<_> = BUILTINS.iter().map(|gate| gate.name).collect();
            let there = format!("there are: {}", known.join(", "));
            (Verdict::Error, format!("no built-in gate is called {name:?}"), there).into()
        }
    }
}

fn size_budget(evidence: &Evidence<'_>) -> Judgement {
    let budget = evidence.spec.budget_lines;
    let (lines, what) = match (evidence.spec.artifact, &evidence.revision.change) {
        (ArtifactKind::Change, None) => return no_change(),
        (ArtifactKind::Change, Some(change)) => {
            let changed = change.files.iter().map(|file| u64::from(file.added) + u64::from(file.removed)).sum();
            (changed, "changed lines")
        }
        _ => (evidence.revision.text.lines().count() as u64, "lines"),
    };
    let summary = format!("{lines} {what} of {budget} allowed");
    if lines <= budget as u64 {
        (Verdict::Pass, summary, String::new())
    } else {
        (Verdict::Fail, summary, "make it smaller, or split it over two loops".to_owned())
    }
}

fn no_change() -> Judgement {
    (Verdict::Error, "the revision holds no change".to_owned(), "draft the change again".to_owned())
}

fn not_applicable(why: &str) -> Judgement {
    (Verdict::NotApplicable, why.to_owned(), String::new())
}

/// The judgement when nothing was measured, with what the probes said.
fn not_measured(measurement: Option<&Measurement>) -> Judgement {
    let failures = measurement.map(|measurement| measurement.failures.join("\n")).unwrap_or_default();
    let remedy = if failures.is_empty() {
        "define a [[probe]] in .windlass/config.toml and trust it; what is sent back is measured before it is drafted again".to_owned()
    } else {
        format!("mend the probes and send it back; it is measured before it is drafted again:\n{failures}")
    };
    (Verdict::Error, "there is no measurement to compare with".to_owned(), remedy)
}

/// "1 line", "2 lines".
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
