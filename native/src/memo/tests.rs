use super::*;
use crate::chance::Chance;
use std::collections::{HashMap, HashSet};

fn some_key(chance: &mut Chance) -> Vec<u8> {
    let size = match chance.below(4) {
        0 => chance.below(3),
        1 => chance.below(20),
        2 => 60 + chance.below(10),
        _ => 8,
    };
    // Few bytes, so that keys differ in one place, and come again.
    (0..size)
        .map(|_| if chance.one_in(6) { b'b' } else { b'a' })
        .collect()
}

#[test]
fn remembers_what_a_plain_map_remembers() {
    let mut chance = Chance::new(1);
    let mut memo = Memo::new(7, usize::MAX, usize::MAX);
    let mut plain = HashMap::new();
    for round in 0..50_000 {
        let key = some_key(&mut chance);
        assert_eq!(memo.get(&key), plain.get(&key).copied());
        if chance.one_in(2) {
            memo.put(&key, round);
            plain.insert(key, round);
        }
    }
    assert!(plain.len() > 1000);
    for (key, &number) in &plain {
        assert_eq!(memo.get(key), Some(number));
    }
    memo.clear();
    assert!(plain.keys().all(|key| memo.get(key).is_none()));
}

#[test]
fn holds_no_more_than_its_bounds() {
    let mut chance = Chance::new(2);
    for &(most, most_bytes) in &[(1, 1000), (5, 1000), (100, 60), (1000, 500), (0, 0)] {
        let mut memo = Memo::new(3, most, most_bytes);
        let mut plain: HashMap<Vec<u8>, u32> = HashMap::new();
        for round in 0..1000 {
            let key = some_key(&mut chance);
            let bytes: usize = plain.keys().map(Vec::len).sum();
            let full = plain.len() >= most || bytes + key.len() > most_bytes;
            if full && !plain.contains_key(&key) {
                plain.clear();
            }
            memo.put(&key, round);
            plain.insert(key.clone(), round);
            let bytes: usize = plain.keys().map(Vec::len).sum();
            assert_eq!((memo.count, memo.keys.len()), (plain.len(), bytes));
            assert!(memo.count <= most.max(1) && bytes <= most_bytes.max(key.len()));
            assert!(plain
                .iter()
                .all(|(key, &number)| memo.get(key) == Some(number)));
        }
    }
}

#[test]
fn gives_a_key_that_is_there_a_new_number_and_keeps_the_others() {
    let mut memo = Memo::new(1, 2, 100);
    memo.put(b"a", 1);
    memo.put(b"b", 2);
    memo.put(b"b", 3);
    assert_eq!((memo.get(b"a"), memo.get(b"b")), (Some(1), Some(3)));
}

#[test]
fn tells_keys_apart_that_share_a_hash() {
    let mut memo = Memo::new(1, 100, 100);
    memo.put(b"a", 1);
    // What a collision would look like: another key of the same length at the place of this one.
    memo.keys[0] = b'b';
    assert_eq!(memo.get(b"a"), None);
}

#[test]
fn compares_texts_of_all_lengths_whole() {
    for size in 0..150 {
        let one: Vec<u8> = (0..size as u8).collect();
        assert!(same(&one, &one.clone()));
        assert!(!same(&one, &[&one[..], b"x"].concat()));
        for at in 0..size {
            let mut other = one.clone();
            other[at] ^= 1;
            assert!(!same(&one, &other));
            assert_ne!(hash(&one, 5), hash(&other, 5));
        }
    }
}

#[test]
fn hashes_by_its_seed_and_by_the_length() {
    assert_ne!(hash(b"abc", 1), hash(b"abc", 2));
    let hashes: HashSet<u64> = (0..100).map(|size| hash(&vec![0; size], 9)).collect();
    assert_eq!(hashes.len(), 100);
}
