//! The size of a change: lines, files, functions, packages and new directories, each against its budget.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::case::{Judged, TreeCase};
use super::deps;
use crate::domain::{Spot, Verdict};

/// What begins a function, in the languages people write: after what may stand before it.
const FUNCTIONS: &[&str] = &["fn ", "def ", "func ", "function ", "sub ", "fun "];
/// What may stand before it.
const BEFORE: &[&str] = &[
    "pub ",
    "pub(crate) ",
    "pub(super) ",
    "async ",
    "const ",
    "unsafe ",
    "static ",
    "export ",
    "default ",
    "private ",
    "public ",
    "protected ",
    "internal ",
    "override ",
    "suspend ",
    "open ",
    "final ",
    "inline ",
    "extern \"C\" ",
];

/// Judges the size of the change.
pub fn judge(case: &TreeCase<'_>) -> Judged {
    let limit = |key: &str| case.settings.count(key);
    let files = &case.patch.files;
    let lines: usize = files.values().map(|file| file.added.len() + file.removed.len()).sum();
    let functions: Vec<Spot> = case.patch.added().filter(|(_, _, text)| begins_function(text)).map(function).collect();
    let layers = new_directories(case);
    let mut parts = Vec::new();
    let mut spots = Vec::new();
    let mut over = Vec::new();
    let mut held = |key: &str, noun: &str, number: usize, places: Vec<Spot>| {
        let Some(most) = limit(key) else { return };
        let part = format!("{number} {noun} of {most}");
        if number as u64 > most {
            spots.extend(places);
            over.push(part.clone());
        }
        parts.push(part);
    };
    held("lines", "lines", lines, Vec::new());
    held("files", "files", files.len(), Vec::new());
    held("functions", "new functions", functions.len(), functions);
    if limit("dependencies").is_some() {
        let drift = match deps::drift(case) {
            Ok(drift) => drift,
            Err(why) => return Judged::error(why),
        };
        let new = drift.new.into_iter().map(|(path, package)| Spot {
            path,
            lines: package.line.map(|line| (line, line)),
            text: format!("new: {} {}", package.name, package.version),
        });
        let new: Vec<Spot> = new.collect();
        held("dependencies", "new dependencies", new.len(), new);
    }
    let places = layers.iter().map(|path| Spot { path: path.clone(), lines: None, text: "a new directory".to_owned() });
    held("layers", "new directories", layers.len(), places.collect());
    if over.is_empty() {
        return Judged::new(Verdict::Pass, parts.join(", "));
    }
    Judged::new(Verdict::Fail, format!("{} allowed", over.join(", "))).line(parts.join("\n")).at(spots)
}

fn function((path, line, text): (&str, u32, &str)) -> Spot {
    Spot { path: path.to_owned(), lines: Some((line, line)), text: text.trim().trim_end_matches('{').trim().to_owned() }
}

fn begins_function(line: &str) -> bool {
    let mut line = line.trim_start();
    while let Some(rest) = BEFORE.iter().find_map(|word| line.strip_prefix(word)) {
        line = rest;
    }
    // `function (`, `func(` and `fn(` are types and values, not names.
    let named = |rest: &str| rest.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '(' | '*'));
    FUNCTIONS.iter().any(|word| line.strip_prefix(word).is_some_and(named))
}

/// Directories that hold a new file, and that the base doesn't have: a layer is a directory before it is anything else.
fn new_directories(case: &TreeCase<'_>) -> BTreeSet<String> {
    fn parents(path: &str) -> impl Iterator<Item = &str> {
        path.match_indices('/').filter_map(|(at, _)| path.get(..at))
    }
    let known: BTreeSet<&str> = case.base.paths.iter().flat_map(|path| parents(path)).collect();
    let new = case.patch.files.iter().filter(|(_, file)| file.is_new).flat_map(|(path, _)| parents(path));
    new.filter(|directory| !known.contains(directory)).map(str::to_owned).collect()
}
