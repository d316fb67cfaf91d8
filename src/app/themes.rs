//! Choosing a theme by looking at it: what is selected is shown at once, Esc takes it back, Enter keeps it.

use super::model::{Model, Notice};
use super::msg::Request;
use super::overlay::Overlay;
use super::picker::{Choice, Picker, Row};

/// A theme that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its name.
    pub name: String,
    /// What it is made for, and whose it is.
    pub about: String,
}

/// The picker of themes, the one in use selected.
pub(super) fn open(model: &mut Model) {
    let row = |theme: &Offered| Row {
        choice: Choice::Theme(theme.name.clone()),
        label: theme.name.clone(),
        detail: theme.about.clone(),
        disabled: None,
    };
    let mut picker = Picker::new("Themes: move to see one", model.host.themes.iter().map(row).collect());
    picker.selected = model.host.themes.iter().position(|theme| theme.name == model.host.theme).unwrap_or(0);
    model.overlays.push(Overlay::Pick(Box::new(picker)));
}

/// Shows what is selected, if it is themes that are picked.
pub(super) fn preview(model: &Model) -> Vec<Request> {
    let Some(Overlay::Pick(picker)) = model.overlays.last() else { return Vec::new() };
    match picker.matching().get(picker.selected).map(|row| &row.choice) {
        Some(Choice::Theme(name)) => vec![Request::ShowTheme(name.clone())],
        _ => Vec::new(),
    }
}

/// Goes back to the theme that was in use, if it is themes that were picked.
pub(super) fn restore(model: &Model, picker: &Picker) -> Vec<Request> {
    let themes = picker.rows().iter().any(|row| matches!(row.choice, Choice::Theme(_)));
    if themes { vec![Request::ShowTheme(model.host.theme.clone())] } else { Vec::new() }
}

/// Keeps a theme for as long as Windlass runs, and says how to keep it longer.
pub(super) fn keep(model: &mut Model, name: String) -> Vec<Request> {
    let file = model.host.config_file.as_deref().unwrap_or("your config.toml");
    let text = format!("{name} until you leave; to keep it: [ui] theme = {name:?} in {file}");
    model.notice = Some(Notice { text, is_error: false });
    model.host.theme.clone_from(&name);
    vec![Request::ShowTheme(name)]
}
