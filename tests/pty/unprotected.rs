//! A machine without a sandbox: it is said, nothing of the repository runs, and only the person's own word changes that.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::desk::Desk;
use crate::hands::{leave, trust};

/// What runs a program on such a machine; cargo builds it with the tests.
fn unprotected() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_windlass")).with_file_name("examples").join("unprotected");
    assert!(path.exists(), "{} is not there: run `cargo build --example unprotected` first", path.display());
    path
}

#[test]
fn without_a_sandbox_nothing_runs_until_the_person_says_so() {
    let desk = Desk::new();
    let ran = desk.home().join("tmp/ran");
    desk.furnish("");
    desk.write("round.txt", "1\n");
    desk.write("test.sh", &format!("echo ran >>{}\n", ran.display()));
    desk.commit("A round");
    let gate_run = || {
        let run = desk.run_under(&unprotected(), &["gate", "run", "--trust-config", "--base", "HEAD^", "--json"]);
        let said: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
        (run.status.code(), said["gates"][0].clone())
    };

    let (code, gate) = gate_run();
    assert_eq!((code, gate["verdict"].as_str()), (Some(4), Some("error")), "{gate}");
    let summary = gate["summary"].as_str().unwrap();
    for words in
        ["this machine has no sandbox (files: NOT PROTECTED", "write sandbox = \"off\" in your own config.toml"]
    {
        assert!(summary.contains(words), "{summary}");
    }
    assert_eq!(gate["protection"], "no sandbox");

    let mut screen = desk.open_under(&unprotected(), &["new", "Fewer steps"], (100, 40));
    screen.wait_for_words("NO SANDBOX on this machine");
    trust(&mut screen);
    screen.wait_for_words("this machine has no sandbox");
    leave(&mut screen);
    assert!(!ran.exists(), "nothing of the repository has run");

    // A repository can't say so.
    let own = desk.repo().join(".windlass/config.toml");
    let text = fs::read_to_string(&own).unwrap();
    fs::write(&own, format!("sandbox = \"off\"\n{text}")).unwrap();
    assert_eq!(
        desk.run_under(&unprotected(), &["gate", "run", "--trust-config", "--base", "HEAD^"]).status.code(),
        Some(1)
    );
    fs::write(&own, text).unwrap();

    let config = desk.home().join("config/windlass/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("sandbox = \"off\"\n{text}")).unwrap();
    let (code, gate) = gate_run();
    assert_eq!((code, gate["verdict"].as_str()), (Some(0), Some("pass")), "{gate}");
    assert_eq!(
        (gate["protection"].as_str(), fs::read_to_string(&ran).unwrap().as_str()),
        (Some("no sandbox"), "ran\n")
    );
    let mut screen = desk.open_under(&unprotected(), &[], (100, 40));
    screen.wait_for_words("NO SANDBOX, your config.toml says so");
    leave(&mut screen);
}
