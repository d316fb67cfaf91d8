//! A human's own edit of the change, in a worktree that nothing else works in: gates would take the files away from
//! under the editor.

use std::path::PathBuf;

use crate::domain::{ArtifactKind, LoopId, Origin, StageIndex, TreeId};
use crate::engine::{Command, Loop, Phase, Trouble};
use crate::repo::RepoError;

use super::{Driver, hand_worktree};

impl Driver {
    /// The worktree to edit in, or why there is nothing to edit. It holds the revision under review, or what the human
    /// made of that revision when it was opened before.
    pub(super) fn open_worktree(&mut self, id: LoopId) -> Result<Result<PathBuf, String>, RepoError> {
        let Some(one) = self.state.loops.get(&id) else { return Ok(Err(format!("there is no loop {id}"))) };
        if !is_editable(one) {
            return Ok(Err("only a change can be edited in a worktree, and only while nothing runs on it".to_owned()));
        }
        let tree = self.tree_to_edit(one)?;
        let path = self.repo.worktree(&hand_worktree(id), &one.base)?;
        if self.in_hand.get(&id) != Some(&tree) {
            self.repo.check_out(&path, &tree)?;
            self.in_hand.insert(id, tree);
        }
        Ok(Ok(path))
    }

    /// The worktree, if a human may take it and nobody has changed anything in it: there is nothing to take, and the
    /// review of what it holds goes on.
    pub(super) fn untouched(&self, id: LoopId) -> Result<Option<PathBuf>, RepoError> {
        let Some(one) = self.state.loops.get(&id).filter(|one| is_editable(one)) else { return Ok(None) };
        let path = self.repo.worktree(&hand_worktree(id), &one.base)?;
        let untouched = self.repo.snapshot(&path)? == self.tree_to_edit(one)?;
        Ok(untouched.then_some(path))
    }

    /// Makes a draft of what a human left in that worktree.
    pub(super) fn take_worktree(&mut self, id: LoopId, index: StageIndex, by: String) -> Vec<Command> {
        let Some((one, stage)) = self.found(id, index) else { return Vec::new() };
        let made = || {
            let path = self.repo.worktree(&hand_worktree(id), &one.base)?;
            let tree = self.repo.snapshot(&path)?;
            let unchanged = tree == self.repo.tree_of(&one.base)?;
            Ok::<_, RepoError>((self.repo.change(&one.base, &tree, Vec::new())?, unchanged.then_some(path)))
        };
        let trouble = match made() {
            Ok((change, None)) => {
                let text = stage.revision().map(|revision| revision.text.clone()).unwrap_or_default();
                let (change, origin) = (Some(change), Origin::Human { name: by });
                return vec![Command::Drafted { id, stage: index, text, change, origin }];
            }
            Ok((_, Some(path))) => {
                format!("nothing is left of the change in {}: edit the files there, then take them", path.display())
            }
            Err(error) => error.to_string(),
        };
        vec![Command::DraftFailed { id, stage: index, trouble: Trouble::Call(trouble) }]
    }

    /// What an edit begins with: the revision under review, or the base before there is one.
    pub(super) fn tree_to_edit(&self, one: &Loop) -> Result<TreeId, RepoError> {
        let revision = one.open_stage().and_then(|stage| stage.revision()?.tree());
        revision.map_or_else(|| self.repo.tree_of(&one.base), |tree| Ok(tree.clone()))
    }
}

/// Whether the loop's open stage is a change that nothing runs on.
fn is_editable(one: &Loop) -> bool {
    one.open_stage().is_some_and(|stage| {
        stage.spec.artifact == ArtifactKind::Change && matches!(stage.phase, Phase::Ready | Phase::Awaiting)
    })
}
