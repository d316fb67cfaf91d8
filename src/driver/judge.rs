//! One run of a gate that isn't built in: on exactly the tree under review, as often as its rules want, or not at all
//! where an answer is known that rests on the very same things.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::domain::{
    Check, CheckKind, CommandSpec, Digest, DigestBuilder, GateDef, GateKind, GateRun, LoopId, TreeId, Verdict, covers,
};
use crate::gate::case::{Judged, ReportCase, Reports, Tree, TreeCase};
use crate::gate::command::{CommandResult, Site, run_command};
use crate::gate::guard::Guard;
use crate::gate::patch::Patch;
use crate::gate::runner::Parcel;
use crate::gate::{bench, health, judge_reports, judge_trees, report};
use crate::process::supervise::Stream;
use crate::repo::{Repo, RepoError};

use super::baseline::Baselines;
use super::bench::{Bench, Seat, aside};
use super::{Home, Report, now};

/// How much of one run's output is told as it comes, in bytes; a flood would only pile up in memory.
const TOLD: usize = 1 << 20;

/// Follows what is told.
const NOT_TOLD: &str = "\n[windlass: there is more; only the end is shown, when the gate is done]\n";

/// Follows the output of a gate that changed what it judges.
const CHANGED: &str = "\n[windlass: files that git tracks are no longer those of the tree under review. If gates ran \
                       side by side, it may have been another: run this one alone to know.]\n";

/// Stands between what a gate says and what its command printed.
const PRINTED: &str = "\n--- what the command printed ---\n";

/// Stands for the output of a command that looks for secrets.
const NOT_KEPT: &str = "[windlass: what it printed is neither shown nor kept, because the secrets may be in it]\n";

/// Seconds that the command has which tells a tool's version.
const VERSION_S: u64 = 60;

/// A gate on its way.
pub(super) struct Judging {
    pub(super) def: GateDef,
    pub(super) repo: Repo,
    pub(super) head: (Bench, TreeId),
    pub(super) base: (Bench, TreeId),
    pub(super) patch: Patch,
    /// What stands around its commands.
    pub(super) guard: Guard,
    /// Answers that may be used again, by what they rest on.
    pub(super) known: Vec<(Digest, GateRun)>,
    pub(super) loop_id: LoopId,
    pub(super) spill: PathBuf,
    pub(super) baselines: PathBuf,
    pub(super) cancel: CancellationToken,
    pub(super) home: UnboundedSender<Home>,
}

/// What one attempt said.
struct Attempt {
    judged: Judged,
    tail: String,
    spilled: Option<String>,
}

impl Judging {
    /// What it says, over a run that hasn't taken place.
    pub(super) async fn answer(self, mut run: GateRun) -> GateRun {
        if let Err(error) = self.judge(&mut run).await {
            (run.verdict, run.summary) = (Verdict::Error, error.to_string());
        }
        run
    }

    /// Runs it, or takes a known answer over.
    async fn judge(self, run: &mut GateRun) -> Result<(), RepoError> {
        if let GateKind::Check(check) = &self.def.kind
            && check.kind.is_of_the_network()
        {
            self.ask_network(&check.settings, run).await;
            return Ok(());
        }
        // The base first, as measurements do: two that wait for each other's second seat would wait for ever.
        let base = if self.looks_at_base() { Some(self.base.0.seat(&self.base.1).await?) } else { None };
        let head = self.head.0.seat(&self.head.1).await?;
        run.started = now();
        if let Some(command) = self.def.command() {
            run.protection = self.guard.evidence(&command.reach);
        }
        if base.is_some() {
            run.details.base_tree = Some(self.base.1.clone());
        }
        if !self.def.rules.version.is_empty() {
            match self.version(head.path()).await {
                Ok(version) => {
                    // What the network said is good for a while at most, and somebody has to say for how long.
                    let network = self.def.command().is_some_and(|command| command.reach.network);
                    run.details.key = (!network || self.def.rules.ttl_s.is_some()).then(|| self.key(&version));
                    run.details.tool = Some(version);
                }
                Err(why) => {
                    run.summary = format!("failed to find the tool's version: {why}");
                    return Ok(());
                }
            }
            if run.details.key.is_some() && self.take_over(run) {
                return Ok(());
            }
        }
        let mut attempts = Vec::new();
        let mut last = self.attempt(&head, base.as_ref(), run).await?;
        attempts.push(last.judged.verdict);
        for _ in 0..self.def.rules.retries {
            if !matches!(last.judged.verdict, Verdict::Fail | Verdict::Error | Verdict::Timeout) {
                break;
            }
            if !head.changed().await?.is_empty() {
                break;
            }
            last = self.attempt(&head, base.as_ref(), run).await?;
            attempts.push(last.judged.verdict);
        }
        let Attempt { judged, tail, spilled } = last;
        run.take(judged, &tail);
        run.spilled = spilled;
        run.duration_ms = u64::try_from(now().0.saturating_sub(run.started.0)).unwrap_or_default();
        if attempts.len() > 1 {
            let first = attempts.first().copied();
            if run.verdict != Verdict::Cancelled && attempts.iter().any(|verdict| Some(*verdict) != first) {
                let said: Vec<&str> = attempts.iter().map(|verdict| verdict.name()).collect();
                run.verdict = Verdict::Flaky;
                run.summary = format!("attempts on one tree disagree ({}); {}", said.join(", "), run.summary);
            } else {
                run.summary = format!("{} (all {} attempts)", run.summary, attempts.len());
            }
            run.details.attempts = attempts;
        }
        for (seat, which) in [(Some(&head), "the tree it judges"), (base.as_ref(), "the base")] {
            let changed = match seat {
                Some(seat) => seat.changed().await?,
                None => Vec::new(),
            };
            if !changed.is_empty() {
                run.verdict = Verdict::Error;
                run.summary = format!("changed {which}: {}", changed.join(", "));
                run.tail.push_str(CHANGED);
            }
        }
        Ok(())
    }

