//! Unified diffs, git's and plain ones.

use super::naming::header_path;
use super::{AnswerError, Reader};
use crate::repo::edit::{Action, FileEdit, Hunk};

/// What the lines before the first hunk say.
#[derive(Default)]
struct Header {
    git: Option<String>,
    old: Option<String>,
    new: Option<String>,
    renamed: bool,
    created: bool,
    deleted: bool,
    mode: Option<String>,
}

impl<'a> Reader<'a> {
    /// Whether the diff of a file begins at this line.
    pub(super) fn starts_diff(&self, at: usize) -> bool {
        let Some(line) = self.line(at) else { return false };
        line.starts_with("diff --git ") || self.starts_names(at)
    }

    fn starts_names(&self, at: usize) -> bool {
        let starts = |at, mark| self.line(at).is_some_and(|line: &str| line.starts_with(mark));
        starts(at, "--- ") && starts(at + 1, "+++ ")
    }

    /// Reads the diff of one file, which begins at the next line.
    pub(super) fn read_diff(&mut self) -> Result<(), AnswerError> {
        let start = self.at;
        let header = self.read_header()?;
        let (old, new) =
            header.paths().ok_or_else(|| Self::malformed(start, "the headers of this diff name no path"))?;
        let mut hunks = Vec::new();
        while let Some(line) = self.line(self.at).filter(|line| line.starts_with("@@")) {
            let number = hunks.len() + 1;
            hunks.push(self.read_hunk(line, number)?);
        }
        let edit = match (old, new) {
            (None, None) => return Err(Self::malformed(start, "both headers of this diff are /dev/null")),
            (None, Some(path)) => FileEdit {
                path,
                from: None,
                mode: header.mode,
                action: created(hunks).map_err(|what| Self::malformed(start, what))?,
            },
            (Some(path), None) => FileEdit::of(path, Action::Delete(hunks)),
            (Some(old), Some(new)) => {
                if old != new && !header.renamed {
                    let what = format!(
                        "the headers of this diff name two files, {old} and {new}; say `rename from` and `rename to` if that is meant"
                    );
                    return Err(Self::malformed(start, what));
                }
                if hunks.is_empty() && old == new && header.mode.is_none() {
                    return Err(Self::malformed(start, format!("the diff of {new} has no hunk")));
                }
                let from = (old != new).then_some(old);
                FileEdit { path: new, from, mode: header.mode, action: Action::Modify(hunks) }
            }
        };
        self.push(edit);
        Ok(())
    }

    /// Reads up to the first hunk, or to the end of a diff that has none.
    fn read_header(&mut self) -> Result<Header, AnswerError> {
        let mut header = Header::default();
        let start = self.at;
        while let Some(line) = self.line(self.at).filter(|_| !self.ends_at(self.at)) {
            if let Some(rest) = line.strip_prefix("diff --git ") {
                if self.at != start {
                    break;
                }
                header.git = Some(rest.to_owned());
            } else if self.starts_names(self.at) {
                header.old = line.strip_prefix("--- ").and_then(header_path);
                header.new = self.line(self.at + 1).and_then(|line| line.strip_prefix("+++ ")).and_then(header_path);
                if header.old.is_none() || header.new.is_none() {
                    return Err(Self::malformed(self.at, "this path is not quoted as git quotes"));
                }
                self.at += 2;
                break;
            } else if line.starts_with("GIT binary patch") || line.starts_with("Binary files ") {
                return Err(Self::malformed(self.at, "binary changes can't be taken"));
            } else if header.git.is_none() || !header.read(line).map_err(|what| Self::malformed(self.at, what))? {
                break;
            }
            self.at += 1;
        }
        Ok(header)
    }

