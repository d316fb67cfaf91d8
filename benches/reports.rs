//! How long the largest reports take to read and judge: 10,000 findings of SARIF and 100,000 tests of JUnit have a second
//! each.

use std::fmt::Write as _;
use std::time::Instant;

use windlass::domain::{CheckKind, Settings};
use windlass::gate::case::{Report, ReportCase, Reports};
use windlass::gate::judge_reports;
use windlass::gate::patch::Patch;

const FINDINGS: usize = 10_000;
const TESTS: usize = 100_000;

fn main() {
    measure("SARIF, 10,000 findings against as many of the base", CheckKind::Sarif, sarif());
    measure("JUnit, 100,000 tests against as many of the base", CheckKind::Junit, junit());
}

fn measure(what: &str, kind: CheckKind, text: String) {
    let bytes = text.len();
    let file = Report { name: "report".to_owned(), bytes: text.into_bytes() };
    let reports = Reports { root: std::env::temp_dir(), files: vec![file], exit: 0 };
    let (settings, patch) = (Settings::default(), Patch::default());
    let begun = Instant::now();
    let judged =
        judge_reports(kind, &ReportCase { settings: &settings, patch: &patch, head: &reports, base: Some(&reports) });
    println!("{what}, {} KiB: {:?}, {}", bytes / 1024, begun.elapsed(), judged.summary);
}

fn sarif() -> String {
    let mut text = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint"}},"results":["#.to_owned();
    for n in 0..FINDINGS {
        let comma = if n > 0 { "," } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            r#"{comma}{{"ruleId":"rule/{}","level":"warning","message":{{"text":"finding {n} of a rule with some words to it"}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"src/dir{}/file{}.rs"}},"region":{{"startLine":{},"endLine":{}}}}}}}]}}"#,
            n % 50,
            n % 20,
            n % 400,
            n + 1,
            n + 2
        );
    }
    text.push_str("]}]}");
    text
}

fn junit() -> String {
    let mut text = format!("<?xml version=\"1.0\"?>\n<testsuites tests=\"{TESTS}\" failures=\"0\">\n");
    for suite in 0..100 {
        let _ = writeln!(text, "<testsuite name=\"suite {suite}\">");
        for n in 0..TESTS / 100 {
            let _ = writeln!(
                text,
                "<testcase classname=\"com.acme.Suite{suite}\" name=\"test number {n}\" time=\"0.001\"/>"
            );
        }
        text.push_str("</testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}