    fn looks_at_base(&self) -> bool {
        match &self.def.kind {
            GateKind::Builtin | GateKind::Command(_) => false,
            GateKind::Check(check) => match check.kind {
                CheckKind::Deps | CheckKind::Budget | CheckKind::Arch | CheckKind::Bench => true,
                _ => check.compares(),
            },
        }
    }

    async fn attempt(&self, head: &Seat, base: Option<&Seat>, run: &GateRun) -> Result<Attempt, RepoError> {
        match &self.def.kind {
            GateKind::Check(check) => match (&check.command, base) {
                (Some(command), Some(base)) if times(check) => self.time(check, command, head, base).await,
                (Some(command), _) => self.report(check, command, head, base, run).await,
                (None, base) => self.look(check, head, base),
            },
            GateKind::Command(_) | GateKind::Builtin => {
                let parcel = self.parcel(&self.head.1).await?;
                let site = self.site(head.path(), parcel.as_ref());
                let result = run_command(&self.def, site, &self.spill, &self.cancel, self.teller()).await;
                let judged = Judged::new(result.verdict, result.summary.clone());
                Ok(Attempt::of(judged, &result))
            }
        }
    }

    /// Runs the command for its report, and on the base too if it compares with that and hasn't yet.
    async fn report(
        &self,
        check: &Check,
        command: &CommandSpec,
        head: &Seat,
        base: Option<&Seat>,
        run: &GateRun,
    ) -> Result<Attempt, RepoError> {
        let pattern = check.settings.text("report");
        if let Some(tracked) = self.tracked(command, pattern)? {
            let why = format!("the report {tracked} is a file of the tree under review: it says nothing of this run");
            return Ok(Attempt::failed(why));
        }
        let before = match base {
            None => None,
            Some(base) => match self.baseline(command, pattern, base, run).await {
                Ok(reports) => Some(reports),
                Err(why) => return Ok(Attempt::failed(format!("the base could not be judged: {why}"))),
            },
        };
        let name = &self.def.name;
        let parcel = self.parcel(&self.head.1).await?;
        let site = self.site(head.path(), parcel.as_ref());
        let ran = report::run(name, command, pattern, site, &self.spill, &self.cancel, self.teller()).await;
        let judged = match &ran.reports {
            Err(why) if ran.command.verdict == Verdict::Fail || ran.command.verdict == Verdict::Pass => {
                Judged::error(why.clone())
            }
            // It was stopped, or never began: the command's own ending says so.
            Err(_) => Judged::new(ran.command.verdict, ran.command.summary.clone()),
            Ok(reports) => {
                let case =
                    ReportCase { settings: &check.settings, patch: &self.patch, head: reports, base: before.as_ref() };
                judge_reports(check.kind, &case)
            }
        };
        let mut attempt = Attempt::of(judged, &ran.command);
        if self.finds_secrets() {
            NOT_KEPT.clone_into(&mut attempt.tail);
        }
        Ok(attempt)
    }

    /// Whether what the command prints may hold the secrets that it looks for.
    fn finds_secrets(&self) -> bool {
        matches!(&self.def.kind, GateKind::Check(check) if check.kind == CheckKind::Secrets)
    }