    fn read_hunk(&mut self, head: &str, number: usize) -> Result<Hunk, AnswerError> {
        let start = self.at;
        self.at += 1;
        let ranges = head.trim_start_matches('@').split("@@").next().unwrap_or_default().trim();
        let counts = counts_of(ranges);
        let label =
            if ranges.is_empty() { format!("hunk {number}") } else { format!("hunk {number} (@@ {ranges} @@)") };
        let end = match counts.and_then(|counts| self.end_by_counts(counts)) {
            Some(end) => end,
            None => self.end_by_content()?,
        };
        let line = counts.map(|counts| counts.line);
        let mut hunk = Hunk { label, line, old: Vec::new(), new: Vec::new(), old_bare: false, new_bare: false };
        let mut last = ' ';
        for line in self.lines.get(self.at..end).unwrap_or_default() {
            let mut rest = line.chars();
            let mark = rest.next().unwrap_or(' ');
            let text = rest.as_str();
            if mark == '\\' {
                hunk.old_bare |= last != '+';
                hunk.new_bare |= last != '-';
                continue;
            }
            if mark != '+' {
                hunk.old.push(text.to_owned());
            }
            if mark != '-' {
                hunk.new.push(text.to_owned());
            }
            last = mark;
        }
        self.at = end;
        if hunk.old == hunk.new && hunk.old_bare == hunk.new_bare {
            return Err(Self::malformed(start, "this hunk changes nothing"));
        }
        Ok(hunk)
    }

    /// Where the hunk ends if its counts are right; none if they aren't.
    fn end_by_counts(&self, counts: Counts) -> Option<usize> {
        let (mut old, mut new) = (counts.old, counts.new);
        let mut at = self.at;
        while old > 0 || new > 0 {
            match self.line(at)?.chars().next().unwrap_or(' ') {
                ' ' => {
                    old = old.checked_sub(1)?;
                    new = new.checked_sub(1)?;
                }
                '-' => old = old.checked_sub(1)?,
                '+' => new = new.checked_sub(1)?,
                '\\' => {}
                _ => return None,
            }
            at += 1;
        }
        while self.line(at).is_some_and(|line| line.starts_with('\\')) {
            at += 1;
        }
        let is_more = |line: &str| !line.trim().is_empty() && !is_signature(line);
        let goes_on = if self.fence.is_some() {
            // In a fence nothing else may follow, so whatever does belongs to the hunk.
            let rest = (at..).take_while(|at| !self.ends_at(*at) && !self.starts_diff(*at));
            let rest =
                rest.filter_map(|at| self.line(at)).take_while(|line| !line.starts_with("@@") && !is_signature(line));
            rest.into_iter().any(is_more)
        } else {
            let is_marked = |line: &str| line.starts_with([' ', '+', '-']) && is_more(line);
            !self.starts_diff(at) && self.line(at).is_some_and(is_marked)
        };
        (!goes_on).then_some(at)
    }

    /// Where the hunk ends by the look of its lines. Blank lines are context whose space got lost, unless the hunk ends there.
    ///
    /// # Errors
    /// If it breaks off at a line that could be context whose mark got lost: what follows would be dropped silently.
    fn end_by_content(&self) -> Result<usize, AnswerError> {
        let goes_on = |at: &usize| !self.ends_at(*at) && !self.starts_diff(*at);
        let mut end = self.at;
        for at in (self.at..).take_while(goes_on) {
            let line = self.line(at).unwrap_or_default();
            match line.chars().next() {
                _ if is_signature(line) => break,
                Some(' ' | '+' | '-' | '\\') => end = at + 1,
                None => {}
                Some('@') => break,
                // Outside of a fence, a blank line lets prose begin.
                Some(_) if self.fence.is_none() && end < at => break,
                Some(_) => return Err(Self::malformed(at, "this line of a hunk begins with none of ` `, `+`, `-`")),
            }
        }
        Ok(end)
    }
}

/// Whether this line ends a patch that went by mail.
fn is_signature(line: &str) -> bool {
    line == "-- "
}

