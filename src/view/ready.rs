//! A stage before its draft: what would be sent, with sizes; what was measured; what went wrong the last time.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::Scene;
use super::document::{self, Look};
use super::figures::{bytes, count, plural};
use super::paint::{below, clip, lines, list, wrapped};
use crate::app::action::Action;
use crate::app::doc::Doc;
use crate::app::layout::Area;
use crate::app::scroll::Scroll;
use crate::domain::{ContextItem, EXPECTED_OUTPUT, ItemKind, Money, Quote, Role};
use crate::engine::{Stage, Trouble};
use crate::theme::{Scope, Sign};

/// A sentence where there is nothing else to show.
pub(super) fn note(scene: &Scene<'_>, buf: &mut Buffer, area: Area, text: &str) -> Option<(u16, u16)> {
    let mut all = vec![Line::default()];
    all.extend(wrapped(text, usize::from(area.width), 0, scene.theme.style(Scope::Muted)));
    lines(buf, area, &all);
    None
}

/// While context is gathered and measured.
pub(super) fn preparing(scene: &Scene<'_>, buf: &mut Buffer, area: Area) -> Option<(u16, u16)> {
    let progress = scene.model.live.progress.as_deref().unwrap_or("gathering the context");
    note(scene, buf, area, &format!("{} {progress}", scene.theme.sign(Sign::Here)))
}

/// The context list, and around it what helps to decide on it.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, area: Area) -> Option<(u16, u16)> {
    let model = scene.model;
    let stage = model.stage()?;
    let width = usize::from(area.width);
    let mut above: Vec<Line<'static>> = Vec::new();
    if let Some(trouble) = &stage.trouble {
        above.extend(went_wrong(scene, trouble, width));
    }
    let roomy = area.height >= 18;
    if roomy {
        above.extend(wrapped(&stage.spec.drafts, width, 0, scene.theme.style(Scope::Text)));
        above.push(Line::default());
    }
    if roomy || stage.unmeasured.is_some() {
        above.extend(measured(scene, stage, width));
    }
    let sent: Vec<&ContextItem> = stage.context.iter().filter(|item| item.included).collect();
    let tokens: u64 = sent.iter().map(|item| item.tokens).sum();
    let size = format!("{}, about {} tokens{}", plural(sent.len(), "piece"), count(tokens), expected(scene, tokens));
    let title = match model.model_of(Role::Author) {
        Some(author) if stage.trouble.is_some() => {
            format!("{} sends again, to {author}: {size}", scene.key(Action::DraftSend).unwrap_or_default())
        }
        Some(author) => format!("Nothing is sent yet. To {author}: {size}"),
        None => {
            let key = scene.key(Action::DraftWrite).unwrap_or_default();
            format!("No author is configured: {key} lets you write it. A model would be sent {size}")
        }
    };
    above.extend(wrapped(&title, width, 0, scene.theme.style(Scope::MarkupHeading)));
    let most = usize::from(area.height).saturating_sub(4);
    above.truncate(most);
    lines(buf, area, &above);
    let rows = below(area, u16::try_from(above.len()).unwrap_or(0));
    let mut rows = rows;
    if let Some(reply) = model.unusable() {
        // The list is short; below it, the reply as it came.
        let listed = u16::try_from(stage.context.len() + 1).unwrap_or(u16::MAX).min(rows.height / 2);
        let place = below(rows, listed);
        if place.height >= 4 {
            rows = Area { height: listed, ..rows };
            let title = Line::styled("The reply as it came:", scene.theme.style(Scope::MarkupHeading));
            lines(buf, place, &[title]);
            let doc = Doc::prose(reply);
            document::lines(scene, buf, &doc, Scroll::default(), below(place, 1), &Look::output());
        }
    }
    if stage.context.len() > usize::from(rows.height) && rows.height > 2 {
        rows.height -= 1;
        let key = |action| scene.key(action).unwrap_or_default();
        let (down, up) = (key(Action::ScrollDown), key(Action::ScrollUp));
        let text = format!(".. {} in all; {down} and {up} go through them", stage.context.len());
        lines(buf, below(rows, rows.height), &[]);
        let last = Area { y: rows.y + rows.height, height: 1, ..rows };
        lines(buf, last, &[Line::styled(text, scene.theme.style(Scope::Muted))]);
    }
    let items: Vec<Vec<Line<'_>>> = stage.context.iter().map(|item| vec![row(scene, item, width)]).collect();
    list(buf, rows, &items, Some(model.item), scene.theme.style(Scope::Selection))
}

