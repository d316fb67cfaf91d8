//! The change under review, line by line: which lines of which files are new.

use std::collections::BTreeMap;

/// A line and its number, counted from 1.
pub type Line = (u32, String);

/// What a change does to one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilePatch {
    /// Lines it adds, numbered in the file's new form.
    pub added: Vec<Line>,
    /// Lines it removes, numbered in its old form.
    pub removed: Vec<Line>,
    /// Whether the file is new.
    pub is_new: bool,
    /// Whether the file is no more.
    pub is_gone: bool,
}

/// A change, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    /// The files it touches.
    pub files: BTreeMap<String, FilePatch>,
}

impl Patch {
    /// The change that git's unified diff shows.
    pub fn of(diff: &str) -> Self {
        let mut patch = Self::default();
        let mut path: Option<String> = None;
        let (mut old, mut new) = (0_u32, 0_u32);
        // Lines of the hunk that are still to come, so that a removed line `-- x` isn't taken for a header.
        let (mut left_old, mut left_new) = (0_u32, 0_u32);
        for line in diff.split('\n') {
            if left_old > 0 || left_new > 0 {
                let file = path.as_ref().and_then(|path| patch.files.get_mut(path));
                let (sign, text) = line.split_at_checked(1).unwrap_or((" ", ""));
                match (sign, file) {
                    ("+", Some(file)) => {
                        file.added.push((new, text.to_owned()));
                        (new, left_new) = (new + 1, left_new.saturating_sub(1));
                    }
                    ("-", Some(file)) => {
                        file.removed.push((old, text.to_owned()));
                        (old, left_old) = (old + 1, left_old.saturating_sub(1));
                    }
                    ("\\", _) => {}
                    _ => {
                        (old, new) = (old + 1, new + 1);
                        (left_old, left_new) = (left_old.saturating_sub(1), left_new.saturating_sub(1));
                    }
                }
            } else if let Some(name) = line.strip_prefix("--- ") {
                path = named(name, "a/");
            } else if let Some(name) = line.strip_prefix("+++ ") {
                let (before, is_there) = (path.take(), name != "/dev/null");
                let added = before.is_none();
                path = named(name, "b/").or(before);
                if let Some(path) = &path {
                    let file = patch.files.entry(path.clone()).or_default();
                    (file.is_new, file.is_gone) = (added && is_there, !is_there);
                }
            } else if let Some(ranges) = line.strip_prefix("@@ -") {
                let mut ranges = ranges.split(' ');
                (old, left_old) = range(ranges.next().unwrap_or_default());
                (new, left_new) = range(ranges.next().unwrap_or_default().trim_start_matches('+'));
            }
        }
        patch
    }

    /// The paths it touches.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Every added line, with its file.
    pub fn added(&self) -> impl Iterator<Item = (&str, u32, &str)> {
        self.files.iter().flat_map(|(path, file)| {
            file.added.iter().map(move |(number, text)| (path.as_str(), *number, text.as_str()))
        })
    }
}

/// `start,count`, or `start` alone.
fn range(text: &str) -> (u32, u32) {
    let (start, count) = text.split_once(',').unwrap_or((text, "1"));
    (start.parse().unwrap_or(1), count.parse().unwrap_or(0))
}

/// The path of a header; git quotes it as C does where it has unusual characters.
fn named(text: &str, side: &str) -> Option<String> {
    // git ends a name that has a blank in it with a tab.
    let text = text.trim_end_matches('\t');
    let text = match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => unquoted(quoted),
        None => text.to_owned(),
    };
    text.strip_prefix(side).map(str::to_owned)
}

fn unquoted(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(digit @ b'0'..=b'3') => {
                let octal = |digit: u8| digit.wrapping_sub(b'0');
                let (second, third) = (rest.next().map_or(0, octal), rest.next().map_or(0, octal));
                bytes.push((octal(digit) << 6) | (second << 3) | third);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Patch;

    #[test]
    fn lines_have_the_numbers_of_their_side() {
        let diff = "diff --git a/src/a.rs b/src/a.rs\nindex 1..2 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n\
                    @@ -3,4 +3,4 @@ fn x() {\n one\n--- two\n+++ three\n four\n five\n@@ -20 +20,2 @@\n-old\n+new\n+newer\n\
                    \\ No newline at end of file\n\
                    diff --git a/b c.rs b/b c.rs\nnew file mode 100644\n--- /dev/null\n+++ b/b c.rs\t\n@@ -0,0 +1 @@\n+hi\n\
                    diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n\
                    diff --git \"a/\\303\\251\" \"b/\\303\\251\"\n--- \"a/\\303\\251\"\n+++ \"b/\\303\\251\"\n@@ -1 +1 @@\n-a\n+b\n";
        let patch = Patch::of(diff);
        let paths: Vec<_> = patch.paths().collect();
        assert_eq!(paths, ["b c.rs", "gone", "src/a.rs", "é"]);
        let file = &patch.files["src/a.rs"];
        assert_eq!(file.added, [(4, "++ three".to_owned()), (20, "new".to_owned()), (21, "newer".to_owned())]);
        assert_eq!(file.removed, [(4, "-- two".to_owned()), (20, "old".to_owned())]);
        assert!(patch.files["b c.rs"].is_new && !file.is_new && !patch.files["gone"].is_new);
        assert!(patch.files["gone"].is_gone && !file.is_gone && !patch.files["b c.rs"].is_gone);
        assert_eq!(patch.added().count(), 5);
    }
}
