//! Lines of the files that reports speak of: a finding is known again by its line of code, not by the line's number.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The largest file looked into, in bytes.
const LARGEST: u64 = 16 << 20;

/// The files of a tree, each read once.
#[derive(Debug)]
pub struct Sources {
    root: PathBuf,
    files: HashMap<String, Vec<String>>,
}

impl Sources {
    /// The files of the tree checked out at `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), files: HashMap::new() }
    }

    /// The line of this number, white space aside; empty if there is none. A report may name anything, so that nothing
    /// outside the tree is read.
    pub fn line(&mut self, path: &str, number: u32) -> String {
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), self.read(path).unwrap_or_default());
        }
        let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        self.files.get(path).and_then(|lines| lines.get(index)).cloned().unwrap_or_default()
    }

    fn read(&self, path: &str) -> Option<Vec<String>> {
        let file = self.root.join(path).canonicalize().ok()?;
        if !file.starts_with(self.root.canonicalize().ok()?) || file.metadata().ok()?.len() > LARGEST {
            return None;
        }
        let bytes = std::fs::read(file).ok()?;
        Some(String::from_utf8_lossy(&bytes).lines().map(|line| line.trim().to_owned()).collect())
    }
}
