//! The command line: what `windlass` and each of its subcommands does, and the exit code it ends with.
//!
//! Listings read the record as it is on the disk and never take the driver's lock, so they work while a screen is open.

mod advice;
mod arguments;
mod calls;
mod cassette;
mod costs;
mod curl;
mod demo;
mod diff;
mod doctor;
mod exchange;
mod export;
mod face;
mod failure;
mod files;
mod gate;
mod init;
mod json;
mod keymap;
mod log;
mod open;
mod otlp;
mod pane;
mod record;
mod show;
mod status;
mod terminal;
mod theme;
mod trust;
mod words;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::driver::Order;
use crate::engine::{Loop, Phase};
use crate::journal;
use crate::tui::{Left, Record};

use self::arguments::{Arguments, Common, Format, Sub};
use self::failure::Failure;
use self::open::Asked;
use self::status::Form;

/// Does what these arguments say, the program's own name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help on a closed pipe has nobody left to complain to.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::USAGE));
        }
    };
    let mut out = BufWriter::new(io::stdout());
    let done = run(arguments, &mut out);
    // What was printed before an error stands before it.
    let printed = out.flush();
    done.and_then(|()| Ok(printed?)).map_or_else(|failure| failure.tell(), |()| ExitCode::SUCCESS)
}

fn run(Arguments { common, command }: Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        None => screen(&common, None, None, out),
        Some(Sub::Demo { pace }) => demo::run(&common, pace, out),
        Some(Sub::Init { yes }) => init::run(&common, yes, out),
        Some(Sub::New { goal }) => screen(&common, Some(goal), None, out),
        Some(Sub::Decide) => decide(&common, out),
        Some(Sub::Watch) => watch(&common),
        Some(Sub::Status { json, format }) => {
            let form = match format {
                Some(Format::Tmux) => Form::Tmux,
                None if json => Form::Json,
                None => Form::Text,
            };
            status::run(&common, form, out)
        }
        Some(Sub::Log { json, number }) => log::print(&common, number, json, out),
        Some(Sub::Show { id, json, curl }) => show::print(&common, &id.join(" "), form(json, curl), out),
        Some(Sub::Calls { diff: Some(ids), json, .. }) => diff::print(&common, &ids, json, out),
        Some(Sub::Calls { id, grep, json, .. }) if id.is_empty() => calls::print(&common, grep.as_deref(), json, out),
        Some(Sub::Calls { id, raw, curl, json, .. }) => calls::one(&common, &id, raw, form(json, curl), out),
        Some(Sub::Costs { by, json }) => costs::print(&common, by, json, out),
        Some(Sub::Record { ids, output }) => cassette::record(&common, &ids, &output, out),
        Some(Sub::Replay { file, timed }) => {
            let (common, goal) = cassette::played(&common, &file, timed)?;
            screen(&common, None, goal, out)
        }
        Some(Sub::Export(export)) => export::run(&common, &export, out),
        Some(Sub::Doctor { json, spend }) => doctor::run(&common, json, spend, out),
        Some(Sub::Verify) => verify(&common, out),
        Some(Sub::Gate(command)) => gate::run(&common, command, out),
        Some(Sub::Trust) => trust::run(&common, out),
        Some(Sub::Keymap { command }) => keymap::run(&common, command, out),
        Some(Sub::Theme { command }) => theme::run(&common, command, out),
    }
}

/// How something is shown that these flags ask for.
const fn form(json: bool, curl: bool) -> show::Form {
    match (json, curl) {
        (_, true) => show::Form::Curl,
        (true, _) => show::Form::Json,
        (false, false) => show::Form::Text,
    }
}

/// The screen; with a goal, a loop begins there at once. The first loop's question begins with the suggestion.
fn screen(
    common: &Common,
    goal: Option<String>,
    suggestion: Option<String>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (paths, loaded) = open::config(common, &repo)?;
    if !terminal::can_ask() {
        if goal.is_some() {
            return Err(Failure::NoTerminal("a new loop"));
        }
        status::print(&repo, &loaded, out)?;
        return Err(Failure::NoTerminal("the screen"));
    }
    let first_run = loaded.config.author.is_none() && loaded.config.critic.is_none() && goal.is_none();
    let asked = Asked::default();
    let settings = open::settings(&repo, &paths, loaded, &asked)?;
    let again = common.clone();
    let mut start = open::begin(repo, settings, move |repo| {
        let (paths, loaded) = open::config(&again, repo)?;
        open::settings(repo, &paths, loaded, &asked)
    })?;
    start.goal = suggestion;
    start.first_run = first_run;
    if let Some(goal) = goal {
        if let Record::Reading { who, .. } = start.record {
            return Err(journal::OpenError::Driven { by: who.unwrap_or_default() }.into());
        }
        start.first = Some(Order::Begin { goal, hint: None });
    }
    match face::show(start)? {
        Left::Done => Ok(()),
        Left::Demo => demo::run(common, demo::PACE, out),
    }
}

/// The decision that is awaited, alone; where none is, what is waited for instead.
fn decide(common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (paths, loaded) = open::config(common, &repo)?;
    if !terminal::can_ask() {
        return Err(Failure::NoTerminal("a decision"));
    }
    let awaits = |one: &Loop| one.open_stage().is_some_and(|stage| stage.phase == Phase::Awaiting);
    if !record::Record::read(&repo)?.state.active().is_some_and(awaits) {
        writeln!(out, "No stage waits for a decision.")?;
        return status::print(&repo, &loaded, out);
    }
    let asked = Asked::default();
    let settings = open::settings(&repo, &paths, loaded, &asked)?;
    let common = common.clone();
    let mut start = open::begin(repo, settings, move |repo| {
        let (paths, loaded) = open::config(&common, repo)?;
        open::settings(repo, &paths, loaded, &asked)
    })?;
    if let Record::Reading { who, .. } = start.record {
        let by = who.unwrap_or_default();
        // One hand decides. A popup over another window leads to it.
        return match pane::go_to(&by, start.repo.top()) {
            Some(pane) => Ok(writeln!(out, "{by} drives in pane {pane}, which is in front now.")?),
            None => Err(journal::OpenError::Driven { by }.into()),
        };
    }
    start.decide = true;
    face::show(start).map(drop)
}

/// The screen of somebody who looks on.
fn watch(common: &Common) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (paths, loaded) = open::config(common, &repo)?;
    if !terminal::can_ask() {
        return Err(Failure::NoTerminal("watching"));
    }
    let asked = Asked::default();
    let settings = open::settings(&repo, &paths, loaded, &asked)?;
    let common = common.clone();
    let start = open::watch(repo, settings, move |repo| {
        let (paths, loaded) = open::config(&common, repo)?;
        open::settings(repo, &paths, loaded, &asked)
    })?;
    face::show(start).map(drop)
}

fn verify(common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
    let verified = journal::verify(&open::repo(common)?.private_dir()?)?;
    let (rows, head) = (verified.rows, verified.head);
    writeln!(out, "{rows} rows, every one as it was written; the last is {} {}", head.seq, head.hash)?;
    Ok(())
}
