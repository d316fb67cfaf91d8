//! The driver with everything real below it - git, journal, processes, sockets - and the test in the human's place.

mod bad_ends;
mod contexts;
mod detours;
mod gates;
mod landing;
mod others;
mod races;
mod starts;
mod threads;
mod trees;
mod whole;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::{Driver, DriverError, Order, Report};
use crate::config::{Flags, Paths, load};
use crate::domain::{Decision, LoopId, Offer, Person, Role, Timestamp, TreeId, Unread, Verdict};
use crate::engine::{Approval, Command, Event, Loop, Phase, Recorded, Stage, State, Status, apply, evidence, gaps};
use crate::journal::{Journal, Reader, verify};
use crate::process::capture::Capture;
use crate::repo::Repo;

/// Far longer than anything here takes: what hasn't come by then never comes.
const NEVER: Duration = Duration::from_secs(120);

const FIRST: LoopId = LoopId(1);

const CONFIG: &str = r#"
[roles]
author = "script/author"
critic = "script/critic"

[measure]
rounds = 2

[[gate]]
name = "check"
argv = ["sh", "check.sh"]

[[probe]]
name = "work"
argv = ["sh", "probe.sh"]
"#;

const CONSTRAINT: &str = "## Constraint\n\nThe work.\n\n## Evidence\n\n- work: {{cell:work:value}} steps.\n\n## Target\n\nLess.\n\n\
                          ## Acceptance criteria\n\n- work <= 0.5x\n";
const PLAN: &str = "## Change\n\nDo less.\n\n## Files\n\n- `work.txt` - fewer steps\n\n## Expected effect\n\nLess work.\n\n\
                    ## Risks\n\nNone.\n\n## Rollback\n\nRevert.\n\n## Downstream\n\nNothing.\n";
const CHANGE: &str = "Fewer steps.\n\nwork.txt\n<<<<<<< SEARCH\n100\n=======\n10\n>>>>>>> REPLACE\n";
const OUTCOME: &str = "## Result\n\n- work: {{cell:work:before}} before, {{cell:work:after}} after.\n\n## Prediction\n\nIt held.\n\n\
                       ## Downstream\n\nNothing got worse.\n\n## Next constraint\n\nThe rest.\n";

/// A repository, a person's configuration, and replies to play: on the disk, with or without a driver.
struct Place {
    dir: TempDir,
}

impl Place {
    /// A repository in which `work.txt` says how much work there is, with a reply for every stage.
    fn new() -> Self {
        let place = Self { dir: TempDir::new().unwrap() };
        for dir in [place.top(), place.user(), place.replies()] {
            fs::create_dir_all(dir).unwrap();
        }
        let replies = place.replies();
        for (stage, text) in [("constraint", CONSTRAINT), ("plan", PLAN), ("change", CHANGE), ("outcome", OUTCOME)] {
            for nth in 1..=4 {
                fs::write(replies.join(format!("author-{stage}.{nth}.md")), text).unwrap();
                fs::write(replies.join(format!("critic-{stage}.{nth}.md")), "No findings.\n").unwrap();
            }
        }
        place.script(&replies);
        place.file(".windlass/config.toml", CONFIG);
        place.file("work.txt", "100\n");
        place.file("check.sh", "echo checked\n");
        place.file("probe.sh", "echo \"work $(cat work.txt) steps\"\n");
        place
    }

    /// The demonstration's project and replies.
    fn demo() -> Self {
        let place = Self { dir: TempDir::new().unwrap() };
        fs::create_dir_all(place.user()).unwrap();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
        copy(&demo.join("project"), &place.top());
        place.script(&demo.join("replies"));
        place.commit_all();
        place
    }

    /// Models play these replies.
    fn script(&self, replies: &Path) {
        let table = format!("[providers.script]\nkind = \"script\"\ndir = {:?}\n", replies.display().to_string());
        fs::write(self.user().join("config.toml"), table).unwrap();
    }

    /// The author is behind this port of this machine; the critic plays replies.
    fn author_at(&self, port: u16) {
        let file = self.user().join("config.toml");
        let mut text = fs::read_to_string(&file).unwrap();
        write!(text, "[providers.fake]\nkind = \"openai-chat\"\nbase_url = \"http://127.0.0.1:{port}/v1\"\n").unwrap();
        fs::write(file, text).unwrap();
        self.file(".windlass/config.toml", &CONFIG.replace("script/author", "fake/m"));
    }

