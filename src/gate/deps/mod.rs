//! Dependencies: what lock files hold that the base's don't, against a budget.

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use self::read::{LOCKS, Package, read};
use super::case::{Judged, Tree, TreeCase, count};
use crate::domain::{Spot, Verdict, covers};

/// The packages that the change adds and takes away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drift {
    /// Packages the base doesn't have, each with the lock file it is in.
    pub new: Vec<(String, Package)>,
    /// Places packages come from that the base's don't.
    pub sources: BTreeSet<String>,
    /// Packages in all.
    pub total: usize,
    /// The same on the base.
    pub before: usize,
    /// Lock files that the change touches.
    pub locks: usize,
}

/// Judges the lock files of both trees.
pub fn judge(case: &TreeCase<'_>) -> Judged {
    let drift = match drift(case) {
        Ok(drift) => drift,
        Err(why) => return Judged::error(why),
    };
    if drift.locks == 0 {
        return Judged::new(Verdict::NotApplicable, "the change touches no lock file");
    }
    let (max_new, max_total) = (case.settings.count("max_new").unwrap_or(0), case.settings.count("max_total"));
    let mut wrong = Vec::new();
    if drift.new.len() as u64 > max_new {
        wrong.push(format!("{} of {max_new} allowed", count(drift.new.len(), "new package")));
    }
    if let Some(most) = max_total.filter(|most| drift.total as u64 > *most) {
        wrong.push(format!("{} packages of {most} allowed", drift.total));
    }
    if !drift.sources.is_empty() && !case.settings.truth("new_sources", false) {
        let sources: Vec<&str> = drift.sources.iter().map(String::as_str).collect();
        wrong.push(format!("new source {}", sources.join(", ")));
    }
    let totals = format!("{} packages, {} on the base", drift.total, drift.before);
    let new = drift.new.len();
    let spots = drift.new.into_iter().map(|(path, package)| Spot {
        path,
        lines: package.line.map(|line| (line, line)),
        text: format!("new: {} {}", package.name, package.version),
    });
    let judged = if wrong.is_empty() {
        Judged::new(Verdict::Pass, format!("{}; {totals}", count(new, "new package")))
    } else {
        Judged::new(Verdict::Fail, format!("{}; {totals}", wrong.join(", ")))
    };
    #[expect(clippy::cast_precision_loss, reason = "packages are far fewer than 2^52")]
    judged.at(spots.collect()).measured(new as f64, "new packages", Some(max_new as f64), Some(0.0))
}

/// What the change does to the lock files.
///
/// # Errors
/// If one of them can't be read, or isn't one.
pub fn drift(case: &TreeCase<'_>) -> Result<Drift, String> {
    let wanted = case.settings.texts("files");
    let is_lock = |path: &str| {
        let known = LOCKS.contains(&path.rsplit('/').next().unwrap_or(path));
        if wanted.is_empty() { known } else { wanted.iter().any(|pattern| covers(pattern, path)) }
    };
    let touched: Vec<&str> = case.patch.paths().filter(|path| is_lock(path)).collect();
    let mut drift = Drift { locks: touched.len(), ..Drift::default() };
    if touched.is_empty() {
        return Ok(drift);
    }
    let (before, after) = (packages(case.base, &is_lock)?, packages(case.head, &is_lock)?);
    let names: BTreeSet<&str> = before.iter().map(|(_, package)| package.name.as_str()).collect();
    let sources: BTreeSet<&str> = before.iter().map(|(_, package)| package.source.as_str()).collect();
    (drift.total, drift.before) = (after.len(), before.len());
    let mut seen = BTreeSet::new();
    for (path, package) in &after {
        if !sources.contains(package.source.as_str()) && !package.source.is_empty() {
            drift.sources.insert(package.source.clone());
        }
        // Another version of a package that is there is an update.
        if !names.contains(package.name.as_str()) && seen.insert(&package.name) {
            drift.new.push((path.clone(), package.clone()));
        }
    }
    Ok(drift)
}

fn packages(tree: &Tree, is_lock: &dyn Fn(&str) -> bool) -> Result<Vec<(String, Package)>, String> {
    let mut found = Vec::new();
    for path in tree.paths.iter().filter(|path| is_lock(path)) {
        let Some(text) = tree.text(path)? else { continue };
        let packages = read(path, &text).map_err(|why| format!("{path} is no lock file: {why}"))?;
        found.extend(packages.into_iter().map(|package| (path.clone(), package)));
    }
    Ok(found)
}
