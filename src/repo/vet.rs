//! Judges the edits of an answer against the tree they are for, before any of them is carried out. Pure.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::boundary::Boundary;
use super::edit::{Action, FileEdit};
use super::objects::{FileEntry, FileMode};
use super::path::{folded, refusal};

/// Most files one change may touch.
pub const MAX_FILES: usize = 1000;
/// Most bytes a file may have after a change.
pub const MAX_FILE_BYTES: usize = 4 << 20;

/// Why an edit is refused, in words fit to be sent back to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The path, exactly as the answer has it; empty if it is about the answer as a whole.
    pub path: String,
    /// What is wrong with it, to follow the path.
    pub reason: String,
}

impl Problem {
    pub(super) fn new(path: &str, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.reason) } else { write!(f, "{}: {}", self.path, self.reason) }
    }
}

/// Everything that is wrong with these edits; nothing, if they may be carried out.
pub(super) fn problems_of(edits: &[FileEdit], base: &[FileEntry], boundary: &Boundary) -> Vec<Problem> {
    if edits.len() > MAX_FILES {
        let reason = format!("the change touches {} files; the most is {MAX_FILES}", edits.len());
        return vec![Problem::new("", reason)];
    }
    let tree = Tree::new(edits, base);
    edits.iter().flat_map(|edit| tree.problems_of(edit, boundary)).collect()
}

/// The base and what the edits as a whole make of it.
struct Tree<'a> {
    base: HashMap<&'a str, FileMode>,
    /// Every file and directory of the base.
    known: HashSet<&'a str>,
    /// Every path that will hold a file, with every directory above one.
    after: HashSet<&'a str>,
    /// The directories among them.
    dirs: HashSet<&'a str>,
    /// Of each name as file systems fold it, the first path that has it.
    by_fold: HashMap<String, &'a str>,
    /// How many edits result in a path.
    uses: HashMap<&'a str, usize>,
}

impl<'a> Tree<'a> {
    fn new(edits: &'a [FileEdit], base: &'a [FileEntry]) -> Self {
        let mut uses = HashMap::new();
        let mut gone = HashSet::new();
        for edit in edits {
            *uses.entry(edit.path.as_str()).or_insert(0) += 1;
            gone.extend(edit.from.as_deref());
            if matches!(edit.action, Action::Delete(_)) {
                gone.insert(edit.path.as_str());
            }
        }
        let kept = base.iter().map(|entry| entry.path.as_str()).filter(|path| !gone.contains(path));
        let made = edits.iter().filter(|edit| !matches!(edit.action, Action::Delete(_))).map(|edit| edit.path.as_str());
        let (mut after, mut dirs, mut by_fold) = (HashSet::new(), HashSet::new(), HashMap::new());
        for path in kept.chain(made) {
            for dir in ancestors(path).take_while(|dir| dirs.insert(*dir)) {
                by_fold.entry(folded(dir)).or_insert(dir);
            }
            by_fold.entry(folded(path)).or_insert(path);
            after.insert(path);
        }
        let known = base.iter().flat_map(|entry| ancestors(&entry.path).chain([entry.path.as_str()])).collect();
        let base = base.iter().map(|entry| (entry.path.as_str(), entry.mode)).collect();
        Self { base, known, after, dirs, by_fold, uses }
    }

    fn problems_of(&self, edit: &FileEdit, boundary: &Boundary) -> Vec<Problem> {
        let mut problems = Vec::new();
        for path in [Some(edit.path.as_str()), edit.from.as_deref()].into_iter().flatten() {
            if let Some(reason) = refusal(path).or_else(|| boundary.refusal(path)).or_else(|| self.link_refusal(path)) {
                problems.push(Problem::new(path, reason));
            }
        }
        // A path that can't be taken says nothing about the tree.
        if problems.is_empty() {
            let reasons = [
                self.reuse_refusal(edit),
                self.mode_refusal(edit),
                self.existence_refusal(edit),
                self.shape_refusal(edit),
                content_refusal(&edit.action),
            ];
            problems.extend(reasons.into_iter().flatten().map(|reason| Problem::new(&edit.path, reason)));
        }
        problems
    }

