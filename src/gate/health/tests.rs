//! Services on this machine: good, bad, slow, recovering, and gone.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::judge;
use crate::domain::{Settings, Verdict};
use crate::gate::testing::{number, settings, texts};

/// A service that gives these answers, one a connection, and the last one for ever. An empty one never answers.
async fn service(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        let mut turn = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answers.get(turn).or(answers.last()).copied().unwrap_or_default();
            turn += 1;
            if answer.is_empty() {
                held.push(stream);
                continue;
            }
            let _ = stream.read(&mut [0; 512]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}/health?deep=1")
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BAD: &str = "HTTP/1.1 503 Service Unavailable\r\n\r\n";

fn asking(urls: &[String], tries: i64, healthy: i64) -> Settings {
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    settings([
        ("urls", texts(&urls)),
        ("tries", number(tries)),
        ("healthy", number(healthy)),
        ("pause_ms", number(1)),
        ("within_ms", number(400)),
    ])
}

#[tokio::test]
async fn every_service_is_listed_with_what_it_answered() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let urls = [
        service(&[GOOD]).await,
        service(&[BAD, GOOD]).await,
        service(&[BAD]).await,
        service(&[""]).await,
        service(&["SSH-2.0-OpenSSH_9.6\r\n"]).await,
        gone,
    ];
    let cancel = CancellationToken::new();
    let judged = judge(&asking(&urls, 3, 1), &cancel).await.unwrap();
    assert_eq!((judged.verdict, judged.summary.as_str()), (Verdict::Fail, "2 of 6 services healthy"));
    for (url, says) in urls.iter().zip([
        "healthy, 1 of 1 tries",
        "healthy, 1 of 2 tries",
        "0 of 3 tries",
        "no answer within 400 ms",
        "the answer is not HTTP",
        "failed to connect",
    ]) {
        let line = judged.text.lines().find(|line| line.contains(url.as_str())).unwrap();
        assert!(line.contains(says), "{line}");
    }
    let good = judge(&asking(&urls[..2], 3, 1), &cancel).await.unwrap();
    assert_eq!((good.verdict, good.figure.unwrap().value), (Verdict::Pass, 2.0));
    let strict = judge(&asking(&urls[..1], 4, 4), &cancel).await.unwrap();
    assert!(strict.verdict == Verdict::Pass && strict.text.contains("4 of 4 tries"), "{strict:?}");
}

#[tokio::test]
async fn services_are_asked_at_once_and_asking_can_be_stopped() {
    let silent = service(&[""]).await;
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.cancel();
    });
    let urls: Vec<String> = std::iter::repeat_n(silent, 100).collect();
    assert_eq!(judge(&asking(&urls, 100, 100), &cancel).await, None);
}
