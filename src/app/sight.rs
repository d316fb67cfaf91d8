//! Which rows a document takes on the screen: lines wrapped, two sides next to each other, files folded away, and the
//! words of the human under the part they are about. Scrolling, drawing and read-tracking share the answer.
//!
//! Every row stands for a line of the document, its leading line, so that a place survives any change of the layout.
//! Nothing here looks at more than the lines it is asked about: what it costs depends on the screen.

use std::collections::BTreeSet;
use std::ops::Range;

use super::doc::{Block, Doc, Kind};
use super::remarks::Remarks;
use super::wrap;
use crate::domain::visible_line;

/// Columns that the marks take beside a line's number: the cursor, the mark and the sign.
const MARKS: u16 = 3;

/// The least columns of a pane that shows two sides next to each other.
pub const SPLIT_LEAST: u16 = 140;

/// What is folded away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folds {
    /// Paths of files of which only the name is shown.
    pub files: BTreeSet<String>,
    /// Whether changes of white space alone are.
    pub space: bool,
}

/// A part of a line's text in one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The line.
    pub line: usize,
    /// The bytes of its visible text.
    pub range: Range<usize>,
    /// Whether it is the line's first row.
    pub is_first: bool,
}

/// A row of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A line over the whole width.
    Whole(Piece),
    /// The old file at the left, the new one at the right.
    Sides(Option<Piece>, Option<Piece>),
    /// Lines that are folded away: from the first to the one after the last.
    Folded(Range<usize>),
    /// What the human says of the unit at this place.
    Words(usize, String),
}

/// A document in a pane.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The document.
    pub doc: &'a Doc,
    /// Columns of text.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Columns of text of the old and the new file, when they stand next to each other.
    pub sides: Option<(usize, usize)>,
    folds: Option<&'a Folds>,
    remarks: Option<&'a Remarks>,
}

impl<'a> Sight<'a> {
    /// A document as it is, with nothing beside it.
    pub const fn plain(doc: &'a Doc, width: usize, height: usize) -> Self {
        Self { doc, width, height, sides: None, folds: None, remarks: None }
    }

    /// The same in a pane of another height.
    pub(super) const fn with_height(self, height: usize) -> Self {
        Self { height, ..self }
    }

    /// A document with its gutter in a pane of so many columns and rows.
    pub(super) fn in_pane(doc: &'a Doc, columns: u16, rows: usize) -> Self {
        Self::plain(doc, usize::from(columns.saturating_sub(gutter(doc))), rows)
    }

    /// An artifact under review, which can be folded, have words beside it, and show its two sides next to each other.
    pub(super) fn of_artifact(self, columns: u16, sides: bool, folds: &'a Folds, remarks: &'a Remarks) -> Self {
        let sides = (sides && columns >= SPLIT_LEAST && self.doc.has_diff()).then(|| {
            let left = columns / 2;
            let right = columns - left - 1;
            let gutter = gutter(self.doc);
            // The marks stand at the left only; the right side has a number, a space and a sign.
            (usize::from(left.saturating_sub(gutter)), usize::from(right.saturating_sub(gutter - 1)))
        });
        Self { sides, folds: Some(folds), remarks: Some(remarks), ..self }
    }

    /// The line that leads the row in which `line` stands.
    pub fn leading(&self, line: usize) -> usize {
        if let Some(folded) = self.folded_at(line) {
            return folded.start;
        }
        match self.sides.and_then(|_| self.doc.block_at(line)) {
            Some(block) => lead(block, block.row_of(line)),
            None => line,
        }
    }

    /// The leading line of the next rows; the number of lines at the end.
    pub fn after(&self, leading: usize) -> usize {
        if let Some(folded) = self.folded_at(leading) {
            return folded.end;
        }
        match self.sides.and_then(|_| self.doc.block_at(leading)) {
            Some(block) if block.row_of(leading) + 1 < block.minus.max(block.plus) => {
                lead(block, block.row_of(leading) + 1)
            }
            Some(block) => block.to(),
            None => leading + 1,
        }
    }

