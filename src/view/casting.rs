//! The choice of the models: what was found, what was chosen, how they answered, and the list of this step.

use ratatui::buffer::Buffer;
use ratatui::text::Line;

use super::Scene;
use super::overlay::{choices, popup};
use super::paint::{below, lines, wrapped};
use crate::app::{Casting, Step};
use crate::theme::Scope;

/// Draws it, and says where its cursor is.
pub(super) fn draw(scene: &Scene<'_>, buf: &mut Buffer, casting: &Casting) -> Option<(u16, u16)> {
    let (_, height) = scene.model.size;
    let keys = [("Enter", "take"), ("Up Down", "choose"), ("Esc", "leave, nothing is written")];
    let keys: Vec<(String, &str)> = keys.map(|(key, what)| (key.to_owned(), what)).into();
    let inside = popup(scene, buf, (96, height.saturating_sub(2).clamp(8, 30)), casting.picker.title, &keys);
    let width = usize::from(inside.width);
    let style = |scope| scene.theme.style(scope);
    let mut above: Vec<Line<'static>> = Vec::new();
    // How they answered names them too.
    for (role, one) in casting.chosen().into_iter().filter(|_| casting.tried.is_empty()) {
        above.extend(wrapped(&format!("{}: {}", role.name(), one.model), width, 2, style(Scope::MarkupHeading)));
    }
    for tried in &casting.tried {
        let (text, scope) = match &tried.result {
            Ok(how) => (format!("✓ {} {how}", tried.model), Scope::GatePass),
            Err(why) => (format!("✗ {}: {why}", tried.model), Scope::GateFail),
        };
        above.extend(wrapped(&text, width, 2, style(scope)));
    }
    if matches!(casting.step, Step::Nothing | Step::Author) {
        for note in &casting.found.notes {
            above.extend(wrapped(note, width, 2, style(Scope::Muted)));
        }
    }
    // The list comes first where there is little room.
    above.truncate(usize::from(inside.height).saturating_sub(4));
    if let Some(notice) = &scene.model.notice {
        let scope = if notice.is_error { Scope::DecisionDanger } else { Scope::Text };
        above.extend(wrapped(&notice.text, width, 0, style(scope)).into_iter().take(2));
    }
    lines(buf, inside, &above);
    let rest = below(inside, u16::try_from(above.len()).unwrap_or(0));
    let empty = match casting.step {
        Step::Looking => "looking at the environment, at this machine's ports and at PATH",
        Step::Trying => "asking each one small question",
        _ => "nothing matches; Enter takes what you typed, as provider/model",
    };
    choices(scene, buf, &casting.picker, rest, empty)
}
