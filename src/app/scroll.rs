//! The place in a document, as line and row within the line: it survives a change of width.

use std::ops::Range;

use super::doc::{Doc, DocLine, Kind};
use super::wrap;

/// The place at the top of a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scroll {
    /// The line at the top.
    pub line: usize,
    /// The row of that line at the top.
    pub row: usize,
    /// The first column shown, when lines are not wrapped.
    pub left: usize,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// Whether the end stays in sight as the document grows.
    pub follow: bool,
}

impl Default for Scroll {
    fn default() -> Self {
        Self { line: 0, row: 0, left: 0, wrap: true, follow: false }
    }
}

/// Columns that the gutter takes: line number, a space, the mark and the sign.
pub const GUTTER: u16 = 7;

/// Columns by which the later rows of a wrapped line are indented.
pub fn hang(line: &DocLine) -> usize {
    match line.kind {
        Kind::Item => line.text.len() - line.text.trim_start().len() + 2,
        _ => 0,
    }
}

/// The number of rows `line` takes at `width` columns of text.
fn rows_of(line: &DocLine, width: usize, wrapped: bool) -> usize {
    if wrapped { wrap::rows(&line.text, width, hang(line)).len() } else { 1 }
}

impl Scroll {
    /// A place that follows the end.
    pub fn at_end() -> Self {
        Self { follow: true, ..Self::default() }
    }

    /// The place actually shown in a pane of `width` columns of text and `height` rows. When following, the end is in
    /// sight, with or without blank rows below it.
    pub fn shown(&self, doc: &Doc, width: usize, height: usize) -> Self {
        let last = self.last(doc, width, height);
        let past = (self.line, self.row) > (last.line, last.row);
        if self.follow == past && self.line < doc.lines().len() { *self } else { last }
    }

    /// Turns the page for a document that grows: once its end is out of sight, it is put a quarter down, so that what comes
    /// fills the rows below. Text that stands still can be read, and needs not be written to the terminal again.
    pub fn turn(&mut self, doc: &Doc, width: usize, height: usize) {
        let last = self.last(doc, width, height);
        if self.follow && (self.line, self.row) < (last.line, last.row) {
            *self = self.last(doc, width, height.div_ceil(4));
        }
    }

    /// The furthest place: the document's end at the pane's bottom.
    fn last(&self, doc: &Doc, width: usize, height: usize) -> Self {
        let mut left = height;
        for (index, line) in doc.lines().iter().enumerate().rev() {
            let rows = rows_of(line, width, self.wrap);
            if rows >= left {
                return Self { line: index, row: rows - left, ..*self };
            }
            left -= rows;
        }
        Self { line: 0, row: 0, ..*self }
    }

    /// Moves by `rows`, down when positive. Leaves following when moving up; takes it up again at the very end of a
    /// document that grows.
    pub fn by(&mut self, doc: &Doc, width: usize, height: usize, rows: isize) {
        let mut place = self.shown(doc, width, height);
        place.follow = false;
        for _ in 0..rows.unsigned_abs() {
            if rows > 0 {
                let here = doc.lines().get(place.line).map_or(1, |line| rows_of(line, width, self.wrap));
                if place.row + 1 < here {
                    place.row += 1;
                } else {
                    (place.line, place.row) = (place.line + 1, 0);
                }
            } else if place.row > 0 {
                place.row -= 1;
            } else if place.line > 0 {
                place.line -= 1;
                place.row = doc.lines().get(place.line).map_or(0, |line| rows_of(line, width, self.wrap) - 1);
            }
        }
        *self = place.shown(doc, width, height);
    }

    /// Puts `line` a third down from the top, as far as the document allows.
    pub fn to_line(&mut self, doc: &Doc, width: usize, height: usize, line: usize) {
        // Up from the line itself, and only then as far as the document allows: else a line near the end stays below.
        let mut above = height / 3;
        let mut top = line;
        while let Some(before) = top.checked_sub(1) {
            let rows = doc.lines().get(before).map_or(1, |one| rows_of(one, width, self.wrap));
            if rows > above {
                break;
            }
            (above, top) = (above - rows, before);
        }
        (self.line, self.row, self.follow) = (top, 0, false);
        *self = self.shown(doc, width, height);
    }

