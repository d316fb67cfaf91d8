//! Every action is in the README's table of keys, in help and in the palette, and all of them come from the one table.

use std::fs;
use std::path::Path;

use crate::app::action::{ACTIONS, ActionInfo};
use crate::keymap::Keymap;

const BEGIN: &str = "<!-- keys: written by `UPDATE_README=1 cargo test --lib keymap::` -->\n";
const END: &str = "<!-- end of keys -->\n";

/// The keys of an action in any context, each once.
fn keys(keymap: &Keymap, info: &ActionInfo) -> String {
    let mut keys: Vec<String> = Vec::new();
    for row in keymap.rows().into_iter().filter(|row| row.action == info.action) {
        for key in row.keys {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect::<Vec<_>>().join(" ")
}

fn table() -> String {
    let (vim, emacs) = (Keymap::load("vim", None).0, Keymap::load("emacs", None).0);
    let mut table = "| vim | emacs | what it does | action |\n|---|---|---|---|\n".to_owned();
    for info in ACTIONS {
        table.push_str(&format!(
            "| {} | {} | {} | `{}` |\n",
            keys(&vim, info),
            keys(&emacs, info),
            info.doc,
            info.name
        ));
    }
    table
}

#[test]
fn the_readme_has_every_action_with_its_keys() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has a table of keys");
    let (written, after) = rest.split_once(END).expect("the table of keys has an end");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, format!("{before}{BEGIN}\n{}\n{END}{after}", table())).unwrap();
    } else {
        assert_eq!(written.trim(), table().trim(), "run UPDATE_README=1 cargo test --lib keymap::");
    }
}
