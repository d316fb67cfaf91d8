//! SEARCH/REPLACE blocks.

use super::naming::{path_in_info, path_line};
use super::{AnswerError, Fence, Reader};
use crate::repo::edit::{Action, FileEdit, Hunk};

/// Whether a line is a marker: five to nine of this character, then this word.
fn is_marker(line: &str, mark: char, word: &str) -> bool {
    let rest = line.trim_start_matches(mark);
    (5..=9).contains(&(line.len() - rest.len())) && rest.trim() == word
}

/// Whether a block begins at this line.
pub(super) fn opens(line: &str) -> bool {
    is_marker(line, '<', "SEARCH")
}

impl Reader<'_> {
    /// Reads the block whose opening marker is the next line.
    pub(super) fn read_block(&mut self) -> Result<(), AnswerError> {
        let start = self.at;
        let path = self.block_path(start)?;
        let divider = self.find(start + 1, |line| is_marker(line, '=', ""));
        let divider = divider.ok_or_else(|| Self::malformed(start, "this SEARCH block has no ======= line"))?;
        let end = self.find(divider + 1, |line| is_marker(line, '>', "REPLACE"));
        let end = end.ok_or_else(|| Self::malformed(start, "this SEARCH block has no >>>>>>> REPLACE line"))?;
        let section = |from: usize, to: usize| -> Vec<String> {
            self.lines.get(from..to).unwrap_or_default().iter().map(|line| (*line).to_owned()).collect()
        };
        let (old, new) = (section(start + 1, divider), section(divider + 1, end));
        let nested = old.iter().chain(&new).any(|line| opens(line));
        let stray = new.iter().any(|line| is_marker(line, '=', ""));
        if nested || stray {
            return Err(Self::malformed(start, "this SEARCH block has markers of another block inside"));
        }
        self.at = end + 1;
        self.blocks += 1;
        let label = format!("SEARCH block {}", self.blocks);
        let action = if old.is_empty() {
            let mut content = new.join("\n");
            content.push('\n');
            Action::Create(content)
        } else {
            Action::Modify(vec![Hunk { label, line: None, old, new, old_bare: false, new_bare: false }])
        };
        self.push(FileEdit::of(path, action));
        Ok(())
    }

    fn find(&self, from: usize, is: impl Fn(&str) -> bool) -> Option<usize> {
        (from..self.lines.len()).find(|at| self.line(*at).is_some_and(&is))
    }

    /// The path on the line before, or before or in the opening line of the fence just above, or that of the block before.
    fn block_path(&self, start: usize) -> Result<String, AnswerError> {
        let mut above = self.lines.get(..start).unwrap_or_default().iter().rev().filter(|line| !line.trim().is_empty());
        let nearest = above.next().copied().unwrap_or_default();
        let found = match Fence::opening(nearest).filter(|_| self.fence.is_some()) {
            Some(fence) => path_in_info(fence.info).or_else(|| above.next().and_then(|line| block_path_line(line))),
            None => block_path_line(nearest),
        };
        let earlier = || self.edits.last().filter(|_| self.blocks > 0).map(|edit| edit.path.clone());
        found
            .or_else(earlier)
            .ok_or_else(|| Self::malformed(start, "no path stands on the line before this SEARCH block"))
    }
}

/// As [`path_line`], and any bare single word: nothing but a path has business on that line.
fn block_path_line(line: &str) -> Option<String> {
    let word = line.trim().trim_matches('`');
    let bare = !word.is_empty()
        && !word.contains(char::is_whitespace)
        && !word.ends_with([':', '.'])
        && !word.starts_with(['>', '`', '~']);
    path_line(line).or_else(|| bare.then(|| word.to_owned()))
}
