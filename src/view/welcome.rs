//! The first screen: what Windlass does, what is configured, and the next key.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::Scene;
use super::paint::{lines, span, wrapped};
use crate::app::action::Action;
use crate::app::layout::Area;
use crate::theme::Scope;

/// Draws it.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, area: Area) -> Option<(u16, u16)> {
    let theme = scene.theme;
    let host = &scene.model.host;
    let width = usize::from(area.width).min(90);
    let (text, muted, key) = (theme.style(Scope::Text), theme.style(Scope::Muted), theme.style(Scope::FooterKey));
    let mut all = vec![Line::default()];
    let intro = "One constraint, one small change, one stage open, one human decision.";
    all.extend(wrapped(intro, width, 0, theme.style(Scope::MarkupHeading)));
    all.push(Line::default());
    if host.demo {
        let demo = "This is the demo: a small repository in a temporary directory. The two models are scripted; the gates, \
                    the measurements and the commit are real.";
        all.extend(wrapped(demo, width, 0, text));
        all.push(Line::default());
    }
    let name = |model: &Option<crate::domain::ModelId>, none: &str| {
        model.as_ref().map_or_else(|| none.to_owned(), ToString::to_string)
    };
    let mut row = |label: &str, value: String| {
        let mut rows = wrapped(&value, width.saturating_sub(9), 0, text).into_iter();
        if let Some(mut first) = rows.next() {
            first.spans.insert(0, Span::styled(format!("{label:<9}"), muted));
            all.push(first);
        }
        all.extend(rows.map(|mut line| {
            line.spans.insert(0, Span::raw(" ".repeat(9)));
            line
        }));
    };
    row("author", name(&host.setup.author, "not configured"));
    if let Some(author) = &host.setup.change_author {
        row("changes", format!("made by {author}"));
    }
    row("critic", name(&host.setup.critic, "not configured"));
    let gates: Vec<&str> = host.setup.gates.iter().map(|gate| gate.name.as_str()).collect();
    row("gates", if gates.is_empty() { "built-in ones only".to_owned() } else { gates.join(", ") });
    if !host.dirty.is_empty() {
        row("checkout", format!("{} changed: a loop starts from HEAD and leaves them alone", host.dirty.len()));
    }
    all.push(Line::default());
    for line in &host.warnings {
        all.extend(wrapped(&format!("⚠ {line}"), width, 2, theme.style(Scope::StageAwaiting)));
    }
    for line in &host.advice {
        all.extend(wrapped(line, width, 2, text));
    }
    if !host.advice.is_empty() || !host.warnings.is_empty() {
        all.push(Line::default());
    }
    for (action, what) in [
        (Action::LoopNew, "begins a loop"),
        (Action::RolesOpen, "chooses who drafts and who objects"),
        (Action::HelpOpen, "shows every key"),
        (Action::Quit, "leaves"),
    ] {
        if let Some(keys) = scene.key(action) {
            all.push(Line::from(vec![span(&format!("{keys:<9}"), key), Span::styled(what, text)]));
        }
    }
    lines(buf, area, &all);
    None
}
