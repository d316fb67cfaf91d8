//! What a key file's `when` can ask about the moment: the one table behind its checks, its help and its answers.

use super::doc::{Kind, Tallied};
use super::model::{Face, Model};
use crate::domain::Disposition;
use crate::engine::Phase;

macro_rules! facts {
    ($($variant:ident $name:literal $doc:literal;)*) => {
        /// Something that holds or doesn't, or a number, at this moment.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fact {
            $(#[doc = $doc] $variant,)*
        }

        impl Fact {
            /// Every fact.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name key files use.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

facts! {
    Text "text" "A text field is open";
    Live "live" "The stage on view is the open one";
    Ready "ready" "The stage on view can be drafted";
    Awaiting "awaiting" "The stage on view awaits a decision";
    Busy "busy" "A model, a gate or a preparation is at work";
    Zoomed "zoomed" "One pane has the whole screen";
    Searching "searching" "There is something searched for";
    ReadsOnly "reads-only" "Another windlass drives";
    Demo "demo" "This is the demo";
    Hunks "hunks" "How many hunks the change has; 0 for prose";
    Unread "unread" "How many parts of the artifact were not read";
    Findings "findings" "How many findings the critique has";
    Blockers "blockers" "How many blockers are open";
    Failing "failing" "How many gates ran and don't satisfy";
    Stage "stage" "The number of the stage on view; 0 without a loop";
    Loops "loops" "How many loops there are";
    Columns "columns" "The window's width";
    Rows "rows" "The window's height";
}

impl Model {
    /// What is so now: a count, or 1 for what holds and 0 for what doesn't.
    pub fn fact(&self, fact: Fact) -> u64 {
        let stage = self.stage();
        let phase = |phase: Phase| self.is_live() && stage.is_some_and(|stage| stage.phase == phase);
        let findings = stage.and_then(|stage| stage.current_critique()).map_or(&[][..], |critique| &critique.findings);
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        match fact {
            Fact::Text => self.takes_text().into(),
            Fact::Live => self.is_live().into(),
            Fact::Ready => phase(Phase::Ready).into(),
            Fact::Awaiting => phase(Phase::Awaiting).into(),
            Fact::Busy => self.is_busy().into(),
            Fact::Zoomed => self.zoomed.into(),
            Fact::Searching => self.search.is_some().into(),
            Fact::ReadsOnly => self.host.reads_only.into(),
            Fact::Demo => self.host.demo.into(),
            Fact::Hunks if self.face() != Face::Artifact => 0,
            Fact::Hunks => {
                let begins = |line: usize| self.artifact.kind(line).is_some_and(Kind::is_diff);
                count(self.artifact.tally(Tallied::Hunks, |unit| begins(unit.from)))
            }
            Fact::Unread => {
                let unread = self.unread();
                unread.total.saturating_sub(unread.seen).into()
            }
            Fact::Findings => count(findings.len()),
            Fact::Blockers => {
                count(findings.iter().filter(|one| one.blocks() && one.disposition == Disposition::Open).count())
            }
            Fact::Failing => count(self.gates_in_the_way().len()),
            Fact::Stage => self.current().map_or(0, |_| count(self.stage_index().number())),
            Fact::Loops => count(self.state.loops.len()),
            Fact::Columns => self.size.0.into(),
            Fact::Rows => self.size.1.into(),
        }
    }
}
