//! Kinds of models side by side: an author behind a command, a critic that speaks Anthropic Messages.

use std::fs;

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::hands::{approve, await_decision, draft, leave, read_all, trust};
use crate::server::Reserved;

const KEY: &str = "far-0f1e2d3c4b5a6978";

/// A model behind a command: keeps what it was asked, and answers what it is asked for.
const PROGRAM: &str = r#"
cat > "$HOME/asked"
for stage in constraint plan; do
    if grep -q "Write the $stage now" "$HOME/asked"; then
        mv "$HOME/asked" "$HOME/asked-$stage"
        cat "$HOME/replies/author-$stage.1.md"
    fi
done
"#;

#[test]
fn an_author_behind_a_command_and_a_critic_of_another_vendor() {
    let far = Reserved::new();
    let mut desk = Desk::new();
    desk.furnish("");
    let program = desk.home().join("author.sh");
    fs::write(&program, PROGRAM).unwrap();
    let url = far.base_url();
    desk.write_own_config(&format!(
        "[providers.own]\nkind = \"command\"\nargv = [\"sh\", {program:?}, \"--model\", \"{{model}}\"]\n\
         [providers.far]\nkind = \"anthropic\"\nbase_url = {url:?}\napi_key_env = \"FAR_KEY\"\n"
    ));
    desk.set("FAR_KEY", KEY);
    desk.set("WINDLASS_AUTHOR", "own/small");
    desk.set("WINDLASS_CRITIC", "far/claude-1");
    let critic = far.serve();

    let mut screen = desk.open(&["new", "Fewer steps"], (90, 60));
    trust(&mut screen);
    let mut reviews = Vec::new();
    for (stage, findings) in [("constraint", "note line 3 - only a walk\n"), ("plan", "No findings.\n")] {
        draft(&mut screen, stage);
        let call = critic.call("claude-1", "Write the findings now");
        assert_eq!(call.header("x-api-key"), Some(KEY));
        assert!(call.header("anthropic-version").is_some() && call.header("authorization").is_none());
        reviews.push((call.body.clone(), call.answer(findings)));
        let frame = await_decision(&screen, stage);
        assert!(!frame.says("no critique"), "{frame}");
        if stage == "constraint" {
            screen.press("3");
            screen.wait_for_words("only a walk");
            screen.press("1");
        }
        read_all(&mut screen);
        approve(&mut screen, stage);
    }
    leave(&mut screen);
    assert!(critic.is_idle());

    // What the command read and printed, and what the server received and sent, is in the record to the byte.
    let calls = desk.json(&["calls", "--json"]);
    let models: Vec<&Value> = calls.as_array().unwrap().iter().map(|call| &call["model"]).collect();
    assert_eq!(models, ["own/small", "far/claude-1", "own/small", "far/claude-1"]);
    let read = |name: &str| fs::read(desk.home().join(name)).unwrap();
    for (number, stage, (sent, received)) in [(1, "constraint", &reviews[0]), (3, "plan", &reviews[1])] {
        let shown = |number: u32| desk.json(&["show", "x", &number.to_string(), "--json"]);
        let bytes = |side: &Value| side["body"].as_str().unwrap().as_bytes().to_vec();

        let drafted = shown(number);
        let command = format!("command:sh {} --model small", program.display());
        assert_eq!((&drafted["request"]["method"], &drafted["request"]["url"]), (&json!("RUN"), &json!(command)));
        assert_eq!(bytes(&drafted["request"]), read(&format!("asked-{stage}")));
        assert_eq!(bytes(&drafted["response"]), read(&format!("replies/author-{stage}.1.md")));
        // What it asked of which model isn't seen, so it is unknown and not free.
        assert_eq!((&drafted["tokens"]["output"], &drafted["cost_nanodollars"]), (&Value::Null, &Value::Null));

        let reviewed = shown(number + 1);
        assert_eq!(reviewed["request"]["url"], format!("{url}/messages"));
        assert_eq!((&bytes(&reviewed["request"]), &bytes(&reviewed["response"])), (sent, received));
        assert_eq!((&reviewed["ended"], &reviewed["tokens"]["output"]), (&json!("complete"), &json!(34)));
        let headers = reviewed["request"]["headers"].as_array().unwrap();
        assert!(headers.contains(&json!(["x-api-key", "***"])), "{headers:?}");
    }
    let costs = desk.printed(&["costs", "--by", "model"]);
    let of_command = costs.lines().find(|line| line.starts_with("own/small")).unwrap();
    assert_eq!(of_command.split_whitespace().collect::<Vec<_>>(), ["own/small", "2", "0", "0", "?", "2", "-"]);
    desk.assert_nowhere(&[KEY], &screen);
    desk.printed(&["verify"]);
}
