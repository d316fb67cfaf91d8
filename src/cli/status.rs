//! `windlass status`: where the work stands and what it waits for; for people, programs and status bars.

use std::io::Write;

use serde::Serialize;

use crate::config::{ConfigError, Loaded};
use crate::domain::{CommitId, Disposition, Severity, visible_line};
use crate::engine::{Landing, Loop, Phase, Stage, State, Status};
use crate::repo::Repo;

use super::arguments::Common;
use super::failure::Failure;
use super::record::Record;
use super::words::count;
use super::{json, open};

/// How it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Tmux,
}

#[derive(Debug, Serialize)]
struct Told {
    repository: String,
    branch: Option<String>,
    driver: Option<String>,
    trusted: Option<bool>,
    #[serde(rename = "loop")]
    current: Option<Current>,
    awaits_human: bool,
    next: String,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Current {
    number: u32,
    goal: String,
    status: &'static str,
    base: String,
    branch: Option<String>,
    stage: String,
    stage_number: usize,
    stages: usize,
    phase: &'static str,
    revision: Option<u32>,
    by: Option<String>,
    findings: Findings,
    gates: Vec<Gate>,
    commit: Option<String>,
    left: Option<String>,
}

/// Open findings, by severity.
#[derive(Debug, Default, Serialize)]
struct Findings {
    blocker: usize,
    major: usize,
    minor: usize,
    note: usize,
}

#[derive(Debug, Serialize)]
struct Gate {
    name: String,
    enforcement: &'static str,
    verdict: Option<&'static str>,
    overridden: bool,
}

/// Prints the status of the repository that the arguments mean.
pub(super) fn run(common: &Common, form: Form, out: &mut dyn Write) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    if form == Form::Tmux {
        let record = Record::read(&repo)?;
        return tmux(&record, out);
    }
    // A broken configuration doesn't hide the record.
    let loaded = open::config(common, &repo);
    let told = told(&repo, loaded.as_ref().map(|(_, loaded)| loaded))?;
    match form {
        Form::Json => json::print(&told, out)?,
        Form::Text | Form::Tmux => told.print(out)?,
    }
    loaded.map(|_| ()).map_err(Failure::from)
}

/// Prints the status for people.
pub(super) fn print(repo: &Repo, loaded: &Loaded, out: &mut dyn Write) -> Result<(), Failure> {
    told(repo, Ok(loaded))?.print(out)
}

impl Told {
    fn print(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let on = self.branch.as_deref().map_or_else(|| "no branch".to_owned(), |branch| format!("branch {branch}"));
        let mut lines = vec![format!("{}, on {on}", self.repository)];
        if let Some(current) = &self.current {
            lines.extend(current.lines());
        }
        lines.push(format!("next: {}", self.next));
        if let Some(driver) = &self.driver {
            lines.push(format!("open in another windlass: {driver}"));
        }
        if self.trusted == Some(false) {
            lines.push("the repository's commands are not trusted as they are now: windlass trust".to_owned());
        }
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        for line in lines {
            writeln!(out, "{}", visible_line(&line))?;
        }
        Ok(())
    }
}

/// One short line; nothing while no loop is active.
fn tmux(record: &Record, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(one) = record.state.active() else { return Ok(()) };
    let current = Current::of(one);
    let phase = if one.status == Status::Active { current.phase } else { current.status };
    let mark = if next(&record.state, record.driver.is_some()).0 { "!" } else { "" };
    let Current { number, stage, stage_number, stages, .. } = &current;
    let line = format!("loop {number} {stage} {stage_number}/{stages} {phase}{mark}");
    // To tmux "#" begins a command or a style; "##" is the sign itself.
    Ok(writeln!(out, "{}", visible_line(&line).replace('#', "##"))?)
}

fn told(repo: &Repo, loaded: Result<&Loaded, &ConfigError>) -> Result<Told, Failure> {
    let Record { state, driver, .. } = Record::read(repo)?;
    let (awaits_human, next) = next(&state, driver.is_some());
    let (config, warnings) = match loaded {
        Ok(Loaded { config, warnings }) => {
            let mut warnings = open::lines(warnings);
            warnings.extend(open::unusable(config));
            (Some(config), warnings)
        }
        // What is wrong with it is said once, as the error that the command ends with.
        Err(_) => (None, Vec::new()),
    };
    let commands = config.filter(|config| !config.gates.is_empty() || !config.probes.is_empty());
    let digest = commands.and_then(|config| config.commands_digest);
    let current = state.active().or_else(|| state.loops.values().next_back());
    Ok(Told {
        repository: open::name(repo),
        branch: repo.branch()?,
        driver,
        trusted: digest.map(|digest| state.trusted.contains(&digest)),
        current: current.map(Current::of),
        awaits_human,
        next,
        warnings,
    })
}

