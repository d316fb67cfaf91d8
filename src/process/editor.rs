//! The person's editor: it has the terminal until it ends.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// Opens `target` in `editor`, a command line as `$EDITOR` holds it (`code --wait`), and waits for its end.
///
/// # Errors
/// If no shell can be started; an editor that isn't found is the shell's exit status 127.
pub fn edit(editor: &str, target: &Path) -> io::Result<ExitStatus> {
    // git does the same: the setting may carry arguments and quotes.
    Command::new("sh").arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(target).status()
}
