//! Job control: back to the shell and in again. Gates stop meanwhile, and the time counts against no limit.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::desk::Desk;
use crate::hands::{await_decision, draft, leave, pass_to_the_change, trust};
use crate::harness::DEADLINE;

/// Longer than the gate may run.
const AWAY: Duration = Duration::from_secs(7);

/// The states of the processes whose command line has this in it: `R`, `S`, `T` when stopped.
fn states(of: &str) -> Vec<char> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let state = |path: &Path| {
        let line = fs::read(path.join("cmdline")).ok()?;
        let stat = fs::read_to_string(path.join("stat")).ok()?;
        let ours = line.split(|byte| *byte == 0).any(|word| word == of.as_bytes());
        ours.then(|| stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next())).flatten()
    };
    entries.filter_map(|entry| state(&entry.path())).collect()
}

/// A shell whose child was stopped before it became another program waits for that child, and can't be stopped itself.
fn is_stopped(state: &char) -> bool {
    matches!(state, 'T' | 'D')
}

#[track_caller]
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < until, "{what} never came");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_shell_gets_its_terminal_back_and_gates_stop_with_the_program() {
    let desk = Desk::new();
    let (hold, name) = (desk.home().join("hold"), format!("slow-{}.sh", std::process::id()));
    fs::write(&hold, "").unwrap();
    desk.write(&name, &format!("while [ -e '{}' ]; do sleep 0.05; done\n", hold.display()));
    desk.furnish(&format!("\n[[gate]]\nname = \"slow\"\nargv = [\"sh\", \"{name}\"]\ntimeout_s = 6\n"));
    let script = desk.home().join("shell.sh");
    // A shell with job control, as an interactive one has it.
    fs::write(&script, "#!/bin/sh\nset -m\n\"$@\"\necho in the shell\nread -r word\n$word\necho left\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut screen = desk.open_under(&script, &["new", "Fewer steps"], (90, 40));
    trust(&mut screen);
    pass_to_the_change(&mut screen);
    draft(&mut screen, "change");
    wait_until("the gate", || !states(&name).is_empty());

    screen.press("C-z");
    screen.wait_for("the shell", |frame| frame.says("in the shell") && !frame.alternate && !frame.cursor_hidden);
    assert!(screen.is_cooked());
    wait_until("a stopped gate", || states(&name).iter().all(is_stopped));
    // Nothing to wait for: this is the time in which a gate must not run on, nor run out.
    thread::sleep(AWAY);
    assert!(!states(&name).is_empty() && states(&name).iter().all(is_stopped), "{:?}", states(&name));

    let written = screen.written();
    screen.text("fg\r");
    let (_, after) = screen.wait_for_text(written, &["\x1b[?1049h"]);
    // All of it is painted anew.
    screen.wait_for_text(after, &["One more, try 1."]);
    screen.wait_for("the screen", |frame| frame.alternate && frame.says("change revision 1"));
    wait_until("a gate that goes on", || states(&name).iter().any(|state| !is_stopped(state)));
    fs::remove_file(&hold).unwrap();
    await_decision(&screen, "change");
    screen.press("4");
    screen.wait_for_words("slow pass");
    screen.press("Space q");
    screen.wait_for_words("left");
}

#[test]
fn without_a_shell_to_go_back_to_it_goes_on() {
    let desk = Desk::new();
    desk.furnish("");
    let mut screen = desk.open(&["new", "Fewer steps"], (90, 40));
    trust(&mut screen);
    let before = screen.written();
    screen.press("C-z");
    screen.wait_for_text(before, &["\x1b[?1049h"]);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    leave(&mut screen);
}
