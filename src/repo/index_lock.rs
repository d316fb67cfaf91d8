//! git's own lock on the checkout's index: while it is ours, no git of the person's stages, commits, merges or switches.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use super::git::{RepoError, file_error};
use super::open::Repo;

/// What is in a lock of ours. git never looks, and writes other things into its own.
const MARK: &[u8] = b"windlass lands a change\n";

/// The lock, held. Dropping it lets go.
pub(super) struct IndexLock {
    lock: PathBuf,
    index: PathBuf,
}

impl IndexLock {
    /// Takes the lock; none if somebody else has it. One of ours that is there was left by a process that died: only one
    /// lands at a time.
    pub(super) fn take(repo: &Repo) -> Result<Option<Self>, RepoError> {
        Self::sweep(repo)?;
        let (lock, index) = paths(repo);
        let mut file = match File::create_new(&lock) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
            file => file.map_err(file_error("lock", &index))?,
        };
        let held = Self { lock, index };
        file.write_all(MARK).map_err(file_error("lock", &held.index))?;
        Ok(Some(held))
    }

    /// Makes the file `from` the index, and lets go.
    pub(super) fn write(self, from: &std::path::Path) -> Result<(), RepoError> {
        fs::copy(from, &self.lock).map_err(file_error("write", &self.lock))?;
        fs::rename(&self.lock, &self.index).map_err(file_error("write", &self.index))
    }

    /// Removes what a process that died left of ours.
    pub(super) fn sweep(repo: &Repo) -> Result<(), RepoError> {
        let (lock, _) = paths(repo);
        if fs::read(&lock).is_ok_and(|content| content == MARK) {
            fs::remove_file(&lock).map_err(file_error("remove", &lock))?;
        }
        Ok(())
    }

    /// The lock's file.
    pub(super) fn file(repo: &Repo) -> PathBuf {
        paths(repo).0
    }
}

impl Drop for IndexLock {
    fn drop(&mut self) {
        // Not one that somebody else took after it was given up.
        if fs::read(&self.lock).is_ok_and(|content| content == MARK) {
            let _ = fs::remove_file(&self.lock);
        }
    }
}

fn paths(repo: &Repo) -> (PathBuf, PathBuf) {
    let index = repo.git_dir().join("index");
    (repo.git_dir().join("index.lock"), index)
}
