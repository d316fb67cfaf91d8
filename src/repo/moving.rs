//! The checkout's files on their way from the parent to the approved tree, and back.
//!
//! git looks at a file and replaces it a moment later; what a person saves in between is lost. Here a file loses its name
//! first, whatever it holds by then; the new file takes the name only if nobody else has it; and what was put aside is
//! looked at last. If any of it is not what the parent has, everything goes back. So whoever saves while a change lands
//! keeps what they saved, and the landing is what gives way.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::git::{RepoError, file_error};
use super::objects::{FileEntry, FileMode};
use super::open::Repo;
use super::scratch::scratch_path;
use crate::domain::TreeId;

/// One file that is to become another.
pub(super) struct Step {
    /// Where it is.
    pub(super) path: String,
    /// What the parent has there.
    pub(super) old: Option<FileEntry>,
    /// What the approved tree has there.
    pub(super) new: Option<FileEntry>,
    /// A landing that was cut short may have left the beginning of the new file, or nothing.
    pub(super) begun: bool,
}

/// Why the files stay.
#[derive(Debug)]
pub(super) enum Stuck {
    /// The person has something else at this path.
    Mine(String),
    /// The file system refused.
    Refused(String),
    /// git failed.
    Repo(RepoError),
}

impl From<RepoError> for Stuck {
    fn from(error: RepoError) -> Self {
        Self::Repo(error)
    }
}

/// Something done to one path.
enum Done<'a> {
    /// Its file has another name for now.
    Aside(&'a Step, PathBuf),
    /// The new file has its name.
    Made(&'a Step),
}

/// Files on their way. [`finish`](Self::finish) or [`undo`](Self::undo) ends it.
pub(super) struct Moving<'a> {
    repo: &'a Repo,
    tree: &'a TreeId,
    /// Where files without a name are, on the checkout's file system.
    dir: PathBuf,
    done: Vec<Done<'a>>,
    names: usize,
}

impl<'a> Moving<'a> {
    /// Nothing has moved yet.
    pub(super) fn new(repo: &'a Repo, tree: &'a TreeId) -> Result<Self, RepoError> {
        let dir = scratch_path(repo, "landing")?;
        DirBuilder::new().mode(0o700).create(&dir).map_err(file_error("create", &dir))?;
        Ok(Self { repo, tree, dir, done: Vec::new(), names: 0 })
    }

    /// Does all steps.
    pub(super) fn go(&mut self, steps: &'a [Step]) -> Result<(), Stuck> {
        // What goes first: a file may give way to a directory of its name, or the other way round.
        for step in steps.iter().filter(|step| step.new.is_none()) {
            self.put_aside(step)?;
            self.remove_empty_parents(&step.path);
        }
        for step in steps {
            let Some(new) = &step.new else { continue };
            if new.mode == FileMode::Submodule {
                // What is in it is its own repository's.
                fs::create_dir_all(self.at(&step.path)).map_err(|error| stuck(&step.path, error))?;
                continue;
            }
            let fresh = self.name();
            self.write(new, &fresh)?;
            if step.old.is_some() || step.begun {
                self.put_aside(step)?;
            }
            self.make_parents(&step.path)?;
            // Unlike a rename it fails where something is.
            fs::hard_link(&fresh, self.at(&step.path)).map_err(|error| stuck(&step.path, error))?;
            self.done.push(Done::Made(step));
            fs::remove_file(&fresh).map_err(|error| stuck(&step.path, error))?;
        }
        for done in &self.done {
            if let Done::Aside(step, aside) = done
                && !self.may_go(step, aside)?
            {
                return Err(Stuck::Mine(step.path.clone()));
            }
        }
        Ok(())
    }

    /// Puts everything back. Where the person has something else by now, that stays.
    pub(super) fn undo(mut self) -> Result<(), RepoError> {
        while let Some(done) = self.done.pop() {
            match done {
                Done::Made(step) => {
                    let (path, aside) = (self.at(&step.path), self.name());
                    if let Err(source) = fs::rename(&path, &aside) {
                        // Whoever removed it meanwhile wanted it gone.
                        missing_is_fine(source).map_err(file_error("move", &path))?;
                        continue;
                    }
                    if self.is(&step.path, &aside, step.new.as_ref())? {
                        self.remove_empty_parents(&step.path);
                    } else {
                        restore(&aside, &path)?;
                    }
                }
                Done::Aside(step, aside) => {
                    let path = self.at(&step.path);
                    if let Some(parent) = path.parent() {
                        fs::create_dir_all(parent).map_err(file_error("create", parent))?;
                    }
                    restore(&aside, &path)?;
                }
            }
        }
        self.clear()
    }

    /// The old files are not needed any more.
    pub(super) fn finish(self) -> Result<(), RepoError> {
        self.clear()
    }

    fn clear(&self) -> Result<(), RepoError> {
        fs::remove_dir_all(&self.dir).map_err(file_error("remove", &self.dir))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.repo.top().join(path)
    }

    fn name(&mut self) -> PathBuf {
        self.names += 1;
        self.dir.join(self.names.to_string())
    }

