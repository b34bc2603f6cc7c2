//! Which documents no rule can hold for, by what is remembered of the values in them.
//!
//! A *plan* says what the rules of one route look at: cells. A cell takes one value, or several, out of a
//! document; what was decided of it is its class, remembered by the bytes of the value as they are written.
//! The classes of all cells together, the signature, lead to an answer. Nothing is decided here: classes and
//! answers that are not known are asked for, and the documents looked at again.
//!
//! Input is untrusted; what is remembered is bounded.

use crate::json::{Kind, Refused, Scanner};
use crate::memo::{same, Memo};
use crate::tree::Tree;

/// No rule holds.
pub const NOTHING: u32 = 0;
/// The document must be decoded whole.
pub const PLAIN: u32 = 1;
/// There is no plan for the route of this document.
pub const UNKNOWN: u32 = 2;
/// Something was not known: ask again when it is.
pub const WAITING: u32 = 3;
// Answers, which whoever decides numbers, begin at 8.

/// In place of a class: the lines do not decide, but each value by itself. Among numbers of lines: any lines
/// whose place does not count.
const APART: u32 = u32::MAX - 1;
/// What the number of a line has besides, whose place among others counts.
const KEPT: u32 = 1 << 31;
/// Bytes of the longest value that is remembered beyond its batch.
const LONGEST: usize = 1 << 14;
/// Plans, at most.
const MOST_PLANS: usize = 1 << 16;

/// What stands in a key for a value that is absent: no value is written like this.
const ABSENT: &[u8] = b"";
const BETWEEN: u8 = 0;

#[derive(Clone, Copy)]
struct Value {
    start: usize,
    end: usize,
    kind: Kind,
    document: u64,
}

struct Cell {
    memo: usize,
    /// For each need, the slots in which its value may be, the first that is not null counts.
    needs: Vec<Vec<usize>>,
    text: Option<usize>,
    /// The value that was looked up last, and its class: events come in runs.
    last: Vec<u8>,
    last_class: Option<u32>,
}

struct Plan {
    cells: Vec<Cell>,
    /// Groups of slots of which one must have a value, else the document must be decoded whole.
    required: Vec<Vec<usize>>,
    gate: u32,
    /// Nothing is looked at: no rule can hold.
    idle: bool,
    /// Documents of this route are always decoded whole.
    plain: bool,
    last_signature: Vec<u8>,
    last_answer: u32,
}

/// How a value of many lines is looked at: each line has a number, and the set of these decides.
struct Text {
    lines: Memo,
    firsts: Memo,
    lasts: Memo,
    /// Whether the first line and the last may decide what the same line elsewhere does not.
    ends: bool,
    /// From the set of numbers to the class, or to ``APART``.
    sets: Memo,
    /// Characters beyond which a value of several lines is looked at in this way.
    long: usize,
    longest: usize,
}

/// What was not known.
pub struct Miss {
    pub kind: MissKind,
    /// The memo, the text, or the plan.
    pub of: u32,
    pub document: u32,
    pub key: Vec<u8>,
    /// The whole value, where the key is not the value.
    pub value: Vec<u8>,
}

#[derive(Clone, Copy)]
pub enum MissKind {
    Class = 0,
    Signature = 1,
    Route = 2,
    Line = 3,
    First = 4,
    Last = 5,
    Text = 6,
}

pub struct Lanes {
    seed: u64,
    most: usize,
    most_bytes: usize,
    tree: Tree,
    forbidden: Vec<usize>,
    /// Where the first has a value, the second must have one.
    implied: Vec<(usize, usize)>,
    channel: Vec<usize>,
    event_id: Vec<usize>,
    /// The slots of the text inside of an EventID that is an object, like ``event_id``.
    event_id_text: Vec<usize>,
    memos: Vec<Memo>,
    /// Classes that this batch alone knows.
    passing: Memo,
    /// What was asked for in this batch, and not answered yet.
    asked: Memo,
    texts: Vec<Text>,
    plans: Vec<Plan>,
    routes: Memo,
    signatures: Memo,
    values: Vec<Value>,
    entered: Vec<u64>,
    document: u64,
    key: Vec<u8>,
    signature: Vec<u8>,
    numbers: Vec<u32>,
    kept: Vec<u32>,
    pub misses: Vec<Miss>,
    pub gated: Vec<u32>,
    written: Vec<u8>,
}

