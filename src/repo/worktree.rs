//! Linked worktrees: made, reused with their build caches, set to a tree, read back as a tree, and mended after a crash.
//!
//! What runs inside a worktree is code under review. So git is never pointed at the worktree's own `.git` file, which
//! that code can write: every call names git's directories itself.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::git::{Git, RepoError, file_error};
use super::index_lock::IndexLock;
use super::objects::scratch_settings;
use super::open::Repo;
use super::scratch::{ScratchIndex, scratch_dir};
use crate::domain::{CommitId, TreeId};

/// Begins the directory name of every worktree of ours, and so its entry in git's own list.
const PREFIX: &str = "windlass-";

/// One is made at a time.
static MAKING: Mutex<()> = Mutex::new(());

/// A worktree and git's entry for it.
struct Linked {
    /// Its files.
    path: PathBuf,
    /// `<git common dir>/worktrees/<name>`.
    entry: PathBuf,
}

impl Repo {
    /// The linked worktree of this name, detached at `at`. One that exists is reused: its commit becomes `at`, its files
    /// stay as they are (call [`check_out`](Self::check_out) next). One that a crash left half made is made anew.
    ///
    /// # Errors
    /// If the name isn't a plain path component, or git or the file system refuses.
    pub fn worktree(&self, name: &str, at: &CommitId) -> Result<PathBuf, RepoError> {
        let linked = self.linked(name)?;
        if self.is_whole(&linked)? {
            self.mend(&linked)?;
        } else {
            // git looks at the other worktrees while it makes one, and fails over one that is only half made.
            let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
            self.discard(&linked)?;
            let doing = format!("make the worktree {name}");
            self.git()
                .args(["worktree", "add", "--no-checkout", "--detach", "--force"])
                .args([&linked.path])
                .args([at.as_str()])
                .bytes(&doing)?;
            self.check_out(&linked.path, &self.tree_of(at)?)?;
        }
        let doing = format!("set the worktree {name} to commit {at}");
        self.git_in(&linked).args(["update-ref", "--no-deref", "HEAD", at.as_str()]).bytes(&doing)?;
        Ok(linked.path)
    }

    /// Where the worktree of this name is, or would be.
    ///
    /// # Errors
    /// If the name isn't a plain path component.
    pub fn worktree_path(&self, name: &str) -> Result<PathBuf, RepoError> {
        Ok(self.linked(name)?.path)
    }

    /// Makes a worktree's files equal `tree`. Files that git ignores (build output) stay; all others that are not in the
    /// tree go.
    ///
    /// # Errors
    /// If `worktree` isn't one of [`worktree`](Self::worktree)'s, or git refuses.
    pub fn check_out(&self, worktree: &Path, tree: &TreeId) -> Result<(), RepoError> {
        let linked = self.linked_at(worktree)?;
        self.make_index_honest(&linked)?;
        let doing = format!("check out tree {tree}");
        let set =
            || scratch_settings(self.git_in(&linked)).args(["read-tree", "--reset", "-u", tree.as_str()]).bytes(&doing);
        set()?;
        // Twice forced: a repository that somebody made inside goes, too.
        self.git_in(&linked).args(["clean", "-ffdq"]).bytes("remove what is not in the tree")?;
        // A file reached through a link, in the place of its directory, was there for git; it went with the link.
        set().map(drop)
    }

    /// The tree of everything in a worktree that git doesn't ignore, as it is now.
    ///
    /// # Errors
    /// If `worktree` isn't one of [`worktree`](Self::worktree)'s, or git can't read it.
    pub fn snapshot(&self, worktree: &Path) -> Result<TreeId, RepoError> {
        self.tree_in(worktree, "--all")
    }

    /// The paths at which a worktree's tracked files aren't those of `tree`, which was checked out there. New files
    /// count only once somebody told git of them.
    ///
    /// # Errors
    /// If `worktree` isn't one of [`worktree`](Self::worktree)'s, or git can't read it.
    pub fn changed(&self, worktree: &Path, tree: &TreeId) -> Result<Vec<String>, RepoError> {
        let now = self.tree_in(worktree, "--update")?;
        if now == *tree {
            return Ok(Vec::new());
        }
        Ok(self.differences(tree, &now)?.into_iter().map(|difference| difference.path).collect())
    }

