//! The starter `.windlass/config.toml` that `windlass init` proposes.

use super::propose::Proposal;

const HEAD: &str = "\
# Windlass: how this repository is worked on. Versioned and reviewed like code; its commands run on a machine only after
# a person there has trusted this exact content once. Servers, keys and taste belong to each person's own config.toml.

workflow = \"scale\"

# Who drafts and who objects, as provider/model. Two different models; better, of two vendors. A coding agent
# (of kind \"acp\" in a person's own file) can make the changes in the author's place, as change_author.
# [roles]
# author = \"openai/gpt-5\"
# critic = \"ollama/qwen3\"
# change_author = \"my-agent/default\"

# Gates: commands that judge a change. Exit code 0 passes. An array of words, no shell; run in a worktree of the change.
# Also: dir = \"sub/dir\" · timeout_s = 600 · env = [\"NAME\", ...] passed on · enforcement = \"required\" or \"advisory\".
";

const TAIL: &str = "
# Probes: commands that measure the system. Each prints lines of \"name value unit\", such as \"p95_latency 412.5 ms\".
# They run before and after a change; a constraint may only quote what they print.
# [[probe]]
# name = \"latency\"
# argv = [\"./bench/latency.sh\"]
# timeout_s = 120

[measure]
rounds = 5          # how often before and after are measured, in turns

[context]
tokens = 24000      # budget of what is sent to a model
files = []          # files that are offered first

[boundary]
allow = []          # what a change may touch, such as \"src/**\"; everything when empty
deny = []           # what it may not
";

/// A commented configuration with the gates that are proposed.
pub fn init_text(proposals: &[Proposal]) -> String {
    let mut gates = String::new();
    for proposal in proposals {
        gates.push('\n');
        gates.push_str(&proposal.toml());
    }
    if gates.is_empty() {
        gates.push_str("# [[gate]]\n# name = \"tests\"\n# argv = [\"make\", \"test\"]\n");
    }
    [HEAD, &gates, TAIL].concat()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Flags, Paths, load, proposals};

    #[test]
    fn what_is_proposed_loads() {
        for (file, gates) in [("README", vec![]), ("Cargo.toml", vec!["cargo-test", "cargo-clippy", "cargo-fmt"])] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(file), "").unwrap();
            let text = init_text(&proposals(dir.path()));
            fs::create_dir(dir.path().join(".windlass")).unwrap();
            fs::write(dir.path().join(".windlass/config.toml"), &text).unwrap();
            let paths = Paths { user: None, repository: Some(dir.path().to_owned()) };
            let loaded = load(&paths, &|_| None, &Flags::default()).unwrap();
            assert_eq!(loaded.config.gates.iter().map(|gate| gate.name.as_str()).collect::<Vec<_>>(), gates);
            assert_eq!((loaded.config.rounds, loaded.config.context_tokens), (5, 24_000));
            assert_eq!(loaded.warnings, []);

            // The examples are right too.
            let examples = text.lines().map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with('[') || rest.contains(" = ") && !rest.contains('·') => rest,
                _ => line,
            });
            fs::write(dir.path().join(".windlass/config.toml"), examples.collect::<Vec<_>>().join("\n")).unwrap();
            let loaded = load(&paths, &|_| None, &Flags::default()).unwrap();
            assert_eq!(loaded.config.probes.len(), 1);
            assert!(loaded.config.author.is_some());
        }
    }
}
