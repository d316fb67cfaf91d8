//! Runs one command to its end, whatever it does: no shell, an allow-listed environment, no terminal, a sandbox, a limit,
//! bounded memory, and nothing of it left alive afterwards.

#[cfg(test)]
mod again;
mod attendant;
mod group;
mod kept;
mod pause;
mod scratch;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, future, io};

use bytes::Bytes;
use nix::sys::signal::Signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::helper::{End, Errand, Told};
use super::sandbox::Sandbox;
use attendant::Attendant;
use kept::{Kept, LIMITS};
pub use pause::{pause, resume, suspend};

/// Variables every command gets when the parent has them, beside `TERM=dumb`.
const ALLOWED: [&str; 8] = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "CARGO_HOME", "RUSTUP_HOME"];

/// The grace between TERM and KILL that suits most commands.
pub const GRACE: Duration = Duration::from_secs(2);

/// How long the output may stay open after the command's own end.
const LEAK: Duration = Duration::from_millis(200);

/// How much may still come after the command's own end: what two pipes can hold at most. More comes from a process
/// that still writes.
const LEFT_IN_PIPES: usize = 2 << 20;

/// How long a killed command may take to be gone before it is given up (it hangs in the kernel).
const GIVE_UP: Duration = Duration::from_secs(2);

/// Nobody waits longer than a year; adding more to a clock can overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How much is read at once, per stream.
const CHUNK: usize = 64 << 10;

/// A command and the bounds it runs in.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Program and arguments; there is no shell.
    pub argv: Vec<String>,
    /// Working directory.
    pub cwd: PathBuf,
    /// Names of variables passed on from the parent, beyond the allow-list.
    pub env: Vec<String>,
    /// Variables set.
    pub vars: Vec<(String, String)>,
    /// What it is kept to; none for a command that has all its user's rights.
    pub sandbox: Option<Sandbox>,
    /// How long it may run.
    pub limit: Duration,
    /// How long it has between TERM and KILL; see [`GRACE`].
    pub grace: Duration,
    /// Where the whole output goes once it exceeds 1 MiB; its directory must exist. At most 256 MiB are kept. The
    /// directory also says whose command this is, see [`end_leftovers`].
    pub spill: PathBuf,
}

/// Which pipe a chunk came out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Exit(i32),
    /// Of this signal, which Windlass did not send.
    Signal(i32),
    /// It was ended at its limit.
    Timeout,
    /// It was ended because the caller said so.
    Cancelled,
    /// By itself, but a descendant kept its output open and was killed.
    Leak {
        /// The command's own exit code.
        code: i32,
    },
    /// It never ran; why, in one sentence.
    NotStarted(String),
    /// It ran, but its exit status could not be read; why.
    Lost(String),
}

/// What is known of a command after its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub ending: Ending,
    /// From start to end, clean-up included.
    pub duration: Duration,
    /// The last 16 KiB of both streams, in the order they were read.
    pub tail: Vec<u8>,
    /// The length of both streams, in bytes.
    pub total_bytes: u64,
    /// The file with the whole output, if it was long.
    pub spilled: Option<PathBuf>,
    /// Why that file is missing or incomplete, if writing it failed. The command is not disturbed by that.
    pub spill_error: Option<String>,
}

/// Runs `spec` to its end and hands each chunk of output to `output` as it is read; a slow `output` slows the command.
///
/// When it returns, or when the future is dropped, no process of the command is alive: TERM goes to the group at the
/// limit or on `cancel`, KILL after the grace, and KILL to whatever outlives the command, wherever it hid: see
/// [`helper`]. (Outside Linux, one that leaves the group escapes.)
///
/// On Linux the command also dies with the thread that first polls this future, which must therefore live as long as
/// the run: the thread of a current-thread runtime does, a pool's worker may not.
pub async fn run(spec: &Spec, cancel: &CancellationToken, output: impl FnMut(Stream, &[u8])) -> Finished {
    supervise(spec, None, cancel, output).await
}

/// Like [`run`], with `input` on its standard input. A command that doesn't read it all is no error.
pub async fn feed(
    spec: &Spec,
    input: Bytes,
    cancel: &CancellationToken,
    output: impl FnMut(Stream, &[u8]),
) -> Finished {
    let (send, whole) = unbounded_channel();
    // The other end is in hand, and it ends with this.
    let _ = send.send(input);
    drop(send);
    supervise(spec, Some(whole), cancel, output).await
}

/// Like [`feed`], with more `input` as it comes; its standard input ends when the sender is dropped.
pub async fn converse(
    spec: &Spec,
    input: UnboundedReceiver<Bytes>,
    cancel: &CancellationToken,
    output: impl FnMut(Stream, &[u8]),
) -> Finished {
    supervise(spec, Some(input), cancel, output).await
}

