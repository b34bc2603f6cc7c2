//! Which documents no rule can hold for, by what is remembered of the values in them.
//!
//! A document's wanted values are noted, its route gives its plan, and the plan its answer. Nothing is decided
//! here: classes and answers that are not known are asked for, and the documents looked at again.
//!
//! Documents are untrusted; what is remembered is bounded. Plans, memos and slots are numbered by whoever set
//! them up, who is trusted to name only those that there are.

use crate::codes::{PLAIN, UNKNOWN, WAITING};
use crate::decided::{Bounds, Decided};
use crate::json::Refused;
use crate::plans::{Cell, Plan};
use crate::routes::Routes;
use crate::wanted::Wanted;

pub struct Lanes {
    wanted: Wanted,
    routes: Routes,
    plans: Vec<Plan>,
    decided: Decided,
    /// Document and gate of each document that a gate must be asked for.
    gated: Vec<u32>,
    /// A look is under way. If it still is when the next one begins, the last ended in a panic.
    looking: bool,
}

impl Lanes {
    pub fn new(seed: u64, most: usize, most_bytes: usize) -> Self {
        let bounds = Bounds {
            seed,
            most,
            most_bytes,
        };
        Lanes {
            wanted: Wanted::new(seed),
            routes: Routes::new(seed, most_bytes),
            plans: Vec::new(),
            decided: Decided::new(bounds),
            gated: Vec::new(),
            looking: false,
        }
    }

    pub fn slot(&mut self, path: &[&[u8]]) -> Option<usize> {
        self.wanted.slot(path)
    }

    pub fn forbid(&mut self, slot: usize) {
        self.routes.forbid(slot);
    }

    pub fn imply(&mut self, first: usize, second: usize) {
        self.routes.imply(first, second);
    }

    pub fn route_by(
        &mut self,
        channel: Vec<usize>,
        event_id: Vec<usize>,
        event_id_text: Vec<usize>,
    ) {
        self.routes.by(channel, event_id, event_id_text);
    }

    pub fn memo(&mut self) -> usize {
        self.decided.memo()
    }

    pub fn text(&mut self, ends: bool, long: usize, longest: usize) -> usize {
        self.decided.text(ends, long, longest)
    }

    pub fn plan(&mut self, gate: u32, idle: bool, plain: bool) -> usize {
        self.plans.push(Plan::new(gate, idle, plain));
        self.plans.len() - 1
    }

    pub fn require(&mut self, plan: usize, slots: Vec<usize>) {
        self.plans[plan].require(slots);
    }

    pub fn cell(&mut self, plan: usize, memo: usize, text: Option<usize>, needs: Vec<Vec<usize>>) {
        self.plans[plan].add(Cell::new(memo, text, needs));
    }

    pub fn learn_route(&mut self, key: &[u8], plan: u32) {
        self.routes.learn(key, plan);
    }

    pub fn learn_class(&mut self, memo: usize, key: &[u8], class: u32, lasting: bool) {
        self.decided.learn_class(memo, key, class, lasting);
    }

    pub fn learn_signature(&mut self, key: &[u8], answer: u32) {
        self.decided.signatures.put(key, answer);
    }

    pub fn learn_text(&mut self, text: usize, kind: u32, key: &[u8], number: u32) {
        self.decided.texts[text].learn(kind, key, number);
    }

    /// Forget what the lines of one text are.
    pub fn forget_text(&mut self, text: usize) {
        self.decided.texts[text].clear();
    }

    /// Forget what classes, lines and signatures mean; plans stay.
    pub fn forget(&mut self) {
        self.decided.forget();
        for plan in &mut self.plans {
            plan.forget();
        }
    }

    pub fn start_batch(&mut self) {
        self.decided.start_batch();
    }

    /// Start a look at some documents of the batch.
    pub fn start(&mut self) {
        self.decided.misses.clear();
        self.gated.clear();
    }

    pub fn written_misses(&mut self) -> &[u8] {
        self.decided.misses.write()
    }

    pub fn gated(&self) -> &[u32] {
        &self.gated
    }

    /// Return what is known of the document at a position: one of ``codes``, or the number of an answer.
    ///
    /// After a panic in here, which the caller may catch, what is remembered may be half changed: from then on
    /// all documents must be decoded whole.
    pub fn look(&mut self, document: &[u8], position: u32) -> u32 {
        if self.looking {
            return PLAIN;
        }
        self.looking = true;
        self.decided.misses.document = position;
        let code = self.known(document, position).unwrap_or(PLAIN);
        self.looking = false;
        code
    }

    fn known(&mut self, document: &[u8], position: u32) -> Result<u32, Refused> {
        let found = self.wanted.read(document)?;
        let place = match self.routes.plan(found, &mut self.decided.misses)? {
            Some(place) => place,
            None => return Ok(UNKNOWN),
        };
        let plan = &mut self.plans[place];
        if !plan.takes(found) {
            return Err(Refused);
        }
        if plan.gate > 0 {
            self.gated.extend_from_slice(&[position, plan.gate]);
        }
        let answer = plan.answer(place, found, &mut self.decided)?;
        Ok(answer.unwrap_or(WAITING))
    }
}

#[cfg(test)]
mod tests;
