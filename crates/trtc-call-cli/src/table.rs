//! Tables for people.

use comfy_table::{LineStyle, Row, Table, TableStyle};

/// A line below the header and nothing else, so that the last column ends the line.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// The lines of a table: its header, the line below it, and the rows.
pub(crate) fn lines<R: Into<Row>>(
    header: impl Into<Row>,
    rows: impl IntoIterator<Item = R>,
) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}
