//! What was read and what is thought of the parts, kept beside the record: whoever leaves, or is thrown out by a broken
//! connection, comes back to where they were. Both are known by content, so they hold for that content alone.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::app::Model;
use crate::app::remarks::{Opinion, Remark, Remarks};
use crate::domain::Digest;

/// The most parts that are remembered as read.
const MOST: usize = 100_000;

/// The two files, and what is in them.
pub(super) struct Marks {
    read: PathBuf,
    remarks: PathBuf,
    saved: Remarks,
}

/// A remark in its file.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Whether the part is accepted (true) or rejected (false); nothing for a comment alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    accepted: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    text: String,
}

impl Marks {
    /// Gives the model what was kept in `dir`, and says what can't be read of it.
    pub(super) fn open(dir: &Path, model: &mut Model) -> (Self, Option<String>) {
        let mut marks = Self { read: dir.join("read"), remarks: dir.join("remarks.json"), saved: Remarks::default() };
        let complaint = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        let read = marks.load_read().map(|read| model.reading.recall(read));
        let read = read.map_err(|error| complaint(&marks.read, error));
        let remarks = load_remarks(&marks.remarks).map_err(|error| complaint(&marks.remarks, error));
        let complaint = read.err().or_else(|| remarks.as_ref().err().cloned());
        marks.saved = remarks.unwrap_or_default();
        model.remarks = marks.saved.clone();
        (marks, complaint)
    }

    /// Keeps what is new in the model.
    pub(super) fn keep(&mut self, model: &mut Model) -> io::Result<()> {
        let fresh = model.reading.take_fresh();
        if !fresh.is_empty() {
            let lines: String = fresh.iter().map(|digest| format!("{digest}\n")).collect();
            OpenOptions::new().create(true).append(true).open(&self.read)?.write_all(lines.as_bytes())?;
        }
        if model.remarks == self.saved {
            return Ok(());
        }
        let kept = model.remarks.iter().map(|(part, remark)| {
            let accepted = remark.opinion.map(|opinion| opinion == Opinion::Accepted);
            (part.to_string(), Kept { accepted, text: remark.text.clone() })
        });
        let beside = self.remarks.with_extension("json.new");
        fs::write(&beside, serde_json::to_vec(&kept.collect::<BTreeMap<_, _>>())?)?;
        fs::rename(&beside, &self.remarks)?;
        self.saved = model.remarks.clone();
        Ok(())
    }

    /// The parts that were read. A line that a crash has cut short is none.
    fn load_read(&self) -> io::Result<Vec<Digest>> {
        let file = match File::open(&self.read) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        let mut read = Vec::new();
        for line in BufReader::new(file).lines() {
            read.extend(line?.parse::<Digest>());
        }
        if read.len() > MOST {
            read.drain(..read.len() - MOST / 2);
            let lines: String = read.iter().map(|digest| format!("{digest}\n")).collect();
            fs::write(&self.read, lines)?;
        }
        Ok(read)
    }
}

fn load_remarks(path: &Path) -> io::Result<Remarks> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Remarks::default()),
        read => read?,
    };
    let kept: BTreeMap<String, Kept> = serde_json::from_slice(&bytes)?;
    let remarks = kept.into_iter().filter_map(|(part, Kept { accepted, text })| {
        let opinion = accepted.map(|accepted| if accepted { Opinion::Accepted } else { Opinion::Rejected });
        Some((part.parse().ok()?, Remark { opinion, text }))
    });
    Ok(remarks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Host;
    use crate::domain::Timestamp;
    use crate::engine::State;

    fn model() -> Model {
        Model::new(State::default(), 0, Host::default(), (80, 24), Timestamp(0))
    }

    #[test]
    fn what_was_read_and_said_is_there_again_and_a_torn_line_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let parts = [Digest::of(b"one"), Digest::of(b"two")];
        let mut before = model();
        let (mut marks, complaint) = Marks::open(dir.path(), &mut before);
        assert_eq!(complaint, None);
        before.reading.recall(vec![parts[0]]);
        before.remarks =
            [(parts[1], Remark { opinion: Some(Opinion::Rejected), text: "why?".to_owned() })].into_iter().collect();
        marks.keep(&mut before).unwrap();
        fs::write(dir.path().join("read"), format!("{}\n{}", parts[0], &parts[1].to_string()[..20])).unwrap();

        let mut after = model();
        assert_eq!(Marks::open(dir.path(), &mut after).1, None);
        assert!(after.reading.is_seen(&parts[0]) && !after.reading.is_seen(&parts[1]));
        assert_eq!(after.remarks, before.remarks);

        fs::write(dir.path().join("remarks.json"), "{").unwrap();
        let complaint = Marks::open(dir.path(), &mut model()).1.unwrap();
        assert!(complaint.contains("remarks.json: "), "{complaint}");
    }
}
