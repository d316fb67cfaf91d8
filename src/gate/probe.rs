//! Probes: commands that print readings, run on the base and on the change by turns.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::command::{describe, supervised, tail_text};
use super::guard::Guard;
use crate::domain::{CommandSpec, Measurement, Reading, Sample, Side};
use crate::process::supervise::{self, Ending, Stream};

/// A probe prints a few lines. What prints more than this on standard output, in bytes, is something else.
const MOST: usize = 256 << 10;

/// A probe as the human defined and trusted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeDef {
    /// Its name.
    pub name: String,
    /// Its command.
    pub spec: CommandSpec,
}

/// The readings that a probe printed, and the lines that are none. Empty lines count as neither.
pub fn read_readings(stdout: &str) -> (Vec<Reading>, Vec<String>) {
    let (mut readings, mut others) = (Vec::new(), Vec::new());
    for line in stdout.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.parse() {
            Ok(reading) => readings.push(reading),
            Err(_) => others.push(line.to_owned()),
        }
    }
    (readings, others)
}

/// Runs every probe `rounds` times in the worktree `before` and, if there is one, in `after`.
///
/// The sides take turns in each round and the order turns round after round (before, after; after, before; ...), so
/// that a machine that grows slower or faster meanwhile favours neither. `progress` hears of each run before it
/// starts: round (from 1), number of rounds, probe, side. `guard` stands around each.
///
/// A probe that fails or prints no reading is named in `failures` and not run again. On `cancel` the samples so far
/// come back, and `failures` says that they are not all. The caller knows the change's tree and sets it.
#[expect(clippy::too_many_arguments, reason = "each is another thing, and there is one caller")]
pub async fn measure(
    probes: &[ProbeDef],
    before: &Path,
    after: Option<&Path>,
    rounds: u32,
    guard: Guard,
    spill_dir: &Path,
    cancel: &CancellationToken,
    mut progress: impl FnMut(u32, u32, &str, Side),
) -> Measurement {
    let mut measurement = Measurement::default();
    let mut failed = vec![false; probes.len()];
    for round in 1..=rounds {
        for ((index, probe), failed) in probes.iter().enumerate().zip(&mut failed) {
            let mut sides = vec![(Side::Before, before)];
            sides.extend(after.map(|after| (Side::After, after)));
            if round.is_multiple_of(2) {
                sides.reverse();
            }
            for (side, root) in sides {
                if *failed {
                    break;
                }
                progress(round, rounds, &probe.name, side);
                let spill = spill_dir.join(format!("probe-{}.log", index + 1));
                match run_once(&probe.spec, root, guard, &spill, cancel).await {
                    Ok(readings) => {
                        let probe = probe.name.clone();
                        measurement.samples.push(Sample { probe, side, round, readings });
                    }
                    Err(_) if cancel.is_cancelled() => {
                        measurement.failures.push(format!("cancelled in round {round} of {rounds}"));
                        return measurement;
                    }
                    Err(why) => {
                        *failed = true;
                        measurement.failures.push(format!("{} ({}, round {round}): {why}", probe.name, word(side)));
                    }
                }
            }
        }
    }
    measurement
}

const fn word(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::After => "after",
    }
}

