//! Logs as clippy-sarif and CodeQL write them.

use std::fs;

use tempfile::TempDir;

use super::judge;
use crate::domain::{CheckKind, Setting, Settings, Verdict};
use crate::gate::case::{Judged, ReportCase};
use crate::gate::patch::Patch;
use crate::gate::testing::{judged, reports_in, settings};

const CLIPPY: &str = include_str!("../../../tests/fixtures/gates/sarif/clippy.sarif");
const CODEQL: &str = include_str!("../../../tests/fixtures/gates/sarif/codeql.sarif");
const NONE: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"clippy"}},"results":[]}]}"#;

fn said(head: &str, base: Option<&str>) -> Judged {
    judged(CheckKind::Sarif, &Settings::default(), &Patch::default(), (head, 0), base.map(|base| (base, 0)))
}

#[test]
fn every_outcome_on_logs_of_real_analysers() {
    for (head, base, verdict, summary) in [
        (NONE, None, Verdict::Pass, "no findings"),
        (CLIPPY, None, Verdict::Fail, "2 findings, 2 in all"),
        (CLIPPY, Some(CLIPPY), Verdict::Pass, "no new findings, 2 that the base has too"),
        (CODEQL, Some(CODEQL), Verdict::Pass, "no new findings, 1 that the base has too"),
        (CODEQL, Some(CLIPPY), Verdict::Fail, "1 new finding, 1 in all"),
        (NONE, Some(CLIPPY), Verdict::Pass, "no new findings"),
    ] {
        let judged = said(head, base);
        assert_eq!((judged.verdict, judged.summary.as_str()), (verdict, summary), "{judged:?}");
    }
    let spot = &said(CODEQL, None).spots[0];
    assert_eq!((spot.path.as_str(), spot.lines), ("app/orders db.py", Some((41, 41))));
    let errors = settings([("level", Setting::Text("error".into()))]);
    let judged = judged(CheckKind::Sarif, &errors, &Patch::default(), (CLIPPY, 1), None);
    assert_eq!(
        judged.summary, "1 finding, 1 in all",
        "the rule's default level counts, a suppression under review doesn't"
    );
}

#[test]
fn what_is_no_whole_log_of_a_whole_run_is_an_error() {
    let half: String = CLIPPY.chars().take(CLIPPY.len() / 2).collect();
    let old = NONE.replace("2.1.0", "2.0.0");
    let null = NONE.replace("[]", "null");
    let failed = NONE.replace("\"results\"", "\"invocations\":[{\"executionSuccessful\":false}],\"results\"");
    for (text, says) in [
        (half.as_str(), "EOF"),
        ("", "EOF"),
        ("{}", "missing field"),
        (r#"{"version":"2.1.0","runs":[]}"#, "no run"),
        (old.as_str(), "its version is \"2.0.0\""),
        (null.as_str(), "gave no results"),
        (failed.as_str(), "did not succeed"),
    ] {
        let judged = said(text, None);
        assert!(judged.verdict == Verdict::Error && judged.summary.contains(says), "{text}: {judged:?}");
    }
    let crashed = judged(CheckKind::Sarif, &Settings::default(), &Patch::default(), (NONE, 2), None);
    assert_eq!(crashed.verdict, Verdict::Error, "{crashed:?}");
}

#[test]
fn a_finding_is_known_by_its_code_wherever_it_has_moved_to() {
    let (base, head) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for (dir, text) in
        [(&base, "fn a() {\n    x.clone();\n    y.unwrap();\n"), (&head, "fn a() {\n    y.unwrap();\n    x.clone();\n")]
    {
        fs::create_dir(dir.path().join("src")).unwrap();
        fs::write(dir.path().join("src/cart.rs"), text).unwrap();
    }
    let moved = CLIPPY
        .replace("\"startLine\": 2", "\"startLine\": 9")
        .replace("\"startLine\": 3", "\"startLine\": 2")
        .replace("\"startLine\": 9", "\"startLine\": 3");
    let (before, after) = (reports_in(base.path(), CLIPPY, 0), reports_in(head.path(), &moved, 0));
    let case =
        ReportCase { settings: &Settings::default(), patch: &Patch::default(), head: &after, base: Some(&before) };
    assert_eq!(judge(&case).verdict, Verdict::Pass);
    fs::write(head.path().join("src/cart.rs"), "fn a() {\n    y.unwrap();\n    z.clone();\n").unwrap();
    assert_eq!(judge(&case).summary, "1 new finding, 2 in all");
}
