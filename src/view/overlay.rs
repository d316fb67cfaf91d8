//! What stands in front: help, questions, pickers, trust, a gate's output, and the keys that can follow.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_textarea::TextArea;

use super::document::{self, Look};
use super::paint::{bar, below, clip, fill, line, lines, list, row, span, width, wrapped};
use super::{Scene, casting, help, sheet};
use crate::app::action::{Action, Context};
use crate::app::layout::Area;
use crate::app::scroll::Scroll;
use crate::app::{Ask, Choice, Overlay, Picker, Purpose, Row, Source, Trust, wrap};
use crate::domain::visible_line;
use crate::keymap::Menu;
use crate::theme::{Scope, Sign};

/// The fewest columns worth showing beside what is in front.
const SIDE_LEAST: u16 = 8;

type Cursor = Option<(u16, u16)>;

/// Draws an overlay and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, overlay: &Overlay) -> Cursor {
    match overlay {
        Overlay::Help(one) => help::draw(scene, buf, one),
        Overlay::Sheet(sheet) => sheet::draw(scene, buf, sheet),
        Overlay::Ask(ask) => question(scene, buf, ask),
        Overlay::Pick(picker) => pick(scene, buf, picker),
        Overlay::Casting(casting) => casting::draw(scene, buf, casting),
        Overlay::Trust(one) => trust(scene, buf, one),
        Overlay::Text { source, scroll, .. } => text(scene, buf, source, *scroll),
    }
}

/// Clears a place of at most this size in the middle, with a bar above and the keys below. Gives what is between.
pub(super) fn popup(
    scene: &Scene<'_>,
    buf: &mut Buffer,
    (columns, rows): (u16, u16),
    title: &str,
    keys: &[(String, &str)],
) -> Area {
    let (width, height) = scene.model.size;
    // A few columns left on each side would be of no use to anyone, but in the way of the eye.
    let columns = if columns + 2 * SIDE_LEAST > width { width } else { columns };
    let rows = rows.min(height);
    let area = Area::new((width - columns) / 2, (height - rows) / 2, columns, rows);
    let style = scene.theme.style(Scope::Popup);
    fill(buf, area, style);
    let accent = scene.theme.style(Scope::PaneFocused);
    let text = clip(title, usize::from(columns).saturating_sub(2));
    if let Some(top) = row(area, 0) {
        bar(buf, top, &Line::styled(format!(" {text}"), accent), &Line::default(), accent);
    }
    if let Some(bottom) = row(area, usize::from(rows.saturating_sub(1))) {
        let mut spans = vec![Span::raw(" ")];
        for (key, what) in keys {
            spans.push(span(key, scene.theme.style(Scope::FooterKey)));
            spans.push(Span::styled(format!(" {what}   "), scene.theme.style(Scope::FooterDesc)));
        }
        bar(buf, bottom, &Line::from(spans), &Line::default(), scene.theme.style(Scope::PaneTitle));
    }
    Area::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), area.height.saturating_sub(2))
}

