//! Rules a path must satisfy on its own, before anything is known of the repository, and the form in which two paths are the
//! same file to some file system.

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::domain::visible_line;

/// Longest path in bytes (PATH_MAX less room for the worktree's own).
const MAX_PATH: usize = 2048;
/// Longest component in bytes, on every file system in use.
const MAX_COMPONENT: usize = 255;

/// Why a path can't be taken, to follow the path in a message; none if it can.
pub(super) fn refusal(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("is empty".into());
    }
    if let Some(c) = path.chars().find(|c| c.is_control()) {
        return Some(format!("has the control character U+{:04X} in it", u32::from(c)));
    }
    if path.starts_with('/') || has_drive(path) {
        return Some("is absolute; paths start at the top of the repository".into());
    }
    if path.contains('\\') {
        return Some("has a backslash in it; directories are parted by `/`".into());
    }
    if path.len() > MAX_PATH {
        return Some(format!("is longer than {MAX_PATH} bytes"));
    }
    if let Some(reason) = path.split('/').find_map(component_refusal) {
        return Some(reason);
    }
    // After the names of git, so that a `.git` with something invisible in it is called by its name.
    if visible_line(path) != path {
        return Some(format!("has invisible characters in it: {}", visible_line(path)));
    }
    None
}

fn component_refusal(component: &str) -> Option<String> {
    match component {
        "" => return Some("has an empty component (`//` or a `/` at its end)".into()),
        "." => return Some("has a `.` component".into()),
        ".." => return Some("has a `..` component".into()),
        _ => {}
    }
    if component.len() > MAX_COMPONENT {
        return Some(format!("has a component longer than {MAX_COMPONENT} bytes"));
    }
    // To NTFS a name ends before trailing dots, spaces and streams.
    let folded = folded(component);
    let name = folded.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    let short_name_of = |stem: &str| {
        name.strip_prefix(stem).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    if name == ".git" || short_name_of("git~") {
        return Some(format!(
            "goes into git's own directory (`{}` is `.git` to some file systems)",
            visible_line(component)
        ));
    }
    if name == ".gitmodules" || short_name_of("gitmod~") {
        return Some("edits .gitmodules; submodules are out of reach of a change".into());
    }
    None
}

fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// A form in which names are equal when a file system that folds case, normalises Unicode or skips invisible characters
/// could take one for the other.
pub(super) fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let is_seen = |c: &char| {
        let text = format!("x{c}");
        visible_line(&text) == text
    };
    let seen: String = name.chars().filter(is_seen).collect();
    let normalizer = ComposingNormalizerBorrowed::new_nfkc();
    // Upper case first: some letters (dotless i, long s) meet only there.
    normalizer.normalize(&normalizer.normalize(&seen).to_uppercase().to_lowercase()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{folded, refusal};

    #[test]
    fn ordinary_paths_pass() {
        for path in [
            "a",
            "src/main.rs",
            ".github/workflows/ci.yml",
            ".gitignore",
            ".gitattributes",
            "a b/c d.txt",
            "docs/über/한글.md",
            "x..y",
            "...",
            "git",
            "a.git/b",
            ".gitkeep",
            "digit~1",
        ] {
            assert_eq!(refusal(path), None, "{path:?}");
        }
    }

    #[test]
    fn hostile_paths_are_refused_by_name() {
        for (path, reason) in [
            ("", "empty"),
            ("/etc/passwd", "absolute"),
            ("C:/x", "absolute"),
            ("../x", "`..`"),
            ("a/../../x", "`..`"),
            ("a/./b", "`.` component"),
            ("a//b", "empty component"),
            ("a/", "empty component"),
            ("a\\b", "backslash"),
            ("a\0b", "U+0000"),
            ("a\r", "U+000D"),
            ("a\u{9b}b", "U+009B"),
            (".git/config", "git's own"),
            (".GIT/config", "git's own"),
            ("sub/.Git/hooks/x", "git's own"),
            ("git~1/config", "git's own"),
            ("GIT~2/config", "git's own"),
            (".git./config", "git's own"),
            (".git /config", "git's own"),
            (".git. . /config", "git's own"),
            (".git::$INDEX_ALLOCATION/config", "git's own"),
            (".g\u{200c}it/config", "git's own"),
            (".gi\u{feff}t/config", "git's own"),
            ("．ｇｉｔ/config", "git's own"),
            (".gıt/config", "git's own"),
            (".gitmodules", ".gitmodules"),
            (".GitModules", ".gitmodules"),
            ("gitmod~1", ".gitmodules"),
            ("src/\u{202e}sr.nigol", "invisible"),
            ("pass\u{200b}word", "invisible"),
        ] {
            let refused = refusal(path).unwrap_or_default();
            assert!(refused.contains(reason), "{path:?}: {refused:?}");
        }
        assert!(refusal(&"a/".repeat(2000)).is_some() && refusal(&"a".repeat(300)).is_some());
    }

    #[test]
    fn names_that_some_file_system_takes_for_one_another_fold_alike() {
        for (one, other) in [("Makefile", "makefile"), ("é", "e\u{301}"), ("ﬁle", "file"), ("STRASSE", "straße")] {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("a"), folded("b"));
        assert_ne!(folded("e\u{301}"), folded("e"));
    }
}
