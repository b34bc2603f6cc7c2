//! Against what is plainly right: a map of combinations for each row.

use super::{Column, Columns};
use crate::chance::Chance;

struct Made {
    codes: Vec<u32>,
    valid: Option<Vec<u8>>,
    first: usize,
    absent: u32,
}

impl Made {
    fn new(chance: &mut Chance, rows: usize) -> Self {
        let most = if chance.one_in(4) { 900 } else { 5 };
        let absent = 1 + chance.below(most) as u32;
        let first = chance.below(9);
        let valid = chance.one_in(2).then(|| {
            let bytes = (first + rows) / 8 + 1;
            (0..bytes).map(|_| chance.number() as u8).collect()
        });
        let codes = (0..rows).map(|_| chance.below(absent as usize) as u32);
        Made {
            codes: codes.collect(),
            valid,
            first,
            absent,
        }
    }

    fn column(&self) -> Column<'_> {
        Column {
            codes: &self.codes,
            valid: self.valid.as_deref(),
            first: self.first,
            absent: self.absent,
        }
    }

    fn code(&self, row: i64) -> u32 {
        let bit = self.first + row as usize;
        match &self.valid {
            Some(valid) if valid[bit / 8] >> (bit % 8) & 1 == 0 => self.absent,
            _ => self.codes[row as usize],
        }
    }
}

/// Return the combinations in the order of their coming, and the number of each row's.
fn numbered(rows: &[Vec<u32>]) -> (Vec<Vec<u32>>, Vec<usize>) {
    let mut found: Vec<Vec<u32>> = Vec::new();
    let mut numbers = Vec::new();
    for row in rows {
        let number = found.iter().position(|one| one == row);
        numbers.push(number.unwrap_or_else(|| {
            found.push(row.clone());
            found.len() - 1
        }));
    }
    (found, numbers)
}

#[test]
fn cells_and_what_they_are_together_are_those_of_a_plain_list() {
    let mut chance = Chance::new(11);
    let mut columns = Columns::default();
    for _ in 0..300 {
        let total = 1 + chance.below(400);
        let mut rows: Vec<i64> = (0..total as i64).collect();
        rows.retain(|_| !chance.one_in(3));
        let sizes: Vec<u32> = (0..chance.below(6))
            .map(|_| 1 + chance.below(3) as u32)
            .collect();
        let made: Vec<Made> = (0..sizes.iter().sum())
            .map(|_| Made::new(&mut chance, total))
            .collect();
        let all: Vec<Column> = made.iter().map(Made::column).collect();

        let mut expected = Vec::new();
        let mut cells = Vec::new();
        let mut left = &made[..];
        for &size in &sizes {
            let (own, others) = left.split_at(size as usize);
            left = others;
            let values: Vec<Vec<u32>> = rows
                .iter()
                .map(|&row| own.iter().map(|column| column.code(row)).collect())
                .collect();
            let (found, numbers) = numbered(&values);
            expected.push(found.len() as u32);
            expected.extend(found.iter().flatten());
            cells.push((found.len(), numbers));
        }
        assert_eq!(columns.cells(&rows, &all, &sizes).unwrap(), expected);

        let asked: Vec<u32> = (0..sizes.len() as u32)
            .filter(|_| !chance.one_in(4))
            .collect();
        let mut classes = Vec::new();
        let mut of_rows = vec![Vec::new(); rows.len()];
        for &at in &asked {
            let (count, numbers) = &cells[at as usize];
            let own: Vec<u32> = (0..*count).map(|_| chance.below(3) as u32).collect();
            for (row, &number) in of_rows.iter_mut().zip(numbers) {
                row.push(own[number]);
            }
            classes.extend(own);
        }
        let (found, numbers) = numbered(&of_rows);
        // Without rows there is nothing to put together; the one combination of no cell is there all the same.
        let count = if asked.is_empty() { 1 } else { found.len() };
        let mut expected = vec![count as u32];
        expected.extend(found.iter().flatten());
        assert_eq!(columns.join(&asked, &classes).unwrap(), expected);

        let wanted: Vec<u8> = (0..count).map(|_| chance.below(2) as u8).collect();
        let expected: Vec<u32> = numbers
            .iter()
            .enumerate()
            .filter(|(_, &number)| wanted[number] == 1)
            .flat_map(|(place, &number)| [place as u32, number as u32])
            .collect();
        assert_eq!(columns.rows(&wanted), expected);
    }
}

#[test]
fn codes_without_a_value_and_rows_that_are_not_there_are_refused() {
    let mut columns = Columns::default();
    let made = |codes: &'static [u32], valid: Option<&'static [u8]>| Column {
        codes,
        valid,
        first: 0,
        absent: 2,
    };
    assert!(columns
        .cells(&[0, 1], &[made(&[0, 2], None)], &[1])
        .is_err());
    assert!(columns
        .cells(&[0, 1], &[made(&[1, u32::MAX], None)], &[1])
        .is_err());
    assert!(columns
        .cells(&[0, 2], &[made(&[0, 1], None)], &[1])
        .is_err());
    assert!(columns.cells(&[-1], &[made(&[0, 1], None)], &[1]).is_err());
    assert!(columns.cells(&[0], &[], &[1]).is_err());
    // What stands where there is no value does not matter; and nothing is left of what was refused.
    let found = columns.cells(&[0, 1], &[made(&[1, 7], Some(&[0b01]))], &[1]);
    assert_eq!(found.unwrap(), [2, 1, 2]);
    assert!(columns.join(&[1], &[0, 0]).is_err());
    assert!(columns.join(&[0], &[0]).is_err());
    assert_eq!(columns.join(&[0], &[0, 0]).unwrap(), [1, 0]);
    assert_eq!(columns.rows(&[1]), [0, 0, 1, 0]);
}
