//! Prompt templates: Markdown files with front matter, a system part and a user part.
//!
//! ```text
//! ---
//! role: author
//! stage: plan
//! version: 1
//! ---
//! What the model is and how it must answer. {{drafts}}
//! <!-- user -->
//! {{context}}
//! ```
//!
//! Everything is checked when a template is read, so that assembling a prompt cannot fail. Text from the repository, from
//! models and from the human can only stand in the user part, each in a block of its own.

use crate::domain::{ArtifactKind, Digest, PromptRef, Role, StageSpec};

/// The line that parts the system part from the user part.
const DIVIDER: &str = "<!-- user -->";

/// A template that was read and found sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its file name without `.md` (`author-plan`).
    pub name: String,
    /// Whose prompt it makes.
    pub role: Role,
    /// The stage it is for.
    pub stage: String,
    /// The version its front matter states.
    pub version: String,
    /// Digest of the file's bytes.
    pub digest: Digest,
    pub(super) system: Vec<Line>,
    pub(super) user: Vec<Line>,
}

impl Template {
    /// What an exchange records of it.
    pub fn reference(&self) -> PromptRef {
        PromptRef { name: self.name.clone(), version: self.version.clone(), digest: self.digest }
    }
}

/// One line of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Text with values in it.
    Inline(Vec<Part>),
    /// A placeholder that has the line to itself.
    Block(Slot),
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Slot(Slot),
}

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Goal,
    Drafts,
    Asks,
    Sections,
    Criteria,
    Budget,
    Context,
    Artifact,
    Feedback,
    Thread,
}

impl Slot {
    const ALL: [(&'static str, Self); 10] = [
        ("goal", Self::Goal),
        ("drafts", Self::Drafts),
        ("asks", Self::Asks),
        ("sections", Self::Sections),
        ("criteria", Self::Criteria),
        ("budget", Self::Budget),
        ("context", Self::Context),
        ("artifact", Self::Artifact),
        ("feedback", Self::Feedback),
        ("thread", Self::Thread),
    ];

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(known, slot)| (known == name).then_some(slot))
    }

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(name, slot)| (slot == self).then_some(name)).unwrap_or("")
    }

    /// Whether it becomes several lines and so needs a line of its own.
    const fn is_block(self) -> bool {
        !matches!(self, Self::Drafts | Self::Asks | Self::Budget)
    }

    /// Whether it brings in text from the repository, a model or the human at work.
    const fn is_data(self) -> bool {
        matches!(self, Self::Goal | Self::Context | Self::Artifact | Self::Feedback | Self::Thread)
    }
}