async fn supervise(
    spec: &Spec,
    input: Option<UnboundedReceiver<Bytes>>,
    cancel: &CancellationToken,
    mut output: impl FnMut(Stream, &[u8]),
) -> Finished {
    let started = Instant::now();
    let mut kept = Kept::new(&spec.spill, LIMITS);
    let ending = if cancel.is_cancelled() {
        Ending::Cancelled
    } else {
        match Running::start(spec, input).await {
            Err(why) => Ending::NotStarted(why),
            Ok(running) => running.attend(spec, cancel, &mut kept, &mut output).await,
        }
    };
    let remains = kept.finish().await;
    let (spilled, spill_error) = match remains.spilled {
        Ok(path) => (path, None),
        Err(why) => (None, Some(why)),
    };
    let (tail, total_bytes) = (remains.tail, remains.total);
    Finished { ending, duration: started.elapsed(), tail, total_bytes, spilled, spill_error }
}

/// Kills what commands that spilled into `dir` left running when the process that supervised them was itself killed;
/// says how many processes there were. Only for a process that knows itself the only one to use `dir` now, before it
/// runs anything. Never ends this process or one it descends from. Finds nothing on systems without `/proc`.
pub fn end_leftovers(dir: &Path) -> usize {
    group::end_leftovers(dir, &group::own_marks())
}

/// A started command.
struct Running {
    attendant: Attendant,
    pipes: Pipes,
}

/// How far stopping a command has gone.
#[derive(PartialEq, Eq)]
enum Step {
    Running,
    Terminated(Ending),
    Killed(Ending),
}

impl Running {
    async fn start(spec: &Spec, input: Option<UnboundedReceiver<Bytes>>) -> Result<Self, String> {
        let Some(name) = spec.argv.first() else { return Err("the command is empty".to_owned()) };
        let failed = |error: io::Error| format!("failed to start {name}: {error}");
        let mut attendant = Attendant::engage(spec, name)?;
        let ((out, its_out), (err, its_err)) = (io::pipe().map_err(failed)?, io::pipe().map_err(failed)?);
        let pipes = Pipes::new(out.into(), err.into()).map_err(failed)?;
        let errand = Errand { cwd: spec.cwd.clone(), argv: spec.argv.iter().map(OsString::from).collect() };
        let mut streams: Vec<OwnedFd> = vec![its_out.into(), its_err.into()];
        if let Some(mut input) = input {
            let (its_in, ours) = io::pipe().map_err(failed)?;
            streams.push(its_in.into());
            let mut stdin = Sender::from_owned_fd(ours.into()).map_err(failed)?;
            // Beside the reading, or both sides could wait for each other. It ends when the last reader is gone, at the
            // latest with the group; that the reader left early is no error.
            tokio::spawn(async move {
                while let Some(bytes) = input.recv().await {
                    if stdin.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
            });
        }
        // If the helper is gone already, that is heard where it would tell.
        let _ = attendant.send(&errand, &streams).await;
        Ok(Self { attendant, pipes })
    }

    async fn attend(
        mut self,
        spec: &Spec,
        cancel: &CancellationToken,
        kept: &mut Kept,
        output: &mut impl FnMut(Stream, &[u8]),
    ) -> Ending {
        let (step, told) = self.until_told(spec, cancel, kept, output).await;
        let open = self.drain(kept, output).await;
        let is_over = matches!((&step, &told), (Step::Running, Ok(Told { again: true, .. }))) && !open;
        if is_over {
            self.attendant.rest().await;
        } else {
            self.attendant.end().await;
        }
        match (step, told) {
            (Step::Terminated(ending) | Step::Killed(ending), _) => ending,
            (Step::Running, Ok(told)) => match told.end {
                End::Exit(code) if open => Ending::Leak { code },
                End::Exit(code) => Ending::Exit(code),
                End::Leak(code) => Ending::Leak { code },
                End::Signal(signal) => Ending::Signal(signal),
                End::NotStarted(why) => Ending::NotStarted(why),
            },
            (Step::Running, Err(_)) => {
                Ending::Lost("the process that attended the command was itself killed".to_owned())
            }
        }
    }

    /// Reads output until it is told how the command has ended, stopping it when its time is over.
    async fn until_told(
        &mut self,
        spec: &Spec,
        cancel: &CancellationToken,
        kept: &mut Kept,
        output: &mut impl FnMut(Stream, &[u8]),
    ) -> (Step, io::Result<Told>) {
        let mut step = Step::Running;
        // Without the time that everything was stopped.
        let mut deadline = Instant::now() + spec.limit.min(LONGEST);
        let grace = spec.grace.min(LONGEST);
        loop {
            // Looked at here too: a flood keeps the read below ready for ever, and the timer would never be asked.
            let stopped = self.attendant.group().stopped();
            if Instant::now() >= deadline + stopped {
                step = match step {
                    Step::Running => {
                        self.attendant.group().signal(Signal::SIGTERM);
                        deadline = Instant::now() - stopped + grace;
                        Step::Terminated(Ending::Timeout)
                    }
                    Step::Terminated(ending) => {
                        self.attendant.group().end_all();
                        deadline = Instant::now() - stopped + GIVE_UP;
                        Step::Killed(ending)
                    }
                    Step::Killed(_) => return (step, Err(io::ErrorKind::TimedOut.into())),
                };
            }
            select! {
                biased;
                () = cancel.cancelled(), if step == Step::Running => {
                    self.attendant.group().signal(Signal::SIGTERM);
                    deadline = Instant::now() - stopped + grace;
                    step = Step::Terminated(Ending::Cancelled);
                }
                told = self.attendant.told() => return (step, told),
                Some((stream, length)) = self.pipes.next() => self.pipes.deliver(stream, length, kept, output).await,
                () = sleep_until(deadline + stopped) => {}
            }
        }
    }

    /// Reads what is left after the command's own end; says whether somebody still holds the output open.
    async fn drain(&mut self, kept: &mut Kept, output: &mut impl FnMut(Stream, &[u8])) -> bool {
        let deadline = Instant::now() + LEAK;
        let mut left = LEFT_IN_PIPES;
        loop {
            select! {
                // Reading first: however late this runs, what is in the pipes is not taken for a leak.
                biased;
                chunk = self.pipes.next() => match chunk {
                    None => return false,
                    Some((stream, length)) => {
                        self.pipes.deliver(stream, length, kept, output).await;
                        match left.checked_sub(length) {
                            None => return true,
                            Some(less) => left = less,
                        }
                    }
                },
                () = sleep_until(deadline) => return true,
            }
        }
    }
}

/// The command's two output pipes, each until its end.
struct Pipes {
    out: Option<Receiver>,
    err: Option<Receiver>,
    out_bytes: Vec<u8>,
    err_bytes: Vec<u8>,
}

impl Pipes {
    fn new(out: OwnedFd, err: OwnedFd) -> io::Result<Self> {
        let (out, err) = (Some(Receiver::from_owned_fd(out)?), Some(Receiver::from_owned_fd(err)?));
        Ok(Self { out, err, out_bytes: vec![0; CHUNK], err_bytes: vec![0; CHUNK] })
    }

