//! Getting a stage ready: its measurement, where it asks for one, and its context.

use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::domain::{ArtifactKind, LoopId, Measure, Measurement, Revision, Role, Side, StageIndex, TreeId};
use crate::engine::Command;
use crate::gate::guard::Guard;
use crate::gate::probe::{ProbeDef, measure};
use crate::repo::RepoError;

use super::bench::{Bench, Seat};
use super::{Driver, Home, Job, Report, base_worktree, change_worktree, context};

/// Everything a measurement needs.
struct Measuring {
    probes: Vec<ProbeDef>,
    rounds: u32,
    base: (Bench, TreeId),
    change: Option<(Bench, TreeId)>,
    guard: Guard,
    spill: PathBuf,
    cancel: CancellationToken,
    home: UnboundedSender<Home>,
}

impl Driver {
    /// Gathers a stage's context; measures first where the stage asks for it and hasn't been.
    pub(super) fn prepare(&mut self, id: LoopId, index: StageIndex) -> Vec<Command> {
        let Some((_, stage)) = self.found(id, index) else { return Vec::new() };
        if stage.spec.measure == Measure::Nothing || stage.measurement.is_some() {
            return vec![self.prepared(id, index, None, None)];
        }
        let skipped = |why: &str| vec![self.prepared(id, index, None, Some(why.to_owned()))];
        if self.config.probes.is_empty() {
            return skipped("no probe is configured: add [[probe]] to .windlass/config.toml");
        }
        if !self.trusts() {
            return skipped("the probes wait for trust");
        }
        match self.measuring(id, index) {
            Ok(Some(measuring)) => {
                let (home, task) = (self.home.clone(), self.begin(id, Job::Measure));
                tokio::spawn(async move {
                    let taken = measuring.take().await.map_err(|error| error.to_string());
                    let _ = home.send(Home::Measured { task, stage: index, taken });
                });
                Vec::new()
            }
            Ok(None) => Vec::new(),
            Err(error) => vec![self.measured(id, index, Err(error.to_string()))],
        }
    }

    fn measuring(&mut self, id: LoopId, index: StageIndex) -> Result<Option<Measuring>, RepoError> {
        let Some((one, stage)) = self.found(id, index) else { return Ok(None) };
        let (base, base_tree) = (one.base.clone(), self.repo.tree_of(&one.base)?);
        let both = stage.spec.measure == Measure::BaseAndChange;
        let tree = one.artifact(ArtifactKind::Change).and_then(Revision::tree).filter(|_| both).cloned();
        let probes = self.config.probes.iter();
        let probes = probes.map(|probe| ProbeDef { name: probe.name.clone(), spec: probe.spec.clone() }).collect();
        Ok(Some(Measuring {
            probes,
            rounds: self.config.rounds,
            base: (self.bench(base_worktree(id), &base), base_tree),
            change: tree.map(|tree| (self.bench(change_worktree(id), &base), tree)),
            guard: Guard::new(self.config.sandbox),
            spill: self.private.clone(),
            cancel: self.cancel(id),
            home: self.home.clone(),
        }))
    }

    /// The preparation that a measurement leads to. One that was cut short counts for nothing.
    pub(super) fn measured(
        &self,
        id: LoopId,
        index: StageIndex,
        taken: Result<Option<Measurement>, String>,
    ) -> Command {
        match taken {
            Ok(Some(measurement)) => self.prepared(id, index, Some(measurement), None),
            Ok(None) => self.prepared(id, index, None, Some("the measurement was cancelled".to_owned())),
            // In the record, where gates and prompts find it.
            Err(why) => {
                let failed = Measurement { failures: vec![why], ..Measurement::default() };
                self.prepared(id, index, Some(failed), None)
            }
        }
    }

    /// The preparation of a stage with the context as it is now, and the measurement or why there is none.
    fn prepared(
        &self,
        id: LoopId,
        index: StageIndex,
        measurement: Option<Measurement>,
        unmeasured: Option<String>,
    ) -> Command {
        let items = self.found(id, index).map(|(one, stage)| {
            let mut stage = stage.clone();
            if measurement.is_some() {
                stage.measurement.clone_from(&measurement);
            }
            context::pieces(&self.repo, &self.config, one, &stage, Role::Author)
        });
        let items = match items {
            Some(Ok(pieces)) => pieces.into_iter().map(|piece| piece.item).collect(),
            Some(Err(error)) => {
                self.tell(Report::Refused(error.to_string()));
                Vec::new()
            }
            None => Vec::new(),
        };
        Command::Prepared { id, stage: index, items, measurement, unmeasured }
    }
}

impl Measuring {
    /// Runs every probe on each side; none if it was cancelled.
    async fn take(self) -> Result<Option<Measurement>, RepoError> {
        let Self { probes, rounds, base, change, guard, spill, cancel, home } = self;
        let before = base.0.seat(&base.1).await?;
        let after = match &change {
            Some((bench, tree)) => Some(bench.seat(tree).await?),
            None => None,
        };
        let progress = |round, all, probe: &str, side| {
            let text = format!("measuring: round {round} of {all}, {probe}, {}", word(side));
            let _ = home.send(Home::Report(Report::Progress(text)));
        };
        let sides = (before.path(), after.as_ref().map(Seat::path));
        let mut measured = measure(&probes, sides.0, sides.1, rounds, guard, &spill, &cancel, progress).await;
        if cancel.is_cancelled() {
            return Ok(None);
        }
        for (seat, side) in [(Some(&before), Side::Before), (after.as_ref(), Side::After)] {
            let changed = match seat {
                Some(seat) => seat.changed().await?,
                None => Vec::new(),
            };
            if !changed.is_empty() {
                // Nobody knows which of the readings are still of the tree.
                measured.samples.clear();
                let (paths, side) = (changed.join(", "), word(side));
                measured.failures.push(format!("a probe changed the tree it measures ({side}): {paths}"));
            }
        }
        measured.tree = change.map(|(_, tree)| tree);
        Ok(Some(measured))
    }
}

const fn word(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::After => "after",
    }
}
