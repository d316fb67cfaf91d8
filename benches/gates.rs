//! Fifty gates through Windlass against the same fifty under `make -j2`, two at a time both, in turns: as ratios.
//!
//! Windlass's side is what it does to run a command and have its verdict: supervision, output, sandbox, the starting and
//! ending of its helpers. The worktree's check-out, the look for changed files and the journal are not in it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that can't set itself up has nothing to say"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use futures_util::StreamExt;
use futures_util::stream::iter;
use tempfile::tempdir;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use windlass::domain::{CommandSpec, Enforcement, GateDef, GateKind, GateRules, Reach, Verdict};
use windlass::gate::command::{Site, run_command};
use windlass::gate::guard::Guard;
use windlass::process::helper;

const GATES: usize = 50;
const TURNS: usize = 7;

fn ours(root: &Path, guard: Guard, argv: &[&str]) -> Duration {
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let spec = CommandSpec { argv, dir: String::new(), timeout_s: 60, env: Vec::new(), reach: Reach::default() };
    let def = GateDef {
        name: "g".to_owned(),
        kind: GateKind::Command(spec),
        enforcement: Enforcement::Required,
        rules: GateRules::default(),
    };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    runtime.block_on(async {
        let runs = iter(0..GATES).map(|number| {
            let (def, spill) = (&def, root.join(format!("spill-{number}")));
            async move {
                let cancel = CancellationToken::new();
                let result = run_command(def, Site { root, guard, parcel: None }, &spill, &cancel, |_, _| {}).await;
                assert_eq!(result.verdict, Verdict::Pass, "{}", result.summary);
            }
        });
        runs.buffer_unordered(2).collect::<Vec<()>>().await;
    });
    begun.elapsed()
}

fn make(root: &Path, line: &str) -> Duration {
    let names: Vec<String> = (0..GATES).map(|number| format!("gate-{number}")).collect();
    let mut text = format!("all: {0}\n.PHONY: all {0}\n", names.join(" "));
    for name in names {
        writeln!(text, "{name}:\n\t@{line}").unwrap();
    }
    fs::write(root.join("Makefile"), text).unwrap();
    let begun = Instant::now();
    let done = Command::new("make").arg("-j2").current_dir(root).stdout(Stdio::null()).status().unwrap();
    assert!(done.success());
    begun.elapsed()
}

fn median(mut values: Vec<Duration>) -> Duration {
    values.sort();
    values[values.len() / 2]
}

fn main() -> ExitCode {
    if let Some(code) = helper::serve(env::args_os()) {
        return code;
    }
    let dir = tempdir().unwrap();
    let guard = Guard::new(true);
    println!("{}", guard.words(&Reach::default()));
    let check = |turns: u32| format!("i=0; while [ $i -lt {turns} ]; do i=$((i+1)); done");
    fs::write(dir.path().join("small"), check(1000)).unwrap();
    fs::write(dir.path().join("check"), check(20_000)).unwrap();
    let gates: [(&str, &[&str], &str); 3] = [
        ("nothing at all (true)", &["true"], "true"),
        ("a shell that counts to 1,000", &["sh", "small"], "sh small"),
        ("a shell that counts to 20,000", &["sh", "check"], "sh check"),
    ];
    for (name, argv, line) in gates {
        let (mut plain, mut kept, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..TURNS {
            made.push(make(dir.path(), line));
            kept.push(ours(dir.path(), guard, argv));
            plain.push(ours(dir.path(), Guard::Off, argv));
        }
        let (plain, kept, made) = (median(plain), median(kept), median(made));
        let ratio = |time: Duration| time.as_secs_f64() / made.as_secs_f64();
        println!(
            "{GATES} times {name}: make -j2 {made:.1?}; sandbox {kept:.1?}, {:.2}x; no sandbox {plain:.1?}, {:.2}x",
            ratio(kept),
            ratio(plain)
        );
    }
    ExitCode::SUCCESS
}
