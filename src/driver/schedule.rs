//! Whose turn it is: gates wait for those they need and for a place on the machine, and the quick ones go first.

use std::collections::BTreeMap;

use crate::domain::{GateDef, GateKind, GateRules, GateRun, LoopId, StageIndex, Subject, Verdict};
use crate::engine::{Command, Phase, Stage};

use super::{Driver, Task};

/// What a gate is taken to need that never ran, in milliseconds: after those known to be quick, before the slow.
pub(super) const UNKNOWN_MS: u64 = 10_000;

/// A gate that waits for its turn.
#[derive(Debug)]
pub(super) struct Waiting {
    id: LoopId,
    index: StageIndex,
    def: GateDef,
    subject: Subject,
    /// The last gate run before it was asked for: failures up to there are old news.
    since: u64,
    /// A human asked for it again, so that an old answer won't do.
    again: bool,
}

/// The gates that wait, and those that run.
#[derive(Debug, Default)]
pub(super) struct Shift {
    waiting: Vec<Waiting>,
    /// The places taken, by task.
    taken: BTreeMap<(LoopId, u64, String), u32>,
}

/// Whether a gate can begin.
pub(super) enum Turn {
    Now,
    Later,
    Never(String),
}

/// How a gate stands that another one needs.
pub(super) enum Standing {
    /// It hasn't answered yet.
    Awaited,
    /// It is satisfied, or a human goes on despite it.
    Satisfied,
    /// It says this instead.
    Says(&'static str),
}

impl Standing {
    /// How a gate stands that has answered.
    pub(super) const fn of(verdict: Verdict) -> Self {
        if verdict.satisfies() { Self::Satisfied } else { Self::Says(verdict.name()) }
    }
}

impl Shift {
    /// Gives the places of a task back.
    pub(super) fn leave(&mut self, task: &Task, gate: &str) {
        self.taken.remove(&(task.id, task.number, gate.to_owned()));
    }

    /// Takes places for a task.
    pub(super) fn enter(&mut self, task: &Task, gate: &GateDef) {
        self.taken.insert((task.id, task.number, gate.name.clone()), gate.rules.weight);
    }

    /// Whether a gate can begin, where `failed` is the gate that stops all others, and `standing` tells of those that
    /// run with it.
    pub(super) fn turn(
        &self,
        rules: &GateRules,
        jobs: u32,
        failed: Option<String>,
        standing: impl Fn(&str) -> Option<Standing>,
    ) -> Turn {
        for need in &rules.needs {
            match standing(need) {
                None | Some(Standing::Satisfied) => {}
                Some(Standing::Awaited) => return Turn::Later,
                Some(Standing::Says(said)) => return Turn::Never(format!("it needs {need}, which says {said}")),
            }
        }
        if let Some(failed) = failed {
            return Turn::Never(format!("{failed} failed first, and gates stop on a failure here"));
        }
        if self.has_room(rules.weight, jobs) { Turn::Now } else { Turn::Later }
    }

    fn has_room(&self, weight: u32, jobs: u32) -> bool {
        let taken: u32 = self.taken.values().sum();
        taken == 0 || taken.saturating_add(weight) <= jobs
    }
}

impl Driver {
    /// Puts a gate in the queue. It begins when everything has been asked for that is asked for now.
    pub(super) fn queue_gate(&mut self, id: LoopId, index: StageIndex, name: &str) {
        let Some((one, stage)) = self.found(id, index) else { return };
        let Some(def) = one.gates(index).into_iter().find(|def| def.name == name) else { return };
        let Some(subject) = stage.subject() else { return };
        let again = stage.fresh_run(&def).is_some();
        let since = self.state.last_run;
        self.shift.waiting.retain(|waiting| waiting.id != id || waiting.index != index || waiting.def.name != name);
        self.shift.waiting.push(Waiting { id, index, def, subject, since, again });
    }

    /// What becomes of the gates of a loop that wait, when everything that runs for it is stopped.
    pub(super) fn stop_waiting(&mut self, id: LoopId) -> Vec<Command> {
        let waiting = std::mem::take(&mut self.shift.waiting);
        let (gone, kept) = waiting.into_iter().partition(|waiting: &Waiting| waiting.id == id);
        self.shift.waiting = kept;
        gone.into_iter().map(|waiting| self.unrun(&waiting, Verdict::Cancelled, "cancelled before its turn")).collect()
    }

    /// Begins every gate whose turn it is. What follows at once is the answer of those that needn't run.
    pub(super) fn take_turns(&mut self) -> Vec<Command> {
        let jobs = self.config.schedule.jobs.unwrap_or_else(processors);
        let mut waiting = std::mem::take(&mut self.shift.waiting);
        waiting.retain(|one| self.is_awaited(one));
        waiting.sort_by_key(|one| self.state.usual_ms(&one.def).unwrap_or(UNKNOWN_MS));
        let mut commands = Vec::new();
        for one in waiting {
            match self.turn(&one, jobs) {
                Turn::Now => {
                    let Waiting { id, index, def, again, .. } = one;
                    commands.extend(self.begin_gate(id, index, def, again));
                }
                Turn::Later => self.shift.waiting.push(one),
                Turn::Never(why) => commands.push(self.unrun(&one, Verdict::Skipped, &why)),
            }
        }
        commands
    }

    /// Whether the review still waits for exactly this.
    fn is_awaited(&self, one: &Waiting) -> bool {
        let stage = self.found(one.id, one.index).map(|(_, stage)| stage);
        stage.is_some_and(|stage| {
            stage.phase == Phase::Reviewing
                && stage.pending.gates.contains(&one.def.name)
                && stage.subject().as_ref() == Some(&one.subject)
        })
    }

    fn turn(&self, one: &Waiting, jobs: u32) -> Turn {
        let Some((of, stage)) = self.found(one.id, one.index) else { return Turn::Later };
        let gates = of.gates(one.index);
        let standing = |need: &str| {
            let needed = gates.iter().find(|gate| gate.name == need)?;
            if stage.pending.gates.contains(need) {
                return Some(Standing::Awaited);
            }
            if stage.fresh_override(need).is_some() {
                return Some(Standing::Satisfied);
            }
            Some(stage.fresh_run(needed).map_or(Standing::Says("has not run"), |run| Standing::of(run.verdict)))
        };
        let stops = self.config.schedule.stop_on_failure;
        let failed = if stops { first_failure(&gates, stage, one.since) } else { None };
        self.shift.turn(&one.def.rules, jobs, failed, standing)
    }

    /// The answer of a gate that doesn't run.
    fn unrun(&self, one: &Waiting, verdict: Verdict, why: &str) -> Command {
        let run = super::gates::blank(&one.def, one.subject.clone(), verdict, why);
        Command::GateFinished { id: one.id, stage: one.index, run }
    }
}

/// The first gate that stops approval and failed in a run after `since`.
fn first_failure(gates: &[GateDef], stage: &Stage, since: u64) -> Option<String> {
    let failed =
        gates.iter().find(|gate| stage.fresh_run(gate).is_some_and(|run| run.id.0 > since && is_failure(gate, run)));
    failed.map(|gate| gate.name.clone())
}

/// Whether this answer of a gate stops the others, where gates stop on a failure.
pub(super) fn is_failure(gate: &GateDef, run: &GateRun) -> bool {
    let said_no = !run.verdict.satisfies() && run.verdict != Verdict::Skipped;
    said_no && gate.enforcement.stops() && gate.kind != GateKind::Builtin
}

pub(super) fn processors() -> u32 {
    std::thread::available_parallelism().ok().and_then(|number| u32::try_from(number.get()).ok()).unwrap_or(1)
}
