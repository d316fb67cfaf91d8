//! The stored form keeps every event as it is, and keeps reading what was written before.

use std::mem::{Discriminant, discriminant};

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use serde_json::Value;

use crate::domain::{
    ArtifactKind, Check, CheckKind, Details, Enforcement, Figure, GateDef, GateKind, GateRules, GateRun, Reach, RunId,
    Setting, Settings, Spot, Verb, Verdict,
};
use crate::domain::{
    Change, Digest, Gap, LoopId, Measurement, Origin, Person, Reading, Revision, Sample, Side, StageIndex, Unread,
};
use crate::engine::Event;
use crate::journal::testing::every_event;

use super::{VERSION, decode, encode};

const GOLDEN: &str = include_str!("../../../tests/fixtures/journal/v1.json");

/// Names every kind of event: a new one doesn't compile here until it is named, and then fails until it has a sample.
fn kinds() -> usize {
    const fn number(event: &Event) -> usize {
        match event {
            Event::Trusted { .. } => 1,
            Event::Begun { .. } => 2,
            Event::Configured { .. } => 3,
            Event::Prepared { .. } => 4,
            Event::ContextChosen { .. } => 5,
            Event::DraftBegun { .. } => 6,
            Event::Asked { .. } => 7,
            Event::Answered { .. } => 8,
            Event::Drafted { .. } => 9,
            Event::DraftFailed { .. } => 10,
            Event::Written { .. } => 11,
            Event::WorktreeTaken { .. } => 12,
            Event::Critiqued { .. } => 13,
            Event::CritiqueFailed { .. } => 14,
            Event::GateFinished { .. } => 15,
            Event::RerunAsked { .. } => 16,
            Event::Dismissed { .. } => 17,
            Event::Overridden { .. } => 18,
            Event::Decided { .. } => 19,
            Event::CancelAsked { .. } => 20,
            Event::Reopened { .. } => 21,
            Event::Parked { .. } => 22,
            Event::Resumed { .. } => 23,
            Event::Landed { .. } => 24,
            Event::LandingFailed { .. } => 25,
            Event::LandingRetried { .. } => 26,
            Event::Recovered => 27,
            Event::TakenBack { .. } => 28,
            Event::ModelChosen { .. } => 29,
            Event::Questioned { .. } => 30,
            Event::Replied { .. } => 31,
            Event::ReplyFailed { .. } => 32,
        }
    }
    let (id, stage, revision) = (LoopId(1), StageIndex(0), Digest::of(b"x"));
    number(&Event::ReplyFailed { id, stage, revision, finding: 0, exchange: None, why: String::new() })
}

#[test]
fn every_kind_of_event_comes_back_as_it_was() {
    let events = every_event();
    for event in &events {
        let body = encode(event).unwrap();
        assert_eq!(&decode(VERSION, &body).unwrap(), event, "{}", String::from_utf8_lossy(&body));
    }
    let mut seen: Vec<Discriminant<Event>> = Vec::new();
    for event in &events {
        if !seen.contains(&discriminant(event)) {
            seen.push(discriminant(event));
        }
    }
    assert_eq!(seen.len(), kinds(), "every kind of event needs a sample");
}

#[test]
fn what_version_1_wrote_still_reads_and_is_still_written_so() {
    let golden: Vec<Value> = serde_json::from_str(GOLDEN).unwrap();
    let events = every_event();
    assert_eq!(golden.len(), events.len());
    for (stored, event) in golden.iter().zip(&events) {
        assert_eq!(&decode(1, stored.to_string().as_bytes()).unwrap(), event, "{stored}");
        assert_eq!(&serde_json::from_slice::<Value>(&encode(event).unwrap()).unwrap(), stored);
    }
}

#[test]
fn a_call_from_before_calls_were_priced_still_reads() {
    let asked = every_event().into_iter().find(|event| matches!(event, Event::Asked { .. })).unwrap();
    let mut stored: Value = serde_json::from_slice(&encode(&asked).unwrap()).unwrap();
    stored["asked"].as_object_mut().unwrap().remove("quote").unwrap();
    let Event::Asked { quote, .. } = decode(VERSION, stored.to_string().as_bytes()).unwrap() else { panic!() };
    assert_eq!(quote.expected(), None);
}

