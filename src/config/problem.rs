//! What is wrong with a configuration file, and where.

use std::fmt;

/// How many problems of one file are reported at once; the rest is counted.
const REPORTED: usize = 10;

/// Where a setting stands: a file with line and column, a variable of the environment, or a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as the person knows it; or the variable, or the flag.
    pub source: String,
    /// Line and column, counted from 1, the column in characters; none when only the source is known.
    pub at: Option<(u32, u32)>,
}

impl Place {
    /// A place without line and column.
    pub fn of(source: impl Into<String>) -> Self {
        Self { source: source.into(), at: None }
    }

    /// What is wrong here.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { place: self.clone(), message: message.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        self.at.map_or(Ok(()), |(line, column)| write!(f, ":{line}:{column}"))
    }
}

/// One thing that is wrong, or a warning, with its remedy: `.windlass/config.toml:12:3: unknown key ...`.
///
/// The message quotes the file, which is untrusted text: make it visible before it reaches a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what to do about it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// The configuration can't be used. Shown as one line per problem, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(problems, *unreported))]
pub struct ConfigError {
    /// What is wrong; at most ten per file, never empty.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub unreported: usize,
}

impl ConfigError {
    /// An error of these problems, cut to what a person reads.
    pub(super) fn of(found: Vec<Problem>) -> Self {
        let total = found.len();
        let mut problems: Vec<Problem> = Vec::new();
        for problem in found {
            if problems.iter().filter(|p| p.place.source == problem.place.source).count() < REPORTED {
                problems.push(problem);
            }
        }
        Self { unreported: total - problems.len(), problems }
    }

    /// An error of these problems, unless there are none.
    pub(super) fn unless_empty(found: Vec<Problem>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Self::of(found)) }
    }
}

fn lines(problems: &[Problem], unreported: usize) -> String {
    let mut lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    if unreported > 0 {
        lines.push(format!("... and {unreported} more"));
    }
    lines.join("\n")
}

/// The candidate that `word` was probably meant to be, if one is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong: "timout_s" is near "timeout_s", "x" is near nothing.
    let tolerated = (word.chars().count() / 3).min(3);
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a sentence about an unknown word: the nearest known one, or all of them.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if known.is_empty() => "there are none".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        for (word, near) in [
            ("timout_s", Some("timeout_s")),
            ("Name", Some("name")),
            ("nmae", Some("name")),
            ("telemetry", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, ["name", "argv", "timeout_s"]), near, "{word}");
        }
        assert_eq!(suggestion("x", ["name", "argv"]), "known: name, argv");
    }

    #[test]
    fn ten_problems_a_file_and_a_count() {
        let mut found: Vec<_> = (0..13).map(|n| Place::of("a.toml").problem(format!("no {n}"))).collect();
        found.push(Place::of("b.toml").problem("other"));
        let error = ConfigError::unless_empty(found).unwrap_err();
        assert_eq!((error.problems.len(), error.unreported), (11, 3));
        assert!(error.to_string().ends_with("b.toml: other\n... and 3 more"), "{error}");
    }
}
