//! Commands that follow another one with the same helper: they are as well off as with a new one.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::super::sandbox::{Sandbox, available};
use super::{Ending, Finished, GRACE, Spec, run};

/// What a command runs in, and between which no two differ.
struct Ground {
    dir: TempDir,
    sandbox: Option<Sandbox>,
}

/// One without a sandbox, and one with what this machine has.
fn grounds() -> Vec<Ground> {
    let dirs = || TempDir::new().unwrap();
    let mut grounds = vec![Ground { dir: dirs(), sandbox: None }];
    let here = available();
    println!("sandboxes left out: {} ({here})", u8::from(!here.is_sandbox()));
    if here.is_sandbox() {
        let dir = dirs();
        let writable = vec![dir.path().to_owned()];
        grounds.push(Ground { dir, sandbox: Some(Sandbox { writable, network: false, apart: here.is_apart() }) });
    }
    grounds
}

impl Ground {
    fn spec(&self, script: &str) -> Spec {
        Spec {
            argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: self.dir.path().to_owned(),
            env: Vec::new(),
            vars: Vec::new(),
            sandbox: self.sandbox.clone(),
            limit: Duration::from_secs(60),
            grace: GRACE,
            spill: self.dir.path().join("spill"),
        }
    }

    async fn run(&self, script: &str) -> Finished {
        finished(&self.spec(script)).await
    }

    async fn says(&self, script: &str) -> String {
        let finished = self.run(script).await;
        assert_eq!(finished.ending, Ending::Exit(0), "{script}: {finished:?}");
        text(&finished)
    }

    fn is_apart(&self) -> bool {
        self.sandbox.as_ref().is_some_and(|sandbox| sandbox.apart)
    }
}

async fn finished(spec: &Spec) -> Finished {
    run(spec, &CancellationToken::new(), |_, _| {}).await
}

fn text(finished: &Finished) -> String {
    String::from_utf8_lossy(&finished.tail).into_owned()
}

/// The helper, as far as it can be seen from a command: its namespace inside of one, its number outside.
const WHO: &str = "readlink /proc/self/ns/pid; [ $PPID = 1 ] || echo $PPID";

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_helper_attends_many_and_each_finds_all_as_the_first_did() {
    let state = "grep -E '^(SigBlk|SigIgn|SigCgt|CapEff|NoNewPrivs|Seccomp|Umask)' /proc/self/status; ls /proc/self/fd;
                 pwd; env | grep -v -e ^_= -e ^PWD= -e ^OLDPWD= | sort; cat; ls -A \"$TMPDIR\" /dev/shm 2>/dev/null || true";
    for ground in grounds() {
        let (who, first) = (ground.says(WHO).await, ground.says(state).await);
        for script in [
            "exit 3",
            "kill -9 $$",
            "no-such-command",
            "cd / && umask 000 && trap '' TERM INT HUP && ulimit -n 20",
            "for n in 1 2 3; do (exec setsid sleep 1000 >/dev/null 2>&1 </dev/null) & done",
            "echo x >\"${TMPDIR:-$PWD}/left\"; mkdir \"${TMPDIR:-$PWD}/sub\"",
            "yes | head -c 3000000",
        ] {
            let ending = ground.run(script).await.ending;
            assert!(!matches!(ending, Ending::Lost(_) | Ending::Leak { .. }), "{script}: {ending:?}");
        }
        let elsewhere = Spec { argv: vec!["no-such-program".to_owned()], ..ground.spec("") };
        assert!(
            matches!(finished(&elsewhere).await.ending, Ending::NotStarted(why) if why.contains("in no directory"))
        );
        let missing = Spec { cwd: ground.dir.path().join("away"), ..ground.spec("") };
        assert!(matches!(finished(&missing).await.ending, Ending::NotStarted(why) if why.ends_with("away is missing")));
        assert_eq!(ground.says(state).await, first);
        assert_eq!(ground.says(WHO).await, who, "it was the same one all along");
        let living =
            "for one in /proc/[0-9]*; do tr '\\0' ' ' <$one/cmdline; done 2>/dev/null | grep -c '^sleep 1000 '";
        if ground.is_apart() {
            assert_eq!(text(&ground.run(living).await), "0\n");
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_left_beside_processes_is_not_found_by_the_next_one() {
    for ground in grounds().into_iter().filter(Ground::is_apart) {
        let probe = "ls -A /dev/shm; tail -n +2 /proc/sysvipc/shm; tail -n +2 /proc/self/net/tcp; ls -A \"$TMPDIR\"";
        assert_eq!(ground.says(probe).await, "");
        // Named the same each time: it must not be there yet.
        for script in ["set -C; echo x >/dev/shm/name", "mkdir \"$TMPDIR/name\"", "chmod 500 \"$TMPDIR\""] {
            for turn in 1..=3 {
                assert_eq!(ground.run(script).await.ending, Ending::Exit(0), "{script} {turn}");
                assert_eq!(ground.says(probe).await, "", "{script} {turn}");
                assert_eq!(ground.says("stat -c %a \"$TMPDIR\"").await, "700\n", "{script}");
            }
        }
        let program = std::env::current_exe().unwrap().display().to_string();
        let probing = super::super::sandbox::tests::PROBE.to_owned();
        let talking = Spec { argv: vec![program, probing, "loopback".to_owned()], ..ground.spec("") };
        assert_eq!(text(&finished(&talking).await), "did it\n");
        assert_eq!(ground.says(probe).await, "", "its sockets are gone");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_helper_is_for_those_alone_who_want_the_very_same() {
    let ground = Ground { sandbox: None, ..grounds().swap_remove(0) };
    let who = ground.says(WHO).await;
    let given = Spec { vars: vec![("EXTRA".to_owned(), "1".to_owned())], ..ground.spec("echo $EXTRA; echo $PPID") };
    let other = text(&finished(&given).await);
    assert!(other.starts_with("1\n") && !who.ends_with(other.trim_start_matches("1\n")), "{who}{other}");
    assert_eq!(ground.says("echo ${EXTRA-none}").await, "none\n");
    assert_eq!(ground.says(WHO).await, who);

    // The directory that a helper knows is not the one that has its name now.
    for ground in grounds().into_iter().filter(Ground::is_apart) {
        let tree = ground.dir.path().join("tree");
        for turn in 0..3 {
            std::fs::create_dir(&tree).unwrap();
            let mut spec = ground.spec("echo x >new");
            spec.sandbox.as_mut().unwrap().writable = vec![tree.clone()];
            spec.cwd.clone_from(&tree);
            let finished = finished(&spec).await;
            assert!(finished.ending == Ending::Exit(0) && tree.join("new").is_file(), "{turn}: {finished:?}");
            std::fs::remove_dir_all(&tree).unwrap();
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn whoever_ends_its_helper_ends_nobody_elses() {
    let ground = Ground { sandbox: None, ..grounds().swap_remove(0) };
    let who = ground.says(WHO).await;
    let killed = ground.run("setsid sh -c 'echo $$; exec sleep 1000' & kill -9 $PPID; sleep 1000").await;
    assert_eq!(killed.ending, Ending::Lost("the process that attended the command was itself killed".to_owned()));
    for pid in text(&killed).lines() {
        let state = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }
    assert_ne!(ground.says(WHO).await, who);
}
