//! Finding the repository, and the plain facts about it and its checkout.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::git::{Git, RepoError, file_error, refusal, unreadable};
use crate::domain::{CommitId, Person};

/// A git repository and the checkout of it that the person works in.
#[derive(Debug, Clone)]
pub struct Repo {
    top: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
}

/// Why a directory can't be worked in. Each message ends in the command to run next.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No git on this machine.
    #[error("git is not installed or not in PATH. Install it, then run: git --version")]
    GitMissing,
    /// The directory is in no repository.
    #[error("{dir} is not in a git repository. Make it one: git init", dir = .dir.display())]
    NotARepository {
        /// The directory asked for.
        dir: PathBuf,
    },
    /// The repository has no checkout.
    #[error("{dir} is a bare repository, without files to work on. Check it out: git worktree add <directory>", dir = .dir.display())]
    Bare {
        /// The directory asked for.
        dir: PathBuf,
    },
    /// The directory is git's own.
    #[error("{dir} belongs to git itself. Go to the files of the repository: cd <repository>", dir = .dir.display())]
    InsideGitDir {
        /// The directory asked for.
        dir: PathBuf,
    },
    /// Nothing was ever committed.
    #[error(
        "{dir} has no commit yet, and a change needs one to stand on. Make it: git commit --allow-empty -m 'First commit'",
        dir = .dir.display()
    )]
    NoCommits {
        /// The top of the checkout.
        dir: PathBuf,
    },
    /// git won't work in a repository that belongs to another user.
    #[error(
        "{dir} belongs to another user, so git refuses it. If you trust it: git config --global --add safe.directory {dir}",
        dir = .dir.display()
    )]
    Unsafe {
        /// The directory asked for.
        dir: PathBuf,
    },
    /// Anything else.
    #[error("{0}. See what git itself says: git status")]
    Other(#[from] RepoError),
}

