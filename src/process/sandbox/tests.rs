//! Attempts to get out, each made by a probe that says what came of it: from both kinds of sandbox, and without one, where
//! it must succeed, or its failure inside would mean nothing.
//!
//! The probe is this very test binary, so no missing tool is taken for a wall. Where the kernel lacks something, the number
//! of cases left out is printed and the fallback is asserted.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::{Duration, SystemTime};
use std::{env, io};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{NativePtySystem, PtySize, PtySystem};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::super::supervise::{Ending, Finished, GRACE, Spec, run};
use super::{Protection, Sandbox, available};

/// The first argument of a probe.
pub(in crate::process) const PROBE: &str = "__probe";

/// What a probe says of what it could do.
const DID: &str = "did it";

/// Is the probe: tries what its arguments say, and prints what came of it.
pub(in crate::process) fn probe() {
    let arguments: Vec<String> = env::args().skip(2).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match attempt(&words) {
        Ok(said) => println!("{said}"),
        Err(error) => println!("denied: {error}"),
    }
}

fn attempt(words: &[&str]) -> io::Result<String> {
    let did = |()| DID.to_owned();
    match *words {
        ["write", path] => fs::write(path, "x").map(did),
        ["append", path] => fs::OpenOptions::new().append(true).open(path)?.write_all(b"x").map(did),
        ["truncate", path] => nix::unistd::truncate(path, 0).map(did).map_err(Into::into),
        ["remove", path] => fs::remove_file(path).map(did),
        ["mkdir", path] => fs::create_dir(path).map(did),
        ["rename", from, to] => fs::rename(from, to).map(did),
        ["link", from, to] => fs::hard_link(from, to).map(did),
        ["symlink", to, path] => symlink(to, path).map(did),
        ["chmod", path] => fs::set_permissions(path, fs::Permissions::from_mode(0o777)).map(did),
        ["touch", path] => fs::File::open(path)?.set_modified(SystemTime::UNIX_EPOCH).map(did),
        ["read", path] => fs::File::open(path)?.read(&mut [0]).map(|_| DID.to_owned()),
        ["open", path] => fs::File::open(path).map(|_| DID.to_owned()),
        ["tcp", address] => TcpStream::connect(address)?.write_all(b"x").map(did),
        ["udp", address] => UdpSocket::bind("0.0.0.0:0")?.send_to(b"x", address).map(|_| DID.to_owned()),
        ["abstract", name] => {
            UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?.write_all(b"x").map(did)
        }
        ["loopback"] => {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            let mut stream = TcpStream::connect(listener.local_addr()?)?;
            stream.write_all(b"x")?;
            stream.shutdown(Shutdown::Both)?;
            listener.accept().map(|_| DID.to_owned())
        }
        ["signal", pid] => {
            let pid = pid.parse().map_err(|_| ErrorKind::InvalidInput)?;
            kill(Pid::from_raw(pid), Signal::SIGCONT).map(did).map_err(Into::into)
        }
        // The environment of whoever can be seen.
        ["environments", canary] => {
            let all = fs::read_dir("/proc")?.flatten().filter(|entry| entry.file_name() != "self");
            let found = all.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
            let told = found.filter(|text| text.windows(canary.len()).any(|part| part == canary.as_bytes()));
            match told.count() {
                0 => Err(ErrorKind::NotFound.into()),
                _ => Ok(DID.to_owned()),
            }
        }
        ["descriptors"] => {
            let list = fs::read_dir("/proc/self/fd")?.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
            // Its own look at the directory is among them.
            let strange = list.filter(|file| !file.starts_with("/proc") && !file.starts_with("/dev/null"));
            let strange: Vec<_> = strange.filter(|file| !file.to_string_lossy().starts_with("pipe:")).collect();
            if strange.is_empty() { Err(ErrorKind::NotFound.into()) } else { Ok(DID.to_owned()) }
        }
        _ => Err(ErrorKind::InvalidInput.into()),
    }
}

/// A worktree, and a neighbourhood that is none of its business.
struct Ground {
    dir: TempDir,
}

/// How a probe is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Free,
    /// By Landlock and a filter.
    Filtered,
    /// In namespaces as well.
    Apart,
}

