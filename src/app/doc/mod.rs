//! A document on the screen: an artifact's source lines, classified, grown in place while a model streams.
//!
//! It knows where its lines are in their source and makes each visible when it is looked at, so that a change of a
//! million lines costs a pass over it and no copy. Adding text costs what is added, not what is there. Nothing reads the
//! source but through [`Doc::line`].

mod moved;
mod patch;
#[cfg(test)]
mod tests;
mod units;

pub(super) use self::units::Cuts;

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::mem::discriminant;
use std::sync::Arc;

use crate::domain::{Change, Digest, visible_line};

/// The longest line kept in one piece, in bytes of source; longer ones are cut into several lines of the document.
const LINE_MAX: usize = 4096;

/// What a line is, which decides how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Prose.
    Text,
    /// A heading.
    Heading,
    /// A list item.
    Item,
    /// A block quote.
    Quote,
    /// A table row.
    Table,
    /// A fence around code.
    Fence,
    /// Code inside a fence.
    Code,
    /// The name of a changed file.
    File,
    /// What git says of a file besides its name.
    Meta,
    /// The head of a hunk.
    Hunk,
    /// A line that the change adds.
    Plus,
    /// A line that it removes.
    Minus,
    /// A line that it keeps.
    Context,
    /// A note of Windlass's own.
    Note,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocLine<'a> {
    /// The visible text. For lines of a diff, without the leading sign.
    pub text: Cow<'a, str>,
    /// What it is.
    pub kind: Kind,
    /// Its number: in the artifact's text, or in the new (for a removed line the old) file.
    pub number: Option<u32>,
    /// Its number in the old file, for lines of a diff that are in it.
    pub old: Option<u32>,
    /// Whether it goes on a line that was too long for one piece.
    pub continues: bool,
}

/// What units were counted for. A count is kept until it is of something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tallied {
    /// Being hunks of a change.
    Hunks,
    /// Having been seen, out of so many seen units: what was seen once stays seen, so their number tells them.
    Seen(usize),
}

/// A part that is read as one: a hunk of a change, a section of prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Digest of its content and of the file it is in: what was read stays read when it moves.
    pub digest: Digest,
    /// Its first line in the document.
    pub from: usize,
    /// The line after its last.
    pub to: usize,
}

/// A changed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePart {
    /// The line with its name.
    pub from: usize,
    /// The line after its last.
    pub to: usize,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
}

/// Removed lines with the added lines that took their place; either may be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Its first line.
    pub from: usize,
    /// How many lines it removes.
    pub minus: usize,
    /// How many it adds, after those.
    pub plus: usize,
}

impl Block {
    /// The line after its last.
    pub const fn to(self) -> usize {
        self.from + self.minus + self.plus
    }

    /// The removed and the added line that stand in row `row` of it, side by side.
    pub fn pair(self, row: usize) -> (Option<usize>, Option<usize>) {
        let left = (row < self.minus).then_some(self.from + row);
        (left, (row < self.plus).then_some(self.from + self.minus + row))
    }

    /// The row that a line of it stands in, side by side.
    pub const fn row_of(self, line: usize) -> usize {
        let at = line.saturating_sub(self.from);
        if at < self.minus { at } else { at - self.minus }
    }
}

/// A line's place in the source.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Offsets fit: no journal stores a text of four gigabytes.
    from: u32,
    len: u16,
    kind: Kind,
    in_patch: bool,
    continues: bool,
    /// Numbers in the old and the new file, or in the text; 0 for none.
    old: u32,
    new: u32,
}

/// A document.
#[derive(Debug, Clone, Default)]
pub struct Doc {
    /// Text that isn't in the patch, as it came.
    own: String,
    patch: Arc<str>,
    lines: Vec<Slot>,
    units: Vec<Unit>,
    /// The units before any was cut; empty while none was.
    wholes: Vec<Unit>,
    /// How many units are of a kind, as counted last.
    counted: RefCell<Vec<(Tallied, usize)>>,
    files: Vec<FilePart>,
    blocks: Vec<Block>,
    /// Lines that stand elsewhere in the change, too; found when first asked for.
    moved: OnceCell<Vec<usize>>,
    fenced: bool,
    source_line: u32,
    highest: u32,
    open: bool,
}

