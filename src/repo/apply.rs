//! Edits become a tree: vetted, located, stored, written through a temporary index. No checkout is touched, and nothing at
//! all is stored when anything is refused.

use std::collections::HashMap;

use super::boundary::Boundary;
use super::edit::{Action, FileEdit, Hunk};
use super::git::RepoError;
use super::hunk::{apply_hunks, with_line_ends_of};
use super::objects::{FileEntry, FileMode, TreeEdit};
use super::open::Repo;
use super::vet::{MAX_FILE_BYTES, Problem, problems_of};
use crate::domain::TreeId;

/// Why edits were not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The edits can't be taken as they are: everything that is wrong with them, one line each, fit to be sent to the model.
    #[error("{}", lines(.0))]
    Refused(Vec<Problem>),
    /// They make the tree they are for.
    #[error("the edits change nothing")]
    NoChange,
    /// The repository failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What one edit makes.
enum Made {
    /// This file.
    File { path: String, mode: FileMode, content: Vec<u8> },
    /// No file any more.
    Nothing { path: String },
}

impl Repo {
    /// The tree that `edits` make of `base`, all of them or none.
    ///
    /// # Errors
    /// If an edit is hostile, outside the boundary, or fits nowhere ([`ApplyError::Refused`]); if nothing would change; or
    /// if git fails.
    pub fn apply(&self, base: &TreeId, edits: &[FileEdit], boundary: &Boundary) -> Result<TreeId, ApplyError> {
        let entries = self.files(base)?;
        let refused = problems_of(edits, &entries, boundary);
        if !refused.is_empty() {
            return Err(ApplyError::Refused(refused));
        }
        let by_path: HashMap<&str, &FileEntry> = entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
        let mut made = Vec::new();
        let mut problems = Vec::new();
        for edit in edits {
            let entry = by_path.get(edit.source()).copied();
            let current = entry.map(|entry| self.blob(entry)).transpose()?;
            match content_of(edit, current.as_deref()) {
                Ok(content) => made.extend(results_of(edit, entry, content)),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(ApplyError::Refused(problems));
        }
        let stored: Result<Vec<TreeEdit>, RepoError> = made
            .into_iter()
            .map(|made| match made {
                Made::File { path, mode, content } => Ok(TreeEdit::Put { path, mode, id: self.store(&content)? }),
                Made::Nothing { path } => Ok(TreeEdit::Remove { path }),
            })
            .collect();
        let tree = self.tree_with(base, &stored?)?;
        if tree == *base { Err(ApplyError::NoChange) } else { Ok(tree) }
    }
}

/// The content an edit leaves; none for a deletion.
fn content_of(edit: &FileEdit, current: Option<&[u8]>) -> Result<Option<Vec<u8>>, Vec<Problem>> {
    let before = current.unwrap_or_default();
    let changed = |hunks: &[Hunk]| {
        if before.contains(&0) && !hunks.is_empty() {
            return Err(vec![Problem::new(&edit.path, "is a binary file, which can't be edited by lines")]);
        }
        let named = |reasons: Vec<String>| reasons.into_iter().map(|reason| Problem::new(&edit.path, reason)).collect();
        apply_hunks(before, hunks).map_err(named)
    };
    let content = match &edit.action {
        Action::Create(content) => content.clone().into_bytes(),
        Action::Write(content) => with_line_ends_of(before, content),
        Action::Modify(hunks) => changed(hunks)?,
        Action::Delete(hunks) if hunks.is_empty() => return Ok(None),
        Action::Delete(hunks) => {
            if !changed(hunks)?.is_empty() {
                return Err(vec![Problem::new(
                    &edit.path,
                    "is to be deleted, but the diff does not remove all its lines",
                )]);
            }
            return Ok(None);
        }
    };
    if content.len() > MAX_FILE_BYTES {
        let reason = format!("would have {} bytes; the most is {MAX_FILE_BYTES} (4 MiB)", content.len());
        return Err(vec![Problem::new(&edit.path, reason)]);
    }
    if content.contains(&0) && !before.contains(&0) {
        return Err(vec![Problem::new(&edit.path, "would have NUL bytes; binary content can't be taken")]);
    }
    Ok(Some(content))
}

fn results_of(edit: &FileEdit, entry: Option<&FileEntry>, content: Option<Vec<u8>>) -> Vec<Made> {
    let Some(content) = content else { return vec![Made::Nothing { path: edit.path.clone() }] };
    let asked = edit.mode.as_deref().and_then(FileMode::from_octal);
    let mode = asked.or(entry.map(|entry| entry.mode)).unwrap_or(FileMode::Plain);
    let moved = edit.from.clone().map(|path| Made::Nothing { path });
    moved.into_iter().chain([Made::File { path: edit.path.clone(), mode, content }]).collect()
}
