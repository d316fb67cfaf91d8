//! Reports of benchmark tools, one of each tree. They were taken in blocks, one tree after the other, so that the
//! machine's drift is in them: only intervals wholly beyond the threshold decide anything.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::threshold;
use crate::domain::{Spot, Verdict};
use crate::gate::case::{Judged, Report, ReportCase, Reports, unexplained};
use crate::gate::table::number;

/// criterion's `estimates.json`.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    confidence_interval: Interval,
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// hyperfine's `--export-json`.
#[derive(Deserialize)]
struct Hyperfine {
    results: Vec<Timed>,
}

#[derive(Deserialize)]
struct Timed {
    command: String,
    times: Option<Vec<f64>>,
    #[serde(default)]
    exit_codes: Vec<Option<i32>>,
}

/// How long one benchmark takes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Time {
    lower: f64,
    median: f64,
    upper: f64,
}

/// Judges the reports of both trees.
pub fn judge(case: &ReportCase<'_>) -> Judged {
    if let Some(error) = unexplained(case.head) {
        return error;
    }
    let Some(base) = case.base else { return Judged::error("there is no report of the base to compare with") };
    let (head, base) = match (times(case.head), times(base)) {
        (Ok(head), Ok(base)) => (head, base),
        (Err(why), _) => return Judged::error(why),
        (_, Err(why)) => return Judged::error(format!("the base's {why}")),
    };
    let limit = 1.0 + threshold(case.settings);
    let (mut slower, mut unsure, mut lines, mut worst) = (Vec::new(), 0_usize, Vec::new(), f64::NEG_INFINITY);
    for (name, now) in &head {
        let Some(before) = base.get(name) else {
            lines.push(format!("{name}: new"));
            continue;
        };
        let ratio = now.median / before.median;
        // The widest the two intervals allow.
        let (least, most) = (now.lower / before.upper, now.upper / before.lower);
        let said = format!("{}x the base ({} to {})", number(ratio), number(least), number(most));
        worst = worst.max(ratio);
        if least > limit {
            slower.push(Spot { path: name.clone(), lines: None, text: said });
        } else {
            unsure += usize::from(most >= limit);
            lines.push(format!("{name}: {said}"));
        }
    }
    if let Some(gone) = base.keys().find(|name| !head.contains_key(*name)) {
        return Judged::error(format!("benchmark {gone:?} is gone: there is nothing to compare the base's with"));
    }
    let all = head.len();
    let judged = if !slower.is_empty() {
        Judged::new(Verdict::Fail, format!("{} of {all} benchmarks slower than {}x", slower.len(), number(limit)))
    } else if unsure > 0 {
        Judged::new(Verdict::Inconclusive, format!("{unsure} of {all} benchmarks too noisy to tell"))
    } else {
        Judged::new(Verdict::Pass, format!("{all} benchmarks within {}x", number(limit)))
    };
    let judged = lines.iter().fold(judged.at(slower), |judged, line| judged.line(line));
    judged.measured(worst, "times the base", Some(limit), Some(1.0))
}

fn times(reports: &Reports) -> Result<BTreeMap<String, Time>, String> {
    let mut found = BTreeMap::new();
    for report in &reports.files {
        if let Ok(estimates) = serde_json::from_slice::<Estimates>(&report.bytes) {
            let Estimate { confidence_interval: Interval { lower_bound: lower, upper_bound: upper }, point_estimate } =
                estimates.median;
            found.insert(named(&report.name), Time { lower, median: point_estimate, upper });
        } else {
            hyperfine(report, &mut found)?;
        }
    }
    if found.is_empty() {
        return Err("report holds no benchmark".to_owned());
    }
    match found.iter().find(|(_, time)| !(time.lower > 0.0 && time.lower <= time.upper && time.upper.is_finite())) {
        Some((name, _)) => Err(format!("report of {name} has times that are none")),
        None => Ok(found),
    }
}

fn hyperfine(report: &Report, found: &mut BTreeMap<String, Time>) -> Result<(), String> {
    let read: Hyperfine = serde_json::from_slice(&report.bytes)
        .map_err(|error| format!("report {} is neither criterion's nor hyperfine's: {error}", report.name))?;
    for timed in read.results {
        if timed.exit_codes.iter().any(|code| *code != Some(0)) {
            return Err(format!("report {} has times of {:?} that failed", report.name, timed.command));
        }
        let mut times = timed.times.unwrap_or_default();
        if times.len() < super::LEAST_PAIRS {
            let least = super::LEAST_PAIRS;
            return Err(format!(
                "report {} has {} times of {:?}: at least {least}",
                report.name,
                times.len(),
                timed.command
            ));
        }
        let median = super::stats::median(&mut times);
        // Order statistics: the median is between these ranks in 98 of 100 samples.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "ranks are small"
        )]
        let rank = ((times.len() as f64 / 2.0 - 1.163 * (times.len() as f64).sqrt()).floor().max(0.0)) as usize;
        let at = |index: usize| times.get(index).copied().unwrap_or(median);
        found.insert(timed.command, Time { lower: at(rank), median, upper: at(times.len() - 1 - rank) });
    }
    Ok(())
}

/// The benchmark of an `estimates.json`: `target/criterion/GROUP/NAME/new/estimates.json`.
fn named(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let begin = parts.iter().position(|part| *part == "criterion").map_or(0, |at| at + 1);
    parts.get(begin..parts.len().saturating_sub(2)).unwrap_or_default().join("/")
}
