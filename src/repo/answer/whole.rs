//! Whole files in fences, and fences that are only examples.

use super::naming::{path_in_info, path_line};
use super::{AnswerError, Fence, Reader};
use crate::repo::edit::{Action, FileEdit};

impl<'a> Reader<'a> {
    /// Reads the fence at the next line: a file, if something names its path, else an example to be passed over.
    pub(super) fn read_whole(&mut self, fence: Fence<'a>) -> Result<(), AnswerError> {
        let start = self.at;
        let path = path_in_info(fence.info).or_else(|| self.line_above(start).and_then(path_line));
        let end = (start + 1..self.lines.len()).find(|at| self.line(*at).is_some_and(|line| fence.is_closed_by(line)));
        let Some(path) = path else {
            self.at = end.map_or(self.lines.len(), |end| end + 1);
            return Ok(());
        };
        let end = end.ok_or_else(|| Self::malformed(start, format!("the fence around {path} is never closed")))?;
        let content = self.lines.get(start + 1..end).unwrap_or_default();
        let opens_another = |line: &&str| {
            Fence::opening(line).is_some_and(|inner| inner.mark == fence.mark && inner.length >= fence.length)
        };
        if content.iter().any(opens_another) {
            let what = format!("{path} has fences inside, so where it ends is not clear: put a longer fence around it");
            return Err(Self::malformed(start, what));
        }
        let mut text = content.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        self.at = end + 1;
        self.push(FileEdit::of(path, Action::Write(text)));
        Ok(())
    }
}
