//! `windlass trust`: a human reads the repository's commands and lets Windlass run exactly these.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Config;
use crate::domain::{CommandSpec, Enforcement, Reach, Timestamp, visible_line};
use crate::engine::{Command, decide};
use crate::gate::guard::Guard;
use crate::journal::Journal;

use super::arguments::Common;
use super::failure::Failure;
use super::record::{Record, replay};
use super::{open, terminal};

/// Shows the commands, and records the trust of a human at the terminal.
pub(super) fn run(common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (_, loaded) = open::config(common, &repo)?;
    let config = loaded.config;
    let Some(digest) = config.commands_digest else {
        writeln!(
            out,
            "This repository's .windlass/config.toml names no commands, so there is nothing to trust. `windlass init` makes one."
        )?;
        return Ok(());
    };
    for line in commands(&config) {
        writeln!(out, "{}", visible_line(&line))?;
    }
    writeln!(out, "\nThis is .windlass/config.toml with digest {digest}.")?;
    if Record::read(&repo)?.state.trusted.contains(&digest) {
        writeln!(out, "It is trusted already.")?;
        return Ok(());
    }
    out.flush()?;
    if !terminal::can_ask() {
        return Err(Failure::NoTerminal("trusting commands"));
    }
    // Taken before the question: an answer that can't be recorded shouldn't be asked for.
    let (mut journal, events) = Journal::open(&repo.private_dir()?)?;
    let guard = Guard::new(config.sandbox).words(&Reach::default());
    writeln!(out, "They run as you, and so does whatever they call in a change. Around each: {guard}.")?;
    let answer = terminal::ask("Trust exactly these? Type \"trust\" to do so:", out)?;
    if answer != "trust" {
        writeln!(out, "Nothing was trusted.")?;
        return Ok(());
    }
    let now = now();
    let events = decide(&replay(&events)?, Command::Trust { config: digest, by: repo.person() }, now)?;
    journal.append(now, events)?;
    writeln!(out, "Trusted, until the file changes.")?;
    Ok(())
}

/// Every command, with all that decides what it does.
fn commands(config: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    for gate in &config.gates {
        if let Some(spec) = gate.command() {
            let advisory = if gate.enforcement == Enforcement::Advisory { ", advisory" } else { "" };
            lines.push(format!("gate {}: {}{advisory}", gate.name, written(spec)));
        }
    }
    lines.extend(config.probes.iter().map(|probe| format!("probe {}: {}", probe.name, written(&probe.spec))));
    if lines.is_empty() {
        lines.push("It has no commands.".to_owned());
    }
    lines
}

/// The words apart from each other, quoted where that isn't plain, then where and how it runs.
fn written(spec: &CommandSpec) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    let word =
        |word: &String| if !word.is_empty() && word.chars().all(plain) { word.clone() } else { format!("{word:?}") };
    let words: Vec<String> = spec.argv.iter().map(word).collect();
    let mut line = words.join(" ");
    if !spec.dir.is_empty() {
        line.push_str(&format!(", in {}", spec.dir));
    }
    if !spec.env.is_empty() {
        line.push_str(&format!(", given {}", spec.env.join(", ")));
    }
    if !spec.reach.runner.is_empty() {
        let runner: Vec<String> = spec.reach.runner.iter().map(word).collect();
        line.push_str(&format!(", BY WAY OF {}", runner.join(" ")));
    }
    if spec.reach.network {
        line.push_str(", WITH THE NETWORK");
    }
    if !spec.reach.writable.is_empty() {
        line.push_str(&format!(", WRITING IN {}", spec.reach.writable.join(", ")));
    }
    format!("{line}, at most {} s", spec.timeout_s)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
