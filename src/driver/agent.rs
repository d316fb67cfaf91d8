//! An agent at work on the change: it has a worktree to itself, is answered by the boundary, and what it leaves there
//! becomes the draft.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::domain::{Change, CommitId, End, LoopId, Timings, TreeId, Usage};
use crate::engine::Trouble;
use crate::provider::{Asks, Call, Denied, Observer, Provider, Reply, Workplace};
use crate::repo::{Boundary, Enclosure, NotDone, Repo, RepoError};

use super::bench::{Alone, Bench, aside};
use super::{Driver, agent_worktree};

/// How many refusals stand beside the change; the record has them all.
const SHOWN: usize = 10;

/// What an agent is to do, and where.
pub(super) struct Errand {
    bench: Bench,
    repo: Repo,
    boundary: Boundary,
    base: CommitId,
    /// What it begins with.
    tree: TreeId,
}

/// What an agent left.
#[derive(Default)]
pub(super) struct Left {
    /// The change, or why there is none; nothing if the call failed, or if it wasn't one of an agent.
    pub(super) made: Option<Result<Change, Trouble>>,
    /// There are changes that nobody takes.
    pub(super) untaken: bool,
}

impl Left {
    /// The trouble, and what becomes of the files.
    pub(super) fn explain(&self, trouble: Trouble) -> Trouble {
        if !self.untaken {
            return trouble;
        }
        let more = |why: String| {
            format!("{why}\nWhat it changed until then is not taken: the next draft begins where this one did.")
        };
        match trouble {
            Trouble::Call(why) => Trouble::Call(more(why)),
            Trouble::Stopped(why) => Trouble::Stopped(more(why)),
            other => other,
        }
    }
}

impl Driver {
    /// An agent's errand in a loop that stands on `base`; it begins with `tree`.
    pub(super) fn errand(&mut self, id: LoopId, base: CommitId, tree: TreeId) -> Errand {
        let bench = self.bench(agent_worktree(id), &base);
        Errand { bench, repo: self.repo.clone(), boundary: self.boundary(), base, tree }
    }
}

impl Errand {
    /// Lets the agent work, and looks at what it left.
    pub(super) async fn run(
        self,
        provider: &Provider,
        call: &Call,
        observer: &mut dyn Observer,
        cancel: &CancellationToken,
    ) -> (Reply, Left) {
        let begun = self.bench.alone(&self.tree).await.map_err(|error| error.to_string());
        let begun = begun.and_then(|alone| {
            let enclosure = Enclosure::new(alone.path(), self.boundary.clone());
            Ok((alone, enclosure.map_err(|error| format!("failed to find the agent's worktree: {error}"))?))
        });
        let (alone, enclosure) = match begun {
            Ok(begun) => begun,
            Err(why) => return (not_begun(why), Left::default()),
        };
        let mut place = Place { enclosure, refused: Vec::new() };
        let reply = provider.work(call, &mut place, observer, cancel).await;
        let left = match self.look(&alone, &reply, place.refused).await {
            Ok(left) => left,
            Err(error) => Left { made: Some(Err(Trouble::Call(error.to_string()))), untaken: true },
        };
        (reply, left)
    }

    async fn look(&self, alone: &Alone, reply: &Reply, refused: Vec<String>) -> Result<Left, RepoError> {
        let tree = alone.snapshot().await?;
        if reply.end != End::Complete {
            return Ok(Left { made: None, untaken: tree != self.tree });
        }
        let text = reply.text.clone();
        let problem = |problems| Left { made: Some(Err(Trouble::Patch { text, problems })), untaken: false };
        if tree == self.tree {
            return Ok(problem(vec!["nothing was changed in the working directory".to_owned()]));
        }
        let (repo, base, boundary) = (self.repo.clone(), self.base.clone(), self.boundary.clone());
        let made = aside(move || {
            let problems = repo.vet(&repo.tree_of(&base)?, &tree, &boundary)?;
            if problems.is_empty() {
                Ok(Ok(repo.change(&base, &tree, flags(&refused))?))
            } else {
                Ok(Err(problems.iter().map(ToString::to_string).collect()))
            }
        });
        match made.await? {
            Ok(change) => Ok(Left { made: Some(Ok(change)), untaken: false }),
            Err(problems) => Ok(problem(problems)),
        }
    }
}

/// What the agent was refused, for whoever decides on its change.
fn flags(refused: &[String]) -> Vec<String> {
    let mut flags: Vec<String> =
        refused.iter().take(SHOWN).map(|what| format!("the agent wanted more: {what}")).collect();
    if let Some(more) = refused.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        flags.push(format!("the agent wanted more, {more} times more; see its exchange"));
    }
    flags
}

/// A call that came to nothing before anything was sent.
fn not_begun(why: String) -> Reply {
    Reply {
        text: String::new(),
        reasoning: String::new(),
        end: End::Failed(why),
        usage: Usage::default(),
        raw_usage: None,
        timings: Timings::default(),
        served_by: None,
    }
}

/// The worktree, as the agent is let at it.
struct Place {
    enclosure: Enclosure,
    refused: Vec<String>,
}

impl Workplace for Place {
    fn dir(&self) -> &Path {
        self.enclosure.dir()
    }

    fn may(&self, asks: Asks, path: &Path) -> Result<(), String> {
        match asks {
            Asks::Read => self.enclosure.readable(path).map(drop),
            Asks::Write => self.enclosure.writable(path).map(drop),
        }
    }

    fn read(&mut self, path: &Path) -> Result<String, Denied> {
        self.enclosure.read(path).map_err(denied)
    }

    fn write(&mut self, path: &Path, text: &str) -> Result<(), Denied> {
        self.enclosure.write(path, text).map_err(denied)
    }

    fn refused(&mut self, what: &str) {
        self.refused.push(what.to_owned());
    }
}

fn denied(not_done: NotDone) -> Denied {
    match not_done {
        NotDone::Refused(why) => Denied::Refused(why),
        NotDone::Failed(why) => Denied::Failed(why),
    }
}
