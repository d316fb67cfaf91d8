//! Attending commands, one after another: started, waited for, their orphans inherited, nothing of them left at the end.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{AccessFlags, Pid, access};

use super::super::sandbox;
use super::errand::{Errand, Streams, Told, receive, tell};
use super::family::{self, identity};
use super::order::{Order, Place};
#[cfg(target_os = "linux")]
use super::traces;

/// How long a descendant may hold the output open after the command's own end.
const LEAK: Duration = Duration::from_millis(200);

/// How often descendants are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// How long descendants are hunted that fork as fast as they die.
const HUNT: Duration = Duration::from_secs(2);

/// Tells a helper to end everything: from Windlass, or from the kernel when Windlass is gone. It is blocked before the
/// command is started, which inherits that, so it is one that nobody else uses.
#[cfg(target_os = "linux")]
pub(in crate::process) const END: Signal = Signal::SIGSTKFLT;
/// Tells a helper to end everything.
#[cfg(not(target_os = "linux"))]
pub(in crate::process) const END: Signal = Signal::SIGUSR1;

/// How a command ended, as a helper tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::process) enum End {
    /// By itself, with this code.
    Exit(i32),
    /// Of this signal.
    Signal(i32),
    /// With this code, and somebody kept its output open.
    Leak(i32),
    /// It never ran, and why.
    NotStarted(String),
}

impl End {
    /// The text that [`read`](Self::read) reads.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Exit(code) => format!("exit {code}"),
            Self::Signal(signal) => format!("signal {signal}"),
            Self::Leak(code) => format!("leak {code}"),
            Self::NotStarted(why) => format!("not-started {why}"),
        }
    }

    /// The ending that such a text tells, if it tells one.
    pub(in crate::process) fn read(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(' ')?;
        match word {
            "exit" => Some(Self::Exit(rest.parse().ok()?)),
            "signal" => Some(Self::Signal(rest.parse().ok()?)),
            "leak" => Some(Self::Leak(rest.parse().ok()?)),
            "not-started" => Some(Self::NotStarted(rest.to_owned())),
            _ => None,
        }
    }
}

/// What is known of one turn of waiting.
enum Turn {
    /// The first child has ended.
    Ended(WaitStatus),
    /// Everything is to end.
    Told,
}

/// The outer helper, or the only one.
pub(super) fn outside(order: &Order) -> bool {
    if order.place == Place::Outside {
        return attended(order, || mortal(order.parent));
    }
    let inner = Order { place: Place::Inside, parent: std::process::id(), ..order.clone() };
    let failed = |error: io::Error| format!("failed to put up the sandbox: {error}");
    // Mortal once more at the end: a change of user may undo it.
    let entered = mortal(order.parent).and_then(|()| enter(order).map_err(failed)).and_then(|()| mortal(order.parent));
    let started = entered.and_then(|()| {
        let (program, arguments) = super::command_line(&inner);
        Command::new(program).args(arguments).spawn().map_err(failed)
    });
    match started {
        Err(why) => refused(why),
        Ok(mut inner) => {
            if matches!(wait(&blocked(), &inner), Turn::Ended(_)) {
                return true;
            }
            // It takes everything inside along, and may have ended by itself meanwhile.
            inner.kill().and_then(|()| inner.wait()).is_ok()
        }
    }
}

/// The first process in the namespaces.
#[cfg(target_os = "linux")]
pub(super) fn inside(order: &Order) -> bool {
    let settle = || -> Result<(), String> {
        let words = |error: io::Error| format!("failed to put up the sandbox: {error}");
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| words(error.into()))?;
        // Asked of the old /proc: in here, a parent outside has no number.
        if family::parent_of("self") != i32::try_from(order.parent).ok() {
            return Err("windlass is gone".to_owned());
        }
        let without_network = order.sandbox.as_ref().is_some_and(|sandbox| !sandbox.network);
        let writable = order.sandbox.as_ref().map(|sandbox| sandbox.writable.as_slice()).unwrap_or_default();
        sandbox::namespaces::settle(order.identity, without_network, writable).map_err(words)?;
        // A change of user may have cleared it.
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| words(error.into()))
    };
    attended(order, settle)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn inside(_: &Order) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn enter(order: &Order) -> io::Result<()> {
    sandbox::namespaces::enter(order.sandbox.as_ref().is_some_and(|sandbox| !sandbox.network))
}

