//! The place in a document, as line and row within the line: it survives a change of width.

use std::ops::Range;

use super::doc::{DocLine, Kind};
use super::sight::{Row, Sight};

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

/// Columns by which the later rows of a wrapped line are indented.
pub fn hang(line: &DocLine<'_>) -> usize {
    match line.kind {
        Kind::Item => line.text.len() - line.text.trim_start().len() + 2,
        _ => 0,
    }
}

impl Scroll {
    /// A place that follows the end.
    pub fn at_end() -> Self {
        Self { follow: true, ..Self::default() }
    }

    fn rows(&self, sight: &Sight<'_>, leading: usize) -> Vec<Row> {
        sight.rows(leading, self.wrap, self.left)
    }

    /// The place actually shown. When following, the end is in sight, with or without blank rows below it.
    pub fn shown(&self, sight: &Sight<'_>) -> Self {
        let last = self.last(sight);
        let here = Self { line: sight.leading(self.line), ..*self };
        let past = (here.line, here.row) > (last.line, last.row);
        if self.follow == past && here.line < sight.doc.len() { here } else { last }
    }

    /// Turns the page for a document that grows: once its end is out of sight, it is put a quarter down, so that what comes
    /// fills the rows below. Text that stands still can be read, and needs not be written to the terminal again.
    pub fn turn(&mut self, sight: &Sight<'_>) {
        let last = self.last(sight);
        if self.follow && (self.line, self.row) < (last.line, last.row) {
            *self = self.last(&sight.with_height(sight.height.div_ceil(4)));
        }
    }

    /// The furthest place: the document's end at the pane's bottom.
    fn last(&self, sight: &Sight<'_>) -> Self {
        let mut left = sight.height;
        let mut next = sight.before(sight.doc.len());
        while let Some(leading) = next {
            let rows = self.rows(sight, leading).len();
            if rows >= left {
                return Self { line: leading, row: rows - left, ..*self };
            }
            left -= rows;
            next = sight.before(leading);
        }
        Self { line: 0, row: 0, ..*self }
    }

    /// Moves by `rows`, down when positive. Leaves following when moving up; takes it up again at the very end of a
    /// document that grows.
    pub fn by(&mut self, sight: &Sight<'_>, rows: isize) {
        let mut place = self.shown(sight);
        let last = self.last(sight);
        place.follow = false;
        for _ in 0..rows.unsigned_abs() {
            if rows > 0 {
                if (place.line, place.row) >= (last.line, last.row) {
                    break;
                }
                if place.row + 1 < self.rows(sight, place.line).len() {
                    place.row += 1;
                } else {
                    (place.line, place.row) = (sight.after(place.line), 0);
                }
            } else if place.row > 0 {
                place.row -= 1;
            } else if let Some(before) = sight.before(place.line) {
                (place.line, place.row) = (before, self.rows(sight, before).len().saturating_sub(1));
            } else {
                break;
            }
        }
        *self = place.shown(sight);
    }

    /// Puts `line` a third down from the top, as far as the document allows.
    pub fn to_line(&mut self, sight: &Sight<'_>, line: usize) {
        // Up from the line itself, and only then as far as the document allows: else a line near the end stays below.
        let mut above = sight.height / 3;
        let mut top = sight.leading(line);
        while let Some(before) = sight.before(top) {
            let rows = self.rows(sight, before).len();
            if rows > above {
                break;
            }
            (above, top) = (above - rows, before);
        }
        (self.line, self.row, self.follow) = (top, 0, false);
        *self = self.shown(sight);
    }

    /// Moves no further than it takes to have `line` in sight.
    pub fn reveal(&mut self, sight: &Sight<'_>, line: usize) {
        let line = sight.leading(line);
        let mut place = self.shown(sight);
        if line < place.line {
            (place.line, place.row) = (line, 0);
        }
        while line >= place.visible(sight).1.max(place.line + 1) {
            let before = place;
            place.by(sight, 1);
            if place == before {
                break;
            }
        }
        *self = place;
    }

    /// The rows on the screen.
    pub fn screen(&self, sight: &Sight<'_>) -> Vec<Row> {
        let place = self.shown(sight);
        let mut rows: Vec<Row> = Vec::with_capacity(sight.height);
        let mut next = place.line;
        while rows.len() < sight.height && next < sight.doc.len() {
            let skipped = if next == place.line { place.row } else { 0 };
            let left = sight.height - rows.len();
            rows.extend(self.rows(sight, next).into_iter().skip(skipped).take(left));
            next = sight.after(next);
        }
        rows
    }

