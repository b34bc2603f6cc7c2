//! What haidang's lanes do in machine code: see ``haidang.detect.native``, which loads it.
//!
//! The modules are safe Rust over slices; ``unsafe`` is in the calls below, which turn pointers into slices,
//! in ``setup`` too, and in loads of 16 bytes in ``ends``, ``json::strings``, ``keys`` and ``special``.
//! Documents are untrusted, the caller is not: it hands in pointers and numbers that are what it says.
//! ``lanes`` is where to read on.

#[cfg(test)]
mod chance;
mod codes;
mod columns;
mod decided;
mod ends;
mod json;
mod keys;
mod lanes;
mod lines;
mod memo;
mod misses;
#[cfg(test)]
mod plain;
mod plans;
mod routes;
mod setup;
mod special;
mod tree;
mod wanted;

use codes::{NOTHING, PLAIN};
use columns::{Column, Columns, Refused};
use lanes::Lanes;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Changes with every change of a call; the loader asks for it.
const INTERFACE: u32 = 2;

#[no_mangle]
pub extern "C" fn hd_interface() -> u32 {
    INTERFACE
}

unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if size == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(data, size)
    }
}

unsafe fn slice_mut<'a, T>(data: *mut T, size: usize) -> &'a mut [T] {
    // An empty array of the caller's may have no address.
    if size == 0 {
        &mut []
    } else {
        std::slice::from_raw_parts_mut(data, size)
    }
}

/// Write where each line ends, its line end included, for as many as there is room; return how many.
///
/// # Safety
/// ``data`` holds ``size`` bytes, and ``room`` numbers can be written to ``found``.
#[no_mangle]
pub unsafe extern "C" fn hd_ends(
    data: *const u8,
    size: usize,
    found: *mut u64,
    room: usize,
) -> usize {
    let found = slice_mut(found, room);
    ends::ends(slice(data, size), found)
}

#[no_mangle]
pub extern "C" fn hd_new(seed: u64, most: usize, most_bytes: usize) -> *mut Lanes {
    Box::into_raw(Box::new(Lanes::new(seed, most, most_bytes)))
}

/// # Safety
/// ``lanes`` is of ``hd_new`` and was not freed; so in all calls below.
#[no_mangle]
pub unsafe extern "C" fn hd_free(lanes: *mut Lanes) {
    drop(Box::from_raw(lanes));
}

/// Look at documents one behind another; return how many have another answer than that nothing holds.
///
/// # Safety
/// ``ends`` and both outputs hold ``count`` numbers, and ``data`` as many bytes as the last end says.
#[no_mangle]
pub unsafe extern "C" fn hd_look(
    lanes: &mut Lanes,
    data: *const u8,
    ends: *const u64,
    count: usize,
    first: usize,
    positions: *mut u32,
    codes: *mut u32,
) -> usize {
    let ends = slice(ends, count);
    let data = slice(data, ends.last().map_or(0, |&end| end as usize));
    let positions = slice_mut(positions, count);
    let codes = slice_mut(codes, count);
    lanes.start_batch();
    lanes.start();
    let mut found = 0;
    for at in first..count {
        let code = look(lanes, data, ends, at);
        if code != NOTHING {
            positions[found] = at as u32;
            codes[found] = code;
            found += 1;
        }
    }
    found
}

/// Look again at some of the documents.
///
/// # Safety
/// As for ``hd_look``; ``positions`` and ``codes`` hold ``some`` numbers.
#[no_mangle]
pub unsafe extern "C" fn hd_again(
    lanes: &mut Lanes,
    data: *const u8,
    ends: *const u64,
    count: usize,
    positions: *const u32,
    codes: *mut u32,
    some: usize,
) {
    let ends = slice(ends, count);
    let data = slice(data, ends.last().map_or(0, |&end| end as usize));
    let positions = slice(positions, some);
    let codes = slice_mut(codes, some);
    lanes.start();
    for (code, &at) in codes.iter_mut().zip(positions) {
        *code = look(lanes, data, ends, at as usize);
    }
}

fn look(lanes: &mut Lanes, data: &[u8], ends: &[u64], at: usize) -> u32 {
    let looked = || {
        let start = if at == 0 { 0 } else { ends[at - 1] as usize };
        lanes.look(&data[start..ends[at] as usize], at as u32)
    };
    // A fault in here must cost time, not a finding: after one, all documents are left to whole decoding.
    catch_unwind(AssertUnwindSafe(looked)).unwrap_or(PLAIN)
}

