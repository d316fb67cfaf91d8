//! Trees and files as git stores them: reading them, and making new trees without touching any checkout.

use std::collections::BTreeSet;

use super::git::{Git, RepoError, refusal, unreadable};
use super::open::Repo;
use super::scratch::ScratchIndex;
use crate::domain::{CommitId, TreeId};

/// What kind of thing a tree holds at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileMode {
    /// A file (100644, or the historical 100664).
    Plain,
    /// An executable file (100755).
    Executable,
    /// A symbolic link (120000).
    Symlink,
    /// The commit of another repository (160000).
    Submodule,
}

impl FileMode {
    /// git's octal digits.
    pub const fn octal(self) -> &'static str {
        match self {
            Self::Plain => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }

    /// The mode of these octal digits, if git has it.
    pub fn from_octal(digits: &str) -> Option<Self> {
        match digits {
            "100644" | "100664" => Some(Self::Plain),
            "100755" => Some(Self::Executable),
            "120000" => Some(Self::Symlink),
            "160000" => Some(Self::Submodule),
            _ => None,
        }
    }

    /// Whether it is a regular file.
    pub const fn is_file(self) -> bool {
        matches!(self, Self::Plain | Self::Executable)
    }
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Path from the top of the repository. A name that isn't UTF-8 has U+FFFD in it and can't be read or edited.
    pub path: String,
    /// What it is.
    pub mode: FileMode,
    /// Size in bytes; 0 for a submodule.
    pub size: u64,
    /// git's id of its content.
    pub(super) id: String,
}

/// One path of a tree to be made.
pub(super) enum TreeEdit {
    /// The path holds this content.
    Put { path: String, mode: FileMode, id: String },
    /// The path is gone.
    Remove { path: String },
}

impl Repo {
    /// The tree of a commit.
    ///
    /// # Errors
    /// If the repository doesn't have that commit.
    pub fn tree_of(&self, commit: &CommitId) -> Result<TreeId, RepoError> {
        let name = format!("{commit}^{{tree}}");
        self.git().args(["rev-parse", "--verify", "-q", "--end-of-options", &name]).id(&format!("read commit {commit}"))
    }

    /// Every file of a tree, in git's order.
    ///
    /// # Errors
    /// If the repository doesn't have that tree.
    pub fn files(&self, tree: &TreeId) -> Result<Vec<FileEntry>, RepoError> {
        let doing = format!("list tree {tree}");
        let bytes = self.git().args(["ls-tree", "-r", "-z", "-l", "--full-tree", tree.as_str()]).bytes(&doing)?;
        let records = bytes.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        records.map(|record| entry_of(record).ok_or_else(|| unreadable(&doing, record))).collect()
    }

    /// The paths of the files of a tree that git takes for text, empty ones aside.
    ///
    /// # Errors
    /// If the repository doesn't have that tree.
    pub fn texts(&self, tree: &TreeId) -> Result<BTreeSet<String>, RepoError> {
        let doing = format!("look for texts in tree {tree}");
        let args = ["grep", "--no-color", "-I", "-l", "-z", "--full-name", "-F", "-e", "", tree.as_str()];
        let found = self.git().args(args).outcome()?;
        match found.status.code() {
            // 1 is git's word for no match.
            Some(0 | 1) => {}
            _ => return Err(refusal(&doing, &found)),
        }
        let prefix = format!("{tree}:");
        let records = found.stdout.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        let paths = records.map(|record| {
            let path = record.strip_prefix(prefix.as_bytes()).ok_or_else(|| unreadable(&doing, record))?;
            Ok(String::from_utf8_lossy(path).into_owned())
        });
        paths.collect()
    }

