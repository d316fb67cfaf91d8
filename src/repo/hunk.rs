//! Finds where hunks belong in a file, by content, and applies them. Nothing is guessed: a place that fits twice is refused.
//!
//! Line ends are the file's own (a file all of CRLF lines is matched and written so), and whether the last line has one
//! is left as it is unless the hunk says otherwise. There is no other tolerance.

use super::edit::Hunk;

/// How many candidate lines a message lists.
const MAX_LISTED: usize = 5;

/// A file as lines.
struct Lines<'a> {
    lines: Vec<&'a [u8]>,
    crlf: bool,
    /// Whether the last line has a line end.
    ended: bool,
}

impl<'a> Lines<'a> {
    fn of(content: &'a [u8]) -> Self {
        let crlf = is_crlf(content);
        let ended = content.is_empty() || content.ends_with(b"\n");
        let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
        if ended {
            lines.pop();
        }
        if crlf {
            // A last line without its line end keeps its bytes.
            let whole = lines.len() - usize::from(!ended);
            for line in lines.iter_mut().take(whole) {
                *line = line.strip_suffix(b"\r").unwrap_or(line);
            }
        }
        Self { lines, crlf, ended }
    }

    fn holds_at(&self, start: usize, old: &[String]) -> bool {
        let region = self.lines.get(start..start.saturating_add(old.len()));
        region.is_some_and(|lines| lines.iter().zip(old).all(|(line, wanted)| *line == wanted.as_bytes()))
    }
}

/// Whether every line of a text ends in CRLF (and there is one).
pub(super) fn is_crlf(content: &[u8]) -> bool {
    let mut before = 0;
    let mut any = false;
    for byte in content {
        if *byte == b'\n' {
            if before != b'\r' {
                return false;
            }
            any = true;
        }
        before = *byte;
    }
    any
}

/// `content` with the line ends of `like`, if that has CRLF ones.
pub(super) fn with_line_ends_of(like: &[u8], content: &str) -> Vec<u8> {
    if is_crlf(like) && !content.contains('\r') { content.replace('\n', "\r\n") } else { content.to_owned() }
        .into_bytes()
}

/// The content after all hunks.
///
/// # Errors
/// One message for each hunk that doesn't fit in exactly one place, or fits only over another one.
pub(super) fn apply_hunks(content: &[u8], hunks: &[Hunk]) -> Result<Vec<u8>, Vec<String>> {
    let file = Lines::of(content);
    let mut placed = Vec::new();
    let mut problems = Vec::new();
    for hunk in hunks {
        match locate(&file, hunk) {
            Ok(start) => placed.push((start, hunk)),
            Err(problem) => problems.push(format!("{} {problem}", hunk.label)),
        }
    }
    placed.sort_by_key(|(start, _)| *start);
    for ((start, first), (next, second)) in placed.iter().zip(placed.iter().skip(1)) {
        if start + first.old.len() > *next || start == next {
            problems.push(format!("{} and {} overlap at line {}", first.label, second.label, next + 1));
        }
    }
    if problems.is_empty() { Ok(rewrite(&file, &placed)) } else { Err(problems) }
}

fn rewrite(file: &Lines<'_>, placed: &[(usize, &Hunk)]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut ended = file.ended;
    let mut at = 0;
    for (start, hunk) in placed {
        lines.extend(file.lines.get(at..*start).unwrap_or_default());
        lines.extend(hunk.new.iter().map(String::as_bytes));
        at = start + hunk.old.len();
        if at == file.lines.len() && (file.lines.is_empty() || hunk.old_bare != hunk.new_bare) {
            ended = !hunk.new_bare;
        }
    }
    lines.extend(file.lines.get(at..).unwrap_or_default());
    let end: &[u8] = if file.crlf { b"\r\n" } else { b"\n" };
    let mut content = lines.join(end);
    if ended && !lines.is_empty() {
        content.extend_from_slice(end);
    }
    content
}

/// The one place (counted from 0) where the hunk's old lines stand; else why there is none, to follow the hunk's label.
fn locate(file: &Lines<'_>, hunk: &Hunk) -> Result<usize, String> {
    if hunk.old.is_empty() {
        return if file.lines.is_empty() {
            Ok(0)
        } else {
            Err("has no line of the file to be found by: give at least one line before or after the place".into())
        };
    }
    let fits = |start: usize| {
        file.holds_at(start, &hunk.old) && (!hunk.old_bare || start + hunk.old.len() == file.lines.len())
    };
    if let Some(claimed) = hunk.line.and_then(|line| line.checked_sub(1)).filter(|start| fits(*start)) {
        return Ok(claimed);
    }
    let last = file.lines.len().checked_sub(hunk.old.len());
    let found: Vec<usize> = last.map_or_else(Vec::new, |last| (0..=last).filter(|start| fits(*start)).collect());
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(mismatch(file, hunk)),
        several => {
            let listed: Vec<String> = several.iter().take(MAX_LISTED).map(|start| (start + 1).to_string()).collect();
            let more = if several.len() > MAX_LISTED { ", ..." } else { "" };
            Err(format!(
                "fits at {} places (lines {}{more}): give more lines around it, so that it fits at one",
                several.len(),
                listed.join(", ")
            ))
        }
    }
}

