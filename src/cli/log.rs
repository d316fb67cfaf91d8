//! `windlass log`: what happened, one line per event.

use std::io::Write;

use serde::Serialize;

use crate::domain::{CommitId, LoopId, StageIndex, Verb, visible_line};
use crate::engine::{Event, Recorded, State, Trouble};

use super::arguments::Common;
use super::failure::Failure;
use super::record::Record;
use super::words::{count, end, local, stage, utc};
use super::{json, open};

#[derive(Debug, Serialize)]
struct Row {
    seq: u64,
    at: String,
    #[serde(rename = "loop")]
    number: Option<u32>,
    stage: Option<String>,
    event: &'static str,
    text: String,
}

/// Prints the events, all or those of one loop.
pub(super) fn print(common: &Common, only: Option<u32>, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let Record { events, state, .. } = Record::read(&open::repo(common)?)?;
    if let Some(number) = only.filter(|number| !state.loops.contains_key(&LoopId(*number))) {
        return Err(Failure::Nothing { what: "loop", number: number.into() });
    }
    let rows = events.iter().map(|recorded| (recorded, loop_of(&recorded.event, &state)));
    let rows = rows.filter(|(_, id)| only.is_none_or(|only| *id == Some(LoopId(only))));
    if as_json {
        let rows: Vec<Row> = rows.map(|(recorded, id)| row(recorded, id, &state, utc(recorded.at))).collect();
        return json::print(&rows, out);
    }
    if events.is_empty() {
        writeln!(out, "Nothing has happened yet.")?;
    }
    for (recorded, id) in rows {
        let Row { seq, at, number, stage, event, text } = row(recorded, id, &state, local(recorded.at));
        let place = number.map_or_else(String::new, |number| number.to_string());
        let place = stage.map_or_else(|| place.clone(), |stage| format!("{place} {stage}"));
        let text = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
        let line = format!("{seq:>5}  {at}  {place:<13}  {event:<15}  {text}");
        writeln!(out, "{}", visible_line(line.trim_end()))?;
    }
    Ok(())
}

fn row(recorded: &Recorded, id: Option<LoopId>, state: &State, at: String) -> Row {
    let (event, index, text) = told(&recorded.event, state);
    let stage = id.zip(index).and_then(|(id, index)| stage(state, id, index)).map(str::to_owned);
    Row { seq: recorded.seq, at, number: id.map(|id| id.0), stage, event, text }
}

fn loop_of(event: &Event, state: &State) -> Option<LoopId> {
    match event {
        Event::Answered { exchange, .. } => state.exchanges.get(exchange).map(|info| info.id),
        event => event.loop_id(),
    }
}