impl Header {
    /// Reads one of git's extended header lines; false if it is none.
    fn read(&mut self, line: &str) -> Result<bool, String> {
        let (old, new) = (["rename from ", "copy from "], ["rename to ", "copy to "]);
        if line.starts_with("copy ") {
            return Err("a copy can't be taken; make the new file instead".into());
        } else if let Some(mode) = line.strip_prefix("new file mode ") {
            self.created = true;
            self.mode = Some(mode.trim().to_owned());
        } else if line.starts_with("deleted file mode ") {
            self.deleted = true;
        } else if let Some(mode) = line.strip_prefix("new mode ") {
            self.mode = Some(mode.trim().to_owned());
        } else if let Some(path) = old.iter().find_map(|start| line.strip_prefix(start)) {
            self.renamed = true;
            self.old = Some(format!("a/{}", header_path(path).ok_or("this path is not quoted as git quotes")?));
        } else if let Some(path) = new.iter().find_map(|start| line.strip_prefix(start)) {
            self.new = Some(format!("b/{}", header_path(path).ok_or("this path is not quoted as git quotes")?));
        } else {
            let known = ["index ", "old mode ", "similarity index ", "dissimilarity index "];
            return Ok(known.iter().any(|start| line.starts_with(start)));
        }
        Ok(true)
    }

    /// Old and new path, none standing for `/dev/null`; none at all if nothing names them.
    fn paths(&self) -> Option<(Option<String>, Option<String>)> {
        let (old, new) = match (&self.old, &self.new) {
            (Some(old), Some(new)) => (old.clone(), new.clone()),
            _ => git_names(self.git.as_deref()?)?,
        };
        let is_null = |path: &str| path == "/dev/null";
        // `a/` and `b/` are git's, unless they are the names of real directories: then the other side lacks its own.
        let prefixed = (old.starts_with("a/") || is_null(&old)) && (new.starts_with("b/") || is_null(&new));
        let stripped =
            |path: &str| if prefixed { path.get(2..).unwrap_or_default().to_owned() } else { path.to_owned() };
        let old_path = (!is_null(&old) && !self.created).then(|| stripped(&old));
        let new_path = (!is_null(&new) && !self.deleted).then(|| stripped(&new));
        Some((old_path, new_path))
    }
}

/// The two paths after `diff --git`, for diffs without `---` and `+++`: both the same but for `a/` and `b/`.
fn git_names(text: &str) -> Option<(String, String)> {
    if text.starts_with('"') {
        let (old, new) = text.split_once("\" ")?;
        return Some((header_path(&format!("{old}\""))?, header_path(new)?));
    }
    let half = text.len().checked_sub(1)? / 2;
    let (old, new) = (text.get(..half)?, text.get(half + 1..)?);
    (old.get(1..) == new.get(1..)).then(|| (old.to_owned(), new.to_owned()))
}

/// A new file's content; a hunk that expects lines there contradicts itself.
fn created(hunks: Vec<Hunk>) -> Result<Action, String> {
    let mut content = String::new();
    let mut bare = false;
    for hunk in hunks {
        if !hunk.old.is_empty() {
            return Err(format!("{} of a new file has lines that are not added", hunk.label));
        }
        for line in &hunk.new {
            content.push_str(line);
            content.push('\n');
        }
        bare = hunk.new_bare;
    }
    if bare {
        content.pop();
    }
    Ok(Action::Create(content))
}

/// What a hunk's head says of its place.
#[derive(Clone, Copy)]
struct Counts {
    line: usize,
    old: usize,
    new: usize,
}

/// Reads `-10,3 +10,4`.
fn counts_of(ranges: &str) -> Option<Counts> {
    let (old, new) = ranges.strip_prefix('-')?.split_once(" +")?;
    let range = |text: &str| -> Option<(usize, usize)> {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.trim().parse().ok()?, count.trim().parse().ok()?))
    };
    let ((line, old), (_, new)) = (range(old)?, range(new)?);
    Some(Counts { line, old, new })
}
