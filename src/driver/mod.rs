//! The only executor of effects: it owns the journal, the tasks and their cancellation.
//!
//! One loop takes orders from the screen and results from tasks, one at a time. Each becomes a command, the command
//! events, the events rows of the journal; only when those are on the disk does anything happen because of them.

mod agent;
mod baseline;
mod bench;
mod byhand;
mod calls;
mod context;
mod gates;
mod judge;
mod landing;
mod measure;
mod models;
mod once;
mod reread;
mod schedule;
mod start;
#[cfg(test)]
mod tests;
mod threads;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::bench::Bench;
use self::calls::Answered;
use self::schedule::Shift;
use self::threads::About;
use crate::config::Config;
use crate::domain::{
    CommitId, ExchangeId, GateRun, LoopId, Measurement, Offer, Origin, Role, StageIndex, Timestamp, TreeId,
};
use crate::engine::{self, Command, Effect, Loop, Recorded, Refusal, Setup, Stage, State};
use crate::journal::{AppendError, Journal, WireRow};
use crate::repo::{Boundary, Repo, RepoError};

pub use self::once::{Round, Turnstile, run_gates};
pub use self::reread::{Moments, reread};

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
    /// This is the configuration from now on.
    Configure(Box<Config>),
    /// List the files that can be added to the context.
    ListFiles,
    /// List the models that could have a role.
    ListModels,
    /// Make a worktree with the change in it ready to be edited by hand.
    OpenWorktree(LoopId),
    /// Make the calls of a loop that wait for their next attempt again at once.
    AskNow(LoopId),
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
        /// The finding it was asked about; none for a draft or a critique.
        finding: Option<usize>,
        /// What it said.
        text: String,
        /// Whether it is reasoning.
        reasoning: bool,
    },
    /// An attempt of a call has failed, and another will follow.
    Waiting {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Which model.
        role: Role,
        /// The finding it was asked about; none for a draft or a critique.
        finding: Option<usize>,
        /// What went wrong, in a line.
        why: String,
        /// When the next attempt is made.
        until: Timestamp,
    },
    /// It is a gate's turn: it runs from now on.
    GateBegan {
        /// The gate.
        gate: String,
        /// When.
        at: Timestamp,
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
    /// The files that can be added to the context.
    Files(Vec<String>),
    /// The models that could have a role.
    Models {
        /// All that are known by now.
        offers: Vec<Offer>,
        /// Whether servers are still being asked.
        more: bool,
    },
    /// The worktree to edit is here.
    Worktree(PathBuf),
}

/// What a loop has running once at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    Measure,
    Author,
    Critic,
    /// An answer about a finding.
    Reply(usize),
    Gate(String),
}

/// One running job. Its result counts unless the job was begun again meanwhile: what was stopped comes home late.
#[derive(Debug)]
struct Task {
    id: LoopId,
    job: Job,
    number: u64,
}

/// What a task sends home.
enum Home {
    Command(Command),
    Wire(WireRow),
    Report(Report),
    /// A call waits between two attempts, until this is cancelled or its time has come.
    Waits {
        id: LoopId,
        job: Job,
        skip: CancellationToken,
    },
    /// A call ended.
    Answered(Answered),
    /// A measurement is done (none if it was cancelled), or failed; the context can be gathered with it.
    Measured {
        task: Task,
        stage: StageIndex,
        taken: Result<Option<Measurement>, String>,
    },
    /// A command gate has run.
    Judged {
        task: Task,
        stage: StageIndex,
        run: GateRun,
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
    /// What ends the latest wait between two attempts; for one that is over already, in vain.
    waits: BTreeMap<(LoopId, Job), CancellationToken>,
    /// The number of the latest task of each job.
    latest: BTreeMap<(LoopId, Job), u64>,
    benches: BTreeMap<String, Bench>,
    /// Whose turn it is.
    shift: Shift,
    /// Worktrees of ended loops on their way out.
    clearing: JoinSet<()>,
    /// The tree that a human was given to edit.
    in_hand: BTreeMap<LoopId, TreeId>,
    wire: Vec<WireRow>,
    /// Calls that have ended and can't be searched yet.
    unindexed: BTreeSet<ExchangeId>,
    /// Nothing is begun any more.
    ending: bool,
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
        Ok(Self {
            journal,
            state,
            config,
            repo,
            private,
            reports,
            home,
            arrivals,
            running: BTreeMap::new(),
            waits: BTreeMap::new(),
            latest: BTreeMap::new(),
            benches: BTreeMap::new(),
            shift: Shift::default(),
            clearing: JoinSet::new(),
            in_hand: BTreeMap::new(),
            wire: Vec::new(),
            unindexed: BTreeSet::new(),
            ending: false,
        })
    }

