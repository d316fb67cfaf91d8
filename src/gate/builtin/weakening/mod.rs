//! The gate `weakening`: what a change takes away from those who judge it. Tests and assertions that go, bounds that
//! give, rules that are switched off, and any edit of what configures gates, CI and linters.
//!
//! It reads the diff as text, in the languages it knows. It doesn't say that a change is wrong; it says where a human has
//! to look before what the other gates say counts for anything.

mod bounds;
mod claims;
mod lines;
mod marks;
mod rules;
#[cfg(test)]
mod tests;
mod tongue;

use std::collections::BTreeMap;

use self::lines::{Edited, edited};
use super::{Evidence, count, no_change, not_applicable};
use crate::domain::{ArtifactKind, Spot, Verdict};
use crate::gate::case::{Judged, one_line};
use crate::gate::patch::Patch;

/// What became weaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Test,
    Assertion,
    Bound,
    Suppression,
    Rule,
}

impl Sort {
    const fn noun(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Assertion => "assertion",
            Self::Bound => "bound",
            Self::Suppression => "suppression",
            Self::Rule => "rule",
        }
    }
}

/// One place where something became weaker.
struct Finding {
    sort: Sort,
    /// The line in the file's new form; none for the whole file.
    line: Option<u32>,
    what: String,
}

impl Finding {
    /// About a line of the diff, which is quoted.
    fn quoting(sort: Sort, line: u32, what: &str, text: &str) -> Self {
        Self { sort, line: Some(line), what: format!("{what}: {}", one_line(text)) }
    }
}

/// Judges a change by what it takes away.
pub(super) fn judge(evidence: &Evidence<'_>) -> Judged {
    if evidence.spec.artifact != ArtifactKind::Change {
        return not_applicable("it changes no file").into();
    }
    let Some(change) = &evidence.revision.change else { return no_change().into() };
    let patch = Patch::of(&change.patch);
    let mut found: Vec<(&str, Finding)> = Vec::new();
    // What has no lines to show, such as a binary or a changed mode, is in the list of files only.
    let silent = change.files.iter().filter(|file| !patch.files.contains_key(&file.path));
    for file in silent.filter(|file| tongue::is_judge(&file.path)) {
        let what = "changes what configures the judges".to_owned();
        found.push((&file.path, Finding { sort: Sort::Rule, line: None, what }));
    }
    let files = edited(&patch);
    for file in &files {
        found.extend(of_file(file, &files).into_iter().map(|finding| (file.path, finding)));
    }
    if found.is_empty() {
        return Judged::new(Verdict::Pass, "no test, assertion, bound or rule is weaker than before");
    }
    let mut sorts: BTreeMap<Sort, usize> = BTreeMap::new();
    for (_, finding) in &found {
        *sorts.entry(finding.sort).or_default() += 1;
    }
    let sorts: Vec<String> = sorts.into_iter().map(|(sort, number)| count(number, sort.noun())).collect();
    let spots = found.into_iter().map(|(path, Finding { line, what, .. })| Spot {
        path: path.to_owned(),
        lines: line.map(|line| (line, line)),
        text: what,
    });
    Judged::new(Verdict::Fail, format!("weakens what judges it: {}", sorts.join(", ")))
        .line("send it back, or say in your own words why each of these has to be:")
        .at(spots.collect())
}

fn of_file(file: &Edited<'_>, all: &[Edited<'_>]) -> Vec<Finding> {
    if file.is_gone && !tongue::is_judge(file.path) {
        return claims::gone(file, all).into_iter().collect();
    }
    let mut found = claims::weaker(file);
    found.extend(bounds::weaker(file));
    found.extend(marks::added(file));
    found.extend(rules::weaker(file));
    found.sort_by_key(|finding| finding.line);
    found.dedup_by(|one, other| one.line == other.line && one.what == other.what);
    found
}