/// The event's name, its stage, and what it says.
fn told(event: &Event, state: &State) -> (&'static str, Option<StageIndex>, String) {
    match event {
        Event::Trusted { config, by } => ("trusted", None, format!("configuration {}, by {}", config.short(), by.0)),
        Event::Begun { goal, base, branch, by, .. } => {
            let branch = branch.as_deref().unwrap_or("no branch");
            ("begun", None, format!("{goal:?} on {branch} at {}, by {}", base.short(), by.0))
        }
        Event::Configured { setup, .. } => {
            let name = |model: &Option<_>| model.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
            let (author, critic) = (name(&setup.author), name(&setup.critic));
            let changes = setup.change_author.as_ref().map_or_else(String::new, |one| format!(", changes by {one}"));
            (
                "configured",
                None,
                format!("author {author}{changes}, critic {critic}, {}", count(setup.gates.len(), "command gate")),
            )
        }
        Event::Prepared { stage, items, measurement, unmeasured, .. } => {
            let measured = match (measurement, unmeasured) {
                (Some(_), _) => ", measured".to_owned(),
                (None, Some(why)) => format!(", not measured: {why}"),
                (None, None) => String::new(),
            };
            ("prepared", Some(*stage), format!("{}{measured}", count(items.len(), "context item")))
        }
        Event::ContextChosen { stage, name, included, .. } => {
            let verb = if *included { "keeps" } else { "drops" };
            ("context-chosen", Some(*stage), format!("{verb} {name}"))
        }
        Event::ModelChosen { stage, role, model, by, .. } => {
            ("model-chosen", Some(*stage), format!("{} {model}, by {}", role.name(), by.0))
        }
        Event::DraftBegun { stage, .. } => ("draft-begun", Some(*stage), String::new()),
        Event::Asked { exchange, stage, role, finding, model, prompt, .. } => {
            let about = finding.map_or_else(String::new, |finding| format!(", on finding {}", finding + 1));
            let text =
                format!("exchange {exchange}: {} {model}, {}@{}{about}", role.name(), prompt.name, prompt.version);
            ("asked", Some(*stage), text)
        }
        Event::Answered { exchange, end: how, .. } => {
            let stage = state.exchanges.get(exchange).map(|info| info.stage);
            let (word, why) = end(how);
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            ("answered", stage, format!("exchange {exchange}: {word}{why}"))
        }
        Event::Drafted { stage, revision, .. } => {
            let (ordinal, by, id) = (revision.ordinal, revision.origin.writer(), revision.id.short());
            ("drafted", Some(*stage), format!("revision {ordinal} by {by}, {id}"))
        }
        Event::DraftFailed { stage, trouble, .. } => ("draft-failed", Some(*stage), why_not(trouble)),
        Event::Written { stage, by, .. } => ("written", Some(*stage), format!("by {}", by.0)),
        Event::WorktreeTaken { stage, by, .. } => ("worktree-taken", Some(*stage), format!("by {}", by.0)),
        Event::Critiqued { stage, critique, .. } => {
            let text = format!("{} by {}", count(critique.findings.len(), "finding"), critique.model);
            ("critiqued", Some(*stage), text)
        }
        Event::CritiqueFailed { stage, why, .. } => ("critique-failed", Some(*stage), why.clone()),
        Event::GateFinished { stage, run, .. } => {
            ("gate-finished", Some(*stage), format!("{}: {}, {}", run.gate, run.verdict.name(), run.summary))
        }
        Event::RerunAsked { stage, gates, critique, .. } => {
            let critique = critique.then(|| "critique".to_owned());
            let what: Vec<String> = gates.iter().cloned().chain(critique).collect();
            ("rerun-asked", Some(*stage), what.join(", "))
        }
        Event::Dismissed { stage, finding, reason, by, .. } => {
            ("dismissed", Some(*stage), format!("finding {}: {reason}, by {}", finding + 1, by.0))
        }
        Event::Questioned { stage, finding, to, question, by, .. } => {
            let text = format!("finding {}: {} asks the {}: {question}", finding + 1, by.0, to.name());
            ("questioned", Some(*stage), text)
        }
        Event::Replied { stage, finding, exchange, .. } => {
            ("replied", Some(*stage), format!("finding {}: answered in exchange {exchange}", finding + 1))
        }
        Event::ReplyFailed { stage, finding, why, .. } => {
            ("reply-failed", Some(*stage), format!("finding {}: {why}", finding + 1))
        }
        Event::Overridden { stage, by, .. } => {
            ("overridden", Some(*stage), format!("{}: {}, by {}", by.gate, by.reason, by.by.0))
        }
        Event::Decided { stage, decision, .. } => {
            let verb = match decision.verb {
                Verb::Approve => "approved",
                Verb::Revise => "sent back",
                Verb::Abandon => "abandoned",
            };
            let reason = decision.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            let text = format!("{verb} by {} on evidence {}{reason}", decision.by.0, decision.evidence.short());
            ("decided", Some(*stage), text)
        }
        Event::TakenBack { stage, .. } => ("taken-back", Some(*stage), "the draft that was sent back".to_owned()),
        Event::CancelAsked { .. } => ("cancel-asked", None, String::new()),
        Event::Reopened { stage, reason, by, .. } => ("reopened", Some(*stage), format!("{reason}, by {}", by.0)),
        Event::Parked { by, .. } => ("parked", None, format!("by {}", by.0)),
        Event::Resumed { by, .. } => ("resumed", None, format!("by {}", by.0)),
        Event::Landed { commit, left, .. } => {
            let left = left.as_ref().map_or_else(String::new, |left| format!("; {left}"));
            ("landed", None, format!("commit {}{left}", CommitId::short(commit)))
        }
        Event::LandingFailed { why, .. } => ("landing-failed", None, why.clone()),
        Event::LandingRetried { .. } => ("landing-retried", None, String::new()),
        Event::Recovered => ("recovered", None, "windlass was started again".to_owned()),
    }
}

fn why_not(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Call(why) | Trouble::Stopped(why) => why.clone(),
        Trouble::Malformed { missing, .. } => format!("malformed reply: {}", missing.join("; ")),
        Trouble::Patch { problems, .. } => format!("the patch doesn't apply: {}", problems.join("; ")),
    }
}
