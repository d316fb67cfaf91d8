//! Landing: the approved tree becomes a commit, and the person's branch moves to it if that disturbs nothing.
//!
//! Every step can be repeated: the same landing makes the same commit, refs move only from the value expected, and a
//! landing that a crash cut short is finished by asking for it again. The order is: commit, `refs/windlass/<name>`, files
//! of the checkout, branch, index; git's lock on the index is held meanwhile. A crash before the branch leaves the approved
//! change on its parent as an edit, which is harmless.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::change::Difference;
use super::git::{RepoError, file_error, unreadable};
use super::index_lock::IndexLock;
use super::moving::{Moving, Step, Stuck};
use super::objects::FileEntry;
use super::open::Repo;
use super::scratch::ScratchIndex;
use super::worktree::copy_with_time;
use crate::domain::{CommitId, LoopId, Person, Timestamp, TreeId};
use crate::process::capture::Captured;

/// What to land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// Whose change it is; the commit is kept at `refs/windlass/loop-<n>`.
    pub loop_id: LoopId,
    /// The approved tree, exactly.
    pub tree: TreeId,
    /// The commit it stands on.
    pub parent: CommitId,
    /// The commit message.
    pub message: String,
    /// The branch the loop began on; none if the checkout was detached.
    pub branch: Option<String>,
    /// Author and committer.
    pub by: Person,
    /// Date of the commit, to the second. Part of what makes landing again make the same commit.
    pub at: Timestamp,
}

/// A commit that landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The commit; its tree is the approved one.
    pub commit: CommitId,
    /// The ref that keeps it: `refs/windlass/loop-3`.
    pub kept_at: String,
    /// What became of the person's checkout.
    pub checkout: Checkout,
}

/// What landing did to the person's checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkout {
    /// It is on this branch, which has the commit now.
    Moved {
        /// The branch.
        branch: String,
    },
    /// It was left as it is.
    Left {
        /// Why.
        why: Left,
        /// The one command by which the person takes the commit in.
        command: String,
    },
}

/// Why landing left the checkout alone. Finishes the sentence "your checkout was left as it is: ...".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Left {
    /// Files differ from the commit, or stand where the change makes files.
    #[error("{} in the way", listed(.0))]
    Dirty(Vec<String>),
    /// The branch has another commit by now.
    #[error("{branch} has moved to {now}", now = .now.short())]
    Moved {
        /// The branch.
        branch: String,
        /// Where it is.
        now: CommitId,
    },
    /// The checkout is on another branch than the loop began on.
    #[error("it is on {is}, and the loop began on {expected}")]
    OtherBranch {
        /// Where it is.
        is: String,
        /// Where the loop began.
        expected: String,
    },
    /// The checkout is on no branch.
    #[error("it is on no branch")]
    Detached,
    /// A merge, rebase or the like is under way.
    #[error("a {0} is under way")]
    Busy(&'static str),
    /// git refused to move it.
    #[error("{0}")]
    Refused(String),
}

fn listed(paths: &[String]) -> String {
    let shown = paths.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    match (paths.len(), paths.len().saturating_sub(3)) {
        (1, _) => format!("{shown} is"),
        (_, 0) => format!("{shown} are"),
        (_, more) => format!("{shown} and {more} more are"),
    }
}

/// Why nothing landed.
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// The commit made has another tree than was approved.
    #[error("failed to land: commit {commit} has tree {found}, but {approved} was approved")]
    OtherTree {
        /// The commit.
        commit: CommitId,
        /// Its tree.
        found: TreeId,
        /// The tree approved.
        approved: TreeId,
    },
    /// The loop has landed another commit before.
    #[error("failed to land: {name} holds commit {found} already. Look at it: git show {name}")]
    Taken {
        /// The ref.
        name: String,
        /// What it holds.
        found: CommitId,
    },
    /// The repository failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// Files in git's directory that say an operation is under way, and its name.
const UNDER_WAY: &[(&str, &str)] = &[
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("sequencer", "sequence of picks"),
];

