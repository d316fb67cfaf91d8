//! Where a person's own commands run: an empty directory outside of every repository, gone when the command is.
//!
//! An agent that answers questions may also write files. Here it finds none to change, and the checkout stays as it is.

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, io, process};

/// The directory. Dropping it removes it with everything in it.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new one, for its owner's eyes only.
    pub(super) fn new() -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let parent = env::temp_dir();
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("windlass-command-{}-{count}", process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                // Left behind by a process that had this one's number, or put there by somebody else.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    fs::create_dir(path.join("work"))?;
                    return Ok(Self { path });
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
        self.path.join("output")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is a temporary file like others.
        let _ = fs::remove_dir_all(&self.path);
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
        let (one, other) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        assert_ne!(one.path(), other.path());
        assert_eq!(fs::metadata(&one.path).unwrap().mode() & 0o777, 0o700);
        fs::write(one.path().join("file"), "").unwrap();
        let path = one.path.clone();
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }
}
