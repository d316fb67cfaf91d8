//! Drawing: the model as cells. Pure but for a memo of highlighted code; the same scene gives the same screen.
//!
//! Everything that comes from outside has been made visible before it gets here (documents), or is on its way into a cell
//! (`paint`). No borders: titles are bars and panes stand a column apart, so that nothing depends on how wide a terminal
//! draws a box.

mod casting;
mod critique;
mod document;
mod emphasis;
mod figures;
mod gates;
mod header;
mod overlay;
mod paint;
mod panes;
mod readings;
mod ready;
mod sheet;
mod status;
mod syntax;
#[cfg(test)]
mod tests;
mod welcome;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::text::Line;

use crate::app::Model;
use crate::app::action::{Action, Context};
use crate::app::layout::{Area, LEAST};
use crate::keymap::{Key, Keymap};
use crate::theme::{Scope, Theme};

pub use self::overlay::help_rows;
pub use self::syntax::{Grammar, Syntax};

/// Everything a screen is drawn from.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What there is to show.
    pub model: &'a Model,
    /// How it looks.
    pub theme: &'a Theme,
    /// Which keys do what.
    pub keymap: &'a Keymap,
    /// Colours for code.
    pub syntax: &'a Syntax,
    /// The keys that can follow the ones pressed so far, with what they do; empty when none were pressed.
    pub pending: &'a [(Key, String)],
}

/// Draws a scene over the whole of `buf`, and says where the terminal's cursor belongs.
pub fn draw(scene: &Scene<'_>, buf: &mut Buffer) -> Option<Position> {
    let (width, height) = (buf.area.width, buf.area.height);
    let whole = Area::new(0, 0, width, height);
    paint::fill(buf, whole, scene.theme.style(Scope::Text));
    let screen = scene.model.screen();
    let Some(header) = screen.header else {
        let (columns, rows) = LEAST;
        let lines = [format!("need {columns}x{rows}, have {width}x{height}"), "work goes on; make room".to_owned()];
        for (row, text) in (0..height).zip(lines) {
            paint::line(buf, Area::new(0, row, width, 1), &Line::raw(text));
        }
        return None;
    };
    header::draw(scene, buf, header);
    if let Some(area) = screen.strip {
        header::strip(scene, buf, area);
    }
    let mut cursor = None;
    for (pane, area) in &screen.panes {
        let place = panes::draw(scene, buf, *pane, *area);
        if *pane == scene.model.focus {
            cursor = place;
        }
    }
    if let Some(area) = screen.timeline {
        status::timeline(scene, buf, area);
    }
    if let Some(area) = screen.decision {
        status::decision(scene, buf, area, screen.timeline.is_none());
    }
    if let Some(area) = screen.footer {
        status::footer(scene, buf, area);
    }
    for overlay in &scene.model.overlays {
        cursor = overlay::draw(scene, buf, overlay);
    }
    if !scene.pending.is_empty() {
        overlay::which_key(scene, buf);
    }
    cursor.map(|(x, y)| Position { x, y })
}

impl Scene<'_> {
    /// The key to show for an action: the innermost context that has one.
    fn key(&self, action: Action) -> Option<String> {
        let mut contexts = self.model.contexts();
        // Hints about a pane's own actions stand outside of it too.
        contexts.extend([Context::Global, Context::Plan, Context::Critique, Context::Gates]);
        contexts.into_iter().find_map(|context| self.keymap.keys_for(context, action).into_iter().next())
    }
}
