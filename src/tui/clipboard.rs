//! What leaves for the person's clipboard and desktop: through the terminal, which may or may not pass it on.
//!
//! Nobody answers, so nothing here says that something was copied; there is always a file, too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;

/// The longest text that is sent, in bytes: some terminals cut longer ones off, and nobody would know.
const MOST: usize = 50_000;

/// What is to be written to the terminal, if it is any use, and what to tell the person.
pub(super) struct Copied {
    /// The bytes for the terminal.
    pub(super) bytes: Vec<u8>,
    /// What happened, honestly.
    pub(super) told: String,
}

/// Keeps a text in a file of this name in `dir`, and wraps it for the terminal.
pub(super) fn copy(dir: &Path, name: &str, text: &str, in_tmux: bool) -> io::Result<Copied> {
    let path = keep(dir, name, text)?;
    if text.len() > MOST {
        let told = format!("too long for a terminal's clipboard ({} bytes): it is in {}", text.len(), path.display());
        return Ok(Copied { bytes: Vec::new(), told });
    }
    let mut sequence = String::new();
    // Writing to a string can't fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence);
    let told = format!("sent to the terminal; also in {}", path.display());
    // tmux takes one or the other, depending on set-clipboard and allow-passthrough; the same text twice does no harm.
    let mut bytes = sequence.clone().into_bytes();
    if in_tmux {
        bytes.extend(through_tmux(&sequence));
    }
    Ok(Copied { bytes, told })
}

/// Keeps a text in a file of this name in `dir`.
pub(super) fn keep(dir: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let path = dir.join(name);
    fs::write(&path, text)?;
    Ok(path)
}

/// Rings, and asks the desktop to say why: ASCII words of our own.
pub(super) fn notify(words: &str, in_tmux: bool) -> Vec<u8> {
    let mut bytes = b"\x07".to_vec();
    let sequence = format!("\x1b]9;{words}\x07");
    bytes.extend(if in_tmux { through_tmux(&sequence) } else { sequence.into_bytes() });
    bytes
}

/// A sequence as tmux passes it on to the terminal around it, where `allow-passthrough` is on.
fn through_tmux(sequence: &str) -> Vec<u8> {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_to_the_terminal_and_to_a_file_and_a_long_one_to_the_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let copied = copy(dir.path(), "review.md", "hi", false).unwrap();
        assert!(copied.bytes.starts_with(b"\x1b]52;c;aGk="), "{:?}", copied.bytes);
        assert!(copied.told.starts_with("sent to the terminal; also in "), "{}", copied.told);
        assert_eq!(fs::read_to_string(dir.path().join("review.md")).unwrap(), "hi");
        let wrapped = copy(dir.path(), "review.md", "hi", true).unwrap().bytes;
        assert!(String::from_utf8(wrapped).unwrap().contains("\x1bPtmux;\x1b\x1b]52;c;aGk="));
        let long = copy(dir.path(), "review.md", &"x".repeat(MOST + 1), true).unwrap();
        assert!(long.bytes.is_empty() && long.told.contains("too long") && long.told.contains("review.md"));
    }
}
