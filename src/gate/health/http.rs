//! The least of HTTP/1.1 that a health check needs: one GET, and the status of the answer.
//!
//! Not the client of the room that talks to models, which is made for keys, streams and journals. There is no TLS here:
//! a check of that is a command.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The most that is read of an answer: its first line is all that is wanted.
const HEAD: usize = 4096;

/// The status that a GET of this `http://` address gives.
///
/// # Errors
/// Why there is none, in words.
pub(super) async fn status(url: &str) -> Result<u16, String> {
    let rest = url.strip_prefix("http://").ok_or("not an http:// address")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port = |host: &str| if has_port(host) { host.to_owned() } else { format!("{host}:80") };
    if host.is_empty() || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("not an address".to_owned());
    }
    let mut stream = TcpStream::connect(port(host)).await.map_err(|error| format!("failed to connect: {error}"))?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: windlass\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| format!("failed to ask: {error}"))?;
    let mut head = Vec::new();
    let mut part = [0; 512];
    while !head.contains(&b'\n') && head.len() < HEAD {
        let length = stream.read(&mut part).await.map_err(|error| format!("failed to read the answer: {error}"))?;
        if length == 0 {
            break;
        }
        head.extend(part.iter().take(length));
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    let status = words.next().and_then(|word| word.parse().ok()).filter(|_| is_http);
    status.ok_or_else(|| "the answer is not HTTP".to_owned())
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}
