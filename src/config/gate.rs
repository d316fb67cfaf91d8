//! `[[gate]]` and `[schedule]`: what judges a change, and how gates share the machine.

use super::document::{Fields, Located};
use super::layer::{argv, checked, command, enforcement, inside, name};
use super::problem::suggestion;
use crate::domain::{Check, CheckKind, GateDef, GateKind, GateRules, Runs, Setting, SettingSpec, Settings, Shape};

/// The keys of every gate.
const COMMON: &[&str] =
    &["name", "kind", "enforcement", "applies_if", "needs", "retries", "weight", "ttl_s", "version"];
/// The keys of a gate that runs a command.
const COMMAND: &[&str] = &["argv", "dir", "timeout_s", "env", "network", "writable", "runner"];
/// The kind of a gate that doesn't say.
const PLAIN: &str = "command";
/// Seconds a gate's command has, unless it says otherwise.
const LIMIT_S: u64 = 600;

/// How gates share the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// How many places there are; one for each processor if it doesn't say.
    pub jobs: Option<u32>,
    /// Whether gates that haven't begun are skipped once one that stops approval has failed.
    pub stop_on_failure: bool,
}

/// Reads `[schedule]`.
pub(super) fn schedule(top: &Fields<'_, '_>) -> Schedule {
    let Some(table) = top.table("schedule") else { return Schedule::default() };
    table.only(&["jobs", "stop_on_failure"]);
    Schedule {
        jobs: table.number("jobs", 1..=1024).and_then(|jobs| u32::try_from(jobs).ok()),
        stop_on_failure: table.truth("stop_on_failure").unwrap_or_default(),
    }
}

/// Reads every `[[gate]]`.
pub(super) fn gates(top: &Fields<'_, '_>) -> Vec<GateDef> {
    let mut gates: Vec<GateDef> = Vec::new();
    let mut needed = Vec::new();
    for table in top.tables("gate") {
        let taken = |name: &str| gates.iter().any(|gate| gate.name == name);
        let (name, kind, enforcement) = (name(&table, "gate", taken), kind(&table), enforcement(&table));
        let needs = table.texts("needs").map(|needs| needs.value).unwrap_or_default();
        let rules = rules(&table, &needs);
        if let (Some(name), Some(kind), Some(enforcement)) = (name, kind, enforcement) {
            needed.extend(needs.into_iter().map(|need| (name.clone(), need)));
            gates.push(GateDef { name, kind, enforcement, rules });
        }
    }
    for (name, need) in needed {
        judge_need(top, &gates, &name, &need);
    }
    gates
}

fn kind(table: &Fields<'_, '_>) -> Option<GateKind> {
    let named = match table.value("kind") {
        None => None,
        Some(_) => Some(table.text("kind")?),
    };
    let Some(Located { value, offset }) = named.filter(|named| named.value != PLAIN) else {
        table.only(&[COMMON, COMMAND].concat());
        return Some(GateKind::Command(command(table, LIMIT_S)?));
    };
    let Some(kind) = CheckKind::from_name(&value) else {
        let known = std::iter::once(PLAIN).chain(CheckKind::ALL.iter().map(|kind| kind.name()));
        let hint = suggestion(&value, known);
        table.document().problem(offset, format!("unknown kind of gate {value:?}; {hint}"));
        return None;
    };
    let own: Vec<&str> = kind.settings().iter().map(|spec| spec.key).collect();
    let runs = match kind.runs() {
        Runs::Needs => true,
        Runs::May => table.value("argv").is_some(),
        Runs::Never => false,
    };
    let commands = if kind.runs() == Runs::Never { &[][..] } else { COMMAND };
    table.only(&[COMMON, commands, own.as_slice()].concat());
    let command = if runs { Some(command(table, LIMIT_S)?) } else { None };
    let mut settings = Settings::default();
    for spec in kind.settings() {
        if spec.required && !table.require(spec.key) {
            return None;
        }
        if table.value(spec.key).is_some() {
            settings.0.insert(spec.key.to_owned(), setting(table, spec)?);
        }
    }
    let check = Check { kind, command, settings };
    sense(table, &check).then_some(GateKind::Check(check))
}

