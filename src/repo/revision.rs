//! What a person's words for a commit mean: `HEAD`, a branch, the start of an id.

use super::git::{RepoError, refusal, unreadable};
use super::open::Repo;
use crate::domain::CommitId;

impl Repo {
    /// The commit that a revision names.
    ///
    /// # Errors
    /// If it names none.
    pub fn commit_named(&self, revision: &str) -> Result<CommitId, RepoError> {
        let name = format!("{revision}^{{commit}}");
        let doing = format!("find the commit {revision:?}");
        self.git().args(["rev-parse", "--verify", "--end-of-options", &name]).id(&doing)
    }

    /// The first parent of a commit; none of the first commit, and of the last one that a shallow clone has.
    ///
    /// # Errors
    /// If git can't be asked.
    pub fn parent(&self, commit: &CommitId) -> Result<Option<CommitId>, RepoError> {
        let doing = format!("find the parent of {commit}");
        let line = self.git().args(["rev-list", "--parents", "-n", "1", commit.as_str(), "--"]).line(&doing)?;
        let parent = line.split(' ').nth(1);
        parent.map(|id| id.parse().map_err(|_| unreadable(&doing, line.as_bytes()))).transpose()
    }

    /// Where the ways of two commits part.
    ///
    /// # Errors
    /// If they have nothing in common.
    pub fn fork(&self, one: &CommitId, other: &CommitId) -> Result<CommitId, RepoError> {
        let doing = format!("find what {} and {} have in common", one.short(), other.short());
        let found = self.git().args(["merge-base", one.as_str(), other.as_str()]).outcome()?;
        if found.status.code() == Some(1) {
            let said = "they share no commit; a shallow clone may lack it (git fetch --unshallow)".to_owned();
            return Err(RepoError::Git { doing, said });
        }
        if !found.status.success() {
            return Err(refusal(&doing, &found));
        }
        let line = String::from_utf8_lossy(&found.stdout);
        line.trim_end().parse().map_err(|_| unreadable(&doing, &found.stdout))
    }
}
