//! Strings in JSON: where one ends, and that its escapes are those of the standard.

use super::{Refused, Scanner};

impl Scanner<'_> {
    /// Pass a string, its first quote being here; return whether there is an escape in it.
    #[inline(always)]
    pub fn string(&mut self) -> Result<bool, Refused> {
        self.expect(b'"')?;
        let mut escaped = false;
        while let Some((block, mut stops)) = self.block() {
            loop {
                if stops == 0 {
                    self.at += WIDTH;
                    break;
                }
                let place = stops.trailing_zeros() as usize;
                match block[place] {
                    b'"' => {
                        self.at += place + 1;
                        return Ok(escaped);
                    }
                    b'\\' => {
                        escaped = true;
                        if place + 1 < WIDTH && is_short(block[place + 1]) {
                            // What is escaped is passed too, were it a quote or a backslash.
                            stops &= !(3 << place);
                        } else {
                            self.at += place;
                            self.escape()?;
                            break;
                        }
                    }
                    _ => return Err(Refused),
                }
            }
        }
        Ok(escaped | self.end_of_string()?)
    }

    /// Pass what is left of a string byte by byte.
    fn end_of_string(&mut self) -> Result<bool, Refused> {
        let mut escaped = false;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(&byte) if byte >= 0x20 => {
                    self.beyond_ascii |= byte >= 0x80;
                    self.at += 1;
                }
                _ => return Err(Refused),
            }
        }
    }

    /// Return the next bytes, and a bit for each of them that is a quote, a backslash or a control character;
    /// None where there are too few.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn block(&mut self) -> Option<(&[u8; WIDTH], u32)> {
        use std::arch::x86_64::{
            _mm_cmpeq_epi8, _mm_loadu_si128, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128,
            _mm_set1_epi8,
        };
        let block: &[u8; WIDTH] = self.bytes.get(self.at..self.at + WIDTH)?.try_into().ok()?;
        let mut stops = 0;
        let mut high = 0;
        for part in 0..WIDTH / 16 {
            // SAFETY: SSE2 is part of x86-64; the block holds 16 bytes for each part, and the load need not be
            // aligned.
            unsafe {
                let found = _mm_loadu_si128(block.as_ptr().add(16 * part).cast());
                let quote = _mm_cmpeq_epi8(found, _mm_set1_epi8(b'"' as i8));
                let slash = _mm_cmpeq_epi8(found, _mm_set1_epi8(b'\\' as i8));
                let last = _mm_set1_epi8(0x1f);
                let control = _mm_cmpeq_epi8(_mm_max_epu8(found, last), last);
                let any = _mm_or_si128(_mm_or_si128(quote, slash), control);
                stops |= (_mm_movemask_epi8(any) as u32) << (16 * part);
                high |= _mm_movemask_epi8(found);
            }
        }
        self.beyond_ascii |= high != 0;
        Some((block, stops))
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn block(&mut self) -> Option<(&[u8; WIDTH], u32)> {
        None
    }

    #[inline]
    fn escape(&mut self) -> Result<(), Refused> {
        match self.bytes.get(self.at + 1) {
            Some(&byte) if is_short(byte) => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6).ok_or(Refused)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(Refused);
                }
                if matches!(digits[0], b'd' | b'D') && !matches!(digits[1], b'0'..=b'7') {
                    return Err(Refused);
                }
                self.at += 6;
                Ok(())
            }
            _ => Err(Refused),
        }
    }
}

/// Bytes that are looked at together.
const WIDTH: usize = 32;

/// Whether a byte behind a backslash is all of an escape.
#[inline(always)]
fn is_short(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
}
