//! Gates: built-in ones at once, the others in tasks when it is their turn.

use crate::domain::{
    ArtifactKind, Change, Details, GateDef, GateKind, GateRun, LoopId, RunId, StageIndex, Subject, Verdict, covers,
};
use crate::engine::Command;
use crate::gate::builtin::{Evidence, run_builtin};
use crate::gate::case::Judged;
use crate::gate::guard::Guard;
use crate::gate::patch::Patch;
use crate::repo::RepoError;

use super::judge::Judging;
use super::{Driver, Home, Job, Report, base_worktree, change_worktree, now};

/// A run of a gate that hasn't taken place.
pub(super) fn blank(def: &GateDef, subject: Subject, verdict: Verdict, why: &str) -> GateRun {
    GateRun {
        id: RunId(0),
        gate: def.name.clone(),
        definition: def.digest(),
        subject,
        verdict,
        summary: why.to_owned(),
        tail: String::new(),
        spilled: None,
        started: now(),
        duration_ms: 0,
        details: Details::default(),
        protection: String::new(),
    }
}

/// Why a gate doesn't concern a change, if it doesn't.
pub(super) fn concerns_others(def: &GateDef, change: &Change) -> Option<String> {
    let patterns = &def.rules.applies_if;
    let touched = |pattern: &String| change.files.iter().any(|file| covers(pattern, &file.path));
    let concerned = patterns.is_empty() || patterns.iter().any(touched);
    (!concerned).then(|| format!("the change touches nothing in {}", patterns.join(", ")))
}

impl Driver {
    /// Runs one gate on the current revision: a built-in one at once, any other when it is its turn.
    pub(super) fn run_gate(&mut self, id: LoopId, index: StageIndex, name: &str) -> Vec<Command> {
        let Some((one, stage)) = self.found(id, index) else { return Vec::new() };
        let Some(def) = one.gates(index).into_iter().find(|def| def.name == name) else { return Vec::new() };
        let Some(subject) = stage.subject() else { return Vec::new() };
        if def.kind != GateKind::Builtin {
            self.queue_gate(id, index, name);
            return Vec::new();
        }
        let mut run = blank(&def, subject, Verdict::Error, "");
        match self.builtin(id, index, name) {
            Ok(judged) => run.take(judged, ""),
            Err(error) => run.summary = error.to_string(),
        }
        vec![Command::GateFinished { id, stage: index, run }]
    }

    /// Begins a gate whose turn it is. `again` says that a human wants it run, whatever is known.
    pub(super) fn begin_gate(&mut self, id: LoopId, index: StageIndex, def: GateDef, again: bool) -> Vec<Command> {
        let Some((one, stage)) = self.found(id, index) else { return Vec::new() };
        let Some(subject) = stage.subject() else { return Vec::new() };
        let (base, change) = (one.base.clone(), stage.revision().and_then(|revision| revision.change.clone()));
        let mut run = blank(&def, subject, Verdict::Error, "");
        let Some(change) = change else {
            run.summary = "the revision makes no tree to run it on".to_owned();
            return vec![Command::GateFinished { id, stage: index, run }];
        };
        if let Some(why) = concerns_others(&def, &change) {
            (run.verdict, run.summary) = (Verdict::NotApplicable, why);
            return vec![Command::GateFinished { id, stage: index, run }];
        }
        let base_tree = match self.repo.tree_of(&base) {
            Ok(tree) => tree,
            Err(error) => {
                run.summary = error.to_string();
                return vec![Command::GateFinished { id, stage: index, run }];
            }
        };
        let task = self.begin(id, Job::Gate(def.name.clone()));
        self.shift.enter(&task, &def);
        let known = if again { Vec::new() } else { self.state.answers(&def, now()) };
        let judging = Judging {
            guard: Guard::new(self.config.sandbox),
            spill: self.private.join(format!("gate-{id}-{}-{}.log", index.number(), def.digest().short())),
            baselines: self.private.join("baselines"),
            repo: self.repo.clone(),
            head: (self.bench(change_worktree(id), &base), change.tree.clone()),
            base: (self.bench(base_worktree(id), &base), base_tree),
            patch: Patch::of(&change.patch),
            known,
            loop_id: id,
            cancel: self.cancel(id),
            home: self.home.clone(),
            def,
        };
        self.tell(Report::GateBegan { gate: judging.def.name.clone(), at: now() });
        let home = self.home.clone();
        tokio::spawn(async move {
            let run = judging.answer(run).await;
            let _ = home.send(Home::Judged { task, stage: index, run });
        });
        Vec::new()
    }

    /// What a built-in gate says of the current revision.
    fn builtin(&self, id: LoopId, index: StageIndex, name: &str) -> Result<Judged, RepoError> {
        let nothing = || Judged::error("there is nothing to judge");
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
