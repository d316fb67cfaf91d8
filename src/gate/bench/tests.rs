//! The rule on simulated noise, with fixed seeds, and the reports of tools.

use super::stats::{Random, is_slower};
use super::{compare, judge_pairs};
use crate::domain::{CheckKind, Settings, Verdict};
use crate::gate::patch::Patch;
use crate::gate::testing::judged;

const CRITERION: &str = include_str!("../../../tests/fixtures/gates/bench/criterion.json");
const HYPERFINE: &str = include_str!("../../../tests/fixtures/gates/bench/hyperfine.json");

impl Random {
    /// A number from 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of the standard normal distribution.
    fn normal(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * (1.0 - self.unit()).ln()).sqrt(), std::f64::consts::TAU * self.unit());
        radius * angle.cos()
    }
}

/// A machine whose times vary, now and then by much, and which gets slower as it warms up.
struct Machine {
    random: Random,
    variation: f64,
    outliers: f64,
    drift: f64,
}

impl Machine {
    fn time(&mut self, progress: f64, factor: f64) -> f64 {
        let noise = 1.0 + self.variation * self.random.normal();
        let outlier = if self.random.unit() < self.outliers { 1.0 + self.random.unit() } else { 1.0 };
        100.0 * factor * noise.max(0.1) * outlier * (1.0 + self.drift * progress)
    }

    fn pairs(&mut self, number: usize, factor: f64) -> Vec<(f64, f64)> {
        (0..number)
            .map(|turn| {
                let (first, second) = (turn as f64 / number as f64, (turn as f64 + 0.5) / number as f64);
                if turn % 2 == 0 {
                    (self.time(first, 1.0), self.time(second, factor))
                } else {
                    let head = self.time(first, factor);
                    (self.time(second, 1.0), head)
                }
            })
            .collect()
    }
}

/// The share of so many experiments on machines like this that are called slower.
fn called_slower((variation, outliers, drift): (f64, f64, f64), number: usize, factor: f64, all: u64) -> f64 {
    let slower = (0..all).filter(|seed| {
        let random = Random::new(0xbe_c4 + seed * 7919);
        let mut machine = Machine { random, variation, outliers, drift };
        let ratios: Vec<f64> = machine.pairs(number, factor).iter().map(|(base, head)| head / base).collect();
        is_slower(&ratios, 1.03)
    });
    slower.count() as f64 / all as f64
}

#[test]
fn false_alarms_are_one_in_a_hundred_at_most() {
    let machines = [
        (0.02, 0.0, 0.0),
        (0.05, 0.0, 0.0),
        (0.02, 0.05, 0.0),
        (0.05, 0.05, 0.0),
        (0.05, 0.05, 0.10),
        (0.02, 0.0, -0.10),
    ];
    for machine in machines {
        for pairs in [10, 20] {
            let alarms = called_slower(machine, pairs, 1.0, 10_000);
            println!("(noise, outliers, drift) {machine:?}, {pairs} pairs: {alarms} false alarms");
            assert!(alarms <= 0.01, "{alarms} with (noise, outliers, drift) {machine:?}, {pairs} pairs");
        }
    }
}

#[test]
fn ten_per_cent_are_found_at_twenty_pairs() {
    // On the wildest two it is close, so that they are tried more often.
    let machines = [(0.02, 0.05, 0.0), (0.05, 0.0, 0.0), (0.05, 0.05, 0.0), (0.05, 0.05, 0.10)];
    for (machine, all) in machines.into_iter().zip([1000, 1000, 5000, 5000]) {
        let power = called_slower(machine, 20, 1.1, all);
        println!("(noise, outliers, drift) {machine:?}: power {power}");
        assert!(power >= 0.9, "{power} with (noise, outliers, drift) {machine:?}");
    }
}

#[test]
fn five_pairs_say_nothing_however_clear_they_look() {
    for factor in [1.0, 1.5, 3.0] {
        let mut machine = Machine { random: Random::new(1), variation: 0.01, outliers: 0.0, drift: 0.0 };
        let judged = judge_pairs(&Settings::default(), &machine.pairs(5, factor));
        assert_eq!(judged.verdict, Verdict::Inconclusive, "{judged:?}");
        assert!(judged.summary.starts_with("5 pairs can't tell slower from noise: at least 7"), "{judged:?}");
    }
}

