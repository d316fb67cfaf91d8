//! A key goes to its server and nowhere else: not into a record, a message or a text, whatever comes back.

use tokio_util::sync::CancellationToken;

use super::super::testing::{FakeServer, Seen, Step, Witness, call, event, http, once, stop, stream_head};
use super::{ask, failure};
use crate::domain::{End, KeySource, ProviderSpec, ServerSpec, WireFormat};
use crate::provider::secrets::MASK;
use crate::provider::{Call, Provider};

const KEY: &str = "sk-proj-CANARY/0123456789+abcdef";

/// A provider with the key in a variable.
fn with_key(spec: ServerSpec) -> Provider {
    let spec = ServerSpec { key: Some(KeySource::Env("MY_KEY".into())), ..spec };
    let provider = Provider::with_env("fake", &ProviderSpec::Server(spec), |_| Some(format!("{KEY}\n"))).unwrap();
    provider.with_limits(once())
}

#[tokio::test]
async fn the_key_goes_to_its_server_and_nowhere_else() {
    let (head, tail) = KEY.split_at(KEY.len() / 2);
    let nearly = KEY.strip_suffix('f').unwrap();
    let cut = vec![stream_head(), event(nearly)];
    let torn = vec![
        stream_head(),
        Step::Send(format!(": {head}").into()),
        Step::Send(format!("{tail}\n\n").into()),
        event("Yes."),
        stop(),
    ];
    let told = format!("x-echo: {KEY}\r\nset-cookie: session=1234");
    let named = format!(r#"{{"model":"{KEY}","choices":[],"usage":{{"note":"{KEY}"}},"error":{{"message":"{KEY}"}}}}"#);
    let base64 = "c2stcHJvai1DQU5BUlkvMDEyMzQ1Njc4OSthYmNkZWY=";
    for (steps, expected) in [
        (
            http("401 Unauthorized", &told, &format!("Incorrect API key provided: {KEY}.")),
            "provided: ***.\nCheck the key in MY_KEY.",
        ),
        (
            http("307 Temporary Redirect", &format!("location: http://127.0.0.1:1/?key={KEY}"), ""),
            "points to http://127.0.0.1:1/?key=***,",
        ),
        // The last letter might have begun the key, and is held back until the end.
        (http("500 Oops", "", "Try other models"), "Internal Server Error: Try other models\n"),
        (http("403 No", "", &format!("basic {base64}")), "basic ***"),
        (http("403 No", "", "leaked sk-ant-api03-0123456789abcdefghij of another"), "leaked sk-ant-*** of another"),
        (http("200 OK", "", &named), "the server broke off: ***"),
        (http("200 OK", "", &format!("data: {{{KEY}\n\n")), "{***"),
        (torn, "Yes."),
        (cut, MASK),
    ] {
        for format in [WireFormat::OpenAiChat, WireFormat::Anthropic, WireFormat::Gemini] {
            let is_chat = format == WireFormat::OpenAiChat;
            let mut server = FakeServer::start(vec![steps.iter().map(copy).collect()]).await;
            let provider = with_key(server.spec(format));
            let mut witness = Witness::default();
            let asked = Call { prompt: format!("My key is {KEY}."), ..call() };
            let reply = provider.call(&asked, &mut witness, &CancellationToken::new()).await;
            let Seen::Request(head, body) = server.next().await else { panic!("no request") };
            assert!(head.contains(&format!(": {KEY}")) || head.contains(&format!(": Bearer {KEY}")), "{head}");
            assert!(body.contains(&format!("My key is {MASK}.")), "{body}");
            let shown = format!("{reply:?} {} {provider:?}", witness.everything());
            for secret in [KEY, base64, "session=1234"] {
                assert!(!shown.contains(secret), "{secret} is in {shown}");
            }
            match &reply.end {
                End::Failed(why) if is_chat => {
                    // A mask stands where the key stood, or only the beginning of a key that isn't ours.
                    let expected =
                        if expected.contains("sk-ant") { expected.to_owned() } else { expected.replace("***", MASK) };
                    assert!(why.contains(&expected), "{why}");
                }
                _ => assert!(!is_chat || reply.text == expected, "{reply:?}"),
            }
        }
    }
}

fn copy(step: &Step) -> Step {
    match step {
        Step::Send(bytes) => Step::Send(bytes.clone()),
        _ => panic!("only what is sent can be sent again"),
    }
}

#[tokio::test]
async fn a_key_that_a_model_spells_out_stays_out_of_the_record() {
    let pieces = |sent: fn(&str) -> Step| {
        KEY.as_bytes().chunks(5).map(|p| String::from_utf8_lossy(p).into_owned()).map(move |piece| sent(&piece))
    };
    let thought = |piece: &str| {
        let data = serde_json::json!({"choices": [{"delta": {"reasoning": piece}}]});
        Step::Send(format!("data: {data}\n\n").into_bytes())
    };
    let spoken: Vec<Step> = std::iter::once(stream_head())
        .chain([event("It is ")])
        .chain(pieces(event))
        .chain([event(", yes"), stop()])
        .collect();
    let mused: Vec<Step> =
        std::iter::once(stream_head()).chain(pieces(thought)).chain([event("No."), stop()]).collect();
    for (steps, text, reasoning) in
        [(spoken, format!("It is {MASK}, yes"), String::new()), (mused, "No.".to_owned(), MASK.to_owned())]
    {
        let server = FakeServer::start(vec![steps]).await;
        let (reply, witness) = ask(&with_key(server.spec(WireFormat::OpenAiChat))).await;
        assert_eq!((&reply.text, &reply.reasoning, &reply.end), (&text, &reasoning, &End::Complete));
        let body = witness.body();
        assert!(body.contains("bytes that spell out the key were removed by windlass]"), "{body}");
        for piece in KEY.as_bytes().chunks(5).map(String::from_utf8_lossy) {
            assert!(!body.contains(&*piece), "{piece} is in {body}");
        }
    }
    // What only begins like the key is recorded as it came.
    let begun = vec![stream_head(), event("sk-pr"), event("oject"), stop()];
    let server = FakeServer::start(vec![begun]).await;
    let (reply, witness) = ask(&with_key(server.spec(WireFormat::OpenAiChat))).await;
    assert_eq!(reply.text, "sk-project");
    assert!(witness.body().contains("oject") && !witness.body().contains("windlass"), "{}", witness.body());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = FakeServer::start(vec![vec![]]).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        for format in WireFormat::ALL {
            let target = format!("http://127.0.0.1:{}/v1/elsewhere", elsewhere.port);
            let server = FakeServer::start(vec![http(status, &format!("location: {target}"), "")]).await;
            let (reply, _) = ask(&with_key(server.spec(format))).await;
            assert!(failure(&reply).contains(&target), "{:?}", reply.end);
        }
    }
    // The other server has one connection to give; it is still there, so nothing has come before this.
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", elsewhere.port)).await.unwrap();
    drop(stream);
    assert_eq!(elsewhere.next().await, Seen::Request(String::new(), String::new()));
}
