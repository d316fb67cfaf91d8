//! The one loop: keys, reports, signals and moments come in, one at a time; frames and orders go out.

use std::future;
use std::io;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossterm::event::{Event, EventStream};
use futures_util::{FutureExt, StreamExt};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant as Moment, sleep_until};

use super::drafts::Drafts;
use super::editor::{self, Edited};
use super::exchange;
use super::input::{self, Pending};
use super::live::{Company, Feed, Gallery, Heard, Told};
use super::record::{self, Source};
use super::terminal::{Drawn, Screen};
use super::{Settings, Start, TuiError};
use crate::app::{Host, Model, Msg, Notice, Request, Waiting, update};
use crate::domain::{LoopId, Timestamp};
use crate::driver::{Order, Report};
use crate::engine::{Command, Event as Happened, Loop, Phase, Status};
use crate::keymap::Keymap;
use crate::repo::Repo;
use crate::theme::Theme;
use crate::view::{self, Grammar, Scene, Syntax};

/// The shortest time between frames that no key asked for.
const FRAME: Duration = Duration::from_millis(50);

/// How long a window must keep its size before it is drawn: tmux flips it with every key of another client.
const SETTLE: Duration = Duration::from_millis(75);

/// Shows the screen until the person leaves, the terminal goes, or the record can't be kept.
///
/// # Errors
/// If the terminal or the record fails. The terminal is as it was before.
pub fn run(start: Start) -> Result<(), TuiError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let Start { repo, record, settings, reload, first, goal } = start;
    let Settings { config, host, theme, keymap } = settings;
    let configured = config.editor.clone();
    let opened = record::open(record, config, repo.clone())?;
    let screen = Screen::take()?;
    let size = Screen::size()?;
    let mut model = Model::new(opened.state, opened.seq, host, size, now());
    if let Some(goal) = goal {
        model.suggest_goal(goal);
    }
    let (drafts, complaint) = Drafts::open(&repo.private_dir()?);
    model.drafts.extend(drafts.texts().clone());
    model.host.warnings.extend(complaint);
    if let Some(first) = model.host.warnings.first() {
        let more = model.host.warnings.len() - 1;
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        model.notice = Some(Notice { text: format!("{first}{more}"), is_error: false });
    }
    if let Source::Reading { who, .. } = &opened.source {
        model.host.reads_only = true;
        let text = match who {
            Some(who) => format!("read only: {who} drives"),
            None => "read only: nobody drives now; what comes will show here".to_owned(),
        };
        model.notice = Some(Notice { text, is_error: false });
    }
    if let Some(order) = first {
        opened.source.order(order);
    }
    model.help_rows = view::help_rows(&keymap);
    let syntax = Syntax::default();
    let session = Session {
        ui: Ui { model, theme, keymap, syntax, pending: Pending::default() },
        screen,
        source: opened.source,
        drafts,
        repo,
        editor: editor::command(configured.as_deref()),
        reload,
        keys: None,
        frame: Frame { wanted: Some(Instant::now()), last: None },
        looked_at: None,
    };
    let (session, result) = runtime.block_on(session.serve(opened.reports));
    // The terminal first: whatever the driver has to say belongs on the person's own screen.
    let Session { screen, source, .. } = session;
    drop(screen);
    let ended = source.end();
    drop(opened.quiet);
    result.and(ended)
}

/// What is drawn.
struct Ui {
    model: Model,
    theme: Theme,
    keymap: Keymap,
    syntax: Syntax,
    pending: Pending,
}

/// When the next frame is due.
struct Frame {
    wanted: Option<Instant>,
    last: Option<Instant>,
}

impl Frame {
    /// Something changed that no key asked for: it shows soon.
    fn soon(&mut self) {
        let due = self.last.map_or_else(Instant::now, |last| last + FRAME);
        self.wanted = Some(self.wanted.map_or(due, |wanted| wanted.min(due)));
    }

    /// A key changed something: it shows now.
    fn now(&mut self) {
        self.wanted = Some(Instant::now());
    }
}

