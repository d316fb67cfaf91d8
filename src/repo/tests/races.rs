//! Races for the checkout: while a change lands, somebody else saves, deletes, stages, commits, switches. Each race ends
//! with the approved tree landed or the checkout as its owner left it, and nobody's work is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hint::spin_loop;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::landing::landing;
use super::{Fixture, git};
use crate::domain::{CommitId, LoopId};
use crate::process::capture::Capture;
use crate::repo::{Checkout, Landing};

/// Races of one test; they run side by side.
const RACES: u64 = 160;

const MINE: &str = "what I just saved\n";

/// What the other one does, amid the landing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Attack {
    /// Saves a file that the change edits, as careful editors do.
    Save,
    /// Adds to that file where it is, as careless ones do.
    Append,
    /// Saves a file that the change doesn't touch.
    SaveOther,
    /// Saves the file that the change deletes.
    SaveDoomed,
    /// Deletes a file that the change edits.
    Delete,
    /// Makes the file executable that the change edits.
    Chmod,
    /// Makes the very file that the change makes.
    Make,
    /// The same, where git ignores it.
    MakeIgnored,
    /// Makes a file where the change makes a directory.
    MakeInTheWay,
    /// Puts a link in the place of a directory that the change edits in.
    Link,
    /// Stages an edit of another file.
    Stage,
    /// Stages an edit of a file that the change edits.
    StageSame,
    /// Commits an edit of another file.
    Commit,
    /// Moves the branch to another commit.
    Push,
    /// Switches to another branch on the same commit.
    Switch,
    /// Switches to a branch with other files.
    SwitchFar,
    /// Leaves every branch.
    Detach,
    /// Begins a merge.
    Merge,
    /// Locks the index.
    Lock,
}

use Attack::*;

const FILES: &[Attack] = &[Save, Append, SaveOther, SaveDoomed, Delete, Chmod, Make, MakeIgnored, MakeInTheWay, Link];
const GIT: &[Attack] = &[Stage, StageSame, Commit, Push, Switch, SwitchFar, Detach, Merge, Lock];

/// When: by what can be seen of the landing, and a while later.
#[derive(Debug, Clone, Copy)]
enum Moment {
    First,
    Before,
    Kept,
    Locked,
    FileGone,
    FileNew,
    Moved,
    Last,
}

const MOMENTS: [Moment; 7] =
    [Moment::Before, Moment::Kept, Moment::Locked, Moment::Locked, Moment::FileGone, Moment::FileNew, Moment::Moved];

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn one<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap()]
    }
}

/// A repository that is put back to the same state before each race.
struct Ground {
    fixture: Fixture,
    landing: Landing,
    /// A commit that somebody else made on the parent.
    other: CommitId,
    untouched: BTreeMap<String, Vec<u8>>,
    landed: BTreeMap<String, Vec<u8>>,
}

impl Ground {
    fn new() -> Self {
        let fixture = Fixture::new();
        let landing = landing(&fixture);
        fixture.git(&["branch", "same"]);
        fixture.git(&["switch", "-q", "-c", "far"]);
        fixture.write("src/main.rs", "fn main() {}\n");
        let other = fixture.commit("far");
        fixture.git(&["switch", "-q", "main"]);
        let untouched = files(fixture.top());
        copy(fixture.top(), &fixture.dir.path().join("kept"));
        let ground = Self { fixture, landing, other, untouched, landed: BTreeMap::new() };
        // How it looks when nobody comes in between.
        let landed = ground.fixture.repo.land(&ground.landing).unwrap();
        assert_eq!(landed.checkout, Checkout::Moved { branch: "main".into() });
        let landed = files(ground.top());
        Self { landed, ..ground }
    }

    fn top(&self) -> &Path {
        self.fixture.top()
    }

    fn reset(&self) {
        fs::remove_dir_all(self.top()).unwrap();
        copy(&self.fixture.dir.path().join("kept"), self.top());
    }

    /// Waits for the moment, as long as the landing lasts.
    fn wait(&self, moment: Moment, ended: &AtomicBool) {
        let seen = |path: &str| self.top().join(path).symlink_metadata().is_ok();
        let new = |path: &str| fs::read_to_string(self.top().join(path)).is_ok_and(|text| text.contains("x\nz"));
        let main = fs::read(self.top().join(".git/refs/heads/main")).ok();
        while !ended.load(Ordering::Relaxed) {
            let come = match moment {
                Moment::First | Moment::Before => true,
                Moment::Kept => seen(".git/refs/windlass/loop-3"),
                Moment::Locked => seen(".git/index.lock"),
                Moment::FileGone => !seen("docs/Guide.md"),
                Moment::FileNew => new("src/twice.rs"),
                Moment::Last => false,
                Moment::Moved => fs::read(self.top().join(".git/refs/heads/main")).ok() != main,
            };
            if come {
                return;
            }
            if !matches!(moment, Moment::FileGone | Moment::FileNew) {
                thread::yield_now();
            }
        }
    }

