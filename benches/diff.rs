//! What a diff of a million lines costs: from its event to the first paint, in memory, and for each key that pages and
//! jumps; and how fast code is coloured, beside `delta` where that is installed (the variable `DELTA` says where).
//!
//! The bars: first paint at most 150 ms after the change has been read, memory at most 3 times its size, paging and
//! jumping under 16 ms at the 99th percentile.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that can't set itself up has nothing to say"
)]

use std::fmt::Write as _;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tempfile::NamedTempFile;

use windlass::app::action::Action;
use windlass::app::{Host, Model, Msg, update};
use windlass::config::workflow;
use windlass::domain::{ArtifactKind, Change, LoopId, Origin, Person, Revision, StageIndex, Timestamp, Workflow};
use windlass::engine::{Command, Event, Recorded, Setup, State, apply, decide};
use windlass::keymap::Keymap;
use windlass::theme::{Depth, Theme};
use windlass::view::{Grammar, Scene, Syntax, draw};

const SIZE: (u16, u16) = (200, 50);

/// A patch of about this many lines of Rust: files of 40 hunks with 14 lines each.
fn patch(lines: usize) -> String {
    let mut patch = String::new();
    let (mut written, mut file) = (0, 0);
    while written < lines {
        file += 1;
        let path = format!("src/room_{}/file_{file}.rs", file % 40);
        let _ =
            write!(patch, "diff --git a/{path} b/{path}\nindex 1111111..2222222 100644\n--- a/{path}\n+++ b/{path}\n");
        written += 4;
        for hunk in 0..40 {
            let at = hunk * 60 + 1;
            let _ = writeln!(patch, "@@ -{at},10 +{at},10 @@ impl Order{file} {{");
            let _ = write!(
                patch,
                "     /// The orders of one day, by their numbers.\n     pub fn orders_{hunk}(&self) -> Vec<Order> {{\n\
                 \x20        let mut found = Vec::new();\n\
                 -        for order in self.all.iter().filter(|order| order.day == {hunk}) {{\n\
                 -            if !found.contains(order) {{ found.push(order.clone()); }}\n\
                 -        }}\n\
                 +        let wanted = self.by_day.get(&{hunk}).map(Vec::as_slice);\n\
                 +        for order in wanted.unwrap_or_default() {{\n\
                 +            found.push(self.orders[order].clone());\n\
                 +        }}\n\
                 \x20        found.sort_by_key(|order| order.number);\n         found\n     }}\n"
            );
            written += 14;
        }
    }
    patch
}

/// A loop whose change is being drafted.
struct Bench {
    state: State,
    model: Model,
    seq: u64,
    now: i64,
    theme: Theme,
    keymap: Keymap,
    syntax: Syntax,
    buf: Buffer,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            state: State::default(),
            model: Model::new(State::default(), 0, Host::default(), SIZE, Timestamp(0)),
            seq: 0,
            now: 0,
            theme: Theme::load("default-dark", None, Depth::True).0,
            keymap: Keymap::load("vim", None).0,
            syntax: Syntax::default(),
            buf: Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1)),
        };
        let scale = workflow("scale").unwrap();
        let change = scale.stages().iter().filter(|stage| stage.artifact == ArtifactKind::Change);
        let workflow = Workflow::new("change".to_owned(), change.cloned().collect()).unwrap();
        let (id, stage) = (LoopId(1), StageIndex(0));
        let by = Person("Ada <ada@example.org>".to_owned());
        let base = "b".repeat(40).parse().unwrap();
        let setup = Setup::default();
        bench.give(Command::Begin {
            goal: "10x".into(),
            hint: None,
            workflow,
            base,
            branch: None,
            setup,
            by: by.clone(),
        });
        bench.give(Command::Prepared { id, stage, items: Vec::new(), measurement: None, unmeasured: None });
        bench.give(Command::Write { id, text: "by hand".to_owned(), by });
        bench
    }

    fn give(&mut self, command: Command) {
        for event in decide(&self.state, command, Timestamp(0)).unwrap() {
            self.event(event);
        }
    }

    fn event(&mut self, event: Event) {
        self.seq += 1;
        let recorded = Recorded { seq: self.seq, at: Timestamp(0), event };
        apply(&mut self.state, &recorded).unwrap();
        self.tell(Msg::Event(Box::new(recorded)));
    }

    fn tell(&mut self, msg: Msg) {
        update(&mut self.model, msg, Timestamp(self.now));
    }

    fn paint(&mut self) {
        self.syntax.begin_frame();
        let Self { model, theme, keymap, syntax, buf, .. } = self;
        draw(&Scene { model, theme, keymap, syntax, pending: None }, buf);
    }

    /// Does an action and draws; gives the time it took.
    fn act(&mut self, action: Action) -> Duration {
        // Nobody presses keys faster than this; what stands there meanwhile is read.
        self.now += 700;
        self.tell(Msg::Woken);
        let begun = Instant::now();
        self.tell(Msg::Act(action));
        self.paint();
        begun.elapsed()
    }

    fn colour(&self) {
        let _ = self.syntax.slot().set(Grammar::load(self.theme.syntax()));
    }
}

