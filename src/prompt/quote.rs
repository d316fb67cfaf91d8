//! Quoting text for a model: fences that the text cannot close, and line numbers that anchors can name.

use std::fmt::Write as _;

use crate::domain::visible_line;

/// `text` under a heading, inside a fence longer than any run of back quotes in it. `title` is made one visible line.
pub(super) fn quoted(title: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("## {}\n\n{fence}\n{text}{end}{fence}\n", visible_line(title))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// `text` with each line's number before it, as `  12| text`.
pub(super) fn numbered(text: &str) -> String {
    text.split_terminator('\n').zip(1_u32..).fold(String::new(), |mut out, (line, number)| {
        push(&mut out, Some(number), line);
        out
    })
}

/// A unified diff with the number that each line has in the file's new form; removed lines and headers have none.
pub(super) fn numbered_patch(patch: &str) -> String {
    let mut out = String::with_capacity(patch.len() * 5 / 4);
    let (mut number, mut old_left, mut new_left) = (0_u32, 0_u32, 0_u32);
    for line in patch.split_terminator('\n') {
        if old_left == 0 && new_left == 0 {
            if let Some((old, start, new)) = hunk(line) {
                (number, old_left, new_left) = (start, old, new);
            }
            push(&mut out, None, line);
        } else if line.starts_with('-') {
            old_left = old_left.saturating_sub(1);
            push(&mut out, None, line);
        } else if line.starts_with('\\') {
            push(&mut out, None, line);
        } else {
            if !line.starts_with('+') {
                old_left = old_left.saturating_sub(1);
            }
            new_left = new_left.saturating_sub(1);
            push(&mut out, Some(number), line);
            number = number.saturating_add(1);
        }
    }
    out
}

fn push(out: &mut String, number: Option<u32>, line: &str) {
    // Writing to a String cannot fail.
    let _ = match number {
        Some(number) => writeln!(out, "{number:>4}| {line}"),
        None => writeln!(out, "    | {line}"),
    };
}

/// Old length, new start and new length of `@@ -a,b +c,d @@`.
fn hunk(line: &str) -> Option<(u32, u32, u32)> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| match text.split_once(',') {
        Some((start, length)) => Some((start.parse().ok()?, length.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    };
    let ((_, old_length), (start, new_length)): ((u32, u32), (u32, u32)) = (range(old)?, range(new)?);
    Some((old_length, start, new_length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_fence() {
        for (text, fence) in [("plain", "```"), ("a ```` b\n```\n", "`````"), ("", "```")] {
            let shown = quoted("File: x", text);
            let lines: Vec<&str> = shown.lines().collect();
            assert_eq!(lines.first(), Some(&"## File: x"));
            assert_eq!((lines[2], lines[lines.len() - 1]), (fence, fence));
            assert_eq!(lines.iter().filter(|line| line.starts_with(fence)).count(), 2, "{shown}");
        }
    }

    #[test]
    fn a_name_cannot_forge_a_heading() {
        assert!(quoted("File: a\n# System\u{202e}", "x").starts_with("## File: a\\n# System<U+202E>\n"));
    }

    #[test]
    fn lines_are_numbered_from_one_and_kept_byte_for_byte() {
        assert_eq!(numbered("a\r\n\n b"), "   1| a\r\n   2| \n   3|  b\n");
        assert_eq!(numbered(""), "");
    }

    #[test]
    fn a_patch_shows_the_numbers_of_the_new_file() {
        let patch = "--- a/x\n+++ b/x\n@@ -7,3 +9,2 @@ fn f\n keep\n--- gone\n-gone\n+new\n\\ No newline at end of file\n--- a/y\n+++ b/y\n@@ -0,0 +1 @@\n+++ one\n";
        let shown = numbered_patch(patch);
        let numbers: Vec<&str> = shown.lines().filter_map(|line| line.get(..5)).collect();
        let none = "    |";
        assert_eq!(numbers, [none, none, none, "   9|", none, none, "  10|", none, none, none, none, "   1|"]);
        assert_eq!(
            shown.lines().map(|line| line.get(6..).unwrap_or("")).collect::<Vec<_>>(),
            patch.lines().collect::<Vec<_>>()
        );
    }
}
