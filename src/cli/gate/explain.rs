//! `windlass gate explain`: what a gate is, which line says so, what it needs, and what it said last.

use std::env;
use std::io::Write;
use std::path::Path;

use crate::config::{Config, gate_source};
use crate::domain::{CheckKind, GateDef, GateKind, GateRun, LoopId, visible_line};
use crate::engine::{Event, State};
use crate::gate::builtin::BUILTINS;
use crate::gate::guard::Guard;

use super::super::arguments::Common;
use super::super::failure::Failure;
use super::super::open;
use super::super::record::Record;
use super::super::words::{columns, duration, local};
use super::report;
use super::run::find;

/// How many of its runs are shown.
const RUNS: usize = 5;

/// Explains the gate of this name.
pub(super) fn run(common: &Common, name: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (paths, loaded) = open::config(common, &repo)?;
    let config = loaded.config;
    let record = Record::read(&repo)?;
    let mut lines = Vec::new();
    if let Some(builtin) = BUILTINS.iter().find(|builtin| builtin.name == name) {
        lines.push(format!("{name}: a gate of Windlass itself"));
        lines.push(format!("asks: {}", builtin.doc));
    } else {
        let gate = find(&config.gates, name)?;
        lines.push(format!("{name}: a gate of kind {}, {}", report::kind(gate), gate.enforcement.name()));
        lines.push(format!("asks: {}", asks(gate)));
        lines.push("settings:".to_owned());
        for (key, value, place) in gate_source(&paths, name).unwrap_or_default() {
            let line = place.at.map_or_else(String::new, |(line, _)| format!(":{line}"));
            let value: Vec<&str> = value.lines().map(str::trim).collect();
            lines.push(format!("  {}{line}  {key} = {}", place.source, value.join(" ")));
        }
        lines.push("needs:".to_owned());
        lines.extend(needs(gate, &config, &record.state, repo.top()).into_iter().map(|need| format!("  {need}")));
    }
    lines.push("last runs:".to_owned());
    for line in lines {
        writeln!(out, "{}", visible_line(&line))?;
    }
    let runs = runs(&record, name);
    if runs.is_empty() {
        writeln!(out, "  none in a loop of this repository")?;
    }
    Ok(columns(&runs, out)?)
}

/// What a gate asks, in a sentence.
fn asks(gate: &GateDef) -> &'static str {
    let GateKind::Check(check) = &gate.kind else { return "does the command end with exit code 0?" };
    match check.kind {
        CheckKind::Junit => "do all tests of the report pass, and are they no fewer than on the base?",
        CheckKind::Sarif => "are there no findings that the base hasn't?",
        CheckKind::Cargo => "are there no errors, and no warnings that the base hasn't?",
        CheckKind::Coverage => "do tests reach the changed lines, and the whole no less than before?",
        CheckKind::Bench => "is it no slower than the base, beyond doubt?",
        CheckKind::Health => "do all the services answer?",
        CheckKind::Contract => "does no contract between services break?",
        CheckKind::Deps => "do lock files gain no more packages and sources than allowed?",
        CheckKind::Budget => "is the change no larger than allowed?",
        CheckKind::Secrets => "does the change add no keys or passwords?",
        CheckKind::Arch => "are there no new imports that a rule forbids, and no new circles?",
        CheckKind::Policy => "does no policy deny it?",
    }
}

fn needs(gate: &GateDef, config: &Config, state: &State, top: &Path) -> Vec<String> {
    let mut needs = Vec::new();
    let trusted = config.commands_digest.is_none_or(|digest| state.trusted.contains(&digest));
    let trust = if trusted { "given" } else { "not given: windlass trust" };
    needs.push(format!("trust of .windlass/config.toml as it is now: {trust}"));
    needs.extend(gate.rules.needs.iter().map(|need| format!("gate {need}, satisfied")));
    if !gate.rules.applies_if.is_empty() {
        needs.push(format!("a change in {}", gate.rules.applies_if.join(", ")));
    }
    if gate.rules.weight > 1 {
        needs.push(format!("{} places of those that gates share", gate.rules.weight));
    }
    let Some(command) = gate.command() else { return needs };
    if let Some(program) = command.reach.runner.first() {
        needs.push(format!("the runner {program}: {}", found(program, top)));
        needs.push("there: a POSIX sh, git, head and mktemp; setsid, to end what the command leaves".to_owned());
    } else if let Some(program) = command.argv.first() {
        needs.push(format!("{program}: {}", found(program, &top.join(&command.dir))));
    }
    for name in &command.env {
        let is = if env::var_os(name).is_some() { "set" } else { "not set" };
        needs.push(format!("the variable {name}: {is}"));
    }
    needs.push(format!("at most {} s", command.timeout_s));
    needs.push(format!("around it: {}", Guard::new(config.sandbox).words(&command.reach)));
    needs
}

/// Where a program is.
fn found(program: &str, dir: &Path) -> String {
    if program.contains('/') {
        let is = dir.join(program).is_file();
        return if is { "in the checkout" } else { "not in the checkout" }.to_owned();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file());
    found.map_or_else(|| "not on PATH".to_owned(), |file| file.display().to_string())
}

/// Its last runs, the latest first.
fn runs(record: &Record, name: &str) -> Vec<Vec<String>> {
    let runs = record.events.iter().rev().filter_map(|recorded| match &recorded.event {
        Event::GateFinished { id, run, .. } if run.gate == name => Some((id, run)),
        _ => None,
    });
    let row = |(id, run): (&LoopId, &GateRun)| {
        let verdict = run.verdict.name().to_owned();
        let summary = visible_line(&run.summary).into_owned();
        vec![format!("  {}", local(run.started)), format!("loop {id}"), verdict, duration(run.duration_ms), summary]
    };
    runs.take(RUNS).map(row).collect()
}