/// Says where the hunk comes nearest and what differs there.
fn mismatch(file: &Lines<'_>, hunk: &Hunk) -> String {
    if file.lines.is_empty() {
        return "does not match: the file is empty".into();
    }
    let agreeing = |start: usize| {
        let rest = file.lines.get(start..).unwrap_or_default();
        rest.iter().zip(&hunk.old).take_while(|(line, wanted)| **line == wanted.as_bytes()).count()
    };
    let claimed = hunk.line.unwrap_or(1).saturating_sub(1).min(file.lines.len() - 1);
    // The longest agreement from the first line on; the place claimed, if nothing agrees or several agree alike.
    let mut nearest = (agreeing(claimed), claimed);
    for start in 0..file.lines.len() {
        let agreed = agreeing(start);
        if agreed > nearest.0 {
            nearest = (agreed, start);
        }
    }
    let (agreed, start) = nearest;
    let Some(wanted) = hunk.old.get(agreed) else {
        return "does not match: its last line is not the end of the file".into();
    };
    let line = start + agreed;
    let has = file.lines.get(line).map(|bytes| String::from_utf8_lossy(bytes));
    let there = match &has {
        Some(has) => format!("the file has `{has}` at line {}", line + 1),
        None => format!("the file ends after line {}", file.lines.len()),
    };
    let hint = match &has {
        Some(has) if has.trim() == wanted.trim() => " (only the white space differs)",
        _ => "",
    };
    format!("does not match: expected line `{wanted}`, {there}{hint}")
}

#[cfg(test)]
mod tests {
    use super::{Hunk, apply_hunks};

    fn hunk(line: Option<usize>, old: &[&str], new: &[&str]) -> Hunk {
        let own = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Hunk { label: "hunk 1".into(), line, old: own(old), new: own(new), old_bare: false, new_bare: false }
    }

    fn applied(content: &str, hunks: &[Hunk]) -> Result<String, String> {
        apply_hunks(content.as_bytes(), hunks)
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .map_err(|problems| problems.join("; "))
    }

    #[test]
    fn a_hunk_is_found_by_content_whatever_its_line_number() {
        for line in [None, Some(1), Some(3), Some(99), Some(0)] {
            assert_eq!(applied("a\nb\nc\n", &[hunk(line, &["b"], &["B", "B2"])]).as_deref(), Ok("a\nB\nB2\nc\n"));
        }
    }

    #[test]
    fn a_place_that_fits_twice_is_refused_with_the_candidates() {
        let file = "x\ny\nx\ny\n";
        let problem = applied(file, &[hunk(Some(2), &["x"], &["z"])]).unwrap_err();
        assert!(problem.contains("fits at 2 places (lines 1, 3)"), "{problem}");
        // The line it claims is one of them: that is no guess.
        assert_eq!(applied(file, &[hunk(Some(3), &["x"], &["z"])]).as_deref(), Ok("x\ny\nz\ny\n"));
    }

    #[test]
    fn a_mismatch_names_the_line() {
        let problem = applied("a\nb\nbar\n", &[hunk(Some(1), &["a", "b", "foo"], &[])]).unwrap_err();
        assert_eq!(problem, "hunk 1 does not match: expected line `foo`, the file has `bar` at line 3");
        let problem = applied("a\n", &[hunk(None, &["a", "b"], &[])]).unwrap_err();
        assert_eq!(problem, "hunk 1 does not match: expected line `b`, the file ends after line 1");
        let problem = applied("\ta\n", &[hunk(None, &["    a"], &[])]).unwrap_err();
        assert!(problem.ends_with("(only the white space differs)"), "{problem}");
    }

    #[test]
    fn line_ends_stay_the_files_own() {
        assert_eq!(applied("a\r\nb\r\n", &[hunk(None, &["b"], &["c", "d"])]).as_deref(), Ok("a\r\nc\r\nd\r\n"));
        assert_eq!(applied("a\nb", &[hunk(None, &["b"], &["c"])]).as_deref(), Ok("a\nc"));
        assert_eq!(applied("a\r\nb\n", &[hunk(None, &["b"], &["c"])]).as_deref(), Ok("a\r\nc\n"));
    }

    #[test]
    fn the_last_newline_changes_only_when_the_hunk_says_so() {
        let adds = Hunk { old_bare: true, ..hunk(None, &["b"], &["b"]) };
        assert_eq!(applied("a\nb", &[adds]).as_deref(), Ok("a\nb\n"));
        let drops = Hunk { new_bare: true, ..hunk(None, &["b"], &["b"]) };
        assert_eq!(applied("a\nb\n", &[drops]).as_deref(), Ok("a\nb"));
    }

    #[test]
    fn hunks_over_one_another_and_hunks_without_context_are_refused() {
        let two = [hunk(None, &["a", "b"], &["x"]), hunk(None, &["b", "c"], &["y"])];
        assert!(applied("a\nb\nc\n", &two).unwrap_err().contains("overlap at line 2"));
        assert!(applied("a\n", &[hunk(Some(1), &[], &["x"])]).unwrap_err().contains("has no line"));
        assert_eq!(applied("", &[hunk(None, &[], &["x"])]).as_deref(), Ok("x\n"));
    }

    #[test]
    fn removing_every_line_leaves_an_empty_file() {
        assert_eq!(applied("a\n", &[hunk(None, &["a"], &[])]).as_deref(), Ok(""));
    }
}