/// What sending it is expected to cost. Nothing where money is no subject: in the demo, and without any price or limit.
fn expected(scene: &Scene<'_>, input: u64) -> String {
    let host = &scene.model.host;
    let quote = Quote { input, output: EXPECTED_OUTPUT, price: scene.model.author_price() };
    match quote.expected() {
        Some(money) if money > Money::default() => {
            format!(", up to {money} with {} tokens of reply", count(EXPECTED_OUTPUT))
        }
        Some(_) => String::new(),
        None if host.budget.is_limited() => ", price unknown".to_owned(),
        None => String::new(),
    }
}

fn row(scene: &Scene<'_>, item: &ContextItem, width: usize) -> Line<'static> {
    let theme = scene.theme;
    let (mark, style) =
        if item.included { ("[x]", theme.style(Scope::Text)) } else { ("[ ]", theme.style(Scope::Muted)) };
    let kind = match item.kind {
        ItemKind::Goal | ItemKind::Criteria | ItemKind::Readings | ItemKind::Map => "",
        ItemKind::Approved => "approved ",
        ItemKind::Feedback => "your reason and the open ",
        ItemKind::Conventions => "conventions ",
        ItemKind::File => "",
    };
    let size = format!("{:>9} {:>7}", bytes(item.bytes), count(item.tokens));
    let room = width.saturating_sub(size.len() + 5);
    let name = clip(&format!("{kind}{}", item.name), room);
    let gap = room.saturating_sub(super::paint::width(&name));
    Line::from(vec![
        Span::styled(format!("{mark} "), style),
        Span::styled(name, style),
        Span::raw(" ".repeat(gap)),
        Span::styled(size, theme.style(Scope::Muted)),
    ])
}

fn measured(scene: &Scene<'_>, stage: &Stage, width: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let Some(measurement) = &stage.measurement else {
        let Some(why) = &stage.unmeasured else { return Vec::new() };
        let key = scene.key(Action::GateRerunAll).unwrap_or_default();
        let text = format!("{} not measured: {why}; {key} in the gates pane measures", theme.sign(Sign::Warn));
        let mut rows = wrapped(&text, width, 2, theme.style(Scope::StageAwaiting));
        rows.push(Line::default());
        return rows;
    };
    let mut rows = super::readings::table(scene, measurement, width);
    for failure in &measurement.failures {
        rows.extend(wrapped(&format!("{} {failure}", theme.sign(Sign::Bad)), width, 2, theme.style(Scope::GateFail)));
    }
    rows.push(Line::default());
    rows
}

/// Why there is no draft, and the keys that go on.
fn went_wrong(scene: &Scene<'_>, trouble: &Trouble, width: usize) -> Vec<Line<'static>> {
    let bad = scene.theme.style(Scope::GateFail);
    let key = scene.key(Action::DraftSend).unwrap_or_default();
    let sign = scene.theme.sign(Sign::Bad);
    let (head, details, next) = match trouble {
        Trouble::Call(why) => (format!("{sign} {why}"), &[][..], format!("{key} tries again{}", others(scene))),
        Trouble::Stopped(why) => (format!("- {why}"), &[][..], format!("{key} drafts again")),
        Trouble::Malformed { missing, .. } => (
            format!("{sign} the reply lacks what this stage needs:"),
            missing.as_slice(),
            format!("{key} sends it back{}", others(scene)),
        ),
        Trouble::Patch { problems, .. } => (
            format!("{sign} the patch can't be used:"),
            problems.as_slice(),
            format!("{key} sends it back{}", others(scene)),
        ),
    };
    let mut rows = wrapped(&head, width, 2, bad);
    for detail in details {
        rows.extend(wrapped(&format!("  {detail}"), width, 4, scene.theme.style(Scope::Text)));
    }
    let read = scene.key(Action::ReplyShow).filter(|_| !details.is_empty());
    let read = read.map(|key| format!("; {key} shows it whole")).unwrap_or_default();
    rows.extend(wrapped(&format!("{next}{read}"), width, 0, scene.theme.style(Scope::Muted)));
    rows.push(Line::default());
    rows
}

/// The ways on that need no luck with the same model.
fn others(scene: &Scene<'_>) -> String {
    let key = |action| scene.key(action).unwrap_or_default();
    format!("; {} has another model do it; {} writes it by hand", key(Action::ModelChoose), key(Action::DraftWrite))
}
