//! `windlass keymap`: what every key does and which line of which file says so, and what is wrong with a key file.

use std::env;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::app::action::Context;
use crate::domain::visible_line;
use crate::keymap::{Bound, Key, Keymap, Meaning};
use crate::process::capture::Capture;

use super::arguments::{Common, KeymapSub};
use super::failure::Failure;
use super::{files, json};

/// Does it.
pub(super) fn run(common: &Common, command: KeymapSub, out: &mut dyn Write) -> Result<(), Failure> {
    if let KeymapSub::Check { file: Some(file) } = command {
        let (name, dir) = files::named(&file)?;
        return check(&name, Some(&dir), prefix(), out);
    }
    let (paths, config) = files::own(common)?;
    let dir = paths.keymaps();
    match command {
        KeymapSub::Check { .. } => check(&config.keymap, dir.as_deref(), prefix(), out),
        KeymapSub::List { json } => list(&Keymap::load(&config.keymap, dir.as_deref()).0, json, out),
        KeymapSub::Explain { keys } => {
            explain(&Keymap::load(&config.keymap, dir.as_deref()).0, &keys.join(" "), prefix(), out)
        }
    }
}

/// The prefix key of the tmux around us, if there is one that says so.
fn prefix() -> Option<Key> {
    env::var_os("TMUX")?;
    let told = Capture::new("tmux", Path::new(".")).args(["show-options", "-gv", "prefix"]).run().ok()?;
    Key::parse(String::from_utf8(told.stdout).ok()?.trim()).ok()
}

fn check(name: &str, dir: Option<&Path>, prefix: Option<Key>, out: &mut dyn Write) -> Result<(), Failure> {
    let (keymap, faults) = Keymap::load(name, dir);
    files::tell(&format!("keymap {name}"), &faults, &keymap.notes(prefix), out)
}

/// A binding as JSON has it.
#[derive(Serialize)]
struct Listed<'a> {
    context: &'static str,
    keys: &'a str,
    action: Option<&'static str>,
    desc: &'a str,
    when: Option<&'a str>,
    file: &'a str,
    line: u32,
}

fn list(keymap: &Keymap, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let all = keymap.bound();
    if as_json {
        let listed = all.iter().map(|bound| Listed {
            context: bound.context.name(),
            keys: &bound.keys,
            action: bound.action.map(|action| action.info().name),
            desc: &bound.desc,
            when: bound.when.as_deref(),
            file: &bound.file,
            line: bound.line,
        });
        return json::print(&listed.collect::<Vec<_>>(), out);
    }
    let mut last = None;
    for bound in &all {
        if last != Some(bound.context) {
            let gap = if last.is_some() { "\n" } else { "" };
            writeln!(out, "{gap}{} [keys.{}]", bound.context.title(), bound.context.name())?;
            last = Some(bound.context);
        }
        writeln!(out, "{}", line(bound))?;
    }
    Ok(())
}

fn line(bound: &Bound) -> String {
    let action = bound.action.map_or("none", |action| action.info().name);
    let when = bound.when.as_ref().map(|when| format!(", when {when}")).unwrap_or_default();
    let text = format!("  {:<12} {action:<20} {}{when} ({}:{})", bound.keys, bound.desc, bound.file, bound.line);
    visible_line(&text).into_owned()
}

fn explain(keymap: &Keymap, keys: &str, prefix: Option<Key>, out: &mut dyn Write) -> Result<(), Failure> {
    let sequence = Keymap::sequence(keys).map_err(Failure::Keys)?;
    let meanings = keymap.explain(&sequence);
    if meanings.is_empty() {
        writeln!(out, "{keys} does nothing with the keymap {}", keymap.name())?;
    }
    for (context, meaning) in &meanings {
        let title = context.title();
        match meaning {
            Meaning::Text => writeln!(out, "{title}\n  {keys:<12} is text")?,
            Meaning::Bound(all) => {
                writeln!(out, "{title}")?;
                for bound in all {
                    writeln!(out, "{}", line(bound))?;
                }
            }
            Meaning::Begins(all) => {
                writeln!(out, "{title}, it begins")?;
                for bound in all {
                    writeln!(out, "{}", line(bound))?;
                }
            }
        }
    }
    if meanings.iter().any(|(context, _)| *context == Context::Global) {
        writeln!(out, "In a pane, what is said of it comes before what is said of everywhere.")?;
    }
    if let Some(prefix) = prefix.filter(|prefix| sequence.contains(prefix)) {
        writeln!(out, "{prefix} is the prefix key of this tmux: press it twice.")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn said(done: impl FnOnce(&mut Vec<u8>) -> Result<(), Failure>) -> (String, Option<String>) {
        let mut out = Vec::new();
        let failed = done(&mut out).err().map(|failure| failure.to_string());
        (String::from_utf8(out).unwrap(), failed)
    }

    #[test]
    fn a_key_file_is_checked_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("me.toml");
        let text = "schema = 1\ninherits = \"vim\"\n[[keys.global]]\non = \"Q\"\nrun = \"app.qit\"\n\
                    [[keys.global]]\non = \"C-b\"\nrun = \"app.quit\"\n";
        fs::write(&file, text).unwrap();
        let (name, parent) = files::named(&file).unwrap();
        let (out, failed) = said(|out| check(&name, Some(&parent), None, out));
        let file = file.display();
        assert!(
            out.starts_with(&format!("{file}:5:7: unknown action \"app.qit\"; did you mean \"app.quit\"?\n")),
            "{out}"
        );
        assert!(out.contains(&format!("note: {file}:7:6: \"C-b\" is the prefix key of tmux")), "{out}");
        assert_eq!(failed.as_deref(), Some("keymap me: 1 fault; the rest works"));
        assert_eq!(said(|out| check("vim", None, None, out)), ("keymap vim: nothing is wrong\n".to_owned(), None));
        assert!(files::named(&dir.path().join("vim.toml")).is_err());
        fs::write(dir.path().join("a b.toml"), "").unwrap();
        let wrong = files::named(&dir.path().join("a b.toml")).unwrap_err().to_string();
        assert!(wrong.contains("must be of letters"), "{wrong}");
    }

    #[test]
    fn keys_are_listed_and_explained_with_their_lines() {
        let (vim, _) = Keymap::load("vim", None);
        let (out, _) = said(|out| list(&vim, false, out));
        assert!(out.contains("  y            stage.approve        Approve this stage"), "{out}");
        let (out, _) = said(|out| list(&vim, true, out));
        let all: serde_json::Value = serde_json::from_str(&out).unwrap();
        let quit = all.as_array().unwrap().iter().find(|one| one["action"] == "app.quit").unwrap();
        assert_eq!(
            (&quit["context"], &quit["keys"], &quit["file"]),
            (&"global".into(), &"Space q".into(), &"vim.toml".into())
        );

        let (out, _) = said(|out| explain(&vim, "x", None, out));
        assert!(out.contains("In a change\n  x            hunk.reject"), "{out}");
        assert!(out.contains("While typing\n  x            is text"), "{out}");
        let (out, _) = said(|out| explain(&vim, "Space", Key::parse("Space").ok(), out));
        assert!(out.contains("Everywhere, it begins\n") && out.contains("prefix key of this tmux"), "{out}");
        let (out, failed) = said(|out| explain(&vim, "C-q", None, out));
        assert_eq!((out.as_str(), failed), ("C-q does nothing with the keymap vim\n", None));
        let (_, failed) = said(|out| explain(&vim, "gg", None, out));
        assert_eq!(failed.as_deref(), Some("\"gg\" is not a key; a sequence has spaces: write \"g g\""));
    }
}
