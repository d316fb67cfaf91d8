//! A run's own directory: where its helper tells how the command ended, and a sandboxed command's temporary files.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Begins the name of every such directory; the run's mark follows.
const PREFIX: &str = "windlass-run-";

/// The directory, outside of every repository and with a short name: sockets in it must have room in theirs. Dropping
/// it removes it.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new one, for its owner's eyes only.
    pub(super) fn new(mark: &str) -> io::Result<Self> {
        let path = env::temp_dir().canonicalize()?.join(format!("{PREFIX}{mark}"));
        let private = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
        private(&path)?;
        let scratch = Self { path };
        private(&scratch.temporary())?;
        Ok(scratch)
    }

    /// Where the command may write what it needs only while it runs.
    pub(super) fn temporary(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Where the helper tells the ending.
    pub(super) fn report(&self) -> PathBuf {
        self.path.join("end")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is a temporary directory like others.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories of runs whose mark begins with `owner`.
pub(super) fn remove_leftovers(owner: &str) {
    let begin = format!("{PREFIX}{owner}-");
    for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&begin)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
