//! Reads the edits out of what a model answered. Prose around them is passed over; three forms are taken, also mixed:
//!
//! 1. **Unified diffs**, fenced or not: `--- a/x` and `+++ b/x` headers, or git's `diff --git` with its extended headers
//!    (new, deleted and renamed files, modes). Line numbers and counts may be wrong; the content of hunks may not.
//! 2. **SEARCH/REPLACE blocks**: the path on the line before the block or before its fence (a block without one is for the
//!    file of the block before), then `<<<<<<< SEARCH`, the lines there now, `=======`, the lines to be there,
//!    `>>>>>>> REPLACE`. An empty SEARCH makes a new file.
//! 3. **Whole files**: a fence whose info string names the path (```` ```rust path=src/a.rs ````, ```` ```rust src/a.rs ````), or
//!    whose preceding line does and nothing else (`### File: src/a.rs`, `**src/a.rs**`). A file that holds fences
//!    itself needs a longer fence around it.
//!
//! Other fences are examples and are passed over whole. An answer whose lines all end in CRLF is read as if they ended in LF.

mod blocks;
mod diff;
mod naming;
mod whole;

use self::naming::path_line;
use super::edit::{Action, FileEdit};
use super::hunk::is_crlf;

/// Why an answer can't be read as edits; fit to be sent back to the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Nothing in it is an edit.
    #[error(
        "the answer contains no edit: give a unified diff, SEARCH/REPLACE blocks with the path on the line before, or whole files in fences with `path=` in the info string"
    )]
    NoEdits,
    /// It contains an edit that breaks off or contradicts itself.
    #[error("line {line} of the answer: {what}")]
    Malformed {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// What an answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The edits, in the order of the files' first edits.
    pub edits: Vec<FileEdit>,
    /// What is said around them: the answer without its edits and the lines that name their files.
    pub prose: String,
}

/// Reads an answer.
///
/// # Errors
/// If there is none, or one of them is incomplete, contradictory or binary. Nothing is said of whether they fit.
pub fn parse_answer(text: &str) -> Result<Answer, AnswerError> {
    let unified = if is_crlf(text.as_bytes()) { text.replace("\r\n", "\n") } else { text.to_owned() };
    let mut lines: Vec<&str> = unified.split('\n').collect();
    if unified.ends_with('\n') {
        lines.pop();
    }
    let mut reader = Reader { lines, at: 0, fence: None, edits: Vec::new(), pushed: 0, blocks: 0 };
    let mut prose: Vec<&str> = Vec::new();
    while reader.at < reader.lines.len() {
        let (at, pushed, fenced) = (reader.at, reader.pushed, reader.fence.is_some());
        reader.step()?;
        if fenced || reader.fence.is_some() || reader.pushed > pushed {
            drop_name(&mut prose);
        } else {
            prose.extend(reader.lines.get(at..reader.at).unwrap_or_default());
        }
    }
    if reader.fence.is_some() {
        return Err(Reader::malformed(
            reader.lines.len().saturating_sub(1),
            "the answer ends inside a fence: it breaks off",
        ));
    }
    if reader.edits.is_empty() {
        return Err(AnswerError::NoEdits);
    }
    Ok(Answer { edits: reader.edits, prose: prose.join("\n") })
}

/// Takes the line that names an edit's file off what was said before the edit.
fn drop_name(prose: &mut Vec<&str>) {
    let said = prose.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    let names = said.checked_sub(1).and_then(|last| prose.get(last)).is_some_and(|line| path_line(line).is_some());
    if names {
        prose.truncate(said - 1);
    }
}

/// Where the reading stands.
struct Reader<'a> {
    lines: Vec<&'a str>,
    /// The next line.
    at: usize,
    /// The fence that the next line is in, if its content is edits rather than a file or an example.
    fence: Option<Fence<'a>>,
    edits: Vec<FileEdit>,
    /// Edits read so far; more than `edits` when a file has several.
    pushed: usize,
    /// SEARCH/REPLACE blocks read so far.
    blocks: usize,
}

/// The opening line of a fence.
#[derive(Clone, Copy)]
struct Fence<'a> {
    mark: char,
    length: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn opening(line: &'a str) -> Option<Self> {
        let text = line.trim_start_matches(' ');
        let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = text.trim_start_matches(mark);
        let length = text.len() - info.len();
        let plausible = length >= 3 && !(mark == '`' && info.contains('`'));
        plausible.then_some(Self { mark, length, info: info.trim() })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        Fence::opening(line)
            .is_some_and(|other| other.mark == self.mark && other.length >= self.length && other.info.is_empty())
    }
}

impl<'a> Reader<'a> {
    fn line(&self, at: usize) -> Option<&'a str> {
        self.lines.get(at).copied()
    }

    fn malformed(at: usize, what: impl Into<String>) -> AnswerError {
        AnswerError::Malformed { line: at + 1, what: what.into() }
    }

    /// The nearest line above that isn't blank, if it is outside of any fence.
    fn line_above(&self, at: usize) -> Option<&'a str> {
        let above = self.lines.get(..at)?.iter().rev().copied();
        above.take(3).find(|line| !line.trim().is_empty())
    }

    /// Whether the content of the enclosing fence ends at this line, or the answer does.
    fn ends_at(&self, at: usize) -> bool {
        match (self.line(at), self.fence) {
            (None, _) => true,
            (Some(line), Some(fence)) => fence.is_closed_by(line),
            (Some(line), None) => Fence::opening(line).is_some(),
        }
    }

    fn step(&mut self) -> Result<(), AnswerError> {
        let Some(line) = self.line(self.at) else { return Ok(()) };
        if self.starts_diff(self.at) {
            return self.read_diff();
        }
        if blocks::opens(line) {
            return self.read_block();
        }
        if let Some(fence) = self.fence {
            if fence.is_closed_by(line) {
                self.fence = None;
            } else if line.starts_with("@@ ") {
                return Err(Self::malformed(self.at, "this hunk follows no `---` and `+++` lines that name its file"));
            }
            self.at += 1;
            return Ok(());
        }
        match Fence::opening(line) {
            Some(fence) => self.enter(fence),
            None => {
                self.at += 1;
                Ok(())
            }
        }
    }

    /// Takes the fence at the next line for what it holds: edits, a whole file, or an example.
    fn enter(&mut self, fence: Fence<'a>) -> Result<(), AnswerError> {
        let first =
            (self.at + 1..self.lines.len()).find(|at| self.line(*at).is_some_and(|line| !line.trim().is_empty()));
        let holds_edits = first.is_some_and(|at| {
            let is_block = |at| self.line(at).is_some_and(blocks::opens);
            // A block in a fence may have its path inside, too.
            self.starts_diff(at) || is_block(at) || is_block(at + 1)
        });
        if holds_edits || matches!(fence.info, "diff" | "patch") {
            self.fence = Some(fence);
            self.at += 1;
            return Ok(());
        }
        self.read_whole(fence)
    }

    /// Adds an edit; hunks for a file that has hunks already join them.
    fn push(&mut self, edit: FileEdit) {
        self.pushed += 1;
        if let Action::Modify(hunks) = &edit.action
            && edit.from.is_none()
            && edit.mode.is_none()
            && let Some(Action::Modify(earlier)) =
                self.edits.iter_mut().find(|earlier| earlier.path == edit.path).map(|earlier| &mut earlier.action)
        {
            earlier.extend(hunks.iter().cloned());
            return;
        }
        self.edits.push(edit);
    }
}

#[cfg(test)]
mod tests;