    /// The leading line of the rows before.
    pub fn before(&self, leading: usize) -> Option<usize> {
        // The last line of a block need not lead a row, but it stands in the last one.
        match self.sides.and_then(|_| self.doc.block_at(leading)) {
            Some(block) if self.folded_at(leading).is_none() && block.row_of(leading) > 0 => {
                Some(lead(block, block.row_of(leading) - 1))
            }
            Some(block) if self.folded_at(leading).is_none() => self.last_of(block.from.checked_sub(1)?),
            _ => self.last_of(leading.checked_sub(1)?),
        }
    }

    /// The leading line of the last row of what `line` is the last line of.
    fn last_of(&self, line: usize) -> Option<usize> {
        if let Some(folded) = self.folded_at(line) {
            return Some(folded.start);
        }
        let block = self.sides.and_then(|_| self.doc.block_at(line));
        Some(block.map_or(line, |block| lead(block, block.minus.max(block.plus).saturating_sub(1))))
    }

    /// The rows that a leading line stands for, wrapped or seen from column `left`.
    pub fn rows(&self, leading: usize, wrapped: bool, left: usize) -> Vec<Row> {
        if let Some(folded) = self.folded_at(leading) {
            return vec![Row::Folded(folded)];
        }
        let mut rows = Vec::new();
        let mut units = Vec::new();
        let mut pieces = |line: usize, width: usize| {
            units.extend(
                self.doc.unit_at(line).filter(|unit| self.doc.units().get(*unit).is_some_and(|unit| unit.from == line)),
            );
            self.pieces(line, width, wrapped, left)
        };
        let is_body = self.doc.kind(leading).is_some_and(Kind::is_diff_body);
        match self.sides.filter(|_| is_body) {
            None => rows.extend(pieces(leading, self.width).into_iter().map(Row::Whole)),
            Some((old_width, new_width)) => {
                let (old, new) = match self.doc.block_at(leading) {
                    Some(block) => block.pair(block.row_of(leading)),
                    None => (Some(leading), Some(leading)),
                };
                let old = old.map(|line| pieces(line, old_width)).unwrap_or_default();
                let new = new.map(|line| pieces(line, new_width)).unwrap_or_default();
                let count = old.len().max(new.len());
                rows.extend((0..count).map(|row| Row::Sides(old.get(row).cloned(), new.get(row).cloned())));
            }
        }
        units.dedup();
        for unit in units {
            rows.extend(self.words(unit));
        }
        rows
    }

    fn pieces(&self, line: usize, width: usize, wrapped: bool, left: usize) -> Vec<Piece> {
        let Some(one) = self.doc.line(line) else { return Vec::new() };
        if !wrapped {
            let shown = wrap::window(&one.text, left, width);
            // The window is a part of the text itself, so its distance from the beginning is its place.
            let from = (shown.as_ptr() as usize).saturating_sub(one.text.as_ptr() as usize);
            let range = if shown.is_empty() { 0..0 } else { from..from + shown.len() };
            return vec![Piece { line, range, is_first: true }];
        }
        let rows = wrap::rows(&one.text, width, super::scroll::hang(&one));
        rows.into_iter().enumerate().map(|(row, range)| Piece { line, range, is_first: row == 0 }).collect()
    }

    fn words(&self, unit: usize) -> Vec<Row> {
        let digest = self.doc.units().get(unit).map(|unit| unit.digest);
        let remark = digest.and_then(|digest| self.remarks?.of(&digest)).filter(|remark| !remark.text.is_empty());
        let Some(remark) = remark else { return Vec::new() };
        let text = visible_line(&remark.text);
        let rows = wrap::rows(&text, self.width.saturating_sub(2), 0);
        rows.into_iter().map(|range| Row::Words(unit, text.get(range).unwrap_or_default().to_owned())).collect()
    }

    /// The lines that are folded into one row with `line`.
    fn folded_at(&self, line: usize) -> Option<Range<usize>> {
        let folds = self.folds?;
        if !folds.files.is_empty()
            && let Some(file) = self.doc.file_at(line)
            && folds.files.contains(self.doc.path(file).as_ref())
        {
            return Some(file.from..file.to);
        }
        let block = self.doc.block_at(line).filter(|_| folds.space)?;
        self.doc.is_only_space(block).then(|| block.from..block.to())
    }
}

