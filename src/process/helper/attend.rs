//! Attending a command: started, waited for, its orphans inherited, nothing of it left at the end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{AccessFlags, Pid, access};

use super::super::sandbox;
use super::family;
use super::order::{Order, Place};

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
    fn to_text(&self) -> String {
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
        Err(why) => fs::write(&order.report, End::NotStarted(why).to_text()).is_ok(),
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
        let mut writable = order.sandbox.as_ref().map(|sandbox| sandbox.writable.clone()).unwrap_or_default();
        // For the report; Landlock keeps the command off it.
        writable.extend(order.report.parent().map(Path::to_owned));
        sandbox::namespaces::settle(order.identity, without_network, &writable).map_err(words)?;
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

/// Runs the command to its end and tells it; says whether it could be told. `prepare` comes before anything else.
fn attended(order: &Order, prepare: impl FnOnce() -> Result<(), String>) -> bool {
    let prepared = prepare();
    // Not earlier, because a file that is being written keeps its mount from being made read-only; and not later, because
    // it lies outside of the sandbox.
    let Ok(mut report) = File::create(&order.report) else { return false };
    let end = match prepared.and_then(|()| confine(order)).and_then(|argv| start(&argv)) {
        Err(why) => Some(End::NotStarted(why)),
        Ok(child) => to_its_end(order, &child),
    };
    end.is_none_or(|end| report.write_all(end.to_text().as_bytes()).is_ok())
}

/// Puts up what is asked for; gives the command line that then runs the command.
#[cfg(not(target_os = "macos"))]
fn confine(order: &Order) -> Result<Vec<OsString>, String> {
    #[cfg(target_os = "linux")]
    if let Some(sandbox) = &order.sandbox {
        sandbox::confine(&sandbox.writable, sandbox.network, order.place == Place::Inside)?;
    }
    #[cfg(not(target_os = "linux"))]
    if order.sandbox.is_some() {
        return Err("this system has no sandbox that windlass knows".to_owned());
    }
    Ok(order.argv.clone())
}

#[cfg(target_os = "macos")]
fn confine(order: &Order) -> Result<Vec<OsString>, String> {
    Ok(match &order.sandbox {
        Some(kept) => sandbox::seatbelt::wrapped(&kept.writable, kept.network, &order.argv),
        None => order.argv.clone(),
    })
}

fn start(argv: &[OsString]) -> Result<Child, String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("the command is empty".to_owned()) };
    Command::new(program).args(arguments).spawn().map_err(|error| why_not_started(Path::new(program), &error))
}

/// Waits for the command, then for what it left; none if everything was told to end.
fn to_its_end(order: &Order, child: &Child) -> Option<End> {
    let end = match wait(&blocked(), child) {
        Turn::Told => None,
        Turn::Ended(WaitStatus::Signaled(_, signal, _)) => Some(End::Signal(signal as i32)),
        Turn::Ended(WaitStatus::Exited(_, code)) if leaks() => Some(End::Leak(code)),
        Turn::Ended(WaitStatus::Exited(_, code)) => Some(End::Exit(code)),
        Turn::Ended(_) => None,
    };
    // Inside, this process is the first one: the kernel ends the others with it.
    if order.place != Place::Inside {
        hunt();
    }
    end
}

/// The signals that a helper waits for, all blocked from here on. Not earlier: the command would have inherited it.
fn blocked() -> SigSet {
    let signals: SigSet = [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, END].into_iter().collect();
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

/// Whether descendants are left that go on holding the command's output open.
fn leaks() -> bool {
    let deadline = Instant::now() + LEAK;
    while bury() {
        if !family::holds_output() {
            return false;
        }
        if Instant::now() >= deadline {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    false
}

/// Kills every descendant until there is none.
fn hunt() {
    let deadline = Instant::now() + HUNT;
    while bury() && Instant::now() < deadline {
        for pid in family::descendants() {
            // It may have ended meanwhile.
            let _ = kill(pid, Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
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

#[cfg(test)]
mod tests {
    use super::End;

    #[test]
    fn an_ending_arrives_as_it_was_told() {
        for end in [End::Exit(3), End::Signal(9), End::Leak(0), End::NotStarted("no such thing: a b".to_owned())] {
            assert_eq!(End::read(&end.to_text()), Some(end));
        }
        assert!(End::read("").is_none() && End::read("exit x").is_none());
    }
}
