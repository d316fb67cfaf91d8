//! What an answer wants done to one file, before anything is vetted or located.

/// One file's edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// The path it results in (for a deletion, the path deleted), exactly as the answer has it.
    pub path: String,
    /// For a rename, the path the file has now.
    pub from: Option<String>,
    /// The mode asked for, as the answer's octal digits; none leaves it as it is (`100644` for a new file).
    pub mode: Option<String>,
    /// What to do.
    pub action: Action,
}

/// What to do to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make a file that isn't there yet, with this content.
    Create(String),
    /// Make this the whole content, whether the file is there or not.
    Write(String),
    /// Change the file at these places; none at all for a change of mode or name only.
    Modify(Vec<Hunk>),
    /// Remove the file. The hunks, if any, say what it holds and have to match all of it.
    Delete(Vec<Hunk>),
}

/// One place of a file: the lines that are there now and the lines that are to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// What a message calls it: `hunk 2 (@@ -10,3 +10,4 @@)`, `SEARCH block 1`.
    pub label: String,
    /// The line its old lines are said to begin at, counted from 1; believed only if they do.
    pub line: Option<usize>,
    /// Lines there now, without line ends: context and removed ones.
    pub old: Vec<String>,
    /// Lines to be there, without line ends: context and added ones.
    pub new: Vec<String>,
    /// Whether the last old line is said to end the file without a newline.
    pub old_bare: bool,
    /// Whether the last new line is to end the file without a newline.
    pub new_bare: bool,
}

impl FileEdit {
    /// An edit in place that leaves the mode alone.
    pub(super) fn of(path: String, action: Action) -> Self {
        Self { path, from: None, mode: None, action }
    }

    /// The path at which the base holds the file.
    pub(super) fn source(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.path)
    }
}