/// The value of one setting; what is wrong with it is recorded.
fn setting(table: &Fields<'_, '_>, spec: &SettingSpec) -> Option<Setting> {
    let wrong = |offset, message: String| {
        table.document().problem(offset, message);
        None
    };
    match spec.shape {
        Shape::Text => {
            let Located { value, offset } = table.text(spec.key)?;
            match (spec.key, inside(&value)) {
                ("report", Err(why)) => wrong(offset, format!("{value:?} {why}")),
                _ => Some(Setting::Text(value)),
            }
        }
        Shape::Word(words) => {
            let Located { value, offset } = table.text(spec.key)?;
            if words.contains(&value.as_str()) {
                return Some(Setting::Text(value));
            }
            let hint = suggestion(&value, words.iter().copied());
            wrong(offset, format!("{:?}{} can't be {value:?}; {hint}", spec.key, table.within()))
        }
        Shape::Number(least, most) => {
            let Located { value, offset } = table.amount(spec.key)?;
            let thousandths = (value * 1000.0).round();
            #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
            let fits = (least as f64..=most as f64).contains(&value);
            if !fits {
                let within = table.within();
                return wrong(offset, format!("{:?}{within} must be from {least} to {most}, not {value}", spec.key));
            }
            #[expect(clippy::cast_possible_truncation, reason = "within the limits")]
            Some(Setting::Number(thousandths as i64))
        }
        Shape::Truth => table.truth(spec.key).map(Setting::Truth),
        Shape::Texts => {
            let texts = table.texts(spec.key)?.value;
            Some(Setting::Texts(texts.into_iter().map(|text| text.value).collect()))
        }
    }
}

/// Whether the settings make sense together; what doesn't is recorded.
fn sense(table: &Fields<'_, '_>, check: &Check) -> bool {
    let Check { kind, settings, .. } = check;
    let offset = |key| table.value(key).map_or(table.offset(), |value| value.offset);
    let wrong = match kind {
        CheckKind::Health => {
            let url = |url: &&String| !url.starts_with("http://");
            let (tries, healthy) = (settings.count("tries").unwrap_or(3), settings.count("healthy").unwrap_or(1));
            if settings.texts("urls").is_empty() {
                Some(("urls", "\"urls\" is empty; name at least one service".to_owned()))
            } else if let Some(url) = settings.texts("urls").iter().find(url) {
                let remedy = "only http:// is asked directly: for TLS use a gate of kind \"command\" with curl --fail";
                Some(("urls", format!("{url:?}: {remedy}")))
            } else {
                (healthy > tries).then(|| ("healthy", format!("{healthy} of {tries} tries can't succeed")))
            }
        }
        CheckKind::Arch => {
            let rule = settings.texts("deny").iter().find(|rule| rule.split_once("->").is_none());
            if let Some(rule) = rule {
                Some(("deny", format!("{rule:?} is no rule; write \"src/domain/** -> src/engine/**\"")))
            } else {
                let idle = settings.texts("deny").is_empty() && !settings.truth("cycles", false);
                idle.then(|| ("files", "it forbids nothing: add \"deny\" rules, or cycles = true".to_owned()))
            }
        }
        CheckKind::Bench if settings.text("report").is_none() && table.value("runner").is_some() => {
            let why = "what is timed must run here, or the connection is timed too; run a benchmark there that writes a \"report\"";
            Some(("runner", why.to_owned()))
        }
        CheckKind::Budget | CheckKind::Deps if settings.0.is_empty() => {
            let keys: Vec<&str> = kind.settings().iter().map(|spec| spec.key).collect();
            Some(("kind", format!("it limits nothing: add one of {}", keys.join(", "))))
        }
        _ => None,
    };
    if let Some((key, why)) = &wrong {
        table.document().problem(offset(key), why.clone());
    }
    wrong.is_none()
}

fn rules(table: &Fields<'_, '_>, needs: &[Located<String>]) -> GateRules {
    let number = |key, least, most| table.number(key, least..=most).and_then(|number| u32::try_from(number).ok());
    GateRules {
        applies_if: checked(table, "applies_if", inside),
        needs: needs.iter().map(|need| need.value.clone()).collect(),
        retries: number("retries", 0, 10).unwrap_or_default(),
        weight: number("weight", 1, 1024).unwrap_or(1),
        ttl_s: table.number("ttl_s", 1..=86_400),
        version: table
            .value("version")
            .and_then(|_| argv(table, "version", &["cargo", "--version"]))
            .unwrap_or_default(),
    }
}

/// Records what a gate needs that isn't there, or that needs the gate in turn.
fn judge_need(top: &Fields<'_, '_>, gates: &[GateDef], name: &str, need: &Located<String>) {
    let Located { value, offset } = need;
    if !gates.iter().any(|gate| gate.name == *value) {
        let hint = suggestion(value, gates.iter().map(|gate| gate.name.as_str()));
        top.document().problem(*offset, format!("there is no gate called {value:?}; {hint}"));
    } else if leads_to(gates, value, name) {
        let message = format!("{name:?} needs {value:?}, which needs {name:?}: none of them could begin");
        top.document().problem(*offset, message);
    }
}

/// Whether `from` needs `to`, by way of whatever else, or is it.
fn leads_to(gates: &[GateDef], from: &str, to: &str) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut next = vec![from];
    while let Some(name) = next.pop() {
        if name == to {
            return true;
        }
        if !seen.contains(&name) {
            seen.push(name);
            let gate = gates.iter().find(|gate| gate.name == name);
            next.extend(gate.into_iter().flat_map(|gate| gate.rules.needs.iter().map(String::as_str)));
        }
    }
    false
}

