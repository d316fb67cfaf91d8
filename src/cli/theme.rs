//! `windlass theme`: which themes there are, what is wrong with one, and base16 schemes made into themes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{Place, Problem};
use crate::domain::visible_line;
use crate::theme::{self, Depth, Theme};

use super::arguments::{Common, ThemeSub};
use super::failure::Failure;
use super::open::variable;
use super::{files, json};

/// Does it.
pub(super) fn run(common: &Common, command: ThemeSub, out: &mut dyn Write) -> Result<(), Failure> {
    if let ThemeSub::Check { file: Some(file) } = command {
        let (name, dir) = files::named(&file)?;
        return check(&name, Some(&dir), out);
    }
    let (paths, config) = files::own(common)?;
    let dir = paths.themes();
    match command {
        ThemeSub::List { json } => list(dir.as_deref(), json, out),
        ThemeSub::Check { .. } => {
            let depth = theme::depth(&variable, false);
            let name = theme::choose(config.theme.as_deref(), None, &variable, depth);
            check(&name, dir.as_deref(), out)
        }
        ThemeSub::Import { file, output } => import(&file, output, dir.as_deref(), out),
    }
}

/// A theme as JSON has it.
#[derive(Serialize)]
struct Listed {
    name: String,
    variant: Option<String>,
    license: Option<String>,
    own: bool,
}

fn list(dir: Option<&Path>, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let all = Theme::list(dir).into_iter();
    let all: Vec<Listed> =
        all.map(|one| Listed { name: one.name, variant: one.variant, license: one.license, own: one.is_own }).collect();
    if as_json {
        return json::print(&all, out);
    }
    for theme in all {
        let (variant, license) = (theme.variant.as_deref(), theme.license.as_deref().unwrap_or("no licence named"));
        let whose = if theme.own { ", yours" } else { "" };
        let line = format!("{:<20} {:<6} {license}{whose}", theme.name, variant.unwrap_or("broken"));
        writeln!(out, "{}", visible_line(&line))?;
    }
    Ok(())
}

fn check(name: &str, dir: Option<&Path>, out: &mut dyn Write) -> Result<(), Failure> {
    let (theme, faults) = Theme::load(name, dir, Depth::True);
    // Of one that can't be read, nothing can be said.
    let notes = if theme.name() == name { poor(&theme) } else { Vec::new() };
    files::tell(&format!("theme {name}"), &faults, &notes, out)
}

fn poor(theme: &Theme) -> Vec<Problem> {
    let note = |poor: &theme::Poor| {
        let (scope, on, ratio) = (poor.scope.name(), poor.on.name(), poor.ratio);
        Place::of(theme.name()).problem(format!(
            "{scope:?} has a contrast of {ratio:.1} on the background of {on:?}; 4.5 is readable: move one of them away"
        ))
    };
    theme.poor().iter().map(note).collect()
}

