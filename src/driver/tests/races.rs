//! Races around an approval: gates that change what they judge, somebody who changes it under them, and somebody at work
//! in the checkout between approval and landing. A pass is always a pass of the tree under review, and what lands is
//! what was approved.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tempfile::TempDir;

use super::landing::approved;
use super::{CONFIG, Desk, FIRST, Place, copy, eventually};
use crate::domain::Verdict;
use crate::engine::{Command, Status};
use crate::process::capture::Capture;

/// Gate runs of one test, and landings of the last.
const RUNS: u64 = 100;
const LANDINGS: u64 = 60;

/// What a gate does to the worktree it runs in, and to whatever else it can reach; and whether it says nothing of the
/// tree under review then. `$top` is the person's checkout.
const DEEDS: &[(&str, bool)] = &[
    ("true", false),
    ("echo 1 >work.txt", true),
    ("echo 1 >work.txt; touch -r probe.sh work.txt", true),
    ("cp work.txt kept; echo 1 >work.txt; mv kept work.txt", false),
    ("rm probe.sh", true),
    ("rm -rf docs; echo docs >docs", true),
    ("mv docs elsewhere; ln -s elsewhere docs", true),
    ("rm work.txt; ln -s /etc/passwd work.txt", true),
    ("chmod +x work.txt", true),
    ("echo new >junk; mkdir more; echo new >more/junk", false),
    ("rm -f .git; git init -q; git add -A; git -c user.name=x -c user.email=x commit -qm x", false),
    ("rm -f .git; echo 1 >work.txt", true),
    ("git update-index --assume-unchanged work.txt; echo 1 >work.txt", true),
    ("echo 1 >work.txt; git commit -qam x; git update-ref refs/heads/main HEAD", true),
    ("git commit --allow-empty -qm x; git update-ref refs/heads/main HEAD; git switch -qc mine", false),
    (
        "entry=$(git rev-parse --git-dir); touch \"$entry/index.lock\"; echo 'ref: refs/heads/main' >\"$entry/HEAD\"",
        false,
    ),
    ("echo 1 >\"$top/work.txt\"; rm \"$top/check.sh\"; git -C \"$top\" commit -qam x", false),
    (
        "(exec >/dev/null 2>&1; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; echo 1 >work.txt; exec sleep 60) &",
        true,
    ),
    ("mv work.txt w; mv w work.txt; touch check.sh", false),
    ("echo 'exit 0' >>check.sh", true),
];

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.roll(length as u64)).unwrap()
    }
}

/// Every file of a checkout, and where its branches are.
fn checkout(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![place.top()];
    while let Some(dir) = dirs.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.ends_with(".git") {
                continue;
            }
            if path.is_dir() {
                dirs.push(path);
            } else {
                let content = fs::read(&path).unwrap();
                found.insert(path, content);
            }
        }
    }
    let refs = place.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]);
    found.insert("refs".into(), format!("{refs}\n{}", place.git(&["symbolic-ref", "HEAD"])).into_bytes());
    found
}

/// A place whose gate does what stands in a file outside of the repository.
fn unruly() -> (Place, TempDir) {
    let (place, outside) = (Place::new(), TempDir::new().unwrap());
    let deed = outside.path().join("deed");
    fs::write(&deed, "true").unwrap();
    let (top, deed) = (place.top().display().to_string(), deed.display());
    let script = format!("top='{top}'\necho judged $(cat work.txt)\n. '{deed}'\nexit 0\n");
    place.file("check.sh", &script);
    place.file("docs/a/b.md", "b\n");
    place.file(".windlass/config.toml", CONFIG);
    (place, outside)
}

/// Runs the gate again.
async fn rerun(desk: &mut Desk) {
    let runs = desk.state.last_run;
    desk.send(Command::Rerun { id: FIRST, gate: Some("check".into()) });
    desk.until("the gate", |desk| desk.state.last_run > runs && desk.stage().pending.is_empty()).await;
}

/// Goes on to the commit. Somebody saves in the checkout meanwhile, and keeps it.
async fn land(mut desk: Desk, place: &Place) {
    let parent = place.git(&["rev-parse", "HEAD"]);
    desk.approve(None);
    desk.reach("outcome", "ready").await;
    desk.draft().await;
    let approved = desk.approved_tree();
    place.file("work.txt", "mine\n");
    desk.approve(Some("outcome"));
    desk.until("the landing", |desk| matches!(desk.one().status, Status::Landed { .. })).await;
    let Status::Landed { commit, left } = desk.one().status.clone() else { panic!("it has landed") };
    assert_eq!(left.unwrap(), "work.txt is in the way: run `git merge refs/windlass/loop-1`");
    let found = place.git(&["rev-parse", &format!("{commit}^{{tree}}"), &format!("{commit}^"), "main"]);
    assert_eq!(found, format!("{approved}\n{parent}\n{parent}"));
    assert_eq!(fs::read_to_string(place.top().join("work.txt")).unwrap(), "mine\n");
    eventually("no worktree", || place.worktrees().is_empty()).await;
    desk.end(place).await;
}

