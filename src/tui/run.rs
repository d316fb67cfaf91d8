//! The one loop: keys, reports, signals and moments come in, one at a time; frames and orders go out.

use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream};
use futures_util::{FutureExt, StreamExt};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::background::Late;
use super::casting;
use super::clipboard::{self, Copied};
use super::editor;
use super::input::{self, Pending};
use super::live::{Company, Heard, Told};
use super::record;
use super::terminal::{Drawn, Screen};
use super::work::{Answer, Look, Opened, Work, now, until};
use super::{Left, Start, TuiError};
use crate::app::action::Action;
use crate::app::{Candidate, Msg, Notice, Overlay, Request, update};
use crate::domain::{LoopId, Role, Timestamp, ascii, visible_line};
use crate::driver::Report;
use crate::engine::{Loop, Phase, Status};
use crate::keymap::Keymap;
use crate::process::supervise;
use crate::theme::{Depth, Theme};
use crate::view::{Grammar, Scene, Syntax};

/// The shortest time between frames that no key asked for.
const FRAME: Duration = Duration::from_millis(50);

/// How long a window must keep its size before it is drawn: tmux flips it with every key of another client.
const SETTLE: Duration = Duration::from_millis(75);

/// Shows the screen until the person leaves, the terminal goes, or the record can't be kept.
///
/// # Errors
/// If the terminal or the record fails. The terminal is as it was before.
pub fn run(start: Start) -> Result<Left, TuiError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let wheel = start.settings.config.access.mouse;
    let (mut work, Opened { reports, quiet, look, first_run, decide }) = Work::open(start, Screen::size()?)?;
    let Look { theme, depth, themes, keymap } = look;
    if let Some(first) = work.model.host.warnings.first() {
        let more = work.model.host.warnings.len() - 1;
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        let text = format!("{first}{more}");
        work.model.notice.get_or_insert(Notice { text, is_error: false });
    }
    work.model.keys = keymap.rows();
    let mut screen = Screen::take()?;
    if wheel {
        screen.listen_to_the_wheel()?;
    }
    let (back, aside) = unbounded_channel();
    let syntax = Syntax::default();
    let session = Session {
        work,
        ui: Ui { theme, keymap, syntax, pending: Pending::default(), late: Late::default() },
        depth,
        themes,
        screen,
        keys: None,
        frame: Frame { wanted: Some(Instant::now()), last: None },
        looked_at: None,
        back,
        aside,
        trial: CancellationToken::new(),
        left: Left::Done,
        first_run,
        decide,
    };
    let (session, result) = runtime.block_on(session.serve(reports));
    // The terminal first: whatever the driver has to say belongs on the person's own screen.
    let Session { screen, work, left, .. } = session;
    drop(screen);
    let ended = work.source.end();
    drop(quiet);
    result.and(ended).map(|()| left)
}

