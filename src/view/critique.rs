//! What the second model says: findings with their severity, as they arrive and as they stand.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::Scene;
use super::paint::{clip, indented, lines, list, wrapped};
use super::ready::note;
use crate::app::action::Action;
use crate::app::layout::{Area, Pane};
use crate::app::{Face, Stream};
use crate::domain::{Disposition, Finding, Role, Severity, visible_line};
use crate::engine::Phase;
use crate::theme::{Scope, Sign, Theme};

/// The sign of a severity: different without colour.
pub(super) const fn sign(theme: &Theme, severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => theme.sign(Sign::Bad),
        Severity::Major => theme.sign(Sign::Warn),
        Severity::Minor => "-",
        Severity::Note => "i",
    }
}

/// The same in one cell.
pub(super) const fn mark(theme: &Theme, severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => theme.mark(Sign::Bad),
        Severity::Major => theme.mark(Sign::Warn),
        Severity::Minor | Severity::Note => sign(theme, severity),
    }
}

/// How a severity looks.
pub(super) const fn scope(severity: Severity) -> Scope {
    match severity {
        Severity::Blocker => Scope::CritiqueBlocker,
        Severity::Major => Scope::CritiqueMajor,
        Severity::Minor => Scope::CritiqueMinor,
        Severity::Note => Scope::CritiqueNote,
    }
}

/// Draws the critique pane and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, area: Area) -> Option<(u16, u16)> {
    let model = scene.model;
    let stage = model.stage()?;
    if let Some(stream) = &model.live.critic {
        arriving(scene, buf, stream, area);
        return None;
    }
    let Some(critique) = stage.current_critique() else {
        let text = match (&stage.critique_failed, stage.phase) {
            (Some(why), _) => {
                let style = scene.theme.style(Scope::CritiqueBlocker);
                let mut text = wrapped(
                    &format!("{} no critique: {why}", scene.theme.sign(Sign::Bad)),
                    usize::from(area.width),
                    2,
                    style,
                );
                let key = |action| scene.key(action).unwrap_or_default();
                let (again, other) = (key(Action::CritiqueRerun), key(Action::ModelChoose));
                let next = format!(
                    "{again} asks the critic again; {other} asks another model; without a critique the decision asks for a \
                     reason"
                );
                text.push(Line::default());
                text.extend(wrapped(&next, usize::from(area.width), 0, scene.theme.style(Scope::Muted)));
                lines(buf, area, &text);
                return None;
            }
            (None, Phase::Reviewing) => "The critic is being asked; nothing has come yet.",
            (None, Phase::Awaiting) if model.model_of(Role::Critic).is_none() => {
                "No critic is configured, so nobody has objected: the decision will ask for a reason."
            }
            _ if model.face() == Face::Artifact => "There is no critique of this revision.",
            _ => "A second model reads what the first one drafts; its objections come here.",
        };
        return note(scene, buf, area, text);
    };
    if critique.findings.is_empty() {
        let good = format!("{} No findings.", scene.theme.sign(Sign::Good));
        let text = if critique.is_readable() { good } else { "The reply has no finding in it:".to_owned() };
        let mut all = vec![Line::styled(text, scene.theme.style(Scope::GatePass)), Line::default()];
        all.extend(wrapped(&critique.text, usize::from(area.width), 0, scene.theme.style(Scope::Muted)));
        lines(buf, area, &all);
        return None;
    }
    let items: Vec<Vec<Line<'_>>> = critique.findings.iter().map(|one| finding(scene, one, area.width)).collect();
    let selected = (model.focus == Pane::Critique).then_some(model.finding);
    list(buf, area, &items, selected, scene.theme.style(Scope::Selection))
}

/// A finding over several rows: what it is, what it says, what became of it.
fn finding(scene: &Scene<'_>, one: &Finding, width: u16) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let dismissed = matches!(one.disposition, Disposition::Dismissed(_));
    let scope = if dismissed { Scope::CritiqueResolved } else { scope(one.severity) };
    let head = theme.style(scope);
    let room = usize::from(width);
    let anchor = match one.anchor.to_string() {
        whole if whole == "whole" => "as a whole".to_owned(),
        other => other,
    };
    let name = one.severity.name();
    let mut rows = vec![Line::from(vec![
        Span::styled(format!("{} {name} ", sign(scene.theme, one.severity)), head),
        Span::styled(clip(&anchor, room.saturating_sub(name.len() + 3)), theme.style(Scope::Muted)),
    ])];
    let body = if dismissed { theme.style(Scope::CritiqueResolved) } else { theme.style(Scope::Text) };
    rows.extend(indented(&one.text, room, body));
    if let Disposition::Dismissed(reason) = &one.disposition {
        rows.extend(indented(&format!("set aside: {reason}"), room, theme.style(Scope::Muted)));
    }
    rows.push(Line::default());
    rows
}

/// The reply on its way: what is a finding already looks like one. The end stays in sight.
fn arriving(scene: &Scene<'_>, buf: &mut Buffer, stream: &Stream, area: Area) {
    if stream.doc.is_empty() {
        let text = if stream.reasoning > 0 { "The critic is thinking." } else { "Nothing has come yet." };
        note(scene, buf, area, text);
        return;
    }
    let mut blocks: Vec<Vec<Line<'static>>> = Vec::new();
    let mut rows = 0;
    for (_, line) in stream.doc.lines_from(0).rev() {
        let block = match line.text.parse::<Finding>() {
            Ok(one) => finding(scene, &one, area.width),
            Err(_) => wrapped(&visible_line(&line.text), usize::from(area.width), 0, scene.theme.style(Scope::Muted)),
        };
        rows += block.len();
        blocks.push(block);
        if rows >= usize::from(area.height) {
            break;
        }
    }
    let all: Vec<Line<'static>> = blocks.into_iter().rev().flatten().collect();
    let from = all.len().saturating_sub(usize::from(area.height));
    lines(buf, area, all.get(from..).unwrap_or_default());
}
