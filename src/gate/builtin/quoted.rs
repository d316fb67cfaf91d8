//! The gate `readings-quoted`: whether every number an artifact quotes is one that was measured.

use super::text::{lines_below, prose, without_code};
use super::{Evidence, Judgement, count, not_applicable, not_measured};
use crate::domain::{ArtifactKind, Comparison, Verdict};
use crate::gate::table::readings_table;

/// What the text makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// Followed by `%` or `percent`.
    Percent,
    /// Followed by `x`, `×` or `times`.
    Ratio,
}

/// A number as it is written.
#[derive(Debug, Clone, PartialEq)]
struct Quoted {
    text: String,
    /// None if it is no number that can be measured: `1.2.3`, `½`.
    value: Option<f64>,
    /// Half of what its last digit stands for: it may differ from what was measured by so much.
    tolerance: f64,
    kind: Kind,
    /// Whether it has a sign.
    signed: bool,
}

pub(super) fn readings_quoted(evidence: &Evidence<'_>) -> Judgement {
    let heading = match evidence.spec.artifact {
        ArtifactKind::Constraint => "Evidence",
        ArtifactKind::Outcome => "Result",
        ArtifactKind::Plan | ArtifactKind::Change => return not_applicable("it quotes no readings"),
    };
    let Some(measurement) = evidence.measurement.filter(|measurement| !measurement.samples.is_empty()) else {
        return not_measured(evidence.measurement);
    };
    let Some(lines) = lines_below(&evidence.revision.text, heading) else {
        return (Verdict::Fail, format!("the section {heading} is missing"), String::new());
    };
    let compared = measurement.comparisons();
    let (mut total, mut strange) = (0, Vec::new());
    for (line, text) in prose(lines) {
        for quoted in numbers(&without_names(&without_code(text), &compared)) {
            total += 1;
            if !quoted.is_measured(&compared) {
                strange.push(format!("line {line}: {} matches no reading", quoted.text));
            }
        }
    }
    if strange.is_empty() {
        let summary = if total == 0 {
            format!("{heading} quotes no number")
        } else {
            format!("{} of {heading} measured", count(total, "number"))
        };
        return (Verdict::Pass, summary, String::new());
    }
    let summary = format!("{} of {} in {heading} not measured", strange.len(), count(total, "number"));
    let detail = format!(
        "{}\n\ncopy readings as the table has them, and put numbers that are none into back quotes:\n\n{}",
        strange.join("\n"),
        readings_table(measurement)
    );
    (Verdict::Fail, summary, detail)
}

impl Quoted {
    fn is_measured(&self, compared: &[Comparison]) -> bool {
        // Every reading, or those of certain units.
        let readings = |units: &'static [&'static str]| {
            let fitting = compared.iter().filter(|one| units.is_empty() || units.contains(&one.unit.as_str()));
            let spreads = fitting.flat_map(|one| [one.before, one.after]).flatten();
            spreads.flat_map(|spread| [spread.min, spread.median, spread.max])
        };
        let mut ratios = compared.iter().filter_map(Comparison::ratio);
        match self.kind {
            // Without its x, a ratio is known by its decimals alone: a bare 2 could be anything.
            Kind::Plain => {
                readings(&[]).any(|value| self.is(value))
                    || (self.tolerance < 0.5 && ratios.any(|ratio| self.is(ratio)))
            }
            Kind::Ratio => {
                readings(&["x", "×"]).any(|value| self.is(value))
                    || ratios.any(|ratio| self.is(ratio) || (ratio != 0.0 && self.is(1.0 / ratio)))
            }
            Kind::Percent => {
                let mut changes = ratios.map(|ratio| (ratio - 1.0) * 100.0);
                readings(&["%", "percent"]).any(|value| self.is(value))
                    || changes.any(|change| self.is(if self.signed { change } else { change.abs() }))
            }
        }
    }

    /// Whether `value` is this number, rounded as it is written. Only nothing is rounded to nothing.
    fn is(&self, value: f64) -> bool {
        // Room for the last bit of a value that lies exactly between two digits.
        let slack = value.abs() * 1e-12;
        self.value.is_some_and(|own| (own != 0.0 || value == 0.0) && (own - value).abs() <= self.tolerance + slack)
    }
}

/// `text` with the names and units of readings blanked out, as far as they hold digits: those are not quoted numbers.
fn without_names(text: &str, compared: &[Comparison]) -> String {
    // As the table has them: it escapes the bar.
    let mut text = text.replace("\\|", "|");
    for word in compared.iter().flat_map(|one| [&one.name, &one.unit]) {
        if !word.contains(|c: char| c.is_numeric()) {
            continue;
        }
        let mut kept = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(word.as_str()) {
            let glued = before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
            kept.push_str(before);
            kept.push_str(if glued { word } else { " " });
            rest = after;
        }
        text = kept + rest;
    }
    text
}