/// The kinds of sandbox there are here; prints how many are left out.
fn kinds() -> Vec<Kept> {
    let here = available();
    let kinds: Vec<Kept> = match (here.is_sandbox(), here.is_apart()) {
        (false, _) => Vec::new(),
        (true, false) => vec![Kept::Filtered],
        (true, true) => vec![Kept::Filtered, Kept::Apart],
    };
    println!("sandbox kinds left out: {} ({here})", 2 - kinds.len());
    if kinds.is_empty() {
        // The fallback: said, and nothing runs.
        assert_eq!(here.words(false), "NO SANDBOX");
    }
    kinds
}

impl Ground {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        for name in ["tree", "tree/sub", "outside", "spill"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("outside/file"), "precious").unwrap();
        fs::write(dir.path().join("tree/file"), "").unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn spec(&self, kept: Kept, network: bool, argv: &[&str]) -> Spec {
        let writable = vec![self.dir.path().join("tree")];
        Spec {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            cwd: self.dir.path().join("tree"),
            env: Vec::new(),
            vars: Vec::new(),
            sandbox: (kept != Kept::Free).then_some(Sandbox { writable, network, apart: kept == Kept::Apart }),
            limit: Duration::from_secs(60),
            grace: GRACE,
            spill: self.dir.path().join("spill/log"),
        }
    }

    async fn run(&self, kept: Kept, network: bool, argv: &[&str]) -> Finished {
        run(&self.spec(kept, network, argv), &CancellationToken::new(), |_, _| {}).await
    }

    /// What came of an attempt.
    async fn attempt(&self, kept: Kept, network: bool, words: &[&str]) -> String {
        let program = env::current_exe().unwrap().display().to_string();
        let argv: Vec<&str> = [program.as_str(), PROBE].into_iter().chain(words.iter().copied()).collect();
        let finished = self.run(kept, network, &argv).await;
        assert_eq!(finished.ending, Ending::Exit(0), "{kept:?} {words:?}: {finished:?}");
        String::from_utf8(finished.tail).unwrap().trim().to_owned()
    }

    /// Whether an attempt is denied in this kind of sandbox.
    async fn is_denied(&self, kept: Kept, words: &[&str]) -> bool {
        let said = self.attempt(kept, false, words).await;
        assert!(said == DID || said.starts_with("denied: "), "{kept:?} {words:?}: {said:?}");
        said != DID
    }
}

#[tokio::test]
async fn nothing_outside_can_be_written() {
    let name = |what: &str| env::home_dir().unwrap_or_default().join(format!("{what}-{}", std::process::id()));
    let at_home = name("windlass-probe").display().to_string();
    for kept in [Kept::Free].into_iter().chain(kinds()) {
        let ground = Ground::new();
        let (file, new) = (ground.path("outside/file"), ground.path("outside/new"));
        let (inside, linked) = (ground.path("tree/file"), ground.path("tree/linked"));
        let through = ground.path("tree/link/through");
        symlink(ground.path("outside"), ground.path("tree/link")).unwrap();
        // The removal comes last, or the others would find nothing.
        for words in [
            &["write", &new][..],
            &["write", &at_home],
            &["write", &through],
            &["append", &file],
            &["truncate", &file],
            &["mkdir", &ground.path("outside/dir")],
            &["link", &file, &linked],
            &["rename", &inside, &ground.path("outside/moved")],
            &["symlink", "/", &ground.path("outside/symlink")],
            &["remove", &file],
        ] {
            assert_eq!(ground.is_denied(kept, words).await, kept != Kept::Free, "{kept:?} {words:?}");
        }
        if kept != Kept::Free {
            let left: Vec<_> = fs::read_dir(ground.path("outside")).unwrap().collect();
            assert_eq!((left.len(), fs::read_to_string(&file).unwrap().as_str()), (1, "precious"), "{kept:?}");
        }
        // What Landlock doesn't know, read-only mounts do.
        fs::write(&file, "precious").unwrap();
        for words in [["chmod", &file], ["touch", &file]] {
            assert_eq!(ground.is_denied(kept, &words).await, kept == Kept::Apart, "{kept:?} {words:?}");
        }
    }
    fs::remove_file(at_home).unwrap();
}