impl Doc {
    /// A document of prose.
    pub fn prose(text: &str) -> Self {
        let mut doc = Self::default();
        doc.push(text);
        doc.close();
        doc
    }

    /// A document of an author's words and a patch.
    pub fn of_change(text: &str, change: &Change) -> Self {
        let mut doc = Self::default();
        for flag in &change.flags {
            doc.note(&format!("! {flag}"));
        }
        if !change.flags.is_empty() {
            doc.add_own("", Kind::Text, 0);
            doc.own.push('\n');
        }
        if !text.trim().is_empty() {
            doc.push(text.trim_end());
            doc.push("\n\n");
        }
        doc.fenced = false;
        doc.read_patch(Arc::clone(&change.patch));
        doc.close();
        doc
    }

    /// A document of texts, each a part of its own, known by its digest.
    pub(super) fn of_parts(parts: &[(Digest, &str)]) -> Self {
        let mut doc = Self::default();
        let mut units = Vec::with_capacity(parts.len());
        for (digest, text) in parts {
            let from = doc.len();
            doc.push(text.trim_end());
            doc.push("\n");
            doc.fenced = false;
            units.push(Unit { digest: *digest, from, to: doc.len() });
        }
        doc.units = units;
        doc
    }

    /// A document of a patch alone, under a note.
    pub fn of_patch(note: &str, patch: &str) -> Self {
        let mut doc = Self::default();
        doc.note(note);
        doc.read_patch(Arc::from(patch));
        doc.close();
        doc
    }

