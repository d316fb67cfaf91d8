//! The person's editor: the text goes to a file of its own and comes back, or stays there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::app::Msg;
use crate::process::editor::edit;

/// The editor's command line: configured, `$VISUAL`, `$EDITOR`, else `vi`.
pub(super) fn command(configured: Option<&str>) -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    configured
        .map(str::to_owned)
        .or_else(|| variable("VISUAL"))
        .or_else(|| variable("EDITOR"))
        .unwrap_or_else(|| "vi".to_owned())
}

/// Lets a person edit a text in a file in `dir`, and says what came of it.
pub(super) fn edit_text(editor: &str, dir: &Path, text: &str) -> Msg {
    let path = dir.join("edit.md");
    match round_trip(editor, &path, text) {
        Ok(text) => Msg::Edited { text },
        Err(why) => {
            let kept = if path.exists() { format!("; the text is in {}", path.display()) } else { String::new() };
            Msg::Refused(format!("{editor}: {why}{kept}"))
        }
    }
}

fn round_trip(editor: &str, path: &PathBuf, text: &str) -> io::Result<Option<String>> {
    fs::write(path, text)?;
    open(editor, path)?;
    // The file stays until the next edit: whatever happens to the text from here, it isn't lost.
    let edited = fs::read_to_string(path)?;
    Ok((edited != text).then_some(edited))
}

/// Opens a file or a directory and waits for the editor's end.
pub(super) fn open(editor: &str, path: &Path) -> io::Result<()> {
    let status = edit(editor, path)?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("ended with {status}"))) }
}
