//! The terminal: colours, size, letters, and whether it draws a frame at once.

use std::io::{self, Read, Write};

use nix::sys::termios::{SetArg, SpecialCharacterIndices, cfmakeraw, tcgetattr, tcsetattr};

use super::super::open::variable;
use super::super::terminal;
use super::Check;
use crate::theme::{self, Depth};
use crate::tui;

const ABOUT: &str = "terminal";

/// Asks whether updates can be synchronized (mode 2026), and then what every terminal answers (DA1), so that the wait
/// for the first ends where there is no answer to it.
const QUESTION: &[u8] = b"\x1b[?2026$p\x1b[c";

/// What the environment says, and the terminal itself where there is one.
pub(super) fn checks() -> Vec<Check> {
    let said = |name: &str| variable(name).map_or_else(|| format!("{name} unset"), |value| format!("{name}={value}"));
    let names = format!("{}, {}", said("TERM"), said("COLORTERM"));
    let depth = theme::depth(&variable, false);
    let mut checks = vec![match depth {
        Depth::True => Check::ok(ABOUT, format!("24-bit colours ({names})")),
        Depth::C256 => Check::ok(ABOUT, format!("256 colours ({names}); if it has more: export COLORTERM=truecolor")),
        Depth::C16 => {
            Check::warning(ABOUT, format!("16 colours ({names})"), "if it has more: export TERM=xterm-256color")
        }
        Depth::Mono if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) => {
            Check::ok(ABOUT, "no colours, as NO_COLOR asks: bold and reverse are used")
        }
        Depth::Mono => Check::warning(
            ABOUT,
            format!("no colours, and no screen ({names})"),
            "run it in a terminal whose TERM is not dumb; the listings work everywhere",
        ),
    }];
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    let is_utf8 = |locale: &str| {
        let locale = locale.to_lowercase();
        locale.ends_with("utf-8") || locale.ends_with("utf8")
    };
    checks.push(match locale {
        Some(locale) if is_utf8(&locale) => Check::ok(ABOUT, format!("Unicode (locale {locale})")),
        other => Check::warning(
            ABOUT,
            format!("the locale is {}, so signs such as ✓ may not show", other.as_deref().unwrap_or("unset")),
            "export LANG=C.UTF-8",
        ),
    });
    if !terminal::can_ask() {
        checks.push(Check::ok(ABOUT, "not looked at further: standard input or output is not a terminal"));
        return checks;
    }
    checks.push(match tui::size() {
        Ok((columns, rows)) if columns >= 40 && rows >= 10 => Check::ok(ABOUT, format!("{columns}x{rows}")),
        Ok((columns, rows)) => {
            Check::wrong(ABOUT, format!("{columns}x{rows} is too small for the screen"), "make it 40x10 or larger")
        }
        Err(error) => Check::wrong(ABOUT, format!("its size is unknown: {error}"), "run it in another terminal"),
    });
    checks.push(match answer() {
        Ok(answer) => synchronized(&answer),
        Err(error) => Check::warning(ABOUT, format!("it can't be asked anything: {error}"), "the screen may flicker"),
    });
    checks
}

/// What an answer says of synchronized updates: 1 to 3 are on, off for now, and always on; 0 and 4 are never.
fn synchronized(answer: &str) -> Check {
    let state = answer.split_once("?2026;").and_then(|(_, rest)| rest.chars().next());
    match state {
        Some('1'..='3') => Check::ok(ABOUT, "frames are drawn at once (synchronized output)"),
        _ => Check::ok(ABOUT, "no synchronized output: a frame may be seen half drawn; tmux has it since 3.7"),
    }
}

/// What the terminal answers within a third of a second.
fn answer() -> io::Result<String> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut raw = before.clone();
    cfmakeraw(&mut raw);
    // A read gives what has come, or ends after three tenths of a second.
    for (index, value) in [(SpecialCharacterIndices::VMIN, 0), (SpecialCharacterIndices::VTIME, 3)] {
        if let Some(place) = raw.control_chars.get_mut(index as usize) {
            *place = value;
        }
    }
    tcsetattr(&stdin, SetArg::TCSAFLUSH, &raw)?;
    let answer = exchange();
    // Whatever came of it, the terminal is as it was.
    tcsetattr(&stdin, SetArg::TCSAFLUSH, &before)?;
    answer
}

fn exchange() -> io::Result<String> {
    let mut stdout = io::stdout();
    stdout.write_all(QUESTION)?;
    stdout.flush()?;
    let (mut all, mut buffer) = (Vec::new(), [0; 64]);
    let mut stdin = io::stdin().lock();
    while !all.ends_with(b"c") && all.len() < 1024 {
        match stdin.read(&mut buffer)? {
            0 => break,
            length => all.extend_from_slice(buffer.get(..length).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&all).into_owned())
}

#[cfg(test)]
mod tests {
    use super::synchronized;

    #[test]
    fn the_terminals_answer_is_read() {
        for (answer, has) in [
            ("\x1b[?2026;2$y\x1b[?62;22c", true),
            ("\x1b[?2026;1$y\x1b[?62c", true),
            ("\x1b[?2026;0$y\x1b[?62c", false),
            ("\x1b[?1;2c", false),
            ("", false),
        ] {
            assert_eq!(synchronized(answer).says.starts_with("frames are drawn at once"), has, "{answer:?}");
        }
    }
}
