//! What the linear mode writes: whole lines, one after the other, and nothing else.

use std::io::{self, Write, stdout};

use crate::domain::{ascii, visible_line};

/// The terminal as something that is only ever added to.
pub(super) struct Paper {
    is_ascii: bool,
    marks_pastes: bool,
}

impl Paper {
    /// Begins; the terminal is asked to mark pastes if it is one that knows how to.
    pub(super) fn begin(is_ascii: bool, marks_pastes: bool) -> io::Result<Self> {
        if marks_pastes {
            put(b"\x1b[?2004h")?;
        }
        Ok(Self { is_ascii, marks_pastes })
    }

    /// Adds lines, in one write. Each is made visible; an empty one stays empty.
    pub(super) fn lines<T: AsRef<str>>(&self, lines: impl IntoIterator<Item = T>) -> io::Result<()> {
        let mut text = String::new();
        for line in lines {
            let shown = visible_line(line.as_ref());
            text.push_str(&if self.is_ascii { ascii(&shown) } else { shown });
            text.push('\n');
        }
        put(text.as_bytes())
    }

    /// Adds one line.
    pub(super) fn line(&self, line: &str) -> io::Result<()> {
        self.lines([line])
    }

    /// Rings: a human is waited for.
    pub(super) fn ring(&self) -> io::Result<()> {
        put(b"\x07")
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        if self.marks_pastes {
            // The terminal may be gone; there is nobody left to tell then.
            let _ = put(b"\x1b[?2004l");
        }
    }
}

fn put(bytes: &[u8]) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
