//! What is to be done in the world because of an event. Only the driver does any of it.

use crate::domain::{Digest, LoopId, StageIndex};

use super::Approved;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Gather a stage's context and take its measurement.
    Prepare {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
    },
    /// The same for the stage after an approved one. Needs the approval: it can't be asked for otherwise.
    OpenStage(Approved),
    /// Call the author.
    Draft {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
    },
    /// Vet and apply a human's answer.
    Build {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The answer.
        text: String,
        /// Who wrote it.
        by: String,
    },
    /// Take what the human made of the change in the worktree to edit.
    TakeWorktree {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Who edited it.
        by: String,
    },
    /// Call the critic.
    Critique {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision.
        revision: Digest,
    },
    /// Call the model that was asked about a finding.
    Reply {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The revision.
        revision: Digest,
        /// The finding's place in the critique, counted from 0.
        finding: usize,
    },
    /// Run a gate on the current revision.
    RunGate {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// The gate.
        gate: String,
    },
    /// Stop everything that runs for a loop.
    Cancel {
        /// The loop.
        id: LoopId,
    },
    /// Make the approved tree a commit. Needs the approval: it can't be asked for otherwise.
    Land(Approved),
    /// Remove the worktrees of a loop that has ended.
    CleanUp {
        /// The loop.
        id: LoopId,
    },
}
