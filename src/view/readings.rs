//! Measurements: each reading before and after, how far the rounds lay apart, and whether the criteria are met.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Scene;
use super::paint::{clip, width, wrapped};
use crate::domain::{Comparison, Criterion, Measurement, Spread};
use crate::gate::table::{number, ratio};
use crate::theme::{Scope, Sign};

/// A table, columns aligned: as many of them as fit, the spreads first to go.
pub(super) fn table(scene: &Scene<'_>, measurement: &Measurement, room: usize) -> Vec<Line<'static>> {
    let compared = measurement.comparisons();
    let two_sided = compared.iter().any(|one| one.after.is_some());
    let head: &[&str] =
        if two_sided { &["reading", "before", "after", "ratio", "spread"] } else { &["reading", "value", "spread"] };
    let mut rows: Vec<Vec<String>> = vec![head.iter().map(|cell| (*cell).to_owned()).collect()];
    rows.extend(compared.iter().map(|one| cells(one, two_sided)));
    let columns = head.len();
    let widest =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let fits = |count: usize| widths.iter().take(count).map(|width| width + 2).sum::<usize>() <= room + 2;
    let shown = (1..=columns).rev().find(|&count| fits(count)).unwrap_or(1);
    let (muted, text) = (scene.theme.style(Scope::Muted), scene.theme.style(Scope::Text));
    rows.iter()
        .enumerate()
        .map(|(index, row)| {
            let style = if index == 0 { muted } else { text };
            let mut line = String::new();
            for (column, (cell, wide)) in row.iter().zip(&widths).take(shown).enumerate() {
                let gap = " ".repeat(wide.saturating_sub(width(cell)));
                // Names read from the left, figures from the right.
                let is_text = column == 0 || column + 1 == columns;
                let cell = if is_text { format!("{cell}{gap}") } else { format!("{gap}{cell}") };
                line.push_str(&cell);
                line.push_str("  ");
            }
            Line::styled(clip(line.trim_end(), room), style)
        })
        .collect()
}

fn cells(one: &Comparison, two_sided: bool) -> Vec<String> {
    let with_unit = |side: Option<Spread>| {
        side.map_or_else(|| "-".to_owned(), |spread| format!("{} {}", number(spread.median), clip(&one.unit, 12)))
    };
    let spreads: Vec<String> = [one.before, one.after].into_iter().flatten().filter_map(spread).collect();
    let spread = spreads.join(", ");
    let name = clip(&one.name, 28);
    if two_sided {
        let ratio = one.ratio().map_or_else(|| "-".to_owned(), ratio);
        vec![name, with_unit(one.before), with_unit(one.after), ratio, spread]
    } else {
        vec![name, with_unit(one.before), spread]
    }
}

/// How far the rounds lay apart; none where all gave the same.
fn spread(side: Spread) -> Option<String> {
    (side.min < side.max).then(|| format!("{}..{}", number(side.min), number(side.max)))
}

/// Each reading in a narrow pane, then the criteria with what became of them.
pub(super) fn beside_criteria(
    scene: &Scene<'_>,
    measurement: &Measurement,
    criteria: &[String],
    room: usize,
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let (text, muted) = (theme.style(Scope::Text), theme.style(Scope::Muted));
    let rounds = measurement.samples.iter().map(|sample| sample.round).max().unwrap_or(0);
    let mut rows = vec![
        Line::default(),
        Line::from(vec![
            Span::styled("measured", theme.style(Scope::MarkupHeading)),
            Span::styled(format!(", {} of each", super::figures::plural(rounds as usize, "round")), muted),
        ]),
    ];
    let compared = measurement.comparisons();
    for one in &compared {
        rows.extend(reading(one, room, (text, muted, theme.style(Scope::StageActive))));
    }
    for failure in &measurement.failures {
        rows.extend(wrapped(&format!("{} {failure}", theme.sign(Sign::Bad)), room, 2, theme.style(Scope::GateFail)));
    }
    let judged = criteria.iter().filter_map(|line| Criterion::read(line)).filter_map(|criterion| {
        let found = compared.iter().find(|one| one.name == criterion.name && one.after.is_some())?;
        let met = criterion.met_by(found)?;
        Some((criterion, met))
    });
    for (criterion, met) in judged {
        let (sign, scope) = if met { (Sign::Good, Scope::GatePass) } else { (Sign::Bad, Scope::GateFail) };
        let sign = theme.sign(sign);
        rows.extend(wrapped(&format!("{sign} {criterion}"), room, 2, theme.style(scope)));
    }
    rows
}

fn reading(one: &Comparison, room: usize, (text, muted, strong): (Style, Style, Style)) -> Vec<Line<'static>> {
    let figures = match (one.before, one.after) {
        (Some(before), Some(after)) => format!("{} to {}", number(before.median), number(after.median)),
        (Some(only), None) | (None, Some(only)) => number(only.median),
        (None, None) => "-".to_owned(),
    };
    let change = one.ratio().map(|value| format!("{:>8} ", ratio(value))).unwrap_or_default();
    let name = clip(&one.name, room.saturating_sub(width(&change)).max(8));
    let mut rows = vec![Line::from(vec![Span::styled(change.clone(), strong), Span::styled(name, text)])];
    let indent = " ".repeat(width(&change).max(2));
    let spreads: Vec<String> = [one.before, one.after].into_iter().flatten().filter_map(spread).collect();
    let spreads = if spreads.is_empty() { String::new() } else { format!(" ({})", spreads.join(", ")) };
    let detail = format!("{figures} {}{spreads}", one.unit);
    for mut line in wrapped(&detail, room.saturating_sub(width(&indent)), 0, muted) {
        line.spans.insert(0, Span::raw(indent.clone()));
        rows.push(line);
    }
    rows
}
