//! What the journal costs: opening 100,000 events (the bar is 0.5 s), and recording one event or one batch of chunks,
//! each on the disk before it is acknowledged.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench that can't set itself up has nothing to say")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tempfile::tempdir;

use windlass::domain::{
    ArtifactKind, Digest, End, ExchangeId, GateRun, LoopId, ModelId, Origin, PromptRef, Quote, Revision, Role, RunId,
    StageIndex, Subject, Timestamp, Timings, Usage, Verdict,
};
use windlass::engine::Event;
use windlass::journal::{Journal, ReceivedChunk, WireKind, WireRow};

const EVENTS: usize = 100_000;

/// One round of a stage: nine events, as large as they usually are.
fn round(n: u64) -> Vec<Event> {
    let (id, stage, exchange) = (LoopId(1), StageIndex(1), ExchangeId(n + 1));
    let model = ModelId("openai/gpt-5".into());
    let origin = Origin::Model { model: model.clone(), exchange };
    let text = format!("# Plan {n}\n{}", "The lock in the cart is held while the price is fetched.\n".repeat(30));
    let revision = Revision::new(ArtifactKind::Plan, 1, text, None, origin);
    let prompt = PromptRef { name: "author-plan".into(), version: "1".into(), digest: Digest::of(b"prompt") };
    let run = |gate: &str| GateRun {
        id: RunId(n),
        gate: gate.into(),
        definition: Digest::of(gate.as_bytes()),
        subject: Subject { revision: revision.id, tree: None },
        verdict: Verdict::Pass,
        summary: "exit 0".into(),
        tail: "test cart::tests::totals_are_right ... ok\n".repeat(10),
        spilled: None,
        started: Timestamp(1),
        duration_ms: 900,
        details: windlass::domain::Details::default(),
        protection: String::new(),
    };
    vec![
        Event::ContextChosen { id, stage, name: format!("src/file{n}.rs"), included: true },
        Event::DraftBegun { id, stage },
        Event::Asked { exchange, id, stage, role: Role::Author, finding: None, model, prompt, quote: Quote::default() },
        Event::Answered { exchange, end: End::Complete, usage: Usage::default(), timings: Timings::default() },
        Event::Drafted { id, stage, revision: revision.clone() },
        Event::GateFinished { id, stage, run: run("sections") },
        Event::GateFinished { id, stage, run: run("tests") },
        Event::CritiqueFailed { id, stage, revision: revision.id, why: "no terminator".into() },
        Event::CancelAsked { id },
    ]
}

fn open(c: &mut Criterion) {
    let dir = tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let mut events: Vec<Event> = (0..).flat_map(round).take(EVENTS).collect();
    let row = |n: u64| WireRow {
        exchange: ExchangeId(n % 500),
        kind: WireKind::Chunk(ReceivedChunk { elapsed_ns: n, bytes: vec![b'x'; 300] }),
    };
    // Chunks between the events, as many as there are events: replay must not pay for them.
    while !events.is_empty() {
        let rest = events.split_off(events.len().min(1_000));
        journal.append(Timestamp(1), std::mem::replace(&mut events, rest)).unwrap();
        journal.wire(Timestamp(1), &(0..1_000).map(row).collect::<Vec<_>>()).unwrap();
    }
    drop(journal);
    let mut group = c.benchmark_group("journal");
    group.sample_size(20).measurement_time(Duration::from_secs(10));
    group.bench_function("open 100,000 events", |b| {
        b.iter(|| {
            let (journal, events) = Journal::open(dir.path()).unwrap();
            assert_eq!(events.len(), EVENTS);
            black_box((journal, events))
        });
    });
    group.finish();
}

fn append(c: &mut Criterion) {
    let dir = tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let mut n = 0;
    c.bench_function("journal/append one event", |b| {
        b.iter(|| {
            n += 1;
            let name = format!("src/file{n}.rs");
            let event = Event::ContextChosen { id: LoopId(1), stage: StageIndex(1), name, included: true };
            journal.append(Timestamp(n), vec![event]).unwrap()
        });
    });
    let chunk = WireKind::Chunk(ReceivedChunk { elapsed_ns: 1, bytes: vec![b'x'; 200] });
    let rows = vec![WireRow { exchange: ExchangeId(1), kind: chunk }; 10];
    c.bench_function("journal/append a batch of ten chunks", |b| {
        b.iter(|| journal.wire(Timestamp(1), &rows).unwrap());
    });
}

criterion_group!(benches, open, append);
criterion_main!(benches);
