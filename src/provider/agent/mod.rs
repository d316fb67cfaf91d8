//! A coding agent over the Agent Client Protocol, version 1: JSON-RPC, a message a line, on the standard input and output
//! of a program that works in a directory and asks before it reads or writes there.
//!
//! The client's side is written here, on `serde_json` alone. The protocol's own crates turn on `serde_json/preserve_order`,
//! which would reorder the JSON of everything the program sends and prints; and they own the pipes, which here belong to
//! the supervisor, so that a cancelled agent ends with everything it started.
//!
//! What the agent asks of which model is its own business: nothing of that is seen here, so tokens and cost are unknown.

mod message;
mod talk;
#[cfg(test)]
mod tests;

use std::path::Path;

use bytes::Bytes;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::talk::Talk;
use super::scratch::Scratch;
use super::secrets::Secrets;
use super::{Call, Limits, Observer, Reply, Request};
use crate::domain::End;
use crate::process::supervise::{self, GRACE, Spec};

/// What stands for the model's name in an argument.
const MODEL: &str = "{model}";

/// Parts of the names of variables whose values are kept out of the record.
const SECRET: [&str; 5] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];

/// What an agent wants to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// To know what is in it.
    Read,
    /// To change, move or remove it.
    Write,
}

/// Why something that an agent asked for was not done; follows the path in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// It may not do that.
    Refused(String),
    /// It may, but it failed.
    Failed(String),
}

/// Where an agent works, and what it may do there.
pub trait Workplace: Send {
    /// The directory: an absolute path without links in it.
    fn dir(&self) -> &Path;
    /// Whether the agent may do that.
    ///
    /// # Errors
    /// Why it may not, to follow the path in a sentence.
    fn may(&self, asks: Asks, path: &Path) -> Result<(), String>;
    /// The text of a file.
    ///
    /// # Errors
    /// If the agent may not read it, or it can't be read.
    fn read(&mut self, path: &Path) -> Result<String, Denied>;
    /// Makes this the content of a file, with the directories it needs.
    ///
    /// # Errors
    /// If the agent may not write it, or it can't be written.
    fn write(&mut self, path: &Path, text: &str) -> Result<(), Denied>;
    /// Takes note of something that the agent asked for and was refused, in one line.
    fn refused(&mut self, what: &str);
}

/// The program.
pub(super) struct Agent {
    argv: Vec<String>,
    env: Vec<String>,
    secrets: Secrets,
}

impl Agent {
    /// The agent of this command line, which gets the variables called `names` beside those every command gets.
    pub(super) fn new(argv: &[String], names: &[String], env: impl Fn(&str) -> Option<String>) -> Self {
        let is_secret = |name: &&String| SECRET.iter().any(|part| name.to_ascii_uppercase().contains(part));
        let values: Vec<String> = names.iter().filter(is_secret).filter_map(|name| env(name)).collect();
        let secrets = Secrets::new(values.iter().map(String::as_str));
        Self { argv: argv.to_vec(), env: names.to_vec(), secrets }
    }

    /// Lets it do what `call` asks for in `place`, to its end, a limit or `cancel`; `owner` is the directory whose
    /// command it is. When this returns, nothing of it is alive.
    pub(super) async fn work(
        &self,
        call: &Call,
        place: &mut dyn Workplace,
        owner: Option<&Path>,
        limits: Limits,
        observer: &mut dyn Observer,
        cancel: &CancellationToken,
    ) -> Reply {
        if cancel.is_cancelled() {
            return Reply::new(End::Cancelled);
        }
        let argv: Vec<String> = self.argv.iter().map(|word| word.replace(MODEL, &call.model)).collect();
        let command = argv.join(" ");
        let scratch = match Scratch::new(owner) {
            Ok(scratch) => scratch,
            Err(error) => return Reply::new(End::Failed(format!("`{command}` has no place for its output: {error}"))),
        };
        let url = format!("acp:{command}");
        observer.request(&Request { method: "RUN", url, headers: Vec::new(), body: Bytes::new() });
        let (cwd, spill) = (place.dir().to_owned(), scratch.spill());
        let (env, limit) = (self.env.clone(), limits.total);
        let spec = Spec { argv, cwd, env, vars: Vec::new(), limit, grace: GRACE, spill, sandbox: None };

        let (say, input) = unbounded_channel();
        let (tell, mut heard) = unbounded_channel();
        let stop = CancellationToken::new();
        let parts = [call.system.as_str(), call.prompt.as_str()].into_iter().filter(|part| !part.is_empty());
        let task = parts.collect::<Vec<_>>().join("\n\n");
        let mut talk = Talk::begin(task, place, observer, &self.secrets, say, limits);
        let finished = {
            let running = supervise::converse(&spec, input, &stop, |stream, bytes| {
                // The other end is in hand.
                let _ = tell.send((stream, bytes.to_vec()));
            });
            tokio::pin!(running);
            loop {
                // Looked at here, too: a flood of output would keep everything below from its turn.
                if cancel.is_cancelled() {
                    talk.cancel();
                }
                if talk.wants_an_end(Instant::now()) {
                    stop.cancel();
                }
                let until = talk.until();
                tokio::select! {
                    biased;
                    Some((stream, bytes)) = heard.recv() => talk.hear(stream, &bytes),
                    finished = &mut running => break finished,
                    () = cancel.cancelled(), if talk.is_going_on() => {}
                    () = sleep_until(until), if !stop.is_cancelled() => {}
                }
            }
        };
        while let Ok((stream, bytes)) = heard.try_recv() {
            talk.hear(stream, &bytes);
        }
        talk.close(&command, &finished)
    }
}