    /// A file of either tree that the pattern of reports covers. Only what git doesn't keep can be a report.
    fn tracked(&self, command: &CommandSpec, pattern: Option<&str>) -> Result<Option<String>, RepoError> {
        let Some(pattern) = pattern else { return Ok(None) };
        let pattern = format!("{}/{pattern}", command.dir).trim_start_matches('/').to_owned();
        for tree in [&self.head.1, &self.base.1] {
            if let Some(found) = self.repo.files(tree)?.into_iter().find(|file| covers(&pattern, &file.path)) {
                return Ok(Some(found.path));
            }
        }
        Ok(None)
    }

    /// The base's reports: kept from an earlier run, or of one now.
    async fn baseline(
        &self,
        command: &CommandSpec,
        pattern: Option<&str>,
        base: &Seat,
        run: &GateRun,
    ) -> Result<Reports, String> {
        let key = self.base_key(run.details.tool.as_deref());
        let kept = Baselines::new(&self.baselines, key);
        if let Some(reports) = kept.read(base.path())? {
            return Ok(reports);
        }
        self.say("[windlass: the base first, once]\n");
        let name = &self.def.name;
        let parcel = self.parcel(&self.base.1).await.map_err(|error| error.to_string())?;
        let site = self.site(base.path(), parcel.as_ref());
        let ran = report::run(name, command, pattern, site, &self.spill, &self.cancel, self.teller()).await;
        self.say("\n[windlass: now the tree under review]\n");
        let reports = ran.reports?;
        kept.write(&reports)?;
        Ok(reports)
    }

    /// Looks at both trees, without a command.
    fn look(&self, check: &Check, head: &Seat, base: Option<&Seat>) -> Result<Attempt, RepoError> {
        let tree = |seat: &Seat, id: &TreeId| -> Result<Tree, RepoError> {
            let files = self.repo.files(id)?.into_iter().filter(|file| file.mode.is_file());
            Ok(Tree { root: seat.path().to_owned(), paths: files.map(|file| file.path).collect() })
        };
        let head = tree(head, &self.head.1)?;
        let base = match base {
            Some(base) => tree(base, &self.base.1)?,
            None => Tree { root: head.root.clone(), paths: Vec::new() },
        };
        let case = TreeCase { settings: &check.settings, patch: &self.patch, head: &head, base: &base };
        Ok(Attempt { judged: judge_trees(check.kind, &case), tail: String::new(), spilled: None })
    }

    /// Times the command on both trees in turns.
    async fn time(&self, check: &Check, command: &CommandSpec, head: &Seat, base: &Seat) -> Result<Attempt, RepoError> {
        let pairs = check.settings.count("pairs").unwrap_or(bench::PAIRS);
        let timing = bench::Timing {
            guard: self.guard,
            command,
            base: base.path(),
            head: head.path(),
            spill: &self.spill,
            pairs,
        };
        let taken = timing.take(&self.cancel, |line| self.say(&line)).await;
        Ok(match taken {
            Ok(pairs) => {
                Attempt { judged: bench::judge_pairs(&check.settings, &pairs), tail: String::new(), spilled: None }
            }
            Err((verdict, why)) => Attempt { judged: Judged::new(verdict, why), tail: String::new(), spilled: None },
        })
    }

    async fn ask_network(&self, settings: &crate::domain::Settings, run: &mut GateRun) {
        run.started = now();
        if self.def.rules.ttl_s.is_some() {
            run.details.key = Some(self.key(""));
            if self.take_over(run) {
                return;
            }
        }
        match health::judge(settings, &self.cancel).await {
            Some(judged) => run.take(judged, ""),
            None => (run.verdict, run.summary) = (Verdict::Cancelled, "cancelled".to_owned()),
        }
        run.duration_ms = u64::try_from(now().0.saturating_sub(run.started.0)).unwrap_or_default();
    }

    /// What the command says that tells the tool's version.
    async fn version(&self, root: &Path) -> Result<String, String> {
        let command = CommandSpec {
            argv: self.def.rules.version.clone(),
            dir: self.def.command().map(|command| command.dir.clone()).unwrap_or_default(),
            timeout_s: VERSION_S,
            env: self.def.command().map(|command| command.env.clone()).unwrap_or_default(),
            reach: self.def.command().map(|command| command.reach.clone()).unwrap_or_default(),
        };
        let parcel = self.parcel(&self.head.1).await.map_err(|error| error.to_string())?;
        let site = self.site(root, parcel.as_ref());
        let ran = report::run(&self.def.name, &command, None, site, &self.spill, &self.cancel, |_, _| {}).await;
        let reports = ran.reports?;
        if reports.exit != 0 {
            return Err(ran.command.summary);
        }
        let said = reports.files.first().map(|file| String::from_utf8_lossy(&file.bytes).trim().to_owned());
        said.filter(|said| !said.is_empty()).ok_or_else(|| "it printed nothing".to_owned())
    }

