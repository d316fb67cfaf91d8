//! The way back: the places that jumps have left, the last one first.

use super::layout::Pane;
use super::model::{Model, Notice};
use super::scroll::Scroll;
use crate::domain::{Digest, LoopId, StageIndex};

/// The most places kept.
const MOST: usize = 100;

/// Where somebody was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// What was on the screen; of another artifact, lines mean nothing.
    shown: (LoopId, StageIndex, Option<Digest>),
    focus: Pane,
    /// The place in the artifact.
    scroll: Scroll,
    mark: Option<usize>,
    finding: usize,
    zoomed: bool,
}

impl Model {
    fn place(&self) -> Option<Place> {
        let shown = (self.current()?.id, self.stage_index(), self.stage()?.current);
        let scroll = self.scroll(self.wide_pane());
        let Self { focus, mark, finding, zoomed, .. } = *self;
        // Where a jump came from is where the keys acted, not only what was at the top.
        let mark = self.cursor().or(mark);
        Some(Place { shown, focus, scroll, mark, finding, zoomed })
    }

    /// Jumps, and keeps the place from where: nothing is kept of a jump that led nowhere.
    pub(super) fn jumping<T>(&mut self, jump: impl FnOnce(&mut Self) -> T) -> T {
        let from = self.place();
        let result = jump(self);
        let has_moved = self.place() != from;
        if let Some(from) = from.filter(|from| has_moved && self.places.last() != Some(from)) {
            if self.places.len() == MOST {
                self.places.remove(0);
            }
            self.places.push(from);
        }
        result
    }

    /// Goes back to the place before the last jump.
    pub(super) fn go_back(&mut self) {
        while let Some(place) = self.places.pop() {
            let stage = self.state.loops.get(&place.shown.0).and_then(|one| one.stage(place.shown.1));
            if stage.map(|stage| stage.current) != Some(place.shown.2) {
                continue;
            }
            let (id, index, _) = place.shown;
            if self.place().map(|here| here.shown) != Some(place.shown) {
                let is_current = self.state.active().is_some_and(|one| one.id == id);
                self.reading_loop = (!is_current).then_some(id);
                self.looking_at = self.current().is_some_and(|one| one.open != index).then_some(index);
                self.refresh();
            }
            let wide = self.wide_pane();
            *self.scroll_mut(wide) = place.scroll;
            (self.focus, self.mark, self.zoomed) = (place.focus, place.mark, place.zoomed);
            self.finding = place.finding;
            return;
        }
        self.notice = Some(Notice { text: "there is no place to go back to".to_owned(), is_error: false });
    }
}
