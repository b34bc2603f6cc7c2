//! The calls by which lanes are told what to look at, and what was decided.
//!
//! ``lanes`` is of ``hd_new`` and was not freed. Numbers of slots, memos, texts and plans are those that were
//! returned: to name another one is a fault of the caller's, for which there is no answer.

use crate::lanes::Lanes;
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

/// # Safety
/// ``key`` holds ``size`` bytes; so in the calls below.
#[no_mangle]
pub unsafe extern "C" fn hd_learn_route(lanes: &mut Lanes, key: *const u8, size: usize, plan: u32) {
    lanes.learn_route(slice(key, size), plan);
}

/// # Safety
/// See ``hd_learn_route``.
#[no_mangle]
pub unsafe extern "C" fn hd_learn_class(
    lanes: &mut Lanes,
    memo: u32,
    key: *const u8,
    size: usize,
    class: u32,
    lasting: bool,
) {
    lanes.learn_class(memo as usize, slice(key, size), class, lasting);
}

/// # Safety
/// See ``hd_learn_route``.
#[no_mangle]
pub unsafe extern "C" fn hd_learn_signature(
    lanes: &mut Lanes,
    key: *const u8,
    size: usize,
    answer: u32,
) {
    lanes.learn_signature(slice(key, size), answer);
}

/// # Safety
/// See ``hd_learn_route``.
#[no_mangle]
pub unsafe extern "C" fn hd_learn_text(
    lanes: &mut Lanes,
    text: u32,
    kind: u32,
    key: *const u8,
    size: usize,
    number: u32,
) {
    lanes.learn_text(text as usize, kind, slice(key, size), number);
}

#[no_mangle]
pub extern "C" fn hd_forget_text(lanes: &mut Lanes, text: u32) {
    lanes.forget_text(text as usize);
}

#[no_mangle]
pub extern "C" fn hd_forget(lanes: &mut Lanes) {
    lanes.forget();
}