    /// What is on the screen: each line with the part of its text, in bytes, that can be seen.
    pub fn parts(&self, doc: &Doc, width: usize, height: usize) -> Vec<(usize, Range<usize>)> {
        let place = self.shown(doc, width, height);
        let mut left = height;
        let mut parts = Vec::new();
        for (index, line) in doc.lines().iter().enumerate().skip(place.line) {
            if left == 0 {
                break;
            }
            if !self.wrap {
                let shown = wrap::window(&line.text, self.left, width);
                // The window is a part of the text itself, so its distance from the beginning is its place.
                let from = (shown.as_ptr() as usize).saturating_sub(line.text.as_ptr() as usize);
                parts.push((index, if shown.is_empty() { 0..0 } else { from..from + shown.len() }));
                left -= 1;
                continue;
            }
            let rows = wrap::rows(&line.text, width, hang(line));
            let skipped = if index == place.line { place.row } else { 0 };
            let shown: Vec<_> = rows.into_iter().skip(skipped).take(left).collect();
            left -= shown.len();
            if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
                parts.push((index, first.start..last.end));
            }
        }
        parts
    }

    /// The lines wholly on the screen: from the first to the one after the last.
    pub fn visible(&self, doc: &Doc, width: usize, height: usize) -> (usize, usize) {
        let place = self.shown(doc, width, height);
        let first = if place.row > 0 { place.line + 1 } else { place.line };
        let mut left = height + place.row;
        for (index, line) in doc.lines().iter().enumerate().skip(place.line) {
            let rows = rows_of(line, width, self.wrap);
            if rows > left {
                return (first, index);
            }
            left -= rows;
        }
        (first, doc.lines().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(lines: usize) -> Doc {
        Doc::prose(&(1..=lines).map(|n| format!("line {n}\n")).collect::<String>())
    }

    #[test]
    fn scrolling_stops_at_both_ends() {
        let doc = doc(30);
        let mut scroll = Scroll::default();
        scroll.by(&doc, 40, 10, -5);
        assert_eq!(scroll.line, 0);
        scroll.by(&doc, 40, 10, 100);
        assert_eq!(scroll.line, 20);
        assert_eq!(scroll.visible(&doc, 40, 10), (20, 30));
    }

    #[test]
    fn a_line_that_is_gone_to_is_in_sight_wherever_it_is() {
        let doc = doc(30);
        for line in 0..30 {
            let mut scroll = Scroll::default();
            scroll.to_line(&doc, 40, 10, line);
            let (from, to) = scroll.visible(&doc, 40, 10);
            assert!((from..to).contains(&line), "{line} is not in {from}..{to}");
        }
    }

    #[test]
    fn what_is_followed_stands_still_until_its_page_is_full() {
        let mut doc = Doc::default();
        let mut scroll = Scroll::at_end();
        let mut tops = Vec::new();
        for number in 1..=40 {
            doc.push(&format!("line {number}\n"));
            scroll.turn(&doc, 40, 10);
            let (from, to) = scroll.visible(&doc, 40, 10);
            assert!(to == doc.lines().len(), "the end is out of sight: {from}..{to} of {number}");
            tops.push(from);
        }
        tops.dedup();
        assert!(tops.len() <= 40 / 7 + 2, "{tops:?}");
    }

    #[test]
    fn following_ends_when_the_reader_scrolls_up() {
        let mut doc = doc(30);
        let mut scroll = Scroll::at_end();
        assert_eq!(scroll.shown(&doc, 40, 10).line, 20);
        doc.push("\nmore\nmore");
        assert!(scroll.shown(&doc, 40, 10).line > 20);
        scroll.by(&doc, 40, 10, -1);
        let place = scroll.shown(&doc, 40, 10).line;
        doc.push("\nand more");
        assert_eq!(scroll.shown(&doc, 40, 10).line, place);
    }

    #[test]
    fn a_narrower_pane_keeps_the_place() {
        let doc = Doc::prose(&(1..=30).map(|n| format!("{n} {}\n", "word ".repeat(20))).collect::<String>());
        let mut scroll = Scroll::default();
        scroll.to_line(&doc, 120, 9, 12);
        let place = scroll.line;
        assert_eq!(scroll.shown(&doc, 30, 9).line, place);
        // A line taller than the pane is never wholly visible, but scrolling gets through it row by row.
        scroll.by(&doc, 10, 3, 2);
        assert_eq!(scroll.row, 2);
    }
}
