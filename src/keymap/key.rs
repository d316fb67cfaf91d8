//! One key: its name in key files, and the same key as a terminal reports it.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key with its modifiers, in the one form in which equal keys are equal: letters carry their case instead of Shift,
/// and what a terminal can't tell apart (`C-i` and `Tab`) is the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    mods: KeyModifiers,
}

const NAMED: [(&str, KeyCode); 16] = [
    ("Tab", KeyCode::Tab),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("F1", KeyCode::F(1)),
];

/// Control keys that reach a program as another key, in the encoding every terminal speaks.
const SAME_BYTE: [(char, KeyCode); 4] =
    [('i', KeyCode::Tab), ('m', KeyCode::Enter), ('[', KeyCode::Esc), ('h', KeyCode::Backspace)];

impl Key {
    /// The key of an event; none for a release and for keys that can't be bound (modifiers alone, media keys).
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        let bindable = matches!(event.code, KeyCode::Char(_) | KeyCode::F(_) | KeyCode::BackTab)
            || NAMED.iter().any(|(_, code)| *code == event.code);
        (bindable && event.kind != KeyEventKind::Release).then(|| Self::normal(event.code, event.modifiers))
    }

    /// The key of this name: `j`, `G`, `C-d`, `M-v`, `S-Tab`, `Space`, `F5`.
    ///
    /// # Errors
    /// What is wrong with the name, and what to write instead.
    pub fn parse(name: &str) -> Result<Self, String> {
        let (mut rest, mut mods) = (name, KeyModifiers::NONE);
        while let Some((modifier, after)) = modifier(rest) {
            mods |= modifier;
            rest = after;
        }
        let code = Self::code(rest).ok_or_else(|| Self::unknown(name, rest))?;
        let key = Self::normal(code, mods);
        let KeyCode::Char(c) = code else { return Ok(key) };
        if mods.contains(KeyModifiers::CONTROL) {
            if key.code != KeyCode::Char(c) && SAME_BYTE.iter().any(|(_, code)| *code == key.code) {
                return Err(format!("terminals send {name:?} as {:?}; bind {:?}", key.to_string(), key.to_string()));
            }
            if c.is_uppercase() || mods.contains(KeyModifiers::SHIFT) {
                return Err(format!("terminals send {name:?} as {:?}; bind another key", key.to_string()));
            }
        } else if mods.contains(KeyModifiers::SHIFT) {
            return Err(format!("{name:?} is the character it makes: write \"G\", not \"S-g\""));
        }
        if mods == KeyModifiers::ALT && matches!(c, '[' | ']' | 'O') {
            return Err(format!("{name:?} looks like the start of another key to a terminal; bind another key"));
        }
        Ok(key)
    }

    /// Whether it makes a character: it is text wherever text is typed.
    pub fn is_printable(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.mods.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
    }

    /// Whether it is Escape alone, which always cancels.
    pub fn is_escape(self) -> bool {
        self.code == KeyCode::Esc && self.mods.is_empty()
    }

    /// Whether it is pressed by habit or sent by a paste: Enter, Space, Escape, line feed, with any modifier.
    pub(super) fn is_habitual(self) -> bool {
        matches!(self.code, KeyCode::Enter | KeyCode::Esc | KeyCode::Char(' '))
            || (self.code == KeyCode::Char('j') && self.mods.contains(KeyModifiers::CONTROL))
    }

    /// Why it doesn't arrive from every terminal, for a key that may be bound nevertheless.
    pub(super) fn caution(self) -> Option<&'static str> {
        let control = self.mods.contains(KeyModifiers::CONTROL);
        match self.code {
            KeyCode::Enter if self.mods.intersects(KeyModifiers::SHIFT | KeyModifiers::CONTROL) => {
                Some("is plain Enter unless the terminal, and tmux, have extended keys")
            }
            KeyCode::Tab | KeyCode::Backspace | KeyCode::Esc if control => {
                Some("doesn't arrive unless the terminal, and tmux, have extended keys")
            }
            KeyCode::Char(c) if control && !(c.is_ascii_lowercase() || matches!(c, ' ' | '4'..='7')) => {
                Some("doesn't arrive unless the terminal, and tmux, have extended keys")
            }
            _ => None,
        }
    }

    fn normal(code: KeyCode, mut mods: KeyModifiers) -> Self {
        mods &= KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let control = mods.contains(KeyModifiers::CONTROL);
        let code = match code {
            KeyCode::BackTab => {
                mods |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Char(c) => {
                let shift = mods.contains(KeyModifiers::SHIFT);
                mods.remove(KeyModifiers::SHIFT);
                let c = if control {
                    c.to_ascii_lowercase()
                } else if shift {
                    c.to_ascii_uppercase()
                } else {
                    c
                };
                match SAME_BYTE.iter().find(|(same, _)| control && *same == c) {
                    Some((_, code)) => {
                        mods.remove(KeyModifiers::CONTROL);
                        *code
                    }
                    None => KeyCode::Char(c),
                }
            }
            code => code,
        };
        Self { code, mods }
    }

    fn code(name: &str) -> Option<KeyCode> {
        let mut chars = name.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return (!c.is_whitespace() && !c.is_control()).then_some(KeyCode::Char(c));
        }
        let function = name.strip_prefix('F').and_then(|n| n.parse().ok()).filter(|n| (1..=24).contains(n));
        let named = NAMED.iter().find(|(named, _)| *named == name).map(|(_, code)| *code);
        function.map(KeyCode::F).or(named)
    }

    fn unknown(name: &str, rest: &str) -> String {
        if let Some((named, _)) = NAMED.iter().find(|(named, _)| named.eq_ignore_ascii_case(rest)) {
            return format!("{name:?} is not a key; did you mean {named:?}?");
        }
        let letters = rest.chars().count() <= 3 && !rest.is_empty() && rest == name;
        if letters && rest.chars().all(|c| !c.is_whitespace()) {
            let spaced: Vec<String> = rest.chars().map(String::from).collect();
            return format!("{name:?} is not a key; a sequence has spaces: write {:?}", spaced.join(" "));
        }
        format!("{name:?} is not a key; write one such as \"j\", \"G\", \"C-d\", \"M-v\", \"S-Tab\", \"Space\", \"F5\"")
    }
}

