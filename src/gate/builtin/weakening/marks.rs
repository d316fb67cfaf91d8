//! Words that keep a judge from speaking: suppressions of linters and type checkers, tests that are skipped, commands
//! whose failure counts for nothing.

use super::lines::{Edited, Entry};
use super::tongue::Tongue;
use super::{Finding, Sort};

/// What skips tests; in lower case, as the others.
const fn skips(tongue: Tongue) -> &'static [&'static str] {
    match tongue {
        Tongue::Rust => &["#[ignore", ", ignore"],
        Tongue::Script => &[
            "it.skip",
            "test.skip",
            "describe.skip",
            "suite.skip",
            "context.skip",
            "it.only",
            "test.only",
            "describe.only",
            "suite.only",
            "it.todo",
            "test.todo",
            "test.fixme",
            "it.fails",
            "it.failing",
            "test.fails",
            "test.failing",
            "this.skip(",
            "t.skip(",
            "jest.retrytimes(",
        ],
        Tongue::Python => &[
            "pytest.mark.skip",
            "pytest.mark.xfail",
            "mark.flaky",
            "unittest.skip",
            "skiptest(",
            "pytest.skip(",
            "pytest.xfail(",
            "pytest.importorskip(",
            "expectedfailure",
            "collect_ignore",
            "__test__ = false",
        ],
        Tongue::Go => &["t.skip", "b.skip", "f.skip", "testing.short()", "//go:build ignore", "// +build ignore"],
        Tongue::Jvm => &[
            "@disabled",
            "@ignore",
            "@enabledif",
            "[ignore",
            "(skip =",
            "assumetrue(",
            "assumefalse(",
            "assumptions.",
            "assume.",
            "enabled = false",
        ],
        Tongue::C => &["gtest_skip", ", disabled_"],
        Tongue::Shell | Tongue::Settings => &[
            "skiptests",
            "maven.test.skip",
            "--passwithnotests",
            "--deselect",
            "--ignore",
            "-k \"not ",
            "-k 'not ",
            "-m \"not ",
            "-m 'not ",
            "-short",
            "--no-run",
            "--skip",
            "-x test",
            "-xtest",
            "testpathignorepatterns",
        ],
        Tongue::Other => &[
            "marktestskipped",
            "marktestincomplete",
            "xctskip",
            "@tag :skip",
            "@moduletag :skip",
            "skip: true",
            ".disabled(",
            "rspec.current_example.skip",
        ],
        Tongue::Prose => &[],
    }
}

/// What makes a rule, a check or a failure count for nothing.
const fn silences(tongue: Tongue) -> &'static [&'static str] {
    match tongue {
        Tongue::Rust => &[
            "#[allow(",
            "#![allow(",
            "#[expect(",
            "#![expect(",
            "allow(clippy::",
            ", allow(",
            "coverage(off)",
            "cfg(any())",
            "cfg(false)",
            "if false {",
            "tarpaulin",
        ],
        Tongue::Script => &[
            "eslint-disable",
            "@ts-ignore",
            "@ts-nocheck",
            "@ts-expect-error",
            "biome-ignore",
            "istanbul ignore",
            "c8 ignore",
            "v8 ignore",
            "tslint:disable",
            "oxlint-disable",
            "if (false)",
            "as any",
        ],
        Tongue::Python => &[
            "# noqa",
            "#noqa",
            "# type: ignore",
            "#type: ignore",
            "pylint: disable",
            "pragma: no cover",
            "# nosec",
            "ruff: noqa",
            "mypy: ignore",
            "mypy: disable",
            "pyright: ignore",
            "pyright: basic",
            "no_type_check",
            "if false:",
            "flake8: noqa",
            "warnings.filterwarnings(\"ignore",
            "bandit: disable",
            "except assertionerror",
            "suppress(assertionerror",
        ],
        Tongue::Go => &["nolint", "//lint:ignore", "#nosec", "if false {", "//lint:file-ignore"],
        Tongue::Jvm => &[
            "@suppresswarnings",
            "@suppress(",
            "@suppressfbwarnings",
            "@suppresslint",
            "nosonar",
            "checkstyle:off",
            "checkstyle.off",
            "nopmd",
            "#pragma warning disable",
            "[suppressmessage",
            "if (false)",
            "ktlint-disable",
            "excludefromcodecoverage",
        ],
        Tongue::C => &["nolint", "diagnostic ignored", "#if 0", "gcov_excl", "lcov_excl", "cppcheck-suppress"],
        Tongue::Shell | Tongue::Settings => &[
            "|| true",
            "||true",
            "|| :",
            "|| exit 0",
            "|| echo",
            "; true\"",
            "; exit 0",
            "set +e",
            "continue-on-error",
            "allow_failure",
            "soft_fail",
            "if: false",
            "if: ${{ false",
            "--no-verify",
            "--exit-zero",
            "--ignore-errors",
            "--no-fail",
            "shellcheck disable",
            "ignorefailures",
            "testfailureignore",
            "failonviolation>false",
            "failonerror>false",
            "abortonerror",
            "--no-deny",
            "-a warnings",
            "-awarnings",
            "cap-lints",
            "--quiet-errors",
            "|| exit /b 0",
            "ignore_errors",
            "--allow-warnings",
        ],
        Tongue::Other => {
            &["rubocop:disable", "phpcs:ignore", "@phpstan-ignore", "swiftlint:disable", "nolint", "credo:"]
        }
        Tongue::Prose => &[],
    }
}