/// A template file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct TemplateError {
    /// The file's name.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: TemplateProblem,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateProblem {
    /// The file doesn't begin with front matter.
    #[error("a template begins with a line \"---\", then role, stage and version, then \"---\"")]
    NoFrontMatter,
    /// A front matter line that isn't `key: value`.
    #[error("{0:?} is not \"key: value\"")]
    NotAField(String),
    /// A front matter key that nobody reads.
    #[error("unknown key {0:?}; a template has role, stage and version")]
    UnknownKey(String),
    /// A front matter key that stands twice.
    #[error("{0:?} stands twice; keep one")]
    DuplicateKey(String),
    /// A front matter key that isn't there, or is empty.
    #[error("no {0}; add a line \"{0}: ...\" to the front matter")]
    MissingKey(&'static str),
    /// A role nobody has.
    #[error("unknown role {0:?}; a role is author or critic")]
    UnknownRole(String),
    /// Front matter and file name disagree.
    #[error("role and stage ask for the file name {0}.md; rename the file or mend the front matter")]
    WrongName(String),
    /// No line, or more than one, parts system from user.
    #[error("exactly one line \"<!-- user -->\" must part the system part from the user part")]
    Divider,
    /// A placeholder that stands for nothing.
    #[error("unknown placeholder {{{{{name}}}}}; the placeholders are {known}")]
    UnknownPlaceholder {
        /// What stands between the braces.
        name: String,
        /// Those there are.
        known: String,
    },
    /// `{{` without `}}` on the same line.
    #[error("\"{{{{\" without \"}}}}\" on the same line")]
    OpenPlaceholder,
    /// A placeholder for several lines in the middle of a line.
    #[error("{{{{{0}}}}} becomes several lines; give it a line of its own")]
    NotAlone(&'static str),
    /// Data in the system part.
    #[error("{{{{{0}}}}} brings in data, which has no place in the system part; move it below \"<!-- user -->\"")]
    DataInSystem(&'static str),
    /// A data placeholder twice.
    #[error("{{{{{0}}}}} stands twice; what it stands for would be sent twice")]
    Repeated(&'static str),
    /// A template that would send less than the human was shown.
    #[error("no {{{{{0}}}}} in the user part; what the human chose to send would be left out")]
    MissingPlaceholder(&'static str),
}

/// The built-in template for this role and this stage's kind of artifact.
///
/// # Errors
/// Only if a template that ships with the program is unsound; a test reads all of them.
pub fn builtin(role: Role, stage: &StageSpec) -> Result<Template, TemplateError> {
    macro_rules! shipped {
        ($name:literal) => {
            (concat!($name, ".md"), include_str!(concat!("../../assets/prompts/", $name, ".md")))
        };
    }
    let (file_name, text) = match (role, stage.artifact) {
        (Role::Author, ArtifactKind::Constraint) => shipped!("author-constraint"),
        (Role::Author, ArtifactKind::Plan) => shipped!("author-plan"),
        (Role::Author, ArtifactKind::Change) => shipped!("author-change"),
        (Role::Author, ArtifactKind::Outcome) => shipped!("author-outcome"),
        (Role::Critic, ArtifactKind::Constraint) => shipped!("critic-constraint"),
        (Role::Critic, ArtifactKind::Plan) => shipped!("critic-plan"),
        (Role::Critic, ArtifactKind::Change) => shipped!("critic-change"),
        (Role::Critic, ArtifactKind::Outcome) => shipped!("critic-outcome"),
    };
    parse(file_name, text)
}

/// The name of the template for an agent that makes a change where the files are.
pub const BY_AGENT: &str = "author-change-by-agent";

/// The built-in template of that name.
///
/// # Errors
/// Only if it is unsound; a test reads it.
pub fn for_agent() -> Result<Template, TemplateError> {
    parse("author-change-by-agent.md", include_str!("../../assets/prompts/author-change-by-agent.md"))
}

/// What templates for answers about a finding have in the place of a stage.
const THREAD: &str = "finding";

/// What a user part must have, so that nothing is left out that the human chose to send; the last one where a finding
/// is asked about.
const NEEDED: [Slot; 3] = [Slot::Context, Slot::Artifact, Slot::Thread];

/// The name of the template for the answers of this role about a finding.
pub fn about_finding_name(role: Role) -> String {
    format!("{}-{THREAD}", role.name())
}

/// The built-in template of that name.
///
/// # Errors
/// Only if it is unsound; a test reads it.
pub fn about_finding(role: Role) -> Result<Template, TemplateError> {
    match role {
        Role::Author => parse("author-finding.md", include_str!("../../assets/prompts/author-finding.md")),
        Role::Critic => parse("critic-finding.md", include_str!("../../assets/prompts/critic-finding.md")),
    }
}

/// Reads the template file called `file_name` (`author-plan.md`).
///
/// # Errors
/// The first thing that is wrong with it, with its line.
pub fn parse(file_name: &str, text: &str) -> Result<Template, TemplateError> {
    let fail = |line: usize, problem| TemplateError { file: file_name.to_owned(), line, problem };
    let mut lines = text.lines().zip(1..);
    if lines.next().is_none_or(|(line, _)| line.trim_end() != "---") {
        return Err(fail(1, TemplateProblem::NoFrontMatter));
    }
    let (mut role, mut stage, mut version) = (None, None, None);
    let end = loop {
        let Some((line, number)) = lines.next() else { return Err(fail(1, TemplateProblem::NoFrontMatter)) };
        if line.trim_end() == "---" {
            break number;
        }
        let (key, value) =
            line.split_once(':').ok_or_else(|| fail(number, TemplateProblem::NotAField(line.to_owned())))?;
        let field = match key.trim() {
            "role" => &mut role,
            "stage" => &mut stage,
            "version" => &mut version,
            other => return Err(fail(number, TemplateProblem::UnknownKey(other.to_owned()))),
        };
        if field.replace((value.trim().to_owned(), number)).is_some() {
            return Err(fail(number, TemplateProblem::DuplicateKey(key.trim().to_owned())));
        }
    };
    let stated = |key: &'static str, field: Option<(String, usize)>| {
        field.filter(|(value, _)| !value.is_empty()).ok_or_else(|| fail(end, TemplateProblem::MissingKey(key)))
    };
    let ((role, role_line), (stage, _), (version, _)) =
        (stated("role", role)?, stated("stage", stage)?, stated("version", version)?);
    let role = [Role::Author, Role::Critic]
        .into_iter()
        .find(|known| known.name() == role)
        .ok_or_else(|| fail(role_line, TemplateProblem::UnknownRole(role.to_owned())))?;
    let name = file_name.strip_suffix(".md").unwrap_or(file_name);
    let expected = format!("{}-{stage}", role.name());
    if name != expected {
        return Err(fail(role_line, TemplateProblem::WrongName(expected)));
    }

    let body: Vec<(&str, usize)> = lines.collect();
    let mut parts = body.split(|(line, _)| line.trim() == DIVIDER);
    let (Some(system), Some(user), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(fail(end, TemplateProblem::Divider));
    };
    let (system, user) = (read_lines(system).map_err(at(&fail))?, read_lines(user).map_err(at(&fail))?);
    let needed = if stage == THREAD { NEEDED.as_slice() } else { NEEDED.get(..2).unwrap_or_default() };
    check_slots(&system, &user, needed).map_err(at(&fail))?;
    let only = |lines: Vec<(Line, usize)>| lines.into_iter().map(|(line, _)| line).collect();
    Ok(Template {
        name: name.to_owned(),
        role,
        stage: stage.to_owned(),
        version: version.to_owned(),
        digest: Digest::of(text.as_bytes()),
        system: only(system),
        user: only(user),
    })
}

/// A problem and its line; line 1 when it concerns the file as a whole.
type Found = (usize, TemplateProblem);

fn at<'a>(fail: &'a impl Fn(usize, TemplateProblem) -> TemplateError) -> impl Fn(Found) -> TemplateError + 'a {
    |(line, problem)| fail(line, problem)
}

fn read_lines(lines: &[(&str, usize)]) -> Result<Vec<(Line, usize)>, Found> {
    lines.iter().map(|(line, number)| Ok((read_line(line).map_err(|problem| (*number, problem))?, *number))).collect()
}

fn read_line(line: &str) -> Result<Line, TemplateProblem> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or(TemplateProblem::OpenPlaceholder)?;
        let slot = Slot::from_name(name).ok_or_else(|| TemplateProblem::UnknownPlaceholder {
            name: name.to_owned(),
            known: Slot::ALL.map(|(known, _)| known).join(", "),
        })?;
        if slot.is_block() {
            let alone = parts.is_empty() && before.trim().is_empty() && after.trim().is_empty();
            return if alone { Ok(Line::Block(slot)) } else { Err(TemplateProblem::NotAlone(slot.name())) };
        }
        parts.push(Part::Text(before.to_owned()));
        parts.push(Part::Slot(slot));
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(Line::Inline(parts))
}

