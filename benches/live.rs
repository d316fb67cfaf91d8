//! The program while a model speaks fast into a pane: from key to paint, bytes to the terminal for each byte said, and
//! the processor time and memory of the whole process.
//!
//! Real keys in a real pseudo-terminal of 120x40, a real server on loopback that says 10,000 tokens, 500 a second.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a bench that can't set itself up has nothing to say"
)]

#[path = "../tests/pty/desk.rs"]
mod desk;
#[path = "../tests/pty/format.rs"]
mod format;
#[path = "../tests/pty/hands.rs"]
mod hands;
#[path = "../tests/pty/harness.rs"]
mod harness;
#[path = "../tests/pty/server.rs"]
mod server;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use desk::Desk;
use harness::Terminal;

const TOKENS: u32 = 10_000;

const PER_SECOND: u32 = 500;

/// Replies of these lengths, this fast, must cost the same for each token: at 500 a second the last would take 200 s.
const LENGTHS: [u32; 3] = [1_000, 10_000, 100_000];
const FLAT_OUT: u32 = 2_000;

const SIZE: (u16, u16) = (120, 40);

/// Between two keys.
const PAUSE: Duration = Duration::from_millis(37);

/// The `n`th token of a reply in Markdown: words, now and then a line's end.
fn token(n: u32) -> &'static str {
    match n {
        n if n.is_multiple_of(97) => "\n\n## Risks\n\n",
        n if n.is_multiple_of(17) => ".\n",
        n if n.is_multiple_of(5) => " `lock`",
        _ => " held",
    }
}

fn main() {
    let (near, far) = (server::Reserved::new(), server::Reserved::new());
    let mut desk = Desk::new();
    desk.furnish("");
    let provider = |name: &str, at: &server::Reserved| {
        format!("[providers.{name}]\nkind = \"openai-chat\"\nbase_url = {:?}\n", at.base_url())
    };
    desk.write_own_config(&(provider("near", &near) + &provider("far", &far)));
    desk.set("WINDLASS_AUTHOR", "near/author-1");
    desk.set("WINDLASS_CRITIC", "far/critic-1");
    let (author, _critic) = (near.serve(), far.serve());
    let mut screen = desk.open(&["new", "Fewer steps"], SIZE);
    hands::trust(&mut screen);
    hands::draft(&mut screen, "constraint");
    let mut call = author.call("author-1", "Write the constraint now");
    call.begin();
    call.say("word");
    screen.wait_for_words("word");

    let silent = speak_alone(&screen, call);
    println!(
        "{TOKENS} tokens at {PER_SECOND}/s into {}x{}, nobody at the keys: {:.1} bytes to the terminal for each byte \
         said, {:.2} s of processor time, at most {:.1} MB resident, {:.1} MB once the call was over",
        SIZE.0, SIZE.1, silent.ratio, silent.cpu, silent.memory, silent.after
    );

    hands::press_for(&mut screen, "draft");
    let mut call = author.call("author-1", "Write the constraint now");
    call.begin();
    call.say("word");
    screen.wait_for_words("word");
    let mut times = keys(&mut screen, call);
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!(
        "key to paint over {} keys meanwhile: median {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        times.len(),
        at(50),
        at(99),
        at(100)
    );

    let costs = LENGTHS.map(|tokens| {
        let cost = cost_of_a_token(&mut screen, &author, tokens);
        println!("{tokens} tokens at {FLAT_OUT}/s: {cost:.1} microseconds of processor time for each");
        cost
    });
    println!("a token of the longest reply costs {:.2} times one of the shortest", costs[2] / costs[0]);
    println!("at most {:.1} MB resident by then", most_memory(screen.pid()));
    screen.kill();
}

/// Microseconds of processor time for each token of a reply of this length.
fn cost_of_a_token(screen: &mut Terminal, author: &server::Server, tokens: u32) -> f64 {
    hands::press_for(screen, "draft");
    let mut call = author.call("author-1", "Write the constraint now");
    call.begin();
    call.say("word");
    screen.wait_for_words("word");
    let before = processor_time(screen.pid());
    speak(&mut call, tokens, FLAT_OUT);
    let cost = (processor_time(screen.pid()) - before) * 1e6 / f64::from(tokens);
    let enough = format!("enough of {tokens}");
    call.fail(&enough);
    screen.wait_for_words(&enough);
    cost
}

struct Figures {
    ratio: f64,
    cpu: f64,
    memory: f64,
    after: f64,
}

/// What it takes to show a reply that comes while nobody presses a key.
fn speak_alone(screen: &Terminal, mut call: server::Call) -> Figures {
    let (written, before) = (screen.written(), processor_time(screen.pid()));
    let said = speak(&mut call, TOKENS, PER_SECOND);
    let after = processor_time(screen.pid());
    let written = screen.written() - written;
    let memory = most_memory(screen.pid());
    call.fail("that is enough");
    screen.wait_for_words("that is enough");
    let (written, said) = (u32::try_from(written).unwrap(), u32::try_from(said).unwrap());
    Figures {
        ratio: f64::from(written) / f64::from(said),
        cpu: after - before,
        memory,
        after: most_memory(screen.pid()),
    }
}

/// Says everything at its pace; how many bytes of text that was.
fn speak(call: &mut server::Call, tokens: u32, per_second: u32) -> usize {
    let begun = Instant::now();
    let mut said = 0;
    for n in 1..=tokens {
        call.say_whole(token(n));
        said += token(n).len();
        thread::sleep((Duration::from_secs(1) * n / per_second).saturating_sub(begun.elapsed()));
    }
    said
}

/// Opens and closes the list of keys while the model speaks; how long each took to be on the screen, or off it.
fn keys(screen: &mut Terminal, mut call: server::Call) -> Vec<Duration> {
    let done = Arc::new(AtomicBool::new(false));
    let speaker = {
        let done = Arc::clone(&done);
        thread::spawn(move || {
            speak(&mut call, TOKENS, PER_SECOND);
            done.store(true, Ordering::Relaxed);
            call
        })
    };
    let mut times = Vec::new();
    while !done.load(Ordering::Relaxed) {
        for (key, open) in [("?", true), ("q", false)] {
            thread::sleep(PAUSE);
            let begun = Instant::now();
            screen.press(key);
            screen.wait_for("the list of keys", |frame| frame.says("Keys: vim") == open);
            times.push(begun.elapsed());
        }
    }
    let call = speaker.join().unwrap();
    call.fail("the keys are done");
    screen.wait_for_words("the keys are done");
    times
}

/// Seconds of processor time that a process has taken. Linux only.
fn processor_time(pid: i32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of = |thread: std::io::Result<fs::DirEntry>| {
        let stat = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        stat.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    Duration::from_nanos(threads.map(of).sum()).as_secs_f64()
}

/// The most memory that a process has had resident, in megabytes. Linux only.
fn most_memory(pid: i32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    f64::from(line.split_whitespace().nth(1).unwrap().parse::<u32>().unwrap()) / 1024.0
}
