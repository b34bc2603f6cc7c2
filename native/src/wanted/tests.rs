use super::*;
use crate::chance::Chance;
use crate::plain::{self, Json};

const PATHS: &[&[&str]] = &[
    &["EventID"],
    &["EventID", "#text"],
    &["Channel"],
    &["System", "Channel"],
    &["System", "Provider"],
    &["System", "Provider", "Name"],
    &["System", "Provider", "#attributes", "Name"],
    &["a"],
    &[""],
    &["\u{e9}"],
];

fn wanted() -> Wanted {
    let mut wanted = Wanted::new(1);
    for (at, path) in PATHS.iter().enumerate() {
        let keys: Vec<&[u8]> = path.iter().map(|key| key.as_bytes()).collect();
        assert_eq!(wanted.slot(&keys), Some(at));
        assert_eq!(wanted.slot(&keys), Some(at));
    }
    assert_eq!(wanted.slot(&[]), None);
    wanted
}

fn first(document: &str, slot: usize) -> Result<String, Refused> {
    let mut wanted = wanted();
    let found = wanted.read(document.as_bytes())?;
    found
        .first(&[slot])
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

fn takes(document: &str) -> bool {
    wanted().read(document.as_bytes()).is_ok()
}

#[test]
fn notes_texts_and_integers_as_they_are_written() {
    for value in [r#""""#, r#""x\n\u0041""#, "0", "-17", "123456789012345678"] {
        assert_eq!(
            first(&format!(r#" {{"b":[1],"a" : {} }} "#, value), 7),
            Ok(value.into())
        );
    }
}

#[test]
fn counts_null_as_absent() {
    assert_eq!(first(r#"{"a":null}"#, 7), Ok(String::new()));
    assert_eq!(first("{}", 7), Ok(String::new()));
}

#[test]
fn refuses_values_of_other_kinds_when_they_are_asked_for() {
    for value in ["true", "1.5", "1e3", "[]", "{}", "1234567890123456789"] {
        let document = format!(r#"{{"a":{}}}"#, value);
        assert!(takes(&document));
        assert_eq!(first(&document, 7), Err(Refused));
        assert_eq!(first(&document, 2), Ok(String::new()));
    }
}

#[test]
fn takes_the_first_of_several_values_that_is_not_null() {
    let mut wanted = wanted();
    let found = wanted.read(br#"{"a":null,"Channel":"c","":1}"#).unwrap();
    assert_eq!(found.first(&[7, 2, 8]), Ok(&b"\"c\""[..]));
    assert_eq!(found.first(&[8, 2]), Ok(&b"1"[..]));
    assert_eq!(found.first(&[]), Ok(&b""[..]));
    assert!(found.present(2) && !found.present(7) && !found.present(3));
}

#[test]
fn finds_values_inside_of_objects() {
    let document =
        r##"{"System":{"x":{"Channel":0},"Provider":{"#attributes":{"Name":"n"},"Name":2}}}"##;
    assert_eq!(first(document, 6), Ok("\"n\"".into()));
    assert_eq!(first(document, 5), Ok("2".into()));
    assert_eq!(first(document, 3), Ok(String::new()));
    let mut wanted = wanted();
    let found = wanted.read(document.as_bytes()).unwrap();
    assert!(found.is_object(4) && !found.is_object(5) && !found.is_object(0));
}

#[test]
fn forgets_the_values_of_the_document_before() {
    let mut wanted = wanted();
    assert!(wanted
        .read(br#"{"a":1,"System":{"Channel":2}}"#)
        .unwrap()
        .present(7));
    let found = wanted.read(br#"{"EventID":3}"#).unwrap();
    assert!(!found.present(7) && !found.present(3) && found.present(0));
    assert!(wanted.read(br#"{"a":1,"#).is_err());
    assert!(!wanted.read(b"{}").unwrap().present(7));
}

#[test]
fn notes_what_is_wanted_later_than_its_key_was_met() {
    let mut wanted = wanted();
    let document = br#"{"a":1,"late":{"inner":2},"b":"and something behind that"}"#;
    for _ in 0..3 {
        assert!(wanted.read(document).unwrap().present(7));
    }
    let late = wanted.slot(&[b"late", b"inner"]).unwrap();
    assert_eq!(wanted.read(document).unwrap().first(&[late]), Ok(&b"2"[..]));
}

#[test]
fn counts_the_last_of_equal_members() {
    assert_eq!(first(r#"{"a":1,"a":2}"#, 7), Ok("2".into()));
    assert_eq!(first(r#"{"a":1,"a":null}"#, 7), Ok(String::new()));
    assert_eq!(
        first(r#"{"System":null,"System":{"Channel":1}}"#, 3),
        Ok("1".into())
    );
    assert_eq!(
        first(r##"{"EventID":5,"EventID":{"#text":6}}"##, 1),
        Ok("6".into())
    );
}

#[test]
fn refuses_a_wanted_object_that_another_value_takes_the_place_of() {
    for value in ["null", "1", "{}", r#"{"Channel":2}"#, "[]"] {
        assert!(!takes(&format!(
            r#"{{"System":{{"Channel":1}},"System":{}}}"#,
            value
        )));
        assert!(!takes(&format!(
            r##"{{"EventID":{{"#text":1}},"EventID":{}}}"##,
            value
        )));
        assert!(!takes(&format!(
            r##"{{"System":{{"Provider":{{"#attributes":{{}}}},"Provider":{}}}}}"##,
            value
        )));
    }
}

#[test]
fn refuses_escapes_in_keys_of_wanted_objects_only() {
    assert!(!takes(r#"{"\u0061":1}"#));
    assert!(!takes(r#"{"System":{"\n":1}}"#));
    assert!(takes(r#"{"other":{"\u0061":1}}"#));
    assert!(takes(r#"{"a":{"\u0061":1}}"#));
}

#[test]
fn refuses_what_is_no_object_where_more_is_wanted_inside() {
    for value in ["1", "\"x\"", "[]", "true"] {
        assert!(!takes(&format!(r#"{{"System":{}}}"#, value)));
        assert!(takes(&format!(r#"{{"EventID":{}}}"#, value)));
    }
    assert!(takes(r#"{"System":null}"#));
}

#[test]
fn refuses_what_is_not_one_object() {
    for document in [
        "",
        " ",
        "[]",
        "1",
        "null",
        "{}{}",
        "{}x",
        "\u{feff}{}",
        "{\"b\":\"\u{0}\"}",
        "{\"b\":1e999}",
    ] {
        assert!(!takes(document), "{}", document);
    }
    assert!(wanted().read(b"{\"b\":\"\xff\"}").is_err());
    assert!(wanted().read(b"{\"\xff\":1}").is_err());
    assert!(takes("\t{}\r\n"));
}

/// Write an object at random, with members that are wanted more often than not, now and then twice.
fn write(chance: &mut Chance, depth: usize, out: &mut String) {
    let keys = [
        "EventID",
        "#text",
        "Channel",
        "System",
        "Provider",
        "Name",
        "#attributes",
        "a",
        "",
        "\u{e9}",
        "b",
        "\\u0061",
    ];
    let values = [
        "null",
        "1",
        "-20",
        "1.5",
        "true",
        "\"x\"",
        "\"\"",
        "\"\\u0041\\n\u{e9}\"",
        "[1,{}]",
        "[]",
        "{}",
    ];
    out.push('{');
    for at in 0..chance.below(6) {
        if at > 0 {
            out.push_str(chance.of(&[",", " , "]));
        }
        let key = if chance.one_in(3) {
            "System"
        } else {
            chance.of(&keys)
        };
        out.push_str(&format!("\"{}\"{}", key, chance.of(&[":", " : "])));
        if depth < 4 && chance.one_in(2) {
            write(chance, depth + 1, out);
        } else {
            out.push_str(chance.of(&values));
        }
    }
    out.push('}');
}

fn plainly(document: &Json, path: &[&str]) -> Result<Vec<u8>, Refused> {
    let found = path
        .iter()
        .try_fold(document, |inside, key| inside.get(key.as_bytes()));
    match found {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Text(written) | Json::Integer(written)) => Ok(written.clone()),
        Some(_) => Err(Refused),
    }
}

#[test]
fn finds_in_random_documents_what_a_plain_reader_finds() {
    let mut chance = Chance::new(21);
    let mut wanted = wanted();
    let mut taken = 0;
    for round in 0..60_000 {
        let mut text = String::new();
        write(&mut chance, 0, &mut text);
        let mut bytes = text.into_bytes();
        if round % 4 == 0 {
            chance.mutate(&mut bytes, b"{}[]\",:\\a0 \x80n");
        }
        // Blocks are only looked at where there are enough bytes.
        bytes.resize(bytes.len() + chance.below(50), b' ');
        if let Ok(found) = wanted.read(&bytes) {
            taken += 1;
            let document = plain::read(&bytes).expect("What is taken is valid.");
            for (slot, path) in PATHS.iter().enumerate() {
                let expected = plainly(&document, path);
                let value = found.first(&[slot]).map(<[u8]>::to_vec);
                assert_eq!(
                    value,
                    expected,
                    "{:?} in {}",
                    path,
                    String::from_utf8_lossy(&bytes)
                );
            }
        }
    }
    assert!(taken > 10_000, "{}", taken);
}
