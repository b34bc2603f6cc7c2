//! A strict scanner for JSON: it says where a value ends, and builds nothing.
//!
//! - Whatever it accepts is valid JSON by RFC 8259, and every escape in it stands for a Unicode character:
//!   halves of surrogate pairs are refused, even where two of them would make a whole.
//! - No number in it may be too large for a double: decoders refuse those.
//! - What it refuses says nothing: the document is read by somebody else, who tells what is wrong.
//! - Input is untrusted. Nesting is bounded, nothing recurses, no index is unchecked.

mod nested;
mod strings;

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
}

#[cfg(test)]
mod tests;
