//! A tree as a change: git's own diff against the base, with a person's preferences and the repository's attributes kept out.

use super::flags::flags_of;
use super::git::{RepoError, unreadable};
use super::open::Repo;
use crate::domain::{Change, CommitId, FileStat, TreeId};

/// Options that fix what a configuration could change.
const DIFF: &[&str] = &[
    "diff-tree",
    "-r",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--no-relative",
    "--no-indent-heuristic",
    "--full-index",
    "--diff-algorithm=myers",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--ignore-submodules=none",
    "--submodule=short",
    "-O/dev/null",
];

/// One path in which two trees differ.
pub(super) struct Difference {
    /// Its mode in the base, as git's octal digits; zeros if it isn't there.
    pub(super) old_mode: String,
    /// Its mode in the new tree; zeros if it isn't there.
    pub(super) new_mode: String,
    /// The path.
    pub(super) path: String,
}

impl Repo {
    /// The change that makes `tree` of `base`: diff, sizes, and what the human should look at twice. `flags` come first,
    /// then those that the paths, modes and contents of the change raise.
    ///
    /// # Errors
    /// If the repository lacks the commit or the tree, or git can't compare them.
    pub fn change(&self, base: &CommitId, tree: &TreeId, flags: Vec<String>) -> Result<Change, RepoError> {
        let base_tree = self.tree_of(base)?;
        let patch = self.patch(&base_tree, tree)?;
        let (files, binary) = stats_of(&self.diff(&["--numstat", "-z"], &base_tree, tree)?)?;
        let mut flags = flags;
        flags.extend(flags_of(self, &base_tree, tree, &self.differences(&base_tree, tree)?)?);
        flags.extend(binary.iter().map(|path| format!("changes {path}, whose binary content the diff does not show")));
        Ok(Change { base: base.clone(), tree: tree.clone(), patch: patch.into(), files, flags })
    }

    /// The diff of two trees.
    ///
    /// # Errors
    /// If the repository lacks a tree, or git can't compare them.
    pub fn patch(&self, from: &TreeId, to: &TreeId) -> Result<String, RepoError> {
        let bytes = self.diff(&["--patch", "--unified=3", "--inter-hunk-context=0"], from, to)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The paths in which two trees differ, with their modes.
    pub(super) fn differences(&self, base: &TreeId, tree: &TreeId) -> Result<Vec<Difference>, RepoError> {
        let bytes = self.diff(&["--raw", "-z"], base, tree)?;
        let mut fields = bytes.split(|byte| *byte == 0).filter(|field| !field.is_empty());
        let mut found = Vec::new();
        while let Some(facts) = fields.next() {
            let wrong = || unreadable("compare two trees", facts);
            let text = std::str::from_utf8(facts).map_err(|_| wrong())?;
            let mut modes = text.strip_prefix(':').ok_or_else(wrong)?.split(' ').map(str::to_owned);
            let (old_mode, new_mode) = (modes.next().ok_or_else(wrong)?, modes.next().ok_or_else(wrong)?);
            let path = String::from_utf8_lossy(fields.next().ok_or_else(wrong)?).into_owned();
            found.push(Difference { old_mode, new_mode, path });
        }
        Ok(found)
    }

    fn diff(&self, form: &[&str], base: &TreeId, tree: &TreeId) -> Result<Vec<u8>, RepoError> {
        let doing = "compare the change with its base";
        // An attribute can call a text binary and so keep it from review. The empty tree has no attributes.
        let no_attributes: TreeId = self.git().args(["hash-object", "-t", "tree", "--stdin"]).id(doing)?;
        self.git()
            .settings(&["core.attributesFile=/dev/null", "diff.suppressBlankEmpty=false"])
            .env("GIT_ATTR_SOURCE", no_attributes.as_str())
            .args(DIFF)
            .args(form)
            .args([base.as_str(), tree.as_str()])
            .bytes(doing)
    }
}

/// Reads `added<TAB>removed<TAB>path` records, and which of them are binary.
fn stats_of(bytes: &[u8]) -> Result<(Vec<FileStat>, Vec<String>), RepoError> {
    let text = String::from_utf8_lossy(bytes);
    let mut files = Vec::new();
    let mut binary = Vec::new();
    for record in text.split('\0').filter(|record| !record.is_empty()) {
        let mut fields = record.splitn(3, '\t');
        let (Some(added), Some(removed), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(unreadable("count changed lines", record.as_bytes()));
        };
        if added == "-" {
            binary.push(path.to_owned());
        }
        let count = |digits: &str| digits.parse().unwrap_or(0);
        files.push(FileStat { path: path.to_owned(), added: count(added), removed: count(removed) });
    }
    Ok((files, binary))
}
