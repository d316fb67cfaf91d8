//! The sample themes: valid ones load, broken ones say file, line and remedy and load as far as they can. What is
//! expected stands in the files themselves, in comments that begin with `# says: `.

use std::fs;
use std::path::{Path, PathBuf};

use crate::theme::{Depth, Scope, Theme};

fn samples(kind: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/themes").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn read(file: &Path) -> (Theme, Vec<String>) {
    let (name, dir) = (file.file_stem().unwrap().to_str().unwrap(), file.parent().unwrap());
    let (theme, faults) = Theme::load(name, Some(dir), Depth::True);
    let prefix = format!("{}/", dir.display());
    (theme, faults.iter().map(|fault| fault.to_string().replace(&prefix, "")).collect())
}

#[test]
fn valid_samples_are_not_complained_of() {
    for file in samples("valid") {
        let (theme, faults) = read(&file);
        assert_eq!((faults, theme.poor()), (vec![], vec![]), "{}", file.display());
        assert_eq!(theme.name(), file.file_stem().unwrap());
    }
}

#[test]
fn broken_samples_name_file_line_and_remedy_and_still_tell_things_apart() {
    for file in samples("invalid") {
        let text = fs::read_to_string(&file).unwrap();
        let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# says: ")).collect();
        let (theme, faults) = read(&file);
        assert!(!faults.is_empty(), "{}", file.display());
        assert_eq!(faults, expected, "{}", file.display());
        assert_ne!(theme.style(Scope::Text), theme.style(Scope::Selection), "{}", file.display());
    }
}