impl Text {
    fn clear(&mut self) {
        self.lines.clear();
        self.firsts.clear();
        self.lasts.clear();
        self.sets.clear();
    }
}

impl Lanes {
    pub fn new(seed: u64, most: usize, most_bytes: usize) -> Self {
        Lanes {
            seed,
            most,
            most_bytes,
            tree: Tree::new(),
            forbidden: Vec::new(),
            implied: Vec::new(),
            channel: Vec::new(),
            event_id: Vec::new(),
            event_id_text: Vec::new(),
            memos: Vec::new(),
            passing: Memo::new(seed, most, most_bytes),
            asked: Memo::new(seed, usize::MAX, usize::MAX),
            texts: Vec::new(),
            plans: Vec::new(),
            routes: Memo::new(seed, MOST_PLANS, most_bytes),
            signatures: Memo::new(seed, most, most_bytes),
            values: Vec::new(),
            entered: Vec::new(),
            document: 0,
            key: Vec::new(),
            signature: Vec::new(),
            numbers: Vec::new(),
            kept: Vec::new(),
            misses: Vec::new(),
            gated: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Return the slot of a path of keys.
    pub fn slot(&mut self, path: &[&[u8]]) -> Option<usize> {
        let found = self.tree.slot(path);
        let none = Value {
            start: 0,
            end: 0,
            kind: Kind::Null,
            document: 0,
        };
        self.values.resize(self.tree.slots(), none);
        self.entered.resize(self.tree.nodes(), 0);
        found
    }

    pub fn forbid(&mut self, slot: usize) {
        self.forbidden.push(slot);
    }

    pub fn imply(&mut self, first: usize, second: usize) {
        self.implied.push((first, second));
    }

    pub fn route_by(
        &mut self,
        channel: Vec<usize>,
        event_id: Vec<usize>,
        event_id_text: Vec<usize>,
    ) {
        self.channel = channel;
        self.event_id = event_id;
        self.event_id_text = event_id_text;
    }

    pub fn memo(&mut self) -> usize {
        self.memos
            .push(Memo::new(self.seed, self.most, self.most_bytes));
        self.memos.len() - 1
    }

    /// Return the number of a new way to look at texts longer than ``long`` and no longer than ``longest``.
    pub fn text(&mut self, ends: bool, long: usize, longest: usize) -> usize {
        let memo = || Memo::new(self.seed, self.most, self.most_bytes);
        self.texts.push(Text {
            lines: memo(),
            firsts: memo(),
            lasts: memo(),
            ends,
            sets: memo(),
            long,
            longest,
        });
        self.texts.len() - 1
    }

    pub fn plan(&mut self, gate: u32, idle: bool, plain: bool) -> usize {
        self.plans.push(Plan {
            cells: Vec::new(),
            required: Vec::new(),
            gate,
            idle,
            plain,
            last_signature: Vec::new(),
            last_answer: NOTHING,
        });
        self.plans.len() - 1
    }

    pub fn require(&mut self, plan: usize, slots: Vec<usize>) {
        self.plans[plan].required.push(slots);
    }

    pub fn cell(&mut self, plan: usize, memo: usize, text: Option<usize>, needs: Vec<Vec<usize>>) {
        self.plans[plan].cells.push(Cell {
            memo,
            needs,
            text,
            last: Vec::new(),
            last_class: None,
        });
    }

    /// Say which plan the documents with this route have.
    pub fn learn_route(&mut self, key: &[u8], plan: u32) {
        self.routes.put(key, plan);
    }

    pub fn learn_class(&mut self, memo: usize, key: &[u8], class: u32, lasting: bool) {
        if lasting && key.len() <= LONGEST {
            self.memos[memo].put(key, class);
        } else {
            let mut of = (memo as u32).to_le_bytes().to_vec();
            of.extend_from_slice(key);
            self.passing.put(&of, class);
        }
    }

    pub fn learn_signature(&mut self, key: &[u8], answer: u32) {
        self.signatures.put(key, answer);
    }

    /// Say what number a line has, at the place that was asked for, or what class a set of them has.
    pub fn learn_text(&mut self, text: usize, kind: u32, key: &[u8], number: u32) {
        let text = &mut self.texts[text];
        if kind == MissKind::Line as u32 {
            text.lines.put(key, number);
        } else if kind == MissKind::First as u32 {
            text.firsts.put(key, number);
        } else if kind == MissKind::Last as u32 {
            text.lasts.put(key, number);
        } else {
            text.sets.put(key, number);
        }
    }

    /// Forget what the lines of one text are.
    pub fn forget_text(&mut self, text: usize) {
        self.texts[text].clear();
    }

    /// Forget what classes, lines and signatures mean; plans stay.
    pub fn forget(&mut self) {
        for memo in &mut self.memos {
            memo.clear();
        }
        for text in &mut self.texts {
            text.clear();
        }
        for plan in &mut self.plans {
            plan.last_signature.clear();
            for cell in &mut plan.cells {
                cell.last_class = None;
            }
        }
        self.passing.clear();
        self.signatures.clear();
    }

    pub fn start_batch(&mut self) {
        self.passing.clear();
    }

    pub fn start(&mut self) {
        self.misses.clear();
        self.gated.clear();
        self.asked.clear();
    }

    pub fn written_misses(&mut self) -> &[u8] {
        self.written.clear();
        for miss in &self.misses {
            for number in [
                miss.kind as u32,
                miss.of,
                miss.document,
                miss.key.len() as u32,
                miss.value.len() as u32,
            ] {
                self.written.extend_from_slice(&number.to_ne_bytes());
            }
            self.written.extend_from_slice(&miss.key);
            self.written.extend_from_slice(&miss.value);
        }
        &self.written
    }

    /// Return what is known of one document: one of the numbers above, or ``ANSWERS`` and more.
    pub fn look(&mut self, document: &[u8], number: u32) -> u32 {
        self.document += 1;
        let mut scanner = Scanner::new(document);
        scanner.skip_space();
        if self.object(&mut scanner, 0).is_err() {
            return PLAIN;
        }
        scanner.skip_space();
        if scanner.at != document.len() {
            return PLAIN;
        }
        if scanner.beyond_ascii && std::str::from_utf8(document).is_err() {
            return PLAIN;
        }
        if self.forbidden.iter().any(|&slot| self.present(slot)) {
            return PLAIN;
        }
        if self
            .implied
            .iter()
            .any(|&(first, second)| self.present(first) && !self.present(second))
        {
            return PLAIN;
        }
        match self.route(document, number) {
            Ok(plan) => self.answer(document, number, plan).unwrap_or(PLAIN),
            Err(code) => code,
        }
    }

    /// Note the wanted values of an object.
    fn object(&mut self, scanner: &mut Scanner, node: usize) -> Result<(), Refused> {
        scanner.expect(b'{')?;
        if self.entered[node] == self.document {
            // The last of two equal members counts, and none of what the first had.
            return Err(Refused);
        }
        self.entered[node] = self.document;
        scanner.skip_space();
        if scanner.peek() == b'}' {
            scanner.at += 1;
            return Ok(());
        }
        loop {
            scanner.skip_space();
            let start = scanner.at + 1;
            if scanner.string()? {
                // The key may be a wanted one, written otherwise.
                return Err(Refused);
            }
            let member = self
                .tree
                .find(node, &scanner.bytes[start..scanner.at - 1])
                .map(|member| (member.slot, member.node));
            scanner.skip_space();
            scanner.expect(b':')?;
            scanner.skip_space();
            match member {
                None => {
                    scanner.value()?;
                }
                Some((slot, inner)) => {
                    let start = scanner.at;
                    let kind = match inner {
                        Some(inner) if scanner.peek() == b'{' => {
                            self.object(scanner, inner)?;
                            Kind::Object
                        }
                        _ => scanner.value()?,
                    };
                    match slot {
                        Some(slot) => {
                            self.values[slot] = Value {
                                start,
                                end: scanner.at,
                                kind,
                                document: self.document,
                            };
                        }
                        // What is wanted inside can only be in an object.
                        None if kind != Kind::Object && kind != Kind::Null => return Err(Refused),
                        None => {}
                    }
                }
            }
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

    #[inline(always)]
    fn value(&self, slot: usize) -> Option<Value> {
        let value = self.values[slot];
        if value.document == self.document && value.kind != Kind::Null {
            Some(value)
        } else {
            None
        }
    }

    fn present(&self, slot: usize) -> bool {
        self.value(slot).is_some()
    }

    /// Return the bytes of the first of several values that is not null; an empty text where all are.
    #[inline(always)]
    fn first<'a>(&self, document: &'a [u8], slots: &[usize]) -> Result<&'a [u8], Refused> {
        for &slot in slots {
            if let Some(value) = self.value(slot) {
                return match value.kind {
                    Kind::Text | Kind::Integer => Ok(&document[value.start..value.end]),
                    _ => Err(Refused),
                };
            }
        }
        Ok(ABSENT)
    }

    fn route(&mut self, document: &[u8], number: u32) -> Result<usize, u32> {
        let channel = self.first(document, &self.channel).map_err(|_| PLAIN)?;
        let event_id = self.event_id(document).map_err(|_| PLAIN)?;
        if channel.is_empty() || event_id.is_empty() {
            return Err(PLAIN);
        }
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.extend_from_slice(event_id);
        key.push(BETWEEN);
        key.extend_from_slice(channel);
        let found = match self.routes.get(&key) {
            Some(plan) => Ok(plan as usize),
            None => {
                self.misses.push(Miss {
                    kind: MissKind::Route,
                    of: 0,
                    document: number,
                    key: key.clone(),
                    value: Vec::new(),
                });
                Err(UNKNOWN)
            }
        };
        self.key = key;
        found
    }

    fn event_id<'a>(&self, document: &'a [u8]) -> Result<&'a [u8], Refused> {
        for (&slot, &inner) in self.event_id.iter().zip(&self.event_id_text) {
            if let Some(value) = self.value(slot) {
                return match value.kind {
                    Kind::Text | Kind::Integer => Ok(&document[value.start..value.end]),
                    Kind::Object => self.first(document, &[inner]),
                    _ => Err(Refused),
                };
            }
        }
        Ok(ABSENT)
    }

