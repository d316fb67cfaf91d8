//! What can be sent to an author, and what is sent.

use super::{Desk, FIRST, Place};
use crate::driver::Order;
use crate::engine::{Command, Phase};

async fn listed(desk: &mut Desk) -> Vec<String> {
    desk.files = None;
    desk.orders.send(Order::ListFiles).unwrap();
    desk.until("the files", |desk| desk.files.is_some()).await;
    desk.files.clone().unwrap()
}

#[tokio::test]
async fn texts_of_the_loops_own_base_are_offered() {
    let place = Place::new();
    place.file("lib/deep/naïve file.txt", "a\n");
    place.file("big.txt", &"x\n".repeat(150_000));
    place.file("picture.png", "\u{89}PNG\0\u{1}\n");
    let mut desk = Desk::at(&place, "constraint").await;
    let expected = [".windlass/config.toml", "check.sh", "lib/deep/naïve file.txt", "probe.sh", "work.txt"];
    assert_eq!(listed(&mut desk).await, expected);

    // What is committed meanwhile isn't the loop's, and is offered once there is none.
    place.file("later.txt", "later\n");
    place.git(&["add", "later.txt"]);
    place.git(&["commit", "-q", "-m", "later"]);
    assert_eq!(listed(&mut desk).await, expected);
    let (reason, by) = ("It is not worth it".to_owned(), super::ada());
    desk.send(Command::Abandon { id: FIRST, reason, by });
    assert!(listed(&mut desk).await.contains(&"later.txt".to_owned()));
    desk.end(&place).await;
}

#[tokio::test]
async fn a_file_that_is_a_piece_already_is_sent_once() {
    let place = Place::new();
    place.file("AGENTS.md", "Tabs, always tabs.\n");
    let mut desk = Desk::at(&place, "constraint").await;
    for name in ["AGENTS.md", "work.txt", "goal"] {
        desk.send(Command::Choose { id: FIRST, name: name.to_owned(), included: true });
    }
    desk.until("the choices", |desk| desk.stage().choices.len() == 3 && desk.stage().phase == Phase::Ready).await;
    let named = |name: &str| desk.stage().context.iter().filter(|item| item.name == name).count();
    assert_eq!(["AGENTS.md", "work.txt", "goal"].map(named), [1, 1, 1]);
    desk.draft().await;
    assert_eq!(place.calls(&desk.state)[0].matches("Tabs, always tabs.").count(), 1);
    desk.end(&place).await;
}
