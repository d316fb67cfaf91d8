//! The list of changed files: how much each changes, how much of it was read, and what is thought of it.

use super::model::Model;
use super::picker::{Choice, Row};
use super::remarks::Opinion;

/// Every changed file, in the order of the change.
pub(super) fn rows(model: &Model) -> Vec<Row> {
    let doc = &model.artifact;
    let row = |file: &super::doc::FilePart| {
        let units = doc.units();
        let here =
            units.partition_point(|unit| unit.from < file.from)..units.partition_point(|unit| unit.from < file.to);
        let units = units.get(here).unwrap_or_default();
        let seen = units.iter().filter(|unit| model.reading.is_seen(&unit.digest)).count();
        let remarks = || units.iter().filter_map(|unit| model.remarks.of(&unit.digest));
        let having = |opinion| remarks().filter(|remark| remark.opinion == Some(opinion)).count();
        let words = remarks().filter(|remark| remark.opinion.is_none()).count();
        let marks = [(having(Opinion::Accepted), '\u{2713}'), (having(Opinion::Rejected), '\u{2717}'), (words, '"')];
        let marks: String =
            marks.iter().filter(|(count, _)| *count > 0).map(|(count, sign)| format!("{sign}{count} ")).collect();
        let path = doc.path(*file).into_owned();
        let folded = if model.review.folds.files.contains(&path) { "folded " } else { "" };
        Row {
            choice: Choice::Line(file.from),
            label: path,
            detail: format!("{folded}{marks}+{} -{}  read {seen}/{}", file.added, file.removed, units.len()),
            disabled: None,
        }
    };
    doc.files().iter().map(row).collect()
}
