//! `windlass gate add`: gates that suit the repository, shown, and written down after a yes.

use std::io::Write;

use crate::config::{Proposal, add_gates, proposals};
use crate::domain::{GateDef, visible_line};

use super::super::arguments::Common;
use super::super::failure::Failure;
use super::super::words::count;
use super::super::{open, terminal};

/// Proposes what isn't there yet.
pub(super) fn run(common: &Common, yes: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (paths, loaded) = open::config(common, &repo)?;
    let Some(file) = paths.repository_file() else { return Ok(()) };
    let there = &loaded.config.gates;
    let (new, known): (Vec<Proposal>, Vec<Proposal>) =
        proposals(repo.top()).into_iter().partition(|one| !there.iter().any(|gate| is_same(gate, one)));
    for one in &known {
        writeln!(out, "there already: {}", one.name)?;
    }
    if new.is_empty() {
        writeln!(
            out,
            "Nothing more is found that a gate could be made of. Any command can be one: write it as [[gate]] into .windlass/config.toml."
        )?;
        return Ok(());
    }
    let lines: Vec<String> = new.iter().map(Proposal::toml).collect();
    writeln!(out, "Lines to add to .windlass/config.toml:")?;
    for (one, lines) in new.iter().zip(&lines) {
        writeln!(out, "\n  because of {}:", visible_line(&one.because))?;
        for line in lines.lines() {
            writeln!(out, "    {}", visible_line(line))?;
        }
    }
    writeln!(out)?;
    if !yes && !terminal::can_ask() {
        writeln!(out, "Nothing was added. Add them yourself, or run: windlass gate add --yes")?;
        return Ok(());
    }
    if !yes && !matches!(terminal::ask("Add them? [y/n]", out)?.as_str(), "y" | "Y" | "yes") {
        writeln!(out, "Nothing was added.")?;
        return Ok(());
    }
    add_gates(&file, &lines.join("\n"))?;
    writeln!(out, "Added {}. Next: read them, windlass trust, then windlass gate run.", count(new.len(), "gate"))?;
    Ok(())
}

/// Whether a gate has the proposal's name, or does the same.
fn is_same(gate: &GateDef, proposal: &Proposal) -> bool {
    gate.name == proposal.name || gate.command().is_some_and(|command| command.argv == proposal.argv())
}
