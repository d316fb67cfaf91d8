//! One whole loop over the demonstration, from the goal to the landed commit.

use super::{Desk, FIRST, Place, ada, eventually};
use crate::domain::{ArtifactKind, Side, Verb, Verdict};
use crate::engine::{Command, Status, evidence};

#[tokio::test]
async fn the_demonstration_goes_from_goal_to_landed_commit() {
    let place = Place::demo();
    let before = place.git(&["rev-parse", "HEAD"]);
    let mut desk = Desk::open(&place);
    desk.begin();
    desk.reach("constraint", "ready").await;
    assert!(desk.stage().measurement.is_none(), "nothing of the repository runs before trust");
    assert_eq!(desk.stage().unmeasured.as_deref(), Some("the probes wait for trust"));
    desk.trust().await;
    assert_eq!(desk.stage().measurement.as_ref().unwrap().failures, Vec::<String>::new());
    desk.draft_and_approve().await;

    desk.reach("plan", "ready").await;
    desk.draft().await;
    desk.approve(None);
    assert!(desk.refusal().await.starts_with("a blocker is open"));
    let (seen, by) = (evidence(desk.one(), desk.one().open), ada());
    let reason = "Sharding moves the bottleneck to the merge".to_owned();
    desk.send(Command::Revise { id: FIRST, evidence: seen, reason, by });
    desk.until("the second plan", |desk| desk.stage().revisions.len() == 2).await;
    desk.reach("plan", "awaiting decision").await;
    let sent_back = place.calls(&desk.state);
    assert!(sent_back.iter().any(|call| call.contains("Sharding moves the bottleneck to the merge")));
    desk.approve(None);

    desk.reach("change", "ready").await;
    desk.draft_and_approve().await;
    desk.reach("outcome", "ready").await;
    let compared = desk.stage().measurement.as_ref().unwrap().comparisons();
    let comparisons = compared.iter().find(|one| one.name == "comparisons").unwrap();
    assert!(comparisons.ratio().unwrap() < 1.0 / 3.0, "{comparisons:?}");
    let sides = desk.stage().measurement.as_ref().unwrap().samples.iter().map(|sample| sample.side);
    assert_eq!(sides.filter(|side| *side == Side::After).count(), 6);
    desk.draft().await;
    for gate in ["tests", "golden", "lint", "criteria-met", "downstream", "readings-quoted"] {
        assert_eq!(desk.verdict(gate), Some(Verdict::Pass), "{:?}", desk.stage().runs[gate]);
    }
    desk.approve(None);
    assert!(desk.refusal().await.contains("type the stage's name"));
    desk.approve(Some("outcome"));
    desk.until("the landing", |desk| matches!(desk.one().status, Status::Landed { .. })).await;
    assert_eq!(desk.one().status.name(), "landed");

    let Status::Landed { commit, left } = desk.one().status.clone() else { panic!("it has landed") };
    assert_eq!(left, None);
    assert_eq!(place.git(&["rev-parse", "main", "HEAD", "HEAD^"]), format!("{commit}\n{commit}\n{before}"));
    assert_eq!(place.git(&["rev-parse", "HEAD^{tree}"]), desk.approved_tree().as_str());
    assert_eq!(place.git(&["status", "--porcelain", "--untracked-files=all"]), "");
    let files = place.git(&["diff", "--name-only", "HEAD^", "HEAD"]);
    assert_eq!(files, "docs/decisions/0001-ten-times-the-orders.md\nlib/orders.awk");
    let record = place.git(&["show", "HEAD:docs/decisions/0001-ten-times-the-orders.md"]);
    assert!(record.contains("comparisons") && record.contains("Ada"), "{record}");
    assert_eq!(desk.one().artifact(ArtifactKind::Outcome).unwrap().tree(), Some(&desk.approved_tree()));
    let verbs: Vec<Verb> = desk.decisions().iter().map(|decision| decision.verb).collect();
    assert_eq!(verbs, [Verb::Approve, Verb::Revise, Verb::Approve, Verb::Approve, Verb::Approve]);
    eventually("no worktree", || place.worktrees().is_empty()).await;
    desk.end(&place).await;
}
