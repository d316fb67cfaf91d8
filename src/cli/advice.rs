//! What to do when a role has no model: what could answer, and the next step.

use std::io;

use tokio::runtime::Builder;

use crate::config::Config;
use crate::provider::{Found, LocalServer, discover};

use super::open::variable;

/// For the welcome screen. Only the environment is looked at: asking ports would hold up the first paint.
pub(super) fn lines(config: &Config) -> Vec<String> {
    let missing = match (&config.author, &config.critic) {
        (None, None) => "No author and no critic is configured: no model drafts, none objects.",
        (None, Some(_)) => "No author is configured: no model drafts.",
        (Some(_), None) => "No critic is configured: no model objects.",
        (Some(_), Some(_)) => return Vec::new(),
    };
    let mut lines = vec![missing.to_owned()];
    // Without servers nothing is waited for; an environment that can't be searched only makes the advice shorter.
    let found = found(&[]).unwrap_or_default();
    lines.extend(found.iter().map(|found| format!("{}: {}.", found.what, use_of(found, config))));
    lines.push(
        "`windlass init` looks for keys and for model servers on this machine, and helps to configure them.".to_owned(),
    );
    lines.push("`windlass demo` shows a whole loop offline. You can also write every artifact by hand.".to_owned());
    lines
}

/// What can be done with something that was found.
pub(super) fn use_of(found: &Found, config: &Config) -> String {
    let name = found.name;
    if config.providers.contains_key(name) {
        format!("configured as provider {name:?}")
    } else {
        format!("can be provider {name:?}")
    }
}

/// The keys in the environment, and those of `servers` that answer.
pub(super) fn found(servers: &[LocalServer]) -> io::Result<Vec<Found>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(discover(variable, servers)))
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::config::{Config, Flags, Paths, load};

    fn config(author: Option<&str>, critic: Option<&str>) -> Config {
        let flags = Flags { author: author.map(Into::into), critic: critic.map(Into::into), ..Flags::default() };
        load(&Paths::default(), &|_| None, &flags).unwrap().config
    }

    #[test]
    fn advice_is_given_until_both_roles_are_filled() {
        for (author, critic, first) in [
            (None, None, "No author and no critic is configured"),
            (None, Some("a/b"), "No author is configured"),
            (Some("a/b"), None, "No critic is configured"),
        ] {
            let lines = lines(&config(author, critic));
            assert!(lines[0].starts_with(first), "{lines:?}");
            assert!(lines.iter().any(|line| line.contains("windlass init")), "{lines:?}");
        }
        assert_eq!(lines(&config(Some("a/b"), Some("c/d"))), [""; 0]);
    }
}
