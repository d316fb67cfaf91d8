//! What a program that works in a worktree, and asks before it reads or writes, may read and write there; and whether
//! what it left there may be taken. The rules are those for an answer's edits, and besides: not `.windlass`.
//!
//! It holds whoever asks. A program that opens files itself is not held by it; what it leaves is vetted all the same.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

use super::boundary::Boundary;
use super::edit::{Action, FileEdit};
use super::git::RepoError;
use super::objects::FileMode;
use super::open::Repo;
use super::path::{folded, refusal};
use super::vet::{MAX_FILE_BYTES, Problem, content_refusal, problems_of};
use crate::domain::TreeId;

/// The most bytes of a file that is read, and of one that is written.
const LARGEST: u64 = MAX_FILE_BYTES as u64;

/// Windlass's own directory in a repository: who could write there would write what judges them.
const OWN: &str = ".windlass";

/// Why a file was not read or written; follows its path in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDone {
    /// It may not be.
    Refused(String),
    /// It may, but it can't.
    Failed(String),
}

/// A worktree, seen by whoever may work in it.
#[derive(Debug, Clone)]
pub struct Enclosure {
    /// Without links in it.
    root: PathBuf,
    /// As it was given.
    given: PathBuf,
    boundary: Boundary,
}

impl Enclosure {
    /// The directory `worktree`, in which paths inside `boundary` may be written.
    ///
    /// # Errors
    /// If it isn't there.
    pub fn new(worktree: &Path, boundary: Boundary) -> io::Result<Self> {
        Ok(Self { root: worktree.canonicalize()?, given: worktree.to_owned(), boundary })
    }

    /// The directory, without links in its path.
    pub fn dir(&self) -> &Path {
        &self.root
    }

    /// Where the file is, if it may be read.
    ///
    /// # Errors
    /// Why it may not, to follow its path in a sentence.
    pub fn readable(&self, path: &Path) -> Result<PathBuf, String> {
        self.inside(path).map(|inner| self.root.join(inner))
    }

    /// Where the file is, if it may be written.
    ///
    /// # Errors
    /// Why it may not, to follow its path in a sentence.
    pub fn writable(&self, path: &Path) -> Result<PathBuf, String> {
        let inner = self.inside(path)?;
        if inner.is_empty() {
            return Err("is the worktree itself".to_owned());
        }
        self.boundary.refusal(&inner).map_or_else(|| Ok(self.root.join(&inner)), Err)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// If it may not be read, isn't there, isn't text or is too large.
    pub fn read(&self, path: &Path) -> Result<String, NotDone> {
        let path = self.readable(path).map_err(NotDone::Refused)?;
        let failed = |error: io::Error| NotDone::Failed(format!("can't be read: {error}"));
        // Not blocking: a pipe would be waited on for ever.
        let file = fs::File::options().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(NotDone::Failed("is not a file".to_owned()));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > MAX_FILE_BYTES {
            return Err(NotDone::Failed(format!("has more than {MAX_FILE_BYTES} bytes (4 MiB)")));
        }
        String::from_utf8(bytes).map_err(|_| NotDone::Failed("is not UTF-8 text".to_owned()))
    }

    /// Makes this the content of a file, with the directories it needs. An executable file stays one.
    ///
    /// # Errors
    /// If it may not be written, or can't be.
    pub fn write(&self, path: &Path, text: &str) -> Result<(), NotDone> {
        let path = self.writable(path).map_err(NotDone::Refused)?;
        if let Some(reason) = content_refusal(&Action::Write(text.to_owned())) {
            return Err(NotDone::Refused(reason));
        }
        let failed = |error: io::Error| NotDone::Failed(format!("can't be written: {error}"));
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(failed)?;
        }
        let mut options = fs::File::options();
        options.write(true).create(true).truncate(true).custom_flags(O_NOFOLLOW | O_NONBLOCK);
        options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
    }

    /// The path from the top of the worktree, if it is in there and reached without a link; empty for the top itself.
    fn inside(&self, path: &Path) -> Result<String, String> {
        let inner = if path.is_absolute() {
            let inner = path.strip_prefix(&self.root).or_else(|_| path.strip_prefix(&self.given));
            inner.map_err(|_| "is outside the worktree".to_owned())?
        } else {
            path
        };
        let inner = inner.to_str().ok_or("has a name that is not UTF-8")?;
        if inner.is_empty() {
            return Ok(String::new());
        }
        if let Some(reason) = own_refusal(inner).or_else(|| refusal(inner)) {
            return Err(reason);
        }
        let mut reached = self.root.clone();
        for part in inner.split('/') {
            reached.push(part);
            match reached.symlink_metadata() {
                Ok(meta) if meta.is_symlink() => return Err(format!("goes through the symbolic link {part}")),
                Ok(_) => {}
                // What isn't there is no link; anything else is told by who opens it.
                Err(_) => break,
            }
        }
        Ok(inner.to_owned())
    }
}

impl Repo {
    /// What is wrong with `tree` as a change of `base`, by the rules for the edits of an answer; nothing, if it may be
    /// taken.
    ///
    /// # Errors
    /// If git can't compare or read the trees.
    pub fn vet(&self, base: &TreeId, tree: &TreeId, boundary: &Boundary) -> Result<Vec<Problem>, RepoError> {
        let (mut edits, mut problems) = (Vec::new(), Vec::new());
        for difference in self.differences(base, tree)? {
            let path = difference.path;
            problems.extend(own_refusal(&path).map(|reason| Problem::new(&path, reason)));
            let (old, new) = (FileMode::from_octal(&difference.old_mode), FileMode::from_octal(&difference.new_mode));
            let action = match new {
                None => Action::Delete(Vec::new()),
                Some(mode) if mode.is_file() => match self.read(tree, &path)?.map(String::from_utf8) {
                    Some(Ok(text)) if old.is_none() => Action::Create(text),
                    Some(Ok(text)) => Action::Write(text),
                    Some(Err(_)) => {
                        problems.push(Problem::new(&path, "is not UTF-8 text; binary content can't be taken"));
                        continue;
                    }
                    None => {
                        problems.push(Problem::new(&path, "has a name that can't be read back"));
                        continue;
                    }
                },
                // A link of some kind, which the mode alone refuses.
                Some(_) => Action::Modify(Vec::new()),
            };
            let mode = new.map(|mode| mode.octal().to_owned());
            edits.push(FileEdit { path, from: None, mode, action });
        }
        problems.extend(problems_of(&edits, &self.files(base)?, boundary));
        Ok(problems)
    }
}

fn own_refusal(path: &str) -> Option<String> {
    let is_own = path.split('/').next().is_some_and(|first| folded(first) == OWN);
    is_own.then(|| format!("is in {OWN}, where the rules are"))
}