#[test]
fn a_decision_past_unread_findings_comes_back_as_it_was() {
    let mut events = every_event().into_iter();
    let Some(Event::Decided { id, stage, mut decision }) = events.find(|e| matches!(e, Event::Decided { .. })) else {
        panic!()
    };
    decision.gaps = vec![Gap::UnreadFindings(Unread { seen: 1, total: 3 })];
    let event = Event::Decided { id, stage, decision };
    assert_eq!(decode(VERSION, &encode(&event).unwrap()).unwrap(), event);
}

#[test]
fn gates_of_version_2_come_back_as_they_were() {
    let events = every_event();
    let Some(Event::Configured { id, setup }) = events.iter().find(|e| matches!(e, Event::Configured { .. })) else {
        panic!()
    };
    let mut setup = setup.clone();
    let settings = [
        ("report", Setting::Text("target/junit.xml".into())),
        ("changed", Setting::Number(82_500)),
        ("base", Setting::Truth(false)),
        ("files", Setting::Texts(vec!["src".into()])),
    ];
    let settings = Settings(settings.map(|(key, setting)| (key.to_owned(), setting)).into());
    setup.gates = CheckKind::ALL
        .iter()
        .map(|kind| GateDef {
            name: kind.name().to_owned(),
            kind: GateKind::Check(Check { kind: *kind, command: None, settings: settings.clone() }),
            enforcement: Enforcement::Mandatory,
            rules: GateRules { applies_if: vec!["src".into()], retries: 2, ttl_s: Some(60), ..GateRules::default() },
        })
        .collect();
    let Some(Event::GateFinished { id: judged, stage, run }) =
        events.iter().find(|e| matches!(e, Event::GateFinished { .. }))
    else {
        panic!()
    };
    let figure = Figure { value: 0.1, unit: "%".into(), threshold: Some(80.0), baseline: Some(-1e-300) };
    let details = Details {
        figure: Some(figure),
        spots: vec![Spot { path: "src/a.rs".into(), lines: Some((3, 4)), text: "slow".into() }],
        base_tree: run.subject.tree.clone(),
        key: Some(run.definition),
        tool: Some("cargo 1.95".into()),
        attempts: vec![Verdict::Fail, Verdict::Pass],
        cached_from: Some(RunId(7)),
        firm: true,
    };
    let run = GateRun { verdict: Verdict::Flaky, details, ..run.clone() };
    let unsure = GateRun { verdict: Verdict::Inconclusive, ..run.clone() };
    let finished = |run| Event::GateFinished { id: *judged, stage: *stage, run };
    for event in [Event::Configured { id: *id, setup }, finished(run), finished(unsure)] {
        let body = encode(&event).unwrap();
        assert_eq!(decode(VERSION, &body).unwrap(), event, "{}", String::from_utf8_lossy(&body));
        let unknown = String::from_utf8(body).unwrap().replace("\"kind\":\"junit\"", "\"kind\":\"hunch\"");
        if let Err(error) = decode(VERSION, unknown.as_bytes()) {
            assert!(error.to_string().contains("no kind of gate is called \"hunch\""), "{error}");
        }
    }
}

#[test]
fn how_far_a_gate_reaches_and_what_held_it_come_back() {
    for mut event in every_event() {
        match &mut event {
            Event::Begun { setup, .. } => {
                let GateKind::Command(spec) = &mut setup.gates[0].kind else { panic!() };
                spec.reach = Reach {
                    network: true,
                    writable: vec!["~/.cache/go-build".into()],
                    runner: vec!["ssh".into(), "build-host".into()],
                };
            }
            Event::GateFinished { run, .. } => run.protection = "sandbox".into(),
            _ => continue,
        }
        assert_eq!(decode(VERSION, &encode(&event).unwrap()).unwrap(), event);
    }
}

