//! A text in front of the panes: moving in it, and searching it.

use super::action::Action;
use super::layout;
use super::model::{Model, Notice};
use super::msg::Request;
use super::overlay::{Ask, Overlay, Purpose};
use super::sight::Sight;
use super::travel;

/// Does an action in the text that is foremost, moving by `step` rows.
pub(super) fn act(model: &mut Model, action: Action, step: isize) {
    match action {
        Action::SearchOpen => ask(model),
        Action::SearchNext => _ = search(model, false),
        Action::SearchPrev => _ = search(model, true),
        _ => {
            let Some(Overlay::Text { source, scroll, .. }) = model.overlays.last() else { return };
            let (mut place, (width, height)) = (*scroll, layout::text_room(model.size));
            if let Some(doc) = model.text_of(source) {
                place.by(&Sight::plain(&doc, width, height), step.clamp(-1_000_000, 1_000_000));
            }
            if let Some(Overlay::Text { scroll, .. }) = model.overlays.last_mut() {
                *scroll = place;
            }
        }
    }
}

/// Asks what to search for.
pub(super) fn ask(model: &mut Model) {
    model.overlays.push(Overlay::Ask(Box::new(Ask::new(Purpose::Search, "Search", "", ""))));
}

/// Goes to the next match in the text that is foremost, or in the focused pane.
pub(super) fn search(model: &mut Model, backwards: bool) -> Vec<Request> {
    let (Some(Overlay::Text { source, scroll, found }), Some(search)) = (model.overlays.last(), &model.search) else {
        return travel::search(model, backwards);
    };
    let Some(doc) = model.text_of(source) else { return Vec::new() };
    let (width, height) = layout::text_room(model.size);
    let (mut place, sight) = (*scroll, Sight::plain(&doc, width, height));
    // The first match may stand in the first line shown.
    let from = found.unwrap_or_else(|| place.shown(&sight).line.checked_sub(1).unwrap_or(doc.len().saturating_sub(1)));
    let line = search.next(&doc, from, backwards);
    let text = match line {
        Some(line) => {
            place.to_line(&sight, line);
            format!("{} lines match {:?}", search.count(&doc), search.query())
        }
        None => format!("nothing matches {:?}", search.query()),
    };
    drop(doc);
    if let Some(Overlay::Text { scroll, found, .. }) = model.overlays.last_mut() {
        (*scroll, *found) = (place, line);
    }
    model.notice = Some(Notice { text, is_error: false });
    Vec::new()
}
