//! What differs within changed lines: the words of a removed line and of the added line that took its place.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use similar::{ChangeTag, TextDiff};

use crate::app::doc::{Doc, DocLine, Kind, Unit};
use crate::domain::Digest;

/// Longer lines are left alone: their differences are no longer read word by word.
const LINE_MOST: usize = 500;

/// Less in common than this, and two lines are different lines: emphasis would only be noise.
const LIKE_LEAST: f32 = 0.4;

/// Hunks remembered before all are forgotten.
const MEMO_MOST: usize = 500;

type Ranges = Vec<Range<usize>>;

/// The differing parts of changed lines, remembered by the content of their hunk.
#[derive(Clone, Default)]
pub(super) struct Emphasis {
    memo: Rc<RefCell<HashMap<Digest, Rc<Vec<Ranges>>>>>,
}

impl Emphasis {
    /// The byte ranges of a line of a diff that differ from the line it replaces, or is replaced by.
    pub(super) fn of(&self, doc: &Doc, index: usize) -> Ranges {
        let Some(unit) = doc.lines().get(index).and_then(|line| doc.units().get(line.unit)) else {
            return Ranges::new();
        };
        let known = self.memo.borrow().get(&unit.digest).cloned();
        let all = known.unwrap_or_else(|| {
            let fresh = Rc::new(compare(doc, unit));
            let mut memo = self.memo.borrow_mut();
            if memo.len() >= MEMO_MOST {
                memo.clear();
            }
            memo.insert(unit.digest, Rc::clone(&fresh));
            fresh
        });
        index.checked_sub(unit.from).and_then(|line| all.get(line)).cloned().unwrap_or_default()
    }
}

/// Compares each run of removed lines with the run of added lines right after it, first with first.
fn compare(doc: &Doc, unit: &Unit) -> Vec<Ranges> {
    let lines = doc.lines().get(unit.from..unit.to).unwrap_or_default();
    let mut all = vec![Ranges::new(); lines.len()];
    let mut at = 0;
    while at < lines.len() {
        let removed = run(lines, at, Kind::Minus);
        let added = run(lines, at + removed, Kind::Plus);
        for pair in 0..removed.min(added) {
            let (old, new) = (at + pair, at + removed + pair);
            let (Some(before), Some(after)) = (lines.get(old), lines.get(new)) else { continue };
            let (gone, come) = differ(&before.text, &after.text);
            if let Some(place) = all.get_mut(old) {
                *place = gone;
            }
            if let Some(place) = all.get_mut(new) {
                *place = come;
            }
        }
        at += (removed + added).max(1);
    }
    all
}

fn run(lines: &[DocLine], from: usize, kind: Kind) -> usize {
    lines.iter().skip(from).take_while(|line| line.kind == kind).count()
}

fn differ(before: &str, after: &str) -> (Ranges, Ranges) {
    if before.len() > LINE_MOST || after.len() > LINE_MOST {
        return (Ranges::new(), Ranges::new());
    }
    let diff = TextDiff::from_words(before, after);
    if diff.ratio() < LIKE_LEAST {
        return (Ranges::new(), Ranges::new());
    }
    let (mut gone, mut come) = (Ranges::new(), Ranges::new());
    let (mut old, mut new) = (0, 0);
    for change in diff.iter_all_changes() {
        let length = change.value().len();
        match change.tag() {
            ChangeTag::Equal => (old, new) = (old + length, new + length),
            ChangeTag::Delete => {
                push(&mut gone, old..old + length);
                old += length;
            }
            ChangeTag::Insert => {
                push(&mut come, new..new + length);
                new += length;
            }
        }
    }
    (gone, come)
}

fn push(ranges: &mut Ranges, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_differ_are_found_on_both_sides() {
        let words = |before: &str, after: &str| {
            let (gone, come) = differ(before, after);
            let cut = |text: &str, all: Ranges| all.into_iter().map(|range| text[range].to_owned()).collect::<Vec<_>>();
            (cut(before, gone).join("|"), cut(after, come).join("|"))
        };
        assert_eq!(words("let total = sum(cart);", "let total = sum(now);").0, "sum(cart);");
        assert_eq!(words("a b c d", "a x c y"), ("b|d".to_owned(), "x|y".to_owned()));
        assert_eq!(words("entirely different", "nothing alike here"), (String::new(), String::new()));
    }
}