/// One run: its readings, or how it ended and what it said last.
async fn run_once(
    command: &CommandSpec,
    root: &Path,
    guard: Guard,
    spill: &Path,
    cancel: &CancellationToken,
) -> Result<Vec<Reading>, String> {
    let spec = supervised(command, root, guard, spill)?;
    let (mut stdout, mut too_much) = (Vec::new(), false);
    let finished = supervise::run(&spec, cancel, |stream, chunk| {
        if stream == Stream::Out {
            too_much |= stdout.len() + chunk.len() > MOST;
            if !too_much {
                stdout.extend_from_slice(chunk);
            }
        }
    })
    .await;
    let said = |what: String| match tail_text(&finished).lines().rev().map(str::trim).find(|line| !line.is_empty()) {
        Some(last) => format!("{what}: {last}"),
        None => what,
    };
    if finished.ending != Ending::Exit(0) {
        return Err(said(describe(&finished.ending, Duration::from_secs(command.timeout_s))));
    }
    if too_much {
        return Err(format!("printed more than {} KiB; a probe prints lines of \"name value unit\"", MOST >> 10));
    }
    let (readings, _) = read_readings(&String::from_utf8_lossy(&stdout));
    if readings.is_empty() {
        return Err(said("printed no reading (\"name value unit\")".to_owned()));
    }
    Ok(readings)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tempfile::TempDir;
    use tokio_util::sync::CancellationToken;

    use super::{ProbeDef, measure, read_readings};
    use crate::domain::{CommandSpec, Measurement, Reach, Side};
    use crate::gate::guard::Guard;

    fn probe(name: &str, script: &str) -> ProbeDef {
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let spec = CommandSpec { argv, dir: String::new(), timeout_s: 60, env: Vec::new(), reach: Reach::default() };
        ProbeDef { name: name.to_owned(), spec }
    }

    async fn run(probes: &[ProbeDef], before: &Path, after: Option<&Path>, rounds: u32) -> Measurement {
        let spill = TempDir::new().unwrap();
        measure(
            probes,
            before,
            after,
            rounds,
            Guard::new(true),
            spill.path(),
            &CancellationToken::new(),
            |_, _, _, _| {},
        )
        .await
    }

    #[test]
    fn lines_that_are_no_readings_are_kept_apart() {
        let (readings, others) = read_readings("warming up\np95 4 ms\n\nerrors 0\r\n5 6\n");
        assert_eq!(readings.iter().map(ToString::to_string).collect::<Vec<_>>(), ["p95 4 ms", "errors 0"]);
        assert_eq!(others, ["warming up", "5 6"]);
    }

    #[tokio::test]
    async fn the_sides_take_turns_and_the_order_turns() {
        let (before, after) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        fs::write(before.path().join("value"), "400").unwrap();
        fs::write(after.path().join("value"), "100").unwrap();
        let probes = [probe("p", "echo noise >&2; echo t $(cat value) ms")];
        let (mut heard, spill) = (Vec::new(), TempDir::new().unwrap());
        let sides = (before.path(), Some(after.path()));
        let cancel = CancellationToken::new();
        let measurement = measure(
            &probes,
            sides.0,
            sides.1,
            3,
            Guard::new(true),
            spill.path(),
            &cancel,
            |round, rounds, probe, side| {
                heard.push((round, rounds, probe.to_owned(), side));
            },
        )
        .await;
        let order = [Side::Before, Side::After, Side::After, Side::Before, Side::Before, Side::After];
        assert_eq!(measurement.samples.iter().map(|sample| sample.side).collect::<Vec<_>>(), order);
        assert_eq!(heard.iter().map(|one| one.3).collect::<Vec<_>>(), order);
        assert_eq!(heard[2], (2, 3, "p".to_owned(), Side::After));
        assert_eq!(measurement.failures, Vec::<String>::new());
        assert_eq!(measurement.comparisons()[0].ratio(), Some(0.25));
    }

    #[tokio::test]
    async fn a_failing_probe_is_named_once_with_its_last_line() {
        let root = TempDir::new().unwrap();
        let probes = [
            probe("broken", "echo t 1 ms; echo boom >&2; exit 3"),
            probe("mute", "echo nothing here"),
            probe("loud", "yes t 1 ms | head -c 300000"),
            probe("good", "echo n 5"),
        ];
        let measurement = run(&probes, root.path(), None, 2).await;
        assert_eq!(measurement.samples.iter().map(|one| one.probe.as_str()).collect::<Vec<_>>(), ["good", "good"]);
        let [broken, mute, loud] = measurement.failures.as_slice() else { panic!("{:?}", measurement.failures) };
        assert!(broken.starts_with("broken (before, round 1): exit 3: "), "{broken}");
        assert_eq!(mute, "mute (before, round 1): printed no reading (\"name value unit\"): nothing here");
        assert!(loud.starts_with("loud (before, round 1): printed more than 256 KiB"), "{loud}");
    }

    #[tokio::test]
    async fn cancelling_keeps_what_was_measured_and_says_so() {
        let (root, spill) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let cancel = CancellationToken::new();
        let probes = [probe("p", "echo t 1")];
        let measurement =
            measure(&probes, root.path(), None, 5, Guard::Off, spill.path(), &cancel, |round, _, _, _| {
                if round == 3 {
                    cancel.cancel();
                }
            })
            .await;
        assert_eq!(
            (measurement.samples.len(), measurement.failures),
            (2, vec!["cancelled in round 3 of 5".to_owned()])
        );
    }
}
