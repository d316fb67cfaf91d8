//! The changed lines of a file as the gate compares them: what only moved is told from what came and went.

use std::collections::HashMap;

use super::tongue::{Tongue, is_comment, tongue_of};
use crate::domain::is_test;
use crate::gate::patch::{FilePatch, Line, Patch};

/// One changed line.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Its number on its own side.
    pub(super) number: u32,
    /// Where it is, or was, in the file's new form.
    pub(super) anchor: u32,
    /// Its text without the white space and the comma that layout adds.
    pub(super) text: &'a str,
    /// Whether the other side, in any file of this language, has the same line.
    pub(super) moved: bool,
    /// Whether it is nothing but a comment.
    pub(super) comment: bool,
}

/// A file's changed lines.
#[derive(Debug)]
pub(super) struct Edited<'a> {
    pub(super) path: &'a str,
    pub(super) tongue: Tongue,
    pub(super) is_test: bool,
    pub(super) is_new: bool,
    pub(super) is_gone: bool,
    pub(super) added: Vec<Entry<'a>>,
    pub(super) removed: Vec<Entry<'a>>,
}

impl<'a> Edited<'a> {
    /// The added lines of code that were nowhere before.
    pub(super) fn came(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.added.iter().filter(|entry| !entry.moved && !entry.comment)
    }

    /// The removed lines of code that are nowhere now.
    pub(super) fn went(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.removed.iter().filter(|entry| !entry.moved && !entry.comment)
    }
}

/// How often a line of a language is on one side and not yet found on the other.
type Tally<'a> = HashMap<(Tongue, &'a str), usize>;

/// Every file that has changed lines.
pub(super) fn edited(patch: &Patch) -> Vec<Edited<'_>> {
    let mut added = tally(patch, |file| &file.added);
    let mut removed = tally(patch, |file| &file.removed);
    let files = patch.files.iter().map(|(path, file)| {
        let tongue = tongue_of(path);
        Edited {
            path,
            tongue,
            is_test: is_test(path),
            is_new: file.is_new,
            is_gone: file.is_gone,
            added: entries(tongue, &file.added, &mut removed, |number| number),
            removed: entries(tongue, &file.removed, &mut added, |number| anchor(file, number)),
        }
    });
    files.collect()
}

fn tally(patch: &Patch, side: fn(&FilePatch) -> &[Line]) -> Tally<'_> {
    let mut tally = Tally::new();
    for (path, file) in &patch.files {
        for (_, text) in side(file) {
            *tally.entry((tongue_of(path), plain(text))).or_default() += 1;
        }
    }
    tally
}

/// The lines of one side, each of them taken out of what the other side has.
fn entries<'a>(
    tongue: Tongue,
    lines: &'a [Line],
    other: &mut Tally<'a>,
    anchor: impl Fn(u32) -> u32,
) -> Vec<Entry<'a>> {
    let entries = lines.iter().map(|(number, text)| {
        let text = plain(text);
        let moved = match other.get_mut(&(tongue, text)) {
            Some(left @ 1..) => {
                *left -= 1;
                true
            }
            _ => false,
        };
        let comment = text.is_empty() || is_comment(tongue, text);
        Entry { number: *number, anchor: anchor(*number), text, moved, comment }
    });
    entries.collect()
}

fn plain(text: &str) -> &str {
    text.trim().trim_end_matches(',')
}

/// Where a removed line was, as a line of the file's new form: the line that took its place, or the next that stayed.
fn anchor(file: &FilePatch, old: u32) -> u32 {
    let before = file.removed.iter().filter(|(number, _)| *number < old).count();
    let kept = old.saturating_sub(u32::try_from(before).unwrap_or(u32::MAX));
    let mut new = kept.max(1);
    for (number, _) in &file.added {
        if *number < new {
            new += 1;
        }
    }
    new
}
