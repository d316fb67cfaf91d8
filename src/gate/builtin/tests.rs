//! The built-in gates as tables: an artifact, and what the gate says of it.

use super::{BUILTINS, Evidence, run_builtin};
use crate::domain::{
    ArtifactKind, Change, FileStat, Measure, Measurement, Origin, Revision, Sample, Side, StageSpec, Verdict,
};
use crate::gate::case::Judged;
use crate::gate::table::readings_table;

/// A case that each test changes where it matters.
struct Case {
    spec: StageSpec,
    text: String,
    change: Option<Change>,
    plan: Option<String>,
    criteria: Vec<String>,
    measurement: Option<Measurement>,
}

fn case(artifact: ArtifactKind, text: &str) -> Case {
    let spec = StageSpec {
        id: artifact.name().to_owned(),
        artifact,
        drafts: String::new(),
        asks: String::new(),
        means: String::new(),
        sections: Vec::new(),
        criteria: Vec::new(),
        gates: Vec::new(),
        runs_commands: false,
        measure: Measure::Nothing,
        budget_lines: 3,
        lands: false,
    };
    Case { spec, text: text.to_owned(), change: None, plan: None, criteria: Vec::new(), measurement: None }
}

impl Case {
    fn touching(mut self, files: &[&str]) -> Self {
        self.change = Some(Change {
            base: "a".repeat(40).parse().unwrap(),
            tree: "b".repeat(40).parse().unwrap(),
            patch: "".into(),
            files: files.iter().map(|path| FileStat { path: (*path).to_owned(), added: 2, removed: 1 }).collect(),
            flags: Vec::new(),
        });
        self
    }

    fn planned(mut self, plan: &str) -> Self {
        self.plan = Some(plan.to_owned());
        self
    }

    fn criteria(mut self, lines: &[&str]) -> Self {
        self.criteria = lines.iter().map(|line| (*line).to_owned()).collect();
        self
    }

    /// Two rounds a side, as `name value unit; ...`; an empty side was not run.
    fn measured(mut self, before: [&str; 2], after: [&str; 2]) -> Self {
        let sides = [(Side::Before, before), (Side::After, after)];
        let samples = sides.into_iter().flat_map(|(side, rounds)| {
            rounds.into_iter().zip(1..).filter(|(lines, _)| !lines.is_empty()).map(move |(lines, round)| Sample {
                probe: "p".to_owned(),
                side,
                round,
                readings: lines.split(';').map(|line| line.parse().unwrap()).collect(),
            })
        });
        self.measurement = Some(Measurement { samples: samples.collect(), ..Measurement::default() });
        self
    }

    fn judge(&self, gate: &str) -> (Verdict, String, String) {
        let origin = Origin::Human { name: "a".to_owned() };
        let revision = Revision::new(self.spec.artifact, 1, self.text.clone(), self.change.clone(), origin);
        let evidence = Evidence {
            spec: &self.spec,
            revision: &revision,
            plan: self.plan.as_deref(),
            criteria: &self.criteria,
            measurement: self.measurement.as_ref(),
            boundary_allows: &|path| !path.starts_with("vendor/"),
            repo_has: &|path| ["src/a.rs", "src/b.rs", "Makefile", "vendor/x.c", "a b.txt"].contains(&path),
        };
        let Judged { verdict, summary, text, .. } = run_builtin(gate, &evidence);
        (verdict, summary, text)
    }

    fn says(&self, gate: &str, verdict: Verdict, summary: &str) -> String {
        let (said, line, detail) = self.judge(gate);
        assert_eq!((said, line.as_str()), (verdict, summary), "{}\n{detail}", self.text);
        detail
    }
}

#[test]
fn an_unknown_gate_is_an_error() {
    let detail =
        case(ArtifactKind::Plan, "").says("spelling", Verdict::Error, "no built-in gate is called \"spelling\"");
    assert!(BUILTINS.iter().all(|gate| detail.contains(gate.name) && !gate.doc.is_empty()));
}

