//! The answers of gates for programs: JSON, JUnit, SARIF. What gates print was written by anyone, so it is escaped.

use std::io::Write;

use quick_xml::escape::escape;
use serde_json::{Value, json};

use crate::domain::{Change, CommitId, GateDef, GateKind, GateRun, Spot, Verdict, visible, visible_line};

use super::super::failure::Failure;
use super::super::json;
use super::super::words::utc;

/// What was judged, and what every gate said.
pub(super) struct Judged<'a> {
    pub(super) tree: &'a CommitId,
    pub(super) change: &'a Change,
    pub(super) answers: Vec<(&'a GateDef, &'a GateRun)>,
}

/// Whether this answer stands in the way.
pub(super) fn stops(gate: &GateDef, run: &GateRun) -> bool {
    gate.enforcement.stops() && !run.verdict.satisfies()
}

/// What a gate's kind is called in configurations.
pub(super) const fn kind(gate: &GateDef) -> &'static str {
    match &gate.kind {
        GateKind::Builtin => "builtin",
        GateKind::Command(_) => "command",
        GateKind::Check(check) => check.kind.name(),
    }
}

/// One JSON object.
pub(super) fn json(judged: &Judged<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let gates: Vec<Value> = judged.answers.iter().map(|(gate, run)| answer(gate, run)).collect();
    let told = json!({
        "tree": judged.tree.as_str(),
        "base": judged.change.base.as_str(),
        "files": judged.change.files.len(),
        "look_at": judged.change.flags,
        "satisfied": !judged.answers.iter().any(|(gate, run)| stops(gate, run)),
        "gates": gates,
    });
    json::print(&told, out)
}

fn answer(gate: &GateDef, run: &GateRun) -> Value {
    let details = &run.details;
    let figure = details.figure.as_ref();
    let spot = |spot: &Spot| {
        let (first, last) = spot.lines.unzip();
        json!({ "path": spot.path, "first": first, "last": last, "text": spot.text })
    };
    json!({
        "name": run.gate,
        "kind": kind(gate),
        "enforcement": gate.enforcement.name(),
        "verdict": run.verdict.name(),
        "satisfied": run.verdict.satisfies(),
        "summary": run.summary,
        "value": figure.map(|figure| figure.value),
        "unit": figure.map(|figure| figure.unit.as_str()),
        "threshold": figure.and_then(|figure| figure.threshold),
        "baseline": figure.and_then(|figure| figure.baseline),
        "attempts": details.attempts.iter().map(|verdict| verdict.name()).collect::<Vec<_>>(),
        "spots": details.spots.iter().map(spot).collect::<Vec<_>>(),
        "started": utc(run.started),
        "duration_ms": run.duration_ms,
        "protection": run.protection,
        "tool": details.tool,
        "output": run.tail,
    })
}

/// What becomes of an answer in JUnit, which knows no advice and takes what is skipped for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Passed,
    Skipped,
    Failure,
    Error,
}

impl Case {
    fn of(gate: &GateDef, run: &GateRun) -> Self {
        match run.verdict {
            Verdict::Pass => Self::Passed,
            Verdict::NotApplicable => Self::Skipped,
            _ if !gate.enforcement.stops() => Self::Skipped,
            Verdict::Fail | Verdict::Flaky | Verdict::Inconclusive => Self::Failure,
            Verdict::Error | Verdict::Timeout | Verdict::Cancelled | Verdict::Skipped => Self::Error,
        }
    }
}

/// A JUnit report with a case for each gate.
pub(super) fn junit(judged: &Judged<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let cases: Vec<Case> = judged.answers.iter().map(|(gate, run)| Case::of(gate, run)).collect();
    let number = |which| cases.iter().filter(|case| **case == which).count();
    let ms = judged.answers.iter().map(|(_, run)| run.duration_ms).sum();
    let (failures, errors, skipped) = (number(Case::Failure), number(Case::Error), number(Case::Skipped));
    let totals =
        format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{}\"", cases.len(), seconds(ms));
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"windlass\" {totals}>")?;
    writeln!(out, "  <testsuite name=\"gates\" {totals} skipped=\"{skipped}\">")?;
    for ((gate, run), case) in judged.answers.iter().zip(cases) {
        let (name, time) = (attribute(&run.gate), seconds(run.duration_ms));
        writeln!(out, "    <testcase name=\"{name}\" classname=\"gates.{}\" time=\"{time}\">", kind(gate))?;
        let (verdict, message) = (run.verdict.name(), attribute(&format!("{}: {}", run.verdict.name(), run.summary)));
        match case {
            Case::Passed => {}
            Case::Skipped => writeln!(out, "      <skipped message=\"{message}\"/>")?,
            Case::Failure => writeln!(out, "      <failure type=\"{verdict}\" message=\"{message}\"/>")?,
            Case::Error => writeln!(out, "      <error type=\"{verdict}\" message=\"{message}\"/>")?,
        }
        if !run.tail.is_empty() {
            // Not every reader of reports knows entities in texts; where a section ends is all that CDATA must not hold.
            let tail = visible(&run.tail).replace("]]>", "]]]]><![CDATA[>");
            writeln!(out, "      <system-out><![CDATA[{tail}]]></system-out>")?;
        }
        writeln!(out, "    </testcase>")?;
    }
    Ok(writeln!(out, "  </testsuite>\n</testsuites>")?)
}

fn attribute(text: &str) -> String {
    escape(visible_line(text).as_ref()).into_owned()
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// A SARIF log with a rule for each gate, and a result for each place that an unsatisfied gate points at.
pub(super) fn sarif(judged: &Judged<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let rule = |(gate, _): &(&GateDef, &GateRun)| {
        json!({
            "id": gate.name,
            "shortDescription": { "text": format!("gate of kind {}, {}", kind(gate), gate.enforcement.name()) },
        })
    };
    let unsatisfied = judged.answers.iter().filter(|(_, run)| !run.verdict.satisfies());
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "windlass",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": judged.answers.iter().map(rule).collect::<Vec<_>>(),
            } },
            "results": unsatisfied.flat_map(|(gate, run)| results(gate, run)).collect::<Vec<_>>(),
        }],
    });
    json::print(&log, out)
}

fn results(gate: &GateDef, run: &GateRun) -> Vec<Value> {
    let level = if gate.enforcement.stops() { "error" } else { "warning" };
    let said = format!("{}: {}", run.verdict.name(), run.summary);
    let result = |text: &str, locations: Value| json!({ "ruleId": gate.name, "level": level, "message": { "text": text }, "locations": locations });
    if run.details.spots.is_empty() {
        return vec![result(&said, json!([]))];
    }
    let of_spot = |spot: &Spot| {
        let mut place = json!({ "artifactLocation": { "uri": uri(&spot.path) } });
        if let (Some((first, last)), Some(place)) = (spot.lines, place.as_object_mut()) {
            place.insert("region".to_owned(), json!({ "startLine": first, "endLine": last }));
        }
        result(&spot.text, json!([{ "physicalLocation": place }]))
    };
    run.details.spots.iter().map(of_spot).collect()
}

/// A path as the relative address that SARIF asks for.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
