//! The helpers of this thread. One attends a command; if all is then as it was before, it is kept for a moment, for the
//! next command that wants the very same around it.
//!
//! Of this thread, because they die with the thread that started them.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream as Socket;
use std::path::Path;
use std::process::{self, Stdio};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use nix::unistd::{getegid, geteuid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::runtime::{Handle, Id};
use tokio::time::{sleep, timeout};

use super::super::helper::{self, Errand, Order, Place, STOP, Told};
use super::super::sandbox::Sandbox;
use super::group::{self, Group};
use super::scratch::Scratch;
use super::{GIVE_UP, Spec, environment};

/// How long a helper is kept that nobody wants.
const IDLE: Duration = Duration::from_secs(1);

thread_local! {
    static RESTING: RefCell<Vec<Resting>> = const { RefCell::new(Vec::new()) };
}

/// A helper, and what it keeps commands to.
pub(super) struct Attendant {
    child: Child,
    line: UnixStream,
    heard: Vec<u8>,
    group: Group,
    scratch: Scratch,
    terms: Terms,
    place: (ThreadId, Id),
}

/// One that waits for work.
struct Resting {
    attendant: Attendant,
    since: Instant,
}

/// What a helper has put up for good, and a command must want to be attended by it.
#[derive(PartialEq, Eq)]
struct Terms {
    owner: String,
    sandbox: Option<Sandbox>,
    /// A directory that was made anew is another one, whatever its name.
    directories: Vec<Option<(u64, u64, Option<SystemTime>)>>,
    environment: Vec<(OsString, OsString)>,
}

impl Terms {
    fn of(spec: &Spec) -> Self {
        let mut environment = environment(&spec.env);
        environment.extend(spec.vars.iter().map(|(name, value)| (name.into(), value.into())));
        let writable = spec.sandbox.iter().flat_map(|sandbox| &sandbox.writable);
        let identity = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            Some((found.dev(), found.ino(), found.created().ok()))
        };
        Self {
            owner: group::owner(&spec.spill),
            sandbox: spec.sandbox.clone(),
            directories: writable.map(|path| identity(path)).collect(),
            environment,
        }
    }
}

impl Attendant {
    /// One for this command: one that rests, or a new one.
    ///
    /// # Errors
    /// If none can be started; in words.
    pub(super) fn engage(spec: &Spec, name: &str) -> Result<Self, String> {
        let (terms, place) = (Terms::of(spec), place());
        let found = RESTING.with_borrow_mut(|resting| {
            let suits = |one: &Resting| one.attendant.terms == terms && one.attendant.place == place;
            let index = resting.iter().position(suits)?;
            Some(resting.swap_remove(index).attendant)
        });
        if let Some(mut found) = found
            && matches!(found.child.try_wait(), Ok(None))
        {
            found.group.wake();
            return Ok(found);
        }
        Self::start(spec, name, terms, place)
    }

    fn start(spec: &Spec, name: &str, terms: Terms, place: (ThreadId, Id)) -> Result<Self, String> {
        let mark = group::new_mark(&terms.owner);
        let scratch = Scratch::new(&mark).map_err(|error| format!("failed to make a temporary directory: {error}"))?;
        let failed = |error: io::Error| format!("failed to start {name}: {error}");
        let (ours, theirs) = Socket::pair().map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        let line = UnixStream::from_std(ours).map_err(failed)?;
        let (program, arguments) = helper::command_line(&order(&terms, &scratch));
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(terms.environment.iter().map(|(name, value)| (name, value)));
        if spec.sandbox.is_some() {
            command.env("TMPDIR", scratch.temporary());
        }
        if spec.cwd.is_dir() {
            command.current_dir(&spec.cwd);
        }
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let (child, group) = Group::start(&mut command, mark).map_err(failed)?;
        Ok(Self { child, line, heard: Vec::new(), group, scratch, terms, place })
    }

    /// Has it run `errand`, with these streams for the command's output, its errors and, if it has one, its input.
    pub(super) async fn send(&mut self, errand: &Errand, streams: &[OwnedFd]) -> io::Result<()> {
        let bytes = errand.to_bytes();
        let numbers: Vec<RawFd> = streams.iter().map(AsRawFd::as_raw_fd).collect();
        helper::send(&self.line, bytes.len(), &numbers)?;
        self.line.write_all(&bytes).await
    }

    /// Waits for what it tells of the command. To be dropped and asked again at will.
    pub(super) async fn told(&mut self) -> io::Result<Told> {
        loop {
            if let Some(length) = self.heard.iter().position(|byte| *byte == STOP) {
                let text = String::from_utf8_lossy(self.heard.get(..length).unwrap_or_default());
                return Told::read(&text).ok_or(io::ErrorKind::InvalidData.into());
            }
            if self.line.read_buf(&mut self.heard).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The processes it attends.
    pub(super) const fn group(&self) -> &Group {
        &self.group
    }

    /// Lets it rest until it is wanted again, or for long enough.
    pub(super) async fn rest(mut self) {
        if self.place != place() || self.scratch.empty().is_err() {
            return self.end().await;
        }
        self.heard.clear();
        self.group.rest();
        RESTING.with_borrow_mut(|resting| resting.push(Resting { attendant: self, since: Instant::now() }));
        tokio::spawn(async {
            sleep(IDLE).await;
            // Out of the list first: what is dropped there must not be dropped while it is borrowed.
            let old = RESTING.with_borrow_mut(|resting| {
                resting.extract_if(.., |one| one.since.elapsed() >= IDLE).collect::<Vec<_>>()
            });
            drop(old);
        });
    }

    /// Ends it, and whatever there is of its commands.
    pub(super) async fn end(mut self) {
        self.group.signal(Signal::SIGKILL);
        // One that hangs in the kernel is not waited for.
        let _ = timeout(GIVE_UP, self.child.wait()).await;
        self.group.end().await;
    }
}

/// Where a helper can be used again that was started here.
fn place() -> (ThreadId, Id) {
    (thread::current().id(), Handle::current().id())
}

/// What the helper is told at its start.
fn order(terms: &Terms, scratch: &Scratch) -> Order {
    let sandbox = terms.sandbox.clone().map(|mut sandbox| {
        sandbox.writable.push(scratch.temporary());
        sandbox
    });
    let apart = sandbox.as_ref().is_some_and(|sandbox| sandbox.apart);
    Order {
        place: if apart { Place::Apart } else { Place::Outside },
        parent: process::id(),
        identity: (geteuid().as_raw(), getegid().as_raw()),
        sandbox,
    }
}