#[test]
fn sections() {
    let all = "3 sections there";
    for (text, verdict, summary) in [
        ("# Risks\nx\n# Files\ny\n# Rollback\nz", Verdict::Pass, all),
        ("## risks:\nx\n## FILES\n### new\ny\n## Rollback ##\nz", Verdict::Pass, all),
        ("# Risks\nx\n# Rollback\nz", Verdict::Fail, "Files is missing"),
        ("# Risks\n\n \n# Files\ny\n```\n# Rollback\nz\n```", Verdict::Fail, "Risks is empty; Rollback is missing"),
        ("# Risks\n## one\n## two\n# Files\ny\n# Rollback\nz", Verdict::Fail, "Risks is empty"),
        ("", Verdict::Fail, "Risks is missing; Files is missing; Rollback is missing"),
    ] {
        let mut case = case(ArtifactKind::Plan, text);
        case.spec.sections = ["Risks", "Files", "Rollback"].map(str::to_owned).to_vec();
        case.says("sections", verdict, summary);
    }
}

#[test]
fn size_budget() {
    let prose = |text| case(ArtifactKind::Plan, text);
    prose("1\n2\n3\n").says("size-budget", Verdict::Pass, "3 lines of 3 allowed");
    prose("1\n2\n3\n4").says("size-budget", Verdict::Fail, "4 lines of 3 allowed");
    let change = |files: &[&str]| case(ArtifactKind::Change, "long\n\n\n\n\n").touching(files);
    change(&["a"]).says("size-budget", Verdict::Pass, "3 changed lines of 3 allowed");
    change(&["a", "b"]).says("size-budget", Verdict::Fail, "6 changed lines of 3 allowed");
    case(ArtifactKind::Change, "").says("size-budget", Verdict::Error, "the revision holds no change");
}

/// Readings of which medians are: t 410 -> 102.5 ms (0.25x), hits 90 -> 99 % (1.1x), lost 0 -> 0.
fn outcome(text: &str) -> Case {
    case(ArtifactKind::Outcome, &format!("# Result\n{text}\n# Next\n777")).measured(
        ["t 400.125 ms;hits 90 %;lost 0", "t 419.875 ms;hits 90 %;lost 0"],
        ["t 100 ms;hits 99 %;lost 0", "t 105 ms;hits 99 %;lost 0"],
    )
}

#[test]
fn quoted_numbers_are_readings() {
    for (text, numbers) in [
        ("t fell from 410 ms to 102.5 ms", 2),
        ("t: 400.125 to 419.875 before (400 to 420, 400.1)", 5),
        ("0.25x of it, 0.2x when rounded, 4x faster, 4 times, ratio 0.25", 5),
        ("75 % less, -75%, 75.0 percent; hits 90 % to 99 %, +10 %", 6),
        ("none lost: 0, still 0", 2),
        ("with `sleep 5` and ``a ` 7`` in p95 over v2, the 2nd time", 0),
        ("```\n31 of 32\n```\n1. first\n2) second", 0),
        ("## Detail\n102.5 ms (103)", 2),
    ] {
        let summary = match numbers {
            0 => "Result quotes no number".to_owned(),
            numbers => format!("{numbers} numbers of Result measured"),
        };
        outcome(text).says("readings-quoted", Verdict::Pass, &summary);
    }
}

#[test]
fn numbers_that_were_not_measured_are_named_with_their_line() {
    for (text, line, number) in [
        ("t is 411 ms", 2, "411"),
        ("fine\n\nt is 410.1 ms", 4, "410.1"),
        ("t fell by 74 %", 2, "74 %"),
        ("t changed by +75 %", 2, "+75 %"),
        ("410 % more", 2, "410 %"),
        ("3x faster", 2, "3x"),
        ("2 of them", 2, "2"),
        ("0 ms, 0x", 2, "0x"),
        ("412ms", 2, "412ms"),
        ("9e999 ms", 2, "9e999"),
        ("½ of it", 2, "½"),
        ("`410` then 7`", 2, "7"),
        ("## Detail\n- 5 rounds", 3, "5"),
    ] {
        let (verdict, summary, detail) = outcome(text).judge("readings-quoted");
        assert_eq!(verdict, Verdict::Fail, "{text}");
        assert!(summary.starts_with("1 of "), "{text}: {summary}");
        assert!(detail.starts_with(&format!("line {line}: {number} matches no reading\n")), "{text}: {detail}");
        assert!(detail.contains("| reading | before |"), "{detail}");
    }
}

