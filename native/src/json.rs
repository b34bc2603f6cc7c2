//! A strict scanner for JSON: it says where a value ends, and builds nothing.
//!
//! - Whatever it accepts is valid JSON by RFC 8259, and every escape in it stands for a Unicode character:
//!   halves of surrogate pairs are refused, even where two of them would make a whole.
//! - No number in it may be too large for a double: decoders refuse those.
//! - What it refuses says nothing: the document is read by somebody else, who tells what is wrong.
//! - Input is untrusted. Nesting is bounded, nothing recurses, no index is unchecked.

/// The document is left to somebody else.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    Text,
    Integer,
    Object,
    /// A list, a boolean, or a number that is no plain integer.
    Other,
}

/// Objects and lists in one another, at most.
const DEEPEST: u32 = 64;
/// Digits of an integer that every decoder takes exactly.
const DIGITS: usize = 18;
/// Digits of a number before its point, and of its exponent, at most: what they make together is below the
/// largest double, beyond which decoders refuse a document that is valid JSON.
const MOST_DIGITS: usize = 200;
const MOST_EXPONENT: usize = 2;

pub struct Scanner<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    /// Whether a byte outside ASCII may have been passed: then all of it must be looked at again.
    pub beyond_ascii: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Scanner {
            bytes,
            at: 0,
            beyond_ascii: false,
        }
    }

    #[inline(always)]
    pub fn peek(&self) -> u8 {
        // NUL is not part of any JSON, so that it can stand for the end.
        if self.at < self.bytes.len() {
            self.bytes[self.at]
        } else {
            0
        }
    }

    #[inline(always)]
    pub fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    #[inline(always)]
    pub fn expect(&mut self, byte: u8) -> Result<(), Refused> {
        if self.peek() != byte {
            return Err(Refused);
        }
        self.at += 1;
        Ok(())
    }

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

    /// Pass a value of any kind.
    #[inline(always)]
    pub fn value(&mut self) -> Result<Kind, Refused> {
        match self.peek() {
            b'"' => self.string().map(|_| Kind::Text),
            b'{' => self.container().map(|()| Kind::Object),
            b'[' => self.container().map(|()| Kind::Other),
            _ => self.scalar(),
        }
    }

    #[inline(always)]
    fn scalar(&mut self) -> Result<Kind, Refused> {
        match self.peek() {
            b'"' => self.string().map(|_| Kind::Text),
            b'n' => self.word(b"null", Kind::Null),
            b't' => self.word(b"true", Kind::Other),
            b'f' => self.word(b"false", Kind::Other),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, Refused> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(Refused);
        }
        self.at += word.len();
        Ok(kind)
    }

    fn number(&mut self) -> Result<Kind, Refused> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        let first = self.peek();
        let whole = self.digits()?;
        if first == b'0' && whole > 1 || whole > MOST_DIGITS {
            return Err(Refused);
        }
        let mut kind = if whole > DIGITS {
            Kind::Other
        } else {
            Kind::Integer
        };
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
            kind = Kind::Other;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.exponent()?;
            kind = Kind::Other;
        }
        Ok(kind)
    }

    fn exponent(&mut self) -> Result<(), Refused> {
        let sign = self.peek();
        if matches!(sign, b'+' | b'-') {
            self.at += 1;
        }
        if self.digits()? > MOST_EXPONENT && sign != b'-' {
            return Err(Refused);
        }
        Ok(())
    }

    /// Pass one digit or more; return how many.
    #[inline]
    fn digits(&mut self) -> Result<usize, Refused> {
        let first = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == first {
            return Err(Refused);
        }
        Ok(self.at - first)
    }

    /// Pass an object or a list, whatever is in it.
    fn container(&mut self) -> Result<(), Refused> {
        // One bit for each level that is open, the innermost lowest: 1 for an object.
        let mut open: u64 = 0;
        let mut depth: u32 = 0;
        loop {
            // A value begins here.
            self.skip_space();
            match self.peek() {
                opening @ (b'{' | b'[') => {
                    if depth == DEEPEST {
                        return Err(Refused);
                    }
                    depth += 1;
                    open = open << 1 | u64::from(opening == b'{');
                    self.at += 1;
                    self.skip_space();
                    if self.peek() == if opening == b'{' { b'}' } else { b']' } {
                        self.at += 1;
                        open >>= 1;
                        depth -= 1;
                    } else {
                        if opening == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => {
                    self.scalar()?;
                }
            }
            // A value has ended here.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                self.skip_space();
                let object = open & 1 == 1;
                match self.peek() {
                    b',' => {
                        self.at += 1;
                        if object {
                            self.skip_space();
                            self.key()?;
                        }
                        break;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return Err(Refused),
                }
                self.at += 1;
                open >>= 1;
                depth -= 1;
            }
        }
    }

    fn key(&mut self) -> Result<(), Refused> {
        self.string()?;
        self.skip_space();
        self.expect(b':')
    }
}

#[cfg(test)]
mod tests;
