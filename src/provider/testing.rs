//! For tests: a real HTTP server on 127.0.0.1 that does exactly what a test says, and an observer that
//! remembers everything.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::transport::Part;
use super::{Call, Limits, Observer, Provider, Request, Retry, speak};
use crate::domain::{End, ProviderSpec, Role, ServerSpec, Usage, WireFormat};

/// What the server does next on a connection, after it has read the request.
pub(crate) enum Step {
    /// Writes these bytes, in one packet if the system agrees.
    Send(Vec<u8>),
    /// Writes these bytes so many times, one after the other.
    Times(Vec<u8>, usize),
    /// Writes these bytes again and again, this often, until the client hangs up.
    Repeat(Vec<u8>, Duration),
    /// Waits for the client to hang up.
    AwaitClose,
}

/// What the server saw.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A request: its head and body.
    Request(String, String),
    /// The client hung up while the server was still busy with it.
    HungUp,
}

/// The server. The n-th connection gets the n-th list of steps, and is closed after them.
pub(crate) struct FakeServer {
    pub(crate) port: u16,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl FakeServer {
    pub(crate) async fn start(connections: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for steps in connections {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, steps, tell.clone()));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn spec(&self, format: WireFormat) -> ServerSpec {
        ServerSpec { format, base_url: format!("http://127.0.0.1:{}/v1", self.port), key: None }
    }

    /// A provider that speaks chat completions and asks once.
    pub(crate) fn provider(&self) -> Provider {
        let provider = Provider::new("fake", &ProviderSpec::Server(self.spec(WireFormat::OpenAiChat))).unwrap();
        provider.with_limits(once())
    }

    /// The next thing seen already.
    pub(crate) fn seen_so_far(&mut self) -> Option<Seen> {
        self.seen.try_recv().ok()
    }

    /// The next thing seen; waits for it.
    pub(crate) async fn next(&mut self) -> Seen {
        self.seen.recv().await.expect("the server saw nothing more")
    }
}

async fn serve(mut stream: TcpStream, steps: Vec<Step>, tell: mpsc::UnboundedSender<Seen>) {
    let (head, body) = read_request(&mut stream).await;
    // The test may have ended already.
    let _ = tell.send(Seen::Request(head, body));
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    let _ = tell.send(Seen::HungUp);
                    return;
                }
            }
            Step::Times(bytes, times) => {
                for _ in 0..times {
                    if stream.write_all(&bytes).await.is_err() {
                        let _ = tell.send(Seen::HungUp);
                        return;
                    }
                }
            }
            Step::Repeat(bytes, every) => {
                let (mut read, mut write) = stream.split();
                let mut byte = [0];
                loop {
                    tokio::select! {
                        _ = read.read(&mut byte) => break,
                        () = tokio::time::sleep(every) => if write.write_all(&bytes).await.is_err() { break },
                    }
                }
                let _ = tell.send(Seen::HungUp);
            }
            Step::AwaitClose => {
                let _ = stream.read(&mut [0]).await;
                let _ = tell.send(Seen::HungUp);
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase().split_once("content-length: ").map_or(0, |(_, rest)| {
                rest.lines().next().and_then(|line| line.trim().parse().ok()).unwrap_or(0_usize)
            });
            if body.len() >= length {
                return (head.to_owned(), body.to_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return (String::from_utf8_lossy(&bytes).into_owned(), String::new());
        }
    }
}

/// A whole response with a length. `headers` are lines parted by `\r\n`.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let headers = if headers.is_empty() { String::new() } else { format!("{headers}\r\n") };
    // The server closes after it: a client that asks again at once must not take the connection for a living one.
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    vec![Step::Send(format!("{head}{body}").into_bytes())]
}

/// The head of a stream that ends when the server hangs up.
pub(crate) fn stream_head() -> Step {
    Step::Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec())
}

/// An event with this much text.
pub(crate) fn event(text: &str) -> Step {
    let data = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    Step::Send(format!("data: {data}\n\n").into_bytes())
}

