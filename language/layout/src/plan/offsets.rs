//! Orders of elements in scratch memory that suit both sides of a conversion.
//!
//! # The idea
//! An offset is a linear function of an element's index. Its lowest bits make a *row*: neighbours
//! that one access of a thread moves, or one row of a matrix that the lanes move together. Above lie
//! *bank* bits, which with the row's reach over all banks once, and *segment* bits. What a side asks
//! for is its [`Reach`]. Rows are tried that suit one side, the other or both; the order is then found
//! by choosing segments.
//!
//! # Theorem
//! Let each side move rows that both hold in registers, of which no thread bit has a part. Then there
//! is an order in which no access of either side has a bank conflict.
//!
//! Accesses of lanes that are served together meet in a bank exactly if their elements differ by a
//! sum of segments, and of bits inside a row or word, with at least one segment. So segments must be
//! independent of a side's *span*: the differences of lanes that are served together, with the bits
//! of its rows and words. A span has no more dimensions than all banks have bits, therefore with the
//! segments chosen before it is a proper subspace as long as one is missing. Two proper subspaces
//! never make up the whole space: where one vector lies outside the first and another outside the
//! second, one of the two or their sum lies outside both. That sum is the familiar swizzle. Sides that
//! see different numbers of banks have some segments of their own, chosen after the common ones.
//!
//! Source: arXiv 2505.23819, section 5.4; here for any linear map, and for sides that differ.

use super::gather::Columns;
use crate::access::{MatrixForm, SharedModel};
use crate::banks::Direction;
use crate::bits::{Echelon, apply, intersection, log2};

/// Bytes of the widest access.
const ACCESS_BYTES_MAX: u32 = 16;
/// Bytes of a bank.
const WORD_BYTES: u32 = 4;
/// Choices of the registers inside a matrix row that are tried.
const OWN_CHOICES_MAX: usize = 2;

/// One side of a conversion: what its threads hold in one round.
pub(super) struct Side<'a> {
    pub(super) columns: &'a Columns,
    pub(super) direction: Direction,
    pub(super) forms: &'static [MatrixForm],
}

/// An order of the elements.
pub(super) struct Order {
    basis: Echelon,
    /// Elements that the accesses of the store and of the load move by the order's intent.
    pub(super) vectors: [u32; 2],
}

impl Order {
    /// The offset of an element.
    pub(super) fn of(&self, element: u64) -> u32 {
        self.basis.solve(element).expect("L3: rows, banks and segments span everything") as u32
    }
}