pub(super) fn keys<const N: usize>(
    scene: &Scene<'_>,
    context: Context,
    actions: [(Action, &'static str); N],
) -> Vec<(String, &'static str)> {
    let key = |action| scene.key_in(&[context], action);
    actions.into_iter().filter_map(|(action, what)| Some((key(action)?, what))).collect()
}

fn question(scene: &Scene<'_>, buf: &mut Buffer, ask: &Ask) -> Cursor {
    let (width_all, height) = scene.model.size;
    let send = match ask.purpose {
        Purpose::Search => "find",
        Purpose::Question { .. } => "ask",
        Purpose::Goal(_) => "begin",
        Purpose::Edit => "take this text",
        _ => "send",
    };
    let mut foot = keys(scene, Context::Text, [(Action::TextSubmit, send), (Action::Back, "close, kept as a draft")]);
    if !ask.is_long()
        && let Some((key, _)) = foot.first_mut()
    {
        "Enter".clone_into(key);
    }
    let (columns, rows) = match ask.purpose {
        Purpose::Edit => (width_all, height.saturating_sub(2)),
        Purpose::Search => (60, 5),
        _ => (84, 12),
    };
    let inside = popup(scene, buf, (columns, rows), &ask.title, &foot);
    let hint = wrapped(&ask.hint, usize::from(inside.width), 0, scene.theme.style(Scope::Muted));
    let hint = if ask.hint.is_empty() { Vec::new() } else { hint };
    lines(buf, inside, &hint);
    let gap = u16::from(!hint.is_empty());
    let mut taken = u16::try_from(hint.len()).unwrap_or(0) + gap;
    if let Some(error) = &ask.error {
        let style = scene.theme.style(Scope::DecisionDanger);
        let error = wrapped(&format!("{} {error}", scene.theme.sign(Sign::Bad)), usize::from(inside.width), 2, style);
        lines(buf, below(inside, taken), &error);
        taken += u16::try_from(error.len()).unwrap_or(0);
    }
    field(scene, buf, &ask.area, below(inside, taken.min(inside.height.saturating_sub(1))))
}

/// A text field, wrapped, with the cursor in sight. What is typed or loaded is shown visible like everything else.
pub(super) fn field(scene: &Scene<'_>, buf: &mut Buffer, text: &TextArea<'_>, area: Area) -> Cursor {
    let style = scene.theme.style(Scope::Text);
    let room = usize::from(area.width).saturating_sub(1).max(1);
    let cursor = text.cursor();
    let (line_at, column_at) = (cursor.0, cursor.1);
    let mut rows: Vec<Line<'static>> = Vec::new();
    let mut place = (0, 0);
    let selected = text.selection_range();
    let style_at = |index: usize| match selected {
        Some(((from, _), (to, _))) if (from..=to).contains(&index) => scene.theme.style(Scope::Selection),
        _ => style,
    };
    for (index, source) in text.lines().iter().enumerate() {
        let shown = visible_line(source);
        let parts = wrap::rows(&shown, room, 0);
        if index == line_at {
            let before: String = source.chars().take(column_at).collect();
            let bytes = visible_line(&before).len();
            let part = parts.iter().rposition(|part| part.start <= bytes).unwrap_or(0);
            let start = parts.get(part).map_or(0, |part| part.start);
            place = (rows.len() + part, width(shown.get(start..bytes).unwrap_or_default()));
        }
        rows.extend(
            parts.into_iter().map(|part| Line::styled(shown.get(part).unwrap_or_default().to_owned(), style_at(index))),
        );
    }
    let height = usize::from(area.height);
    let from = (place.0 + 1).saturating_sub(height);
    lines(buf, area, rows.get(from..).unwrap_or_default());
    let y = area.y + u16::try_from(place.0 - from.min(place.0)).unwrap_or(0);
    let x = area.x + u16::try_from(place.1.min(room)).unwrap_or(0);
    if let Some(cell) = buf.cell_mut((x, y)) {
        cell.set_style(scene.theme.style(Scope::Cursor));
    }
    Some((x, y))
}

fn pick(scene: &Scene<'_>, buf: &mut Buffer, picker: &Picker) -> Cursor {
    let (_, height) = scene.model.size;
    let foot = vec![("Enter".to_owned(), "take"), ("Up Down".to_owned(), "choose"), ("Esc".to_owned(), "close")];
    let inside = popup(scene, buf, (90, height.saturating_sub(4).clamp(8, 24)), picker.title, &foot);
    let empty = match (picker.loading, picker.takes_typed) {
        (true, _) => "listing",
        (false, true) => "nothing matches; Enter takes what you typed, as provider/model",
        (false, false) => "nothing matches",
    };
    choices(scene, buf, picker, inside, empty)
}

/// What is typed, and the rows that match; `empty` stands where there are none.
pub(super) fn choices(scene: &Scene<'_>, buf: &mut Buffer, picker: &Picker, inside: Area, empty: &str) -> Cursor {
    let muted = scene.theme.style(Scope::Muted);
    if let Some(top) = row(inside, 0) {
        line(buf, top, &Line::styled("> ", scene.theme.style(Scope::FooterKey)));
    }
    let entry = Area::new(inside.x + 2, inside.y, inside.width.saturating_sub(2), 1.min(inside.height));
    let cursor = field(scene, buf, &picker.query, entry);
    let body = below(inside, 1);
    let matching = picker.matching();
    if matching.is_empty() {
        let text = if picker.wanted().is_some() { "Enter searches what was sent and said" } else { empty };
        lines(buf, body, &[Line::styled(text.to_owned(), muted)]);
        return cursor;
    }
    let room = usize::from(body.width);
    // What is cut in a row is whole below the list.
    let whole = matching.get(picker.selected).map(|row| whole(scene, row, room)).unwrap_or_default();
    let (tall, most) = (u16::try_from(whole.len()).unwrap_or(0), body.height.saturating_sub(2));
    let list_area = Area { height: body.height - tall.min(most), ..body };
    lines(buf, below(body, list_area.height), &whole);
    let items: Vec<Vec<Line<'static>>> = matching
        .iter()
        .map(|one| {
            let keys = scene.key_of_choice(&one.choice).unwrap_or_default();
            // Of a command, the rest is below.
            let is_short = room < 60 && matches!(one.choice, Choice::Action(_));
            let right = match one.disabled {
                Some(_) if is_short => "not now".to_owned(),
                Some(why) => format!("not now: {why}"),
                None if is_short => keys,
                None => format!("{} {keys}", one.detail),
            };
            let right = clip(right.trim(), room / 2);
            let left = clip(&one.label, room.saturating_sub(width(&right) + 2));
            let gap = room.saturating_sub(width(&left) + width(&right)).max(1);
            let style = if one.disabled.is_some() { muted } else { scene.theme.style(Scope::Text) };
            vec![Line::from(vec![Span::styled(left, style), Span::raw(" ".repeat(gap)), Span::styled(right, muted)])]
        })
        .collect();
    list(buf, list_area, &items, Some(picker.selected), scene.theme.style(Scope::Selection));
    cursor
}

/// A command in full: what it does, its name and keys, and why it can't be given now.
fn whole(scene: &Scene<'_>, row: &Row, room: usize) -> Vec<Line<'static>> {
    let Choice::Action(action) = row.choice else { return Vec::new() };
    let key = scene.key_of_choice(&row.choice).map_or_else(|| "no key here".to_owned(), |key| format!("key {key}"));
    let text = format!("{}. {}, {key}", action.info().doc, action.info().name);
    let mut all = wrapped(&text, room, 2, scene.theme.style(Scope::FooterKey));
    if let Some(why) = row.disabled {
        all.extend(wrapped(&format!("not now: {why}"), room, 2, scene.theme.style(Scope::StageAwaiting)));
    }
    all
}

impl Scene<'_> {
    fn key_of_choice(&self, choice: &Choice) -> Option<String> {
        match choice {
            // One that belongs in front has its key there.
            Choice::Action(action) => self.key(*action).or_else(|| self.key_in(&Context::ALL, *action)),
            _ => None,
        }
    }
}

fn trust(scene: &Scene<'_>, buf: &mut Buffer, trust: &Trust) -> Cursor {
    let (width, height) = scene.model.size;
    let foot = match (trust.arming.is_armed(scene.model.now), trust.unseen() == 0) {
        (true, true) => [(Action::TrustGive, "trust exactly this"), (Action::Back, "not now")],
        _ => [(Action::ScrollDown, "read to the end, then trust"), (Action::Back, "not now")],
    };
    let foot = keys(scene, Context::Trust, foot);
    let title = "These commands come from the repository and run as you";
    let inside = popup(scene, buf, (width, height.saturating_sub(2)), title, &foot);
    document::lines(scene, buf, &trust.text, trust.scroll, inside, &Look::commands())
}

fn text(scene: &Scene<'_>, buf: &mut Buffer, source: &Source, scroll: Scroll) -> Cursor {
    let (width, height) = scene.model.size;
    let foot = keys(
        scene,
        Context::List,
        [
            (Action::ScrollDown, "down"),
            (Action::ScrollUp, "up"),
            (Action::SearchOpen, "search"),
            (Action::Back, "close"),
        ],
    );
    let title = match source {
        Source::Gate(gate) => format!("gate {gate}"),
        Source::Finding(index) => format!("Finding {}", index + 1),
        Source::Call(id) => format!("Call {id}, as it went over the wire"),
        Source::Past => scene.model.live.past.as_ref().map_or_else(String::new, |(title, _)| title.clone()),
        Source::Away => "While you were away".to_owned(),
        Source::Reply => "The reply as it came".to_owned(),
    };
    // Its own line is hidden by what is in front.
    let title = match &scene.model.notice {
        Some(notice) => format!("{title}: {}", notice.text),
        None => title,
    };
    let inside = popup(scene, buf, (width, height.saturating_sub(2)), &title, &foot);
    let run = match source {
        Source::Gate(gate) => scene.model.stage().and_then(|stage| stage.runs.get(gate)),
        Source::Reply | Source::Away | Source::Past | Source::Finding(_) | Source::Call(_) => None,
    };
    let muted = scene.theme.style(Scope::Muted);
    let mut above = Vec::new();
    if let Some(run) = run {
        let style: Style = scene.theme.style(if run.verdict.satisfies() { Scope::GatePass } else { Scope::GateFail });
        above.extend(wrapped(&format!("{}: {}", run.verdict.name(), run.summary), usize::from(inside.width), 2, style));
        if let Some(path) = &run.spilled {
            above.extend(wrapped(&format!("the whole output: {path}"), usize::from(inside.width), 2, muted));
        }
    }
    lines(buf, inside, &above);
    let body = below(inside, u16::try_from(above.len()).unwrap_or(0));
    match scene.model.text_of(source) {
        Some(doc) => {
            let look = if *source == Source::Past { Look::diff() } else { Look::output() };
            document::lines(scene, buf, &doc, scroll, body, &look.searched())
        }
        None => {
            lines(buf, body, &[Line::styled("it printed nothing", muted)]);
            None
        }
    }
}

/// The keys that can follow the ones pressed so far.
pub(super) fn which_key(scene: &Scene<'_>, buf: &mut Buffer, menu: &Menu) {
    let (width_all, height) = scene.model.size;
    let entries: Vec<(String, &str)> =
        menu.choices.iter().map(|(key, what)| (key.to_string(), what.as_str())).collect();
    let widest = entries.iter().map(|(key, what)| width(key) + width(what) + 4).max().unwrap_or(12);
    let columns = (usize::from(width_all) / widest.max(1)).clamp(1, 4);
    let rows = entries.len().div_ceil(columns);
    let tall = u16::try_from(rows + 1).unwrap_or(height).min(height.saturating_sub(2));
    let area = Area::new(0, height.saturating_sub(1 + tall), width_all, tall);
    fill(buf, area, scene.theme.style(Scope::Popup));
    if let Some(top) = row(area, 0) {
        let style = scene.theme.style(Scope::PaneFocused);
        let title = clip(&menu.title, usize::from(width_all).saturating_sub(16));
        bar(buf, top, &Line::styled(format!(" {title}"), style), &Line::styled("Esc forgets ", style), style);
    }
    for (index, (key, what)) in entries.iter().enumerate() {
        let (at, column) = (index % rows.max(1), index / rows.max(1));
        let Some(place) = row(area, at + 1) else { continue };
        let x = u16::try_from(column * (usize::from(width_all) / columns)).unwrap_or(0);
        let room = place.width.saturating_sub(x);
        let text = Line::from(vec![
            span(&format!(" {key} "), scene.theme.style(Scope::FooterKey)),
            span(what, scene.theme.style(Scope::Text)),
        ]);
        line(buf, Area::new(place.x + x, place.y, room, 1), &text);
    }
}
