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

/// How a criterion compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Sign {
    /// How each is written, the longer before its own beginning.
    const WRITTEN: [(&'static str, Self); 6] = [
        ("<=", Self::AtMost),
        ("\u{2264}", Self::AtMost),
        (">=", Self::AtLeast),
        ("\u{2265}", Self::AtLeast),
        ("<", Self::Below),
        (">", Self::Above),
    ];

    fn holds(self, measured: f64, bound: f64) -> bool {
        match self {
            Self::Below => measured < bound,
            Self::AtMost => measured <= bound,
            Self::AtLeast => measured >= bound,
            Self::Above => measured > bound,
        }
    }
}

/// A measurable acceptance criterion: `total_time <= 0.5x`, `errors <= 0`, `throughput >= 200 req/s`.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// The reading it is about.
    pub name: String,
    /// How the reading compares to the bound.
    pub sign: Sign,
    /// The bound; finite.
    pub bound: Bound,
    /// The unit of a value, if one is given: then it must be the reading's own.
    pub unit: Option<String>,
}

impl Criterion {
    /// Reads a criterion out of one line of prose, if it is measurable. Back quotes and a list marker are forgiven.
    pub fn read(line: &str) -> Option<Self> {
        let line = line.trim().trim_start_matches(['-', '*', '+', ' ']).replace('`', " ");
        let at = line.find(['<', '>', '\u{2264}', '\u{2265}'])?;
        let (name, rest) = line.split_at_checked(at)?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return None;
        }
        let (rest, sign) =
            Sign::WRITTEN.into_iter().find_map(|(written, sign)| Some((rest.strip_prefix(written)?, sign)))?;
        let (number, rest) = leading_number(rest.trim_start())?;
        // What touches the number belongs to it, or it isn't this number (`1,000`).
        let end = rest.trim_start_matches([',', ';', '.']);
        if end.len() < rest.len() && !end.is_empty() && !end.starts_with(char::is_whitespace) {
            return None;
        }
        let next = if end.len() < rest.len() { "" } else { rest.split_whitespace().next().unwrap_or("") };
        let unit = if next.starts_with('(') { "" } else { next.trim_end_matches([',', ';', '.']) };
        let (bound, unit) = match unit {
            "x" | "\u{d7}" => (Bound::Ratio(number), None),
            "" => (Bound::Value(number), None),
            unit => (Bound::Value(number), Some(unit.to_owned())),
        };
        Some(Self { name: name.to_owned(), sign, bound, unit })
    }

    /// Whether `comparison` meets it; none when what it needs was not measured, or is in another unit.
    pub fn met_by(&self, comparison: &Comparison) -> Option<bool> {
        if self.unit.as_ref().is_some_and(|unit| *unit != comparison.unit) {
            return None;
        }
        let (measured, bound) = match self.bound {
            Bound::Value(bound) => (comparison.after?.median, bound),
            Bound::Ratio(bound) => (comparison.ratio()?, bound),
        };
        Some(self.sign.holds(measured, bound))
    }
}

/// The longest finite number that `text` begins with, and what follows it.
fn leading_number(text: &str) -> Option<(f64, &str)> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
    (1..=digits).rev().find_map(|length| {
        let (number, rest) = text.split_at_checked(length)?;
        let number: f64 = number.parse().ok().filter(|number: &f64| number.is_finite())?;
        Some((number, rest))
    })
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.sign {
            Sign::Below => "<",
            Sign::AtMost => "<=",
            Sign::AtLeast => ">=",
            Sign::Above => ">",
        };
        match (self.bound, &self.unit) {
            (Bound::Ratio(bound), _) => write!(f, "{} {sign} {bound}x", self.name),
            (Bound::Value(bound), None) => write!(f, "{} {sign} {bound}", self.name),
            (Bound::Value(bound), Some(unit)) => write!(f, "{} {sign} {bound} {unit}", self.name),
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
            ("t <= 44", Some(true)),
            ("t < 44", Some(false)),
            ("t > 44", Some(false)),
            ("t < 44.1", Some(true)),
            ("t<=44ms", Some(true)),
            ("t\u{2264}0.4x, at the median", Some(true)),
            ("t <= 0.4 x (was 1x)", Some(true)),
            ("t <= 4.4e1 ms; later less", Some(true)),
            ("t <= 5 s", None),
            ("t <= 44 of them", None),
        ] {
            assert_eq!(Criterion::read(line).expect(line).met_by(first), met, "{line}");
        }
        for unreadable in [
            "nothing breaks downstream",
            "t <= inf",
            "t >= -inf",
            "t <= NaN",
            "t <= 1,000",
            "t <= 1.000.000",
            "t <=",
            "<= 5",
            "the time t <= 5",
            "t = 5",
        ] {
            assert_eq!(Criterion::read(unreadable), None, "{unreadable}");
        }
        assert_eq!(Criterion::read("t < 5 ms,").unwrap().to_string(), "t < 5 ms");
    }
}
