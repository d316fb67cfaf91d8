//! The gate `plan-files`: what a plan says it will touch, and whether the change touches just that.

use std::collections::BTreeSet;

use super::text::{lines_below, prose};
use super::{Evidence, Judgement, count, no_change, not_applicable};
use crate::domain::{ArtifactKind, Verdict};

/// The section of a plan that lists its files.
const HEADING: &str = "Files";

/// Decision records go along with a change without being planned.
const EXEMPT: &str = "docs/decisions/";

/// A file that a plan lists.
struct Planned {
    line: u32,
    path: String,
    new: bool,
}

pub(super) fn plan_files(evidence: &Evidence<'_>) -> Judgement {
    match evidence.spec.artifact {
        ArtifactKind::Plan => judge_plan(evidence),
        ArtifactKind::Change => judge_change(evidence),
        ArtifactKind::Constraint | ArtifactKind::Outcome => not_applicable("it names no files"),
    }
}

fn judge_plan(evidence: &Evidence<'_>) -> Judgement {
    let planned = planned_files(&evidence.revision.text, evidence.repo_has);
    if planned.is_empty() {
        return (Verdict::Fail, format!("the section {HEADING} lists no file"), remedy());
    }
    let mut problems = Vec::new();
    for Planned { line, path, new } in &planned {
        let outside = path.starts_with('/') || path.split('/').any(|part| part == "..");
        if outside || !(evidence.boundary_allows)(path) {
            problems.push(format!("line {line}: {path} is outside the boundary"));
        } else if !new && !(evidence.repo_has)(path) {
            problems.push(format!("line {line}: {path} does not exist and is not marked (new)"));
        }
    }
    if problems.is_empty() {
        return (Verdict::Pass, format!("{} inside the boundary", count(planned.len(), "file")), String::new());
    }
    let summary = format!("{} of {} can't be touched as planned", problems.len(), count(planned.len(), "file"));
    (Verdict::Fail, summary, problems.join("\n"))
}

fn judge_change(evidence: &Evidence<'_>) -> Judgement {
    let Some(change) = &evidence.revision.change else { return no_change() };
    let Some(plan) = evidence.plan else {
        let remedy = "approve a plan first, or take plan-files out of this stage's gates";
        return (Verdict::Error, "there is no approved plan to compare with".to_owned(), remedy.to_owned());
    };
    let planned: BTreeSet<String> =
        planned_files(plan, evidence.repo_has).into_iter().map(|planned| planned.path).collect();
    let touched: BTreeSet<String> =
        change.files.iter().map(|file| file.path.clone()).filter(|path| !path.starts_with(EXEMPT)).collect();
    let named = |paths: Vec<&String>| paths.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let missing = named(planned.difference(&touched).filter(|path| !path.starts_with(EXEMPT)).collect());
    let extra = named(touched.difference(&planned).collect());
    let mut problems = Vec::new();
    if !missing.is_empty() {
        problems.push(format!("planned but not touched: {missing}"));
    }
    if !extra.is_empty() {
        problems.push(format!("touched but not planned: {extra}"));
    }
    if problems.is_empty() {
        return (Verdict::Pass, format!("{} touched, as planned", count(touched.len(), "file")), String::new());
    }
    (Verdict::Fail, problems.join("; "), "keep to the plan, or go back and plan these files".to_owned())
}

fn remedy() -> String {
    "write one file a line: - `path` - what changes; put (new) behind the path of a new file".to_owned()
}

/// The files that the section lists, without `./` before and `:line` behind.
fn planned_files(plan: &str, repo_has: &dyn Fn(&str) -> bool) -> Vec<Planned> {
    let mut planned = Vec::new();
    for (line, text) in prose(lines_below(plan, HEADING).unwrap_or_default()) {
        let new = text.to_ascii_lowercase().contains("(new)");
        for path in paths_in(text, new, repo_has) {
            planned.push(Planned { line, path: plain_path(path).to_owned(), new });
        }
    }
    planned
}

/// The paths a line names: those in back quotes at its beginning, else its first word if that can be a path, else the
/// first back-quoted words (`- Edit `src/a.rs`: ...`).
fn paths_in<'a>(line: &'a str, new: bool, repo_has: &dyn Fn(&str) -> bool) -> Vec<&'a str> {
    let item = line.trim();
    let marked = item.strip_prefix(['-', '*', '+']).filter(|rest| rest.starts_with(' '));
    let numbered = || {
        let rest = item.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.strip_prefix(['.', ')']).filter(|rest| item.len() > rest.len() + 1 && rest.starts_with(' '))
    };
    let is_item = marked.is_some() || numbered().is_some();
    let item = marked.or_else(numbered).unwrap_or(item).trim_start().trim_start_matches("**");
    let quoted = quoted_list(item);
    if !quoted.is_empty() {
        return quoted;
    }
    let first = item.split([' ', '\t', ',']).next().unwrap_or("").trim_end_matches([':', '.', ';', '*']);
    let like_path = first.contains('/') || first.trim_start_matches('.').contains('.') || (new && is_item);
    if !first.is_empty() && !first.contains('`') && (like_path || repo_has(plain_path(first))) {
        return vec![first];
    }
    match item.split_once('`') {
        Some((_, rest)) if is_item => rest.split_once('`').map(|(path, _)| path.trim()).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The back-quoted words that `item` begins with, parted by commas or "and".
fn quoted_list(item: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    let mut rest = item;
    while let Some((path, after)) = rest.strip_prefix('`').and_then(|inner| inner.split_once('`')) {
        paths.push(path.trim());
        let next = after.trim_start().trim_start_matches(',').trim_start();
        rest = next.strip_prefix("and ").unwrap_or(next).trim_start();
    }
    paths
}

fn plain_path(path: &str) -> &str {
    let path = path.strip_prefix("./").unwrap_or(path);
    match path.rsplit_once(':') {
        Some((file, line)) if line.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => file,
        _ => path,
    }
}
