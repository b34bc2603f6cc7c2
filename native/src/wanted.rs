//! The wanted values of a document: it is scanned once, and where each of them is noted.
//!
//! - A document that is no JSON object, or that may mean something else than what was noted, is refused: one
//!   with an escape in a key of a wanted object, with a wanted object that another value takes the place of, or
//!   with something else than an object where more is wanted inside.
//! - The last of two equal members counts, as in decoding.
//! - Documents are untrusted. Only wanted objects recurse, as deep as what is wanted.

use crate::json::{Kind, Refused, Scanner};
use crate::keys::{Keys, Wish};
use crate::tree::Tree;

/// What stands for a value that is absent: no value is written like this.
const ABSENT: &[u8] = b"";
/// What stands between the values of a key: no value holds it.
pub const BETWEEN: u8 = 0;

#[derive(Clone, Copy)]
struct Value {
    start: usize,
    end: usize,
    kind: Kind,
    /// The document it is of: what was noted of those before does not count.
    document: u64,
}

const NONE: Value = Value {
    start: 0,
    end: 0,
    kind: Kind::Null,
    document: 0,
};

/// What is wanted, and what was noted of the last document.
pub struct Wanted {
    seed: u64,
    tree: Tree,
    keys: Keys,
    values: Vec<Value>,
    /// For each wanted object the last document that had it.
    entered: Vec<u64>,
    document: u64,
}

impl Wanted {
    pub fn new(seed: u64) -> Self {
        Wanted {
            seed,
            tree: Tree::new(),
            keys: Keys::new(seed, 1),
            values: Vec::new(),
            entered: vec![0],
            document: 0,
        }
    }

    /// Return the slot of a path of keys, which is wanted from now on.
    pub fn slot(&mut self, path: &[&[u8]]) -> Option<usize> {
        let before = (self.tree.slots(), self.tree.nodes());
        let found = self.tree.slot(path);
        if before != (self.tree.slots(), self.tree.nodes()) {
            self.values.resize(self.tree.slots(), NONE);
            self.entered.resize(self.tree.nodes(), 0);
            // What is known of keys does not hold any more.
            self.keys = Keys::new(self.seed, self.tree.nodes());
        }
        found
    }

    /// Read a document whole, and return what is wanted of it.
    pub fn read<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Found<'a>, Refused> {
        self.document += 1;
        self.keys.start();
        let mut scanner = Scanner::new(bytes);
        scanner.skip_space();
        self.object(&mut scanner, 0)?;
        scanner.skip_space();
        if scanner.at != bytes.len() {
            return Err(Refused);
        }
        if scanner.beyond_ascii && std::str::from_utf8(bytes).is_err() {
            return Err(Refused);
        }
        Ok(Found {
            values: &self.values,
            document: self.document,
            bytes,
        })
    }

    /// Note the wanted values of an object.
    fn object(&mut self, scanner: &mut Scanner, node: usize) -> Result<(), Refused> {
        scanner.expect(b'{')?;
        self.enter(node)?;
        scanner.skip_space();
        if scanner.peek() == b'}' {
            scanner.at += 1;
            return Ok(());
        }
        let mut last = Keys::beginning(node);
        loop {
            scanner.skip_space();
            let wish = self.keys.pass(scanner, &self.tree, node, &mut last)?;
            scanner.skip_space();
            self.note(scanner, wish)?;
            scanner.skip_space();
            match scanner.peek() {
                b',' => scanner.at += 1,
                b'}' => {
                    scanner.at += 1;
                    return Ok(());
                }
                _ => return Err(Refused),
            }
        }
    }

    fn enter(&mut self, node: usize) -> Result<(), Refused> {
        if self.entered[node] == self.document {
            // The last of two equal members counts, and none of what the first had.
            return Err(Refused);
        }
        self.entered[node] = self.document;
        Ok(())
    }

    /// Note a value, and what is wanted inside of it.
    #[inline(always)]
    fn note(&mut self, scanner: &mut Scanner, wish: Wish) -> Result<(), Refused> {
        let start = scanner.at;
        let kind = match wish.node {
            Some(inner) if scanner.peek() == b'{' => {
                self.object(scanner, inner)?;
                Kind::Object
            }
            // What counts is this value, and nothing of the object before it, which was noted.
            Some(inner) if self.entered[inner] == self.document => return Err(Refused),
            _ => scanner.value()?,
        };
        match wish.slot {
            Some(slot) => {
                self.values[slot] = Value {
                    start,
                    end: scanner.at,
                    kind,
                    document: self.document,
                };
            }
            // What is wanted inside can only be in an object.
            None if wish.node.is_some() && kind != Kind::Object && kind != Kind::Null => {
                return Err(Refused)
            }
            None => {}
        }
        Ok(())
    }
}

/// The values that a document has.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    values: &'a [Value],
    document: u64,
    bytes: &'a [u8],
}

impl<'a> Found<'a> {
    #[inline(always)]
    fn value(&self, slot: usize) -> Option<Value> {
        let value = self.values[slot];
        if value.document == self.document && value.kind != Kind::Null {
            Some(value)
        } else {
            None
        }
    }

    /// Whether there is a value that is not null.
    pub fn present(&self, slot: usize) -> bool {
        self.value(slot).is_some()
    }

    /// Whether there is an object.
    pub fn is_object(&self, slot: usize) -> bool {
        self.value(slot)
            .map_or(false, |value| value.kind == Kind::Object)
    }

    /// Return the bytes of the first of several values that is not null; an empty text where all are.
    #[inline(always)]
    pub fn first(&self, slots: &[usize]) -> Result<&'a [u8], Refused> {
        for &slot in slots {
            if let Some(value) = self.value(slot) {
                return match value.kind {
                    Kind::Text | Kind::Integer => Ok(&self.bytes[value.start..value.end]),
                    _ => Err(Refused),
                };
            }
        }
        Ok(ABSENT)
    }
}

#[cfg(test)]
mod tests;
