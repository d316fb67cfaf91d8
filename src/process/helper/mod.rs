//! The process between Windlass and a command: Windlass itself, started with a word that no person types.
//!
//! It puts up the sandbox, starts the command, inherits every descendant that loses its parent, ends whatever is left
//! when the command has ended or Windlass is gone, and tells the ending. Where namespaces can be had there are two: the
//! outer one enters them, and the inner one is the first process in there, with which the kernel ends all others.
//!
//! A helper attends one command after another, because making one takes longer than most of what it does. It does so
//! only while it is as it was before the first: nobody of the last command lives, and nothing is left of it.

mod attend;
mod errand;
mod family;
mod order;
#[cfg(target_os = "linux")]
mod traces;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use nix::unistd::{close, setsid};

use super::sandbox;
pub(super) use attend::{END, End};
pub(super) use errand::{Errand, STOP, Told, send};
pub(super) use family::descendants_of;
pub(super) use order::{Order, Place};

/// The first argument of a helper.
const WORD: &str = "__helper";

/// The argument that asks a helper what this machine can do.
const PROBE: &str = "probe";

/// The argument that asks the inner helper of a probe to settle.
const SETTLE: &str = "settle";

/// How this program is started again, also after its file was replaced or removed.
fn program() -> PathBuf {
    if cfg!(target_os = "linux") { PathBuf::from("/proc/self/exe") } else { env::current_exe().unwrap_or_default() }
}

/// The program and the arguments that make a helper follow `order`.
pub(super) fn command_line(order: &Order) -> (PathBuf, Vec<OsString>) {
    (program(), order.to_arguments(WORD))
}

/// Is the helper, if these are the arguments of one, the program's own name first: gives its exit code at its end.
/// To be asked before anything else is done; a helper has one thread.
pub fn serve(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    close_inherited();
    let arguments: Vec<OsString> = arguments.collect();
    let done = match arguments.first().and_then(|first| first.to_str()) {
        #[cfg(target_os = "linux")]
        Some(PROBE) => {
            print!("{}", sandbox::try_out().report());
            true
        }
        #[cfg(target_os = "linux")]
        Some(SETTLE) => sandbox::namespaces::settle((0, 0), true, &[]).is_ok(),
        _ => Order::from_arguments(arguments).is_some_and(|order| follow(&order)),
    };
    Some(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Follows the order to its end; says whether every ending was told.
fn follow(order: &Order) -> bool {
    match order.place {
        Place::Inside => attend::inside(order),
        Place::Outside | Place::Apart => {
            // It leads a session of its own already if somebody started it so.
            let _ = setsid();
            attend::outside(order)
        }
    }
}

/// Asks a helper what this machine can do.
#[cfg(target_os = "linux")]
pub(super) fn probe() -> Option<sandbox::Protection> {
    let mut command = Command::new(program());
    let asked = command.args([WORD, PROBE]).env_clear().stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    sandbox::Protection::read(std::str::from_utf8(&asked.stdout).ok()?)
}

/// Whether the first process in the namespaces that this one has entered can settle there.
#[cfg(target_os = "linux")]
pub(super) fn settles() -> bool {
    let mut command = Command::new(program());
    command.args([WORD, SETTLE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn probe() -> Option<sandbox::Protection> {
    use sandbox::{Files, Network, Processes, Protection};
    let is_there = cfg!(target_os = "macos") && std::path::Path::new("/usr/bin/sandbox-exec").exists();
    let (files, network) = if is_there { (Files::Seatbelt, Network::Seatbelt) } else { (Files::Open, Network::Open) };
    Some(Protection { files, network, processes: Processes::Group })
}

/// Closes what Windlass had open and didn't mark: the standard streams are all that a command gets.
fn close_inherited() {
    let list = fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    let open: Vec<i32> = list.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        // The directory that was read is among them and closed already.
        let _ = close(descriptor);
    }
}

/// The first thing in a test's process, which is the helper when a test starts one: the test harness has a `main` of
/// its own.
#[cfg(all(test, target_os = "linux"))]
#[allow(unsafe_code)]
mod harness {
    // SAFETY: the C library calls it once, before `main`, on the only thread there is.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static FIRST: extern "C" fn() = first;

    extern "C" fn first() {
        if std::env::args_os().nth(1).is_some_and(|word| word == super::sandbox::tests::PROBE) {
            super::sandbox::tests::probe();
            std::process::exit(0);
        }
        if let Some(code) = super::serve(std::env::args_os()) {
            std::process::exit(if code == std::process::ExitCode::SUCCESS { 0 } else { 1 });
        }
    }
}
