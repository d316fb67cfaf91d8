//! Why a command ends without having done what was asked: what and where, the next step, and the exit code.

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{ConfigError, WriteError};
use crate::domain::visible_line;
use crate::engine::{Corrupt, Refusal};
use crate::journal::{self, AppendError, ReadError, VerifyError};
use crate::provider::{CassetteError, SendError};
use crate::repo::{self, RepoError};
use crate::tui::TuiError;

use super::words::count;

/// Exit codes; 0 is done.
pub(super) const ERROR: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const AWAITS: u8 = 3;
pub(super) const GATE: u8 = 4;

/// Why a command failed. Each variant's message says what and where; [`Failure::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("there is no directory {}", .0.display())]
    NoDirectory(PathBuf),
    #[error(transparent)]
    Repository(#[from] repo::OpenError),
    #[error(transparent)]
    Git(#[from] RepoError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("the journal breaks a law: {0}")]
    Corrupt(#[from] Corrupt),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    Screen(#[from] TuiError),
    #[error("{0} needs a terminal as standard input and output")]
    NoTerminal(&'static str),
    #[error("there is nothing to watch: no loop was begun in this repository")]
    NothingToWatch,
    #[error("{0:?} is neither a loop nor an exchange")]
    Id(String),
    #[error("the loop has no stage {0:?}")]
    Stage(String),
    #[error("{0}")]
    Faulty(String),
    #[error("{0}")]
    Keys(String),
    #[error("there is no {what} {number}")]
    Nothing { what: &'static str, number: u64 },
    #[error("there is no curl command of {what}: {why}")]
    NoCurl { what: String, why: &'static str },
    #[error("the bytes of others don't belong on a terminal: it would obey them")]
    RawOnTerminal,
    #[error("{0:?} is not one call of a model")]
    OneCall(String),
    #[error("there is no call of a model that has ended")]
    NothingToRecord,
    #[error(transparent)]
    Cassette(#[from] CassetteError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("{0} of what Windlass needs here {verb} wrong", verb = if *.0 == 1 { "is" } else { "are" })]
    Unwell(usize),
    #[error("{what} {verb} not satisfied", what = count(*.0, "gate"), verb = if *.0 == 1 { "is" } else { "are" })]
    Gates(usize),
    #[error("nobody trusts .windlass/config.toml as it is now, so its commands don't run")]
    Untrusted,
    #[error("the change edits its own gates: .windlass/config.toml is another than that of the base {0}")]
    OwnGates(String),
    #[error("{0} has no parent here: it is the first commit, or the clone is shallow")]
    NoParent(String),
    #[error("{0}")]
    NoGate(String),
    #[error("failed to {doing} {}: {source}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("failed to read or print: {0}")]
    Print(#[from] io::Error),
    #[error("failed to print: {0}")]
    Json(#[from] serde_json::Error),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::NoTerminal(_) | Self::Untrusted => AWAITS,
            Self::Gates(_) => GATE,
            Self::Id(_) | Self::NoGate(_) | Self::OneCall(_) | Self::Stage(_) | Self::Keys(_) => USAGE,
            _ => ERROR,
        }
    }

    /// The next step, where the message doesn't end in it.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoDirectory(_) => Some("name one that exists: windlass -C <directory>"),
            Self::Repository(repo::OpenError::NotARepository { .. }) => {
                Some("to see Windlass at work without a repository of yours: windlass demo")
            }
            Self::Journal(journal::OpenError::Driven { .. }) => {
                Some("use that one, or end it; `windlass` and `windlass status` show the record meanwhile")
            }
            Self::Corrupt(_) => Some("`windlass verify` says where it was altered; restore it from a copy"),
            Self::Verify(VerifyError::Row { .. }) => {
                Some("restore the journal from a copy, or move it away to begin a new one")
            }
            Self::Verify(VerifyError::Missing(_)) => {
                Some("it is made when the first loop begins: windlass new \"GOAL\"")
            }
            Self::NothingToWatch => Some("whoever drives begins one: `windlass new \"GOAL\"`"),
            Self::NoTerminal(_) => Some("run it in a terminal: only a human's key there begins or approves anything"),
            Self::Id(_) => {
                Some("write a loop's number, as in `windlass show 3`, or an exchange's: `windlass show x 12`")
            }
            Self::Stage(_) => Some("`windlass show LOOP` names its stages; a number counts from 1"),
            Self::Untrusted => Some("read them and let them run: windlass trust; in CI, say so with --trust-config"),
            Self::OwnGates(_) => Some(
                "judge it by the base's: git checkout BASE -- .windlass/config.toml; or have a person read and trust it: windlass trust",
            ),
            Self::NoParent(_) => Some("name what to compare with: windlass gate run --base REV"),
            Self::Unwell(_) => Some("each line that is marked says what to do"),
            Self::NoCurl { .. } => Some("without --curl it is shown as it is on record"),
            Self::RawOnTerminal => Some("send them into a file or a pipe: windlass calls 3 --raw > FILE"),
            Self::OneCall(_) => Some("write the number of one exchange, as in `windlass calls 12`"),
            Self::NothingToRecord => Some("`windlass calls` lists what there is"),
            Self::Cassette(_) => Some("record it anew with `windlass record -o FILE`"),
            Self::File { doing: "write", source, .. } if source.kind() == ErrorKind::AlreadyExists => {
                Some("nothing is overwritten: name another file, or move that one away")
            }
            Self::Nothing { what: "loop", .. } => Some("`windlass log` lists what there is"),
            Self::Nothing { .. } => Some("`windlass calls` lists what there is"),
            _ => None,
        }
    }

    /// Says it on standard error, and gives the exit code.
    pub(super) fn tell(&self) -> ExitCode {
        if self.is_closed_pipe() {
            return ExitCode::SUCCESS;
        }
        let mut lines = String::new();
        for line in self.to_string().lines() {
            lines.push_str(&format!("error: {}\n", visible_line(line)));
        }
        if let Some(hint) = self.hint() {
            lines.push_str(&format!("hint: {hint}\n"));
        }
        // With standard error closed there is nobody to tell; the exit code still does.
        let _ = io::stderr().write_all(lines.as_bytes());
        ExitCode::from(self.code())
    }

    /// Whether the reader of our output went away: `windlass log | head`.
    fn is_closed_pipe(&self) -> bool {
        match self {
            Self::Print(error) => error.kind() == ErrorKind::BrokenPipe,
            Self::Json(error) => error.io_error_kind() == Some(ErrorKind::BrokenPipe),
            _ => false,
        }
    }
}
