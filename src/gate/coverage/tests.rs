//! Coverage as cargo-llvm-cov and coverage.py write it.

use crate::domain::{CheckKind, Settings, Verdict};
use crate::gate::case::Judged;
use crate::gate::patch::Patch;
use crate::gate::testing::{adds, judged, number, settings};

const LCOV: &str = include_str!("../../../tests/fixtures/gates/coverage/llvm-cov.info");
const COBERTURA: &str = include_str!("../../../tests/fixtures/gates/coverage/coverage-py.xml");

fn said(settings: &Settings, patch: &Patch, head: &str, base: Option<&str>) -> Judged {
    judged(CheckKind::Coverage, settings, patch, (head, 0), base.map(|base| (base, 0)))
}

#[test]
fn every_outcome_on_reports_of_real_tools() {
    let none = Settings::default();
    let half = settings([("changed", number(50))]);
    let all_hit = LCOV.replace(",0\n", ",1\n");
    let price = adds("src/price.rs", &[(1, "a"), (2, "b"), (77, "// no code")]);
    let cart = adds("src/cart.rs", &[(2, "a"), (3, "b"), (4, "c"), (5, "d")]);
    let python = adds("app/orders.py", &[(4, "a"), (5, "b"), (6, "# c")]);
    let readme = adds("README.md", &[(1, "hi")]);
    let unknown = adds("src/new.rs", &[(1, "fn new() {}")]);
    for (settings, patch, head, base, verdict, says) in [
        (&none, &price, LCOV, None, Verdict::Pass, "100 % of 2 changed lines reached, total 80 %"),
        (&none, &cart, LCOV, None, Verdict::Fail, "50 % of 4 changed lines reached"),
        (&half, &cart, LCOV, None, Verdict::Pass, "50 % of 4"),
        (&half, &cart, LCOV, Some(all_hit.as_str()), Verdict::Fail, "total 80 %, 100 % on the base"),
        (&none, &python, COBERTURA, None, Verdict::Fail, "50 % of 2 changed lines"),
        (&none, &readme, LCOV, Some(LCOV), Verdict::NotApplicable, "no changed line is in the report"),
        (&none, &readme, LCOV, Some(all_hit.as_str()), Verdict::Fail, "100 % on the base"),
        (&none, &unknown, LCOV, None, Verdict::Inconclusive, "no changed line is in the report"),
    ] {
        let judged = said(settings, patch, head, base);
        assert!(judged.verdict == verdict && judged.summary.contains(says), "{judged:?}");
    }
    let judged = said(&none, &cart, LCOV, None);
    assert_eq!(judged.spots.len(), 1, "lines that follow each other are one place");
    assert_eq!((judged.spots[0].lines, judged.figure.unwrap().value), (Some((3, 4)), 50.0));
}

#[test]
fn half_a_report_is_an_error() {
    let patch = adds("src/cart.rs", &[(2, "a")]);
    let lcov_half: String = LCOV.lines().take(8).collect::<Vec<_>>().join("\n");
    let xml_half: String = COBERTURA.lines().take(12).collect::<Vec<_>>().join("\n");
    for (text, says) in [
        (lcov_half.as_str(), "cut off"),
        (xml_half.as_str(), "cut off"),
        ("", "holds no file"),
        ("SF:a.rs\nend_of_record\n", "holds no line"),
        ("SF:a.rs\nDA:x,1\nend_of_record\n", "is not lcov's"),
        ("<html></html>", "its top element is <html>"),
        ("no such file or directory\n", "is not lcov's"),
    ] {
        let judged = said(&Settings::default(), &patch, text, None);
        assert!(judged.verdict == Verdict::Error && judged.summary.contains(says), "{text}: {judged:?}");
    }
    let failed = judged(CheckKind::Coverage, &Settings::default(), &patch, (LCOV, 1), None);
    assert_eq!(failed.verdict, Verdict::Error, "tests that fail may have been cut short");
}
