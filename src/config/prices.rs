//! What models charge: the table that is shipped, and the person's own before it.

use super::document::{Document, Fields, Located};
use super::problem::Problem;
use crate::domain::{Budget, ModelId, Money, Price};

const BUILT_IN: &str = include_str!("../../assets/prices.toml");

/// Prices by model, the first that fits counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    rows: Vec<(String, Price)>,
}

/// The day on which the vendors published the prices that are shipped.
pub fn prices_dated() -> &'static str {
    let dated = BUILT_IN.lines().find_map(|line| line.strip_prefix("dated = \"")?.strip_suffix('"'));
    dated.unwrap_or_default()
}

impl Prices {
    /// The shipped table.
    pub(super) fn built_in() -> (Self, Vec<Problem>) {
        let doc = Document::new("assets/prices.toml", BUILT_IN);
        let prices = doc.parse().map(|table| {
            let top = Fields::top(&doc, &table);
            top.only(&["dated", "prices"]);
            read(&top)
        });
        (prices.unwrap_or_default(), doc.into_problems())
    }

    /// These, and `later` where these say nothing.
    pub(super) fn before(mut self, later: Self) -> Self {
        self.rows.extend(later.rows);
        self
    }

    /// The models of `provider` that have a price of their own.
    pub fn named<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.rows.iter().map(|(key, _)| key.as_str());
        names.filter(move |key| key.split_once('/').is_some_and(|(of, name)| of == provider && name != "*"))
    }

    /// The price of a model: by its full id, by its provider, by its name alone, by its name without a date at its end.
    pub fn of(&self, model: &ModelId) -> Option<Price> {
        let (provider, name) = model.0.split_once('/')?;
        let find = |wanted: &str| self.rows.iter().find(|(key, _)| key == wanted).map(|(_, price)| *price);
        find(&model.0).or_else(|| find(&format!("{provider}/*"))).or_else(|| find(name)).or_else(|| find(undated(name)))
    }
}

/// A model's name without the date that vendors add: `-2025-08-07`, `-20250929`.
fn undated(name: &str) -> &str {
    let is_date = |tail: &str| {
        let digits = tail.bytes().filter(u8::is_ascii_digit).count();
        digits == 8 && tail.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    };
    [11, 9]
        .into_iter()
        .filter_map(|length| name.len().checked_sub(length))
        .filter_map(|at| Some((name.get(..at)?, name.get(at..)?.strip_prefix('-')?)))
        .find(|(_, tail)| is_date(tail))
        .map_or(name, |(head, _)| head)
}

/// The prices in the table `[prices]`.
pub(super) fn read(top: &Fields<'_, '_>) -> Prices {
    let Some(table) = top.table("prices") else { return Prices::default() };
    let mut rows = Vec::new();
    for Located { value: name, .. } in table.keys() {
        let Some(price) = table.table(name) else { continue };
        price.only(&["input", "cached", "output"]);
        let present = price.require("input") & price.require("output");
        let (input, output) = (per_token(&price, "input"), per_token(&price, "output"));
        let cached = per_token(&price, "cached");
        if let (true, Some(input), Some(output)) = (present, input, output) {
            rows.push((name.to_owned(), Price { input, cached: cached.unwrap_or(input), output }));
        }
    }
    Prices { rows }
}

/// Nanodollars a token, from dollars a million tokens.
fn per_token(price: &Fields<'_, '_>, key: &str) -> Option<u64> {
    let dollars = money(price, key)?;
    Some(dollars.0 / 1_000_000)
}

fn money(table: &Fields<'_, '_>, key: &str) -> Option<Money> {
    let Located { value, offset } = table.amount(key)?;
    Money::dollars(value).or_else(|| {
        let message = format!("{key:?}{} must be dollars, 0 or more", table.within());
        table.document().problem(offset, message);
        None
    })
}

/// The limits in the table `[budget]`, in dollars.
pub(super) fn budget(top: &Fields<'_, '_>) -> Budget {
    let Some(table) = top.table("budget") else { return Budget::default() };
    table.only(&["call", "loop", "day"]);
    Budget { call: money(&table, "call"), loop_: money(&table, "loop"), day: money(&table, "day") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(text: &str) -> (Prices, Vec<String>) {
        let doc = Document::new("config.toml", text);
        let prices = doc.parse().map(|table| read(&Fields::top(&doc, &table))).unwrap_or_default();
        (prices, doc.into_problems().iter().map(ToString::to_string).collect())
    }

    fn output(prices: &Prices, model: &str) -> Option<u64> {
        prices.of(&ModelId(model.to_owned())).map(|price| price.output)
    }

    #[test]
    fn the_shipped_table_is_sound() {
        let (prices, problems) = Prices::built_in();
        assert_eq!(problems, []);
        assert_eq!(output(&prices, "openai/gpt-5"), Some(10_000));
        assert_eq!(output(&prices, "openai/gpt-5-2025-08-07"), Some(10_000));
        assert_eq!(output(&prices, "anthropic/claude-sonnet-4-5-20250929"), Some(15_000));
        assert_eq!(output(&prices, "local/qwen3"), None);
        assert_eq!(output(&prices, "openai/gpt-5-turbo"), None);
    }

    #[test]
    fn the_persons_prices_win() {
        let own = "[prices]\n\"gpt-5\" = { input = 1, output = 2 }\n\"local/*\" = { input = 0, output = 0 }\n\
                   \"local/big\" = { input = 1, cached = 0.5, output = 3.5 }\n";
        let (own, problems) = prices(own);
        assert_eq!(problems, [""; 0]);
        let all = own.before(Prices::built_in().0);
        assert_eq!(output(&all, "openai/gpt-5"), Some(2_000));
        assert_eq!(output(&all, "local/small"), Some(0));
        assert_eq!(all.of(&ModelId("local/big".into())), Some(Price { input: 1_000, cached: 500, output: 3_500 }));
    }

    #[test]
    fn broken_prices_are_named() {
        let (_, problems) = prices("[prices]\n\"a\" = { input = -1, output = 2 }\n\"b\" = { input = 1 }\n\"c\" = 3\n");
        let all = problems.join("\n");
        for part in [":2:", "must be dollars, 0 or more", ":3:", "missing key \"output\"", ":4:", "must be a table"] {
            assert!(all.contains(part), "{part:?} in {all}");
        }
    }
}
