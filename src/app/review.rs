//! Reviewing an artifact part by part: the line that keys act on, ranges of lines, cutting parts in pieces, taking an
//! opinion back, and what changed since the revision that was looked at before.

use std::collections::BTreeMap;

use super::action::Action;
use super::doc::{Cuts, Kind, Unit};
use super::model::{Face, Model, Notice};
use super::msg::Request;
use super::remarks::{Opinion, Remarks};
use super::sight::{Folds, SPLIT_LEAST};
use super::{timeline, travel};
use crate::domain::{Digest, LoopId, StageIndex};

/// The most opinions that can be taken back.
const UNDO_MOST: usize = 100;

/// How an artifact is being reviewed.
#[derive(Debug, Clone, Default)]
pub struct Review {
    /// Whether the two sides of a change stand next to each other, where there is room.
    pub sides: bool,
    /// What is folded away.
    pub folds: Folds,
    /// Where the range of lines begins that keys act on; none when they act on whole parts.
    pub range: Option<usize>,
    /// Whether parts were left before they had been in sight for long enough to be read.
    pub hurried: bool,
    /// The revision whose findings the human wanted to see before having read it.
    pub revealed: Option<Digest>,
    pub(super) cuts: Cuts,
    undo: Vec<(Remarks, Cuts)>,
    /// The revision being looked at.
    looking_at: Option<(LoopId, StageIndex, Digest)>,
    /// The last revision of each stage that was looked at and is no longer shown.
    looked_at: BTreeMap<(LoopId, StageIndex), Looked>,
}

/// A revision that was looked at.
#[derive(Debug, Clone)]
struct Looked {
    revision: Digest,
    /// Its parts, in order of their digests.
    parts: Vec<Digest>,
}

impl Model {
    /// The line of the artifact that keys act on. It is always in sight.
    pub fn cursor(&self) -> Option<usize> {
        let pane = self.wide_pane();
        let sight = self.sight(pane).filter(|_| self.face() == Face::Artifact)?;
        let doc = sight.doc;
        let scroll = self.scroll(pane);
        let (from, to) = scroll.visible(&sight);
        let top = scroll.shown(&sight).line;
        if let Some(mark) = self.mark.filter(|mark| (top..to.max(top + 1)).contains(mark)) {
            return Some(mark);
        }
        let units = doc.units();
        let in_sight = units.partition_point(|unit| unit.from < from)..units.partition_point(|unit| unit.from < to);
        let in_sight = units.get(in_sight).unwrap_or_default();
        let is_hunk = |unit: &&Unit| doc.kind(unit.from).is_some_and(Kind::is_diff);
        let first = in_sight.iter().find(is_hunk).or_else(|| in_sight.first());
        Some(first.map_or(top, |unit| unit.from)).filter(|line| *line < doc.len())
    }

    /// The lines that keys act on, when they don't act on a whole part: the first, and the one after the last.
    pub fn range(&self) -> Option<(usize, usize)> {
        let (one, other) = (self.review.range?, self.cursor()?);
        let (mut from, mut to) = (one.min(other), one.max(other) + 1);
        let sight = self.sight(self.wide_pane())?;
        if sight.sides.is_some() {
            // What stands in one row belongs together.
            for line in [from, to - 1] {
                if let Some(block) = sight.doc.block_at(line) {
                    (from, to) = (from.min(block.from), to.max(block.to()));
                }
            }
        }
        let whole = sight.doc.whole_at(one)?;
        Some((from.max(whole.from), to.min(whole.to)))
    }

    /// The part of the artifact at the cursor.
    pub fn part(&self) -> Option<&Unit> {
        self.artifact.units().get(self.artifact.unit_at(self.cursor()?)?)
    }

    /// Whether a part was not in the revision that was looked at before this one.
    pub fn is_changed(&self, unit: &Unit) -> bool {
        let (Some(looked), Some(whole)) = (self.looked_at(), self.artifact.whole_at(unit.from)) else { return false };
        looked.parts.binary_search(&whole.digest).is_err()
    }

    /// The revision that was looked at before the one on the screen.
    fn looked_at(&self) -> Option<&Looked> {
        let one = self.current()?;
        let shown = self.stage()?.current?;
        self.review.looked_at.get(&(one.id, self.stage_index())).filter(|looked| looked.revision != shown)
    }

