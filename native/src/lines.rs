//! Texts of many lines: each line has a number, and the set of these decides.
//!
//! - A text is taken as it is written in JSON: lines end at ``\n`` escapes. One with characters outside ASCII,
//!   or with a line end written otherwise, is not for here; nor is one of a single line, or of a length that is
//!   out of bounds.
//! - Of lines whose number has ``KEPT``, the place among others counts: the set has them in their order, and
//!   ``APART`` where others stand between them.
//! - Where the ends of a text count, its first and its last line are looked up apart from others.
//!
//! Texts are untrusted, and known to be valid JSON.

use crate::decided::Bounds;
use crate::json::Refused;
use crate::memo::Memo;
use crate::misses::{MissKind, Misses};
use set::Set;
use split::Split;
use std::ops::Range;

mod set;
mod split;

/// In place of a class: the lines do not decide, but each value by itself. Among numbers of lines: any lines
/// whose place does not count.
pub const APART: u32 = u32::MAX - 1;
/// What the number of a line has besides, whose place among others counts.
pub const KEPT: u32 = 1 << 31;

/// What the lines of a text tell.
#[derive(Debug, PartialEq, Eq)]
pub enum Lines {
    Class(u32),
    /// Something is not known yet.
    Unknown,
    /// The lines do not decide.
    Apart,
}

/// One way to look at texts.
pub struct Text {
    lines: Memo,
    firsts: Memo,
    lasts: Memo,
    /// Whether the first line and the last may decide what the same line elsewhere does not.
    ends: bool,
    /// From the set of numbers to the class, or to ``APART``.
    sets: Memo,
    /// Characters beyond which a value of several lines is looked at in this way.
    long: usize,
    /// Characters beyond which it is not.
    longest: usize,
    set: Set,
    /// The lines of the text that is looked at that are not known, by their places in it.
    unknown: Vec<(MissKind, Range<usize>)>,
}

impl Text {
    pub fn new(bounds: Bounds, ends: bool, long: usize, longest: usize) -> Self {
        Text {
            lines: bounds.memo(),
            firsts: bounds.memo(),
            lasts: bounds.memo(),
            ends,
            sets: bounds.memo(),
            long,
            longest,
            set: Set::default(),
            unknown: Vec::new(),
        }
    }

    pub fn clear(&mut self) {
        self.lines.clear();
        self.firsts.clear();
        self.lasts.clear();
        self.sets.clear();
    }

    /// Say what number a line has, at the place that was asked for, or what class a set of them has.
    pub fn learn(&mut self, kind: u32, key: &[u8], number: u32) {
        let memo = if kind == MissKind::Line as u32 {
            &mut self.lines
        } else if kind == MissKind::First as u32 {
            &mut self.firsts
        } else if kind == MissKind::Last as u32 {
            &mut self.lasts
        } else {
            &mut self.sets
        };
        memo.put(key, number);
    }

    /// Whether a value is long enough, as it is written.
    #[inline(always)]
    pub fn may_tell(&self, value: &[u8]) -> bool {
        value.len() > self.long
    }

    /// Look a text up by its lines; ``place`` is the number of this way to look at it.
    pub fn class(&mut self, value: &[u8], place: usize, misses: &mut Misses) -> Lines {
        let inner = match value.strip_prefix(b"\"") {
            Some([inner @ .., b'"']) => inner,
            _ => return Lines::Apart,
        };
        match self.gather(inner) {
            Err(Refused) => Lines::Apart,
            Ok(()) if self.unknown.is_empty() => self.of_set(value, place, misses),
            Ok(()) => {
                for (kind, line) in &self.unknown {
                    misses.ask(*kind, place, &inner[line.clone()], &[]);
                }
                Lines::Unknown
            }
        }
    }

    /// Gather the numbers of all lines, and which lines have none.
    #[inline(always)]
    fn gather(&mut self, inner: &[u8]) -> Result<(), Refused> {
        self.set.clear();
        self.unknown.clear();
        let mut split = Split::new(inner);
        while !split.ended {
            let line = split.next()?;
            if split.ended && !split.several {
                return Err(Refused);
            }
            let (kind, memo) = self.memo(line.kind);
            match memo.get(&inner[line.place.clone()]) {
                Some(number) => self.set.add(number),
                None => self.unknown.push((kind, line.place)),
            }
        }
        let size = inner.len() - split.written;
        if size > self.long && size <= self.longest {
            Ok(())
        } else {
            Err(Refused)
        }
    }

    /// Return what a line counts as, and where such lines are remembered.
    #[inline(always)]
    fn memo(&self, kind: MissKind) -> (MissKind, &Memo) {
        match kind {
            MissKind::First if self.ends => (kind, &self.firsts),
            MissKind::Last if self.ends => (kind, &self.lasts),
            _ => (MissKind::Line, &self.lines),
        }
    }

    /// Look up what the numbers of all lines tell together.
    #[inline(always)]
    fn of_set(&mut self, value: &[u8], place: usize, misses: &mut Misses) -> Lines {
        let key = self.set.key();
        match self.sets.get(key) {
            Some(APART) => Lines::Apart,
            Some(class) => Lines::Class(class),
            None => {
                misses.ask(MissKind::Text, place, key, value);
                Lines::Unknown
            }
        }
    }
}

#[cfg(test)]
mod tests;
