//! Where a person's own commands run: an empty directory outside of every repository, gone when the command is.
//!
//! An agent that answers questions may also write files. Here it finds none to change, and the checkout stays as it is.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, io, process};

/// The directory. Dropping it removes it with everything in it.
pub(super) struct Scratch {
    path: PathBuf,
    spill: PathBuf,
}

impl Scratch {
    /// A new one, for its owner's eyes only. The directory `owner`, if there is one, is where the command's processes
    /// are looked for should this process be killed; see [`supervise::end_leftovers`].
    ///
    /// [`supervise::end_leftovers`]: crate::process::supervise::end_leftovers
    pub(super) fn new(owner: Option<&Path>) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let parent = env::temp_dir();
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("windlass-command-{}-{count}", process::id());
            let path = parent.join(&name);
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                // Left behind by a process that had this one's number, or put there by somebody else.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    fs::create_dir(path.join("work"))?;
                    let spill = owner.map_or_else(|| path.join("output"), |owner| owner.join(name));
                    return Ok(Self { path, spill });
                }
            }
        }
    }

    /// The directory to run in.
    pub(super) fn path(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Where output goes that is too long for memory.
    pub(super) fn spill(&self) -> PathBuf {
        self.spill.clone()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is a temporary file like others.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(&self.spill);
    }
}

/// The names of all variables of this process: a person's own command runs as it would in their shell.
pub(super) fn parent_variables() -> Vec<String> {
    env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::Scratch;

    #[test]
    fn a_scratch_directory_is_private_and_goes_with_its_owner() {
        let owner = tempfile::tempdir().unwrap();
        let (one, other) = (Scratch::new(Some(owner.path())).unwrap(), Scratch::new(None).unwrap());
        assert_ne!(one.path(), other.path());
        assert_eq!(fs::metadata(&one.path).unwrap().mode() & 0o777, 0o700);
        fs::write(one.path().join("file"), "").unwrap();
        fs::write(one.spill(), "").unwrap();
        assert!(one.spill().starts_with(owner.path()) && other.spill().starts_with(&other.path));
        let path = one.path.clone();
        drop(one);
        assert!(!path.exists() && other.path().exists());
        assert_eq!(fs::read_dir(owner.path()).unwrap().count(), 0);
    }
}
