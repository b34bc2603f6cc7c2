use super::*;
use crate::chance::Chance;
use std::collections::BTreeSet;

const LONG: usize = 12;
const LONGEST: usize = 60;
const BOUNDS: Bounds = Bounds {
    seed: 3,
    most: 1 << 16,
    most_bytes: 1 << 24,
};

/// What a line is said to be: lines of k are kept, and those at the ends are others where these count.
fn number(kind: MissKind, line: &str) -> u32 {
    let sum: u32 = line.bytes().map(u32::from).sum();
    let number = (sum % 50) * 3 + kind as u32 % 3;
    if line.starts_with('k') {
        number | KEPT
    } else {
        number
    }
}

/// What the set of a text is remembered by, plainly; None where its lines do not tell.
fn plainly(inner: &str, ends: bool) -> Option<Vec<u8>> {
    let lines = plain_lines(inner)?;
    let last = lines.len() - 1;
    let mut low = 0_u64;
    let mut others = BTreeSet::new();
    let mut kept: Vec<u32> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let kind = match at {
            0 if ends => MissKind::First,
            _ if ends && at == last => MissKind::Last,
            _ => MissKind::Line,
        };
        let number = number(kind, line);
        if number & KEPT != 0 {
            kept.push(number);
            continue;
        }
        if !kept.is_empty() && kept[kept.len() - 1] != APART {
            kept.push(APART);
        }
        if number < 64 {
            low |= 1 << number;
        } else {
            others.insert(number);
        }
    }
    let mut key = low.to_ne_bytes().to_vec();
    for one in others.into_iter().chain(kept) {
        key.extend_from_slice(&one.to_ne_bytes());
    }
    Some(key)
}

/// Split a text at its line ends; None if it is not for here.
fn plain_lines(inner: &str) -> Option<Vec<String>> {
    let mut lines = vec![String::new()];
    let mut characters = 0;
    let mut rest = inner;
    while !rest.is_empty() {
        let size = match rest.as_bytes() {
            [b'\\', b'u', ..] => 6,
            [b'\\', ..] => 2,
            [0x80..=0xff, ..] => return None,
            _ => 1,
        };
        let one = &rest[..size];
        rest = &rest[size..];
        characters += 1;
        if size == 6 {
            let number = u32::from_str_radix(&one[2..], 16).unwrap();
            if number >= 0x80 || number == 0x0a {
                return None;
            }
        }
        if one == "\\n" {
            lines.push(String::new());
        } else {
            *lines.last_mut().unwrap() += one;
        }
    }
    (lines.len() > 1 && characters > LONG && characters <= LONGEST).then_some(lines)
}

fn text(ends: bool) -> (Text, Misses) {
    let text = Text::new(BOUNDS, ends, LONG, LONGEST);
    (text, Misses::new(3))
}

/// Look until all lines are known, telling what is asked for; return the key of the set, if it came to it.
fn set_of(text: &mut Text, misses: &mut Misses, inner: &str) -> Option<Vec<u8>> {
    let value = format!("\"{}\"", inner);
    for _ in 0..2 {
        misses.clear();
        if text.class(value.as_bytes(), 5, misses) == Lines::Apart {
            return None;
        }
        for miss in misses.all() {
            assert_eq!(miss.of, 5);
            if miss.kind == MissKind::Text {
                assert_eq!(miss.value, value.as_bytes());
                return Some(miss.key.clone());
            }
            let line = std::str::from_utf8(&miss.key).unwrap();
            text.learn(miss.kind as u32, &miss.key, number(miss.kind, line));
        }
    }
    panic!("Something is asked for again that was told: {}", inner);
}

const PIECES: &[&str] = &[
    "a",
    "kept",
    "k",
    "line",
    "\\n",
    "\\n",
    "\\n",
    "\\r\\n",
    "\\\\n",
    "\\\\",
    "\\\"",
    "\\t",
    "\\/",
    " ",
    "\\u0041",
    "\\u006e",
    "\\u007F",
    "kk\\n",
    "\\n\\n",
    "\\u000b",
    "\\u001e",
    "0123456789",
];
const STOPS: &[&str] = &[
    "\\u000a",
    "\\u000A",
    "\\u0080",
    "\\u00e9",
    "\\u1041",
    "\u{e9}",
    "\u{1f600}",
];

