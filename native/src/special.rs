//! Where plain ASCII stops, in untrusted bytes: at backslashes, and at bytes outside ASCII.

/// Return the place of the next backslash or byte outside ASCII, or the end.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn next_special(bytes: &[u8], mut at: usize) -> usize {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    while let Some(block) = bytes.get(at..at + 16) {
        // SAFETY: SSE2 is part of x86-64; the slice holds the 16 bytes, and the load need not be aligned.
        let found = unsafe {
            let found = _mm_loadu_si128(block.as_ptr().cast());
            let slash = _mm_cmpeq_epi8(found, _mm_set1_epi8(b'\\' as i8));
            _mm_movemask_epi8(_mm_or_si128(slash, found))
        };
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    next_special_by_byte(bytes, at)
}

#[cfg(not(target_arch = "x86_64"))]
pub fn next_special(bytes: &[u8], at: usize) -> usize {
    next_special_by_byte(bytes, at)
}

fn next_special_by_byte(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|&byte| byte == b'\\' || byte >= 0x80))
        .map_or(bytes.len(), |place| at + place)
}

#[cfg(test)]
mod tests;
