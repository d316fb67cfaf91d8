//! At the start: what an earlier run left behind is cleared away, and what it was doing is taken up again.

use crate::domain::LoopId;
use crate::engine::{Command, Status};
use crate::journal::AppendError;
use crate::process::supervise::end_leftovers;

use super::{Driver, DriverError, Report, worktrees};

impl Driver {
    /// Clears up after a run that was killed, and goes on where it stopped. The journal's lock makes this process the
    /// only one that works in the repository, so whatever runs or lies about of earlier ones is nobody's.
    pub(super) fn start(&mut self) -> Result<(), DriverError> {
        let ended = end_leftovers(&self.private);
        if ended > 0 {
            let text = format!("ended processes that an earlier run of windlass left behind: {ended}");
            self.tell(Report::Progress(text));
        }
        let keep: Vec<String> = self.unfinished().into_iter().flat_map(worktrees).collect();
        if let Err(error) = self.repo.sweep(&keep) {
            self.tell(Report::Refused(error.to_string()));
        }
        self.decide(Command::Recover)?;
        let indexed = self.journal.indexed().map_err(AppendError::from)?;
        self.unindexed = self.state.exchanges.keys().copied().filter(|id| !indexed.contains(id)).collect();
        self.configure()
    }

    /// Tells every unfinished loop what is configured now.
    pub(super) fn configure(&mut self) -> Result<(), DriverError> {
        for id in self.unfinished() {
            let setup = self.setup();
            self.decide(Command::Configure { id, setup })?;
        }
        Ok(())
    }

    fn unfinished(&self) -> Vec<LoopId> {
        self.state.loops.values().filter(|one| !has_ended(&one.status)).map(|one| one.id).collect()
    }
}

const fn has_ended(status: &Status) -> bool {
    matches!(status, Status::Landed { .. } | Status::Finished | Status::Abandoned)
}
