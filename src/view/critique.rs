//! What the second model says: findings with their severity, as they arrive and as they stand.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::Scene;
use super::paint::{clip, indented, lines, list, span, wrapped};
use super::ready::note;
use crate::app::layout::{Area, Pane};
use crate::app::{Face, Stream};
use crate::domain::{Disposition, Finding, Severity, visible_line};
use crate::engine::Phase;
use crate::theme::Scope;

/// The sign of a severity: one cell wide everywhere, and different without colour.
pub(super) const fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => "✗",
        Severity::Major => "⚠",
        Severity::Minor => "-",
        Severity::Note => "i",
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
                let mut text = wrapped(&format!("✗ no critique: {why}"), usize::from(area.width), 2, style);
                let key = scene.key(crate::app::action::Action::CritiqueRerun).unwrap_or_default();
                text.push(Line::default());
                text.push(span(&format!("{key} asks the critic again"), scene.theme.style(Scope::Muted)).into());
                lines(buf, area, &text);
                return None;
            }
            (None, Phase::Reviewing) => "The critic is being asked; nothing has come yet.",
            (None, Phase::Awaiting) if model.host.setup.critic.is_none() => {
                "No critic is configured, so nobody has objected: the decision will ask for a reason."
            }
            _ if model.face() == Face::Artifact => "There is no critique of this revision.",
            _ => "A second model reads what the first one drafts; its objections come here.",
        };
        return note(scene, buf, area, text);
    };
    if critique.findings.is_empty() {
        let text = if critique.is_readable() { "✓ No findings." } else { "The reply has no finding in it:" };
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
        Span::styled(format!("{} {name} ", sign(one.severity)), head),
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
