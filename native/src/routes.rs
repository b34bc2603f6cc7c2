//! Which plan a document goes by: its Channel and its EventID say so, as they are written.
//!
//! A document that has what only whole decoding can tell, or that lacks one of the two, has none. Routing
//! values are untrusted; as many routes are remembered as ``MOST_ROUTES``.

use crate::json::Refused;
use crate::memo::Memo;
use crate::misses::Misses;
use crate::wanted::{Found, BETWEEN};

/// Routes, at most.
const MOST_ROUTES: usize = 1 << 16;

pub struct Routes {
    forbidden: Vec<usize>,
    /// Where the first has a value, the second must have one.
    implied: Vec<(usize, usize)>,
    channel: Vec<usize>,
    event_id: Vec<usize>,
    /// The slots of the text inside of an EventID that is an object, like ``event_id``.
    event_id_text: Vec<usize>,
    plans: Memo,
    key: Vec<u8>,
}

impl Routes {
    pub fn new(seed: u64, most_bytes: usize) -> Self {
        Routes {
            forbidden: Vec::new(),
            implied: Vec::new(),
            channel: Vec::new(),
            event_id: Vec::new(),
            event_id_text: Vec::new(),
            plans: Memo::new(seed, MOST_ROUTES, most_bytes),
            key: Vec::new(),
        }
    }

    pub fn forbid(&mut self, slot: usize) {
        self.forbidden.push(slot);
    }

    pub fn imply(&mut self, first: usize, second: usize) {
        self.implied.push((first, second));
    }

    pub fn by(&mut self, channel: Vec<usize>, event_id: Vec<usize>, event_id_text: Vec<usize>) {
        self.channel = channel;
        self.event_id = event_id;
        self.event_id_text = event_id_text;
    }

    /// Say which plan the documents with this route have.
    pub fn learn(&mut self, key: &[u8], plan: u32) {
        self.plans.put(key, plan);
    }

    /// Return the plan of a document, None where it is not known.
    pub fn plan(&mut self, found: Found, misses: &mut Misses) -> Result<Option<usize>, Refused> {
        let apart = self.forbidden.iter().any(|&slot| found.present(slot))
            || self
                .implied
                .iter()
                .any(|&(first, second)| found.present(first) && !found.present(second));
        if apart {
            return Err(Refused);
        }
        let channel = found.first(&self.channel)?;
        let event_id = self.event_id(found)?;
        if channel.is_empty() || event_id.is_empty() {
            return Err(Refused);
        }
        self.key.clear();
        self.key.extend_from_slice(event_id);
        self.key.push(BETWEEN);
        self.key.extend_from_slice(channel);
        let plan = self.plans.get(&self.key);
        if plan.is_none() {
            misses.ask_route(&self.key);
        }
        Ok(plan.map(|plan| plan as usize))
    }

    fn event_id<'a>(&self, found: Found<'a>) -> Result<&'a [u8], Refused> {
        for (&slot, &inner) in self.event_id.iter().zip(&self.event_id_text) {
            if found.present(slot) {
                return if found.is_object(slot) {
                    found.first(&[inner])
                } else {
                    found.first(&[slot])
                };
            }
        }
        found.first(&[])
    }
}
