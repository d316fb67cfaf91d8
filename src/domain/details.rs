//! What is behind a gate's verdict: its figure, the places it points at, and everything its answer rests on.

use super::{Digest, DigestBuilder, RunId, TreeId, Verdict};

/// The one number a gate comes down to.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The number.
    pub value: f64,
    /// What it counts.
    pub unit: String,
    /// Where it would begin, or cease, to fail.
    pub threshold: Option<f64>,
    /// The same number of the base.
    pub baseline: Option<f64>,
}

/// A place in the tree under review that a gate points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Path inside the repository, or what the tool calls it where it isn't one.
    pub path: String,
    /// First and last line, counted from 1; none for the whole file.
    pub lines: Option<(u32, u32)>,
    /// What is there, in one line.
    pub text: String,
}

/// What is behind a run's verdict.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Details {
    /// What it comes down to, if that is a number.
    pub figure: Option<Figure>,
    /// Where it points; the first of them, if there are very many.
    pub spots: Vec<Spot>,
    /// The tree it was compared with.
    pub base_tree: Option<TreeId>,
    /// Over everything the answer rests on: trees, definition, tool, environment. Equal keys, equal answers.
    pub key: Option<Digest>,
    /// What the tool says its version is.
    pub tool: Option<String>,
    /// What each attempt said, if there was more than one.
    pub attempts: Vec<Verdict>,
    /// The run whose answer this is, if it was used again.
    pub cached_from: Option<RunId>,
    /// No reason goes past what it says, whatever the gate's enforcement.
    pub firm: bool,
}

impl Details {
    /// Adds them to a digest; no details, as runs had before there were any, add nothing.
    pub(super) fn digested(&self, builder: DigestBuilder) -> DigestBuilder {
        if *self == Self::default() {
            return builder;
        }
        let mut builder = builder.field("spots", &(self.spots.len() as u64).to_le_bytes());
        for Spot { path, lines, text } in &self.spots {
            let (first, last) = lines.unwrap_or_default();
            builder = builder.text("path", path).field("first", &first.to_le_bytes());
            builder = builder.field("last", &last.to_le_bytes()).text("text", text);
        }
        if let Some(figure) = &self.figure {
            builder = builder.field("value", &figure.value.to_bits().to_le_bytes()).text("unit", &figure.unit);
            for (label, number) in [("threshold", figure.threshold), ("baseline", figure.baseline)] {
                builder =
                    number.into_iter().fold(builder, |builder, n| builder.field(label, &n.to_bits().to_le_bytes()));
            }
        }
        if let Some(tree) = &self.base_tree {
            builder = builder.text("base-tree", tree.as_str());
        }
        if let Some(key) = &self.key {
            builder = builder.digest("key", key);
        }
        if let Some(tool) = &self.tool {
            builder = builder.text("tool", tool);
        }
        if let Some(RunId(run)) = self.cached_from {
            builder = builder.field("cached-from", &run.to_le_bytes());
        }
        if self.firm {
            builder = builder.field("firm", &[1]);
        }
        let attempts: Vec<&str> = self.attempts.iter().map(|verdict| verdict.name()).collect();
        builder.list("attempts", &attempts)
    }
}
