//! What a runner's shell says on standard output: the command's own output, and lines about it behind a fence.

use super::super::case::Report;
use super::super::report::{LARGEST, MOST, PRINTED};
use super::Wanted;
use crate::domain::covers;

/// The longest line about the run, in bytes; paths are in it.
const LINE: usize = 16 << 10;

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The runner itself may greet, and git may talk.
    Before,
    /// The command runs.
    Output,
    /// It has ended.
    After,
    /// So many bytes of the last report are still to come.
    File(usize),
    /// Everything has been told.
    Done,
}

/// What has been said so far.
pub(super) struct Said<'a> {
    wanted: Wanted<'a>,
    /// Begins every line about the run: a newline, a word that the command can't know, a blank.
    fence: Vec<u8>,
    phase: Phase,
    pending: Vec<u8>,
    taken: usize,
    /// Where the tree lies there, once it can be sent.
    pub(super) root: Option<String>,
    /// The command's exit code.
    pub(super) exit: Option<i32>,
    /// The reports, or what was printed.
    pub(super) files: Vec<Report>,
    /// Why it can't be judged.
    pub(super) refused: Option<String>,
}

impl<'a> Said<'a> {
    /// Nothing yet.
    pub(super) fn new(fence: &str, wanted: Wanted<'a>) -> Self {
        let printed = Report { name: PRINTED.to_owned(), bytes: Vec::new() };
        Self {
            wanted,
            fence: format!("\n{fence} ").into_bytes(),
            phase: Phase::Before,
            pending: Vec::new(),
            taken: 0,
            root: None,
            exit: None,
            files: if matches!(wanted, Wanted::Printed) { vec![printed] } else { Vec::new() },
            refused: None,
        }
    }

    /// Whether it has all been said.
    pub(super) fn is_whole(&self) -> bool {
        self.phase == Phase::Done && self.exit.is_some()
    }

    /// Takes what came over; `output` hears what the command printed.
    pub(super) fn take(&mut self, chunk: &[u8], mut output: impl FnMut(&[u8])) {
        self.pending.extend_from_slice(chunk);
        loop {
            if let Phase::File(left) = self.phase {
                let length = left.min(self.pending.len());
                let part: Vec<u8> = self.pending.drain(..length).collect();
                self.keep(&part);
                if length < left {
                    self.phase = Phase::File(left - length);
                    return;
                }
                self.phase = Phase::After;
            }
            let found = self.pending.windows(self.fence.len()).position(|part| part == self.fence);
            let plain = found.unwrap_or_else(|| self.pending.len() - self.begun());
            let text: Vec<u8> = self.pending.drain(..plain).collect();
            if matches!(self.phase, Phase::Before | Phase::Output) && !text.is_empty() {
                output(&text);
            }
            if self.phase == Phase::Output && matches!(self.wanted, Wanted::Printed) {
                self.keep(&text);
            }
            if found.is_none() {
                return;
            }
            let rest = self.pending.get(self.fence.len()..).unwrap_or_default();
            let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
                if rest.len() > LINE {
                    self.refuse("the runner told of the run in a line without an end");
                }
                return;
            };
            let line = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned();
            self.pending.drain(..self.fence.len() + length + 1);
            self.line(&line);
        }
    }

    /// How much of the end of what is pending may be the beginning of a fence.
    fn begun(&self) -> usize {
        let most = self.fence.len().min(self.pending.len() + 1);
        (1..most)
            .rev()
            .find(|length| self.fence.get(..*length).is_some_and(|part| self.pending.ends_with(part)))
            .unwrap_or(0)
    }

    fn line(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "ready" => self.root = Some(format!("{rest}/tree")),
            "began" => self.phase = Phase::Output,
            "exit" => (self.phase, self.exit) = (Phase::After, rest.parse().ok()),
            "file" => self.file(rest),
            "end" => self.phase = Phase::Done,
            "refused" => self.refuse(&format!("the runner could not run it: {rest}")),
            _ => self.refuse("the runner told of the run in words that nobody knows"),
        }
    }

    fn file(&mut self, rest: &str) {
        let read = rest.split_once(' ').and_then(|(length, name)| Some((length.parse().ok()?, name)));
        let Some((length, name)) = read else { return self.refuse("the runner told of a report without its length") };
        if self.files.len() >= MOST {
            return self.refuse(&format!("there are more than {MOST} reports"));
        }
        self.files.push(Report { name: name.to_owned(), bytes: Vec::new() });
        self.phase = Phase::File(length);
    }

    /// Adds to the last report, as long as there is room.
    fn keep(&mut self, bytes: &[u8]) {
        self.taken = self.taken.saturating_add(bytes.len());
        if self.taken > LARGEST {
            self.files.clear();
            return self.refuse(&format!("the reports are larger than {} MiB", LARGEST >> 20));
        }
        if let Some(file) = self.files.last_mut() {
            file.bytes.extend_from_slice(bytes);
        }
    }

    /// The first reason is the one that counts.
    fn refuse(&mut self, why: &str) {
        self.refused.get_or_insert_with(|| why.to_owned());
    }

    /// The reports that the pattern covers, each once.
    pub(super) fn reports(&mut self) -> Vec<Report> {
        let mut files = std::mem::take(&mut self.files);
        if let Wanted::Files(pattern) = self.wanted {
            files.retain(|file| covers(pattern, &file.name));
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.dedup_by(|a, b| a.name == b.name);
        files
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, Wanted};

    const WHOLE: &[u8] = b"welcome\nF-no\n\nF ready /tmp/w\nhint\n\nF began\none\n\nF\ntwo\n\nF exit 3\n\
        \nF file 9 out/a b.xml\n<x>\nF end\nF file 1 other\nx\nF file 0 out/empty\n\nF end\n";

    #[test]
    fn output_reports_and_ending_are_told_apart_wherever_the_stream_is_cut() {
        for cut in 1..WHOLE.len() {
            let mut said = Said::new("F", Wanted::Files("out"));
            let mut printed = Vec::new();
            for chunk in WHOLE.chunks(cut) {
                said.take(chunk, |text| printed.extend_from_slice(text));
            }
            let reports: Vec<_> = said.reports().into_iter().map(|file| (file.name, file.bytes)).collect();
            let expected = [("out/a b.xml".to_owned(), b"<x>\nF end".to_vec()), ("out/empty".to_owned(), Vec::new())];
            assert_eq!(reports, expected, "{cut}");
            assert_eq!(String::from_utf8_lossy(&printed), "welcome\nF-no\nhint\none\n\nF\ntwo\n", "{cut}");
            assert_eq!((said.exit, said.root.as_deref(), said.is_whole()), (Some(3), Some("/tmp/w/tree"), true));
        }
    }

    #[test]
    fn what_was_printed_is_a_report_and_a_stream_that_breaks_off_is_not_whole() {
        let mut said = Said::new("F", Wanted::Printed);
        said.take(b"x\nF ready /w\n\nF began\n{}\n\nF exit 0\n", |_| {});
        assert!(!said.is_whole() && said.refused.is_none());
        said.take(b"\nF end\n", |_| {});
        assert!(said.is_whole());
        assert_eq!(said.reports()[0].bytes, b"{}\n");
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["\nF refused no git\n", "\nF what\n", "\nF file x\n", "\nF file -1 y\n"] {
            let mut said = Said::new("F", Wanted::Nothing);
            said.take(line.as_bytes(), |_| {});
            assert!(said.refused.is_some(), "{line}");
        }
    }
}
