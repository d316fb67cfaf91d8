//! Typing: text fields, pastes, and what happens to a text that is finished.

use std::collections::BTreeMap;

use tui_textarea::{Input, Key, TextArea};

use crate::domain::{ExchangeId, ModelId};
use crate::engine::Command;

use super::act;
use super::casting;
use super::model::{Model, Notice};
use super::msg::Request;
use super::overlay::{Ask, Overlay, Purpose};
use super::picker::{self, Choice, Picker};
use super::search::Search;
use super::sheet::{Field, Sheet};
use super::{front, themes, timeline, travel};

/// A key in a text field.
pub(super) fn input(model: &mut Model, input: Input) -> Vec<Request> {
    let now = model.now;
    if matches!(model.overlays.last(), Some(Overlay::Casting(_))) {
        model.notice = None;
    }
    match model.overlays.last_mut() {
        Some(Overlay::Ask(ask)) => {
            if input.key == Key::Enter && !ask.is_long() {
                return finish(model);
            }
            ask.error = None;
            type_in(&mut ask.area, input);
        }
        Some(Overlay::Pick(picker)) => {
            let done = picker.input(input);
            return if done { pick(model) } else { themes::preview(model) };
        }
        Some(Overlay::Help(help)) => help.input(input),
        Some(Overlay::Casting(casting)) => {
            let done = casting.picker.input(input);
            return if done { casting::pick(model) } else { Vec::new() };
        }
        Some(Overlay::Sheet(sheet)) => {
            sheet.arming.takes(now);
            fill_in(sheet, &input);
        }
        _ => {}
    }
    Vec::new()
}

/// A key in a text, with the meanings that shells have taught: C-u clears to the line's beginning, C-z is undo.
pub(super) fn type_in(area: &mut TextArea<'_>, input: Input) -> bool {
    match (input.key, input.ctrl) {
        (Key::Char('u'), true) => area.delete_line_by_head(),
        (Key::Char('z'), true) => area.undo(),
        _ => area.input(input),
    }
}

/// Pasted text: text in a field, and nothing anywhere else. Control characters have no business in it.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Request> {
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).collect();
    if !model.takes_text() {
        model.notice =
            Some(Notice { text: "pasted text was ignored: no text field is open".to_owned(), is_error: false });
        return Vec::new();
    }
    let one_line = || text.replace(['\r', '\n'], " ");
    match model.overlays.last_mut() {
        Some(Overlay::Ask(ask)) if ask.is_long() => {
            ask.area.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
        }
        Some(Overlay::Ask(ask)) => {
            ask.area.insert_str(one_line());
        }
        Some(Overlay::Pick(picker)) => {
            picker.query.insert_str(one_line());
            picker.selected = 0;
            return themes::preview(model);
        }
        Some(Overlay::Help(help)) => {
            help.filter.insert_str(one_line());
            help.scroll = 0;
        }
        Some(Overlay::Casting(casting)) => {
            casting.picker.query.insert_str(one_line());
            casting.picker.selected = 0;
        }
        // The stage's name is typed by hand: that is its point.
        Some(Overlay::Sheet(sheet)) if sheet.field == Some(Field::Reason) => {
            sheet.reason.insert_str(one_line());
        }
        _ => {}
    }
    Vec::new()
}

