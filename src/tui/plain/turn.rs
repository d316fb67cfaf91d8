//! The one loop of the linear mode: lines, reports, signals and moments come in, one at a time.

use std::io;
use std::time::Instant;

use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant as Moment, sleep_until};

use super::super::editor::{self, Edited};
use super::super::live::{Company, Feed, Gallery, Heard, Told};
use super::super::record::{self, Source};
use super::super::run::now;
use super::super::{Settings, TuiError, clipboard, exchange};
use super::keyboard::Keyboard;
use super::paper::Paper;
use super::speech::Speech;
use super::{Front, Question, show};
use crate::app::action::Action;
use crate::app::tell;
use crate::app::{Host, Model, Msg, Notice, Request, update};
use crate::domain::{Digest, LoopId, Role, StageIndex};
use crate::driver::{Order, Report};
use crate::engine::{Command, Event as Happened, Status};
use crate::repo::Repo;

/// The part of the artifact that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Its place.
    pub(super) unit: usize,
    /// What it is: a part that has changed is another one.
    pub(super) digest: Digest,
    /// Whether every part is put, not only the unread ones.
    pub(super) all: bool,
}

pub(super) struct Session {
    pub(super) model: Model,
    pub(super) source: Source,
    pub(super) drafts: super::Drafts,
    pub(super) repo: Repo,
    pub(super) editor: String,
    pub(super) reload: Box<dyn Fn() -> Result<Settings, String>>,
    pub(super) keyboard: Keyboard,
    pub(super) paper: Paper,
    /// The author's words, and the critic's.
    pub(super) speech: [Speech; 2],
    pub(super) front: Front,
    pub(super) question: Option<Question>,
    pub(super) reading: Option<Reading>,
    /// The stage that was said to wait for its decision.
    pub(super) awaited: Option<(LoopId, StageIndex)>,
    /// The words offered last.
    pub(super) offered: Option<String>,
    /// Another program had the terminal: an interrupt typed there was meant for it.
    pub(super) lent: bool,
    /// It is about one decision alone.
    pub(super) decide: bool,
}

pub(super) enum Next {
    Go,
    Leave,
}

impl Session {
    pub(super) async fn serve(mut self, mut reports: UnboundedReceiver<Report>) -> (Self, Result<(), TuiError>) {
        let result = self.turn(&mut reports).await;
        (self, result)
    }

