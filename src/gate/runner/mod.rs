//! Commands that run elsewhere: by way of a runner, a command that gives a shell on another machine (`ssh build-host`,
//! `kubectl exec -i pod --`, a submit script of a CI).
//!
//! The runner is started here with the one argument `sh`, as the person and outside of any sandbox. A program goes to that
//! shell's standard input; once it says that it is ready, so does the tree, as a git bundle. There the tree is checked
//! against its id, the command runs on it, and its exit code and reports come back behind a fence on standard output.
//! When standard input ends, because the run was cancelled or the connection broke, the command there is ended.

mod said;
mod script;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::select;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::case::Reports;
use super::command::{self, Site};
use super::report::{self, Ran};
use crate::domain::{CommandSpec, Digest, TreeId, Verdict};
use crate::process::supervise::{self, Ending, Finished, GRACE, Spec, Stream};
use said::Said;

/// Variables that runners look for, beyond those that every command gets.
const RUNNERS: [&str; 2] = ["SSH_AUTH_SOCK", "KUBECONFIG"];

/// How much of the end of the output is kept, in bytes.
const TAIL: usize = 16 << 10;

/// How long the shell there has to tidy up after a cancelled command.
const TIDY: Duration = Duration::from_secs(1);

/// What a shell answers for a program that it found and can't run.
const NOT_EXECUTABLE: i32 = 126;

/// A tree as it travels.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Its id.
    pub tree: TreeId,
    /// A git bundle with `refs/windlass/tree`, a commit of it without parents.
    pub bundle: Bytes,
}

/// What is asked of a run beside its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Nothing.
    Nothing,
    /// What it prints on standard output.
    Printed,
    /// The files that this pattern covers, from the command's directory.
    Files(&'a str),
}

/// Runs the command of the gate `name` where its runner leads.
pub(super) async fn run(
    name: &str,
    command: &CommandSpec,
    wanted: Wanted<'_>,
    site: Site<'_>,
    spill: &Path,
    cancel: &CancellationToken,
    mut output: impl FnMut(Stream, &[u8]),
) -> Ran {
    let Some(parcel) = site.parcel else { return report::not_run("there is no tree to send to the runner".to_owned()) };
    let fence = match fence() {
        Ok(fence) => fence,
        Err(error) => return report::not_run(format!("failed to read /dev/urandom: {error}")),
    };
    let spec = spec(command, spill);
    let (input, whole) = unbounded_channel();
    // The other end is in hand.
    let _ = input.send(script::script(command, wanted, parcel, &fence).into());
    let mut said = Said::new(&fence, wanted);
    let (mut tail, mut total) = (Vec::new(), 0);
    let mut heard = |stream: Stream, bytes: &[u8]| {
        total += bytes.len() as u64;
        tail.extend_from_slice(bytes);
        if tail.len() > 2 * TAIL {
            tail.drain(..tail.len() - TAIL);
        }
        output(stream, bytes);
    };
    let (mut sent, weak, stop) = (false, input.downgrade(), CancellationToken::new());
    if cancel.is_cancelled() {
        stop.cancel();
    }
    let running = supervise::converse(&spec, whole, &stop, |stream, bytes| {
        match stream {
            Stream::Err => heard(stream, bytes),
            Stream::Out => said.take(bytes, |text| heard(stream, text)),
        }
        if let Some(input) = weak.upgrade().filter(|_| said.root.is_some() && !sent) {
            sent = true;
            // Nobody hears it if the runner is gone already, and its ending says so.
            let _ = input.send(parcel.bundle.clone());
        }
    });
    let mut finished = attended(running, input, cancel, &stop).await;
    if cancel.is_cancelled() && !said.is_whole() {
        finished.ending = Ending::Cancelled;
    }
    tail.drain(..tail.len().saturating_sub(TAIL));
    let ending = ending(&finished.ending, &said, &spec.argv);
    let finished = Finished { ending, tail, total_bytes: total, ..finished };
    let result = command::result_of(name, &spec, &finished);
    let reports = match finished.ending {
        Ending::Exit(exit) if result.verdict != Verdict::Error => {
            let root = PathBuf::from(said.root.clone().unwrap_or_default());
            let files = said.reports();
            match wanted {
                Wanted::Files(pattern) if files.is_empty() => {
                    Err(format!("{}, and wrote no report {pattern}", result.summary))
                }
                _ => Ok(Reports { root, files, exit }),
            }
        }
        _ => Err(result.summary.clone()),
    };
    Ran { reports, command: result }
}

/// The end of a run that `cancel` ends: at first by closing its `input`, so that the shell there has time to tidy up.
async fn attended(
    running: impl Future<Output = Finished>,
    input: UnboundedSender<Bytes>,
    cancel: &CancellationToken,
    stop: &CancellationToken,
) -> Finished {
    let mut running = pin!(running);
    select! {
        finished = &mut running => return finished,
        () = cancel.cancelled() => drop(input),
    }
    if let Ok(finished) = timeout(TIDY, &mut running).await {
        return finished;
    }
    stop.cancel();
    running.await
}

/// The runner as the supervisor takes it. Not in the worktree: what lies there must not pass for a part of it.
fn spec(command: &CommandSpec, spill: &Path) -> Spec {
    let mut argv = command.reach.runner.clone();
    argv.push("sh".to_owned());
    let env = RUNNERS.iter().map(|name| (*name).to_owned()).chain(command.env.iter().cloned());
    Spec {
        argv,
        cwd: PathBuf::from("/"),
        env: env.collect(),
        vars: Vec::new(),
        sandbox: None,
        limit: Duration::from_secs(command.timeout_s),
        grace: GRACE,
        spill: spill.to_owned(),
    }
}

/// How the command ended. What the runner itself says is never taken for the command's own word.
fn ending(runner: &Ending, said: &Said<'_>, argv: &[String]) -> Ending {
    let name = argv.first().map_or("", String::as_str);
    let lost = |why: String| Ending::Lost(format!("{why}; the check says nothing"));
    match (runner, &said.refused) {
        (Ending::Timeout | Ending::Cancelled | Ending::NotStarted(_) | Ending::Lost(_), _) => runner.clone(),
        (_, Some(why)) => lost(why.clone()),
        (Ending::Exit(0), None) if said.is_whole() => match said.exit {
            Some(NOT_EXECUTABLE) => lost(format!("exit {NOT_EXECUTABLE}: a command it calls can't be run there")),
            Some(code) if code > 128 => Ending::Signal(code - 128),
            Some(code) => Ending::Exit(code),
            None => lost("the runner told no exit code".to_owned()),
        },
        (Ending::Exit(code), None) if said.root.is_none() => {
            lost(format!("the runner {name} ended with exit {code} before there was a shell to run it in"))
        }
        (Ending::Exit(code), None) => lost(format!("the runner {name} ended with exit {code} before the command did")),
        (Ending::Signal(signal), None) => lost(format!("the runner {name} was killed by signal {signal}")),
        (Ending::Leak { .. }, None) => lost(format!("the runner {name} left a process behind; it was killed")),
    }
}

/// A word that no output has in it but by intent, and that nobody can intend who doesn't know it.
fn fence() -> io::Result<String> {
    let mut random = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(format!("windlass-{}", Digest::of(&random)))
}
