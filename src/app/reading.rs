//! What of an artifact has been on the screen long enough to be read.
//!
//! A line counts as seen when it stood in the focused pane, unmoved, for [`DWELL_MS`]: flying through pages doesn't
//! count. A unit (hunk or section) is seen when all its lines are. Units are known by content, so that what was read stays
//! read when it moves, and what changed is unread. "Seen" is not "agreed".

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Digest, Timestamp, Unread};

use super::doc::Doc;

/// How long a line must stand still to count as seen, in milliseconds.
pub const DWELL_MS: i64 = 600;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    seen: BTreeSet<Digest>,
    /// Lines seen, counted within the unit, of units not seen whole yet.
    partly: BTreeMap<Digest, BTreeSet<usize>>,
    window: Option<Window>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    from: usize,
    to: usize,
    first: Option<Digest>,
    since: Timestamp,
}

impl Reading {
    /// Notes that lines `from..to` of `doc` are in the focused pane now.
    pub fn observe(&mut self, doc: &Doc, from: usize, to: usize, now: Timestamp) {
        let first = doc.units().first().map(|unit| unit.digest);
        match self.window {
            Some(window) if (window.from, window.to, window.first) == (from, to, first) => {
                if now.0 - window.since.0 >= DWELL_MS {
                    self.mark(doc, from, to);
                }
            }
            _ => self.window = Some(Window { from, to, first, since: now }),
        }
    }

    /// Notes that nothing is being read now: another pane or an overlay has the focus.
    pub const fn look_away(&mut self) {
        self.window = None;
    }

    /// When the lines in sight will have been seen, if some of them haven't yet.
    pub fn wake_at(&self, doc: &Doc) -> Option<Timestamp> {
        let window = self.window?;
        let unseen = doc.units().iter().any(|unit| {
            let inside = unit.from.max(window.from)..unit.to.min(window.to);
            !self.seen.contains(&unit.digest)
                && inside
                    .into_iter()
                    .any(|line| !self.partly.get(&unit.digest).is_some_and(|lines| lines.contains(&(line - unit.from))))
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
        let seen = doc.units().iter().filter(|unit| self.is_seen(&unit.digest)).count();
        Unread { seen: count(seen), total: count(doc.units().len()) }
    }

    fn mark(&mut self, doc: &Doc, from: usize, to: usize) {
        for unit in doc.units() {
            if self.seen.contains(&unit.digest) || unit.to <= from || to <= unit.from {
                continue;
            }
            let lines = self.partly.entry(unit.digest).or_default();
            lines.extend(unit.from.max(from) - unit.from..unit.to.min(to) - unit.from);
            if lines.len() == unit.to - unit.from {
                self.partly.remove(&unit.digest);
                self.seen.insert(unit.digest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc() -> Doc {
        Doc::prose("# One\na\nb\n# Two\nc\nd\n")
    }

    #[test]
    fn a_part_is_seen_when_all_of_it_stood_still() {
        let (doc, mut reading) = (doc(), Reading::default());
        reading.observe(&doc, 0, 4, Timestamp(0));
        assert_eq!(reading.wake_at(&doc), Some(Timestamp(DWELL_MS)));
        reading.observe(&doc, 0, 4, Timestamp(DWELL_MS - 1));
        assert_eq!(reading.unread(&doc), Unread { seen: 0, total: 2 });
        reading.observe(&doc, 0, 4, Timestamp(DWELL_MS));
        assert_eq!(reading.unread(&doc), Unread { seen: 1, total: 2 });
        assert_eq!(reading.wake_at(&doc), None);
        reading.observe(&doc, 3, 6, Timestamp(DWELL_MS + 1));
        reading.observe(&doc, 3, 6, Timestamp(DWELL_MS * 2 + 1));
        assert_eq!(reading.unread(&doc), Unread { seen: 2, total: 2 });
    }

    #[test]
    fn flying_through_pages_is_not_reading() {
        let (doc, mut reading) = (doc(), Reading::default());
        for step in 0..100 {
            let from = usize::try_from(step % 3).unwrap();
            reading.observe(&doc, from, from + 3, Timestamp(step * 100));
        }
        reading.look_away();
        assert_eq!(reading.unread(&doc).seen, 0);
    }

    #[test]
    fn what_changed_is_unread_and_what_moved_is_not() {
        let mut reading = Reading::default();
        let before = doc();
        reading.observe(&before, 0, 6, Timestamp(0));
        reading.observe(&before, 0, 6, Timestamp(DWELL_MS));
        let after = Doc::prose("# New\n# Two\nc\nd\n# One\na\nB\n");
        assert_eq!(reading.unread(&after), Unread { seen: 1, total: 3 });
    }
}