impl Repo {
    /// The repository that `dir` is in.
    ///
    /// # Errors
    /// If there is none, it has no checkout or no commit, or git can't be run.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let dir_owned = || dir.to_owned();
        let doing = "find the repository";
        let inside = match Git::new(dir).args(["rev-parse", "--is-inside-work-tree", "--is-bare-repository"]).outcome()
        {
            Err(RepoError::Run(error)) if error.kind() == io::ErrorKind::NotFound && dir.is_dir() => {
                return Err(OpenError::GitMissing);
            }
            Err(RepoError::Run(_)) if !dir.is_dir() => return Err(OpenError::NotARepository { dir: dir_owned() }),
            outcome => outcome?,
        };
        if !inside.status.success() {
            let said = String::from_utf8_lossy(&inside.stderr);
            return Err(match () {
                () if said.contains("dubious ownership") => OpenError::Unsafe { dir: dir_owned() },
                () if said.contains("not a git repository") => OpenError::NotARepository { dir: dir_owned() },
                () => OpenError::Other(refusal(doing, &inside)),
            });
        }
        match String::from_utf8_lossy(&inside.stdout).split_once('\n') {
            Some(("true", _)) => {}
            Some((_, bare)) if bare.trim() == "true" => return Err(OpenError::Bare { dir: dir_owned() }),
            _ => return Err(OpenError::InsideGitDir { dir: dir_owned() }),
        }
        let [top, git_dir, common_dir] = directories(dir, doing)?;
        let repo = Self { top, git_dir, common_dir };
        if !repo.git().args(["rev-parse", "--verify", "-q", "HEAD^{commit}"]).outcome()?.status.success() {
            return Err(OpenError::NoCommits { dir: repo.top });
        }
        Ok(repo)
    }

    /// The top directory of the person's checkout.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// git's directory of this checkout (for a linked worktree another than the common one).
    pub(super) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// git's directory of the repository.
    pub(super) fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// A call of git in the person's checkout.
    pub(super) fn git(&self) -> Git {
        Git::new(&self.top)
    }

    /// `<git common dir>/windlass`: journal, worktrees, spilled logs. Made, for this user alone, when it isn't there.
    ///
    /// # Errors
    /// If it can't be made or its mode can't be set.
    pub fn private_dir(&self) -> Result<PathBuf, RepoError> {
        let dir = self.common_dir.join("windlass");
        DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(file_error("create", &dir))?;
        let mode = dir.metadata().map_err(file_error("read", &dir))?.permissions().mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(&dir, Permissions::from_mode(0o700))
                .map_err(file_error("close to others", &dir))?;
        }
        Ok(dir)
    }

    /// The commit the checkout stands on.
    ///
    /// # Errors
    /// If there is none yet, or git can't be asked.
    pub fn head(&self) -> Result<CommitId, RepoError> {
        let captured = self.git().args(["rev-parse", "--verify", "-q", "HEAD^{commit}"]).outcome()?;
        if !captured.status.success() {
            return Err(RepoError::NoCommits);
        }
        let text = String::from_utf8_lossy(&captured.stdout);
        text.trim_end().parse().map_err(|_| unreadable("read HEAD", &captured.stdout))
    }

    /// The branch the checkout is on (`main`), or none if it is detached.
    ///
    /// # Errors
    /// If git can't be asked.
    pub fn branch(&self) -> Result<Option<String>, RepoError> {
        let doing = "read the branch";
        let captured = self.git().args(["symbolic-ref", "-q", "HEAD"]).outcome()?;
        match captured.status.code() {
            Some(0) => {
                let line = String::from_utf8_lossy(&captured.stdout);
                let name = line.trim_end_matches('\n').strip_prefix("refs/heads/");
                Ok(Some(name.ok_or_else(|| unreadable(doing, &captured.stdout))?.to_owned()))
            }
            Some(1) => Ok(None),
            _ => Err(refusal(doing, &captured)),
        }
    }

    /// The paths at which the checkout differs from its commit: changed, staged or untracked (directories end in `/`).
    ///
    /// # Errors
    /// If git can't be asked.
    pub fn dirty(&self) -> Result<Vec<String>, RepoError> {
        self.status("normal")
    }

    /// The tracked paths at which the checkout differs from its commit.
    pub(super) fn dirty_tracked(&self) -> Result<Vec<String>, RepoError> {
        self.status("no")
    }

    fn status(&self, untracked: &str) -> Result<Vec<String>, RepoError> {
        let doing = "read the state of the checkout";
        let untracked = format!("--untracked-files={untracked}");
        let args = ["status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules=dirty", &untracked];
        let bytes = self.git().args(args).bytes(doing)?;
        let records = bytes.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        records
            .map(|record| {
                let path = record.get(3..).ok_or_else(|| unreadable(doing, record))?;
                Ok(String::from_utf8_lossy(path).into_owned())
            })
            .collect()
    }

    /// The person as git's configuration names them, `Name <address>`; `unknown` if it doesn't.
    pub fn person(&self) -> Person {
        // A missing or unreadable setting means the same to a reader of the record: nobody said who this is.
        let args = ["config", "--null", "--get-regexp", "^user\\.(name|email)$"];
        let said = self.git().args(args).bytes("read who you are").unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        // What is said last counts.
        let read = |key| {
            let mut values = said.split('\0').rev();
            values.find_map(|one| one.strip_prefix(key)?.strip_prefix('\n')).unwrap_or_default()
        };
        let (name, mail) = (read("user.name"), read("user.email"));
        Person(match (name.trim(), mail.trim()) {
            ("", "") => "unknown".to_owned(),
            (name, "") => name.to_owned(),
            ("", mail) => format!("<{mail}>"),
            (name, mail) => format!("{name} <{mail}>"),
        })
    }
}

/// The top of a checkout, git's directory of it, and git's directory of the repository. Asked for at once, because git
/// takes longer to start than to answer; a path with a line feed in it can't be told apart so, and is asked for alone.
fn directories(dir: &Path, doing: &str) -> Result<[PathBuf; 3], RepoError> {
    const QUESTIONS: [&str; 3] = ["--show-toplevel", "--absolute-git-dir", "--git-common-dir"];
    let ask =
        |questions: &[&str]| Git::new(dir).args(["rev-parse", "--path-format=absolute"]).args(questions).line(doing);
    let path = |line: &str| {
        let path = PathBuf::from(line);
        if path.is_absolute() { Ok(path) } else { Err(unreadable(doing, line.as_bytes())) }
    };
    let all = ask(&QUESTIONS)?;
    if let [top, git_dir, common_dir] = all.split('\n').collect::<Vec<_>>().as_slice() {
        return Ok([path(top)?, path(git_dir)?, path(common_dir)?]);
    }
    let [top, git_dir, common_dir] = QUESTIONS.map(|question| path(&ask(&[question])?));
    Ok([top?, git_dir?, common_dir?])
}
