//! The conditions of bindings: `!text && hunks > 0`.

use crate::app::Fact;
use crate::config::suggestion;

/// The longest condition, in bytes. It also bounds how deep conditions nest.
const LONGEST: usize = 200;

/// A condition, and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    pub(super) text: String,
    means: Expr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expr {
    /// The fact is not 0.
    Holds(Fact),
    Compared(Fact, &'static str, u64),
    Not(Box<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
}

/// The comparisons; of two that begin alike the longer first.
const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

impl When {
    /// The condition that `text` writes.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("this condition is longer than {LONGEST} bytes; split it into several bindings"));
        }
        let mut rest = Rest(text);
        let means = rest.any()?;
        match rest.0.trim_start() {
            "" => Ok(Self { text: text.to_owned(), means }),
            more => Err(format!("{more:?} is left over in this condition; join conditions with && or ||")),
        }
    }

    /// Whether it holds.
    pub(super) fn holds(&self, facts: super::Facts<'_>) -> bool {
        self.means.holds(facts)
    }
}

impl Expr {
    fn holds(&self, facts: super::Facts<'_>) -> bool {
        match self {
            Self::Holds(fact) => facts(*fact) > 0,
            Self::Compared(fact, sign, number) => {
                let order = facts(*fact).cmp(number);
                match *sign {
                    "==" => order.is_eq(),
                    "!=" => order.is_ne(),
                    "<=" => order.is_le(),
                    ">=" => order.is_ge(),
                    "<" => order.is_lt(),
                    _ => order.is_gt(),
                }
            }
            Self::Not(one) => !one.holds(facts),
            Self::All(all) => all.iter().all(|one| one.holds(facts)),
            Self::Any(any) => any.iter().any(|one| one.holds(facts)),
        }
    }
}

/// What is still to be read.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn any(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.all()?];
        while self.takes("||") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expr::Any))
    }

    fn all(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.one()?];
        while self.takes("&&") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Expr::All))
    }

    fn one(&mut self) -> Result<Expr, String> {
        if self.takes("!") {
            return Ok(Expr::Not(Box::new(self.one()?)));
        }
        if self.takes("(") {
            let inside = self.any()?;
            return if self.takes(")") { Ok(inside) } else { Err("a parenthesis is not closed; add \")\"".to_owned()) };
        }
        let name = self.word();
        let names = || Fact::ALL.iter().map(|fact| fact.name());
        let Some(fact) = Fact::ALL.iter().copied().find(|fact| fact.name() == name) else {
            return Err(match name {
                "" => format!("a condition is missing its fact; known: {}", names().collect::<Vec<_>>().join(", ")),
                _ => format!("unknown fact {name:?}; {}", suggestion(name, names())),
            });
        };
        let Some(sign) = COMPARISONS.into_iter().find(|sign| self.takes(sign)) else {
            return Ok(Expr::Holds(fact));
        };
        let number = self.word();
        let number = number.parse().map_err(|_| format!("{sign:?} needs a whole number behind it, not {number:?}"))?;
        Ok(Expr::Compared(fact, sign, number))
    }

    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.0.trim_start().strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn word(&mut self) -> &'t str {
        let rest = self.0.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.0 = rest;
        word
    }
}

fn one_or(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_or_not() {
        let facts = |fact| match fact {
            Fact::Hunks => 3,
            Fact::Busy => 1,
            _ => 0,
        };
        for (text, holds) in [
            ("busy", true),
            ("!busy", false),
            ("!text && hunks > 0", true),
            ("!text && hunks > 3", false),
            ("hunks>=3&&hunks<=3 && hunks == 3 && hunks != 4", true),
            ("text || busy && hunks < 3", false),
            ("(text || busy) && !(hunks < 3)", true),
            ("!!busy", true),
            ("reads-only", false),
        ] {
            assert_eq!(When::parse(text).unwrap().holds(&facts), holds, "{text}");
        }
    }

    #[test]
    fn wrong_conditions_say_what_to_write() {
        for (text, message) in [
            ("bussy", "unknown fact \"bussy\"; did you mean \"busy\"?"),
            ("hunks > many", "\">\" needs a whole number behind it, not \"many\""),
            ("hunks > 99999999999999999999", "\">\" needs a whole number behind it, not \"99999999999999999999\""),
            ("(busy", "a parenthesis is not closed; add \")\""),
            ("busy text", "\"text\" is left over in this condition; join conditions with && or ||"),
        ] {
            let text = When::parse(text).map(|_| ());
            assert_eq!(text, Err(message.to_owned()));
        }
        for text in ["", "&&", "busy &&", "!", &"(".repeat(LONGEST + 1), &"!".repeat(LONGEST)] {
            assert!(When::parse(text).is_err(), "{text}");
        }
    }
}
