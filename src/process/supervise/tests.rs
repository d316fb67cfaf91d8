//! Real children through `sh`: every way to end, and nothing left behind.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::group::{end_leftovers, owner};
use super::kept::{Kept, Limits};
use super::{ALLOWED, Ending, Finished, Spec, Stream, pause, resume, run};

fn spec(dir: &Path, argv: &[&str]) -> Spec {
    Spec {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        cwd: dir.to_owned(),
        env: Vec::new(),
        vars: Vec::new(),
        sandbox: None,
        limit: Duration::from_secs(60),
        grace: Duration::from_secs(20),
        spill: dir.join("spill.log"),
    }
}

async fn run_quietly(spec: &Spec) -> Finished {
    run(spec, &CancellationToken::new(), |_, _| {}).await
}

async fn shell(script: &str) -> Finished {
    let dir = TempDir::new().unwrap();
    run_quietly(&spec(dir.path(), &["sh", "-c", script])).await
}

fn text(finished: &Finished) -> String {
    String::from_utf8_lossy(&finished.tail).into_owned()
}

/// Whether a process runs; one that nobody has reaped yet does not.
fn alive(pid: i32) -> bool {
    let zombie = fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')));
    kill(Pid::from_raw(pid), None).is_ok() && !zombie
}

/// Waits for a process to be gone: a signal sent is not yet a process dead.
async fn gone(pid: i32) -> bool {
    for _ in 0..2000 {
        if !alive(pid) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

#[tokio::test]
async fn five_ways_to_end_are_told_apart() {
    for (script, ending) in [
        ("exit 0", Ending::Exit(0)),
        ("exit 3", Ending::Exit(3)),
        ("kill -9 $$", Ending::Signal(9)),
        ("cat; exit 4", Ending::Exit(4)),
        ("sleep 60 & exit 5", Ending::Leak { code: 5 }),
        ("yes & exit 6", Ending::Leak { code: 6 }),
    ] {
        assert_eq!(shell(script).await.ending, ending, "{script}");
    }
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let dir = TempDir::new().unwrap();
    let file = |name: &str, content: &str, mode| {
        fs::write(dir.path().join(name), content).unwrap();
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    file("plain", "exit 0", 0o644);
    file("lost", "#!/no/such/interpreter\n", 0o755);
    for (argv, why) in [
        (&["no-such-command"][..], "command not found: no-such-command is in no directory of PATH"),
        (&["./none"], "command not found: "),
        (&["./plain"], "./plain is not executable"),
        (&["./lost"], "./lost cannot run: the interpreter"),
        (&[], "the command is empty"),
        (&["sh", "-c", "nul\0byte"], "failed to start sh"),
    ] {
        match run_quietly(&spec(dir.path(), argv)).await.ending {
            Ending::NotStarted(said) => assert!(said.starts_with(why), "{said}"),
            other => panic!("{argv:?}: {other:?}"),
        }
    }
    let missing = run_quietly(&spec(&dir.path().join("away"), &["sh"])).await.ending;
    assert!(matches!(missing, Ending::NotStarted(why) if why.ends_with("away is missing")));
}

#[tokio::test]
async fn the_limit_holds_for_the_deaf_and_for_the_loud() {
    let dir = TempDir::new().unwrap();
    for script in ["trap '' TERM; echo $$ >pid; while :; do sleep 1; done", "echo $$ >pid; exec yes"] {
        let mut spec = spec(dir.path(), &["sh", "-c", script]);
        (spec.limit, spec.grace) = (Duration::from_millis(1500), Duration::from_millis(100));
        assert_eq!(run_quietly(&spec).await.ending, Ending::Timeout, "{script}");
        let pid = fs::read_to_string(dir.path().join("pid")).unwrap().trim().parse().unwrap();
        assert!(!alive(pid), "{script}");
    }
}

#[tokio::test]
async fn cancelling_gives_the_command_time_to_clean_up() {
    let dir = TempDir::new().unwrap();
    let cancel = CancellationToken::new();
    // The shell itself would report on its sleep, which gets the signal too.
    let script = "exec 2>/dev/null; trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    let finished = run(&spec(dir.path(), &["sh", "-c", script]), &cancel, |_, _| cancel.cancel()).await;
    assert_eq!((finished.ending.clone(), text(&finished)), (Ending::Cancelled, "ready\nbye\n".to_owned()));

    let early = run(&spec(dir.path(), &["sh", "-c", "echo ran"]), &cancel, |_, _| {}).await;
    assert_eq!((early.ending, early.total_bytes), (Ending::Cancelled, 0));
}

#[tokio::test]
async fn a_deaf_command_is_killed_after_the_grace() {
    let dir = TempDir::new().unwrap();
    let cancel = CancellationToken::new();
    let mut spec = spec(dir.path(), &["sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1; done"]);
    spec.grace = Duration::from_millis(50);
    let finished = run(&spec, &cancel, |_, _| cancel.cancel()).await;
    assert_eq!(finished.ending, Ending::Cancelled);
    assert!(!alive(text(&finished).trim().parse().unwrap()));
}

#[tokio::test]
async fn a_leaking_descendant_is_dead_afterwards() {
    let finished = shell("sleep 60 & echo $!").await;
    assert_eq!(finished.ending, Ending::Leak { code: 0 });
    assert!(!alive(text(&finished).trim().parse().unwrap()));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn descendants_that_leave_the_session_are_dead_afterwards() {
    let child = "echo $$ >$0; exec sleep 60";
    let script = format!(
        "for n in 1 2 3 4 5 6 7 8 9 10; do setsid sh -c '{child}' pid$n >/dev/null 2>&1 & done
         for n in 1 2 3 4 5 6 7 8 9 10; do until [ -s pid$n ]; do sleep 0.01; done; cat pid$n; done"
    );
    let finished = shell(&script).await;
    assert_eq!(finished.ending, Ending::Exit(0));
    let pids: Vec<i32> = text(&finished).lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(pids.len(), 10);
    assert!(!pids.into_iter().any(alive));
}

#[tokio::test]
async fn dropping_the_run_kills_the_command() {
    let dir = TempDir::new().unwrap();
    let spec = spec(dir.path(), &["sh", "-c", "echo $$; while :; do sleep 1; done"]);
    let started = CancellationToken::new();
    let mut pid = String::new();
    let cancel = CancellationToken::new();
    tokio::select! {
        _ = run(&spec, &cancel, |_, chunk| {
            pid.push_str(&String::from_utf8_lossy(chunk));
            started.cancel();
        }) => panic!("it ended"),
        () = started.cancelled() => {}
    }
    assert!(gone(pid.trim().parse().unwrap()).await);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_command_dies_with_the_thread_that_started_it() {
    // A thread that ends without running a destructor is what kill -9 leaves of Windlass.
    let pid = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let started = CancellationToken::new();
        let (sender, receiver) = std::sync::mpsc::channel();
        let report = started.clone();
        let mut running = Box::pin(async move {
            let dir = TempDir::new().unwrap();
            // The one that is asked for has left the group, the mark and its parent behind.
            let script = "(setsid env -i sh -c 'echo $$; exec sleep 60' &) ; exec sleep 60";
            let spec = spec(dir.path(), &["sh", "-c", script]);
            run(&spec, &CancellationToken::new(), |_, chunk| {
                sender.send(String::from_utf8_lossy(chunk).into_owned()).unwrap();
                report.cancel();
            })
            .await
        });
        runtime.block_on(async {
            tokio::select! {
                _ = &mut running => panic!("it ended"),
                () = started.cancelled() => {}
            }
        });
        std::mem::forget(running);
        std::mem::forget(runtime);
        receiver.recv().unwrap()
    });
    let pid = pid.join().unwrap().trim().parse().unwrap();
    assert!(gone(pid).await);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_stopped_with_the_program_goes_on_with_it_and_loses_no_time() {
    let dir = TempDir::new().unwrap();
    // One of them in a session of its own.
    let script = "setsid sh -c 'echo $$ >one; while :; do sleep 0.02; done' & echo $$ >two
                  until [ -s one ]; do sleep 0.01; done; echo ready; n=0
                  while [ $n -lt 30 ]; do sleep 0.02; n=$((n+1)); done; kill $(cat one); exit 5";
    let mut spec = spec(dir.path(), &["sh", "-c", script]);
    let limit = Duration::from_secs(3);
    spec.limit = limit;
    let (path, ready) = (dir.path().to_owned(), CancellationToken::new());
    let heard = ready.clone();
    let stopping = async move {
        ready.cancelled().await;
        pause();
        // Whatever becomes of this test, the others must not wait for ever.
        let _goes_on = GoesOn;
        let stopped = |name: &str| {
            let pid = fs::read_to_string(path.join(name)).unwrap();
            let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap();
            // D: it waits for a child that was stopped before it had become another program.
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 'D']))
        };
        let mut looks = 0;
        while !(stopped("one") && stopped("two")) {
            looks += 1;
            assert!(looks < 12_000, "they run on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Longer than the limit, were it still counted.
        tokio::time::sleep(limit).await;
        resume();
    };
    let cancel = CancellationToken::new();
    let running = run(&spec, &cancel, |_, _| heard.cancel());
    let (finished, ()) = tokio::join!(running, stopping);
    assert_eq!(finished.ending, Ending::Exit(5));
}

#[tokio::test]
async fn much_output_goes_to_a_private_file_and_its_end_stays() {
    let dir = TempDir::new().unwrap();
    let script = "head -c 20000000 /dev/zero | tr '\\0' x; echo end";
    let spec = spec(dir.path(), &["sh", "-c", script]);
    fs::write(&spec.spill, "an older run").unwrap();
    let mut heard = 0;
    let finished = run(&spec, &CancellationToken::new(), |_, chunk| heard += chunk.len()).await;
    assert_eq!((finished.ending.clone(), finished.total_bytes, heard), (Ending::Exit(0), 20_000_004, 20_000_004));
    assert_eq!(finished.tail.len(), 16 << 10);
    assert!(text(&finished).ends_with("xxend\n"));
    let kept = fs::metadata(finished.spilled.unwrap()).unwrap();
    assert_eq!((kept.len(), kept.permissions().mode() & 0o777), (20_000_004, 0o600));
}

/// The most memory this process ever had, in KiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_flood_of_output_takes_no_memory() {
    const BYTES: u64 = 200_000_000;
    const MOST_KIB: u64 = 64 << 10;
    const ALONE: &str = "WINDLASS_TEST_DRAINS";
    if env::var_os(ALONE).is_none() {
        // In a process of its own: the memory of other tests is none of its business.
        let name = "process::supervise::tests::a_flood_of_output_takes_no_memory";
        let mut child = std::process::Command::new(env::current_exe().unwrap());
        let done = child.args([name, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && said.contains("grew by "), "{done:?}");
        return;
    }
    let dir = TempDir::new().unwrap();
    // On both streams, so that either could be the one that piles up.
    let half = BYTES / 2;
    let script = format!("head -c {half} /dev/zero >&2 & head -c {half} /dev/zero; wait");
    let (spec, before, mut heard) = (spec(dir.path(), &["sh", "-c", &script]), peak(), 0);
    let finished = run(&spec, &CancellationToken::new(), |_, chunk| heard += chunk.len() as u64).await;
    let grown = peak() - before;
    println!("grew by {grown} KiB");
    assert_eq!((finished.ending, finished.total_bytes, heard), (Ending::Exit(0), BYTES, BYTES));
    assert_eq!(fs::metadata(finished.spilled.unwrap()).unwrap().len(), BYTES);
    assert!(grown <= MOST_KIB, "{grown} KiB for {BYTES} bytes of output");
}

#[tokio::test]
async fn little_output_leaves_no_file_and_a_full_disk_no_scar() {
    let dir = TempDir::new().unwrap();
    let finished = run_quietly(&spec(dir.path(), &["echo", "hello"])).await;
    assert_eq!((text(&finished), finished.spilled), ("hello\n".to_owned(), None));
    assert!(!dir.path().join("spill.log").exists());

    let mut nowhere = spec(dir.path(), &["head", "-c", "2000000", "/dev/zero"]);
    nowhere.spill = dir.path().to_owned();
    let finished = run_quietly(&nowhere).await;
    assert_eq!((finished.ending, finished.spilled), (Ending::Exit(0), None));
    assert!(finished.spill_error.unwrap().starts_with("failed to write "));
}

#[tokio::test]
async fn the_file_stops_growing_and_says_so() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("spill");
    let mut kept = Kept::new(&path, Limits { tail: 4, memory: 8, file: 16 });
    for chunk in ["abcde", "fghij", "klmno", "pqrst", "uvwxy"] {
        kept.push(chunk.as_bytes()).await;
    }
    let remains = kept.finish().await;
    assert_eq!((remains.tail.as_slice(), remains.total, remains.spilled), (&b"vwxy"[..], 25, Ok(Some(path.clone()))));
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text, "abcdefghijklmnop\n[windlass: output beyond 16 bytes is not kept]\n");
}

#[tokio::test]
async fn the_environment_is_an_allow_list() {
    // Cargo gives both of these to every test.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
        assert!(env::var_os(name).is_some(), "{name} is the canary");
    }
    let dir = TempDir::new().unwrap();
    let mut spec = spec(dir.path(), &["env"]);
    spec.env = vec!["CARGO_PKG_NAME".to_owned(), "NO_SUCH_VARIABLE".to_owned()];
    spec.vars = vec![("EXTRA".to_owned(), "1".to_owned())];
    let finished = run_quietly(&spec).await;
    let shown = text(&finished);
    let names: Vec<&str> = shown.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    for name in &names {
        let expected = ["TERM", "CARGO_PKG_NAME", "EXTRA", "WINDLASS_RUN"];
        assert!(ALLOWED.contains(name) || expected.contains(name), "{name}");
    }
    assert!(names.contains(&"CARGO_PKG_NAME") && names.contains(&"PATH"));
    assert!(shown.contains("TERM=dumb\n") && shown.contains("EXTRA=1\n"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_has_no_terminal_and_no_descriptor_of_ours() {
    assert_ne!(shell("exec 2>/dev/null; : </dev/tty").await.ending, Ending::Exit(0));
    // Unlike everything std opens, a dup is inherited.
    let ours = nix::unistd::dup(fs::File::open("/dev/null").unwrap()).unwrap();
    assert_eq!(text(&shell("ls /proc/$$/fd").await), "0\n1\n2\n");
    drop(ours);
}

#[tokio::test]
async fn the_streams_are_told_apart() {
    let dir = TempDir::new().unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let spec = spec(dir.path(), &["sh", "-c", "echo one; echo two >&2; echo three"]);
    let finished = run(&spec, &CancellationToken::new(), |stream, chunk| match stream {
        Stream::Out => out.extend_from_slice(chunk),
        Stream::Err => err.extend_from_slice(chunk),
    })
    .await;
    assert_eq!((out.as_slice(), err.as_slice()), (&b"one\nthree\n"[..], &b"two\n"[..]));
    assert_eq!(finished.total_bytes, 14);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn leftovers_are_ended_but_not_what_this_process_descends_from() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mark = format!("{}-1-0-1", owner(&dir.path().join("spill.log")));
    let mut command = std::process::Command::new("sleep");
    let mut child = command.arg("1000").env("WINDLASS_RUN", format!("outer:{mark}")).spawn().unwrap();
    assert_eq!(end_leftovers(other.path(), ""), 0);
    assert_eq!(end_leftovers(dir.path(), &format!("outer:{mark}")), 0);
    assert!(child.try_wait().unwrap().is_none(), "it may be the shell that we were started from");
    assert_eq!(end_leftovers(dir.path(), "outer"), 1);
    assert!(!child.wait().unwrap().success());
}

/// What was paused goes on when this is dropped.
struct GoesOn;

impl Drop for GoesOn {
    fn drop(&mut self) {
        resume();
    }
}