/// The orders worth a look, the one of the theorem first.
pub(super) fn orders(
    sides: &[Side<'_>; 2],
    model: &SharedModel,
    n_bits: u32,
    elem_bytes: u32,
) -> Vec<Order> {
    let [store, load] = sides;
    let common = common_row(store, load, elem_bytes);
    let mut rows = vec![common.clone()];
    rows.push(extended(&common, store, load, elem_bytes));
    rows.push(extended(&common, load, store, elem_bytes));
    rows.extend(store.matrix_rows(load, elem_bytes * 8));
    rows.extend(load.matrix_rows(store, elem_bytes * 8));
    let mut done: Vec<&Vec<u64>> = Vec::new();
    for row in &rows {
        if !done.contains(&row) {
            done.push(row);
        }
    }
    let order = |row: &Vec<u64>| {
        let reaches = [store, load].map(|it| it.reach(row, model, elem_bytes));
        order(row, &reaches, n_bits, elem_bytes)
    };
    done.into_iter().map(order).collect()
}

/// Elements that both sides hold in registers and no thread bit has a part in.
fn common_row(store: &Side<'_>, load: &Side<'_>, elem_bytes: u32) -> Vec<u64> {
    let (a, b) = (&store.columns.regs, &load.columns.regs);
    let [in_a, in_b] = [a, b].map(|it| Echelon::new(it.iter().copied()));
    let mut span = Echelon::new(store.threads().chain(load.threads()));
    let held = |it: &u64| in_a.contains(*it) && in_b.contains(*it);
    // Bases themselves are preferred to sums of them.
    let all = a
        .iter()
        .chain(b)
        .copied()
        .filter(held)
        .chain(intersection(a, b))
        .filter(|&it| span.add(it));
    all.take(log2((ACCESS_BYTES_MAX / elem_bytes).into()) as usize).collect()
}

/// A row that is longer for one side: what it has in registers and the other in lanes.
fn extended(row: &[u64], side: &Side<'_>, other: &Side<'_>, elem_bytes: u32) -> Vec<u64> {
    let held = Echelon::new(side.columns.regs.iter().copied());
    let mut span = Echelon::new(side.threads().chain(row.iter().copied()));
    let more = other.columns.lanes.iter().filter(|it| held.contains(**it)).copied();
    let more = more.filter(|&it| span.add(it));
    let most = log2((ACCESS_BYTES_MAX / elem_bytes).into()) as usize;
    row.iter().copied().chain(more).take(most).collect()
}

/// How a side moves the rows of an order.
struct Reach {
    /// Bits of a row that one access moves.
    n_row: usize,
    /// Differences of elements that are served together.
    together: Vec<u64>,
    /// What may have no part in those bits.
    others: Vec<u64>,
    /// Bits of an offset below which all banks are reached once.
    n_low: u32,
}

impl Side<'_> {
    fn threads(&self) -> impl Iterator<Item = u64> + '_ {
        self.columns.lanes.iter().chain(&self.columns.warps).copied()
    }

    /// Rows of the matrices that this side can move.
    fn matrix_rows(&self, other: &Side<'_>, elem_bits: u32) -> Vec<Vec<u64>> {
        let other = Echelon::new(other.columns.regs.iter().copied());
        let mut regs: Vec<u64> = self.columns.regs.iter().copied().filter(|it| *it != 0).collect();
        regs.sort_by_key(|it| !other.contains(*it));
        let mut rows = Vec::new();
        for (n_own, inside) in self.forms.iter().filter_map(|it| it.inside(elem_bits)) {
            let lanes = inside.iter().map(|&it| self.columns.lanes.get(it).copied().unwrap_or(0));
            let lanes: Vec<u64> = lanes.collect();
            let choices = if n_own == 0 { vec![&[][..]] } else { regs.windows(n_own).collect() };
            for own in choices.into_iter().take(OWN_CHOICES_MAX) {
                let row: Vec<u64> = own.iter().chain(&lanes).copied().collect();
                let mut span = Echelon::default();
                if row.iter().all(|&it| span.add(it)) {
                    rows.push(row);
                }
            }
        }
        rows
    }

    fn reach(&self, row: &[u64], model: &SharedModel, elem_bytes: u32) -> Reach {
        let n_lane_bits = self.columns.lanes.len() as u32;
        let served = |bytes| model.banks.served_together(n_lane_bits, bytes, self.direction);
        let n_low = |bytes| {
            let banks = model.banks.group(bytes, self.direction).banks;
            log2((banks * WORD_BYTES / elem_bytes).into())
        };
        if let Some((form, inside)) = self.form_of(row, elem_bytes * 8) {
            let bytes = elem_bytes << row.len();
            let is_outside = |it: &u64| !row.contains(it);
            let regs: Vec<u64> = self.columns.regs.iter().copied().filter(is_outside).collect();
            let addresses = form.addressed(elem_bytes * 8, &regs, &self.columns.lanes);
            let together = served(bytes).into_iter().map(|it| apply(&addresses, it)).collect();
            let lanes = self.columns.lanes.iter().enumerate();
            let lanes = lanes.filter(|it| !inside.contains(&it.0)).map(|it| *it.1);
            let others = lanes.chain(self.columns.warps.iter().copied()).chain(regs).collect();
            return Reach { n_row: row.len(), together, others, n_low: n_low(bytes) };
        }
        let held = Echelon::new(self.columns.regs.iter().copied());
        let n_row = row.iter().take_while(|it| held.contains(**it)).count();
        let bytes = elem_bytes << n_row;
        let together = served(bytes).into_iter().map(|it| apply(&self.columns.lanes, it));
        let (together, others) = (together.collect(), self.threads().collect());
        Reach { n_row, together, others, n_low: n_low(bytes) }
    }

    /// The form whose matrices have these rows.
    fn form_of(&self, row: &[u64], elem_bits: u32) -> Option<(MatrixForm, &'static [usize])> {
        self.forms.iter().find_map(|&form| {
            let (n_own, inside) = form.inside(elem_bits)?;
            let lanes = inside.iter().map(|&it| self.columns.lanes.get(it).copied());
            let own = row.get(..n_own)?.iter().all(|it| self.columns.regs.contains(it));
            (own && lanes.eq(row[n_own..].iter().map(|it| Some(*it)))).then_some((form, inside))
        })
    }
}

