//! What is sent to a runner's shell: the values it needs, then the program that takes them. Nothing of it stands in an
//! argument: some runners hand their arguments to a shell, as ssh does, and others don't, and all of them show them to
//! whoever lists the processes.

use std::env;
use std::os::unix::ffi::OsStrExt;

use super::{Parcel, Wanted};
use crate::domain::CommandSpec;

/// The program.
const RECEIVE: &[u8] = include_bytes!("receive.sh");

/// The whole text for a run of `spec` on the tree of `parcel`, told on lines that begin with `fence`.
pub(super) fn script(spec: &CommandSpec, wanted: Wanted<'_>, parcel: &Parcel, fence: &str) -> Vec<u8> {
    let tree = parcel.tree.as_str();
    let format = if tree.len() == 64 { "sha256" } else { "sha1" };
    let (start, glob) = match wanted {
        Wanted::Files(pattern) => (fixed(pattern), glob(pattern)),
        Wanted::Nothing | Wanted::Printed => (String::new(), String::new()),
    };
    let size = parcel.bundle.len().to_string();
    let mut text = Vec::new();
    for (name, value) in [
        ("fence", fence),
        ("tree", tree),
        ("format", format),
        ("size", &size),
        ("sub", &spec.dir),
        ("start", &start),
        ("wanted", &glob),
    ] {
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        quote(value.as_bytes(), &mut text);
        text.push(b'\n');
    }
    text.extend_from_slice(RECEIVE);
    text.extend_from_slice(b"\nrun_command() {\n");
    for name in &spec.env {
        if let Some(value) = env::var_os(name) {
            text.extend_from_slice(format!("{name}=").as_bytes());
            quote(value.as_bytes(), &mut text);
            text.extend_from_slice(format!("; export {name}\n").as_bytes());
        }
    }
    text.extend_from_slice(b"exec $lead");
    for word in &spec.argv {
        text.push(b' ');
        quote(word.as_bytes(), &mut text);
    }
    text.extend_from_slice(b"\n}\nmain\n");
    text
}

/// Adds `word` as a shell reads it for exactly these bytes, whatever they are.
fn quote(word: &[u8], text: &mut Vec<u8>) {
    text.push(b'\'');
    for byte in word {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            byte => text.push(*byte),
        }
    }
    text.push(b'\'');
}

/// The directory that everything lies in which a pattern of reports covers, or the one file.
fn fixed(pattern: &str) -> String {
    let parts = pattern.split('/').take_while(|part| !part.contains('*'));
    parts.filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}

/// A shell's pattern for at least the paths that `pattern` covers: its `*` stands for any characters.
fn glob(pattern: &str) -> String {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let mut glob = String::new();
    for c in parts.join("/").replace("**/", "*").chars() {
        if matches!(c, '[' | ']' | '?' | '\\') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

#[cfg(test)]
mod tests {
    use super::{fixed, glob};

    #[test]
    fn a_pattern_becomes_a_place_to_look_and_what_to_look_for() {
        for (pattern, place, wanted) in [
            ("target/junit.xml", "target/junit.xml", "target/junit.xml"),
            ("./out/*/report.xml", "out", "out/*/report.xml"),
            ("out/**/r.xml", "out", "out/*r.xml"),
            ("**/a[1]?.xml", "", "*a\\[1\\]\\?.xml"),
        ] {
            assert_eq!((fixed(pattern).as_str(), glob(pattern).as_str()), (place, wanted), "{pattern}");
        }
    }
}
