//! Reading a patch into a document: one pass, which notes where lines, files and changed blocks are.

use std::sync::Arc;

use super::{Block, Doc, FilePart, Kind, LINE_MAX, Slot, floor_boundary, offset, short};

/// Where in the two files a hunk is.
#[derive(Default)]
struct Place {
    old: u32,
    new: u32,
    old_left: u32,
    new_left: u32,
}

impl Doc {
    /// Adds the lines of a patch.
    pub(super) fn read_patch(&mut self, patch: Arc<str>) {
        let mut place = Place::default();
        let text = patch.strip_suffix('\n').unwrap_or(&patch);
        let mut at = 0;
        if !text.is_empty() {
            for line in text.split('\n') {
                self.patch_line(line, at, &mut place);
                at += line.len() + 1;
            }
        }
        let end = self.lines.len();
        if let Some(file) = self.files.last_mut() {
            file.to = end;
        }
        self.patch = patch;
    }

    fn patch_line(&mut self, line: &str, at: usize, place: &mut Place) {
        if place.old_left == 0 && place.new_left == 0 && !line.starts_with('\\') {
            if let Some(paths) = line.strip_prefix("diff --git ") {
                let path = new_path(paths);
                let from = self.lines.len();
                if let Some(file) = self.files.last_mut() {
                    file.to = from;
                }
                self.files.push(FilePart { from, to: from, added: 0, removed: 0 });
                // The path is a part of the line, so its distance from the beginning is its place.
                let ahead = (path.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
                self.add(path, at + ahead, Kind::File, 0, 0);
            } else if let Some(ranges) = line.strip_prefix("@@ ").and_then(hunk_ranges) {
                let ((old, old_left), (new, new_left)) = ranges;
                *place = Place { old, new, old_left, new_left };
                self.add(line, at, Kind::Hunk, 0, 0);
            } else if !is_noise(line) {
                self.add(line, at, Kind::Meta, 0, 0);
            }
            return;
        }
        let body = line.get(1..).unwrap_or_default();
        match line.as_bytes().first() {
            Some(b'+') => {
                self.changed(body, at + 1, Kind::Plus, place.new);
                (place.new, place.new_left) = (place.new + 1, place.new_left.saturating_sub(1));
            }
            Some(b'-') => {
                self.changed(body, at + 1, Kind::Minus, place.old);
                (place.old, place.old_left) = (place.old + 1, place.old_left.saturating_sub(1));
            }
            Some(b'\\') => self.add(line, at, Kind::Meta, 0, 0),
            _ => {
                self.add(body, at + 1, Kind::Context, place.old, place.new);
                (place.old, place.new) = (place.old + 1, place.new + 1);
                (place.old_left, place.new_left) = (place.old_left.saturating_sub(1), place.new_left.saturating_sub(1));
            }
        }
    }

    fn changed(&mut self, body: &str, at: usize, kind: Kind, number: u32) {
        let from = self.lines.len();
        let removes = kind == Kind::Minus;
        if removes {
            self.add(body, at, kind, number, 0)
        } else {
            self.add(body, at, kind, 0, number)
        }
        let count = self.lines.len() - from;
        if let Some(file) = self.files.last_mut() {
            *(if removes { &mut file.removed } else { &mut file.added }) += 1;
        }
        match self.blocks.last_mut() {
            Some(block) if block.to() == from && !(removes && block.plus > 0) => {
                *(if removes { &mut block.minus } else { &mut block.plus }) += count;
            }
            _ if removes => self.blocks.push(Block { from, minus: count, plus: 0 }),
            _ => self.blocks.push(Block { from, minus: 0, plus: count }),
        }
    }

    fn add(&mut self, text: &str, at: usize, kind: Kind, old: u32, new: u32) {
        self.highest = self.highest.max(old).max(new);
        let (mut rest, mut from, mut continues) = (text, at, false);
        while rest.len() > LINE_MAX {
            let cut = floor_boundary(rest, LINE_MAX);
            self.lines.push(Slot { from: offset(from), len: short(cut), kind, in_patch: true, continues, old, new });
            (rest, from, continues) = (rest.get(cut..).unwrap_or_default(), from + cut, true);
        }
        self.lines.push(Slot { from: offset(from), len: short(rest.len()), kind, in_patch: true, continues, old, new });
    }
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
