//! Gates without a loop: on a commit that somebody names, by the rules of a review. Nothing of it is put on record, and
//! no earlier answer is taken over, so that it says the same wherever it runs.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};

use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Schedule;
use crate::domain::{Change, CommitId, DigestBuilder, GateDef, GateRun, LoopId, Subject, TreeId, Verdict};
use crate::engine::State;
use crate::gate::guard::Guard;
use crate::gate::patch::Patch;
use crate::repo::{Repo, RepoError};

use super::bench::Bench;
use super::gates::{blank, concerns_others};
use super::judge::Judging;
use super::schedule::{Shift, Standing, Turn, UNKNOWN_MS, is_failure, processors};
use super::{Job, Task};

/// The worktrees. They stay, so that the next round needn't build everything anew, until the screen is next opened.
const HEAD: &str = "run-head";
const BASE: &str = "run-base";
/// Stands for the loop that there is none of: loops count from 1.
const NO_LOOP: LoopId = LoopId(0);

/// What is to be judged, by which gates.
#[derive(Debug, Clone)]
pub struct Round {
    /// The gates; whatever one of them needs is among them.
    pub gates: Vec<GateDef>,
    /// How they share the machine.
    pub schedule: Schedule,
    /// What stands around their commands.
    pub guard: Guard,
    /// The change under review.
    pub change: Change,
}

/// Lets one round at a time into a repository: they share their worktrees.
#[derive(Debug)]
pub struct Turnstile {
    /// Locked; closing it unlocks.
    _file: File,
}

impl Turnstile {
    /// Waits until no other round is on its way; `waiting` is called if one is.
    ///
    /// # Errors
    /// If the lock can't be used.
    pub fn pass(repo: &Repo, waiting: impl FnOnce()) -> Result<Self, RepoError> {
        let path = repo.private_dir()?.join("run.lock");
        let failed = |source| RepoError::File { doing: "lock", path: path.clone(), source };
        let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Self { _file: file })
    }
}

/// A round on its way.
struct Running<'a> {
    repo: &'a Repo,
    round: Round,
    subject: Subject,
    head: Bench,
    base: (Bench, TreeId),
    patch: Patch,
    waiting: Vec<GateDef>,
    shift: Shift,
    tasks: JoinSet<GateRun>,
    done: Vec<GateRun>,
}

/// Runs gates, each when it is its turn; `tell` hears each answer as it comes. The answers are in the order of the gates.
/// The quick ones go first, as far as `state` knows how long each usually takes.
///
/// # Errors
/// If the repository can't be read, or a file can't be written. What befalls one gate is its answer.
pub async fn run_gates(
    repo: &Repo,
    _alone: &Turnstile,
    round: Round,
    state: &State,
    mut tell: impl FnMut(&GateRun),
) -> Result<Vec<GateRun>, RepoError> {
    let baselines = repo.private_dir()?.join("run-baselines");
    // Reports of a base that no tool's version vouches for are good for one round only.
    match fs::remove_dir_all(&baselines) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            return Err(RepoError::File { doing: "remove", path: baselines, source });
        }
        _ => {}
    }
    let bench = |name: &str, at: &CommitId| Bench::new(repo.clone(), name.to_owned(), at.clone());
    let base = round.change.base.clone();
    let revision = DigestBuilder::new("round").text("base", base.as_str()).text("tree", round.change.tree.as_str());
    let mut waiting = round.gates.clone();
    waiting.sort_by_key(|gate| state.usual_ms(gate).unwrap_or(UNKNOWN_MS));
    let mut running = Running {
        repo,
        subject: Subject { revision: revision.finish(), tree: Some(round.change.tree.clone()) },
        head: bench(HEAD, &base),
        base: (bench(BASE, &base), repo.tree_of(&base)?),
        patch: Patch::of(&round.change.patch),
        waiting,
        shift: Shift::default(),
        tasks: JoinSet::new(),
        done: Vec::new(),
        round,
    };
    let mut told = 0;
    loop {
        running.take_turns()?;
        running.done.iter().skip(told).for_each(&mut tell);
        told = running.done.len();
        // Gates don't need each other in a circle, so whatever waits has its turn before this is the last.
        let Some(judged) = running.tasks.join_next().await else { break };
        let run = judged.map_err(|error| RepoError::Run(io::Error::other(error)))?;
        running.shift.leave(&task(&run.gate), &run.gate);
        running.done.push(run);
    }
    let place = |run: &GateRun| running.round.gates.iter().position(|gate| gate.name == run.gate);
    running.done.sort_by_key(place);
    Ok(running.done)
}

fn task(gate: &str) -> Task {
    Task { id: NO_LOOP, job: Job::Gate(gate.to_owned()), number: 0 }
}

impl Running<'_> {
    /// Begins every gate whose turn it is; those that needn't run are done at once.
    fn take_turns(&mut self) -> Result<(), RepoError> {
        let jobs = self.round.schedule.jobs.unwrap_or_else(processors);
        loop {
            let answered = self.done.len();
            for def in std::mem::take(&mut self.waiting) {
                match self.turn(&def, jobs) {
                    Turn::Now => self.begin(def)?,
                    Turn::Later => self.waiting.push(def),
                    Turn::Never(why) => {
                        self.done.push(blank(&def, self.subject.clone(), Verdict::Skipped, &why));
                    }
                }
            }
            // Somebody may have waited for one that is answered now.
            if self.done.len() == answered {
                return Ok(());
            }
        }
    }

    fn turn(&self, def: &GateDef, jobs: u32) -> Turn {
        let said = |name: &str| self.done.iter().find(|run| run.gate == name);
        let gates = &self.round.gates;
        let failed = gates.iter().find(|gate| said(&gate.name).is_some_and(|run| is_failure(gate, run)));
        let failed = failed.filter(|_| self.round.schedule.stop_on_failure).map(|gate| gate.name.clone());
        self.shift.turn(&def.rules, jobs, failed, |need| {
            Some(said(need).map_or(Standing::Awaited, |run| Standing::of(run.verdict)))
        })
    }

    fn begin(&mut self, def: GateDef) -> Result<(), RepoError> {
        let run = blank(&def, self.subject.clone(), Verdict::Error, "");
        if let Some(why) = concerns_others(&def, &self.round.change) {
            self.done.push(GateRun { verdict: Verdict::NotApplicable, summary: why, ..run });
            return Ok(());
        }
        let private = self.repo.private_dir()?;
        // Nobody follows the output as it comes; its end is in the answer.
        let (home, _) = unbounded_channel();
        self.shift.enter(&task(&def.name), &def);
        let judging = Judging {
            repo: self.repo.clone(),
            head: (self.head.clone(), self.round.change.tree.clone()),
            base: self.base.clone(),
            patch: self.patch.clone(),
            guard: self.round.guard,
            known: Vec::new(),
            loop_id: NO_LOOP,
            spill: private.join(format!("run-{}.log", def.name)),
            baselines: private.join("run-baselines"),
            cancel: CancellationToken::new(),
            home,
            def,
        };
        self.tasks.spawn(judging.answer(run));
        Ok(())
    }
}