/// The events that make a reply complete.
pub(crate) fn stop() -> Step {
    let data = serde_json::json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    Step::Send(format!("data: {data}\n\ndata: [DONE]\n\n").into_bytes())
}

/// What a response says, its parts put together.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) end: End,
    pub(super) usage: Usage,
    pub(super) model: String,
}

/// What a response says that arrives in these pieces.
pub(super) fn read<'a>(format: WireFormat, pieces: impl IntoIterator<Item = &'a [u8]>, marked: bool) -> Said {
    let call = call();
    let ((_, mut reader), mut parts) = (speak(format, &call), Vec::new());
    for piece in pieces {
        reader.read(piece, &mut parts);
    }
    reader.finish(marked, &mut parts);
    let (text, reasoning, model) = Default::default();
    let mut said = Said { text, reasoning, end: End::Interrupted, usage: Usage::default(), model };
    for part in parts {
        match part {
            Part::Text(text) => said.text.push_str(&text),
            Part::Reasoning(text) => said.reasoning.push_str(&text),
            Part::Usage(usage, _) => said.usage = usage,
            Part::Model(model) => said.model = model,
            Part::Broken { words, .. } => {
                said.end = End::Failed(format!("the server broke off: {words}"));
                break;
            }
            Part::End(end) => {
                said.end = end;
                break;
            }
        }
    }
    said
}

/// One attempt only.
pub(crate) fn once() -> Limits {
    Limits { attempts: 1, ..Limits::default() }
}

/// The first call of the author in the plan stage.
pub(crate) fn call() -> Call {
    Call {
        model: "m".into(),
        system: String::new(),
        prompt: "Why?".into(),
        max_output: None,
        role: Role::Author,
        number: 1,
        stage: "plan".into(),
        nth: 1,
    }
}

/// Remembers everything it is told; can tell a test that text has come.
#[derive(Default)]
pub(crate) struct Witness {
    pub(crate) requests: Vec<Request>,
    /// What was said of attempts that failed, and the waits after them, which it skips.
    pub(crate) retries: Vec<(String, Duration)>,
    pub(crate) statuses: Vec<u16>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) chunks: Vec<(u64, Vec<u8>)>,
    pub(crate) deltas: Vec<String>,
    pub(crate) reasoning: Vec<String>,
    pub(crate) sent: Vec<u8>,
    pub(crate) on_text: Option<Box<dyn Fn() + Send>>,
}

impl Witness {
    /// The response's body as recorded.
    pub(crate) fn body(&self) -> String {
        let bytes: Vec<u8> = self.chunks.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Everything that was observed, in one string.
    pub(crate) fn everything(&self) -> String {
        let texts = (self.deltas.concat(), self.reasoning.concat());
        let sent: Vec<_> = self.requests.iter().map(|r| String::from_utf8_lossy(&r.body).into_owned()).collect();
        let retries = &self.retries;
        format!("{:?} {sent:?} {:?} {} {texts:?} {retries:?}", self.requests, self.headers, self.body())
    }
}

impl Observer for Witness {
    fn request(&mut self, request: &Request) {
        self.requests.push(request.clone());
    }

    fn retry(&mut self, retry: &Retry) {
        self.retries.push((retry.why.clone(), retry.wait));
        retry.skip.cancel();
    }

    fn response(&mut self, status: u16, headers: &[(String, String)]) {
        self.statuses.push(status);
        self.headers.extend_from_slice(headers);
    }

    fn sent(&mut self, _elapsed_ns: u64, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
    }

    fn chunk(&mut self, elapsed_ns: u64, bytes: &[u8]) {
        self.chunks.push((elapsed_ns, bytes.to_vec()));
    }

    fn text(&mut self, delta: &str) {
        self.deltas.push(delta.to_owned());
        if let Some(tell) = &self.on_text {
            tell();
        }
    }

    fn reasoning(&mut self, delta: &str) {
        self.reasoning.push(delta.to_owned());
    }
}