#[test]
fn gathers_the_lines_that_a_plain_twin_gathers() {
    let mut chance = Chance::new(11);
    let mut told = 0;
    for ends in [false, true] {
        let (mut text, mut misses) = text(ends);
        for _ in 0..20_000 {
            let mut inner = String::new();
            for _ in 0..chance.below(20) {
                let pieces = if chance.one_in(60) { STOPS } else { PIECES };
                inner.push_str(chance.of(pieces));
            }
            let expected = plainly(&inner, ends);
            told += usize::from(expected.is_some());
            assert_eq!(
                set_of(&mut text, &mut misses, &inner),
                expected,
                "{}",
                inner
            );
        }
    }
    assert!(told > 10_000, "{}", told);
}

#[test]
fn looks_at_texts_of_lengths_between_its_bounds() {
    let (mut text, mut misses) = text(false);
    for size in 2..80 {
        for escape in ["", "\\t", "\\u0041"] {
            let escapes = usize::from(!escape.is_empty());
            let inner = format!("\\n{}{}", escape, "x".repeat(size - 1 - escapes));
            let told = set_of(&mut text, &mut misses, &inner).is_some();
            assert_eq!(told, size > LONG && size <= LONGEST, "{} {}", size, escape);
        }
    }
    assert!(!text.may_tell(&[b'x'; LONG]) && text.may_tell(&[b'x'; LONG + 1]));
}

#[test]
fn stops_at_each_escape_that_is_no_plain_character() {
    let (mut text, mut misses) = text(false);
    for number in 0..0x200 {
        let inner = format!("\\nline\\u{:04x} and more", number);
        let told = set_of(&mut text, &mut misses, &inner).is_some();
        assert_eq!(told, number < 0x80 && number != 0x0a, "{}", inner);
    }
}

#[test]
fn tells_the_ends_of_a_text_from_the_lines_between() {
    let (mut text, mut misses) = text(true);
    assert_eq!(
        text.class(br#""same\nsame\nsame""#, 0, &mut misses),
        Lines::Unknown
    );
    let asked: Vec<MissKind> = misses.all().iter().map(|miss| miss.kind).collect();
    assert_eq!(asked, [MissKind::First, MissKind::Line, MissKind::Last]);
    misses.clear();
    assert_eq!(
        text.class(br#""\n\n          \n""#, 0, &mut misses),
        Lines::Unknown
    );
    let asked: Vec<(MissKind, &[u8])> = misses
        .all()
        .iter()
        .map(|miss| (miss.kind, &miss.key[..]))
        .collect();
    assert_eq!(asked[0], (MissKind::First, &b""[..]));
    assert_eq!(asked[1], (MissKind::Line, &b""[..]));
    assert_eq!(asked[3], (MissKind::Last, &b""[..]));
}

#[test]
fn asks_for_nothing_of_a_text_that_its_lines_do_not_decide() {
    let (mut text, mut misses) = text(true);
    for value in [
        "\"only one line of some length\"",
        "\"\u{e9}\\nanother line of some length\"",
        "12345678901234567",
    ] {
        assert_eq!(text.class(value.as_bytes(), 0, &mut misses), Lines::Apart);
        assert!(misses.all().is_empty(), "{}", value);
    }
}

#[test]
fn keeps_apart_what_stands_between_kept_lines() {
    let (mut text, mut misses) = text(false);
    let mut key = |inner: &str| set_of(&mut text, &mut misses, inner).unwrap();
    let together = key("kept\\nkeptalso\\nother");
    let between = key("kept\\nother\\nkeptalso");
    let more = key("kept\\nother\\nother\\nkeptalso");
    let turned = key("keptalso\\nkept\\nother");
    assert_ne!(together, between);
    assert_ne!(together, turned);
    assert_eq!(between, more);
}

#[test]
fn knows_a_set_until_it_is_cleared() {
    let (mut text, mut misses) = text(false);
    let value = br#""first line\nsecond line""#;
    let key = set_of(&mut text, &mut misses, "first line\\nsecond line").unwrap();
    text.learn(MissKind::Text as u32, &key, 9);
    assert_eq!(text.class(value, 0, &mut misses), Lines::Class(9));
    assert_eq!(
        text.class(br#""second line\nfirst line""#, 0, &mut misses),
        Lines::Class(9)
    );
    text.learn(MissKind::Text as u32, &key, APART);
    assert_eq!(text.class(value, 0, &mut misses), Lines::Apart);
    text.clear();
    misses.clear();
    assert_eq!(text.class(value, 0, &mut misses), Lines::Unknown);
    assert_eq!(misses.all().len(), 2);
}