#[tokio::test]
async fn a_gate_that_changes_what_it_judges_never_passes() {
    let (place, outside) = unruly();
    let mut desk = Desk::at(&place, "change").await;
    let before = checkout(&place);
    desk.draft().await;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut passed, mut refused) = (0, 0);
    for run in 0..RUNS {
        let nth = usize::try_from(run).unwrap();
        let (deed, spoils) = DEEDS[if nth < DEEDS.len() { nth } else { dice.index(DEEDS.len()) }];
        fs::write(outside.path().join("deed"), format!("{{ {deed}\n}} 2>/dev/null || :\n")).unwrap();
        rerun(&mut desk).await;
        let run = &desk.stage().runs["check"];
        assert!(run.tail.starts_with("judged 10\n"), "{deed}: it began on another tree: {run:?}");
        assert_eq!(run.subject.tree.as_ref(), Some(&desk.approved_tree()));
        assert_eq!(run.verdict, if spoils { Verdict::Error } else { Verdict::Pass }, "{deed}: {run:?}");
        if spoils {
            desk.approve(None);
            assert!(desk.refusal().await.starts_with("gate check is required and says error"), "{deed}");
            refused += 1;
        } else {
            passed += 1;
        }
        assert_eq!(checkout(&place), before, "{deed}");
    }
    println!("{RUNS} unruly gates: {passed} passed, {refused} refused");
    assert!(passed > 20 && refused > 20);
    fs::write(outside.path().join("deed"), "true").unwrap();
    rerun(&mut desk).await;
    land(desk, &place).await;
}

/// Somebody who is at work in the worktree of the gates, at moments that nobody foresees.
fn meddle(worktree: PathBuf, seed: u64, over: Arc<AtomicBool>) -> thread::JoinHandle<u64> {
    thread::spawn(move || {
        let (mut dice, mut deeds) = (Dice(seed), 0);
        while !over.load(Ordering::Relaxed) {
            let reach = dice.index(3);
            (0..dice.roll([10, 100, 3_000][reach])).for_each(|_| thread::yield_now());
            let at = |path: &str| worktree.join(path);
            let done = match dice.roll(16) {
                0..4 => fs::write(at("work.txt"), "666\n").is_ok(),
                4..7 => fs::remove_file(at("work.txt")).is_ok(),
                7..10 => {
                    fs::write(at("work.new"), "777\n").is_ok() && fs::rename(at("work.new"), at("work.txt")).is_ok()
                }
                10..12 => fs::rename(at("docs"), at("gone")).is_ok(),
                12 => fs::write(at(".git"), "gitdir: /nowhere\n").is_ok(),
                13..15 => fs::write(at("check.sh"), "echo judged 10; exit 0\n").is_ok(),
                // Enough for this time, mostly.
                _ => return deeds,
            };
            deeds += u64::from(done);
        }
        deeds
    })
}

async fn meddled(name: &str, seed: u64) {
    let (place, outside) = unruly();
    let mut desk = Desk::at(&place, "change").await;
    let before = checkout(&place);
    desk.draft().await;
    fs::write(outside.path().join("deed"), "i=0; while [ $i -lt 4000 ]; do i=$((i+1)); done").unwrap();
    let approved = desk.approved_tree();
    let worktree = place.private().join("worktrees/windlass-loop-1-change");
    let (mut dice, mut tally, mut deeds) = (Dice(seed), BTreeMap::<&str, u32>::new(), 0);
    for _ in 0..RUNS {
        let over = Arc::new(AtomicBool::new(false));
        let other = meddle(worktree.clone(), dice.roll(u64::MAX) | 1, Arc::clone(&over));
        let runs = desk.state.last_run;
        desk.send(Command::Rerun { id: FIRST, gate: Some("check".into()) });
        desk.until("the gate", |desk| desk.state.last_run > runs && desk.stage().pending.is_empty()).await;
        over.store(true, Ordering::Relaxed);
        deeds += other.join().unwrap();
        let run = &desk.stage().runs["check"];
        // What passes has judged the tree under review, whole, by the gate's own script.
        if run.verdict == Verdict::Pass {
            assert_eq!(run.tail, "judged 10\n", "{run:?}");
        }
        assert_eq!(run.subject.tree.as_ref(), Some(&approved));
        *tally.entry(run.verdict.name()).or_default() += 1;
    }
    println!("{name}: {RUNS} gates with {deeds} deeds of somebody else amid them: {tally:?}");
    assert!(tally.len() > 1 && deeds > RUNS, "{tally:?}");
    assert_eq!(checkout(&place), before);
    rerun(&mut desk).await;
    assert_eq!(desk.verdict("check"), Some(Verdict::Pass), "left alone, it passes: {:?}", desk.stage().runs["check"]);
    land(desk, &place).await;
}

