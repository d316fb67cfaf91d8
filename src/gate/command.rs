//! Gates that are the project's own commands, judged by their exit code.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio_util::sync::CancellationToken;

use super::guard::Guard;
use super::runner::{self, Parcel, Wanted};
use crate::domain::{CommandSpec, GateDef, Verdict};
use crate::process::supervise::{self, Ending, Finished, GRACE, Spec, Stream};

/// What a shell answers when a command inside it was not found: the check never took place.
const NOT_FOUND: i32 = 127;

/// What one run of a command gate said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandResult {
    /// The outcome.
    pub verdict: Verdict,
    /// One line a person reads ("exit 3").
    pub summary: String,
    /// The last 16 KiB of its output, both streams as they came; invalid UTF-8 is replaced.
    pub tail: String,
    /// The file with the whole output, if it was longer than 1 MiB.
    pub spilled: Option<PathBuf>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Where a command runs.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The worktree.
    pub root: &'a Path,
    /// What stands around it.
    pub guard: Guard,
    /// The worktree's tree, for commands that run elsewhere.
    pub parcel: Option<&'a Parcel>,
}

/// Runs the command of `def` in its directory of the worktree, or of its tree elsewhere. Output goes to `output` as it
/// comes, and to the file `spill` once it is long; see [`supervise::run`] for what is guaranteed about the processes.
///
/// Exit code 0 is a pass and any other a failure, except 127: like a signal, a leak or a failing start it is an error,
/// because nothing was checked.
pub async fn run_command(
    def: &GateDef,
    site: Site<'_>,
    spill: &Path,
    cancel: &CancellationToken,
    output: impl FnMut(Stream, &[u8]),
) -> CommandResult {
    let spec = match def.command() {
        Some(command) if !command.reach.runner.is_empty() => {
            return runner::run(&def.name, command, Wanted::Nothing, site, spill, cancel, output).await.command;
        }
        Some(command) => supervised(command, site.root, site.guard, spill),
        None => Err("it has no command".to_owned()),
    };
    let configured = |why: &str| configured(&def.name, why);
    let spec = match spec {
        Ok(spec) => spec,
        Err(why) => {
            let summary = configured(&why);
            let (tail, spilled, duration_ms) = (String::new(), None, 0);
            return CommandResult { verdict: Verdict::Error, summary, tail, spilled, duration_ms };
        }
    };
    let finished = supervise::run(&spec, cancel, output).await;
    result_of(&def.name, &spec, &finished)
}

