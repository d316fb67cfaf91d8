//! Which face the program shows: the screen, or lines for whom a screen is no help.

use std::io::{IsTerminal, stdin, stdout};

use crate::tui::{self, Start, plain};

use super::arguments::Common;
use super::failure::Failure;
use super::open::variable;

/// A face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// The screen.
    Screen,
    /// Lines.
    Plain(plain::Terminal),
}

impl Face {
    /// The face for this terminal and these arguments; none if no human is at a terminal.
    pub(super) fn of(common: &Common) -> Option<Self> {
        (stdin().is_terminal() && stdout().is_terminal()).then(|| choose(common.plain(), common.is_ascii(), &variable))
    }

    /// Shows it until the person leaves.
    pub(super) fn show(self, start: Start) -> Result<(), Failure> {
        Ok(match self {
            Self::Screen => tui::run(start)?,
            Self::Plain(terminal) => plain::run(start, terminal)?,
        })
    }
}

fn choose(plain: bool, ascii: bool, env: &dyn Fn(&str) -> Option<String>) -> Face {
    // A terminal that doesn't say what it is can't be drawn on.
    let is_dumb = env("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    let accessible = env("ACCESSIBLE").is_some_and(|value| !matches!(value.as_str(), "" | "0"));
    if plain || accessible || is_dumb {
        Face::Plain(plain::Terminal { is_ascii: ascii || shows_ascii_only(env), is_dumb })
    } else {
        Face::Screen
    }
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
        let lines = |is_ascii, is_dumb| Face::Plain(plain::Terminal { is_ascii, is_dumb });
        for (vars, plain, expected) in [
            (&[("TERM", "xterm"), ("LANG", "de_DE.UTF-8")][..], false, Face::Screen),
            (&[("TERM", "xterm"), ("LANG", "C.UTF-8")], true, lines(false, false)),
            (
                &[("TERM", "xterm"), ("ACCESSIBLE", "1"), ("LC_ALL", "C"), ("LANG", "C.UTF-8")],
                false,
                lines(true, false),
            ),
            (&[("TERM", "xterm"), ("ACCESSIBLE", "0")], false, Face::Screen),
            (&[("TERM", "dumb"), ("LANG", "C.UTF-8")], false, lines(true, true)),
            (&[], false, lines(false, true)),
        ] {
            assert_eq!(choose(plain, false, &environment(vars)), expected, "{vars:?}");
        }
    }
}
