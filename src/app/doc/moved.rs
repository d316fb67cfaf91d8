//! Lines that a change takes from one place and puts in another.
//!
//! As git's `--color-moved=blocks` does: a run of lines that all stand on the other side somewhere counts as moved when
//! it has at least 20 letters and digits. Brackets and blank lines alone are no move.

use std::collections::HashSet;

use super::{Doc, Kind, Slot};

/// The least letters and digits of a run: git's own number.
const LETTERS_LEAST: usize = 20;

/// Changes with more changed lines than this aren't looked through: the first paint doesn't wait for a colour.
const LINES_MOST: usize = 50_000;

/// The moved lines, in order.
pub(super) fn find(doc: &Doc) -> Vec<usize> {
    let changed: usize = doc.files.iter().map(|file| file.added + file.removed).sum();
    if changed > LINES_MOST {
        return Vec::new();
    }
    let side = |kind: Kind| -> HashSet<&str> {
        let slots = doc.lines.iter().filter(|slot| slot.kind == kind);
        slots.map(|slot| doc.raw(slot)).filter(|text| !text.trim().is_empty()).collect()
    };
    let (removed, added) = (side(Kind::Minus), side(Kind::Plus));
    let is_on_the_other_side = |slot: &Slot| match slot.kind {
        Kind::Minus => added.contains(doc.raw(slot)),
        Kind::Plus => removed.contains(doc.raw(slot)),
        _ => false,
    };
    let mut found = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    let mut end = |run: &mut Vec<usize>| {
        let text = |line: &usize| doc.lines.get(*line).map_or("", |slot| doc.raw(slot));
        let letters: usize = run.iter().map(|line| text(line).chars().filter(|c| c.is_alphanumeric()).count()).sum();
        if letters >= LETTERS_LEAST {
            found.append(run);
        }
        run.clear();
    };
    let mut before = None;
    for (index, slot) in doc.lines.iter().enumerate() {
        if before != Some(slot.kind) {
            end(&mut run);
        }
        before = Some(slot.kind);
        if is_on_the_other_side(slot) { run.push(index) } else { end(&mut run) }
    }
    end(&mut run);
    found
}