    fn answer(&mut self, document: &[u8], number: u32, plan: usize) -> Result<u32, Refused> {
        let mut plans = std::mem::take(&mut self.plans);
        let found = self.answer_by(document, number, plan, &mut plans[plan]);
        self.plans = plans;
        found
    }

    fn answer_by(
        &mut self,
        document: &[u8],
        number: u32,
        place: usize,
        plan: &mut Plan,
    ) -> Result<u32, Refused> {
        if plan.plain {
            return Err(Refused);
        }
        for slots in &plan.required {
            if !slots.iter().any(|&slot| self.present(slot)) {
                return Err(Refused);
            }
        }
        if plan.gate > 0 {
            self.gated.push(number);
            self.gated.push(plan.gate);
        }
        if plan.idle {
            return Ok(NOTHING);
        }
        let mut signature = std::mem::take(&mut self.signature);
        signature.clear();
        signature.extend_from_slice(&(place as u32).to_ne_bytes());
        let mut known = true;
        for cell in &mut plan.cells {
            match self.class(document, number, cell) {
                Ok(Some(class)) => signature.extend_from_slice(&class.to_ne_bytes()),
                Ok(None) => known = false,
                Err(Refused) => {
                    self.signature = signature;
                    return Err(Refused);
                }
            }
        }
        let found = if !known {
            Ok(WAITING)
        } else if same(&signature, &plan.last_signature) {
            Ok(plan.last_answer)
        } else {
            match self.signatures.get(&signature) {
                Some(answer) => {
                    plan.last_signature.clear();
                    plan.last_signature.extend_from_slice(&signature);
                    plan.last_answer = answer;
                    Ok(answer)
                }
                None => {
                    self.ask(MissKind::Signature, place, number, &signature, &[]);
                    Ok(WAITING)
                }
            }
        };
        self.signature = signature;
        found
    }

