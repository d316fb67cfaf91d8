//! Goes to the pane of tmux in which another windlass drives: a popup that can't decide can at least lead there.

use std::path::Path;

use nix::unistd::gethostname;

use super::open::variable;
use crate::process::capture::Capture;

/// The most generations between a pane's shell and windlass.
const GENERATIONS: usize = 32;

/// Brings the pane of this driver, as its lock describes it, in front; none if it is in no pane of this tmux.
pub(super) fn go_to(driver: &str, dir: &Path) -> Option<String> {
    variable("TMUX").filter(|value| !value.is_empty())?;
    let words: Vec<&str> = driver.split_whitespace().collect();
    let ["pid", pid, "on", host, ..] = words.as_slice() else { return None };
    if gethostname().ok()?.to_string_lossy() != *host {
        return None;
    }
    let panes = told("tmux", &["list-panes", "-a", "-F", "#{pane_pid} #{pane_id}"], dir)?;
    let mut process = (*pid).to_owned();
    for _ in 0..GENERATIONS {
        let pane = panes.lines().filter_map(|line| line.split_once(' ')).find(|(pid, _)| *pid == process);
        if let Some((_, pane)) = pane {
            told("tmux", &["switch-client", "-t", pane], dir)?;
            return Some(pane.to_owned());
        }
        process = told("ps", &["-o", "ppid=", "-p", &process], dir)?.trim().to_owned();
    }
    None
}

fn told(program: &str, args: &[&str], dir: &Path) -> Option<String> {
    let told = Capture::new(program, dir).args(args).run().ok()?;
    told.status.success().then(|| String::from_utf8_lossy(&told.stdout).into_owned())
}
