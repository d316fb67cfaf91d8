//! The parts of a document that are read and judged as one, known by what they say, and cutting them into smaller ones.

use std::collections::HashMap;

use super::{Doc, Kind, Unit};
use crate::domain::{Digest, DigestBuilder};

/// Where parts were cut: the lines of a part, counted from its beginning, at which further ones begin.
pub(in crate::app) type Cuts = std::collections::BTreeMap<Digest, Vec<usize>>;

impl Doc {
    /// Finds the units of a document that is whole.
    pub(super) fn find_units(&mut self) {
        let mut starts: Vec<usize> = Vec::new();
        let first_file = self.files.first().map_or(usize::MAX, |file| file.from);
        let mut before = None;
        for (index, slot) in self.lines.iter().enumerate() {
            let begins = match slot.kind {
                Kind::File => !slot.continues,
                // The first hunk of a file is read with the file's name.
                Kind::Hunk => matches!(before, Some(Kind::Plus | Kind::Minus | Kind::Context)) && !slot.continues,
                Kind::Heading => index < first_file && !slot.continues,
                _ => false,
            };
            before = Some(slot.kind);
            if begins || index == 0 {
                starts.push(index);
            }
        }
        let ends: Vec<usize> = starts.iter().skip(1).copied().chain([self.lines.len()]).collect();
        let mut known: HashMap<Digest, u64> = HashMap::with_capacity(starts.len());
        let mut units = Vec::with_capacity(starts.len());
        for (from, to) in starts.into_iter().zip(ends) {
            let digest = self.digest_of(from, to);
            // The same hunk twice in a file is two parts: reading one of them isn't reading the other.
            let nth = known.entry(digest).or_default();
            *nth += 1;
            let digest = if *nth == 1 { digest } else { nth_of(&digest, *nth) };
            units.push(Unit { digest, from, to });
        }
        self.units = units;
        self.counted.take();
    }

    /// What a part says, and in which file. Line numbers are left out: a hunk that moves is still the same hunk.
    fn digest_of(&self, from: usize, to: usize) -> Digest {
        let mut builder = DigestBuilder::new("part");
        if let Some(file) = self.file_at(from) {
            builder = builder.text("file", self.lines.get(file.from).map_or("", |slot| self.raw(slot)));
        }
        let slots = self.lines.get(from..to).unwrap_or_default();
        let heads = slots.iter().take_while(|slot| !slot.kind.is_diff_body());
        let in_patch = slots.last().is_some_and(|slot| slot.in_patch);
        if !in_patch {
            return builder.text("text", self.between(from, to).trim_end()).finish();
        }
        let mut head = 0;
        for slot in heads {
            head += 1;
            if slot.kind != Kind::Hunk {
                builder = builder.text("head", self.raw(slot));
            }
        }
        builder.text("lines", self.between(from + head, to)).finish()
    }

    /// The source of some lines, which lie one after the other.
    fn between(&self, from: usize, to: usize) -> &str {
        let slots = self.lines.get(from..to).unwrap_or_default();
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return "" };
        let text: &str = if last.in_patch { &self.patch } else { &self.own };
        // The sign before the first line of a diff counts, as those of the others do.
        let from = (first.from as usize).saturating_sub(usize::from(first.kind.is_diff_body()));
        text.get(from..last.from as usize + usize::from(last.len)).unwrap_or_default()
    }

    /// Cuts units in pieces, as far as they are here; what isn't cut any more is whole again.
    pub(in crate::app) fn cut(&mut self, cuts: &Cuts) {
        if self.wholes.is_empty() {
            if cuts.is_empty() {
                return;
            }
            self.wholes.clone_from(&self.units);
        }
        let mut units = Vec::with_capacity(self.wholes.len() + cuts.len());
        for unit in &self.wholes {
            let places = cuts.get(&unit.digest).map(Vec::as_slice).unwrap_or_default();
            let inner = places.iter().map(|at| unit.from + at).filter(|line| (unit.from + 1..unit.to).contains(line));
            let starts: Vec<usize> = std::iter::once(unit.from).chain(inner).collect();
            let ends = starts.iter().skip(1).copied().chain([unit.to]);
            units.extend(starts.iter().zip(ends).map(|(&from, to)| Unit { digest: piece(unit, from, to), from, to }));
        }
        self.units = units;
        self.counted.take();
    }

    /// The digests of the units as they were before any was cut.
    pub(in crate::app) fn whole_digests(&self) -> Vec<Digest> {
        let wholes = if self.wholes.is_empty() { &self.units } else { &self.wholes };
        wholes.iter().map(|unit| unit.digest).collect()
    }

    /// The unit that a line belongs to, as it was before it was cut.
    pub(in crate::app) fn whole_at(&self, line: usize) -> Option<&Unit> {
        let wholes = if self.wholes.is_empty() { &self.units } else { &self.wholes };
        let after = wholes.partition_point(|unit| unit.from <= line);
        wholes.get(after.checked_sub(1)?).filter(|unit| line < unit.to)
    }
}

/// The digest of a piece of a unit: a part of exactly that unit, and no other.
fn piece(unit: &Unit, from: usize, to: usize) -> Digest {
    if (from, to) == (unit.from, unit.to) {
        return unit.digest;
    }
    let place = |line: usize| ((line - unit.from) as u64).to_le_bytes();
    DigestBuilder::new("piece").digest("of", &unit.digest).field("from", &place(from)).field("to", &place(to)).finish()
}

fn nth_of(digest: &Digest, nth: u64) -> Digest {
    DigestBuilder::new("again").digest("part", digest).field("nth", &nth.to_le_bytes()).finish()
}
