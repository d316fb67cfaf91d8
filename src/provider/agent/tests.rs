//! Conversations with agents of a few lines of shell: how they go wrong, and what is asked of the place.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Asks, Denied, Workplace};
use crate::domain::{End, ProviderSpec, Usage};
use crate::provider::testing::{Witness, call};
use crate::provider::{Call, Limits, Provider, Reply};

/// A directory in which everything is allowed that doesn't have `no` in its name.
struct Yard {
    dir: TempDir,
    at: PathBuf,
    refused: Vec<String>,
}

impl Yard {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let at = dir.path().canonicalize().unwrap();
        fs::write(at.join("file"), "one\ntwo\nthree\n").unwrap();
        Self { dir, at, refused: Vec::new() }
    }
}

impl Workplace for Yard {
    fn dir(&self) -> &Path {
        &self.at
    }

    fn may(&self, _: Asks, path: &Path) -> Result<(), String> {
        let no = path.to_string_lossy().contains("no");
        if no { Err("is not yours".to_owned()) } else { Ok(()) }
    }

    fn read(&mut self, path: &Path) -> Result<String, Denied> {
        self.may(Asks::Read, path).map_err(Denied::Refused)?;
        fs::read_to_string(self.at.join(path)).map_err(|_| Denied::Failed("can't be read".to_owned()))
    }

    fn write(&mut self, path: &Path, text: &str) -> Result<(), Denied> {
        self.may(Asks::Write, path).map_err(Denied::Refused)?;
        fs::write(self.at.join(path), text).map_err(|_| Denied::Failed("can't be written".to_owned()))
    }

    fn refused(&mut self, what: &str) {
        self.refused.push(what.to_owned());
    }
}

/// What an agent says first: that it speaks version 1, and that there is a session.
const GREETING: &str = r#"
read -r l; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}'
read -r l; echo '{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s"}}'
read -r l
say() { echo '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"'"$1"'"}}}}'; }
ask() { echo '{"jsonrpc":"2.0","id":"a","method":"'"$1"'","params":{"sessionId":"s",'"$2"'}}'; read -r l; }
end() { echo '{"jsonrpc":"2.0","id":3,"result":{"stopReason":"'"$1"'"}}'; }
"#;

fn agent(script: &str) -> Provider {
    let argv = ["sh", "-c", script, "sh", "{model}"].map(str::to_owned).to_vec();
    Provider::new("p", &ProviderSpec::Agent { argv, env: Vec::new() }).unwrap()
}

async fn work(provider: &Provider) -> (Reply, Witness, Yard) {
    let (mut witness, mut yard) = (Witness::default(), Yard::new());
    let asked = Call { system: "Be quick.".into(), prompt: "Do it.".into(), ..call() };
    let reply = provider.work(&asked, &mut yard, &mut witness, &CancellationToken::new()).await;
    (reply, witness, yard)
}

async fn after_greeting(script: &str) -> (Reply, Witness, Yard) {
    work(&agent(&format!("{GREETING}{script}"))).await
}

#[tokio::test]
async fn it_is_told_its_task_and_what_it_says_is_the_text() {
    let script = r#"say 'I am '; say "$1"; ask fs/read_text_file '"path":"file","line":2,"limit":1'
        say "$(echo "$l" | tr -d '"{}')"; pwd >&2; cp /dev/null made; end end_turn; cat > rest"#;
    let (reply, witness, yard) = after_greeting(script).await;
    let heard = "id:a,jsonrpc:2.0,result:content:two";
    assert_eq!((&reply.end, reply.text.replace('\n', "\\n")), (&End::Complete, format!("I am m\\n\\n{heard}")));
    assert_eq!((reply.usage, yard.refused.len()), (Usage::default(), 0));
    assert!(yard.at.join("made").exists(), "it works in the place");
    assert!(witness.deltas.concat().contains("\n\n> read file: done\n"), "{:?}", witness.deltas);
    let sent = String::from_utf8(witness.sent.clone()).unwrap();
    let lines: Vec<serde_json::Value> = sent.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4, "{sent}");
    assert_eq!(lines[0]["params"]["clientCapabilities"]["terminal"], false);
    assert_eq!(
        (lines[1]["params"]["cwd"].as_str(), lines[2]["method"].as_str()),
        (yard.at.to_str(), Some("session/prompt"))
    );
    assert_eq!(lines[2]["params"]["prompt"][0]["text"], "Be quick.\n\nDo it.");
    assert!(witness.body().ends_with("\"stopReason\":\"end_turn\"}}\n"));
    drop(yard.dir);
}

