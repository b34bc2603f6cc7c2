//! The calls by which lanes are told what to look at, and what was decided.
//!
//! ``lanes`` is of ``hd_new`` and was not freed. Numbers of slots, memos, texts and plans are those that were
//! returned: to name another one is a fault of the caller's, for which there is no answer.

use crate::lanes::Lanes;
use crate::misses::MissKind;
use crate::slice;

unsafe fn places(data: *const u32, size: usize) -> Vec<usize> {
    slice(data, size).iter().map(|&one| one as usize).collect()
}

/// # Safety
/// ``path`` holds ``size`` bytes: keys with NUL between them.
#[no_mangle]
pub unsafe extern "C" fn hd_slot(lanes: &mut Lanes, path: *const u8, size: usize) -> i64 {
    let keys: Vec<&[u8]> = slice(path, size).split(|&byte| byte == 0).collect();
    lanes.slot(&keys).map_or(-1, |slot| slot as i64)
}

#[no_mangle]
pub extern "C" fn hd_forbid(lanes: &mut Lanes, slot: u32) {
    lanes.forbid(slot as usize);
}

#[no_mangle]
pub extern "C" fn hd_imply(lanes: &mut Lanes, first: u32, second: u32) {
    lanes.imply(first as usize, second as usize);
}

/// # Safety
/// The pointers hold as many slots as said, the last two as many as each other.
#[no_mangle]
pub unsafe extern "C" fn hd_route_by(
    lanes: &mut Lanes,
    channel: *const u32,
    channels: usize,
    event_id: *const u32,
    event_id_text: *const u32,
    event_ids: usize,
) {
    lanes.route_by(
        places(channel, channels),
        places(event_id, event_ids),
        places(event_id_text, event_ids),
    );
}

#[no_mangle]
pub extern "C" fn hd_memo(lanes: &mut Lanes) -> u32 {
    lanes.memo() as u32
}

#[no_mangle]
pub extern "C" fn hd_text(lanes: &mut Lanes, ends: bool, long: usize, longest: usize) -> u32 {
    lanes.text(ends, long, longest) as u32
}

#[no_mangle]
pub extern "C" fn hd_plan(lanes: &mut Lanes, gate: u32, idle: bool, plain: bool) -> u32 {
    lanes.plan(gate, idle, plain) as u32
}

/// # Safety
/// ``slots`` holds ``size`` slots.
#[no_mangle]
pub unsafe extern "C" fn hd_require(lanes: &mut Lanes, plan: u32, slots: *const u32, size: usize) {
    let slots = places(slots, size);
    lanes.require(plan as usize, slots);
}

/// # Safety
/// ``needs`` holds ``size`` numbers: for each need how many slots it has, then these.
#[no_mangle]
pub unsafe extern "C" fn hd_cell(
    lanes: &mut Lanes,
    plan: u32,
    memo: u32,
    text: i32,
    needs: *const u32,
    size: usize,
) {
    let numbers = places(needs, size);
    let mut found = Vec::new();
    let mut at = 0;
    while at < numbers.len() {
        let count = numbers[at];
        found.push(numbers[at + 1..at + 1 + count].to_vec());
        at += 1 + count;
    }
    let text = usize::try_from(text).ok();
    lanes.cell(plan as usize, memo as usize, text, found);
}

/// A class that is known to this batch only; the other kinds of what is told are those of what is asked for.
const PASSING: u32 = 7;
/// Numbers in front of each key: kind, of, what was decided, size of the key.
const HEAD: usize = 4;

/// Learn what was decided: for each thing four numbers, then its key.
///
/// # Safety
/// ``told`` holds ``size`` bytes.
#[no_mangle]
pub unsafe extern "C" fn hd_learn(lanes: &mut Lanes, told: *const u8, size: usize) {
    let mut left = slice(told, size);
    while left.len() >= 4 * HEAD {
        let (head, rest) = left.split_at(4 * HEAD);
        let mut numbers = [0; HEAD];
        for (number, bytes) in numbers.iter_mut().zip(head.chunks_exact(4)) {
            *number = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        let [kind, of, number, size] = numbers;
        let (key, others) = rest.split_at(rest.len().min(size as usize));
        left = others;
        learn(lanes, kind, of as usize, key, number);
    }
}

fn learn(lanes: &mut Lanes, kind: u32, of: usize, key: &[u8], number: u32) {
    const CLASS: u32 = MissKind::Class as u32;
    const SIGNATURE: u32 = MissKind::Signature as u32;
    const ROUTE: u32 = MissKind::Route as u32;
    match kind {
        CLASS | PASSING => lanes.learn_class(of, key, number, kind == CLASS),
        SIGNATURE => lanes.learn_signature(key, number),
        ROUTE => lanes.learn_route(key, number),
        _ => lanes.learn_text(of, kind, key, number),
    }
}

#[no_mangle]
pub extern "C" fn hd_forget_text(lanes: &mut Lanes, text: u32) {
    lanes.forget_text(text as usize);
}

#[no_mangle]
pub extern "C" fn hd_forget(lanes: &mut Lanes) {
    lanes.forget();
}
