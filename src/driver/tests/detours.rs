//! Ways that are not the straight one: rests, steps back, a human's own hand, an end without landing.

use std::fs;

use super::{CHANGE, Desk, FIRST, Place, ada, eventually};
use crate::domain::{LoopId, Origin, StageIndex, Verdict};
use crate::driver::Order;
use crate::engine::{Command, Event, Phase, Status, Trouble, evidence};

#[tokio::test]
async fn what_was_stopped_for_a_rest_says_nothing_after_it() {
    let place = Place::new();
    let hold = place.hold();
    // It is deaf: when the loop goes on, the old run still sits in the worktree.
    let deaf = "trap '' TERM; echo begun; ";
    place.file("check.sh", &format!("{deaf}while [ -e '{}' ]; do sleep 0.05; done\n", hold.display()));
    let mut desk = Desk::at(&place, "change").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("the gate", |desk| desk.output.contains("begun")).await;
    desk.send(Command::Park { id: FIRST, by: ada() });
    desk.send(Command::Resume { id: FIRST, by: ada() });
    desk.until("the second run", |desk| desk.output.matches("begun").count() == 2).await;
    fs::remove_file(hold).unwrap();
    desk.reach("change", "awaiting decision").await;
    assert_eq!(desk.verdict("check"), Some(Verdict::Pass));
    let cancelled = desk
        .events
        .iter()
        .filter(|one| matches!(&one.event, Event::GateFinished { run, .. } if run.verdict == Verdict::Cancelled));
    assert_eq!(cancelled.count(), 0);
    desk.end(&place).await;
}

#[tokio::test]
async fn a_plan_can_be_opened_again_after_its_change_was_approved() {
    let place = Place::new();
    let mut desk = Desk::at(&place, "outcome").await;
    let reason = "The plan forgot the rollback".to_owned();
    desk.send(Command::Reopen { id: FIRST, stage: StageIndex(1), reason, by: ada() });
    desk.reach("plan", "awaiting decision").await;
    assert_eq!(desk.one().stage(StageIndex(2)).unwrap().phase, Phase::Stale);
    desk.approve(None);
    desk.reach("change", "ready").await;
    place.reply("author-change.2", &CHANGE.replace("\n10\n", "\n20\n"));
    desk.draft_and_approve().await;
    desk.reach("outcome", "ready").await;
    let readings = desk.stage().measurement.as_ref().unwrap().comparisons();
    assert_eq!(readings[0].after.unwrap().median, 20.0, "measured on the second change");
    desk.land().await;
    assert_eq!(place.git(&["rev-parse", "HEAD^{tree}"]), desk.approved_tree().as_str());
    assert_eq!(place.git(&["show", "HEAD:work.txt"]), "20");
    desk.end(&place).await;
}

#[tokio::test]
async fn the_author_is_told_why_the_human_went_back() {
    let place = Place::new();
    let mut desk = Desk::at(&place, "change").await;
    let reason = "The plan forgot the rollback".to_owned();
    desk.send(Command::Reopen { id: FIRST, stage: StageIndex(1), reason, by: ada() });
    desk.reach("plan", "awaiting decision").await;
    let (seen, reason) = (evidence(desk.one(), desk.one().open), "Say who is paged".to_owned());
    desk.send(Command::Revise { id: FIRST, evidence: seen, reason, by: ada() });
    desk.until("the next plan", |desk| desk.stage().feedback.is_none() && desk.stage().author_calls == 2).await;
    let calls = place.calls(&desk.state);
    let told = |call: &&String| call.contains("The plan forgot the rollback") && call.contains("Say who is paged");
    assert_eq!(calls.iter().filter(told).count(), 1, "{calls:#?}");
    desk.end(&place).await;
}

#[tokio::test]
async fn a_human_can_write_the_change_and_edit_it_in_a_worktree() {
    let place = Place::new();
    let mut desk = Desk::at(&place, "change").await;
    let by = ada();
    desk.send(Command::TakeWorktree { id: FIRST, by: by.clone() });
    assert!(desk.refusal().await.starts_with("nothing was changed in "));

    desk.send(Command::Write { id: FIRST, text: CHANGE.replace("\n10\n", "\n30\n"), by: by.clone() });
    desk.until("the change", |desk| desk.stage().revisions.len() == 1).await;
    desk.reach("change", "awaiting decision").await;
    assert_eq!(desk.stage().revision().unwrap().origin, Origin::Human { name: by.0.clone() });

    desk.orders.send(Order::OpenWorktree(FIRST)).unwrap();
    desk.until("the worktree", |desk| desk.worktree.is_some()).await;
    let file = desk.worktree.clone().unwrap().join("work.txt");
    assert_eq!(fs::read_to_string(&file).unwrap(), "30\n");
    // To look and leave changes nothing, to take everything out again is no change.
    let (reviewed, events) = (desk.stage().clone(), desk.events.len());
    desk.send(Command::TakeWorktree { id: FIRST, by: by.clone() });
    assert!(desk.refusal().await.starts_with("nothing was changed in "));
    assert_eq!((desk.stage(), desk.events.len()), (&reviewed, events));
    fs::write(&file, "100\n").unwrap();
    desk.send(Command::TakeWorktree { id: FIRST, by: by.clone() });
    desk.until("trouble", |desk| desk.stage().trouble.is_some()).await;
    assert!(matches!(&desk.stage().trouble, Some(Trouble::Call(why)) if why.starts_with("nothing is left")));
    assert_eq!((desk.stage().phase, desk.stage().current), (Phase::Awaiting, reviewed.current));
    fs::write(&file, "7\n").unwrap();
    // Gates have a worktree of their own, and opening it again takes nothing away.
    let runs = desk.state.last_run;
    desk.send(Command::Rerun { id: FIRST, gate: None });
    desk.until("the gates", |desk| desk.state.last_run > runs && desk.stage().phase == Phase::Awaiting).await;
    desk.worktree = None;
    desk.orders.send(Order::OpenWorktree(FIRST)).unwrap();
    desk.until("the worktree", |desk| desk.worktree.is_some()).await;
    assert_eq!(fs::read_to_string(&file).unwrap(), "7\n");
    desk.send(Command::TakeWorktree { id: FIRST, by });
    desk.until("the edited change", |desk| desk.stage().revisions.len() == 2).await;
    desk.reach("change", "awaiting decision").await;
    desk.approve(None);
    desk.reach("outcome", "ready").await;
    desk.land().await;
    assert_eq!(place.git(&["show", "HEAD:work.txt"]), "7");
    desk.end(&place).await;
}

#[tokio::test]
async fn an_abandoned_loop_leaves_nothing_and_the_next_one_can_begin() {
    let place = Place::new();
    let hold = place.hold();
    place.file("check.sh", &format!("echo begun; while [ -e '{}' ]; do date > junk; done\n", hold.display()));
    let mut desk = Desk::at(&place, "change").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("the gate", |desk| desk.output.contains("begun")).await;
    desk.send(Command::Abandon { id: FIRST, reason: "It is not worth it".into(), by: ada() });
    desk.until("the end", |desk| desk.one().status == Status::Abandoned).await;
    eventually("no worktree", || place.worktrees().is_empty()).await;
    desk.begin();
    desk.until("the next loop", |desk| {
        desk.state.loops.get(&LoopId(2)).is_some_and(|one| one.open_stage().unwrap().phase == Phase::Ready)
    })
    .await;
    assert_eq!(desk.refused, Vec::<String>::new());
    assert_eq!(place.git(&["status", "--porcelain"]), "");
    desk.end(&place).await;
}
