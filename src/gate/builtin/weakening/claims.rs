//! Tests and assertions: fewer of them, or less exact ones.

use super::lines::{Edited, Entry};
use super::tongue::Tongue;
use super::{Finding, Sort};

/// Tests that are gone with their whole file, unless what they asserted stands elsewhere now, or what they tested is
/// gone, too.
pub(super) fn gone(file: &Edited<'_>, all: &[Edited<'_>]) -> Option<Finding> {
    if !file.is_test {
        // Tests beside the code go with it; not when the code stands elsewhere now, and they don't.
        let moved = file.removed.iter().filter(|entry| entry.moved && !entry.comment).count();
        return weaker(file).into_iter().next().filter(|_| moved * 2 > file.removed.len());
    }
    let subject = subject(file.path);
    if all.iter().any(|other| other.is_gone && !other.is_test && stem(other.path) == subject) {
        return None;
    }
    let tells = |entry: &&Entry<'_>| is_assertion(file, entry.text) || is_named_test(file.tongue, entry.text);
    let told: Vec<&Entry<'_>> = file.removed.iter().filter(tells).collect();
    let lost = if told.is_empty() { file.went().count() } else { told.iter().filter(|entry| !entry.moved).count() };
    let what = "deletes a file of tests, or one that tests rest on".to_owned();
    (lost > 0).then_some(Finding { sort: Sort::Test, line: None, what })
}

/// A file's name without what follows its first dot, in lower case.
fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name).to_ascii_lowercase()
}

/// What a test file is about, by its name.
fn subject(path: &str) -> String {
    let stem = stem(path);
    let stem = stem.strip_prefix("test_").unwrap_or(&stem);
    let ends = ["_tests", "_test", "_spec", "tests", "test", "spec"];
    let subject = ends.iter().find_map(|end| stem.strip_suffix(end)).filter(|subject| !subject.is_empty());
    subject.unwrap_or(stem).to_owned()
}

/// Tests that went, and assertions that went or say less.
pub(super) fn weaker(file: &Edited<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let (went, came) = (declared(file.tongue, &file.removed), declared(file.tongue, &file.added));
    found.extend(surplus(went, &came, Sort::Test, "removes the test"));
    if file.is_test {
        let rows = |entry: &&Entry<'_>| is_row(entry.text);
        let (went, came) = (file.went().filter(rows), file.came().filter(rows));
        found.extend(surplus(went.collect(), &came.collect::<Vec<_>>(), Sort::Test, "removes the case"));
    }
    let holds = |entry: &&Entry<'_>| is_assertion(file, entry.text);
    let went: Vec<&Entry<'_>> = file.went().filter(holds).collect();
    let came: Vec<&Entry<'_>> = file.came().filter(holds).filter(|entry| !is_hollow(entry.text)).collect();
    let fewer = surplus(went.clone(), &came, Sort::Assertion, "removes the assertion");
    if fewer.is_empty() {
        let exact = |entry: &&Entry<'_>| is_exact(entry.text);
        let (went, came) = (went.into_iter().filter(exact), came.into_iter().filter(exact));
        found.extend(surplus(went.collect(), &came.collect::<Vec<_>>(), Sort::Assertion, "says less than before"));
    }
    found.extend(fewer);
    for entry in file.came().filter(holds).filter(|entry| is_hollow(entry.text)) {
        found.push(Finding::quoting(Sort::Assertion, entry.anchor, "always holds", entry.text));
    }
    found
}

/// As many of what went as nothing came for.
fn surplus(went: Vec<&Entry<'_>>, came: &[&Entry<'_>], sort: Sort, what: &str) -> Vec<Finding> {
    let lost = went.len().saturating_sub(came.len());
    went.into_iter().take(lost).map(|entry| Finding::quoting(sort, entry.anchor, what, entry.text)).collect()
}

/// The tests that one side declares and the other doesn't. In languages where an attribute makes a function a test, the
/// function's name tells whether it only moved: all attributes are alike.
fn declared<'b, 'a>(tongue: Tongue, entries: &'b [Entry<'a>]) -> Vec<&'b Entry<'a>> {
    let mut found = Vec::new();
    for block in entries.chunk_by(|one, next| next.number == one.number + 1) {
        let mut functions = block.iter().filter(|entry| !entry.comment && is_function(tongue, entry.text));
        for entry in block.iter().filter(|entry| !entry.comment) {
            if is_test_attribute(tongue, entry.text) {
                let name = functions.next().unwrap_or(entry);
                let moved = name.moved && is_function(tongue, name.text);
                found.extend((!moved).then_some(name));
            } else if is_named_test(tongue, entry.text) && !entry.moved {
                found.push(entry);
            }
        }
    }
    found
}

fn is_function(tongue: Tongue, line: &str) -> bool {
    match tongue {
        Tongue::Rust => line.starts_with("fn ") || line.contains(" fn "),
        _ => line.ends_with('{') && line.contains('('),
    }
}

/// Whether what follows this line is a test because of it.
fn is_test_attribute(tongue: Tongue, line: &str) -> bool {
    match tongue {
        Tongue::Rust => line.strip_prefix("#[").is_some_and(|rest| {
            let name = rest.split(['(', ']']).next().unwrap_or_default();
            matches!(name.rsplit("::").next(), Some("test" | "rstest" | "quickcheck" | "bench" | "wasm_bindgen_test"))
        }),
        Tongue::Jvm => {
            ["@Test", "@ParameterizedTest", "@RepeatedTest", "@Property", "[Fact", "[Theory", "[Test", "[TestMethod"]
                .iter()
                .any(|mark| line.starts_with(mark))
        }
        _ => false,
    }
}

