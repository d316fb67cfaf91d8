//! A small coding agent for the tests: it speaks the Agent Client Protocol on its standard input and output, keeps what
//! it heard and said in its home, and does what its argument says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Stdin, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use serde_json::{Value, json};

/// The agent, in its session.
struct Agent {
    input: BufReader<Stdin>,
    heard: File,
    said: File,
    home: PathBuf,
    dir: PathBuf,
    asked: u64,
}

fn main() {
    let home = PathBuf::from(env::var_os("HOME").unwrap());
    let log = |name: &str| File::create(home.join(name)).unwrap();
    let (heard, said) = (log("agent-heard"), log("agent-said"));
    let mut agent = Agent { input: BufReader::new(std::io::stdin()), heard, said, home, dir: PathBuf::new(), asked: 0 };
    let hello = agent.hear("initialize");
    assert_eq!(hello["params"]["clientCapabilities"]["terminal"], false, "{hello}");
    agent.answer(&hello, &json!({"protocolVersion": 1, "agentCapabilities": {}, "authMethods": []}));
    let session = agent.hear("session/new");
    agent.dir = PathBuf::from(session["params"]["cwd"].as_str().unwrap());
    agent.answer(&session, &json!({"sessionId": "session-1"}));
    let task = agent.hear("session/prompt");
    match env::args().nth(1).as_deref() {
        Some("make") => agent.make(),
        Some("stay") => agent.stay(),
        other => panic!("{other:?} is nothing that I do"),
    }
    agent.answer(&task, &json!({"stopReason": "end_turn"}));
    // Its client closes the input when the turn is over.
    assert!(agent.next().is_none());
}

impl Agent {
    /// Makes the change, and reaches for more than it may have.
    fn make(&mut self) {
        self.think("One more than there is.");
        self.say("I read the number first. ");
        let (file, outside) = (self.dir.join("round.txt"), self.home.join("outside.txt"));
        let number = self.request("fs/read_text_file", &json!({"sessionId": "session-1", "path": file}));
        let number: u32 = number["result"]["content"].as_str().unwrap().trim().parse().unwrap();
        for path in [&outside, &self.dir.join("../../../config"), &self.dir.join(".git")] {
            let refused = self.write(path, "mine");
            assert!(refused["error"]["message"].as_str().unwrap().starts_with("refused: "), "{refused}");
        }
        assert_eq!(self.permission("edit", "Edit the notes", &outside), "no");
        assert_eq!(self.permission("execute", "Run `curl`", &file), "no");
        assert_eq!(self.permission("edit", "Edit the number", &file), "once");
        self.say("I wait for a word.");
        while !self.home.join("go").exists() {
            thread::sleep(Duration::from_millis(5));
        }
        let written = self.write(&file, &format!("{}\n", number + 1));
        assert_eq!(written["result"], json!({}), "{written}");
        self.say("The number is one more now.");
    }

    /// Begins something that outlives it, and hears nothing any more.
    #[allow(clippy::zombie_processes, reason = "they are to outlive it")]
    fn stay(&mut self) {
        self.write(&self.dir.join("round.txt"), "half done\n");
        let script = "trap '' TERM; echo $$ >> \"$HOME/pids\"; while :; do sleep 1; done";
        for words in [&["sh", "-c", script][..], &["setsid", "sh", "-c", script]] {
            let mut child = Command::new(words[0]);
            child.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            child.spawn().unwrap();
        }
        let pids = self.home.join("pids");
        while fs::read_to_string(&pids).unwrap_or_default().lines().count() < 2 {
            thread::sleep(Duration::from_millis(5));
        }
        let mut file = File::options().append(true).open(pids).unwrap();
        writeln!(file, "{}", std::process::id()).unwrap();
        self.say("I am here to stay.");
        self.hear("session/cancel");
        loop {
            thread::park();
        }
    }

    fn write(&mut self, path: &Path, text: &str) -> Value {
        self.request("fs/write_text_file", &json!({"sessionId": "session-1", "path": path, "content": text}))
    }

    /// Asks whether it may use a tool on a file; the answer's id.
    fn permission(&mut self, kind: &str, title: &str, path: &Path) -> String {
        let id = format!("tool-{}", self.asked);
        let call = json!({"toolCallId": id, "title": title, "kind": kind, "locations": [{"path": path}]});
        let option = |id: &str, kind: &str| json!({"optionId": id, "name": id, "kind": kind});
        let options = [option("always", "allow_always"), option("once", "allow_once"), option("no", "reject_once")];
        let asked = json!({"sessionId": "session-1", "toolCall": call, "options": options});
        let answer = self.request("session/request_permission", &asked);
        answer["result"]["outcome"]["optionId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn say(&mut self, text: &str) {
        self.update(&json!({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}));
    }

    fn think(&mut self, text: &str) {
        self.update(&json!({"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": text}}));
    }

    fn update(&mut self, update: &Value) {
        let params = json!({"sessionId": "session-1", "update": update});
        self.send(&json!({"jsonrpc": "2.0", "method": "session/update", "params": params}));
    }

    fn request(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let id = format!("a{}", self.asked);
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let answer = self.next().unwrap();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn answer(&mut self, request: &Value, result: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}));
    }

    fn hear(&mut self, method: &str) -> Value {
        let message = self.next().unwrap();
        assert_eq!(message["method"], method, "{message}");
        message
    }

    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.input.read_line(&mut line).unwrap();
        self.heard.write_all(line.as_bytes()).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }

    fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.said.write_all(line.as_bytes()).unwrap();
        let mut out = std::io::stdout();
        out.write_all(line.as_bytes()).unwrap();
        out.flush().unwrap();
    }
}
