//! Landing: the approved tree becomes a commit, and the person's branch moves to it if that disturbs nothing.
//!
//! Every step can be repeated: the same landing makes the same commit, refs move only from the value expected, and a
//! landing that a crash cut short is finished by asking for it again. The order is: commit, `refs/windlass/<name>`, files
//! of the checkout, branch. A crash before the last step leaves the approved change staged on its parent, which is harmless.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::git::{RepoError, file_error, unreadable};
use super::objects::{FileEntry, FileMode};
use super::open::Repo;
use crate::domain::{CommitId, LoopId, Person, Timestamp, TreeId};

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
        let branch = match (self.branch()?, &landing.branch) {
            (Some(is), Some(expected)) if is == *expected => is,
            (Some(is), Some(expected)) => return Ok(Err(Left::OtherBranch { is, expected: expected.clone() })),
            (None, _) | (_, None) => return Ok(Err(Left::Detached)),
        };
        if let Some((_, operation)) = UNDER_WAY.iter().find(|(file, _)| self.git_dir().join(file).exists()) {
            return Ok(Err(Left::Busy(operation)));
        }
        let now = self.head()?;
        if now == *commit || self.is_ancestor(commit, &now)? {
            return Ok(Ok(branch));
        }
        if now != landing.parent {
            return Ok(Err(Left::Moved { branch, now }));
        }
        if !self.holds_already(&landing.tree)?
            && let Some(left) = self.move_files(landing, commit, again)?
        {
            return Ok(Err(left));
        }
        self.move_branch(&branch, landing, commit)
    }

    /// Moves the branch from the parent to the commit; puts the files back if somebody else has moved it just now.
    fn move_branch(
        &self,
        branch: &str,
        landing: &Landing,
        commit: &CommitId,
    ) -> Result<Result<String, Left>, RepoError> {
        let name = format!("refs/heads/{branch}");
        let message = format!("windlass: land loop {}", landing.loop_id);
        let args = ["update-ref", "-m", &message, &name, commit.as_str(), landing.parent.as_str()];
        let moved = self.git().args(args).outcome()?;
        if moved.status.success() {
            return Ok(Ok(branch.to_owned()));
        }
        let back = ["read-tree", "-m", "-u", commit.as_str(), landing.parent.as_str()];
        self.git().args(back).bytes("put the files of the checkout back")?;
        Ok(Err(match self.ref_value(&name)? {
            Some(now) if now != landing.parent => Left::Moved { branch: branch.to_owned(), now },
            _ => Left::Refused(String::from_utf8_lossy(&moved.stderr).trim().to_owned()),
        }))
    }

    /// Whether the checkout's index and tracked files are the tree already: a landing was cut short before its last step.
    fn holds_already(&self, tree: &TreeId) -> Result<bool, RepoError> {
        let doing = "compare the checkout with the approved tree";
        self.git().args(["update-index", "-q", "--refresh"]).outcome()?;
        Ok(self.git().args(["diff-index", "--quiet", "--cached", tree.as_str(), "--"]).yes(doing)?
            && self.git().args(["diff-files", "--quiet", "--ignore-submodules=dirty"]).yes(doing)?)
    }

    fn is_ancestor(&self, commit: &CommitId, of: &CommitId) -> Result<bool, RepoError> {
        let args = ["merge-base", "--is-ancestor", commit.as_str(), of.as_str()];
        self.git().args(args).yes("compare two commits")
    }

    /// Sets index and files of the checkout, which stand at the parent, to the commit; why not, if they stay.
    fn move_files(&self, landing: &Landing, commit: &CommitId, again: bool) -> Result<Option<Left>, RepoError> {
        let (in_the_way, half_done) = self.in_the_way(landing, again)?;
        if !in_the_way.is_empty() {
            return Ok(Some(Left::Dirty(in_the_way)));
        }
        // Files that are what the commit has would stop git's careful way. Overwriting them with themselves loses nothing.
        let moved = if half_done {
            self.git().args(["read-tree", "--reset", "-u", commit.as_str()]).outcome()?
        } else {
            self.git().args(["read-tree", "-m", "-u", landing.parent.as_str(), commit.as_str()]).outcome()?
        };
        let said = String::from_utf8_lossy(&moved.stderr).trim().to_owned();
        Ok(if moved.status.success() { None } else { Some(Left::Refused(said)) })
    }

    /// The paths that keep the files of the checkout from being moved: changed tracked files, and files that git doesn't
    /// track (ignored ones, too, which git itself would overwrite) where the change makes new ones. A path that is already
    /// as the change makes it is not among them, nor, if this is done `again`, one that the change has begun to make; the
    /// flag says that there are such, left by a landing cut short.
    fn in_the_way(&self, landing: &Landing, again: bool) -> Result<(Vec<String>, bool), RepoError> {
        let parent = self.tree_of(&landing.parent)?;
        let tracked: HashSet<String> = self.files(&parent)?.into_iter().map(|entry| entry.path).collect();
        let mut paths = self.dirty_tracked()?;
        let differences = self.differences(&parent, &landing.tree)?;
        for difference in &differences {
            let path = Path::new(&difference.path);
            let parts = path.ancestors().filter(|part| !part.as_os_str().is_empty());
            let mut names = parts.filter_map(|part| Some((part, part.to_str()?)));
            let found = names.find(|(part, name)| {
                let meta = self.top().join(part).symlink_metadata();
                !tracked.contains(*name) && meta.is_ok_and(|meta| *part == path || !meta.is_dir())
            });
            paths.extend(found.map(|(_, name)| name.to_owned()));
        }
        paths.sort();
        paths.dedup();
        let doing = "compare the index with the parent";
        let staged = !self.git().args(["diff-index", "--quiet", "--cached", parent.as_str(), "--"]).yes(doing)?;
        if staged || paths.is_empty() {
            return Ok((paths, false));
        }
        let target: HashMap<String, FileEntry> =
            self.files(&landing.tree)?.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
        let mut blocking = Vec::new();
        for path in paths {
            let target = target.get(&path);
            let begun = again && differences.iter().any(|one| one.path == path) && self.is_begun(&path, target)?;
            if !begun && !self.is_already(&path, target)? {
                blocking.push(path);
            }
        }
        Ok((blocking, true))
    }

    /// Whether the checkout holds exactly this at the path: a file of that mode and content, or nothing.
    fn is_already(&self, path: &str, target: Option<&FileEntry>) -> Result<bool, RepoError> {
        let file = self.top().join(path);
        let (Ok(meta), Some(target)) = (file.symlink_metadata(), target) else {
            return Ok(target.is_none() && file.symlink_metadata().is_err());
        };
        let executable = meta.permissions().mode() & 0o100 != 0;
        if !meta.is_file() || !target.mode.is_file() || executable != (target.mode == FileMode::Executable) {
            return Ok(false);
        }
        let content = std::fs::read(&file).map_err(file_error("read", &file))?;
        let option = format!("--path={path}");
        let id = self.git().args(["hash-object", &option, "--stdin"]).stdin(content).line("compare a file")?;
        Ok(id == target.id)
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
