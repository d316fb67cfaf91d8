//! Budgets: a call that nobody allowed is not made, what is missing is said, and the person's own file is the remedy.

use crate::desk::Desk;
use crate::hands::{await_decision, draft, leave, press_for, state, told, trust};
use crate::harness::Terminal;
use crate::server::Reserved;

const PRICE: &str = "[prices]\n\"near/*\" = { input = 1, output = 10 }\n\"script/*\" = { input = 0, output = 0 }\n";

#[test]
fn a_call_over_the_budget_is_not_made_until_the_limit_is_raised() {
    let near = Reserved::new();
    let mut desk = Desk::new();
    desk.furnish("");
    desk.set("WINDLASS_AUTHOR", "near/author-1");
    let (url, replies) = (near.base_url(), desk.home().join("replies"));
    let configure = |rest: &str| {
        desk.write_own_config(&format!(
            "[providers.near]\nkind = \"openai-chat\"\nbase_url = {url:?}\n\
             [providers.script]\nkind = \"script\"\ndir = {replies:?}\n{rest}"
        ));
    };
    let author = near.serve();

    // Nobody knows what the model charges.
    configure("[budget]\nloop = 0.01\n");
    let mut screen = desk.open(&["new", "Fewer steps"], (90, 60));
    trust(&mut screen);
    screen.wait_for_words("price unknown");
    draft(&mut screen, "constraint");
    told(
        &screen,
        &[
            "there is a budget, and no price is known for near/author-1: add it under [prices] in your own config.toml",
            "dollars per million tokens; 0 for a model that costs nothing",
        ],
    );
    let reload = |screen: &mut Terminal, rest: &str| {
        configure(rest);
        screen.press("Space r");
        screen.wait_for_words("the configuration was read again");
        press_for(screen, "draft");
    };

    // 4000 tokens of reply at $10 a million are 4 cents; the prompt comes on top.
    reload(&mut screen, &format!("[budget]\nloop = 0.01\n{PRICE}"));
    told(
        &screen,
        &[
            "over budget: this call is expected to cost $0.04",
            "$0 is spent, and the limit for one loop is $0.0100; raise it under [budget] and reload",
        ],
    );
    assert!(author.is_idle(), "a call was made that nobody allowed");
    assert_eq!(desk.json(&["calls", "--json"]), serde_json::json!([]));

    reload(&mut screen, &format!("[budget]\nloop = 0.5\n{PRICE}"));
    author.call("author-1", "Write the constraint now").answer(&desk.reply("author-constraint.1"));
    let frame = await_decision(&screen, "constraint");
    assert!(state(&frame).starts_with("CONSTRAINT AWAITS") && frame.says("$0.0015"), "{frame}");
    leave(&mut screen);
    assert!(author.is_idle());

    // 1200 tokens of prompt at $1 and 34 of reply at $10 a million.
    let calls = desk.json(&["calls", "--json"]);
    assert_eq!(
        (&calls[0]["cost_nanodollars"], &calls[1]["cost_nanodollars"]),
        (&1_540_000.into(), &serde_json::Value::Null)
    );

    // The critic's replies come from files: they cost nothing, which is another thing than 0 or unknown.
    let sum = |name: &str| {
        serde_json::json!([{
            "name": name, "calls": 2, "input_tokens": 1200, "output_tokens": 34,
            "cost_nanodollars": 1_540_000, "unknown": 0, "played": 1,
        }])
    };
    assert_eq!(desk.json(&["costs", "--json"]), sum("1 Fewer steps"));
    assert_eq!(desk.json(&["costs", "--by", "engineer", "--json"]), sum("Ada <ada@example.org>"));
    assert_eq!(desk.json(&["costs", "--by", "stage", "--json"]), sum("constraint"));
    let text = desk.printed(&["costs", "--by", "model"]);
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = text.lines().map(cells).collect();
    let expected = [
        "model calls in out cost unknown played",
        "near/author-1 1 1200 34 $0.0015 - -",
        "script/b 1 0 0 - - 1",
        "all 2 1200 34 $0.0015 - 1",
    ];
    assert_eq!(lines, expected);
}
