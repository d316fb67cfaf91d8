//! Importing a base16 scheme: sixteen colours of known meaning become a theme file of ours.
//!
//! The meanings: <https://github.com/tinted-theming/home/blob/main/styling.md> (08 deleted, 0B inserted, 0E changed).

use super::colour::hex;
use super::contrast::{contrast, luminance};
use crate::config::{Place, Problem};

/// How many colours there are.
const COLOURS: usize = 16;

/// A scheme as its file writes it.
#[derive(Debug, Default)]
struct Scheme {
    name: Option<String>,
    author: Option<String>,
    is_light: Option<bool>,
    colours: [Option<[u8; 3]>; COLOURS],
}

/// A theme file made of a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// A name for it that can be a file's.
    pub name: String,
    /// The text of the file.
    pub text: String,
}

/// Makes a theme of the text of a base16 file; `file` is how messages name it.
///
/// # Errors
/// What is wrong with the file, line by line.
pub fn import(file: &str, text: &str) -> Result<Imported, Vec<Problem>> {
    let mut scheme = Scheme::default();
    let mut problems = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let place = Place { source: file.to_owned(), at: Some((number, 1)) };
        if let Err(wrong) = scheme.read(line) {
            problems.push(place.problem(wrong));
        }
    }
    let missing = scheme.colours.iter().zip(0..).filter(|(colour, _)| colour.is_none());
    let missing: Vec<String> = missing.map(|(_, number): (_, u8)| format!("base{number:02X}")).collect();
    if !missing.is_empty() && problems.is_empty() {
        let what = format!("no colour for {}; a base16 file has base00 to base0F", missing.join(", "));
        problems.push(Place::of(file).problem(what));
    }
    let mut colours = [[0; 3]; COLOURS];
    for (to, from) in colours.iter_mut().zip(scheme.colours) {
        *to = from.unwrap_or_default();
    }
    if problems.is_empty() { Ok(scheme.theme(colours)) } else { Err(problems) }
}

impl Scheme {
    /// One line: `key: value`, in the old flat form or the new one with a `palette:`.
    fn read(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("---") {
            return Ok(());
        }
        let Some((key, value)) = line.split_once(':') else {
            return Err("this line is not \"key: value\"; is it a base16 file?".to_owned());
        };
        let (key, value) = (key.trim().trim_matches(['"', '\'']), scalar(value));
        match key {
            "scheme" | "name" => self.name = Some(value.to_owned()),
            "author" => self.author = Some(value.to_owned()),
            "variant" => match value {
                "dark" | "light" => self.is_light = Some(value == "light"),
                _ => return Err(format!("unknown variant {value:?}; write dark or light")),
            },
            _ => {
                let number = key.strip_prefix("base").filter(|digits| digits.len() == 2);
                let slot = number.and_then(|digits| usize::from_str_radix(digits, 16).ok());
                if let Some(slot) = slot.and_then(|number| self.colours.get_mut(number)) {
                    let rgb = hex(&format!("#{}", value.trim_start_matches('#')));
                    *slot =
                        Some(rgb.ok_or_else(|| format!("{value:?} is not a colour; write six digits: \"rrggbb\""))?);
                }
            }
        }
        Ok(())
    }

    fn theme(&self, colours: [[u8; 3]; COLOURS]) -> Imported {
        let [ground, bar, selection, comment, dim, text, .., red, orange, yellow, green, cyan, blue, purple, _] =
            colours;
        let name = slug(self.name.as_deref().unwrap_or("imported"));
        let is_light = self.is_light.unwrap_or_else(|| luminance(ground) > luminance(text));
        let muted = [comment, dim].into_iter().find(|rgb| contrast(*rgb, ground) >= 4.5).unwrap_or(text);
        let tinted = |rgb: [u8; 3], tenths: u16| {
            let mut mixed = ground;
            for (to, from) in mixed.iter_mut().zip(rgb) {
                let sum = u16::from(*to) * (10 - tenths) + u16::from(from) * tenths;
                *to = u8::try_from(sum / 10).unwrap_or(u8::MAX);
            }
            mixed
        };
        let title = |text: &Option<String>| text.as_deref().unwrap_or("unknown").replace(char::is_control, " ");
        let mut file = format!(
            "# Imported from the base16 scheme {:?} by {:?}. Its licence is its author's.\nschema = 1\nname = {name:?}\n\
             inherits = \"default-dark\"\nvariant = \"{}\"\nsyntax = \"{}\"\n\n[palette]\n",
            title(&self.name),
            title(&self.author),
            if is_light { "light" } else { "dark" },
            if is_light { "OneHalfLight" } else { "OneHalfDark" },
        );
        for (name, [r, g, b]) in [
            ("background", ground),
            ("text", text),
            ("muted", muted),
            ("accent", blue),
            ("green", green),
            ("red", red),
            ("orange", orange),
            ("yellow", yellow),
            ("purple", purple),
            ("cyan", cyan),
            ("selection", selection),
            ("bar", bar),
            ("bar_focused", selection),
            ("bar_text", text),
            ("popup", bar),
            ("banner", bar),
            ("plus", tinted(green, 1)),
            ("plus_emph", tinted(green, 2)),
            ("minus", tinted(red, 1)),
            ("minus_emph", tinted(red, 2)),
            ("moved", tinted(purple, 1)),
            ("moved_emph", tinted(purple, 2)),
        ] {
            file.push_str(&format!("{name} = \"#{r:02x}{g:02x}{b:02x}\"\n"));
        }
        file.push_str("\n[scopes]\n\"ui.text\" = { fg = \"text\", bg = \"background\" }\n");
        file.push_str("\"ui.popup\" = { fg = \"text\", bg = \"popup\" }\n\"hunk.changed\" = \"purple\"\n");
        Imported { name, text: file }
    }
}

/// A YAML scalar of one line, without its quotes or the comment behind it.
fn scalar(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    value.split(" #").next().unwrap_or(value).trim()
}

/// A name as files have it.
fn slug(name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "imported".to_owned() } else { words.join("-") }
}
