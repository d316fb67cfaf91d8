//! The work as both faces have it, the screen and the linear mode: the model, and what it asks for outside of the
//! terminal.

use std::future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant as Moment, sleep_until};

use super::drafts::Drafts;
use super::live::{Company, Feed, Gallery};
use super::record::{self, Source};
use super::{Settings, Start, TuiError, editor, exchange};
use crate::app::{Host, Model, Msg, Notice, Request, update};
use crate::config::Config;
use crate::domain::Timestamp;
use crate::driver::{Order, Report};
use crate::engine::{Command, Event, Recorded};
use crate::keymap::Keymap;
use crate::repo::Repo;
use crate::theme::{Depth, Theme};

/// What both faces work on.
pub(super) struct Work {
    /// What the person sees and does.
    pub(super) model: Model,
    /// Where the events come from.
    pub(super) source: Source,
    /// The person's repository.
    pub(super) repo: Repo,
    /// What is configured now.
    pub(super) config: Config,
    /// The person's editor.
    pub(super) editor: String,
    drafts: Drafts,
    reload: Box<dyn Fn() -> Result<Settings, String>>,
}

/// What comes of opening the work, beside the work itself.
pub(super) struct Opened {
    /// What the driver tells.
    pub(super) reports: UnboundedReceiver<Report>,
    /// Keeps that channel open while nobody sends.
    pub(super) quiet: Option<UnboundedSender<Report>>,
    /// How it is to look, and which keys do what.
    pub(super) look: Look,
    /// Whether no model is configured, and choosing them comes first.
    pub(super) first_run: bool,
    /// Whether it is about one decision alone.
    pub(super) decide: bool,
}

/// What only a screen needs of the settings.
pub(super) struct Look {
    pub(super) theme: Theme,
    pub(super) depth: Depth,
    pub(super) themes: Option<PathBuf>,
    pub(super) keymap: Keymap,
}

/// What came of a request.
pub(super) enum Answer {
    /// It is done, or on its way.
    Done,
    /// The model is to be told this.
    Tell(Msg),
    /// The person leaves.
    Leave,
    /// It is for the face itself.
    Face(Request),
}

impl Work {
    /// Opens the work in a window of this size.
    pub(super) fn open(start: Start, size: (u16, u16)) -> Result<(Self, Opened), TuiError> {
        let Start { repo, record, settings, reload, first, first_run, goal, decide } = start;
        let Settings { config, host, theme, depth, themes, keymap } = settings;
        let editor = editor::command(config.editor.as_deref());
        let opened = record::open(record, config.clone(), repo.clone())?;
        let mut model = Model::new(opened.state, opened.seq, host, size, now());
        if let Some(goal) = goal {
            model.suggest_goal(goal);
        }
        let (drafts, complaint) = Drafts::open(&repo.private_dir()?);
        model.drafts.extend(drafts.texts().clone());
        model.host.warnings.extend(complaint);
        if let Source::Reading { who, .. } = &opened.source {
            model.host.reads_only = true;
            let text = match who {
                Some(who) => format!("read only: {who} drives"),
                None => "read only: nobody drives now; what comes will be told here".to_owned(),
            };
            model.notice = Some(Notice { text, is_error: false });
        }
        if let Some(order) = first {
            opened.source.order(order);
        }
        let first_run = first_run && model.state.loops.is_empty() && !model.host.reads_only;
        let work = Self { model, source: opened.source, repo, config, editor, drafts, reload };
        let look = Look { theme, depth, themes, keymap };
        Ok((work, Opened { reports: opened.reports, quiet: opened.quiet, look, first_run, decide }))
    }

    /// Does what the model asks for, as far as no terminal is needed for it.
    pub(super) fn answer(&mut self, request: Request) -> Result<Answer, TuiError> {
        let order = match request {
            Request::Quit => return Ok(Answer::Leave),
            Request::LookAround => return Ok(Answer::Tell(self.around())),
            Request::Compare { from, to, note } => {
                let patch = self.repo.patch(&from, &to).map(|patch| Msg::Compared { note, patch });
                return Ok(Answer::Tell(patch.unwrap_or_else(|why| Msg::Refused(why.to_string()))));
            }
            Request::ReadCall(exchange) => {
                let read = exchange::text(&self.repo.private_dir()?, exchange);
                let read = read.map(|text| Msg::Call { exchange, text });
                return Ok(Answer::Tell(read.unwrap_or_else(|why| Msg::Refused(why.to_string()))));
            }
            Request::FindCalls(text) => {
                let ids: Vec<_> = self.model.state.exchanges.keys().copied().collect();
                let found = exchange::find(&self.repo.private_dir()?, &text, ids);
                let found = found.map(|lines| Msg::FoundCalls { text, lines });
                return Ok(Answer::Tell(found.unwrap_or_else(|why| Msg::Refused(why.to_string()))));
            }
            Request::Command(command) => Order::Command(command),
            Request::Begin { goal, hint } => Order::Begin { goal, hint },
            Request::AskNow(id) => Order::AskNow(id),
            Request::ListFiles => Order::ListFiles,
            Request::ListModels => Order::ListModels,
            Request::EditWorktree(id) => Order::OpenWorktree(id),
            Request::Trust(config) => Order::Command(Box::new(Command::Trust { config, by: self.model.person() })),
            request => return Ok(Answer::Face(request)),
        };
        self.order(order);
        Ok(Answer::Done)
    }

