//! Moves of small matrices between registers and shared memory: `ldmatrix`, `stmatrix`,
//! `ds_read_tr`.

use super::super::bytecode::{MatrixMove, RowsForm, Space, TransposedRead};
use super::super::count::Traffic;
use super::super::error::SimError;
use super::super::memory::Region;
use super::super::race::How;
use super::window::offset;
use super::{Turn, lanes_of};

/// Bytes of a row of `ldmatrix` and `stmatrix`.
const ROW: usize = 16;
/// Lanes that a transposing read of AMD transposes among.
const GROUP: usize = 16;

impl RowsForm {
    /// Which row, and which of its bytes, byte `b` of a lane's register `r` is (PTX ISA 9.7.14.5.15
    /// and 9.7.14.5.16, fragments).
    fn place(self, r: usize, lane: usize, b: usize) -> (usize, usize) {
        let (far, near) = (lane / 4, lane % 4);
        match self {
            RowsForm::Plain => (8 * r + far, 4 * near + b),
            RowsForm::Transposed => (8 * r + 2 * near + b / 2, 2 * far + b % 2),
            RowsForm::TransposedBytes16 => (16 * (r / 2) + 4 * near + b, far + 8 * (r % 2)),
            RowsForm::TransposedBytes8 => (8 * r + 2 * near + b % 2, far + 8 * (b / 2)),
        }
    }
}

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn matrix_move(&mut self, it: &MatrixMove) -> Result<(), SimError> {
        let count = 8 * it.registers.len();
        let addresses = self.warp.rows.all(it.addr);
        let mask = if count >= 64 { !0 } else { (1u64 << count) - 1 };
        let traffic = Traffic { bytes: ROW as u32, store: it.store, mask };
        self.counts.shared(self.pc, traffic, &addresses, &self.program.banks);
        self.check_aligned(Space::Shared, &addresses, (ROW as u32, ROW as u32), mask)?;
        self.await_own(Space::Shared, &addresses, ROW as u32, mask);
        let mut rows = [[0u8; ROW]; 32];
        if it.store {
            for (r, &register) in it.registers.iter().enumerate() {
                for (lane, word) in self.get::<u32>(register).into_iter().enumerate() {
                    for (b, byte) in word.to_le_bytes().into_iter().enumerate() {
                        let (row, at) = it.form.place(r, lane % 32, b);
                        rows[row][at] = byte;
                    }
                }
            }
            let (_, mut window) = self.open(Region::Shared);
            for (lane, row) in rows.iter().enumerate().take(count) {
                window.write(offset(addresses[lane]), row, lane)?;
            }
            return Ok(());
        }
        let (_, mut window) = self.open(Region::Shared);
        window.foresee(addresses[..count].iter().copied().map(offset));
        for (lane, row) in rows.iter_mut().enumerate().take(count) {
            *row = window.read_row(offset(addresses[lane]), lane, How::Read)?;
        }
        for (r, &register) in it.registers.iter().enumerate() {
            let word = |lane: usize| {
                u32::from_le_bytes(std::array::from_fn(|b| {
                    let (row, at) = it.form.place(r, lane % 32, b);
                    rows[row % 32][at % ROW]
                }))
            };
            let out: [u32; L] = match it.form {
                RowsForm::Plain => std::array::from_fn(|lane| {
                    let (words, _) = rows[(8 * r + lane / 4) % 32].as_chunks::<4>();
                    u32::from_le_bytes(words[lane % 4])
                }),
                RowsForm::Transposed => std::array::from_fn(|lane| {
                    let half = |row: usize| {
                        let (halves, _) = rows[row % 32].as_chunks::<2>();
                        u32::from(u16::from_le_bytes(halves[lane / 4 % 8]))
                    };
                    let row = 8 * r + lane % 4 * 2;
                    half(row) | half(row + 1) << 16
                }),
                RowsForm::TransposedBytes16 | RowsForm::TransposedBytes8 => {
                    std::array::from_fn(word)
                }
            };
            self.put(register, out);
        }
        Ok(())
    }

    /// Element `v` of lane `q` of a group is the `16 v + q`th of all that the group's lanes loaded.
    pub(super) fn transposed_read(&mut self, it: &TransposedRead) -> Result<(), SimError> {
        let addresses = self.warp.rows.all(it.addr);
        let traffic = Traffic { bytes: it.bytes, store: false, mask: self.mask };
        self.counts.shared(self.pc, traffic, &addresses, &self.program.banks);
        let mut loaded = [0u128; L];
        let (len, align) = (it.bytes as usize, if it.bytes == 8 { 8 } else { 4 });
        self.check_aligned(Space::Shared, &addresses, (it.bytes, align), self.mask)?;
        self.await_own(Space::Shared, &addresses, it.bytes, self.mask);
        let mask = self.mask;
        let (_, mut window) = self.open(Region::Shared);
        for lane in lanes_of(mask) {
            let mut bytes = [0; 16];
            bytes[..len].copy_from_slice(window.read(
                offset(addresses[lane]),
                len,
                lane,
                How::Read,
            )?);
            loaded[lane] = u128::from_le_bytes(bytes);
        }
        let count = (8 * it.bytes / it.bits) as usize;
        let ones = (1u128 << it.bits) - 1;
        let columns: [u128; L] = std::array::from_fn(|lane| {
            let (group, q) = (lane / GROUP * GROUP, lane % GROUP);
            let elements = (0..count).map(|v| {
                let at = GROUP * v + q;
                loaded[group + at / count] >> (at % count * it.bits as usize) & ones
            });
            elements.enumerate().fold(0, |all, (v, it_)| all | it_ << (v * it.bits as usize))
        });
        for (i, &d) in it.d.iter().enumerate() {
            let ones = (1u128 << it.d_bits) - 1;
            let out = columns.map(|column| (column >> (i * it.d_bits as usize) & ones) as u32);
            self.put(d, out);
        }
        Ok(())
    }
}
