//! A helper's own directory, for the temporary files of sandboxed commands.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
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

    /// Removes what a command left in there.
    pub(super) fn empty(&self) -> io::Result<()> {
        fs::set_permissions(self.temporary(), fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(self.temporary())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
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
