//! What was not known of the documents of a batch, to be asked of whoever decides.
//!
//! - A thing is asked for once in a look, however many documents wait for it; a route for each of its
//!   documents, which are counted.
//! - What is too long to be written is not asked for: whoever waits for it is decoded whole.
//! - Keys and values are copies of bytes of documents: untrusted, and as many as one batch holds.

use crate::memo::Memo;

/// What kind of thing was not known; its number is part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissKind {
    Class = 0,
    Signature = 1,
    Route = 2,
    Line = 3,
    First = 4,
    Last = 5,
    Text = 6,
}

/// One thing that was not known.
#[derive(Debug)]
pub struct Miss {
    pub kind: MissKind,
    /// The memo, the text, or the plan.
    pub of: u32,
    pub document: u32,
    pub key: Vec<u8>,
    /// The whole value, where the key is not the value.
    pub value: Vec<u8>,
}

/// All that was not known.
pub struct Misses {
    /// Position of the document that is looked at.
    pub document: u32,
    found: Vec<Miss>,
    asked: Memo,
    written: Vec<u8>,
}

impl Misses {
    pub fn new(seed: u64) -> Self {
        Misses {
            document: 0,
            found: Vec::new(),
            asked: Memo::new(seed, usize::MAX, usize::MAX),
            written: Vec::new(),
        }
    }

    /// Start a look, in which anything may be asked for again.
    pub fn clear(&mut self) {
        self.found.clear();
        self.asked.clear();
    }

    /// Ask for something, unless it was asked for already.
    pub fn ask(&mut self, kind: MissKind, place: usize, key: &[u8], value: &[u8]) {
        let mut of = vec![kind as u8];
        of.extend_from_slice(&(place as u32).to_le_bytes());
        of.extend_from_slice(key);
        if self.asked.get(&of).is_none() {
            self.asked.put(&of, 0);
            self.push(kind, place, key, value);
        }
    }

    /// Ask for the plan of a route, for this document too.
    pub fn ask_route(&mut self, key: &[u8]) {
        self.push(MissKind::Route, 0, key, &[]);
    }

    fn push(&mut self, kind: MissKind, of: usize, key: &[u8], value: &[u8]) {
        if key.len().max(value.len()) > u32::MAX as usize {
            return;
        }
        self.found.push(Miss {
            kind,
            of: of as u32,
            document: self.document,
            key: key.to_vec(),
            value: value.to_vec(),
        });
    }

    #[cfg(test)]
    pub fn all(&self) -> &[Miss] {
        &self.found
    }

    /// Write how many there are, then of each kind, of, document, size of the key, size of the value, and
    /// behind all that the keys and values.
    pub fn write(&mut self) -> &[u8] {
        let written = &mut self.written;
        written.clear();
        written.extend_from_slice(&(self.found.len() as u32).to_ne_bytes());
        for miss in &self.found {
            for number in [
                miss.kind as u32,
                miss.of,
                miss.document,
                miss.key.len() as u32,
                miss.value.len() as u32,
            ] {
                written.extend_from_slice(&number.to_ne_bytes());
            }
        }
        for miss in &self.found {
            written.extend_from_slice(&miss.key);
            written.extend_from_slice(&miss.value);
        }
        &self.written
    }
}