    async fn turn(&mut self, reports: &mut UnboundedReceiver<Report>) -> Result<(), TuiError> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut company = self.company()?;
        self.paper.line("Windlass, linear mode. Everything is said in lines; help lists what you can type.")?;
        self.paper.lines(self.model.host.warnings.iter().map(|warning| format!("Warning: {warning}")))?;
        self.paper.lines(show::status(&self.model))?;
        self.offered = Some(show::offer(&self.model));
        self.awaited = awaited(&self.model);
        if self.decide {
            self.take(Msg::Act(Action::DecisionOpen))?;
        }
        self.settle()?;
        loop {
            let due = self.question.as_ref().filter(|question| !question.put).map(|question| question.due);
            let next = tokio::select! {
                biased;
                _ = hangup.recv() => Next::Leave,
                _ = terminate.recv() => Next::Leave,
                _ = interrupt.recv() => self.interrupt()?,
                line = self.keyboard.line() => match line {
                    Ok(Some(line)) => self.line(&line)?,
                    // The end of input, or of the terminal; the record is safe.
                    Ok(None) | Err(_) => Next::Leave,
                },
                report = reports.recv() => match report {
                    Some(report) => {
                        company.tell(&report);
                        self.report(report)?
                    }
                    None => Next::Leave,
                },
                () = until(due) => {
                    self.put()?;
                    Next::Go
                }
                heard = company.next() => self.notice(heard, &mut company)?,
            };
            if matches!(next, Next::Leave) {
                return Ok(());
            }
            if std::mem::take(&mut self.lent) {
                while interrupt.recv().now_or_never().is_some() {}
            }
            self.keep_drafts();
            self.settle()?;
            if self.decide && self.model.overlays.is_empty() && !self.is_landing() {
                return Ok(());
            }
        }
    }

    /// Passes a message to the model and does what it asks.
    pub(super) fn take(&mut self, msg: Msg) -> Result<Next, TuiError> {
        for request in update(&mut self.model, msg, now()) {
            let msg = match request {
                Request::Quit => return Ok(Next::Leave),
                Request::Command(command) => {
                    self.order(Order::Command(command));
                    continue;
                }
                Request::Begin { goal, hint } => {
                    self.order(Order::Begin { goal, hint });
                    continue;
                }
                Request::AskNow(id) => {
                    self.order(Order::AskNow(id));
                    continue;
                }
                Request::ListFiles => {
                    self.order(Order::ListFiles);
                    continue;
                }
                Request::ListModels => {
                    self.order(Order::ListModels);
                    continue;
                }
                Request::Compare { from, to, note } => match self.repo.patch(&from, &to) {
                    Ok(patch) => Msg::Compared { note, patch },
                    Err(why) => Msg::Refused(why.to_string()),
                },
                Request::LookForModels
                | Request::TryModels(_)
                | Request::Cast(_)
                | Request::Demo
                | Request::FindCalls(_)
                | Request::ShowTheme(_)
                | Request::Suspend => {
                    let text = "that needs the screen, or a command: `windlass --help` lists them".to_owned();
                    self.model.notice = Some(Notice { text, is_error: true });
                    continue;
                }
                Request::EditWorktree(id) => {
                    self.order(Order::OpenWorktree(id));
                    continue;
                }
                Request::Trust(config) => {
                    let by = self.model.person();
                    self.order(Order::Command(Box::new(Command::Trust { config, by })));
                    continue;
                }
                Request::LookAround => {
                    let host = self.model.host.clone();
                    Msg::Host(Box::new(Host { branch: self.repo.branch()?, dirty: self.repo.dirty()?, ..host }))
                }
                Request::Reload => {
                    self.reload();
                    continue;
                }
                Request::ReadCall(exchange) => match exchange::text(&self.repo.private_dir()?, exchange) {
                    Ok(text) => Msg::Call { exchange, text },
                    Err(why) => Msg::Refused(why.to_string()),
                },
                Request::Copy { name, text } => {
                    // Lines alone: the terminal is told nothing else.
                    let kept = clipboard::keep(&self.repo.private_dir()?, &name, &text);
                    let (text, is_error) = match kept {
                        Ok(path) => (format!("kept in {}", path.display()), false),
                        Err(error) => (format!("failed to keep {name}: {error}"), true),
                    };
                    self.model.notice = Some(Notice { text, is_error });
                    continue;
                }
                Request::Edit(text) => {
                    self.lent = true;
                    match editor::edit_text(&self.editor, &self.repo.private_dir()?, &text) {
                        Edited::Text(text) => Msg::Edited { text: Some(text) },
                        Edited::Unchanged => Msg::Edited { text: None },
                        Edited::Failed(why) => Msg::Refused(why),
                    }
                }
            };
            if let Next::Leave = self.take(msg)? {
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Go)
    }

    fn is_landing(&self) -> bool {
        self.model.state.active().is_some_and(|one| matches!(one.status, Status::Landing(_)))
    }

    fn order(&mut self, order: Order) {
        if !self.source.order(order) {
            let text = match &self.source {
                Source::Reading { who: Some(who), .. } => format!("read only: {who} drives; decide there"),
                Source::Reading { who: None, .. } => "read only: decide where windlass drives".to_owned(),
                Source::Driving { .. } => "the driver has stopped".to_owned(),
            };
            self.model.notice = Some(Notice { text, is_error: true });
        }
    }

    fn report(&mut self, report: Report) -> Result<Next, TuiError> {
        match &report {
            // Several answers about findings can come at once: each is said when it is there.
            Report::Delta { role, finding: None, text, reasoning: false, .. } => {
                let lines = self.speech_of(*role).push(text);
                self.say(*role, lines)?;
            }
            Report::Waiting { role, why, until, .. } => {
                let left = until.0.abs_diff(now().0).div_ceil(1000);
                self.paper.line(&tell::waits(*role, left, why))?;
            }
            Report::Progress(text) => self.paper.line(&format!("{text}."))?,
            _ => {}
        }
        match record::message(report) {
            Ok(Msg::Event(recorded)) => {
                if let Happened::Answered { exchange, .. } = &recorded.event
                    && let Some(role) = self.model.state.exchanges.get(exchange).map(|call| call.role)
                {
                    let rest = self.speech_of(role).end();
                    self.say(role, rest)?;
                }
                if let Happened::Replied { exchange, text, .. } = &recorded.event
                    && let Some(role) = self.model.state.exchanges.get(exchange).map(|call| call.role)
                {
                    self.say(role, text.lines().map(str::to_owned))?;
                }
                let moves = matches!(recorded.event, Happened::Begun { .. } | Happened::Landed { .. });
                let next = self.take(Msg::Event(recorded.clone()))?;
                self.say_notice()?;
                self.paper.lines(tell::event(&self.model.state, &recorded))?;
                if matches!(recorded.event, Happened::Critiqued { .. }) {
                    self.paper.lines(show::findings(&self.model))?;
                }
                if moves {
                    self.take(Msg::Host(Box::new(Host {
                        branch: self.repo.branch()?,
                        dirty: self.repo.dirty()?,
                        ..self.model.host.clone()
                    })))?;
                }
                Ok(next)
            }
            Ok(msg) => self.take(msg),
            Err(worktree) => {
                self.lent = true;
                let opened = editor::open(&self.editor, &worktree);
                match (opened, self.model.state.active().map(|one| one.id)) {
                    (Ok(()), Some(id)) => {
                        let by = self.model.person();
                        self.order(Order::Command(Box::new(Command::TakeWorktree { id, by })));
                    }
                    (Ok(()), None) => {}
                    (Err(why), _) => {
                        let text = format!("{}: {why}; the worktree is {}", self.editor, worktree.display());
                        return self.take(Msg::Refused(text));
                    }
                }
                Ok(Next::Go)
            }
        }
    }

    fn speech_of(&mut self, role: Role) -> &mut Speech {
        let [author, critic] = &mut self.speech;
        match role {
            Role::Author => author,
            Role::Critic => critic,
        }
    }

    /// Prints what a model said. Who speaks stands before each line, as gates and two models may speak at once.
    fn say(&self, role: Role, lines: impl IntoIterator<Item = String>) -> io::Result<()> {
        let lines = lines.into_iter().filter(|line| !line.trim().is_empty());
        self.paper.lines(lines.map(|line| format!("{}: {line}", role.name())))
    }

    /// C-c: leaves what is in front, else stops what is running.
    fn interrupt(&mut self) -> Result<Next, TuiError> {
        if self.reading.take().is_some() && self.model.overlays.is_empty() {
            self.question = None;
            self.front = Front::Answered;
            return Ok(Next::Go);
        }
        let action = if self.model.overlays.is_empty() { Action::RunCancel } else { Action::Back };
        self.front = Front::Answered;
        self.take(Msg::Act(action))
    }

    fn reload(&mut self) {
        let notice = match (self.reload)() {
            Ok(Settings { config, host, .. }) => {
                let Host { demo, reads_only, .. } = self.model.host;
                self.editor = editor::command(config.editor.as_deref());
                let warning = host.warnings.first().cloned();
                let _ = update(&mut self.model, Msg::Host(Box::new(Host { demo, reads_only, ..host })), now());
                if !reads_only {
                    self.order(Order::Configure(Box::new(config)));
                }
                let text = warning.unwrap_or_else(|| "the configuration was read again".to_owned());
                Notice { text, is_error: false }
            }
            Err(why) => Notice { text: why, is_error: true },
        };
        self.model.notice = Some(notice);
    }

    /// Keeps what was begun and not sent. The process that only reads has nothing to keep.
    fn keep_drafts(&mut self) {
        if self.model.host.reads_only {
            return;
        }
        if let Err(error) = self.drafts.keep(self.model.unfinished()) {
            let text = format!("what you type can't be kept for later: {error}");
            self.model.notice = Some(Notice { text, is_error: true });
        }
    }

    /// Lets others look on, or looks on.
    fn company(&mut self) -> Result<Company, TuiError> {
        let private = self.repo.private_dir()?;
        if let Source::Reading { .. } = self.source {
            let person = &self.model.host.person;
            let name = person.split(" <").next().unwrap_or(person).to_owned();
            return Ok(Company::Watching(Feed::new(&private, name)));
        }
        let (gallery, opened) = Gallery::open(&private);
        if let Err(error) = opened {
            let text = format!("others can watch from the journal alone, a moment late: {error}");
            self.model.notice.get_or_insert(Notice { text, is_error: false });
        }
        Ok(Company::Driving(gallery))
    }

    /// What comes from those who look on, or from the one who is looked at.
    fn notice(&mut self, heard: Heard, company: &mut Company) -> Result<Next, TuiError> {
        match heard {
            Heard::Came(number) => company.welcome(number, &self.model),
            Heard::Watchers(names) => {
                let text = if names.is_empty() { "Nobody".to_owned() } else { names.join(", ") };
                self.paper.line(&format!("{text} looks on."))?;
                return self.take(Msg::Watchers(names));
            }
            Heard::Told(Told::Now(now)) => {
                self.follow(now.seq)?;
                return self.take(Msg::Live(Box::new(now.live())));
            }
            Heard::Told(Told::Event { seq }) => return self.follow(seq),
            Heard::Told(told) => {
                if let Some(report) = told.report() {
                    return self.report(report);
                }
            }
            Heard::Silence => return self.follow(u64::MAX),
        }
        Ok(Next::Go)
    }

    /// Says what another process has added to its journal, as far as this place.
    fn follow(&mut self, to: u64) -> Result<Next, TuiError> {
        let Source::Reading { reader, .. } = &self.source else { return Ok(Next::Go) };
        let fresh = reader.events_after(self.model.seq)?;
        for recorded in fresh.into_iter().filter(|recorded| recorded.seq <= to) {
            if let Next::Leave = self.report(Report::Event(Box::new(recorded)))? {
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Go)
    }
}

/// The stage that waits for its decision.
pub(super) fn awaited(model: &Model) -> Option<(LoopId, StageIndex)> {
    let one = model.state.active()?;
    tell::awaits(one.open_stage()?).map(|_| (one.id, one.open))
}

/// Waits for a moment, or for ever.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(Moment::from_std(due)).await,
        None => std::future::pending().await,
    }
}