#[test]
fn the_table_itself_can_be_quoted() {
    let awkward =
        ["a95 0.000012345 s;b|7 1234567.891234;99th 3.14159 req/1k;neg -2.5;big 1e18;p -0.0", "a95 0.00002 s"];
    for after in [["", ""], ["a95 0.3 s;99th 1;neg -1.25;big 1", "a95 0.4 s;b|7 2"]] {
        let mut case = case(ArtifactKind::Outcome, "").measured(awkward, after);
        case.text = format!("# Result\n{}", readings_table(case.measurement.as_ref().unwrap()));
        let (verdict, summary, detail) = case.judge("readings-quoted");
        assert_eq!(verdict, Verdict::Pass, "{summary}\n{detail}");
        case.spec.artifact = ArtifactKind::Constraint;
        case.text = case.text.replace("Result", "Evidence");
        assert_eq!(case.judge("readings-quoted").0, Verdict::Pass);
    }
}

#[test]
fn quoting_needs_a_measurement_and_a_section() {
    let missing = "there is no measurement to compare with";
    let mut case_ = case(ArtifactKind::Constraint, "# Evidence\n5 ms");
    assert!(case_.says("readings-quoted", Verdict::Error, missing).contains("[[probe]]"));
    case_.measurement = Some(Measurement { failures: vec!["p: exit 3".to_owned()], ..Measurement::default() });
    assert!(case_.says("readings-quoted", Verdict::Error, missing).contains("p: exit 3"));
    let case_ = case(ArtifactKind::Constraint, "# Result\n5").measured(["t 5", ""], ["", ""]);
    case_.says("readings-quoted", Verdict::Fail, "the section Evidence is missing");
    case(ArtifactKind::Plan, "# Evidence\n5").says("readings-quoted", Verdict::NotApplicable, "it quotes no readings");
}

#[test]
fn a_plan_names_files_it_may_touch() {
    let missing = "the section Files lists no file";
    for (list, verdict, summary) in [
        ("- `src/a.rs` - faster", Verdict::Pass, "1 file inside the boundary"),
        ("* src/a.rs: faster\n1. **`src/b.rs`** too", Verdict::Pass, "2 files inside the boundary"),
        ("- `./src/a.rs:12`, `src/b.rs` and `Makefile`", Verdict::Pass, "3 files inside the boundary"),
        ("- Edit `src/a.rs`: call `run()`\n  - then rest", Verdict::Pass, "1 file inside the boundary"),
        ("- Makefile\n- `a b.txt`\n- src/new.rs (new)\n- LICENSE (New)", Verdict::Pass, "4 files inside the boundary"),
        ("src/a.rs", Verdict::Pass, "1 file inside the boundary"),
        ("nothing yet", Verdict::Fail, missing),
        ("```\n- `src/a.rs`\n```", Verdict::Fail, missing),
        ("", Verdict::Fail, missing),
    ] {
        case(ArtifactKind::Plan, &format!("# Files\n{list}\n# Risks\n- src/none.rs")).says(
            "plan-files",
            verdict,
            summary,
        );
    }
    let detail = case(
        ArtifactKind::Plan,
        "# Files\n- `vendor/x.c`\n- src/c.rs\n- `/etc/passwd` (new)\n- a/../b.rs (new)",
    )
    .says("plan-files", Verdict::Fail, "4 of 4 files can't be touched as planned");
    assert_eq!(
        detail,
        "line 2: vendor/x.c is outside the boundary\nline 3: src/c.rs does not exist and is not marked (new)\n\
         line 4: /etc/passwd is outside the boundary\nline 5: a/../b.rs is outside the boundary"
    );
    case(ArtifactKind::Plan, "no heading").says("plan-files", Verdict::Fail, missing);
}

#[test]
fn a_change_touches_the_planned_files() {
    let plan = "# Files\n- `src/a.rs` - x\n- `src/new.rs` (new) - y\n- docs/decisions/0001-x.md (new)";
    for (files, verdict, summary) in [
        (&["src/a.rs", "src/new.rs"][..], Verdict::Pass, "2 files touched, as planned"),
        (&["src/new.rs", "docs/decisions/0002-y.md", "src/a.rs"], Verdict::Pass, "2 files touched, as planned"),
        (&["src/a.rs"], Verdict::Fail, "planned but not touched: src/new.rs"),
        (&["src/a.rs", "src/new.rs", "src/b.rs"], Verdict::Fail, "touched but not planned: src/b.rs"),
        (&["c"], Verdict::Fail, "planned but not touched: src/a.rs, src/new.rs; touched but not planned: c"),
    ] {
        case(ArtifactKind::Change, "").touching(files).planned(plan).says("plan-files", verdict, summary);
    }
    let none = case(ArtifactKind::Change, "").touching(&["src/a.rs"]);
    none.says("plan-files", Verdict::Error, "there is no approved plan to compare with");
    case(ArtifactKind::Change, "").planned(plan).says("plan-files", Verdict::Error, "the revision holds no change");
    case(ArtifactKind::Outcome, "").says("plan-files", Verdict::NotApplicable, "it names no files");
}

