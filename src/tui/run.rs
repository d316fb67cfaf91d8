//! The one loop: keys, reports, signals and moments come in, one at a time; frames and orders go out.

use std::future;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossterm::event::{Event, EventStream};
use futures_util::{FutureExt, StreamExt};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant as Moment, sleep_until};
use tokio_util::sync::CancellationToken;

use super::background::Late;
use super::casting;
use super::clipboard::{self, Copied};
use super::drafts::Drafts;
use super::editor::{self, Edited};
use super::exchange;
use super::input::{self, Pending};
use super::live::{Company, Feed, Gallery, Heard, Told};
use super::record::{self, Source};
use super::terminal::{Drawn, Screen};
use super::{Left, Settings, Start, TuiError};
use crate::app::action::Action;
use crate::app::{Candidate, Host, Model, Msg, Notice, Overlay, Request, update};
use crate::config::Config;
use crate::domain::{LoopId, Role, Timestamp, ascii, visible_line};
use crate::driver::{Order, Report};
use crate::engine::{Command, Event as Happened, Loop, Phase, Status};
use crate::keymap::Keymap;
use crate::process::supervise;
use crate::repo::Repo;
use crate::theme::{Depth, Theme};
use crate::view::{Grammar, Scene, Syntax};

/// The shortest time between frames that no key asked for.
const FRAME: Duration = Duration::from_millis(50);

/// How long a window must keep its size before it is drawn: tmux flips it with every key of another client.
const SETTLE: Duration = Duration::from_millis(75);

/// How many rows a notch of the wheel scrolls.
const WHEEL_ROWS: usize = 3;

/// Shows the screen until the person leaves, the terminal goes, or the record can't be kept.
///
/// # Errors
/// If the terminal or the record fails. The terminal is as it was before.
pub fn run(start: Start) -> Result<Left, TuiError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let Start { repo, record, settings, reload, first, first_run, goal, decide } = start;
    let Settings { config, host, theme, depth, themes, keymap } = settings;
    let (configured, wheel) = (config.editor.clone(), config.access.mouse);
    let opened = record::open(record, config.clone(), repo.clone())?;
    let mut screen = Screen::take()?;
    if wheel {
        screen.listen_to_the_wheel()?;
    }
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
    model.keys = keymap.rows();
    let first_run = first_run && model.state.loops.is_empty() && !model.host.reads_only;
    let (back, aside) = unbounded_channel();
    let syntax = Syntax::default();
    let session = Session {
        ui: Ui { model, theme, keymap, syntax, pending: Pending::default(), late: Late::default() },
        depth,
        themes,
        screen,
        source: opened.source,
        drafts,
        repo,
        editor: editor::command(configured.as_deref()),
        reload,
        keys: None,
        frame: Frame { wanted: Some(Instant::now()), last: None },
        looked_at: None,
        config,
        back,
        aside,
        trial: CancellationToken::new(),
        left: Left::Done,
        first_run,
        decide,
    };
    let (session, result) = runtime.block_on(session.serve(opened.reports));
    // The terminal first: whatever the driver has to say belongs on the person's own screen.
    let Session { screen, source, left, .. } = session;
    drop(screen);
    let ended = source.end();
    drop(opened.quiet);
    result.and(ended).map(|()| left)
}

