//! What a gate's command left behind on the base, kept so that the base is judged once.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::domain::Digest;
use crate::gate::case::{Report, Reports};

/// The place of one gate's reports of one base.
pub(super) struct Baselines {
    dir: PathBuf,
    file: PathBuf,
}

impl Baselines {
    /// The place in `dir` for what rests on `key`.
    pub(super) fn new(dir: &Path, key: Digest) -> Self {
        Self { dir: dir.to_owned(), file: dir.join(format!("{key}.json")) }
    }

    /// What is kept there, of a tree checked out at `root`. A file that isn't whole is as good as none.
    pub(super) fn read(&self, root: &Path) -> Result<Option<Reports>, String> {
        let bytes = match fs::read(&self.file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("failed to read {}: {error}", self.file.display())),
        };
        let Ok(kept) = serde_json::from_slice::<Value>(&bytes) else { return Ok(None) };
        let exit = kept.get("exit").and_then(Value::as_i64).and_then(|exit| i32::try_from(exit).ok());
        let files = kept.get("files").and_then(Value::as_array).map(|files| {
            files.iter().map(|file| {
                let text = |key| file.get(key)?.as_str().map(str::to_owned);
                Some(Report { name: text("name")?, bytes: text("text")?.into_bytes() })
            })
        });
        let files: Option<Vec<Report>> = files.and_then(Iterator::collect);
        Ok(exit.zip(files).map(|(exit, files)| Reports { root: root.to_owned(), files, exit }))
    }

    /// Keeps them: whole, or not at all.
    pub(super) fn write(&self, reports: &Reports) -> Result<(), String> {
        let file = |report: &Report| json!({ "name": report.name, "text": String::from_utf8_lossy(&report.bytes) });
        let files: Vec<Value> = reports.files.iter().map(file).collect();
        let kept = json!({ "exit": reports.exit, "files": files });
        let failed = |error: std::io::Error| format!("failed to keep {}: {error}", self.file.display());
        fs::create_dir_all(&self.dir).map_err(failed)?;
        let part = self.file.with_extension("part");
        fs::write(&part, kept.to_string()).map_err(failed)?;
        fs::rename(&part, &self.file).map_err(failed)
    }
}
