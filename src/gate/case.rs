//! What a kind of gate judges from, and what it says.

use std::path::{Path, PathBuf};

use super::patch::Patch;
use crate::domain::{Figure, Settings, Spot, Verdict};

/// The most places kept of one run; the text counts the rest.
const SPOTS: usize = 200;

/// The most lines of places in the text.
const LISTED: usize = 1000;

/// One report, as the run left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its path inside the worktree, or `standard output`.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a run on one of the two trees left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// The top of the tree it ran on.
    pub root: PathBuf,
    /// Its reports; at least one.
    pub files: Vec<Report>,
    /// The command's exit code.
    pub exit: i32,
}

impl Reports {
    /// A path that a tool wrote, from the top of the tree where it is inside.
    pub fn relative(&self, path: &str) -> String {
        let path = path.strip_prefix("file://").unwrap_or(path);
        let inside = Path::new(path).strip_prefix(&self.root).ok().and_then(Path::to_str);
        inside.unwrap_or(path).trim_start_matches("./").to_owned()
    }
}

/// A tree that is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Its top.
    pub root: PathBuf,
    /// Its regular files, as git lists them.
    pub paths: Vec<String>,
}

impl Tree {
    /// The text of a file; none if the tree has no such file.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn text(&self, path: &str) -> Result<Option<String>, String> {
        if !self.paths.iter().any(|known| known == path) {
            return Ok(None);
        }
        let bytes = std::fs::read(self.root.join(path)).map_err(|error| format!("failed to read {path}: {error}"))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// What a kind that reads reports judges from.
#[derive(Debug, Clone, Copy)]
pub struct ReportCase<'a> {
    /// How the human configured it.
    pub settings: &'a Settings,
    /// The change under review.
    pub patch: &'a Patch,
    /// What was left behind on the tree under review.
    pub head: &'a Reports,
    /// The same of the base, if it compares with that.
    pub base: Option<&'a Reports>,
}

/// What a kind that looks at the trees judges from.
#[derive(Debug, Clone, Copy)]
pub struct TreeCase<'a> {
    /// How the human configured it.
    pub settings: &'a Settings,
    /// The change under review.
    pub patch: &'a Patch,
    /// The tree under review.
    pub head: &'a Tree,
    /// The base.
    pub base: &'a Tree,
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The outcome.
    pub verdict: Verdict,
    /// One line a person reads.
    pub summary: String,
    /// The lines behind it.
    pub text: String,
    /// What it comes down to.
    pub figure: Option<Figure>,
    /// Where it points.
    pub spots: Vec<Spot>,
    /// No reason goes past it.
    pub firm: bool,
}

impl Judged {
    /// This outcome, in one line.
    pub fn new(verdict: Verdict, summary: impl Into<String>) -> Self {
        Self { verdict, summary: summary.into(), text: String::new(), figure: None, spots: Vec::new(), firm: false }
    }

    /// There is no answer, because of this.
    pub fn error(why: impl Into<String>) -> Self {
        Self::new(Verdict::Error, why)
    }

    /// With the number it comes down to. One that isn't finite is left out: the record holds exact numbers only.
    #[must_use]
    pub fn measured(mut self, value: f64, unit: &str, threshold: Option<f64>, baseline: Option<f64>) -> Self {
        let finite = |number: Option<f64>| number.is_none_or(f64::is_finite);
        if value.is_finite() && finite(threshold) && finite(baseline) {
            self.figure = Some(Figure { value, unit: unit.to_owned(), threshold, baseline });
        }
        self
    }

    /// With a line of text.
    #[must_use]
    pub fn line(mut self, line: impl AsRef<str>) -> Self {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
        self
    }

    /// With the places it points at, each a line of the text too.
    #[must_use]
    pub fn at(mut self, mut spots: Vec<Spot>) -> Self {
        for spot in spots.iter().take(LISTED) {
            let place = spot.lines.map_or_else(|| spot.path.clone(), |(first, _)| format!("{}:{first}", spot.path));
            self = self.line(format!("{place}: {}", spot.text));
        }
        if let Some(more @ 1..) = spots.len().checked_sub(LISTED) {
            self = self.line(format!("... and {more} more"));
        }
        spots.truncate(SPOTS);
        self.spots = spots;
        self
    }
}

/// The error of a command that failed although its report holds nothing against the tree: then something else went
/// wrong, and the report may be that of half a run.
pub fn unexplained(reports: &Reports) -> Option<Judged> {
    let exit = reports.exit;
    (exit != 0).then(|| Judged::error(format!("exit {exit}, and nothing in its report says why")))
}

/// `text` as one line of at most so many characters as a screen shows.
pub fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let joined: Vec<&str> = text.split_whitespace().collect();
    let joined = joined.join(" ");
    if joined.chars().count() <= LONGEST {
        return joined;
    }
    joined.chars().take(LONGEST).chain(['…']).collect()
}

/// "1 line", "2 lines".
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
