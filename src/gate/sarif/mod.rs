//! SARIF 2.1.0, as static analysers write it: findings that the base hasn't.
//!
//! A finding is the base's where its partial fingerprints are, or else its rule, file and line of code: line numbers move.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::Deserialize;

use super::case::{Judged, ReportCase, Reports, count, one_line, unexplained};
use super::source::Sources;
use crate::domain::{Spot, Verdict};

/// Level of a result that names none, and of a rule that doesn't either.
const DEFAULT_LEVEL: &str = "warning";

#[derive(Deserialize)]
struct Log {
    version: String,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    tool: Tool,
    #[serde(default)]
    invocations: Vec<Invocation>,
    /// Null says that the run produced none, for instance because it never got there.
    results: Option<Vec<Finding>>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Component,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    name: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    default_configuration: Option<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: Option<String>,
    rule: Option<RuleReference>,
    rule_index: Option<usize>,
    level: Option<String>,
    kind: Option<String>,
    message: Message,
    #[serde(default)]
    locations: Vec<Location>,
    #[serde(default)]
    partial_fingerprints: std::collections::BTreeMap<String, String>,
    baseline_state: Option<String>,
    #[serde(default)]
    suppressions: Vec<Suppression>,
}

#[derive(Deserialize)]
struct RuleReference {
    id: Option<String>,
    index: Option<usize>,
}

#[derive(Deserialize)]
struct Message {
    text: Option<String>,
    markdown: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<PhysicalLocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Option<ArtifactLocation>,
    region: Option<Region>,
}

#[derive(Deserialize)]
struct ArtifactLocation {
    uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: Option<u32>,
    end_line: Option<u32>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

/// A finding that counts, and what makes it the same as one of the base.
struct Counted {
    key: String,
    spot: Spot,
}

/// Judges the reports of an analyser.
pub fn judge(case: &ReportCase<'_>) -> Judged {
    let least = rank(case.settings.text("level").unwrap_or(DEFAULT_LEVEL));
    let head = match findings(case.head, least) {
        Ok(findings) => findings,
        Err(why) => return Judged::error(why),
    };
    let base = match case.base.map(|base| findings(base, least)).transpose() {
        Ok(base) => base,
        Err(why) => return Judged::error(format!("the base's {why}")),
    };
    let (all, before) = (head.len(), base.as_ref().map(Vec::len));
    let mut known: HashMap<String, usize> = HashMap::new();
    for finding in base.into_iter().flatten() {
        *known.entry(finding.key).or_default() += 1;
    }
    let new: Vec<Spot> = head
        .into_iter()
        .filter(|finding| match known.get_mut(&finding.key) {
            Some(left @ 1..) => {
                *left -= 1;
                false
            }
            _ => true,
        })
        .map(|finding| finding.spot)
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "findings are far fewer than 2^52")]
    let measured = |judged: Judged, number: usize| {
        judged.measured(number as f64, "findings", Some(0.0), before.map(|before| before as f64))
    };
    let what = if before.is_some() { "new finding" } else { "finding" };
    if !new.is_empty() {
        let summary = format!("{}, {all} in all", count(new.len(), what));
        let number = new.len();
        return measured(Judged::new(Verdict::Fail, summary).at(new), number);
    }
    // Analysers end with another code than 0 when they found something, new or not.
    if all == 0
        && let Some(error) = unexplained(case.head)
    {
        return error;
    }
    let old = if all > 0 { format!(", {all} that the base has too") } else { String::new() };
    measured(Judged::new(Verdict::Pass, format!("no {what}s{old}")), 0)
}

