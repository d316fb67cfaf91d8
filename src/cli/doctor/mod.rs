//! `windlass doctor`: whether everything Windlass needs is here, and for what isn't, the exact next step.

mod models;
mod places;
mod terminal;
mod tmux;

use std::io::Write;

use serde::Serialize;

use crate::domain::visible_line;

use super::arguments::Common;
use super::failure::Failure;
use super::json;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    Ok,
    /// It works, and could work better.
    Warning,
    /// It stands in the way.
    Wrong,
}

impl Mark {
    const fn sign(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Warning => "⚠",
            Self::Wrong => "✗",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    about: &'static str,
    mark: Mark,
    says: String,
    /// What to do, line by line.
    next: Vec<String>,
}

impl Check {
    fn ok(about: &'static str, says: impl Into<String>) -> Self {
        Self { about, mark: Mark::Ok, says: says.into(), next: Vec::new() }
    }

    fn warning(about: &'static str, says: impl Into<String>, next: impl Into<String>) -> Self {
        Self { about, mark: Mark::Warning, says: says.into(), next: vec![next.into()] }
    }

    fn wrong(about: &'static str, says: impl Into<String>, next: impl Into<String>) -> Self {
        Self { mark: Mark::Wrong, ..Self::warning(about, says, next) }
    }

    /// Something wrong whose message ends in what to do.
    fn said(about: &'static str, mark: Mark, says: impl Into<String>) -> Self {
        Self { about, mark, says: says.into(), next: Vec::new() }
    }
}

/// Where checks go: to be printed as they come, or all at the end as JSON.
struct Report<'a> {
    out: &'a mut dyn Write,
    json: bool,
    checks: Vec<Check>,
}

impl Report<'_> {
    fn add(&mut self, check: Check) -> Result<(), Failure> {
        if !self.json {
            if self.checks.last().is_none_or(|last| last.about != check.about) {
                writeln!(self.out, "{}", check.about)?;
            }
            let mut says = check.says.lines();
            writeln!(self.out, "  {} {}", check.mark.sign(), visible_line(says.next().unwrap_or_default()))?;
            for line in says.chain(check.next.iter().map(String::as_str)) {
                writeln!(self.out, "      {}", visible_line(line))?;
            }
            // What comes next may take a while.
            self.out.flush()?;
        }
        self.checks.push(check);
        Ok(())
    }

    fn all(&mut self, checks: Vec<Check>) -> Result<(), Failure> {
        checks.into_iter().try_for_each(|check| self.add(check))
    }
}

/// What programs are told.
#[derive(Serialize)]
struct Told<'a> {
    ok: bool,
    checks: &'a [Check],
}

/// Looks at everything, in the order in which it is needed.
pub(super) fn run(common: &Common, json: bool, spend: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let mut report = Report { out, json, checks: Vec::new() };
    report.all(terminal::checks())?;
    report.all(tmux::checks(&common.directory))?;
    let (checks, repo) = places::git(common);
    report.all(checks)?;
    report.add(places::protection())?;
    if let Some(repo) = &repo {
        report.all(places::journal(repo))?;
    }
    let (checks, config) = places::configuration(common, repo.as_ref());
    report.all(checks)?;
    if let Some(config) = &config {
        models::check(config, spend, &mut report)?;
    }
    let wrong = report.checks.iter().filter(|check| check.mark == Mark::Wrong).count();
    if json {
        json::print(&Told { ok: wrong == 0, checks: &report.checks }, report.out)?;
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Unwell(wrong)) }
}
