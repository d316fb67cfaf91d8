//! Whether a human is at a terminal, and asking them.

use std::io::{self, IsTerminal, Write};

use nix::sys::termios::{FlushArg, tcflush};

/// Whether a human can be asked a question in one line; a dumb terminal will do.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Asks, and gives the answer. What was typed before the question was there doesn't count.
pub(super) fn ask(question: &str, out: &mut dyn Write) -> io::Result<String> {
    // Before the question, not after it: whoever answers at once must be heard.
    tcflush(io::stdin(), FlushArg::TCIFLUSH)?;
    write!(out, "{question} ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}
