//! macOS: the command runs under `sandbox-exec` with a profile. Written from Apple's documentation and never tried.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The program that applies a profile.
pub(in crate::process) const PROGRAM: &str = "/usr/bin/sandbox-exec";

/// Devices that lead nowhere.
const DEVICES: &str =
    "(literal \"/dev/null\") (literal \"/dev/zero\") (literal \"/dev/random\") (literal \"/dev/urandom\")";

/// The command line that runs `argv` confined.
pub(in crate::process) fn wrapped(writable: &[PathBuf], network: bool, argv: &[OsString]) -> Vec<OsString> {
    let mut words = vec![PROGRAM.into(), "-p".into(), profile(writable, network).into(), "--".into()];
    words.extend_from_slice(argv);
    words
}

fn profile(writable: &[PathBuf], network: bool) -> String {
    let subpaths: Vec<String> = writable.iter().map(|path| format!("(subpath {})", quoted(path))).collect();
    let mut text = format!(
        "(version 1)(allow default)(deny file-write*)(allow file-write* {DEVICES} {})\
         (deny file-read* (regex #\"^/dev/tty\"))(deny signal)(allow signal (target same-sandbox))",
        subpaths.join(" ")
    );
    if !network {
        text.push_str("(deny network*)");
    }
    text
}

fn quoted(path: &Path) -> String {
    // /tmp and /var are links there, and profiles want the real names.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}
