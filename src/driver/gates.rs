//! Gates: built-in ones at once, the project's commands in the change's worktree.

use crate::domain::{ArtifactKind, GateKind, GateRun, LoopId, RunId, StageIndex};
use crate::engine::Command;
use crate::gate::builtin::{Evidence, run_builtin};
use crate::gate::command::run_command;

use super::{Driver, Home, Report, now};

impl Driver {
    /// Runs one gate on the current revision.
    pub(super) fn run_gate(&mut self, id: LoopId, index: StageIndex, name: &str) -> Vec<Command> {
        let Some((one, stage)) = self.found(id, index) else { return Vec::new() };
        let Some(def) = one.gates(index).into_iter().find(|def| def.name == name) else { return Vec::new() };
        let (Some(revision), Some(subject)) = (stage.revision(), stage.subject()) else { return Vec::new() };
        let mut run = GateRun {
            id: RunId(0),
            gate: def.name.clone(),
            definition: def.digest(),
            subject,
            verdict: crate::domain::Verdict::Error,
            summary: String::new(),
            tail: String::new(),
            spilled: None,
            started: now(),
            duration_ms: 0,
        };
        let finished = move |run| Command::GateFinished { id, stage: index, run };
        if def.kind == GateKind::Builtin {
            let boundary = self.boundary();
            let tree = self.repo.tree_of(&one.base);
            let files = tree.and_then(|tree| self.repo.files(&tree));
            match files {
                Ok(files) => {
                    let plan = one.artifact(ArtifactKind::Plan).map(|plan| plan.text.as_str());
                    let evidence = Evidence {
                        spec: &stage.spec,
                        revision,
                        plan,
                        criteria: &one.criteria(),
                        measurement: stage.measurement.as_ref(),
                        boundary_allows: &|path| boundary.allows(path),
                        repo_has: &|path| files.iter().any(|file| file.path == path),
                    };
                    (run.verdict, run.summary, run.tail) = run_builtin(name, &evidence);
                }
                Err(error) => run.summary = error.to_string(),
            }
            return vec![finished(run)];
        }
        let root = self.change_worktree(id);
        let root = match root {
            Ok(root) => root,
            Err(error) => {
                run.summary = error.to_string();
                return vec![finished(run)];
            }
        };
        let spill = self.private.join(format!("gate-{id}-{}-{}.log", index.number(), def.digest().short()));
        let (home, cancel) = (self.home.clone(), self.cancel(id));
        tokio::spawn(async move {
            let said = home.clone();
            let gate = def.name.clone();
            let result = run_command(&def, &root, &spill, &cancel, |_, bytes| {
                let text = String::from_utf8_lossy(bytes).into_owned();
                let _ = said.send(Home::Report(Report::GateOutput { gate: gate.clone(), text }));
            })
            .await;
            run.verdict = result.verdict;
            run.summary = result.summary;
            run.tail = result.tail;
            run.spilled = result.spilled.map(|path| path.display().to_string());
            run.duration_ms = result.duration_ms;
            let _ = home.send(Home::Command(finished(run)));
        });
        Vec::new()
    }
}
