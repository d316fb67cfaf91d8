//! Measurements as text: how a number is written, and the table that goes into prompts and onto the screen.
//!
//! The gate `readings-quoted` accepts every number as it stands here.

use std::fmt::Write as _;

use crate::domain::{Comparison, Measurement, Spread};

/// Sizes outside of this range are written with an exponent.
const PLAIN: std::ops::Range<f64> = 1e-9..1e15;

/// A reading's value: at most 4 significant decimals, no trailing zeros (`412.5`, `0.00001234`).
pub fn number(value: f64) -> String {
    rounded(value, 4)
}

/// A ratio: at most 2 significant decimals and an `x` (`0.25x`).
pub fn ratio(value: f64) -> String {
    rounded(value, 2) + "x"
}

/// `value` with so many decimals, not counting the zeros that a small number begins with.
fn rounded(value: f64, significant: usize) -> String {
    let size = value.abs();
    if size != 0.0 && !PLAIN.contains(&size) {
        return format!("{value:.significant$e}");
    }
    let mut decimals = significant;
    let mut scaled = size;
    while scaled != 0.0 && scaled < 0.1 {
        scaled *= 10.0;
        decimals += 1;
    }
    let text = format!("{value:.decimals$}");
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
}

/// The Markdown table of all readings, in the order they first appeared.
///
/// Without an after side: `| reading | value | min | max | unit |`. With one:
/// `| reading | before | before spread | after | after spread | ratio | unit |`. What was not measured is `-`.
pub fn readings_table(measurement: &Measurement) -> String {
    let compared = measurement.comparisons();
    let two_sided = compared.iter().any(|one| one.after.is_some());
    let mut table = if two_sided {
        "| reading | before | before spread | after | after spread | ratio | unit |\n|---|---|---|---|---|---|---|\n"
            .to_owned()
    } else {
        "| reading | value | min | max | unit |\n|---|---|---|---|---|\n".to_owned()
    };
    for one in &compared {
        let cells = if two_sided { both_sides(one) } else { base_only(one) };
        let (name, unit) = (cell(&one.name), cell(&one.unit));
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {name} | {} | {unit} |", cells.join(" | "));
    }
    table
}

fn base_only(one: &Comparison) -> Vec<String> {
    let part = |of: fn(Spread) -> f64| one.before.map_or_else(missing, |spread| number(of(spread)));
    vec![part(|spread| spread.median), part(|spread| spread.min), part(|spread| spread.max)]
}

fn both_sides(one: &Comparison) -> Vec<String> {
    let mut cells = Vec::new();
    for side in [one.before, one.after] {
        cells.push(side.map_or_else(missing, |spread| number(spread.median)));
        cells.push(side.map_or_else(missing, |spread| format!("{} to {}", number(spread.min), number(spread.max))));
    }
    cells.push(one.ratio().map_or_else(missing, ratio));
    cells
}

fn missing() -> String {
    "-".to_owned()
}

/// A name as a table's cell: a bar in it would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::{number, ratio, readings_table};
    use crate::domain::{Measurement, Reading, Sample, Side};

    #[test]
    fn numbers_keep_four_significant_decimals() {
        for (value, shown) in [
            (412.5, "412.5"),
            (412.0, "412"),
            (123_456.789_01, "123456.789"),
            (0.000_012_346, "0.00001235"),
            (0.25, "0.25"),
            (0.1, "0.1"),
            (0.099_999_9, "0.1"),
            (-2.345_67, "-2.3457"),
            (0.0, "0"),
            (-0.0, "0"),
            (100.0, "100"),
            (1e15, "1.0000e15"),
            (5e-10, "5.0000e-10"),
        ] {
            assert_eq!(number(value), shown);
        }
        assert_eq!([0.2513, 1.0, 0.003_12, 12.345_6].map(ratio), ["0.25x", "1x", "0.0031x", "12.35x"]);
    }

    #[test]
    fn tables_have_one_row_a_reading() {
        let sample = |side, round, line: &str| Sample {
            probe: "p".into(),
            side,
            round,
            readings: line.split(';').map(|one| one.parse::<Reading>().unwrap()).collect(),
        };
        let mut measurement = Measurement {
            samples: vec![sample(Side::Before, 1, "t 400 ms;a|b 3"), sample(Side::Before, 2, "t 410.5 ms;a|b 3")],
            ..Measurement::default()
        };
        assert_eq!(
            readings_table(&measurement),
            "| reading | value | min | max | unit |\n|---|---|---|---|---|\n\
             | t | 405.25 | 400 | 410.5 | ms |\n| a\\|b | 3 | 3 | 3 |  |\n"
        );
        measurement.samples.push(sample(Side::After, 1, "t 101 ms"));
        assert_eq!(
            readings_table(&measurement),
            "| reading | before | before spread | after | after spread | ratio | unit |\n|---|---|---|---|---|---|---|\n\
             | t | 405.25 | 400 to 410.5 | 101 | 101 to 101 | 0.25x | ms |\n| a\\|b | 3 | 3 to 3 | - | - | - |  |\n"
        );
    }
}
