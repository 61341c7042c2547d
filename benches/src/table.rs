//! Tables that are read in a terminal and as Markdown alike.

use std::fmt::Write as _;

/// A table with a heading.
#[derive(Debug)]
pub(crate) struct Table {
    title: &'static str,
    note: &'static str,
    /// How many columns at the left are text. The others are numbers.
    texts: usize,
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(
        title: &'static str,
        note: &'static str,
        texts: usize,
        header: &[&'static str],
    ) -> Self {
        Self { title, note, texts, header: header.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn to_markdown(&self) -> String {
        let columns = self.header.len();
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.header[column].chars().count(), 3]).max().unwrap_or(3)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let is_number = |column: usize| column >= self.texts;
        let mut text = format!("## {}\n\n", self.title);
        if !self.note.is_empty() {
            let _ = writeln!(text, "{}\n", self.note);
        }
        let mut line = |cells: &mut dyn Iterator<Item = String>| {
            for cell in cells {
                let _ = write!(text, "| {cell} ");
            }
            text.push_str("|\n");
        };
        let cell = |column: usize, text: &str| {
            let width = widths[column];
            if is_number(column) { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        line(&mut (0..columns).map(|column| cell(column, self.header[column])));
        line(&mut (0..columns).map(|column| {
            let dashes = "-".repeat(widths[column] - 1);
            if is_number(column) { format!("{dashes}:") } else { format!("{dashes}-") }
        }));
        for row in &self.rows {
            line(&mut (0..columns).map(|column| cell(column, &row[column])));
        }
        text.push('\n');
        text
    }
}

/// A whole number with its thousands apart.
pub(crate) fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A ratio.
pub(crate) fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// What needs valgrind.
pub(crate) fn counted(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "no valgrind".to_owned(), text)
}

/// The ratio of two counts.
pub(crate) fn by(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(one? / other?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_at_the_right() {
        let mut table = Table::new("title", "", 1, &["what", "n"]);
        table.row(["a".to_owned(), whole(1_234_567.4)]);
        table.row(["b".to_owned(), counted(None, whole)]);
        let expected = "## title\n\n| what |           n |\n| ---- | ----------: |\n\
                        | a    |   1 234 567 |\n| b    | no valgrind |\n\n";
        assert_eq!(table.to_markdown(), expected);
    }
}
