//! Keys and passwords that the change adds: what gitleaks reports, or what the added lines themselves show. What was
//! found is never repeated.

mod scan;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::Deserialize;

use super::case::{Judged, ReportCase, Reports, count, unexplained};
use super::patch::Patch;
use crate::domain::{Digest, Settings, Spot, Verdict, covers};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Leak {
    #[serde(rename = "RuleID")]
    rule_id: String,
    #[serde(default)]
    description: String,
    file: String,
    start_line: u32,
    end_line: u32,
    #[serde(default)]
    secret: String,
}

/// Judges a report of gitleaks.
pub fn judge(case: &ReportCase<'_>) -> Judged {
    // 1 says that there are leaks, 0 that there are none; anything else that it did not look.
    if !matches!(case.head.exit, 0 | 1) {
        return unexplained(case.head).unwrap_or_else(|| Judged::error("gitleaks failed"));
    }
    let head = match leaks(case.head, case.settings) {
        Ok(leaks) => leaks,
        Err(why) => return Judged::error(why),
    };
    let base = match case.base.map(|base| leaks(base, case.settings)).transpose() {
        Ok(base) => base,
        Err(why) => return Judged::error(format!("the base's {why}")),
    };
    let all = head.len();
    let mut known: HashMap<Key, usize> = HashMap::new();
    for (key, _) in base.into_iter().flatten() {
        *known.entry(key).or_default() += 1;
    }
    let new: Vec<Spot> = head
        .into_iter()
        .filter(|(key, _)| match known.get_mut(key) {
            Some(left @ 1..) => {
                *left -= 1;
                false
            }
            _ => true,
        })
        .map(|(_, spot)| spot)
        .collect();
    if new.is_empty()
        && all == 0
        && case.head.files.iter().all(|report| report.bytes.trim_ascii() == b"[]")
        && let Some(error) = unexplained(case.head)
    {
        return error;
    }
    said(new, all)
}

/// Judges the added lines by themselves.
pub fn judge_added(settings: &Settings, patch: &Patch) -> Judged {
    if patch.added().next().is_none() {
        return Judged::new(Verdict::NotApplicable, "the change adds no line");
    }
    let mut found = Vec::new();
    for (path, file) in patch.files.iter().filter(|(path, _)| !is_allowed(settings, path)) {
        for (line, what) in scan::added(&file.added) {
            found.push(Spot { path: path.clone(), lines: Some((line, line)), text: what.to_owned() });
        }
    }
    let all = found.len();
    said(found, all)
}

fn said(new: Vec<Spot>, all: usize) -> Judged {
    let number = new.len();
    let judged = if new.is_empty() {
        let old = if all > 0 { format!(", {all} that the base has too") } else { String::new() };
        Judged::new(Verdict::Pass, format!("no new secret{old}"))
    } else {
        Judged::new(Verdict::Fail, count(number, "new secret")).at(new)
    };
    #[expect(clippy::cast_precision_loss, reason = "secrets are far fewer than 2^52")]
    judged.measured(number as f64, "secrets", Some(0.0), None)
}

fn is_allowed(settings: &Settings, path: &str) -> bool {
    settings.texts("allow").iter().any(|pattern| covers(pattern, path))
}

/// What makes a leak the same as one of the base: rule, path and a digest of the secret.
type Key = (String, Digest);

/// The leaks of a report, each with what makes it the same as one of the base.
fn leaks(reports: &Reports, settings: &Settings) -> Result<Vec<(Key, Spot)>, String> {
    let mut found = Vec::new();
    for report in &reports.files {
        let leaks: Vec<Leak> = serde_json::from_slice(&report.bytes)
            .map_err(|error| format!("report {} is not gitleaks': {error}", report.name))?;
        for leak in leaks {
            let path = reports.relative(&leak.file);
            if is_allowed(settings, &path) {
                continue;
            }
            let key = (format!("{}\0{path}", leak.rule_id), Digest::of(leak.secret.as_bytes()));
            let text = if leak.description.is_empty() { leak.rule_id } else { leak.description };
            found.push((key, Spot { path, lines: Some((leak.start_line, leak.end_line)), text }));
        }
    }
    Ok(found)
}