/// The gates of a text, for tests: its problems as lines if there are any.
#[cfg(test)]
pub(super) fn read(text: &str) -> Result<Vec<GateDef>, Vec<String>> {
    let doc = super::document::Document::new("c.toml", text);
    let table = doc.parse().unwrap();
    let gates = gates(&Fields::top(&doc, &table));
    drop(table);
    let problems: Vec<String> = doc.into_problems().iter().map(ToString::to_string).collect();
    if problems.is_empty() { Ok(gates) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::domain::{CheckKind, GateKind};

    #[test]
    fn every_kind_is_read_with_its_settings() {
        let gates = read(
            r#"
            [[gate]]
            name = "unit"
            kind = "junit"
            argv = ["cargo", "nextest", "run", "--profile", "ci"]
            report = "target/nextest/ci/junit.xml"
            applies_if = ["src"]
            retries = 2

            [[gate]]
            name = "up"
            kind = "health"
            urls = ["http://127.0.0.1:8080/health"]
            tries = 5
            healthy = 3
            ttl_s = 60
            needs = ["unit"]

            [[gate]]
            name = "covered"
            kind = "coverage"
            argv = ["make", "coverage"]
            report = "lcov.info"
            changed = 82.5
            enforcement = "mandatory"
            "#,
        )
        .unwrap();
        let kinds: Vec<_> = gates
            .iter()
            .map(|gate| if let GateKind::Check(check) = &gate.kind { check.kind } else { panic!() })
            .collect();
        assert_eq!(kinds, [CheckKind::Junit, CheckKind::Health, CheckKind::Coverage]);
        let GateKind::Check(check) = &gates[2].kind else { panic!() };
        assert_eq!(check.settings.number("changed"), Some(82.5));
        assert_eq!((gates[0].rules.retries, gates[1].rules.ttl_s, gates[1].command()), (2, Some(60), None));
    }

    #[test]
    fn mistakes_are_said_with_their_place_and_key() {
        for (text, says) in [
            ("kind = \"junti\"", "c.toml:3:8: unknown kind of gate \"junti\"; did you mean \"junit\"?"),
            ("kind = \"junit\"", "missing key \"argv\""),
            ("kind = \"health\"\nargv = [\"x\"]", "unknown key \"argv\""),
            ("kind = \"health\"", "missing key \"urls\""),
            ("kind = \"health\"\nurls = [\"https://x/\"]", "c.toml:4:8: \"https://x/\": only http://"),
            ("kind = \"health\"\nurls = [\"http://x/\"]\nhealthy = 4", "c.toml:5:11: 4 of 3 tries can't succeed"),
            ("kind = \"coverage\"\nargv = [\"x\"]\nreport = \"r\"\nchanged = 101", "must be from 0 to 100, not 101"),
            ("kind = \"junit\"\nargv = [\"x\"]\nreport = \"/tmp/r.xml\"", "must be a path inside the repository"),
            ("kind = \"arch\"\nfiles = [\"src\"]", "it forbids nothing"),
            ("kind = \"arch\"\nfiles = [\"src\"]\ndeny = [\"a b\"]", "is no rule"),
            ("kind = \"budget\"", "it limits nothing: add one of lines, files"),
            ("argv = [\"x\"]\nrunner = \"ssh host\"", "write runner = [\"ssh\", \"host\"]"),
            ("argv = [\"x\"]\nrunner = []", "c.toml:4:10: \"runner\" in [[gate]] names no program"),
            ("argv = [\"x\"]\nrunner = [\"./submit\"]", "c.toml:4:10: \"./submit\" is a path inside the tree"),
            (
                "argv = [\"x\"]\nrunner = [\"ssh\", \"h\"]\nnetwork = true",
                "c.toml:5:11: \"network\" is about the sandbox",
            ),
            ("kind = \"bench\"\nargv = [\"x\"]\nrunner = [\"ssh\", \"h\"]", "the connection is timed too"),
            ("kind = \"contract\"\nargv = [\"x\"]\ntool = \"openapi\"", "can't be \"openapi\"; known: oasdiff, pact"),
            ("argv = [\"x\"]\nneeds = [\"y\"]", "c.toml:4:10: there is no gate called \"y\""),
            ("argv = [\"x\"]\nneeds = [\"g\"]", "none of them could begin"),
            ("argv = [\"x\"]\nreport = \"r\"", "unknown key \"report\""),
        ] {
            let problems = read(&format!("[[gate]]\nname = \"g\"\n{text}\n")).unwrap_err();
            assert!(problems.iter().any(|problem| problem.contains(says)), "{text}: {problems:?}");
        }
    }
}
