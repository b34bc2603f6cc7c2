use super::*;
use crate::chance::Chance;

#[test]
fn gives_each_path_one_slot() {
    let mut tree = Tree::new();
    assert_eq!(tree.slot(&[]), None);
    assert_eq!(tree.slot(&[b"a"]), Some(0));
    assert_eq!(tree.slot(&[b"a", b"b"]), Some(1));
    assert_eq!(tree.slot(&[b"b"]), Some(2));
    assert_eq!(tree.slot(&[b"a", b"b"]), Some(1));
    assert_eq!(tree.slot(&[b"a"]), Some(0));
    assert_eq!((tree.slots(), tree.nodes()), (3, 2));
}

#[test]
fn finds_what_was_entered_and_nothing_else() {
    let mut tree = Tree::new();
    assert!(tree.find(0, b"").is_none());
    let mut chance = Chance::new(4);
    let mut keys: Vec<Vec<u8>> = Vec::new();
    for _ in 0..2000 {
        // The hash looks at eight bytes at both ends: keys that differ between them share it.
        let mut key = b"EventData".to_vec();
        key.resize(9 + chance.below(30), b'.');
        let at = chance.below(key.len());
        key[at] = chance.number() as u8;
        if chance.one_in(3) {
            key.truncate(chance.below(9));
        }
        let known = keys.iter().position(|one| *one == key);
        assert_eq!(tree.find(0, &key).and_then(|member| member.slot), known);
        if known.is_none() && chance.one_in(2) {
            assert_eq!(tree.slot(&[&key]), Some(keys.len()));
            keys.push(key);
        }
    }
    for (slot, key) in keys.iter().enumerate() {
        let member = tree.find(0, key).expect("What was entered is there.");
        assert_eq!((member.slot, member.node), (Some(slot), None));
    }
}

#[test]
fn tells_what_is_wanted_inside_from_what_is_wanted() {
    let mut tree = Tree::new();
    tree.slot(&[b"System", b"Channel"]);
    let system = tree.find(0, b"System").unwrap();
    assert_eq!(system.slot, None);
    let node = system.node.unwrap();
    assert_eq!(tree.find(node, b"Channel").unwrap().slot, Some(0));
    assert!(tree.find(node, b"System").is_none());
    assert!(tree.find(0, b"Channel").is_none());
}

#[test]
fn makes_no_more_members_than_it_can_number() {
    let mut node = Node::default();
    for number in 0..u16::MAX - 1 {
        node.members.push(Member {
            key: number.to_string().into_bytes(),
            slot: None,
            node: None,
        });
    }
    assert_eq!(node.place(b"one too many"), None);
    node.members.pop();
    assert_eq!(node.place(b"the last"), Some(usize::from(u16::MAX) - 2));
    assert!(node.find(b"the last").is_some() && node.find(b"7").is_some());
    assert!(node.find(b"-7").is_none());
}
