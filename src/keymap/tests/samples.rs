//! The sample key files: valid ones work, broken ones say file, line and remedy, and surprising ones are noted. What is
//! expected stands in the files themselves, in comments that begin with `# says: `.

use std::fs;
use std::path::{Path, PathBuf};

use crate::app::action::{Action, Context};
use crate::config::Problem;
use crate::keymap::Keymap;

fn samples(kind: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keymaps").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn expected(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("# says: ")).map(str::to_owned).collect()
}

/// The keymap of a file, its faults and its notes.
fn read(file: &Path) -> (Keymap, Vec<String>, Vec<String>) {
    let (name, dir) = (file.file_stem().unwrap().to_str().unwrap(), file.parent().unwrap());
    let (keymap, faults) = Keymap::load(name, Some(dir));
    let prefix = format!("{}/", dir.display());
    let told = |problems: Vec<Problem>| {
        problems.iter().map(|problem| steady(&problem.to_string().replace(&prefix, ""))).collect()
    };
    let notes = told(keymap.notes(None));
    (keymap, told(faults), notes)
}

/// Without the numbers of lines in shipped files, which grow.
fn steady(message: &str) -> String {
    let (before, rest) = message.split_once("vim.toml:").unwrap_or((message, ""));
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.is_empty() { before.to_owned() } else { format!("{before}vim.toml{rest}") }
}

/// Whoever has only this keymap is not stuck.
fn works(keymap: &Keymap) -> bool {
    [(Context::Global, Action::Quit), (Context::Global, Action::HelpOpen), (Context::Confirm, Action::StageApprove)]
        .iter()
        .all(|(context, action)| !keymap.keys_for(*context, *action).is_empty())
}

#[test]
fn valid_samples_are_not_complained_of() {
    for file in samples("valid") {
        let (keymap, faults, notes) = read(&file);
        assert_eq!((faults, notes), (vec![], vec![]), "{}", file.display());
        assert!(works(&keymap) && keymap.name() == file.file_stem().unwrap(), "{}", file.display());
    }
}

#[test]
fn broken_samples_name_file_line_and_remedy_and_the_rest_works() {
    let unlike = |file: &PathBuf| read(file).1 != expected(file);
    let unlike: Vec<String> =
        samples("invalid").iter().filter(|file| unlike(file)).map(|f| read(f).1.join("\n")).collect();
    assert!(unlike.is_empty(), "these say something else now:\n{}", unlike.join("\n"));
    for file in samples("invalid") {
        let (keymap, faults, _) = read(&file);
        assert!(!faults.is_empty(), "{}", file.display());
        let is_named = |fault: &String| fault.split(": ").next().unwrap().contains(".toml");
        assert!(faults.iter().all(is_named), "{faults:?}");
        assert!(works(&keymap), "{}", file.display());
    }
}

#[test]
fn surprising_samples_are_noted_and_work() {
    for file in samples("surprising") {
        let (keymap, faults, notes) = read(&file);
        assert_eq!(faults, [""; 0], "{}", file.display());
        assert_eq!(notes, expected(&file), "{}", file.display());
        assert!(works(&keymap), "{}", file.display());
    }
}
