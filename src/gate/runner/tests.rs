//! Runners that are real processes: one that joins its words and hands them to a shell elsewhere, as ssh does, and one
//! that doesn't, as kubectl doesn't.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Parcel, Wanted, run};
use crate::domain::{CommandSpec, Reach, TreeId, Verdict};
use crate::gate::command::Site;
use crate::gate::guard::Guard;
use crate::gate::report::Ran;

/// What the tree under review holds.
const FILES: [(&str, &str); 2] =
    [("a file", "content\n"), ("sub/tool.sh", "#!/bin/sh\npwd -P >&2\nprintf '<%s>' \"$@\"\n")];

/// A repository, and a machine that is another one but for its kernel.
struct Ground {
    dir: TempDir,
    tree: TreeId,
    bundle: Bytes,
}

impl Ground {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let top = dir.path().join("repo");
        for (name, text) in FILES {
            let path = top.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir(dir.path().join("there")).unwrap();
        let git = |args: &[&str]| {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(args).current_dir(&top);
            let done = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
            assert!(done.status.success(), "{done:?}");
            done.stdout
        };
        git(&["-c", "init.defaultBranch=main", "init", "-q"]);
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", "first"]);
        git(&["update-ref", "refs/windlass/tree", "HEAD"]);
        let tree = String::from_utf8(git(&["rev-parse", "HEAD^{tree}"])).unwrap().trim().parse().unwrap();
        let bundle = git(&["bundle", "create", "-q", "-", "refs/windlass/tree"]).into();
        Self { dir, tree, bundle }
    }

    fn there(&self) -> PathBuf {
        self.dir.path().join("there")
    }

    /// Joins its words with blanks and gives them to a shell in another directory, with an environment of its own.
    fn ssh(&self) -> Vec<String> {
        let there = self.there();
        let there = there.display();
        let text = format!(
            "#!/bin/sh\necho Welcome\ncd '{there}' && exec env -i PATH=\"$PATH\" HOME=/ TMPDIR='{there}' sh -c \"$*\"\n"
        );
        self.program("ssh", &text)
    }

    /// Runs its words as they are.
    fn kubectl(&self) -> Vec<String> {
        let there = self.there();
        self.program("kubectl", &format!("#!/bin/sh\nTMPDIR='{}' exec \"$@\"\n", there.display()))
    }

    fn program(&self, name: &str, text: &str) -> Vec<String> {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        vec![path.display().to_string()]
    }

    fn parcel(&self) -> Parcel {
        Parcel { tree: self.tree.clone(), bundle: self.bundle.clone() }
    }

    async fn run(&self, runner: Vec<String>, argv: &[&str], wanted: Wanted<'_>) -> Ran {
        let spec = spec(runner, argv);
        self.run_with(&spec, wanted, &self.parcel(), &CancellationToken::new()).await
    }

    async fn run_with(
        &self,
        spec: &CommandSpec,
        wanted: Wanted<'_>,
        parcel: &Parcel,
        cancel: &CancellationToken,
    ) -> Ran {
        let site = Site { root: Path::new("/nowhere"), guard: Guard::new(true), parcel: Some(parcel) };
        run("g", spec, wanted, site, &self.dir.path().join("spill"), cancel, |_, _| {}).await
    }

