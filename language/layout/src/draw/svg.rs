//! A layout as a picture: a cell for every element, coloured by the thread that holds it.

use std::fmt::Write;

use super::{ROWS_MAX, cell, summary};
use crate::layout::{In, Layout};

/// Size of a cell, and of what stands around the grid, in pixels.
const CELL_WIDTH: u32 = 64;
const CELL_HEIGHT: u32 = 24;
const MARGIN: u32 = 48;

/// Columns beyond which the picture is cut.
const COLUMNS_MAX: u32 = 128;

/// The layout as an SVG document. Outer dimensions are flattened into rows; beyond 64 rows or 128
/// columns the picture is cut, and its caption says so.
pub fn draw_svg(layout: &Layout) -> String {
    let columns = layout.shape().last().copied().unwrap_or(1);
    let rows: u32 = layout.shape()[..layout.rank() - 1].iter().product();
    let (shown_rows, shown_columns) = (rows.min(ROWS_MAX), columns.min(COLUMNS_MAX));
    let width = MARGIN + shown_columns * CELL_WIDTH + 8;
    let height = MARGIN + shown_rows * CELL_HEIGHT + 8;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"monospace\" font-size=\"11\" text-anchor=\"middle\">\n"
    );
    let cut = if (shown_rows, shown_columns) == (rows, columns) { "" } else { " (cut)" };
    let caption = format!("{}{cut}", summary(layout));
    let _ = writeln!(out, "<title>{layout}</title>");
    let _ = writeln!(out, "<text x=\"4\" y=\"14\" text-anchor=\"start\">{caption}</text>");
    for column in 0..shown_columns {
        let x = MARGIN + column * CELL_WIDTH + CELL_WIDTH / 2;
        let _ = writeln!(out, "<text x=\"{x}\" y=\"{}\">{column}</text>", MARGIN - 6);
    }
    for row in 0..shown_rows {
        let outer = super::outer_index(&layout.shape()[..layout.rank() - 1], row);
        let y = MARGIN + row * CELL_HEIGHT;
        let label = super::join(&outer);
        let middle = y + CELL_HEIGHT / 2 + 4;
        let _ = writeln!(out, "<text x=\"{}\" y=\"{middle}\">{label}</text>", MARGIN / 2);
        for column in 0..shown_columns {
            let index = [&outer[..], &[column]].concat();
            draw_cell(&mut out, layout, &index, (MARGIN + column * CELL_WIDTH, y));
        }
    }
    out.push_str("</svg>\n");
    out
}

fn draw_cell(out: &mut String, layout: &Layout, index: &[u32], (x, y): (u32, u32)) {
    let text = cell(layout, index, 1);
    let fill = colour(layout, index);
    let (middle_x, middle_y) = (x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2 + 4);
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{CELL_WIDTH}\" height=\"{CELL_HEIGHT}\" fill=\"{fill}\" \
         stroke=\"#888\"/><text x=\"{middle_x}\" y=\"{middle_y}\">{text}</text>"
    );
}

/// Hue by lane (or by the 16-byte row of a buffer), lightness by warp.
fn colour(layout: &Layout, index: &[u32]) -> String {
    let (turn, of, shade) = if layout.is_register_layout() {
        let (_, lane, warp) = layout.owner(index);
        (lane, layout.lanes(), warp % 4)
    } else if layout.bases(In::Row).is_empty() {
        (layout.offset_of(index) % 64, 64, 0)
    } else {
        (layout.cell_of(index).0, 128, 0)
    };
    format!("hsl({}, 65%, {}%)", turn * 360 / of.max(1), 84 - 8 * shade)
}
