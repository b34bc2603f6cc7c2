use super::*;
use crate::chance::Chance;
use crate::codes::NOTHING;
use crate::misses::MissKind;
use std::panic::{catch_unwind, AssertUnwindSafe};

const ROUTE: &[u8] = b"1\0\"c\"";
const HELD: u32 = 8;
const VALUE: usize = 2;
const OTHER: usize = 3;

/// Lanes with one plan, of documents ``{"EventID":1,"Channel":"c"}``.
fn lanes(gate: u32, idle: bool, plain: bool) -> Lanes {
    let mut lanes = Lanes::new(5, 1000, 1 << 20);
    for (slot, path) in [
        &[&b"EventID"[..]][..],
        &[b"Channel"],
        &[b"value"],
        &[b"other"],
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(lanes.slot(path), Some(slot));
    }
    let inside = lanes.slot(&[b"EventID", b"#text"]).unwrap();
    lanes.route_by(vec![1], vec![0], vec![inside]);
    assert_eq!(lanes.plan(gate, idle, plain), 0);
    lanes.learn_route(ROUTE, 0);
    lanes
}

/// The same with one cell, which takes ``value``.
fn lanes_of_value() -> Lanes {
    let mut lanes = lanes(0, false, false);
    let memo = lanes.memo();
    lanes.cell(0, memo, None, vec![vec![VALUE]]);
    lanes
}

fn look(lanes: &mut Lanes, members: &str) -> u32 {
    lanes.start_batch();
    again(lanes, members)
}

fn again(lanes: &mut Lanes, members: &str) -> u32 {
    lanes.start();
    lanes.look(&document(members), 0)
}

fn document(members: &str) -> Vec<u8> {
    format!(r#"{{"EventID":1,"Channel":"c"{}}}"#, members).into_bytes()
}

fn misses(lanes: &Lanes) -> Vec<(MissKind, u32, Vec<u8>)> {
    let all = lanes.decided.misses.all().iter();
    all.map(|miss| (miss.kind, miss.of, miss.key.clone()))
        .collect()
}

fn signature(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_ne_bytes())
        .collect()
}

