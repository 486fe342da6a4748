//! Operations between the lanes of a warp.

use super::super::bytecode::{Cross, CrossMode, Shuffle, ShuffleMode, Slot, Vote, VoteMode};
use super::super::error::{Kind, SimError};
use super::lanes::Integer;
use super::{Flow, Turn, lanes_of};

/// Lanes of a row in AMD's data parallel primitives.
const ROW: usize = 16;

impl<const L: usize> Turn<'_, '_, L> {
    /// PTX ISA 9.7.9.6. The clamp word holds a segment mask in bits 8 to 12 and a bound in bits 0
    /// to 4; a source outside its bound is the lane itself.
    pub(super) fn shuffle(&mut self, shuffle: &Shuffle) -> Result<Flow, SimError> {
        let value = self.get::<u32>(shuffle.value);
        let lanes = self.get::<u32>(shuffle.lane);
        let clamps = self.get::<u32>(shuffle.clamp);
        let mut out = value;
        let mut valid = 0u64;
        for lane in lanes_of(self.mask) {
            let by = lanes[lane] & 31;
            let (bound, segment) = (clamps[lane] & 31, clamps[lane] >> 8 & 31);
            let own = lane as u32;
            let last = own & segment | bound & !segment;
            let first = own & segment;
            let (source, inside) = match shuffle.mode {
                ShuffleMode::Up => (own.wrapping_sub(by), own as i32 - by as i32 >= last as i32),
                ShuffleMode::Down => (own + by, own + by <= last),
                ShuffleMode::Butterfly => (own ^ by, (own ^ by) <= last),
                ShuffleMode::Index => (first | by & !segment, (first | by & !segment) <= last),
            };
            let source = if inside { source as usize } else { lane };
            if self.mask >> source & 1 == 0 {
                let message = format!("a shuffle reads lane {source}, which does not take part");
                return Err(SimError::new(Kind::Divergence, message).at_lane(own));
            }
            out[lane] = value[source];
            valid |= u64::from(inside) << lane;
        }
        self.put(shuffle.d, out);
        if let Some(flag) = shuffle.valid {
            self.put_flag(flag, valid);
        }
        Ok(Flow::Next)
    }

    pub(super) fn vote(&mut self, vote: &Vote) -> Result<Flow, SimError> {
        let mask = self.mask;
        if let VoteMode::MatchAny | VoteMode::MatchAll = vote.mode {
            self.match_lanes(vote);
            return Ok(Flow::Next);
        }
        if let (VoteMode::Reduce(op), Slot::Word(row)) = (vote.mode, vote.value) {
            let values = self.get::<u32>(row);
            let mut lanes = lanes_of(mask).map(|lane| values[lane]);
            let first = lanes.next().unwrap_or(0);
            let res = lanes.fold(first, |acc, it| u32::apply(op, acc, it));
            self.answer(vote.d, u64::from(res));
            return Ok(Flow::Next);
        }
        let Slot::Flag(flag) = vote.value else {
            return Err(SimError::unsupported("a vote about this value"));
        };
        let yes = self.flag(flag) & mask;
        self.answer(vote.d, tally(vote.mode, yes, mask));
        Ok(Flow::Next)
    }

    /// Gives every active lane the same answer.
    fn answer(&mut self, d: Slot, bits: u64) {
        for lane in lanes_of(self.mask) {
            self.warp.rows.write(d, lane, bits);
        }
    }

    fn match_lanes(&mut self, vote: &Vote) {
        let mask = self.mask;
        let equal_to = |turn: &Self, lane: usize| {
            let own = turn.warp.rows.read(vote.value, lane);
            let same =
                lanes_of(mask).filter(|&other| turn.warp.rows.read(vote.value, other) == own);
            same.fold(0u64, |same, other| same | 1 << other)
        };
        for lane in lanes_of(mask) {
            let same = equal_to(self, lane);
            let all = same == mask;
            let answer = if vote.mode == VoteMode::MatchAny || all { same } else { 0 };
            self.warp.rows.write(vote.d, lane, answer);
            if let Some(flag) = vote.also {
                self.warp.rows.write(Slot::Flag(flag), lane, u64::from(all));
            }
        }
    }

