//! Commands run on exactly the tree under review, and only when a human has trusted them.

use std::fs;

use super::{CHANGE, CONFIG, Desk, FIRST, Place, ada};
use crate::config::BUILTIN_GATES;
use crate::domain::Verdict;
use crate::engine::{Command, evidence};
use crate::gate::builtin::BUILTINS;

#[test]
fn the_configuration_knows_every_builtin_gate() {
    assert_eq!(BUILTINS.iter().map(|gate| gate.name).collect::<Vec<_>>(), BUILTIN_GATES);
}

#[tokio::test]
async fn a_gate_that_changes_what_it_judges_is_an_error() {
    let place = Place::new();
    let hold = place.hold();
    place.file("check.sh", &format!("cat work.txt; if [ -e '{}' ]; then echo 1 > work.txt; fi\n", hold.display()));
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    let run = &desk.stage().runs["check"];
    assert_eq!((run.verdict, run.summary.as_str()), (Verdict::Error, "changed the tree it judges: work.txt"));
    desk.approve(None);
    assert!(desk.refusal().await.contains("gate check is required and says error"));
    fs::remove_file(hold).unwrap();
    let runs = desk.state.last_run;
    desk.send(Command::Rerun { id: FIRST, gate: Some("check".into()) });
    desk.until("the gate", |desk| desk.state.last_run > runs).await;
    let run = &desk.stage().runs["check"];
    assert_eq!((run.verdict, run.tail.as_str()), (Verdict::Pass, "10\n"), "on the tree as it should be");
    desk.end(&place).await;
}

#[tokio::test]
async fn a_probe_that_changes_what_it_measures_gives_no_readings() {
    let place = Place::new();
    place.file("probe.sh", "echo 1 > work.txt; echo work 1 steps\n");
    let desk = Desk::at(&place, "constraint").await;
    let measurement = desk.stage().measurement.clone().unwrap();
    assert_eq!(measurement.samples, []);
    assert_eq!(measurement.failures, ["a probe changed the tree it measures (before): work.txt"]);
    desk.end(&place).await;
}

#[tokio::test]
async fn every_review_begins_on_its_own_tree_and_build_output_stays() {
    let place = Place::new();
    place.file(".gitignore", "cache\n");
    place.file("check.sh", "cat work.txt; ls -d junk cache 2>/dev/null; touch junk cache\n");
    place.reply("author-change.2", &CHANGE.replace("\n10\n", "\n20\n"));
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    assert_eq!(desk.stage().runs["check"].tail, "10\n");
    let (seen, reason) = (evidence(desk.one(), desk.one().open), "Ten is too few".to_owned());
    desk.send(Command::Revise { id: FIRST, evidence: seen, reason, by: ada() });
    desk.until("the second change", |desk| desk.stage().revisions.len() == 2).await;
    desk.reach("change", "awaiting decision").await;
    assert_eq!(desk.stage().runs["check"].tail, "20\ncache\n");
    let runs = desk.state.last_run;
    desk.send(Command::Rerun { id: FIRST, gate: Some("check".into()) });
    desk.until("the gate", |desk| desk.state.last_run > runs).await;
    assert_eq!(desk.stage().runs["check"].tail, "20\ncache\n", "the same tree again is checked out again");
    desk.end(&place).await;
}

#[tokio::test]
async fn nothing_of_an_untrusted_repository_runs() {
    let place = Place::new();
    let marker = place.marker();
    let writable = format!("writable = [{:?}]\n", marker.parent().unwrap().display().to_string());
    let config = ["argv = [\"sh\", \"check.sh\"]\n", "argv = [\"sh\", \"probe.sh\"]\n"];
    let config = config.iter().fold(CONFIG.to_owned(), |text, line| text.replace(line, &format!("{line}{writable}")));
    place.file(".windlass/config.toml", &config);
    for (file, says) in [("check.sh", "checked"), ("probe.sh", "work 100 steps")] {
        place.file(file, &format!("echo {file} >> '{}'; echo {says}\n", marker.display()));
    }
    place.commit_all();
    let mut desk = Desk::open(&place);
    desk.begin();
    desk.reach("constraint", "ready").await;
    desk.draft().await;
    let reason = "The probes are not trusted yet".to_owned();
    desk.send(Command::Override { id: FIRST, gate: "readings-quoted".into(), reason, by: ada() });
    desk.until("the override", |desk| !desk.stage().overrides.is_empty()).await;
    desk.approve(None);
    desk.reach("plan", "ready").await;
    desk.draft_and_approve().await;
    desk.reach("change", "ready").await;
    desk.draft().await;
    let gate = desk.one().setup.gates[0].clone();
    assert!(desk.state.waits_for_trust(desk.one(), &gate));
    desk.approve(None);
    assert!(desk.refusal().await.starts_with("gate check is required and waits for trust"));
    desk.send(Command::Rerun { id: FIRST, gate: Some("check".into()) });
    assert!(desk.refusal().await.contains("not trusted"));
    assert!(!marker.exists());

    let config = desk.one().setup.config.unwrap();
    desk.send(Command::Trust { config, by: ada() });
    desk.until("the gate", |desk| desk.verdict("check") == Some(Verdict::Pass)).await;
    assert!(!desk.state.waits_for_trust(desk.one(), &gate));
    assert_eq!(fs::read_to_string(marker).unwrap(), "check.sh\n");
    desk.end(&place).await;
}

#[tokio::test]
async fn trust_in_an_old_configuration_is_none_in_the_new_one() {
    let place = Place::new();
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    desk.send(Command::Park { id: FIRST, by: ada() });
    desk.until("the rest", |desk| desk.one().status.name() == "parked").await;
    desk.end(&place).await;

    let marker = place.marker();
    let (file, dir) = (marker.display().to_string(), marker.parent().unwrap().display().to_string());
    let probe = format!("[[probe]]\nname = \"new\"\nargv = [\"touch\", {file:?}]\nwritable = [{dir:?}]\n");
    place.file(".windlass/config.toml", &format!("{CONFIG}{probe}"));
    let mut desk = Desk::open(&place);
    desk.send(Command::Resume { id: FIRST, by: ada() });
    desk.reach("change", "awaiting decision").await;
    desk.approve(None);
    desk.reach("outcome", "ready").await;
    assert_eq!(desk.stage().unmeasured.as_deref(), Some("the probes wait for trust"));
    assert!(desk.stage().measurement.is_none() && !marker.exists());
    desk.trust().await;
    assert!(desk.stage().measurement.is_some() && marker.exists());
    desk.end(&place).await;
}

#[tokio::test]
async fn a_flood_of_output_reaches_the_disk_and_not_the_screen() {
    let place = Place::new();
    place.file("check.sh", "awk 'BEGIN { for (i = 0; i < 300000; i++) print \"0123456789\"; print \"end\" }'\n");
    let mut desk = Desk::at(&place, "change").await;
    desk.draft().await;
    let run = &desk.stage().runs["check"];
    assert!(run.verdict == Verdict::Pass && run.tail.ends_with("0123456789\nend\n"));
    assert_eq!(fs::read(run.spilled.as_ref().unwrap()).unwrap().len(), 3_300_004);
    assert!(desk.output.len() < 1_500_000 && desk.output.ends_with("only the end is shown, when the gate is done]\n"));
    desk.end(&place).await;
}