/// The change as an event brings it.
fn revision(text: Arc<str>) -> Revision {
    let (base, tree) = ("b".repeat(40).parse().unwrap(), "d".repeat(40).parse().unwrap());
    let change = Change { base, tree, patch: text, files: Vec::new(), flags: Vec::new() };
    let origin = Origin::Human { name: "Ada".to_owned() };
    Revision::new(ArtifactKind::Change, 1, "What it does.\n".to_owned(), Some(change), origin)
}

/// Megabytes in use, and the most there were, as the system counts them.
fn memory() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Processor time that this thread has taken. Linux only.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
}

/// Seconds of processor time that the children waited for have taken. Linux only.
fn children_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u32 = fields[13].parse::<u32>().unwrap() + fields[14].parse::<u32>().unwrap();
    f64::from(ticks) / 100.0
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn percentiles(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |per_mille: usize| ms(times[(times.len() - 1) * per_mille / 1000]);
    println!(
        "{what}: median {:.2} ms, p99 {:.2} ms, worst {:.2} ms ({} keys)",
        at(500),
        at(990),
        at(1000),
        times.len()
    );
}

fn open(file: &NamedTempFile) -> Bench {
    let mut bench = Bench::new();
    bench.paint();
    let begun = Instant::now();
    let revision = revision(std::fs::read_to_string(file).unwrap().into());
    let read = begun.elapsed();
    let (id, stage) = (LoopId(1), StageIndex(0));
    let (begun, busy) = (Instant::now(), processor_time());
    bench.event(Event::Drafted { id, stage, revision });
    bench.paint();
    println!(
        "  read {:.1} ms (with the digest of its revision), then event to first paint {:.1} ms, {:.1} ms of them busy",
        ms(read),
        ms(begun.elapsed()),
        ms(processor_time() - busy)
    );
    bench
}

fn million() {
    let text = patch(1_000_000);
    let (lines, size) = (text.lines().count(), text.len() as f64 / 1048576.0);
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    println!("a diff of {lines} lines, {size:.1} MB");
    let before = memory().0;
    let mut bench = open(&file);
    let (now, most) = memory();
    println!(
        "  memory {:.1} MB more = {:.2} times its size; at most {:.1} MB = {:.2} times",
        now - before,
        (now - before) / size,
        most - before,
        (most - before) / size
    );
    bench.colour();
    let mut page = Vec::new();
    for _ in 0..600 {
        page.push(bench.act(Action::ScrollHalfDown));
    }
    for _ in 0..200 {
        page.push(bench.act(Action::ScrollHalfUp));
    }
    percentiles("  paging", page);
    let jumps = [
        Action::ScrollBottom,
        Action::ScrollTop,
        Action::FileNext,
        Action::HunkNext,
        Action::HunkNextUnread,
        Action::HunkAccept,
        Action::FilePrev,
        Action::ScrollBottom,
        Action::HunkPrev,
    ];
    for sides in [false, true] {
        if sides {
            bench.act(Action::DiffSides);
        }
        let times = jumps.iter().cycle().take(900).map(|action| bench.act(*action)).collect();
        percentiles(if sides { "  jumping, side by side" } else { "  jumping" }, times);
    }
    let (now, _) = memory();
    println!("  after all of that {:.1} MB more = {:.2} times its size", now - before, (now - before) / size);
    println!("  opened again, and again:");
    for _ in 0..4 {
        drop(open(&file));
    }
}

/// Lines coloured in a second, when all of a diff is paged through.
fn colours() {
    let text = patch(100_000);
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, &text).unwrap();
    let lines = text.lines().count() as f64;
    println!("colouring a diff of {lines} lines");
    let mut bench = open(&file);
    bench.colour();
    let (begun, busy) = (Instant::now(), processor_time());
    let mut last = bench.model.scroll(bench.model.wide_pane());
    loop {
        bench.tell(Msg::Act(Action::ScrollHalfDown));
        bench.tell(Msg::Act(Action::ScrollHalfDown));
        bench.paint();
        while bench.syntax.lags() {
            bench.paint();
        }
        let here = bench.model.scroll(bench.model.wide_pane());
        if here == last {
            break;
        }
        last = here;
    }
    let ours = lines / begun.elapsed().as_secs_f64();
    let busy = lines / (processor_time() - busy).as_secs_f64();
    println!(
        "  windlass: {ours:.0} lines a second, {busy:.0} of processor time: every line wrapped, in its syntax colours with \
         the changed words emphasised, and drawn"
    );
    let delta = std::env::var("DELTA").unwrap_or_else(|_| "delta".to_owned());
    let (begun, busy_before) = (Instant::now(), children_time());
    let input = std::fs::File::open(&file).unwrap();
    let run = Process::new(&delta)
        .args(["--no-gitconfig", "--paging=never", "--true-color=always", "--width=200"])
        .stdin(input)
        .stdout(Stdio::null())
        .status();
    match run {
        Ok(status) if status.success() => {
            let theirs = lines / begun.elapsed().as_secs_f64();
            let theirs_busy = lines / (children_time() - busy_before);
            println!(
                "  delta: {theirs:.0} lines a second, {theirs_busy:.0} of processor time, from start to end into \
                 /dev/null; windlass is {:.2} times as fast, {:.2} times by processor time",
                ours / theirs,
                busy / theirs_busy
            );
        }
        _ => println!("  delta isn't here to compare with: `cargo install git-delta`, or DELTA=/path/to/delta"),
    }
}

fn main() {
    million();
    colours();
}
