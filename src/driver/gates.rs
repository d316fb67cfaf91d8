//! Gates: built-in ones at once, the project's commands in the change's worktree.

use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::domain::{ArtifactKind, Details, GateDef, GateKind, GateRun, LoopId, RunId, StageIndex, TreeId, Verdict};
use crate::engine::Command;
use crate::gate::builtin::{Evidence, run_builtin};
use crate::gate::command::run_command;
use crate::repo::RepoError;

use super::bench::Bench;
use super::{Driver, Home, Job, Report, change_worktree, now};

/// How much of one run's output is told as it comes, in bytes; a flood would only pile up in memory.
const TOLD: usize = 1 << 20;

/// Follows what is told.
const NOT_TOLD: &str = "\n[windlass: there is more; only the end is shown, when the gate is done]\n";

/// Follows the output of a gate that changed what it judges.
const CHANGED: &str = "\n[windlass: files that git tracks are no longer those of the tree under review. If gates ran \
                       side by side, it may have been another: run this one alone to know.]\n";

/// A command gate on its way.
struct Running {
    def: GateDef,
    bench: Bench,
    tree: TreeId,
    spill: PathBuf,
    cancel: CancellationToken,
    home: UnboundedSender<Home>,
}

impl Driver {
    /// Runs one gate on the current revision.
    pub(super) fn run_gate(&mut self, id: LoopId, index: StageIndex, name: &str) -> Vec<Command> {
        let Some((one, stage)) = self.found(id, index) else { return Vec::new() };
        let Some(def) = one.gates(index).into_iter().find(|def| def.name == name) else { return Vec::new() };
        let Some(subject) = stage.subject() else { return Vec::new() };
        let (tree, base) = (subject.tree.clone(), one.base.clone());
        let mut run = GateRun {
            id: RunId(0),
            gate: def.name.clone(),
            definition: def.digest(),
            subject,
            verdict: Verdict::Error,
            summary: String::new(),
            tail: String::new(),
            spilled: None,
            started: now(),
            duration_ms: 0,
            details: Details::default(),
        };
        if def.kind == GateKind::Builtin {
            match self.builtin(id, index, name) {
                Ok(said) => (run.verdict, run.summary, run.tail) = said,
                Err(error) => run.summary = error.to_string(),
            }
            return vec![Command::GateFinished { id, stage: index, run }];
        }
        let Some(tree) = tree else {
            run.summary = "the revision makes no tree to run it on".to_owned();
            return vec![Command::GateFinished { id, stage: index, run }];
        };
        let task = self.begin(id, Job::Gate(def.name.clone()));
        let running = Running {
            spill: self.private.join(format!("gate-{id}-{}-{}.log", index.number(), def.digest().short())),
            bench: self.bench(change_worktree(id), &base),
            cancel: self.cancel(id),
            home: self.home.clone(),
            def,
            tree,
        };
        let home = self.home.clone();
        tokio::spawn(async move {
            if let Err(error) = running.judge(&mut run).await {
                run.verdict = Verdict::Error;
                run.summary = error.to_string();
            }
            let _ = home.send(Home::Judged { task, stage: index, run });
        });
        Vec::new()
    }

    /// What a built-in gate says of the current revision.
    fn builtin(&self, id: LoopId, index: StageIndex, name: &str) -> Result<(Verdict, String, String), RepoError> {
        let nothing = || (Verdict::Error, "there is nothing to judge".to_owned(), String::new());
        let Some((one, stage)) = self.found(id, index) else { return Ok(nothing()) };
        let Some(revision) = stage.revision() else { return Ok(nothing()) };
        let boundary = self.boundary();
        let files = self.repo.files(&self.repo.tree_of(&one.base)?)?;
        let evidence = Evidence {
            spec: &stage.spec,
            revision,
            plan: one.artifact(ArtifactKind::Plan).map(|plan| plan.text.as_str()),
            criteria: &one.criteria(),
            measurement: stage.measurement.as_ref(),
            boundary_allows: &|path| boundary.allows(path),
            repo_has: &|path| files.iter().any(|file| file.path == path),
        };
        Ok(run_builtin(name, &evidence))
    }
}

impl Running {
    /// Runs the command on exactly the tree under review.
    async fn judge(self, run: &mut GateRun) -> Result<(), RepoError> {
        let Self { def, bench, tree, spill, cancel, home } = self;
        let seat = bench.seat(&tree).await?;
        run.started = now();
        let mut told = 0;
        let result = run_command(&def, seat.path(), &spill, &cancel, |_, bytes| {
            if told > TOLD {
                return;
            }
            told += bytes.len();
            let mut text = String::from_utf8_lossy(bytes).into_owned();
            if told > TOLD {
                text.push_str(NOT_TOLD);
            }
            let _ = home.send(Home::Report(Report::GateOutput { gate: def.name.clone(), text }));
        })
        .await;
        run.verdict = result.verdict;
        run.summary = result.summary;
        run.tail = result.tail;
        run.spilled = result.spilled.map(|path| path.display().to_string());
        run.duration_ms = result.duration_ms;
        let changed = seat.changed().await?;
        if !changed.is_empty() {
            run.verdict = Verdict::Error;
            run.summary = format!("changed the tree it judges: {}", changed.join(", "));
            run.tail.push_str(CHANGED);
        }
        Ok(())
    }
}
