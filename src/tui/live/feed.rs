//! The end of who looks on: hears the driver where there is one, and knows when there is none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{Heard, Hello, Told, socket};

/// How often the journal is looked at, and a driver looked for, while none is heard.
const AGAIN: Duration = Duration::from_millis(500);

/// The driver's words.
pub(in crate::tui) struct Feed {
    path: PathBuf,
    who: String,
    /// The writing half is kept: dropping it would say that we have left.
    heard: Option<(Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf)>,
    again: Interval,
}

impl Feed {
    /// Hears whoever drives, or will.
    pub(in crate::tui) fn new(private: &Path, who: String) -> Self {
        let mut again = interval(AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { path: socket(private), who, heard: None, again }
    }

    /// Whether a driver is heard.
    pub(super) const fn hears(&self) -> bool {
        self.heard.is_some()
    }

    pub(super) async fn next(&mut self) -> Heard {
        if let Some((lines, _)) = &mut self.heard {
            if let Ok(Some(line)) = lines.next_line().await
                && let Ok(told) = serde_json::from_str::<Told>(&line)
            {
                return Heard::Told(told);
            }
            // The driver has gone, or speaks another version's words: the journal still says what happens.
            self.heard = None;
            self.again.reset();
            return Heard::Silence;
        }
        self.again.tick().await;
        if let Ok(stream) = UnixStream::connect(&self.path).await {
            let (hears, mut says) = stream.into_split();
            let mut hello = serde_json::to_string(&Hello { who: self.who.clone() }).unwrap_or_default();
            hello.push('\n');
            if says.write_all(hello.as_bytes()).await.is_ok() {
                self.heard = Some((BufReader::new(hears).lines(), says));
            }
        }
        Heard::Silence
    }
}
