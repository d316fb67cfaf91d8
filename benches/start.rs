//! From exec to the first full paint of the program in a pseudo-terminal, on a small repository; and how many bytes it
//! writes to the terminal for each byte of text that a model streams.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that can't set itself up has nothing to say"
)]

use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, NativePtySystem, PtySize, PtySystem};
use tempfile::tempdir;

const SIZE: PtySize = PtySize { rows: 50, cols: 200, pixel_width: 0, pixel_height: 0 };

/// Starts, after a few that warm the caches up.
const STARTS: usize = 40;

/// What a terminal says when it is asked what it is, which the program waits for.
const ANSWER: &[u8] = b"\x1b[?62;22c";

fn git(dir: &Path, args: &[&str]) {
    let done = Command::new("git").args(args).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn repository(dir: &Path) {
    std::fs::write(dir.join("main.c"), "int main(void) { return 0; }\n").unwrap();
    git(dir, &["init", "-q", "-b", "main"]);
    git(dir, &["-c", "user.name=A", "-c", "user.email=a@example.org", "add", "-A"]);
    git(dir, &["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "first"]);
}

fn program(repo: &Path, home: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_windlass"));
    command.cwd(repo);
    command.env("HOME", home);
    command.env("XDG_CONFIG_HOME", home);
    command.env("TERM", "xterm-256color");
    command
}

/// Time until the footer, the last thing drawn, is there.
fn first_paint(repo: &Path, home: &Path) -> Duration {
    let pair = NativePtySystem::default().openpty(SIZE).unwrap();
    let mut reader = pair.master.try_clone_reader().unwrap();
    pair.master.take_writer().unwrap().write_all(ANSWER).unwrap();
    let begun = Instant::now();
    let mut child = pair.slave.spawn_command(program(repo, home)).unwrap();
    let mut parser = vt100::Parser::new(SIZE.rows, SIZE.cols, 0);
    let mut buf = [0; 65536];
    let took = loop {
        let got = reader.read(&mut buf).unwrap();
        assert!(got > 0, "the program ended: {}", parser.screen().contents());
        parser.process(&buf[..got]);
        if parser.screen().contents().lines().next_back().is_some_and(|line| line.contains("help")) {
            break begun.elapsed();
        }
    };
    child.kill().unwrap();
    child.wait().unwrap();
    took
}

/// A screen that is read while keys are pressed.
struct Screen {
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    parser: vt100::Parser,
    /// Bytes that the program has written.
    written: u64,
}

impl Screen {
    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn until(&mut self, text: &str) {
        let mut buf = [0; 65536];
        while !self.parser.screen().contents().contains(text) {
            let got = self.reader.read(&mut buf).unwrap();
            assert!(got > 0, "the program ended: {}", self.parser.screen().contents());
            self.written += got as u64;
            self.parser.process(&buf[..got]);
        }
    }
}

/// Bytes written to the terminal from asking the author to the decision, and bytes of text the two models said.
fn written_while_streaming(home: &Path) -> (u64, u64) {
    let pair = NativePtySystem::default().openpty(SIZE).unwrap();
    let mut command = program(home, home);
    command.args(["demo", "--pace", "900"]);
    command.env("TMPDIR", home);
    let mut child = pair.slave.spawn_command(command).unwrap();
    let (reader, mut writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    writer.write_all(ANSWER).unwrap();
    let mut screen = Screen { reader, writer, parser: vt100::Parser::new(SIZE.rows, SIZE.cols, 0), written: 0 };
    screen.until("no loop yet");
    screen.press(" n");
    screen.until("Enter begin");
    screen.press("\r");
    screen.until("ready;");
    screen.press(" t");
    screen.until("These commands");
    screen.press("G");
    screen.until("trust exactly");
    screen.press("T");
    screen.until("reading  ");
    let before = screen.written;
    screen.press("D");
    screen.until("AWAITS YOUR DECISION");
    let after = screen.written;
    child.kill().unwrap();
    child.wait().unwrap();
    let said = |reply: &str| reply.len() as u64;
    let text = said(include_str!("../assets/demo/replies/author-constraint.1.md"))
        + said(include_str!("../assets/demo/replies/critic-constraint.1.md"));
    (after - before, text)
}

fn main() {
    let (repo, home) = (tempdir().unwrap(), tempdir().unwrap());
    repository(repo.path());
    for _ in 0..5 {
        first_paint(repo.path(), home.path());
    }
    let mut times: Vec<Duration> = (0..STARTS).map(|_| first_paint(repo.path(), home.path())).collect();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!(
        "exec to first paint over {STARTS} starts: min {:.1} ms, median {:.1} ms, p90 {:.1} ms",
        at(0),
        at(50),
        at(90)
    );
    let (written, said) = written_while_streaming(home.path());
    println!(
        "bytes written per byte streamed: {:.1} ({written} for {said})",
        f64::from(u32::try_from(written).unwrap()) / f64::from(u32::try_from(said).unwrap())
    );
}
