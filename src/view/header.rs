//! The top of the screen: where we are. Repository, loop, goal, and the stages with what became of each.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::paint::{bar, clip, span, width};
use super::{Scene, gates, panes};
use crate::app::layout::{Area, Form, Pane};
use crate::app::wrap;
use crate::domain::{Severity, StageIndex};
use crate::engine::{Loop, Phase, Status};
use crate::theme::{Scope, Sign, Theme};

/// The first row.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, area: Area) {
    let theme = scene.theme;
    let (muted, bold) = (theme.style(Scope::Muted), theme.style(Scope::PaneFocused));
    let base = theme.style(Scope::Text);
    let Some(one) = scene.model.current() else {
        let left = Line::from(vec![Span::styled(" windlass ", bold), span(&place(scene), muted)]);
        return bar(buf, area, &left, &Line::default(), base);
    };
    let stages = if scene.model.form == Form::Single { here(scene, one) } else { stages(scene, one) };
    let room = usize::from(area.width).saturating_sub(stages.width() + 1);
    let mut left: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    let mut add = |text: String, style, least: usize| {
        let room = room.saturating_sub(used);
        if room > least {
            let shown = wrap::clip(&text, room);
            used += width(&shown);
            left.push(Span::styled(shown, style));
        }
    };
    add(format!(" loop {} ", one.id), bold, 8);
    add(" ".to_owned(), base, 1);
    if scene.model.host.demo {
        add("demo, scripted models ".to_owned(), theme.style(Scope::StageAwaiting), 22);
    }
    if scene.model.host.reads_only {
        add("read only ".to_owned(), theme.style(Scope::StageAwaiting), 11);
    }
    if !scene.model.watchers.is_empty() {
        add(
            format!("watched by {} ", clip(&scene.model.watchers.join(", "), 40)),
            theme.style(Scope::StageAwaiting),
            16,
        );
    }
    if one.status != Status::Active {
        add(format!("{} ", one.status.name()), theme.style(Scope::StageAwaiting), 10);
    }
    add(format!("{}  ", clip(&one.goal, 200)), base, 12);
    add(place(scene), muted, 12);
    bar(buf, area, &Line::from(left), &stages, base);
}

fn place(scene: &Scene<'_>) -> String {
    let host = &scene.model.host;
    let branch = host.branch.as_ref().map_or_else(|| " (detached)".to_owned(), |branch| format!(" {branch}"));
    let dirty = if host.dirty.is_empty() { "" } else { "*" };
    clip(&format!("{}{branch}{dirty}", host.repository), 60)
}