    fn miss(&mut self, kind: MissKind, of: usize, document: u32, key: &[u8], value: &[u8]) {
        self.misses.push(Miss {
            kind,
            of: of as u32,
            document,
            key: key.to_vec(),
            value: value.to_vec(),
        });
    }

    /// Return the class of a cell, None where it is not known.
    #[inline(always)]
    fn class(
        &mut self,
        document: &[u8],
        number: u32,
        cell: &mut Cell,
    ) -> Result<Option<u32>, Refused> {
        if cell.needs.len() == 1 {
            let value = self.first(document, &cell.needs[0])?;
            if let Some(text) = cell.text {
                if value.len() > self.texts[text].long {
                    match self.by_lines(value, number, text) {
                        Lines::Class(class) => return Ok(Some(class)),
                        Lines::Unknown => return Ok(None),
                        Lines::Apart => {}
                    }
                }
            }
            if cell.last_class.is_some() && same(&cell.last, value) {
                return Ok(cell.last_class);
            }
            return Ok(match self.memos[cell.memo].get(value) {
                Some(class) => {
                    cell.last.clear();
                    cell.last.extend_from_slice(value);
                    cell.last_class = Some(class);
                    Some(class)
                }
                None => self.class_apart(value, number, cell),
            });
        }
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        let mut refused = false;
        for (at, slots) in cell.needs.iter().enumerate() {
            if at > 0 {
                key.push(BETWEEN);
            }
            match self.first(document, slots) {
                Ok(value) => key.extend_from_slice(value),
                Err(Refused) => refused = true,
            }
        }
        let found = if refused {
            Err(Refused)
        } else {
            Ok(match self.memos[cell.memo].get(&key) {
                Some(class) => Some(class),
                None => self.class_apart(&key, number, cell),
            })
        };
        self.key = key;
        found
    }