    /// What is on the screen: each line with the part of its text, in bytes, that can be seen.
    pub fn parts(&self, sight: &Sight<'_>) -> Vec<(usize, Range<usize>)> {
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        let pieces = self.screen(sight).into_iter().flat_map(|row| match row {
            Row::Whole(piece) => [Some(piece), None],
            // A line that is kept stands on both sides.
            Row::Sides(old, new) if old.as_ref().map(|old| old.line) == new.as_ref().map(|new| new.line) => [new, None],
            Row::Sides(old, new) => [old, new],
            Row::Folded(_) | Row::Words(..) => [None, None],
        });
        for piece in pieces.flatten() {
            match parts.iter_mut().rev().take(2).find(|(line, _)| *line == piece.line) {
                Some((_, known)) => known.end = piece.range.end,
                None => parts.push((piece.line, piece.range)),
            }
        }
        parts
    }

    /// The lines wholly on the screen: from the first to the one after the last.
    pub fn visible(&self, sight: &Sight<'_>) -> (usize, usize) {
        let place = self.shown(sight);
        let first = if place.row > 0 { sight.after(place.line) } else { place.line };
        let mut left = sight.height + place.row;
        let mut next = place.line;
        while next < sight.doc.len() {
            let rows = self.rows(sight, next).len();
            if rows > left {
                break;
            }
            left -= rows;
            next = sight.after(next);
        }
        (first, next.max(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doc::Doc;

    fn doc(lines: usize) -> Doc {
        Doc::prose(&(1..=lines).map(|n| format!("line {n}\n")).collect::<String>())
    }

    #[test]
    fn scrolling_stops_at_both_ends() {
        let doc = doc(30);
        let mut scroll = Scroll::default();
        scroll.by(&Sight::plain(&doc, 40, 10), -5);
        assert_eq!(scroll.line, 0);
        scroll.by(&Sight::plain(&doc, 40, 10), 100);
        assert_eq!(scroll.line, 20);
        assert_eq!(scroll.visible(&Sight::plain(&doc, 40, 10)), (20, 30));
    }

    #[test]
    fn a_line_that_is_gone_to_is_in_sight_wherever_it_is() {
        let doc = doc(30);
        for line in 0..30 {
            let mut scroll = Scroll::default();
            scroll.to_line(&Sight::plain(&doc, 40, 10), line);
            let (from, to) = scroll.visible(&Sight::plain(&doc, 40, 10));
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
            scroll.turn(&Sight::plain(&doc, 40, 10));
            let (from, to) = scroll.visible(&Sight::plain(&doc, 40, 10));
            assert!(to == doc.len(), "the end is out of sight: {from}..{to} of {number}");
            tops.push(from);
        }
        tops.dedup();
        assert!(tops.len() <= 40 / 7 + 2, "{tops:?}");
    }

    #[test]
    fn following_ends_when_the_reader_scrolls_up() {
        let mut doc = doc(30);
        let mut scroll = Scroll::at_end();
        assert_eq!(scroll.shown(&Sight::plain(&doc, 40, 10)).line, 20);
        doc.push("\nmore\nmore");
        assert!(scroll.shown(&Sight::plain(&doc, 40, 10)).line > 20);
        scroll.by(&Sight::plain(&doc, 40, 10), -1);
        let place = scroll.shown(&Sight::plain(&doc, 40, 10)).line;
        doc.push("\nand more");
        assert_eq!(scroll.shown(&Sight::plain(&doc, 40, 10)).line, place);
    }

    #[test]
    fn a_narrower_pane_keeps_the_place() {
        let doc = Doc::prose(&(1..=30).map(|n| format!("{n} {}\n", "word ".repeat(20))).collect::<String>());
        let mut scroll = Scroll::default();
        scroll.to_line(&Sight::plain(&doc, 120, 9), 12);
        let place = scroll.line;
        assert_eq!(scroll.shown(&Sight::plain(&doc, 30, 9)).line, place);
        // A line taller than the pane is never wholly visible, but scrolling gets through it row by row.
        scroll.by(&Sight::plain(&doc, 10, 3), 2);
        assert_eq!(scroll.row, 2);
    }
}
