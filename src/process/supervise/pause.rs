//! Job control: commands stop and go on with the program, and the time in between counts against no limit.
//!
//! One state for the whole process, as the terminal's job control is.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::super::helper::descendants_of;

/// How often those are looked for that began while others were stopped; only a flood of them needs more than a few.
const LOOKS: u32 = 50;

static STATE: Mutex<State> = Mutex::new(State { running: BTreeSet::new(), since: None, before: Duration::ZERO });

/// Who runs, and how long everybody has been stopped.
struct State {
    running: BTreeSet<Pid>,
    since: Option<Instant>,
    before: Duration,
}

/// A running command's entry in the list; dropping it takes it out.
pub(super) struct Listed {
    leader: Pid,
    stopped_before: Duration,
}

impl Listed {
    /// Lists the command whose helper is `leader`.
    pub(super) fn new(leader: Pid) -> Self {
        let mut state = state();
        state.running.insert(leader);
        if state.since.is_some() {
            stop(leader);
        }
        Self { leader, stopped_before: state.stopped() }
    }

    /// How long it has been stopped so far.
    pub(super) fn stopped(&self) -> Duration {
        state().stopped().saturating_sub(self.stopped_before)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        state().running.remove(&self.leader);
    }
}

impl State {
    fn stopped(&self) -> Duration {
        self.before + self.since.map(|since| since.elapsed()).unwrap_or_default()
    }
}

/// Stops a helper and all that descends from it.
fn stop(leader: Pid) {
    tell(leader, Signal::SIGSTOP);
    // What stands still begins nothing new, so once a look finds nobody else all of them do.
    let mut known = BTreeSet::new();
    for _ in 0..LOOKS {
        let new: Vec<Pid> = descendants_of(leader).into_iter().filter(|pid| known.insert(*pid)).collect();
        if new.is_empty() {
            return;
        }
        for pid in new {
            // Who is gone needs no signal.
            let _ = kill(pid, Signal::SIGSTOP);
        }
    }
}

/// Lets a helper and all that descends from it go on.
fn go_on(leader: Pid) {
    // Those in groups of their own one by one.
    for pid in descendants_of(leader) {
        let _ = kill(pid, Signal::SIGCONT);
    }
    tell(leader, Signal::SIGCONT);
}

/// Sends `signal` to a helper and its group, which it doesn't lead yet in its first moments.
fn tell(leader: Pid, signal: Signal) {
    let _ = killpg(leader, signal);
    let _ = kill(leader, signal);
}

fn state() -> MutexGuard<'static, State> {
    // Every change of it is whole, so one that panicked elsewhere left nothing half done.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops every running command.
pub fn pause() {
    let mut state = state();
    if state.since.is_none() {
        state.since = Some(Instant::now());
        state.running.iter().copied().for_each(stop);
    }
}

/// Lets every stopped command go on.
pub fn resume() {
    let mut state = state();
    if state.since.is_some() {
        state.before = state.stopped();
        state.since = None;
        state.running.iter().copied().for_each(go_on);
    }
}

/// Stops every running command, then this program and its group, as the terminal's suspend key does. Returns when the
/// shell has brought it to the foreground again.
pub fn suspend() {
    pause();
    // Without a shell to come back from, the system ignores it.
    let _ = kill(Pid::from_raw(0), Signal::SIGTSTP);
    resume();
}