fn check_slots(system: &[(Line, usize)], user: &[(Line, usize)], needed: &[Slot]) -> Result<(), Found> {
    fn blocks(lines: &[(Line, usize)]) -> impl Iterator<Item = (Slot, usize)> {
        lines.iter().filter_map(|(line, number)| match line {
            Line::Block(slot) => Some((*slot, *number)),
            Line::Inline(_) => None,
        })
    }
    if let Some((slot, line)) = blocks(system).find(|(slot, _)| slot.is_data()) {
        return Err((line, TemplateProblem::DataInSystem(slot.name())));
    }
    let mut seen = Vec::new();
    for (slot, line) in blocks(user).filter(|(slot, _)| slot.is_data()) {
        if seen.contains(&slot) {
            return Err((line, TemplateProblem::Repeated(slot.name())));
        }
        seen.push(slot);
    }
    match needed.iter().find(|slot| !seen.contains(slot)) {
        Some(slot) => {
            let last = user.iter().chain(system).map(|(_, line)| *line).max().unwrap_or(1);
            Err((last, TemplateProblem::MissingPlaceholder(slot.name())))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str =
        "---\nrole: author\nstage: plan\nversion: 3\n---\nDraft {{drafts}}\n<!-- user -->\n{{artifact}}\n{{context}}\n";

    #[test]
    fn front_matter_names_the_template() {
        let template = parse("author-plan.md", SOUND).unwrap();
        assert_eq!(
            template.reference(),
            PromptRef { name: "author-plan".into(), version: "3".into(), digest: Digest::of(SOUND.as_bytes()) }
        );
        assert_eq!((template.role, template.stage.as_str()), (Role::Author, "plan"));
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_line() {
        for (from, to, message) in [
            ("---\nrole", "role", "1: a template begins with a line \"---\""),
            ("3\n---\n", "3\n", "5: \"Draft {{drafts}}\" is not \"key: value\""),
            ("stage: plan", "stage plan", "3: \"stage plan\" is not \"key: value\""),
            ("version", "verison", "4: unknown key \"verison\"; a template has role, stage and version"),
            ("version: 3", "role: author", "4: \"role\" stands twice"),
            ("version: 3", "version:", "5: no version; add a line"),
            ("stage: plan\n", "", "4: no stage; add a line"),
            ("role: author", "role: judge", "2: unknown role \"judge\""),
            ("stage: plan", "stage: change", "2: role and stage ask for the file name author-change.md"),
            ("<!-- user -->\n", "", "5: exactly one line \"<!-- user -->\""),
            ("{{drafts}}", "<!-- user -->\n<!-- user -->", "5: exactly one line"),
            ("{{drafts}}", "{{draft}}", "6: unknown placeholder {{draft}}; the placeholders are goal, drafts,"),
            ("{{drafts}}", "{{drafts", "6: \"{{\" without \"}}\" on the same line"),
            ("{{drafts}}", "{{sections}}", "6: {{sections}} becomes several lines"),
            ("Draft {{drafts}}", "{{context}}", "6: {{context}} brings in data"),
            ("{{artifact}}", "{{context}}", "9: {{context}} stands twice"),
            ("{{artifact}}\n", "", "8: no {{artifact}} in the user part"),
        ] {
            let text = SOUND.replacen(from, to, 1);
            assert_ne!(text, SOUND);
            let error = parse("author-plan.md", &text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("author-plan.md:{message}")), "{to:?}: {error}");
        }
        assert!(parse("author-plan.md", "").is_err());
    }

    #[test]
    fn every_built_in_template_is_sound() {
        let spec = |artifact| StageSpec {
            id: "any".into(),
            artifact,
            drafts: String::new(),
            asks: String::new(),
            means: String::new(),
            sections: vec![],
            criteria: vec![],
            gates: vec![],
            runs_commands: false,
            measure: crate::domain::Measure::Nothing,
            budget_lines: 1,
            lands: false,
        };
        for kind in [ArtifactKind::Constraint, ArtifactKind::Plan, ArtifactKind::Change, ArtifactKind::Outcome] {
            for role in [Role::Author, Role::Critic] {
                let template = builtin(role, &spec(kind)).unwrap();
                assert_eq!((template.role, template.stage.as_str()), (role, kind.name()));
            }
        }
        assert_eq!(for_agent().unwrap().name, BY_AGENT);
        for role in [Role::Author, Role::Critic] {
            assert_eq!(about_finding(role).unwrap().name, about_finding_name(role));
        }
    }
}
