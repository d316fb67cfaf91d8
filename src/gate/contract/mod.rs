//! Contracts between services, judged by what oasdiff, pact's verifier or schemathesis report.

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::Value;

use super::case::{Judged, ReportCase, count, one_line, unexplained};
use super::junit;
use crate::domain::{Spot, Verdict};

/// oasdiff's level of a change that breaks clients; below it is one that may.
const BREAKING: u8 = 3;

#[derive(Deserialize)]
struct Breach {
    id: String,
    text: String,
    level: u8,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    result: bool,
    #[serde(default)]
    errors: Vec<Value>,
    #[serde(default)]
    pending_errors: Vec<Value>,
    interaction_results: Option<Vec<Value>>,
}

/// Judges the report of the tool that the settings name.
pub fn judge(case: &ReportCase<'_>) -> Judged {
    match case.settings.text("tool") {
        Some("oasdiff") => oasdiff(case),
        Some("pact") => pact(case),
        Some("schemathesis") => junit::judge(case),
        other => Judged::error(format!("no contract's tool is called {:?}", other.unwrap_or_default())),
    }
}

fn oasdiff(case: &ReportCase<'_>) -> Judged {
    // 1 says that something breaks. Anything else says that nothing was compared.
    if !matches!(case.head.exit, 0 | 1) {
        return unexplained(case.head).unwrap_or_else(|| Judged::error("oasdiff failed"));
    }
    let mut breaches: Vec<Breach> = Vec::new();
    for report in &case.head.files {
        match serde_json::from_slice::<Vec<Breach>>(&report.bytes) {
            Ok(read) => breaches.extend(read),
            Err(error) => {
                let remedy = "run oasdiff breaking --format json --fail-on ERR";
                return Judged::error(format!("report {} is not oasdiff's: {error}; {remedy}", report.name));
            }
        }
    }
    let spot = |one: &Breach| Spot {
        path: format!("{} {}", one.operation, one.path).trim().to_owned(),
        lines: None,
        text: format!("{}: {}", one.id, one_line(&one.text)),
    };
    let (breaks, warns): (Vec<_>, Vec<_>) = breaches.iter().partition(|one| one.level >= BREAKING);
    let warnings: Vec<String> = warns.iter().map(|one| format!("may break: {}", one_line(&one.text))).collect();
    let also = if warns.is_empty() { String::new() } else { format!(", {} that may", warns.len()) };
    let judged = if breaks.is_empty() {
        if let Some(error) = unexplained(case.head).filter(|_| warns.is_empty()) {
            return error;
        }
        Judged::new(Verdict::Pass, format!("nothing breaks{also}"))
    } else {
        let summary = format!(
            "{} clients{also}",
            if breaks.len() == 1 { "1 change breaks".to_owned() } else { format!("{} changes break", breaks.len()) }
        );
        Judged::new(Verdict::Fail, summary).at(breaks.iter().map(|one| spot(one)).collect())
    };
    #[expect(clippy::cast_precision_loss, reason = "changes are far fewer than 2^52")]
    let judged = judged.measured(breaks.len() as f64, "breaking changes", Some(0.0), None);
    warnings.iter().fold(judged, |judged, line| judged.line(line))
}

fn pact(case: &ReportCase<'_>) -> Judged {
    let (mut spots, mut verified, mut pending, mut holds) = (Vec::new(), 0, 0, true);
    for report in &case.head.files {
        let read: Verified = match serde_json::from_slice(&report.bytes) {
            Ok(read) => read,
            Err(error) => return Judged::error(format!("report {} is not pact's: {error}", report.name)),
        };
        holds &= read.result;
        pending += read.pending_errors.len();
        verified += read.interaction_results.as_ref().map_or(read.errors.len(), Vec::len);
        spots.extend(read.errors.iter().map(|error| {
            let interaction = error.get("interaction").and_then(Value::as_str).unwrap_or("an interaction");
            let mismatch = error.get("mismatch").map(Value::to_string).unwrap_or_default();
            Spot { path: interaction.to_owned(), lines: None, text: one_line(&mismatch) }
        }));
    }
    let also = if pending > 0 { format!(", {pending} pending ones fail") } else { String::new() };
    if !holds || !spots.is_empty() {
        return Judged::new(Verdict::Fail, format!("{} broken{also}", count(spots.len().max(1), "interaction")))
            .at(spots);
    }
    if let Some(error) = unexplained(case.head) {
        return error;
    }
    if verified == 0 {
        return Judged::new(Verdict::Skipped, format!("no interaction was verified{also}"));
    }
    Judged::new(Verdict::Pass, format!("{} verified{also}", count(verified, "interaction")))
}