    fn top(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn user(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    fn replies(&self) -> PathBuf {
        self.dir.path().join("replies")
    }

    fn private(&self) -> PathBuf {
        self.top().join(".git/windlass")
    }

    fn file(&self, path: &str, content: &str) {
        let path = self.top().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn reply(&self, name: &str, text: &str) {
        fs::write(self.replies().join(format!("{name}.md")), text).unwrap();
    }

    /// A file that a script waits for while it is there.
    fn hold(&self) -> PathBuf {
        let path = self.dir.path().join("hold");
        fs::write(&path, "").unwrap();
        path
    }

    /// A file that isn't there, in a directory outside of the repository that is.
    fn marker(&self) -> PathBuf {
        let dir = self.dir.path().join("marks");
        fs::create_dir(&dir).unwrap();
        dir.join("ran")
    }

    fn git(&self, args: &[&str]) -> String {
        let captured = Capture::new("git", &self.top())
            .without_env("GIT_", &[])
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(args)
            .run()
            .unwrap();
        assert!(captured.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&captured.stderr));
        String::from_utf8_lossy(&captured.stdout).trim_end().to_owned()
    }

    /// Makes the first commit of what is there, with an identity of its own.
    fn commit_all(&self) {
        self.git(&["init", "-q", "-b", "main"]);
        self.git(&["config", "user.name", "Ada"]);
        self.git(&["config", "user.email", "ada@example.org"]);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "first"]);
    }

    /// The names of the worktrees there are, in git's list and on the disk.
    fn worktrees(&self) -> Vec<String> {
        let mut names = Vec::new();
        for dir in [self.private().join("worktrees"), self.top().join(".git/worktrees")] {
            names.extend(fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().file_name()));
        }
        let mut names: Vec<String> = names.into_iter().map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Everything that went over the wire in the author's or critic's calls, as text, one entry a call.
    fn calls(&self, state: &State) -> Vec<String> {
        let reader = Reader::open(&self.private()).unwrap().unwrap();
        let sent = state.exchanges.keys().map(|id| {
            let request = reader.exchange(*id).unwrap().unwrap().request.unwrap();
            String::from_utf8_lossy(&request.body).into_owned()
        });
        sent.collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The state that the journal of a place holds.
fn replayed(place: &Place) -> (Journal, State) {
    let (journal, recorded) = Journal::open(&place.private()).unwrap();
    let mut state = State::default();
    for one in &recorded {
        apply(&mut state, one).unwrap();
    }
    (journal, state)
}

/// A driver that doesn't run yet, and its reports.
fn driver(place: &Place) -> (Driver, UnboundedReceiver<Report>) {
    let paths = Paths { user: Some(place.user()), repository: Some(place.top()) };
    let config = load(&paths, &|_| None, &Flags::default()).unwrap().config;
    let repo = Repo::open(&place.top()).unwrap();
    fs::create_dir_all(place.private()).unwrap();
    let (journal, state) = replayed(place);
    let (tell, reports) = unbounded_channel();
    (Driver::new(journal, state, config, repo, tell).unwrap(), reports)
}

/// A running driver, and what its reports say.
struct Desk {
    orders: UnboundedSender<Order>,
    reports: UnboundedReceiver<Report>,
    thread: JoinHandle<Result<(), DriverError>>,
    state: State,
    events: Vec<Recorded>,
    refused: Vec<String>,
    progress: Vec<String>,
    /// Calls that waited, for whom, why and until when.
    waiting: Vec<(Role, String, Timestamp)>,
    /// What gates printed, and what models said.
    output: String,
    /// Gates whose turn came, in that order.
    begun: Vec<String>,
    said: String,
    worktree: Option<PathBuf>,
    files: Option<Vec<String>>,
    offers: Option<(Vec<Offer>, bool)>,
}

impl Desk {
    /// Starts a driver, on its own thread and runtime as in the program.
    fn open(place: &Place) -> Self {
        let (driver, reports) = driver(place);
        let state = driver.state.clone();
        let (orders, incoming) = unbounded_channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(driver.run(incoming))
        });
        Self {
            orders,
            reports,
            thread,
            state,
            events: Vec::new(),
            refused: Vec::new(),
            progress: Vec::new(),
            waiting: Vec::new(),
            output: String::new(),
            begun: Vec::new(),
            said: String::new(),
            worktree: None,
            files: None,
            offers: None,
        }
    }

    /// Starts a driver and a loop whose commands are trusted, and goes on to this stage, ready to be drafted.
    async fn at(place: &Place, stage: &str) -> Self {
        if !place.top().join(".git").exists() {
            place.commit_all();
        }
        let mut desk = Self::open(place);
        desk.begin();
        desk.reach("constraint", "ready").await;
        desk.trust().await;
        while desk.stage().spec.id != stage {
            desk.draft_and_approve().await;
            desk.until("the next stage", |desk| desk.stage().phase == Phase::Ready).await;
        }
        desk
    }

