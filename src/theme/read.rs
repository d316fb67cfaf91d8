//! Reading theme files over each other: palettes and scopes merge by name, names become colours only at the end.

use std::collections::BTreeMap;

use ratatui::style::{Modifier, Style};
use toml::de::DeValue;
use two_face::theme::{EmbeddedLazyThemeSet, EmbeddedThemeName};

use super::Variant;
use super::colour::{Colour, Depth, hex, named, names};
use super::scope::{Scope, ancestry};
use crate::config::{Document, Fields, Located, Place, Problem, Sheet, kind, nearest, suggestion};

const MODIFIERS: [(&str, Modifier); 6] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
    ("crossed-out", Modifier::CROSSED_OUT),
];

/// The background a theme is made for.
const VARIANTS: [(&str, Variant); 3] = [("dark", Variant::Dark), ("light", Variant::Light), ("any", Variant::Any)];

/// A colour of a scope: given on the spot, or the name of one in the palette.
#[derive(Debug, Clone)]
enum Paint {
    Colour(Colour),
    Named(String, Place),
}

#[derive(Debug, Clone, Default)]
struct Look {
    fg: Option<Paint>,
    bg: Option<Paint>,
    mods: Modifier,
}

/// The theme files read so far.
#[derive(Debug, Default)]
pub(super) struct Layers {
    palette: BTreeMap<String, Colour>,
    scopes: BTreeMap<String, Look>,
    /// The background it is made for.
    pub(super) variant: Variant,
    /// The syntax theme.
    pub(super) syntax: Option<EmbeddedThemeName>,
}

impl Layers {
    /// Lays one file over what is there.
    pub(super) fn read(&mut self, sheet: &Sheet) -> Vec<Problem> {
        let doc = Document::new(sheet.file.as_str(), &sheet.text);
        if let Some(table) = doc.parse() {
            let top = Fields::top(&doc, &table);
            top.only(&["schema", "name", "inherits", "variant", "license", "syntax", "palette", "scopes"]);
            if top.require("schema") {
                top.number("schema", 1..=1);
            }
            for key in ["name", "license"] {
                top.text(key);
            }
            if let Some(Located { value, offset }) = top.text("variant") {
                match VARIANTS.iter().find(|(name, _)| *name == value) {
                    Some((_, variant)) => self.variant = *variant,
                    None => {
                        let hint = suggestion(&value, VARIANTS.map(|(name, _)| name));
                        doc.problem(offset, format!("unknown variant {value:?}; {hint}"));
                    }
                }
            }
            self.syntax = top.text("syntax").and_then(|name| syntax(&doc, &name)).or(self.syntax);
            self.read_palette(&top);
            self.read_scopes(&top);
        }
        doc.into_problems()
    }

    /// The style of every scope at this depth, in the order of [`Scope::ALL`].
    pub(super) fn styles(&self, depth: Depth) -> (Vec<Style>, Vec<Problem>) {
        let mut problems = Vec::new();
        let looks: BTreeMap<&str, Style> = self
            .scopes
            .iter()
            .map(|(name, look)| {
                let mut style = Style::new().add_modifier(look.mods);
                style.fg = self.colour(look.fg.as_ref(), &mut problems).and_then(|colour| colour.at(depth));
                style.bg = self.colour(look.bg.as_ref(), &mut problems).and_then(|colour| colour.at(depth));
                (name.as_str(), style)
            })
            .collect();
        let style =
            |scope: &Scope| ancestry(scope.name()).find_map(|name| looks.get(name).copied()).unwrap_or_default();
        (Scope::ALL.iter().map(style).collect(), problems)
    }

    fn colour(&self, paint: Option<&Paint>, problems: &mut Vec<Problem>) -> Option<Colour> {
        match paint? {
            Paint::Colour(colour) => Some(*colour),
            // The palette may give the 16 names other colours.
            Paint::Named(name, place) => self.palette.get(name).copied().or_else(|| ansi(name)).or_else(|| {
                let hint = suggestion(name, self.palette.keys().map(String::as_str).chain(names()));
                problems.push(place.problem(format!("unknown colour {name:?}; {hint}")));
                None
            }),
        }
    }

    fn read_palette(&mut self, top: &Fields<'_, '_>) {
        let Some(palette) = top.table("palette") else { return };
        for Located { value: name, .. } in palette.keys() {
            let colour = match paint(&palette, name) {
                Some(Paint::Colour(colour)) => Some(colour),
                Some(Paint::Named(other, place)) => ansi(&other).or_else(|| {
                    let known = names().collect::<Vec<_>>().join(", ");
                    let message = format!("{other:?} is not a colour; write \"#rrggbb\" or one of {known}");
                    top.document().push(place.problem(message));
                    None
                }),
                None => None,
            };
            if let Some(colour) = colour {
                self.palette.insert(name.to_owned(), colour);
            }
        }
    }

