//! Policies: what conftest or `opa eval --format json` say. Denials fail; warnings are told.

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::Value;

use super::case::{Judged, ReportCase, count, one_line, unexplained};
use crate::domain::{Spot, Verdict};

/// One file that conftest looked at.
#[derive(Deserialize)]
struct Checked {
    filename: String,
    #[serde(default)]
    successes: u64,
    #[serde(default)]
    warnings: Option<Vec<Said>>,
    #[serde(default)]
    failures: Option<Vec<Said>>,
    #[serde(default)]
    exceptions: Option<Vec<Said>>,
}

#[derive(Deserialize)]
struct Said {
    msg: String,
}

/// What OPA evaluated.
#[derive(Deserialize)]
struct Evaluated {
    result: Option<Vec<Binding>>,
    errors: Option<Value>,
}

#[derive(Deserialize)]
struct Binding {
    expressions: Vec<Expression>,
}

#[derive(Deserialize)]
struct Expression {
    value: Value,
    text: String,
}

/// What the policies said, of whichever tool.
#[derive(Default)]
struct Answers {
    asked: u64,
    denials: Vec<Spot>,
    warnings: Vec<String>,
    excepted: usize,
}

/// Judges the report of conftest or OPA.
pub fn judge(case: &ReportCase<'_>) -> Judged {
    let mut answers = Answers::default();
    for report in &case.head.files {
        let wrong =
            |why: String| Judged::error(format!("report {} is neither conftest's nor OPA's: {why}", report.name));
        let read = match serde_json::from_slice::<Value>(&report.bytes) {
            Ok(list @ Value::Array(_)) => serde_json::from_value(list).map(|checked| answers.conftest(checked)),
            Ok(object) => match serde_json::from_value::<Evaluated>(object) {
                Ok(evaluated) => match answers.opa(evaluated) {
                    Ok(()) => Ok(()),
                    Err(why) => return Judged::error(why),
                },
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = read {
            return wrong(error.to_string());
        }
    }
    let Answers { asked, denials, warnings, excepted } = answers;
    let mut also = String::new();
    for (number, what) in [(warnings.len(), "warning"), (excepted, "exception")] {
        if number > 0 {
            also.push_str(&format!(", {}", count(number, what)));
        }
    }
    let denied = denials.len();
    let judged = if denied > 0 {
        Judged::new(Verdict::Fail, format!("{}{also}", count(denied, "denial"))).at(denials)
    } else if let Some(error) = unexplained(case.head).filter(|_| warnings.is_empty()) {
        return error;
    } else if asked == 0 {
        Judged::new(Verdict::Skipped, "no policy was asked anything")
    } else {
        Judged::new(Verdict::Pass, format!("nothing denied{also}"))
    };
    #[expect(clippy::cast_precision_loss, reason = "denials are far fewer than 2^52")]
    let judged = judged.measured(denied as f64, "denials", Some(0.0), None);
    warnings.iter().fold(judged, |judged, line| judged.line(line))
}

impl Answers {
    fn conftest(&mut self, files: Vec<Checked>) {
        for file in files {
            let (warnings, failures) = (file.warnings.unwrap_or_default(), file.failures.unwrap_or_default());
            let excepted = file.exceptions.unwrap_or_default().len();
            self.asked += file.successes + (warnings.len() + failures.len() + excepted) as u64;
            self.excepted += excepted;
            let path = file.filename;
            self.warnings.extend(warnings.iter().map(|one| format!("warning: {path}: {}", one_line(&one.msg))));
            let denial = |one: Said| Spot { path: path.clone(), lines: None, text: one_line(&one.msg) };
            self.denials.extend(failures.into_iter().map(denial));
        }
    }

    fn opa(&mut self, evaluated: Evaluated) -> Result<(), String> {
        if let Some(errors) = evaluated.errors {
            return Err(format!("OPA could not evaluate it: {}", one_line(&errors.to_string())));
        }
        let Some(bindings) = evaluated.result else {
            return Err("OPA's query is undefined: it names no rule of the policy".to_owned());
        };
        for expression in bindings.into_iter().flat_map(|binding| binding.expressions) {
            self.asked += 1;
            let rule = expression.text.rsplit('.').next().unwrap_or_default().to_owned();
            match expression.value {
                Value::Object(rules) => {
                    for (rule, value) in &rules {
                        self.rule(rule, value);
                    }
                }
                value => self.rule(&rule, &value),
            }
        }
        Ok(())
    }

    /// Takes what one rule says: `deny` and `violation` hold messages, `allow` holds a truth.
    fn rule(&mut self, rule: &str, value: &Value) {
        let said: Vec<String> = match value {
            Value::Array(items) => items.iter().map(words).collect(),
            Value::Object(items) => items.iter().map(|(key, value)| format!("{key}: {}", words(value))).collect(),
            Value::Bool(holds) if rule.starts_with("allow") => {
                (!holds).then(|| "not allowed".to_owned()).into_iter().collect()
            }
            Value::Bool(true) => vec!["true".to_owned()],
            _ => Vec::new(),
        };
        if rule.starts_with("warn") {
            self.warnings.extend(said.iter().map(|text| format!("warning: {}", one_line(text))));
        } else if ["deny", "violation", "allow"].iter().any(|known| rule.starts_with(known)) {
            let denial = |text: String| Spot { path: rule.to_owned(), lines: None, text: one_line(&text) };
            self.denials.extend(said.into_iter().map(denial));
        }
    }
}

/// A message as the policy wrote it: a text, or an object with one in it.
fn words(value: &Value) -> String {
    let text = value.as_str().or_else(|| value.get("msg")?.as_str());
    text.map_or_else(|| value.to_string(), str::to_owned)
}
