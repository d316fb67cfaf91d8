//! Patterns of paths, as configurations write them, and what a path's own name says.
//!
//! A pattern is a path from the top of the repository. `*` stands for any characters of one component, `**` for any
//! number of components. A pattern that matches a directory covers everything below it: `src`, `src/` and `src/**` are
//! the same.

/// Whether `pattern` covers `path`.
pub fn covers(pattern: &str, path: &str) -> bool {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern).trim_matches('/');
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    (1..=path.len()).any(|depth| path.get(..depth).is_some_and(|start| components_match(&pattern, start)))
}

/// Remembers only the last `**`, which is enough: an earlier one never has to take more when a later one can.
fn components_match(pattern: &[&str], path: &[&str]) -> bool {
    wildcard(
        pattern,
        path,
        |part| *part == "**",
        |part, name| {
            let (part, name): (Vec<char>, Vec<char>) = (part.chars().collect(), name.chars().collect());
            wildcard(&part, &name, |c| *c == '*', |a, b| a == b)
        },
    )
}

/// Matches a sequence against a pattern in which some items stand for any number of items. Takes time proportional to the
/// product of the lengths at most.
fn wildcard<T>(pattern: &[T], items: &[T], is_any: impl Fn(&T) -> bool, same: impl Fn(&T, &T) -> bool) -> bool {
    let (mut p, mut i) = (0, 0);
    let mut last_any: Option<(usize, usize)> = None;
    while let Some(item) = items.get(i) {
        match pattern.get(p) {
            Some(part) if is_any(part) => {
                last_any = Some((p, i));
                p += 1;
            }
            Some(part) if same(part, item) => {
                p += 1;
                i += 1;
            }
            _ => match last_any {
                Some((any, from)) => {
                    last_any = Some((any, from + 1));
                    p = any + 1;
                    i = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(is_any)
}

/// Whether a file of this path is, by its name, a test or something that tests rest on.
pub fn is_test(path: &str) -> bool {
    // `OrderTest.java` has no word of its own for it, and `Latest.java` is none.
    let camel = path.rsplit('/').next().unwrap_or(path).split('.').next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    let (dirs, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let stem = name.split('.').next().unwrap_or(name);
    dirs.split('/').any(|dir| matches!(dir, "test" | "tests" | "spec" | "specs" | "__tests__" | "testdata"))
        || matches!(stem, "test" | "tests" | "conftest")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("_spec")
        || camel.ends_with("Test")
        || camel.ends_with("Tests")
        || camel.ends_with("Spec")
        || name.contains(".test.")
        || name.contains(".spec.")
}

#[cfg(test)]
mod tests {
    use super::{covers, is_test};

    #[test]
    fn patterns_cover_what_they_say() {
        for (pattern, path, expected) in [
            ("src", "src/a.rs", true),
            ("src/", "src/deep/a.rs", true),
            ("src/**", "src/a.rs", true),
            ("src", "src2/a.rs", false),
            ("src", "lib/src/a.rs", false),
            ("**/src", "lib/src/a.rs", true),
            ("*.rs", "a.rs", true),
            ("*.rs", "src/a.rs", false),
            ("**/*.rs", "a.rs", true),
            ("**/*.rs", "x/y/a.rs", true),
            ("src/*/mod.rs", "src/a/mod.rs", true),
            ("src/*/mod.rs", "src/a/b/mod.rs", false),
            ("src/**/mod.rs", "src/a/b/mod.rs", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false),
            ("**", "anything/at/all", true),
            ("./src", "src/a", true),
            ("", "a", false),
        ] {
            assert_eq!(covers(pattern, path), expected, "{pattern:?} {path:?}");
        }
    }

    #[test]
    fn tests_are_known_by_their_names() {
        for path in ["tests/a.rs", "x/__tests__/a.js", "a_test.go", "test_a.py", "src/OrderTest.java", "a.spec.ts"] {
            assert!(is_test(path), "{path}");
        }
        for path in ["src/latest.rs", "Latest.java", "contest/a.py", "src/testing.rs"] {
            assert!(!is_test(path), "{path}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends() {
        assert!(!covers(&"*a".repeat(200), &"a".repeat(199)));
    }
}
