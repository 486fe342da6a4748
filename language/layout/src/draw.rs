//! Drawings of layouts for people: which place holds each element, and the reverse.
//!
//! Neighbours along the last dimension that one thread holds in consecutive registers (or that lie
//! next to each other in memory) are drawn as one cell. More than two dimensions are drawn as one
//! grid for every index of the outer ones. Long grids are cut, and say so.

mod banks;
mod svg;

pub use banks::{draw_access, draw_banks};
pub use svg::draw_svg;

use std::fmt::Write;

use crate::layout::{Coords, In, Layout};

/// Rows and columns of a grid, and lines of a list, beyond which a drawing is cut.
const ROWS_MAX: u32 = 64;
const CELLS_MAX: u32 = 16;
const GRIDS_MAX: u32 = 8;

/// Places of a line that are looked at.
const PLACES_MAX: u32 = 4096;

/// The layout as text: what it is, where each element lies, and what each place holds.
pub fn draw_text(layout: &Layout) -> String {
    let mut out = format!("{layout}\n{}\n", summary(layout));
    let run = run_length(layout);
    let _ = writeln!(out, "\n{}, by element{}", legend(layout), steps(run));
    draw_cells(&mut out, layout, run, &|index| cell(layout, index, run));
    let _ = writeln!(out, "\nelements, by place");
    draw_places(&mut out, layout);
    out
}

/// A sentence of numbers about the layout.
fn summary(layout: &Layout) -> String {
    let counted = |n: u32, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    if layout.is_register_layout() {
        let copies: u32 = [In::Register, In::Lane, In::Warp]
            .iter()
            .map(|&it| layout.free_mask(it).count_ones())
            .sum();
        let held = match 1u32 << copies {
            1 => "every element in one place".to_owned(),
            n => format!("every element in {n} places"),
        };
        let registers = counted(layout.registers(), "register");
        let (lanes, warps) = (counted(layout.lanes(), "lane"), counted(layout.warps(), "warp"));
        return format!("{registers} a thread, {lanes}, {warps}; {held}");
    }
    if layout.bases(In::Row).is_empty() && layout.bases(In::Col).is_empty() {
        return counted(layout.buffer_len(), "element");
    }
    let (rows, cols) = (1 << layout.bases(In::Row).len(), 1 << layout.bases(In::Col).len());
    format!("{}, {}", counted(rows, "row"), counted(cols, "column"))
}

fn legend(layout: &Layout) -> &'static str {
    if layout.is_register_layout() {
        "warp.lane:registers"
    } else if layout.bases(In::Row).is_empty() {
        "offsets"
    } else {
        "row,column"
    }
}

fn steps(run: u32) -> String {
    if run == 1 { String::new() } else { format!(" ({run} a cell)") }
}

/// Elements of the last dimension that are drawn as one cell.
fn run_length(layout: &Layout) -> u32 {
    let last = layout.rank() - 1;
    let input = layout.inputs().first().map_or(In::Register, |it| it.0);
    if input == In::Row {
        return 1;
    }
    let bases = layout.bases(input);
    let consecutive = |n: u32| {
        (0..n.trailing_zeros()).all(|bit| {
            bases.get(bit as usize).is_some_and(|it| {
                it.iter().enumerate().all(|(d, &c)| c == if d == last { 1 << bit } else { 0 })
            })
        })
    };
    let most = match input {
        In::Register => layout.contiguous(last),
        _ => layout.extents()[last],
    };
    let alone =
        |n: u32| bases.iter().skip(n.trailing_zeros() as usize).all(|it| it[last] & (n - 1) == 0);
    let mut n = most;
    while n > 1 && !(consecutive(n) && alone(n)) {
        n /= 2;
    }
    n
}

/// The text of a cell of `run` elements that begins at `index`.
fn cell(layout: &Layout, index: &[u32], run: u32) -> String {
    let range = |first: u32| {
        if run == 1 { first.to_string() } else { format!("{first}-{}", first + run - 1) }
    };
    if layout.is_register_layout() {
        let (register, lane, warp) = layout.owner(index);
        return format!("{warp}.{lane}:{}", range(register));
    }
    if layout.bases(In::Row).is_empty() {
        return range(layout.offset_of(index));
    }
    let (row, col) = layout.cell_of(index);
    format!("{row},{col}")
}