    /// Does it; whether it came about. git may find the index locked, or refuse.
    fn attack(&self, attack: Attack) -> bool {
        let at = |path: &str| self.top().join(path);
        let save = |path: &str, text: &str| {
            fs::write(self.fixture.dir.path().join("draft"), text).unwrap();
            fs::rename(self.fixture.dir.path().join("draft"), at(path)).is_ok()
        };
        let git = |args: &[&str]| {
            let run = Capture::new("git", self.top()).without_env("GIT_", &[]).env("GIT_CONFIG_GLOBAL", "/dev/null");
            let quiet = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
            run.args(quiet).args(args).run().unwrap().status.success()
        };
        let (parent, other) = (self.landing.parent.as_str(), self.other.as_str());
        match attack {
            Save => save("src/twice.rs", MINE),
            Append => {
                let file = fs::OpenOptions::new().append(true).open(at("src/twice.rs"));
                file.is_ok_and(|mut file| std::io::Write::write_all(&mut file, MINE.as_bytes()).is_ok())
            }
            SaveOther => save("src/main.rs", MINE),
            SaveDoomed => {
                let _ = fs::create_dir(at("docs"));
                save("docs/Guide.md", MINE)
            }
            Delete => fs::remove_file(at("src/twice.rs")).is_ok(),
            Chmod => fs::set_permissions(at("src/twice.rs"), fs::Permissions::from_mode(0o755)).is_ok(),
            Make | MakeIgnored => {
                if attack == MakeIgnored {
                    fs::write(at(".git/info/exclude"), "new\n").unwrap();
                }
                let _ = fs::create_dir(at("new"));
                save("new/file.txt", MINE)
            }
            MakeInTheWay => save("new", MINE),
            Link => fs::rename(at("docs"), at("documents")).is_ok_and(|()| symlink("documents", at("docs")).is_ok()),
            Stage => save("src/main.rs", MINE) && git(&["add", "src/main.rs"]),
            StageSame => save("src/twice.rs", MINE) && git(&["add", "src/twice.rs"]),
            Commit => save("src/main.rs", MINE) && git(&["commit", "-q", "-m", "mine", "src/main.rs"]),
            Push => git(&["update-ref", "refs/heads/main", other, parent]),
            Switch => git(&["switch", "-q", "same"]),
            SwitchFar => git(&["switch", "-q", "far"]),
            Detach => git(&["checkout", "-q", "--detach"]),
            Merge => fs::write(at(".git/MERGE_HEAD"), format!("{other}\n")).is_ok(),
            Lock => fs::File::create_new(at(".git/index.lock")).is_ok(),
        }
    }

    /// One race; whether the checkout moved.
    fn race(&self, attack: Attack, moment: Moment, spins: u64) -> bool {
        self.reset();
        let (ended, begun) = (AtomicBool::new(false), matches!(moment, Moment::First));
        let early = begun && self.attack(attack);
        let (landed, done) = thread::scope(|scope| {
            let other = scope.spawn(|| {
                self.wait(moment, &ended);
                (0..spins).for_each(|_| spin_loop());
                if begun { early } else { self.attack(attack) }
            });
            let landed = self.fixture.repo.land(&self.landing);
            ended.store(true, Ordering::Relaxed);
            (landed, other.join().unwrap())
        });
        let landed = landed.unwrap();
        let moved = matches!(landed.checkout, Checkout::Moved { .. });
        let told = format!("{attack:?} {moment:?} {spins}: {done}, {:?}", landed.checkout);
        self.check(attack, done, &landed.commit, moved, &told);
        moved
    }

