//! What is remembered: from bytes to a number, bounded in entries and in bytes.
//!
//! Keys are compared whole: two that share a hash are never taken for each other. The hash is seeded, for keys
//! are untrusted. A full memo is emptied and filled anew; one key alone may be longer than the bound in bytes,
//! for whoever asked for it waits for it.

pub struct Memo {
    seed: u64,
    places: Vec<Place>,
    count: usize,
    keys: Vec<u8>,
    most: usize,
    most_bytes: usize,
}

/// Of sixteen bytes, so that four share a line of the cache.
#[derive(Clone, Copy)]
struct Place {
    /// The lower half of the key's hash.
    hash: u32,
    start: u32,
    /// Length of the key, one more; 0 where there is none.
    size: u32,
    number: u32,
}

const EMPTY: Place = Place {
    hash: 0,
    start: 0,
    size: 0,
    number: 0,
};
const SMALLEST: usize = 16;
/// Bytes of all keys, at most: places are numbers of 32 bits.
const MOST_BYTES: usize = u32::MAX as usize;

impl Memo {
    pub fn new(seed: u64, most: usize, most_bytes: usize) -> Self {
        Memo {
            seed,
            places: vec![EMPTY; SMALLEST],
            count: 0,
            keys: Vec::new(),
            most,
            most_bytes,
        }
    }

    #[inline(always)]
    pub fn get(&self, key: &[u8]) -> Option<u32> {
        let place = self.places[self.place(key, hash(key, self.seed) as u32)];
        (place.size > 0).then_some(place.number)
    }

    /// Return where a key is, or where it would be.
    #[inline(always)]
    fn place(&self, key: &[u8], hash: u32) -> usize {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at];
            let found = place.size == 0
                || place.hash == hash
                    && place.size as usize == key.len() + 1
                    && same(&self.keys[place.start as usize..][..key.len()], key);
            if found {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    /// Remember a number; a key that is there already gets the new one.
    pub fn put(&mut self, key: &[u8], number: u32) {
        if key.len() >= u32::MAX as usize {
            return;
        }
        let hash = hash(key, self.seed) as u32;
        let at = self.place(key, hash);
        if self.places[at].size > 0 {
            self.places[at].number = number;
            return;
        }
        self.make_room(key.len());
        let at = self.place(key, hash);
        self.places[at] = Place {
            hash,
            start: self.keys.len() as u32,
            size: key.len() as u32 + 1,
            number,
        };
        self.keys.extend_from_slice(key);
        self.count += 1;
    }

    fn make_room(&mut self, size: usize) {
        if self.count >= self.most || self.keys.len() + size > self.most_bytes.min(MOST_BYTES) {
            self.clear();
        }
        if (self.count + 1) * 2 > self.places.len() {
            self.grow();
        }
    }

    pub fn clear(&mut self) {
        if self.count == 0 {
            return;
        }
        self.places = vec![EMPTY; SMALLEST];
        self.keys = Vec::new();
        self.count = 0;
    }

    fn grow(&mut self) {
        let mut wider = vec![EMPTY; self.places.len() * 2];
        let mask = wider.len() - 1;
        for place in self.places.iter().filter(|place| place.size > 0) {
            let mut at = place.hash as usize & mask;
            while wider[at].size > 0 {
                at = (at + 1) & mask;
            }
            wider[at] = *place;
        }
        self.places = wider;
    }
}

const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0xd6e8_feb8_6659_fd93;

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    wide as u64 ^ (wide >> 64) as u64
}

#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    let mut found = [0; 8];
    found.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(found)
}

/// Whether two texts of one length are the same: most are too short for a call to pay.
#[inline(always)]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let size = one.len();
    if size != other.len() {
        return false;
    }
    if size > 64 {
        return one == other;
    }
    if size < 8 {
        return one.iter().zip(other).all(|(a, b)| a == b);
    }
    let mut at = 0;
    while at + 8 < size {
        if word(&one[at..]) != word(&other[at..]) {
            return false;
        }
        at += 8;
    }
    word(&one[size - 8..]) == word(&other[size - 8..])
}

/// A seeded hash of bytes, by folded multiplication.
#[inline(always)]
pub fn hash(key: &[u8], seed: u64) -> u64 {
    let size = key.len();
    let mut state = seed ^ FIRST.wrapping_mul(size as u64 + 1);
    if size >= 16 {
        let mut at = 0;
        while at + 16 < size {
            state = fold(
                word(&key[at..]) ^ state,
                word(&key[at + 8..]) ^ SECOND ^ state.rotate_left(32),
            );
            at += 16;
        }
        state = fold(
            word(&key[size - 16..]) ^ state,
            word(&key[size - 8..]) ^ SECOND ^ state.rotate_left(32),
        );
    } else if size >= 8 {
        state = fold(word(key) ^ state, word(&key[size - 8..]) ^ SECOND);
    } else {
        let mut last = [0; 8];
        last[..size].copy_from_slice(key);
        state = fold(u64::from_le_bytes(last) ^ state, SECOND ^ seed);
    }
    fold(state ^ FIRST, SECOND)
}

#[cfg(test)]
mod tests;
