//! `windlass gate run`: which gates, on what, and whether they may run at all.

use std::io::{self, Write};

use tokio::runtime::Builder;

use crate::config::{Config, suggestion};
use crate::domain::{Change, CommitId, Digest, GateDef, GateRun, Reach, visible, visible_line};
use crate::driver::{Round, Turnstile, run_gates};
use crate::engine::State;
use crate::gate::guard::Guard;
use crate::journal::{self, Journal};
use crate::repo::Repo;

use super::super::arguments::Common;
use super::super::failure::Failure;
use super::super::open;
use super::super::record::{Record, replay};
use super::super::words::{count, duration};
use super::RunArgs;
use super::report::{self, Judged};

/// Runs them, and says what they say.
pub(super) fn run(common: &Common, args: &RunArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let repo = open::repo(common)?;
    let (_, loaded) = open::config(common, &repo)?;
    let config = loaded.config;
    let gates = chosen(&config.gates, &args.names)?;
    let tree = repo.commit_named(&args.tree)?;
    let base = base(&repo, args, &tree)?;
    // Who starts a screen meanwhile reads along: beginning to drive, it would end processes that it takes for leftovers.
    // Where somebody drives already, nobody begins to.
    let (_driving, state) = match Journal::open(&repo.private_dir()?) {
        Ok((journal, events)) => (Some(journal), replay(&events)?),
        Err(journal::OpenError::Driven { .. }) => (None, Record::read(&repo)?.state),
        Err(error) => return Err(error.into()),
    };
    may_run(&repo, &config, &state, args.trust_config, &base)?;
    let change = repo.change(&base, &repo.tree_of(&tree)?, Vec::new())?;
    let guard = Guard::new(config.sandbox);
    let is_text = !(args.json || args.junit || args.sarif);
    if is_text {
        begin(&repo, &tree, &change, guard, out)?;
        elsewhere(&gates, guard, out)?;
    }
    let alone = Turnstile::pass(&repo, || {
        // On standard error, for the other holds a report that programs read.
        let _ = writeln!(io::stderr(), "waiting for another `windlass gate run` in this repository");
    })?;
    let round = Round { gates: gates.clone(), schedule: config.schedule, guard, change: change.clone() };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut printed = Ok(());
    let tell = |run: &GateRun| {
        if is_text && printed.is_ok() {
            printed = line(&gates, run, out);
        }
    };
    let runs = runtime.block_on(run_gates(&repo, &alone, round, &state, tell))?;
    printed?;
    let judged = Judged { tree: &tree, change: &change, answers: gates.iter().zip(&runs).collect() };
    let unsatisfied = judged.answers.iter().filter(|(gate, run)| report::stops(gate, run)).count();
    if args.json {
        report::json(&judged, out)?;
    } else if args.junit {
        report::junit(&judged, out)?;
    } else if args.sarif {
        report::sarif(&judged, out)?;
    } else {
        let satisfied = runs.iter().filter(|run| run.verdict.satisfies()).count();
        writeln!(out, "{satisfied} of {} satisfied", count(runs.len(), "gate"))?;
    }
    if unsatisfied > 0 { Err(Failure::Gates(unsatisfied)) } else { Ok(()) }
}

/// The gates of these names and all that they need, in the order of the file; every gate without names.
fn chosen(gates: &[GateDef], names: &[String]) -> Result<Vec<GateDef>, Failure> {
    if gates.is_empty() {
        let next = "`windlass gate add` proposes some";
        return Err(Failure::NoGate(format!(".windlass/config.toml has no gates; {next}")));
    }
    let mut wanted: Vec<&str> = Vec::new();
    let mut next: Vec<&str> = names.iter().map(String::as_str).collect();
    while let Some(name) = next.pop() {
        let gate = find(gates, name)?;
        if !wanted.contains(&name) {
            wanted.push(name);
            next.extend(gate.rules.needs.iter().map(String::as_str));
        }
    }
    Ok(gates.iter().filter(|gate| names.is_empty() || wanted.contains(&gate.name.as_str())).cloned().collect())
}

/// The gate of this name.
pub(super) fn find<'a>(gates: &'a [GateDef], name: &str) -> Result<&'a GateDef, Failure> {
    gates.iter().find(|gate| gate.name == name).ok_or_else(|| {
        let hint = suggestion(name, gates.iter().map(|gate| gate.name.as_str()));
        Failure::NoGate(format!("there is no gate {name:?} in .windlass/config.toml; {hint}"))
    })
}

fn base(repo: &Repo, args: &RunArgs, tree: &CommitId) -> Result<CommitId, Failure> {
    match &args.base {
        Some(base) => Ok(repo.fork(&repo.commit_named(base)?, tree)?),
        // Compared with itself, every commit would pass what compares.
        None => repo.parent(tree)?.ok_or_else(|| Failure::NoParent(args.tree.clone())),
    }
}

/// Whether the commands may run: a human has read exactly these; or who calls says so, and they are the base's.
fn may_run(repo: &Repo, config: &Config, state: &State, says_so: bool, base: &CommitId) -> Result<(), Failure> {
    if config.commands_digest.is_none_or(|digest| state.trusted.contains(&digest)) {
        return Ok(());
    }
    if !says_so {
        return Err(Failure::Untrusted);
    }
    let before = repo.read(&repo.tree_of(base)?, ".windlass/config.toml")?;
    match before.map(|bytes| Digest::of(&bytes)) {
        before if before.is_some() && before != config.commands_digest => {
            Err(Failure::OwnGates(base.short().to_owned()))
        }
        _ => Ok(()),
    }
}

/// What is judged, and under which guard.
fn begin(repo: &Repo, tree: &CommitId, change: &Change, guard: Guard, out: &mut dyn Write) -> Result<(), Failure> {
    let files = count(change.files.len(), "file");
    writeln!(out, "{} against {}: {files} changed", tree.short(), change.base.short())?;
    writeln!(out, "around each command: {}", visible_line(&guard.words(&Reach::default())))?;
    for flag in &change.flags {
        writeln!(out, "look at: {}", visible_line(flag))?;
    }
    let dirty = repo.dirty()?;
    if !dirty.is_empty() {
        writeln!(out, "not judged, for it isn't committed: {}", visible_line(&dirty.join(", ")))?;
    }
    Ok(out.flush()?)
}

/// Which gates run on other machines, before they do.
fn elsewhere(gates: &[GateDef], guard: Guard, out: &mut dyn Write) -> Result<(), Failure> {
    let reaches = gates.iter().filter_map(|gate| Some((&gate.name, &gate.command()?.reach)));
    for (name, reach) in reaches.filter(|(_, reach)| !reach.runner.is_empty()) {
        writeln!(out, "{}", visible_line(&format!("{name} {}", guard.words(reach))))?;
    }
    Ok(out.flush()?)
}

/// A gate's answer, with its output if that is needed to understand it.
fn line(gates: &[GateDef], run: &GateRun, out: &mut dyn Write) -> io::Result<()> {
    let gate = gates.iter().find(|gate| gate.name == run.gate);
    let aside = match gate.map(|gate| gate.enforcement) {
        Some(enforcement) if !enforcement.stops() => format!(" ({})", enforcement.name()),
        _ => String::new(),
    };
    let told = format!("{} {}{aside}: {}", run.verdict.name(), run.gate, run.summary);
    writeln!(out, "{} [{}]", visible_line(&told), duration(run.duration_ms))?;
    if !run.verdict.satisfies() {
        for line in visible(&run.tail).lines() {
            writeln!(out, "    {line}")?;
        }
    }
    out.flush()
}
