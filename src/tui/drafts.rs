//! Texts that aren't finished, kept in a file of their own as they are typed: no crash, no quitting and no closed window
//! loses a half-written reason.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

type Texts = BTreeMap<String, String>;

/// The file, and what is in it.
pub(super) struct Drafts {
    path: PathBuf,
    saved: Texts,
}

impl Drafts {
    /// The drafts kept in `dir`, and why they can't be read, if they can't.
    pub(super) fn open(dir: &Path) -> (Self, Option<String>) {
        let path = dir.join("drafts.json");
        let read = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Texts::new()),
            Err(error) => Err(error.to_string()),
        };
        let complaint = read.as_ref().err().map(|why| format!("{}: {why}", path.display()));
        (Self { path, saved: read.unwrap_or_default() }, complaint)
    }

    /// What was kept.
    pub(super) fn texts(&self) -> &Texts {
        &self.saved
    }

    /// Keeps these, if they are others than before.
    pub(super) fn keep(&mut self, texts: Texts) -> io::Result<()> {
        if texts == self.saved {
            return Ok(());
        }
        let beside = self.path.with_extension("json.new");
        fs::write(&beside, serde_json::to_vec(&texts)?)?;
        fs::rename(&beside, &self.path)?;
        self.saved = texts;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut drafts, complaint) = Drafts::open(dir.path());
        assert_eq!((drafts.texts().len(), complaint), (0, None));
        let texts = Texts::from([("loop 1 stage 2 Revise".to_owned(), "smaller, ple".to_owned())]);
        drafts.keep(texts.clone()).unwrap();
        assert_eq!(Drafts::open(dir.path()).0.texts(), &texts);
        fs::write(dir.path().join("drafts.json"), "{").unwrap();
        let (drafts, complaint) = Drafts::open(dir.path());
        assert!(drafts.texts().is_empty() && complaint.unwrap().contains("drafts.json: "));
    }
}
