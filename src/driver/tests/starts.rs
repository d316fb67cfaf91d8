//! What a run that was killed leaves behind is cleared away at the next start, and its work is taken up.

use std::fs;
use std::process::{Child, Command as Process, Stdio};

use super::{Desk, FIRST, PLAN, Place, driver, eventually, replayed};
use crate::domain::{End, Verdict};
use crate::driver::Order;
use crate::engine::{Command, Phase, Trouble};
use crate::provider::testing::{FakeServer, Step, event, stream_head};
use crate::repo::Repo;

/// A process that does nothing, under a mark; it ends with the test.
struct Sleeper(Child);

impl Sleeper {
    fn new(mark: &str) -> Self {
        let mut command = Process::new("sleep");
        command.arg("1000").env("WINDLASS_RUN", mark).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn processes_of_an_earlier_run_are_ended_and_no_others() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let mut marks = Vec::new();
    for place in [&place, &elsewhere] {
        place.file("check.sh", "echo \"mark=$WINDLASS_RUN\"\n");
        let mut desk = Desk::at(place, "change").await;
        desk.draft().await;
        marks.push(desk.output.trim().strip_prefix("mark=").unwrap().to_owned());
        desk.end(place).await;
    }
    let mut ours = [Sleeper::new(&marks[0]), Sleeper::new(&format!("outer:{}", marks[0]))];
    let mut others = [Sleeper::new(&marks[1]), Sleeper::new(&format!("0{}", marks[0])), Sleeper::new("")];
    let mut desk = Desk::open(&place);
    desk.until("word of it", |desk| desk.progress.iter().any(|text| text.ends_with("left behind: 2"))).await;
    for Sleeper(child) in &mut ours {
        assert!(!child.wait().unwrap().success());
    }
    for Sleeper(child) in &mut others {
        assert!(child.try_wait().unwrap().is_none(), "nobody else's process is touched");
    }
    desk.end(&place).await;
}

#[tokio::test]
async fn a_review_goes_on_and_what_nobody_owns_is_removed() {
    let place = Place::new();
    let hold = place.hold();
    let seconds = format!("86400.{}", std::process::id());
    let wait = format!("echo begun; if [ -e '{}' ]; then sleep {seconds}; fi\n", hold.display());
    place.file("check.sh", &wait);
    // By its argument: among its own processes it has another number.
    let runs = || {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        lines.into_iter().any(|line| line.split(|byte| *byte == 0).any(|word| word == seconds.as_bytes()))
    };
    let mut desk = Desk::at(&place, "change").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("the gate", |desk| desk.output.contains("begun")).await;
    eventually("the gate's sleep", &runs).await;
    desk.end(&place).await;
    eventually("the gate's end", || !runs()).await;

    let repo = Repo::open(&place.top()).unwrap();
    repo.worktree("loop-7-change", &repo.head().unwrap()).unwrap();
    fs::write(place.private().join("scratch/index-1-1"), "").unwrap();
    fs::remove_file(hold).unwrap();
    let mut desk = Desk::open(&place);
    desk.reach("change", "awaiting decision").await;
    assert_eq!(desk.verdict("check"), Some(Verdict::Pass));
    assert_eq!(place.worktrees(), ["windlass-loop-1-base", "windlass-loop-1-change"]);
    assert!(!place.private().join("scratch/index-1-1").exists());
    desk.end(&place).await;
}

#[tokio::test]
async fn a_draft_under_way_is_interrupted_and_its_bytes_are_kept() {
    let place = Place::new();
    let server = FakeServer::start(vec![vec![stream_head(), event("## Constr"), Step::AwaitClose]]).await;
    place.author_at(server.port);
    let mut desk = Desk::at(&place, "constraint").await;
    desk.send(Command::Draft { id: FIRST });
    desk.until("the first words", |desk| desk.said.contains("## Constr")).await;
    desk.end(&place).await;
    let mut desk = Desk::open(&place);
    desk.until("the start", |desk| desk.stage().phase == Phase::Ready).await;
    assert!(matches!(desk.stage().trouble, Some(Trouble::Stopped(_))));
    assert!(desk.state.exchanges.values().all(|info| info.end == Some(End::Interrupted)));
    assert_eq!(place.calls(&desk.state).len(), 1);
    desk.end(&place).await;
}

#[tokio::test]
async fn a_reply_that_is_here_when_windlass_ends_is_not_lost() {
    let place = Place::new();
    let desk = Desk::at(&place, "plan").await;
    desk.end(&place).await;
    let mut driver = driver(&place).0;
    driver.start().unwrap();
    driver.serve(Order::Command(Box::new(Command::Draft { id: FIRST }))).unwrap();
    // The call holds its own way home until it has said everything.
    eventually("the reply", || driver.home.strong_count() == 1).await;
    let wire = driver.arrivals.len();
    driver.end().await.unwrap();
    drop(driver);
    assert!(wire > 2);

    let (_, state) = replayed(&place);
    let stage = state.loops[&FIRST].open_stage().unwrap();
    assert_eq!(stage.revision().map(|revision| revision.text.as_str()), Some(PLAN));
    let calls: Vec<_> = state.exchanges.values().map(|info| info.end.clone()).collect();
    assert!(calls.iter().all(|end| *end == Some(End::Complete)), "no call was interrupted or begun: {calls:?}");
    let mut desk = Desk::open(&place);
    desk.reach("plan", "awaiting decision").await;
    assert!(desk.stage().current_critique().is_some(), "what follows is taken up at the next start");
    desk.end(&place).await;
}