/// The order whose lowest offset bits are a row.
fn order(row: &[u64], reaches: &[Reach; 2], n_bits: u32, elem_bytes: u32) -> Order {
    let [store, load] = reaches;
    let (long, short) = if store.n_row >= load.n_row { (store, load) } else { (load, store) };
    // Everything beside the row, such that the elements that must not touch it do not.
    let mut span = Echelon::new(row.iter().copied());
    let units = (0..n_bits).map(|bit| 1u64 << bit);
    let rest: Vec<u64> = (long.others.iter().chain(&short.others).copied().chain(units))
        .filter(|&it| span.add(it))
        .collect();
    let n_word = log2((WORD_BYTES / elem_bytes.min(WORD_BYTES)).into()) as usize;
    let word = &rest[..n_word.saturating_sub(row.len()).min(rest.len())];
    let spans = reaches.each_ref().map(|it| {
        let row = &row[..it.n_row.max(n_word).min(row.len())];
        Echelon::new(row.iter().chain(word).chain(&it.together).copied())
    });
    let [common, own] = {
        let above = |n_low: u32| n_bits.saturating_sub(n_low.max(row.len() as u32)) as usize;
        let [a, b] = [store.n_low, load.n_low].map(above);
        [a.min(b), a.abs_diff(b)]
    };
    let taken = Echelon::new(row.iter().chain(word).copied());
    let mut segments = Segments { rest: &rest, spans, taken, chosen: Vec::new() };
    (0..common).for_each(|_| segments.choose([true, true]));
    let fewer_banks = store.n_low < load.n_low;
    (0..own).for_each(|_| segments.choose([fewer_banks, !fewer_banks]));
    let Segments { mut chosen, mut taken, .. } = segments;
    // Segments that only one side has lie below the others.
    chosen.rotate_left(common);
    let banks = rest.iter().copied().filter(|&it| taken.add(it));
    let banks: Vec<u64> = banks.collect();
    let basis = row.iter().chain(word).chain(&banks).chain(&chosen).copied();
    Order { basis: Echelon::new(basis), vectors: [store, load].map(|it| 1 << it.n_row) }
}

/// Segments as they are chosen.
struct Segments<'a> {
    /// What segments are sums of.
    rest: &'a [u64],
    /// What the segments of each side must be independent of, with those chosen.
    spans: [Echelon; 2],
    /// What the order has so far.
    taken: Echelon,
    chosen: Vec<u64>,
}

impl Segments<'_> {
    /// Chooses one more, outside of the spans of these sides if there is one.
    fn choose(&mut self, sides: [bool; 2]) {
        let [a, b] = &self.spans;
        let is_outside = |it: u64| (!sides[0] || !a.contains(it)) && (!sides[1] || !b.contains(it));
        let free = |it: &u64| !self.taken.contains(*it);
        let find =
            |f: &dyn Fn(u64) -> bool| self.rest.iter().copied().filter(free).find(|&it| f(it));
        let both = find(&is_outside).or_else(|| {
            let sum = find(&|it| !a.contains(it))? ^ find(&|it| !b.contains(it))?;
            (is_outside(sum) && free(&sum)).then_some(sum)
        });
        let any = both.or_else(|| find(&|it| !a.contains(it) || !b.contains(it)));
        let Some(next) = any.or_else(|| find(&|_| true)) else { return };
        for span in &mut self.spans {
            span.add(next);
        }
        self.taken.add(next);
        self.chosen.push(next);
    }
}
