//! Cases for the tests of kinds: reports without a run, trees without a repository.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::case::{Judged, Report, ReportCase, Reports, Tree, TreeCase};
use super::patch::{FilePatch, Patch};
use super::{judge_reports, judge_trees};
use crate::domain::{CheckKind, Setting, Settings};

/// Reports of a run that ended with `exit`, of a tree that isn't there.
pub(super) fn reports(text: &str, exit: i32) -> Reports {
    reports_in(Path::new("/repo"), text, exit)
}

/// The same of a tree checked out at `root`.
pub(super) fn reports_in(root: &Path, text: &str, exit: i32) -> Reports {
    let file = Report { name: "report".to_owned(), bytes: text.as_bytes().to_vec() };
    Reports { root: root.to_owned(), files: vec![file], exit }
}

/// Settings of these.
pub(super) fn settings<const N: usize>(settings: [(&str, Setting); N]) -> Settings {
    Settings(settings.map(|(key, setting)| (key.to_owned(), setting)).into())
}

/// A number as a setting.
pub(super) fn number(value: i64) -> Setting {
    Setting::Number(value * 1000)
}

/// Texts as a setting.
pub(super) fn texts(texts: &[&str]) -> Setting {
    Setting::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// What a kind says of these reports.
pub(super) fn judged(
    kind: CheckKind,
    settings: &Settings,
    patch: &Patch,
    head: (&str, i32),
    base: Option<(&str, i32)>,
) -> Judged {
    let (head, base) = (reports(head.0, head.1), base.map(|(text, exit)| reports(text, exit)));
    judge_reports(kind, &ReportCase { settings, patch, head: &head, base: base.as_ref() })
}

/// A patch that adds these lines.
pub(super) fn adds(path: &str, lines: &[(u32, &str)]) -> Patch {
    let added = lines.iter().map(|(number, text)| (*number, (*text).to_owned())).collect();
    let file = FilePatch { added, ..FilePatch::default() };
    Patch { files: [(path.to_owned(), file)].into() }
}

/// Two trees, as directories.
pub(super) struct Trees {
    dir: TempDir,
    base: Vec<(String, String)>,
    head: Vec<(String, String)>,
}

impl Trees {
    /// The trees of these files; the change is what differs.
    pub(super) fn new(base: &[(&str, &str)], head: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        let owned = |files: &[(&str, &str)]| -> Vec<(String, String)> {
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
        };
        let trees = Self { dir, base: owned(base), head: owned(head) };
        for (side, files) in [("base", &trees.base), ("head", &trees.head)] {
            for (path, text) in files {
                let file = trees.dir.path().join(side).join(path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
        }
        trees
    }

    /// What a kind says of them.
    pub(super) fn judged(&self, kind: CheckKind, settings: &Settings) -> Judged {
        let tree = |side: &str, files: &[(String, String)]| Tree {
            root: self.dir.path().join(side),
            paths: files.iter().map(|(path, _)| path.clone()).collect(),
        };
        let (base, head) = (tree("base", &self.base), tree("head", &self.head));
        judge_trees(kind, &TreeCase { settings, patch: &self.patch(), base: &base, head: &head })
    }

    /// The change, as crude as it may be: a file that differs has all its lines removed and added.
    fn patch(&self) -> Patch {
        let mut patch = Patch::default();
        let lines = |text: &str| (1..).zip(text.lines().map(str::to_owned)).collect();
        for (path, text) in &self.head {
            let before = self.base.iter().find(|(other, _)| other == path).map(|(_, text)| text);
            if before != Some(text) {
                let removed = before.map(|before| lines(before)).unwrap_or_default();
                let file = FilePatch { added: lines(text), removed, is_new: before.is_none(), is_gone: false };
                patch.files.insert(path.clone(), file);
            }
        }
        patch
    }
}
