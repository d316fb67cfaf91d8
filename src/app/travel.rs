//! Moving about: scrolling, jumping from part to part and from finding to place, earlier stages, other loops, search.

use crate::domain::{LoopId, StageIndex};
use crate::engine::{Command, Status};

use super::action::Action;
use super::doc::Kind;
use super::layout::{Form, Pane};
use super::model::{Face, Model, Notice};
use super::msg::Request;
use super::review;
use super::scroll::Scroll;

/// Whether a pane can have the focus now.
pub(super) fn is_reachable(model: &Model, pane: Pane) -> bool {
    // In the split form the plan pane isn't there while the constraint is the artifact under work.
    !(model.form == Form::Split && pane == Pane::Plan && model.wide_pane() == Pane::Constraint)
}

/// How many rows a notch of the wheel scrolls.
pub(super) const WHEEL_ROWS: isize = 3;

pub(super) fn scroll(model: &mut Model, action: Action) {
    let pane = model.focus;
    if pane == model.wide_pane() && review::extend(model, action) {
        return;
    }
    let height = model.screen().pane(pane).map_or(0, |area| area.height.saturating_sub(1));
    let half = isize::try_from(height / 2).unwrap_or(1).max(1);
    let rows = match action {
        Action::ScrollDown => 1,
        Action::ScrollUp => -1,
        Action::ScrollHalfDown => half,
        Action::ScrollHalfUp => -half,
        Action::ScrollTop => -1_000_000,
        Action::ScrollBottom => 1_000_000,
        Action::ScrollLeft | Action::ScrollRight => {
            let scroll = model.scroll_mut(pane);
            if !scroll.wrap {
                let step = if action == Action::ScrollRight { 8 } else { -8 };
                scroll.left = scroll.left.saturating_add_signed(step);
            }
            return;
        }
        _ => return,
    };
    if pane == Pane::Critique {
        model.scroll_critique(rows);
        return;
    }
    let list = if pane == Pane::Gates {
        Some((model.current().map_or(0, |one| one.gates(model.stage_index()).len()), 1))
    } else if model.face() == Face::Ready && pane == model.wide_pane() {
        Some((model.stage().map_or(0, |stage| stage.context.len()), 2))
    } else {
        None
    };
    if let Some((count, which)) = list {
        let selected = match which {
            1 => &mut model.gate,
            _ => &mut model.item,
        };
        *selected = selected.saturating_add_signed(rows).min(count.saturating_sub(1));
        return;
    }
    if matches!(action, Action::ScrollDown | Action::ScrollUp) && step(model, action == Action::ScrollDown) {
        return;
    }
    roll(model, action, rows);
}

/// A notch of the wheel: the page of the focused pane moves, and no cursor; where there is no page, the selection does.
pub(super) fn wheel(model: &mut Model, down: bool) {
    let action = if down { Action::ScrollDown } else { Action::ScrollUp };
    if model.doc(model.focus).is_some() {
        roll(model, action, if down { WHEEL_ROWS } else { -WHEEL_ROWS });
    } else {
        scroll(model, action);
    }
}

/// Moves the page of the focused pane.
fn roll(model: &mut Model, action: Action, rows: isize) {
    let pane = model.focus;
    let is_early = pane == model.wide_pane()
        && model.face() == Face::Artifact
        && model.reading.is_leaving_early(&model.artifact, model.now);
    let Some(sight) = model.sight(pane) else { return };
    let mut place = model.scroll(pane);
    let before = place.shown(&sight);
    match action {
        Action::ScrollTop => (place.line, place.row, place.follow) = (0, 0, false),
        Action::ScrollBottom => {
            place.follow = model.face() == Face::Draft;
            (place.line, place.row) = (usize::MAX / 2, 0);
            place = place.shown(&sight);
        }
        _ => {
            place.by(&sight, rows);
            let at_end = place == Scroll { follow: true, ..place }.shown(&sight);
            place.follow = rows > 0 && at_end && model.face() == Face::Draft;
        }
    }
    model.review.hurried |= is_early && before != place.shown(&sight);
    *model.scroll_mut(pane) = place;
}

/// Moves the cursor of the artifact under review by a line, and the page with it where it must; false where the line at
/// the cursor, being longer than the pane, has to be scrolled through first, or there is no cursor.
fn step(model: &mut Model, down: bool) -> bool {
    let pane = model.wide_pane();
    let Some(cursor) = model.cursor().filter(|_| model.focus == pane) else { return false };
    let Some(sight) = model.sight(pane) else { return false };
    let (line, place) = (sight.leading(cursor), model.scroll(pane).shown(&sight));
    let goes_on = if down { place.visible(&sight).1 <= line } else { (place.line, 0) == (line, 0) && place.row > 0 };
    if goes_on {
        return false;
    }
    let next = if down { Some(sight.after(line)).filter(|next| *next < sight.doc.len()) } else { sight.before(line) };
    let Some(next) = next else { return true };
    let is_early = model.reading.is_leaving_early(&model.artifact, model.now);
    let mut moved = place;
    moved.reveal(&sight, next);
    let has_left = moved != place;
    *model.scroll_mut(pane) = moved;
    model.review.hurried |= is_early && has_left;
    model.mark = Some(next);
    true
}

