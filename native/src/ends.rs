//! Where lines end, in untrusted bytes: sixty-four of them are looked at together where there are as many.

/// Write where each line ends, its line end included, for as many as there is room; return how many.
pub fn ends(data: &[u8], found: &mut [u64]) -> usize {
    let mut count = 0;
    let mut at = 0;
    while let Some(mut block) = block_mask(data, at) {
        while block != 0 {
            if count == found.len() {
                return count;
            }
            found[count] = (at + block.trailing_zeros() as usize + 1) as u64;
            count += 1;
            block &= block - 1;
        }
        at += WIDTH;
    }
    for (place, &byte) in data.iter().enumerate().skip(at) {
        if byte == b'\n' {
            if count == found.len() {
                return count;
            }
            found[count] = place as u64 + 1;
            count += 1;
        }
    }
    count
}

const WIDTH: usize = 64;

/// Return a bit for each line end among the next bytes; None where there are too few of them.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn block_mask(data: &[u8], at: usize) -> Option<u64> {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};
    let block = data.get(at..at + WIDTH)?;
    let mut mask = 0;
    for part in 0..4 {
        // SAFETY: SSE2 is part of x86-64; the slice holds the 64 bytes, and the load need not be aligned.
        let bits = unsafe {
            let bytes = _mm_loadu_si128(block.as_ptr().add(16 * part).cast());
            _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\n' as i8)))
        };
        mask |= u64::from(bits as u16) << (16 * part);
    }
    Some(mask)
}

#[cfg(not(target_arch = "x86_64"))]
fn block_mask(_data: &[u8], _at: usize) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests;