    /// The tree of a worktree's files: those that git knows, as they are now, and with `--all` the new ones.
    fn tree_in(&self, worktree: &Path, which: &str) -> Result<TreeId, RepoError> {
        let linked = self.linked_at(worktree)?;
        self.make_index_honest(&linked)?;
        let scratch = ScratchIndex::new(self)?;
        let index = linked.entry.join("index");
        if index.exists() {
            copy_with_time(&index, scratch.path())?;
        }
        let git = || scratch_settings(self.git_in(&linked)).env("GIT_INDEX_FILE", scratch.path());
        git().args(["add", which]).bytes("read the files of the worktree")?;
        git().args(["write-tree"]).id("write the tree of the worktree")
    }

    /// Removes worktrees by name; those that aren't there are no error.
    ///
    /// # Errors
    /// If a name isn't a plain path component, or a file can't be removed.
    pub fn remove_worktrees<S: AsRef<str>>(&self, names: &[S]) -> Result<(), RepoError> {
        names.iter().try_for_each(|name| self.discard(&self.linked(name.as_ref())?))
    }

    /// Clears away what a crash left: worktrees of ours not named in `keep`, their entries in git, stale locks, temporary
    /// files. Only for the one process that works in this repository. The names of the worktrees removed.
    ///
    /// # Errors
    /// If a directory can't be listed or a file can't be removed.
    pub fn sweep(&self, keep: &[String]) -> Result<Vec<String>, RepoError> {
        remove_dir(&scratch_dir(self)?)?;
        IndexLock::sweep(self)?;
        let mut names = children(&self.worktrees_dir()?)?;
        names.extend(children(&self.common_dir().join("worktrees"))?);
        names.sort();
        names.dedup();
        let mut removed = Vec::new();
        for name in names.iter().filter_map(|name| name.strip_prefix(PREFIX)) {
            let linked = Linked::new(self, name)?;
            if !keep.iter().any(|kept| kept == name) || !self.is_whole(&linked)? {
                self.discard(&linked)?;
                removed.push(name.to_owned());
            } else {
                self.mend(&linked)?;
            }
        }
        Ok(removed)
    }

    fn worktrees_dir(&self) -> Result<PathBuf, RepoError> {
        Ok(self.private_dir()?.join("worktrees"))
    }