    /// Waits for a chunk, and says in which buffer and how long it is; none when both pipes have ended.
    async fn next(&mut self) -> Option<(Stream, usize)> {
        while self.out.is_some() || self.err.is_some() {
            // Not biased: a flood on one stream must not starve the other.
            select! {
                length = read(&mut self.out, &mut self.out_bytes) => match length {
                    0 => self.out = None,
                    length => return Some((Stream::Out, length)),
                },
                length = read(&mut self.err, &mut self.err_bytes) => match length {
                    0 => self.err = None,
                    length => return Some((Stream::Err, length)),
                },
            }
        }
        None
    }

    async fn deliver(&self, stream: Stream, length: usize, kept: &mut Kept, output: &mut impl FnMut(Stream, &[u8])) {
        let buffer = if stream == Stream::Out { &self.out_bytes } else { &self.err_bytes };
        let chunk = buffer.get(..length).unwrap_or(buffer);
        kept.push(chunk).await;
        output(stream, chunk);
    }
}

/// Reads once. An error ends the stream like its end: a pipe has no other way to fail. An ended stream never answers.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    match pipe {
        Some(pipe) => pipe.read(buffer).await.unwrap_or(0),
        None => future::pending().await,
    }
}

/// What a command gets of the parent's environment.
fn environment(names: &[String]) -> Vec<(OsString, OsString)> {
    let mut variables = vec![("TERM".into(), "dumb".into())];
    for name in ALLOWED.into_iter().chain(names.iter().map(String::as_str)) {
        if let Some(value) = env::var_os(name) {
            variables.push((name.into(), if name == "PATH" { absolute_only(value) } else { value }));
        }
    }
    variables
}

/// `path` without its relative entries: they would find programs in the tree under review.
fn absolute_only(path: OsString) -> OsString {
    env::join_paths(env::split_paths(&path).filter(|entry| entry.is_absolute())).unwrap_or(path)
}
