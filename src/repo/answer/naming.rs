//! How lines of an answer name a path: headings, labels, back quotes, info strings, and git's quoting.

/// What a line that names nothing but a path names. A bare word needs a `/` or a `.` in it to be taken for one.
pub(super) fn path_line(line: &str) -> Option<String> {
    let text = line.trim().trim_start_matches('#').trim();
    let text = unwrapped(text.strip_suffix(':').unwrap_or(text));
    let (label, rest) = match text.split_once(':') {
        Some((label, rest)) if is_label(label) => (true, unwrapped(rest.trim().trim_start_matches("**"))),
        _ => (false, text),
    };
    let quoted = rest.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).filter(|inner| !inner.contains('`'));
    let path = quoted.unwrap_or(rest).trim();
    let looks_like_one = (path.contains(['/', '.']) || label) && !path.ends_with(['.', '!', '?', ',']);
    let one_word = quoted.is_some() || label || !path.contains(char::is_whitespace);
    (!path.is_empty() && looks_like_one && one_word).then(|| path.to_owned())
}

fn is_label(text: &str) -> bool {
    matches!(text.trim().trim_matches('*').to_ascii_lowercase().as_str(), "file" | "path" | "filename")
}

/// Without the marks of bold type around it.
fn unwrapped(text: &str) -> &str {
    text.strip_prefix("**").and_then(|text| text.strip_suffix("**")).unwrap_or(text).trim()
}

/// The path in a fence's info string: `path=`, `file=` or `filename=` anywhere, or a second word with a `/` or `.` in it, or
/// a first one with a `/`, or `language:path`.
pub(super) fn path_in_info(info: &str) -> Option<String> {
    for key in ["path=", "file=", "filename="] {
        let found = info.match_indices(key).find(|(at, _)| {
            info.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t', '{', ',']))
        });
        let Some(value) = found.and_then(|(at, _)| info.get(at + key.len()..)) else { continue };
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.split(quote).nth(1).unwrap_or_default(),
            _ => value.split([' ', '\t', '}', ',']).next().unwrap_or_default(),
        };
        return Some(value.to_owned());
    }
    let words: Vec<&str> = info.split_whitespace().collect();
    match words.as_slice() {
        [one] => match one.split_once(':') {
            Some((language, path)) if !language.is_empty() && path.contains(['/', '.']) => Some(path.to_owned()),
            _ => one.contains('/').then(|| (*one).to_owned()),
        },
        [_, path] if path.contains(['/', '.']) && !path.contains(['=', '{']) => Some((*path).to_owned()),
        _ => None,
    }
}

/// The text of a path in a diff header: git quotes unusual ones like C strings; other tools add a tab and a date.
pub(super) fn header_path(text: &str) -> Option<String> {
    match text.strip_prefix('"') {
        Some(rest) => unquoted(rest.trim_end().strip_suffix('"')?),
        None => Some(text.split('\t').next().unwrap_or(text).trim_end_matches('\r').to_owned()),
    }
}

fn unquoted(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            first @ b'0'..=b'3' => {
                let octal = [first, rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&octal).ok()?, 8).ok()?
            }
            other @ (b'"' | b'\\') => other,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{header_path, path_in_info, path_line};

    #[test]
    fn lines_that_name_a_path() {
        for (line, path) in [
            ("src/a.rs", Some("src/a.rs")),
            ("`src/a.rs`:", Some("src/a.rs")),
            ("### File: `src/a b.rs`", Some("src/a b.rs")),
            ("**src/a.rs**", Some("src/a.rs")),
            ("**File:** src/a.rs", Some("src/a.rs")),
            ("#### `a.md`", Some("a.md")),
            ("File: Makefile", Some("Makefile")),
            ("Here is the new src/a.rs:", None),
            ("Change this:", None),
            ("Done.", None),
            ("Makefile", None),
            ("", None),
        ] {
            assert_eq!(path_line(line).as_deref(), path, "{line:?}");
        }
    }

    #[test]
    fn info_strings_that_name_a_path() {
        for (info, path) in [
            ("rust path=src/a.rs", Some("src/a.rs")),
            ("path=\"src/a b.rs\"", Some("src/a b.rs")),
            ("rust {file=src/a.rs}", Some("src/a.rs")),
            ("rust src/a.rs", Some("src/a.rs")),
            ("rust:src/a.rs", Some("src/a.rs")),
            ("src/a.rs", Some("src/a.rs")),
            ("rust", None),
            ("rust ignore", None),
            ("", None),
        ] {
            assert_eq!(path_in_info(info).as_deref(), path, "{info:?}");
        }
    }

    #[test]
    fn quoted_headers() {
        assert_eq!(header_path("a/x\t2024-01-01 00:00").as_deref(), Some("a/x"));
        assert_eq!(header_path("\"a/s\\303\\251 \\\"q\\\"\"").as_deref(), Some("a/sé \"q\""));
        assert_eq!(header_path("\"a/x\\000\"").as_deref(), Some("a/x\0"));
        assert_eq!(header_path("\"a/\\x\""), None);
    }
}
