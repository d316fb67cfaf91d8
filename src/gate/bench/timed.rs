//! Timing a command on two trees in turns, so that what drifts drifts for both.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::domain::{CommandSpec, Verdict};
use crate::gate::command;
use crate::gate::guard::Guard;
use crate::process::supervise::{self, Ending};

/// A command to be timed on two trees.
#[derive(Debug, Clone, Copy)]
pub struct Timing<'a> {
    /// The command.
    pub command: &'a CommandSpec,
    /// Where the base is checked out.
    pub base: &'a Path,
    /// Where the tree under review is.
    pub head: &'a Path,
    /// What stands around it.
    pub guard: Guard,
    /// Where long output goes.
    pub spill: &'a Path,
    /// How many pairs.
    pub pairs: u64,
}

impl Timing<'_> {
    /// The pairs of times in milliseconds, base first. One pair before them warms up and counts for nothing; which side
    /// begins changes from pair to pair. `told` hears of every pair.
    ///
    /// # Errors
    /// If a run fails or is stopped: what that makes of the gate, and why.
    pub async fn take(
        &self,
        cancel: &CancellationToken,
        mut told: impl FnMut(String),
    ) -> Result<Vec<(f64, f64)>, (Verdict, String)> {
        let mut pairs = Vec::new();
        for turn in 0..=self.pairs {
            let (base, head);
            if turn % 2 == 0 {
                base = self.once(self.base, "the base", cancel).await?;
                head = self.once(self.head, "the tree under review", cancel).await?;
            } else {
                head = self.once(self.head, "the tree under review", cancel).await?;
                base = self.once(self.base, "the base", cancel).await?;
            }
            if turn > 0 {
                pairs.push((base, head));
            }
            told(format!("pair {turn} of {}: {base:.2} ms, {head:.2} ms\n", self.pairs));
        }
        Ok(pairs)
    }

    async fn once(&self, root: &Path, which: &str, cancel: &CancellationToken) -> Result<f64, (Verdict, String)> {
        let spec =
            command::supervised(self.command, root, self.guard, self.spill).map_err(|why| (Verdict::Error, why))?;
        let finished = supervise::run(&spec, cancel, |_, _| {}).await;
        match &finished.ending {
            Ending::Exit(0) => Ok(finished.duration.as_secs_f64() * 1000.0),
            Ending::Cancelled => Err((Verdict::Cancelled, "cancelled".to_owned())),
            ending => {
                let said = command::describe(ending, spec.limit);
                let printed = command::tail_text(&finished);
                let last = printed.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
                Err((Verdict::Error, format!("on {which}: {said}; {last}")))
            }
        }
    }
}