/// What is drawn.
struct Ui {
    theme: Theme,
    keymap: Keymap,
    syntax: Syntax,
    pending: Pending,
    late: Late,
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
    work: Work,
    ui: Ui,
    /// How many colours the terminal has, and where the person's own themes are.
    depth: Depth,
    themes: Option<PathBuf>,
    screen: Screen,
    /// None while another program has the terminal.
    keys: Option<EventStream>,
    frame: Frame,
    /// The phase last rung for.
    looked_at: Option<(LoopId, usize, bool)>,
    /// What is done beside the loop, and outside the record, comes back here.
    back: UnboundedSender<Msg>,
    aside: UnboundedReceiver<Msg>,
    /// Ends the models that are being tried out.
    trial: CancellationToken,
    left: Left,
    first_run: bool,
    /// It is about one decision alone.
    decide: bool,
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
        if self.first_run {
            // Nothing can come of it but a look around.
            self.take(Msg::Act(Action::RolesOpen), &mut interrupt)?;
        }
        self.draw()?;
        self.load_grammar();
        self.listen()?;
        let mut company = self.work.company()?;
        if self.decide {
            self.take(Msg::Act(Action::DecisionOpen), &mut interrupt)?;
            self.frame.now();
        }
        loop {
            let due = self.due();
            let rests = self.frame.wanted.is_some_and(|at| at > Instant::now());
            let Some(keys) = self.keys.as_mut() else { return Ok(()) };
            let next = tokio::select! {
                biased;
                _ = hangup.recv() => Next::Leave,
                _ = terminate.recv() => Next::Leave,
                _ = interrupt.recv() => Next::Leave,
                event = keys.next() => match event {
                    Some(Ok(event)) => match self.input(event, &mut interrupt)? {
                        Next::Go if self.decide && self.work.model.overlays.is_empty() => Next::Leave,
                        next => next,
                    },
                    // The terminal is gone; the record is safe.
                    Some(Err(_)) | None => Next::Leave,
                },
                // What piles up until the next frame is taken at once then: a fast model wakes nobody for every word.
                report = reports.recv(), if !rests => match report {
                    Some(mut report) => {
                        company.tell(&report);
                        let mut next = Next::Go;
                        // Take what has piled up before drawing: a fast model must not be drawn word by word.
                        while let (Next::Go, Ok(more)) = (&next, reports.try_recv()) {
                            company.tell(&more);
                            if let Err(more) = record::join(&mut report, more) {
                                next = self.report(std::mem::replace(&mut report, more), &mut interrupt)?;
                            }
                        }
                        match next {
                            Next::Go => self.report(report, &mut interrupt)?,
                            Next::Leave => next,
                        }
                    }
                    None => Next::Leave,
                },
                Some(msg) = self.aside.recv() => {
                    self.frame.soon();
                    self.take(msg, &mut interrupt)?
                }
                () = until(due) => self.woken()?,
                heard = company.next() => self.hear(heard, &mut company, &mut interrupt)?,
            };
            if matches!(next, Next::Leave) || (self.decide && self.is_decided()) {
                return Ok(());
            }
        }
    }

    /// Whether no decision is awaited, and none is being carried out.
    fn is_decided(&self) -> bool {
        let awaits = |one: &Loop| one.open_stage().is_some_and(|stage| stage.phase == Phase::Awaiting);
        let active = self.work.model.state.active();
        self.work.model.overlays.is_empty()
            && !active.is_some_and(|one| matches!(one.status, Status::Landing(_)) || awaits(one))
    }

    /// The next moment at which something must be done without being asked.
    fn due(&self) -> Option<Instant> {
        let popup = self.ui.pending.popup_at().filter(|_| self.ui.pending.shown(Instant::now()).is_none());
        let model = self.work.model.wake_at().map(instant);
        [self.frame.wanted, popup, model].into_iter().flatten().min()
    }

    fn woken(&mut self) -> Result<Next, TuiError> {
        let moment = Instant::now();
        if self.work.model.wake_at().is_some_and(|at| at <= now()) {
            self.work.tell(Msg::Woken);
            // What stood there for long enough has been read.
            self.work.keep();
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
        if self.work.model.size != (columns, rows) {
            self.work.tell(Msg::Resize(columns, rows));
        }
        let model = &self.work.model;
        let Ui { theme, keymap, syntax, pending, .. } = &mut self.ui;
        let moment = Instant::now();
        syntax.begin_frame();
        let scene = Scene { model, theme, keymap, syntax, pending: pending.shown(moment) };
        let whole = self.screen.draw(&scene)?;
        self.frame = Frame { wanted: None, last: Some(moment) };
        if self.ui.syntax.lags() {
            self.frame.soon();
        }
        match whole {
            Drawn::Whole if !self.work.model.overlays.is_empty() => {
                let due = self.work.model.wake_at();
                self.work.tell(Msg::Painted);
                // A moment that came while it was drawn is over for the model, and not on the screen yet.
                if due.is_some_and(|at| at <= self.work.model.now) {
                    self.frame.soon();
                }
            }
            Drawn::Whole | Drawn::TooSmall => {}
            Drawn::Moved => self.frame.soon(),
        }
        Ok(())
    }

    fn input(&mut self, event: Event, interrupt: &mut Signal) -> Result<Next, TuiError> {
        let resized = matches!(event, Event::Resize(..));
        // An event may tell of a size that has passed: a newer one may be on the screen already.
        let event = if resized { Screen::size().map(|(columns, rows)| Event::Resize(columns, rows))? } else { event };
        let model = &mut self.work.model;
        let Ui { keymap, pending, late, .. } = &mut self.ui;
        if matches!(&event, Event::Key(key) if late.swallows(key)) {
            return Ok(Next::Go);
        }
        let Some(msg) = input::message(model, keymap, pending, event) else { return Ok(Next::Go) };
        let next = self.take(msg, interrupt)?;
        self.work.keep();
        if !self.work.model.overlays.iter().any(|overlay| matches!(overlay, Overlay::Casting(_))) {
            // Whoever leaves the choice of the models waits for no answer.
            self.trial.cancel();
        }
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
        let msg = match record::message(report) {
            Ok(Msg::Event(recorded)) => {
                let moves = Work::moves(&recorded.event);
                let next = self.take(Msg::Event(recorded), interrupt)?;
                self.work.keep();
                if moves {
                    let around = self.work.around();
                    self.work.tell(around);
                }
                self.ring_if_awaiting()?;
                self.frame.soon();
                return Ok(next);
            }
            Ok(msg) => msg,
            Err(path) => {
                let editor = self.work.editor.clone();
                let opened = self.lend(interrupt, || editor::open(&editor, &path))?;
                match self.work.take_worktree(opened, &path) {
                    Some(msg) => msg,
                    None => return Ok(Next::Go),
                }
            }
        };
        let next = self.take(msg, interrupt)?;
        self.frame.soon();
        Ok(next)
    }

    /// Passes a message to the model and does what it asks.
    fn take(&mut self, msg: Msg, interrupt: &mut Signal) -> Result<Next, TuiError> {
        for request in update(&mut self.work.model, msg, now()) {
            let msg = match self.work.answer(request)? {
                Answer::Done => continue,
                Answer::Tell(msg) => msg,
                Answer::Leave => return Ok(Next::Leave),
                Answer::Face(request) => match self.face(request, interrupt)? {
                    Some(msg) => msg,
                    None if self.left == Left::Demo => return Ok(Next::Leave),
                    None => continue,
                },
            };
            if let Next::Leave = self.take(msg, interrupt)? {
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Go)
    }

    /// Does what only a screen can.
    fn face(&mut self, request: Request, interrupt: &mut Signal) -> Result<Option<Msg>, TuiError> {
        match request {
            Request::Suspend => self.lend(interrupt, supervise::suspend)?,
            Request::Reload => self.reload(),
            Request::ShowTheme(name) => self.show_theme(&name),
            Request::Copy { name, text } => {
                let notice = match clipboard::copy(&self.work.repo.private_dir()?, &name, &text, in_tmux()) {
                    Ok(Copied { bytes, told }) => {
                        self.screen.send(&bytes)?;
                        Notice { text: told, is_error: false }
                    }
                    Err(error) => Notice { text: format!("failed to keep {name}: {error}"), is_error: true },
                };
                self.work.model.notice = Some(notice);
            }
            Request::LookForModels => casting::look(&self.work.config, self.back.clone()),
            Request::TryModels(models) => {
                self.trial = CancellationToken::new();
                casting::try_out(models, self.trial.clone(), self.back.clone());
            }
            Request::Cast(chosen) => return Ok(Some(self.cast(&chosen))),
            Request::Demo => self.left = Left::Demo,
            Request::Edit(text) => {
                let (editor, dir) = (self.work.editor.clone(), self.work.repo.private_dir()?);
                let edited = self.lend(interrupt, || editor::edit_text(&editor, &dir, &text))?;
                return Ok(Some(edited));
            }
            // Done by the work already.
            _ => {}
        }
        Ok(None)
    }

    /// Writes the chosen models down, and works with them from now on.
    fn cast(&mut self, chosen: &[(Role, Candidate)]) -> Msg {
        let said = match casting::write(chosen) {
            Ok(said) => said,
            Err(why) => return Msg::Refused(why),
        };
        self.reload();
        let setup = &self.work.model.host.setup;
        let holds = chosen.iter().all(|(role, one)| {
            let now = if *role == Role::Author { &setup.author } else { &setup.critic };
            now.as_ref() == Some(&one.model)
        });
        Msg::Cast(if holds { said } else { format!("{said}; the repository, a variable or a flag names others") })
    }

    fn reload(&mut self) {
        let Some(Look { theme, depth, themes, keymap }) = self.work.reload() else { return };
        self.work.model.keys = keymap.rows();
        (self.depth, self.themes, self.ui.keymap) = (depth, themes, keymap);
        self.look_like(theme);
    }

    /// Looks like the theme of this name; what is wrong with its file is told.
    fn show_theme(&mut self, name: &str) {
        let (theme, problems) = Theme::load(name, self.themes.as_deref(), self.depth);
        if let Some(problem) = problems.first() {
            self.work.model.notice = Some(Notice { text: problem.to_string(), is_error: true });
        }
        self.look_like(theme);
    }

    fn look_like(&mut self, theme: Theme) {
        let recoloured = theme.syntax() != self.ui.theme.syntax();
        self.ui.theme = theme;
        if recoloured {
            self.ui.syntax = self.ui.syntax.recoloured(self.ui.theme.syntax());
            self.load_grammar();
        }
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
        if self.work.model.size != (columns, rows) {
            self.work.tell(Msg::Resize(columns, rows));
            self.frame.now();
        }
        Ok(())
    }

    /// Rings once when a stage begins to wait for its human.
    fn ring_if_awaiting(&mut self) -> io::Result<()> {
        let place = self.work.model.state.active().and_then(|one: &Loop| {
            let awaits = one.status == Status::Active && one.open_stage()?.phase == Phase::Awaiting;
            Some((one.id, one.open.0, awaits))
        });
        let awaits = place.is_some_and(|(_, _, awaits)| awaits);
        if place == std::mem::replace(&mut self.looked_at, place) {
            return Ok(());
        }
        let stage = self.work.model.state.active().and_then(Loop::open_stage).map_or("", |stage| &stage.spec.id);
        let stage = ascii(&visible_line(stage)).into_owned();
        let words = if awaits { format!("windlass: {stage} awaits your decision") } else { "windlass".to_owned() };
        let mut bytes = format!("\x1b]2;{words}\x07").into_bytes();
        if awaits {
            bytes.extend(clipboard::notify(&words, in_tmux()));
        }
        self.screen.send(&bytes)
    }

    fn hear(&mut self, heard: Heard, company: &mut Company, interrupt: &mut Signal) -> Result<Next, TuiError> {
        match heard {
            Heard::Came(number) => company.welcome(number, &self.work.model),
            Heard::Watchers(names) => {
                self.work.tell(Msg::Watchers(names));
                self.frame.soon();
            }
            Heard::Told(Told::Now(now)) => {
                let next = self.follow(now.seq, interrupt)?;
                self.work.tell(Msg::Live(Box::new(now.live())));
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
                if self.work.look_for_driver(company.hears())? {
                    self.frame.soon();
                }
                return Ok(next);
            }
        }
        Ok(Next::Go)
    }

    /// Reads what another process has added to its journal, as far as this place.
    fn follow(&mut self, to: u64, interrupt: &mut Signal) -> Result<Next, TuiError> {
        for recorded in self.work.fresh(to)? {
            if let Next::Leave = self.report(Report::Event(Box::new(recorded)), interrupt)? {
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Go)
    }

    /// Loads the grammars beside the first frames; they colour what is drawn after.
    fn load_grammar(&self) {
        let (slot, name) = (self.ui.syntax.slot(), self.ui.theme.syntax().to_owned());
        if self.ui.theme.is_mono() || slot.get().is_some() {
            return;
        }
        thread::spawn(move || {
            // Set once, by the only loader.
            let _ = slot.set(Grammar::load(&name));
        });
    }
}

/// Whether tmux stands between us and the terminal.
fn in_tmux() -> bool {
    std::env::var_os("TMUX").is_some_and(|value| !value.is_empty())
}

/// A moment of the model's on our clock, rounded up.
fn instant(at: Timestamp) -> Instant {
    let ahead = u64::try_from(at.0 - now().0 + 1).unwrap_or(0);
    Instant::now() + Duration::from_millis(ahead)
}
