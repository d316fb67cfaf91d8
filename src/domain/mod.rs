//! The words of Windlass as values: what a loop, a stage, a revision, a finding, a gate run and a decision are.
//!
//! Floor 0. Nothing here reads a clock, a file or a network; every other room imports from here and this room
//! imports from none.

mod artifact;
mod check;
mod context;
mod cost;
mod critique;
mod decision;
mod details;
mod digest;
mod exchange;
mod gate;
mod ids;
mod keys;
mod measure;
mod offer;
mod pattern;
mod provider;
mod section;
mod thread;
mod visible;
mod workflow;

pub use artifact::{ArtifactKind, Change, FileStat, Origin, Revision};
pub use check::{Check, CheckKind, Runs, Setting, SettingSpec, Settings, Shape};
pub use context::{ContextItem, ItemKind, tokens_of};
pub use cost::{Budget, EXPECTED_OUTPUT, Money, Price, Quote};
pub use critique::{Anchor, Critique, Disposition, Finding, ParseFindingError, Severity};
pub use decision::{Decision, Gap, Override, Person, Unread, Verb};
pub use details::{Details, Figure, Spot};
pub use digest::{Digest, DigestBuilder, ParseDigestError};
pub use exchange::{End, ModelId, PromptRef, Role, Timings, Usage};
pub use gate::{CommandSpec, Enforcement, GateDef, GateKind, GateRules, GateRun, Reach, Subject, Verdict};
pub use ids::{CommitId, ExchangeId, LoopId, ParseObjectIdError, RunId, StageIndex, Timestamp, TreeId};
pub use keys::without_keys;
pub use measure::{Bound, Comparison, Criterion, Measurement, ParseReadingError, Reading, Sample, Side, Sign, Spread};
pub use offer::Offer;
pub use pattern::{covers, is_test};
pub use provider::{KeySource, ProviderSpec, ServerSpec, WireFormat};
pub use section::{Section, sections};
pub use thread::{Answer, Turn, usual_question};
pub use visible::{ascii, visible, visible_line};
pub use workflow::{Measure, StageSpec, Workflow, WorkflowError};