    pub(super) fn cross(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let cross = &program.code.crosses[table as usize];
        let a = self.get::<u32>(cross.a);
        let b = self.get::<u32>(cross.b);
        let active = |lane: usize| self.mask >> lane & 1 != 0;
        let first = (self.mask.trailing_zeros() as usize).min(L - 1);
        let out: [u32; L] = match cross.mode {
            CrossMode::Gather => std::array::from_fn(|lane| {
                let source = (a[lane] / 4) as usize % L;
                if active(source) { b[source] } else { 0 }
            }),
            CrossMode::Scatter => {
                let mut out = [0; L];
                for lane in lanes_of(self.mask) {
                    out[(a[lane] / 4) as usize % L] = b[lane];
                }
                out
            }
            CrossMode::ReadLane => [a[b[first] as usize % L]; L],
            CrossMode::ReadFirst => [a[first]; L],
            CrossMode::Swizzle { pattern } => std::array::from_fn(|lane| {
                let source = swizzle_source(pattern, lane);
                if active(source) { a[source] } else { 0 }
            }),
            CrossMode::Dpp { ctrl, row_mask, bank_mask, bound } => {
                return self.dpp(cross, ctrl, row_mask, bank_mask, bound);
            }
            CrossMode::MaskCountLow => std::array::from_fn(|lane| {
                let below = ((1u64 << lane) - 1) as u32;
                b[lane] + (a[lane] & below).count_ones()
            }),
            CrossMode::MaskCountHigh => std::array::from_fn(|lane| {
                let below = (((1u64 << lane) - 1) >> 32) as u32;
                b[lane] + (a[lane] & below).count_ones()
            }),
            CrossMode::SwapRows { unit } => {
                self.swap_rows(cross, usize::from(unit), a, b);
                return Ok(());
            }
        };
        self.put(cross.d, out);
        Ok(())
    }

    /// `v_permlane16_swap` and `v_permlane32_swap`: odd rows of the first register change places
    /// with even rows of the second.
    fn swap_rows(&mut self, cross: &Cross, unit: usize, mut a: [u32; L], mut b: [u32; L]) {
        for lane in (0..L).filter(|lane| lane / unit % 2 == 1) {
            std::mem::swap(&mut a[lane], &mut b[lane - unit]);
        }
        self.put(cross.d, a);
        if let Some(also) = cross.also {
            self.put(also, b);
        }
    }

    fn dpp(
        &mut self,
        cross: &Cross,
        ctrl: u16,
        rows: u8,
        banks: u8,
        bound: bool,
    ) -> Result<(), SimError> {
        let (old, value) = (self.get::<u32>(cross.a), self.get::<u32>(cross.b));
        let mut out = old;
        for lane in lanes_of(self.mask) {
            let enabled = rows >> (lane / ROW % 4) & 1 != 0 && banks >> (lane % ROW / 4) & 1 != 0;
            if !enabled {
                continue;
            }
            let source = dpp_source(ctrl, lane, L).map_err(SimError::unsupported)?;
            out[lane] = match source {
                Some(source) if self.mask >> source & 1 != 0 => value[source],
                _ if bound => 0,
                _ => old[lane],
            };
        }
        self.put(cross.d, out);
        Ok(())
    }
}

/// The answer of a vote in which the lanes `yes` of `mask` said yes.
pub(in crate::sim) fn tally(mode: VoteMode, yes: u64, mask: u64) -> u64 {
    match mode {
        VoteMode::Any => u64::from(yes != 0),
        VoteMode::All => u64::from(yes == mask),
        VoteMode::Uniform => u64::from(yes == mask || yes == 0),
        _ => yes,
    }
}

/// `ds_swizzle_b32`: quad permutation, or and/or/xor on the lane within 32 (CDNA3 ISA).
fn swizzle_source(pattern: u16, lane: usize) -> usize {
    let pattern = usize::from(pattern);
    if pattern & 0x8000 != 0 {
        return lane & !3 | pattern >> (2 * (lane & 3)) & 3;
    }
    let (and, or, xor) = (pattern & 31, pattern >> 5 & 31, pattern >> 10 & 31);
    lane & !31 | ((lane & 31 & and) | or) ^ xor
}

/// The source lane of a data parallel primitive, none where there is none (CDNA3 ISA, DPP_CTRL).
fn dpp_source(ctrl: u16, lane: usize, lanes: usize) -> Result<Option<usize>, String> {
    let n = usize::from(ctrl & 15);
    let (row, at) = (lane & !(ROW - 1), lane % ROW);
    Ok(match ctrl {
        0x000..=0x0ff => Some(lane & !3 | usize::from(ctrl) >> (2 * (lane & 3)) & 3),
        0x101..=0x10f => (at + n < ROW).then_some(lane + n),
        0x111..=0x11f => (at >= n).then(|| lane - n),
        0x121..=0x12f => Some(row | ((at + ROW - n) % ROW)),
        0x130 => (lane + 1 < lanes).then_some(lane + 1),
        0x134 => Some((lane + 1) % lanes),
        0x138 => lane.checked_sub(1),
        0x13c => Some((lane + lanes - 1) % lanes),
        0x140 => Some(row | (ROW - 1 - at)),
        0x141 => Some(lane & !7 | (7 - (lane & 7))),
        0x142 => (lane >= ROW).then(|| row - 1),
        0x143 => (lane >= 32).then_some(31),
        0x150..=0x15f => Some(row | n),
        _ => return Err(format!("the lane control {ctrl:#x}")),
    })
}
