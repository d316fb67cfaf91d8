//! The command line: what `windlass` and each of its subcommands does, and the exit code it ends with.
//!
//! Listings read the record as it is on the disk and never take the driver's lock, so they work while a screen is open.

mod advice;
mod arguments;
mod calls;
mod curl;
mod demo;
mod exchange;
mod failure;
mod init;
mod json;
mod log;
mod open;
mod record;
mod search;
mod show;
mod status;
mod terminal;
mod trust;
mod words;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::driver::Order;
use crate::journal;
use crate::tui::{self, Record};

use self::arguments::{Arguments, Common, Format, Sub};
use self::failure::Failure;
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
        None => screen(&common, None, out),
        Some(Sub::Demo { pace }) => demo::run(&common, pace, out),
        Some(Sub::Init { yes }) => init::run(&common, yes, out),
        Some(Sub::New { goal }) => screen(&common, Some(goal), out),
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
        Some(Sub::Show { id, json, curl }) => {
            let form = match (json, curl) {
                (_, true) => show::Form::Curl,
                (true, _) => show::Form::Json,
                (false, false) => show::Form::Text,
            };
            show::print(&common, &id.join(" "), form, out)
        }
        Some(Sub::Calls { json, grep }) => calls::print(&common, grep.as_deref(), json, out),
        Some(Sub::Verify) => verify(&common, out),
        Some(Sub::Trust) => trust::run(&common, out),
    }
}

/// The screen; with a goal, a loop begins there at once.
fn screen(common: &Common, goal: Option<String>, out: &mut dyn Write) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (paths, loaded) = open::config(common, &repo)?;
    if !terminal::is_there() {
        if goal.is_some() {
            return Err(Failure::NoTerminal("a new loop"));
        }
        status::print(&repo, Ok(&loaded), out)?;
        return Err(Failure::NoTerminal("the screen"));
    }
    let settings = open::settings(&repo, &paths, loaded)?;
    let common = common.clone();
    let mut start = open::begin(repo, settings, move |repo| {
        let (paths, loaded) = open::config(&common, repo)?;
        open::settings(repo, &paths, loaded)
    })?;
    if let Some(goal) = goal {
        if let Record::Reading { who, .. } = start.record {
            return Err(journal::OpenError::Driven { by: who.unwrap_or_default() }.into());
        }
        start.first = Some(Order::Begin { goal, hint: None });
    }
    Ok(tui::run(start)?)
}

/// The screen of somebody who looks on.
fn watch(common: &Common) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (paths, loaded) = open::config(common, &repo)?;
    if !terminal::is_there() {
        return Err(Failure::NoTerminal("watching"));
    }
    let settings = open::settings(&repo, &paths, loaded)?;
    let common = common.clone();
    let start = open::watch(repo, settings, move |repo| {
        let (paths, loaded) = open::config(&common, repo)?;
        open::settings(repo, &paths, loaded)
    })?;
    Ok(tui::run(start)?)
}

fn verify(common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
    let verified = journal::verify(&open::repo(common)?.private_dir()?)?;
    let (rows, head) = (verified.rows, verified.head);
    writeln!(out, "{rows} rows, every one as it was written; the last is {} {}", head.seq, head.hash)?;
    Ok(())
}