struct Session {
    ui: Ui,
    screen: Screen,
    source: Source,
    drafts: Drafts,
    repo: Repo,
    editor: String,
    reload: Box<dyn Fn() -> Result<Settings, String>>,
    /// None while another program has the terminal.
    keys: Option<EventStream>,
    frame: Frame,
    /// The phase last rung for.
    looked_at: Option<(LoopId, usize, bool)>,
}

enum Next {
    Go,
    Leave,
}

impl Session {
    async fn serve(mut self, mut reports: UnboundedReceiver<Report>) -> (Self, Result<(), TuiError>) {
        let result = self.turn(&mut reports).await;
        (self, result)
    }

    async fn turn(&mut self, reports: &mut UnboundedReceiver<Report>) -> Result<(), TuiError> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        self.draw()?;
        self.load_grammar();
        self.listen()?;
        let mut company = self.company()?;
        loop {
            let due = self.due();
            let Some(keys) = self.keys.as_mut() else { return Ok(()) };
            let next = tokio::select! {
                biased;
                _ = hangup.recv() => Next::Leave,
                _ = terminate.recv() => Next::Leave,
                _ = interrupt.recv() => Next::Leave,
                event = keys.next() => match event {
                    Some(Ok(event)) => self.input(event, &mut interrupt)?,
                    // The terminal is gone; the record is safe.
                    Some(Err(_)) | None => Next::Leave,
                },
                report = reports.recv() => match report {
                    Some(report) => {
                        company.tell(&report);
                        let mut next = self.report(report, &mut interrupt)?;
                        // Take what has piled up before drawing: a fast model must not be drawn word by word.
                        while let (Next::Go, Ok(more)) = (&next, reports.try_recv()) {
                            company.tell(&more);
                            next = self.report(more, &mut interrupt)?;
                        }
                        next
                    }
                    None => Next::Leave,
                },
                () = until(due) => self.woken()?,
                heard = company.next() => self.hear(heard, &mut company, &mut interrupt)?,
            };
            if matches!(next, Next::Leave) {
                return Ok(());
            }
        }
    }

    /// The next moment at which something must be done without being asked.
    fn due(&self) -> Option<Instant> {
        let popup = self.ui.pending.popup_at().filter(|_| self.ui.pending.shown(Instant::now()).is_empty());
        let model = self.ui.model.wake_at().map(instant);
        [self.frame.wanted, popup, model].into_iter().flatten().min()
    }

    fn woken(&mut self) -> Result<Next, TuiError> {
        let moment = Instant::now();
        if self.ui.model.wake_at().is_some_and(|at| at <= now()) {
            self.tell(Msg::Woken);
            self.frame.soon();
        }
        if self.ui.pending.popup_at().is_some_and(|at| at <= moment)
            && self.frame.last.is_none_or(|last| self.ui.pending.popup_at().is_some_and(|at| last < at))
        {
            self.frame.now();
        }
        if self.frame.wanted.is_some_and(|at| at <= Instant::now()) {
            self.draw()?;
        }
        Ok(Next::Go)
    }

    fn draw(&mut self) -> io::Result<()> {
        // The window may have changed before its event has come, or without one.
        let (columns, rows) = Screen::size()?;
        if self.ui.model.size != (columns, rows) {
            self.tell(Msg::Resize(columns, rows));
        }
        let Ui { model, theme, keymap, syntax, pending } = &mut self.ui;
        let moment = Instant::now();
        let scene = Scene { model, theme, keymap, syntax, pending: pending.shown(moment) };
        let whole = self.screen.draw(&scene)?;
        self.frame = Frame { wanted: None, last: Some(moment) };
        match whole {
            Drawn::Whole if !self.ui.model.overlays.is_empty() => self.tell(Msg::Painted),
            Drawn::Whole | Drawn::TooSmall => {}
            Drawn::Moved => self.frame.soon(),
        }
        Ok(())
    }

    /// Passes a message to the model when nothing can come of it but a change of the model.
    fn tell(&mut self, msg: Msg) {
        let requests = update(&mut self.ui.model, msg, now());
        debug_assert!(requests.is_empty(), "{requests:?}");
    }

    fn input(&mut self, event: Event, interrupt: &mut Signal) -> Result<Next, TuiError> {
        let resized = matches!(event, Event::Resize(..));
        // An event may tell of a size that has passed: a newer one may be on the screen already.
        let event = if resized { Screen::size().map(|(columns, rows)| Event::Resize(columns, rows))? } else { event };
        let Ui { model, keymap, pending, .. } = &mut self.ui;
        let Some(msg) = input::message(model, keymap, pending, event) else { return Ok(Next::Go) };
        let next = self.take(msg, interrupt)?;
        self.keep_drafts();
        if resized {
            self.frame.wanted = Some(Instant::now() + SETTLE);
        } else {
            self.frame.now();
            self.draw_if_due()?;
        }
        Ok(next)
    }

    fn draw_if_due(&mut self) -> io::Result<()> {
        if self.frame.wanted.is_some_and(|at| at <= Instant::now()) { self.draw() } else { Ok(()) }
    }

    fn report(&mut self, report: Report, interrupt: &mut Signal) -> Result<Next, TuiError> {
        let msg = match report {
            Report::Event(recorded) => {
                let moves = matches!(recorded.event, Happened::Begun { .. } | Happened::Landed { .. });
                let next = self.take(Msg::Event(recorded), interrupt)?;
                self.keep_drafts();
                if moves {
                    self.look_around();
                }
                self.ring_if_awaiting()?;
                self.frame.soon();
                return Ok(next);
            }
            Report::Delta { id, stage, role, text, reasoning } => Msg::Delta { id, stage, role, text, reasoning },
            Report::Waiting { id, stage, role, why, until } => {
                Msg::Waiting { id, stage, role, waiting: Waiting { why, until } }
            }
            Report::GateOutput { gate, text } => Msg::GateOutput { gate, text },
            Report::Progress(text) => Msg::Progress(text),
            Report::Refused(text) => Msg::Refused(text),
            Report::Files(files) => Msg::Files(files),
            Report::Worktree(path) => {
                let editor = self.editor.clone();
                let opened = self.lend(interrupt, || editor::open(&editor, &path))?;
                match (opened, self.ui.model.state.active().map(|one| one.id)) {
                    (Ok(()), Some(id)) => {
                        let by = self.ui.model.person();
                        self.order(Order::Command(Box::new(Command::TakeWorktree { id, by })));
                        return Ok(Next::Go);
                    }
                    (Ok(()), None) => return Ok(Next::Go),
                    (Err(why), _) => Msg::Refused(format!("{editor}: {why}; the worktree is {}", path.display())),
                }
            }
        };
        let next = self.take(msg, interrupt)?;
        self.frame.soon();
        Ok(next)
    }

    /// Passes a message to the model and does what it asks.
    fn take(&mut self, msg: Msg, interrupt: &mut Signal) -> Result<Next, TuiError> {
        for request in update(&mut self.ui.model, msg, now()) {
            match request {
                Request::Quit => return Ok(Next::Leave),
                Request::Command(command) => self.order(Order::Command(command)),
                Request::Begin { goal, hint } => self.order(Order::Begin { goal, hint }),
                Request::LookAround => self.look_around(),
                Request::Reload => self.reload(),
                Request::ReadCall(exchange) => {
                    let msg = match exchange::text(&self.repo.private_dir()?, exchange) {
                        Ok(text) => Msg::Call { exchange, text },
                        Err(why) => Msg::Refused(why.to_string()),
                    };
                    return self.take(msg, interrupt);
                }
                Request::Compare { from, to, note } => {
                    let msg = match self.repo.patch(&from, &to) {
                        Ok(patch) => Msg::Compared { note, patch },
                        Err(why) => Msg::Refused(why.to_string()),
                    };
                    return self.take(msg, interrupt);
                }
                Request::AskNow(id) => self.order(Order::AskNow(id)),
                Request::ListFiles => self.order(Order::ListFiles),
                Request::EditWorktree(id) => self.order(Order::OpenWorktree(id)),
                Request::Trust(config) => {
                    let by = self.ui.model.person();
                    self.order(Order::Command(Box::new(Command::Trust { config, by })));
                }
                Request::Edit(text) => {
                    let (editor, dir) = (self.editor.clone(), self.repo.private_dir()?);
                    let edited = self.lend(interrupt, || editor::edit_text(&editor, &dir, &text))?;
                    let msg = match edited {
                        Edited::Text(text) => Msg::Edited { text: Some(text) },
                        Edited::Unchanged => Msg::Edited { text: None },
                        Edited::Failed(why) => Msg::Refused(why),
                    };
                    return self.take(msg, interrupt);
                }
            }
        }
        Ok(Next::Go)
    }

    /// Reads the configuration again. A broken one changes nothing.
    fn reload(&mut self) {
        let notice = match (self.reload)() {
            Ok(Settings { config, host, theme, keymap }) => {
                let demo = self.ui.model.host.demo;
                let reads_only = self.ui.model.host.reads_only;
                if theme.syntax() != self.ui.theme.syntax() {
                    self.ui.syntax = Syntax::default();
                }
                self.ui.model.help_rows = view::help_rows(&keymap);
                (self.ui.theme, self.ui.keymap) = (theme, keymap);
                self.editor = editor::command(config.editor.as_deref());
                let warning = host.warnings.first().cloned();
                self.tell(Msg::Host(Box::new(Host { demo, reads_only, ..host })));
                self.load_grammar();
                if !reads_only {
                    self.order(Order::Configure(Box::new(config)));
                }
                let text = warning.unwrap_or_else(|| "the configuration was read again".to_owned());
                Notice { text, is_error: false }
            }
            Err(why) => Notice { text: why, is_error: true },
        };
        self.ui.model.notice = Some(notice);
    }

    fn order(&mut self, order: Order) {
        if self.source.order(order) {
            return;
        }
        let text = match &self.source {
            Source::Reading { who: Some(who), .. } => format!("read only: {who} drives; decide there"),
            Source::Reading { who: None, .. } => "read only: decide where windlass drives".to_owned(),
            Source::Driving { .. } => "the driver has stopped".to_owned(),
        };
        self.ui.model.notice = Some(Notice { text, is_error: true });
    }

    /// Lends the terminal to the person's editor; keys meant for it never reach us.
    fn lend<T>(&mut self, interrupt: &mut Signal, to: impl FnOnce() -> T) -> io::Result<T> {
        self.keys = None;
        let result = self.screen.lend(to)?;
        // An interrupt typed in the editor was meant for the editor.
        while interrupt.recv().now_or_never().is_some() {}
        self.listen()?;
        self.frame.now();
        Ok(result)
    }

    /// Listens to the terminal from now on. Nobody will tell of a change of its size before this, so it is asked for.
    fn listen(&mut self) -> io::Result<()> {
        self.keys = Some(EventStream::new());
        let (columns, rows) = Screen::size()?;
        if self.ui.model.size != (columns, rows) {
            self.tell(Msg::Resize(columns, rows));
            self.frame.now();
        }
        Ok(())
    }

    /// Keeps what is being typed. The process that only reads has nothing to keep.
    fn keep_drafts(&mut self) {
        if self.ui.model.host.reads_only {
            return;
        }
        if let Err(error) = self.drafts.keep(self.ui.model.unfinished()) {
            let text = format!("what you type can't be kept for later: {error}");
            self.ui.model.notice = Some(Notice { text, is_error: true });
        }
    }

    /// Looks at the checkout again: a landing has moved it, or is about to.
    fn look_around(&mut self) {
        match (self.repo.branch(), self.repo.dirty()) {
            (Ok(branch), Ok(dirty)) => {
                let host = Host { branch, dirty, ..self.ui.model.host.clone() };
                self.tell(Msg::Host(Box::new(host)));
            }
            (Err(error), _) | (_, Err(error)) => {
                self.ui.model.notice = Some(Notice { text: error.to_string(), is_error: true });
            }
        }
    }

    /// Rings once when a stage begins to wait for its human.
    fn ring_if_awaiting(&mut self) -> io::Result<()> {
        let place = self.ui.model.state.active().and_then(|one: &Loop| {
            let awaits = one.status == Status::Active && one.open_stage()?.phase == Phase::Awaiting;
            Some((one.id, one.open.0, awaits))
        });
        let begins = place.is_some_and(|(_, _, awaits)| awaits) && place != self.looked_at;
        self.looked_at = place;
        if begins { self.screen.ring() } else { Ok(()) }
    }

    /// Lets others look on, or looks on.
    fn company(&mut self) -> Result<Company, TuiError> {
        let private = self.repo.private_dir()?;
        if let Source::Reading { .. } = self.source {
            let person = &self.ui.model.host.person;
            let name = person.split(" <").next().unwrap_or(person).to_owned();
            return Ok(Company::Watching(Feed::new(&private, name)));
        }
        let (gallery, opened) = Gallery::open(&private);
        if let Err(error) = opened {
            let text = format!("others can watch from the journal alone, a moment late: {error}");
            self.ui.model.notice.get_or_insert(Notice { text, is_error: false });
        }
        Ok(Company::Driving(gallery))
    }

    fn hear(&mut self, heard: Heard, company: &mut Company, interrupt: &mut Signal) -> Result<Next, TuiError> {
        match heard {
            Heard::Came(number) => company.welcome(number, &self.ui.model),
            Heard::Watchers(names) => {
                self.tell(Msg::Watchers(names));
                self.frame.soon();
            }
            Heard::Told(Told::Now(now)) => {
                let next = self.follow(now.seq, interrupt)?;
                self.tell(Msg::Live(Box::new(now.live())));
                self.frame.soon();
                return Ok(next);
            }
            Heard::Told(Told::Event { seq }) => return self.follow(seq, interrupt),
            Heard::Told(told) => {
                if let Some(report) = told.report() {
                    return self.report(report, interrupt);
                }
            }
            Heard::Silence => {
                let next = self.follow(u64::MAX, interrupt)?;
                if let Source::Reading { reader, .. } = &self.source
                    && !company.hears()
                    && self.ui.model.notice.is_none()
                    && reader.driver()?.is_none()
                {
                    let text = "nobody drives now: what comes will show here; `windlass` goes on from here".to_owned();
                    self.ui.model.notice = Some(Notice { text, is_error: false });
                    self.frame.soon();
                }
                return Ok(next);
            }
        }
        Ok(Next::Go)
    }

    /// Reads what another process has added to its journal, as far as this place.
    fn follow(&mut self, to: u64, interrupt: &mut Signal) -> Result<Next, TuiError> {
        let Source::Reading { reader, .. } = &self.source else { return Ok(Next::Go) };
        let fresh = reader.events_after(self.ui.model.seq)?;
        for recorded in fresh.into_iter().filter(|recorded| recorded.seq <= to) {
            if let Next::Leave = self.report(Report::Event(Box::new(recorded)), interrupt)? {
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Go)
    }

    /// Loads the grammars beside the first frames; they colour what is drawn after.
    fn load_grammar(&self) {
        let (slot, name) = (self.ui.syntax.slot(), self.ui.theme.syntax().to_owned());
        if self.ui.theme.is_mono() {
            return;
        }
        thread::spawn(move || {
            // Set once, by the only loader.
            let _ = slot.set(Grammar::load(&name));
        });
    }
}

/// Waits for a moment, or for ever.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(Moment::from_std(due)).await,
        None => future::pending().await,
    }
}

/// The moment, for the model.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A moment of the model's on our clock, rounded up.
fn instant(at: Timestamp) -> Instant {
    let ahead = u64::try_from(at.0 - now().0 + 1).unwrap_or(0);
    Instant::now() + Duration::from_millis(ahead)
}
