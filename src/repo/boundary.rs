//! Which paths a change may touch: simple patterns from the repository's configuration.

use crate::domain::covers;

/// The paths a change may touch. A denied path is out, whatever allows it; with an empty `allow` all others are in.
///
/// Patterns are those of [`covers`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Boundary {
    /// Patterns of what may be touched; empty means everything.
    pub allow: Vec<String>,
    /// Patterns of what may never be touched.
    pub deny: Vec<String>,
}

impl Boundary {
    /// Whether a change may touch this path.
    pub fn allows(&self, path: &str) -> bool {
        self.refusal(path).is_none()
    }

    /// Why a change may not touch this path; none if it may.
    pub(super) fn refusal(&self, path: &str) -> Option<String> {
        if let Some(pattern) = self.deny.iter().find(|pattern| covers(pattern, path)) {
            return Some(format!("is outside the boundary: `{pattern}` is denied"));
        }
        if !self.allow.is_empty() && !self.allow.iter().any(|pattern| covers(pattern, path)) {
            return Some(format!("is outside the boundary: only {} may be touched", quoted(&self.allow)));
        }
        None
    }
}

fn quoted(patterns: &[String]) -> String {
    let quoted: Vec<String> = patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Boundary;

    #[test]
    fn deny_wins_and_no_allow_means_everything() {
        let boundary = Boundary { allow: vec![], deny: vec!["secrets".into()] };
        assert!(boundary.allows("src/a.rs") && !boundary.allows("secrets/key"));
        let boundary = Boundary { allow: vec!["src".into()], deny: vec!["src/vendor".into()] };
        assert!(boundary.allows("src/a.rs") && !boundary.allows("src/vendor/b.rs") && !boundary.allows("README.md"));
    }
}
