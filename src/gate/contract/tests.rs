//! Reports of oasdiff, pact's verifier and schemathesis.

use crate::domain::{CheckKind, Setting, Verdict};
use crate::gate::patch::Patch;
use crate::gate::testing::{judged, settings};

const OASDIFF: &str = include_str!("../../../tests/fixtures/gates/contract/oasdiff.json");
const PACT: &str = include_str!("../../../tests/fixtures/gates/contract/pact-fail.json");
const JUNIT: &str = include_str!("../../../tests/fixtures/gates/junit/pytest-fail.xml");

#[test]
fn every_outcome_on_reports_of_real_tools() {
    let warn = OASDIFF.replace("\"level\":3", "\"level\":2");
    let verified = PACT.replace("\"result\":false", "\"result\":true").replace(
        PACT.get(PACT.find("{\"interaction\"").unwrap()..PACT.find("],\"interactionResults").unwrap()).unwrap(),
        "",
    );
    let idle = r#"{"errors":[],"interactionResults":[],"notices":[],"output":[],"pendingErrors":[],"result":true}"#;
    for (tool, report, exit, verdict, summary) in [
        ("oasdiff", "[]", 0, Verdict::Pass, "nothing breaks"),
        ("oasdiff", OASDIFF, 1, Verdict::Fail, "1 change breaks clients, 1 that may"),
        ("oasdiff", OASDIFF, 0, Verdict::Fail, "1 change breaks clients, 1 that may"),
        ("oasdiff", &warn, 0, Verdict::Pass, "nothing breaks, 2 that may"),
        ("oasdiff", "[]", 1, Verdict::Error, "exit 1, and nothing in its report says why"),
        ("oasdiff", "[]", 102, Verdict::Error, "exit 102, and nothing in its report says why"),
        ("pact", PACT, 1, Verdict::Fail, "1 interaction broken"),
        ("pact", &verified, 0, Verdict::Pass, "1 interaction verified"),
        ("pact", &verified, 2, Verdict::Error, "exit 2, and nothing in its report says why"),
        ("pact", idle, 0, Verdict::Skipped, "no interaction was verified"),
        ("schemathesis", JUNIT, 1, Verdict::Fail, "2 of 3 tests failed"),
    ] {
        let settings = settings([("tool", Setting::Text(tool.into()))]);
        let judged = judged(CheckKind::Contract, &settings, &Patch::default(), (report, exit), None);
        assert_eq!((judged.verdict, judged.summary.as_str()), (verdict, summary), "{judged:?}");
    }
}

#[test]
fn a_comparison_that_failed_is_never_no_breaking_change() {
    for (tool, report) in [
        ("oasdiff", ""),
        ("oasdiff", "null"),
        ("oasdiff", "No breaking changes to report\n"),
        ("oasdiff", "[{\"id\":\"x\""),
        ("pact", ""),
        ("pact", "{}"),
        ("pact", "[]"),
        ("schemathesis", "<testsuites>"),
    ] {
        let settings = settings([("tool", Setting::Text(tool.into()))]);
        let judged = judged(CheckKind::Contract, &settings, &Patch::default(), (report, 0), None);
        assert_eq!(judged.verdict, Verdict::Error, "{tool} {report}: {judged:?}");
    }
}
