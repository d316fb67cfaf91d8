//! Workflows: data files that list the stages of a loop.

use super::document::{Document, Fields, Located};
use super::load::BUILTIN_GATES;
use super::problem::{ConfigError, Place, Problem, suggestion};
use crate::domain::{ArtifactKind, Measure, StageSpec, Workflow};

const BUILT_IN: &[(&str, &str)] = &[("scale", include_str!("../../assets/workflows/scale.toml"))];

const ARTIFACTS: [ArtifactKind; 4] =
    [ArtifactKind::Constraint, ArtifactKind::Plan, ArtifactKind::Change, ArtifactKind::Outcome];

const MEASURES: [(&str, Measure); 2] = [("base", Measure::Base), ("base-and-change", Measure::BaseAndChange)];

/// The names of the workflows there are.
pub fn workflow_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// The workflow of this name.
///
/// # Errors
/// If there is none, or its file isn't valid.
pub fn workflow(name: &str) -> Result<Workflow, ConfigError> {
    let Some((_, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) else {
        let hint = suggestion(name, workflow_names());
        return Err(ConfigError::of(vec![
            Place::of("workflow").problem(format!("there is none called {name:?}; {hint}")),
        ]));
    };
    read(&format!("{name}.toml"), text).map_err(ConfigError::of)
}

fn read(file: &str, text: &str) -> Result<Workflow, Vec<Problem>> {
    let doc = Document::new(file, text);
    let table = doc.parse();
    let workflow = table.as_ref().and_then(|table| {
        let top = Fields::top(&doc, table);
        top.only(&["schema", "name", "stage"]);
        if top.require("schema") {
            top.number("schema", 1..=1);
        }
        let stages: Vec<StageSpec> = top.tables("stage").iter().filter_map(stage).collect();
        let name = top.required_text("name")?;
        Workflow::new(name.value, stages).map_err(|error| doc.problem(name.offset, error.to_string())).ok()
    });
    let problems = doc.into_problems();
    workflow.filter(|_| problems.is_empty()).ok_or(problems)
}

fn stage(table: &Fields<'_, '_>) -> Option<StageSpec> {
    const KNOWN: [&str; 12] = [
        "id",
        "artifact",
        "drafts",
        "asks",
        "means",
        "sections",
        "criteria",
        "gates",
        "runs_commands",
        "measure",
        "budget_lines",
        "lands",
    ];
    table.only(&KNOWN);
    let known = |key, names: &[&str]| {
        let Located { value, offset } = table.text(key)?;
        if !names.contains(&value.as_str()) {
            let hint = suggestion(&value, names.iter().copied());
            table.document().problem(offset, format!("unknown {key} {value:?}; {hint}"));
        }
        Some(value)
    };
    let texts = |key| -> Vec<Located<String>> { table.texts(key).map(|list| list.value).unwrap_or_default() };
    let values = |list: Vec<Located<String>>| list.into_iter().map(|item| item.value).collect::<Vec<_>>();

    let gates = texts("gates");
    for gate in gates.iter().filter(|gate| !BUILTIN_GATES.contains(&gate.value.as_str())) {
        let hint = suggestion(&gate.value, BUILTIN_GATES);
        table.document().problem(gate.offset, format!("unknown gate {:?}; {hint}", gate.value));
    }
    let artifact = known("artifact", &ARTIFACTS.map(ArtifactKind::name));
    let measure = known("measure", &MEASURES.map(|(name, _)| name));
    let measure = MEASURES.into_iter().find(|(name, _)| Some(*name) == measure.as_deref()).map(|(_, measure)| measure);
    let budget = table.number("budget_lines", 1..=100_000).and_then(|lines| usize::try_from(lines).ok());
    let (id, drafts) = (table.required_text("id"), table.required_text("drafts"));
    let (asks, means) = (table.required_text("asks"), table.required_text("means"));
    if !(table.require("artifact") & table.require("budget_lines")) {
        return None;
    }
    Some(StageSpec {
        id: id?.value,
        artifact: ArtifactKind::from_name(&artifact?)?,
        drafts: drafts?.value,
        asks: asks?.value,
        means: means?.value,
        sections: values(texts("sections")),
        criteria: values(texts("criteria")),
        gates: values(gates),
        runs_commands: table.truth("runs_commands").unwrap_or(false),
        measure: measure.unwrap_or_default(),
        budget_lines: budget?,
        lands: table.truth("lands").unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_has_its_four_stages() {
        let scale = workflow("scale").unwrap();
        assert_eq!(scale.name(), "scale");
        let rows: Vec<_> = scale
            .stages()
            .iter()
            .map(|s| (s.id.as_str(), s.artifact, s.sections.len(), s.runs_commands, s.measure, s.budget_lines, s.lands))
            .collect();
        assert_eq!(
            rows,
            [
                ("constraint", ArtifactKind::Constraint, 4, false, Measure::Base, 120, false),
                ("plan", ArtifactKind::Plan, 6, false, Measure::Nothing, 120, false),
                ("change", ArtifactKind::Change, 0, true, Measure::Nothing, 400, false),
                ("outcome", ArtifactKind::Outcome, 4, true, Measure::BaseAndChange, 120, true),
            ]
        );
    }

    #[test]
    fn an_unknown_workflow_is_named() {
        let error = workflow("scales").unwrap_err();
        assert_eq!(error.to_string(), "workflow: there is none called \"scales\"; did you mean \"scale\"?");
    }

    #[test]
    fn a_broken_workflow_is_refused_with_every_problem() {
        let text = "name = \"w\"\n[[stage]]\nid = \"a\"\nartifact = \"plam\"\ngates = [\"section\"]\nland = true\n";
        let problems: Vec<String> = read("w.toml", text).unwrap_err().iter().map(Problem::to_string).collect();
        assert_eq!(
            problems,
            [
                "w.toml:1:1: missing key \"schema\"; add it",
                "w.toml:1:8: workflow \"w\" has no stage",
                "w.toml:2:1: missing key \"drafts\" in [[stage]]; add it",
                "w.toml:2:1: missing key \"asks\" in [[stage]]; add it",
                "w.toml:2:1: missing key \"means\" in [[stage]]; add it",
                "w.toml:2:1: missing key \"budget_lines\" in [[stage]]; add it",
                "w.toml:4:12: unknown artifact \"plam\"; did you mean \"plan\"?",
                "w.toml:5:10: unknown gate \"section\"; did you mean \"sections\"?",
                "w.toml:6:1: unknown key \"land\" in [[stage]]; did you mean \"lands\"?",
            ]
        );
    }
}
