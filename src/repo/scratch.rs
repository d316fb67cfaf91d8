//! Temporary files in the private directory, gone when dropped; what a crash leaves behind is swept at the next start.

use std::fs::{DirBuilder, remove_file};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::git::{RepoError, file_error};
use super::open::Repo;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A path for a temporary index, unique among all running processes.
pub(super) struct ScratchIndex(PathBuf);

impl ScratchIndex {
    /// A fresh path; no file is there yet.
    pub(super) fn new(repo: &Repo) -> Result<Self, RepoError> {
        scratch_path(repo, "index").map(Self)
    }

    /// The path.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchIndex {
    fn drop(&mut self) {
        // It may never have been written, and a leftover is swept at the next start.
        let _ = remove_file(&self.0);
    }
}

/// Where temporary files lie.
pub(super) fn scratch_dir(repo: &Repo) -> Result<PathBuf, RepoError> {
    Ok(repo.private_dir()?.join("scratch"))
}

/// A path there that nobody else uses.
pub(super) fn scratch_path(repo: &Repo, what: &str) -> Result<PathBuf, RepoError> {
    let dir = scratch_dir(repo)?;
    DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(file_error("create", &dir))?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(dir.join(format!("{what}-{}-{number}", process::id())))
}