#[cfg(not(target_os = "linux"))]
fn enter(_: &Order) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Runs one command after another to its end and tells it; says whether all could be told. `prepare` comes before
/// anything else.
fn attended(order: &Order, prepare: impl FnOnce() -> Result<(), String>) -> bool {
    if let Err(why) = prepare().and_then(|()| confine(order)).and_then(|()| closed()) {
        return refused(why);
    }
    loop {
        let (errand, streams) = match next(order) {
            Ok(Some(next)) => next,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let Some(told) = run(order, &errand, streams) else { return true };
        if tell(&told).is_err() {
            return false;
        }
        if !told.again {
            return true;
        }
    }
}

/// Tells of the first command that it can't be run.
fn refused(why: String) -> bool {
    receive().is_ok_and(|first| first.is_some()) && tell(&Told { end: End::NotStarted(why), again: false }).is_ok()
}

/// Waits for the next command. Nothing runs meanwhile, so that the only helper may just die with Windlass.
fn next(order: &Order) -> io::Result<Option<(Errand, Streams)>> {
    let end = SigSet::from(END);
    if order.place == Place::Outside {
        end.thread_unblock()?;
    }
    let next = receive();
    end.thread_block()?;
    next
}

/// Keeps the commands off this process: it will attend others than the one that looks at it.
#[cfg(target_os = "linux")]
fn closed() -> Result<(), String> {
    nix::sys::prctl::set_dumpable(false).map_err(|error| error.to_string())
}

#[cfg(not(target_os = "linux"))]
fn closed() -> Result<(), String> {
    Ok(())
}

/// Puts up what is asked for around this process.
#[cfg(target_os = "linux")]
fn confine(order: &Order) -> Result<(), String> {
    match &order.sandbox {
        Some(sandbox) => sandbox::confine(&sandbox.writable, sandbox.network, order.place == Place::Inside),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn confine(order: &Order) -> Result<(), String> {
    if order.sandbox.is_some() && !cfg!(target_os = "macos") {
        return Err("this system has no sandbox that windlass knows".to_owned());
    }
    Ok(())
}

/// The command line that runs a command, where it is not this process that is confined.
#[cfg(target_os = "macos")]
fn confined(order: &Order, argv: &[OsString]) -> Vec<OsString> {
    match &order.sandbox {
        Some(kept) => sandbox::seatbelt::wrapped(&kept.writable, kept.network, argv),
        None => argv.to_vec(),
    }
}

#[cfg(not(target_os = "macos"))]
fn confined(_: &Order, argv: &[OsString]) -> Vec<OsString> {
    argv.to_vec()
}

/// Runs one command to its end; none if everything was told to end.
fn run(order: &Order, errand: &Errand, streams: Streams) -> Option<Told> {
    // Blocked since the last one, and the next one must not inherit that.
    let _ = waited_for().thread_unblock();
    let held = [identity(&streams.output), identity(&streams.errors)];
    let started = std::env::set_current_dir(&errand.cwd).map_err(|error| why_not_entered(&errand.cwd, &error));
    let end = match started.and_then(|()| start(&confined(order, &errand.argv), streams)) {
        Err(why) => Some(End::NotStarted(why)),
        Ok(child) => match wait(&blocked(), &child) {
            Turn::Told => None,
            Turn::Ended(WaitStatus::Signaled(_, signal, _)) => Some(End::Signal(signal as i32)),
            Turn::Ended(WaitStatus::Exited(_, code)) if leaks(&held) => Some(End::Leak(code)),
            Turn::Ended(WaitStatus::Exited(_, code)) => Some(End::Exit(code)),
            Turn::Ended(_) => None,
        },
    };
    let again = hunt(order.place) && is_as_before(order);
    end.map(|end| Told { end, again })
}

fn start(argv: &[OsString], streams: Streams) -> Result<Child, String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("the command is empty".to_owned()) };
    let mut command = Command::new(program);
    command.args(arguments).stdout(streams.output).stderr(streams.errors);
    command.stdin(streams.input.map_or_else(Stdio::null, Stdio::from));
    command.spawn().map_err(|error| why_not_started(Path::new(program), &error))
}

/// Whether the next command would find all as the last one did, processes apart.
#[cfg(target_os = "linux")]
fn is_as_before(order: &Order) -> bool {
    let network = order.sandbox.as_ref().is_none_or(|sandbox| sandbox.network);
    order.place != Place::Inside || !traces::are_left(network)
}

#[cfg(not(target_os = "linux"))]
fn is_as_before(_: &Order) -> bool {
    true
}

/// The signals that a helper waits for while a command runs, beside [`END`].
fn waited_for() -> SigSet {
    [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect()
}

/// The same and [`END`], all blocked from here on. Not earlier: the command would have inherited it.
fn blocked() -> SigSet {
    let mut signals = waited_for();
    signals.add(END);
    // It fails for numbers that aren't signals only.
    let _ = signals.thread_block();
    signals
}

/// Waits for the end of `child`, and buries whoever else ends meanwhile.
fn wait(signals: &SigSet, child: &Child) -> Turn {
    let wanted = i32::try_from(child.id()).ok().map(Pid::from_raw);
    loop {
        // Looked at first: it may have ended before the signals were blocked.
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(status) if status.pid().is_some() && status.pid() == wanted => return Turn::Ended(status),
                Ok(WaitStatus::StillAlive) | Err(_) => break,
                Ok(_) => {}
            }
        }
        // TERM, INT and HUP are for the command, whose group has got them too.
        if signals.wait() == Ok(END) {
            return Turn::Told;
        }
    }
}

