//! A document on the screen: an artifact's source lines, classified, grown in place while a model streams.
//!
//! Every line is made visible here, once, before anything draws it. Adding text costs what is added, not what is there.

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
pub struct DocLine {
    /// The visible text. For lines of a diff, without the leading sign.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// Its number: in the artifact's text, or in the new (for a removed line the old) file.
    pub number: Option<u32>,
    /// The review unit it belongs to.
    pub unit: usize,
}

/// A part that is read as one: a hunk of a change, a section of prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Digest of its content: what was read stays read when it moves.
    pub digest: Digest,
    /// Its first line in the document.
    pub from: usize,
    /// The line after its last.
    pub to: usize,
}

/// A document.
#[derive(Debug, Clone, Default)]
pub struct Doc {
    lines: Vec<DocLine>,
    units: Vec<Unit>,
    fenced: bool,
    /// Source of the last line while no line feed has ended it.
    tail: String,
    source_line: u32,
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

    /// A document of an author's words, a patch, or both. A patch comes first when `patch_first`.
    pub fn of_change(text: &str, change: &Change) -> Self {
        let mut doc = Self::default();
        for flag in &change.flags {
            doc.line(Kind::Note, &format!("! {flag}"), None);
        }
        if !change.flags.is_empty() {
            doc.line(Kind::Text, "", None);
        }
        if !text.trim().is_empty() {
            doc.push(text.trim_end());
            doc.push("\n\n");
        }
        doc.fenced = false;
        doc.patch(&change.patch);
        doc.close();
        doc
    }

    /// The lines.
    pub fn lines(&self) -> &[DocLine] {
        &self.lines
    }

