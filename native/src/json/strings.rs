//! Strings in JSON: where one ends, and that its escapes are those of the standard.

use super::{Refused, Scanner};

impl Scanner<'_> {
    /// Pass a string, its first quote being here; return whether there is an escape in it.
    #[inline(always)]
    pub fn string(&mut self) -> Result<bool, Refused> {
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            self.plain_run();
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(Refused),
            }
        }
    }

    /// Stop at the next quote, backslash or control character, or at the end.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn plain_run(&mut self) {
        use std::arch::x86_64::{
            _mm_cmpeq_epi8, _mm_loadu_si128, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128,
            _mm_set1_epi8,
        };
        while let Some(block) = self.bytes.get(self.at..self.at + 16) {
            // SAFETY: SSE2 is part of x86-64; the slice holds the 16 bytes, and the load need not be aligned.
            let (stops, high) = unsafe {
                let found = _mm_loadu_si128(block.as_ptr().cast());
                let quote = _mm_cmpeq_epi8(found, _mm_set1_epi8(b'"' as i8));
                let slash = _mm_cmpeq_epi8(found, _mm_set1_epi8(b'\\' as i8));
                let last = _mm_set1_epi8(0x1f);
                let control = _mm_cmpeq_epi8(_mm_max_epu8(found, last), last);
                (
                    _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control)),
                    _mm_movemask_epi8(found),
                )
            };
            self.beyond_ascii |= high != 0;
            if stops != 0 {
                self.at += stops.trailing_zeros() as usize;
                return;
            }
            self.at += 16;
        }
        self.plain_run_by_byte();
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn plain_run(&mut self) {
        self.plain_run_by_byte();
    }

    fn plain_run_by_byte(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == b'"' || byte == b'\\' || byte < 0x20 {
                return;
            }
            self.beyond_ascii |= byte >= 0x80;
            self.at += 1;
        }
    }

    #[inline]
    fn escape(&mut self) -> Result<(), Refused> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
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
