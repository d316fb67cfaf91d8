//! What earlier runs of a gate tell: how long it takes, and answers that still hold.

use crate::domain::{Digest, GateDef, GateRun, Timestamp, Verdict};

use super::State;

impl State {
    /// How long this gate took when it last ran to its end, in milliseconds; none if it never did.
    pub fn usual_ms(&self, gate: &GateDef) -> Option<u64> {
        let stages = self.loops.values().flat_map(|one| &one.stages);
        let runs = stages.filter_map(|stage| stage.runs.get(&gate.name)).filter(|run| {
            let idle = matches!(run.verdict, Verdict::Cancelled | Verdict::Skipped | Verdict::NotApplicable);
            !idle && run.details.cached_from.is_none()
        });
        runs.max_by_key(|run| run.id).map(|run| run.duration_ms)
    }

    /// The runs of this gate whose answer may be used again, by what they rest on. Where a result is good for a while
    /// only, those from before that aren't among them.
    pub fn answers(&self, gate: &GateDef, now: Timestamp) -> Vec<(Digest, GateRun)> {
        let (definition, ttl) = (gate.digest(), gate.rules.ttl_s.and_then(|ttl| i64::try_from(ttl).ok()));
        let oldest = ttl.map(|ttl| now.0.saturating_sub(ttl.saturating_mul(1000)));
        let holds = |run: &GateRun| run.definition == definition && oldest.is_none_or(|oldest| run.started.0 >= oldest);
        let answers = self.answered.iter().filter(|(_, run)| holds(run));
        answers.map(|(key, run)| (*key, run.clone())).collect()
    }

    /// Remembers a run whose answer may be used again: one that decided something, and was worked out, not taken over.
    pub(super) fn remember(&mut self, run: &GateRun) {
        if let Some(key) = run.details.key
            && matches!(run.verdict, Verdict::Pass | Verdict::Fail)
            && run.details.cached_from.is_none()
        {
            self.answered.insert(key, run.clone());
        }
    }
}
