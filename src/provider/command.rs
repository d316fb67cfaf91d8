//! A program that takes the prompt on standard input and answers on standard output: `claude -p`, `llm`, `ollama run`.
//!
//! It runs with the person's own environment, in an empty directory, and is ended with everything it started. What it
//! asks of which model is its own business: nothing of that is seen here, so its tokens are unknown.

use std::path::Path;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::failure::excerpt;
use super::scratch::{Scratch, parent_variables};
use super::transport::{REPLY_CAP, in_words, millis};
use super::{Call, Limits, Observer, Reply, Request};
use crate::domain::{End, without_keys};
use crate::process::supervise::{self, Ending, Finished, GRACE, Spec, Stream};

/// What stands for the model's name in an argument.
const MODEL: &str = "{model}";

/// The most of standard error that is quoted, in bytes: its end says why.
const QUOTED: usize = 2 * 1024;

/// The program.
pub(super) struct Program {
    argv: Vec<String>,
}

/// What the program has said so far.
struct Said<'a> {
    reply: Reply,
    observer: &'a mut dyn Observer,
    sent: Instant,
    /// Bytes of a character that isn't whole yet.
    partial: Vec<u8>,
    /// The end of standard error.
    errors: Vec<u8>,
}

impl Program {
    /// The program of this command line.
    pub(super) fn new(argv: &[String]) -> Self {
        Self { argv: argv.to_vec() }
    }

    /// Runs it for `call`, to its end, a limit or `cancel`; `owner` is the directory whose command it is.
    pub(super) async fn run(
        &self,
        call: &Call,
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
            Err(error) => return Reply::new(End::Failed(format!("`{command}` has no directory to run in: {error}"))),
        };
        let parts = [call.system.as_str(), call.prompt.as_str()].into_iter().filter(|part| !part.is_empty());
        let input = Bytes::from(parts.collect::<Vec<_>>().join("\n\n"));
        let url = format!("command:{command}");
        observer.request(&Request { method: "RUN", url, headers: Vec::new(), body: input.clone() });

        let (cwd, spill, vars) = (scratch.path(), scratch.spill(), Vec::new());
        // A person's own program: it has all their rights, as in their shell.
        let (env, sandbox) = (parent_variables(), None);
        let spec = Spec { argv, cwd, env, vars, sandbox, limit: limits.total, grace: GRACE, spill };
        let sent = Instant::now();
        let mut said =
            Said { reply: Reply::new(End::Interrupted), observer, sent, partial: Vec::new(), errors: Vec::new() };
        // Until when the program may be silent.
        let (extend, mut deadline) = watch::channel(sent + limits.first);
        let stop = cancel.child_token();
        let mut too_quiet = false;
        let finished = {
            let running = supervise::feed(&spec, input, &stop, |stream, bytes| {
                if stream == Stream::Out {
                    extend.send_replace(Instant::now() + limits.idle);
                }
                said.take(stream, bytes);
                if said.reply.text.len() > REPLY_CAP {
                    stop.cancel();
                }
            });
            tokio::pin!(running);
            loop {
                let until = *deadline.borrow_and_update();
                tokio::select! {
                    finished = &mut running => break finished,
                    Ok(()) = deadline.changed() => {}
                    () = sleep_until(until), if !too_quiet => {
                        too_quiet = true;
                        stop.cancel();
                    }
                }
            }
        };
        said.close(&command, &finished, limits, too_quiet)
    }
}

