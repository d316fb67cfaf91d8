//! What a file is, by its path: its language, and whether it configures those who judge.

use crate::domain::covers;

/// The languages whose tests and suppressions are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tongue {
    Rust,
    /// JavaScript and TypeScript.
    Script,
    Python,
    Go,
    /// Java and its neighbours: Kotlin, Scala, Groovy, C#.
    Jvm,
    /// C and C++.
    C,
    /// Shell scripts, make files, and YAML that holds commands.
    Shell,
    /// Files of settings: TOML, JSON, XML, INI, Gradle.
    Settings,
    /// Text for people.
    Prose,
    /// Anything else.
    Other,
}

/// The language of the file at `path`.
pub(super) fn tongue_of(path: &str) -> Tongue {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    if matches!(name, "makefile" | "gnumakefile" | "justfile" | "dockerfile" | "jenkinsfile" | "rakefile") {
        return Tongue::Shell;
    }
    if name.ends_with(".gradle.kts") {
        return Tongue::Settings;
    }
    match name.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default() {
        "rs" => Tongue::Rust,
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => Tongue::Script,
        "py" | "pyi" => Tongue::Python,
        "go" => Tongue::Go,
        "java" | "kt" | "kts" | "scala" | "groovy" | "cs" => Tongue::Jvm,
        "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "hh" => Tongue::C,
        "sh" | "bash" | "zsh" | "mk" | "yml" | "yaml" => Tongue::Shell,
        "toml" | "json" | "json5" | "jsonc" | "xml" | "cfg" | "ini" | "gradle" | "properties" => Tongue::Settings,
        "md" | "txt" | "rst" | "adoc" | "html" => Tongue::Prose,
        _ => Tongue::Other,
    }
}

/// Whether a line of this language, without the blanks before it, is nothing but a comment.
pub(super) fn is_comment(tongue: Tongue, line: &str) -> bool {
    let marks: &[&str] = match tongue {
        Tongue::Rust | Tongue::Script | Tongue::Go | Tongue::Jvm | Tongue::C => &["//", "/*", "*/", "* "],
        Tongue::Python | Tongue::Shell => &["#"],
        Tongue::Settings => &["#", "//", ";", "<!--"],
        Tongue::Prose => &[],
        Tongue::Other => &["#", "//", "--", ";"],
    };
    marks.iter().any(|mark| line.starts_with(mark))
}

/// Names of files that configure gates, CI or linters and nothing else, in lower case; a `*` stands for any characters.
const JUDGES: &[&str] = &[
    // Gates, hooks and policies.
    ".pre-commit-config.y*ml",
    "lefthook.y*ml",
    ".lefthook.y*ml",
    "codeowners",
    "*.rego",
    ".gitleaks.toml",
    ".gitleaksignore",
    ".trivyignore*",
    ".semgrep.y*ml",
    ".semgrepignore",
    ".snyk",
    "osv-scanner.toml",
    "audit-ci.json*",
    ".secrets.baseline",
    "codecov.y*ml",
    ".codecov.y*ml",
    "sonar-project.properties",
    "deny.toml",
    "audit.toml",
    "nextest.toml",
    "tarpaulin.toml",
    ".tarpaulin.toml",
    "bacon.toml",
    // CI.
    ".gitlab-ci.y*ml",
    ".travis.y*ml",
    ".drone.y*ml",
    "jenkinsfile",
    "azure-pipelines.y*ml",
    "appveyor.y*ml",
    "bitbucket-pipelines.y*ml",
    ".cirrus.y*ml",
    // Linters and test runners.
    "clippy.toml",
    ".clippy.toml",
    "rustfmt.toml",
    ".rustfmt.toml",
    ".eslintrc*",
    "eslint.config.*",
    ".eslintignore",
    "biome.json*",
    ".prettierrc*",
    ".prettierignore",
    ".stylelintrc*",
    "tslint.json",
    "jest.config.*",
    "vitest.config.*",
    "playwright.config.*",
    "cypress.config.*",
    "karma.conf.*",
    ".mocharc*",
    ".nycrc*",
    ".c8rc*",
    "stryker.conf.*",
    "ruff.toml",
    ".ruff.toml",
    ".flake8",
    "mypy.ini",
    ".mypy.ini",
    "pylintrc",
    ".pylintrc",
    "pytest.ini",
    ".coveragerc",
    ".bandit",
    "pyrightconfig.json",
    "tox.ini",
    "noxfile.py",
    ".golangci.*",
    "staticcheck.conf",
    "revive.toml",
    "checkstyle*.xml",
    "pmd*.xml",
    "spotbugs*.xml",
    "findbugs*.xml",
    "detekt*.yml",
    "phpstan*.neon*",
    ".rubocop.y*ml",
    ".clang-tidy",
    ".shellcheckrc",
    ".yamllint*",
    ".markdownlint*",
    ".hadolint.y*ml",
];

/// Directories of which every file does.
const JUDGE_DIRS: &[&str] = &[
    ".windlass",
    ".github/workflows",
    ".github/actions",
    ".gitlab",
    ".ci",
    ".circleci",
    ".buildkite",
    ".woodpecker",
    ".husky",
    ".config/nextest.toml",
    "config/checkstyle",
    "config/pmd",
    "config/detekt",
    "policy",
    "policies",
];

/// Whether the file at `path` configures gates, CI or linters.
pub(super) fn is_judge(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let code = matches!(tongue_of(path), Tongue::Rust | Tongue::Go | Tongue::Jvm | Tongue::C);
    JUDGES.iter().any(|pattern| covers(pattern, name)) || (!code && JUDGE_DIRS.iter().any(|dir| covers(dir, &lower)))
}

/// Whether the file at `path` configures judges beside other things.
pub(super) fn is_shared(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    matches!(
        name,
        "package.json" | "pyproject.toml" | "setup.cfg" | "cargo.toml" | "pom.xml" | "config.toml" | "composer.json"
    ) || name.starts_with("build.gradle")
        || covers("tsconfig*.json", name)
        || tongue_of(path) == Tongue::Shell
}
