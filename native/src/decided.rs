//! What was decided so far: classes of values, answers for signatures; and what was not, which is asked for.
//!
//! Nothing is decided here. Classes are remembered by the bytes of values as they are written; one of a value
//! that is long, or that may mean another thing later, is remembered for its batch only.

use crate::lines::{Lines, Text};
use crate::memo::Memo;
use crate::misses::{MissKind, Misses};

/// Bytes of the longest value that is remembered beyond its batch.
const LONGEST: usize = 1 << 14;

/// Bytes of the values that all memos of a set remember together: each has a bound, and they are many.
const MOST_HELD: usize = 64 << 20;
/// What a value takes besides its bytes, about.
const BESIDES: usize = 48;

/// How much is remembered, and the secret that keys are hashed with.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub seed: u64,
    pub most: usize,
    pub most_bytes: usize,
}

impl Bounds {
    pub fn memo(self) -> Memo {
        Memo::new(self.seed, self.most, self.most_bytes)
    }
}

pub struct Decided {
    bounds: Bounds,
    memos: Vec<Memo>,
    /// Bytes that the memos have taken in since they were emptied.
    held: usize,
    /// Classes that this batch alone knows.
    passing: Memo,
    pub texts: Vec<Text>,
    pub signatures: Memo,
    pub misses: Misses,
    /// Room for keys and signatures that are put together.
    pub key: Vec<u8>,
    pub signature: Vec<u8>,
}

impl Decided {
    pub fn new(bounds: Bounds) -> Self {
        Decided {
            bounds,
            memos: Vec::new(),
            held: 0,
            passing: bounds.memo(),
            texts: Vec::new(),
            signatures: bounds.memo(),
            misses: Misses::new(bounds.seed),
            key: Vec::new(),
            signature: Vec::new(),
        }
    }

    /// Return the number of a new memo.
    pub fn memo(&mut self) -> usize {
        self.memos.push(self.bounds.memo());
        self.memos.len() - 1
    }

    /// Return the number of a new way to look at texts; see ``Text::new``.
    pub fn text(&mut self, ends: bool, long: usize, longest: usize) -> usize {
        self.texts.push(Text::new(self.bounds, ends, long, longest));
        self.texts.len() - 1
    }

    pub fn learn_class(&mut self, memo: usize, key: &[u8], class: u32, lasting: bool) {
        if lasting && key.len() <= LONGEST {
            self.held += key.len() + BESIDES;
            if self.held > MOST_HELD {
                self.empty();
                self.held = key.len() + BESIDES;
            }
            self.memos[memo].put(key, class);
        } else {
            self.passing.put(&passing_key(memo, key), class);
        }
    }

    /// Forget what is known to one batch only.
    pub fn start_batch(&mut self) {
        self.passing.clear();
    }

    /// Remember no value any more; what classes mean stays.
    fn empty(&mut self) {
        for memo in &mut self.memos {
            memo.clear();
        }
        self.held = 0;
    }

    /// Forget what classes, lines and signatures mean.
    pub fn forget(&mut self) {
        self.empty();
        for text in &mut self.texts {
            text.clear();
        }
        self.passing.clear();
        self.signatures.clear();
    }

    #[inline(always)]
    pub fn lasting(&self, memo: usize, value: &[u8]) -> Option<u32> {
        self.memos[memo].get(value)
    }

    /// Look a value up that is not remembered beyond its batch; ask for it if that gives nothing either.
    pub fn passing(&mut self, memo: usize, value: &[u8]) -> Option<u32> {
        let found = self.passing.get(&passing_key(memo, value));
        if found.is_none() {
            self.misses.ask(MissKind::Class, memo, value, &[]);
        }
        found
    }

    /// Return what the lines of a value tell, and None where they do not: it counts as a whole then.
    #[inline(always)]
    pub fn class_by_lines(&mut self, text: usize, value: &[u8]) -> Option<Option<u32>> {
        let lines = &mut self.texts[text];
        if !lines.may_tell(value) {
            return None;
        }
        match lines.class(value, text, &mut self.misses) {
            Lines::Class(class) => Some(Some(class)),
            Lines::Unknown => Some(None),
            Lines::Apart => None,
        }
    }
}

fn passing_key(memo: usize, value: &[u8]) -> Vec<u8> {
    let mut key = (memo as u32).to_le_bytes().to_vec();
    key.extend_from_slice(value);
    key
}

#[cfg(test)]
mod tests;