    /// Whether a revision was looked at before the one on the screen.
    pub(super) fn has_looked(&self) -> bool {
        self.looked_at().is_some()
    }

    /// Notes that the artifact on the screen is being looked at.
    pub(super) fn note_look(&mut self) {
        let shown = self.current().map(|one| one.id).zip(self.stage().and_then(|stage| stage.current));
        self.review.looking_at = shown.map(|(id, revision)| (id, self.stage_index(), revision));
    }

    /// Notes that the artifact makes room for this one; what was looked at of it is kept to compare with.
    pub(super) fn leave(&mut self, next: Option<Digest>) {
        if let Some((id, stage, revision)) = self.review.looking_at.take_if(|(_, _, shown)| Some(*shown) != next) {
            let mut parts = self.artifact.whole_digests();
            parts.sort_unstable();
            self.review.looked_at.insert((id, stage), Looked { revision, parts });
        }
        self.review.range = None;
        self.review.hurried = false;
    }

    /// Keeps what is thought of the parts, to be able to come back to it.
    pub(super) fn remember(&mut self) {
        if self.review.undo.len() == UNDO_MOST {
            self.review.undo.remove(0);
        }
        self.review.undo.push((self.remarks.clone(), self.review.cuts.clone()));
    }

    /// Makes lines of the artifact a part of their own. What is thought of the part they were in, and whether it was
    /// read, holds for its pieces.
    pub(super) fn cut_out(&mut self, places: &[usize]) {
        let Some(whole) = places.first().and_then(|line| self.artifact.whole_at(*line)).cloned() else { return };
        let before: Vec<Unit> = self
            .artifact
            .units()
            .iter()
            .filter(|unit| whole.from <= unit.from && unit.to <= whole.to)
            .cloned()
            .collect();
        let cuts = self.review.cuts.entry(whole.digest).or_default();
        cuts.extend(places.iter().map(|line| line - whole.from).filter(|at| (1..whole.to - whole.from).contains(at)));
        cuts.sort_unstable();
        cuts.dedup();
        self.artifact.cut(&self.review.cuts);
        for old in before {
            let pieces: Vec<Unit> =
                self.artifact.units().iter().filter(|new| old.from <= new.from && new.to <= old.to).cloned().collect();
            if pieces.len() > 1 {
                self.reading.inherit(&self.artifact, &old, &pieces);
                self.remarks.inherit(&old.digest, pieces.iter().map(|piece| piece.digest));
            }
        }
    }
}

/// The part that an opinion is about: the range, as a part of its own, or the part at the cursor.
pub(super) fn subject(model: &mut Model) -> Option<Unit> {
    if let Some((from, to)) = model.range() {
        model.remember();
        model.cut_out(&[from, to.min(model.artifact.len())]);
        (model.review.range, model.mark) = (None, Some(from));
    }
    model.part().cloned()
}

/// Accepts the subject, or takes that back.
pub(super) fn accept(model: &mut Model) {
    let ranged = model.review.range.is_some();
    let Some(part) = subject(model) else { return };
    if !ranged {
        model.remember();
    }
    let is_accepted = model.remarks.of(&part.digest).is_some_and(|remark| remark.opinion == Some(Opinion::Accepted));
    if !(ranged && is_accepted) {
        model.remarks.accept(part.digest);
    }
}

