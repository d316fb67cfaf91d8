//! What a change does that a human should look at twice. Flags never refuse; they are shown beside the decision.

use super::change::Difference;
use super::git::RepoError;
use super::objects::FileMode;
use super::open::Repo;
use crate::domain::{TreeId, is_test};

/// File names that run, or decide what runs, when the project is built, installed or opened.
const BUILD_FILES: &[&str] = &[
    "build.rs",
    "makefile",
    "gnumakefile",
    "justfile",
    "rakefile",
    "setup.py",
    "conftest.py",
    "cmakelists.txt",
    "dockerfile",
    "build.gradle",
    "build.gradle.kts",
    "pom.xml",
    ".envrc",
    ".npmrc",
    ".pre-commit-config.yaml",
    ".gitattributes",
];

/// Directories of CI systems; edits there run on other machines, with other keys.
const CI: &[&str] = &[
    ".github/",
    ".gitlab/",
    ".ci/",
    ".circleci/",
    ".buildkite/",
    ".woodpecker/",
    ".gitlab-ci.yml",
    ".travis.yml",
    "jenkinsfile",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
];

/// The flags of these differences between two trees.
pub(super) fn flags_of(
    repo: &Repo,
    base: &TreeId,
    tree: &TreeId,
    differences: &[Difference],
) -> Result<Vec<String>, RepoError> {
    let mut flags = Vec::new();
    for Difference { old_mode, new_mode, path } in differences {
        flags.extend(path_flag(path));
        flags.extend(mode_flag(path, old_mode, new_mode));
        if path == "package.json" || path.ends_with("/package.json") {
            let scripts = |tree| Ok::<_, RepoError>(repo.read(tree, path)?.map(|bytes| scripts_of(&bytes)));
            if scripts(base)?.flatten() != scripts(tree)?.flatten() {
                flags.push(format!("edits the scripts in {path}, which installing and building run"));
            }
        }
        let gone = FileMode::from_octal(new_mode).is_none();
        if gone && is_test(path) {
            flags.push(format!("deletes the test {path}"));
        }
        let new = FileMode::from_octal(old_mode).is_none();
        if new && !path.is_ascii() {
            flags.push(format!("creates {path}, whose name has characters outside ASCII"));
        }
    }
    Ok(flags)
}

fn path_flag(path: &str) -> Option<String> {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    if lower.starts_with(".windlass/") {
        Some(format!("edits {path}, a file of Windlass itself"))
    } else if CI
        .iter()
        .any(|start| lower.strip_prefix(start).is_some_and(|rest| start.ends_with('/') || rest.is_empty()))
    {
        Some(format!("edits {path}, which CI runs"))
    } else if BUILD_FILES.contains(&name) || lower.split('/').any(|part| part == ".cargo") || name.ends_with(".mk") {
        Some(format!("edits {path}, which can run commands when the project is built"))
    } else {
        None
    }
}

fn mode_flag(path: &str, old: &str, new: &str) -> Option<String> {
    let (old, new) = (FileMode::from_octal(old), FileMode::from_octal(new));
    match (old, new) {
        (old, new) if old == new => None,
        (_, Some(FileMode::Executable)) => Some(format!("makes {path} executable")),
        (_, Some(FileMode::Symlink)) => Some(format!("makes {path} a symbolic link")),
        (_, Some(FileMode::Submodule)) => Some(format!("makes {path} a submodule")),
        (Some(FileMode::Symlink | FileMode::Submodule), _) => Some(format!("replaces or removes the link {path}")),
        _ => None,
    }
}

/// The `scripts` of a package.json; all of it if it can't be read.
fn scripts_of(bytes: &[u8]) -> Option<String> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => value.get("scripts").map(ToString::to_string),
        Err(_) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}
