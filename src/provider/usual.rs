//! What people usually have: the models behind a key, and command-line agents on `PATH`.
//!
//! Names of models age. They are proposals, tried out before they are used, and others can be typed.

use std::env;
use std::os::unix::fs::PermissionsExt;

/// A command-line agent: the prompt on standard input, the answer on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// Its program, and what a provider of it may be called.
    pub name: &'static str,
    /// Its command line; `{model}` stands for the model's name.
    pub argv: &'static [&'static str],
    /// Models it is known to take.
    pub models: &'static [&'static str],
}

const AGENTS: [Agent; 4] = [
    Agent { name: "claude", argv: &["claude", "-p", "--model", "{model}"], models: &["sonnet", "opus", "haiku"] },
    Agent {
        name: "codex",
        // It runs in an empty directory, which is no repository.
        argv: &["codex", "exec", "--skip-git-repo-check", "--model", "{model}", "-"],
        models: &["gpt-5-codex", "gpt-5"],
    },
    Agent {
        name: "gemini-cli",
        argv: &["gemini", "--model", "{model}"],
        models: &["gemini-2.5-pro", "gemini-2.5-flash"],
    },
    Agent { name: "llm", argv: &["llm", "--model", "{model}"], models: &["gpt-4o-mini"] },
];

/// The agents whose program is on `PATH`. None is started.
pub fn agents() -> Vec<Agent> {
    AGENTS.into_iter().filter(|agent| agent.argv.first().is_some_and(|program| is_on_path(program))).collect()
}

/// Whether a program of this name could be started.
pub fn is_on_path(program: &str) -> bool {
    let runs = |path: std::path::PathBuf| {
        path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|dir| runs(dir.join(program))))
}

/// Models behind the key of a vendor, by the name of its provider.
pub fn usual_models(provider: &str) -> &'static [&'static str] {
    match provider {
        "openai" => &["gpt-5", "gpt-5-mini"],
        "anthropic" => &["claude-sonnet-4-5", "claude-opus-4-1", "claude-haiku-4-5"],
        "gemini" => &["gemini-2.5-pro", "gemini-2.5-flash"],
        "openrouter" => &["openai/gpt-5", "anthropic/claude-sonnet-4.5", "google/gemini-2.5-pro"],
        "xai" => &["grok-4"],
        "deepseek" => &["deepseek-chat", "deepseek-reasoner"],
        _ => &[],
    }
}