impl Repo {
    /// Makes the commit, keeps it at `refs/windlass/loop-<n>`, and moves the checkout to it if that is on the loop's branch,
    /// at the parent, and has nothing in the way. Repeating it after a crash at any point finishes it.
    ///
    /// # Errors
    /// If the commit can't be made or kept. A checkout that can't be moved is no error, see [`Checkout::Left`].
    pub fn land(&self, landing: &Landing) -> Result<Landed, LandError> {
        let commit = self.commit(landing)?;
        let found = self.tree_of(&commit)?;
        if found != landing.tree {
            return Err(LandError::OtherTree { commit, found, approved: landing.tree.clone() });
        }
        let kept_at = format!("refs/windlass/loop-{}", landing.loop_id);
        let again = self.keep(&kept_at, &commit)?;
        let checkout = match self.move_checkout(landing, &commit, again)? {
            Ok(branch) => Checkout::Moved { branch },
            Err(why) => Checkout::Left { command: command_for(&why, landing, &kept_at), why },
        };
        Ok(Landed { commit, kept_at, checkout })
    }

    fn commit(&self, landing: &Landing) -> Result<CommitId, RepoError> {
        let (name, mail) = identity(&landing.by);
        let date = format!("@{} +0000", landing.at.0.div_euclid(1000));
        let message = format!("{}\n", landing.message.trim_end());
        self.git()
            .env("GIT_AUTHOR_NAME", &name)
            .env("GIT_AUTHOR_EMAIL", &mail)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", &name)
            .env("GIT_COMMITTER_EMAIL", &mail)
            .env("GIT_COMMITTER_DATE", &date)
            .args(["commit-tree", landing.tree.as_str(), "-p", landing.parent.as_str()])
            .stdin(message)
            .id("make the commit")
    }

    /// Creates the ref, or finds it made by an earlier attempt, which is then true.
    fn keep(&self, name: &str, commit: &CommitId) -> Result<bool, LandError> {
        if let Some(found) = self.ref_value(name)? {
            return if found == *commit { Ok(true) } else { Err(LandError::Taken { name: name.to_owned(), found }) };
        }
        let none = "0".repeat(commit.as_str().len());
        let args = ["update-ref", "-m", "windlass: land", name, commit.as_str(), &none];
        self.git().args(args).bytes(&format!("keep the commit at {name}"))?;
        Ok(false)
    }