#[test]
fn criteria() {
    for (lines, verdict, summary) in [
        (&["- t <= 0.5x", "- `lost` <= 0", "nobody complains"][..], Verdict::Pass, "2 of 2 measurable criteria met"),
        (&["t <= 100 ms", "lost <= 0"], Verdict::Fail, "not met: t <= 100 ms (measured 102.5 ms)"),
        (&["t <= 0.2x", "speed >= 3"], Verdict::Fail, "not met: t <= 0.2x (measured 0.25x)"),
        (&["t <= 0.5x", "speed >= 3"], Verdict::Error, "not measured: speed >= 3"),
        (&["lost <= 1x"], Verdict::Error, "not measured: lost <= 1x"),
        (&["it feels fast"], Verdict::Fail, "no acceptance criterion can be measured"),
        (&[], Verdict::Fail, "no acceptance criterion can be measured"),
    ] {
        outcome("").criteria(lines).says("criteria-met", verdict, summary);
    }
    let (_, _, detail) = outcome("").criteria(&["- t <= 0.5x", "- nobody complains"]).judge("criteria-met");
    assert_eq!(detail, "met: t <= 0.5x (measured 0.25x)\nfor the human: nobody complains");
    let (_, _, remedy) = outcome("").criteria(&["it feels fast"]).judge("criteria-met");
    assert!(remedy.contains("<= 0.5x") && remedy.ends_with("for the human: it feels fast"), "{remedy}");
    let unmeasured = case(ArtifactKind::Outcome, "").criteria(&["t <= 1"]);
    unmeasured.says("criteria-met", Verdict::Error, "there is no measurement to compare with");
    let base = case(ArtifactKind::Outcome, "").criteria(&["t <= 9"]).measured(["t 1", "t 2"], ["", ""]);
    base.says("criteria-met", Verdict::Error, "not measured: t <= 9");
}

#[test]
fn downstream() {
    for (before, after, verdict, summary) in [
        (["t 9", "t 9"], ["t 90", "t 90"], Verdict::Pass, "no reading outside the criteria"),
        (["q 10", "q 10"], ["q 11", "q 11"], Verdict::Pass, "1 reading outside the criteria no worse"),
        (["q 10 ms", "q 10 ms"], ["q 11.2 ms", "q 11.2 ms"], Verdict::Fail, "got worse: q 10 -> 11.2 ms"),
        (["q 10", "q 14"], ["q 13", "q 30"], Verdict::Pass, "1 reading outside the criteria no worse"),
        (["q 0", "q 0"], ["q 1", "q 1"], Verdict::Fail, "got worse: q 0 -> 1"),
        (
            ["q 10 req/s", "q 10 req/s"],
            ["q 20 req/s", "q 20 req/s"],
            Verdict::Pass,
            "1 reading outside the criteria no worse",
        ),
        (["q 10 req/s", "q 10 req/s"], ["q 8 req/s", "q 8 req/s"], Verdict::Fail, "got worse: q 10 -> 8 req/s"),
        (["q 10;r 1", "q 10"], ["q 10", "q 10"], Verdict::Error, "1 reading can't be compared"),
    ] {
        case(ArtifactKind::Outcome, "").criteria(&["t <= 100"]).measured(before, after).says(
            "downstream",
            verdict,
            summary,
        );
    }
    let mut failing = outcome("").criteria(&["t <= 0.5x"]);
    failing.measurement.as_mut().unwrap().failures.push("q: exit 1".to_owned());
    let detail = failing.says("downstream", Verdict::Error, "1 reading can't be compared");
    assert_eq!(detail, "probe failed: q: exit 1");
    let missing = "there is no measurement to compare with";
    case(ArtifactKind::Outcome, "").says("downstream", Verdict::Error, missing);
    let why = "only an outcome has readings after the change";
    case(ArtifactKind::Plan, "").says("downstream", Verdict::NotApplicable, why);
}