    /// Look a value up that is not remembered as a whole; ask for it if that gives nothing either.
    fn class_apart(&mut self, value: &[u8], number: u32, cell: &Cell) -> Option<u32> {
        let mut of = (cell.memo as u32).to_le_bytes().to_vec();
        of.extend_from_slice(value);
        let found = self.passing.get(&of);
        if found.is_none() {
            self.ask(MissKind::Class, cell.memo, number, value, &[]);
        }
        found
    }

    /// Look a text up by its lines.
    fn by_lines(&mut self, value: &[u8], number: u32, place: usize) -> Lines {
        let Some(inner) = value
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""))
        else {
            return Lines::Apart;
        };
        let texts = std::mem::take(&mut self.texts);
        let text = &texts[place];
        let mut numbers = std::mem::take(&mut self.numbers);
        let mut kept = std::mem::take(&mut self.kept);
        numbers.clear();
        kept.clear();
        let mut low: u64 = 0;
        let mut known = true;
        let mut written = 0;
        let mut several = false;
        let mut start = 0;
        let mut at = 0;
        let mut decided = true;
        loop {
            at = next_special(inner, at);
            let ended = at >= inner.len();
            if !ended {
                if inner[at] != b'\\' {
                    decided = false; // Outside ASCII.
                    break;
                }
                match inner[at + 1] {
                    b'n' => {}
                    b'u' => {
                        let digits = &inner[at + 2..at + 6];
                        // What is ASCII, and no line end written otherwise.
                        if &digits[..2] != b"00"
                            || digits[2] > b'7'
                            || digits[2..].eq_ignore_ascii_case(b"0a")
                        {
                            decided = false;
                            break;
                        }
                        written += 5;
                        at += 6;
                        continue;
                    }
                    _ => {
                        written += 1;
                        at += 2;
                        continue;
                    }
                }
            }
            let (kind, memo) = if !text.ends {
                (MissKind::Line, &text.lines)
            } else if start == 0 {
                (MissKind::First, &text.firsts)
            } else if ended {
                (MissKind::Last, &text.lasts)
            } else {
                (MissKind::Line, &text.lines)
            };
            let line = &inner[start..at.min(inner.len())];
            match memo.get(line) {
                Some(found) if found & KEPT != 0 => kept.push(found),
                Some(found) => {
                    if kept.last().map_or(false, |&last| last != APART) {
                        kept.push(APART);
                    }
                    if found < 64 {
                        low |= 1 << found;
                    } else if numbers.last() != Some(&found) {
                        numbers.push(found);
                    }
                }
                None => {
                    known = false;
                    self.ask(kind, place, number, line, &[]);
                }
            }
            if ended {
                break;
            }
            several = true;
            written += 1;
            at += 2;
            start = at;
        }
        let size = inner.len() - written;
        if !several || size <= text.long || size > text.longest {
            decided = false;
        }
        let found = if !decided {
            Lines::Apart
        } else if !known {
            Lines::Unknown
        } else {
            numbers.sort_unstable();
            numbers.dedup();
            let mut key = low.to_ne_bytes().to_vec();
            for one in numbers.iter().chain(&kept) {
                key.extend_from_slice(&one.to_ne_bytes());
            }
            match text.sets.get(&key) {
                Some(APART) => Lines::Apart,
                Some(class) => Lines::Class(class),
                None => {
                    self.ask(MissKind::Text, place, number, &key, value);
                    Lines::Unknown
                }
            }
        };
        self.numbers = numbers;
        self.kept = kept;
        self.texts = texts;
        found
    }

    /// Ask for something once in a batch.
    fn ask(&mut self, kind: MissKind, place: usize, number: u32, key: &[u8], value: &[u8]) {
        let mut of = vec![kind as u8];
        of.extend_from_slice(&(place as u32).to_le_bytes());
        of.extend_from_slice(key);
        if self.asked.get(&of).is_none() {
            self.asked.put(&of, 0);
            self.miss(kind, place, number, key, value);
        }
    }
}

enum Lines {
    Class(u32),
    Unknown,
    Apart,
}

/// Return the place of the next backslash or byte outside ASCII, or the end.
#[cfg(target_arch = "x86_64")]
fn next_special(bytes: &[u8], mut at: usize) -> usize {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    while let Some(block) = bytes.get(at..at + 16) {
        // SAFETY: SSE2 is part of x86-64; the slice holds the 16 bytes, and the load need not be aligned.
        let found = unsafe {
            let found = _mm_loadu_si128(block.as_ptr().cast());
            let slash = _mm_cmpeq_epi8(found, _mm_set1_epi8(b'\\' as i8));
            _mm_movemask_epi8(_mm_or_si128(slash, found))
        };
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    next_special_by_byte(bytes, at)
}

#[cfg(not(target_arch = "x86_64"))]
fn next_special(bytes: &[u8], at: usize) -> usize {
    next_special_by_byte(bytes, at)
}

fn next_special_by_byte(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|&byte| byte == b'\\' || byte >= 0x80))
        .map_or(bytes.len(), |place| at + place)
}