#[tokio::test]
async fn what_is_refused_is_answered_shown_and_kept() {
    let permit = |kind: &str, path: &str, option: &str| {
        let call = format!(
            r#""toolCall":{{"toolCallId":"{kind} {option}","title":"T","kind":"{kind}","locations":[{path}]}}"#
        );
        format!(
            "ask session/request_permission '{call},\"options\":[{{\"optionId\":\"o\",\"name\":\"o\",\"kind\":\"{option}\"}}]'\n\
             echo \"$l\" >> answers\n"
        )
    };
    let (file, not) = (r#"{"path":"file"}"#, r#"{"path":"no"}"#);
    let cases: [(String, &str); 9] = [
        (
            "ask fs/write_text_file '\"path\":\"file\",\"content\":\"x\"'; echo \"$l\" >> answers\n".to_owned(),
            "\"result\":{}",
        ),
        (
            "ask fs/write_text_file '\"path\":\"no\",\"content\":\"x\"'; echo \"$l\" >> answers\n".to_owned(),
            "refused: no is not yours",
        ),
        ("ask fs/write_text_file '\"path\":7'; echo \"$l\" >> answers\n".to_owned(), "-32602"),
        ("ask terminal/create '\"command\":\"sh\"'; echo \"$l\" >> answers\n".to_owned(), "-32601"),
        (permit("edit", file, "allow_once"), "\"optionId\":\"o\""),
        (permit("edit", file, "allow_always"), "cancelled"),
        (permit("edit", not, "reject_once"), "\"optionId\":\"o\""),
        (permit("edit", "", "allow_once"), "cancelled"),
        (permit("execute", file, "allow_once"), "cancelled"),
    ];
    let script: String = cases.iter().map(|(script, _)| script.as_str()).collect();
    let (reply, witness, yard) = after_greeting(&format!("{script}end end_turn")).await;
    assert_eq!(reply.end, End::Complete);
    let answers = fs::read_to_string(yard.at.join("answers")).unwrap();
    assert_eq!(answers.lines().count(), cases.len(), "{answers}");
    for (answer, (_, expected)) in answers.lines().zip(&cases) {
        assert!(answer.contains(expected), "{expected}: {answer}");
    }
    assert_eq!(
        yard.refused,
        [
            "write no: refused, it is not yours",
            "terminal/create: refused, it is not offered",
            "asks: T: refused, it can't be allowed for this once only",
            "asks: T: refused, no is not yours",
            "asks: T: refused, it names no file, so nothing says that it stays in the worktree",
            "asks: T: refused, it is not about reading or editing files",
        ]
    );
    let shown = witness.deltas.concat();
    assert!(yard.refused.iter().all(|line| shown.contains(&format!("> {line}\n"))), "{shown}");
}

#[tokio::test]
async fn a_bad_end_is_told_in_the_agents_words() {
    let first = |answer: &str| format!("read -r l; echo '{answer}'; cat");
    let told = [
        ("echo Loading >&2; echo hello; cat".to_owned(), "does not speak the Agent Client Protocol; it said: hello"),
        ("echo no credit >&2; exit 3".to_owned(), "ended with exit code 3 before it was done: no credit"),
        ("exit 0".to_owned(), "ended with exit code 0 before it was done"),
        ("kill -9 $$".to_owned(), "was killed by signal 9"),
        (first(r#"{"id":1,"result":{"protocolVersion":7}}"#), "speaks version 7 of the Agent Client Protocol"),
        (
            first(r#"{"id":1,"error":{"code":-32000,"message":"Authentication required"}}"#),
            "answered with an error: Authentication required; log in with its own command first",
        ),
        (format!("{GREETING}say 'I will not.'; end refusal; cat"), "refused to do it: I will not."),
        (format!("{GREETING}end cancelled; cat"), "says that it was cancelled, which nobody did"),
        (format!("{GREETING}end tired; cat"), "reason that is not known"),
    ];
    for (script, expected) in told {
        let (reply, ..) = work(&agent(&script)).await;
        assert!(matches!(&reply.end, End::Failed(why) if why.contains(expected)), "{script}: {:?}", reply.end);
    }
    let (reply, ..) = after_greeting("say Half.; end max_tokens; cat").await;
    assert!(matches!(&reply.end, End::Truncated(why) if why.contains("max_tokens: Half.")), "{:?}", reply.end);
    let reply = agent("cat").call(&call(), &mut Witness::default(), &CancellationToken::new()).await;
    assert!(matches!(&reply.end, End::Failed(why) if why.contains("change_author")), "{:?}", reply.end);
}

#[tokio::test]
async fn limits_hold() {
    let short = Duration::from_millis(300);
    let tool = r#"echo '{"method":"session/update","params":{"update":{"sessionUpdate":"tool_call","toolCallId":"t","title":"T","status":"in_progress"}}}'"#;
    for (script, limits, expected) in [
        ("cat > rest".to_owned(), Limits { first: short, ..Limits::default() }, "said nothing for 300 ms"),
        (format!("{GREETING}say a; cat"), Limits { idle: short, ..Limits::default() }, "said nothing for 300 ms"),
        (
            format!("{GREETING}{tool}; cat"),
            Limits { idle: Duration::from_millis(1), first: short, ..Limits::default() },
            "said nothing for 300 ms",
        ),
        (
            format!("{GREETING}while :; do say more; sleep 0.01; done"),
            Limits { total: short, ..Limits::default() },
            "took 300 ms, the limit for a whole call",
        ),
        ("head -c 20000000 /dev/zero".to_owned(), Limits::default(), "a line of more than 16 MiB"),
    ] {
        let (reply, ..) = work(&agent(&script).with_limits(limits)).await;
        assert!(matches!(&reply.end, End::Failed(why) if why.contains(expected)), "{script}: {:?}", reply.end);
    }
}

#[tokio::test]
async fn a_cancelled_agent_may_end_its_turn() {
    let cancel = CancellationToken::new();
    let on_text = cancel.clone();
    let mut witness = Witness { on_text: Some(Box::new(move || on_text.cancel())), ..Witness::default() };
    let mut yard = Yard::new();
    let provider =
        agent(&format!("{GREETING}say begun; read -r l; echo \"$l\" > told; end cancelled; cat > rest; echo > out"));
    let reply = provider.work(&call(), &mut yard, &mut witness, &cancel).await;
    assert_eq!((reply.text.as_str(), reply.end), ("begun", End::Cancelled));
    assert!(fs::read_to_string(yard.at.join("told")).unwrap().contains("session/cancel"));
    // It was let go by itself, once nobody spoke to it any more.
    assert!(yard.at.join("out").exists());
}

#[tokio::test]
async fn a_key_that_it_is_given_is_not_in_the_record() {
    let key = "canary-7d1f0c2b9a";
    let argv = ["sh", "-c", &format!("{GREETING}say {key}; end end_turn")].map(str::to_owned).to_vec();
    let spec = ProviderSpec::Agent { argv, env: vec!["MY_API_KEY".to_owned()] };
    let provider = Provider::with_env("p", &spec, |name| (name == "MY_API_KEY").then(|| key.to_owned())).unwrap();
    let (reply, witness, _) = work(&provider).await;
    assert_eq!(reply.end, End::Complete);
    assert!(!witness.body().contains(key) && !reply.text.contains(key), "{}", reply.text);
}