    /// Takes reports until this holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            match timeout(NEVER, self.reports.recv()).await {
                Ok(Some(report)) => self.take(report),
                Ok(None) => panic!("the driver ended before {what}; {}", self.told()),
                Err(_) => panic!("{what} never came; {}", self.told()),
            }
        }
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Event(recorded) => {
                apply(&mut self.state, &recorded).unwrap();
                for one in self.state.loops.values() {
                    let open = one.stages.iter().filter(|stage| stage.phase.is_open()).count();
                    assert!(open <= 1, "{open} stages are open after {recorded:?}");
                }
                self.events.push(*recorded);
            }
            Report::Refused(why) => self.refused.push(why),
            Report::Progress(text) => self.progress.push(text),
            Report::Waiting { role, why, until, .. } => self.waiting.push((role, why, until)),
            Report::GateBegan { gate, .. } => self.begun.push(gate),
            Report::GateOutput { text, .. } => self.output.push_str(&text),
            Report::Worktree(path) => self.worktree = Some(path),
            Report::Delta { text, .. } => self.said.push_str(&text),
            Report::Files(files) => self.files = Some(files),
            Report::Models { offers, more } => self.offers = Some((offers, more)),
        }
    }

    fn told(&self) -> String {
        let stage = self.state.loops.get(&FIRST).and_then(Loop::open_stage);
        let stage = stage.map(|stage| (&stage.spec.id, stage.phase, &stage.trouble, &stage.pending, &stage.runs));
        format!("refused: {:?}; progress: {:?}; {stage:#?}", self.refused, self.progress)
    }

    async fn reach(&mut self, stage: &str, phase: &str) {
        let what = format!("{stage} {phase}");
        self.until(&what, |desk| {
            desk.state.loops.contains_key(&FIRST) && desk.stage().spec.id == stage && desk.stage().phase.name() == phase
        })
        .await;
    }

    /// Waits for the next refusal and gives it.
    async fn refusal(&mut self) -> String {
        let before = self.refused.len();
        self.until("a refusal", |desk| desk.refused.len() > before).await;
        self.refused.last().unwrap().clone()
    }

    fn one(&self) -> &Loop {
        &self.state.loops[&FIRST]
    }

    fn stage(&self) -> &Stage {
        self.one().open_stage().unwrap()
    }

    fn verdict(&self, gate: &str) -> Option<Verdict> {
        self.stage().runs.get(gate).map(|run| run.verdict)
    }

    fn send(&self, command: Command) {
        self.orders.send(Order::Command(Box::new(command))).unwrap();
    }

    fn begin(&self) {
        self.orders.send(Order::Begin { goal: "Ten times the orders".into(), hint: None }).unwrap();
    }

    async fn trust(&mut self) {
        let config = self.one().setup.config.unwrap();
        self.send(Command::Trust { config, by: ada() });
        self.until("trust", |desk| desk.state.trusted.contains(&config)).await;
        // What waited for it has begun with the same event.
        self.until("the measurement", |desk| desk.stage().phase == Phase::Ready).await;
    }

    /// Drafts the open stage and waits until a human is asked.
    async fn draft(&mut self) {
        let id = self.stage().spec.id.clone();
        self.send(Command::Draft { id: FIRST });
        self.until("a draft to begin", |desk| desk.stage().phase != Phase::Ready).await;
        self.reach(&id, "awaiting decision").await;
    }

    fn approval(&self, typed: Option<&str>) -> Approval {
        let index = self.one().open;
        let unread = Unread { seen: 3, total: 3 };
        let needed = !gaps(self.one(), index, unread, unread).is_empty();
        Approval {
            id: FIRST,
            stage: index,
            evidence: evidence(self.one(), index),
            unread,
            findings: unread,
            reason: needed.then(|| format!("It was looked at closely ({})", index.number())),
            typed: typed.map(str::to_owned),
            by: ada(),
        }
    }

    fn approve(&self, typed: Option<&str>) {
        self.send(Command::Approve(Box::new(self.approval(typed))));
    }

    async fn draft_and_approve(&mut self) {
        self.draft().await;
        let decided = self.one().decided;
        self.approve(None);
        self.until("the approval", |desk| desk.one().decided > decided).await;
    }

    /// Drafts and approves the outcome, and waits for the commit.
    async fn land(&mut self) {
        self.draft().await;
        self.approve(Some("outcome"));
        self.until("the landing", |desk| matches!(desk.one().status, Status::Landed { .. })).await;
    }

    fn approved_tree(&self) -> TreeId {
        self.stage().revision().unwrap().tree().unwrap().clone()
    }

    fn decisions(&self) -> Vec<&Decision> {
        let decided = self.events.iter().filter_map(|recorded| match &recorded.event {
            Event::Decided { decision, .. } => Some(decision),
            _ => None,
        });
        decided.collect()
    }

    /// Ends the driver and waits until it has let go of everything. Nothing may be wrong with the record.
    async fn end(self, place: &Place) {
        let Self { orders, thread, .. } = self;
        orders.send(Order::End).unwrap();
        tokio::task::spawn_blocking(move || thread.join().unwrap().unwrap()).await.unwrap();
        verify(&place.private()).unwrap();
    }
}

fn ada() -> Person {
    Person("Ada <ada@example.org>".into())
}

/// Waits for something that no report tells.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(NEVER, waiting).await.is_ok(), "{what} never came");
}