/// A word that was found on a line, and what it is about.
struct Mark<'a> {
    entry: &'a Entry<'a>,
    sort: Sort,
    word: &'static str,
    /// The rules it names, and whatever else follows.
    about: Vec<String>,
}

/// The marks that the change adds: not those that moved along with what they stand at, nor those that now cover less.
pub(super) fn added(file: &Edited<'_>) -> Vec<Finding> {
    let stayed = |entry: &&Entry<'_>| !(entry.moved && is_alone(entry));
    let mut before: Vec<Mark<'_>> = file.removed.iter().filter(stayed).filter_map(|entry| of(file, entry)).collect();
    let mut found = Vec::new();
    for (at, entry) in file.added.iter().enumerate() {
        let Some(mark) = of(file, entry) else { continue };
        // What stands alone is about the next line, and moved only if that did too.
        let next = file.added.get(at + 1).filter(|next| next.number == entry.number + 1);
        if entry.moved && (!is_alone(entry) || next.is_some_and(|next| next.moved)) {
            continue;
        }
        let covered = |old: &Mark<'_>| old.word == mark.word && covers_less(&mark.about, &old.about);
        if let Some(same) = before.iter().position(covered) {
            before.swap_remove(same);
            continue;
        }
        let what = if mark.sort == Sort::Test { "skips tests" } else { "suppresses" };
        found.push(Finding::quoting(mark.sort, mark.entry.anchor, what, mark.entry.text));
    }
    found
}

/// Whether a mark has its line to itself.
fn is_alone(entry: &Entry<'_>) -> bool {
    entry.comment || entry.text.ends_with([']', ')']) || entry.text.starts_with('@')
}

/// Whether a mark about these rules covers no more than one about those: a mark that names none covers all.
fn covers_less(now: &[String], before: &[String]) -> bool {
    now == before || (!now.is_empty() && now.iter().all(|rule| before.contains(rule)))
}

fn of<'a>(file: &Edited<'_>, entry: &'a Entry<'a>) -> Option<Mark<'a>> {
    let lower = entry.text.to_lowercase();
    let find = |words: &'static [&'static str]| words.iter().find_map(|word| Some((*word, lower.split_once(word)?.1)));
    // A comment skips nothing, but most suppressions are comments.
    let skipping = find(skips(file.tongue)).filter(|(word, _)| !entry.comment || word.starts_with("//"));
    let (sort, (word, rest)) = match skipping.or_else(|| disabled(file, &lower)) {
        Some(found) => (Sort::Test, found),
        None if returns_early(file, entry) => (Sort::Test, ("return", "")),
        None => (Sort::Suppression, find(silences(file.tongue)).or_else(|| ignored_failure(file, entry))?),
    };
    let about = rest.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | ':' | '/'));
    let about = about.filter(|rule| !rule.is_empty()).map(str::to_owned).collect();
    Some(Mark { entry, sort, word, about })
}

/// `xit(` and `fit(`: ordinary names elsewhere, so only at the beginning of a line of tests.
fn disabled<'t>(file: &Edited<'_>, lower: &'t str) -> Option<(&'static str, &'t str)> {
    const SCRIPT: &[&str] = &["xit(", "xtest(", "xdescribe(", "xcontext(", "xspecify(", "fit(", "fdescribe("];
    const OTHER: &[&str] = &[
        "xit ",
        "xit(",
        "xdescribe ",
        "xcontext ",
        "xspecify ",
        "xscenario ",
        "xfeature ",
        "fit ",
        "fdescribe ",
        "fcontext ",
        "skip ",
        "skip(",
        "skip:",
        "pending ",
        "pending(",
        "pending:",
    ];
    let at = |word: &&'static str| Some((*word, lower.strip_prefix(*word)?));
    let words = match file.tongue {
        Tongue::Script if file.is_test => SCRIPT,
        Tongue::Other if file.is_test && matches!(lower, "skip" | "pending") => return Some(("skip", "")),
        Tongue::Other if file.is_test => OTHER,
        _ => return None,
    };
    words.iter().find_map(at)
}

/// A test that ends before it has asserted anything looks like this.
fn returns_early(file: &Edited<'_>, entry: &Entry<'_>) -> bool {
    file.is_test && !file.is_new && matches!(entry.text, "return;" | "return" | "return Ok(());")
}

/// make's way to go on after a command that failed.
fn ignored_failure<'t>(file: &Edited<'_>, entry: &'t Entry<'_>) -> Option<(&'static str, &'t str)> {
    let makes = file.path.to_ascii_lowercase().ends_with("makefile") || file.path.ends_with(".mk");
    let rest = entry.text.strip_prefix('-').filter(|_| makes)?;
    rest.starts_with(|c: char| c.is_alphabetic() || c == '$').then_some(("-", rest))
}
