//! What `cargo ... --message-format=json` says on its standard output: errors, and warnings that the base hasn't.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::case::{Judged, ReportCase, Reports, count, one_line, unexplained};
use crate::domain::{Spot, Verdict};

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Line {
    CompilerMessage {
        message: Message,
    },
    BuildFinished {
        success: bool,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Message {
    message: String,
    code: Option<Code>,
    level: String,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    is_primary: bool,
    #[serde(default)]
    text: Vec<SpanText>,
}

#[derive(Deserialize)]
struct SpanText {
    text: String,
}

/// A message that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Diagnostic {
    is_error: bool,
    /// What makes it the same as one of the base: the line it is on is no part of it.
    key: String,
    spot: Spot,
}

/// Judges what cargo said.
pub fn judge(case: &ReportCase<'_>) -> Judged {
    let head = match diagnostics(case.head) {
        Ok(diagnostics) => diagnostics,
        Err(why) => return Judged::error(why),
    };
    let base = match case.base.map(diagnostics).transpose() {
        Ok(base) => base,
        Err(why) => return Judged::error(format!("on the base, {why}")),
    };
    let before = base.as_ref().map(Vec::len);
    let (errors, warnings): (Vec<_>, Vec<_>) = head.into_iter().partition(|one| one.is_error);
    let mut known: HashMap<String, usize> = HashMap::new();
    for diagnostic in base.into_iter().flatten() {
        *known.entry(diagnostic.key).or_default() += 1;
    }
    let all = warnings.len();
    let new: Vec<Spot> = warnings
        .into_iter()
        .filter(|warning| match known.get_mut(&warning.key) {
            Some(left @ 1..) => {
                *left -= 1;
                false
            }
            _ => true,
        })
        .map(|warning| warning.spot)
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "messages are far fewer than 2^52")]
    let measured = |judged: Judged, number: usize| {
        judged.measured(number as f64, "diagnostics", Some(0.0), before.map(|before| before as f64))
    };
    let warning = if before.is_some() { "new warning" } else { "warning" };
    if !errors.is_empty() || !new.is_empty() {
        let (wrong, number) = (errors.len(), errors.len() + new.len());
        let parts = [(wrong, "error"), (new.len(), warning)].into_iter().filter(|(number, _)| *number > 0);
        let parts: Vec<String> = parts.map(|(number, noun)| count(number, noun)).collect();
        let spots = errors.into_iter().map(|error| error.spot).chain(new).collect();
        return measured(Judged::new(Verdict::Fail, parts.join(", ")).at(spots), number);
    }
    // `-D warnings` makes errors of them, so whatever failed otherwise is not in the messages.
    if let Some(error) = unexplained(case.head) {
        return error;
    }
    let old = if all > 0 { format!(", {all} that the base has too") } else { String::new() };
    measured(Judged::new(Verdict::Pass, format!("no {warning}s{old}")), 0)
}

fn diagnostics(reports: &Reports) -> Result<Vec<Diagnostic>, String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for report in &reports.files {
        let text = String::from_utf8_lossy(&report.bytes);
        let mut finished = None;
        // Programs that cargo runs print there too; a message is one object on one line.
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with("{\"reason\"")) {
            match serde_json::from_str(line) {
                Ok(Line::CompilerMessage { message }) => {
                    if let Some((place, diagnostic)) = message.counted(reports)
                        // A library's own tests compile it once more.
                        && seen.insert(place)
                    {
                        found.push(diagnostic);
                    }
                }
                Ok(Line::BuildFinished { success }) => finished = Some(success),
                Ok(Line::Other) => {}
                Err(error) => {
                    return Err(format!("line {} of {} is no message of cargo: {error}", number + 1, report.name));
                }
            }
        }
        match finished {
            None => {
                let why = "has no message \"build-finished\": cargo was cut off, or ran without --message-format=json";
                return Err(format!("{} {why}", report.name));
            }
            Some(false) if !found.iter().any(|one| one.is_error) => {
                return Err(format!("{} says that the build failed, and not why", report.name));
            }
            Some(_) => {}
        }
    }
    Ok(found)
}

impl Message {
    /// What makes it one and the same message, and the message; none if it isn't an error or a warning of a place.
    fn counted(self, reports: &Reports) -> Option<((String, u32, u32, String), Diagnostic)> {
        let is_error = self.level.starts_with("error");
        if !is_error && self.level != "warning" {
            return None;
        }
        let span = self.spans.iter().find(|span| span.is_primary);
        // "12 warnings emitted" and "aborting due to an error" only count the others.
        if span.is_none() && self.code.is_none() && !is_error || self.message.starts_with("aborting due to") {
            return None;
        }
        let code = self.code.map(|code| code.code).unwrap_or_default();
        let path = span.map(|span| reports.relative(&span.file_name)).unwrap_or_default();
        let lines = span.map(|span| (span.line_start, span.line_end));
        let (line, column) = span.map_or((0, 0), |span| (span.line_start, span.column_start));
        let source: Vec<&str> =
            span.map(|span| span.text.iter().map(|text| text.text.trim()).collect()).unwrap_or_default();
        let key = format!("{code}\0{path}\0{}\0{}", source.join("\n"), self.message);
        let said = one_line(&self.message);
        let text = if code.is_empty() { said } else { format!("{code}: {said}") };
        let place = (path.clone(), line, column, text.clone());
        Some((place, Diagnostic { is_error, key, spot: Spot { path, lines, text } }))
    }
}