#[tokio::test]
async fn what_somebody_does_under_a_gate_never_makes_it_pass() {
    meddled("one", 0x2545_f491_4f6c_dd1d).await;
}

#[tokio::test]
async fn what_somebody_does_under_a_gate_never_makes_it_pass_again() {
    meddled("two", 0xda94_2042_e4dd_58b5).await;
}

/// What somebody does in the checkout after the approval.
const WORK: &[&str] = &[
    "echo mine >work.txt",
    "echo mine >check.sh",
    "echo mine >notes.txt",
    "rm work.txt",
    "chmod +x work.txt",
    "echo mine >check.sh; git add check.sh",
    "echo mine >check.sh; git commit -qam mine",
    "echo mine >work.txt; git commit -qam mine",
    "git update-ref refs/heads/main $(git commit-tree -p HEAD -m mine HEAD^{tree})",
    "git switch -qc other",
    "git checkout -q --detach",
    "mkdir -p docs/decisions; echo mine >docs/decisions/0001-ten-times-the-orders.md",
    "echo docs >docs",
    "set -C; true >.git/index.lock",
    "mv work.txt w; mv w work.txt",
];

#[tokio::test]
async fn what_lands_is_what_was_approved() {
    let first = approved().await;
    let mut dice = Dice(0xbf58_476d_1ce4_e5b9);
    let (mut landed, mut left_alone) = (0, 0);
    for race in 0..LANDINGS {
        let place = Place { dir: TempDir::new().unwrap() };
        copy(first.dir.path(), place.dir.path());
        let parent = place.git(&["rev-parse", "main"]);
        let nth = usize::try_from(race).unwrap();
        let (work, round) = (WORK[nth % WORK.len()], nth / WORK.len());
        let reach = dice.index(4);
        let yields = dice.roll([10, 1_000, 10_000, 100_000][reach]);
        // In the first round before the landing, in the second after it, then amid it.
        let mut done = round == 0 && shell(&place.top(), work);
        let top = place.top();
        let other = thread::spawn(move || {
            (0..yields).for_each(|_| thread::yield_now());
            round > 1 && shell(&top, work)
        });
        let mut desk = Desk::open(&place);
        desk.until("the landing", |desk| matches!(desk.one().status, Status::Landed { .. })).await;
        done |= other.join().unwrap() || (round == 1 && shell(&place.top(), work));
        let Status::Landed { commit, left } = desk.one().status.clone() else { panic!("it has landed") };
        let told = format!("{work}, {yields}: {left:?}");
        let found = place.git(&["rev-parse", &format!("{commit}^{{tree}}"), &format!("{commit}^")]);
        assert_eq!(found, format!("{}\n{parent}", desk.approved_tree()), "{told}");
        let ours = place.git(&["merge-base", "main", commit.as_str()]) == commit.as_str();
        let work_txt = fs::read_to_string(place.top().join("work.txt")).unwrap_or_default();
        match left {
            None => {
                assert!(ours, "{told}");
                landed += 1;
            }
            Some(_) => {
                // Who switches once the branch has moved keeps the files of where they went.
                let went = work.contains("switch") || work.contains("checkout");
                let untouched = work_txt == "100\n" || work_txt == "mine\n" || work.starts_with("rm");
                assert!(untouched && (!ours || went), "{told}: {work_txt}");
                left_alone += 1;
            }
        }
        for path in ["work.txt", "check.sh", "notes.txt", "docs/decisions/0001-ten-times-the-orders.md"] {
            if work.contains(&format!("mine >{path}")) {
                let kept = fs::read_to_string(place.top().join(path)).unwrap();
                assert_eq!(kept, "mine\n", "{told}");
            }
        }
        assert_eq!(place.top().join(".git/index.lock").exists(), work.contains("lock") && done, "{told}");
        desk.end(&place).await;
    }
    println!("{LANDINGS} landings with somebody at work: {landed} landed, {left_alone} left the checkout alone");
    assert!(landed > 5 && left_alone > 5);
}

fn shell(top: &Path, work: &str) -> bool {
    let run = Capture::new("sh", top).without_env("GIT_", &[]).env("GIT_CONFIG_GLOBAL", "/dev/null");
    run.args(["-c", work]).run().unwrap().status.success()
}
