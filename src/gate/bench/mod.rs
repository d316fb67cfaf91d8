//! Benchmarks: a command timed on both trees in turns, or two reports of criterion or hyperfine.

mod report;
mod stats;
#[cfg(test)]
mod tests;
mod timed;

pub use self::report::judge;
pub use self::stats::{Comparison, Finding, LEAST_PAIRS, compare};
pub use self::timed::Timing;
use super::case::Judged;
use super::table::number;
use crate::domain::{Settings, Verdict};

/// How many pairs are taken if the human doesn't say: enough to see 10 % on a machine of ordinary noise.
pub const PAIRS: u64 = 20;
/// Per cent by which it may get slower, if the human doesn't say.
const THRESHOLD: f64 = 3.0;

/// The share by which it may get slower.
fn threshold(settings: &Settings) -> f64 {
    settings.number("threshold").unwrap_or(THRESHOLD) / 100.0
}

/// Judges pairs of times, in milliseconds: on the base and on the tree under review.
pub fn judge_pairs(settings: &Settings, pairs: &[(f64, f64)]) -> Judged {
    let allowed = threshold(settings);
    let Some(compared) = compare(pairs, allowed) else {
        return Judged::error(format!("{} pairs of times compare nothing", pairs.len()));
    };
    let Comparison { ratio, bounds, p, finding } = compared;
    let share = |ratio: f64| format!("{}{} %", if ratio >= 1.0 { "+" } else { "" }, number((ratio - 1.0) * 100.0));
    let said = format!(
        "{} against the base ({} to {}, p {}), {} allowed, {} pairs",
        share(round(ratio)),
        share(round(bounds.0)),
        share(round(bounds.1)),
        number(round(p)),
        share(1.0 + allowed),
        pairs.len()
    );
    let judged = match finding {
        Finding::Slower => Judged::new(Verdict::Fail, said),
        Finding::NotSlower => Judged::new(Verdict::Pass, said),
        Finding::Unsure if pairs.len() < LEAST_PAIRS => {
            let why = format!("{} pairs can't tell slower from noise: at least {LEAST_PAIRS}", pairs.len());
            Judged::new(Verdict::Inconclusive, format!("{why}; {said}"))
        }
        Finding::Unsure => Judged::new(Verdict::Inconclusive, format!("too noisy to tell: {said}")),
    };
    let judged = judged.line("base ms, tree under review ms:");
    let judged =
        pairs.iter().fold(judged, |judged, (base, head)| judged.line(format!("{}, {}", number(*base), number(*head))));
    judged.measured(ratio, "times the base", Some(1.0 + allowed), Some(1.0))
}

/// Four digits after the point are all that noise leaves.
fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
