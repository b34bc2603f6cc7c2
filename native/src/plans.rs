//! What the rules of one route look at: a plan, made of cells.
//!
//! A *cell* takes one value, or several, out of a document; what was decided of them is its class. The classes
//! of all cells together, the *signature*, lead to an answer. Documents that must be decoded whole are refused.
//! Values are untrusted; they are compared with what is remembered, byte by byte.

use crate::codes::NOTHING;
use crate::decided::Decided;
use crate::json::Refused;
use crate::memo::same;
use crate::misses::MissKind;
use crate::wanted::{Found, BETWEEN};

pub struct Plan {
    /// The gate that the documents must be held to, 0 for none.
    pub gate: u32,
    cells: Vec<Cell>,
    /// Groups of slots of which one must have a value, else the document must be decoded whole.
    required: Vec<Vec<usize>>,
    /// Nothing is looked at: no rule can hold.
    idle: bool,
    /// Documents of this route are always decoded whole.
    plain: bool,
    /// The signature that was looked up last, and its answer: events come in runs.
    last_signature: Vec<u8>,
    last_answer: u32,
}

impl Plan {
    pub fn new(gate: u32, idle: bool, plain: bool) -> Self {
        Plan {
            gate,
            cells: Vec::new(),
            required: Vec::new(),
            idle,
            plain,
            last_signature: Vec::new(),
            last_answer: NOTHING,
        }
    }

    pub fn require(&mut self, slots: Vec<usize>) {
        self.required.push(slots);
    }

    pub fn add(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// Forget what was looked up last.
    pub fn forget(&mut self) {
        self.last_signature.clear();
        for cell in &mut self.cells {
            cell.last_class = None;
        }
    }

    /// Whether a document can do without being decoded whole.
    pub fn takes(&self, found: Found) -> bool {
        !self.plain
            && self
                .required
                .iter()
                .all(|slots| slots.iter().any(|&slot| found.present(slot)))
    }

    /// Return the answer for a document, None where something is not known; ``place`` is the plan's number.
    pub fn answer(
        &mut self,
        place: usize,
        found: Found,
        decided: &mut Decided,
    ) -> Result<Option<u32>, Refused> {
        if self.idle {
            return Ok(Some(NOTHING));
        }
        let mut signature = std::mem::take(&mut decided.signature);
        signature.clear();
        signature.extend_from_slice(&(place as u32).to_ne_bytes());
        let answer = self.sign(found, decided, &mut signature).map(|known| {
            known
                .then(|| self.look_up(place, &signature, decided))
                .flatten()
        });
        decided.signature = signature;
        answer
    }

    /// Add the classes of all cells; return whether all are known.
    #[inline(always)]
    fn sign(
        &mut self,
        found: Found,
        decided: &mut Decided,
        signature: &mut Vec<u8>,
    ) -> Result<bool, Refused> {
        let mut known = true;
        for cell in &mut self.cells {
            match cell.class(found, decided)? {
                Some(class) => signature.extend_from_slice(&class.to_ne_bytes()),
                None => known = false,
            }
        }
        Ok(known)
    }

    #[inline(always)]
    fn look_up(&mut self, place: usize, signature: &[u8], decided: &mut Decided) -> Option<u32> {
        if same(signature, &self.last_signature) {
            return Some(self.last_answer);
        }
        let answer = decided.signatures.get(signature);
        match answer {
            Some(answer) => {
                self.last_signature.clear();
                self.last_signature.extend_from_slice(signature);
                self.last_answer = answer;
            }
            None => decided
                .misses
                .ask(MissKind::Signature, place, signature, &[]),
        }
        answer
    }
}

pub struct Cell {
    memo: usize,
    text: Option<usize>,
    /// For each need, the slots in which its value may be, the first that is not null counts.
    needs: Vec<Vec<usize>>,
    /// The value that was looked up last, and its class: events come in runs.
    last: Vec<u8>,
    last_class: Option<u32>,
}

impl Cell {
    pub fn new(memo: usize, text: Option<usize>, needs: Vec<Vec<usize>>) -> Self {
        Cell {
            memo,
            text,
            needs,
            last: Vec::new(),
            last_class: None,
        }
    }

    /// Return the class of a document's values, None where it is not known.
    #[inline(always)]
    fn class(&mut self, found: Found, decided: &mut Decided) -> Result<Option<u32>, Refused> {
        if self.needs.len() != 1 {
            return self.class_of_several(found, decided);
        }
        let value = found.first(&self.needs[0])?;
        if let Some(text) = self.text {
            if let Some(class) = decided.class_by_lines(text, value) {
                return Ok(class);
            }
        }
        if self.last_class.is_some() && same(&self.last, value) {
            return Ok(self.last_class);
        }
        let class = decided.lasting(self.memo, value);
        if class.is_none() {
            return Ok(decided.passing(self.memo, value));
        }
        self.last.clear();
        self.last.extend_from_slice(value);
        self.last_class = class;
        Ok(class)
    }

    fn class_of_several(
        &self,
        found: Found,
        decided: &mut Decided,
    ) -> Result<Option<u32>, Refused> {
        let mut key = std::mem::take(&mut decided.key);
        key.clear();
        for (at, slots) in self.needs.iter().enumerate() {
            if at > 0 {
                key.push(BETWEEN);
            }
            key.extend_from_slice(found.first(slots)?);
        }
        let class = decided
            .lasting(self.memo, &key)
            .or_else(|| decided.passing(self.memo, &key));
        decided.key = key;
        Ok(class)
    }
}
