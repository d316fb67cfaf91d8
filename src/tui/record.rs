//! Where the screen's events come from: a driver of our own on its own thread, or another process's journal.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Record, TuiError};
use crate::app::{Msg, Waiting};
use crate::config::Config;
use crate::driver::{Driver, DriverError, Order, Report};
use crate::engine::{State, apply};
use crate::journal::Reader;
use crate::repo::Repo;

/// The other end of the record.
pub(super) enum Source {
    /// Our driver.
    Driving {
        /// Where its orders go.
        orders: UnboundedSender<Order>,
        /// Where it runs.
        thread: JoinHandle<Result<(), DriverError>>,
    },
    /// Another process's journal.
    Reading {
        /// The journal.
        reader: Reader,
        /// Who drives; none if nobody did when we came.
        who: Option<String>,
    },
}

/// The record as it is now, and where more of it will come from.
pub(super) struct Opened {
    /// The state that the events made.
    pub(super) state: State,
    /// The place of the last one.
    pub(super) seq: u64,
    /// Where more comes from.
    pub(super) source: Source,
    /// What the driver tells; never anything when another process drives.
    pub(super) reports: UnboundedReceiver<Report>,
    /// Keeps that channel open while nobody sends.
    pub(super) quiet: Option<UnboundedSender<Report>>,
}

/// Replays the record, and starts the driver if it is ours.
pub(super) fn open(record: Record, config: Config, repo: Repo) -> Result<Opened, TuiError> {
    let (sender, reports) = unbounded_channel();
    let (mut state, mut seq) = (State::default(), 0);
    match record {
        Record::Driving { journal, events } => {
            for recorded in &events {
                apply(&mut state, recorded)?;
                seq = recorded.seq;
            }
            let (orders, taken) = unbounded_channel();
            let driven = state.clone();
            let driver = Driver::new(journal, driven, config, repo, sender)?;
            // Its own thread for as long as it works: children ask to die with the thread that started them.
            let thread = thread::Builder::new().name("driver".to_owned()).spawn(move || {
                let runtime = runtime::Builder::new_current_thread().enable_all().build();
                match runtime {
                    Ok(runtime) => runtime.block_on(driver.run(taken)),
                    Err(error) => Err(DriverError::Runtime(error)),
                }
            })?;
            Ok(Opened { state, seq, source: Source::Driving { orders, thread }, reports, quiet: None })
        }
        Record::Reading { reader, who } => {
            for recorded in reader.events_after(0)? {
                apply(&mut state, &recorded)?;
                seq = recorded.seq;
            }
            Ok(Opened { state, seq, source: Source::Reading { reader, who }, reports, quiet: Some(sender) })
        }
    }
}

/// What a report means to the model; for a worktree to edit, its place.
pub(super) fn message(report: Report) -> Result<Msg, PathBuf> {
    Ok(match report {
        Report::Event(recorded) => Msg::Event(recorded),
        Report::Delta { id, stage, role, finding, text, reasoning } => {
            Msg::Delta { id, stage, role, finding, text, reasoning }
        }
        Report::Waiting { id, stage, role, finding, why, until } => {
            Msg::Waiting { id, stage, role, finding, waiting: Waiting { why, until } }
        }
        Report::GateBegan { gate, at } => Msg::GateBegan { gate, at },
        Report::GateOutput { gate, text } => Msg::GateOutput { gate, text },
        Report::Progress(text) => Msg::Progress(text),
        Report::Refused(text) => Msg::Refused(text),
        Report::Files(files) => Msg::Files(files),
        Report::Models { offers, more } => Msg::Models { offers, more },
        Report::Worktree(path) => return Err(path),
    })
}

/// Adds to a report what goes on from it: more words of the same model, more output of the same gate. The next report
/// comes back if it is about something else.
pub(super) fn join(report: &mut Report, next: Report) -> Result<(), Report> {
    match (report, next) {
        (
            Report::Delta { id, stage, role, finding, text, reasoning },
            Report::Delta { id: same, stage: open, role: speaker, finding: about, text: more, reasoning: aloud },
        ) if (*id, *stage, *role, *finding, *reasoning) == (same, open, speaker, about, aloud) => text.push_str(&more),
        (Report::GateOutput { gate, text }, Report::GateOutput { gate: same, text: more }) if *gate == same => {
            text.push_str(&more);
        }
        (_, next) => return Err(next),
    }
    Ok(())
}

impl Source {
    /// Passes an order on; false if nobody can take it.
    pub(super) fn order(&self, order: Order) -> bool {
        match self {
            Self::Driving { orders, .. } => orders.send(order).is_ok(),
            Self::Reading { .. } => false,
        }
    }

    /// Ends the driver and waits until everything is on the disk.
    pub(super) fn end(self) -> Result<(), TuiError> {
        match self {
            Self::Driving { orders, thread } => {
                // If it has ended already, its own result says why.
                let _ = orders.send(Order::End);
                thread.join().map_err(|_| TuiError::DriverGone)?.map_err(TuiError::from)
            }
            Self::Reading { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{LoopId, Role, StageIndex};

    #[test]
    fn only_what_goes_on_is_joined() {
        let said = |text: &str, role, reasoning| Report::Delta {
            id: LoopId(1),
            stage: StageIndex(0),
            role,
            finding: None,
            text: text.to_owned(),
            reasoning,
        };
        let mut report = said("one ", Role::Author, false);
        assert_eq!(join(&mut report, said("two", Role::Author, false)), Ok(()));
        assert_eq!(report, said("one two", Role::Author, false));
        for other in [
            said("x", Role::Critic, false),
            said("x", Role::Author, true),
            Report::GateOutput { gate: "lint".to_owned(), text: "x".to_owned() },
        ] {
            assert_eq!(join(&mut report, other.clone()), Err(other));
            assert_eq!(report, said("one two", Role::Author, false), "what isn't joined changes nothing");
        }
    }
}