/// The numbers in a line of prose, without the ordinal of a list item and without digits glued to letters (`p95`).
fn numbers(line: &str) -> Vec<Quoted> {
    let mut scanner = Scanner { before: None, rest: after_ordinal(line) };
    let mut found = Vec::new();
    while let Some(c) = scanner.peek() {
        if c.is_ascii_digit() {
            found.extend(scanner.number());
        } else if c.is_alphabetic() {
            scanner.word();
        } else {
            // `½`, `５`: nothing a table prints, so nothing that could pass unseen.
            if c.is_numeric() {
                found.push(Quoted::unknown(c.to_string()));
            }
            scanner.bump();
        }
    }
    found
}

/// The line without the `1.` or `1)` that begins a list item.
fn after_ordinal(line: &str) -> &str {
    let digits = line.trim_start();
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    match rest.strip_prefix(['.', ')']) {
        Some(item) if rest.len() < digits.len() && (item.is_empty() || item.starts_with(' ')) => item,
        _ => line,
    }
}

impl Quoted {
    fn unknown(text: String) -> Self {
        Self { text, value: None, tolerance: 0.0, kind: Kind::Plain, signed: false }
    }
}

/// Walks a line character by character.
struct Scanner<'a> {
    /// The last characters passed: the one just before, and the one before that.
    before: Option<(Option<char>, char)>,
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) {
        let mut chars = self.rest.chars();
        if let Some(c) = chars.next() {
            self.before = Some((self.before.map(|(_, last)| last), c));
            self.rest = chars.as_str();
        }
    }

    /// Passes characters while `wanted` holds, and gives them back.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let all = self.rest;
        while self.peek().is_some_and(&wanted) {
            self.bump();
        }
        all.strip_suffix(self.rest).unwrap_or("")
    }

    /// Passes a word with all digits glued to it: `p95`, `p99.9`, `GPT-4`, `n^2`.
    fn word(&mut self) {
        loop {
            self.take(|c| c.is_alphanumeric() || c == '_');
            let mut next = self.rest.chars();
            let glue = matches!(next.next(), Some('.' | '-' | '^')) && next.next().is_some_and(|c| c.is_numeric());
            if !glue {
                return;
            }
            self.bump();
        }
    }

    /// Passes a number and what makes it a percentage or a ratio; none if it is the beginning of a name or an ordinal.
    fn number(&mut self) -> Option<Quoted> {
        let sign = self.sign();
        let start = self.rest;
        let point = self.before.is_some_and(|(_, last)| last == '.');
        let mut digits = self.take(|c| c.is_ascii_digit()).to_owned();
        while let Some(group) = self.group_of_thousand() {
            digits.push_str(group);
        }
        let mut decimals = 0;
        let mut parts = 0;
        while let Some(fraction) = self.fraction() {
            parts += 1;
            decimals = fraction.len();
            digits.push('.');
            digits.push_str(fraction);
        }
        let exponent = self.exponent();
        let kind = self.kind()?;
        let written = start.strip_suffix(self.rest).unwrap_or("").trim_end_matches('_');
        let text = format!("{sign}{written}{}", if kind == Kind::Percent { " %" } else { "" });
        // `.5` and `1.2.3` are not how a table prints a number.
        if parts > 1 || point {
            return Some(Quoted::unknown(text));
        }
        let scale = format!("1e{}", exponent.saturating_sub(i32::try_from(decimals).unwrap_or(i32::MAX)));
        let value: Option<f64> = format!("{}{digits}e{exponent}", if sign == "-" { "-" } else { "" }).parse().ok();
        // Beyond every f64, anything would lie within the tolerance.
        let value = value.filter(|value| value.is_finite());
        let tolerance = scale.parse().map_or(0.0, |scale: f64| scale / 2.0);
        Some(Quoted { text, value, tolerance, kind, signed: !sign.is_empty() })
    }

    /// The sign just passed, if it is one and not a dash between two numbers.
    fn sign(&self) -> &'static str {
        match self.before {
            Some((before, sign)) if !before.is_some_and(|c| c.is_alphanumeric() || c == ')') => match sign {
                '-' | '−' => "-",
                '+' => "+",
                _ => "",
            },
            _ => "",
        }
    }

    /// Passes `,123` or `_123`, and gives the three digits.
    fn group_of_thousand(&mut self) -> Option<&'a str> {
        let after = self.rest.strip_prefix([',', '_'])?;
        let group = after.get(..3).filter(|group| group.bytes().all(|byte| byte.is_ascii_digit()))?;
        if after.get(3..).is_some_and(|more| more.starts_with(|c: char| c.is_ascii_digit())) {
            return None;
        }
        self.bump();
        self.take(|c| c.is_ascii_digit());
        Some(group)
    }

    /// Passes `.25`, and gives the digits.
    fn fraction(&mut self) -> Option<&'a str> {
        self.rest.strip_prefix('.').filter(|after| after.starts_with(|c: char| c.is_ascii_digit()))?;
        self.bump();
        Some(self.take(|c| c.is_ascii_digit()))
    }

    /// Passes `e-10`, and gives the number; 0 if there is none.
    fn exponent(&mut self) -> i32 {
        let Some(after) = self.rest.strip_prefix(['e', 'E']) else { return 0 };
        let unsigned = after.strip_prefix(['+', '-']).unwrap_or(after);
        let end = unsigned.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(exponent) = after.strip_suffix(end).and_then(|exponent| exponent.parse().ok()) else { return 0 };
        // More digits behind further letters make it a name, not an exponent; a unit may follow (`1e-9x`).
        if end.chars().take_while(|c| c.is_alphanumeric()).any(char::is_numeric) {
            return 0;
        }
        while self.rest.len() > end.len() {
            self.bump();
        }
        exponent
    }

    /// What follows the number: none if letters and digits do (`3f9a`), or the end of an ordinal (`2nd`).
    fn kind(&mut self) -> Option<Kind> {
        let glued = self.take(|c| c.is_alphanumeric() || c == '_').trim_end_matches('_');
        match glued {
            "st" | "nd" | "rd" | "th" => return None,
            "x" | "×" => return Some(Kind::Ratio),
            _ if glued.contains(|c: char| c.is_numeric() || c == '_') => return None,
            "" => {}
            _ => return Some(Kind::Plain),
        }
        let next = self.rest.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
        let word = next.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
        Some(match word {
            _ if next.starts_with('%') => Kind::Percent,
            "percent" => Kind::Percent,
            "x" | "times" => Kind::Ratio,
            _ if next.starts_with('×') => Kind::Ratio,
            _ => Kind::Plain,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, numbers};
    use crate::gate::table::number;

    fn read(line: &str) -> Vec<(Option<f64>, Kind)> {
        numbers(line).into_iter().map(|quoted| (quoted.value, quoted.kind)).collect()
    }

    #[test]
    fn numbers_are_found_and_names_are_not() {
        let plain = |values: &[f64]| values.iter().map(|value| (Some(*value), Kind::Plain)).collect::<Vec<_>>();
        for (line, expected) in [
            ("p95 is 412.5 ms", plain(&[412.5])),
            ("412ms, v2, GPT-4, p99.9, n^2, x86_64, 2nd 3f9a2c 0x1f", plain(&[412.0])),
            ("1. first", plain(&[])),
            ("12) twelfth", plain(&[])),
            ("12", plain(&[12.0])),
            ("1.5 s", plain(&[1.5])),
            ("from 398 to 421", plain(&[398.0, 421.0])),
            ("398-421 or 398–421", plain(&[398.0, 421.0, 398.0, 421.0])),
            ("-3 and (-4) and −5", plain(&[-3.0, -4.0, -5.0])),
            ("12,345 and 1_000 and 1,2", plain(&[12345.0, 1000.0, 1.0, 2.0])),
            ("1.0000e15, 5.0000e-10.", plain(&[1e15, 5e-10])),
            ("**7** _8_ | 9 |", plain(&[7.0, 8.0, 9.0])),
            ("10^6", plain(&[10.0, 6.0])),
            ("75 %, 75%, 75 percent", vec![(Some(75.0), Kind::Percent); 3]),
            ("0.25x 0.25 x 4× 4 times", [0.25, 0.25, 4.0, 4.0].map(|v| (Some(v), Kind::Ratio)).to_vec()),
            ("1.2.3 and ½", vec![(None, Kind::Plain); 2]),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn what_the_table_prints_is_read_back() {
        for value in [412.5, 0.000_012_345, 1e15, -7.25, 5e-10, 123_456.789_01, 0.0] {
            let quoted = numbers(&number(value));
            assert_eq!(quoted.len(), 1);
            assert!(quoted[0].is(value), "{value}: {quoted:?}");
        }
    }
}
