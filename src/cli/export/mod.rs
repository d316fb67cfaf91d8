//! `windlass export`: the review of a stage, to take elsewhere: as Markdown, as a page, as a picture of the screen.

mod html;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};

use crate::app::{Model, extract::Extract};
use crate::domain::{LoopId, StageIndex, Timestamp, without_keys};
use crate::engine::Loop;
use crate::tui::Settings;
use crate::view::{Grammar, Scene, Syntax, picture};

use super::arguments::Common;
use super::failure::Failure;
use super::open::{self, Asked};
use super::otlp;
use super::record::Record;

/// What is exported, and how.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Export {
    /// The review of a stage as Markdown, with the places that findings point at
    Md(Which),
    /// The same as one self-contained page
    Html(Which),
    /// The screen with that stage on it, as an SVG picture
    Svg {
        #[command(flatten)]
        which: Which,
        /// Columns and rows of the screen
        #[arg(long, value_name = "COLUMNSxROWS", default_value = "120x35", value_parser = size)]
        size: (u16, u16),
    },
    /// Calls of models as OpenTelemetry spans, with the conventions for generative AI
    #[command(
        group(clap::ArgGroup::new("to").required(true).args(["output", "endpoint"])),
        after_help = "\
One trace for a loop, one span for a call; the ids are the same every time. What was sent and said, goals and error \
messages are left out without --content. What looks like a key is masked."
    )]
    Otlp {
        /// Into a file that must not exist yet: a line of OTLP/JSON for each loop
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// To a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        /// With prompts, replies, goals and error messages
        #[arg(long)]
        content: bool,
    },
}

/// Which stage, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Which {
    /// The loop's number; the active one, else the last, if it is left out
    #[arg(value_name = "LOOP")]
    number: Option<u32>,
    /// The stage, by its name or its number; the open one if it is left out
    #[arg(value_name = "STAGE")]
    stage: Option<String>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Exports. Keys of known shapes are masked in everything that leaves.
pub(super) fn run(common: &Common, export: &Export, out: &mut dyn Write) -> Result<(), Failure> {
    let which = match export {
        Export::Md(which) | Export::Html(which) | Export::Svg { which, .. } => which,
        Export::Otlp { output, endpoint, content } => {
            let to = match endpoint {
                Some(endpoint) => otlp::To::Endpoint(endpoint.clone()),
                None => otlp::To::File(output.clone().unwrap_or_default()),
            };
            return otlp::export(common, &to, *content, out);
        }
    };
    let repo = open::repo(common)?;
    let record = Record::read(&repo)?;
    let one = match which.number {
        Some(number) => record.state.loops.get(&LoopId(number)),
        None => record.state.active().or_else(|| record.state.loops.values().next_back()),
    };
    let number = which.number.unwrap_or(1);
    let one = one.ok_or(Failure::Nothing { what: "loop", number: number.into() })?;
    let index = match &which.stage {
        Some(name) => stage_named(one, name)?,
        None => one.open,
    };
    let text = match export {
        Export::Svg { size, .. } => {
            let (paths, mut loaded) = open::config(common, &repo)?;
            // A picture has no terminal that could be asked for its background.
            loaded.config.theme.get_or_insert_with(|| "default-dark".to_owned());
            let settings = open::settings(&repo, &paths, loaded, &Asked::default())?;
            screen(&record, &settings, one, index, *size)
        }
        Export::Md(_) | Export::Html(_) | Export::Otlp { .. } => {
            let review = Extract::of(one, index).ok_or_else(|| Failure::Stage(index.number().to_string()))?;
            if matches!(export, Export::Md(_)) { review.markdown() } else { html::page(&review) }
        }
    };
    let text = without_keys(&text);
    match &which.output {
        None => Ok(out.write_all(text.as_bytes())?),
        Some(path) => write(path, &text),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|source| Failure::File { doing: "write", path: path.to_owned(), source })
}

fn stage_named(one: &Loop, name: &str) -> Result<StageIndex, Failure> {
    let by_number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let found = one.stages.iter().position(|stage| stage.spec.id == name).or(by_number);
    found.filter(|index| *index < one.stages.len()).map(StageIndex).ok_or_else(|| Failure::Stage(name.to_owned()))
}

/// The screen as it would be with this stage on it.
fn screen(record: &Record, settings: &Settings, one: &Loop, index: StageIndex, size: (u16, u16)) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let seq = record.events.last().map_or(0, |last| last.seq);
    let mut model = Model::new(record.state.clone(), seq, settings.host.clone(), size, now);
    model.look_at(one.id, index);
    let syntax = Syntax::default();
    if !settings.theme.is_mono() {
        // Set once, here.
        let _ = syntax.slot().set(Grammar::load(settings.theme.syntax()));
    }
    let (theme, keymap) = (&settings.theme, &settings.keymap);
    picture(&Scene { model: &model, theme, keymap, syntax: &syntax, pending: None })
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parts = text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    match parts {
        Some((columns @ 40..=500, rows @ 10..=200)) => Ok((columns, rows)),
        _ => Err("write it like 120x35: from 40x10 to 500x200".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_within_bounds() {
        assert_eq!(size("80x24"), Ok((80, 24)));
        for bad in ["", "80", "0x0", "80x", "9999x9999", "80 x 24"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
