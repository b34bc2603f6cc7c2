//! The calls as a caller makes them, with pointers.

use super::*;
use crate::setup::*;
use std::ptr::{null, null_mut};

/// Lanes of documents ``{"EventID":1,"Channel":"c"}``, with one cell: ``a`` and ``b``.
fn made() -> Box<Lanes> {
    // SAFETY: Everything handed in is as long as is said, here and below.
    unsafe {
        let mut lanes = Box::from_raw(hd_new(1, 100, 1000));
        for (slot, path) in ["EventID", "EventID\0#text", "Channel", "a", "a\0", "b"]
            .iter()
            .enumerate()
        {
            assert_eq!(hd_slot(&mut lanes, path.as_ptr(), path.len()), slot as i64);
        }
        hd_route_by(&mut lanes, [2].as_ptr(), 1, [0].as_ptr(), [1].as_ptr(), 1);
        let (plan, memo) = (hd_plan(&mut lanes, 3, false, false), hd_memo(&mut lanes));
        let needs = [1, 3, 2, 5, 3];
        hd_cell(&mut lanes, plan, memo, -1, needs.as_ptr(), needs.len());
        let route = b"1\0\"c\"";
        learn(&mut lanes, &[(2, 0, plan, route)]);
        lanes
    }
}

/// Tell kind, of, number and key of what was decided.
fn learn(lanes: &mut Lanes, all: &[(u32, u32, u32, &[u8])]) {
    let mut told = Vec::new();
    for &(kind, of, number, key) in all {
        for head in [kind, of, number, key.len() as u32] {
            told.extend(head.to_ne_bytes());
        }
        told.extend(key);
    }
    // SAFETY: It is as long as it is.
    unsafe { hd_learn(lanes, told.as_ptr(), told.len()) };
}

/// What is known of ``a`` for one batch, and what was told that breaks off.
#[test]
fn learns_for_one_batch_and_takes_no_half_of_a_thing() {
    let mut lanes = made();
    let signature = [0_u32.to_ne_bytes(), 5_u32.to_ne_bytes()].concat();
    learn(&mut lanes, &[(1, 0, 0, &signature)]);
    let document = ["{\"EventID\":1,\"Channel\":\"c\",\"b\":7}\n"];
    let (data, ends) = (document.concat(), ends_of(&document));
    assert_eq!(looked(&mut lanes, &document, 0), [(0, 3)]);
    learn(&mut lanes, &[(7, 0, 5, b"\x007")]);
    let mut codes = [9];
    // SAFETY: See above.
    unsafe {
        let (data, ends) = (data.as_ptr(), ends.as_ptr());
        hd_again(
            &mut lanes,
            data,
            ends,
            1,
            [0].as_ptr(),
            codes.as_mut_ptr(),
            1,
        );
        hd_learn(&mut lanes, [0; 15].as_ptr(), 15);
    }
    assert_eq!(codes, [0]);
    assert_eq!(looked(&mut lanes, &document, 0), [(0, 3)]);
}

fn looked(lanes: &mut Lanes, documents: &[&str], first: usize) -> Vec<(u32, u32)> {
    let data = documents.concat();
    let ends = ends_of(documents);
    let mut positions = vec![0; ends.len()];
    let mut codes = vec![0; ends.len()];
    // SAFETY: See above.
    let count = unsafe {
        hd_look(
            lanes,
            data.as_ptr(),
            ends.as_ptr(),
            ends.len(),
            first,
            positions.as_mut_ptr(),
            codes.as_mut_ptr(),
        )
    };
    positions.into_iter().zip(codes).take(count).collect()
}

fn ends_of(documents: &[&str]) -> Vec<u64> {
    let mut end = 0;
    let sizes = documents.iter().map(|one| one.len() as u64);
    sizes
        .map(|size| {
            end += size;
            end
        })
        .collect()
}

const DOCUMENTS: &[&str] = &[
    "[]",
    "{\"EventID\":1,\"Channel\":\"c\",\"b\":7}\n",
    "",
    "{\"EventID\":2,\"Channel\":\"c\"}",
];

#[test]
fn looks_at_documents_and_again_at_some() {
    let mut lanes = made();
    assert_eq!(
        looked(&mut lanes, DOCUMENTS, 0),
        [(0, 1), (1, 3), (2, 1), (3, 2)]
    );
    assert_eq!(looked(&mut lanes, DOCUMENTS, 2), [(2, 1), (3, 2)]);
    assert_eq!(looked(&mut lanes, DOCUMENTS, 4), []);
    let (key, signature) = (
        b"\x007",
        [0_u32.to_ne_bytes(), 5_u32.to_ne_bytes()].concat(),
    );
    let (data, ends) = (DOCUMENTS.concat(), ends_of(DOCUMENTS));
    let mut codes = [0];
    // SAFETY: See above.
    unsafe {
        learn(&mut lanes, &[(0, 0, 5, key), (1, 0, 0, &signature)]);
        hd_again(
            &mut lanes,
            data.as_ptr(),
            ends.as_ptr(),
            ends.len(),
            [1].as_ptr(),
            codes.as_mut_ptr(),
            1,
        );
        assert_eq!(codes, [0]);
        let mut size = 0;
        let gated = hd_gated(&mut lanes, &mut size);
        assert_eq!(slice(gated, size), [1, 3]);
        let misses = hd_misses(&mut lanes, &mut size);
        assert_eq!(slice(misses, size), [0; 4]);
    }
    assert_eq!(looked(&mut lanes, DOCUMENTS, 0), [(0, 1), (2, 1), (3, 2)]);
}

#[test]
fn takes_empty_arrays_that_have_no_address() {
    let mut lanes = made();
    // SAFETY: Nothing is read or written where there is nothing.
    unsafe {
        assert_eq!(hd_ends(null(), 0, null_mut(), 0), 0);
        assert_eq!(hd_ends(b"\n".as_ptr(), 1, null_mut(), 0), 0);
        assert_eq!(
            hd_look(&mut lanes, null(), null(), 0, 0, null_mut(), null_mut()),
            0
        );
        hd_again(&mut lanes, null(), null(), 0, null(), null_mut(), 0);
        hd_require(&mut lanes, 0, null(), 0);
        let mut size = 9;
        let misses = hd_misses(&mut lanes, &mut size);
        assert_eq!(slice(misses, size), [0; 4]);
        hd_learn(&mut lanes, null(), 0);
    }
}

#[test]
fn leaves_a_document_to_decoding_whose_look_panics() {
    let mut lanes = made();
    lanes.learn_route(b"2\0\"c\"", 77);
    assert_eq!(looked(&mut lanes, DOCUMENTS, 3), [(3, 1)]);
    assert_eq!(
        looked(&mut lanes, DOCUMENTS, 0),
        [(0, 1), (1, 1), (2, 1), (3, 1)]
    );
    // SAFETY: It was made by ``hd_new``.
    unsafe { hd_free(Box::into_raw(lanes)) };
}