fn findings(reports: &Reports, least: u8) -> Result<Vec<Counted>, String> {
    let mut sources = Sources::new(&reports.root);
    let mut found = Vec::new();
    for report in &reports.files {
        let wrong = |why: String| format!("report {} is no SARIF log: {why}", report.name);
        let log: Log = serde_json::from_slice(&report.bytes).map_err(|error| wrong(error.to_string()))?;
        if log.version != "2.1.0" {
            return Err(wrong(format!("its version is {:?}, not \"2.1.0\"", log.version)));
        }
        if log.runs.is_empty() {
            return Err(wrong("there is no run in it".to_owned()));
        }
        for run in log.runs {
            let name = &run.tool.driver.name;
            if run.invocations.iter().any(|invocation| !invocation.execution_successful) {
                return Err(format!("{name} says in report {} that it did not succeed", report.name));
            }
            let results = run.results.ok_or_else(|| wrong(format!("{name} gave no results")))?;
            let counts = results.iter().filter(|one| one.counts(&run.tool.driver.rules, least));
            found.extend(counts.map(|one| one.counted(reports, &mut sources, &run.tool.driver.rules)));
        }
    }
    Ok(found)
}

impl Finding {
    fn index(&self) -> Option<usize> {
        self.rule_index.or_else(|| self.rule.as_ref()?.index)
    }

    fn rule<'a>(&'a self, rules: &'a [Rule]) -> &'a str {
        let own = self.rule_id.as_deref().or_else(|| self.rule.as_ref()?.id.as_deref());
        own.or_else(|| Some(rules.get(self.index()?)?.id.as_str())).unwrap_or("?")
    }

    fn level<'a>(&'a self, rules: &'a [Rule]) -> &'a str {
        let of_rule = || {
            let rule = match self.index() {
                Some(index) => rules.get(index),
                None => rules.iter().find(|rule| rule.id == self.rule(rules)),
            };
            rule?.default_configuration.as_ref()?.level.as_deref()
        };
        self.level.as_deref().or_else(of_rule).unwrap_or(DEFAULT_LEVEL)
    }

    /// Whether it is held against the tree.
    fn counts(&self, rules: &[Rule], least: u8) -> bool {
        let fails = self.kind.as_deref().is_none_or(|kind| kind == "fail");
        let there = self.baseline_state.as_deref() != Some("absent");
        // A suppression that is under review, or was rejected, suppresses nothing.
        let holds = |one: &Suppression| !matches!(one.status.as_deref(), Some("underReview" | "rejected"));
        let suppressed = !self.suppressions.is_empty() && self.suppressions.iter().all(holds);
        fails && there && !suppressed && rank(self.level(rules)) >= least
    }

    fn counted(&self, reports: &Reports, sources: &mut Sources, rules: &[Rule]) -> Counted {
        let place = self.locations.first().and_then(|location| location.physical_location.as_ref());
        let uri = place.and_then(|place| place.artifact_location.as_ref()?.uri.as_deref());
        let path = uri.map(|uri| reports.relative(&decoded(uri))).unwrap_or_default();
        let region = place.and_then(|place| place.region.as_ref());
        let lines = region.and_then(|region| {
            let first = region.start_line?;
            Some((first, region.end_line.unwrap_or(first).max(first)))
        });
        let rule = self.rule(rules);
        let message = &self.message;
        let text = message.text.as_deref().or(message.markdown.as_deref()).or(message.id.as_deref()).unwrap_or("");
        let key = if self.partial_fingerprints.is_empty() {
            let code = lines.map(|(first, _)| sources.line(&path, first)).unwrap_or_default();
            // Without the code, what it says is the next best.
            let context = if code.is_empty() { one_line(text) } else { code };
            format!("{rule}\0{path}\0{context}")
        } else {
            let prints: Vec<String> =
                self.partial_fingerprints.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{rule}\0{}", prints.join("\0"))
        };
        Counted { key, spot: Spot { path, lines, text: format!("{}: {}", rule, one_line(text)) } }
    }
}

/// How much a level matters; what isn't a level of the standard counts as the default.
fn rank(level: &str) -> u8 {
    match level {
        "none" => 0,
        "note" => 1,
        "error" => 3,
        _ => 2,
    }
}

/// A URI reference's path, with its escapes undone.
fn decoded(uri: &str) -> String {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'%').then(|| {
            let mut ahead = rest.clone();
            let digits = [ahead.next()?, ahead.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()
        });
        if let Some(Some(escaped)) = escaped {
            bytes.push(escaped);
            rest.nth(1);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