    /// Gives the driver an order, or says why nobody takes it.
    pub(super) fn order(&mut self, order: Order) {
        if self.source.order(order) {
            return;
        }
        let text = match &self.source {
            Source::Reading { who: Some(who), .. } => format!("read only: {who} drives; decide there"),
            Source::Reading { who: None, .. } => "read only: decide where windlass drives".to_owned(),
            Source::Driving { .. } => "the driver has stopped".to_owned(),
        };
        self.model.notice = Some(Notice { text, is_error: true });
    }

    /// Passes a message to the model when nothing can come of it but a change of the model.
    pub(super) fn tell(&mut self, msg: Msg) {
        let requests = update(&mut self.model, msg, now());
        debug_assert!(requests.is_empty(), "{requests:?}");
    }

    /// The checkout as it is now: a landing has moved it, or is about to.
    pub(super) fn around(&self) -> Msg {
        match (self.repo.branch(), self.repo.dirty()) {
            (Ok(branch), Ok(dirty)) => Msg::Host(Box::new(Host { branch, dirty, ..self.model.host.clone() })),
            (Err(error), _) | (_, Err(error)) => Msg::Refused(error.to_string()),
        }
    }

    /// Whether the checkout may be another one after this.
    pub(super) const fn moves(event: &Event) -> bool {
        matches!(event, Event::Begun { .. } | Event::Landed { .. })
    }

    /// What is to be done after the person's editor had the change's worktree: what is there is taken, or why not is said.
    pub(super) fn take_worktree(&mut self, opened: io::Result<()>, worktree: &Path) -> Option<Msg> {
        match (opened, self.model.state.active().map(|one| one.id)) {
            (Ok(()), Some(id)) => {
                let by = self.model.person();
                self.order(Order::Command(Box::new(Command::TakeWorktree { id, by })));
                None
            }
            (Ok(()), None) => None,
            (Err(why), _) => {
                Some(Msg::Refused(format!("{}: {why}; the worktree is {}", self.editor, worktree.display())))
            }
        }
    }

    /// Reads the configuration again. A broken one changes nothing.
    pub(super) fn reload(&mut self) -> Option<Look> {
        let (notice, look) = match (self.reload)() {
            Ok(Settings { config, host, theme, depth, themes, keymap }) => {
                let Host { demo, reads_only, .. } = self.model.host;
                self.editor = editor::command(config.editor.as_deref());
                self.config = config.clone();
                let warning = host.warnings.first().cloned();
                self.tell(Msg::Host(Box::new(Host { demo, reads_only, ..host })));
                if !reads_only {
                    self.order(Order::Configure(Box::new(config)));
                }
                let text = warning.unwrap_or_else(|| "the configuration was read again".to_owned());
                (Notice { text, is_error: false }, Some(Look { theme, depth, themes, keymap }))
            }
            Err(why) => (Notice { text: why, is_error: true }, None),
        };
        self.model.notice = Some(notice);
        look
    }

    /// Keeps what is being typed. The process that only reads has nothing to keep.
    pub(super) fn keep_drafts(&mut self) {
        if self.model.host.reads_only {
            return;
        }
        if let Err(error) = self.drafts.keep(self.model.unfinished()) {
            let text = format!("what you type can't be kept for later: {error}");
            self.model.notice = Some(Notice { text, is_error: true });
        }
    }

    /// Lets others look on, or looks on.
    pub(super) fn company(&mut self) -> Result<Company, TuiError> {
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

    /// What another process has added to its journal, as far as this place.
    pub(super) fn fresh(&self, to: u64) -> Result<impl Iterator<Item = Recorded> + use<>, TuiError> {
        let fresh = match &self.source {
            Source::Reading { reader, .. } => reader.events_after(self.model.seq)?,
            Source::Driving { .. } => Vec::new(),
        };
        Ok(fresh.into_iter().filter(move |recorded| recorded.seq <= to))
    }
}

/// The moment, for the model.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Waits for a moment, or for ever.
pub(super) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(Moment::from_std(due)).await,
        None => future::pending().await,
    }
}
