//! Coverage: how many of the lines that the change adds are reached by tests, and what becomes of the total.

mod read;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use self::read::{Lines, read};
use super::case::{Judged, ReportCase, Reports, count, unexplained};
use super::table::number;
use crate::domain::{Spot, Verdict};

/// Per cent of the changed lines that have to be reached, if the human doesn't say.
const CHANGED: f64 = 80.0;
/// Percentage points that the total may lose, if the human doesn't say.
const DROP: f64 = 0.5;

/// Judges a report of coverage.
pub fn judge(case: &ReportCase<'_>) -> Judged {
    if let Some(error) = unexplained(case.head) {
        return error;
    }
    let head = match all(case.head) {
        Ok(lines) => lines,
        Err(why) => return Judged::error(why),
    };
    let base = match case.base.map(all).transpose() {
        Ok(base) => base,
        Err(why) => return Judged::error(format!("the base's {why}")),
    };
    let (wanted, drop) =
        (case.settings.number("changed").unwrap_or(CHANGED), case.settings.number("drop").unwrap_or(DROP));
    let mut missed = Vec::new();
    let (mut reached, mut counted) = (0, 0);
    for (path, line, _) in case.patch.added() {
        match head.get(path).and_then(|lines| lines.get(&line)) {
            Some(0) => missed.push((path.to_owned(), line)),
            Some(_) => reached += 1,
            None => continue,
        }
        counted += 1;
    }
    let total = percent_of(&head);
    let before = base.as_ref().map(percent_of);
    let lost = before.map_or(0.0, |before| before - total);
    let mut said = match before {
        Some(before) => format!("total {} %, {} % on the base", number(total), number(before)),
        None => format!("total {} %", number(total)),
    };
    let absent = absent(case, &head);
    if counted == 0 {
        let verdict = match (lost > drop, absent.is_empty()) {
            (true, _) => Verdict::Fail,
            // Files that no test loads are in no report at all.
            (false, false) => Verdict::Inconclusive,
            (false, true) => Verdict::NotApplicable,
        };
        said = format!("no changed line is in the report; {said}");
        return listed(Judged::new(verdict, said), &absent).measured(total, "% in all", None, before);
    }
    let changed = percent(reached, counted);
    let summary = format!("{} % of {} reached, {said}", number(changed), count(counted, "changed line"));
    let verdict = if changed < wanted || lost > drop { Verdict::Fail } else { Verdict::Pass };
    let judged = Judged::new(verdict, summary).at(ranges(missed));
    listed(judged, &absent).measured(changed, "% of changed lines", Some(wanted), None)
}

/// Names the changed files that the report leaves out.
fn listed(judged: Judged, absent: &[&str]) -> Judged {
    absent.iter().fold(judged, |judged, path| judged.line(format!("{path}: not in the report")))
}

/// Changed files with added lines that the report doesn't have, of a kind that it has.
fn absent<'a>(case: &'a ReportCase<'_>, head: &Lines) -> Vec<&'a str> {
    let extension = |path: &str| Path::new(path).extension().map(|ext| ext.to_owned());
    let known: Vec<_> = head.keys().map(|path| extension(path)).collect();
    let files =
        case.patch.files.iter().filter(|(path, file)| {
            !file.added.is_empty() && !head.contains_key(*path) && known.contains(&extension(path))
        });
    files.map(|(path, _)| path.as_str()).collect()
}

fn all(reports: &Reports) -> Result<Lines, String> {
    let mut lines = Lines::new();
    for report in &reports.files {
        let read = read(&report.bytes, &|path| reports.relative(path));
        for (path, hits) in read.map_err(|why| format!("report {} is no coverage: {why}", report.name))? {
            let file = lines.entry(path).or_default();
            for (line, times) in hits {
                let sum = file.entry(line).or_insert(0);
                *sum = sum.saturating_add(times);
            }
        }
    }
    if lines.values().all(|hits| hits.is_empty()) {
        return Err("report holds no line".to_owned());
    }
    Ok(lines)
}

fn percent_of(lines: &Lines) -> f64 {
    let all = lines.values().flat_map(|hits| hits.values());
    let reached = all.clone().filter(|times| **times > 0).count();
    percent(reached, all.count())
}

#[expect(clippy::cast_precision_loss, reason = "lines are far fewer than 2^52")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// Lines that follow each other as one place.
fn ranges(missed: Vec<(String, u32)>) -> Vec<Spot> {
    let mut spots: Vec<Spot> = Vec::new();
    for (path, line) in missed {
        match spots.last_mut() {
            Some(Spot { path: last, lines: Some((_, end)), .. }) if *last == path && *end + 1 == line => *end = line,
            _ => spots.push(Spot { path, lines: Some((line, line)), text: "no test reaches it".to_owned() }),
        }
    }
    for spot in &mut spots {
        if let Some((first, last)) = spot.lines.filter(|(first, last)| last > first) {
            spot.text = format!("no test reaches lines {first} to {last}");
        }
    }
    spots
}
