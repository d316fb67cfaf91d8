//! A terminal with the program in it: keys go in, frames come out, and every wait is for something on the screen.

use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long a wait may last before the test fails: far beyond what any wait takes on a machine that works.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The program puts each frame between these; before the second one has come, the screen is half drawn.
const FRAME_BEGINS: &[u8] = b"\x1b[?2026h";
const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

/// What the person sees at one moment.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    rows: Vec<String>,
    /// The program has the whole screen.
    pub(crate) alternate: bool,
    /// There is no cursor.
    pub(crate) cursor_hidden: bool,
    /// Pastes come marked as such.
    pub(crate) bracketed_paste: bool,
}

impl Frame {
    fn of(screen: &vt100::Screen) -> Self {
        let (_, columns) = screen.size();
        Self {
            rows: screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect(),
            alternate: screen.alternate_screen(),
            cursor_hidden: screen.hide_cursor(),
            bracketed_paste: screen.bracketed_paste(),
        }
    }

    /// The rows, without blanks at their ends.
    pub(crate) fn rows(&self) -> &[String] {
        &self.rows
    }

    /// Whether these words are on the screen, wherever lines break.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.words().contains(words)
    }

    /// Everything on the screen, one blank between words.
    pub(crate) fn words(&self) -> String {
        self.rows.iter().flat_map(|row| row.split_whitespace()).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.iter().try_for_each(|row| writeln!(f, "| {row}"))
    }
}

/// What has come out of the program.
struct Output {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    drawing: bool,
    /// The last screen that was whole.
    whole: vt100::Screen,
    ended: bool,
    /// The reader is to go away with the next bytes, so that nobody holds the terminal any more.
    leaving: bool,
}

impl Output {
    fn take(&mut self, chunk: &[u8]) {
        let from = self.bytes.len().saturating_sub(FRAME_BEGINS.len() - 1);
        self.bytes.extend_from_slice(chunk);
        self.parser.process(chunk);
        let last = |mark: &[u8]| self.bytes[from..].windows(mark.len()).rposition(|window| window == mark);
        self.drawing = match (last(FRAME_BEGINS), last(FRAME_ENDS)) {
            (None, None) => self.drawing,
            (begins, ends) => begins > ends,
        };
        if !self.drawing {
            self.whole = self.parser.screen().clone();
        }
    }
}

