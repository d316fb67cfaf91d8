//! Measurements: probe readings, before and after, and the acceptance criteria they are held against.
//!
//! A probe prints one reading a line: `name value unit` (`p95_latency 412.5 ms`); the unit may be missing.

use std::fmt;
use std::str::FromStr;

use super::TreeId;

/// One number that a probe printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What was measured: no white space.
    pub name: String,
    /// How much; finite.
    pub value: f64,
    /// In what; empty for a bare number.
    pub unit: String,
}

/// The line isn't a reading.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a reading: expected \"name value unit\"")]
pub struct ParseReadingError(String);

impl FromStr for Reading {
    type Err = ParseReadingError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let error = || ParseReadingError(line.to_owned());
        let mut words = line.split_whitespace();
        let (name, value, unit) = (words.next(), words.next(), words.next());
        let (Some(name), Some(value), None) = (name, value, words.next()) else { return Err(error()) };
        let value: f64 = value.parse().map_err(|_| error())?;
        if !value.is_finite() || name.parse::<f64>().is_ok() {
            return Err(error());
        }
        Ok(Self { name: name.to_owned(), value, unit: unit.unwrap_or("").to_owned() })
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.value)?;
        if self.unit.is_empty() { Ok(()) } else { write!(f, " {}", self.unit) }
    }
}

/// Which of two trees a sample is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The base commit.
    Before,
    /// The change.
    After,
}

/// The readings of one run of one probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The probe's name in the configuration.
    pub probe: String,
    /// Of which tree.
    pub side: Side,
    /// In which round, counted from 1; the sides alternate within a round.
    pub round: u32,
    /// What it printed.
    pub readings: Vec<Reading>,
}

/// All samples a stage took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measurement {
    /// The tree of the change, when there is one.
    pub tree: Option<TreeId>,
    /// The samples, in the order they were taken.
    pub samples: Vec<Sample>,
    /// Probes that gave no readings, and why.
    pub failures: Vec<String>,
}

/// Least, middle and greatest of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Least.
    pub min: f64,
    /// Median; the mean of the two middle values when their number is even.
    pub median: f64,
    /// Greatest.
    pub max: f64,
    /// How many values.
    pub count: usize,
}

impl Spread {
    /// The spread of `values`, if there are any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let median =
            if values.len().is_multiple_of(2) { f64::midpoint(*values.get(middle - 1)?, upper) } else { upper };
        Some(Self { min: *values.first()?, median, max: *values.last()?, count: values.len() })
    }
}

/// One reading before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The reading's name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// On the base.
    pub before: Option<Spread>,
    /// On the change.
    pub after: Option<Spread>,
}

impl Comparison {
    /// Median after over median before; none when a side is missing or the base is 0.
    pub fn ratio(&self) -> Option<f64> {
        let (before, after) = (self.before?.median, self.after?.median);
        (before != 0.0).then(|| after / before)
    }
}

impl Measurement {
    /// Each reading's spread per side, in the order the readings first appeared.
    pub fn comparisons(&self) -> Vec<Comparison> {
        let mut names: Vec<(&str, &str)> = Vec::new();
        for reading in self.samples.iter().flat_map(|sample| &sample.readings) {
            if !names.iter().any(|(name, _)| *name == reading.name) {
                names.push((&reading.name, &reading.unit));
            }
        }
        let spread = |name: &str, side: Side| {
            let of_side = self.samples.iter().filter(move |sample| sample.side == side);
            Spread::of(of_side.flat_map(|s| &s.readings).filter(|r| r.name == name).map(|r| r.value))
        };
        names
            .into_iter()
            .map(|(name, unit)| Comparison {
                name: name.to_owned(),
                unit: unit.to_owned(),
                before: spread(name, Side::Before),
                after: spread(name, Side::After),
            })
            .collect()
    }
}

/// What a criterion allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// The value after must be within this number, in the reading's unit.
    Value(f64),
    /// After over before must be within this number (`0.5x`).
    Ratio(f64),
}

/// A measurable acceptance criterion: `total_time <= 0.5x`, `errors <= 0`, `throughput >= 200 req/s`.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// The reading it is about.
    pub name: String,
    /// Whether the reading must be at most (else at least) the bound.
    pub at_most: bool,
    /// The bound.
    pub bound: Bound,
}

impl Criterion {
    /// Reads a criterion out of one line of prose, if it is measurable. Back quotes and a list marker are forgiven.
    pub fn read(line: &str) -> Option<Self> {
        let line = line.trim().trim_start_matches(['-', '*', '+', ' ']).replace('`', " ");
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let at_most = match words.next()? {
            "<=" | "≤" | "<" => true,
            ">=" | "≥" | ">" => false,
            _ => return None,
        };
        let number = words.next()?.trim_end_matches([',', ';', '.']);
        let ratio = number.strip_suffix('x').or_else(|| number.strip_suffix('×'));
        let bound = match ratio {
            Some(ratio) => Bound::Ratio(ratio.parse().ok()?),
            None => Bound::Value(number.parse().ok()?),
        };
        Some(Self { name, at_most, bound })
    }

    /// Whether `comparison` meets it; none when what it needs was not measured.
    pub fn met_by(&self, comparison: &Comparison) -> Option<bool> {
        let (measured, bound) = match self.bound {
            Bound::Value(bound) => (comparison.after?.median, bound),
            Bound::Ratio(bound) => (comparison.ratio()?, bound),
        };
        Some(if self.at_most { measured <= bound } else { measured >= bound })
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.at_most { "<=" } else { ">=" };
        match self.bound {
            Bound::Value(bound) => write!(f, "{} {sign} {bound}", self.name),
            Bound::Ratio(bound) => write!(f, "{} {sign} {bound}x", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings() {
        assert_eq!("p95 412.5 ms".parse(), Ok(Reading { name: "p95".into(), value: 412.5, unit: "ms".into() }));
        assert_eq!("errors 0".parse(), Ok(Reading { name: "errors".into(), value: 0.0, unit: String::new() }));
        for bad in ["", "p95", "p95 fast", "p95 1 ms more", "p95 NaN ms", "3 4"] {
            assert!(bad.parse::<Reading>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn criteria_are_held_against_medians() {
        let sample = |side, round, value| Sample {
            probe: "p".into(),
            side,
            round,
            readings: vec![Reading { name: "t".into(), value, unit: "ms".into() }],
        };
        let samples = vec![
            sample(Side::Before, 1, 100.0),
            sample(Side::After, 1, 40.0),
            sample(Side::Before, 2, 120.0),
            sample(Side::After, 2, 48.0),
        ];
        let measurement = Measurement { samples, ..Measurement::default() };
        let compared = measurement.comparisons();
        let first = compared.first().expect("one reading");
        assert_eq!(first.ratio(), Some(0.4));
        for (line, met) in [
            ("- `t` <= 0.5x", Some(true)),
            ("t <= 43", Some(false)),
            ("t >= 44 ms", Some(true)),
            ("t > 0.5x.", Some(false)),
        ] {
            assert_eq!(Criterion::read(line).and_then(|c| c.met_by(first)), met, "{line}");
        }
        assert_eq!(Criterion::read("nothing breaks downstream"), None);
    }
}