fn modifier(name: &str) -> Option<(KeyModifiers, &str)> {
    [("C-", KeyModifiers::CONTROL), ("M-", KeyModifiers::ALT), ("S-", KeyModifiers::SHIFT)]
        .into_iter()
        .find_map(|(prefix, modifier)| Some((modifier, name.strip_prefix(prefix).filter(|rest| !rest.is_empty())?)))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, prefix) in
            [(KeyModifiers::CONTROL, "C-"), (KeyModifiers::ALT, "M-"), (KeyModifiers::SHIFT, "S-")]
        {
            if self.mods.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "F{n}"),
            // Nothing else is ever made into a key.
            (None, code) => write!(f, "{code}"),
        }
    }
}

/// The keys of a sequence as key files write them: `g g`.
pub(super) fn spelled(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: KeyCode, mods: KeyModifiers) -> Option<String> {
        Key::from_event(&KeyEvent::new(code, mods)).map(|key| key.to_string())
    }

    #[test]
    fn names_go_around() {
        for name in [
            "j",
            "G",
            "?",
            "C-d",
            "M-v",
            "M-<",
            "S-Tab",
            "Tab",
            "Enter",
            "Esc",
            "Space",
            "F1",
            "F12",
            "Up",
            "PageDown",
            "Backspace",
            "]",
            "-",
            "C-Space",
            "C-x",
            "M-Left",
            "C-M-a",
            "M-Enter",
            "C--",
        ] {
            assert_eq!(Key::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn events_of_one_key_are_one_key() {
        let (none, shift, control) = (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL);
        for (code, mods, name) in [
            (KeyCode::Char('G'), shift, "G"),
            (KeyCode::Char('G'), none, "G"),
            (KeyCode::Char('g'), shift, "G"),
            (KeyCode::Char('?'), shift, "?"),
            (KeyCode::BackTab, shift, "S-Tab"),
            (KeyCode::BackTab, none, "S-Tab"),
            (KeyCode::Char('i'), control, "Tab"),
            (KeyCode::Char('m'), control, "Enter"),
            (KeyCode::Char('h'), control, "Backspace"),
            (KeyCode::Char('D'), control | shift, "C-d"),
            (KeyCode::Char(' '), none, "Space"),
        ] {
            assert_eq!(event(code, mods).as_deref(), Some(name), "{code:?} {mods:?}");
        }
        assert_eq!(event(KeyCode::CapsLock, none), None);
        let release = KeyEvent::new_with_kind(KeyCode::Char('y'), none, KeyEventKind::Release);
        assert_eq!(Key::from_event(&release), None);
    }

    #[test]
    fn wrong_names_say_what_to_write() {
        for (name, message) in [
            ("gg", "\"gg\" is not a key; a sequence has spaces: write \"g g\""),
            ("space", "\"space\" is not a key; did you mean \"Space\"?"),
            ("C-tab", "\"C-tab\" is not a key; did you mean \"Tab\"?"),
            ("C-i", "terminals send \"C-i\" as \"Tab\"; bind \"Tab\""),
            ("C-m", "terminals send \"C-m\" as \"Enter\"; bind \"Enter\""),
            ("C-[", "terminals send \"C-[\" as \"Esc\"; bind \"Esc\""),
            ("C-h", "terminals send \"C-h\" as \"Backspace\"; bind \"Backspace\""),
            ("C-S-a", "terminals send \"C-S-a\" as \"C-a\"; bind another key"),
            ("C-A", "terminals send \"C-A\" as \"C-a\"; bind another key"),
            ("S-g", "\"S-g\" is the character it makes: write \"G\", not \"S-g\""),
            ("M-[", "\"M-[\" looks like the start of another key to a terminal; bind another key"),
            (
                "Hyper-x",
                "\"Hyper-x\" is not a key; write one such as \"j\", \"G\", \"C-d\", \"M-v\", \"S-Tab\", \"Space\", \"F5\"",
            ),
        ] {
            assert_eq!(Key::parse(name), Err(message.to_owned()));
        }
    }
}