/// The line that leads a row of a block whose sides stand next to each other.
fn lead(block: Block, row: usize) -> usize {
    let (left, right) = block.pair(row);
    left.or(right).unwrap_or(block.from)
}

/// Columns that the gutter of a document takes: line number, cursor, mark and sign.
pub fn gutter(doc: &Doc) -> u16 {
    doc.digits() + MARKS
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "diff --git a/x b/x\n@@ -1,6 +1,5 @@\n a\n-one\n-two\n-three\n+ONE\n b\n+new\n+er\n c\n\
                         diff --git a/y b/y\n@@ -1,2 +1,2 @@\n-\tone  two\n+one two\n a\n";

    fn sight<'a>(doc: &'a Doc, sides: bool, folds: &'a Folds, remarks: &'a Remarks) -> Sight<'a> {
        Sight::plain(doc, 80, 20).of_artifact(if sides { 160 } else { 100 }, true, folds, remarks)
    }

    /// What stands in each row, old and new: the text of lines, or how many are folded.
    fn rows(sight: &Sight<'_>) -> Vec<String> {
        let text = |piece: &Option<Piece>| {
            piece.as_ref().and_then(|piece| sight.doc.line(piece.line)).map_or_else(|| ".".into(), |line| line.text)
        };
        let row = |row: Row| match row {
            Row::Whole(piece) => text(&Some(piece)).into_owned(),
            Row::Sides(old, new) => format!("{} / {}", text(&old), text(&new)),
            Row::Folded(lines) => format!("{} folded", lines.len()),
            Row::Words(_, words) => format!("\" {words}"),
        };
        let (mut at, mut all) = (0, Vec::new());
        while at < sight.doc.len() {
            all.extend(sight.rows(at, true, 0).into_iter().map(row));
            at = sight.after(at);
        }
        all
    }

    #[test]
    fn sides_stand_next_to_each_other_only_where_there_is_room() {
        let (doc, folds, remarks) = (Doc::of_patch("note", PATCH), Folds::default(), Remarks::default());
        let wide = rows(&sight(&doc, true, &folds, &remarks));
        let head = [
            "note",
            "x",
            "@@ -1,6 +1,5 @@",
            "a / a",
            "one / ONE",
            "two / .",
            "three / .",
            "b / b",
            ". / new",
            ". / er",
        ];
        assert_eq!(wide[..head.len()], head);
        let narrow = rows(&sight(&doc, false, &folds, &remarks));
        assert_eq!(narrow[3..8], ["a", "one", "two", "three", "ONE"]);
    }

    #[test]
    fn files_and_changes_of_space_fold_into_a_row_and_words_stand_under_their_part() {
        let doc = Doc::of_patch("note", PATCH);
        let folds = Folds { files: BTreeSet::from(["x".to_owned()]), space: true };
        let mut remarks = Remarks::default();
        remarks.say(doc.units()[2].digest, "why?", true);
        let all = rows(&sight(&doc, false, &folds, &remarks));
        assert_eq!(all, ["note", "11 folded", "y", "\" why?", "@@ -1,2 +1,2 @@", "2 folded", "a"]);
    }

    #[test]
    fn going_back_is_the_way_one_came_in_every_layout() {
        let (doc, remarks) = (Doc::of_patch("note", PATCH), Remarks::default());
        for sides in [false, true] {
            for (file, space) in [("", false), ("x", false), ("y", true), ("", true)] {
                let folds = Folds { files: BTreeSet::from([file.to_owned()]), space };
                let sight = sight(&doc, sides, &folds, &remarks);
                let (mut there, mut at) = (Vec::new(), 0);
                while at < doc.len() {
                    there.push(at);
                    at = sight.after(at);
                }
                let back: Vec<usize> = std::iter::successors(sight.before(doc.len()), |at| sight.before(*at)).collect();
                assert_eq!(there, back.into_iter().rev().collect::<Vec<_>>(), "{sides} {file} {space}");
                for line in 0..doc.len() {
                    assert!(there.contains(&sight.leading(line)), "{line} is in no row: {sides} {file} {space}");
                }
            }
        }
    }
}