    /// Waits until nothing of a run is left there.
    async fn is_empty(&self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while fs::read_dir(self.there()).unwrap().next().is_some() {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }
}

fn spec(runner: Vec<String>, argv: &[&str]) -> CommandSpec {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    let reach = Reach { runner, ..Reach::default() };
    CommandSpec { argv, dir: String::new(), timeout_s: 60, env: Vec::new(), reach }
}

fn said(ran: &Ran) -> (Verdict, &str) {
    (ran.command.verdict, ran.command.summary.as_str())
}

#[tokio::test]
async fn words_arrive_as_they_are_whatever_the_runner_does_with_its_own() {
    let ground = Ground::new();
    let hostile = ["a b", "", "'", "\"", "$HOME", "`id`", "$(id)", "*", "x\ny", "\\", "-n", "é", "; exit 9", "\t#"];
    let mut argv = vec!["sub/tool.sh"];
    argv.extend(hostile);
    let expected: String = hostile.iter().map(|word| format!("<{word}>")).collect();
    for runner in [ground.ssh(), ground.kubectl()] {
        let ran = ground.run(runner, &argv, Wanted::Printed).await;
        assert_eq!(said(&ran), (Verdict::Pass, "exit 0"), "{ran:?}");
        let reports = ran.reports.as_ref().unwrap();
        assert_eq!(String::from_utf8_lossy(&reports.files[0].bytes), expected);
        assert!(reports.root.starts_with(ground.there().canonicalize().unwrap()), "{:?}", reports.root);
        assert!(ran.command.tail.contains(&format!("{}\n", reports.root.display())), "it runs at the top: {ran:?}");
    }
    assert!(ground.is_empty().await);
}

#[tokio::test]
async fn exit_codes_are_the_commands_own_and_the_runners_failures_are_errors() {
    let ground = Ground::new();
    let sh = |script| ["sh", "-c", script];
    for (argv, verdict, summary) in [
        (sh("exit 3"), Verdict::Fail, "exit 3"),
        (sh("cat; exit 0"), Verdict::Pass, "exit 0"),
        (sh("no-such-command"), Verdict::Error, "exit 127: a command it calls was not found"),
        (sh("kill -9 $$"), Verdict::Error, "killed by SIGKILL"),
        (sh("kill -9 $PPID; sleep 1"), Verdict::Error, "; the check says nothing"),
    ] {
        let ran = ground.run(ground.ssh(), &argv, Wanted::Nothing).await;
        assert_eq!(ran.command.verdict, verdict, "{ran:?}");
        assert!(ran.command.summary.ends_with(summary), "{ran:?}");
    }
    let broken = ground.program("broken", "#!/bin/sh\necho 'no route to host' >&2\nexit 255\n");
    let ran = ground.run(broken, &["true"], Wanted::Nothing).await;
    let (verdict, why) = said(&ran);
    assert!(verdict == Verdict::Error && why.contains("ended with exit 255 before there was a shell"), "{why}");
    assert_eq!(ran.command.tail, "no route to host\n");
    let none = ground.run(vec!["no-such-runner".to_owned()], &["true"], Wanted::Nothing).await;
    assert!(
        none.command.verdict == Verdict::Error && none.command.summary.starts_with("command not found: no-such-runner")
    );
    // One that says yes to everything says nothing.
    let yes = ground.run(vec!["true".to_owned()], &["true"], Wanted::Nothing).await;
    assert_eq!(yes.command.verdict, Verdict::Error);
}

#[tokio::test]
async fn another_tree_is_not_judged() {
    let ground = Ground::new();
    let spec = spec(ground.ssh(), &["touch", "../../ran"]);
    let mut parcel = ground.parcel();
    parcel.tree = "0123456789012345678901234567890123456789".parse().unwrap();
    let ran = ground.run_with(&spec, Wanted::Nothing, &parcel, &CancellationToken::new()).await;
    let (verdict, why) = said(&ran);
    assert!(verdict == Verdict::Error && why.contains("another tree arrived"), "{why}");
    let mut torn = ground.parcel();
    torn.bundle = torn.bundle.slice(..torn.bundle.len() / 2);
    let ran = ground.run_with(&spec, Wanted::Nothing, &torn, &CancellationToken::new()).await;
    let (verdict, why) = said(&ran);
    assert!(verdict == Verdict::Error && why.contains("git could not read the tree"), "{why}");
    assert!(ground.is_empty().await, "nothing ran, nothing is left");
}

#[tokio::test]
async fn reports_come_back_whole() {
    let ground = Ground::new();
    let script = "mkdir -p 'out/a b'; printf 'x\\n\\0y' >'out/a b/r.xml'; echo no >out/other; echo F; exit 1";
    for runner in [ground.ssh(), ground.kubectl()] {
        let ran = ground.run(runner, &["sh", "-c", script], Wanted::Files("out/**/*.xml")).await;
        let reports = ran.reports.unwrap();
        let files: Vec<_> = reports.files.iter().map(|file| (file.name.as_str(), file.bytes.as_slice())).collect();
        assert_eq!((files, reports.exit), (vec![("out/a b/r.xml", &b"x\n\0y"[..])], 1));
    }
    let none = ground.run(ground.ssh(), &["true"], Wanted::Files("out/r.xml")).await;
    assert_eq!(none.reports.unwrap_err(), "exit 0, and wrote no report out/r.xml");
}

#[tokio::test]
async fn a_directory_and_variables_go_along_and_links_do_not_lead_out() {
    let ground = Ground::new();
    let mut command = spec(ground.ssh(), &["sh", "-c", "pwd; echo $CARGO_PKG_NAME; echo ${CARGO_PKG_VERSION-none}"]);
    command.dir = "sub".to_owned();
    command.env = vec!["CARGO_PKG_NAME".to_owned(), "NO_SUCH_VARIABLE".to_owned()];
    let ran = ground.run_with(&command, Wanted::Nothing, &ground.parcel(), &CancellationToken::new()).await;
    assert!(ran.command.tail.contains("/tree/sub\nwindlass\nnone\n"), "{ran:?}");
    command.dir = "missing".to_owned();
    let ran = ground.run_with(&command, Wanted::Nothing, &ground.parcel(), &CancellationToken::new()).await;
    assert!(ran.command.verdict == Verdict::Error && ran.command.summary.contains("the directory missing is missing"));
}

#[tokio::test]
async fn what_is_cancelled_or_late_ends_there_too() {
    let ground = Ground::new();
    // The command leaves its group behind but for what setsid gave it, and is deaf.
    let script = "trap '' TERM HUP; echo $$ >../../pid; sleep 1000 & wait";
    for limit in [60, 2] {
        let mut command = spec(ground.ssh(), &["sh", "-c", script]);
        command.timeout_s = limit;
        let (cancel, pid) = (CancellationToken::new(), ground.there().join("pid"));
        let stopping = async {
            if limit == 60 {
                while fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                while !fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                cancel.cancel();
            }
        };
        let parcel = ground.parcel();
        let (ran, ()) = tokio::join!(ground.run_with(&command, Wanted::Nothing, &parcel, &cancel), stopping);
        assert_eq!(ran.command.verdict, if limit == 60 { Verdict::Cancelled } else { Verdict::Timeout }, "{ran:?}");
        let number = fs::read_to_string(&pid).unwrap();
        assert!(!Path::new("/proc").join(number.trim()).exists(), "the command there has ended");
        fs::remove_file(&pid).unwrap();
        // At its limit the runner is ended at once; what lies at its far end is tidied up there, and here it is no far end.
        assert!(limit == 2 || ground.is_empty().await);
    }
}

/// A runner whose far end this machine's signals don't reach, as a real one's don't.
#[tokio::test]
async fn a_connection_that_closes_ends_the_command_there() {
    let ground = Ground::new();
    let far = ground.there();
    // The far shell runs in no group of ours and reads what comes through a pipe by name.
    let mut shell = Command::new("sh");
    let script = "mkfifo in out && exec env TMPDIR=\"$PWD/tmp\" sh <in >out 2>/dev/null";
    fs::create_dir(far.join("tmp")).unwrap();
    let mut shell = shell.args(["-c", script]).current_dir(&far).spawn().unwrap();
    let near =
        format!("#!/bin/sh\ncd '{}'\nuntil [ -p out ]; do sleep 0.01; done\ncat out &\nexec cat >in\n", far.display());
    let command =
        spec(ground.program("near", &near), &["sh", "-c", "trap '' HUP TERM; echo $$ >../../../pid; exec sleep 1000"]);
    let (cancel, pid, parcel) = (CancellationToken::new(), far.join("pid"), ground.parcel());
    let stopping = async {
        while !fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (ran, ()) = tokio::join!(ground.run_with(&command, Wanted::Nothing, &parcel, &cancel), stopping);
    assert_eq!(ran.command.verdict, Verdict::Cancelled);
    assert!(!shell.wait().unwrap().success());
    let number = fs::read_to_string(&pid).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while Path::new("/proc").join(number.trim()).exists() {
        assert!(Instant::now() < deadline, "it runs on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(fs::read_dir(far.join("tmp")).unwrap().next().is_none(), "it left its directory");
}