/// Whether descendants are left that go on holding the command's output open, which is one of these files.
fn leaks(output: &[Option<(u64, u64)>]) -> bool {
    let deadline = Instant::now() + LEAK;
    while bury() {
        if !family::holds(output) {
            return false;
        }
        if Instant::now() >= deadline {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    false
}

/// Kills every descendant until there is none; says whether that is so.
fn hunt(place: Place) -> bool {
    let deadline = Instant::now() + HUNT;
    while bury() {
        if Instant::now() >= deadline {
            return false;
        }
        // They may have ended meanwhile.
        if place == Place::Inside {
            // As the first process there, it means all the others, at one stroke.
            let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        } else {
            for pid in family::descendants() {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Buries the dead among the children; says whether there are others.
fn bury() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return true,
            Err(Errno::EINTR) | Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Makes this process hear of its parent's end, and the parent of every descendant that loses its own.
#[cfg(target_os = "linux")]
fn mortal(parent: u32) -> Result<(), String> {
    let words = |error: Errno| error.to_string();
    SigSet::from(END).thread_block().map_err(words)?;
    nix::sys::prctl::set_child_subreaper(true).map_err(words)?;
    nix::sys::prctl::set_pdeathsig(END).map_err(words)?;
    // Had the parent died before that call, no signal would ever come.
    let is_there = Some(nix::unistd::getppid().as_raw()) == i32::try_from(parent).ok();
    if is_there { Ok(()) } else { Err("windlass is gone".to_owned()) }
}

/// Makes this process hear of its parent's end: without help of the system, by looking.
#[cfg(not(target_os = "linux"))]
fn mortal(parent: u32) -> Result<(), String> {
    let is_there = move || Some(nix::unistd::getppid().as_raw()) == i32::try_from(parent).ok();
    if !is_there() {
        return Err("windlass is gone".to_owned());
    }
    std::thread::spawn(move || {
        while is_there() {
            std::thread::sleep(Duration::from_millis(500));
        }
        // The whole group, this process among it.
        let _ = nix::sys::signal::killpg(nix::unistd::getpgrp(), Signal::SIGKILL);
    });
    Ok(())
}

/// Why a directory can't be entered, in words that say what to do.
fn why_not_entered(cwd: &Path, error: &io::Error) -> String {
    let cwd = cwd.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => format!("the directory {cwd} is missing"),
        io::ErrorKind::PermissionDenied => format!("no permission to enter the directory {cwd}"),
        _ => format!("failed to enter the directory {cwd}: {error}"),
    }
}

/// The spawn error in words that say what to do; the system's own often don't say which file is meant.
fn why_not_started(program: &Path, error: &io::Error) -> String {
    let name = program.display();
    let named_by_path = program.components().count() > 1;
    let here = std::env::current_dir().unwrap_or_default();
    let file = here.join(program);
    match error.kind() {
        io::ErrorKind::NotFound if named_by_path && file.exists() => {
            format!("{name} cannot run: the interpreter its first line names is missing")
        }
        io::ErrorKind::NotFound if named_by_path => format!("command not found: {}", file.display()),
        io::ErrorKind::NotFound => format!("command not found: {name} is in no directory of PATH"),
        io::ErrorKind::PermissionDenied if access(&here, AccessFlags::X_OK).is_err() => {
            format!("no permission to enter the directory {}", here.display())
        }
        io::ErrorKind::PermissionDenied => format!("{name} is not executable"),
        _ => format!("failed to start {name}: {error}"),
    }
}