    /// The bytes of the regular file at `path` in a tree; none if there is no such file.
    ///
    /// # Errors
    /// If the repository doesn't have that tree or can't read the file.
    pub fn read(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, RepoError> {
        // git takes these for something else than a name in the tree, or for an error.
        if path.is_empty() || path.contains('\0') || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Ok(None);
        }
        let doing = format!("read {path} of tree {tree}");
        let bytes = self.git().args(["ls-tree", "-z", "-l", "--full-tree", tree.as_str(), "--", path]).bytes(&doing)?;
        let records = bytes.split(|byte| *byte == 0).filter_map(entry_of);
        // A directory's path lists its content, so the name has to be compared.
        match records.into_iter().find(|entry| entry.path == path && entry.mode.is_file()) {
            Some(entry) => self.blob(&entry).map(Some),
            None => Ok(None),
        }
    }

    /// The content of a file that [`files`](Self::files) listed.
    pub(super) fn blob(&self, entry: &FileEntry) -> Result<Vec<u8>, RepoError> {
        self.git().args(["cat-file", "blob", &entry.id]).bytes(&format!("read {}", entry.path))
    }

    /// Stores content as it is, without any conversion of line ends; its id.
    pub(super) fn store(&self, content: &[u8]) -> Result<String, RepoError> {
        self.git().args(["hash-object", "-w", "--no-filters", "--stdin"]).stdin(content).line("store a file")
    }

    /// The tree that is `base` with one file added or replaced. A file that was executable stays so.
    ///
    /// # Errors
    /// If git can't store it, or `path` isn't one that git takes.
    pub fn with_file(&self, base: &TreeId, path: &str, bytes: &[u8]) -> Result<TreeId, RepoError> {
        let entry = self.files(base)?.into_iter().find(|entry| entry.path == path);
        let mode = entry.map(|entry| entry.mode).filter(|mode| mode.is_file()).unwrap_or(FileMode::Plain);
        let id = self.store(bytes)?;
        self.tree_with(base, &[TreeEdit::Put { path: path.to_owned(), mode, id }])
    }

    /// The tree that is `base` with these edits.
    pub(super) fn tree_with(&self, base: &TreeId, edits: &[TreeEdit]) -> Result<TreeId, RepoError> {
        let index = ScratchIndex::new(self)?;
        let git = || scratch_settings(self.git()).env("GIT_INDEX_FILE", index.path());
        git().args(["read-tree", base.as_str()]).bytes(&format!("read tree {base}"))?;
        let gone = "0".repeat(base.as_str().len());
        // Removals first: a file may give way to a directory of the same name.
        let removals = edits.iter().filter_map(|edit| match edit {
            TreeEdit::Remove { path } => Some(format!("0 {gone}\t{path}\0")),
            TreeEdit::Put { .. } => None,
        });
        let additions = edits.iter().filter_map(|edit| match edit {
            TreeEdit::Put { path, mode, id } => Some(format!("{} {id}\t{path}\0", mode.octal())),
            TreeEdit::Remove { .. } => None,
        });
        let lines: String = removals.chain(additions).collect();
        let updated = git().args(["update-index", "-z", "--index-info"]).stdin(lines).outcome()?;
        // git only warns of a path that it doesn't take, and leaves it out.
        if !updated.status.success() || String::from_utf8_lossy(&updated.stderr).contains("Ignoring path") {
            return Err(refusal("make the new tree", &updated));
        }
        git().args(["write-tree"]).id("write the new tree")
    }
}

/// Settings for temporary indexes: whole, self-contained, and comparing files by everything the file system tells.
pub(super) fn scratch_settings(git: Git) -> Git {
    git.settings(&[
        "core.sparseCheckout=false",
        "core.sparseCheckoutCone=false",
        "index.sparse=false",
        "core.splitIndex=false",
        "core.untrackedCache=false",
        "core.trustctime=true",
        "core.checkStat=default",
    ])
}

/// Reads `mode type id size<TAB>path`.
fn entry_of(record: &[u8]) -> Option<FileEntry> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let (facts, path) = record.split_at_checked(tab)?;
    let mut facts = std::str::from_utf8(facts).ok()?.split_ascii_whitespace();
    let mode = FileMode::from_octal(facts.next()?)?;
    let id = facts.nth(1)?.to_owned();
    let size = facts.next()?.parse().unwrap_or(0);
    Some(FileEntry { path: String::from_utf8_lossy(path.get(1..)?).into_owned(), mode, size, id })
}
