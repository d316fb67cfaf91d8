//! The one loop of the linear mode: lines, reports, signals and moments come in, one at a time.

use std::io;

use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::live::{Company, Heard, Told};
use super::super::work::{Answer, Work, now, until};
use super::super::{TuiError, clipboard, editor, record};
use super::keyboard::Keyboard;
use super::paper::Paper;
use super::speech::Speech;
use super::{Front, Question, show};
use crate::app::action::Action;
use crate::app::tell;
use crate::app::{GONE, Model, Msg, Notice, Request, update};
use crate::domain::{Digest, LoopId, Role, StageIndex};
use crate::driver::Report;
use crate::engine::{Event as Happened, Status};

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
    pub(super) work: Work,
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
        let mut company = self.work.company()?;
        self.paper.line("Windlass, linear mode. Everything is said in lines; help lists what you can type.")?;
        self.paper.lines(self.work.model.host.warnings.iter().map(|warning| format!("Warning: {warning}")))?;
        self.paper.lines(show::status(&self.work.model))?;
        self.offered = Some(show::offer(&self.work.model));
        self.awaited = awaited(&self.work.model);
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
            self.work.keep();
            self.settle()?;
            if self.decide && self.work.model.overlays.is_empty() && !self.is_landing() {
                return Ok(());
            }
        }
    }

    /// Passes a message to the model and does what it asks.
    pub(super) fn take(&mut self, msg: Msg) -> Result<Next, TuiError> {
        for request in update(&mut self.work.model, msg, now()) {
            let msg = match self.work.answer(request)? {
                Answer::Done => continue,
                Answer::Tell(msg) => msg,
                Answer::Leave => return Ok(Next::Leave),
                Answer::Face(request) => match self.face(request)? {
                    Some(msg) => msg,
                    None => continue,
                },
            };
            if let Next::Leave = self.take(msg)? {
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Go)
    }

    /// Does what the terminal is needed for, as far as lines can.
    fn face(&mut self, request: Request) -> Result<Option<Msg>, TuiError> {
        let (text, is_error) = match request {
            Request::Reload => {
                // What it says of looks and keys is for a screen.
                let _ = self.work.reload();
                return Ok(None);
            }
            Request::Edit(text) => {
                self.lent = true;
                let dir = self.work.repo.private_dir()?;
                return Ok(Some(editor::edit_text(&self.work.editor, &dir, &text)));
            }
            // Lines alone: the terminal is told nothing else.
            Request::Copy { name, text } => match clipboard::keep(&self.work.repo.private_dir()?, &name, &text) {
                Ok(path) => (format!("kept in {}", path.display()), false),
                Err(error) => (format!("failed to keep {name}: {error}"), true),
            },
            _ => ("that needs the screen, or a command: `windlass --help` lists them".to_owned(), true),
        };
        self.work.model.notice = Some(Notice { text, is_error });
        Ok(None)
    }

    fn is_landing(&self) -> bool {
        self.work.model.state.active().is_some_and(|one| matches!(one.status, Status::Landing(_)))
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
                    && let Some(role) = self.work.model.state.exchanges.get(exchange).map(|call| call.role)
                {
                    let rest = self.speech_of(role).end();
                    self.say(role, rest)?;
                }
                if let Happened::Replied { exchange, text, .. } = &recorded.event
                    && let Some(role) = self.work.model.state.exchanges.get(exchange).map(|call| call.role)
                {
                    self.say(role, text.lines().map(str::to_owned))?;
                }
                let moves = Work::moves(&recorded.event);
                let next = self.take(Msg::Event(recorded.clone()))?;
                self.say_notice()?;
                self.paper.lines(tell::event(&self.work.model.state, &recorded))?;
                if matches!(recorded.event, Happened::Critiqued { .. }) {
                    self.paper.lines(show::findings(&self.work.model))?;
                }
                if moves {
                    let around = self.work.around();
                    self.take(around)?;
                }
                Ok(next)
            }
            Ok(msg) => self.take(msg),
            Err(worktree) => {
                self.lent = true;
                let opened = editor::open(&self.work.editor, &worktree);
                match self.work.take_worktree(opened, &worktree) {
                    Some(msg) => self.take(msg),
                    None => Ok(Next::Go),
                }
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
        if self.reading.take().is_some() && self.work.model.overlays.is_empty() {
            self.question = None;
            self.front = Front::Answered;
            return Ok(Next::Go);
        }
        let action = if self.work.model.overlays.is_empty() { Action::RunCancel } else { Action::Back };
        self.front = Front::Answered;
        self.take(Msg::Act(action))
    }

    /// What comes from those who look on, or from the one who is looked at.
    fn notice(&mut self, heard: Heard, company: &mut Company) -> Result<Next, TuiError> {
        match heard {
            Heard::Came(number) => company.welcome(number, &self.work.model),
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
            Heard::Silence => {
                let next = self.follow(u64::MAX)?;
                if self.work.look_for_driver(company.hears())? && self.work.model.driver_gone {
                    self.paper.line(&format!("{GONE}."))?;
                }
                return Ok(next);
            }
        }
        Ok(Next::Go)
    }

    /// Says what another process has added to its journal, as far as this place.
    fn follow(&mut self, to: u64) -> Result<Next, TuiError> {
        for recorded in self.work.fresh(to)? {
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