#[test]
fn a_damaged_body_is_an_error_that_says_what_is_wrong() {
    let drafted = every_event().into_iter().filter(|event| matches!(event, Event::Drafted { .. }));
    for event in drafted {
        let body = String::from_utf8(encode(&event).unwrap()).unwrap();
        let altered = body.replace("it is the lock", "it is the disk");
        let error = decode(VERSION, altered.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("other contents than its id says"), "{error}");
    }
    for (body, says) in [
        ("", "EOF"),
        ("{}", "expected"),
        ("\"recovered\" ", ""),
        ("{\"landed-on-the-moon\":{}}", "unknown variant"),
        ("{\"parked\":{\"id\":1,\"by\":\"x\",\"extra\":1}}", "unknown field"),
        ("{\"trusted\":{\"config\":\"12\",\"by\":\"x\"}}", "64 hexadecimal digits"),
        ("{\"landed\":{\"id\":1,\"commit\":\"HEAD\",\"left\":null}}", "git object id"),
    ] {
        match decode(VERSION, body.as_bytes()) {
            Ok(event) => assert_eq!((event, says), (Event::Recovered, "")),
            Err(error) => assert!(!says.is_empty() && error.to_string().contains(says), "{body}: {error}"),
        }
    }
    assert!(decode(VERSION + 1, b"\"recovered\"").unwrap_err().to_string().contains("version 4"));
}

#[test]
fn a_workflow_that_breaks_its_own_rules_is_not_taken_back() {
    let begun = every_event().into_iter().find(|event| matches!(event, Event::Begun { .. })).unwrap();
    let mut stored: Value = serde_json::from_slice(&encode(&begun).unwrap()).unwrap();
    stored["begun"]["workflow"]["stages"][0]["lands"] = Value::Bool(true);
    assert!(decode(VERSION, stored.to_string().as_bytes()).unwrap_err().to_string().contains("must be the last"));
    stored["begun"]["workflow"]["stages"] = Value::Array(Vec::new());
    assert!(decode(VERSION, stored.to_string().as_bytes()).unwrap_err().to_string().contains("no stage"));
}

#[test]
fn words_are_the_words_of_files_and_screens() {
    let decided = |verb: Verb| {
        let is = |event: &Event| matches!(event, Event::Decided { decision, .. } if decision.verb == verb);
        every_event().into_iter().find(is).unwrap()
    };
    for verb in [Verb::Approve, Verb::Revise, Verb::Abandon] {
        let stored: Value = serde_json::from_slice(&encode(&decided(verb)).unwrap()).unwrap();
        assert_eq!(stored["decided"]["decision"]["verb"], verb.name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_finite_number_comes_back_bit_for_bit(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        let readings = vec![Reading { name: "n".into(), value, unit: String::new() }];
        let sample = Sample { probe: "p".into(), side: Side::After, round: 1, readings };
        let measurement = Measurement { tree: None, samples: vec![sample], failures: Vec::new() };
        let (id, stage) = (LoopId(1), StageIndex(0));
        let measurement = Some(measurement);
        let prepared = Event::Prepared { id, stage, items: Vec::new(), measurement, unmeasured: None };
        let body = encode(&prepared).unwrap();
        match decode(VERSION, &body) {
            Ok(Event::Prepared { measurement: Some(read), .. }) => {
                prop_assert_eq!(read.samples[0].readings[0].value.to_bits(), bits);
            }
            _ => prop_assert_eq!(value.is_finite(), false),
        }
    }

    #[test]
    fn any_text_comes_back_byte_for_byte(text in any::<String>(), patch in any::<String>(), ordinal in any::<u32>()) {
        let (id, stage) = (LoopId(ordinal), StageIndex(0));
        let zeros = "0".repeat(40);
        let (base, tree) = (zeros.parse().unwrap(), zeros.parse().unwrap());
        let change = Change { base, tree, patch: patch.into(), files: Vec::new(), flags: vec![text.clone()] };
        let origin = Origin::Human { name: text.clone() };
        let revision = Revision::new(ArtifactKind::Change, ordinal, text.clone(), Some(change), origin);
        for event in [Event::Drafted { id, stage, revision }, Event::Written { id, stage, text: text.clone(), by: Person(text) }] {
            prop_assert_eq!(decode(VERSION, &encode(&event).unwrap()).unwrap(), event);
        }
    }
}
