//! What earlier runs of a gate tell: how long it takes, and answers that still hold.

use crate::domain::{Digest, GateDef, GateRun, Timestamp, Verdict};

use super::State;

impl State {
    /// Every gate's last run in each stage, latest last.
    fn runs(&self) -> impl Iterator<Item = &GateRun> {
        let stages = self.loops.values().flat_map(|one| &one.stages);
        stages.flat_map(|stage| stage.runs.values())
    }

    /// How long this gate took when it last ran to its end, in milliseconds; none if it never did.
    pub fn usual_ms(&self, gate: &GateDef) -> Option<u64> {
        let ended = |run: &&GateRun| {
            let went_through = !matches!(run.verdict, Verdict::Cancelled | Verdict::Skipped | Verdict::NotApplicable);
            run.gate == gate.name && run.duration_ms > 0 && went_through
        };
        self.runs().filter(ended).max_by_key(|run| run.id).map(|run| run.duration_ms)
    }

    /// The runs of this gate whose answer may be used again: what it says is decided, and it was worked out, not taken
    /// over. Where a result is good for a while only, those from before that aren't among them.
    pub fn answers(&self, gate: &GateDef, now: Timestamp) -> Vec<(Digest, GateRun)> {
        let definition = gate.digest();
        let oldest = gate
            .rules
            .ttl_s
            .map(|ttl| now.0.saturating_sub(i64::try_from(ttl).unwrap_or(i64::MAX).saturating_mul(1000)));
        let decided = self.runs().filter(|run| {
            run.definition == definition
                && matches!(run.verdict, Verdict::Pass | Verdict::Fail)
                && oldest.is_none_or(|oldest| run.started.0 >= oldest)
        });
        decided.filter_map(|run| Some((run.details.key?, run.clone()))).collect()
    }
}
