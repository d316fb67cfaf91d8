//! tmux: what it is set to, and the lines for tmux.conf that are missing.

use std::path::Path;

use super::super::open::variable;
use super::Check;
use crate::process::capture::Capture;

const ABOUT: &str = "tmux";

/// An option: how it is asked for, whether its value will do, why, and the line that sets it.
struct Wanted {
    name: &'static str,
    scope: &'static str,
    will_do: fn(&str) -> bool,
    why: &'static str,
    line: &'static str,
}

const WANTED: &[Wanted] = &[
    Wanted {
        name: "escape-time",
        scope: "-sqv",
        will_do: |value| value.parse::<u32>().is_ok_and(|ms| ms <= 50),
        why: "Esc is held back for so many milliseconds",
        line: "set -sg escape-time 10",
    },
    Wanted {
        name: "focus-events",
        scope: "-gqv",
        will_do: |value| value != "off",
        why: "nobody is told whether the pane has the focus",
        line: "set -g focus-events on",
    },
    Wanted {
        name: "set-clipboard",
        scope: "-sqv",
        will_do: |value| value == "on",
        why: "what is copied in a program does not reach the clipboard",
        line: "set -s set-clipboard on",
    },
    Wanted {
        name: "allow-passthrough",
        scope: "-gwqv",
        will_do: |value| matches!(value, "on" | "all"),
        why: "notifications do not reach the terminal",
        line: "set -g allow-passthrough on",
    },
    Wanted {
        name: "default-terminal",
        scope: "-sqv",
        will_do: |value| value.starts_with("tmux-"),
        why: "programs inside are told of another terminal than tmux",
        line: "set -g default-terminal \"tmux-256color\"",
    },
    Wanted {
        name: "extended-keys",
        scope: "-sqv",
        will_do: |value| matches!(value, "on" | "always"),
        why: "keys such as C-Enter can't be told from Enter",
        line: "set -s extended-keys on",
    },
];

const RGB: &str = "set -as terminal-features \",*:RGB\"";

/// The options of the tmux that this runs in.
pub(super) fn checks(dir: &Path) -> Vec<Check> {
    if variable("TMUX").is_none_or(|value| value.is_empty()) {
        return vec![Check::ok(ABOUT, "not in tmux; run this inside of it to have its options checked")];
    }
    let ask = |args: &[&str]| -> Option<String> {
        let asked = Capture::new("tmux", dir).args(args).run().ok()?;
        let text = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
        asked.status.success().then_some(text)
    };
    let Some(version) = ask(&["-V"]) else {
        let next = "put tmux into PATH, so that its options can be read";
        return vec![Check::warning(ABOUT, "TMUX is set, but tmux can't be asked anything", next)];
    };
    judge(&version, |name, scope| ask(&["show-options", scope, name]), ask(&["display-message", "-p", FEATURES]))
}

/// What the terminal around tmux can do, as tmux has it.
const FEATURES: &str = "#{client_termfeatures}";

/// What these values mean. An option that this version doesn't have is none.
fn judge(version: &str, value_of: impl Fn(&str, &str) -> Option<String>, features: Option<String>) -> Vec<Check> {
    let mut checks = vec![Check::ok(ABOUT, version)];
    let mut lines = Vec::new();
    for Wanted { name, scope, will_do, why, line } in WANTED {
        let Some(value) = value_of(name, scope).filter(|value| !value.is_empty()) else { continue };
        if will_do(&value) {
            checks.push(Check::ok(ABOUT, format!("{name} {value}")));
        } else {
            checks.push(Check::warning(ABOUT, format!("{name} {value}: {why}"), *line));
            lines.push(*line);
        }
    }
    let features = features.unwrap_or_default();
    if features.split(',').any(|feature| feature == "RGB") {
        checks.push(Check::ok(ABOUT, "24-bit colours reach the terminal (RGB)"));
    } else if !features.is_empty() {
        checks.push(Check::warning(ABOUT, "24-bit colours do not reach the terminal (no RGB)", RGB));
        lines.push(RGB);
    }
    if !lines.is_empty() {
        let mut all = Check::warning(ABOUT, "lines to add to ~/.tmux.conf; then: tmux source-file ~/.tmux.conf", "");
        all.next = lines.into_iter().map(str::to_owned).collect();
        checks.push(all);
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::{RGB, judge};

    #[test]
    fn the_lines_that_are_missing_are_given_and_no_others() {
        let old = |name: &str, _: &str| {
            let value = match name {
                "escape-time" => "500",
                "focus-events" | "extended-keys" => "off",
                "set-clipboard" => "external",
                "default-terminal" => "tmux-256color",
                // Too old for it.
                _ => "",
            };
            Some(value.to_owned())
        };
        let checks = judge("tmux 3.2", old, Some("bpaste,title".to_owned()));
        let expected = [
            "set -sg escape-time 10",
            "set -g focus-events on",
            "set -s set-clipboard on",
            "set -s extended-keys on",
            RGB,
        ];
        assert_eq!(checks.last().unwrap().next, expected);
        assert_eq!(checks[0].says, "tmux 3.2");

        let good = |name: &str, _: &str| {
            let value = match name {
                "escape-time" => "10",
                "default-terminal" => "tmux-256color",
                _ => "on",
            };
            Some(value.to_owned())
        };
        let checks = judge("tmux 3.7", good, Some("256,RGB,title".to_owned()));
        assert!(checks.iter().all(|check| check.mark == Mark::Ok), "{checks:?}");
    }
}
