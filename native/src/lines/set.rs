//! What the lines of a text are together: the set of their numbers, and the order of those that are kept.

use super::{APART, KEPT};

/// The numbers of a text's lines.
#[derive(Default)]
pub struct Set {
    /// A bit for each number below 64.
    low: u64,
    numbers: Vec<u32>,
    kept: Vec<u32>,
    key: Vec<u8>,
}

impl Set {
    pub fn clear(&mut self) {
        self.low = 0;
        self.numbers.clear();
        self.kept.clear();
    }

    #[inline(always)]
    pub fn add(&mut self, number: u32) {
        if number & KEPT != 0 {
            self.kept.push(number);
            return;
        }
        if self.kept.last().map_or(false, |&last| last != APART) {
            self.kept.push(APART);
        }
        if number < 64 {
            self.low |= 1 << number;
        } else if self.numbers.last() != Some(&number) {
            self.numbers.push(number);
        }
    }

    /// Return what the set is remembered by: the low numbers as bits, the others in order, what was kept.
    pub fn key(&mut self) -> &[u8] {
        self.numbers.sort_unstable();
        self.numbers.dedup();
        self.key.clear();
        self.key.extend_from_slice(&self.low.to_ne_bytes());
        for number in self.numbers.iter().chain(&self.kept) {
            self.key.extend_from_slice(&number.to_ne_bytes());
        }
        &self.key
    }
}