    fn link_refusal(&self, path: &str) -> Option<String> {
        let through = ancestors(path).chain([path]).find_map(|part| match self.base.get(part) {
            Some(FileMode::Symlink) => Some((part, "symbolic link")),
            Some(FileMode::Submodule) => Some((part, "submodule")),
            _ => None,
        });
        through.map(|(part, kind)| {
            if part == path {
                format!("is a {kind}, which a change may not edit")
            } else {
                format!("goes through the {kind} {part}")
            }
        })
    }

    fn reuse_refusal(&self, edit: &FileEdit) -> Option<String> {
        let twice = self.uses.get(edit.path.as_str()).is_some_and(|uses| *uses > 1);
        let moved_onto = edit.from.is_some() && self.base.contains_key(edit.path.as_str());
        match () {
            () if twice => Some("is edited more than once in ways that exclude each other; give one edit of it".into()),
            () if moved_onto => Some("is there already; a file can't be renamed to it".into()),
            () => None,
        }
    }

    fn mode_refusal(&self, edit: &FileEdit) -> Option<String> {
        let digits = edit.mode.as_deref()?;
        match FileMode::from_octal(digits) {
            Some(FileMode::Symlink) => {
                Some("would be a symbolic link (mode 120000), which a change may not make".into())
            }
            Some(FileMode::Submodule) => Some("would be a submodule (mode 160000), which a change may not make".into()),
            Some(_) if digits != "100664" => None,
            _ => Some(format!("has mode {digits}; only 100644 and 100755 are allowed")),
        }
    }

    fn existence_refusal(&self, edit: &FileEdit) -> Option<String> {
        let source = edit.source();
        let there = self.base.contains_key(source);
        match &edit.action {
            Action::Create(_) if there => {
                Some("is there already; give a diff against it, or the whole file to replace it".into())
            }
            Action::Modify(_) | Action::Delete(_) if !there => {
                let name = source.rsplit('/').next();
                let same_name = self.base.keys().find(|path| path.rsplit('/').next() == name);
                let hint = same_name.map_or_else(String::new, |path| format!("; did you mean {path}?"));
                let subject =
                    edit.from.as_ref().map_or_else(String::new, |from| format!("is to be made of {from}, which "));
                Some(format!("{subject}is not in the repository{hint}"))
            }
            _ => None,
        }
    }

    /// A name that is a file here and a directory there, or the same as another one on some file system.
    fn shape_refusal(&self, edit: &FileEdit) -> Option<String> {
        let path = edit.path.as_str();
        if matches!(edit.action, Action::Delete(_)) {
            return None;
        }
        if self.dirs.contains(path) {
            return Some("is a directory".into());
        }
        if let Some(file) = ancestors(path).find(|dir| self.after.contains(dir)) {
            return Some(format!("needs {file} to be a directory, but it is a file"));
        }
        // What the base has is the person's own, colliding or not.
        let made = ancestors(path).chain([path]).filter(|part| !self.known.contains(part));
        let other = made.filter_map(|part| self.by_fold.get(&folded(part)).filter(|other| **other != part)).next()?;
        Some(format!("is the same as {other} where letter case or Unicode form does not count"))
    }
}

/// Why this can't be the content of a file.
pub(super) fn content_refusal(action: &Action) -> Option<String> {
    let (Action::Create(content) | Action::Write(content)) = action else { return None };
    match () {
        () if content.len() > MAX_FILE_BYTES => {
            Some(format!("has {} bytes; the most is {MAX_FILE_BYTES} (4 MiB)", content.len()))
        }
        () if content.contains('\0') => Some("has NUL bytes; binary content can't be taken".into()),
        () => None,
    }
}

/// The directories above a path, nearest first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|(dir, _)| dir), |dir| dir.rsplit_once('/').map(|(up, _)| up))
}
