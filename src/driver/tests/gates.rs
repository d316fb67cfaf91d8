//! Gates of every sort on real trees: whose turn it is, what is tried again, what is used again, what doesn't count.

use std::fs;
use std::path::Path;

use super::{CHANGE, CONFIG, Desk, FIRST, Place, ada};
use crate::domain::Verdict;
use crate::engine::{Command, evidence};

/// A place whose repository has these gates too.
fn with(gates: &str) -> Place {
    let place = Place::new();
    place.file(".windlass/config.toml", &format!("{CONFIG}\n{gates}"));
    place
}

/// A shell command as TOML has it.
fn sh(script: &str) -> String {
    format!("argv = {:?}", ["sh", "-c", script])
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map(|text| text.lines().count()).unwrap_or(0)
}

#[tokio::test]
async fn gates_wait_for_what_they_need_and_know_what_concerns_them() {
    let place = with(&format!(
        "[[gate]]\nname = \"last\"\nargv = [\"true\"]\nneeds = [\"broken\"]\n\
         [[gate]]\nname = \"after-last\"\nargv = [\"true\"]\nneeds = [\"last\"]\n\
         [[gate]]\nname = \"broken\"\n{}\n\
         [[gate]]\nname = \"then\"\nargv = [\"true\"]\nneeds = [\"check\", \"docs\"]\n\
         [[gate]]\nname = \"docs\"\nargv = [\"false\"]\napplies_if = [\"docs\", \"*.md\"]\n\
         [[gate]]\nname = \"work\"\nargv = [\"true\"]\napplies_if = [\"docs\", \"work*\"]\n",
        sh("sleep 0.1; exit 3")
    ));
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    for (gate, verdict, summary) in [
        ("broken", Verdict::Fail, "exit 3"),
        ("last", Verdict::Skipped, "it needs broken, which says fail"),
        ("after-last", Verdict::Skipped, "it needs last, which says skipped"),
        ("docs", Verdict::NotApplicable, "the change touches nothing in docs, *.md"),
        ("then", Verdict::Pass, "exit 0"),
        ("work", Verdict::Pass, "exit 0"),
    ] {
        let run = &desk.stage().runs[gate];
        assert_eq!((run.verdict, run.summary.as_str()), (verdict, summary), "{gate}");
    }
    assert!(!desk.begun.iter().any(|gate| gate == "last" || gate == "docs"), "{:?}", desk.begun);
    desk.end(&place).await;
}

#[tokio::test]
async fn quick_gates_go_first_and_a_failure_can_stop_the_rest() {
    let gates =
        format!("[[gate]]\nname = \"slow\"\n{}\n[[gate]]\nname = \"quick\"\nargv = [\"false\"]\n", sh("sleep 1"));
    let place = with(&format!("{gates}[schedule]\njobs = 1\nstop_on_failure = true\n"));
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    assert_eq!(desk.begun, ["check", "slow", "quick"], "nothing is known, so the order is the configuration's");
    let runs = desk.state.last_run;
    desk.begun.clear();
    desk.send(Command::Rerun { id: FIRST, gate: None });
    desk.until("the gates", |desk| desk.state.last_run > runs && desk.stage().pending.is_empty()).await;
    assert!(!desk.begun.contains(&"slow".to_owned()) && desk.begun.contains(&"quick".to_owned()), "{:?}", desk.begun);
    let run = &desk.stage().runs["slow"];
    let said = "quick failed first, and gates stop on a failure here";
    assert_eq!((run.verdict, run.summary.as_str()), (Verdict::Skipped, said));
    desk.end(&place).await;
}

#[tokio::test]
async fn attempts_that_disagree_are_flaky_and_never_a_pass() {
    let marks = tempfile::TempDir::new().unwrap();
    let mark = marks.path().join("seen");
    let place = with(&format!(
        "[[gate]]\nname = \"moody\"\nretries = 2\nwritable = [{:?}]\n{}\n[[gate]]\nname = \"broken\"\nretries = 2\nargv = [\"false\"]\n",
        marks.path(),
        sh(&format!("[ -e {0} ] || {{ touch {0}; exit 1; }}", mark.display()))
    ));
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    let run = &desk.stage().runs["moody"];
    assert_eq!(
        (run.verdict, &run.details.attempts[..]),
        (Verdict::Flaky, &[Verdict::Fail, Verdict::Pass][..]),
        "{run:?}"
    );
    assert!(run.summary.starts_with("attempts on one tree disagree (fail, pass)"), "{}", run.summary);
    let run = &desk.stage().runs["broken"];
    assert_eq!((run.verdict, run.summary.as_str()), (Verdict::Fail, "exit 1 (all 3 attempts)"));
    desk.end(&place).await;
}

