//! Tables for people: columns as wide as their widest cell, numbers to the right.

use crate::io::Style;
use crate::{Failure, Io};

/// Where the cells of a column stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    Left,
    Right,
}

/// One cell: its text and how it looks.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Cell { text: text.into(), style: Some(style) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell { text: text.into(), style: None }
    }
}

/// A table under construction.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns.iter().map(|&(name, align)| (name.to_owned(), align)).collect();
        Table { columns, rows: Vec::new() }
    }

    /// Adds a row; cells that are missing at its end are empty.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub(crate) fn show(&self, io: &mut Io<'_>) -> Result<(), Failure> {
        let widths = self.widths();
        let head = self.columns.iter().map(|(name, _)| Cell::styled(name, Style::Faint)).collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            for (cell, (width, (_, align))) in row.iter().zip(widths.iter().zip(&self.columns)) {
                let gap = " ".repeat(width - cell.width());
                let text = match cell.style {
                    Some(style) if !cell.text.is_empty() => io.paint(style, &cell.text),
                    _ => cell.text.clone(),
                };
                match align {
                    Align::Left => line.extend(["  ", &text, &gap]),
                    Align::Right => line.extend(["  ", &gap, &text]),
                }
            }
            io.line(line.trim_end())?;
        }
        Ok(())
    }

    fn widths(&self) -> Vec<usize> {
        let column = |idx: usize| {
            let cells = self.rows.iter().filter_map(move |it| it.get(idx)).map(Cell::width);
            cells.chain([self.columns[idx].0.chars().count()]).max().unwrap_or(0)
        };
        (0..self.columns.len()).map(column).collect()
    }
}
