//! What the second model says: findings with their severity, as they arrive and as they stand.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::Scene;
use super::figures::plural;
use super::paint::{self, clip, indented, line, lines, row, tint, wrapped};
use super::ready::note;
use crate::app::action::{Action, Context};
use crate::app::layout::{Area, Pane};
use crate::app::{Face, FindingPart, FindingRow, Stream};
use crate::domain::{Disposition, Finding, Role, Severity, visible_line};
use crate::engine::Phase;
use crate::theme::{Scope, Sign, Theme};

/// After the head of a finding that was not read.
const UNREAD: &str = "  unread";

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
    if model.hides_findings() {
        return hidden(scene, buf, area, critique.findings.len());
    }
    let all = model.finding_rows(usize::from(area.width));
    let from = model.critique_top(&all, usize::from(area.height));
    let mut cursor = None;
    for (one, at) in all.iter().skip(from).zip(0..) {
        let (Some(place), Some(finding)) = (row(area, at), critique.findings.get(one.finding)) else { break };
        line(buf, place, &finding_row(scene, finding, one, area.width));
        if model.focus == Pane::Critique && one.finding == model.finding {
            // The thread below reads like text, whatever is selected.
            if matches!(one.part, FindingPart::Head | FindingPart::Text) {
                tint(buf, place, scene.theme.style(Scope::Selection));
            }
            cursor.get_or_insert((place.x, place.y));
        }
    }
    cursor
}

/// That there are findings, which wait until the artifact was read.
fn hidden(scene: &Scene<'_>, buf: &mut Buffer, area: Area, count: usize) -> Option<(u16, u16)> {
    let name = scene.model.stage().map_or("artifact", |stage| stage.spec.artifact.name());
    let key = scene.key_in(&[Context::Critique], Action::FindingJump).unwrap_or_default();
    let text = format!("{}, shown when you've read the {name} ({key} shows them now).", plural(count, "finding"));
    note(scene, buf, area, &text)
}

fn finding_row(scene: &Scene<'_>, of: &Finding, one: &FindingRow, width: u16) -> Line<'static> {
    let theme = scene.theme;
    let dismissed = matches!(of.disposition, Disposition::Dismissed(_));
    let scope = match one.part {
        FindingPart::Head => return head(scene, of, Some(one.finding), width),
        FindingPart::Text if dismissed => Scope::CritiqueResolved,
        FindingPart::Text | FindingPart::Answer => Scope::Text,
        FindingPart::Failure => Scope::CritiqueBlocker,
        FindingPart::Question => Scope::StageAwaiting,
        FindingPart::Aside | FindingPart::Awaited | FindingPart::Arriving | FindingPart::Blank => Scope::Muted,
    };
    Line::styled(scene.model.row_text(one), theme.style(scope))
}

/// What a finding is and where it points; at the right, that it was not read.
fn head(scene: &Scene<'_>, one: &Finding, index: Option<usize>, width: u16) -> Line<'static> {
    let theme = scene.theme;
    let dismissed = matches!(one.disposition, Disposition::Dismissed(_));
    let scope = if dismissed { Scope::CritiqueResolved } else { scope(one.severity) };
    let anchor = match one.anchor.to_string() {
        whole if whole == "whole" => "as a whole".to_owned(),
        other => other,
    };
    let name = one.severity.name();
    let room = usize::from(width).saturating_sub(name.len() + 3);
    let mut spans = vec![
        Span::styled(format!("{} {name} ", sign(theme, one.severity)), theme.style(scope)),
        Span::styled(clip(&anchor, room), theme.style(Scope::Muted)),
    ];
    let is_unread = scene.model.is_live() && index.is_some_and(|index| !scene.model.is_finding_read(index));
    if is_unread && paint::width(&anchor) + UNREAD.len() <= room {
        spans.push(Span::styled(UNREAD, theme.style(Scope::HunkUnread)));
    }
    Line::from(spans)
}

/// A finding that has just come: what it is and what it says.
fn finding(scene: &Scene<'_>, one: &Finding, width: u16) -> Vec<Line<'static>> {
    let mut rows = vec![head(scene, one, None, width)];
    rows.extend(indented(&one.text, usize::from(width), scene.theme.style(Scope::Text)));
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
