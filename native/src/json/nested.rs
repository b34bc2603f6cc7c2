//! Objects and lists in JSON, whatever is in them: nothing recurses, and how deep they may be is bounded.

use super::{Refused, Scanner};

/// Objects and lists in one another, at most: one for each bit of ``Open``.
pub(super) const DEEPEST: u32 = 64;

/// The objects and lists that are open.
#[derive(Default)]
struct Open {
    /// One bit for each, the innermost lowest: 1 for an object.
    objects: u64,
    depth: u32,
}

impl Open {
    fn push(&mut self, object: bool) -> Result<(), Refused> {
        if self.depth == DEEPEST {
            return Err(Refused);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(object);
        Ok(())
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

fn last_of(object: bool) -> u8 {
    if object {
        b'}'
    } else {
        b']'
    }
}

impl Scanner<'_> {
    /// Pass an object or a list.
    pub(super) fn container(&mut self) -> Result<(), Refused> {
        let mut open = Open::default();
        loop {
            self.skip_space();
            let inside = match self.peek() {
                first @ (b'{' | b'[') => self.begin(&mut open, first == b'{')?,
                _ => self.scalar().map(|_| false)?,
            };
            if !inside && self.behind_value(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Pass the beginning of an object or a list, all of an empty one; return whether a value comes in it.
    fn begin(&mut self, open: &mut Open, object: bool) -> Result<bool, Refused> {
        open.push(object)?;
        self.at += 1;
        self.skip_space();
        if self.peek() == last_of(object) {
            self.at += 1;
            open.pop();
            return Ok(false);
        }
        if object {
            self.key()?;
        }
        Ok(true)
    }

    /// Pass what ends behind a value, and what comes before the next; return whether there is no next.
    fn behind_value(&mut self, open: &mut Open) -> Result<bool, Refused> {
        while open.depth > 0 {
            self.skip_space();
            let object = open.in_object();
            match self.peek() {
                b',' => {
                    self.at += 1;
                    if object {
                        self.skip_space();
                        self.key()?;
                    }
                    return Ok(false);
                }
                byte if byte == last_of(object) => {
                    self.at += 1;
                    open.pop();
                }
                _ => return Err(Refused),
            }
        }
        Ok(true)
    }

    fn key(&mut self) -> Result<(), Refused> {
        self.string()?;
        self.skip_space();
        self.expect(b':')
    }
}
