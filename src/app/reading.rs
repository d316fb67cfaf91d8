//! What of an artifact has been on the screen long enough to be read.
//!
//! A row counts as seen when it stood in the focused pane, unmoved, for [`DWELL_MS`]: flying through pages doesn't
//! count, nor does what is cut off at the pane's edge. A unit (hunk or section) is seen when all of its text is. Units are
//! known by content, so that what was read stays read when it moves, and what changed is unread. "Seen" is not "agreed".

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::domain::{Digest, Timestamp, Unread};

use super::doc::{Doc, Tallied, Unit};

/// How long a row must stand still to count as seen, in milliseconds.
pub const DWELL_MS: i64 = 600;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    seen: BTreeSet<Digest>,
    /// Of these, those that nobody has taken note of yet.
    fresh: Vec<Digest>,
    /// Of units not seen whole yet: the parts seen of each line, counted within the unit.
    partly: BTreeMap<Digest, BTreeMap<usize, Vec<Range<usize>>>>,
    window: Option<Window>,
}

/// Lines on the screen, with the part of their text, in bytes, that can be seen.
type Parts = Vec<(usize, Range<usize>)>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    parts: Parts,
    first: Option<Digest>,
    since: Timestamp,
}

impl Reading {
    /// Notes that these parts of `doc` are in the focused pane now.
    pub fn observe(&mut self, doc: &Doc, parts: Parts, now: Timestamp) {
        let first = doc.units().first().map(|unit| unit.digest);
        match &self.window {
            Some(window) if window.parts == parts && window.first == first => {
                if now.0 - window.since.0 >= DWELL_MS {
                    self.mark(doc, &parts);
                }
            }
            _ => self.window = Some(Window { parts, first, since: now }),
        }
    }

    /// Notes that nothing is being read now: another pane or an overlay has the focus.
    pub fn look_away(&mut self) {
        self.window = None;
    }

    /// Notes that a human says they have read this unit.
    pub(super) fn say_read(&mut self, unit: Digest) {
        self.partly.remove(&unit);
        self.add(unit);
    }

    /// Takes up what was read before.
    pub fn recall(&mut self, read: Vec<Digest>) {
        self.seen.extend(read);
    }

    /// What was read since this was asked the last time.
    pub fn take_fresh(&mut self) -> Vec<Digest> {
        std::mem::take(&mut self.fresh)
    }

    fn add(&mut self, unit: Digest) {
        if self.seen.insert(unit) {
            self.fresh.push(unit);
        }
    }

    /// Whether something in sight would have to stay there for longer to count as seen.
    pub(super) fn is_leaving_early(&self, doc: &Doc, now: Timestamp) -> bool {
        self.wake_at(doc).is_some_and(|at| at > now)
    }

    /// When what is in sight will have been seen, if some of it hasn't yet.
    pub fn wake_at(&self, doc: &Doc) -> Option<Timestamp> {
        let window = self.window.as_ref()?;
        let unseen = window.parts.iter().any(|(line, part)| {
            unit_of(doc, *line)
                .is_some_and(|unit| !self.seen.contains(&unit.digest) && !self.covers(unit, line - unit.from, part))
        });
        unseen.then_some(Timestamp(window.since.0 + DWELL_MS))
    }

    /// Whether a unit was seen whole.
    pub fn is_seen(&self, unit: &Digest) -> bool {
        self.seen.contains(unit)
    }

    /// How much of `doc` was seen.
    pub fn unread(&self, doc: &Doc) -> Unread {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let seen = doc.tally(Tallied::Seen(self.seen.len()), |unit| self.is_seen(&unit.digest));
        Unread { seen: count(seen), total: count(doc.units().len()) }
    }

    /// The first line at or after `from` that begins what wasn't seen of its unit, else the first such line at all.
    pub(super) fn next_unseen(&self, doc: &Doc, from: usize) -> Option<usize> {
        let first = |unit: &Unit| {
            (unit.from..unit.to).find(|line| {
                let length = doc.text_len(*line);
                !self.covers(unit, line - unit.from, &(0..length))
            })
        };
        let units = doc.units();
        let below = units.get(units.partition_point(|unit| unit.to <= from)..).unwrap_or_default();
        let unseen = |units: &[Unit], from| {
            let units = units.iter().filter(|unit| !self.is_seen(&unit.digest));
            units.filter_map(first).find(|line| *line >= from)
        };
        unseen(below, from).or_else(|| unseen(units, 0))
    }

    /// Passes on what was seen of a unit to the pieces it was cut in.
    pub(super) fn inherit(&mut self, doc: &Doc, unit: &Unit, pieces: &[Unit]) {
        if self.is_seen(&unit.digest) {
            pieces.iter().for_each(|piece| self.add(piece.digest));
            return;
        }
        let Some(lines) = self.partly.get(&unit.digest).cloned() else { return };
        for piece in pieces {
            let (from, to) = (piece.from - unit.from, piece.to - unit.from);
            let here = lines.range(from..to).map(|(line, parts)| (line - from, parts.clone())).collect();
            self.partly.insert(piece.digest, here);
            self.settle(doc, piece);
        }
    }