    /// The review units, in order. Empty while the document still grows.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds streamed text.
    pub fn push(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let (body, ended) = piece.strip_suffix('\n').map_or((piece, false), |body| (body, true));
            let mut rest = body;
            while self.tail.len() + rest.len() > LINE_MAX {
                let cut = floor_boundary(rest, LINE_MAX.saturating_sub(self.tail.len()).max(1));
                let (head, more) = rest.split_at(cut);
                self.tail.push_str(head);
                self.show_tail();
                self.end_line(false);
                rest = more;
            }
            self.tail.push_str(rest);
            if ended {
                self.show_tail();
                self.end_line(true);
            } else if !self.tail.is_empty() {
                self.show_tail();
            }
        }
    }

    /// Drops lines from the beginning until at most `most` are left. For output, which has no anchors.
    pub fn keep_last(&mut self, most: usize) {
        // In batches, so that a line more doesn't move all the others each time.
        if self.lines.len() > most + most / 4 {
            self.lines.drain(..self.lines.len() - most);
        }
    }

    /// The line of the document that shows line `number` of the artifact's text.
    pub fn find_text_line(&self, number: u32) -> Option<usize> {
        self.lines.iter().position(|line| line.number == Some(number) && !line.kind.is_diff())
    }

    /// The line of the document that shows `path`, or line `number` of its new form, or the nearest one before it.
    pub fn find_file_line(&self, path: &str, number: Option<u32>) -> Option<usize> {
        let is_file = |line: &DocLine| line.kind == Kind::File;
        let from = self.lines.iter().position(|line| is_file(line) && line.text == path)?;
        let Some(number) = number else { return Some(from) };
        let inside = self.lines.iter().enumerate().skip(from + 1).take_while(|(_, line)| !is_file(line));
        let kept = inside.filter(|(_, line)| matches!(line.kind, Kind::Plus | Kind::Context));
        let before = kept.take_while(|(_, line)| line.number.is_some_and(|n| n <= number)).last();
        Some(before.map_or(from, |(index, _)| index))
    }

    fn show_tail(&mut self) {
        let shown = visible_line(self.tail.strip_suffix('\r').unwrap_or(&self.tail)).into_owned();
        let kind = kind_of(&shown, self.fenced);
        if self.open {
            if let Some(last) = self.lines.last_mut() {
                last.text = shown;
                last.kind = kind;
            }
        } else {
            self.source_line += 1;
            let number = Some(self.source_line);
            self.lines.push(DocLine { text: shown, kind, number, unit: 0 });
            self.open = true;
        }
    }

    fn end_line(&mut self, by_feed: bool) {
        if self.lines.last().is_some_and(|line| line.kind == Kind::Fence) {
            self.fenced = !self.fenced;
        }
        self.tail.clear();
        self.open = false;
        if !by_feed {
            // The next piece is the same line of the source.
            self.source_line -= 1;
        }
    }

    fn line(&mut self, kind: Kind, text: &str, number: Option<u32>) {
        self.lines.push(DocLine { text: visible_line(text).into_owned(), kind, number, unit: 0 });
    }

    fn patch(&mut self, patch: &str) {
        let (mut old, mut new) = (0_u32, 0_u32);
        let (mut old_left, mut new_left) = (0_u32, 0_u32);
        for line in patch.split('\n').take(patch.lines().count()) {
            if old_left == 0 && new_left == 0 && !line.starts_with('\\') {
                if let Some(paths) = line.strip_prefix("diff --git ") {
                    self.line(Kind::File, new_path(paths), None);
                } else if let Some(ranges) = line.strip_prefix("@@ ").and_then(hunk_ranges) {
                    ((old, old_left), (new, new_left)) = ranges;
                    self.line(Kind::Hunk, line, None);
                } else if !is_noise(line) {
                    self.line(Kind::Meta, line, None);
                }
                continue;
            }
            let mut chars = line.chars();
            match chars.next() {
                Some('+') => {
                    self.line(Kind::Plus, chars.as_str(), Some(new));
                    (new, new_left) = (new + 1, new_left.saturating_sub(1));
                }
                Some('-') => {
                    self.line(Kind::Minus, chars.as_str(), Some(old));
                    (old, old_left) = (old + 1, old_left.saturating_sub(1));
                }
                Some('\\') => self.line(Kind::Meta, line, None),
                _ => {
                    self.line(Kind::Context, chars.as_str(), Some(new));
                    (old, new) = (old + 1, new + 1);
                    (old_left, new_left) = (old_left.saturating_sub(1), new_left.saturating_sub(1));
                }
            }
        }
    }

    /// Ends the document and finds its review units.
    fn close(&mut self) {
        self.open = false;
        self.tail.clear();
        while self.lines.last().is_some_and(|line| line.text.is_empty() && !line.kind.is_diff()) {
            self.lines.pop();
        }
        let mut starts: Vec<usize> = Vec::new();
        let mut in_patch = false;
        for (index, line) in self.lines.iter().enumerate() {
            let begins = match line.kind {
                Kind::File => true,
                // The first hunk of a file is read with the file's name.
                Kind::Hunk => index > 0 && self.lines.get(index - 1).is_some_and(|before| before.kind.is_diff_body()),
                Kind::Heading => !in_patch,
                _ => false,
            };
            in_patch |= line.kind == Kind::File;
            if begins || index == 0 {
                starts.push(index);
            }
        }
        let ends = starts.iter().skip(1).copied().chain([self.lines.len()]);
        self.units = starts
            .iter()
            .zip(ends)
            .map(|(&from, to)| {
                let part = self.lines.get(from..to).unwrap_or_default();
                // Line numbers and hunk heads are left out: a hunk that moves is still the same hunk.
                let text: Vec<String> = part
                    .iter()
                    .filter(|line| line.kind != Kind::Hunk)
                    .map(|line| format!("{:?} {}", line.kind, line.text))
                    .collect();
                Unit { digest: Digest::of(text.join("\n").as_bytes()), from, to }
            })
            .collect();
        for (index, unit) in self.units.iter().enumerate() {
            for line in self.lines.get_mut(unit.from..unit.to).unwrap_or_default() {
                line.unit = index;
            }
        }
    }
}

impl Kind {
    /// Whether it is part of a patch.
    pub const fn is_diff(self) -> bool {
        matches!(self, Self::File | Self::Meta | Self::Hunk) || self.is_diff_body()
    }

