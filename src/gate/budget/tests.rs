//! Changes within their budget, and beyond it.

use crate::domain::{CheckKind, Verdict};
use crate::gate::testing::{Trees, number, settings};

#[test]
fn each_limit_is_held_by_itself() {
    let before = [("src/a.rs", "fn a() {}\n"), ("go.sum", "")];
    let after = [
        ("src/a.rs", "fn a() {}\npub async fn b<T>() {\nlet f = |x| x;\n}\n"),
        ("src/deep/new/c.py", "def c():\n    pass\nfunction()\n"),
        ("go.sum", "a.org/x v1.0.0 h1:abc=\n"),
    ];
    let trees = Trees::new(&before, &after);
    for (key, number_of, verdict, says) in [
        ("lines", 9, Verdict::Pass, "9 lines of 9"),
        ("lines", 8, Verdict::Fail, "9 lines of 8 allowed"),
        ("files", 2, Verdict::Fail, "3 files of 2 allowed"),
        ("functions", 3, Verdict::Pass, "3 new functions of 3"),
        ("functions", 2, Verdict::Fail, "3 new functions of 2 allowed"),
        ("dependencies", 0, Verdict::Fail, "1 new dependencies of 0 allowed"),
        ("dependencies", 1, Verdict::Pass, "1 new dependencies of 1"),
        ("layers", 1, Verdict::Fail, "2 new directories of 1 allowed"),
    ] {
        let judged = trees.judged(CheckKind::Budget, &settings([(key, number(number_of))]));
        assert_eq!((judged.verdict, judged.summary.as_str()), (verdict, says), "{judged:?}");
    }
    let both = trees.judged(CheckKind::Budget, &settings([("files", number(9)), ("layers", number(0))]));
    assert!(both.text.contains("3 files of 9") && both.text.contains("src/deep/new: a new directory"), "{both:?}");
    let torn = Trees::new(&before, &[("src/a.rs", "fn a() {}\n"), ("go.sum", "no sum\n")]);
    assert_eq!(torn.judged(CheckKind::Budget, &settings([("dependencies", number(0))])).verdict, Verdict::Error);
}
