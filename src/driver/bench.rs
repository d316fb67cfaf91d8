//! A worktree as a workbench: several commands may work at it at once, all of them on one and the same tree.
//!
//! Whoever comes first to a bench that nobody uses has its tree checked out; who wants the same tree joins in; who wants
//! another waits until all have left. So no command ever sees files change under it but by one that runs beside it, and
//! what a command did to tracked files is found when it leaves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::task::spawn_blocking;

use crate::domain::{CommitId, TreeId};
use crate::repo::{Repo, RepoError};

/// A worktree and what is in it.
#[derive(Clone)]
pub(super) struct Bench {
    repo: Repo,
    name: String,
    base: CommitId,
    on_it: Arc<RwLock<OnIt>>,
}

/// What is checked out.
#[derive(Default)]
struct OnIt {
    tree: Option<TreeId>,
    /// A command has changed tracked files: nobody joins in any more.
    spoilt: AtomicBool,
}

impl OnIt {
    fn is(&self, tree: &TreeId) -> bool {
        self.tree.as_ref() == Some(tree) && !self.spoilt.load(Ordering::Relaxed)
    }
}

/// A place at a bench. The tree stays until it is dropped.
pub(super) struct Seat {
    repo: Repo,
    path: PathBuf,
    tree: TreeId,
    on_it: OwnedRwLockReadGuard<OnIt>,
}

/// A bench that nobody else works at, until this is dropped.
pub(super) struct Alone {
    repo: Repo,
    path: PathBuf,
    _on_it: OwnedRwLockWriteGuard<OnIt>,
}

impl Bench {
    /// The bench in the worktree `name`, which is detached at `base`. The worktree is made when it is first needed.
    pub(super) fn new(repo: Repo, name: String, base: CommitId) -> Self {
        Self { repo, name, base, on_it: Arc::default() }
    }

    /// A place at the bench with `tree` on it.
    ///
    /// # Errors
    /// If the worktree can't be made or set to the tree.
    pub(super) async fn seat(&self, tree: &TreeId) -> Result<Seat, RepoError> {
        let on_it = match Arc::clone(&self.on_it).try_write_owned() {
            Ok(alone) => self.set_up(alone, tree).await?,
            Err(_) => {
                let beside = Arc::clone(&self.on_it).read_owned().await;
                if beside.is(tree) {
                    beside
                } else {
                    drop(beside);
                    let alone = Arc::clone(&self.on_it).write_owned().await;
                    self.set_up(alone, tree).await?
                }
            }
        };
        let (repo, tree) = (self.repo.clone(), tree.clone());
        let path = repo.worktree_path(&self.name)?;
        Ok(Seat { repo, path, tree, on_it })
    }

    /// The whole bench with `tree` on it, for one who changes what is there.
    ///
    /// # Errors
    /// If the worktree can't be made or set to the tree.
    pub(super) async fn alone(&self, tree: &TreeId) -> Result<Alone, RepoError> {
        let mut on_it = Arc::clone(&self.on_it).write_owned().await;
        *on_it = OnIt::default();
        let (repo, name, base, wanted) = (self.repo.clone(), self.name.clone(), self.base.clone(), tree.clone());
        let made = aside(move || {
            let path = repo.worktree(&name, &base)?;
            repo.check_out(&path, &wanted)?;
            Ok(path)
        });
        Ok(Alone { repo: self.repo.clone(), path: made.await?, _on_it: on_it })
    }

    /// Removes the worktree once nobody uses it any more.
    ///
    /// # Errors
    /// If a file can't be removed.
    pub(super) async fn clear(&self) -> Result<(), RepoError> {
        let mut alone = self.on_it.write().await;
        *alone = OnIt::default();
        let (repo, name) = (self.repo.clone(), self.name.clone());
        aside(move || repo.remove_worktrees(&[name])).await
    }

    async fn set_up(
        &self,
        mut alone: OwnedRwLockWriteGuard<OnIt>,
        tree: &TreeId,
    ) -> Result<OwnedRwLockReadGuard<OnIt>, RepoError> {
        // Unknown until it is done.
        *alone = OnIt::default();
        let (repo, name, base, wanted) = (self.repo.clone(), self.name.clone(), self.base.clone(), tree.clone());
        aside(move || repo.check_out(&repo.worktree(&name, &base)?, &wanted)).await?;
        alone.tree = Some(tree.clone());
        Ok(alone.downgrade())
    }
}

impl Alone {
    /// The worktree.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The tree of everything in it, as it is now.
    ///
    /// # Errors
    /// If the worktree can't be read.
    pub(super) async fn snapshot(&self) -> Result<TreeId, RepoError> {
        let (repo, path) = (self.repo.clone(), self.path.clone());
        aside(move || repo.snapshot(&path)).await
    }
}

impl Seat {
    /// The worktree.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The tracked files that aren't those of the tree any more. If there are any, nobody else joins in.
    ///
    /// # Errors
    /// If the worktree can't be read.
    pub(super) async fn changed(&self) -> Result<Vec<String>, RepoError> {
        let (repo, path, tree) = (self.repo.clone(), self.path.clone(), self.tree.clone());
        let changed = aside(move || repo.changed(&path, &tree)).await;
        if !matches!(&changed, Ok(paths) if paths.is_empty()) {
            self.on_it.spoilt.store(true, Ordering::Relaxed);
        }
        changed
    }
}

/// Works with git on another thread: a big tree takes its time, and models go on talking meanwhile.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RepoError> + Send + 'static,
) -> Result<T, RepoError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(RepoError::Run(io::Error::other(error))))
}
