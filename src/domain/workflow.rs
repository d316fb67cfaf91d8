//! A workflow: the ordered stages of a loop, as data. One machine drives every stage of every workflow.

use super::{ArtifactKind, Digest, DigestBuilder, StageIndex};

/// The ordered stages of a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    name: String,
    stages: Vec<StageSpec>,
}

/// Which measurement a stage needs before its author can draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// None.
    #[default]
    Nothing,
    /// The probes, on the base commit.
    Base,
    /// The probes, on the base and on the approved change, interleaved.
    BaseAndChange,
}

/// One row of a workflow: everything in which one stage differs from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageSpec {
    /// Short lower-case name; typed by the human to confirm a landing.
    pub id: String,
    /// What the stage produces.
    pub artifact: ArtifactKind,
    /// What the author drafts, in one sentence.
    pub drafts: String,
    /// What the critic asks, in one sentence.
    pub asks: String,
    /// What approval means, in one sentence ("we agree what to do").
    pub means: String,
    /// Headings the artifact must have.
    pub sections: Vec<String>,
    /// The stage's own acceptance criteria, in prose.
    pub criteria: Vec<String>,
    /// Names of the built-in gates that judge the artifact.
    pub gates: Vec<String>,
    /// Whether the project's command gates run on this stage's tree.
    pub runs_commands: bool,
    /// What is measured before drafting.
    pub measure: Measure,
    /// Size budget in lines of artifact (of changed lines, for a change).
    pub budget_lines: usize,
    /// Whether approving this stage lands the change.
    pub lands: bool,
}

/// Why a list of stages is not a workflow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    /// No stage at all.
    #[error("workflow {0:?} has no stage")]
    Empty(String),
    /// Two stages of one name.
    #[error("workflow {workflow:?} has two stages called {stage:?}")]
    Duplicate {
        /// The workflow.
        workflow: String,
        /// The name that stands twice.
        stage: String,
    },
    /// A landing stage that is not the last, or has no change before it.
    #[error(
        "workflow {workflow:?}: stage {stage:?} lands, so it must be the last and follow a stage whose artifact is a change"
    )]
    Landing {
        /// The workflow.
        workflow: String,
        /// The offending stage.
        stage: String,
    },
}

impl Workflow {
    /// A workflow of these stages.
    ///
    /// # Errors
    /// If there is no stage, two share a name, or a stage lands that isn't last or has no change before it.
    pub fn new(name: String, stages: Vec<StageSpec>) -> Result<Self, WorkflowError> {
        if stages.is_empty() {
            return Err(WorkflowError::Empty(name));
        }
        let mut change_seen = false;
        for (index, stage) in stages.iter().enumerate() {
            if stages.iter().skip(index + 1).any(|other| other.id == stage.id) {
                return Err(WorkflowError::Duplicate { workflow: name, stage: stage.id.clone() });
            }
            if stage.lands && (index + 1 != stages.len() || !change_seen) {
                return Err(WorkflowError::Landing { workflow: name, stage: stage.id.clone() });
            }
            change_seen |= stage.artifact == ArtifactKind::Change;
        }
        Ok(Self { name, stages })
    }

    /// Its name (`scale`).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its stages, in order; never empty.
    pub fn stages(&self) -> &[StageSpec] {
        &self.stages
    }

    /// The stage at `index`, if there is one.
    pub fn stage(&self, index: StageIndex) -> Option<&StageSpec> {
        self.stages.get(index.0)
    }
}

impl StageSpec {
    /// Digest over everything that judges this stage's artifact.
    pub fn digest(&self) -> Digest {
        DigestBuilder::new("stage")
            .text("id", &self.id)
            .text("artifact", self.artifact.name())
            .list("sections", &self.sections)
            .list("criteria", &self.criteria)
            .list("gates", &self.gates)
            .field("commands", &[u8::from(self.runs_commands)])
            .field("budget", &(self.budget_lines as u64).to_le_bytes())
            .field("lands", &[u8::from(self.lands)])
            .finish()
    }
}