/// Keeps the end of a draft in sight, if that is where the human is.
pub(super) fn follow(model: &mut Model) {
    let pane = model.wide_pane();
    let Some(sight) = model.sight(pane).filter(|_| model.face() == Face::Draft) else { return };
    let mut place = model.scroll(pane);
    place.turn(&sight);
    *model.scroll_mut(pane) = place;
}

pub(super) fn to_unit(model: &mut Model, backwards: bool, fits: impl Fn(&Model, usize) -> bool) {
    let pane = model.wide_pane();
    let here = model.cursor().unwrap_or(0);
    let units = model.artifact.units();
    let found = if backwards {
        (0..units.len()).rev().find(|&unit| units.get(unit).is_some_and(|u| u.from < here) && fits(model, unit))
    } else {
        let next = units.partition_point(|unit| unit.from <= here);
        let after = (next..units.len()).find(|&unit| fits(model, unit));
        after.or_else(|| (0..units.len()).find(|&unit| fits(model, unit)))
    };
    let Some(line) = found.and_then(|unit| units.get(unit)).map(|unit| unit.from) else {
        model.notice = Some(Notice { text: "there is no other".to_owned(), is_error: false });
        return;
    };
    model.focus = pane;
    go_to_line(model, line);
}

/// Goes on reading: to the first line below what is in sight that wasn't seen yet, else to the first one at all.
pub(super) fn to_unread(model: &mut Model) {
    let pane = model.wide_pane();
    let end = model.sight(pane).map_or(0, |sight| model.scroll(pane).visible(&sight).1);
    let Some(line) = model.reading.next_unseen(&model.artifact, end) else {
        model.notice = Some(Notice { text: "all of it was on the screen".to_owned(), is_error: false });
        return;
    };
    model.focus = pane;
    go_to_line(model, line);
}

pub(super) fn begins_file(model: &Model, unit: usize) -> bool {
    let unit = model.artifact.units().get(unit);
    unit.and_then(|unit| model.artifact.kind(unit.from)) == Some(Kind::File)
}

pub(super) fn go_to_line(model: &mut Model, line: usize) {
    let pane = model.wide_pane();
    let Some(sight) = model.sight(pane) else { return };
    let mut place = model.scroll(pane);
    place.to_line(&sight, line);
    *model.scroll_mut(pane) = place;
    model.mark = Some(line);
}

pub(super) fn move_finding(model: &mut Model, step: isize) {
    let count = model.stage().and_then(|stage| stage.current_critique()).map_or(0, |critique| critique.findings.len());
    model.finding = model.finding.saturating_add_signed(step).min(count.saturating_sub(1));
}

pub(super) fn look(model: &mut Model, step: isize) {
    let Some(one) = model.current() else { return };
    let (open, count) = (one.open, one.stages.len());
    let wanted = StageIndex(model.stage_index().0.saturating_add_signed(step).min(count.saturating_sub(1)));
    model.looking_at = (wanted != open).then_some(wanted);
    model.refresh();
    model.focus = model.wide_pane();
}

/// Shows a loop; a parked one goes on if nothing else is active.
pub(super) fn look_at_loop(model: &mut Model, id: LoopId) -> Vec<Request> {
    model.reading_loop = Some(id);
    model.looking_at = None;
    model.refresh();
    model.focus = model.wide_pane();
    let parked = model.state.loops.get(&id).is_some_and(|one| one.status == Status::Parked);
    if parked && model.state.active().is_none() && !model.host.reads_only {
        let by = model.person();
        return vec![Command::Resume { id, by }.into()];
    }
    Vec::new()
}

/// Goes to the next match in the focused pane.
pub(super) fn search(model: &mut Model, backwards: bool) -> Vec<Request> {
    let Some(search) = model.search.clone() else {
        model.notice = Some(Notice { text: "nothing is searched for yet".to_owned(), is_error: false });
        return Vec::new();
    };
    let pane = model.focus;
    let Some(sight) = model.sight(pane) else { return Vec::new() };
    let mut place = model.scroll(pane);
    let last = model.found.filter(|(found_in, _)| *found_in == pane).map(|(_, line)| line);
    let from = last.unwrap_or(place.shown(&sight).line);
    let text = match search.next(sight.doc, from, backwards) {
        Some(line) => {
            place.to_line(&sight, line);
            let count = search.count(sight.doc);
            *model.scroll_mut(pane) = place;
            model.found = Some((pane, line));
            if pane == model.wide_pane() {
                model.mark = Some(line);
            }
            format!("{count} lines match {:?}", search.query())
        }
        None => format!("nothing matches {:?}", search.query()),
    };
    model.notice = Some(Notice { text, is_error: false });
    Vec::new()
}