    fn linked(&self, name: &str) -> Result<Linked, RepoError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        // git makes entries of other names (`a.lock`, a trailing dot) than the directories they are for.
        if name.is_empty()
            || !name.chars().all(plain)
            || name.ends_with('.')
            || name.ends_with(".lock")
            || name.contains("..")
        {
            return Err(RepoError::Name(name.to_owned()));
        }
        Linked::new(self, name)
    }

    fn linked_at(&self, worktree: &Path) -> Result<Linked, RepoError> {
        let not_ours = || RepoError::NotOurs(worktree.to_owned());
        let name = worktree.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(PREFIX));
        let linked = self.linked(name.ok_or_else(not_ours)?)?;
        if linked.path == worktree && linked.entry.is_dir() { Ok(linked) } else { Err(not_ours()) }
    }

    /// A call of git on a worktree, its directories named one by one.
    fn git_in(&self, linked: &Linked) -> Git {
        Git::new(&linked.path)
            .env("GIT_DIR", &linked.entry)
            .env("GIT_COMMON_DIR", self.common_dir())
            .env("GIT_WORK_TREE", &linked.path)
    }

    /// Whether `git worktree add` came to its end: it locks the entry while it runs.
    fn is_whole(&self, linked: &Linked) -> Result<bool, RepoError> {
        let initializing =
            fs::read(linked.entry.join("locked")).is_ok_and(|reason| reason.trim_ascii() == b"initializing");
        if initializing || !linked.path.is_dir() || !linked.entry.join("index").is_file() {
            return Ok(false);
        }
        let head = self.git_in(linked).args(["rev-parse", "--verify", "-q", "HEAD^{commit}"]).outcome()?;
        Ok(head.status.success())
    }

    /// Removes the locks of a process that died, and sets right the two files by which entry and worktree find each other
    /// (the repository may have been moved, the worktree's file may have been replaced by the code that ran there).
    fn mend(&self, linked: &Linked) -> Result<(), RepoError> {
        for lock in ["index.lock", "HEAD.lock", "locked"] {
            remove_file(&linked.entry.join(lock))?;
        }
        let pointer = linked.path.join(".git");
        let names_entry = line_of("gitdir: ", &linked.entry);
        if !pointer.symlink_metadata().is_ok_and(|meta| meta.is_file())
            || fs::read(&pointer).ok() != Some(names_entry.clone())
        {
            remove_file(&pointer)?;
            fs::write(&pointer, names_entry).map_err(file_error("write", &pointer))?;
        }
        let back = linked.entry.join("gitdir");
        fs::write(&back, line_of("", &pointer)).map_err(file_error("write", &back))
    }

    /// Removes a worktree and its entry, whatever state they are in. `git worktree remove` gives up on half-made ones.
    fn discard(&self, linked: &Linked) -> Result<(), RepoError> {
        remove_dir(&linked.path)?;
        remove_dir(&linked.entry)
    }

    /// Rebuilds a worktree's index if it says of any file that git needn't look at it (assume-unchanged,
    /// skip-worktree): the code that runs there could have set that.
    fn make_index_honest(&self, linked: &Linked) -> Result<(), RepoError> {
        let list = || scratch_settings(self.git_in(linked)).args(["ls-files", "-z"]);
        let tags = list().args(["-v"]).bytes("read the index of the worktree")?;
        let honest = tags.split(|byte| *byte == 0).all(|line| matches!(line.first(), None | Some(b'H')));
        if honest {
            return Ok(());
        }
        let content = list().args(["--stage"]).bytes("read the index of the worktree")?;
        remove_file(&linked.entry.join("index"))?;
        let rebuild = scratch_settings(self.git_in(linked)).args(["update-index", "-z", "--index-info"]).stdin(content);
        rebuild.bytes("rebuild the index of the worktree").map(drop)
    }
}

impl Linked {
    fn new(repo: &Repo, name: &str) -> Result<Self, RepoError> {
        let dir = format!("{PREFIX}{name}");
        Ok(Self { path: repo.worktrees_dir()?.join(&dir), entry: repo.common_dir().join("worktrees").join(&dir) })
    }
}

/// Copies an index with its time of change, which git compares with the times of the files to know which it can trust.
pub(super) fn copy_with_time(from: &Path, to: &Path) -> Result<(), RepoError> {
    let copy = || {
        fs::copy(from, to)?;
        let modified = from.metadata()?.modified()?;
        fs::File::options().write(true).open(to)?.set_modified(modified)
    };
    copy().map_err(file_error("copy", from))
}

fn line_of(start: &str, path: &Path) -> Vec<u8> {
    let mut line = start.as_bytes().to_vec();
    line.extend(OsString::from(path).into_vec());
    line.push(b'\n');
    line
}

/// The names in a directory; none if there is no such directory.
fn children(dir: &Path) -> Result<Vec<String>, RepoError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(file_error("list", dir))?,
    };
    let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<io::Result<_>>().map_err(file_error("list", dir))
}

/// Removes a file, a link or a directory; nothing there is no error.
fn remove_file(path: &Path) -> Result<(), RepoError> {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => return remove_dir(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    }
    .or_else(missing_is_fine)
    .map_err(file_error("remove", path))
}

/// Removes a directory and all in it; nothing there is no error. Directories that a build made read-only go, too.
fn remove_dir(path: &Path) -> Result<(), RepoError> {
    let removed = match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            make_writable(path).and_then(|()| fs::remove_dir_all(path))
        }
        removed => removed,
    };
    removed.or_else(missing_is_fine).map_err(file_error("remove", path))
}

fn missing_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn make_writable(dir: &Path) -> io::Result<()> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // Of the entry itself, not of what a link points to.
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}