    fn check(&self, attack: Attack, done: bool, commit: &CommitId, moved: bool, told: &str) {
        let Landing { tree, parent, .. } = &self.landing;
        let refs = self.fixture.git(&["rev-parse", &format!("{commit}^{{tree}}"), &format!("{commit}^"), "main"]);
        let refs: Vec<&str> = refs.lines().collect();
        assert_eq!(refs[..2], [tree.as_str(), parent.as_str()], "{told}");
        let main = refs[2];
        let kept = fs::read_to_string(self.top().join(".git/refs/windlass/loop-3")).unwrap();
        assert_eq!(kept.trim(), commit.as_str(), "{told}");
        self.fixture.assert_no_hook_ran();
        assert_eq!(fs::read_dir(self.top().join(".git/windlass/scratch")).unwrap().count(), 0, "{told}");
        let lock = self.top().join(".git/index.lock").exists();
        assert_eq!(lock, attack == Lock && done, "{told}");

        // Whatever the other one saved is there, and every other file is as before or as landed, all of them alike.
        let now = files(self.top());
        let theirs = theirs(attack, &now);
        let same = |as_is: &BTreeMap<String, Vec<u8>>| {
            let differ = |path: &&String| as_is.get(*path) != now.get(*path);
            let paths: BTreeSet<&String> = as_is.keys().chain(now.keys()).collect();
            paths.into_iter().filter(differ).filter(|path| !theirs.contains(&path.as_str())).count() == 0
        };
        let switched = matches!(attack, Switch | SwitchFar | Detach) && done;
        // Who switches after the landing has the files of the other branch.
        let alike = same(if moved { &self.landed } else { &self.untouched }) || (switched && same(&self.untouched));
        assert!(alike, "{told}: {:?}", now.keys());
        let mine = |path: &str| now.get(path).is_some_and(|content| content.ends_with(MINE.as_bytes()));
        match attack {
            Save | Append | StageSame if done || attack != Append => assert!(mine("src/twice.rs"), "{told}"),
            SaveOther | Stage | Commit => assert!(mine("src/main.rs"), "{told}"),
            SaveDoomed if done => assert!(mine("docs/Guide.md"), "{told}"),
            Make | MakeIgnored if done => assert!(mine("new/file.txt"), "{told}"),
            MakeInTheWay if done => assert!(mine("new"), "{told}"),
            Delete if done => assert!(!now.contains_key("src/twice.rs"), "{told}"),
            Chmod if done && !moved => assert!(now["src/twice.rs"].starts_with(b"100755"), "{told}"),
            _ => {}
        }

        // The branch is where the landing or the other one put it, and nothing is staged that nobody staged.
        let theirs: &[&str] = &[parent.as_str(), self.other.as_str()];
        match (moved, attack) {
            (true, Commit) => {
                assert!(
                    main == commit.as_str() || self.fixture.git(&["rev-parse", "main^"]) == commit.as_str(),
                    "{told}"
                );
            }
            (true, _) => assert_eq!(main, commit.as_str(), "{told}"),
            (false, Commit) if done => assert_eq!(self.fixture.git(&["rev-parse", "main^"]), parent.as_str(), "{told}"),
            (false, _) => assert!(theirs.contains(&main) || (switched && main == commit.as_str()), "{told}: {main}"),
        }
        if !matches!(attack, Push | Stage | StageSame | Lock) {
            let staged = git(self.top(), &["diff", "--cached", "--name-only", "--ignore-submodules"]);
            assert_eq!(staged, "", "{told}");
        }
    }
}

/// The paths that are the other one's, or may be.
fn theirs(attack: Attack, now: &BTreeMap<String, Vec<u8>>) -> Vec<&'static str> {
    match attack {
        Save | Append | StageSame | Delete | Chmod => vec!["src/twice.rs"],
        SaveOther | Stage | Commit | SwitchFar => vec!["src/main.rs"],
        SaveDoomed => vec!["docs/Guide.md"],
        Make | MakeIgnored => vec!["new/file.txt"],
        MakeInTheWay => vec!["new"],
        Link if now.contains_key("documents/Guide.md") => vec!["docs", "docs/Guide.md", "documents/Guide.md"],
        Link => vec!["docs", "docs/Guide.md"],
        _ => Vec::new(),
    }
}

/// Every file of a checkout, with its mode.
fn files(top: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut state = BTreeMap::new();
    super::read_dir(top, top, &mut state);
    let files = state.into_iter().filter(|(_, content)| !content.is_empty());
    files.map(|(name, content)| (name.trim_start_matches("file ").to_owned(), content)).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, target) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        match entry.file_type().unwrap() {
            kind if kind.is_symlink() => symlink(fs::read_link(entry.path()).unwrap(), target).unwrap(),
            kind if kind.is_dir() => copy(&entry.path(), &target),
            _ => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Runs races with these attacks, and tells how they went.
fn races(name: &str, attacks: &[Attack], seed: u64) {
    let ground = Ground::new();
    assert_eq!(ground.landing.loop_id, LoopId(3));
    let mut dice = Dice(seed);
    let mut tally: BTreeMap<Attack, (u32, u32)> = BTreeMap::new();
    for race in 0..RACES {
        let nth = usize::try_from(race).unwrap();
        let attack = attacks[nth % attacks.len()];
        let moment = match nth / attacks.len() {
            0 => Moment::First,
            1 => Moment::Last,
            _ => dice.one(&MOMENTS),
        };
        let reach = dice.one(&[1, 1_000, 30_000, 600_000]);
        let moved = ground.race(attack, moment, dice.roll(reach));
        let (landed, refused) = tally.entry(attack).or_default();
        *(if moved { landed } else { refused }) += 1;
    }
    let sum = |side: fn(&(u32, u32)) -> u32| tally.values().map(side).sum::<u32>();
    println!("{name}: {RACES} races, {} landed, {} refused: {tally:?}", sum(|one| one.0), sum(|one| one.1));
    for (attack, (landed, refused)) in tally {
        assert!(landed > 0 && refused > 0, "{attack:?}: {landed} landed, {refused} refused");
    }
}

#[test]
fn saving_while_a_change_lands_loses_nothing() {
    races("files", FILES, 0x9e37_79b9_7f4a_7c15);
}

#[test]
fn saving_while_a_change_lands_loses_nothing_at_other_moments() {
    races("files again", FILES, 0x2545_f491_4f6c_dd1d);
}

#[test]
fn git_while_a_change_lands_loses_nothing() {
    races("git", GIT, 0xda94_2042_e4dd_58b5);
}

#[test]
fn git_while_a_change_lands_loses_nothing_at_other_moments() {
    races("git again", GIT, 0xbf58_476d_1ce4_e5b9);
}
