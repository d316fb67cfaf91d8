//! The only executor of effects: it owns the journal, the tasks and their cancellation.
//!
//! One loop takes orders from the screen and results from tasks, one at a time. Each becomes a command, the command
//! events, the events rows of the journal; only when those are on the disk does anything happen because of them.

mod calls;
mod context;
mod gates;
mod landing;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use self::calls::Answered;
use crate::config::Config;
use crate::domain::{LoopId, Measure, Measurement, Origin, Role, Side, StageIndex, Timestamp, TreeId};
use crate::engine::{self, Command, Effect, Loop, Recorded, Refusal, Setup, Stage, State};
use crate::gate::probe::{ProbeDef, measure};
use crate::journal::{AppendError, Journal, WireRow};
use crate::repo::{Boundary, Repo, RepoError};

/// The longest that received bytes wait before they are on the disk.
const WIRE_WAIT: Duration = Duration::from_millis(100);

/// What is asked of the driver.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Decide this.
    Command(Box<Command>),
    /// Begin a loop on the checkout as it is now.
    Begin {
        /// The effort's goal.
        goal: String,
        /// The constraint that the previous loop named.
        hint: Option<String>,
    },
    /// List the repository's files.
    ListFiles,
    /// Make the change's worktree ready to be edited by hand.
    OpenWorktree(LoopId),
    /// End: running tasks are stopped, everything is on the disk.
    End,
}

/// What the driver tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// This is in the journal.
    Event(Box<Recorded>),
    /// A model said more.
    Delta {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Which model.
        role: Role,
        /// What it said.
        text: String,
        /// Whether it is reasoning.
        reasoning: bool,
    },
    /// A gate printed more.
    GateOutput {
        /// The gate.
        gate: String,
        /// What it printed; invalid UTF-8 is replaced.
        text: String,
    },
    /// How a preparation is getting on.
    Progress(String),
    /// A command was refused, or something failed outside the record.
    Refused(String),
    /// The repository's files.
    Files(Vec<String>),
    /// The change's worktree is here.
    Worktree(PathBuf),
}

/// What a task sends home.
enum Home {
    Command(Command),
    Wire(WireRow),
    Report(Report),
    /// A call ended.
    Answered(Answered),
    /// A measurement is done; the context can be gathered with it.
    Measured {
        id: LoopId,
        stage: StageIndex,
        measurement: Measurement,
    },
}