    /// Takes a file's name away.
    fn put_aside(&mut self, step: &'a Step) -> Result<(), Stuck> {
        if step.old.as_ref().is_some_and(|old| old.mode == FileMode::Submodule) {
            // With something in it it stays, as with git.
            let _ = fs::remove_dir(self.at(&step.path));
            return Ok(());
        }
        if !self.parents_are_real(&step.path) {
            return Err(Stuck::Mine(step.path.clone()));
        }
        let aside = self.name();
        match fs::rename(self.at(&step.path), &aside) {
            Ok(()) => self.done.push(Done::Aside(step, aside)),
            Err(error) if error.kind() == ErrorKind::NotFound && step.begun => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Stuck::Mine(step.path.clone())),
            Err(error) => return Err(stuck(&step.path, error)),
        }
        Ok(())
    }

    /// Whether what was put aside may be forgotten.
    fn may_go(&self, step: &Step, aside: &Path) -> Result<bool, RepoError> {
        if self.is(&step.path, aside, step.old.as_ref())? {
            return Ok(true);
        }
        let Some(new) = step.new.as_ref().filter(|new| step.begun && new.mode.is_file()) else { return Ok(false) };
        if !aside.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            return Ok(false);
        }
        let content = fs::read(aside).map_err(file_error("read", aside))?;
        Ok(self.content(new)?.starts_with(&content))
    }

    /// Whether the file at `file`, whose name in the checkout is or was `path`, is this entry of a tree.
    fn is(&self, path: &str, file: &Path, entry: Option<&FileEntry>) -> Result<bool, RepoError> {
        entry.map_or(Ok(false), |entry| self.repo.is_entry(path, file, entry))
    }

    /// The bytes of a file as the checkout has them, with the approved tree's own attributes.
    fn content(&self, entry: &FileEntry) -> Result<Vec<u8>, RepoError> {
        let name = format!("{}:{}", self.tree, entry.path);
        let git = self.repo.git().env("GIT_ATTR_SOURCE", self.tree.as_str());
        git.args(["cat-file", "--filters", &name]).bytes(&format!("read {} of the approved tree", entry.path))
    }

    /// Makes a file that has no name in the checkout yet.
    fn write(&self, entry: &FileEntry, file: &Path) -> Result<(), Stuck> {
        let refused = |error| stuck(&entry.path, error);
        if entry.mode == FileMode::Symlink {
            let target = OsString::from_vec(self.repo.blob(entry)?);
            return symlink(target, file).map_err(refused);
        }
        let mode = if entry.mode == FileMode::Executable { 0o777 } else { 0o666 };
        let mut made = OpenOptions::new().write(true).create_new(true).mode(mode).open(file).map_err(refused)?;
        made.write_all(&self.content(entry)?).map_err(refused)
    }

    /// Whether the directories on the way to a path are directories, and no links that lead elsewhere.
    fn parents_are_real(&self, path: &str) -> bool {
        let parents = Path::new(path).ancestors().skip(1).filter(|part| !part.as_os_str().is_empty());
        parents
            .map(|part| self.repo.top().join(part).symlink_metadata())
            .all(|meta| meta.map_or_else(|error| error.kind() == ErrorKind::NotFound, |meta| meta.is_dir()))
    }

    fn make_parents(&self, path: &str) -> Result<(), Stuck> {
        if !self.parents_are_real(path) {
            return Err(Stuck::Mine(path.to_owned()));
        }
        self.at(path).parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| stuck(path, error))
    }

    /// Removes the directories above a path that nothing is in any more, as git does.
    fn remove_empty_parents(&self, path: &str) {
        for parent in Path::new(path).ancestors().skip(1).filter(|part| !part.as_os_str().is_empty()) {
            // One that isn't empty stays, and those above it.
            if fs::remove_dir(self.repo.top().join(parent)).is_err() {
                return;
            }
        }
    }
}

impl Repo {
    /// Whether the file at `file`, whose name in the checkout is or was `path`, has that mode and content.
    pub(super) fn is_entry(&self, path: &str, file: &Path, entry: &FileEntry) -> Result<bool, RepoError> {
        let Ok(meta) = file.symlink_metadata() else { return Ok(false) };
        let hashed = self.git().args(["hash-object"]);
        let (hashed, content) = match entry.mode {
            FileMode::Submodule => return Ok(false),
            FileMode::Symlink if meta.is_symlink() => {
                let target = fs::read_link(file).map_err(file_error("read", file))?;
                (hashed.args(["--no-filters"]), target.as_os_str().as_bytes().to_vec())
            }
            FileMode::Plain | FileMode::Executable if meta.is_file() => {
                let executable = meta.permissions().mode() & 0o100 != 0;
                if executable != (entry.mode == FileMode::Executable) {
                    return Ok(false);
                }
                let option = format!("--path={path}");
                (hashed.args([option]), fs::read(file).map_err(file_error("read", file))?)
            }
            _ => return Ok(false),
        };
        Ok(hashed.args(["--stdin"]).stdin(content).line("compare a file")? == entry.id)
    }
}

/// Gives a file its name back, unless something else has it by now.
fn restore(aside: &Path, path: &Path) -> Result<(), RepoError> {
    let is_dir = aside.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    match if is_dir { fs::rename(aside, path) } else { fs::hard_link(aside, path) } {
        Err(error) if path.symlink_metadata().is_err() => Err(file_error("put back", path)(error)),
        _ => Ok(()),
    }
}

fn missing_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// What an error at a path means: where something is in the way, that it is the person's.
fn stuck(path: &str, error: io::Error) -> Stuck {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => Stuck::Mine(path.to_owned()),
        _ => Stuck::Refused(format!("failed to move {path}: {error}")),
    }
}
