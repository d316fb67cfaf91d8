//! Every kind of gate: each outcome on the report files of real tools, and a review of them all by keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::desk::Desk;
use crate::hands::{
    approve, await_decision, draft, land, leave, open_sheet, pass_to_the_change, read_all, send_back, trust,
};
use crate::harness::Terminal;

/// How a kind comes to an outcome.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// By these lines of its table.
    By(&'static str),
    /// By needing a gate that has failed: then it never begins, whatever it would say.
    Needs,
    /// By being about files that the change doesn't touch.
    Elsewhere,
    /// It can't, because of this.
    Not(&'static str),
}

use Way::{By, Elsewhere, Needs, Not};

/// A kind of gate, the lines that all its gates have, and the way to each outcome: pass, fail, error, skip, not
/// applicable. `F` stands for the directory of report files, `H` for a server's address; `new` is only true on the tree under
/// review.
type Row = (&'static str, &'static str, [Way; 5]);

const KINDS: &[Row] = &[
    ("command", "", [By("sh: true"), By("sh: exit 3"), By("sh: no-such-command"), Needs, Elsewhere]),
    (
        "junit",
        "base = false",
        [
            By("sh: cat F/junit/nextest-pass.xml"),
            By("sh: cat F/junit/pytest-fail.xml; exit 1"),
            By("sh: head -n 5 F/junit/nextest-pass.xml"),
            By("sh: cat F/junit/all-skipped.xml"),
            Elsewhere,
        ],
    ),
    (
        "sarif",
        "",
        [
            By("sh: cat F/sarif/codeql.sarif"),
            By("sh: if new; then cat F/sarif/codeql.sarif; else cat F/sarif/clippy.sarif; fi"),
            By("sh: head -c 900 F/sarif/clippy.sarif"),
            Needs,
            Elsewhere,
        ],
    ),
    (
        "cargo",
        "",
        [
            By("sh: cat F/cargo/warning.jsonl"),
            By("sh: new || { cat F/cargo/clean.jsonl; exit; }; cat F/cargo/error.jsonl; exit 101"),
            By("sh: head -n 2 F/cargo/warning.jsonl"),
            Needs,
            Elsewhere,
        ],
    ),
    (
        "coverage",
        "report = \"out/NAME.info\"\nbase = false",
        [
            By("changed = 30\nsh: sed \"s,/repo,$PWD,\" F/coverage/llvm-cov.info >out/NAME.info"),
            By("sh: sed \"s,/repo,$PWD,\" F/coverage/llvm-cov.info >out/NAME.info"),
            By("sh: head -n 8 F/coverage/llvm-cov.info >out/NAME.info"),
            Needs,
            Elsewhere,
        ],
    ),
    (
        "bench",
        "report = \"out/NAME.json\"",
        [
            By("sh: cat F/bench/criterion.json >out/NAME.json"),
            By("sh: by=10; new && by=12; sed \"s/100\\(90\\|00\\)/${by}0\\1/; s/10180/${by}180/; s/10130/${by}130/; \
                s/10090/${by}090/\" F/bench/criterion.json >out/NAME.json"),
            By("sh: head -c 50 F/bench/hyperfine.json >out/NAME.json"),
            Needs,
            Elsewhere,
        ],
    ),
    (
        "health",
        "tries = 2\nwithin_ms = 60000\npause_ms = 1",
        [
            By("urls = [\"http://H/good\"]"),
            By("urls = [\"http://H/good\", \"http://H/bad\"]"),
            Not("a service that can't be asked is one that isn't healthy: that is its question, so it fails"),
            Needs,
            Elsewhere,
        ],
    ),
    (
        "contract",
        "",
        [
            By("tool = \"oasdiff\"\nsh: printf '[]'"),
            By("tool = \"pact\"\nsh: cat F/contract/pact-fail.json; exit 1"),
            By("tool = \"oasdiff\"\nsh: cat F/contract/oasdiff.json; exit 102"),
            By(
                "tool = \"pact\"\nsh: echo '{\"errors\":[],\"interactionResults\":[],\"pendingErrors\":[],\"result\":true}'",
            ),
            Elsewhere,
        ],
    ),
    (
        "deps",
        "",
        [
            By("files = [\"Cargo.lock\"]\nmax_new = 1\nnew_sources = true"),
            By("files = [\"Cargo.lock\"]\nmax_new = 0"),
            By("files = [\"torn/go.sum\"]\nmax_new = 0"),
            Needs,
            By("files = [\"web/package-lock.json\"]\nmax_new = 0"),
        ],
    ),
    ("budget", "", [By("lines = 500"), By("lines = 2"), By("dependencies = 9"), Needs, Elsewhere]),
    (
        "secrets",
        "base = false",
        [
            By("allow = [\"secret.env\"]"),
            By("sh: cat F/secrets/gitleaks.json; exit 1"),
            By("sh: head -c 20 F/secrets/gitleaks.json"),
            Needs,
            Elsewhere,
        ],
    ),
    (
        "arch",
        "",
        [
            By("files = [\"src/*.rs\"]\ndeny = [\"src -> rusqlite\"]"),
            By("files = [\"src/*.rs\"]\ndeny = [\"src -> reqwest\"]"),
            By("files = [\"nowhere/*.rs\"]\ndeny = [\"src -> reqwest\"]"),
            Needs,
            By("files = [\"other.rs\"]\ndeny = [\"src -> reqwest\"]"),
        ],
    ),
    (
        "policy",
        "",
        [
            By("sh: sed s/failures/ignored/ F/policy/conftest.json"),
            By("sh: cat F/policy/opa-deny.json"),
            By("sh: head -c 30 F/policy/conftest.json"),
            By("sh: printf '[]'"),
            Elsewhere,
        ],
    ),
];

const OUTCOMES: [&str; 5] = ["pass", "fail", "error", "skipped", "not-applicable"];

/// The tables of all gates of the rows, as a configuration has them.
fn tables(rows: &[Row], address: &str) -> String {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gates");
    let mut tables = String::new();
    for (kind, common, ways) in rows {
        for (outcome, way) in OUTCOMES.iter().zip(ways) {
            let By(pass) = ways[0] else { panic!("{kind} can't pass") };
            let lines = match way {
                By(lines) => format!("{lines}\n{common}"),
                Needs => format!("needs = [\"command-fail\"]\n{pass}\n{common}"),
                Elsewhere => format!("applies_if = [\"nowhere\"]\n{pass}\n{common}"),
                Not(_) => continue,
            };
            let name = format!("{kind}-{outcome}");
            write!(tables, "\n[[gate]]\nname = {name:?}\nkind = {kind:?}\n").unwrap();
            for line in lines.lines() {
                let line = line.replace("NAME", &name).replace("F/", &format!("{}/", files.display()));
                let line = line.replace("//H/", &format!("//{address}/"));
                match line.strip_prefix("sh: ") {
                    None => writeln!(tables, "{line}").unwrap(),
                    Some(script) => {
                        let script = format!("new() {{ [ -e src/new.rs ]; }}; mkdir -p out; {script}");
                        writeln!(tables, "argv = {:?}", ["sh", "-c", &script]).unwrap();
                    }
                }
            }
        }
    }
    tables.replace("kind = \"command\"\n", "")
}

/// A server on this machine: `/good` is healthy, `/bad` isn't until it has been mended.
struct Server {
    address: String,
    mended: Arc<AtomicBool>,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mended = Arc::new(AtomicBool::new(false));
        let now = Arc::clone(&mended);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 512];
                let length = stream.read(&mut head).unwrap_or(0);
                let good = head[..length].starts_with(b"GET /good ") || now.load(Ordering::Relaxed);
                let status = if good { "200 OK" } else { "503 Service Unavailable" };
                let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            }
        });
        Self { address, mended }
    }
}

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"cart\"\nversion = \"0.1.0\"\n";
const RAND: &str = "\n[[package]]\nname = \"rand\"\nversion = \"0.9.0\"\n\
                    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";

