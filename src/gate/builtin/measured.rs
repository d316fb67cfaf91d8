//! The gates that hold an outcome's readings against the acceptance criteria, and against everything else measured.

use super::{Evidence, Judgement, count, not_applicable, not_measured};
use crate::domain::{ArtifactKind, Bound, Comparison, Criterion, Measurement, Spread, Verdict};
use crate::gate::table::{number, ratio};

/// How much worse, as a part of what it was, a reading outside the criteria may get.
const TOLERATED: f64 = 0.1;

pub(super) fn criteria_met(evidence: &Evidence<'_>) -> Judgement {
    let lines = evidence.criteria.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let (mut criteria, mut human) = (Vec::new(), Vec::new());
    for line in lines {
        match Criterion::read(line) {
            Some(criterion) => criteria.push(criterion),
            None => human.push(format!("for the human: {}", line.trim_start_matches(['-', '*', '+', ' ']))),
        }
    }
    if criteria.is_empty() {
        let remedy = "add a line such as \"- reading <= 0.5x\" or \"- errors <= 0\" to the constraint's criteria";
        human.insert(0, remedy.to_owned());
        return (Verdict::Fail, "no acceptance criterion can be measured".to_owned(), human.join("\n"));
    }
    let Some(measurement) = with_samples(evidence) else { return not_measured(evidence.measurement) };
    let compared = measurement.comparisons();
    let (mut met, mut unmet, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for criterion in &criteria {
        let reading = compared.iter().find(|one| one.name == criterion.name);
        match reading.and_then(|reading| Some((reading, criterion.met_by(reading)?))) {
            Some((reading, true)) => met.push(format!("{criterion} ({})", measured(criterion, reading))),
            Some((reading, false)) => unmet.push(format!("{criterion} ({})", measured(criterion, reading))),
            None => unknown.push(match reading {
                Some(reading) if criterion.unit.is_some() && !reading.unit.is_empty() => {
                    format!("{criterion} (the reading is in {})", reading.unit)
                }
                _ => criterion.to_string(),
            }),
        }
    }
    let (verdict, summary) = if !unmet.is_empty() {
        (Verdict::Fail, format!("not met: {}", unmet.join("; ")))
    } else if !unknown.is_empty() {
        (Verdict::Error, format!("not measured: {}", unknown.join("; ")))
    } else {
        (Verdict::Pass, format!("{} of {} measurable criteria met", met.len(), criteria.len()))
    };
    let labelled = [("met", met), ("not met", unmet), ("not measured", unknown)];
    let mut detail: Vec<String> =
        labelled.iter().flat_map(|(label, lines)| lines.iter().map(move |line| format!("{label}: {line}"))).collect();
    detail.extend(human);
    detail.extend(measurement.failures.iter().map(|failure| format!("probe failed: {failure}")));
    (verdict, summary, detail.join("\n"))
}

/// What a criterion was held against.
fn measured(criterion: &Criterion, reading: &Comparison) -> String {
    let shown = match criterion.bound {
        Bound::Ratio(_) => reading.ratio().map(ratio),
        Bound::Value(_) => reading.after.map(|after| format!("{} {}", number(after.median), reading.unit)),
    };
    format!("measured {}", shown.unwrap_or_default().trim_end())
}

pub(super) fn downstream(evidence: &Evidence<'_>) -> Judgement {
    if evidence.spec.artifact != ArtifactKind::Outcome {
        return not_applicable("only an outcome has readings after the change");
    }
    let Some(measurement) = with_samples(evidence) else { return not_measured(evidence.measurement) };
    let judged: Vec<Criterion> = evidence.criteria.iter().filter_map(|line| Criterion::read(line)).collect();
    let others: Vec<Comparison> =
        measurement.comparisons().into_iter().filter(|one| !judged.iter().any(|c| c.name == one.name)).collect();
    let worse: Vec<String> = others.iter().filter(|one| got_worse(one)).map(sides).collect();
    if !worse.is_empty() {
        let detail = format!("{}\n{}", worse.join("\n"), direction());
        return (Verdict::Fail, format!("got worse: {}", worse.join("; ")), detail);
    }
    let one_sided = others.iter().filter(|one| one.before.is_none() || one.after.is_none());
    let mut unknown: Vec<String> = one_sided.map(|one| format!("{} was measured on one side only", one.name)).collect();
    unknown.extend(measurement.failures.iter().map(|failure| format!("probe failed: {failure}")));
    if !unknown.is_empty() {
        return (Verdict::Error, format!("{} can't be compared", count(unknown.len(), "reading")), unknown.join("\n"));
    }
    let summary = match others.len() {
        0 => "no reading outside the criteria".to_owned(),
        number => format!("{} outside the criteria no worse", count(number, "reading")),
    };
    (Verdict::Pass, summary, others.iter().map(sides).chain([direction()]).collect::<Vec<_>>().join("\n"))
}

fn with_samples<'a>(evidence: &Evidence<'a>) -> Option<&'a Measurement> {
    evidence.measurement.filter(|measurement| !measurement.samples.is_empty())
}

/// Whether the median got worse by more than is tolerated and the spreads don't overlap.
fn got_worse(one: &Comparison) -> bool {
    let (Some(before), Some(after)) = (one.before, one.after) else { return false };
    let (loss, apart) = if more_is_better(one) {
        (before.median - after.median, after.max < before.min)
    } else {
        (after.median - before.median, after.min > before.max)
    };
    apart && loss > before.median.abs() * TOLERATED
}

/// A rate is better when it is higher; a time, a size, a count of work or errors when it is lower.
fn more_is_better(one: &Comparison) -> bool {
    let unit = one.unit.as_str();
    ["/s", "/sec", "/min", "/h"].iter().any(|rate| unit.ends_with(rate)) || ["rps", "qps", "tps", "fps"].contains(&unit)
}

fn direction() -> String {
    "(rates such as req/s count as better when higher, everything else when lower)".to_owned()
}

fn sides(one: &Comparison) -> String {
    let median = |side: Option<Spread>| side.map_or_else(|| "-".to_owned(), |side| number(side.median));
    let text = format!("{} {} -> {} {}", one.name, median(one.before), median(one.after), one.unit);
    text.trim_end().to_owned()
}