/// A line as the whole answer to what stands in front. An empty one leaves what was begun as it is.
pub(super) fn line(model: &mut Model, text: &str) -> Vec<Request> {
    match model.overlays.last_mut() {
        Some(Overlay::Ask(ask)) => {
            ask.error = None;
            let begun = ask.text();
            if !text.trim().is_empty() {
                // Remarks on parts are the beginning of what the author is told, not a proposal.
                let keeps = ask.purpose == Purpose::Revise && !begun.trim().is_empty();
                let whole = if keeps { format!("{begun}\n{text}") } else { text.to_owned() };
                ask.area = TextArea::from(whole.split('\n').map(str::to_owned));
            }
            finish(model)
        }
        Some(Overlay::Pick(picker)) => match text.trim().parse::<usize>() {
            Ok(number) if (1..=picker.matching().len()).contains(&number) => {
                picker.selected = number - 1;
                pick(model)
            }
            _ => {
                picker.query = TextArea::from([text.trim().to_owned()]);
                picker.selected = 0;
                Vec::new()
            }
        },
        Some(Overlay::Sheet(sheet)) => {
            sheet.error = None;
            let area = TextArea::from([text.to_owned()]);
            match sheet.field {
                Some(Field::Reason) => sheet.reason = area,
                Some(Field::Name) => sheet.name = area,
                None => return Vec::new(),
            }
            leave_field(sheet);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The text that the human's editor came back with.
pub(super) fn edited(model: &mut Model, text: Option<String>) -> Vec<Request> {
    let Some(id) = model.state.active().map(|one| one.id) else { return Vec::new() };
    match text {
        Some(text) => vec![Command::Write { id, text, by: model.person() }.into()],
        None => {
            model.notice = Some(Notice { text: "nothing was changed".to_owned(), is_error: false });
            Vec::new()
        }
    }
}

fn fill_in(sheet: &mut Sheet, input: &Input) {
    sheet.error = None;
    let Some(field) = sheet.field else { return };
    let area: &mut TextArea<'_> = match field {
        Field::Reason => &mut sheet.reason,
        Field::Name => &mut sheet.name,
    };
    if input.key == Key::Enter {
        leave_field(sheet);
        return;
    }
    type_in(area, input.clone());
    // The name completes itself: the field closes, and the approving key is a key of its own again.
    if field == Field::Name && sheet.is_named() {
        sheet.field = None;
    }
}

/// Leaves the field of a sheet if what it holds will do.
pub(super) fn leave_field(sheet: &mut Sheet) {
    match (sheet.field, sheet.missing()) {
        (Some(field), Some(missing)) if field == missing => {
            sheet.error = Some(match field {
                Field::Reason => "a reason has at least 12 characters".to_owned(),
                Field::Name => format!("type {} to confirm", sheet.lands.as_deref().unwrap_or("the stage's name")),
            });
        }
        (_, next) => sheet.field = next,
    }
}

/// Takes the selected row of a picker.
pub(super) fn pick(model: &mut Model) -> Vec<Request> {
    let Some(Overlay::Pick(picker)) = model.overlays.last() else { return Vec::new() };
    if let Some(text) = picker.wanted() {
        return if text.is_empty() { Vec::new() } else { vec![Request::FindCalls(text)] };
    }
    let typed = picker.query.lines().join(" ").trim().to_owned();
    let choice = match picker.matching().get(picker.selected) {
        Some(row) => match row.disabled {
            None => row.choice.clone(),
            Some(why) => {
                model.notice = Some(Notice { text: format!("not now: {why}"), is_error: true });
                return Vec::new();
            }
        },
        None if picker.takes_typed && !typed.is_empty() => Choice::Model(ModelId(typed)),
        None => return Vec::new(),
    };
    model.overlays.pop();
    match choice {
        Choice::Action(action) => act::act(model, action),
        Choice::Loop(id) => travel::look_at_loop(model, id),
        Choice::Line(line) => {
            model.jumping(|model| {
                model.focus = model.wide_pane();
                travel::go_to_line(model, line);
            });
            Vec::new()
        }
        Choice::Call(id) => vec![Request::ReadCall(id)],
        Choice::Theme(name) => themes::keep(model, name),
        Choice::Revision(past) => {
            timeline::open(model, past);
            Vec::new()
        }
        Choice::Compare(past, other) => timeline::show(model, past, other),
        Choice::Model(chosen) => match (model.state.active().map(|one| one.id), model.open_role()) {
            (Some(id), Some(role)) => {
                vec![Command::ChooseModel { id, role, model: chosen, by: model.person() }.into()]
            }
            _ => Vec::new(),
        },
        // Only the choice of the models offers it.
        Choice::Way(_) => Vec::new(),
        Choice::File(name) => match model.state.active().map(|one| one.id) {
            Some(id) => vec![Command::Choose { id, name, included: true }.into()],
            None => Vec::new(),
        },
    }
}

/// The calls that have the text that was searched for take the place of the list.
pub(super) fn found(model: &mut Model, text: &str, lines: &BTreeMap<ExchangeId, String>) {
    let rows = picker::found(model, lines);
    if rows.is_empty() {
        let text = format!("no call has {text:?} in its prompt or reply");
        model.notice = Some(Notice { text, is_error: false });
        return;
    }
    if let Some(Overlay::Pick(list)) = model.overlays.last_mut() {
        **list = Picker::of_calls("Calls that sent or said it, the newest first", rows);
    }
}

/// Finishes the text in front.
pub(super) fn finish(model: &mut Model) -> Vec<Request> {
    match model.overlays.last_mut() {
        Some(Overlay::Sheet(sheet)) => {
            leave_field(sheet);
            Vec::new()
        }
        Some(Overlay::Pick(_)) => pick(model),
        Some(Overlay::Help(help)) => {
            help.typing = false;
            Vec::new()
        }
        Some(Overlay::Casting(_)) => casting::pick(model),
        Some(Overlay::Ask(ask)) => {
            let length = ask.text().trim().chars().count();
            let least = ask.purpose.least();
            if length < least {
                ask.error = Some(match least {
                    1 => "say what should be different first".to_owned(),
                    least => format!("a reason has at least {least} characters; this one has {length}"),
                });
                return Vec::new();
            }
            let Some(Overlay::Ask(ask)) = model.overlays.pop() else { return Vec::new() };
            answer(model, &ask)
        }
        _ => Vec::new(),
    }
}

fn answer(model: &mut Model, ask: &Ask) -> Vec<Request> {
    let text = ask.text();
    // Kept until an event says that it arrived: a refusal must not lose it.
    model.keep_draft(&ask.purpose, text.clone());
    let by = model.person();
    if let Purpose::Goal(hint) = &ask.purpose {
        if text.trim().is_empty() {
            model.notice = Some(Notice { text: "a loop needs a goal".to_owned(), is_error: true });
            return Vec::new();
        }
        return vec![Request::Begin { goal: text.trim().to_owned(), hint: hint.clone() }];
    }
    if let Purpose::Remark { part, rejects } = ask.purpose {
        model.keep_draft(&ask.purpose, String::new());
        model.remember();
        model.remarks.say(part, &text, rejects);
        return Vec::new();
    }
    if ask.purpose == Purpose::Search {
        model.search = Search::new(&text);
        return model.jumping(|model| front::search(model, false));
    }
    let Some(id) = model.state.active().map(|one| one.id) else { return Vec::new() };
    let command = match ask.purpose.clone() {
        Purpose::Revise => match model.overlays.iter().rev().find_map(sheet_of) {
            Some(sheet) => {
                let evidence = sheet.evidence.clone();
                model.overlays.retain(|overlay| sheet_of(overlay).is_none());
                Command::Revise { id, evidence, reason: text, by }
            }
            None => return Vec::new(),
        },
        Purpose::Abandon => {
            model.overlays.retain(|overlay| sheet_of(overlay).is_none());
            Command::Abandon { id, reason: text, by }
        }
        Purpose::Override(gate) => Command::Override { id, gate, reason: text, by },
        Purpose::Dismiss { revision, finding } => Command::Dismiss { id, revision, finding, reason: text, by },
        Purpose::Question { revision, finding, to } => {
            Command::Question { id, revision, finding, to, question: text, by }
        }
        Purpose::Reopen(stage) => Command::Reopen { id, stage, reason: text, by },
        Purpose::Edit => Command::Write { id, text, by },
        Purpose::Goal(_) | Purpose::Search | Purpose::Remark { .. } => return Vec::new(),
    };
    vec![command.into()]
}

fn sheet_of(overlay: &Overlay) -> Option<&Sheet> {
    match overlay {
        Overlay::Sheet(sheet) => Some(sheet),
        _ => None,
    }
}
