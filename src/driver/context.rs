//! What a stage's author is given: gathered from the record and the base tree, fitted to the budget, then as the human
//! chose.

use crate::config::Config;
use crate::domain::{ArtifactKind, CommitId, ContextItem, Digest, ItemKind, Role, sections, tokens_of};
use crate::engine::{Loop, Phase, Stage};
use crate::gate::table::readings_table;
use crate::prompt::{self, Piece};
use crate::repo::{FileEntry, Repo, RepoError};

/// Files at the top of a repository that tell its conventions; the first one there counts.
const CONVENTIONS: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];

/// The largest file offered as context, in bytes.
const FILE_MOST: u64 = 256 << 10;

/// The pieces of the open stage's context for `role`, each with its default, then with the human's choices.
///
/// # Errors
/// If the base tree can't be read.
pub(super) fn pieces(
    repo: &Repo,
    config: &Config,
    one: &Loop,
    stage: &Stage,
    role: Role,
) -> Result<Vec<Piece>, RepoError> {
    let base = repo.tree_of(&one.base)?;
    // Once a change is approved, the files are as it has left them.
    let approved = one.stages.iter().filter(|earlier| matches!(earlier.phase, Phase::Approved(_)));
    let tree =
        approved.filter_map(|earlier| earlier.revision()?.tree().cloned()).next_back().unwrap_or_else(|| base.clone());
    let files = repo.files(&tree)?;
    let mut pieces = vec![piece(ItemKind::Goal, "goal", goal(one))];
    for earlier in &one.stages {
        if let (Phase::Approved(_), Some(revision)) = (earlier.phase, earlier.revision()) {
            let text = match &revision.change {
                Some(change) => format!("{}\n\n{}", revision.text.trim(), change.patch),
                None => revision.text.clone(),
            };
            pieces.push(piece(ItemKind::Approved, &earlier.spec.id, text));
        }
    }
    let criteria = one.criteria();
    if !criteria.is_empty() {
        let lines: Vec<String> = criteria.iter().map(|line| format!("- {line}")).collect();
        pieces.push(piece(ItemKind::Criteria, "acceptance criteria", lines.join("\n")));
    }
    if let Some(measurement) = &stage.measurement {
        let failures = measurement.failures.iter().map(|line| format!("\nfailed: {line}"));
        let text = readings_table(measurement) + &failures.collect::<String>();
        pieces.push(piece(ItemKind::Readings, "readings", text));
    }
    if let Some(feedback) = stage.feedback.as_ref().filter(|_| role == Role::Author) {
        let text = prompt::feedback(&feedback.reasons.join("\n\n"), &feedback.findings, &feedback.problems);
        pieces.push(piece(ItemKind::Feedback, "feedback", text));
    }
    if let Some(name) = CONVENTIONS.iter().find(|name| files.iter().any(|file| file.path == **name)) {
        // No change writes the rules it is read by.
        pieces.extend(file(repo, &base, name)?.map(|text| piece(ItemKind::Conventions, name, text)));
    }
    pieces.push(piece(ItemKind::Map, "files of the repository", map(&files)));
    for path in wanted(config, one, stage) {
        // A choice may be one of what is a piece already, under the name of a file or not.
        let is_new = pieces.iter().all(|piece| piece.item.name != path);
        if is_new && files.iter().any(|file| file.path == path && is_small(file)) {
            pieces.extend(file(repo, &tree, &path)?.map(|text| piece(ItemKind::File, &path, text)));
        }
    }
    prompt::fit(&mut pieces, config.context_tokens);
    for piece in &mut pieces {
        if let Some(chosen) = stage.choices.get(&piece.item.name) {
            piece.item.included = *chosen;
        }
    }
    Ok(pieces)
}

/// The files of a commit that can be pieces of a context: texts of a bearable size.
///
/// # Errors
/// If the commit's tree can't be read.
pub(super) fn offered(repo: &Repo, base: &CommitId) -> Result<Vec<String>, RepoError> {
    let tree = repo.tree_of(base)?;
    let texts = repo.texts(&tree)?;
    let files = repo.files(&tree)?.into_iter().filter(|file| is_small(file) && texts.contains(&file.path));
    Ok(files.map(|file| file.path).collect())
}

const fn is_small(file: &FileEntry) -> bool {
    file.mode.is_file() && file.size <= FILE_MOST
}

fn goal(one: &Loop) -> String {
    match &one.hint {
        Some(hint) => format!("{}\n\nThe last loop named this next constraint: {hint}", one.goal),
        None => one.goal.clone(),
    }
}

fn map(files: &[FileEntry]) -> String {
    files.iter().map(|file| format!("{} {}\n", file.path, file.size)).collect()
}

fn file(repo: &Repo, tree: &crate::domain::TreeId, path: &str) -> Result<Option<String>, RepoError> {
    // A file that isn't text has nothing to say to a model.
    Ok(repo.read(tree, path)?.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// Paths to offer: configured ones, those the approved plan names, those the human added; each once.
fn wanted(config: &Config, one: &Loop, stage: &Stage) -> Vec<String> {
    let mut paths = config.context_files.clone();
    if let Some(plan) = one.artifact(ArtifactKind::Plan) {
        for section in sections(&plan.text).iter().filter(|section| section.is("Files")) {
            paths.extend(section.items().filter_map(|item| item.split('`').nth(1)).map(str::to_owned));
        }
    }
    paths.extend(stage.choices.iter().filter(|(_, kept)| **kept).map(|(name, _)| name.clone()));
    let mut once: Vec<String> = Vec::new();
    for path in paths {
        if !once.contains(&path) {
            once.push(path);
        }
    }
    once
}

fn piece(kind: ItemKind, name: &str, content: String) -> Piece {
    let bytes = content.len() as u64;
    let digest = Digest::of(content.as_bytes());
    let item = ContextItem { kind, name: name.to_owned(), digest, bytes, tokens: tokens_of(bytes), included: true };
    Piece { item, content }
}