/// Why the driver had to stop.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The journal doesn't take events any more.
    #[error(transparent)]
    Journal(#[from] AppendError),
    /// The system gives no runtime.
    #[error("failed to start the driver: {0}")]
    Runtime(std::io::Error),
    /// An event doesn't fit the state.
    #[error(transparent)]
    Corrupt(#[from] engine::Corrupt),
}

/// The driver of one repository.
pub struct Driver {
    journal: Journal,
    state: State,
    config: Config,
    repo: Repo,
    private: PathBuf,
    reports: UnboundedSender<Report>,
    home: UnboundedSender<Home>,
    arrivals: UnboundedReceiver<Home>,
    running: BTreeMap<LoopId, CancellationToken>,
    wire: Vec<WireRow>,
}

impl Driver {
    /// A driver over an open journal and the state that its events made.
    ///
    /// # Errors
    /// If Windlass's directory beside the repository can't be made.
    pub fn new(
        journal: Journal,
        state: State,
        config: Config,
        repo: Repo,
        reports: UnboundedSender<Report>,
    ) -> Result<Self, RepoError> {
        let private = repo.private_dir()?;
        let (home, arrivals) = unbounded_channel();
        let running = BTreeMap::new();
        Ok(Self { journal, state, config, repo, private, reports, home, arrivals, running, wire: Vec::new() })
    }

    /// Serves orders until told to end, or until nobody is left to give any.
    ///
    /// # Errors
    /// If the record can't be kept; nothing is done that isn't recorded.
    pub async fn run(mut self, mut orders: UnboundedReceiver<Order>) -> Result<(), DriverError> {
        self.decide(Command::Recover)?;
        if let Some(id) = self.state.active().map(|one| one.id) {
            let setup = self.setup();
            self.decide(Command::Configure { id, setup })?;
        }
        let mut flush = tokio::time::interval(WIRE_WAIT);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::End) | None => break,
                    Some(order) => self.serve(order)?,
                },
                Some(arrival) = self.arrivals.recv() => self.take(arrival)?,
                _ = flush.tick(), if !self.wire.is_empty() => self.flush()?,
            }
        }
        for cancel in self.running.values() {
            cancel.cancel();
        }
        self.flush()
    }

    fn serve(&mut self, order: Order) -> Result<(), DriverError> {
        match order {
            Order::Command(command) => self.decide(*command),
            Order::Begin { goal, hint } => match self.beginning(goal, hint) {
                Ok(command) => self.decide(command),
                Err(error) => self.refuse(&error),
            },
            Order::ListFiles => {
                let files = self.repo.head().and_then(|head| self.repo.files(&self.repo.tree_of(&head)?));
                match files {
                    Ok(files) => self.tell(Report::Files(files.into_iter().map(|file| file.path).collect())),
                    Err(error) => return self.refuse(&error),
                }
                Ok(())
            }
            Order::OpenWorktree(id) => match self.change_worktree(id) {
                Ok(path) => {
                    self.tell(Report::Worktree(path));
                    Ok(())
                }
                Err(error) => self.refuse(&error),
            },
            Order::End => Ok(()),
        }
    }

    fn take(&mut self, arrival: Home) -> Result<(), DriverError> {
        match arrival {
            Home::Command(command) => {
                // What was received comes before what follows from it.
                self.flush()?;
                self.decide(command)
            }
            Home::Wire(row) => {
                self.wire.push(row);
                Ok(())
            }
            Home::Report(report) => {
                self.tell(report);
                Ok(())
            }
            Home::Answered(answered) => {
                self.flush()?;
                for command in self.answered(answered) {
                    self.decide(command)?;
                }
                Ok(())
            }
            Home::Measured { id, stage, measurement } => {
                let prepared = self.prepared(id, stage, Some(measurement));
                self.decide(prepared)
            }
        }
    }

    /// Decides a command, and what follows from it, until nothing does.
    fn decide(&mut self, command: Command) -> Result<(), DriverError> {
        let mut commands = VecDeque::from([command]);
        while let Some(command) = commands.pop_front() {
            let at = now();
            let events = match engine::decide(&self.state, command, at) {
                Ok(events) => events,
                Err(Refusal::Stale) => continue,
                Err(refusal) => {
                    self.tell(Report::Refused(refusal.to_string()));
                    continue;
                }
            };
            for recorded in self.journal.append(at, events)? {
                let effects = engine::apply(&mut self.state, &recorded)?;
                self.tell(Report::Event(Box::new(recorded)));
                for effect in effects {
                    commands.extend(self.perform(effect)?);
                }
            }
        }
        Ok(())
    }

    /// Does an effect: at once what is short, in a task what isn't. Gives the commands that follow at once.
    fn perform(&mut self, effect: Effect) -> Result<Vec<Command>, DriverError> {
        match effect {
            Effect::Prepare { id, stage } => Ok(self.prepare(id, stage)),
            Effect::OpenStage(proof) => Ok(self.prepare(proof.loop_id(), proof.stage().next())),
            Effect::Draft { id, stage } => self.call(id, stage, Role::Author),
            Effect::Critique { id, stage, .. } => self.call(id, stage, Role::Critic),
            Effect::Build { id, stage, text, by } => Ok(self.build(id, stage, &text, Origin::Human { name: by })),
            Effect::TakeWorktree { id, stage, by } => Ok(self.take_worktree(id, stage, by)),
            Effect::RunGate { id, stage, gate } => Ok(self.run_gate(id, stage, &gate)),
            Effect::Cancel { id } => {
                if let Some(cancel) = self.running.remove(&id) {
                    cancel.cancel();
                }
                Ok(Vec::new())
            }
            Effect::Land(proof) => Ok(self.land(proof.loop_id())),
            Effect::CleanUp { id } => {
                let names = [base_worktree(id), change_worktree(id)];
                if let Err(error) = self.repo.remove_worktrees(&names) {
                    self.tell(Report::Refused(error.to_string()));
                }
                Ok(Vec::new())
            }
        }
    }

    /// Gathers a stage's context; measures first where the stage asks for it and hasn't been.
    fn prepare(&mut self, id: LoopId, index: StageIndex) -> Vec<Command> {
        let Some((one, stage)) = self.found(id, index) else { return Vec::new() };
        let wants = stage.spec.measure != Measure::Nothing && stage.measurement.is_none();
        let runs = wants && self.state.is_trusted(one) && !self.config.probes.is_empty();
        if !runs {
            return vec![self.prepared(id, index, None)];
        }
        let both = stage.spec.measure == Measure::BaseAndChange;
        let sides = self.sides(id, both);
        let (before, after, tree) = match sides {
            Ok(sides) => sides,
            Err(error) => {
                self.tell(Report::Refused(error.to_string()));
                return vec![self.prepared(id, index, None)];
            }
        };
        let probes: Vec<ProbeDef> = self
            .config
            .probes
            .iter()
            .map(|probe| ProbeDef { name: probe.name.clone(), spec: probe.spec.clone() })
            .collect();
        let (rounds, cancel, home) = (self.config.rounds, self.cancel(id), self.home.clone());
        let spill = self.private.clone();
        tokio::spawn(async move {
            let mut measured =
                measure(&probes, &before, after.as_deref(), rounds, &spill, &cancel, |round, all, probe, side| {
                    let side = if side == Side::Before { "before" } else { "after" };
                    let text = format!("measuring: round {round} of {all}, {probe}, {side}");
                    let _ = home.send(Home::Report(Report::Progress(text)));
                })
                .await;
            measured.tree = tree;
            let _ = home.send(Home::Measured { id, stage: index, measurement: measured });
        });
        Vec::new()
    }

    /// The worktrees to measure in, checked out, and the change's tree.
    fn sides(&self, id: LoopId, both: bool) -> Result<(PathBuf, Option<PathBuf>, Option<TreeId>), RepoError> {
        let Some(one) = self.state.loops.get(&id) else { return Ok((self.private.clone(), None, None)) };
        let before = self.repo.worktree(&base_worktree(id), &one.base)?;
        let tree = one.artifact(crate::domain::ArtifactKind::Change).and_then(|r| r.tree()).filter(|_| both).cloned();
        let Some(tree) = tree else { return Ok((before, None, None)) };
        let after = self.repo.worktree(&change_worktree(id), &one.base)?;
        self.repo.check_out(&after, &tree)?;
        Ok((before, Some(after), Some(tree)))
    }

    /// The preparation of a stage with the context as it is now.
    fn prepared(&self, id: LoopId, index: StageIndex, measurement: Option<Measurement>) -> Command {
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
        Command::Prepared { id, stage: index, items, measurement }
    }

    fn beginning(&self, goal: String, hint: Option<String>) -> Result<Command, RepoError> {
        let (base, branch) = (self.repo.head()?, self.repo.branch()?);
        let (workflow, setup, by) = (self.config.workflow.clone(), self.setup(), self.repo.person());
        Ok(Command::Begin { goal, hint, workflow, base, branch, setup, by })
    }

    fn setup(&self) -> Setup {
        Setup {
            author: self.config.author.clone(),
            critic: self.config.critic.clone(),
            gates: self.config.gates.clone(),
            config: self.config.repository_digest,
        }
    }

    fn boundary(&self) -> Boundary {
        Boundary { allow: self.config.boundary_allow.clone(), deny: self.config.boundary_deny.clone() }
    }

    /// The worktree of the change, with the change under review in it.
    fn change_worktree(&self, id: LoopId) -> Result<PathBuf, RepoError> {
        let Some(one) = self.state.loops.get(&id) else { return Ok(self.private.clone()) };
        let path = self.repo.worktree(&change_worktree(id), &one.base)?;
        if let Some(tree) = one.open_stage().and_then(|stage| stage.revision()?.tree()) {
            self.repo.check_out(&path, tree)?;
        }
        Ok(path)
    }

    fn found(&self, id: LoopId, index: StageIndex) -> Option<(&Loop, &Stage)> {
        let one = self.state.loops.get(&id)?;
        Some((one, one.stage(index)?))
    }

    /// The token that stops what runs for a loop.
    fn cancel(&mut self, id: LoopId) -> CancellationToken {
        self.running.entry(id).or_default().clone()
    }

    fn flush(&mut self) -> Result<(), DriverError> {
        let rows = std::mem::take(&mut self.wire);
        Ok(self.journal.wire(now(), &rows)?)
    }

    fn refuse(&self, error: &dyn std::error::Error) -> Result<(), DriverError> {
        self.tell(Report::Refused(error.to_string()));
        Ok(())
    }

    /// Tells whoever listens; when nobody does any more, the orders have ended too.
    fn tell(&self, report: Report) {
        let _ = self.reports.send(report);
    }
}

fn base_worktree(id: LoopId) -> String {
    format!("loop-{id}-base")
}

fn change_worktree(id: LoopId) -> String {
    format!("loop-{id}-change")
}

/// The moment, for commands.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
