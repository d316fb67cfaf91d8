//! Whether the terminal's background is light: asked once, before any key is read.
//!
//! The question about the background is followed by one that every terminal answers (DA1), so that silence is told from
//! slowness. tmux answers OSC 11 with what some other client once said, so there it is asked for the colour scheme only.

use std::io::{self, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;

use crate::theme::Background;

/// How long a terminal may take that never answers.
const PATIENCE: Duration = Duration::from_millis(250);

const DEVICE: &str = "\x1b[c";
const COLOUR: &str = "\x1b]11;?\x1b\\";
const SCHEME: &str = "\x1b[?996n";

/// Asks the terminal for its background; none if it doesn't say. Keys typed meanwhile are lost.
///
/// # Errors
/// If the terminal can't be asked at all.
pub fn background(in_tmux: bool) -> io::Result<Option<Background>> {
    enable_raw_mode()?;
    let answer = ask(if in_tmux { SCHEME } else { COLOUR });
    disable_raw_mode()?;
    answer.map(|bytes| told(&String::from_utf8_lossy(&bytes)))
}

fn ask(question: &str) -> io::Result<Vec<u8>> {
    let (mut out, keyboard) = (stdout(), stdin());
    out.write_all(format!("{question}{DEVICE}").as_bytes())?;
    out.flush()?;
    let deadline = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    let mut buf = [0; 256];
    while !is_whole(&answer) {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(keyboard.as_fd(), PollFlags::POLLIN)];
        let wait = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        match poll(&mut fds, wait) {
            Ok(0) => break,
            Ok(_) => {}
            Err(nix::Error::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        // Not through the buffered reader of the standard library: what comes later belongs to whoever reads keys.
        let count = read(keyboard.as_fd(), &mut buf)?;
        answer.extend_from_slice(buf.get(..count).unwrap_or_default());
        if count == 0 {
            break;
        }
    }
    Ok(answer)
}

/// Whether the answer to the last question, `ESC [ ? 6 2 ; .. c`, is there.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    text.split("\x1b[?").skip(1).any(|reply| {
        let end = reply.find(|c: char| !c.is_ascii_digit() && c != ';');
        end.is_some_and(|end| reply.get(end..).is_some_and(|rest| rest.starts_with('c')))
    })
}

/// What the answers say.
fn told(answer: &str) -> Option<Background> {
    if answer.contains("\x1b[?997;1n") {
        return Some(Background::Dark);
    }
    if answer.contains("\x1b[?997;2n") {
        return Some(Background::Light);
    }
    let colour = answer.split("\x1b]11;").nth(1)?.split(['\x07', '\x1b']).next()?;
    let channels = colour.strip_prefix("rgba:").or_else(|| colour.strip_prefix("rgb:"))?;
    let mut rgb = [0; 3];
    let mut parts = channels.split('/');
    for channel in &mut rgb {
        *channel = scaled(parts.next()?)?;
    }
    Some(Background::of(rgb))
}

/// One to four hexadecimal digits as a byte.
fn scaled(digits: &str) -> Option<u8> {
    let most = (1_u32 << (4 * u32::try_from(digits.len()).ok().filter(|length| (1..=4).contains(length))?)) - 1;
    let value = u32::from_str_radix(digits, 16).ok()?;
    u8::try_from(value * 255 / most).ok()
}

/// Swallows an answer that came too late, when it looks like keys: `M-] 1 1 ; r g b : ..` up to its end. No binding can
/// begin so.
#[derive(Debug, Default)]
pub(super) struct Late {
    inside: bool,
}

impl Late {
    /// Whether this key is part of a late answer.
    pub(super) fn swallows(&mut self, key: &KeyEvent) -> bool {
        let (alt, control) = (key.modifiers == KeyModifiers::ALT, key.modifiers == KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char(']') if alt => self.inside = true,
            _ if !self.inside => return false,
            KeyCode::Char('g') if control => self.inside = false,
            KeyCode::Char('\\') if alt => self.inside = false,
            KeyCode::Char('0'..='9' | 'a'..='f' | 'A'..='F' | 'r' | 'g' | ':' | ';' | '/')
                if key.modifiers.is_empty() => {}
            _ => {
                self.inside = false;
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood() {
        use Background::{Dark, Light};
        for (answer, background) in [
            ("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?62;22c", Some(Dark)),
            ("\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?1;2c", Some(Light)),
            ("\x1b]11;rgba:ef/f1/f5/ff\x07\x1b[?6c", Some(Light)),
            ("\x1b[?997;1n\x1b[?1;2;4c", Some(Dark)),
            ("\x1b[?997;2n\x1b[?1;2;4c", Some(Light)),
            ("jjj\x1b]11;rgb:0/0/0\x07\x1b[?6c", Some(Dark)),
            ("\x1b[?1;2c", None),
            ("\x1b]11;rgb:zz/0/0\x07\x1b[?6c", None),
            ("\x1b]11;rgb:00000/0/0\x07\x1b[?6c", None),
        ] {
            assert_eq!((told(answer), is_whole(answer.as_bytes())), (background, true), "{answer:?}");
        }
        for part in ["", "\x1b[?62;2", "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1b[?997;1n", "c"] {
            assert!(!is_whole(part.as_bytes()), "{part:?}");
        }
    }

    #[test]
    fn a_late_answer_is_no_keys() {
        let mut late = Late::default();
        let plain = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
        assert!(!late.swallows(&plain('1')));
        assert!(late.swallows(&KeyEvent::new(KeyCode::Char(']'), KeyModifiers::ALT)));
        assert!("11;rgb:1e1e/1e1e/2e2e".chars().all(|c| late.swallows(&plain(c))));
        assert!(late.swallows(&KeyEvent::new(KeyCode::Char('\\'), KeyModifiers::ALT)));
        assert!(!late.swallows(&plain('1')));
        // Somebody who types M-] gets the next key of their own back.
        assert!(late.swallows(&KeyEvent::new(KeyCode::Char(']'), KeyModifiers::ALT)));
        assert!(!late.swallows(&plain('j')) && !late.swallows(&plain('1')));
    }
}