fn import(
    file: &Path,
    output: Option<Option<PathBuf>>,
    dir: Option<&Path>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| Failure::File { doing, path, source }
    };
    let text = fs::read_to_string(file).map_err(failed("read", file))?;
    let imported = match theme::import(&file.display().to_string(), &text) {
        Ok(imported) => imported,
        Err(faults) => return files::tell(&file.display().to_string(), &faults, &[], out),
    };
    let Some(output) = output else { return Ok(out.write_all(imported.text.as_bytes())?) };
    let to = match (output, dir) {
        (Some(path), _) => path,
        (None, Some(dir)) => {
            fs::create_dir_all(dir).map_err(failed("make", dir))?;
            dir.join(format!("{}.toml", imported.name))
        }
        (None, None) => {
            return Err(failed("find", Path::new("themes"))(io::Error::other("there is no home directory")));
        }
    };
    // A theme somebody has worked on is not written over.
    let mut made = OpenOptions::new().write(true).create_new(true).open(&to).map_err(failed("make", &to))?;
    made.write_all(imported.text.as_bytes()).map_err(failed("write", &to))?;
    let name = to.file_stem().map_or_else(|| imported.name.clone(), |stem| stem.to_string_lossy().into_owned());
    let line = format!("{}: see it with `windlass --theme {name}`", to.display());
    Ok(writeln!(out, "{}", visible_line(&line))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCEAN: &str = "scheme: \"Ocean\"\nauthor: \"Chris Kempson\"\nbase00: \"2b303b\"\nbase01: \"343d46\"\n\
        base02: \"4f5b66\" # selection\nbase03: \"65737e\"\nbase04: \"a7adba\"\nbase05: \"c0c5ce\"\nbase06: \"dfe1e8\"\n\
        base07: \"eff1f5\"\nbase08: \"bf616a\"\nbase09: \"d08770\"\nbase0A: \"ebcb8b\"\nbase0B: \"a3be8c\"\n\
        base0C: \"96b5b4\"\nbase0D: \"8fa1b3\"\nbase0E: \"b48ead\"\nbase0F: \"ab7967\"\n";

    fn said(done: impl FnOnce(&mut Vec<u8>) -> Result<(), Failure>) -> (String, Option<String>) {
        let mut out = Vec::new();
        let failed = done(&mut out).err().map(|failure| failure.to_string());
        (String::from_utf8(out).unwrap(), failed)
    }

    #[test]
    fn a_base16_scheme_becomes_a_theme_that_loads() {
        let dir = tempfile::tempdir().unwrap();
        let (file, themes) = (dir.path().join("ocean.yaml"), dir.path().join("themes"));
        fs::write(&file, OCEAN).unwrap();
        let (out, failed) = said(|out| import(&file, Some(None), Some(&themes), out));
        assert_eq!(failed, None);
        assert!(out.ends_with("themes/ocean.toml: see it with `windlass --theme ocean`\n"), "{out}");
        let (theme, problems) = Theme::load("ocean", Some(&themes), Depth::True);
        assert_eq!((theme.name(), problems), ("ocean", vec![]));
        let style = theme.style(theme::Scope::DiffMinus);
        assert_eq!(style.fg.unwrap().to_string().to_lowercase(), "#bf616a");
        // What is there isn't written over, and what is hard to read is said.
        let (_, failed) = said(|out| import(&file, Some(None), Some(&themes), out));
        assert!(failed.unwrap().starts_with("failed to make "));
        let (out, failed) = said(|out| check("ocean", Some(&themes), out));
        assert!(out.contains("note: ocean: \"diff.minus\" has a contrast of "), "{out}");
        assert_eq!(failed, None);
        let (out, _) = said(|out| import(&file, None, None, out));
        assert_eq!(out, fs::read_to_string(themes.join("ocean.toml")).unwrap());
        let (out, _) = said(|out| list(Some(&themes), false, out));
        assert!(out.contains("ocean                dark   no licence named, yours\n"), "{out}");
        assert!(out.contains("catppuccin-latte     light  MIT\n"), "{out}");
        let (out, _) = said(|out| list(None, true, out));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap().as_array().unwrap().len(), 8);
    }

    #[test]
    fn the_new_form_of_base16_is_read_too_and_faults_have_lines() {
        let new: String = OCEAN
            .lines()
            .map(|line| match line.strip_prefix("base") {
                Some(rest) => format!("  base{}\n", rest.replace(": \"", ": \"#")),
                None => format!("{}\n", line.replace("scheme:", "name:")),
            })
            .collect();
        let new = new.replace("  base00", "variant: \"dark\"\npalette:\n  base00");
        assert_eq!(theme::import("f", &new), theme::import("f", OCEAN));
        let told = |text: &str| -> Vec<String> {
            theme::import("f.yaml", text).unwrap_err().iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            told(&OCEAN.replace("\"65737e\"", "\"6573\"")),
            ["f.yaml:6:1: \"6573\" is not a colour; write six digits: \"rrggbb\""]
        );
        assert_eq!(
            told(&OCEAN.replace("base0F", "base10")),
            ["f.yaml: no colour for base0F; a base16 file has base00 to base0F"]
        );
        assert_eq!(told("{")[0], "f.yaml:1:1: this line is not \"key: value\"; is it a base16 file?");
        assert_eq!(
            told(&format!("variant: lihgt\n{OCEAN}")),
            ["f.yaml:1:1: unknown variant \"lihgt\"; write dark or light"]
        );
    }
}
