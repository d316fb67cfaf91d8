//! What differs within changed lines: the words of a removed line and of the added line that took its place.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use similar::{ChangeTag, TextDiff};

use crate::app::doc::Doc;
use crate::domain::Digest;

/// Longer lines are left alone: their differences are no longer read word by word.
const LINE_MOST: usize = 500;

/// Less in common than this, and two lines are different lines: emphasis would only be noise.
const LIKE_LEAST: f32 = 0.4;

/// Pairs of lines remembered before all are forgotten.
const MEMO_MOST: usize = 2000;

type Ranges = Vec<Range<usize>>;

/// By the part that a pair of lines is in, and the place of the first in it: the differing parts of each.
type Memo = HashMap<(Digest, usize), (Ranges, Ranges)>;

/// The differing parts of changed lines, remembered by the content of their part.
#[derive(Clone, Default)]
pub(super) struct Emphasis {
    memo: Rc<RefCell<Memo>>,
}

impl Emphasis {
    /// The byte ranges of a line of a diff that differ from the line it replaces, or is replaced by: the first removed
    /// line of a block goes with the first added one, and so on.
    pub(super) fn of(&self, doc: &Doc, index: usize) -> Ranges {
        let Some(block) = doc.block_at(index) else { return Ranges::new() };
        let (Some(old), Some(new)) = block.pair(block.row_of(index)) else { return Ranges::new() };
        let Some(unit) = doc.unit_at(old).and_then(|unit| doc.units().get(unit)) else { return Ranges::new() };
        // A piece is known by the whole it was cut from, so this holds for lines that were cut apart, too.
        let key = (unit.digest, new - unit.from);
        let mut memo = self.memo.borrow_mut();
        if memo.len() >= MEMO_MOST && !memo.contains_key(&key) {
            memo.clear();
        }
        let (gone, come) = memo.entry(key).or_insert_with(|| match (doc.line(old), doc.line(new)) {
            (Some(before), Some(after)) => differ(&before.text, &after.text),
            _ => (Ranges::new(), Ranges::new()),
        });
        if index == old { gone.clone() } else { come.clone() }
    }
}

fn differ(before: &str, after: &str) -> (Ranges, Ranges) {
    if before.len() > LINE_MOST || after.len() > LINE_MOST {
        return (Ranges::new(), Ranges::new());
    }
    let (one, other) = (words(before), words(after));
    let diff = TextDiff::from_slices(&one, &other);
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

/// The words of code: names and numbers whole, blanks as they stand together, every other sign for itself.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let goes_on = |(_, c): &(usize, char)| kind(first) != 2 && kind(*c) == kind(first);
        let end = rest.char_indices().skip(1).find(|next| !goes_on(next)).map_or(rest.len(), |(at, _)| at);
        let (word, more) = rest.split_at(end);
        words.push(word);
        rest = more;
    }
    words
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
        assert_eq!(words("let total = sum(cart);", "let total = sum(now);"), ("cart".to_owned(), "now".to_owned()));
        assert_eq!(words("a b c d", "a x c y"), ("b|d".to_owned(), "x|y".to_owned()));
        assert_eq!(words("entirely different", "nothing alike here"), (String::new(), String::new()));
    }
}
