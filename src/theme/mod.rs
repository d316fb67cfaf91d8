//! Themes: data files that give every scope its style, at the colour depth the terminal has.

mod base16;
mod colour;
mod contrast;
mod list;
mod read;
mod scope;
mod sign;
mod terminal;

#[cfg(test)]
mod tests;

use std::path::Path;

use ratatui::style::{Color, Style};

pub use self::base16::{Imported, import};
pub use self::colour::Depth;
use self::colour::{Colour, numbered};
pub use self::contrast::Poor;
pub use self::list::Listed;
use self::read::Layers;
pub use self::scope::Scope;
pub use self::sign::Sign;
pub use self::terminal::{Background, choose, depth};
use crate::config::{Library, Problem};

const BUILT_IN: &[(&str, &str)] = &[
    ("default-dark", include_str!("../../themes/default-dark.toml")),
    ("default-light", include_str!("../../themes/default-light.toml")),
    ("ansi", include_str!("../../themes/ansi.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
    ("catppuccin-mocha", include_str!("../../themes/catppuccin-mocha.toml")),
    ("catppuccin-latte", include_str!("../../themes/catppuccin-latte.toml")),
    ("cvd-dark", include_str!("../../themes/cvd-dark.toml")),
    ("cvd-light", include_str!("../../themes/cvd-light.toml")),
];

/// The background a theme is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Variant {
    Dark,
    Light,
    /// Whatever the terminal has.
    #[default]
    Any,
}

fn library(user_dir: Option<&Path>) -> Library<'_> {
    Library { what: "theme", built_in: BUILT_IN, fallback: "ansi", user_dir }
}

/// A theme at one colour depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    depth: Depth,
    variant: Variant,
    /// What is behind everything: the background of `ui.text`, and its foreground.
    ground: Style,
    /// In the order of [`Scope::ALL`].
    styles: Vec<Style>,
    syntax: &'static str,
    is_ascii: bool,
}

impl Theme {
    /// The theme of this name, the person's before the built-in one. Always gives a theme; what is wrong with the
    /// files is in the problems.
    pub fn load(name: &str, user_dir: Option<&Path>, depth: Depth) -> (Self, Vec<Problem>) {
        let (chain, mut problems) = library(user_dir).chain(name);
        let mut layers = Layers::default();
        for sheet in &chain {
            problems.extend(layers.read(sheet));
        }
        let (mut styles, unresolved) = layers.styles(depth);
        problems.extend(unresolved);
        let ground = styles.get(Scope::Text as usize).copied().unwrap_or_default();
        // Text stands on whatever is behind it: a popup, a selection, a changed line.
        if let Some(text) = styles.get_mut(Scope::Text as usize) {
            text.bg = None;
        }
        // With 16 colours a syntax theme made for more turns to mud; "ansi" is made of the terminal's own.
        let syntax = match depth {
            Depth::True | Depth::C256 => layers.syntax.map_or("ansi", |theme| theme.as_name()),
            Depth::C16 | Depth::Mono => "ansi",
        };
        let name = chain.last().map_or_else(|| name.to_owned(), |sheet| sheet.name.clone());
        (Self { name, depth, variant: layers.variant, ground, styles, syntax, is_ascii: false }, problems)
    }

    /// The name of the file in use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How this scope looks; what the theme leaves unset is the terminal's own.
    pub fn style(&self, scope: Scope) -> Style {
        self.styles.get(scope as usize).copied().unwrap_or_default()
    }

    /// What is behind everything; what it leaves unset is the terminal's own.
    pub fn ground(&self) -> Style {
        self.ground
    }

    /// The name of the two-face theme for code.
    pub fn syntax(&self) -> &str {
        self.syntax
    }

    /// A syntax theme's colour as this terminal shows it; none for the terminal's own. Alpha 0 and 1 are bat's way of
    /// writing "number `r` of the 16" and "the default".
    pub fn syntax_color(&self, [r, g, b, a]: [u8; 4]) -> Option<Color> {
        match a {
            _ if self.is_mono() => None,
            0 => numbered(r),
            1 => None,
            _ => Colour { rgb: Some([r, g, b]), ..Colour::default() }.at(self.depth),
        }
    }

    /// Whether it has no colour at all, so that signs and modifiers must carry everything.
    pub fn is_mono(&self) -> bool {
        self.styles.iter().all(|style| style.fg.is_none() && style.bg.is_none())
    }
}
