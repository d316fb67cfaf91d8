//! When something that decides takes keys: only once it stood on the screen, whole, for [`ARM_MS`], and the keyboard was
//! quiet for [`QUIET_MS`]. What was typed ahead, pasted, or repeated by a held key never decides.

use crate::domain::Timestamp;

/// How long it must stand on the screen before it takes keys, in milliseconds.
pub const ARM_MS: i64 = 400;

/// How long the keyboard must be quiet before that, in milliseconds.
pub const QUIET_MS: i64 = 250;

/// How far something is from taking keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arming {
    painted: Option<Timestamp>,
    last_key: Timestamp,
}

impl Arming {
    /// Opened by a key, now.
    pub(super) const fn begun(now: Timestamp) -> Self {
        Self { painted: None, last_key: now }
    }

    /// Notes that it is on the screen now.
    pub(super) fn painted(&mut self, now: Timestamp) {
        self.painted.get_or_insert(now);
    }

    /// Notes that what is on the screen is no longer it: it has to be drawn again before it counts.
    pub(super) const fn hidden(&mut self) {
        self.painted = None;
    }

    /// Notes a key; true if it counts.
    pub(super) fn takes(&mut self, now: Timestamp) -> bool {
        let armed = self.is_armed(now);
        self.last_key = now;
        armed
    }

    /// When it takes keys, if the keyboard stays quiet; none before it was drawn.
    pub fn armed_at(&self) -> Option<Timestamp> {
        let painted = self.painted?;
        Some(Timestamp((painted.0 + ARM_MS).max(self.last_key.0 + QUIET_MS)))
    }

    /// Whether it takes keys.
    pub fn is_armed(&self, now: Timestamp) -> bool {
        self.armed_at().is_some_and(|at| now >= at)
    }
}
