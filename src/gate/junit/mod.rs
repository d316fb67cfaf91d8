//! JUnit XML, as nearly every test runner writes it: failing tests, tests that need several tries, and tests that the
//! base ran and the change doesn't.

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use self::read::{Outcome, Suite, Test, read};
use super::case::{Judged, ReportCase, Reports, count, unexplained};
use crate::domain::{Spot, Verdict};

/// Judges the reports of a test run.
pub fn judge(case: &ReportCase<'_>) -> Judged {
    let head = match all(case.head) {
        Ok(suite) => suite,
        Err(why) => return Judged::error(why),
    };
    let ran = head.ran();
    if head.tests.is_empty() {
        return Judged::error("the report holds no test");
    }
    let base = match case.base.map(all).transpose() {
        Ok(base) => base,
        Err(why) => return Judged::error(format!("the base's {why}")),
    };
    let before = base.as_ref().map(Suite::ran);
    #[expect(clippy::cast_precision_loss, reason = "tests are far fewer than 2^52")]
    let measured = |judged: Judged| judged.measured(ran as f64, "tests", None, before.map(|before| before as f64));
    let spots = |outcome: Outcome, tests: &[Test]| -> Vec<Spot> {
        tests.iter().filter(|test| test.outcome == outcome).map(|test| spot(case.head, test)).collect()
    };
    let failing = spots(Outcome::Failed, &head.tests);
    let failed = failing.len().max(usize::try_from(head.claimed_failures).unwrap_or(usize::MAX));
    if failed > 0 {
        return measured(Judged::new(Verdict::Fail, format!("{failed} of {} failed", count(ran, "test"))).at(failing));
    }
    if let Some(base) = &base
        && ran < base.ran()
    {
        let missing: Vec<String> = base.names().difference(&head.names()).map(|name| (*name).to_owned()).collect();
        let summary = format!("{} ran, {} on the base", count(ran, "test"), base.ran());
        let judged = Judged::new(Verdict::Fail, summary).line("these ran on the base and don't any more:");
        return measured(missing.iter().take(100).fold(judged, |judged, name| judged.line(format!("  {name}"))));
    }
    let flaky = spots(Outcome::Flaky, &head.tests);
    if !flaky.is_empty() {
        let summary = format!("{} passed at a later try only", count(flaky.len(), "test"));
        return measured(Judged::new(Verdict::Flaky, summary).at(flaky));
    }
    if let Some(error) = unexplained(case.head) {
        return measured(error);
    }
    if ran == 0 {
        return measured(Judged::new(
            Verdict::Skipped,
            format!("all {} were skipped", count(head.tests.len(), "test")),
        ));
    }
    let skipped = head.tests.len() - ran;
    let also = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    measured(Judged::new(Verdict::Pass, format!("{} passed{also}", count(ran, "test"))))
}

/// All reports of a run as one.
fn all(reports: &Reports) -> Result<Suite, String> {
    let mut suite = Suite::default();
    for report in &reports.files {
        let one = read(&report.bytes).map_err(|why| format!("report {} is no JUnit XML: {why}", report.name))?;
        suite.tests.extend(one.tests);
        suite.claimed_failures += one.claimed_failures;
    }
    Ok(suite)
}

fn spot(reports: &Reports, test: &Test) -> Spot {
    let path = test.file.as_deref().map_or_else(|| test.class.clone(), |file| reports.relative(file));
    let text = if test.message.is_empty() { test.name.clone() } else { format!("{}: {}", test.name, test.message) };
    Spot { path, lines: test.line.map(|line| (line, line)), text }
}

impl Suite {
    /// How many tests weren't skipped.
    pub fn ran(&self) -> usize {
        self.tests.iter().filter(|test| test.outcome != Outcome::Skipped).count()
    }

    /// The tests that weren't skipped, by name.
    fn names(&self) -> BTreeSet<&str> {
        self.tests.iter().filter(|test| test.outcome != Outcome::Skipped).map(|test| test.name.as_str()).collect()
    }
}
