//! Drawings of the banks of shared memory: where elements fall, and how an access is served.

use super::{CELLS_MAX, ROWS_MAX, aligned, draw_cells, run_length};
use crate::access::{SharedAccess, SharedMeans};
use crate::banks::{BankModel, Direction};
use crate::layout::Layout;

/// Bytes of a bank.
const WORD_BYTES: u32 = 4;

/// The bank of every element of a buffer whose elements have `elem_bits` bits, of `n_banks`.
pub fn draw_banks(layout: &Layout, elem_bits: u32, n_banks: u32) -> String {
    let in_word = 1 << (WORD_BYTES * 8 / elem_bits.max(1)).max(1).ilog2();
    let run = run_length(layout).min(in_word);
    let bank = |index: &[u32]| (layout.offset_of(index) * elem_bits / 8 / WORD_BYTES) % n_banks;
    let mut out = format!("banks, by element{}\n", super::steps(run));
    draw_cells(&mut out, layout, run, &|index| bank(index).to_string());
    out
}

/// How the first access of warp 0 is served: a line for lanes that are served together, each lane
/// with the bank that its bytes begin in.
pub fn draw_access(
    access: &SharedAccess,
    elem_bits: u32,
    model: &BankModel,
    direction: Direction,
) -> String {
    let Some(first) = access.groups.first() else { return String::new() };
    let of = model.group(access.bytes, direction);
    let n_lanes = match access.means {
        SharedMeans::Matrix { count, .. } => 8 * count,
        SharedMeans::Vector | SharedMeans::TransposeRead => 1 << access.lanes.len(),
    };
    let mut lines: Vec<(u64, Vec<String>)> = Vec::new();
    for lane in 0..n_lanes {
        let byte = access.offset(first, lane, 0) * elem_bits / 8;
        let text = format!("{lane}:{}", byte / WORD_BYTES % of.banks);
        let group = of.of(lane.into());
        match lines.iter_mut().find(|it| it.0 == group) {
            Some(line) => line.1.push(text),
            None => lines.push((group, vec![text])),
        }
    }
    let mut out = "lanes that are served together, with the bank in which each begins\n".to_owned();
    let shown: Vec<Vec<String>> = lines.into_iter().map(|it| it.1).collect();
    let lines: Vec<Vec<String>> = shown
        .iter()
        .flat_map(|it| it.chunks(CELLS_MAX as usize).map(<[String]>::to_vec))
        .take(ROWS_MAX as usize)
        .collect();
    aligned(&mut out, &lines, 0, "");
    out
}