    /// How many lines it has.
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A line, made visible.
    pub fn line(&self, index: usize) -> Option<DocLine<'_>> {
        let slot = self.lines.get(index)?;
        let number = if slot.kind == Kind::Minus { slot.old } else { slot.new };
        Some(DocLine {
            text: visible_line(self.raw(slot)),
            kind: slot.kind,
            number: (number > 0).then_some(number),
            old: (slot.old > 0).then_some(slot.old),
            continues: slot.continues,
        })
    }

    /// What a line is.
    pub fn kind(&self, index: usize) -> Option<Kind> {
        self.lines.get(index).map(|slot| slot.kind)
    }

    /// The bytes that the visible text of a line takes.
    pub fn text_len(&self, index: usize) -> usize {
        self.line(index).map_or(0, |line| line.text.len())
    }

    /// Its lines from this one on, with their places.
    pub fn lines_from(&self, from: usize) -> impl DoubleEndedIterator<Item = (usize, DocLine<'_>)> {
        (from..self.len()).filter_map(|index| Some((index, self.line(index)?)))
    }

    /// The review units, in order. Empty while the document still grows.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// How many units fit. Asked several times for every frame, so each answer is kept.
    pub(super) fn tally(&self, what: Tallied, fits: impl Fn(&Unit) -> bool) -> usize {
        let mut counted = self.counted.borrow_mut();
        if let Some((_, count)) = counted.iter().find(|(known, _)| *known == what) {
            return *count;
        }
        let count = self.units.iter().filter(|unit| fits(unit)).count();
        counted.retain(|(known, _)| discriminant(known) != discriminant(&what));
        counted.push((what, count));
        count
    }

    /// The place of the unit that a line belongs to.
    pub fn unit_at(&self, line: usize) -> Option<usize> {
        let after = self.units.partition_point(|unit| unit.from <= line);
        after.checked_sub(1).filter(|unit| self.units.get(*unit).is_some_and(|unit| line < unit.to))
    }

    /// The changed files, in order.
    pub fn files(&self) -> &[FilePart] {
        &self.files
    }

    /// The file that a line belongs to.
    pub fn file_at(&self, line: usize) -> Option<FilePart> {
        let after = self.files.partition_point(|file| file.from <= line);
        self.files.get(after.checked_sub(1)?).filter(|file| line < file.to).copied()
    }

    /// The path of a file, made visible.
    pub fn path(&self, file: FilePart) -> Cow<'_, str> {
        self.lines.get(file.from).map_or(Cow::Borrowed(""), |slot| visible_line(self.raw(slot)))
    }

    /// The removed and added lines that a line stands among.
    pub fn block_at(&self, line: usize) -> Option<Block> {
        let after = self.blocks.partition_point(|block| block.from <= line);
        self.blocks.get(after.checked_sub(1)?).filter(|block| line < block.to()).copied()
    }

    /// Whether the removed and the added lines of a block are the same but for white space.
    pub fn is_only_space(&self, block: Block) -> bool {
        let signs = |from: usize, count: usize| {
            let slots = self.lines.get(from..from + count).unwrap_or_default();
            slots.iter().flat_map(|slot| self.raw(slot).chars()).filter(|c| !c.is_whitespace())
        };
        signs(block.from, block.minus).eq(signs(block.from + block.minus, block.plus))
    }

    /// Whether an added or removed line stands elsewhere in the change, too, removed or added.
    pub fn is_moved(&self, line: usize) -> bool {
        self.moved.get_or_init(|| moved::find(self)).binary_search(&line).is_ok()
    }

    /// Whether it shows a change.
    pub fn has_diff(&self) -> bool {
        !self.patch.is_empty()
    }

    /// Columns that the highest line number takes, at least 4.
    pub const fn digits(&self) -> u16 {
        match self.highest {
            0..10_000 => 4,
            10_000..100_000 => 5,
            100_000..1_000_000 => 6,
            _ => 7,
        }
    }

    /// Adds streamed text.
    pub fn push(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let (body, ended) = piece.strip_suffix('\n').map_or((piece, false), |body| (body, true));
            let mut rest = body;
            loop {
                let room = LINE_MAX.saturating_sub(self.open_len());
                if rest.len() <= room {
                    break;
                }
                let (head, more) = rest.split_at(floor_boundary(rest, room.max(1)));
                self.extend(head);
                self.end_line(false);
                rest = more;
            }
            if ended || !rest.is_empty() {
                self.extend(rest);
            }
            if ended {
                self.end_line(true);
            }
        }
    }

    /// Drops lines from the beginning until at most `most` are left. For output, which has no anchors.
    pub fn keep_last(&mut self, most: usize) {
        // In batches, so that a line more doesn't move all the others each time.
        if self.lines.len() <= most + most / 4 {
            return;
        }
        self.lines.drain(..self.lines.len() - most);
        let cut = self.lines.first().map_or(0, |slot| slot.from);
        self.own.drain(..cut as usize);
        for slot in &mut self.lines {
            slot.from -= cut;
        }
    }

    /// The line of the document that shows line `number` of the artifact's text.
    pub fn find_text_line(&self, number: u32) -> Option<usize> {
        let text = self.files.first().map_or(self.lines.len(), |file| file.from);
        self.lines.get(..text)?.iter().position(|slot| slot.new == number && !slot.kind.is_diff())
    }

    /// The line of the document that shows `path`, or line `number` of its new form, or the nearest one before it.
    pub fn find_file_line(&self, path: &str, number: Option<u32>) -> Option<usize> {
        let file = *self.files.iter().find(|file| self.path(**file) == path)?;
        let Some(number) = number else { return Some(file.from) };
        let kept = |line: &usize| {
            self.lines.get(*line).is_some_and(|slot| {
                matches!(slot.kind, Kind::Plus | Kind::Context) && slot.new <= number && !slot.continues
            })
        };
        // Numbers go up within a file, so the unit is found without looking at every line.
        let units = self.units.partition_point(|unit| unit.from < file.from)
            ..self.units.partition_point(|unit| unit.from < file.to);
        let units = self.units.get(units).unwrap_or_default();
        let first =
            |unit: &Unit| (unit.from..unit.to).find_map(|line| self.lines.get(line).map(|s| s.new).filter(|n| *n > 0));
        let after = units.partition_point(|unit| first(unit).is_none_or(|first| first <= number));
        let found = units.get(..after)?.iter().rev().find_map(|unit| (unit.from..unit.to).rev().find(kept));
        Some(found.unwrap_or(file.from))
    }

    fn raw(&self, slot: &Slot) -> &str {
        let text: &str = if slot.in_patch { &self.patch } else { &self.own };
        let from = slot.from as usize;
        let text = text.get(from..from + usize::from(slot.len)).unwrap_or_default();
        // In prose a carriage return belongs to the line's end; in a diff it is a change like any other.
        if slot.in_patch { text } else { text.strip_suffix('\r').unwrap_or(text) }
    }

    fn note(&mut self, text: &str) {
        self.add_own(text, Kind::Note, 0);
        self.own.push('\n');
    }

    fn open_len(&self) -> usize {
        self.lines.last().filter(|_| self.open).map_or(0, |slot| usize::from(slot.len))
    }

    /// Adds to the open line, or begins one.
    fn extend(&mut self, text: &str) {
        if !self.open {
            let goes_on = self.lines.last().is_some_and(|_| !self.own.is_empty() && !self.own.ends_with('\n'));
            if !goes_on {
                self.source_line += 1;
            }
            self.add_own("", Kind::Text, self.source_line);
            if let Some(last) = self.lines.last_mut() {
                last.continues = goes_on;
            }
            self.open = true;
        }
        self.own.push_str(text);
        let Some(last) = self.lines.last_mut() else { return };
        last.len = short(usize::from(last.len) + text.len());
        let line = self.own.get(last.from as usize..).unwrap_or_default();
        last.kind = kind_of(line, self.fenced);
    }

    fn end_line(&mut self, by_feed: bool) {
        if self.lines.last().is_some_and(|line| line.kind == Kind::Fence) {
            self.fenced = !self.fenced;
        }
        self.open = false;
        if by_feed {
            self.own.push('\n');
        }
    }

    fn add_own(&mut self, text: &str, kind: Kind, number: u32) {
        let text = text.get(..floor_boundary(text, LINE_MAX)).unwrap_or_default();
        let (from, len) = (offset(self.own.len()), short(text.len()));
        self.own.push_str(text);
        self.highest = self.highest.max(number);
        self.lines.push(Slot { from, len, kind, in_patch: false, continues: false, old: 0, new: number });
    }

    /// Ends the document and finds its review units.
    fn close(&mut self) {
        self.open = false;
        let is_blank = |slot: &Slot| slot.len == 0 && !slot.in_patch;
        while self.lines.last().is_some_and(is_blank) {
            self.lines.pop();
        }
        self.find_units();
    }
}

impl Kind {
    /// Whether it is part of a patch.
    pub const fn is_diff(self) -> bool {
        matches!(self, Self::File | Self::Meta | Self::Hunk) || self.is_diff_body()
    }

    /// Whether it is a line of a file.
    pub const fn is_diff_body(self) -> bool {
        matches!(self, Self::Plus | Self::Minus | Self::Context)
    }
}

fn kind_of(line: &str, fenced: bool) -> Kind {
    let trimmed = line.trim_start();
    if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
        return Kind::Fence;
    }
    if fenced {
        return Kind::Code;
    }
    if line.starts_with('#') && line.trim_start_matches('#').starts_with(' ') {
        return Kind::Heading;
    }
    if trimmed.starts_with('>') {
        return Kind::Quote;
    }
    if trimmed.starts_with('|') {
        return Kind::Table;
    }
    let ordinal = trimmed.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_ordinal = ordinal.len() < trimmed.len() && ordinal.starts_with(". ");
    if is_ordinal || ["- ", "* ", "+ "].iter().any(|marker| trimmed.starts_with(marker)) {
        return Kind::Item;
    }
    Kind::Text
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&index| text.is_char_boundary(index) && index > 0).unwrap_or(text.len())
}
