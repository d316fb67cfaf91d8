//! `windlass show x N --curl`: the request of an exchange as a command for a shell. Where the key was, it names where
//! the key is.

use std::io::Write;

use serde::de::IgnoredAny;

use crate::domain::{ExchangeId, KeySource, ProviderSpec, visible_line, without_keys};
use crate::journal::SentRequest;
use crate::repo::Repo;

use super::arguments::Common;
use super::failure::Failure;
use super::json::harmless;
use super::open;
use super::record::Record;

/// What stands in place of a key in a recorded header.
const MASK: &str = "***";

/// The line that ends the body; no JSON has such a line.
const LAST: &str = "WINDLASS";

/// Prints the last request of an exchange.
pub(super) fn print(
    common: &Common,
    repo: &Repo,
    record: &Record,
    id: ExchangeId,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let info = record.state.exchanges.get(&id).ok_or(Failure::Nothing { what: "exchange", number: id.0 })?;
    let failed = |why| Failure::NoCurl { what: format!("exchange {id}"), why };
    let request = record.stored(id)?.request.ok_or_else(|| failed("nothing was sent"))?;
    if !request.url.starts_with("http") {
        return Err(failed("it did not go over HTTP"));
    }
    let body = std::str::from_utf8(&request.body).ok().filter(|body| serde_json::from_str::<IgnoredAny>(body).is_ok());
    let body = body.ok_or_else(|| failed("its body is not JSON"))?;
    let (_, loaded) = open::config(common, repo)?;
    let provider = info.model.provider();
    let key = match loaded.config.providers.get(provider) {
        Some(ProviderSpec::Server(server)) => server.key.as_ref(),
        _ => None,
    };
    if key.is_none() && request.headers.iter().any(|(_, value)| value.ends_with(MASK)) {
        writeln!(out, "# KEY: the key of provider {}, which is configured without one now", visible_line(provider))?;
    }
    Ok(write(&request, body, &source(key), out)?)
}

fn write(request: &SentRequest, body: &str, key: &str, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "curl -sS -N {} \\", quoted(&request.url))?;
    for (name, value) in &request.headers {
        match value.strip_suffix(MASK) {
            Some(scheme) => writeln!(out, "  -H {}{key} \\", quoted(&format!("{name}: {scheme}")))?,
            None => writeln!(out, "  -H {} \\", quoted(&without_keys(&format!("{name}: {value}"))))?,
        }
    }
    // A prompt may be longer than an argument can be.
    writeln!(out, "  --data-binary @- <<'{LAST}'\n{}\n{LAST}", harmless(&without_keys(body)))
}

/// What a shell makes the key of.
fn source(key: Option<&KeySource>) -> String {
    match key {
        None => "\"$KEY\"".to_owned(),
        Some(KeySource::Env(variable)) => format!("\"${variable}\""),
        Some(KeySource::Command(argv)) => {
            format!("\"$({})\"", argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
        }
        Some(KeySource::File(path)) => format!("\"$(cat {})\"", quoted(&path.display().to_string())),
    }
}

/// One word for a shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", visible_line(word).replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{KeySource, source};

    #[test]
    fn every_source_of_a_key_has_a_form_in_a_shell() {
        let argv = ["pass", "it's"].map(str::to_owned).to_vec();
        assert_eq!(source(Some(&KeySource::Env("MY_KEY".to_owned()))), "\"$MY_KEY\"");
        assert_eq!(source(Some(&KeySource::Command(argv))), r#""$('pass' 'it'\''s')""#);
        assert_eq!(source(Some(&KeySource::File("/a b".into()))), "\"$(cat '/a b')\"");
    }
}