    fn ref_value(&self, name: &str) -> Result<Option<CommitId>, RepoError> {
        let doing = format!("read {name}");
        let captured = self.git().args(["rev-parse", "--verify", "-q", "--end-of-options", name]).outcome()?;
        if !captured.status.success() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&captured.stdout);
        text.trim().parse().map(Some).map_err(|_| unreadable(&doing, &captured.stdout))
    }

    /// The branch that moved, or why the checkout was left alone.
    fn move_checkout(
        &self,
        landing: &Landing,
        commit: &CommitId,
        again: bool,
    ) -> Result<Result<String, Left>, RepoError> {
        let lock = IndexLock::take(self)?;
        let branch = match (self.branch()?, &landing.branch) {
            (Some(is), Some(expected)) if is == *expected => is,
            (Some(is), Some(expected)) => return Ok(Err(Left::OtherBranch { is, expected: expected.clone() })),
            (None, _) | (_, None) => return Ok(Err(Left::Detached)),
        };
        if let Some((_, operation)) = UNDER_WAY.iter().find(|(file, _)| self.git_dir().join(file).exists()) {
            return Ok(Err(Left::Busy(operation)));
        }
        let now = self.head()?;
        // Cut short between the branch and the index, the index is still the parent's.
        let cut_short = again && now == *commit && self.index_is(&self.tree_of(&landing.parent)?)?;
        if !cut_short && (now == *commit || self.is_ancestor(commit, &now)?) {
            return Ok(Ok(branch));
        }
        if !cut_short && now != landing.parent {
            return Ok(Err(Left::Moved { branch, now }));
        }
        let Some(lock) = lock else {
            return Ok(Err(Left::Refused(format!("{} is there", IndexLock::file(self).display()))));
        };
        let steps = if self.holds_already(&landing.tree)? { Ok(Vec::new()) } else { self.steps(landing, again)? };
        let steps = match steps {
            Ok(steps) => steps,
            Err(left) => return Ok(Err(left)),
        };
        let mut moving = Moving::new(self, &landing.tree)?;
        let carried = match moving.go(&steps) {
            Ok(()) => self.carry(lock, landing, commit, &branch),
            Err(Stuck::Mine(path)) => Ok(Err(Left::Dirty(vec![path]))),
            Err(Stuck::Refused(why)) => Ok(Err(Left::Refused(why))),
            Err(Stuck::Repo(error)) => Err(error),
        };
        if matches!(carried, Ok(Ok(()))) {
            moving.finish()?
        } else {
            moving.undo()?
        }
        Ok(carried?.map(|()| branch))
    }

    /// Moves the branch from the parent to the commit, and the index with it; the files are there already.
    fn carry(
        &self,
        lock: IndexLock,
        landing: &Landing,
        commit: &CommitId,
        branch: &str,
    ) -> Result<Result<(), Left>, RepoError> {
        let said = |captured: &Captured| Left::Refused(String::from_utf8_lossy(&captured.stderr).trim().to_owned());
        let index = ScratchIndex::new(self)?;
        copy_with_time(&self.git_dir().join("index"), index.path())?;
        let git = || self.git().settings(&["core.splitIndex=false"]).env("GIT_INDEX_FILE", index.path());
        let merged = git().args(["read-tree", "-i", "-m", landing.parent.as_str(), commit.as_str()]).outcome()?;
        if !merged.status.success() {
            return Ok(Err(said(&merged)));
        }
        git().args(["update-index", "-q", "--refresh"]).outcome()?;
        let name = format!("refs/heads/{branch}");
        if self.ref_value(&name)?.as_ref() != Some(commit) {
            let message = format!("windlass: land loop {}", landing.loop_id);
            let args = ["update-ref", "-m", &message, &name, commit.as_str(), landing.parent.as_str()];
            let moved = self.git().args(args).outcome()?;
            if !moved.status.success() {
                return Ok(Err(match self.ref_value(&name)? {
                    Some(now) if now != landing.parent => Left::Moved { branch: branch.to_owned(), now },
                    _ => said(&moved),
                }));
            }
        }
        // Who switched just now has the files of the other branch before them.
        match self.branch()? {
            Some(is) if is == branch => lock.write(index.path()).map(Ok),
            Some(is) => Ok(Err(Left::OtherBranch { is, expected: branch.to_owned() })),
            None => Ok(Err(Left::Detached)),
        }
    }

    /// Whether the checkout's index and tracked files are the tree already: a landing was cut short before its last step.
    fn holds_already(&self, tree: &TreeId) -> Result<bool, RepoError> {
        let doing = "compare the checkout with the approved tree";
        let index = ScratchIndex::new(self)?;
        copy_with_time(&self.git_dir().join("index"), index.path())?;
        let git = || self.git().env("GIT_INDEX_FILE", index.path());
        git().args(["update-index", "-q", "--refresh"]).outcome()?;
        Ok(self.index_is(tree)? && git().args(["diff-files", "--quiet", "--ignore-submodules=dirty"]).yes(doing)?)
    }

    /// Whether exactly this tree is staged.
    fn index_is(&self, tree: &TreeId) -> Result<bool, RepoError> {
        let args = ["diff-index", "--quiet", "--cached", tree.as_str(), "--"];
        self.git().args(args).yes("compare the index with a tree")
    }

    fn is_ancestor(&self, commit: &CommitId, of: &CommitId) -> Result<bool, RepoError> {
        let args = ["merge-base", "--is-ancestor", commit.as_str(), of.as_str()];
        self.git().args(args).yes("compare two commits")
    }

    /// What is to be done to the files of the checkout, which stand at the parent; or what is in the way: changed tracked
    /// files, and files that git doesn't track (ignored ones, too, which git itself would overwrite) where the change makes
    /// new ones. A path that is already as the change makes it is not in the way, nor, if this is done `again`, one that
    /// the change has begun to make: a landing was cut short there.
    fn steps(&self, landing: &Landing, again: bool) -> Result<Result<Vec<Step>, Left>, RepoError> {
        let parent = self.tree_of(&landing.parent)?;
        let entries = |tree: &TreeId| -> Result<HashMap<String, FileEntry>, RepoError> {
            Ok(self.files(tree)?.into_iter().map(|entry| (entry.path.clone(), entry)).collect())
        };
        let (old, new) = (entries(&parent)?, entries(&landing.tree)?);
        let differences = self.differences(&parent, &landing.tree)?;
        let dirty = self.in_the_way(&differences, &old)?;
        let staged = !self.index_is(&parent)?;
        let (mut blocking, mut done, mut begun) = (Vec::new(), HashSet::new(), HashSet::new());
        for path in dirty {
            let target = new.get(&path);
            if !staged && self.is_already(&path, target)? {
                done.insert(path);
            } else if !staged
                && again
                && differences.iter().any(|one| one.path == path)
                && self.is_begun(&path, target)?
            {
                begun.insert(path);
            } else {
                blocking.push(path);
            }
        }
        if !blocking.is_empty() {
            return Ok(Err(Left::Dirty(blocking)));
        }
        let elsewhere = self.not_checked_out()?;
        let steps = differences.into_iter().map(|one| one.path);
        let steps = steps.filter(|path| !done.contains(path) && !elsewhere.contains(path)).map(|path| Step {
            old: old.get(&path).cloned(),
            new: new.get(&path).cloned(),
            begun: begun.contains(&path),
            path,
        });
        Ok(Ok(steps.collect()))
    }

    /// Paths that a sparse checkout leaves out.
    fn not_checked_out(&self) -> Result<HashSet<String>, RepoError> {
        let listed = self.git().args(["ls-files", "-v", "-z"]).bytes("read the index")?;
        let skipped = listed.split(|byte| *byte == 0).filter_map(|line| line.strip_prefix(b"S "));
        Ok(skipped.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// Changed tracked files, and files that git doesn't track where the change makes new ones.
    fn in_the_way(
        &self,
        differences: &[Difference],
        tracked: &HashMap<String, FileEntry>,
    ) -> Result<Vec<String>, RepoError> {
        let mut paths = self.dirty_tracked()?;
        for difference in differences {
            let path = Path::new(&difference.path);
            let parts = path.ancestors().filter(|part| !part.as_os_str().is_empty());
            let mut names = parts.filter_map(|part| Some((part, part.to_str()?)));
            let found = names.find(|(part, name)| {
                let meta = self.top().join(part).symlink_metadata();
                !tracked.contains_key(*name) && meta.is_ok_and(|meta| *part == path || !meta.is_dir())
            });
            paths.extend(found.map(|(_, name)| name.to_owned()));
        }
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// Whether the checkout holds exactly this at the path: a file of that mode and content, or nothing.
    fn is_already(&self, path: &str, target: Option<&FileEntry>) -> Result<bool, RepoError> {
        let file = self.top().join(path);
        target.map_or_else(|| Ok(file.symlink_metadata().is_err()), |target| self.is_entry(path, &file, target))
    }

    /// Whether the checkout holds at the path what is left by a git that was killed while it put this there: nothing, or
    /// a beginning.
    fn is_begun(&self, path: &str, target: Option<&FileEntry>) -> Result<bool, RepoError> {
        let file = self.top().join(path);
        match (file.symlink_metadata(), target) {
            (Err(_), _) => Ok(true),
            (Ok(meta), Some(target)) if meta.is_file() && target.mode.is_file() => {
                let content = std::fs::read(&file).map_err(file_error("read", &file))?;
                Ok(self.blob(target)?.starts_with(&content))
            }
            _ => Ok(false),
        }
    }
}

fn command_for(why: &Left, landing: &Landing, kept_at: &str) -> String {
    match (why, &landing.branch) {
        (Left::OtherBranch { .. } | Left::Detached, Some(branch)) => {
            format!("git switch {} && git merge {kept_at}", shell_word(branch))
        }
        _ => format!("git merge {kept_at}"),
    }
}

/// A word that a shell takes as it is.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Name and address of a person, as git takes them: neither empty, no angle brackets or line ends.
fn identity(person: &Person) -> (String, String) {
    let text = person.0.trim();
    let (name, mail) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).unwrap_or((text, ""));
    let clean = |part: &str| {
        let kept: String = part.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
        kept.trim().to_owned()
    };
    let (name, mail) = (clean(name), clean(mail));
    // git refuses a name made of nothing but these.
    let nameless = name.chars().all(|c| matches!(c, '.' | ',' | ':' | ';' | '"' | '\\' | '\'' | ' '));
    (if nameless { "unknown".to_owned() } else { name }, mail)
}
