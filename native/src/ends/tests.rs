use super::*;
use crate::chance::Chance;

fn plainly(data: &[u8], room: usize) -> Vec<u64> {
    let all = data.iter().enumerate().filter(|(_, &byte)| byte == b'\n');
    all.map(|(at, _)| at as u64 + 1).take(room).collect()
}

fn found(data: &[u8], room: usize) -> Vec<u64> {
    let mut ends_found = vec![0; room];
    let count = ends(data, &mut ends_found);
    ends_found.truncate(count);
    ends_found
}

#[test]
fn finds_a_line_end_at_any_place() {
    for size in 0..200 {
        for place in 0..size {
            let mut data = vec![b'x'; size];
            data[place] = b'\n';
            assert_eq!(found(&data, 3), [place as u64 + 1]);
        }
    }
}

#[test]
fn finds_what_a_plain_loop_finds_and_no_more_than_there_is_room() {
    let mut chance = Chance::new(8);
    for _ in 0..3000 {
        let often = 1 + chance.below(40);
        let data: Vec<u8> = (0..chance.below(400))
            .map(|_| {
                if chance.one_in(often) {
                    b'\n'
                } else {
                    chance.number() as u8
                }
            })
            .collect();
        for room in [0, 1, 2, 7, 400, chance.below(400)] {
            assert_eq!(found(&data, room), plainly(&data, room));
        }
    }
}