    const fn is_diff_body(self) -> bool {
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

fn new_path(paths: &str) -> &str {
    // "a/x b/x": both halves are the same path, so the middle is where " b/" repeats it.
    let half = paths.len() / 2;
    paths.get(half..).and_then(|rest| rest.strip_prefix(" b/")).unwrap_or(paths)
}

fn is_noise(line: &str) -> bool {
    ["index ", "--- ", "+++ "].iter().any(|start| line.starts_with(start))
}

type Range = (u32, u32);

fn hunk_ranges(rest: &str) -> Option<(Range, Range)> {
    let mut words = rest.split(' ');
    let old = range(words.next()?.strip_prefix('-')?)?;
    let new = range(words.next()?.strip_prefix('+')?)?;
    Some((old, new))
}

fn range(text: &str) -> Option<Range> {
    match text.split_once(',') {
        Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&index| text.is_char_boundary(index) && index > 0).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FileStat;

    const PATCH: &str = "diff --git a/src/a.rs b/src/a.rs\nindex 1..2 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n\
        @@ -1,3 +1,3 @@ fn a\n one\n-two\n+TWO\n three\n@@ -10 +10,2 @@\n ten\n+--- more\n";

    fn change(patch: &str) -> Change {
        let id = "0".repeat(40);
        Change {
            base: id.parse().unwrap(),
            tree: id.parse().unwrap(),
            patch: patch.to_owned(),
            files: vec![FileStat { path: "src/a.rs".into(), added: 1, removed: 1 }],
            flags: Vec::new(),
        }
    }

    #[test]
    fn a_stream_in_pieces_is_the_document_at_once() {
        let text = "# Title\n\nSome *text* that\nwraps\n\n```sh\n# code\n```\n- item\n1. one\n| a |\n> q\n";
        let whole = Doc::prose(text);
        for size in 1..9 {
            let mut doc = Doc::default();
            for piece in text.as_bytes().chunks(size) {
                doc.push(std::str::from_utf8(piece).unwrap());
            }
            doc.close();
            assert_eq!(doc.lines, whole.lines, "{size}");
        }
        let kinds: Vec<Kind> = whole.lines.iter().map(|line| line.kind).collect();
        use Kind::{Code, Fence, Heading, Item, Quote, Table, Text};
        assert_eq!(kinds, [Heading, Text, Text, Text, Text, Fence, Code, Fence, Item, Item, Table, Quote]);
    }

    #[test]
    fn a_line_without_end_is_cut_but_keeps_its_number() {
        let mut doc = Doc::default();
        for _ in 0..3 {
            doc.push(&"x".repeat(3000));
        }
        doc.push("\nnext");
        let numbers: Vec<_> = doc.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [Some(1), Some(1), Some(1), Some(2)]);
        assert_eq!(doc.lines.iter().map(|line| line.text.len()).sum::<usize>(), 9004);
    }

    #[test]
    fn a_patch_is_numbered_and_cut_into_hunks() {
        let doc = Doc::of_change("", &change(PATCH));
        let shown: Vec<_> = doc.lines.iter().map(|l| (l.kind, l.text.as_str(), l.number)).collect();
        use Kind::{Context, File, Hunk, Minus, Plus};
        assert_eq!(
            shown,
            [
                (File, "src/a.rs", None),
                (Hunk, "@@ -1,3 +1,3 @@ fn a", None),
                (Context, "one", Some(1)),
                (Minus, "two", Some(2)),
                (Plus, "TWO", Some(2)),
                (Context, "three", Some(3)),
                (Hunk, "@@ -10 +10,2 @@", None),
                (Context, "ten", Some(10)),
                (Plus, "--- more", Some(11)),
            ]
        );
        assert_eq!(doc.units.iter().map(|unit| (unit.from, unit.to)).collect::<Vec<_>>(), [(0, 6), (6, 9)]);
        assert_eq!(doc.find_file_line("src/a.rs", Some(11)), Some(8));
        assert_eq!(doc.find_file_line("src/a.rs", None), Some(0));
        assert_eq!(doc.find_file_line("other", None), None);
    }

    #[test]
    fn a_hunk_that_moves_is_the_same_unit() {
        let moved = PATCH.replace("@@ -10 +10,2 @@", "@@ -12 +14,2 @@");
        let (one, two) = (Doc::of_change("", &change(PATCH)), Doc::of_change("", &change(&moved)));
        assert_eq!(one.units[1].digest, two.units[1].digest);
        let edited = PATCH.replace("ten", "TEN");
        assert_ne!(one.units[1].digest, Doc::of_change("", &change(&edited)).units[1].digest);
    }
}
