//! The descendants of this process, read from `/proc`; on systems without it there are none to be found.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use nix::unistd::{Pid, getpid};

/// The parent of a process, as its `/proc` entry `name` says it.
pub(super) fn parent_of(name: &str) -> Option<i32> {
    // proc_pid_stat(5): "pid (name) state ppid"; the name may hold anything, parentheses too.
    let stat = fs::read_to_string(format!("/proc/{name}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// All that descend from this process. Whoever loses a parent becomes a child of this one, so none is missed but those
/// that are born meanwhile.
pub(super) fn descendants() -> Vec<Pid> {
    descendants_of(getpid())
}

/// All that descend from a helper, itself apart.
pub(in crate::process) fn descendants_of(root: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for pid in pids {
        if let Some(parent) = parent_of(&pid.to_string()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut open) = (Vec::new(), vec![root.as_raw()]);
    while let Some(pid) = open.pop() {
        // Taken out: a number that was given away meanwhile could make a circle.
        let below = children.remove(&pid).unwrap_or_default();
        found.extend(below.iter().copied().map(Pid::from_raw));
        open.extend(below);
    }
    found
}

/// What tells one file from every other.
pub(super) fn identity(file: &File) -> Option<(u64, u64)> {
    file.metadata().ok().map(|file| (file.dev(), file.ino()))
}

/// Whether a descendant has one of these files open.
pub(super) fn holds(files: &[Option<(u64, u64)>]) -> bool {
    descendants().into_iter().any(|pid| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.map(|entry| entry.path()).any(|path| {
            let theirs = fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
            theirs.is_some() && files.contains(&theirs)
        })
    })
}
