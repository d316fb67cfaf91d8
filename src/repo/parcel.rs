//! A tree as one file, to be sent to another machine: no history, nothing else of the repository.

use super::git::RepoError;
use super::open::Repo;
use crate::domain::{CommitId, TreeId};

/// The name of the commit in the bundle.
const NAME: &str = "refs/windlass/tree";

impl Repo {
    /// A git bundle with `refs/windlass/tree`: a commit of exactly this tree, without parents, the same each time. No ref
    /// of this repository is made for it.
    ///
    /// # Errors
    /// If the repository doesn't have the tree or can't write an object.
    pub fn bundle(&self, tree: &TreeId) -> Result<Vec<u8>, RepoError> {
        let doing = format!("pack tree {tree}");
        let mut git = self.git();
        for who in ["AUTHOR", "COMMITTER"] {
            git = git.env(&format!("GIT_{who}_NAME"), "windlass").env(&format!("GIT_{who}_EMAIL"), "");
            git = git.env(&format!("GIT_{who}_DATE"), "@0 +0000");
        }
        let commit: CommitId = git.args(["commit-tree", tree.as_str()]).stdin("tree\n").id(&doing)?;
        // gitformat-bundle(5): the second version knows SHA-1 only.
        let header = if commit.as_str().len() == 64 {
            format!("# v3 git bundle\n@object-format=sha256\n{commit} {NAME}\n\n")
        } else {
            format!("# v2 git bundle\n{commit} {NAME}\n\n")
        };
        let pack = self.git().args(["pack-objects", "--revs", "--stdout", "-q"]).stdin(format!("{commit}\n"));
        let mut bundle = header.into_bytes();
        bundle.extend(pack.bytes(&doing)?);
        Ok(bundle)
    }
}
