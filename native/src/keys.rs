//! Which key comes next in an object: documents of one source have the same keys in the same order.
//!
//! - Each key that was met knows which two came behind it last. Where one of them is written again, to compare
//!   it is all there is to do: it need not be scanned, nor looked up.
//! - A guess is of the same object of what is wanted, so that what is said of its key holds there.
//! - Keys are untrusted. Of those that are short, ASCII and without escapes, as many are known as ``MOST``;
//!   when there are more, all are forgotten before the next document.

use crate::json::{Refused, Scanner};
use crate::memo::Memo;
use crate::tree::Tree;

/// Keys that are known, at most.
const MOST: usize = 4096;
/// Bytes of the longest one, as it is written with its quotes and its colon.
const WIDTH: usize = 32;
/// A bit that stands for no byte: what has it is nowhere.
const NEVER: u64 = 1 << 63;
/// In place of a key: no guess is made from here.
pub const LOST: usize = 0;

struct Key {
    /// As it is written, with its quotes and its colon; what is behind these does not count.
    written: [u8; WIDTH],
    /// Bytes of ``written`` that count, as a number and as bits.
    size: usize,
    bits: u64,
    wanted: Wish,
    /// The keys that came behind it last, the last one first.
    next: [usize; 2],
}

impl Key {
    /// Return what is nowhere.
    fn nowhere() -> Self {
        Key {
            written: [0; WIDTH],
            size: 0,
            bits: NEVER,
            wanted: Wish::default(),
            next: [LOST; 2],
        }
    }

    /// Return a key as it is mostly written, None if that is too long.
    fn new(key: &[u8], wanted: Wish) -> Option<Self> {
        let size = key.len() + 3;
        let mut written = [0; WIDTH];
        let place = written.get_mut(..size)?;
        place[0] = b'"';
        place[1..size - 2].copy_from_slice(key);
        place[size - 2..].copy_from_slice(b"\":");
        Some(Key {
            written,
            size,
            bits: (1 << size) - 1,
            wanted,
            next: [LOST; 2],
        })
    }

    #[inline(always)]
    fn is_at(&self, block: &[u8]) -> bool {
        u64::from(equal(block, &self.written)) & self.bits == self.bits
    }
}

/// What is wanted of a member: where its value is noted, and what is wanted inside of it.
#[derive(Clone, Copy, Default)]
pub struct Wish {
    pub slot: Option<usize>,
    pub node: Option<usize>,
}

pub struct Keys {
    /// First one that no key matches, then one for the beginning of each object of what is wanted, then keys.
    all: Vec<Key>,
    /// Their places, by the object they are of and their bytes.
    places: Memo,
    nodes: usize,
}

impl Keys {
    pub fn new(seed: u64, nodes: usize) -> Self {
        let mut keys = Keys {
            all: Vec::new(),
            places: Memo::new(seed, usize::MAX, usize::MAX),
            nodes,
        };
        keys.clear();
        keys
    }

    fn clear(&mut self) {
        self.places.clear();
        self.all.clear();
        self.all.resize_with(1 + self.nodes, Key::nowhere);
    }

    /// Make room for the keys of another document.
    #[inline(always)]
    pub fn start(&mut self) {
        if self.all.len() > MOST + self.nodes {
            self.clear();
        }
    }

    /// Return what stands for the beginning of an object: the first key of it comes behind that.
    #[inline(always)]
    pub fn beginning(node: usize) -> usize {
        1 + node
    }

    /// Pass a key of an object and the colon behind it; ``last`` is the key before it, and becomes this one.
    #[inline(always)]
    pub fn pass(
        &mut self,
        scanner: &mut Scanner,
        tree: &Tree,
        node: usize,
        last: &mut usize,
    ) -> Result<Wish, Refused> {
        if let Some(block) = scanner.bytes.get(scanner.at..scanner.at + WIDTH) {
            let [next, other] = self.all[*last].next;
            let guess = &self.all[next];
            if guess.is_at(block) {
                scanner.at += guess.size;
                *last = next;
                return Ok(guess.wanted);
            }
            let guess = &self.all[other];
            if guess.is_at(block) {
                scanner.at += guess.size;
                let wanted = guess.wanted;
                self.all[*last].next = [other, next];
                *last = other;
                return Ok(wanted);
            }
        }
        self.look_up(scanner, tree, node, last)
    }

    fn look_up(
        &mut self,
        scanner: &mut Scanner,
        tree: &Tree,
        node: usize,
        last: &mut usize,
    ) -> Result<Wish, Refused> {
        let start = scanner.at + 1;
        if scanner.string()? {
            // The key may be a wanted one, written otherwise.
            return Err(Refused);
        }
        let key = &scanner.bytes[start..scanner.at - 1];
        scanner.skip_space();
        scanner.expect(b':')?;
        let wanted = tree.find(node, key).map_or(Wish::default(), |member| Wish {
            slot: member.slot,
            node: member.node,
        });
        let place = self.place(node, key, wanted);
        if *last != LOST {
            let next = &mut self.all[*last].next;
            *next = [place, next[0]];
        }
        *last = place;
        Ok(wanted)
    }

    /// Return the place of a key, which is made if it is new; ``LOST`` if it is not for here.
    fn place(&mut self, node: usize, key: &[u8], wanted: Wish) -> usize {
        let made = match Key::new(key, wanted) {
            Some(made) if key.is_ascii() => made,
            _ => return LOST,
        };
        let mut of = [0; 4 + WIDTH];
        of[..4].copy_from_slice(&(node as u32).to_le_bytes());
        of[4..4 + key.len()].copy_from_slice(key);
        let of = &of[..4 + key.len()];
        if let Some(place) = self.places.get(of) {
            return place as usize;
        }
        if self.all.len() > MOST + self.nodes {
            return LOST;
        }
        self.places.put(of, self.all.len() as u32);
        self.all.push(made);
        self.all.len() - 1
    }
}

/// Return a bit for each byte that is the same in both.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn equal(one: &[u8], other: &[u8; WIDTH]) -> u32 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8};
    let one = &one[..WIDTH];
    let mut found = 0;
    for part in 0..WIDTH / 16 {
        // SAFETY: SSE2 is part of x86-64; both hold 16 bytes for each part, and the loads need not be aligned.
        unsafe {
            let left = _mm_loadu_si128(one.as_ptr().add(16 * part).cast());
            let right = _mm_loadu_si128(other.as_ptr().add(16 * part).cast());
            found |= (_mm_movemask_epi8(_mm_cmpeq_epi8(left, right)) as u32) << (16 * part);
        }
    }
    found
}

#[cfg(not(target_arch = "x86_64"))]
fn equal(one: &[u8], other: &[u8; WIDTH]) -> u32 {
    let pairs = one.iter().zip(other).enumerate();
    pairs.fold(0, |found, (at, (left, right))| {
        found | (u32::from(left == right) << at)
    })
}

#[cfg(test)]
mod tests;
