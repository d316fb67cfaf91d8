//! What conftest and OPA print.

use crate::domain::{CheckKind, Settings, Verdict};
use crate::gate::patch::Patch;
use crate::gate::testing::judged;

const CONFTEST: &str = include_str!("../../../tests/fixtures/gates/policy/conftest.json");
const OPA: &str = include_str!("../../../tests/fixtures/gates/policy/opa-deny.json");

#[test]
fn every_outcome_on_what_policies_say() {
    let warned = CONFTEST.replace("\"failures\"", "\"ignored\"");
    let allowed =
        |truth: bool| format!(r#"{{"result":[{{"expressions":[{{"value":{truth},"text":"data.main.allow"}}]}}]}}"#);
    let package =
        r#"{"result":[{"expressions":[{"value":{"deny":[{"msg":"no owner"}],"warn":["old"]},"text":"data.main"}]}]}"#;
    for (report, exit, verdict, summary) in [
        (CONFTEST, 1, Verdict::Fail, "1 denial, 1 warning, 1 exception"),
        (&warned, 0, Verdict::Pass, "nothing denied, 1 warning, 1 exception"),
        (OPA, 0, Verdict::Fail, "1 denial"),
        (&OPA.replace("\"image web:latest is not pinned\"", ""), 0, Verdict::Pass, "nothing denied"),
        (&allowed(true), 0, Verdict::Pass, "nothing denied"),
        (&allowed(false), 0, Verdict::Fail, "1 denial"),
        (package, 0, Verdict::Fail, "1 denial, 1 warning"),
        ("[]", 0, Verdict::Skipped, "no policy was asked anything"),
        (
            r#"[{"filename":"a.yaml","namespace":"main","successes":0}]"#,
            0,
            Verdict::Skipped,
            "no policy was asked anything",
        ),
        ("[]", 1, Verdict::Error, "exit 1, and nothing in its report says why"),
        ("{}", 0, Verdict::Error, "OPA's query is undefined: it names no rule of the policy"),
    ] {
        let judged = judged(CheckKind::Policy, &Settings::default(), &Patch::default(), (report, exit), None);
        assert_eq!((judged.verdict, judged.summary.as_str()), (verdict, summary), "{report}: {judged:?}");
    }
    for text in ["", "[{\"filename\"", "3", r#"{"errors":[{"message":"rego_parse_error"}]}"#] {
        let judged = judged(CheckKind::Policy, &Settings::default(), &Patch::default(), (text, 0), None);
        assert_eq!(judged.verdict, Verdict::Error, "{text}: {judged:?}");
    }
}
