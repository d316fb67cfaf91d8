//! A screen on which nothing changes costs no time and writes nothing.
#![cfg(target_os = "linux")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::desk::Desk;
use crate::hands::{await_decision, begin, draft, read_all, trust};
use crate::harness::{DEADLINE, Terminal};

/// How long nothing may happen.
const IDLE: Duration = Duration::from_secs(10);

#[test]
fn ten_seconds_of_waiting_cost_nothing() {
    let desk = Desk::new();
    let mut screen = desk.open(&["demo", "--pace", "100000"], (120, 40));
    begin(&mut screen, "");
    trust(&mut screen);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    read_all(&mut screen);
    // The last frame is followed by its tail: the end of threads, a last wake-up.
    let until = Instant::now() + DEADLINE;
    let mut before = spent(&screen);
    while !nothing_happens(&screen, before, Duration::from_secs(1)) {
        assert!(Instant::now() < until, "it never comes to rest");
        before = spent(&screen);
    }
    assert!(nothing_happens(&screen, before, IDLE), "{before:?} became {:?}", spent(&screen));
    // It does still live.
    screen.press("?");
    screen.wait_for_words("Keys: vim");
}

fn nothing_happens(screen: &Terminal, before: Spent, long: Duration) -> bool {
    thread::sleep(long);
    spent(screen) == before
}

/// What the program has used up and put out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spent {
    user_ticks: u64,
    system_ticks: u64,
    bytes: usize,
}

fn spent(screen: &Terminal) -> Spent {
    let stat = fs::read_to_string(format!("/proc/{}/stat", screen.pid())).unwrap();
    // proc_pid_stat(5): utime and stime are the fields 14 and 15; the second, in parentheses, may hold blanks.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |field: usize| fields[field - 3].parse().unwrap();
    Spent { user_ticks: ticks(14), system_ticks: ticks(15), bytes: screen.written() }
}
