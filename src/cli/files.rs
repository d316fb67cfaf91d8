//! What `keymap` and `theme` share: where the person's files are, a file named on the command line, and what is wrong.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::{self, Config, Paths, Problem};
use crate::domain::visible_line;

use super::arguments::Common;
use super::failure::Failure;
use super::open::variable;

/// Where the person's files are, and what they have configured. No repository has a say in keys and colours.
pub(super) fn own(common: &Common) -> Result<(Paths, Config), Failure> {
    let paths = Paths::find(&variable, None);
    let loaded = config::load(&paths, &variable, &common.flags())?;
    Ok((paths, loaded.config))
}

/// The name and the directory of a file that a person named.
pub(super) fn named(file: &Path) -> Result<(String, PathBuf), Failure> {
    let failed = |source| Failure::File { doing: "read", path: file.to_owned(), source };
    // Asked for first: of a file that isn't there, a built-in one of the same name would be checked instead.
    fs::metadata(file).map_err(failed)?;
    let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !plain || file.extension().is_none_or(|extension| extension != "toml") {
        let what = "its name must be of letters, digits, - and _, and end in .toml, or it is never found";
        return Err(failed(io::Error::other(what)));
    }
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((name.to_owned(), dir.to_owned()))
}

/// Prints what is wrong and what may surprise. Faults make the command fail.
pub(super) fn tell(what: &str, faults: &[Problem], notes: &[Problem], out: &mut dyn Write) -> Result<(), Failure> {
    for fault in faults {
        writeln!(out, "{}", visible_line(&fault.to_string()))?;
    }
    for note in notes {
        writeln!(out, "note: {}", visible_line(&note.to_string()))?;
    }
    match faults.len() {
        0 => Ok(writeln!(out, "{what}: nothing is wrong")?),
        1 => Err(Failure::Faulty(format!("{what}: 1 fault; the rest works"))),
        count => Err(Failure::Faulty(format!("{what}: {count} faults; the rest works"))),
    }
}