#[test]
fn clear_pairs_pass_and_fail_and_noisy_ones_do_neither() {
    let mut calm = Machine { random: Random::new(2), variation: 0.005, outliers: 0.0, drift: 0.0 };
    assert_eq!(judge_pairs(&Settings::default(), &calm.pairs(20, 1.0)).verdict, Verdict::Pass);
    let slower = judge_pairs(&Settings::default(), &calm.pairs(20, 1.2));
    assert_eq!(slower.verdict, Verdict::Fail, "{slower:?}");
    assert_eq!(judge_pairs(&Settings::default(), &calm.pairs(20, 0.8)).verdict, Verdict::Pass, "faster is no failure");
    let mut wild = Machine { random: Random::new(3), variation: 0.3, outliers: 0.0, drift: 0.0 };
    assert_eq!(judge_pairs(&Settings::default(), &wild.pairs(10, 1.0)).verdict, Verdict::Inconclusive);
    assert_eq!(judge_pairs(&Settings::default(), &[]).verdict, Verdict::Error);
    assert_eq!(judge_pairs(&Settings::default(), &[(0.0, 1.0)]).verdict, Verdict::Error);
}

#[test]
fn the_rank_test_is_wilcoxons() {
    // All of seven pairs slower: one way of 2^7.
    let seven: Vec<(f64, f64)> = (1..=7).map(|n| (1.0, 1.0 + f64::from(n) / 10.0)).collect();
    assert!((compare(&seven, 0.03).unwrap().p - 1.0 / 128.0).abs() < 1e-12);
    // Equal pairs say nothing.
    assert!((compare(&[(1.0, 1.0); 20], 0.03).unwrap().p - 1.0).abs() < 1e-12);
    // Signs of both kinds on equal ranks: half of everything and a bit.
    let tied: Vec<(f64, f64)> = (0..80).map(|n| if n % 2 == 0 { (1.0, 2.0) } else { (2.0, 1.0) }).collect();
    assert!((compare(&tied, 0.03).unwrap().p - 0.5).abs() < 0.05);
}

#[test]
fn every_outcome_on_reports_of_tools() {
    let slower = |text: &str, by: &str, with: &str| text.replace(by, with);
    let criterion_slow = slower(
        CRITERION,
        "10090.0,\"upper_bound\":10180.0},\"point_estimate\":10130.0",
        "12090.0,\"upper_bound\":12180.0},\"point_estimate\":12130.0",
    );
    let criterion_wide = slower(CRITERION, "10090.0,\"upper_bound\":10180.0", "9000.0,\"upper_bound\":12180.0");
    let hyperfine_slow = slower(HYPERFINE, "0.10", "0.15");
    let hyperfine_failed = slower(HYPERFINE, "[0,0,", "[0,1,");
    let few = r#"{"results":[{"command":"a","times":[1.0,1.1],"exit_codes":[0,0]}]}"#;
    for (head, exit, base, verdict) in [
        (CRITERION, 0, CRITERION, Verdict::Pass),
        (&criterion_slow, 0, CRITERION, Verdict::Fail),
        (&criterion_wide, 0, CRITERION, Verdict::Inconclusive),
        (&hyperfine_slow, 0, HYPERFINE, Verdict::Fail),
        (&hyperfine_failed, 0, HYPERFINE, Verdict::Error),
        (few, 0, HYPERFINE, Verdict::Error),
        ("", 0, CRITERION, Verdict::Error),
        (CRITERION, 0, "{}", Verdict::Error),
        (CRITERION, 1, CRITERION, Verdict::Error),
        (HYPERFINE, 0, &HYPERFINE.replace("./orders", "./other"), Verdict::Error),
    ] {
        let judged = judged(CheckKind::Bench, &Settings::default(), &Patch::default(), (head, exit), Some((base, 0)));
        assert_eq!(judged.verdict, verdict, "{judged:?}");
    }
}
