//! Landing when the program dies around it, when the checkout is in the way, and when there is nothing to stand on.

use std::fs;

use super::{Desk, FIRST, Place, replayed};
use crate::domain::Timestamp;
use crate::engine::{Command, Status, decide};
use crate::journal::Reader;
use crate::process::capture::Capture;

/// A place whose outcome is approved in the journal, with a driver that died right then.
pub(super) async fn approved() -> Place {
    let place = Place::new();
    let mut desk = Desk::at(&place, "outcome").await;
    desk.draft().await;
    let approval = Command::Approve(Box::new(desk.approval(Some("outcome"))));
    desk.end(&place).await;
    let (mut journal, state) = replayed(&place);
    let at = Timestamp(1_700_000_000_000);
    journal.append(at, decide(&state, approval, at).unwrap()).unwrap();
    place
}

#[tokio::test]
async fn a_landing_cut_short_makes_the_same_commit_when_it_is_done_again() {
    let place = approved().await;
    let journal = place.private().join("journal.sqlite3");
    let kept = fs::read(&journal).unwrap();
    let mut desk = Desk::open(&place);
    desk.until("the landing", |desk| matches!(desk.one().status, Status::Landed { .. })).await;
    let first = desk.one().status.clone();
    let decided = desk.one().decided;
    desk.end(&place).await;
    let trailer = place.git(&["log", "-1", "--format=%(trailers:key=Windlass-Journal,valueonly)"]);
    let named = Reader::open(&place.private()).unwrap().unwrap().hash_at(decided).unwrap().unwrap();
    assert_eq!(trailer.trim(), named.to_string());

    // The commit is there, and the journal never heard of it.
    fs::write(&journal, kept).unwrap();
    let mut desk = Desk::open(&place);
    desk.until("the landing", |desk| matches!(desk.one().status, Status::Landed { .. })).await;
    assert_eq!(desk.one().status, first);
    assert_eq!(place.git(&["rev-list", "--count", "HEAD"]), "2");
    assert_eq!(place.git(&["status", "--porcelain"]), "");
    desk.end(&place).await;
}

#[tokio::test]
async fn a_dirty_checkout_stops_no_loop_and_is_left_as_it_is() {
    let place = Place::new();
    place.commit_all();
    place.file("work.txt", "mine\n");
    place.file("notes.txt", "mine too\n");
    let before = place.git(&["rev-parse", "HEAD"]);
    let mut desk = Desk::at(&place, "outcome").await;
    desk.land().await;
    let Status::Landed { commit, left: Some(left) } = desk.one().status.clone() else { panic!("it is left") };
    assert_eq!(left, "work.txt is in the way: run `git merge refs/windlass/loop-1`");
    assert_eq!(place.git(&["rev-parse", "main", "HEAD"]), format!("{before}\n{before}"));
    assert_eq!(place.git(&["status", "--porcelain"]), " M work.txt\n?? notes.txt");
    assert_eq!(place.git(&["rev-parse", &format!("{commit}^{{tree}}")]), desk.approved_tree().as_str());

    place.git(&["stash", "-q"]);
    let command = left.split('`').nth(1).unwrap();
    let ran = Capture::new("sh", &place.top()).args(["-c", command]).run().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(place.git(&["rev-parse", "main"]), commit.as_str());
    desk.end(&place).await;
}

#[tokio::test]
async fn a_loop_needs_a_commit_to_stand_on() {
    let place = Place::new();
    place.commit_all();
    let mut desk = Desk::open(&place);
    place.git(&["checkout", "-q", "--orphan", "empty"]);
    desk.begin();
    assert!(desk.refusal().await.ends_with("Make it: git commit --allow-empty -m 'First commit'"));
    place.git(&["commit", "-q", "--allow-empty", "-m", "First commit"]);
    desk.begin();
    desk.until("the loop", |desk| desk.state.loops.contains_key(&FIRST)).await;
    desk.end(&place).await;
}
