//! What leaves the screen: the review of a stage, to the clipboard and into files; the title and the bell; and the small
//! screen that is about one decision alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::desk::Desk;
use crate::hands::{await_decision, choose, draft, key, leave, read_all, trust};

const KEY: &str = "sk-ant-REPLACED";

#[test]
fn a_review_is_copied_and_exported_with_keys_masked_and_nothing_of_it_markup() {
    let desk = Desk::new();
    desk.furnish("");
    let secret = KEY.replace("REPLACED", &"A".repeat(30));
    let goal = format!("Fewer <b>steps</b> {secret}");
    let mut screen = desk.open(&["new", &goal], (80, 24));
    trust(&mut screen);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    let (_, end) = screen.wait_for_text(0, &["\x1b]2;windlass: constraint awaits your decision\x07"]);
    assert!(screen.bytes()[end..].starts_with(b"\x07"), "it rings");
    screen.press("Y");
    screen.wait_for_words("sent to the terminal; also in");
    screen.wait_for_text(0, &["\x1b]52;c;"]);
    let file = desk.private().join("review-loop-1-constraint.md");
    let copied = fs::read_to_string(&file).unwrap();
    leave(&mut screen);

    assert_eq!(desk.printed(&["export", "md"]), copied);
    for words in
        ["# Constraint of loop 1", "## Gates", "**pass**", "No more steps than now.", "\\<b>steps", "- evidence: "]
    {
        assert!(copied.contains(words), "{words} in {copied}");
    }
    let page = desk.printed(&["export", "html", "1", "constraint"]);
    assert!(page.starts_with("<!doctype html>") && page.contains("&lt;b&gt;steps") && !page.contains("<b>"), "{page}");
    let output = desk.repo().join("ignored.svg");
    assert_eq!(desk.printed(&["export", "svg", "--size", "80x24", "-o", output.to_str().unwrap()]), "");
    let picture = fs::read_to_string(&output).unwrap();
    assert!(picture.starts_with("<svg ") && picture.contains("viewBox=\"0 0 720 456\"") && !picture.contains("<b>"));
    assert!(picture.contains("AWAITS YOUR DECISION"), "{picture}");
    for text in [copied, page, picture] {
        assert!(!text.contains(&secret) && text.contains("sk-ant-"), "{text}");
    }
    for (args, code) in [(&["export", "md", "7"][..], 1), (&["export", "md", "1", "lunch"], 2)] {
        assert_eq!(desk.run(args).status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn a_popup_is_about_one_decision_and_closes_with_it() {
    let mut desk = Desk::new();
    desk.furnish("");
    desk.write_own_config(&format!("{}\n[ui]\nmouse = true\n", own_config(&desk)));
    let decided = |desk: &Desk| desk.json(&["show", "1", "--json"])["stages"][0]["decisions"].as_array().unwrap().len();
    // Too low for the whole draft.
    let mut screen = desk.open(&["new", "Fewer steps"], (80, 14));
    trust(&mut screen);
    draft(&mut screen, "constraint");
    await_decision(&screen, "constraint");
    // What was read here is read in the popup, too.
    read_all(&mut screen);
    screen.press("g g");
    let top =
        screen.wait_for("its beginning", |frame| frame.rows().iter().any(|row| row.trim_start().starts_with("1►")));
    // A notch of the wheel.
    screen.text("\x1b[<65;10;10M");
    screen.wait_for("other rows", |frame| frame.rows()[4] != top.rows()[4]);
    // Whoever drives decides: there is no second hand beside it.
    assert_eq!(desk.run(&["decide"]).status.code(), Some(3));
    // In the same tmux, the popup leads to its pane.
    let (bin, told) = (desk.home().join("bin"), desk.home().join("tmux-told"));
    let lock = fs::read_to_string(desk.private().join("driver.lock")).unwrap();
    let driver = lock.split_whitespace().nth(1).unwrap().to_owned();
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}\n[ \"$1\" = list-panes ] && printf '1 %%0\\n{driver} %%7\\n'\nexit 0\n",
        told.display()
    );
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("tmux"), script).unwrap();
    fs::set_permissions(bin.join("tmux"), Permissions::from_mode(0o755)).unwrap();
    desk.set("PATH", &format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
    desk.set("TMUX", "/tmp/tmux-0/default,1,0");
    let mut popup = desk.open(&["decide"], (80, 24));
    popup.wait_for_words("drives in pane %7");
    assert!(popup.end().success());
    assert!(fs::read_to_string(&told).unwrap().ends_with("switch-client -t %7\n"));
    desk.set("TMUX", "");
    leave(&mut screen);

    let mut popup = desk.open(&["decide"], (80, 24));
    popup.wait_for_words("Decide: constraint of loop 1");
    popup.press("Esc");
    assert!(popup.end().success());
    assert_eq!(decided(&desk), 0);

    let mut popup = desk.open(&["decide"], (80, 24));
    popup.wait_for("an armed sheet", |frame| key(frame, "approve").is_some());
    choose(&mut popup, "approve");
    assert!(popup.end().success());
    assert_eq!(decided(&desk), 1);

    let mut popup = desk.open(&["decide", "--plain"], (80, 24));
    assert!(popup.end().success());
    assert!(popup.frame().says("No stage waits for a decision."), "{}", popup.frame());
}

fn own_config(desk: &Desk) -> String {
    fs::read_to_string(desk.home().join("config/windlass/config.toml")).unwrap()
}