/// Write what was not known: how many things; of each kind, of, document, size of the key, size of the value;
/// then the keys and values.
///
/// # Safety
/// ``size`` can be written to. What is returned is good until the next call.
#[no_mangle]
pub unsafe extern "C" fn hd_misses(lanes: &mut Lanes, size: *mut usize) -> *const u8 {
    let found = lanes.written_misses();
    *size = found.len();
    found.as_ptr()
}

/// Return document and gate of each document that a gate must be asked for.
///
/// # Safety
/// See ``hd_misses``.
#[no_mangle]
pub unsafe extern "C" fn hd_gated(lanes: &mut Lanes, size: *mut usize) -> *const u32 {
    let found = lanes.gated();
    *size = found.len();
    found.as_ptr()
}

#[no_mangle]
pub extern "C" fn hd_columns_new() -> *mut Columns {
    Box::into_raw(Box::new(Columns::default()))
}

/// # Safety
/// ``columns`` is of ``hd_columns_new`` and was not freed; so in all calls below.
#[no_mangle]
pub unsafe extern "C" fn hd_columns_free(columns: *mut Columns) {
    drop(Box::from_raw(columns));
}

/// Number what rows have in cells; return the combinations, nothing where the codes are refused.
///
/// # Safety
/// ``rows`` holds ``count`` numbers and ``sizes`` as many as there are cells. ``parts`` holds for each column
/// where its codes are, how many, where its bits are (0 for none), the first of them, and how many values it
/// has; there are bits for as many rows as codes. What is returned is good until the next call.
#[no_mangle]
pub unsafe extern "C" fn hd_columns_cells(
    columns: &mut Columns,
    rows: *const i64,
    count: usize,
    parts: *const u64,
    width: usize,
    sizes: *const u32,
    cells: usize,
    size: *mut usize,
) -> *const u32 {
    let parts = slice(parts, 5 * width).chunks_exact(5).map(|part| {
        let (codes, rows, bits) = (
            part[0] as *const u32,
            part[1] as usize,
            part[2] as *const u8,
        );
        let first = part[3] as usize;
        Column {
            codes: slice(codes, rows),
            valid: (!bits.is_null()).then(|| slice(bits, (first + rows + 7) / 8)),
            first,
            absent: part[4] as u32,
        }
    });
    let parts: Vec<Column> = parts.collect();
    let (rows, sizes) = (slice(rows, count), slice(sizes, cells));
    told(size, || columns.cells(rows, &parts, sizes))
}

/// Number what rows have in some of the cells together, by the classes of their combinations.
///
/// # Safety
/// ``cells`` and ``classes`` hold as many numbers as said; for the rest see ``hd_columns_cells``.
#[no_mangle]
pub unsafe extern "C" fn hd_columns_join(
    columns: &mut Columns,
    cells: *const u32,
    count: usize,
    classes: *const u32,
    of_all: usize,
    size: *mut usize,
) -> *const u32 {
    let (cells, classes) = (slice(cells, count), slice(classes, of_all));
    told(size, || columns.join(cells, classes))
}

/// Return place and combination of the rows with a combination that is wanted.
///
/// # Safety
/// ``wanted`` holds ``count`` bytes; for the rest see ``hd_columns_cells``.
#[no_mangle]
pub unsafe extern "C" fn hd_columns_rows(
    columns: &mut Columns,
    wanted: *const u8,
    count: usize,
    size: *mut usize,
) -> *const u32 {
    let wanted = slice(wanted, count);
    told(size, || Ok(columns.rows(wanted)))
}

/// Return where numbers are and write how many; null where they are refused, or after a fault in here.
unsafe fn told<'a>(
    size: *mut usize,
    found: impl FnOnce() -> Result<&'a [u32], Refused>,
) -> *const u32 {
    match catch_unwind(AssertUnwindSafe(found)) {
        Ok(Ok(found)) => {
            *size = found.len();
            found.as_ptr()
        }
        _ => {
            *size = 0;
            std::ptr::null()
        }
    }
}

#[cfg(test)]
mod tests;
