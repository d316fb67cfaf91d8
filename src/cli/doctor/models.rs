//! The models: where each provider's key is, whether the models of the roles answer, and what they charge.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use super::super::failure::Failure;
use super::super::terminal;
use super::{Check, Mark, Report};
use crate::config::{Config, prices_dated};
use crate::domain::{ModelId, Money, ProviderSpec};
use crate::provider::{self, Provider, QUESTION, Reply};

const PROVIDERS: &str = "providers";
const MODELS: &str = "models";

/// How long a server may take to list its models.
const LISTING: Duration = Duration::from_secs(5);

/// Looks at every provider, and asks the models of the roles.
pub(super) fn check(config: &Config, spend: bool, report: &mut Report<'_>) -> Result<(), Failure> {
    if config.providers.is_empty() {
        let next = "windlass init looks for keys and for model servers; windlass demo needs none";
        return report.add(Check::warning(PROVIDERS, "none is configured: nobody drafts and nobody objects", next));
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let roles = [("author", &config.author), ("critic", &config.critic)];
    for (name, spec) in &config.providers {
        let made = match Provider::new(name, spec) {
            Ok(made) => made,
            Err(error) => {
                report.add(Check::said(PROVIDERS, Mark::Wrong, error.to_string()))?;
                continue;
            }
        };
        report.add(Check::ok(PROVIDERS, format!("{name}: {}", describe(spec))))?;
        let has_role = roles.iter().any(|(_, model)| model.as_ref().is_some_and(|model| model.provider() == name));
        if !has_role && let Some(models) = runtime.block_on(made.models(LISTING)) {
            let text = format!("{name}: answers, and lists {}", super::super::words::count(models.len(), "model"));
            report.add(Check::ok(PROVIDERS, text))?;
        }
    }
    let mut asked: Vec<&ModelId> = Vec::new();
    for (role, model) in roles {
        let Some(model) = model else {
            let next = format!("name one under [roles]: {role} = \"provider/model\"");
            report.add(Check::warning(MODELS, format!("there is no {role}"), next))?;
            continue;
        };
        let price = config.prices.of(model);
        let is_free = config.providers.get(model.provider()).is_some_and(provider::is_free);
        report.add(if is_free {
            Check::ok(MODELS, format!("{role} {model}: free, it is a server of this machine or a script"))
        } else if price.is_some() {
            let day = prices_dated();
            Check::ok(MODELS, format!("{role} {model}: its price is known (the shipped prices are of {day})"))
        } else {
            let line =
                format!("under [prices] in your own config.toml: \"{model}\" = {{ input = 0.00, output = 0.00 }}");
            Check::warning(MODELS, format!("{role} {model}: nobody knows what it charges, so no budget can hold"), line)
        })?;
        asked.push(model);
    }
    let costly: Vec<&ModelId> = asked.iter().copied().filter(|model| can_cost(config, model)).collect();
    let may_spend = spend || costly.is_empty() || consents(config, &costly, report)?;
    for model in asked {
        let Some(spec) = config.providers.get(model.provider()) else { continue };
        let Ok(made) = Provider::new(model.provider(), spec) else { continue };
        if spec.is_played() {
            report.add(Check::ok(MODELS, format!("{model} plays replies from files: there is nobody to ask")))?;
            continue;
        }
        if !may_spend && costly.contains(&model) {
            let says = format!("{model} was not asked: that can cost");
            report.add(Check::warning(MODELS, says, "windlass doctor --spend asks it"))?;
            continue;
        }
        let name = model.0.split_once('/').map_or(model.0.as_str(), |(_, name)| name);
        let reply = runtime.block_on(made.try_out(name, &CancellationToken::new()));
        report.add(told(config, model, &reply))?;
    }
    Ok(())
}

fn describe(spec: &ProviderSpec) -> String {
    match spec {
        ProviderSpec::Server(server) => {
            let key = server.key.as_ref().map_or_else(|| "no key".to_owned(), |key| format!("key from {key}"));
            format!("{} at {}, {key}", server.format.name(), server.base_url)
        }
        ProviderSpec::Command { argv } => format!("runs {}", argv.join(" ")),
        ProviderSpec::Agent { argv, .. } => {
            format!("an agent, {}; it makes changes and is not asked here", argv.join(" "))
        }
        ProviderSpec::Script { dir, .. } => format!("plays replies from {}", dir.display()),
        ProviderSpec::Cassette { file, .. } => format!("plays the recording {}", file.display()),
    }
}

/// Whether a question to this model may be charged for.
fn can_cost(config: &Config, model: &ModelId) -> bool {
    let is_free = config.providers.get(model.provider()).is_none_or(provider::is_free);
    let expected = provider::quote(config.prices.of(model)).expected();
    !is_free && expected != Some(Money::default())
}

/// Asks whether these may be asked. Nobody is there to ask without a terminal, or when a program reads along.
fn consents(config: &Config, models: &[&ModelId], report: &mut Report<'_>) -> Result<bool, Failure> {
    if report.json || !terminal::can_ask() {
        return Ok(false);
    }
    let names: Vec<&str> = models.iter().map(|model| model.0.as_str()).collect();
    let expected = models.iter().map(|model| provider::quote(config.prices.of(model)).expected());
    let cost = expected
        .sum::<Option<Money>>()
        .map_or_else(|| "at a price nobody knows".to_owned(), |cost| format!("for up to {cost}"));
    let question = format!("  Ask {} {QUESTION:?}, {cost}? [y/n]", names.join(" and "));
    Ok(matches!(terminal::ask(&question, report.out)?.as_str(), "y" | "Y" | "yes"))
}

/// What came of a question.
fn told(config: &Config, model: &ModelId, reply: &Reply) -> Check {
    if let Some(why) = reply.trouble() {
        return Check::said(MODELS, Mark::Wrong, format!("{model} does not answer: {why}"));
    }
    let tokens = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let cost = config.prices.of(model).and_then(|price| price.of(&reply.usage));
    let cost = cost.map_or_else(|| "cost unknown".to_owned(), |cost| cost.to_string());
    let (input, output) = (tokens(reply.usage.input), tokens(reply.usage.output));
    let ms = reply.timings.total;
    Check::ok(MODELS, format!("{model} answered in {ms} ms: {input} tokens in, {output} out, {cost}"))
}