    fn site<'a>(&self, root: &'a Path, parcel: Option<&'a Parcel>) -> Site<'a> {
        Site { root, guard: self.guard, parcel }
    }

    /// The tree as a runner gets it, if there is a runner.
    async fn parcel(&self, tree: &TreeId) -> Result<Option<Parcel>, RepoError> {
        if self.def.command().is_none_or(|command| command.reach.runner.is_empty()) {
            return Ok(None);
        }
        let (repo, tree) = (self.repo.clone(), tree.clone());
        let bundle = aside(move || Ok((repo.bundle(&tree)?, tree)));
        let (bytes, tree) = bundle.await?;
        Ok(Some(Parcel { tree, bundle: bytes.into() }))
    }

    /// Over everything the answer rests on.
    fn key(&self, version: &str) -> Digest {
        self.rests_on(version).text("tree", self.head.1.as_str()).text("base", self.base.1.as_str()).finish()
    }

    /// The same for the base's reports. Without a version they are good for this loop only.
    fn base_key(&self, version: Option<&str>) -> Digest {
        let builder = self.rests_on(version.unwrap_or_default()).text("base", self.base.1.as_str());
        match version {
            Some(_) => builder.finish(),
            None => builder.field("loop", &self.loop_id.0.to_le_bytes()).finish(),
        }
    }

    fn rests_on(&self, version: &str) -> DigestBuilder {
        let builder = DigestBuilder::new("gate-rests-on").digest("definition", &self.def.digest());
        let names = self.def.command().map(|command| command.env.as_slice()).unwrap_or_default();
        names.iter().fold(builder.text("version", version), |builder, name| {
            let value = std::env::var_os(name);
            let bytes = value.as_deref().map(|value| value.as_encoded_bytes());
            builder.field(name, bytes.unwrap_or(b"")).field("is set", &[u8::from(bytes.is_some())])
        })
    }

    /// Takes a known answer over, if there is one that rests on the same.
    fn take_over(&self, run: &mut GateRun) -> bool {
        let known = self.known.iter().filter(|(key, _)| Some(*key) == run.details.key).map(|(_, run)| run);
        let Some(known) = known.max_by_key(|run| run.id) else { return false };
        let from = known.details.cached_from.unwrap_or(known.id);
        run.verdict = known.verdict;
        run.summary.clone_from(&known.summary);
        run.tail.clone_from(&known.tail);
        run.spilled.clone_from(&known.spilled);
        // When it was worked out: its age counts from there.
        run.started = known.started;
        run.details = known.details.clone();
        run.protection.clone_from(&known.protection);
        run.details.cached_from = Some(from);
        true
    }

    fn say(&self, text: &str) {
        let report = Report::GateOutput { gate: self.def.name.clone(), text: text.to_owned() };
        let _ = self.home.send(Home::Report(report));
    }

    /// Tells output as it comes, up to a limit.
    fn teller(&self) -> impl FnMut(Stream, &[u8]) {
        let mut told = if self.finds_secrets() { usize::MAX } else { 0 };
        move |_, bytes| {
            if told > TOLD {
                return;
            }
            told += bytes.len();
            let mut text = String::from_utf8_lossy(bytes).into_owned();
            if told > TOLD {
                text.push_str(NOT_TOLD);
            }
            self.say(&text);
        }
    }
}

/// Whether the command itself is what is measured.
fn times(check: &Check) -> bool {
    check.kind == CheckKind::Bench && check.settings.text("report").is_none()
}

impl Attempt {
    fn of(judged: Judged, result: &CommandResult) -> Self {
        let spilled = result.spilled.as_ref().map(|path| path.display().to_string());
        Self { judged, tail: result.tail.clone(), spilled }
    }

    fn failed(why: String) -> Self {
        Self { judged: Judged::error(why), tail: String::new(), spilled: None }
    }
}

impl GateRun {
    /// Takes over what a gate says, over what its command printed.
    pub(super) fn take(&mut self, judged: Judged, printed: &str) {
        let Judged { verdict, summary, text, figure, spots, firm } = judged;
        (self.verdict, self.summary) = (verdict, summary);
        self.tail = match (text.is_empty(), printed.is_empty()) {
            (true, _) => printed.to_owned(),
            (false, true) => text,
            (false, false) => format!("{text}{PRINTED}{printed}"),
        };
        (self.details.figure, self.details.spots, self.details.firm) = (figure, spots, firm);
    }
}
