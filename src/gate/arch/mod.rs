//! Architecture: imports that a rule forbids, and circles of imports, that the base doesn't have.

mod imports;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use self::imports::{Import, Paths, imports};
use super::case::{Judged, Tree, TreeCase, count};
use crate::domain::{Spot, Verdict, covers};

/// Judges the imports of both trees.
pub fn judge(case: &TreeCase<'_>) -> Judged {
    let files = case.settings.texts("files");
    let concerned = |path: &str| files.iter().any(|pattern| covers(pattern, path));
    if !case.head.paths.iter().chain(&case.base.paths).any(|path| concerned(path)) {
        return Judged::error(format!("\"files\" covers no file: {}", files.join(", ")));
    }
    if !case.patch.paths().any(concerned) {
        return Judged::new(Verdict::NotApplicable, "the change touches none of its files");
    }
    let (before, after) = match (edges(case.base, &concerned), edges(case.head, &concerned)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return Judged::error(why),
    };
    let known: BTreeSet<(&str, &str)> = before.iter().map(Edge::ends).collect();
    let rules: Vec<(&str, &str)> = case
        .settings
        .texts("deny")
        .iter()
        .filter_map(|rule| rule.split_once("->"))
        .map(|(a, b)| (a.trim(), b.trim()))
        .collect();
    let breaks = |edge: &&Edge| rules.iter().any(|(from, to)| covers(from, &edge.from) && covers(to, &edge.to));
    let forbidden = after.iter().filter(breaks).filter(|edge| !known.contains(&edge.ends()));
    let mut spots: Vec<Spot> = forbidden.map(|edge| edge.spot("forbidden")).collect();
    let old = before.iter().filter(breaks).count();
    if case.settings.truth("cycles", false) {
        let knots = knots(&before);
        for knot in self::knots(&after).into_iter().filter(|knot| !knots.iter().any(|old| knot.is_subset(old))) {
            let within = |edge: &&Edge| knot.contains(&edge.from) && knot.contains(&edge.to);
            let new = after.iter().filter(within).filter(|edge| !known.contains(&edge.ends()));
            let around: Vec<&str> = knot.iter().map(String::as_str).collect();
            let text = format!("closes a circle of {}", around.join(", "));
            spots.extend(new.map(|edge| edge.spot(&text)));
        }
    }
    let number = spots.len();
    #[expect(clippy::cast_precision_loss, reason = "imports are far fewer than 2^52")]
    let measured = |judged: Judged| judged.measured(number as f64, "new edges", Some(0.0), Some(old as f64));
    if spots.is_empty() {
        let also = if old > 0 { format!(", {old} forbidden ones that the base has") } else { String::new() };
        return measured(Judged::new(
            Verdict::Pass,
            format!("{} as the rules want{also}", count(after.len(), "import")),
        ));
    }
    measured(Judged::new(Verdict::Fail, format!("{} that the rules forbid", count(number, "new import"))).at(spots))
}

/// One file importing another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    from: String,
    line: u32,
    /// A file of the tree, or the import as a path.
    to: String,
}

impl Edge {
    fn ends(&self) -> (&str, &str) {
        (&self.from, &self.to)
    }

    fn spot(&self, what: &str) -> Spot {
        Spot {
            path: self.from.clone(),
            lines: Some((self.line, self.line)),
            text: format!("imports {}: {what}", self.to),
        }
    }
}

fn edges(tree: &Tree, concerned: &dyn Fn(&str) -> bool) -> Result<Vec<Edge>, String> {
    let paths = Paths::new(&tree.paths);
    let mut edges = Vec::new();
    for path in tree.paths.iter().filter(|path| concerned(path)) {
        let Some(text) = tree.text(path)? else { continue };
        for Import { line, to } in imports(path, &text, &paths) {
            edges.push(Edge { from: path.clone(), line, to });
        }
    }
    Ok(edges)
}

/// The sets of files that import each other in circles: strongly connected, and more than one.
fn knots(edges: &[Edge]) -> Vec<BTreeSet<String>> {
    let mut out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut back: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in edges {
        out.entry(&edge.from).or_default().push(&edge.to);
        out.entry(&edge.to).or_default();
        back.entry(&edge.to).or_default().push(&edge.from);
    }
    // Kosaraju's: the order in which files are left, then everything that leads to the last one, and so on.
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for start in out.keys().copied() {
        let mut stack = vec![(start, false)];
        while let Some((file, left)) = stack.pop() {
            if left {
                order.push(file);
            } else if seen.insert(file) {
                stack.push((file, true));
                let next = out.get(file).into_iter().flatten().filter(|next| !seen.contains(*next));
                stack.extend(next.map(|next| (*next, false)));
            }
        }
    }
    let mut taken = BTreeSet::new();
    let mut knots = Vec::new();
    for file in order.into_iter().rev() {
        let mut knot = BTreeSet::new();
        let mut stack = vec![file];
        while let Some(file) = stack.pop() {
            if taken.insert(file) {
                knot.insert(file.to_owned());
                stack.extend(back.get(file).into_iter().flatten().filter(|from| !taken.contains(*from)));
            }
        }
        if knot.len() > 1 {
            knots.push(knot);
        }
    }
    knots
}
