//! Reports of gitleaks, and lines that show secrets or only look like it.

use crate::domain::{CheckKind, Settings, Verdict};
use crate::gate::patch::Patch;
use crate::gate::testing::{Trees, adds, judged, settings, texts};

use super::judge_added;

const GITLEAKS: &str = include_str!("../../../tests/fixtures/gates/secrets/gitleaks.json");

#[test]
fn every_outcome_on_reports_of_gitleaks() {
    let none = Settings::default();
    let allowed = settings([("allow", texts(&["config"]))]);
    for (settings, head, exit, base, verdict, summary) in [
        (&none, "[]", 0, None, Verdict::Pass, "no new secret"),
        (&none, GITLEAKS, 1, None, Verdict::Fail, "1 new secret"),
        (&none, GITLEAKS, 1, Some(GITLEAKS), Verdict::Pass, "no new secret, 1 that the base has too"),
        (&allowed, GITLEAKS, 1, None, Verdict::Pass, "no new secret"),
        (&none, "[]", 1, None, Verdict::Error, "exit 1, and nothing in its report says why"),
        (&none, "[]", 126, None, Verdict::Error, "exit 126, and nothing in its report says why"),
    ] {
        let base = base.map(|base| (base, 1));
        let judged = judged(CheckKind::Secrets, settings, &Patch::default(), (head, exit), base);
        assert_eq!((judged.verdict, judged.summary.as_str()), (verdict, summary), "{judged:?}");
        assert!(!format!("{judged:?}").contains("AKIAQYLPMN5HHHFPZAM2"), "it repeats the secret");
    }
    for text in ["", "null", "[{\"RuleID\":\"x\""] {
        let judged = judged(CheckKind::Secrets, &none, &Patch::default(), (text, 0), None);
        assert_eq!(judged.verdict, Verdict::Error, "{text}");
    }
}

#[test]
fn added_lines_show_secrets() {
    let key = ["AKIA", "QYLPMN5HHHFPZAM2"].concat();
    for line in [
        format!("aws_key = {key}"),
        "-----BEGIN RSA PRIVATE KEY-----".to_owned(),
        "DATABASE_URL=postgres://orders:hunter2abc@db/orders".to_owned(),
        "password = \"q8Zr!2xWv9Lk#t\"".to_owned(),
        "  \"api_key\": \"f3a9c1e07b5d2468\",".to_owned(),
        "export SECRET_TOKEN=f3a9c1e07b5d24689ab3".to_owned(),
    ] {
        let judged = judge_added(&Settings::default(), &adds("app.env", &[(3, &line)]));
        assert_eq!((judged.verdict, judged.spots[0].lines), (Verdict::Fail, Some((3, 3))), "{line}");
        assert!(!judged.text.contains(&key) && !judged.text.contains("hunter2"), "it repeats the secret");
    }
    for line in [
        "let token = tokenizer.next_token();",
        "password = os.environ[\"DB_PASSWORD\"]",
        "password: ${DB_PASSWORD}",
        "token: String,",
        "const PASSWORD_MIN_LENGTH = 12;",
        "see https://example.org/a:b@c",
        "secret = \"changeme\"",
        "commit 9b1c3d5e7f9b1c3d5e7f9b1c3d5e7f9b1c3d5e7f",
        "fn token(&self) -> Result<Token, Error> {",
    ] {
        let judged = judge_added(&Settings::default(), &adds("src/a.rs", &[(3, line)]));
        assert_eq!(judged.verdict, Verdict::Pass, "{line}: {judged:?}");
    }
    let removed = Trees::new(&[("a", "x\n")], &[("a", "")]).judged(CheckKind::Secrets, &Settings::default());
    assert_eq!(removed.verdict, Verdict::NotApplicable);
}