/// The program in its terminal. Dropping it ends the program.
pub(crate) struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    output: Arc<(Mutex<Output>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts a command in a terminal of this many columns and rows, in which this has been typed already.
    pub(crate) fn open(command: CommandBuilder, (columns, rows): (u16, u16), typed: &str) -> Self {
        let pty = native_pty_system().openpty(size(columns, rows)).unwrap();
        let (mut bytes, mut keys) = (pty.master.try_clone_reader().unwrap(), pty.master.take_writer().unwrap());
        keys.write_all(typed.as_bytes()).unwrap();
        let child = pty.slave.spawn_command(command).unwrap();
        let parser = vt100::Parser::new(rows, columns, 0);
        let whole = parser.screen().clone();
        let output = Output { parser, bytes: Vec::new(), drawing: false, whole, ended: false, leaving: false };
        let output = Arc::new((Mutex::new(output), Condvar::new()));
        let shared = Arc::clone(&output);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            loop {
                // At the program's end a terminal gives an error or nothing.
                let length = bytes.read(&mut buffer).unwrap_or(0);
                let mut output = shared.0.lock().unwrap();
                output.take(&buffer[..length]);
                output.ended |= length == 0;
                let done = output.ended || output.leaving;
                shared.1.notify_all();
                if done {
                    return;
                }
            }
        });
        Self { master: Some(pty.master), keys: Some(keys), child, output, reader: Some(reader) }
    }

    /// Presses keys by their names, blanks between them: `A`, `Space n`, `C-d`, `Enter`.
    pub(crate) fn press(&mut self, keys: &str) {
        let bytes: Vec<u8> = keys.split(' ').flat_map(bytes_of).collect();
        self.send(&bytes);
    }

    /// Types a text.
    pub(crate) fn text(&mut self, text: &str) {
        self.send(text.as_bytes());
    }

    /// Pastes a text, as terminals do where the program has asked for it.
    pub(crate) fn paste(&mut self, text: &str) {
        self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes());
    }

    fn send(&mut self, bytes: &[u8]) {
        // A program that has ended takes no keys; what waits for their effect says so better.
        let _ = self.keys.as_mut().expect("not hung up").write_all(bytes);
    }

    /// Gives the window another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.output.0.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
    }

    /// The process.
    pub(crate) fn pid(&self) -> i32 {
        self.child.process_id().unwrap().try_into().unwrap()
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// Whether the line discipline is as a shell wants it: echo, lines, signals.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = format!("{:?}", self.master.as_ref().unwrap().get_termios().unwrap().local_flags);
        ["ECHO", "ICANON", "ISIG"].iter().all(|flag| modes.split(['(', ')', '|', ' ']).any(|mode| mode == *flag))
    }

    /// The screen as it is now.
    pub(crate) fn frame(&self) -> Frame {
        Frame::of(&self.output.0.lock().unwrap().whole)
    }

    /// Everything the program has written.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.output.0.lock().unwrap().bytes.clone()
    }

    /// How much the program has written.
    pub(crate) fn written(&self) -> usize {
        self.output.0.lock().unwrap().bytes.len()
    }

    /// Waits until a whole screen is as wanted, and gives it.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, wanted: impl Fn(&Frame) -> bool) -> Frame {
        match self.watch(DEADLINE, |frame, _| wanted(frame)) {
            Ok(frame) => frame,
            Err(frame) => panic!("{what}: not on the screen{}\n{frame}", self.fate()),
        }
    }

    /// Waits until these words are on the screen.
    #[track_caller]
    pub(crate) fn wait_for_words(&self, words: &str) -> Frame {
        self.wait_for(words, |frame| frame.says(words))
    }

    /// Looks at the screen for this long, or until it is as wanted; true if it came to be.
    pub(crate) fn stay(&self, long: Duration, wanted: impl Fn(&Frame) -> bool) -> bool {
        self.watch(long, |frame, _| wanted(frame)).is_ok()
    }

    /// Looks on until this much is written or this long has passed.
    pub(crate) fn stay_until_written(&self, long: Duration, bytes: usize) {
        let _ = self.watch(long, |_, written| written >= bytes);
    }

    /// Waits until the program has written one of these, after the first `from` bytes; gives which, and where it ends.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, from: usize, any: &[&str]) -> (usize, usize) {
        let until = Instant::now() + DEADLINE;
        let mut output = self.output.0.lock().unwrap();
        loop {
            let find = |words: &str| output.bytes[from..].windows(words.len()).position(|at| at == words.as_bytes());
            let found = any.iter().enumerate().filter_map(|(which, words)| Some((find(words)? + words.len(), which)));
            if let Some((end, which)) = found.min() {
                return (which, from + end);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || output.ended {
                let written = String::from_utf8_lossy(&output.bytes[from..]).into_owned();
                drop(output);
                panic!("{any:?} was not written after:\n{written}");
            }
            output = self.output.1.wait_timeout(output, left).unwrap().0;
        }
    }

    fn watch(&self, long: Duration, wanted: impl Fn(&Frame, usize) -> bool) -> Result<Frame, Frame> {
        let until = Instant::now() + long;
        let mut output = self.output.0.lock().unwrap();
        loop {
            let frame = Frame::of(&output.whole);
            if wanted(&frame, output.bytes.len()) {
                return Ok(frame);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || output.ended {
                return Err(frame);
            }
            output = self.output.1.wait_timeout(output, left).unwrap().0;
        }
    }

    fn fate(&self) -> &'static str {
        if self.output.0.lock().unwrap().ended { ", and the program has ended" } else { "" }
    }

    /// Waits for the program's end.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let output = self.output.0.lock().unwrap();
        let (output, _) = self.output.1.wait_timeout_while(output, DEADLINE, |output| !output.ended).unwrap();
        assert!(output.ended, "the program goes on\n{}", Frame::of(&output.whole));
        drop(output);
        self.child.wait().unwrap()
    }

    /// Kills the program, without a warning.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    /// Takes the terminal away, as a window does that is closed, and waits for the program's end.
    #[track_caller]
    pub(crate) fn hang_up(mut self) -> ExitStatus {
        // The reader holds the terminal, too: it goes away with the next bytes, which a key brings about.
        self.output.0.lock().unwrap().leaving = true;
        self.press("?");
        self.reader.take().unwrap().join().unwrap();
        self.keys = None;
        self.master = None;
        let until = Instant::now() + DEADLINE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the program outlives its terminal");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn bytes_of(key: &str) -> Vec<u8> {
    match key {
        "Enter" => b"\r".to_vec(),
        "Space" => b" ".to_vec(),
        "Esc" => b"\x1b".to_vec(),
        "Tab" => b"\t".to_vec(),
        _ => match key.strip_prefix("C-").map(str::as_bytes) {
            Some([letter]) => vec![letter & 0x1f],
            _ => key.as_bytes().to_vec(),
        },
    }
}
