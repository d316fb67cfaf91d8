//! Running a command for the reports it leaves: they count only if this run wrote them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::case::{Report, Reports};
use super::command::{self, CommandResult, Site};
use super::runner::{self, Wanted};
use crate::domain::{CommandSpec, Verdict, covers};
use crate::process::supervise::{self, Ending, Stream};

/// The name of what was printed, where no report is named.
pub(super) const PRINTED: &str = "standard output";
/// The most bytes of reports of one run.
pub(super) const LARGEST: usize = 256 << 20;
/// The most files of reports of one run.
pub(super) const MOST: usize = 10_000;

/// What a run gave: its reports, or why there are none; and what is known of the command either way.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The reports, if the command ended by itself and left them.
    pub reports: Result<Reports, String>,
    /// How the command itself ended.
    pub command: CommandResult,
}

/// Runs the command of the gate `name` and takes the reports it leaves at `pattern` (a path from the command's directory;
/// `*` and `**` stand for what they do everywhere), or what it prints.
///
/// What was at the pattern before is removed: a report of an earlier run, or one that the tree under review brings along,
/// says nothing of this run.
pub async fn run(
    name: &str,
    spec: &CommandSpec,
    pattern: Option<&str>,
    site: Site<'_>,
    spill: &Path,
    cancel: &CancellationToken,
    mut output: impl FnMut(Stream, &[u8]),
) -> Ran {
    if !spec.reach.runner.is_empty() {
        let wanted = pattern.map_or(Wanted::Printed, Wanted::Files);
        return runner::run(name, spec, wanted, site, spill, cancel, output).await;
    }
    let spec = match command::supervised(spec, site.root, site.guard, spill) {
        Ok(spec) => spec,
        Err(why) => return not_run(command::configured(name, &why)),
    };
    if let Some(pattern) = pattern
        && let Err(why) = remove(&spec.cwd, pattern)
    {
        return not_run(why);
    }
    let (mut printed, mut too_long) = (Vec::new(), false);
    let keeps = pattern.is_none();
    let finished = supervise::run(&spec, cancel, |stream, bytes| {
        if keeps && stream == Stream::Out {
            too_long |= printed.len() + bytes.len() > LARGEST;
            if !too_long {
                printed.extend_from_slice(bytes);
            }
        }
        output(stream, bytes);
    })
    .await;
    let command = command::result_of(name, &spec, &finished);
    let exit = match finished.ending {
        Ending::Exit(code) if command.verdict != Verdict::Error => code,
        _ => return Ran { reports: Err(command.summary.clone()), command },
    };
    let files = match pattern {
        None if too_long => Err(format!("{PRINTED} is longer than {} MiB", LARGEST >> 20)),
        None => Ok(vec![Report { name: PRINTED.to_owned(), bytes: printed }]),
        Some(pattern) => collect(&spec.cwd, pattern).and_then(|files| match files.is_empty() {
            true => Err(format!("{}, and wrote no report {pattern}", command.summary)),
            false => Ok(files),
        }),
    };
    Ran { reports: files.map(|files| Reports { root: site.root.to_owned(), files, exit }), command }
}

pub(super) fn not_run(why: String) -> Ran {
    let command = CommandResult {
        verdict: Verdict::Error,
        summary: why.clone(),
        tail: String::new(),
        spilled: None,
        duration_ms: 0,
    };
    Ran { reports: Err(why), command }
}

/// Removes every file the pattern covers.
fn remove(dir: &Path, pattern: &str) -> Result<(), String> {
    for path in matching(dir, pattern)? {
        fs::remove_file(dir.join(&path)).map_err(|error| format!("failed to remove the old report {path}: {error}"))?;
    }
    Ok(())
}

fn collect(dir: &Path, pattern: &str) -> Result<Vec<Report>, String> {
    let mut reports = Vec::new();
    let mut left = LARGEST;
    for path in matching(dir, pattern)? {
        let bytes = fs::read(dir.join(&path)).map_err(|error| format!("failed to read report {path}: {error}"))?;
        left = left.checked_sub(bytes.len()).ok_or(format!("the reports are larger than {} MiB", LARGEST >> 20))?;
        reports.push(Report { name: path, bytes });
    }
    Ok(reports)
}

/// The files below `dir` that the pattern covers. Links are not followed: they may lead out of the tree.
fn matching(dir: &Path, pattern: &str) -> Result<Vec<String>, String> {
    let fixed: Vec<&str> = pattern.split('/').take_while(|part| !part.contains('*')).collect();
    let mut start = PathBuf::new();
    for part in fixed.iter().filter(|part| !matches!(**part, "" | ".")) {
        start.push(part);
        if fs::symlink_metadata(dir.join(&start)).is_ok_and(|found| found.is_symlink()) {
            return Err(format!("the report {pattern} is reached through a link: {}", start.display()));
        }
    }
    let mut found = Vec::new();
    let mut next = vec![start];
    while let Some(path) = next.pop() {
        let wrong = |error: io::Error| format!("failed to look for reports in {}: {error}", path.display());
        let Ok(meta) = fs::symlink_metadata(dir.join(&path)) else { continue };
        if meta.is_dir() {
            for entry in fs::read_dir(dir.join(&path)).map_err(wrong)? {
                next.push(path.join(entry.map_err(wrong)?.file_name()));
            }
        } else if let Some(name) = path.to_str().filter(|name| meta.is_file() && covers(pattern, name)) {
            found.push(name.to_owned());
            if found.len() > MOST {
                return Err(format!("{pattern} covers more than {MOST} files"));
            }
        }
    }
    found.sort();
    Ok(found)
}
