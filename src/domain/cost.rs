//! What calls of models cost: prices, what a call is expected to take, what it took, and the limits it must stay under.
//!
//! Money is counted in whole nanodollars, so that sums are exact; a price of one dollar per million tokens is a thousand
//! nanodollars a token. A price nobody knows is unknown, never 0.

use std::fmt;
use std::iter::Sum;

use super::Usage;

/// Nanodollars in a dollar.
const NANO: f64 = 1e9;

/// An amount of money, in nanodollars (10^-9 US dollars).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Money(pub u64);

impl Money {
    /// So many dollars; none if negative, not a number or above a billion.
    pub fn dollars(dollars: f64) -> Option<Self> {
        // In range, so that the conversion is exact to the nanodollar for every price people write.
        (0.0..=1e9).contains(&dollars).then(|| Self((dollars * NANO).round() as u64))
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Self::plus)
    }
}

impl fmt::Display for Money {
    /// `$0`, `$0.0042`, `$1.37`: cents from a dollar up, four digits below, so that a small call isn't shown as free.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.0 as f64 / NANO;
        match self.0 {
            0 => f.write_str("$0"),
            1..=99_999 => f.write_str("<$0.0001"),
            100_000..=999_999_999 => write!(f, "${dollars:.4}"),
            _ => write!(f, "${dollars:.2}"),
        }
    }
}

/// What a model charges, in nanodollars per token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// For a token of the prompt.
    pub input: u64,
    /// For a token of the prompt that was served from a cache.
    pub cached: u64,
    /// For a token of the reply, reasoning included.
    pub output: u64,
}

impl Price {
    /// What a call cost; none if the server didn't count both sides.
    pub fn of(&self, usage: &Usage) -> Option<Money> {
        let (input, output) = (usage.input?, usage.output?);
        let cached = usage.cached.unwrap_or(0).min(input);
        let sum = (input - cached)
            .saturating_mul(self.input)
            .saturating_add(cached.saturating_mul(self.cached))
            .saturating_add(output.saturating_mul(self.output));
        Some(Money(sum))
    }
}

/// Tokens of reply that a call is reckoned with before it is made: a long plan or a change of some hundred lines.
pub const EXPECTED_OUTPUT: u64 = 4_000;

/// What a call is expected to take, before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quote {
    /// Estimated tokens of the prompt.
    pub input: u64,
    /// Tokens of reply to reckon with.
    pub output: u64,
    /// The model's price; none if nobody knows it.
    pub price: Option<Price>,
}

impl Quote {
    /// What it is expected to cost; none if the price is unknown.
    pub fn expected(&self) -> Option<Money> {
        let usage = Usage { input: Some(self.input), output: Some(self.output), ..Usage::default() };
        self.price?.of(&usage)
    }
}

/// Limits that stop a call before it is sent; none where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// For one call.
    pub call: Option<Money>,
    /// For one loop.
    pub loop_: Option<Money>,
    /// For one day, in UTC.
    pub day: Option<Money>,
}

impl Budget {
    /// Whether anything is limited.
    pub const fn is_limited(&self) -> bool {
        self.call.is_some() || self.loop_.is_some() || self.day.is_some()
    }

    /// The stricter of both, limit by limit.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let least = |one: Option<Money>, two: Option<Money>| match (one, two) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self {
            call: least(self.call, other.call),
            loop_: least(self.loop_, other.loop_),
            day: least(self.day, other.day),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, cached: u64, output: u64) -> Usage {
        Usage { input: Some(input), output: Some(output), cached: Some(cached), reasoning: None }
    }

    #[test]
    fn cached_tokens_are_a_part_of_the_input() {
        let price = Price { input: 1_250, cached: 125, output: 10_000 };
        assert_eq!(price.of(&usage(1_000, 0, 100)), Money::dollars(0.00225));
        assert_eq!(price.of(&usage(1_000, 400, 100)), Money::dollars(0.0018));
        // A server that counts cached tokens beside the input must not make it negative.
        assert_eq!(price.of(&usage(100, 400, 0)), Some(Money(100 * 125)));
        assert_eq!(price.of(&Usage { output: None, ..usage(1, 0, 0) }), None);
    }

    #[test]
    fn unknown_is_not_free() {
        assert_eq!(Quote { input: 1_000, output: 1_000, price: None }.expected(), None);
        let free = Price { input: 0, cached: 0, output: 0 };
        assert_eq!(Quote { input: 1_000, output: 1_000, price: Some(free) }.expected(), Some(Money(0)));
    }

    #[test]
    fn money_is_read_and_shown() {
        let shown = |dollars: f64| Money::dollars(dollars).map(|money| money.to_string());
        assert_eq!(shown(0.0).as_deref(), Some("$0"));
        assert_eq!(shown(0.00001).as_deref(), Some("<$0.0001"));
        assert_eq!(shown(0.0042).as_deref(), Some("$0.0042"));
        assert_eq!(shown(1.374).as_deref(), Some("$1.37"));
        assert_eq!((shown(-1.0), shown(f64::NAN), shown(1e12)), (None, None, None));
    }

    #[test]
    fn the_stricter_limit_counts() {
        let one = Budget { call: Some(Money(5)), loop_: None, day: Some(Money(9)) };
        let two = Budget { call: Some(Money(7)), loop_: Some(Money(3)), day: None };
        assert_eq!(one.stricter(two), Budget { call: Some(Money(5)), loop_: Some(Money(3)), day: Some(Money(9)) });
    }
}
