use super::*;
use crate::chance::Chance;

fn plainly(bytes: &[u8], at: usize) -> usize {
    (at..bytes.len())
        .find(|&place| bytes[place] == b'\\' || bytes[place] >= 0x80)
        .unwrap_or(bytes.len())
}

#[test]
fn stops_where_a_plain_loop_stops_wherever_it_begins() {
    for size in 0..70 {
        for place in 0..=size {
            for byte in [b'\\', 0x7f, 0x80, 0xff, 0, b'[', b']'] {
                let mut bytes = vec![b'a'; size];
                if let Some(one) = bytes.get_mut(place) {
                    *one = byte;
                }
                for at in 0..=size {
                    assert_eq!(next_special(&bytes, at), plainly(&bytes, at));
                }
            }
        }
    }
}

#[test]
fn stops_at_the_end_of_what_is_not_there() {
    assert_eq!(next_special(b"abc", 4), 3);
    assert_eq!(next_special(b"", 0), 0);
}

#[test]
fn stops_at_each_of_many() {
    let mut chance = Chance::new(6);
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..chance.below(100))
            .map(|_| {
                if chance.one_in(9) {
                    b'\\'
                } else {
                    chance.number() as u8 & 0x7f
                }
            })
            .collect();
        let mut at = 0;
        while at < bytes.len() {
            assert_eq!(next_special(&bytes, at), plainly(&bytes, at));
            at = next_special(&bytes, at) + 1;
        }
    }
}