/// Does one of the actions of a review; false if it is none.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Request>> {
    match action {
        Action::HunkRange => {
            model.review.range = if model.review.range.is_some() { None } else { model.cursor() };
            model.mark = model.cursor();
        }
        Action::HunkSplit => split(model),
        Action::HunkUndo => match model.review.undo.pop() {
            Some((remarks, cuts)) => {
                (model.remarks, model.review.cuts) = (remarks, cuts);
                model.artifact.cut(&model.review.cuts);
                say(model, "the last opinion is taken back");
            }
            None => say(model, "there is nothing to take back"),
        },
        Action::ChangedNext => travel::to_unit(model, false, |model, unit| {
            model.artifact.units().get(unit).is_some_and(|unit| model.is_changed(unit))
        }),
        Action::ChangedShow => return Some(changes(model)),
        Action::DiffSides => sides(model),
        Action::DiffSpace => {
            model.review.folds.space = !model.review.folds.space;
            let text = if model.review.folds.space { "folded away" } else { "shown" };
            say(model, &format!("changes of white space alone are {text}"));
        }
        Action::FileFold => {
            let file = model.cursor().and_then(|line| model.artifact.file_at(line));
            let Some(file) = file else {
                say(model, "no file stands at the cursor");
                return Some(Vec::new());
            };
            let path = model.artifact.path(file).into_owned();
            if !model.review.folds.files.remove(&path) {
                model.review.folds.files.insert(path);
            }
            travel::go_to_line(model, file.from);
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Moves the end of the range; false if none is being marked.
pub(super) fn extend(model: &mut Model, action: Action) -> bool {
    let (Some(begun), Some(cursor)) = (model.review.range, model.cursor()) else { return false };
    let pane = model.wide_pane();
    let (Some(sight), Some(whole)) = (model.sight(pane), model.artifact.whole_at(begun)) else { return false };
    let half = (sight.height / 2).max(1);
    let (steps, down) = match action {
        Action::ScrollDown => (1, true),
        Action::ScrollUp => (1, false),
        Action::ScrollHalfDown => (half, true),
        Action::ScrollHalfUp => (half, false),
        _ => return false,
    };
    let mut line = sight.leading(cursor);
    for _ in 0..steps {
        let next = if down { Some(sight.after(line)) } else { sight.before(line) };
        line = next.filter(|next| (whole.from..whole.to).contains(next)).unwrap_or(line);
    }
    let mut place = model.scroll(pane);
    place.reveal(&sight, line);
    *model.scroll_mut(pane) = place;
    model.mark = Some(line);
    true
}

/// Cuts the part at the cursor between its changed blocks.
fn split(model: &mut Model) {
    let Some(part) = model.part().cloned() else { return };
    let mut places = Vec::new();
    let mut line = part.from;
    while line < part.to {
        match model.artifact.block_at(line) {
            Some(block) => {
                places.push(block.from.max(part.from));
                line = block.to();
            }
            None => line += 1,
        }
    }
    // The first block keeps the head of the hunk.
    if places.len() < 2 {
        return say(model, "there is nothing between which it could be split; mark lines of it instead");
    }
    model.remember();
    model.cut_out(places.get(1..).unwrap_or_default());
    say(model, &format!("split into {} parts", places.len()));
}

fn sides(model: &mut Model) {
    let (columns, _) = model.size;
    if !model.review.sides && columns < SPLIT_LEAST {
        return say(model, &format!("side by side needs {SPLIT_LEAST} columns, this window has {columns}"));
    }
    let cursor = model.cursor();
    model.review.sides = !model.review.sides;
    let pane = model.wide_pane();
    let is_narrow = model.screen().pane(pane).is_none_or(|area| area.width < SPLIT_LEAST);
    if model.review.sides && is_narrow {
        (model.focus, model.zoomed) = (pane, true);
    }
    if let Some(line) = cursor {
        travel::go_to_line(model, line);
    }
}

/// What is different from the revision that was looked at before.
fn changes(model: &mut Model) -> Vec<Request> {
    let before = model.looked_at().map(|looked| looked.revision);
    let found = model.stage().and_then(|stage| {
        let old = stage.revisions.iter().find(|revision| Some(revision.id) == before)?;
        Some((stage.spec.artifact, old.clone(), stage.revision()?.clone()))
    });
    let Some((kind, old, new)) = found else { return Vec::new() };
    let note = format!("From revision {}, which you looked at, to revision {}", old.ordinal, new.ordinal);
    timeline::compare(model, kind, (&old, &new), note)
}

/// Shows what a human's edit has changed, if it changed an earlier revision.
pub(super) fn edited(model: &mut Model) -> Vec<Request> {
    let found = model.stage().and_then(|stage| {
        let new = stage.revision()?;
        let at = stage.revisions.iter().position(|revision| revision.id == new.id)?;
        Some((stage.spec.artifact, stage.revisions.get(at.checked_sub(1)?)?.clone(), new.clone()))
    });
    let Some((kind, old, new)) = found else { return Vec::new() };
    let note = format!("Edited by hand: from revision {} to revision {}", old.ordinal, new.ordinal);
    timeline::compare(model, kind, (&old, &new), note)
}

fn say(model: &mut Model, text: &str) {
    model.notice = Some(Notice { text: text.to_owned(), is_error: false });
}