/// Whether this line declares a test, or a suite of them, by its own name.
fn is_named_test(tongue: Tongue, line: &str) -> bool {
    let starts: &[&str] = match tongue {
        Tongue::Rust => &["#[cfg(test)]", "mod tests", "proptest!", "#[case", "#[test_case"],
        Tongue::Python => &["def test", "async def test", "class Test", "pytest.param("],
        Tongue::Script => {
            &["it(", "it.", "test(", "test.", "describe(", "describe.", "suite(", "specify(", "Deno.test("]
        }
        Tongue::Go => &["func Test", "func Fuzz", "func Benchmark", "func Example", "t.Run("],
        Tongue::C => &["TEST(", "TEST_F(", "TEST_P(", "TEST_CASE("],
        Tongue::Other => &[
            "it \"",
            "it '",
            "test \"",
            "test '",
            "describe ",
            "context ",
            "feature ",
            "scenario ",
            "def test_",
            "public function test",
            "func test",
            "testWidgets(",
            "test(",
            "group(",
        ],
        _ => &[],
    };
    starts.iter().any(|start| line.starts_with(start))
}

/// Whether this line looks like one case of a table: something in brackets and nothing else.
fn is_row(line: &str) -> bool {
    [('{', '}'), ('(', ')'), ('[', ']')].iter().any(|(open, close)| {
        let inner = line.strip_prefix(*open).and_then(|rest| rest.strip_suffix(*close));
        inner.is_some_and(|inner| inner.contains([',', ':']))
    })
}

fn is_assertion(file: &Edited<'_>, line: &str) -> bool {
    let line = ["await ", "return ", "yield "].iter().fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
    let starts = |marks: &[&str]| marks.iter().any(|mark| line.starts_with(mark));
    let has = |marks: &[&str]| marks.iter().any(|mark| line.contains(mark));
    match file.tongue {
        Tongue::Rust => {
            let called = line.split_once('!').map(|(name, _)| name.rsplit([' ', ':', '(']).next().unwrap_or(name));
            called.is_some_and(|name| name.contains("assert")) || starts(&["#[should_panic"])
        }
        // In code that isn't a test, it is a check of the program's own.
        Tongue::Python => {
            file.is_test
                && (starts(&["assert ", "assert(", "self.assert"])
                    || has(&["pytest.raises(", "pytest.warns(", ".assert_"]))
        }
        Tongue::Script => {
            file.is_test && (starts(&["expect", "assert", "t.is(", "t.deepEqual("]) || has(&[".should."]))
        }
        Tongue::Go => {
            let compares = line.starts_with("if ") && has(&["!=", "==", "DeepEqual("]) && !has(&["err != nil"]);
            file.is_test && (starts(&["t.Error", "t.Fatal", "t.Fail", "assert.", "require."]) || compares)
        }
        Tongue::Jvm => {
            file.is_test && (starts(&["assert", "Assert", "verify(", "fail("]) || has(&[".andExpect(", " shouldBe "]))
        }
        Tongue::C => file.is_test && starts(&["EXPECT_", "ASSERT_", "assert(", "REQUIRE(", "CHECK("]),
        Tongue::Shell => {
            file.is_test && (starts(&["test ", "[ ", "[[ ", "diff ", "cmp "]) || has(&["exit 1", "grep -q"]))
        }
        // Whatever the language, these words begin an assertion's name.
        Tongue::Other => file.is_test && words(line).any(|word| CLAIMS.iter().any(|claim| word.starts_with(claim))),
        Tongue::Settings | Tongue::Prose => false,
    }
}

const CLAIMS: &[&str] = &["assert", "expect", "should", "refute", "xctassert", "must_", "flunk", "is_deeply"];

fn words(line: &str) -> impl Iterator<Item = String> {
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

/// Whether it names the one value that is right.
fn is_exact(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "==",
        "!=",
        "_eq!",
        "matches!",
        "snapshot",
        "equal",
        "tobe(",
        "calledwith",
        "called_once",
        "called_with",
        "containsexactly",
        "throws",
        "raises",
        "assertsame",
        "_eq(",
        "_streq(",
        ".is(",
        "cmp ",
        "diff ",
    ];
    let lower = line.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Whether it holds whatever the program does.
fn is_hollow(line: &str) -> bool {
    const ALWAYS: &[&str] = &[
        "assert!(true",
        "assert(true)",
        "assert(1)",
        "asserttrue(true",
        "assert.true(t,true",
        "assert.ok(true",
        "expect(true).tobe(true",
        "expect(true).tobetruthy",
        "expect(1).tobe(1",
        "assertthat(true).istrue",
        "is.ok(true",
        "expect_true(true",
        "assert_true(true",
        "require.true(t,true",
        "assert.istrue(true",
        "assert.true(true",
    ];
    let dense: String = line.to_lowercase().split_whitespace().collect();
    let bare = line.strip_prefix("assert ").map(str::trim).unwrap_or_default();
    let same = |left: &str, right: &str| !left.trim().is_empty() && left.trim() == right.trim();
    let arguments = line.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map(|(inside, _)| inside);
    ALWAYS.iter().any(|always| dense.starts_with(always))
        || matches!(bare, "True" | "1")
        || bare.split_once("==").is_some_and(|(left, right)| same(left, right))
        || arguments.and_then(|inside| inside.split_once(',')).is_some_and(|(left, right)| same(left, right))
}
