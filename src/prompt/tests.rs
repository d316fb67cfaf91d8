//! The demo's scripted replies are what a real author and critic should answer: complete artifacts, readable findings
//! whose anchors exist, numbers taken from the readings.

use std::path::Path;

use super::{missing, unwrap_reply};
use crate::domain::{Anchor, ArtifactKind, Measure, Severity, StageSpec, sections};
use crate::domain::{Critique, Digest, ExchangeId, ModelId};

fn spec(artifact: ArtifactKind) -> StageSpec {
    let headings: &[&str] = match artifact {
        ArtifactKind::Constraint => &["Constraint", "Evidence", "Target", "Acceptance criteria"],
        ArtifactKind::Plan => &["Change", "Files", "Expected effect", "Risks", "Rollback", "Downstream"],
        ArtifactKind::Change => &[],
        ArtifactKind::Outcome => &["Result", "Prediction", "Downstream", "Next constraint"],
    };
    StageSpec {
        id: artifact.name().into(),
        artifact,
        drafts: String::new(),
        asks: String::new(),
        means: String::new(),
        sections: headings.iter().map(|heading| (*heading).to_owned()).collect(),
        criteria: vec![],
        gates: vec![],
        runs_commands: false,
        measure: Measure::Nothing,
        budget_lines: 120,
        lands: false,
    }
}

fn reply(role: &str, stage: ArtifactKind, nth: u32) -> Option<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/replies");
    std::fs::read_to_string(dir.join(format!("{role}-{}.{nth}.md", stage.name()))).ok()
}

fn critique(text: String) -> Critique {
    Critique::read(Digest::of(b""), ModelId("script/critic-demo".into()), ExchangeId(1), text)
}

#[test]
fn the_demo_replies_are_whole_and_their_findings_point_somewhere() {
    for (kind, drafts) in
        [(ArtifactKind::Constraint, 2), (ArtifactKind::Plan, 3), (ArtifactKind::Change, 2), (ArtifactKind::Outcome, 2)]
    {
        for nth in 1..=drafts {
            let draft = reply("author", kind, nth).expect("an author's reply");
            assert_eq!(unwrap_reply(&draft), draft);
            assert_eq!(missing(&spec(kind), &draft), Vec::<String>::new(), "{} {nth}", kind.name());
            let critique = critique(reply("critic", kind, nth).expect("a critic's reply"));
            assert!(critique.is_readable());
            let lines = critique.text.lines().count();
            assert!(critique.findings.len() == lines || critique.text.trim() == "No findings.");
            for finding in critique.findings {
                match finding.anchor {
                    Anchor::Line(line) => {
                        let anchored = draft.lines().nth(line as usize - 1).unwrap_or("");
                        assert!(!anchored.trim().is_empty() && !anchored.starts_with('#'), "{finding:?}");
                    }
                    Anchor::File { path, .. } => assert!(draft.lines().any(|line| line == path), "{path}"),
                    Anchor::Whole => {}
                }
            }
        }
        assert_eq!(reply("author", kind, drafts + 1), None);
    }
}

#[test]
fn only_the_first_plan_earns_a_blocker_and_at_the_line_of_the_merge() {
    let blockers = |kind, nth| {
        let findings = reply("critic", kind, nth).map(|text| critique(text).findings).unwrap_or_default();
        findings.into_iter().filter(|finding| finding.severity == Severity::Blocker).collect::<Vec<_>>()
    };
    let first = blockers(ArtifactKind::Plan, 1);
    let Some(Anchor::Line(line)) = first.first().map(|finding| finding.anchor.clone()) else { panic!("{first:?}") };
    let plan = reply("author", ArtifactKind::Plan, 1).unwrap_or_default();
    assert!(plan.lines().nth(line as usize - 1).is_some_and(|line| line.contains("`lib/merge.awk` (new)")));
    assert!(first[0].text.starts_with("moves the bottleneck to lib/merge.awk"));
    assert!(blockers(ArtifactKind::Plan, 2).is_empty());
}

#[test]
fn the_demo_quotes_readings_and_no_other_numbers() {
    for (kind, heading) in [(ArtifactKind::Constraint, "Evidence"), (ArtifactKind::Outcome, "Result")] {
        for nth in 1..=2 {
            let text = reply("author", kind, nth).unwrap_or_default();
            let body = sections(&text).into_iter().find(|section| section.is(heading)).map_or("", |s| s.body);
            assert!(body.contains("{{cell:comparisons:"));
            // What is left outside back quotes and placeholders has no digit.
            let prose: String = body.split('`').step_by(2).collect();
            assert!(!prose.contains(|c: char| c.is_ascii_digit()), "{prose}");
        }
    }
}
