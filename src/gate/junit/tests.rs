//! Reports as pytest, nextest and Surefire write them, and reports that no run of them leaves.

use super::judge;
use crate::domain::{Settings, Verdict};
use crate::gate::case::{Judged, Report, ReportCase, Reports};
use crate::gate::patch::Patch;

const PASS: &str = include_str!("../../../tests/fixtures/gates/junit/nextest-pass.xml");
const FEWER: &str = include_str!("../../../tests/fixtures/gates/junit/nextest-fewer.xml");
const FAIL: &str = include_str!("../../../tests/fixtures/gates/junit/pytest-fail.xml");
const FLAKY: &str = include_str!("../../../tests/fixtures/gates/junit/surefire-flaky.xml");
const SKIPPED: &str = include_str!("../../../tests/fixtures/gates/junit/all-skipped.xml");

fn reports(text: &str, exit: i32) -> Reports {
    let file = Report { name: "junit.xml".to_owned(), bytes: text.as_bytes().to_vec() };
    Reports { root: "/repo".into(), files: vec![file], exit }
}

fn judged(head: &str, exit: i32, base: Option<&str>) -> Judged {
    let (head, base) = (reports(head, exit), base.map(|base| reports(base, 0)));
    judge(&ReportCase { settings: &Settings::default(), patch: &Patch::default(), head: &head, base: base.as_ref() })
}

#[test]
fn every_outcome_on_reports_of_real_runners() {
    for (head, exit, base, verdict, summary) in [
        (PASS, 0, None, Verdict::Pass, "3 tests passed, 1 skipped"),
        (PASS, 0, Some(FEWER), Verdict::Pass, "3 tests passed, 1 skipped"),
        (FEWER, 0, Some(PASS), Verdict::Fail, "2 tests ran, 3 on the base"),
        (FAIL, 1, None, Verdict::Fail, "2 of 3 tests failed"),
        (FLAKY, 0, None, Verdict::Flaky, "1 test passed at a later try only"),
        (SKIPPED, 0, None, Verdict::Skipped, "all 2 tests were skipped"),
        (PASS, 101, None, Verdict::Error, "exit 101, and nothing in its report says why"),
    ] {
        let judged = judged(head, exit, base);
        assert_eq!((judged.verdict, judged.summary.as_str()), (verdict, summary), "{judged:?}");
    }
}

#[test]
fn failures_say_where_and_why() {
    let judged = judged(FAIL, 1, None);
    let first = &judged.spots[0];
    assert_eq!((first.path.as_str(), first.lines), ("tests/test_orders.py", Some((9, 9))));
    assert_eq!(first.text, "tests.test_orders test_rounding: assert 2 == 3 + where 2 = round(2.5)");
    assert_eq!(judged.figure.unwrap().value, 3.0);
    let judged = super::tests::judged(FEWER, 0, Some(PASS));
    assert!(judged.text.contains("an_empty_cart_costs_nothing"), "{}", judged.text);
}

#[test]
fn half_a_report_is_never_a_pass() {
    let half: String = PASS.lines().take(5).collect::<Vec<_>>().join("\n");
    let says_more = "<testsuites failures=\"2\"><testsuite><testcase name=\"a\"/></testsuite></testsuites>";
    for (text, verdict, says) in [
        (half.as_str(), Verdict::Error, "cut off"),
        ("", Verdict::Error, "it is empty"),
        ("<testsuites tests=\"0\"/>", Verdict::Error, "holds no test"),
        ("<html><body>502</body></html>", Verdict::Error, "its top element is <html>"),
        ("<testsuites/><testsuites/>", Verdict::Error, "not one <testsuites>"),
        ("<testsuites><testcase></testsuites>", Verdict::Error, "at byte"),
        ("{\"tests\": 1}", Verdict::Error, "it is empty"),
        (says_more, Verdict::Fail, "2 of 1 test failed"),
    ] {
        let judged = judged(text, 0, None);
        assert!(judged.verdict == verdict && judged.summary.contains(says), "{text}: {judged:?}");
    }
    let base = judged(PASS, 0, Some("<testsuites>"));
    assert!(base.verdict == Verdict::Error && base.summary.starts_with("the base's report"), "{base:?}");
}
