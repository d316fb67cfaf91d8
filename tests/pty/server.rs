//! A model server on loopback that speaks every wire format, told apart by the path. Requests come to the test, which
//! answers piece by piece.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::runtime;

use crate::desk::Desk;
use crate::format::Format;
use crate::harness::DEADLINE;

/// A furnished desk whose author and critic are behind sockets.
pub(crate) fn desk_with_models() -> (Desk, Server, Server) {
    let (near, far) = (Reserved::new(), Reserved::new());
    let mut desk = Desk::new();
    desk.furnish("");
    let provider = |name: &str, at: &Reserved| {
        format!("[providers.{name}]\nkind = \"openai-chat\"\nbase_url = {:?}\n", at.base_url())
    };
    desk.write_own_config(&(provider("near", &near) + &provider("far", &far)));
    desk.set("WINDLASS_AUTHOR", "near/author-1");
    desk.set("WINDLASS_CRITIC", "far/critic-1");
    (desk, near.serve(), far.serve())
}

/// An address that nobody answers at, and that nobody else can take.
pub(crate) struct Reserved {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Reserved {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers from now on.
    pub(crate) fn serve(self) -> Server {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(async { self.socket.listen(16) }).unwrap().into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        let (calls, arriving) = channel();
        thread::spawn(move || accept(&listener, &calls));
        Server { arriving }
    }
}

fn accept(listener: &TcpListener, calls: &Sender<Call>) {
    for stream in listener.incoming() {
        let (stream, calls) = (stream.unwrap(), calls.clone());
        thread::spawn(move || {
            // Nobody waits for a call any more once the test has ended.
            if let Some(call) = Call::read(stream) {
                let _ = calls.send(call);
            }
        });
    }
}

pub(crate) struct Server {
    arriving: Receiver<Call>,
}

impl Server {
    /// Waits for the next call, which must be of this model and end in these words.
    #[track_caller]
    pub(crate) fn call(&self, model: &str, asks: &str) -> Call {
        let call = self.arriving.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("nobody calls {model}"));
        let body = call.json();
        assert_eq!(call.format.asked(&call.head, &body), (model.to_owned(), true), "{body}");
        assert!(call.prompt().contains(asks), "{asks:?} isn't asked in {}", call.prompt());
        call
    }

    /// Waits for the next call, whatever it is.
    #[track_caller]
    pub(crate) fn next(&self) -> Call {
        self.arriving.recv_timeout(DEADLINE).expect("nobody calls")
    }

    /// Whether no call waits to be answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.arriving.try_recv().is_err()
    }
}

/// A request, waiting for its answer.
pub(crate) struct Call {
    stream: TcpStream,
    format: Format,
    head: String,
    /// The body, as it came.
    pub(crate) body: Vec<u8>,
    /// What was sent back as the body so far.
    sent: Vec<u8>,
}

impl Call {
    /// None of a question for the models that there are: this server doesn't say.
    fn read(mut stream: TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap() > 2 {}
        if head.starts_with("GET ") {
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            return None;
        }
        let format = Format::of(&head);
        let mut call = Self { stream, format, head, body: Vec::new(), sent: Vec::new() };
        let length = call.header("content-length").expect("a body of known length").parse().unwrap();
        call.body.resize(length, 0);
        reader.read_exact(&mut call.body).unwrap();
        Some(call)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The user's message.
    pub(crate) fn prompt(&self) -> String {
        self.format.prompt(&self.json())
    }

    /// The head, as it came.
    pub(crate) fn head(&self) -> &str {
        &self.head
    }

    /// Answers with an error.
    pub(crate) fn refuse(self, status: &str, body: &Value) {
        self.refuse_for(status, "x-for: now", body);
    }

    /// Answers with an error and a header that says for how long.
    pub(crate) fn refuse_for(mut self, status: &str, header: &str, body: &Value) {
        let (body, length) = (body.to_string(), body.to_string().len());
        let head =
            format!("HTTP/1.1 {status}\r\n{header}\r\ncontent-type: application/json\r\ncontent-length: {length}");
        write!(self.stream, "{head}\r\nconnection: close\r\n\r\n{body}").unwrap();
    }

    /// Begins a stream.
    pub(crate) fn begin(&mut self) {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {}", self.format.content_type());
        write!(self.stream, "{head}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n").unwrap();
        self.format.begins().iter().for_each(|event| self.event(event));
    }

    /// Says more: one event for each word.
    pub(crate) fn say(&mut self, text: &str) {
        for word in text.split_inclusive(char::is_whitespace) {
            self.event(&self.format.says(word));
        }
    }

    /// Says this in one event.
    pub(crate) fn say_whole(&mut self, text: &str) {
        self.event(&self.format.says(text));
    }

    /// Says that this is all, and ends. Gives the body that was sent.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.format.ends().iter().for_each(|event| self.event(event));
        if let Format::Chat = self.format {
            self.send("data: [DONE]\n\n");
        }
        // That was the end; the client may have gone.
        let _ = self.stream.write_all(b"0\r\n\r\n");
        self.sent
    }

    /// Answers with this text, and ends. Gives the body that was sent.
    pub(crate) fn answer(mut self, text: &str) -> Vec<u8> {
        self.begin();
        self.say(text);
        self.finish()
    }

    /// Gives up in the middle of a stream.
    pub(crate) fn fail(mut self, words: &str) {
        self.event(&json!({"error": {"message": words, "code": 500}}));
        let _ = self.stream.write_all(b"0\r\n\r\n");
    }

    fn event(&mut self, data: &Value) {
        self.send(&self.format.framed(data));
    }

    fn send(&mut self, text: &str) {
        write!(self.stream, "{:x}\r\n{text}\r\n", text.len()).unwrap();
        self.sent.extend_from_slice(text.as_bytes());
    }
}