    /// Whether a part of a unit's line was seen.
    fn covers(&self, unit: &Unit, line: usize, part: &Range<usize>) -> bool {
        let seen = self.partly.get(&unit.digest).and_then(|lines| lines.get(&line));
        seen.is_some_and(|seen| seen.iter().any(|known| known.start <= part.start && part.end <= known.end))
    }

    fn mark(&mut self, doc: &Doc, parts: &Parts) {
        let mut touched: Vec<&Unit> = Vec::new();
        for (line, part) in parts {
            let Some(unit) = unit_of(doc, *line).filter(|unit| !self.seen.contains(&unit.digest)) else { continue };
            let lines = self.partly.entry(unit.digest).or_default();
            add(lines.entry(line - unit.from).or_default(), part.clone());
            if touched.last().is_none_or(|last| last.from != unit.from) {
                touched.push(unit);
            }
        }
        for unit in touched {
            self.settle(doc, unit);
        }
    }

    /// Counts a unit as seen if all of it was.
    fn settle(&mut self, doc: &Doc, unit: &Unit) {
        let whole = (unit.from..unit.to).all(|line| self.covers(unit, line - unit.from, &(0..doc.text_len(line))));
        if whole {
            self.partly.remove(&unit.digest);
            self.add(unit.digest);
        }
    }
}

fn unit_of(doc: &Doc, line: usize) -> Option<&Unit> {
    doc.units().get(doc.unit_at(line)?)
}

/// Adds a range to ranges kept in order and apart.
fn add(ranges: &mut Vec<Range<usize>>, mut part: Range<usize>) {
    ranges.retain(|known| {
        let touches = known.start <= part.end && part.start <= known.end;
        if touches {
            part = known.start.min(part.start)..known.end.max(part.end);
        }
        !touches
    });
    let place = ranges.partition_point(|known| known.start < part.start);
    ranges.insert(place, part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::scroll::Scroll;
    use crate::app::sight::Sight;

    fn doc() -> Doc {
        Doc::prose("# One\na\nb\n# Two\nc\nd\n")
    }

    /// The lines `from..to`, each whole.
    fn whole(doc: &Doc, from: usize, to: usize) -> Parts {
        (from..to).map(|line| (line, 0..doc.text_len(line))).collect()
    }

    #[test]
    fn a_part_is_seen_when_all_of_it_stood_still() {
        let (doc, mut reading) = (doc(), Reading::default());
        let mut look = |from, to, at| {
            reading.observe(&doc, whole(&doc, from, to), Timestamp(at));
            (reading.unread(&doc).seen, reading.wake_at(&doc))
        };
        assert_eq!(look(0, 4, 0), (0, Some(Timestamp(DWELL_MS))));
        assert_eq!(look(0, 4, DWELL_MS - 1).0, 0);
        assert_eq!(look(0, 4, DWELL_MS), (1, None));
        look(3, 6, DWELL_MS + 1);
        assert_eq!(look(3, 6, DWELL_MS * 2 + 1).0, 2);
    }

    #[test]
    fn flying_through_pages_is_not_reading() {
        let (doc, mut reading) = (doc(), Reading::default());
        for step in 0..100 {
            let from = usize::try_from(step % 3).unwrap();
            reading.observe(&doc, whole(&doc, from, from + 3), Timestamp(step * 100));
        }
        reading.look_away();
        assert_eq!(reading.unread(&doc).seen, 0);
    }

    #[test]
    fn what_changed_is_unread_and_what_moved_is_not() {
        let mut reading = Reading::default();
        let before = doc();
        reading.observe(&before, whole(&before, 0, 6), Timestamp(0));
        reading.observe(&before, whole(&before, 0, 6), Timestamp(DWELL_MS));
        let after = Doc::prose("# New\n# Two\nc\nd\n# One\na\nB\n");
        assert_eq!(reading.unread(&after), Unread { seen: 1, total: 3 });
    }

    #[test]
    fn what_is_cut_off_at_the_edge_is_not_seen() {
        let (doc, mut reading) = (Doc::prose(&"word ".repeat(40)), Reading::default());
        let mut scroll = Scroll { wrap: false, ..Scroll::default() };
        let mut stay = |scroll: Scroll, at: i64| {
            for at in [at, at + DWELL_MS] {
                reading.observe(&doc, scroll.parts(&Sight::plain(&doc, 120, 10)), Timestamp(at));
            }
            reading.unread(&doc).seen
        };
        assert_eq!(stay(scroll, 0), 0);
        scroll.left = 100;
        assert_eq!(stay(scroll, 10_000), 1, "the rest of the line was seen, too");
    }

    #[test]
    fn a_line_taller_than_the_pane_is_read_row_by_row() {
        let (doc, mut reading) = (Doc::prose(&"word ".repeat(200)), Reading::default());
        let mut scroll = Scroll::default();
        for step in 0..60 {
            for at in [0, DWELL_MS] {
                reading.observe(&doc, scroll.parts(&Sight::plain(&doc, 33, 8)), Timestamp(step * 10_000 + at));
            }
            scroll.by(&Sight::plain(&doc, 33, 8), 4);
        }
        assert_eq!(reading.unread(&doc), Unread { seen: 1, total: 1 });
    }
}