#[tokio::test]
async fn the_worktree_and_a_temporary_directory_can_be_written() {
    for kept in kinds() {
        let ground = Ground::new();
        for words in [&["write", "sub/new"][..], &["append", "file"], &["rename", "file", "sub/file"], &["mkdir", "d"]]
        {
            assert!(!ground.is_denied(kept, words).await, "{kept:?} {words:?}");
        }
        let script =
            "echo x >\"$TMPDIR/file\" && cat \"$TMPDIR/file\" >/dev/null && echo \"$TMPDIR\" && test -d /proc/$$";
        let finished = ground.run(kept, false, &["sh", "-c", script]).await;
        assert_eq!(finished.ending, Ending::Exit(0), "{finished:?}");
        let temporary = String::from_utf8(finished.tail).unwrap();
        // The directory itself may be there a moment longer, for the next command.
        let left = fs::read_dir(temporary.trim()).into_iter().flatten().count();
        assert_eq!(left, 0, "something is left in {temporary}");
    }
}

#[tokio::test]
async fn git_metadata_cannot_be_written() {
    for kept in kinds() {
        let ground = Ground::new();
        let git = |args: &str| {
            let done = std::process::Command::new("git")
                .args(["-c", "user.name=A", "-c", "user.email=a@b"])
                .args(args.split(' '))
                .current_dir(ground.path("outside"))
                .output()
                .unwrap();
            assert!(done.status.success(), "{done:?}");
        };
        fs::remove_dir(ground.path("tree/sub")).unwrap();
        fs::remove_file(ground.path("tree/file")).unwrap();
        git("init -q -b main .");
        git("commit -q --allow-empty -m first");
        git("worktree add -q --detach ../tree");
        for name in ["config", "HEAD", "hooks/pre-commit", "worktrees/tree/HEAD", "worktrees/tree/commondir"] {
            let path = ground.path(&format!("outside/.git/{name}"));
            assert!(ground.is_denied(kept, &["write", &path]).await, "{kept:?} {name}");
        }
        let commit = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--allow-empty", "-m", "sly"];
        assert!(matches!(ground.run(kept, false, &commit).await.ending, Ending::Exit(1..)), "{kept:?}");
        assert_eq!(ground.run(kept, false, &["git", "status", "--short"]).await.ending, Ending::Exit(0), "{kept:?}");
    }
}

#[tokio::test]
async fn no_network_unless_it_is_allowed() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let name = format!("windlass-probe-{}", std::process::id());
    let named = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    named.set_nonblocking(true).unwrap();
    let (to_tcp, to_udp) = (tcp.local_addr().unwrap().to_string(), udp.local_addr().unwrap().to_string());
    let arrived = || {
        [tcp.accept().is_ok(), udp.recv(&mut [0; 8]).is_ok(), named.accept().is_ok()]
            .into_iter()
            .filter(|is| *is)
            .count()
    };
    let ground = Ground::new();
    let attempts = [["tcp", to_tcp.as_str()], ["udp", &to_udp], ["abstract", &name]];
    for kept in [Kept::Free].into_iter().chain(kinds()) {
        for words in &attempts {
            let said = ground.attempt(kept, false, words).await;
            // A datagram goes nowhere without a complaint, in a network of its own.
            assert!((kept == Kept::Free) == (said == DID) || words[0] == "udp", "{kept:?} {words:?}: {said}");
        }
        assert_eq!(arrived(), if kept == Kept::Free { 3 } else { 0 }, "{kept:?}");
        for words in &attempts {
            assert_eq!(ground.attempt(kept, true, words).await, DID, "{kept:?} {words:?}");
        }
        assert_eq!(arrived(), 3, "{kept:?}");
        // Servers of a test suite: in a network of its own they talk to each other.
        assert_eq!(ground.is_denied(kept, &["loopback"]).await, kept == Kept::Filtered, "{kept:?}");
    }
}

#[tokio::test]
async fn no_terminal_no_descriptor_no_secret_no_signal() {
    let pair = NativePtySystem::default().openpty(PtySize::default()).unwrap();
    let terminal = pair.master.tty_name().unwrap().display().to_string();
    let own = std::process::id().to_string();
    let ground = Ground::new();
    // Unlike everything std opens, a dup is inherited.
    let ours = nix::unistd::dup(fs::File::open(ground.path("outside/file")).unwrap()).unwrap();
    for kept in [Kept::Free].into_iter().chain(kinds()) {
        // Nobody has these, sandbox or not.
        assert!(ground.is_denied(kept, &["open", "/dev/tty"]).await, "{kept:?}");
        assert!(ground.is_denied(kept, &["descriptors"]).await, "{kept:?}");
        for words in [["open", &terminal], ["signal", &own], ["environments", "CARGO_MANIFEST_DIR="]] {
            assert_eq!(ground.is_denied(kept, &words).await, kept != Kept::Free, "{kept:?} {words:?}");
        }
    }
    drop(ours);
}