/// Grids of cells of `run` elements, each with the text for its first element.
fn draw_cells(out: &mut String, layout: &Layout, run: u32, text: &dyn Fn(&[u32]) -> String) {
    let grids: u32 = layout.shape()[..layout.rank().saturating_sub(2)].iter().product();
    for grid in 0..grids.min(GRIDS_MAX) {
        draw_grid(out, layout, grid, run, text);
    }
    if grids > GRIDS_MAX {
        let _ = writeln!(out, "… {} more", grids - GRIDS_MAX);
    }
}

fn draw_grid(
    out: &mut String,
    layout: &Layout,
    grid: u32,
    run: u32,
    text: &dyn Fn(&[u32]) -> String,
) {
    let rank = layout.rank();
    let shape = layout.shape();
    let rows = if rank > 1 { shape[rank - 2] } else { 1 };
    let cells = shape[rank - 1] / run;
    let outer = outer_index(&shape[..rank.saturating_sub(2)], grid);
    if !outer.is_empty() {
        let _ = writeln!(out, "[{}, …]", join(&outer));
    }
    let mut lines = vec![
        std::iter::once(String::new())
            .chain((0..cells.min(CELLS_MAX)).map(|it| (it * run).to_string()))
            .collect::<Vec<_>>(),
    ];
    for row in 0..rows.min(ROWS_MAX) {
        let mut line = vec![if rank > 1 { row.to_string() } else { String::new() }];
        for at in 0..cells.min(CELLS_MAX) {
            let mut index = outer.clone();
            if rank > 1 {
                index.push(row);
            }
            index.push(at * run);
            line.push(text(&index));
        }
        lines.push(line);
    }
    aligned(out, &lines, cells.saturating_sub(CELLS_MAX) * run, "columns");
    if rows > ROWS_MAX {
        let _ = writeln!(out, "… {} more rows", rows - ROWS_MAX);
    }
}

fn draw_places(out: &mut String, layout: &Layout) {
    let mut lines = Vec::new();
    let (places, more) = if layout.is_register_layout() {
        let threads = layout.lanes() * layout.warps();
        for thread in 0..threads.min(ROWS_MAX) {
            let (lane, warp) = (thread % layout.lanes(), thread / layout.lanes());
            let held = |register| layout.index_of(register, lane, warp);
            lines.push(line(format!("{warp}.{lane}"), layout.registers(), held));
        }
        (threads, "threads")
    } else if layout.bases(In::Row).is_empty() {
        let rows = layout.offsets().div_ceil(CELLS_MAX);
        for row in 0..rows.min(ROWS_MAX) {
            let first = row * CELLS_MAX;
            let n = (layout.offsets() - first).min(CELLS_MAX);
            lines.push(line(first.to_string(), n, |at| layout.index_at(first + at)));
        }
        (rows, "lines")
    } else {
        let rows = 1u32 << layout.bases(In::Row).len();
        let cols = layout.n_repetitions() << layout.bases(In::Col).len();
        for row in 0..rows.min(ROWS_MAX) {
            lines.push(line(row.to_string(), cols, |col| layout.index_in_cell(row, col)));
        }
        (rows, "rows")
    };
    aligned(out, &lines, 0, "");
    if places > ROWS_MAX {
        let _ = writeln!(out, "… {} more {more}", places - ROWS_MAX);
    }
}

/// What `n` places in a row hold, neighbours as one range.
fn line(label: String, n: u32, held: impl Fn(u32) -> Coords) -> Vec<String> {
    let mut runs: Vec<(Coords, Coords)> = Vec::new();
    for at in 0..n.min(PLACES_MAX) {
        let index = held(at);
        match runs.last_mut() {
            Some((_, last)) if follows(last, &index) => *last = index,
            Some(_) | None => runs.push((index.clone(), index)),
        }
    }
    let shown = runs.iter().take(CELLS_MAX as usize).map(|(first, last)| range(first, last));
    let mut res: Vec<String> = std::iter::once(label).chain(shown).collect();
    if runs.len() > CELLS_MAX as usize || n > PLACES_MAX {
        res.push("…".to_owned());
    }
    res
}

fn follows(last: &[u32], next: &[u32]) -> bool {
    let (Some((a, outer_a)), Some((b, outer_b))) = (last.split_last(), next.split_last()) else {
        return false;
    };
    outer_a == outer_b && a + 1 == *b
}

