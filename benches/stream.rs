//! What a streamed token costs on its way to the screen: message, document and frame, from a short reply to one of
//! 100,000 tokens. The bar: the cost per token at 100k is at most 1.5 times that at 1k.
//!
//! Frames are drawn as the program does: one for every 25 tokens, which is what a fast model says in 50 ms.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench that can't set itself up has nothing to say")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use windlass::app::{Host, Model, Msg, update};
use windlass::config::workflow;
use windlass::domain::{Budget, Digest, LoopId, ModelId, Person, PromptRef, Quote, Role, StageIndex, Timestamp};
use windlass::engine::Recorded;
use windlass::engine::{Command, Setup, State, apply, decide};
use windlass::keymap::Keymap;
use windlass::theme::{Depth, Theme};
use windlass::view::{Scene, Syntax, draw};

const TOKENS_PER_FRAME: usize = 25;

/// A model whose author is speaking.
fn speaking() -> Model {
    let by = Person("Ada <ada@example.org>".to_owned());
    let setup = Setup {
        author: Some(ModelId("a/one".to_owned())),
        critic: Some(ModelId("b/two".to_owned())),
        ..Setup::default()
    };
    let (id, stage) = (LoopId(1), StageIndex(0));
    let prompt = PromptRef { name: "p".to_owned(), version: "1".to_owned(), digest: Digest::of(b"p") };
    let commands = [
        Command::Begin {
            goal: "10x".to_owned(),
            hint: None,
            workflow: workflow("scale").unwrap(),
            base: "b".repeat(40).parse().unwrap(),
            branch: None,
            setup,
            by,
        },
        Command::Prepared { id, stage, items: Vec::new(), measurement: None, unmeasured: None },
        Command::Draft { id },
        Command::Ask {
            finding: None,
            id,
            stage,
            role: Role::Author,
            model: ModelId("a/one".to_owned()),
            prompt,
            quote: Quote::default(),
            budget: Budget::default(),
        },
    ];
    let mut state = State::default();
    let mut model = Model::new(State::default(), 0, Host::default(), (200, 50), Timestamp(0));
    let mut seq = 0;
    for command in commands {
        for event in decide(&state, command, Timestamp(0)).unwrap() {
            seq += 1;
            let recorded = Recorded { seq, at: Timestamp(0), event };
            apply(&mut state, &recorded).unwrap();
            update(&mut model, Msg::Event(Box::new(recorded)), Timestamp(0));
        }
    }
    model
}

/// The `n`th token of a reply in Markdown: words, now and then a line's end.
fn token(n: usize) -> &'static str {
    match n {
        n if n.is_multiple_of(97) => "\n\n## Risks\n\n",
        n if n.is_multiple_of(17) => ".\n",
        n if n.is_multiple_of(5) => " `lock`",
        _ => " held",
    }
}

fn stream(c: &mut Criterion) {
    let (theme, keymap, syntax) =
        (Theme::load("default-dark", None, Depth::True).0, Keymap::load("vim", None).0, Syntax::default());
    let mut group = c.benchmark_group("stream");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    for tokens in [1_000_usize, 10_000, 100_000] {
        group.throughput(Throughput::Elements(tokens as u64));
        group.bench_with_input(BenchmarkId::new("tokens", tokens), &tokens, |b, &tokens| {
            b.iter_batched(
                speaking,
                |mut model| {
                    let mut buf = Buffer::empty(Rect::new(0, 0, 200, 50));
                    for n in 0..tokens {
                        let (id, stage, role) = (LoopId(1), StageIndex(0), Role::Author);
                        let delta = Msg::Delta {
                            id,
                            stage,
                            role,
                            finding: None,
                            text: token(n + 1).to_owned(),
                            reasoning: false,
                        };
                        update(&mut model, delta, Timestamp(0));
                        if n.is_multiple_of(TOKENS_PER_FRAME) {
                            let scene =
                                Scene { model: &model, theme: &theme, keymap: &keymap, syntax: &syntax, pending: None };
                            draw(&scene, &mut buf);
                        }
                    }
                    black_box(buf);
                    model
                },
                criterion::BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, stream);
criterion_main!(benches);