#[test]
fn each_kind_comes_to_each_outcome_on_the_reports_of_real_tools() {
    let (desk, server) = (Desk::new(), Server::new());
    for (path, text) in [
        (".gitignore", "/out\n"),
        ("src/cart.rs", "a\n\n\n\nf\n"),
        ("src/price.rs", "p\n"),
        ("other.rs", "use std::fmt;\n"),
        ("Cargo.lock", LOCK),
        ("torn/go.sum", "example.org/a v1.0.0 h1:aaaa=\n"),
    ] {
        desk.write(path, text);
    }
    desk.write(".windlass/config.toml", &tables(KINDS, &server.address));
    desk.commit("first");
    desk.write("src/cart.rs", "a\nb\nc\nd\nf\n");
    desk.write("src/new.rs", "use reqwest::Client;\n");
    desk.write("Cargo.lock", &format!("{LOCK}{RAND}"));
    desk.write("torn/go.sum", "no sum\n");
    desk.write("secret.env", &format!("aws_key = {}\n", ["AKIA", "QYLPMN5HHHFPZAM2"].concat()));
    desk.commit("second");

    let run = desk.run(&["gate", "run", "--trust-config", "--base", "HEAD^", "--json"]);
    let said: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    assert_eq!(run.status.code(), Some(4));
    let gates: BTreeMap<&str, &Value> =
        said["gates"].as_array().unwrap().iter().map(|gate| (gate["name"].as_str().unwrap(), gate)).collect();
    let mut wrong = Vec::new();
    for (kind, _, ways) in KINDS {
        let mut line = format!("{kind:>9}");
        for (outcome, way) in OUTCOMES.iter().zip(ways) {
            if let Not(why) = way {
                write!(line, "  {outcome}: never, {why}").unwrap();
                continue;
            }
            let gate = gates[format!("{kind}-{outcome}").as_str()];
            write!(line, "  {outcome}").unwrap();
            let summary = gate["summary"].as_str().unwrap();
            let satisfied = matches!(*outcome, "pass" | "not-applicable");
            if gate["verdict"] != *outcome || gate["satisfied"] != satisfied || summary.is_empty() {
                wrong.push(format!("{kind}-{outcome}: {gate:#}"));
            }
        }
        println!("{line}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(KINDS.len(), 13);
    assert!(!String::from_utf8_lossy(&run.stdout).contains("AKIAQYLPMN5HHHFPZAM2"), "secrets aren't repeated");
}

/// A gate of each kind, which says one thing of the first change and another of the second.
const REVIEW: &str = r#"
[[gate]]
name = "exits"
argv = ["sh", "-c", "echo it is one; grep -q 2 round.txt"]

[[gate]]
name = "unit"
kind = "junit"
base = false
argv = ["sh", "-c", "if grep -q 2 round.txt; then cat F/junit/nextest-pass.xml; else cat F/junit/pytest-fail.xml; exit 1; fi"]

[[gate]]
name = "analysis"
kind = "sarif"
argv = ["sh", "-c", "sed 's,src/cart.rs,round.txt,; s/Line\": [23]/Line\": 1/g' F/sarif/clippy.sarif >log; if grep -q 1 round.txt; then cat log; else cat N; fi; rm log"]

[[gate]]
name = "build"
kind = "cargo"
argv = ["sh", "-c", "if grep -q 1 round.txt; then head -n 2 F/cargo/warning.jsonl; else cat F/cargo/clean.jsonl; fi"]

[[gate]]
name = "reach"
kind = "coverage"
report = "ignored/lcov.info"
argv = ["sh", "-c", "mkdir -p ignored; cat F/coverage/llvm-cov.info >ignored/lcov.info"]

[[gate]]
name = "speed"
kind = "bench"
report = "ignored/bench.json"
argv = ["sh", "-c", "mkdir -p ignored; if grep -q 1 round.txt; then sed 's/10090/9000/; s/10180/12180/' F/bench/criterion.json; else cat F/bench/criterion.json; fi >ignored/bench.json"]

[[gate]]
name = "api"
kind = "contract"
tool = "pact"
argv = ["sh", "-c", "grep -q 2 round.txt && one='{\"interaction\":\"a\"}'; echo \"{\\\"errors\\\":[],\\\"interactionResults\\\":[$one],\\\"result\\\":true}\""]

[[gate]]
name = "rules"
kind = "policy"
enforcement = "mandatory"
argv = ["sh", "-c", "if grep -q 2 round.txt; then sed s/failures/ignored/ F/policy/conftest.json; else cat F/policy/conftest.json; exit 1; fi"]

[[gate]]
name = "keys"
kind = "secrets"

[[gate]]
name = "locks"
kind = "deps"
max_new = 0

[[gate]]
name = "size"
kind = "budget"
lines = 500

[[gate]]
name = "layers"
kind = "arch"
files = ["*.sh"]
deny = ["*.sh -> curl"]

[[gate]]
name = "services"
kind = "health"
tries = 1
within_ms = 60000
urls = ["http://H/good", "http://H/bad"]

[[gate]]
name = "prose"
argv = ["false"]
applies_if = ["manual"]

[[gate]]
name = "later"
argv = ["true"]
needs = ["exits"]
"#;

/// Puts the cursor of the gates pane on a gate, and waits until the screen shows it there.
fn select(screen: &mut Terminal, gates: &[&str], name: &str) {
    screen.press("g g");
    for _ in 0..gates.iter().position(|gate| *gate == name).unwrap() {
        screen.press("j");
    }
}

#[test]
fn gates_of_every_kind_are_reviewed_by_keys_until_a_better_change_lands() {
    let (desk, server) = (Desk::new(), Server::new());
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gates");
    let none = desk.home().join("none.sarif");
    fs::write(&none, r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"clippy"}},"results":[]}]}"#).unwrap();
    let gates =
        REVIEW.replace("F/", &format!("{}/", files.display())).replace("cat N", &format!("cat {}", none.display()));
    desk.furnish(&gates.replace("//H/", &format!("//{}/", server.address)));
    let second = "Two, then.\n\n```text path=round.txt\n2\n```\n";
    fs::write(desk.home().join("replies/author-change.2.md"), second).unwrap();
    let mut screen = desk.open(&["new", "Fewer steps"], (120, 66));
    trust(&mut screen);
    pass_to_the_change(&mut screen);
    draft(&mut screen, "change");
    await_decision(&screen, "change");
    read_all(&mut screen);

    // The pane says of each what came of it.
    screen.press("4 z");
    let words = [
        "exits fail",
        "unit fail",
        "analysis fail",
        "build error",
        "reach not applicable",
        "speed inconclusive",
        "api skipped",
        "rules fail, mandatory",
        "keys pass",
        "locks not applicable",
        "size pass",
        "layers not applicable",
        "services fail",
        "prose not applicable",
        "later skipped",
    ];
    let frame = screen.wait_for("every outcome", |frame| words.iter().all(|words| frame.says(words)));
    for summary in [
        "exit 1",
        "2 of 3 tests failed",
        "2 new findings, 2 in all",
        "no interaction was verified",
        "1 denial, 1 warning, 1 exception",
        "1 of 2 services healthy",
        "the change touches nothing in manual",
        "it needs exits, which says fail",
    ] {
        assert!(frame.says(summary), "{summary}\n{frame}");
    }

    // Enter shows what is behind it.
    let order: Vec<&str> = ["plan-files", "weakening", "size-budget", "test"]
        .into_iter()
        .chain(words.iter().map(|words| words.split(' ').next().unwrap()))
        .collect();
    for (gate, evidence) in [
        ("exits", "it is one"),
        ("unit", "tests/test_orders.py:9: tests.test_orders test_rounding"),
        ("analysis", "round.txt:1: clippy::needless_clone"),
        ("services", "/bad: 0 of 1 tries"),
    ] {
        select(&mut screen, &order, gate);
        screen.press("Enter");
        screen.wait_for_words(evidence);
        screen.press("Esc");
        screen.wait_for("the gates", |frame| !frame.says(evidence) && frame.says("later skipped"));
    }

    // No reason goes past a mandatory gate; past a required one goes a good one.
    select(&mut screen, &order, "rules");
    screen.press("O");
    screen.wait_for_words("no reason goes past this gate: send the stage back");
    select(&mut screen, &order, "exits");
    screen.press("O");
    screen.wait_for_words("Go on despite gate exits?");
    screen.text("because");
    screen.press("Enter");
    screen.wait_for_words("a reason has at least 12 characters");
    screen.text(" it counts to one, as it should");
    screen.press("Enter");
    screen.wait_for_words("exits overridden");
    screen.press("z 2");

    // The finding of the analysis stands at the line of the diff that it is about.
    let frame = screen.wait_for_words("+1");
    assert!(frame.rows().iter().any(|row| row.contains("⚠+1")), "{frame}");
    let sheet = open_sheet(&mut screen, "change");
    assert!(sheet.says("rules"), "{sheet}");
    screen.press("y");
    screen.wait_for("no approval", |frame| frame.says("rules") && !frame.says("✓ change"));
    screen.press("Esc");
    await_decision(&screen, "change");

    server.mended.store(true, Ordering::Relaxed);
    send_back(&mut screen, "change", "Count to two, as the gates ask");
    screen.wait_for_words("revision 2");
    await_decision(&screen, "change");
    screen.press("4 z");
    let green = |words: &str| {
        let name = words.split(' ').next().unwrap();
        let word = if words.ends_with("not applicable") { "not applicable" } else { "pass" };
        format!("{name} {word}")
    };
    screen.wait_for("green gates", |frame| words.iter().all(|words| frame.says(&green(words))));
    screen.press("z 2");
    read_all(&mut screen);
    approve(&mut screen, "change");
    draft(&mut screen, "outcome");
    await_decision(&screen, "outcome");
    read_all(&mut screen);
    land(&mut screen, "outcome");
    leave(&mut screen);
    assert_eq!(desk.git(&["show", "HEAD:round.txt"]), "2\n");

    // The record says what each run was protected by.
    let shown = desk.printed(&["show", "1"]);
    assert!(shown.contains("gate: exits pass, exit 0") && shown.contains("  under: sandbox: "), "{shown}");
    let gates = desk.json(&["show", "1", "--json"])["stages"][2]["gates"].clone();
    let protected = |name: &str| {
        let gate = gates.as_array().unwrap().iter().find(|gate| gate["name"] == name).unwrap();
        gate["protection"].as_str().unwrap().starts_with("sandbox: ")
    };
    assert!(protected("exits") && protected("unit") && !protected("weakening") && !protected("size"), "{gates:#}");
    desk.assert_nothing_runs();
    desk.printed(&["verify"]);
}
