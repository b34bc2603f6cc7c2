use super::*;
use crate::chance::Chance;

const REST: &str = " 1, \"and\": \"what follows in a document\"}";

struct Case {
    tree: Tree,
    keys: Keys,
}

impl Case {
    fn new() -> Self {
        let mut tree = Tree::new();
        tree.slot(&[b"wanted"]);
        tree.slot(&[b"inner", b"wanted"]);
        let keys = Keys::new(1, tree.nodes());
        Case { tree, keys }
    }

    /// Pass keys of an object as they are written; return the slots that are wanted, and where each ended.
    fn pass(&mut self, node: usize, written: &[&str]) -> Result<Vec<Option<usize>>, Refused> {
        self.keys.start();
        let mut last = Keys::beginning(node);
        let mut found = Vec::new();
        for one in written {
            let text = one.to_string() + REST;
            let mut scanner = Scanner::new(text.as_bytes());
            let wish = self.keys.pass(&mut scanner, &self.tree, node, &mut last)?;
            assert_eq!(scanner.at, one.len(), "{}", one);
            found.push(wish.slot);
        }
        Ok(found)
    }
}

#[test]
fn passes_keys_in_any_order_as_if_nothing_had_been_guessed() {
    let mut chance = Chance::new(40);
    let mut case = Case::new();
    let all = [
        "\"wanted\":",
        "\"wanted\" :",
        "\"wante\":",
        "\"wantedd\":",
        "\"inner\":",
        "\"\":",
        "\"\u{e9}\":",
        "\"a\":",
        "\"b\"\n:",
        "\"of twenty nine characters, all\":",
        "\"of twenty-eight characters ..\":",
        "\"of many more characters than are compared at once\":",
    ];
    for _ in 0..5000 {
        let node = chance.below(2);
        let written: Vec<&str> = (0..chance.below(8)).map(|_| chance.of(&all)).collect();
        let expected: Vec<Option<usize>> = written
            .iter()
            .map(|one| one.starts_with("\"wanted\"").then_some(node))
            .collect();
        assert_eq!(case.pass(node, &written), Ok(expected));
    }
}

#[test]
fn refuses_what_is_no_key_wherever_it_comes() {
    let mut case = Case::new();
    case.pass(0, &["\"a\":", "\"b\":"]).unwrap();
    for wrong in [
        "\0",
        "",
        "1:",
        "\"a\"",
        "\"a\",",
        "\"\\u0061\":",
        "\"\0\":",
        "a:",
        "'a':",
        "}",
    ] {
        assert_eq!(case.pass(0, &[wrong]), Err(Refused), "{:?}", wrong);
        assert_eq!(
            case.pass(0, &["\"a\":", wrong]),
            Err(Refused),
            "{:?}",
            wrong
        );
        assert_eq!(
            case.pass(0, &["\"a\":", "\"b\":", wrong]),
            Err(Refused),
            "{:?}",
            wrong
        );
        assert_eq!(
            case.pass(1, &["\"\u{e9}\":", wrong]),
            Err(Refused),
            "{:?}",
            wrong
        );
    }
}

#[test]
fn guesses_the_last_two_that_came_behind_a_key() {
    let mut case = Case::new();
    case.pass(0, &["\"a\":", "\"b\":"]).unwrap();
    case.pass(0, &["\"a\":", "\"wanted\":"]).unwrap();
    let place = |case: &mut Case, key: &[u8]| case.keys.place(0, key, Wish::default());
    let (a, b, wanted) = (
        place(&mut case, b"a"),
        place(&mut case, b"b"),
        place(&mut case, b"wanted"),
    );
    assert_eq!(case.keys.all[a].next, [wanted, b]);
    case.pass(0, &["\"a\":", "\"b\":"]).unwrap();
    assert_eq!(case.keys.all[a].next, [b, wanted]);
    case.pass(0, &["\"a\":", "\"b\":"]).unwrap();
    assert_eq!(case.keys.all[a].next, [b, wanted]);
}

#[test]
fn knows_no_more_keys_than_its_bound() {
    let mut case = Case::new();
    let many: Vec<String> = (0..2 * MOST)
        .map(|number| format!("\"{}\":", number))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    case.pass(0, &many).unwrap();
    assert!(case.keys.all.len() <= MOST + 1 + case.keys.nodes);
    // Then all are forgotten, and met again.
    assert_eq!(
        case.pass(0, &["\"wanted\":", "\"7\":"]),
        Ok(vec![Some(0), None])
    );
    assert!(case.keys.all.len() <= 3 + case.keys.nodes);
}

#[test]
fn tells_equal_bytes_from_others() {
    let one: Vec<u8> = (0..40).collect();
    let mut other = [0; WIDTH];
    other.copy_from_slice(&one[..WIDTH]);
    assert_eq!(equal(&one, &other), u32::MAX);
    for at in 0..WIDTH {
        other[at] ^= 0x80;
        assert_eq!(equal(&one, &other), !(1 << at));
        other[at] ^= 0x80;
    }
}
