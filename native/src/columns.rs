//! Rows of columns by their codes: which combinations of values there are, and which rows have which.
//!
//! - A *column* gives each row a code, the number of its value among the distinct ones, or none.
//! - A *cell* is what rules look at together: one column, or several. Its combinations are numbered as they
//!   come, and so are those of several cells, whose combinations the caller has put into classes before.
//! - Files are untrusted: a code that no value has is refused, as is a row that a column does not have.

use std::collections::HashMap;

/// The codes are not what they must be.
#[derive(Debug)]
pub struct Refused;

pub struct Column<'a> {
    pub codes: &'a [u32],
    /// A bit for each row that has a code, from bit ``first`` on; None where all have one.
    pub valid: Option<&'a [u8]>,
    pub first: usize,
    /// How many values there are; stands for the code of a row without one.
    pub absent: u32,
}

impl Column<'_> {
    #[inline(always)]
    fn code(&self, row: usize) -> Result<u32, Refused> {
        let code = *self.codes.get(row).ok_or(Refused)?;
        if let Some(valid) = self.valid {
            let bit = self.first + row;
            let byte = valid.get(bit / 8).ok_or(Refused)?;
            if byte >> (bit % 8) & 1 == 0 {
                return Ok(self.absent);
            }
        }
        if code < self.absent {
            Ok(code)
        } else {
            Err(Refused)
        }
    }
}

/// What each row's number among some combinations is.
#[derive(Default)]
struct Numbered {
    numbers: Vec<u32>,
    /// How many combinations there are.
    count: usize,
}

#[derive(Default)]
pub struct Columns {
    /// How many rows were asked for last.
    rows: usize,
    cells: Vec<Numbered>,
    /// All cells together.
    joined: Numbered,
    numbering: Numbering,
    written: Vec<u32>,
}

impl Columns {
    /// Number the combinations of codes that rows have in each cell; a cell is so many columns as ``sizes`` say.
    ///
    /// Returns for each cell how many combinations it has, then their codes.
    pub fn cells(
        &mut self,
        rows: &[i64],
        columns: &[Column],
        sizes: &[u32],
    ) -> Result<&[u32], Refused> {
        self.written.clear();
        self.rows = rows.len();
        self.cells.resize_with(sizes.len(), Numbered::default);
        let mut columns = columns.iter();
        for (cell, &size) in self.cells.iter_mut().zip(sizes) {
            let mut found = Vec::new();
            let mut other = Numbered::default();
            for at in 0..size as usize {
                let column = columns.next().ok_or(Refused)?;
                if at == 0 {
                    found = self.numbering.column(rows, column, cell)?;
                    continue;
                }
                let codes = self.numbering.column(rows, column, &mut other)?;
                let pairs = self.numbering.join(cell, &other.numbers, other.count);
                found = widened(&found, at, &pairs, |number| codes[number as usize]);
            }
            self.written.push(cell.count as u32);
            self.written.extend(found);
        }
        Ok(&self.written)
    }

    /// Number the combinations of classes that the rows have in some cells.
    ///
    /// ``classes`` has for each of the cells the class of each combination, the cells one behind another.
    /// Returns how many there are, then their classes.
    pub fn join(&mut self, cells: &[u32], classes: &[u32]) -> Result<&[u32], Refused> {
        self.written.clear();
        self.joined.numbers.clear();
        self.joined.numbers.resize(self.rows, 0);
        self.joined.count = 1;
        let mut found = Vec::new();
        let mut left = classes;
        for (at, &cell) in cells.iter().enumerate() {
            let cell = self.cells.get(cell as usize).ok_or(Refused)?;
            if cell.count > left.len() {
                return Err(Refused);
            }
            let (own, others) = left.split_at(cell.count);
            left = others;
            let most = own.iter().max().map_or(0, |&class| class as usize + 1);
            let of_row: Vec<u32> = cell.numbers.iter().map(|&one| own[one as usize]).collect();
            let pairs = self.numbering.join(&mut self.joined, &of_row, most);
            found = widened(&found, at, &pairs, |class| class);
        }
        self.written.push(self.joined.count as u32);
        self.written.extend(found);
        Ok(&self.written)
    }

    /// Return the places of the rows that have one of the ``wanted`` combinations, each with its combination.
    pub fn rows(&mut self, wanted: &[u8]) -> &[u32] {
        self.written.clear();
        for (place, &number) in self.joined.numbers.iter().enumerate() {
            if wanted.get(number as usize).map_or(false, |&one| one != 0) {
                self.written.extend([place as u32, number]);
            }
        }
        &self.written
    }
}

/// Return combinations of ``width`` codes, each with one more, as the pairs of their numbers say.
fn widened(
    found: &[u32],
    width: usize,
    pairs: &[(u32, u32)],
    code: impl Fn(u32) -> u32,
) -> Vec<u32> {
    let mut wider = Vec::with_capacity((width + 1) * pairs.len());
    for &(one, other) in pairs {
        let start = width * one as usize;
        wider.extend_from_slice(&found[start..start + width]);
        wider.push(code(other));
    }
    wider
}

/// Up to so many possible combinations, each has a place in a table; for more, they are hashed.
const MOST_PLACES: usize = 1 << 16;

/// Gives numbers to what comes, in the order of its coming.
#[derive(Default)]
struct Numbering {
    /// One more than the number of what has this place, 0 for what has not come yet; 0 everywhere in between.
    places: Vec<u32>,
}

impl Numbering {
    /// Number the codes that rows have in a column; return the codes.
    fn column(
        &mut self,
        rows: &[i64],
        column: &Column,
        cell: &mut Numbered,
    ) -> Result<Vec<u32>, Refused> {
        let room = column.absent as usize + 1;
        if self.places.len() < room {
            self.places.resize(room, 0);
        }
        let places = &mut self.places[..room];
        let mut codes = Vec::new();
        let numbers = &mut cell.numbers;
        numbers.clear();
        numbers.reserve(rows.len());
        let mut refused = false;
        for &row in rows {
            let code = match column.code(row as usize) {
                Ok(code) => code,
                Err(Refused) => {
                    refused = true;
                    break;
                }
            };
            let place = &mut places[code as usize];
            if *place == 0 {
                codes.push(code);
                *place = codes.len() as u32;
            }
            numbers.push(*place - 1);
        }
        for &code in &codes {
            places[code as usize] = 0;
        }
        cell.count = codes.len();
        if refused {
            Err(Refused)
        } else {
            Ok(codes)
        }
    }

    /// Number the pairs of a number that rows have and another, below ``most``; return the pairs.
    fn join(&mut self, joined: &mut Numbered, others: &[u32], most: usize) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        let room = joined.count.saturating_mul(most);
        let rows = joined.numbers.iter_mut().zip(others);
        if room <= MOST_PLACES {
            if self.places.len() < room {
                self.places.resize(room, 0);
            }
            for (number, &other) in rows {
                let place = &mut self.places[*number as usize * most + other as usize];
                if *place == 0 {
                    pairs.push((*number, other));
                    *place = pairs.len() as u32;
                }
                *number = *place - 1;
            }
            for &(number, other) in &pairs {
                self.places[number as usize * most + other as usize] = 0;
            }
        } else {
            let mut known: HashMap<(u32, u32), u32> = HashMap::new();
            for (number, &other) in rows {
                let next = pairs.len() as u32;
                let found = *known.entry((*number, other)).or_insert(next);
                if found == next {
                    pairs.push((*number, other));
                }
                *number = found;
            }
        }
        joined.count = pairs.len();
        pairs
    }
}

#[cfg(test)]
mod tests;
