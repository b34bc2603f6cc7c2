//! A text as it is written in JSON, line by line.
//!
//! It is known to be valid JSON: behind a backslash there is the rest of an escape.

use crate::json::Refused;
use crate::misses::MissKind;
use crate::special::next_special;
use std::ops::Range;

/// The place of a line in its text, and among the others: ``First`` if it is the first and the last.
pub struct Line {
    pub place: Range<usize>,
    pub kind: MissKind,
}

/// The lines of a text, one behind another.
pub struct Split<'a> {
    inner: &'a [u8],
    at: usize,
    /// Bytes more than characters, so far.
    pub written: usize,
    /// Whether there was a line end.
    pub several: bool,
    /// Whether the last line was given.
    pub ended: bool,
}

impl<'a> Split<'a> {
    pub fn new(inner: &'a [u8]) -> Self {
        Split {
            inner,
            at: 0,
            written: 0,
            several: false,
            ended: false,
        }
    }

    /// Pass a line; ``Refused`` if there is something in it that lines do not tell.
    #[inline(always)]
    pub fn next(&mut self) -> Result<Line, Refused> {
        let start = self.at;
        self.pass_line()?;
        let place = start..self.at;
        if !self.ended {
            self.several = true;
            self.written += 1;
            self.at += 2;
        }
        let kind = match (start, self.ended) {
            (0, _) => MissKind::First,
            (_, true) => MissKind::Last,
            _ => MissKind::Line,
        };
        Ok(Line { place, kind })
    }

    /// Go to the next line end, or to the end.
    #[inline(always)]
    fn pass_line(&mut self) -> Result<(), Refused> {
        loop {
            self.at = next_special(self.inner, self.at);
            if self.at >= self.inner.len() {
                self.ended = true;
                return Ok(());
            }
            if self.inner[self.at] != b'\\' {
                return Err(Refused); // Outside ASCII.
            }
            match self.inner[self.at + 1] {
                b'n' => return Ok(()),
                b'u' => self.pass_number()?,
                _ => {
                    self.written += 1;
                    self.at += 2;
                }
            }
        }
    }

    /// Pass an escape by number, of a character that is ASCII, and no line end written otherwise.
    fn pass_number(&mut self) -> Result<(), Refused> {
        let digits = &self.inner[self.at + 2..self.at + 6];
        if &digits[..2] != b"00" || digits[2] > b'7' || digits[2..].eq_ignore_ascii_case(b"0a") {
            return Err(Refused);
        }
        self.written += 5;
        self.at += 6;
        Ok(())
    }
}
