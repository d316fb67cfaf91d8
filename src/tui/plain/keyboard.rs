//! Lines from the terminal, which stays as the shell left it: it echoes, mends and ends them itself.
//!
//! What was typed before a question stood there is thrown away when it is put. The terminal is asked to mark pastes, so
//! that pasted lines are known as such.

use std::io::{self, stdin};
use std::os::fd::AsFd;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{FlushArg, tcflush};
use nix::unistd::read;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::app::QUIET_MS;

/// What a terminal puts around pasted text.
const PASTE: (&str, &str) = ("\x1b[200~", "\x1b[201~");

/// A line that the person ended with Enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What it says.
    pub(super) text: String,
    /// Whether any of it was pasted.
    pub(super) pasted: bool,
    /// Whether it came right after another one, as from a held key or a script.
    pub(super) hasty: bool,
}

/// The person's keyboard, line by line.
pub(super) struct Keyboard {
    /// Asks the watcher to look for input once.
    look: Sender<()>,
    /// Tells that there is some.
    there: UnboundedReceiver<()>,
    looking: bool,
    bytes: Vec<u8>,
    pasting: bool,
    last: Option<Instant>,
}

impl Keyboard {
    /// Listens to standard input, which is a terminal.
    pub(super) fn open() -> io::Result<Self> {
        let (look, looks) = channel();
        let (tell, there) = unbounded_channel();
        // It only watches: whatever is typed while an editor has the terminal is the editor's.
        thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
            while looks.recv().is_ok() {
                let waited = is_readable(PollTimeout::NONE);
                if tell.send(()).is_err() || waited.is_err_and(|error| error != Errno::EINTR) {
                    return;
                }
            }
        })?;
        Ok(Self { look, there, looking: false, bytes: Vec::new(), pasting: false, last: None })
    }

    /// The next line; none at the end of input. Nothing is lost when this is dropped before it is done.
    pub(super) async fn line(&mut self) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.take() {
                return Ok(Some(line));
            }
            if !self.looking && self.look.send(()).is_err() {
                return Ok(None);
            }
            self.looking = true;
            if self.there.recv().await.is_none() {
                return Ok(None);
            }
            self.looking = false;
            // What was there may have been thrown away or read by an editor, and a read would wait for more.
            if !is_readable(PollTimeout::ZERO)? {
                continue;
            }
            let mut chunk = [0; 4096];
            let count = read(stdin().as_fd(), &mut chunk)?;
            if count == 0 {
                return Ok(None);
            }
            self.bytes.extend(chunk.iter().take(count));
        }
    }

    /// Throws away what was typed so far.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        self.bytes.clear();
        self.pasting = false;
        Ok(tcflush(stdin(), FlushArg::TCIFLUSH)?)
    }

    fn take(&mut self) -> Option<Line> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let raw: Vec<u8> = self.bytes.drain(..=end).collect();
        let raw = String::from_utf8_lossy(&raw);
        let (text, pasted) = unmarked(raw.trim_end_matches(['\n', '\r']), &mut self.pasting);
        let now = Instant::now();
        let quiet = Duration::from_millis(QUIET_MS.unsigned_abs());
        let hasty = self.last.replace(now).is_some_and(|last| now.duration_since(last) < quiet);
        Some(Line { text, pasted, hasty })
    }
}

fn is_readable(wait: PollTimeout) -> Result<bool, Errno> {
    Ok(poll(&mut [PollFd::new(stdin().as_fd(), PollFlags::POLLIN)], wait)? > 0)
}

/// A line without the marks of pastes, and whether any of it stood between them. Control characters have no business in
/// a line.
fn unmarked(raw: &str, pasting: &mut bool) -> (String, bool) {
    let (mut text, mut pasted, mut rest) = (String::new(), *pasting, raw);
    loop {
        let mark = if *pasting { PASTE.1 } else { PASTE.0 };
        let Some((before, after)) = rest.split_once(mark) else { break };
        text.push_str(before);
        *pasting = !*pasting;
        pasted = true;
        rest = after;
    }
    text.push_str(rest);
    (text.chars().filter(|c| !c.is_control() || *c == '\t').collect(), pasted)
}

#[cfg(test)]
mod tests {
    use super::unmarked;

    #[test]
    fn every_line_of_a_paste_is_known_as_pasted() {
        let mut pasting = false;
        let lines = ["approve", "\x1b[200~one", "approve", "\x1b[201~approve", "approve", "a \x1b[200~b\x1b[201~ c"];
        let read: Vec<_> = lines.into_iter().map(|line| unmarked(line, &mut pasting)).collect();
        let known: Vec<_> = read.iter().map(|(text, pasted)| (text.as_str(), *pasted)).collect();
        let expected = [
            ("approve", false),
            ("one", true),
            ("approve", true),
            ("approve", true),
            ("approve", false),
            ("a b c", true),
        ];
        assert_eq!(known, expected);
    }
}