/// Whether a human is waited for, and what comes next.
fn next(state: &State, driven: bool) -> (bool, String) {
    let begin = "begin one: windlass new \"GOAL\"";
    let Some(one) = state.active() else {
        let parked = state.loops.values().rev().find(|one| one.status == Status::Parked);
        let parked = parked.map(|one| format!("loop {} is parked; resume it in windlass, or {begin}", one.id));
        return (false, parked.unwrap_or_else(|| format!("no loop is active; {begin}")));
    };
    let stage = one.open_stage().map_or("", |stage| stage.spec.id.as_str());
    let phase = one.open_stage().map_or(Phase::Closed, |stage| stage.phase);
    match (&one.status, phase) {
        (Status::Landing(Landing { failed: Some(why) }), _) => {
            (true, format!("landing failed: {why}; open windlass and try again"))
        }
        (_, Phase::Ready) => {
            (true, format!("look at what the author of the {stage} will read, and send it, in windlass"))
        }
        (_, Phase::Awaiting) => (true, format!("decide on the {stage} in windlass")),
        _ if driven => (false, format!("wait: the {stage} is {}", doing(one, phase))),
        _ => (true, format!("open windlass: it ended while the {stage} was {}, and picks that up", doing(one, phase))),
    }
}

fn doing(one: &Loop, phase: Phase) -> &'static str {
    if one.status == Status::Active { phase.name() } else { one.status.name() }
}

impl Current {
    fn of(one: &Loop) -> Self {
        let open = one.open_stage();
        let revision = open.and_then(Stage::revision);
        let (commit, left) = match &one.status {
            Status::Landed { commit, left } => (Some(CommitId::to_string(commit)), left.clone()),
            _ => (None, None),
        };
        Self {
            number: one.id.0,
            goal: one.goal.clone(),
            status: one.status.name(),
            base: one.base.to_string(),
            branch: one.branch.clone(),
            stage: open.map_or_else(String::new, |stage| stage.spec.id.clone()),
            stage_number: one.open.number(),
            stages: one.stages.len(),
            phase: open.map_or("", |stage| stage.phase.name()),
            revision: revision.map(|revision| revision.ordinal),
            by: revision.map(|revision| revision.origin.writer().to_owned()),
            findings: open.map_or_else(Findings::default, Findings::of),
            gates: open.map_or_else(Vec::new, |stage| gates(one, stage)),
            commit,
            left,
        }
    }

    fn lines(&self) -> Vec<String> {
        let Self { number, stage, stage_number, stages, phase, status, .. } = self;
        let place = match (*status, &self.commit, &self.left) {
            ("active", ..) => format!("stage {stage_number} of {stages}, {stage}: {phase}"),
            ("landed", Some(commit), None) => format!("landed as {commit}"),
            ("landed", Some(commit), Some(left)) => format!("landed as {commit}, not on your branch: {left}"),
            (status, ..) => format!("{status}, at stage {stage_number} of {stages}, {stage}"),
        };
        let mut lines = vec![format!("loop {number}, {place}"), format!("goal: {}", self.goal)];
        if let (Some(revision), Some(by), "active") = (self.revision, &self.by, *status) {
            let Findings { blocker, major, minor, note } = self.findings;
            let findings = [(blocker, "blocker"), (major, "major"), (minor, "minor"), (note, "note")];
            let findings: Vec<_> =
                findings.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
            let findings = if findings.is_empty() { "none".to_owned() } else { findings.join(", ") };
            lines.push(format!("revision {revision} by {by}; open findings: {findings}"));
            let gates: Vec<_> = self.gates.iter().map(|gate| format!("{} {}", gate.name, gate.word())).collect();
            lines.push(format!("{}: {}", count(gates.len(), "gate"), gates.join(", ")));
        }
        lines
    }
}

impl Gate {
    fn word(&self) -> &'static str {
        match (self.verdict, self.overridden) {
            (_, true) => "overridden",
            (Some(verdict), false) => verdict,
            (None, false) => "not run",
        }
    }
}

impl Findings {
    fn of(stage: &Stage) -> Self {
        let findings = stage.current_critique().map_or(&[][..], |critique| &critique.findings);
        let open = |severity: Severity| {
            findings.iter().filter(|f| f.severity == severity && f.disposition == Disposition::Open).count()
        };
        Self {
            blocker: open(Severity::Blocker),
            major: open(Severity::Major),
            minor: open(Severity::Minor),
            note: open(Severity::Note),
        }
    }
}

fn gates(one: &Loop, stage: &Stage) -> Vec<Gate> {
    let gates = one.gates(one.open).into_iter();
    gates
        .map(|gate| Gate {
            verdict: stage.fresh_run(&gate).map(|run| run.verdict.name()),
            overridden: stage.fresh_override(&gate.name).is_some(),
            enforcement: gate.enforcement.name(),
            name: gate.name,
        })
        .collect()
}