/// What is drawn.
struct Ui {
    model: Model,
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
    ui: Ui,
    /// How many colours the terminal has, and where the person's own themes are.
    depth: Depth,
    themes: Option<PathBuf>,
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
    config: Config,
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
        let mut company = self.company()?;
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
                        Next::Go if self.decide && self.ui.model.overlays.is_empty() => Next::Leave,
                        next => next,
                    },
                    // The terminal is gone; the record is safe.
                    Some(Err(_)) | None => Next::Leave,
                },
                // What piles up until the next frame is taken at once then: a fast model wakes nobody for every word.
                report = reports.recv(), if !rests => match report {
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
        let active = self.ui.model.state.active();
        self.ui.model.overlays.is_empty()
            && !active.is_some_and(|one| matches!(one.status, Status::Landing(_)) || awaits(one))
    }

    /// The next moment at which something must be done without being asked.
    fn due(&self) -> Option<Instant> {
        let popup = self.ui.pending.popup_at().filter(|_| self.ui.pending.shown(Instant::now()).is_none());
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
        let Ui { model, theme, keymap, syntax, pending, .. } = &mut self.ui;
        let moment = Instant::now();
        let scene = Scene { model, theme, keymap, syntax, pending: pending.shown(moment) };
        let whole = self.screen.draw(&scene)?;
        self.frame = Frame { wanted: None, last: Some(moment) };
        match whole {
            Drawn::Whole if !self.ui.model.overlays.is_empty() => {
                let due = self.ui.model.wake_at();
                self.tell(Msg::Painted);
                // A moment that came while it was drawn is over for the model, and not on the screen yet.
                if due.is_some_and(|at| at <= self.ui.model.now) {
                    self.frame.soon();
                }
            }
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
        let Ui { model, keymap, pending, late, .. } = &mut self.ui;
        if matches!(&event, Event::Key(key) if late.swallows(key)) {
            return Ok(Next::Go);
        }
        let times = if matches!(event, Event::Mouse(_)) { WHEEL_ROWS } else { 1 };
        let Some(msg) = input::message(model, keymap, pending, event) else { return Ok(Next::Go) };
        let mut next = self.take(msg.clone(), interrupt)?;
        for _ in 1..times {
            next = self.take(msg.clone(), interrupt)?;
        }
        self.keep_drafts();
        if !self.ui.model.overlays.iter().any(|overlay| matches!(overlay, Overlay::Casting(_))) {
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
            Ok(msg) => msg,
            Err(path) => {
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
                Request::Suspend => self.lend(interrupt, supervise::suspend)?,
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
                Request::ShowTheme(name) => self.show_theme(&name),
                Request::Compare { from, to, note } => {
                    let msg = match self.repo.patch(&from, &to) {
                        Ok(patch) => Msg::Compared { note, patch },
                        Err(why) => Msg::Refused(why.to_string()),
                    };
                    return self.take(msg, interrupt);
                }
                Request::FindCalls(text) => {
                    let ids: Vec<_> = self.ui.model.state.exchanges.keys().copied().collect();
                    let msg = match exchange::find(&self.repo.private_dir()?, &text, ids) {
                        Ok(lines) => Msg::FoundCalls { text, lines },
                        Err(why) => Msg::Refused(why.to_string()),
                    };
                    return self.take(msg, interrupt);
                }
                Request::Copy { name, text } => {
                    let notice = match clipboard::copy(&self.repo.private_dir()?, &name, &text, in_tmux()) {
                        Ok(Copied { bytes, told }) => {
                            self.screen.send(&bytes)?;
                            Notice { text: told, is_error: false }
                        }
                        Err(error) => Notice { text: format!("failed to keep {name}: {error}"), is_error: true },
                    };
                    self.ui.model.notice = Some(notice);
                }
                Request::LookForModels => casting::look(&self.config, self.back.clone()),
                Request::TryModels(models) => {
                    self.trial = CancellationToken::new();
                    casting::try_out(models, self.trial.clone(), self.back.clone());
                }
                Request::Cast(chosen) => {
                    let msg = self.cast(&chosen);
                    return self.take(msg, interrupt);
                }
                Request::Demo => {
                    self.left = Left::Demo;
                    return Ok(Next::Leave);
                }
                Request::AskNow(id) => self.order(Order::AskNow(id)),
                Request::ListFiles => self.order(Order::ListFiles),
                Request::ListModels => self.order(Order::ListModels),
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

    /// Writes the chosen models down, and works with them from now on.
    fn cast(&mut self, chosen: &[(Role, Candidate)]) -> Msg {
        let said = match casting::write(chosen) {
            Ok(said) => said,
            Err(why) => return Msg::Refused(why),
        };
        self.reload();
        let setup = &self.ui.model.host.setup;
        let holds = chosen.iter().all(|(role, one)| {
            let now = if *role == Role::Author { &setup.author } else { &setup.critic };
            now.as_ref() == Some(&one.model)
        });
        Msg::Cast(if holds { said } else { format!("{said}; the repository, a variable or a flag names others") })
    }

    /// Reads the configuration again. A broken one changes nothing.
    fn reload(&mut self) {
        let notice = match (self.reload)() {
            Ok(Settings { config, host, theme, depth, themes, keymap }) => {
                let demo = self.ui.model.host.demo;
                let reads_only = self.ui.model.host.reads_only;
                self.ui.model.keys = keymap.rows();
                (self.depth, self.themes) = (depth, themes);
                self.look_like(theme);
                self.ui.keymap = keymap;
                self.editor = editor::command(config.editor.as_deref());
                self.config = config.clone();
                let warning = host.warnings.first().cloned();
                self.tell(Msg::Host(Box::new(Host { demo, reads_only, ..host })));
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

    /// Looks like the theme of this name; what is wrong with its file is told.
    fn show_theme(&mut self, name: &str) {
        let (theme, problems) = Theme::load(name, self.themes.as_deref(), self.depth);
        if let Some(problem) = problems.first() {
            self.ui.model.notice = Some(Notice { text: problem.to_string(), is_error: true });
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
        let awaits = place.is_some_and(|(_, _, awaits)| awaits);
        if place == std::mem::replace(&mut self.looked_at, place) {
            return Ok(());
        }
        let stage = self.ui.model.state.active().and_then(Loop::open_stage).map_or("", |stage| &stage.spec.id);
        let stage = ascii(&visible_line(stage)).into_owned();
        let words = if awaits { format!("windlass: {stage} awaits your decision") } else { "windlass".to_owned() };
        let mut bytes = format!("\x1b]2;{words}\x07").into_bytes();
        if awaits {
            bytes.extend(clipboard::notify(&words, in_tmux()));
        }
        self.screen.send(&bytes)
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

/// Waits for a moment, or for ever.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(Moment::from_std(due)).await,
        None => future::pending().await,
    }
}

/// The moment, for the model.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A moment of the model's on our clock, rounded up.
fn instant(at: Timestamp) -> Instant {
    let ahead = u64::try_from(at.0 - now().0 + 1).unwrap_or(0);
    Instant::now() + Duration::from_millis(ahead)
}