#[test]
fn asks_for_the_class_then_for_the_signature_then_answers() {
    let mut lanes = lanes_of_value();
    let members = r#","value":"x""#;
    assert_eq!(look(&mut lanes, members), WAITING);
    assert_eq!(misses(&lanes), [(MissKind::Class, 0, b"\"x\"".to_vec())]);
    lanes.learn_class(0, b"\"x\"", 7, true);
    assert_eq!(again(&mut lanes, members), WAITING);
    assert_eq!(
        misses(&lanes),
        [(MissKind::Signature, 0, signature(&[0, 7]))]
    );
    lanes.learn_signature(&signature(&[0, 7]), HELD);
    for _ in 0..3 {
        assert_eq!(look(&mut lanes, members), HELD);
        assert!(misses(&lanes).is_empty());
    }
    assert_eq!(look(&mut lanes, r#","value":"y""#), WAITING);
    assert_eq!(look(&mut lanes, r#","value":null"#), WAITING);
    assert_eq!(misses(&lanes), [(MissKind::Class, 0, Vec::new())]);
}

#[test]
fn asks_for_a_route_for_each_document_and_for_a_class_once() {
    let mut lanes = lanes_of_value();
    lanes.start();
    for position in 0..3 {
        assert_eq!(
            lanes.look(br#"{"EventID":"2","Channel":"c"}"#, position),
            UNKNOWN
        );
        assert_eq!(lanes.look(&document(r#","value":1"#), position), WAITING);
    }
    let of_route = (MissKind::Route, 0, b"\"2\"\0\"c\"".to_vec());
    let found = misses(&lanes);
    assert_eq!(found.iter().filter(|one| **one == of_route).count(), 3);
    assert_eq!(found.len(), 4);
    lanes.start();
    assert!(misses(&lanes).is_empty());
}

#[test]
fn writes_what_is_asked_for_as_the_caller_reads_it() {
    let mut lanes = lanes_of_value();
    lanes.start();
    lanes.look(&document(r#","value":"xyz""#), 6);
    lanes.look(&document(r#","value":12"#), 8);
    let mut expected = signature(&[2, 0, 0, 6, 5, 0, 0, 0, 8, 2, 0]);
    expected.extend_from_slice(b"\"xyz\"12");
    assert_eq!(lanes.written_misses(), expected);
    assert_eq!(lanes.written_misses(), expected);
}

#[test]
fn takes_the_route_of_an_event_id_with_attributes() {
    let mut lanes = lanes(0, true, false);
    lanes.start();
    for (event_id, code) in [
        (r##"{"#text":1,"#attributes":{"Qualifiers":2}}"##, NOTHING),
        ("1", NOTHING),
        (r##"{"#text":2}"##, UNKNOWN),
        (r##"{"#text":null}"##, PLAIN),
        (r##"{"#text":[]}"##, PLAIN),
        ("{}", PLAIN),
        ("[]", PLAIN),
        ("1.0", PLAIN),
        ("null", PLAIN),
    ] {
        let text = format!(r#"{{"EventID":{},"Channel":"c"}}"#, event_id);
        assert_eq!(lanes.look(text.as_bytes(), 0), code, "{}", text);
    }
    assert_eq!(lanes.look(br#"{"EventID":1,"Channel":null}"#, 0), PLAIN);
    assert_eq!(lanes.look(br#"{"EventID":1,"Channel":{}}"#, 0), PLAIN);
}

#[test]
fn leaves_documents_with_forbidden_values_to_decoding() {
    let mut lanes = lanes(0, true, false);
    lanes.forbid(VALUE);
    for (members, code) in [
        ("", NOTHING),
        (r#","value":null"#, NOTHING),
        (r#","value":{}"#, PLAIN),
        (r#","value":1"#, PLAIN),
    ] {
        assert_eq!(look(&mut lanes, members), code, "{}", members);
    }
}

#[test]
fn leaves_documents_to_decoding_that_lack_what_a_value_implies() {
    let mut lanes = lanes(0, true, false);
    lanes.imply(VALUE, OTHER);
    for (members, code) in [
        ("", NOTHING),
        (r#","other":1"#, NOTHING),
        (r#","value":1"#, PLAIN),
        (r#","value":1,"other":null"#, PLAIN),
        (r#","value":1,"other":false"#, NOTHING),
    ] {
        assert_eq!(look(&mut lanes, members), code, "{}", members);
    }
}

#[test]
fn leaves_documents_to_decoding_that_lack_what_a_plan_requires() {
    let mut lanes = lanes(0, true, false);
    lanes.require(0, vec![VALUE, OTHER]);
    for (members, code) in [
        ("", PLAIN),
        (r#","value":null"#, PLAIN),
        (r#","other":1"#, NOTHING),
        (r#","value":[]"#, NOTHING),
    ] {
        assert_eq!(look(&mut lanes, members), code, "{}", members);
    }
    lanes.require(0, vec![OTHER]);
    assert_eq!(look(&mut lanes, r#","value":1"#), PLAIN);
    lanes.require(0, vec![]);
    assert_eq!(look(&mut lanes, r#","value":1,"other":1"#), PLAIN);
}

#[test]
fn names_the_gate_of_documents_that_need_not_be_decoded() {
    let mut with_gate = lanes(4, true, false);
    with_gate.require(0, vec![VALUE]);
    with_gate.start();
    assert_eq!(with_gate.look(&document(""), 1), PLAIN);
    assert_eq!(with_gate.look(&document(r#","value":1"#), 2), NOTHING);
    assert_eq!(with_gate.gated(), [2, 4]);
    with_gate.start();
    assert!(with_gate.gated().is_empty());
    assert_eq!(look(&mut lanes(4, false, true), ""), PLAIN);
}

#[test]
fn leaves_values_that_are_no_text_and_no_integer_to_decoding() {
    let mut lanes = lanes(0, false, false);
    let (one, several) = (lanes.memo(), lanes.memo());
    lanes.cell(0, one, None, vec![vec![VALUE]]);
    lanes.cell(0, several, None, vec![vec![VALUE], vec![OTHER]]);
    for value in ["true", "1.5", "[]", "{}"] {
        assert_eq!(look(&mut lanes, &format!(",\"value\":{}", value)), PLAIN);
        assert_eq!(
            look(&mut lanes, &format!(",\"value\":1,\"other\":{}", value)),
            PLAIN
        );
    }
}

#[test]
fn tells_the_values_of_a_cell_apart() {
    let mut lanes = lanes(0, false, false);
    let memo = lanes.memo();
    lanes.cell(0, memo, None, vec![vec![VALUE], vec![OTHER], vec![VALUE]]);
    let mut keys = Vec::new();
    for members in [
        "",
        r#","value":"""#,
        r#","other":"""#,
        r#","value":"\u0000""#,
        r#","value":1,"other":11"#,
        r#","value":11,"other":1"#,
    ] {
        assert_eq!(look(&mut lanes, members), WAITING);
        keys.extend(misses(&lanes).into_iter().map(|(_, _, key)| key));
    }
    assert_eq!(keys[0], b"\0\0");
    assert_eq!(keys[1], b"\"\"\0\0\"\"");
    assert_eq!(keys[4], b"1\x0011\x001");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6);
}

#[test]
fn knows_what_is_not_lasting_in_its_batch_only() {
    let mut lanes = lanes_of_value();
    let long = format!("\"{}\"", "x".repeat(1 << 14));
    for (value, lasting) in [("\"x\"", false), (&long, true)] {
        let members = format!(",\"value\":{}", value);
        assert_eq!(look(&mut lanes, &members), WAITING);
        lanes.learn_class(0, value.as_bytes(), 1, lasting);
        lanes.learn_signature(&signature(&[0, 1]), HELD);
        assert_eq!(again(&mut lanes, &members), HELD);
        assert_eq!(look(&mut lanes, &members), WAITING);
    }
}

#[test]
fn forgets_classes_and_signatures_but_not_routes() {
    let mut lanes = lanes_of_value();
    let members = r#","value":1"#;
    lanes.learn_class(0, b"1", 3, true);
    lanes.learn_signature(&signature(&[0, 3]), HELD);
    assert_eq!(look(&mut lanes, members), HELD);
    lanes.forget();
    // Not even the value that was looked up last is known.
    assert_eq!(look(&mut lanes, members), WAITING);
    assert_eq!(misses(&lanes), [(MissKind::Class, 0, b"1".to_vec())]);
    // Nor is the signature, where the classes mean something else now.
    lanes.learn_class(0, b"1", 3, true);
    assert_eq!(again(&mut lanes, members), WAITING);
    assert_eq!(
        misses(&lanes),
        [(MissKind::Signature, 0, signature(&[0, 3]))]
    );
    lanes.learn_signature(&signature(&[0, 3]), HELD + 1);
    assert_eq!(again(&mut lanes, members), HELD + 1);
}

#[test]
fn forgets_the_lines_of_texts() {
    let mut lanes = lanes(0, false, false);
    let (memo, text) = (lanes.memo(), lanes.text(false, 4, 100));
    lanes.cell(0, memo, Some(text), vec![vec![VALUE]]);
    let members = r#","value":"abc\ndef""#;
    for forget in [Lanes::forget, |lanes: &mut Lanes| lanes.forget_text(0)] {
        assert_eq!(look(&mut lanes, members), WAITING);
        assert_eq!(misses(&lanes).len(), 2);
        lanes.learn_text(text, MissKind::Line as u32, b"abc", 0);
        lanes.learn_text(text, MissKind::Line as u32, b"def", 1);
        assert_eq!(again(&mut lanes, members), WAITING);
        let set = misses(&lanes).remove(0);
        assert_eq!((set.0, set.1), (MissKind::Text, 0));
        lanes.learn_text(text, MissKind::Text as u32, &set.2, 6);
        lanes.learn_signature(&signature(&[0, 6]), HELD);
        assert_eq!(again(&mut lanes, members), HELD);
        forget(&mut lanes);
    }
    // One line, or a short text, is a value like any other.
    for value in [r#""abcdefgh""#, r#""a\nb""#] {
        assert_eq!(look(&mut lanes, &format!(",\"value\":{}", value)), WAITING);
        assert_eq!(
            misses(&lanes),
            [(MissKind::Class, 0, value.as_bytes().to_vec())]
        );
    }
}

#[test]
fn answers_that_all_must_be_decoded_once_it_has_panicked() {
    let mut lanes = lanes_of_value();
    lanes.learn_class(0, b"1", 1, true);
    lanes.learn_signature(&signature(&[0, 1]), HELD);
    assert_eq!(look(&mut lanes, r#","value":1"#), HELD);
    // A plan that nobody made: what cannot be, but stands for any fault.
    lanes.learn_route(b"9\0\"c\"", 99);
    let fault = br#"{"EventID":9,"Channel":"c"}"#;
    assert!(catch_unwind(AssertUnwindSafe(|| lanes.look(fault, 0))).is_err());
    for members in [r#","value":1"#, "", "}"] {
        assert_eq!(look(&mut lanes, members), PLAIN);
    }
    // What is set up later keeps its number.
    assert_eq!((lanes.plan(0, true, false), lanes.text(true, 1, 2)), (1, 0));
}

#[test]
fn nothing_panics_on_random_and_mutated_documents() {
    let mut chance = Chance::new(30);
    let mut lanes = lanes(1, false, false);
    let (memo, pair, text) = (lanes.memo(), lanes.memo(), lanes.text(true, 3, 50));
    lanes.forbid(4);
    lanes.cell(0, memo, Some(text), vec![vec![VALUE, OTHER]]);
    lanes.cell(0, pair, None, vec![vec![OTHER], vec![VALUE]]);
    let alphabet = b"{}[]\",:\\nu0041 \n-.e\x00\x80";
    let pieces = ["x", "\\n", "\\u0041", "\\u000a", "\\\\", "\u{e9}", "line "];
    let mut waiting = 0;
    for round in 0..60_000 {
        let mut members = String::from(",\"value\":\"");
        for _ in 0..chance.below(9) {
            members.push_str(chance.of(&pieces));
        }
        members += chance.of(&[
            "\"",
            "\",\"other\":1",
            "\",\"other\":\"x\\ny\"",
            "\",\"EventID\":{}",
        ]);
        let mut bytes = document(&members);
        if round % 2 == 0 {
            chance.mutate(&mut bytes, alphabet);
        }
        if round % 10 == 0 {
            lanes.start();
        }
        let code = lanes.look(&bytes, 0);
        waiting += usize::from(code == WAITING);
        assert!(code == PLAIN || code == UNKNOWN || code == WAITING);
        for (kind, of, key) in misses(&lanes) {
            match kind {
                MissKind::Class if round % 3 == 0 => lanes.learn_class(of as usize, &key, 1, true),
                MissKind::Line | MissKind::First | MissKind::Last => {
                    lanes.learn_text(
                        text,
                        kind as u32,
                        &key,
                        (round % 70) | ((round % 5 / 4) << 31),
                    );
                }
                _ => {}
            }
        }
    }
    assert!(waiting > 10_000, "{}", waiting);
}