/// Every stage with its sign; the one on view stands out.
fn stages(scene: &Scene<'_>, one: &Loop) -> Line<'static> {
    let shown = scene.model.stage_index();
    let mut spans = Vec::new();
    for (index, stage) in one.stages.iter().enumerate() {
        let (sign, scope) = stage_sign(scene.theme, one, index, stage.phase);
        let mut style = scene.theme.style(scope);
        if index == shown.0 {
            style = style.patch(scene.theme.style(Scope::TabActive));
        }
        spans.push(Span::styled(format!(" {sign}{}", clip(&stage.spec.id, 12)), style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

fn stage_sign(theme: &Theme, one: &Loop, index: usize, phase: Phase) -> (String, Scope) {
    let sign = |sign| format!("{} ", theme.sign(sign));
    match phase {
        Phase::Approved(_) => (sign(Sign::Good), Scope::StageApproved),
        Phase::Awaiting => (sign(Sign::Warn), Scope::StageAwaiting),
        Phase::Stale => ("~ ".to_owned(), Scope::PaneStale),
        _ if index == one.open.0 && one.status == Status::Abandoned => (sign(Sign::Bad), Scope::StageRejected),
        _ if phase.is_open() => (sign(Sign::Here), Scope::StageActive),
        _ => (String::new(), Scope::StagePending),
    }
}

/// One stage in words, where there is no room for all.
fn here(scene: &Scene<'_>, one: &Loop) -> Line<'static> {
    let index = scene.model.stage_index();
    let Some(stage) = one.stage(index) else { return Line::default() };
    let (sign, scope) = stage_sign(scene.theme, one, index.0, stage.phase);
    let text = format!("{}/{} {sign}{} ", index.number(), one.stages.len(), clip(&stage.spec.id, 12));
    Line::from(Span::styled(text, scene.theme.style(scope)))
}

/// The second row: tabs where one pane is shown, the constraint in a line where it has no pane.
pub(super) fn strip(scene: &Scene<'_>, buf: &mut Buffer, area: Area) {
    if scene.model.form == Form::Split {
        return constraint(scene, buf, area);
    }
    let theme = scene.theme;
    let mut spans = Vec::new();
    for pane in Pane::ALL {
        let active = pane == scene.model.focus;
        let style = theme.style(if active { Scope::TabActive } else { Scope::Tab });
        spans.push(Span::styled(format!(" {} {}", pane.number(), panes::name(scene.model, pane)), style));
        let (text, scope) = badge(scene, pane);
        spans.push(Span::styled(text, if active { style } else { theme.style(scope) }));
        spans.push(Span::styled(" ", style));
        spans.push(Span::raw(" "));
    }
    bar(buf, area, &Line::from(spans), &Line::default(), theme.style(Scope::Text));
}

/// What a pane out of sight has to tell.
fn badge(scene: &Scene<'_>, pane: Pane) -> (String, Scope) {
    let model = scene.model;
    let Some(stage) = model.stage() else { return (String::new(), Scope::Tab) };
    match pane {
        Pane::Constraint => {
            let approved = model.current().is_some_and(|one| {
                one.stage(StageIndex(0)).is_some_and(|first| matches!(first.phase, Phase::Approved(_)))
            });
            if approved {
                (format!(" {}", scene.theme.sign(Sign::Good)), Scope::StageApproved)
            } else {
                (String::new(), Scope::Tab)
            }
        }
        Pane::Plan => (String::new(), Scope::Tab),
        Pane::Critique => {
            let findings = stage.current_critique().map_or(&[][..], |critique| &critique.findings);
            let blockers = findings.iter().filter(|finding| finding.blocks()).count();
            let majors = findings.iter().filter(|finding| finding.severity == Severity::Major).count();
            match (blockers, findings.len()) {
                (0, 0) => (String::new(), Scope::Tab),
                (0, all) if majors > 0 => (format!(" {all}"), Scope::CritiqueMajor),
                (0, all) => (format!(" {all}"), Scope::Tab),
                (blockers, _) => (format!(" {blockers}{}", scene.theme.sign(Sign::Bad)), Scope::CritiqueBlocker),
            }
        }
        Pane::Gates => {
            let (good, all) = gates::tally(model);
            let failed = gates::failed(model);
            match all {
                0 => (String::new(), Scope::Tab),
                _ if failed > 0 => (format!(" {good}/{all}"), Scope::GateFail),
                _ if good == all => (format!(" {good}/{all}"), Scope::GatePass),
                _ => (format!(" {good}/{all}"), Scope::Tab),
            }
        }
    }
}

/// The constraint's own sentence.
fn constraint(scene: &Scene<'_>, buf: &mut Buffer, area: Area) {
    let theme = scene.theme;
    let sentence = scene
        .model
        .constraint
        .lines_from(0)
        .map(|(_, line)| line)
        .find(|line| !line.text.trim().is_empty() && line.kind != crate::app::doc::Kind::Heading);
    let left = match sentence {
        Some(line) => Line::from(vec![
            Span::styled(" 1 constraint ", theme.style(Scope::PaneTitle)),
            Span::raw(" "),
            Span::raw(clip(&line.text, usize::from(area.width).saturating_sub(16))),
        ]),
        None => Line::from(vec![
            Span::styled(" 1 constraint ", theme.style(Scope::PaneTitle)),
            Span::styled(" not agreed yet", theme.style(Scope::Muted)),
        ]),
    };
    bar(buf, area, &left, &Line::default(), theme.style(Scope::Text));
}
