//! What the human thinks of the parts of an artifact, hunk by hunk: accepted, rejected, or with a word to the author.
//!
//! Parts are known by content: an opinion stays with a hunk that moves, and is gone with one that changes. Rejections and
//! comments turn the decision into a request for revision, which carries them to the author with their places.

use std::collections::BTreeMap;

use crate::domain::Digest;

use super::doc::{Doc, Kind, Unit};

/// An opinion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    /// Looked at, and agreed with.
    Accepted,
    /// To be changed.
    Rejected,
}

/// What is thought of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remark {
    /// The opinion; none for a comment alone.
    pub opinion: Option<Opinion>,
    /// What to tell the author; may be empty.
    pub text: String,
}

/// What is thought of every part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    by_part: BTreeMap<Digest, Remark>,
}

/// How many parts of a document have which remark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Parts agreed with.
    pub accepted: usize,
    /// Parts to be changed.
    pub rejected: usize,
    /// Parts with a comment and no rejection.
    pub commented: usize,
}

impl Tally {
    /// Whether something is to go back to the author.
    pub const fn asks_for_revision(self) -> bool {
        self.rejected + self.commented > 0
    }
}

impl FromIterator<(Digest, Remark)> for Remarks {
    fn from_iter<I: IntoIterator<Item = (Digest, Remark)>>(remarks: I) -> Self {
        Self { by_part: remarks.into_iter().collect() }
    }
}

impl Remarks {
    /// Every remark, with the part it is about.
    pub fn iter(&self) -> impl Iterator<Item = (&Digest, &Remark)> {
        self.by_part.iter()
    }

    /// What is thought of a part.
    pub fn of(&self, part: &Digest) -> Option<&Remark> {
        self.by_part.get(part)
    }

    /// Accepts a part, or takes that back.
    pub(super) fn accept(&mut self, part: Digest) {
        let remark = self.by_part.entry(part).or_default();
        remark.opinion = match remark.opinion {
            Some(Opinion::Accepted) => None,
            _ => Some(Opinion::Accepted),
        };
        self.tidy();
    }

    /// Sets what to tell the author about a part, and whether it is rejected. An empty comment is none.
    pub(super) fn say(&mut self, part: Digest, text: &str, rejects: bool) {
        let remark = self.by_part.entry(part).or_default();
        text.trim().clone_into(&mut remark.text);
        if rejects {
            remark.opinion = Some(Opinion::Rejected);
        }
        self.tidy();
    }

    /// Passes what is thought of a part on to the pieces it was cut in: an agreement to all, words to the first.
    pub(super) fn inherit(&mut self, part: &Digest, pieces: impl Iterator<Item = Digest>) {
        let Some(remark) = self.by_part.get(part).cloned() else { return };
        let heirs = if remark.text.is_empty() { usize::MAX } else { 1 };
        self.by_part.extend(pieces.take(heirs).map(|piece| (piece, remark.clone())));
    }

    /// Takes a rejection back, with its words.
    pub(super) fn take_back(&mut self, part: &Digest) {
        self.by_part.remove(part);
    }

    /// Forgets what was sent to the author; what was accepted stays accepted.
    pub(super) fn sent(&mut self) {
        for remark in self.by_part.values_mut() {
            remark.text.clear();
            remark.opinion = remark.opinion.filter(|opinion| *opinion == Opinion::Accepted);
        }
        self.tidy();
    }

    /// How many parts of `doc` have which remark.
    pub fn tally(&self, doc: &Doc) -> Tally {
        let mut tally = Tally::default();
        if self.by_part.is_empty() {
            return tally;
        }
        for remark in doc.units().iter().filter_map(|unit| self.of(&unit.digest)) {
            match remark.opinion {
                Some(Opinion::Rejected) => tally.rejected += 1,
                _ if !remark.text.is_empty() => tally.commented += 1,
                Some(Opinion::Accepted) => tally.accepted += 1,
                None => {}
            }
        }
        tally
    }

    /// The rejections and comments of `doc`'s parts, one a line with its place, as the author gets them.
    pub fn bundle(&self, doc: &Doc) -> String {
        let mut lines = Vec::new();
        for unit in doc.units() {
            let Some(remark) = self.of(&unit.digest) else { continue };
            let rejected = remark.opinion == Some(Opinion::Rejected);
            if !rejected && remark.text.is_empty() {
                continue;
            }
            let verb = if rejected { "rejected" } else { "comment" };
            let text = if remark.text.is_empty() { "change this" } else { &remark.text };
            lines.push(format!("- {} ({verb}): {}", place(doc, unit), text.replace('\n', " ")));
        }
        lines.join("\n")
    }

    fn tidy(&mut self) {
        self.by_part.retain(|_, remark| *remark != Remark::default());
    }
}

/// Where a part is: path and lines of the new file, or lines of the text.
pub fn place(doc: &Doc, unit: &Unit) -> String {
    let lines = || doc.lines_from(unit.from).take(unit.to - unit.from).map(|(_, line)| line);
    let numbers = |removed: bool| {
        let numbers = lines().filter(move |line| removed == (line.kind == Kind::Minus)).filter_map(|line| line.number);
        numbers
            .fold(None, |ends: Option<(u32, u32)>, n| Some(ends.map_or((n, n), |(from, to)| (from.min(n), to.max(n)))))
    };
    let range = match numbers(false) {
        Some((from, to)) if from < to => format!("{from}-{to}"),
        Some((from, _)) => from.to_string(),
        None => String::new(),
    };
    if let Some(file) = doc.file_at(unit.from) {
        let path = doc.path(file);
        return match (range.is_empty(), numbers(true)) {
            (false, _) => format!("{path}:{range}"),
            // Only removed lines: the old file has their numbers.
            (true, Some((from, to))) => format!("{path}:{from}-{to} (removed)"),
            (true, None) => path.into_owned(),
        };
    }
    let heading = lines().find(|line| line.kind == Kind::Heading);
    match heading {
        Some(heading) => format!("{}, lines {range}", heading.text.trim_start_matches('#').trim()),
        None => format!("lines {range}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Change\n\nKeys.\n\n# Risks\n\nNone.\n";

    #[test]
    fn rejections_and_comments_go_to_the_author_with_their_places() {
        let doc = Doc::prose(TEXT);
        let (change, risks) = (doc.units()[0].digest, doc.units()[1].digest);
        let mut remarks = Remarks::default();
        remarks.accept(change);
        assert!(!remarks.tally(&doc).asks_for_revision());
        remarks.say(change, "which keys?", false);
        remarks.say(risks, "name one", true);
        assert_eq!(remarks.tally(&doc), Tally { accepted: 0, rejected: 1, commented: 1 });
        let expected = "- Change, lines 1-4 (comment): which keys?\n- Risks, lines 5-7 (rejected): name one";
        assert_eq!(remarks.bundle(&doc), expected);
        remarks.sent();
        assert_eq!(remarks.tally(&doc), Tally { accepted: 1, rejected: 0, commented: 0 });
    }

    #[test]
    fn an_opinion_stays_with_what_moved_and_goes_with_what_changed() {
        let doc = Doc::prose(TEXT);
        let mut remarks = Remarks::default();
        remarks.accept(doc.units()[0].digest);
        remarks.say(doc.units()[1].digest, "no", true);
        let moved = Doc::prose("# Change\n\nKeys.\n\n# Risks\n\nSome.\n");
        assert_eq!(remarks.tally(&moved), Tally { accepted: 1, rejected: 0, commented: 0 });
    }
}
