//! A pane: its title bar, and whatever it holds now.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::figures::{count, duration, short_count};
use super::paint::{bar, below, clip, row};
use super::{Scene, critique, document, gates, ready, welcome};
use crate::app::layout::{Area, Pane};
use crate::app::{Face, Model};
use crate::domain::{Origin, Unread};
use crate::engine::{Phase, Trouble};
use crate::theme::Scope;

/// What a pane is called: the wide one after the artifact it holds.
pub(super) fn name(model: &Model, pane: Pane) -> &'static str {
    match pane {
        Pane::Constraint => "constraint",
        Pane::Plan if model.wide_pane() == Pane::Constraint => "plan",
        Pane::Plan => model.stage().map_or("plan", |stage| stage.spec.artifact.name()),
        Pane::Critique => "critique",
        Pane::Gates => "gates",
    }
}

/// Draws a pane and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, pane: Pane, area: Area) -> Option<(u16, u16)> {
    let model = scene.model;
    title(scene, buf, pane, area);
    let body = below(area, 1);
    let wide = pane == model.wide_pane();
    // Documents bring a gutter of their own; the rest stands a column away from the edge.
    let inset = Area { x: body.x + 1, width: body.width.saturating_sub(2), ..body };
    match (pane, model.face()) {
        (_, Face::Welcome) if wide => welcome::draw(scene, buf, inset),
        (_, Face::Ready) if wide => ready::draw(scene, buf, inset),
        (_, Face::Preparing) if wide => ready::preparing(scene, buf, inset),
        (_, Face::Closed) if wide => {
            let text = "This stage opens when the one before it is approved.";
            ready::note(scene, buf, inset, text)
        }
        (_, Face::Draft) if wide && model.live.author.is_none() => {
            let text = if model.host.reads_only {
                "The author is drafting; its words are on the screen of the windlass that drives."
            } else {
                "The author is being asked; nothing has come yet."
            };
            ready::note(scene, buf, inset, text)
        }
        (Pane::Critique, _) => critique::draw(scene, buf, inset),
        (Pane::Gates, _) => gates::draw(scene, buf, inset),
        (Pane::Constraint, _) if !wide && model.constraint.is_empty() => {
            ready::note(scene, buf, inset, "No constraint is agreed yet.")
        }
        (Pane::Plan, _) if !wide => {
            let text = "The plan comes next, once the constraint is approved: one stage at a time.";
            ready::note(scene, buf, inset, text)
        }
        _ => document::draw(scene, buf, pane, body),
    }
}

fn title(scene: &Scene<'_>, buf: &mut Buffer, pane: Pane, area: Area) {
    let Some(place) = row(area, 0) else { return };
    let model = scene.model;
    let focused = pane == model.focus && model.overlays.is_empty();
    let style = scene.theme.style(if focused { Scope::PaneFocused } else { Scope::PaneTitle });
    let left = format!(" {} {} ", pane.number(), name(model, pane));
    let more = clip(&about(model, pane), usize::from(area.width).saturating_sub(left.len()));
    let right = position(model, pane);
    let left = Line::from(vec![Span::styled(left, style), Span::styled(more, style)]);
    bar(buf, place, &left, &Line::from(Span::styled(right, style)), style);
}

/// Who made what is shown, or who is at it.
fn about(model: &Model, pane: Pane) -> String {
    let Some(stage) = model.stage() else { return String::new() };
    let elapsed = |since: i64| {
        duration(u64::try_from((model.now.0 - since).max(0) / model.tick_ms() * model.tick_ms()).unwrap_or(0))
    };
    match pane {
        Pane::Critique => match (&model.live.critic, stage.current_critique()) {
            (Some(stream), _) => {
                let name = stream.model.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{name} reads, {}", elapsed(stream.since.0))
            }
            (None, Some(critique)) => format!("by {}", critique.model),
            (None, None) => String::new(),
        },
        Pane::Gates => {
            let (good, all) = gates::tally(model);
            if all == 0 { String::new() } else { format!("{good} of {all} satisfied") }
        }
        _ if pane != model.wide_pane() => match pane {
            Pane::Constraint if !model.constraint.is_empty() => "approved".to_owned(),
            _ => String::new(),
        },
        _ => match (model.face(), &model.live.author, stage.revision()) {
            (Face::Draft, Some(stream), _) => {
                let said: usize = stream.text.len();
                let thinking = if stream.reasoning > 0 && said == 0 {
                    format!(", thinking ({} characters)", count(stream.reasoning as u64))
                } else {
                    String::new()
                };
                let name = stream.model.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{name} drafts, {}, {}B{thinking}", elapsed(stream.since.0), short_count(said as u64))
            }
            (Face::Artifact, _, Some(revision)) => {
                let by = match &revision.origin {
                    Origin::Model { model, .. } => model.to_string(),
                    Origin::Human { name } => {
                        // The address is in the record; here the room is for how much was read.
                        let name = name.split(" <").next().unwrap_or(name);
                        format!("{name}, by hand")
                    }
                };
                let stale = if stage.phase == Phase::Stale { ", stale" } else { "" };
                format!("revision {} by {by}{stale}", revision.ordinal)
            }
            (Face::Artifact, _, None) if stage.trouble.as_ref().is_some_and(is_text) => "as it came".to_owned(),
            _ => String::new(),
        },
    }
}

const fn is_text(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Malformed { .. } | Trouble::Patch { .. })
}

/// How far down a document one is, and how much of it was read.
fn position(model: &Model, pane: Pane) -> String {
    if pane == Pane::Critique {
        let Unread { seen, total } = model.unread_findings();
        let shown = model.is_live() && seen < total && model.live.critic.is_none();
        return if shown { format!("read {seen}/{total}  ") } else { String::new() };
    }
    let Some(sight) = model.sight(pane).filter(|sight| !sight.doc.is_empty()) else { return String::new() };
    let (_, to) = model.scroll(pane).visible(&sight);
    let all = sight.doc.len();
    let below = all.saturating_sub(to);
    let place = match below {
        0 => String::new(),
        _ if model.face() == Face::Draft && pane == model.wide_pane() => format!("{below} new "),
        _ => format!("{} % ", to * 100 / all.max(1)),
    };
    let unread = model.unread();
    if pane == model.wide_pane() && model.face() == Face::Artifact && unread.total > 0 {
        return format!("read {}/{}  {place}", unread.seen, unread.total);
    }
    place
}
