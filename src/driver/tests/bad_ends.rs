//! Calls, patches, gates and probes that come to a bad end, or are stopped.

use std::fs;

use super::{CHANGE, CONFIG, CONSTRAINT, Desk, FIRST, Place, ada};
use crate::domain::{ExchangeId, LoopId, Role, Verdict};
use crate::driver::{Order, now};
use crate::engine::{Command, Phase, Trouble};
use crate::journal::Reader;
use crate::provider::testing::{FakeServer, Seen, Step, event, http, stop, stream_head};

#[tokio::test]
async fn a_reply_that_is_cut_off_is_never_a_revision() {
    let place = Place::new();
    // Everything the stage asks for is there, but nothing says that it is all.
    let whole = vec![stream_head(), event(CONSTRAINT), stop()];
    let server = FakeServer::start(vec![vec![stream_head(), event(CONSTRAINT)], whole]).await;
    place.author_at(server.port);
    let mut desk = Desk::at(&place, "constraint").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("trouble", |desk| desk.stage().trouble.is_some()).await;
    let Some(Trouble::Call(why)) = &desk.stage().trouble else { panic!("{:?}", desk.stage().trouble) };
    assert!(why.starts_with("the reply is cut off: "), "{why}");
    assert_eq!((desk.stage().phase, desk.stage().revisions.len()), (Phase::Ready, 0));
    desk.draft().await;
    assert_eq!(desk.stage().revision().unwrap().text, CONSTRAINT);
    desk.end(&place).await;
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_and_both_attempts_are_in_the_record() {
    let place = Place::new();
    let busy = http("503 Busy", "retry-after: 3000", "come back");
    let server = FakeServer::start(vec![busy, vec![stream_head(), event(CONSTRAINT), stop()]]).await;
    place.author_at(server.port);
    let mut desk = Desk::at(&place, "constraint").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("a wait", |desk| !desk.waiting.is_empty()).await;
    let (role, why, until) = desk.waiting[0].clone();
    let left = until.0 - now().0;
    assert!(role == Role::Author && why.ends_with("answered 503 Service Unavailable: come back"), "{why}");
    assert!((2_000_000..=3_000_000).contains(&left), "{left}");
    // Another loop's wait is another's, and nobody waits for 50 minutes here.
    desk.orders.send(Order::AskNow(LoopId(2))).unwrap();
    desk.orders.send(Order::AskNow(FIRST)).unwrap();
    desk.reach("constraint", "awaiting decision").await;
    assert_eq!(desk.stage().revision().unwrap().text, CONSTRAINT);
    let kept = Reader::open(&place.private()).unwrap().unwrap().exchange(ExchangeId(1)).unwrap().unwrap();
    let [failed] = &kept.earlier[..] else { panic!("{:?}", kept.earlier) };
    assert_eq!((failed.response.as_ref().unwrap().status, failed.chunks[0].bytes.as_slice()), (503, &b"come back"[..]));
    assert_eq!((failed.request == kept.request, kept.response.unwrap().status), (true, 200));
    desk.end(&place).await;
}

#[tokio::test]
async fn a_malformed_reply_is_kept_and_goes_back_with_one_command() {
    let place = Place::new();
    place.reply("author-constraint.1", "## Constraint\n\nIt is slow.\n");
    let mut desk = Desk::at(&place, "constraint").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("trouble", |desk| desk.stage().trouble.is_some()).await;
    let Some(Trouble::Malformed { text, missing }) = &desk.stage().trouble else {
        panic!("{:?}", desk.stage().trouble)
    };
    assert_eq!(text, "## Constraint\n\nIt is slow.\n");
    assert!(missing.iter().any(|line| line.contains("no section \"Evidence\"")), "{missing:?}");
    assert_eq!(desk.stage().phase, Phase::Ready);
    desk.draft().await;
    let calls = place.calls(&desk.state);
    assert!(
        !calls[0].contains("no section \\\"Evidence") && calls[1].contains("no section \\\"Evidence"),
        "{}",
        calls[1]
    );
    desk.end(&place).await;
}

#[tokio::test]
async fn a_patch_that_does_not_apply_goes_back_twice_and_then_to_the_human() {
    let place = Place::new();
    for nth in 1..=3 {
        place.reply(&format!("author-change.{nth}"), &CHANGE.replace("100", &format!("no such line {nth}")));
    }
    let mut desk = Desk::at(&place, "change").await;
    let before = desk.state.exchanges.len();
    desk.send(Command::Draft { id: FIRST });
    desk.until("the human's turn", |desk| desk.stage().author_calls == 3 && desk.stage().phase == Phase::Ready).await;
    let Some(Trouble::Patch { text, problems }) = &desk.stage().trouble else { panic!("{:?}", desk.stage().trouble) };
    assert!(text.contains("no such line 3") && problems.concat().contains("work.txt"), "{problems:?}");
    assert_eq!((desk.stage().revisions.len(), desk.state.exchanges.len()), (0, before + 3));
    let calls = place.calls(&desk.state);
    assert!(
        !calls[before].contains("no such line") && calls[before + 1].contains("work.txt: "),
        "{}",
        calls[before + 1]
    );
    desk.draft().await;
    assert_eq!(desk.stage().revisions.len(), 1);
    desk.end(&place).await;
}

#[tokio::test]
async fn a_gate_that_cannot_start_says_where_its_command_stands() {
    let place = Place::new();
    place.file(".windlass/config.toml", &CONFIG.replace(r#"["sh", "check.sh"]"#, r#"["no-such-tool", "--all"]"#));
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    let run = &desk.stage().runs["check"];
    assert_eq!(run.verdict, Verdict::Error);
    for words in ["no-such-tool", ".windlass/config.toml", "\"check\""] {
        assert!(run.summary.contains(words), "{}", run.summary);
    }
    desk.approve(None);
    assert!(desk.refusal().await.starts_with("gate check is required and says error"));
    desk.end(&place).await;
}

#[tokio::test]
async fn a_cancelled_draft_keeps_what_came_and_can_be_asked_for_again() {
    let place = Place::new();
    let half = vec![stream_head(), event("## Constr"), Step::AwaitClose];
    let mut server = FakeServer::start(vec![half, vec![stream_head(), event(CONSTRAINT), stop()]]).await;
    place.author_at(server.port);
    let mut desk = Desk::at(&place, "constraint").await;
    desk.send(Command::Draft { id: FIRST });
    assert!(matches!(server.next().await, Seen::Request(..)));
    desk.until("the first words", |desk| desk.said.contains("## Constr")).await;
    desk.send(Command::Cancel { id: FIRST });
    desk.until("the end", |desk| desk.stage().phase == Phase::Ready).await;
    assert!(matches!(desk.stage().trouble, Some(Trouble::Stopped(_))));
    assert_eq!(server.next().await, Seen::HungUp);
    let kept = Reader::open(&place.private()).unwrap().unwrap().exchange(ExchangeId(1)).unwrap().unwrap();
    let bytes: Vec<u8> = kept.chunks.into_iter().flat_map(|chunk| chunk.bytes).collect();
    assert!(String::from_utf8_lossy(&bytes).contains("## Constr"));
    desk.draft().await;
    assert_eq!(desk.stage().revisions.len(), 1);
    desk.end(&place).await;
}

#[tokio::test]
async fn cancelled_gates_are_no_passes_and_run_again() {
    let place = Place::new();
    let hold = place.hold();
    let wait = format!("echo begun; while [ -e '{}' ]; do sleep 0.05; done; echo \"done $1\"\n", hold.display());
    place.file("check.sh", &wait);
    let second = "[[gate]]\nname = \"other\"\nargv = [\"sh\", \"check.sh\", \"other\"]\n";
    place.file(".windlass/config.toml", &format!("{CONFIG}{second}"));
    let mut desk = Desk::at(&place, "change").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("both gates", |desk| desk.output.matches("begun").count() == 2).await;
    desk.send(Command::Cancel { id: FIRST });
    desk.reach("change", "awaiting decision").await;
    for gate in ["check", "other"] {
        assert_eq!(desk.verdict(gate), Some(Verdict::Cancelled));
    }
    desk.approve(None);
    assert!(desk.refusal().await.contains("says cancelled"));
    fs::remove_file(hold).unwrap();
    desk.send(Command::Rerun { id: FIRST, gate: None });
    desk.until("the gates", |desk| ["check", "other"].iter().all(|gate| desk.verdict(gate) == Some(Verdict::Pass)))
        .await;
    desk.end(&place).await;
}

#[tokio::test]
async fn a_cancelled_measurement_counts_for_nothing_and_can_be_taken_again() {
    let place = Place::new();
    let hold = place.hold();
    place.file("probe.sh", &format!("while [ -e '{}' ]; do sleep 0.05; done; echo work 1 steps\n", hold.display()));
    place.commit_all();
    let mut desk = Desk::open(&place);
    desk.begin();
    desk.reach("constraint", "ready").await;
    desk.send(Command::Rerun { id: FIRST, gate: None });
    assert!(desk.refusal().await.contains("not trusted"));
    let config = desk.one().setup.config.unwrap();
    desk.send(Command::Trust { config, by: ada() });
    desk.until("the probe", |desk| desk.progress.iter().any(|text| text.starts_with("measuring: round 1"))).await;
    desk.send(Command::Cancel { id: FIRST });
    desk.reach("constraint", "ready").await;
    assert_eq!(desk.stage().measurement, None);
    assert_eq!(desk.stage().unmeasured.as_deref(), Some("the measurement was cancelled"));
    desk.end(&place).await;
    let mut desk = Desk::open(&place);
    assert_eq!(desk.stage().unmeasured.as_deref(), Some("the measurement was cancelled"), "after a restart too");
    fs::remove_file(hold).unwrap();
    desk.send(Command::Rerun { id: FIRST, gate: None });
    desk.until("readings", |desk| desk.stage().measurement.is_some()).await;
    assert_eq!(desk.stage().measurement.as_ref().unwrap().samples.len(), 2);
    assert_eq!(desk.stage().unmeasured, None);
    desk.end(&place).await;
}

#[tokio::test]
async fn without_probes_the_record_says_that_nothing_was_measured() {
    let place = Place::new();
    place.file(".windlass/config.toml", CONFIG.split("[[probe]]").next().unwrap());
    let desk = Desk::at(&place, "constraint").await;
    assert_eq!(desk.stage().measurement, None);
    let why = desk.stage().unmeasured.as_deref();
    assert_eq!(why, Some("no probe is configured: add [[probe]] to .windlass/config.toml"));
    desk.end(&place).await;
}
