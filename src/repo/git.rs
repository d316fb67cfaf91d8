//! How git is called: which program arguments and variables make it deterministic, quiet and deaf to hooks.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::capture::{Capture, Captured};

/// Said before every subcommand. Hooks and the file system monitor are programs that would run; the protections refuse
/// names that are `.git` to another file system; the rest keeps a person's preferences out of what we read and write.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.quotePath=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.addEmbeddedRepo=false",
    "worktree.useRelativePaths=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    // What a decision rests on must survive a power cut, not only a crash.
    "core.fsync=committed,loose-object,reference",
];

/// Inherited variables that say where git finds itself and its own settings. All others (`GIT_DIR`, `GIT_INDEX_FILE`,
/// `GIT_EXTERNAL_DIFF`, ...) would make it act on something else than we name.
const KEPT: &[&str] = &[
    "GIT_EXEC_PATH",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
];

/// Why something asked of the repository failed.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// git isn't there, or a pipe to it broke.
    #[error("failed to run git: {0}")]
    Run(#[source] io::Error),
    /// git refused.
    #[error("failed to {doing}: git says: {said}")]
    Git {
        /// What was being done, as "read the tree abc".
        doing: String,
        /// What git wrote to standard error, or its exit status if it wrote nothing.
        said: String,
    },
    /// git's answer has another form than the one it documents.
    #[error("failed to {doing}: git's answer cannot be read: {answer:?}")]
    Answer {
        /// What was being done.
        doing: String,
        /// The start of the answer.
        answer: String,
    },
    /// A file operation of our own.
    #[error("failed to {doing} {path}: {source}", path = path.display())]
    File {
        /// What was being done, as "create".
        doing: &'static str,
        /// To which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The branch of the checkout has no commit.
    #[error(
        "there is no commit yet, and a loop needs one to stand on. Make it: git commit --allow-empty -m 'First commit'"
    )]
    NoCommits,
    /// A worktree name that isn't one plain path component.
    #[error("{0:?} cannot name a worktree: use letters, digits, `-`, `_` and `.` inside")]
    Name(String),
    /// A worktree that [`Repo::worktree`](super::Repo::worktree) did not make.
    #[error("{path} is not a worktree of Windlass", path = .0.display())]
    NotOurs(PathBuf),
}

/// Makes a [`RepoError::File`] of an I/O error.
pub(super) fn file_error<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> RepoError + 'a {
    move |source| RepoError::File { doing, path: path.to_owned(), source }
}

/// One call of git.
pub(super) struct Git {
    capture: Capture,
}

impl Git {
    /// A call in `dir`, finding its repository from there.
    pub(super) fn new(dir: &Path) -> Self {
        let capture = Capture::new("git", dir)
            .without_env("GIT_", KEPT)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_LITERAL_PATHSPECS", "1");
        Self { capture }.settings(SETTINGS)
    }

    /// More settings, stronger than those of any file. Only before [`args`](Self::args).
    pub(super) fn settings(self, settings: &[&str]) -> Self {
        settings.iter().fold(self, |git, setting| git.args(["-c", setting]))
    }

    /// Adds arguments.
    pub(super) fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(self, args: I) -> Self {
        Self { capture: self.capture.args(args) }
    }

    /// Sets an environment variable.
    pub(super) fn env(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        Self { capture: self.capture.env(name, value) }
    }

    /// What git reads from standard input.
    pub(super) fn stdin(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { capture: self.capture.stdin(bytes) }
    }

    /// Runs it and hands back whatever came of it.
    pub(super) fn outcome(self) -> Result<Captured, RepoError> {
        self.capture.run().map_err(RepoError::Run)
    }

    /// Runs it; its standard output if it succeeds.
    pub(super) fn bytes(self, doing: &str) -> Result<Vec<u8>, RepoError> {
        let captured = self.outcome()?;
        if captured.status.success() { Ok(captured.stdout) } else { Err(refusal(doing, &captured)) }
    }

    /// Runs it for the answer yes (exit 0) or no (exit 1).
    pub(super) fn yes(self, doing: &str) -> Result<bool, RepoError> {
        let captured = self.outcome()?;
        match captured.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(refusal(doing, &captured)),
        }
    }

    /// Runs it; its one line of output without the newline. Unreadable bytes are replaced.
    pub(super) fn line(self, doing: &str) -> Result<String, RepoError> {
        let bytes = self.bytes(doing)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }

    /// Runs it; its one line of output read as an object id.
    pub(super) fn id<T: std::str::FromStr>(self, doing: &str) -> Result<T, RepoError> {
        let line = self.line(doing)?;
        line.parse().map_err(|_| unreadable(doing, line.as_bytes()))
    }
}

/// git's refusal as an error.
pub(super) fn refusal(doing: &str, captured: &Captured) -> RepoError {
    let said = String::from_utf8_lossy(&captured.stderr).trim().to_owned();
    let said = if said.is_empty() { captured.status.to_string() } else { said };
    RepoError::Git { doing: doing.to_owned(), said }
}

/// An answer of unexpected form as an error.
pub(super) fn unreadable(doing: &str, answer: &[u8]) -> RepoError {
    let start = String::from_utf8_lossy(answer).chars().take(200).collect();
    RepoError::Answer { doing: doing.to_owned(), answer: start }
}