    /// Serves orders until told to end, or until nobody is left to give any.
    ///
    /// # Errors
    /// If the record can't be kept; nothing is done that isn't recorded.
    pub async fn run(mut self, mut orders: UnboundedReceiver<Order>) -> Result<(), DriverError> {
        self.start()?;
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
                // One at a time, so that nobody waits for it.
                () = std::future::ready(()), if !self.unindexed.is_empty() => self.index()?,
            }
        }
        self.end().await
    }

    /// Takes what has arrived. What follows from it, and what still runs, is taken up at the next start.
    async fn end(&mut self) -> Result<(), DriverError> {
        self.ending = true;
        while let Ok(arrival) = self.arrivals.try_recv() {
            self.take(arrival)?;
        }
        for cancel in self.running.values() {
            cancel.cancel();
        }
        // Nobody comes back for the worktrees of a loop that has ended. What arrives meanwhile counts as received.
        while self.clearing.join_next().await.is_some() {}
        while let Ok(arrival) = self.arrivals.try_recv() {
            if let Home::Wire(row) = arrival {
                self.wire.push(row);
            }
        }
        self.flush()
    }

    fn serve(&mut self, order: Order) -> Result<(), DriverError> {
        match order {
            Order::Command(command) => self.command(*command),
            Order::Begin { goal, hint } => match self.beginning(goal, hint) {
                Ok(command) => self.decide(command),
                Err(error) => self.refuse(&error),
            },
            Order::Configure(config) => {
                self.config = *config;
                self.configure()
            }
            Order::ListFiles => {
                self.list_files();
                Ok(())
            }
            Order::ListModels => {
                self.list_models();
                Ok(())
            }
            Order::AskNow(id) => {
                self.waits.retain(|(of, _), skip| {
                    if *of == id {
                        skip.cancel();
                    }
                    *of != id
                });
                Ok(())
            }
            Order::OpenWorktree(id) => match self.open_worktree(id) {
                Ok(Ok(path)) => {
                    self.tell(Report::Worktree(path));
                    Ok(())
                }
                Ok(Err(why)) => {
                    self.tell(Report::Refused(why));
                    Ok(())
                }
                Err(error) => self.refuse(&error),
            },
            Order::End => Ok(()),
        }
    }

    /// Decides what a human wants.
    fn command(&mut self, command: Command) -> Result<(), DriverError> {
        if let Command::TakeWorktree { id, .. } = &command {
            match self.untouched(*id) {
                Ok(None) => {}
                Ok(Some(path)) => {
                    self.tell(Report::Refused(format!("nothing was changed in {}", path.display())));
                    return Ok(());
                }
                Err(error) => return self.refuse(&error),
            }
        }
        if let Command::ChooseModel { id, role, model, .. } = &command
            && let Err(why) = self.fits(*id, *role, model)
        {
            self.tell(Report::Refused(why));
            return Ok(());
        }
        self.decide(command)
    }

    /// Lists the files that can be context of the active loop, or of the one that would begin now. Beside everything
    /// else: every file is looked into.
    fn list_files(&self) {
        let (repo, home) = (self.repo.clone(), self.home.clone());
        let base = self.state.active().map(|one| one.base.clone());
        tokio::task::spawn_blocking(move || {
            let listed = base.map_or_else(|| repo.head(), Ok).and_then(|base| context::offered(&repo, &base));
            let report = listed.map_or_else(|error| Report::Refused(error.to_string()), Report::Files);
            let _ = home.send(Home::Report(report));
        });
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
            Home::Waits { id, job, skip } => {
                self.waits.insert((id, job), skip);
                Ok(())
            }
            Home::Answered(answered) => {
                self.flush()?;
                self.unindexed.insert(answered.exchange);
                if self.is_latest(&answered.task) {
                    for command in self.answered(answered) {
                        self.decide(command)?;
                    }
                }
                Ok(())
            }
            Home::Measured { task, stage, taken } => {
                if self.is_latest(&task) {
                    let prepared = self.measured(task.id, stage, taken);
                    self.decide(prepared)?;
                }
                Ok(())
            }
            Home::Judged { task, stage, run } => {
                self.shift.leave(&task, &run.gate);
                if self.is_latest(&task) {
                    self.decide(Command::GateFinished { id: task.id, stage, run })?;
                }
                // Others may have waited for its place alone.
                for command in if self.ending { Vec::new() } else { self.take_turns() } {
                    self.decide(command)?;
                }
                Ok(())
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
                if self.ending {
                    continue;
                }
                for effect in effects {
                    commands.extend(self.perform(effect)?);
                }
            }
            // Only now is everything asked for that an event asks for, and the quick gates can go first.
            if !self.ending {
                commands.extend(self.take_turns());
            }
        }
        Ok(())
    }

    /// Does an effect: at once what is short, in a task what isn't. Gives the commands that follow at once.
    fn perform(&mut self, effect: Effect) -> Result<Vec<Command>, DriverError> {
        match effect {
            Effect::Prepare { id, stage } => Ok(self.prepare(id, stage)),
            Effect::OpenStage(proof) => Ok(self.prepare(proof.loop_id(), proof.stage().next())),
            Effect::Draft { id, stage } => self.call(id, stage, Role::Author, None),
            Effect::Critique { id, stage, .. } => self.call(id, stage, Role::Critic, None),
            Effect::Reply { id, stage, revision, finding } => self.reply(About { id, stage, revision, finding }),
            Effect::Build { id, stage, text, by } => Ok(self.build(id, stage, &text, Origin::Human { name: by })),
            Effect::TakeWorktree { id, stage, by } => Ok(self.take_worktree(id, stage, by)),
            Effect::RunGate { id, stage, gate } => Ok(self.run_gate(id, stage, &gate)),
            Effect::Cancel { id } => {
                if let Some(cancel) = self.running.remove(&id) {
                    cancel.cancel();
                }
                Ok(self.stop_waiting(id))
            }
            Effect::Land(proof) => Ok(self.land(proof.loop_id())),
            Effect::CleanUp { id } => {
                self.clean_up(id);
                Ok(Vec::new())
            }
        }
    }

    /// Removes the worktrees of a loop that has ended, when what ran in them is gone.
    fn clean_up(&mut self, id: LoopId) {
        self.in_hand.remove(&id);
        let Some(base) = self.state.loops.get(&id).map(|one| one.base.clone()) else { return };
        for name in worktrees(id) {
            let (bench, home) = (self.bench(name.clone(), &base), self.home.clone());
            self.benches.remove(&name);
            self.clearing.spawn(async move {
                if let Err(error) = bench.clear().await {
                    let _ = home.send(Home::Report(Report::Refused(error.to_string())));
                }
            });
        }
    }

    fn beginning(&self, goal: String, hint: Option<String>) -> Result<Command, RepoError> {
        let (base, branch) = (self.repo.head()?, self.repo.branch()?);
        let (workflow, setup, by) = (self.config.workflow.clone(), self.setup(), self.repo.person());
        Ok(Command::Begin { goal, hint, workflow, base, branch, setup, by })
    }

    fn setup(&self) -> Setup {
        Setup {
            author: self.config.author.clone(),
            change_author: self.config.change_author.clone(),
            critic: self.config.critic.clone(),
            gates: self.config.gates.clone(),
            config: self.config.commands_digest,
        }
    }

    fn boundary(&self) -> Boundary {
        Boundary { allow: self.config.boundary_allow.clone(), deny: self.config.boundary_deny.clone() }
    }

    /// Whether the repository's commands may run: there are none, or a human trusted exactly these.
    fn trusts(&self) -> bool {
        self.config.commands_digest.is_none_or(|config| self.state.trusted.contains(&config))
    }

    fn bench(&mut self, name: String, base: &CommitId) -> Bench {
        let made = || Bench::new(self.repo.clone(), name.clone(), base.clone());
        self.benches.entry(name.clone()).or_insert_with(made).clone()
    }

    /// Begins a job; what an earlier task of it still brings home no longer counts.
    fn begin(&mut self, id: LoopId, job: Job) -> Task {
        let number = self.latest.entry((id, job.clone())).or_default();
        *number += 1;
        Task { id, job, number: *number }
    }

    fn is_latest(&self, task: &Task) -> bool {
        self.latest.get(&(task.id, task.job.clone())) == Some(&task.number)
    }

    fn found(&self, id: LoopId, index: StageIndex) -> Option<(&Loop, &Stage)> {
        let one = self.state.loops.get(&id)?;
        Some((one, one.stage(index)?))
    }

    /// The token that stops what runs for a loop.
    fn cancel(&mut self, id: LoopId) -> CancellationToken {
        self.running.entry(id).or_default().clone()
    }

    /// Lets one more call be searched.
    fn index(&mut self) -> Result<(), DriverError> {
        let Some(id) = self.unindexed.pop_first() else { return Ok(()) };
        // The record doesn't rest on it: what isn't indexed is looked through.
        self.journal.index(id).or_else(|error| {
            self.unindexed.clear();
            self.refuse(&error)
        })
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

/// All worktrees that a loop may have.
fn worktrees(id: LoopId) -> [String; 4] {
    [base_worktree(id), change_worktree(id), hand_worktree(id), agent_worktree(id)]
}

fn base_worktree(id: LoopId) -> String {
    format!("loop-{id}-base")
}

fn change_worktree(id: LoopId) -> String {
    format!("loop-{id}-change")
}

/// The worktree that belongs to an agent while it makes the change.
fn agent_worktree(id: LoopId) -> String {
    format!("loop-{id}-agent")
}

/// The worktree that belongs to the human.
fn hand_worktree(id: LoopId) -> String {
    format!("loop-{id}-hand")
}

/// The moment, for commands.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
