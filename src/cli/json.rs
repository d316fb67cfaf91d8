//! JSON for programs, harmless on a terminal: what has no glyph is written as an escape, which means the same.

use std::io::Write;

use serde::Serialize;

use crate::domain::visible_line;

use super::failure::Failure;

/// Prints a value as indented JSON.
pub(super) fn print(value: &impl Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    out.write_all(harmless(&serde_json::to_string_pretty(value)?).as_bytes())?;
    Ok(writeln!(out)?)
}

/// Escapes what the serializer leaves as it is. Line feeds stand between tokens only, everything else inside strings.
pub(super) fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut buffer = [0; 4];
    for c in json.chars() {
        let plain = matches!(c, '\n' | ' '..='~') || visible_line(c.encode_utf8(&mut buffer)) == c.to_string();
        if plain {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_and_nothing_is_lost() {
        let text = "a\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\u{e0041}\n\"é한\"\u{feff}";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let shown = harmless(&json);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()) && shown.contains("é한"), "{shown}");
        assert!(!shown.contains(['\u{202e}', '\u{feff}', '\u{e0041}']), "{shown}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), [text]);
    }
}