/// `(3, 8-15)`
fn range(first: &[u32], last: &[u32]) -> String {
    let (Some((a, outer)), Some(b)) = (first.split_last(), last.last()) else {
        return String::new();
    };
    let run = if a == b { a.to_string() } else { format!("{a}-{b}") };
    if outer.is_empty() { run } else { format!("({}, {run})", join(outer)) }
}

fn outer_index(shape: &[u32], flat: u32) -> Vec<u32> {
    let mut rest = flat;
    let mut res: Vec<u32> = shape
        .iter()
        .rev()
        .map(|&extent| {
            let at = rest % extent;
            rest /= extent;
            at
        })
        .collect();
    res.reverse();
    res
}

fn join(index: &[u32]) -> String {
    index.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// Writes the lines with their columns below each other.
fn aligned(out: &mut String, lines: &[Vec<String>], cut: u32, noun: &str) {
    let width = |column: usize| {
        lines.iter().filter_map(|it| it.get(column)).map(|it| it.chars().count()).max().unwrap_or(0)
    };
    let n_columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    for (i, line) in lines.iter().enumerate() {
        let mut text = String::new();
        for (column, it) in line.iter().enumerate() {
            let pad = if column == 0 { "" } else { "  " };
            let _ = write!(text, "{pad}{it:>width$}", width = widths[column]);
        }
        if i == 0 && cut > 0 {
            let _ = write!(text, "  … {cut} more {noun}");
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::banks::{BankModel, Direction};
    use crate::{Machine, MemoryMap, SharedAccess, Spec};

    fn registers(spec: &Spec, shape: &[u32], lanes: u32, warps: u32) -> Layout {
        spec.apply(shape, Machine { lanes, warps }).expect("fits")
    }

    #[test]
    fn rows_of_a_blocked_layout_are_cells() {
        let layout = registers(&Spec::blocked(&[1, 4], &[2, 2], &[2, 1]), &[8, 8], 4, 2);
        insta::assert_snapshot!(draw_text(&layout));
    }

    #[test]
    fn copies_are_counted() {
        let layout = registers(&Spec::blocked(&[1, 2], &[4, 2], &[1, 1]).slice(1), &[8], 8, 2);
        insta::assert_snapshot!(draw_text(&layout));
    }

    #[test]
    fn a_swizzle_is_drawn_as_offsets() {
        let spec = Spec::Swizzled { vec: 2, per_phase: 1, max_phase: 4, order: None };
        insta::assert_snapshot!(draw_text(&spec.apply_in_memory(&[4, 8], 16).expect("fits")));
    }

    #[test]
    fn a_bank_is_drawn_for_every_word() {
        let plain = Spec::Plain.apply_in_memory(&[4, 8], 16).expect("fits");
        assert_eq!(
            draw_banks(&plain, 16, 8),
            "banks, by element (2 a cell)\n   0  2  4  6\n0  0  1  2  3\n1  4  5  6  7\n2  0  1  2  3\n3  4  5  6  7\n"
        );
    }

    #[test]
    fn lanes_that_meet_in_a_bank_are_seen() {
        let columns = registers(&Spec::blocked(&[1, 1], &[8, 4], &[1, 1]), &[8, 4], 32, 1);
        let rows = Spec::Padded { pads: vec![(4, 28)], order: None };
        let map = MemoryMap::of(&rows.apply_in_memory(&[8, 4], 32).expect("fits"));
        let access = SharedAccess::new(&columns, &map, 32);
        let drawn = draw_access(&access, 32, &BankModel::NVIDIA, Direction::Read);
        assert!(drawn.contains(" 0:0   1:1   2:2   3:3   4:0 "), "{drawn}");
        assert_eq!(access.conflicts(32, &BankModel::NVIDIA, Direction::Read), 7);
    }

    #[test]
    fn outer_dimensions_are_grids_of_their_own() {
        let layout =
            registers(&Spec::blocked(&[1, 1, 2], &[1, 2, 2], &[1, 1, 1]), &[3, 2, 4], 4, 1);
        insta::assert_snapshot!(draw_text(&layout));
    }

    #[test]
    fn an_svg_has_a_cell_for_every_element() {
        let layout = registers(&Spec::blocked(&[1, 2], &[2, 2], &[1, 1]), &[4, 4], 4, 1);
        let svg = draw_svg(&layout);
        assert_eq!(svg.matches("<rect").count(), 16);
        insta::assert_snapshot!(svg);
    }
}
