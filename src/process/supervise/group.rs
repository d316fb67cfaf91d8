//! The processes of one command: how they are set apart at the start, and how all of them are ended.
//!
//! A helper leads a session and group of its own, so the command has no terminal and one signal reaches its family; it
//! also ends those that leave the group. Should the helper itself be killed, they are known by the mark that every
//! descendant inherits in its environment, and by the session; both are read from `/proc`, so elsewhere than on Linux
//! only the group itself is ended.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use std::{env, io, process};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::super::helper;
use super::pause::Listed;
use super::scratch;
use crate::domain::Digest;

/// The environment variable that marks the descendants of a command.
const MARK: &str = "WINDLASS_RUN";

/// How often survivors are looked for, and how long each look waits for the last signal to do its work.
const SWEEPS: u32 = 50;
const SWEEP_PAUSE: Duration = Duration::from_millis(5);

/// Begins the mark of every command whose output spills into the directory of `spill`.
pub(super) fn owner(spill: &Path) -> String {
    let dir = spill.parent().unwrap_or(spill);
    // One directory may be reached by several names.
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    Digest::of(dir.as_os_str().as_encoded_bytes()).short()
}

/// A new mark of this owner.
pub(super) fn new_mark(owner: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{owner}-{}-{}-{now}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The marks of the commands that this process descends from, parted by colons; empty for most.
pub(super) fn own_marks() -> String {
    env::var(MARK).unwrap_or_default()
}

/// Kills every process whose mark names `dir` as its owner, apart from those with one of the marks in `own`.
pub(super) fn end_leftovers(dir: &Path, own: &str) -> usize {
    let owner = owner(&dir.join("output"));
    let own: Vec<&str> = own.split(':').collect();
    let is_leftover = |mark: &str| {
        let is_owned = mark.strip_prefix(owner.as_str()).is_some_and(|rest| rest.starts_with('-'));
        is_owned && !own.contains(&mark)
    };
    let mut found = 0;
    for _ in 0..SWEEPS {
        match survivors::kill(None, &is_leftover) {
            0 => break,
            // Those that die take a moment, and are counted once.
            living => found = found.max(living),
        }
        std::thread::sleep(SWEEP_PAUSE);
    }
    scratch::remove_leftovers(&owner);
    found
}

/// A helper with all its descendants. Dropping it kills them.
pub(super) struct Group {
    leader: Pid,
    mark: String,
    /// While it attends a command. At other times it has no descendants.
    listed: Option<Listed>,
    ended: bool,
}

impl Group {
    /// Starts `command`, a helper, with this mark.
    pub(super) fn start(command: &mut Command, mark: String) -> io::Result<(Child, Self)> {
        // A Windlass that is itself a gate's descendant stays findable for the outer one.
        let outer = own_marks();
        command.env(MARK, if outer.is_empty() { mark.clone() } else { format!("{outer}:{mark}") });
        let child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let leader = id.map(Pid::from_raw).ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok((child, Self { leader, mark, listed: Some(Listed::new(leader)), ended: false }))
    }

    /// How long it has been stopped, with everything.
    pub(super) fn stopped(&self) -> Duration {
        self.listed.as_ref().map(Listed::stopped).unwrap_or_default()
    }

    /// Its command is over, and nobody of it lives.
    pub(super) fn rest(&mut self) {
        self.listed = None;
    }

    /// It is to attend another command.
    pub(super) fn wake(&mut self) {
        self.listed = Some(Listed::new(self.leader));
    }

    /// Has the helper end everything.
    pub(super) fn end_all(&self) {
        // It fails when the helper is gone, and everything with it.
        let _ = kill(self.leader, helper::END);
    }

    /// Sends `signal` to the group.
    pub(super) fn signal(&self, signal: Signal) {
        // It fails when nobody is left (ESRCH) or all that is left changed its user (EPERM): out of reach, both. In its
        // first moments the helper leads no group yet.
        if killpg(self.leader, signal) == Err(Errno::ESRCH) {
            let _ = kill(self.leader, signal);
        }
    }

    /// Kills what is left of the command, and waits until it is gone.
    pub(super) async fn end(mut self) {
        self.signal(Signal::SIGKILL);
        self.ended = true;
        let (leader, mark) = (self.leader, self.mark.clone());
        let sweeping = tokio::task::spawn_blocking(move || {
            for _ in 0..SWEEPS {
                if survivors::kill(Some(leader), &|one| one == mark) == 0 {
                    break;
                }
                std::thread::sleep(SWEEP_PAUSE);
            }
        });
        if sweeping.await.is_err() {
            // The runtime is shutting down and never ran it: Drop does one sweep instead.
            self.ended = false;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.ended {
            self.signal(Signal::SIGKILL);
            if self.listed.is_some() {
                survivors::kill(Some(self.leader), &|one| one == self.mark);
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod survivors {
    //! Descendants that left the group, found in `/proc`.

    use std::fs;
    use std::path::Path;

    use nix::sys::signal::{Signal, kill as send};
    use nix::unistd::Pid;

    use super::MARK;

    /// Sends SIGKILL to every living process of this session or of a mark that is wanted; says how many there were.
    pub(super) fn kill(session: Option<Pid>, wanted: &dyn Fn(&str) -> bool) -> usize {
        // Without a readable /proc nobody can be found, as on other systems.
        let Ok(entries) = fs::read_dir("/proc") else { return 0 };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let ours = pids.filter(|pid| belongs(Path::new(&format!("/proc/{pid}")), session, wanted));
        // A process that ended meanwhile is no failure.
        ours.filter(|pid| send(Pid::from_raw(*pid), Signal::SIGKILL).is_ok()).count()
    }

    /// Whether the process of this directory is alive and of that session or mark. One that cannot be read is not.
    fn belongs(directory: &Path, session: Option<Pid>, wanted: &dyn Fn(&str) -> bool) -> bool {
        let Ok(stat) = fs::read_to_string(directory.join("stat")) else { return false };
        // proc_pid_stat(5): "pid (name) state ppid pgrp session"; the name may hold anything, parentheses too.
        let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        if matches!(fields.next(), None | Some("Z" | "X")) {
            return false;
        }
        let its_session = fields.nth(2).and_then(|field| field.parse().ok()).map(Pid::from_raw);
        if session.is_some() && its_session == session {
            return true;
        }
        let environment = fs::read(directory.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| {
            let value = variable.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            let value = value.and_then(|value| std::str::from_utf8(value).ok());
            value.is_some_and(|value| value.split(':').any(wanted))
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod survivors {
    //! Systems without `/proc`: what left the group is not found.

    use nix::unistd::Pid;

    /// Finds nobody.
    pub(super) fn kill(_session: Option<Pid>, _wanted: &dyn Fn(&str) -> bool) -> usize {
        0
    }
}
