//! Help in front: every key, every sign, and what is wrong with the person's files.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::Scene;
use super::overlay::{field, keys, popup};
use super::paint::{below, line, lines, row, span};
use crate::app::action::{Action, Context};
use crate::app::layout::{Area, help_popup};
use crate::app::{Help, HelpKind};
use crate::theme::Scope;

/// Draws it and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, help: &Help) -> Option<(u16, u16)> {
    let theme = scene.theme;
    let foot = if help.typing {
        vec![("Enter".to_owned(), "done"), ("Esc".to_owned(), "all keys again")]
    } else {
        let actions = [
            (Action::ScrollDown, "down"),
            (Action::ScrollUp, "up"),
            (Action::SearchOpen, "filter"),
            (Action::Back, "close"),
        ];
        keys(scene, Context::List, actions)
    };
    let title = format!("Keys: {} (other keys: --keymap, or your own file)", scene.keymap.name());
    let inside = popup(scene, buf, help_popup(scene.model.size), &title, &foot);
    let muted = theme.style(Scope::Muted);
    let mut cursor = None;
    if let Some(top) = row(inside, 0) {
        if help.typing || help.is_filtered() {
            line(buf, top, &Line::styled("/ ", theme.style(Scope::FooterKey)));
            let entry = Area::new(top.x + 2, top.y, top.width.saturating_sub(2), 1);
            cursor = field(scene, buf, &help.filter, entry).filter(|_| help.typing);
        } else if let Some(key) = scene.key_in(&[Context::List], Action::SearchOpen) {
            line(buf, top, &span(&format!("{key} narrows this list down"), muted).into());
        }
    }
    let body = below(inside, 1);
    let all = help.lines(scene.model, usize::from(inside.width));
    if all.is_empty() {
        lines(buf, body, &[Line::styled("nothing matches", muted)]);
    }
    let from = help.scroll.min(all.len().saturating_sub(usize::from(body.height)));
    for (at, one) in all.iter().skip(from).enumerate() {
        let Some(place) = row(body, at) else { break };
        let (head, rest) = match one.kind {
            HelpKind::Heading => (Scope::MarkupHeading, Scope::MarkupHeading),
            HelpKind::Entry => (Scope::FooterKey, Scope::Text),
            HelpKind::Problem => (Scope::StageAwaiting, Scope::StageAwaiting),
        };
        let spans =
            vec![Span::styled(one.keys.clone(), theme.style(head)), Span::styled(one.text.clone(), theme.style(rest))];
        line(buf, place, &Line::from(spans));
    }
    cursor
}