impl Said<'_> {
    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        if stream == Stream::Err {
            self.errors.extend_from_slice(bytes);
            let surplus = self.errors.len().saturating_sub(QUOTED);
            self.errors.drain(..surplus);
            return;
        }
        let elapsed = self.sent.elapsed();
        self.reply.timings.first_byte.get_or_insert(millis(elapsed));
        self.observer.chunk(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX), bytes);
        self.partial.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.partial) {
            // The end of the input may be the beginning of a character.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.partial.len(),
        };
        let text: Vec<u8> = self.partial.drain(..whole).collect();
        self.say(&String::from_utf8_lossy(&text));
    }

    fn say(&mut self, text: &str) {
        if !text.is_empty() {
            self.reply.timings.first_text.get_or_insert(millis(self.sent.elapsed()));
            self.reply.text.push_str(text);
            self.observer.text(text);
        }
    }

    fn close(mut self, command: &str, finished: &Finished, limits: Limits, too_quiet: bool) -> Reply {
        let rest = std::mem::take(&mut self.partial);
        self.say(&String::from_utf8_lossy(&rest));
        let errors = String::from_utf8_lossy(&self.errors);
        let errors = match excerpt(errors.trim(), QUOTED) {
            none if none.is_empty() => String::new(),
            some => format!(": {some}"),
        };
        let nothing = self.reply.text.trim().is_empty();
        let failed = |why: String| End::Failed(without_keys(&format!("`{command}` {why}")).into_owned());
        self.reply.end = match &finished.ending {
            _ if self.reply.text.len() > REPLY_CAP => failed("printed more than 16 MiB and was stopped".to_owned()),
            _ if too_quiet && nothing => {
                failed(format!("printed nothing for {} and was stopped", in_words(limits.first)))
            }
            _ if too_quiet => failed(format!("printed nothing more for {} and was stopped", in_words(limits.idle))),
            // What it left running is ended, and doesn't make its answer worse.
            Ending::Exit(0) | Ending::Leak { code: 0 } if nothing => failed(format!("printed nothing{errors}")),
            Ending::Exit(0) | Ending::Leak { code: 0 } => End::Complete,
            Ending::Exit(code) | Ending::Leak { code } => failed(format!("ended with exit code {code}{errors}")),
            Ending::Signal(signal) => failed(format!("was killed by signal {signal}{errors}")),
            Ending::Timeout => failed(format!("took {}, the limit for a whole call", in_words(limits.total))),
            Ending::Cancelled => End::Cancelled,
            Ending::NotStarted(why) | Ending::Lost(why) => failed(format!("did not run: {why}")),
        };
        self.reply.timings.total = millis(self.sent.elapsed());
        self.reply
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::super::testing::{Witness, call};
    use crate::domain::{End, ProviderSpec, Usage};
    use crate::process::supervise::end_leftovers;
    use crate::provider::{Call, Limits, Provider, Reply};

    fn shell(script: &str) -> Provider {
        let argv = ["sh", "-c", script, "sh", "--model={model}"].map(str::to_owned).to_vec();
        Provider::new("p", &ProviderSpec::Command { argv }).unwrap()
    }

    async fn run(provider: &Provider, call: &Call) -> (Reply, Witness) {
        let mut witness = Witness::default();
        let reply = provider.call(call, &mut witness, &CancellationToken::new()).await;
        (reply, witness)
    }

    #[tokio::test]
    async fn the_prompt_goes_in_and_the_answer_comes_out() {
        let asked = Call { system: "Be brief.".into(), prompt: "Wäre\nes?".into(), ..call() };
        let (reply, witness) = run(&shell("cat; printf ' %s' \"$1\"; pwd >&2"), &asked).await;
        assert_eq!((reply.text.as_str(), &reply.end), ("Be brief.\n\nWäre\nes? --model=m", &End::Complete));
        assert_eq!((witness.deltas.concat(), witness.body()), (reply.text.clone(), reply.text));
        assert_eq!((reply.usage, reply.served_by), (Usage::default(), None));
        let request = witness.requests.first().unwrap();
        assert_eq!((request.method, &request.body[..]), ("RUN", "Be brief.\n\nWäre\nes?".as_bytes()));
        assert!(request.url.starts_with("command:sh -c cat;"), "{}", request.url);
    }

    #[tokio::test]
    async fn a_prompt_larger_than_any_pipe_is_read_whole_or_not_at_all() {
        let asked = Call { prompt: "x".repeat(3 << 20), ..call() };
        let (reply, _) = run(&shell("cat"), &asked).await;
        assert!((reply.end, reply.text.len()) == (End::Complete, 3 << 20));
        let (reply, _) = run(&shell("echo ready"), &asked).await;
        assert_eq!((reply.end, reply.text.as_str()), (End::Complete, "ready\n"));
    }

    #[tokio::test]
    async fn a_character_may_come_in_pieces() {
        let (reply, _) = run(&shell(r"printf 'a\303'; sleep 0.05; printf '\251\377b\303'"), &call()).await;
        assert_eq!(reply.text, "aé\u{fffd}b\u{fffd}");
    }

    #[tokio::test]
    async fn a_bad_end_is_told_in_the_programs_words() {
        for (script, expected) in [
            ("echo half; echo no credit >&2; exit 3", "ended with exit code 3: no credit"),
            ("echo not logged in >&2", "printed nothing: not logged in"),
            ("kill -9 $$", "was killed by signal 9"),
            ("echo 'bad key sk-ant-api03-0123456789abcdefghij' >&2; exit 1", "bad key sk-ant-***"),
        ] {
            let (reply, _) = run(&shell(script), &call()).await;
            assert!(matches!(&reply.end, End::Failed(why) if why.contains(expected)), "{:?}", reply.end);
        }
        let argv = vec!["no-such-program".to_owned()];
        let (reply, _) = run(&Provider::new("p", &ProviderSpec::Command { argv }).unwrap(), &call()).await;
        assert!(matches!(&reply.end, End::Failed(why) if why.contains("command not found")), "{:?}", reply.end);
    }

    #[tokio::test]
    async fn limits_hold() {
        let short = Duration::from_millis(200);
        for (script, limits, expected) in [
            ("sleep 60", Limits { first: short, ..Limits::default() }, "printed nothing for 200 ms"),
            ("echo half; sleep 60", Limits { idle: short, ..Limits::default() }, "printed nothing more for 200 ms"),
            (
                "while :; do echo more; sleep 0.01; done",
                Limits { total: short, ..Limits::default() },
                "took 200 ms, the limit for a whole call",
            ),
            ("head -c 20000000 /dev/zero", Limits::default(), "more than 16 MiB"),
        ] {
            let (reply, _) = run(&shell(script).with_limits(limits), &call()).await;
            assert!(matches!(&reply.end, End::Failed(why) if why.contains(expected)), "{script}: {:?}", reply.end);
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_processes_are_found_after_this_one_was_killed() {
        let (owner, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (reply, _) = run(&shell("echo $WINDLASS_RUN").owned_by(owner.path()), &call()).await;
        let mut orphan = std::process::Command::new("sleep");
        let mut orphan = orphan.arg("60").env("WINDLASS_RUN", reply.text.trim()).spawn().unwrap();
        assert_eq!(end_leftovers(other.path()), 0);
        // The helper that attended it may still wait for another.
        assert!(matches!(end_leftovers(owner.path()), 1 | 2));
        assert!(!orphan.wait().unwrap().success());
    }

    #[tokio::test]
    async fn cancel_ends_everything_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pids = dir.path().join("pids");
        let script = format!(
            "setsid sh -c 'echo $$ >> {0}; exec sleep 60' & sleep 60 & echo $! >> {0}; echo $$ >> {0}
             while [ $(wc -l < {0}) -lt 3 ]; do sleep 0.01; done; echo begun; wait",
            pids.display()
        );
        let cancel = CancellationToken::new();
        let on_text = cancel.clone();
        let mut witness = Witness { on_text: Some(Box::new(move || on_text.cancel())), ..Witness::default() };
        let reply = shell(&script).call(&call(), &mut witness, &cancel).await;
        assert_eq!((reply.text.as_str(), reply.end), ("begun\n", End::Cancelled));
        for pid in fs::read_to_string(pids).unwrap().lines() {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            assert!(stat.is_empty() || stat.contains(") Z "), "{pid} is alive: {stat}");
        }
        let reply = shell("echo").call(&call(), &mut Witness::default(), &cancel).await;
        assert_eq!(reply.end, End::Cancelled);
    }
}
