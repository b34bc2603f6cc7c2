use super::nested::DEEPEST;
use super::*;
use crate::chance::Chance;
use crate::plain::{self, Json};

/// What a text is as a whole; bytes that are no UTF-8 are refused by whoever asked to scan.
fn whole(bytes: &[u8]) -> Result<Kind, Refused> {
    let mut scanner = Scanner::new(bytes);
    scanner.skip_space();
    let kind = scanner.value()?;
    scanner.skip_space();
    let read = scanner.at == bytes.len();
    if read && (!scanner.beyond_ascii || std::str::from_utf8(bytes).is_ok()) {
        Ok(kind)
    } else {
        Err(Refused)
    }
}

const VALID: &[(&str, Kind)] = &[
    ("null", Kind::Null),
    (" \t\r\n null \t\r\n ", Kind::Null),
    ("true", Kind::Other),
    ("false", Kind::Other),
    ("0", Kind::Integer),
    ("-0", Kind::Integer),
    ("-1", Kind::Integer),
    ("4688", Kind::Integer),
    ("123456789012345678", Kind::Integer),
    ("-123456789012345678", Kind::Integer),
    ("1234567890123456789", Kind::Other),
    ("0.0", Kind::Other),
    ("-0.10", Kind::Other),
    ("0e0", Kind::Other),
    ("1E5", Kind::Other),
    ("1e+05", Kind::Other),
    ("1.25e-300", Kind::Other),
    ("12.5E99", Kind::Other),
    (r#""""#, Kind::Text),
    (r#""a""#, Kind::Text),
    (r#"" \" \\ \/ \b \f \n \r \t ""#, Kind::Text),
    (r#""\u0000\u001F\u00e9\ud7ff\ue000\uFFFF""#, Kind::Text),
    ("\"\u{7f}\u{e9}\u{20ac}\u{1f600}\"", Kind::Text),
    ("[]", Kind::Other),
    ("[ ]", Kind::Other),
    ("[1]", Kind::Other),
    ("[ 1 , \"a\" , null , [ ] , { } ]", Kind::Other),
    ("[[[]],[{}]]", Kind::Other),
    ("{}", Kind::Object),
    ("{ }", Kind::Object),
    (r#"{"a":1}"#, Kind::Object),
    (r#"{ "a" : 1 , "" : { "b" : [ ] } }"#, Kind::Object),
    (r#"{"a":1,"a":2}"#, Kind::Object),
    (r#"{"\u0061\n":[{"b":[[],{}]}]}"#, Kind::Object),
];

#[test]
fn takes_valid_documents_and_tells_their_kind() {
    for &(text, kind) in VALID {
        assert_eq!(whole(text.as_bytes()), Ok(kind), "{}", text);
        assert!(plain::read(text.as_bytes()).is_some(), "{}", text);
    }
}

const INVALID: &[&str] = &[
    "",
    " ",
    "\u{feff}null",
    "nul",
    "nulll",
    "NULL",
    "True",
    "tru",
    "fals",
    "nan",
    "NaN",
    "Infinity",
    "undefined",
    "'a'",
    "a",
    "+1",
    "-",
    "--1",
    "- 1",
    "00",
    "01",
    "-01",
    "1.",
    ".5",
    "-.5",
    "1.e1",
    "1.5.5",
    "1e",
    "1e+",
    "1e-",
    "1e1.5",
    "1e1e1",
    "0x10",
    "1_000",
    "1,",
    ",",
    "1 2",
    "\"",
    "\"a",
    "\"a\"b",
    "\"a\"\"b\"",
    r#""\"#,
    r#""\""#,
    r#""\a""#,
    r#""\x41""#,
    r#""\'""#,
    r#""\U0041""#,
    r#""\u""#,
    r#""\u1""#,
    r#""\u12""#,
    r#""\u123""#,
    r#""\u123g""#,
    r#""\u+123""#,
    r#""\u 123""#,
    r#""\ud800""#,
    r#""\uDBFF""#,
    r#""\udc00""#,
    r#""\uDFFF""#,
    r#""\ud83d\ude00""#,
    "[",
    "]",
    "[1",
    "[1,",
    "[,]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "[1:2]",
    "[\"a\":1]",
    "{",
    "}",
    "{]",
    "[}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{,\"a\":1}",
    "{\"a\"}",
    "{\"a\",1}",
    "{\"a\":}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1]",
    "{1:2}",
    "{a:1}",
    "{null:1}",
    "{{}}",
    "{\"a\"::1}",
    "{\"a\":1:2}",
    "[]]",
    "{}}",
    "{}{}",
    "[]1",
    "null,",
    "/**/1",
    "1//",
    "[1]\u{0}",
    "\u{0}",
    "\u{b}1",
    "\u{a0}1",
    "1\u{c}",
    "{\"a\":1,,\"b\":2}",
    "[[1]",
    "[{]}",
    "{\"a\":[}]",
];

#[test]
fn refuses_invalid_documents() {
    for &text in INVALID {
        assert_eq!(whole(text.as_bytes()), Err(Refused), "{}", text);
        assert_eq!(plain::read(text.as_bytes()), None, "{}", text);
    }
}

#[test]
fn refuses_control_characters_wherever_they_are_in_a_string() {
    for byte in 0..=0xff_u8 {
        for before in 0..35 {
            let mut text = vec![b'"'];
            text.resize(1 + before, b'.');
            text.push(byte);
            text.extend_from_slice(&[b'.'; 20]);
            text.push(b'"');
            let taken = (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
            assert_eq!(whole(&text).is_ok(), taken, "{} behind {}", byte, before);
        }
    }
}

#[test]
fn takes_no_other_escapes_than_those_of_the_standard() {
    for byte in 0..=0xff_u8 {
        let taken = b"\"\\/bfnrt".contains(&byte);
        assert_eq!(whole(&[b'"', b'\\', byte, b'"']).is_ok(), taken);
        for place in 0..4 {
            let mut text = *b"\"\\u0123\"";
            text[3 + place] = byte;
            let digit = byte.is_ascii_hexdigit();
            assert_eq!(whole(&text).is_ok(), digit, "{:?}", text);
        }
    }
}

#[test]
fn tells_halves_of_surrogate_pairs_from_characters() {
    for number in 0..=0xffff_u32 {
        let taken = char::from_u32(number).is_some();
        for text in [
            format!("\"\\u{:04x}\"", number),
            format!("\"\\u{:04X}\"", number),
        ] {
            assert_eq!(whole(text.as_bytes()).is_ok(), taken, "{}", text);
        }
    }
}

#[test]
fn takes_lists_and_objects_as_deep_as_the_bound_says() {
    let deepest = DEEPEST as usize;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for inner in ["1", "[]", "{}"] {
            let deep = |levels: usize| open.repeat(levels) + inner + &close.repeat(levels);
            let most = if inner == "1" { deepest } else { deepest - 1 };
            assert!(whole(deep(most).as_bytes()).is_ok());
            assert_eq!(whole(deep(most + 1).as_bytes()), Err(Refused));
        }
    }
    let mixed = |levels: usize| "[{\"a\":".repeat(levels) + "0" + &"}]".repeat(levels);
    assert!(whole(mixed(deepest / 2).as_bytes()).is_ok());
    assert_eq!(whole(mixed(deepest / 2 + 1).as_bytes()), Err(Refused));
    assert_eq!(whole("[".repeat(1 << 20).as_bytes()), Err(Refused));
}

#[test]
fn takes_many_lists_one_behind_another() {
    let inner = "[[1],{\"a\":[2]}],";
    assert!(whole(format!("[{}0]", inner.repeat(500)).as_bytes()).is_ok());
}

#[test]
fn refuses_documents_cut_off_anywhere_and_what_follows_them() {
    let containers = VALID
        .iter()
        .filter(|(text, _)| text.ends_with(['"', ']', '}']));
    for &(text, _) in containers {
        for end in 0..text.len() {
            assert_eq!(whole(&text.as_bytes()[..end]), Err(Refused), "{}", text);
        }
        for behind in ["x", ",", "}", "]", "\"", "{}", "\u{0}", "1"] {
            assert_eq!(whole((text.to_owned() + behind).as_bytes()), Err(Refused));
        }
    }
}

#[test]
fn leaves_numbers_that_no_decoder_takes_to_somebody_else() {
    for text in ["1e999", "-1e999", "1.8e308", "1e100", "1e0000000001"] {
        assert_eq!(whole(text.as_bytes()), Err(Refused), "{}", text);
    }
    assert_eq!(whole("9".repeat(400).as_bytes()), Err(Refused));
    assert_eq!(whole("9".repeat(201).as_bytes()), Err(Refused));
    assert_eq!(whole("9".repeat(200).as_bytes()), Ok(Kind::Other));
    assert_eq!(whole(("9".repeat(200) + "e99").as_bytes()), Ok(Kind::Other));
    assert_eq!(
        whole(("0.".to_owned() + &"9".repeat(400)).as_bytes()),
        Ok(Kind::Other)
    );
}

#[test]
fn refuses_bytes_that_are_no_text() {
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xc3\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xc0\x80\"",
        b"{\"\x80\":1}",
    ] {
        assert_eq!(whole(bytes), Err(Refused));
    }
}

fn kind(found: &Json) -> Kind {
    match found {
        Json::Null => Kind::Null,
        Json::Text(_) => Kind::Text,
        Json::Integer(_) => Kind::Integer,
        Json::Object(_) => Kind::Object,
        Json::Other => Kind::Other,
    }
}

#[test]
fn says_the_same_as_a_plain_reader_of_random_and_mutated_bytes() {
    let mut chance = Chance::new(20);
    let alphabet = b"{}[]\",:\\ \n0123456789.-+eEntfud8\x00\x1f\x80\xc3\xa9ab";
    let mut taken = 0;
    for round in 0..200_000 {
        let mut bytes = Vec::new();
        if round % 4 == 0 {
            for _ in 0..chance.below(24) {
                bytes.push(alphabet[chance.below(alphabet.len())]);
            }
        } else {
            bytes.extend_from_slice(VALID[chance.below(VALID.len())].0.as_bytes());
            chance.mutate(&mut bytes, alphabet);
        }
        // Blocks are only looked at where there are enough bytes.
        bytes.resize(bytes.len() + chance.below(40), b' ');
        let expected = plain::read(&bytes).map(|found| kind(&found)).ok_or(Refused);
        taken += usize::from(expected.is_ok());
        assert_eq!(
            whole(&bytes),
            expected,
            "{:?}",
            String::from_utf8_lossy(&bytes)
        );
    }
    assert!(taken > 10_000, "{}", taken);
}
