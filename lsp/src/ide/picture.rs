//! A layout in a few lines of text: what a thread holds, and which place holds each element.

use tile_layout::{In, Layout, draw_text};

/// Rows and characters of a picture in a hover.
const ROWS_MAX: usize = 8;
const WIDTH_MAX: usize = 76;

/// `8 registers a thread, 32 lanes, 4 warps; every element in one place`
pub fn summary(layout: &Layout) -> String {
    draw_text(layout).lines().nth(1).unwrap_or_default().to_owned()
}

/// The places of the first elements, as a grid; empty if a line says it all.
pub fn picture(layout: &Layout) -> String {
    let drawing = draw_text(layout);
    let mut lines = drawing.lines().skip(3);
    let Some(legend) = lines.next() else { return String::new() };
    let all: Vec<&str> = lines.take_while(|it| !it.is_empty()).collect();
    // The first of several grids has its index as a title.
    let (title, all) = match all.split_first() {
        Some((first, rest)) if first.starts_with('[') => (Some(*first), rest),
        _ => (None, &all[..]),
    };
    let grid: Vec<&str> =
        all.iter().copied().take_while(|it| !it.starts_with('[')).take(ROWS_MAX + 1).collect();
    let is_row = |it: &&&str| !it.starts_with('…') && !it.starts_with('[');
    let n_rows = all.iter().take_while(|it| !it.starts_with('[')).filter(is_row).count();
    let cut = cut(&grid);
    let mut out = format!("{legend}\n");
    out.extend(title.map(|it| format!("{it}\n")));
    for line in &grid {
        let whole = line.chars().count() <= cut;
        let text: String = line.chars().take(cut).collect();
        out.push_str(text.trim_end());
        out.push_str(if whole { "\n" } else { "  …\n" });
    }
    let n_more = n_rows.saturating_sub(grid.len());
    if n_more > 0 {
        out.push_str("…\n");
    }
    out
}

/// The last column between two cells of all lines that fits the width.
fn cut(lines: &[&str]) -> usize {
    let chars: Vec<Vec<char>> = lines.iter().map(|it| it.chars().collect()).collect();
    let longest = chars.iter().map(Vec::len).max().unwrap_or(0);
    if longest <= WIDTH_MAX {
        return longest;
    }
    let is_gap = |at: usize| {
        let blank = |it: &Vec<char>| it.get(at).is_none_or(|it| *it == ' ');
        chars.iter().all(blank)
    };
    (1..WIDTH_MAX).rev().find(|&at| is_gap(at) && is_gap(at + 1)).unwrap_or(WIDTH_MAX)
}

/// Registers of a thread that hold `elem_bits` bits each.
pub fn registers_32(layout: &Layout, elem_bits: u32) -> u32 {
    let copies = layout.free_mask(In::Register).count_ones();
    (u64::from(layout.registers() >> copies) * u64::from(elem_bits)).div_ceil(32) as u32
}
