//! Which face the program shows: the screen, or lines for whom a screen is no help.

use crate::tui::{self, Left, Start, plain};

use super::failure::Failure;
use super::open::variable;

/// A face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    /// The screen.
    Screen,
    /// Lines; on a terminal that knows no control sequences at all, or on another one.
    Plain { is_dumb: bool },
}

/// Shows the face that suits the person and the terminal, until the person leaves.
pub(super) fn show(start: Start) -> Result<Left, Failure> {
    let settings = &start.settings;
    match choose(settings.config.access.plain, &variable) {
        Face::Screen => return Ok(tui::run(start)?),
        Face::Plain { is_dumb } => {
            let is_ascii = settings.theme.is_ascii();
            plain::run(start, plain::Terminal { is_ascii, is_dumb })?;
        }
    }
    Ok(Left::Done)
}

/// Whether the screen is shown, rather than lines.
pub(super) fn is_screen(plain: bool, env: &dyn Fn(&str) -> Option<String>) -> bool {
    choose(plain, env) == Face::Screen
}

fn choose(plain: bool, env: &dyn Fn(&str) -> Option<String>) -> Face {
    // A terminal that doesn't say what it is can't be drawn on.
    let is_dumb = env("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    let accessible = env("ACCESSIBLE").is_some_and(|value| !matches!(value.as_str(), "" | "0"));
    if plain || accessible || is_dumb { Face::Plain { is_dumb } } else { Face::Screen }
}

/// Whether the terminal shows nothing but ASCII, as far as the environment knows: a locale that isn't UTF-8, or a
/// terminal with few glyphs. Without a locale at all nothing is known, and most are UTF-8 today.
pub(super) fn shows_ascii_only(env: &dyn Fn(&str) -> Option<String>) -> bool {
    if env("TERM").is_some_and(|term| matches!(term.as_str(), "linux" | "dumb")) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| env(name)).find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(vars: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_terminal_and_the_person_decide() {
        let lines = |is_dumb| Face::Plain { is_dumb };
        for (vars, plain, expected, ascii) in [
            (&[("TERM", "xterm"), ("LANG", "de_DE.UTF-8")][..], false, Face::Screen, false),
            (&[("TERM", "xterm"), ("LANG", "C.utf8")], true, lines(false), false),
            (&[("TERM", "xterm"), ("ACCESSIBLE", "1"), ("LC_ALL", "C")], false, lines(false), true),
            (&[("TERM", "xterm"), ("ACCESSIBLE", "0"), ("LC_ALL", ""), ("LANG", "C")], false, Face::Screen, true),
            (&[("TERM", "linux"), ("LANG", "C.UTF-8")], false, Face::Screen, true),
            (&[("TERM", "dumb"), ("LANG", "C.UTF-8")], false, lines(true), true),
            (&[], false, lines(true), false),
        ] {
            assert_eq!(choose(plain, &environment(vars)), expected, "{vars:?}");
            assert_eq!(shows_ascii_only(&environment(vars)), ascii, "{vars:?}");
        }
    }
}