#[tokio::test]
async fn an_answer_is_used_again_for_the_same_tree_and_tool_only() {
    let outside = tempfile::TempDir::new().unwrap();
    let (count, version) = (outside.path().join("count"), outside.path().join("version"));
    fs::write(&version, "tool 1\n").unwrap();
    let place = with(&format!(
        "[[gate]]\nname = \"counted\"\nversion = [\"cat\", {version:?}]\nwritable = [{:?}]\n{}\n",
        outside.path(),
        sh(&format!("echo ran >> {}; echo once", count.display()))
    ));
    for (nth, words) in [(2, "Fewer still"), (3, "Fewest")] {
        place.reply(&format!("author-change.{nth}"), &CHANGE.replace("Fewer steps", words));
    }
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    let first = desk.stage().runs["counted"].clone();
    assert_eq!((first.verdict, first.details.tool.as_deref(), lines(&count)), (Verdict::Pass, Some("tool 1"), 1));
    let redraft = async |desk: &mut Desk, revisions: usize| {
        let (seen, reason) = (evidence(desk.one(), desk.one().open), format!("again, for the {revisions}th time"));
        desk.send(Command::Revise { id: FIRST, evidence: seen, reason, by: ada() });
        desk.until("the next change", |desk| desk.stage().revisions.len() == revisions).await;
        desk.reach("change", "awaiting decision").await;
    };
    redraft(&mut desk, 2).await;
    let run = &desk.stage().runs["counted"];
    assert_eq!((run.details.cached_from, run.tail.as_str(), lines(&count)), (Some(first.id), "once\n", 1));
    assert_eq!(run.started, first.started, "its age is that of the answer");
    // A human who asks for it gets it run.
    let runs = desk.state.last_run;
    desk.send(Command::Rerun { id: FIRST, gate: Some("counted".into()) });
    desk.until("the gate", |desk| desk.state.last_run > runs).await;
    assert_eq!((desk.stage().runs["counted"].details.cached_from, lines(&count)), (None, 2));
    // Another tool may say something else.
    fs::write(&version, "tool 2\n").unwrap();
    desk.reach("change", "awaiting decision").await;
    redraft(&mut desk, 3).await;
    assert_eq!((desk.stage().runs["counted"].details.cached_from, lines(&count)), (None, 3));
    desk.end(&place).await;
}

const REPORT: &str = "<testsuites><testsuite name='s'><testcase name='a'/>MORE</testsuite></testsuites>";

#[tokio::test]
async fn reports_count_if_this_run_wrote_them_and_the_base_is_judged_once() {
    let outside = tempfile::TempDir::new().unwrap();
    let count = outside.path().join("count");
    let (one, two) = (REPORT.replace("MORE", ""), REPORT.replace("MORE", "<testcase name='b'/>"));
    let place = with(&format!(
        "[[gate]]\nname = \"unit\"\nkind = \"junit\"\nreport = \"out/*.xml\"\nwritable = [{:?}]\n{}\n\
         [[gate]]\nname = \"gone\"\nkind = \"junit\"\nreport = \"old.xml\"\nbase = false\nargv = [\"true\"]\n\
         [[gate]]\nname = \"unwritten\"\nkind = \"junit\"\nreport = \"late.xml\"\nbase = false\nargv = [\"true\"]\n\
         [[gate]]\nname = \"printed\"\nkind = \"junit\"\nbase = false\nargv = [\"cat\", \"one.xml\"]\n",
        outside.path(),
        sh(&format!(
            "cat work.txt >> {}; mkdir -p out; cp one.xml out/a.xml; grep -q 100 work.txt && cp two.xml out/a.xml; true",
            count.display()
        ))
    ));
    place.file("one.xml", &one);
    place.file("two.xml", &two);
    // A report that the tree brings along, from which the gate would pass.
    place.file("old.xml", &one);
    place.file(".gitignore", "out\n");
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    let run = &desk.stage().runs["unit"];
    assert_eq!((run.verdict, run.summary.as_str()), (Verdict::Fail, "1 test ran, 2 on the base"), "{run:?}");
    assert_eq!(run.details.figure.as_ref().unwrap().baseline, Some(2.0));
    assert!(run.details.base_tree.is_some() && fs::read_to_string(&count).unwrap() == "100\n10\n");
    let run = &desk.stage().runs["gone"];
    let said = "the report old.xml is a file of the tree under review";
    assert!(run.verdict == Verdict::Error && run.summary.starts_with(said), "{run:?}");
    let run = &desk.stage().runs["unwritten"];
    assert_eq!((run.verdict, run.summary.as_str()), (Verdict::Error, "exit 0, and wrote no report late.xml"));
    let runs = desk.state.last_run;
    for gate in ["unit", "printed"] {
        desk.send(Command::Rerun { id: FIRST, gate: Some(gate.into()) });
    }
    desk.until("the gates", |desk| desk.state.last_run >= runs + 2 && desk.stage().pending.is_empty()).await;
    assert_eq!(fs::read_to_string(&count).unwrap(), "100\n10\n10\n", "the base is not run again");
    let run = &desk.stage().runs["printed"];
    assert_eq!((run.verdict, run.summary.as_str()), (Verdict::Pass, "1 test passed"));
    desk.end(&place).await;
}

#[tokio::test]
async fn trees_are_compared_and_commands_timed() {
    let place = with(
        "[[gate]]\nname = \"small\"\nkind = \"budget\"\nlines = 1\n\
         [[gate]]\nname = \"locks\"\nkind = \"deps\"\nmax_new = 0\n\
         [[gate]]\nname = \"keys\"\nkind = \"secrets\"\nenforcement = \"mandatory\"\n\
         [[gate]]\nname = \"speed\"\nkind = \"bench\"\nargv = [\"cat\", \"work.txt\"]\npairs = 5\n\
         [[gate]]\nname = \"crash\"\nkind = \"bench\"\nargv = [\"grep\", \"100\", \"work.txt\"]\npairs = 5\n\
         [[gate]]\nname = \"up\"\nkind = \"health\"\nurls = [\"http://127.0.0.1:1/\"]\ntries = 1\n",
    );
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    for (gate, verdict, says) in [
        ("small", Verdict::Fail, "2 lines of 1 allowed"),
        ("locks", Verdict::NotApplicable, "the change touches no lock file"),
        ("keys", Verdict::Pass, "no new secret"),
        ("speed", Verdict::Inconclusive, "5 pairs can't tell slower from noise"),
        ("crash", Verdict::Error, "on the tree under review: exit 1"),
        ("up", Verdict::Fail, "0 of 1 services healthy"),
    ] {
        let run = &desk.stage().runs[gate];
        assert!(run.verdict == verdict && run.summary.starts_with(says), "{run:?}");
    }
    desk.end(&place).await;
}
