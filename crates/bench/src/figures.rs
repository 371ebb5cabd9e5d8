//! Several rounds of one figure, as people and scripts read them.

use serde::Serialize;

/// The middle of several rounds, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The median; of an even number of rounds the mean of the two in the middle.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Spread {
    /// Of the values of all rounds, rounded to `digits` behind the point. All zero when there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>, digits: i32) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |nth: usize| values.get(nth).copied().unwrap_or(0.0);
        let last = values.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(last.div_ceil(2)));
        let round = |value: f64| {
            let scale = 10_f64.powi(digits);
            (value * scale).round() / scale
        };
        Self { median: round(median), min: round(at(0)), max: round(at(last)) }
    }

    /// `1304 [1290–1411]`
    pub(crate) fn text(&self) -> String {
        format!("{} [{}–{}]", self.median, self.min, self.max)
    }
}

/// A plain table: the first column to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(nth, (cell, width))| {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            if nth == 0 { format!("{cell}{gap}") } else { format!("{gap}{cell}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        let spread = Spread::of([5.0, 1.0, 3.04], 1);
        assert_eq!(spread, Spread { median: 3.0, min: 1.0, max: 5.0 });
        assert_eq!(Spread::of([1.0, 2.0, 4.0, 9.0], 0).median, 3.0);
        assert_eq!(Spread::of([7.0], 0), Spread { median: 7.0, min: 7.0, max: 7.0 });
        assert_eq!(Spread::of([], 0), Spread { median: 0.0, min: 0.0, max: 0.0 });
        assert_eq!(Spread::of([1304.2, 1290.0, 1411.0], 0).text(), "1304 [1290–1411]");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [["a", "10"], ["long", "5–9"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a      10\nlong  5–9\n");
    }
}