    fn read_scopes(&mut self, top: &Fields<'_, '_>) {
        let Some(scopes) = top.table("scopes") else { return };
        for Located { value: name, offset } in scopes.keys() {
            let known = || Scope::ALL.iter().flat_map(|scope| ancestry(scope.name()));
            if !known().any(|scope| scope == name) {
                let near = nearest(name, known());
                let hint = near.map_or("themes/default-dark.toml has all of them".to_owned(), |near| {
                    format!("did you mean {near:?}?")
                });
                top.document().problem(offset, format!("unknown scope {name:?}; {hint}"));
                continue;
            }
            // A string alone is a foreground.
            let is_table = scopes.value(name).is_some_and(|value| value.value.is_table());
            let look = if is_table {
                scopes.table(name).map(|table| look(&table))
            } else {
                paint(&scopes, name).map(|fg| Look { fg: Some(fg), ..Look::default() })
            };
            if let Some(look) = look {
                self.scopes.insert(name.to_owned(), look);
            }
        }
    }
}

fn syntax(doc: &Document<'_>, name: &Located<String>) -> Option<EmbeddedThemeName> {
    let known = EmbeddedLazyThemeSet::theme_names();
    let found = known.iter().copied().find(|theme| theme.as_name() == name.value);
    if found.is_none() {
        let hint = suggestion(&name.value, known.iter().map(|theme| theme.as_name()));
        doc.problem(name.offset, format!("unknown syntax theme {:?}; {hint}", name.value));
    }
    found
}

fn look(table: &Fields<'_, '_>) -> Look {
    table.only(&["fg", "bg", "mods"]);
    let mut mods = Modifier::empty();
    for Located { value: name, offset } in table.texts("mods").map(|list| list.value).unwrap_or_default() {
        match MODIFIERS.iter().find(|(modifier, _)| *modifier == name) {
            Some((_, modifier)) => mods |= *modifier,
            None => {
                let hint = suggestion(&name, MODIFIERS.map(|(name, _)| name));
                table.document().problem(offset, format!("unknown modifier {name:?}; {hint}"));
            }
        }
    }
    Look { fg: paint(table, "fg"), bg: paint(table, "bg"), mods }
}

/// The colour under `key`: a name, `#rrggbb`, or a table of what to use at each depth.
fn paint(table: &Fields<'_, '_>, key: &str) -> Option<Paint> {
    let Located { value, offset } = table.value(key)?;
    let doc = table.document();
    match value {
        DeValue::String(text) if text.starts_with('#') => rgb(doc, text, offset).map(|rgb| Paint::Colour(deep(rgb))),
        DeValue::String(text) => Some(Paint::Named(text.to_string(), doc.place(offset))),
        DeValue::Table(_) => depths(&table.table(key)?).map(Paint::Colour),
        other => {
            let wanted = "must be a colour: a name, \"#rrggbb\" or { rgb, c256, c16 }";
            doc.problem(offset, format!("{key:?}{} {wanted}, not {}", table.within(), kind(other)));
            None
        }
    }
}

fn depths(table: &Fields<'_, '_>) -> Option<Colour> {
    table.only(&["rgb", "c256", "c16"]);
    let doc = table.document();
    let rgb = table.text("rgb").and_then(|text| rgb(doc, &text.value, text.offset));
    let c16 = table.text("c16").and_then(|text| {
        let color = named(&text.value);
        if color.is_none() {
            doc.problem(text.offset, format!("unknown colour {:?}; {}", text.value, suggestion(&text.value, names())));
        }
        color
    });
    let c256 = table.number("c256", 0..=255).and_then(|index| u8::try_from(index).ok());
    let colour = Colour { rgb, c256, c16 };
    (colour != Colour::default()).then_some(colour)
}

fn rgb(doc: &Document<'_>, text: &str, offset: usize) -> Option<[u8; 3]> {
    let rgb = hex(text);
    if rgb.is_none() {
        doc.problem(offset, format!("{text:?} is not a colour; write six digits: \"#rrggbb\""));
    }
    rgb
}

fn deep(rgb: [u8; 3]) -> Colour {
    Colour { rgb: Some(rgb), ..Colour::default() }
}

fn ansi(name: &str) -> Option<Colour> {
    named(name).map(|color| Colour { c16: Some(color), ..Colour::default() })
}