/// How many processes were started with this word among their arguments.
fn living(word: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    all.filter(|line| line.split(|byte| *byte == 0).any(|one| one == word.as_bytes())).count()
}

#[tokio::test]
async fn nobody_is_left_however_they_hide() {
    for kept in [Kept::Free].into_iter().chain(kinds()) {
        let ground = Ground::new();
        let word = format!("5{}.{}", std::process::id(), kept as u8);
        // Without our mark, out of the group, and orphaned: half of two hundred.
        let script = format!(
            "exec >/dev/null 2>&1; n=0
             while [ $n -lt 100 ]; do (setsid env -i sleep {word} &) ; sleep {word} & n=$((n+1)); done"
        );
        let finished = ground.run(kept, false, &["sh", "-c", &script]).await;
        assert_eq!((finished.ending, living(&word)), (Ending::Exit(0), 0), "{kept:?}");

        let script = format!("setsid env -i sleep {word} & wait");
        let mut spec = ground.spec(kept, false, &["sh", "-c", &script]);
        (spec.limit, spec.grace) = (Duration::from_millis(500), Duration::from_millis(50));
        let finished = run(&spec, &CancellationToken::new(), |_, _| {}).await;
        assert_eq!((finished.ending, living(&word)), (Ending::Timeout, 0), "{kept:?}");
    }
}

#[tokio::test]
async fn a_storm_of_forks_is_over_at_the_limit() {
    for kept in kinds().into_iter().filter(|kept| *kept == Kept::Apart) {
        let ground = Ground::new();
        let word = format!("storm-{}", std::process::id());
        // Each makes its successors and ends, in a session of its own, without our mark.
        let script =
            "setsid env -i PATH=\"$PATH\" sh storm $1 & setsid env -i PATH=\"$PATH\" sleep 1 & sleep 0.01; exit 0\n";
        fs::write(ground.path("tree/storm"), script).unwrap();
        let eight = format!("for n in 1 2 3 4 5 6 7 8; do sh storm {word} & done; sleep 60");
        let mut spec = ground.spec(kept, false, &["sh", "-c", &eight]);
        (spec.limit, spec.grace) = (Duration::from_millis(700), Duration::from_millis(50));
        let finished = run(&spec, &CancellationToken::new(), |_, _| {}).await;
        assert_eq!((finished.ending, living(&word)), (Ending::Timeout, 0), "{kept:?}");
    }
}

#[tokio::test]
async fn endings_are_told_apart_inside_too() {
    for kept in kinds() {
        let ground = Ground::new();
        for (argv, ending) in [
            (&["true"][..], Ending::Exit(0)),
            (&["sh", "-c", "exit 7"], Ending::Exit(7)),
            (&["sh", "-c", "kill -9 $$"], Ending::Signal(9)),
            (&["sh", "-c", "sleep 60 & exit 3"], Ending::Leak { code: 3 }),
            (&["sh", "-c", "(setsid sleep 60 &) ; exit 4"], Ending::Leak { code: 4 }),
        ] {
            assert_eq!(ground.run(kept, false, argv).await.ending, ending, "{kept:?} {argv:?}");
        }
        let missing = ground.run(kept, false, &["no-such-command"]).await.ending;
        assert!(matches!(missing, Ending::NotStarted(why) if why.contains("in no directory of PATH")), "{kept:?}");
        let mut nowhere = ground.spec(kept, false, &["true"]);
        nowhere.sandbox.as_mut().unwrap().writable.push("/no/such/place".into());
        let ending = run(&nowhere, &CancellationToken::new(), |_, _| {}).await.ending;
        assert!(matches!(&ending, Ending::NotStarted(why) if why.contains("failed to")), "{kept:?} {ending:?}");
    }
}

#[test]
fn a_machine_without_any_says_so() {
    assert!(!Protection::NONE.is_sandbox() && !Protection::NONE.is_apart());
}
