//! Which members of a document are wanted: a tree of keys, with a slot for each wanted value.
//!
//! It is made of what rules name, so that its hash has no secret; the keys that are looked up are untrusted.

use crate::memo::same;

/// One object: its members by key.
#[derive(Default)]
pub struct Node {
    members: Vec<Member>,
    /// Places of members by the hash of their key, 0 for none, else one more than the place.
    table: Vec<u16>,
}

pub struct Member {
    key: Vec<u8>,
    /// Where a value of this member is noted.
    pub slot: Option<usize>,
    /// What is wanted inside of it.
    pub node: Option<usize>,
}

/// All wanted members; node 0 is the document.
pub struct Tree {
    nodes: Vec<Node>,
    slots: usize,
}

impl Tree {
    pub fn new() -> Self {
        Tree {
            nodes: vec![Node::default()],
            slots: 0,
        }
    }

    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Return the slot of a path, which is made if it is new; None for an empty one.
    pub fn slot(&mut self, path: &[&[u8]]) -> Option<usize> {
        let (last, before) = path.split_last()?;
        let mut node = 0;
        for key in before {
            let at = self.nodes[node].place(key)?;
            node = match self.nodes[node].members[at].node {
                Some(inner) => inner,
                None => {
                    let inner = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.nodes[node].members[at].node = Some(inner);
                    inner
                }
            };
        }
        let at = self.nodes[node].place(last)?;
        let member = &mut self.nodes[node].members[at];
        if member.slot.is_none() {
            member.slot = Some(self.slots);
            self.slots += 1;
        }
        member.slot
    }

    #[inline(always)]
    pub fn find(&self, node: usize, key: &[u8]) -> Option<&Member> {
        self.nodes[node].find(key)
    }
}

impl Node {
    /// Return the place of a member, which is made if it is new; None if there are too many.
    fn place(&mut self, key: &[u8]) -> Option<usize> {
        if let Some(at) = self.members.iter().position(|member| member.key == key) {
            return Some(at);
        }
        if self.members.len() >= usize::from(u16::MAX) - 1 {
            return None;
        }
        self.members.push(Member {
            key: key.to_vec(),
            slot: None,
            node: None,
        });
        if self.members.len() * 4 > self.table.len() {
            let wider = (self.members.len() * 8).next_power_of_two().max(16);
            self.table = vec![0; wider];
            for at in 0..self.members.len() {
                self.enter(at);
            }
        } else {
            self.enter(self.members.len() - 1);
        }
        Some(self.members.len() - 1)
    }

    fn enter(&mut self, member: usize) {
        let mask = self.table.len() - 1;
        let mut at = hash(&self.members[member].key) & mask;
        while self.table[at] != 0 {
            at = (at + 1) & mask;
        }
        self.table[at] = member as u16 + 1;
    }

    #[inline(always)]
    fn find(&self, key: &[u8]) -> Option<&Member> {
        if self.table.is_empty() {
            return None;
        }
        let mask = self.table.len() - 1;
        let mut at = hash(key) & mask;
        loop {
            let found = self.table[at];
            if found == 0 {
                return None;
            }
            let member = &self.members[usize::from(found) - 1];
            if same(&member.key, key) {
                return Some(member);
            }
            at = (at + 1) & mask;
        }
    }
}

/// A hash of a key: the tree is made of what rules name, not of what documents hold.
#[inline(always)]
fn hash(key: &[u8]) -> usize {
    let size = key.len();
    let mut first = [0; 8];
    let mut last = [0; 8];
    if size >= 8 {
        first.copy_from_slice(&key[..8]);
        last.copy_from_slice(&key[size - 8..]);
    } else {
        first[..size].copy_from_slice(key);
    }
    let mixed =
        (u64::from_le_bytes(first) ^ u64::from_le_bytes(last).rotate_left(29) ^ size as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize
}

#[cfg(test)]
mod tests;