/// What a finished command says, judged by its ending.
pub(super) fn result_of(name: &str, spec: &Spec, finished: &Finished) -> CommandResult {
    let mut summary = describe(&finished.ending, spec.limit);
    if let Ending::NotStarted(why) = &finished.ending {
        summary = configured(name, why);
    }
    if let Some(why) = &finished.spill_error {
        summary = format!("{summary}; the output is not kept: {why}");
    }
    CommandResult {
        verdict: verdict(&finished.ending),
        summary,
        tail: tail_text(finished),
        spilled: finished.spilled.clone(),
        duration_ms: u64::try_from(finished.duration.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Why a command can't run, with where it stands.
pub(super) fn configured(name: &str, why: &str) -> String {
    format!("{why}; the command stands in .windlass/config.toml, [[gate]] {name:?}")
}

fn verdict(ending: &Ending) -> Verdict {
    match ending {
        Ending::Exit(0) => Verdict::Pass,
        Ending::Exit(NOT_FOUND) => Verdict::Error,
        Ending::Exit(_) => Verdict::Fail,
        Ending::Timeout => Verdict::Timeout,
        Ending::Cancelled => Verdict::Cancelled,
        Ending::Signal(_) | Ending::Leak { .. } | Ending::NotStarted(_) | Ending::Lost(_) => Verdict::Error,
    }
}

/// An ending in a few words.
pub(super) fn describe(ending: &Ending, limit: Duration) -> String {
    match ending {
        Ending::Exit(NOT_FOUND) => format!("exit {NOT_FOUND}: a command it calls was not found"),
        Ending::Exit(code) => format!("exit {code}"),
        Ending::Signal(number) => match Signal::try_from(*number) {
            Ok(signal) => format!("killed by {signal}"),
            Err(_) => format!("killed by signal {number}"),
        },
        Ending::Timeout => format!("no end within {} s", limit.as_secs()),
        Ending::Cancelled => "cancelled".to_owned(),
        Ending::Leak { code } => format!("exit {code}, but a process it started kept running; it was killed"),
        Ending::NotStarted(why) | Ending::Lost(why) => why.clone(),
    }
}

/// The end of the output as text, begun at a whole character.
pub(super) fn tail_text(finished: &Finished) -> String {
    let cut = finished.total_bytes > finished.tail.len() as u64;
    // A character is at most three continuation bytes long after its first.
    let torn = finished.tail.iter().take(3).take_while(|byte| cut && **byte & 0xc0 == 0x80).count();
    String::from_utf8_lossy(finished.tail.get(torn..).unwrap_or_default()).into_owned()
}

/// The command as the supervisor takes it, in its directory of the worktree `root`.
///
/// # Errors
/// If the directory is missing or not inside the worktree, or there is no sandbox to be had, in words for the summary.
pub(super) fn supervised(command: &CommandSpec, root: &Path, guard: Guard, spill: &Path) -> Result<Spec, String> {
    Ok(Spec {
        argv: command.argv.clone(),
        cwd: inside(root, &command.dir)?,
        env: command.env.clone(),
        vars: Vec::new(),
        sandbox: guard.around(&command.reach, root)?,
        limit: Duration::from_secs(command.timeout_s),
        grace: GRACE,
        spill: spill.to_owned(),
    })
}

/// The directory `dir` of the worktree `root`; the tree under review may hold links, and they must not lead out.
fn inside(root: &Path, dir: &str) -> Result<PathBuf, String> {
    let relative = Path::new(dir);
    if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(format!(
            "the directory {dir:?} is not inside the worktree: write it relative to its top, without .."
        ));
    }
    let real = |path: &Path| {
        path.canonicalize().map_err(|error| format!("failed to enter the directory {}: {error}", path.display()))
    };
    let (top, directory) = (real(root)?, real(&root.join(relative))?);
    if !directory.starts_with(&top) {
        return Err(format!("the directory {dir:?} is a link that leads out of the worktree"));
    }
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use tempfile::TempDir;
    use tokio_util::sync::CancellationToken;

    use super::{CommandResult, Site, run_command};
    use crate::domain::{CommandSpec, Enforcement, GateDef, GateKind, GateRules, Reach, Verdict};
    use crate::gate::guard::Guard;

    async fn gate(root: &Path, dir: &str, script: &str, timeout_s: u64) -> CommandResult {
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let kind = GateKind::Command(CommandSpec {
            argv,
            dir: dir.to_owned(),
            timeout_s,
            env: Vec::new(),
            reach: Reach::default(),
        });
        let def =
            GateDef { name: "g".to_owned(), kind, enforcement: Enforcement::Required, rules: GateRules::default() };
        let spill = root.join("spill");
        let site = Site { root, guard: Guard::new(true), parcel: None };
        run_command(&def, site, &spill, &CancellationToken::new(), |_, _| {}).await
    }

    #[tokio::test]
    async fn exit_codes_become_verdicts() {
        let root = TempDir::new().unwrap();
        for (script, verdict, summary) in [
            ("true", Verdict::Pass, "exit 0"),
            ("exit 3", Verdict::Fail, "exit 3"),
            ("no-such-command", Verdict::Error, "exit 127: a command it calls was not found"),
            ("kill -9 $$", Verdict::Error, "killed by SIGKILL"),
            ("sleep 60 &", Verdict::Error, "exit 0, but a process it started kept running; it was killed"),
        ] {
            let result = gate(root.path(), "", script, 60).await;
            assert_eq!((result.verdict, result.summary.as_str()), (verdict, summary), "{script}");
        }
        let late = gate(root.path(), "", "echo begun; sleep 60", 2).await;
        assert_eq!((late.verdict, late.summary.as_str()), (Verdict::Timeout, "no end within 2 s"));
        assert_eq!(late.tail, "begun\n");
    }

    #[tokio::test]
    async fn the_directory_stays_inside_the_worktree() {
        let (root, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        symlink(elsewhere.path(), root.path().join("out")).unwrap();
        let there = gate(root.path(), "a/b", "pwd", 60).await;
        assert!(there.tail.ends_with("/a/b\n"), "{there:?}");
        for (dir, why) in [
            ("..", "without .."),
            ("a/../..", "without .."),
            ("/tmp", "without .."),
            ("missing", "failed to enter the directory"),
            ("out", "leads out of the worktree"),
        ] {
            let result = gate(root.path(), dir, "echo ran", 60).await;
            assert_eq!((result.verdict, result.tail.as_str()), (Verdict::Error, ""), "{dir}");
            assert!(result.summary.contains(why), "{dir}: {}", result.summary);
        }
    }

    #[tokio::test]
    async fn a_tail_begins_with_a_whole_character() {
        let root = TempDir::new().unwrap();
        let script = "awk 'BEGIN { for (i = 0; i < 9000; i++) printf \"é\"; print \"!\" }'";
        let result = gate(root.path(), "", script, 60).await;
        assert!(result.tail.starts_with('é') && result.tail.ends_with("é!\n"));
    }
}
