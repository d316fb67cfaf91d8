//! The last steps of a loop: the decision record in the outcome's tree, and the approved tree as a commit.

use crate::domain::{ArtifactKind, Change, LoopId, ModelId, Person, Role, StageIndex, Timestamp};
use crate::engine::{Command, Loop, Ruling, Stage};
use crate::gate::table::readings_table;
use crate::prompt::{Record, Step, next_number, record, slug};
use crate::repo::{Checkout, Landing, RepoError};

use super::{Driver, now};

/// Where decision records live.
const RECORDS: &str = "docs/decisions";

impl Driver {
    /// The approved change with the loop's decision record in its tree; none if the loop has no change.
    pub(super) fn with_record(&self, one: &Loop, stage: &Stage, outcome: &str) -> Result<Option<Change>, RepoError> {
        let (Some(revision), Some(plan)) = (one.artifact(ArtifactKind::Change), one.artifact(ArtifactKind::Plan))
        else {
            return Ok(None);
        };
        let Some(change) = &revision.change else { return Ok(None) };
        let moments: Vec<Vec<String>> =
            one.stages.iter().map(|stage| stage.rulings.iter().map(|r| moment(r.decision.at)).collect()).collect();
        let mut steps = Vec::new();
        let mut people: Vec<Person> = Vec::new();
        for (stage, moments) in one.stages.iter().zip(&moments) {
            for (ruling, when) in stage.rulings.iter().zip(moments) {
                let Ruling { decision, open, .. } = ruling;
                if !people.contains(&decision.by) {
                    people.push(decision.by.clone());
                }
                if let Some(revision) = stage.revision_of(ruling) {
                    steps.push(Step { stage: &stage.spec.id, revision, decision, open, when });
                }
            }
        }
        let title = one.goal.lines().next().unwrap_or("decision");
        let constraint = one.artifact(ArtifactKind::Constraint).map_or("", |revision| revision.text.as_str());
        let changed = one.stages.iter().find(|stage| stage.spec.artifact == ArtifactKind::Change);
        let gates: Vec<_> = changed.map(|stage| stage.runs.values().cloned().collect()).unwrap_or_default();
        let readings = stage.measurement.as_ref().map(readings_table).unwrap_or_default();
        let text = record(&Record {
            date: moment(now()).split(' ').next().unwrap_or_default(),
            title,
            goal: &one.goal,
            people: &people,
            constraint,
            plan,
            change,
            written_by: &revision.origin,
            outcome,
            steps: &steps,
            gates: &gates,
            readings: &readings,
            critic: &all_models(one, Role::Critic),
        });
        let names = self
            .repo
            .files(&change.tree)?
            .into_iter()
            .filter_map(|file| file.path.strip_prefix(RECORDS).map(|name| name.trim_start_matches('/').to_owned()));
        let number = next_number(&names.collect::<Vec<_>>());
        let path = format!("{RECORDS}/{number:04}-{}.md", slug(title));
        let tree = self.repo.with_file(&change.tree, &path, text.as_bytes())?;
        self.repo.change(&one.base, &tree, change.flags.clone()).map(Some)
    }

    /// Makes the approved tree a commit. Everything in it comes out of the record, so that a landing which a crash cut
    /// short makes the same commit when it is done again.
    pub(super) fn land(&mut self, id: LoopId) -> Vec<Command> {
        let Some(one) = self.state.loops.get(&id) else { return Vec::new() };
        let failed = |why: String| vec![Command::LandingFailed { id, why }];
        let Some(stage) = one.open_stage() else { return failed("the loop has no stage".to_owned()) };
        let Some((tree, decision)) = stage.revision().and_then(|r| r.tree()).zip(stage.rulings.last()) else {
            return failed("the approved outcome carries no tree".to_owned());
        };
        let decision = &decision.decision;
        let journal = match self.journal.hash_at(one.decided) {
            Ok(Some(hash)) => hash,
            Ok(None) => return failed(format!("the journal has no row {}: run `windlass verify`", one.decided)),
            Err(error) => return failed(error.to_string()),
        };
        let message = format!(
            "{}\n\nWindlass-Loop: {id}\nWindlass-Evidence: {}\nWindlass-Journal: {}\nWindlass-Author: {}\nWindlass-Critic: {}\n",
            one.goal.lines().next().unwrap_or_default(),
            decision.evidence,
            journal,
            all_models(one, Role::Author),
            all_models(one, Role::Critic),
        );
        let landing = Landing {
            loop_id: id,
            tree: tree.clone(),
            parent: one.base.clone(),
            message,
            branch: one.branch.clone(),
            by: decision.by.clone(),
            at: decision.at,
        };
        match self.repo.land(&landing) {
            Ok(landed) => {
                let left = match landed.checkout {
                    Checkout::Moved { .. } => None,
                    Checkout::Left { why, command } => Some(format!("{why}: run `{command}`")),
                };
                vec![Command::Landed { id, commit: landed.commit, left }]
            }
            Err(error) => failed(error.to_string()),
        }
    }
}

/// The models that had a role in the loop, those that a human chose for a stage included.
fn all_models(one: &Loop, role: Role) -> String {
    let mut names: Vec<&str> = Vec::new();
    for model in (0..one.stages.len()).filter_map(|index| one.model(StageIndex(index), role)) {
        let ModelId(name) = model;
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

/// A moment as a person reads it, in UTC.
fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
