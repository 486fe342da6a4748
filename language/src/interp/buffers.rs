//! Shared memory of a block: buffers, views of them, and the copies in flight.
//!
//! # Definition
//! A buffer is the bytes of a `shared.alloc`, each with what is known of it: nothing has written it,
//! something has, or a copy in flight will. Each time the allocation runs the buffer begins anew:
//! what was written is forgotten, but copies in flight fly on, and what they leave is nothing to the
//! new one. Where several names are laid over a buffer, what was written under one is unwritten for
//! the others. Products and boxes on their way out read a buffer until they are waited for; until then
//! nothing may write there. A [`View`] is a buffer with a place in
//! it; where its elements lie from there says the memory map in its type, spelled out once a kernel
//! as [`Runs`] of neighbours, so that an access copies runs and looks at no element.
//!
//! # Invariants
//! * B1: bytes that a copy in flight will write are `InFlight` and nothing else is, so no two copies
//!   in flight overlap, and the order in which the copies of a group land cannot be seen.
//! * B2: a byte holds elements that are written together: of elements smaller than a byte, one that
//!   is written makes its byte written.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use tile_layout::{Contribution, MemoryMap};

use super::elements::Elements;
use crate::dtype::DType;
use crate::ir::{Elem, SiteId, Type, Value};
use crate::value;

/// What is known of a byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    Nothing,
    Written,
    InFlight,
}

/// The bytes of an allocation.
#[derive(Debug)]
pub(super) struct Buffer {
    /// How often it has begun.
    age: u32,
    bytes: Vec<u8>,
    known: Vec<Known>,
    /// How many operations in flight read each byte; empty if none ever did.
    n_readers: Vec<u16>,
    /// The name that each byte was written under; empty if it has one alone.
    names: Vec<Value>,
}

/// A place in a buffer.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) buffer: Rc<RefCell<Buffer>>,
    /// The number in the cluster of the block whose memory it is.
    pub(super) rank: usize,
    /// The view of the whole: the buffer, or one of the names that are laid over it.
    pub(super) whole: Value,
    /// In elements of the view's type, without padding.
    pub(super) place: Contribution,
}

/// Why elements cannot be accessed: the first one's position in the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// Nothing has written it.
    Unwritten(usize),
    /// A copy in flight will write it.
    InFlight(usize),
    /// A product or a box in flight reads it.
    BeingRead(usize),
    /// Two elements with different values would be written there.
    Twice { at: usize, from: [usize; 2] },
}

/// Why bytes cannot be accessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Obstacle {
    Unwritten,
    InFlight,
    BeingRead,
}

/// How an access uses what is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    Read,
    Write,
}

/// Where the elements of all views with one map lie from the view's place.
#[derive(Debug)]
pub(super) struct Runs {
    map: MemoryMap,
    dtype: DType,
    n_elements: usize,
    /// Elements of a run: neighbours in the view and, but for padding, in memory.
    len: usize,
    /// The first element of each run.
    firsts: Vec<Contribution>,
}

impl Buffer {
    /// A buffer of which nothing is known.
    fn new(ty: &Type) -> Buffer {
        let bits = u64::from(ty.map().buffer_len()) * u64::from(ty.elem.bits());
        let n_bytes = bits.div_ceil(8) as usize;
        let (bytes, known) = (vec![0; n_bytes], vec![Known::Nothing; n_bytes]);
        Buffer { age: 0, bytes, known, n_readers: Vec::new(), names: Vec::new() }
    }

    fn begin_again(&mut self) {
        self.age += 1;
        self.known
            .iter_mut()
            .filter(|it| **it == Known::Written)
            .for_each(|it| *it = Known::Nothing);
    }

    fn find(&self, bytes: Range<usize>, usage: Use, name: Value) -> Option<Obstacle> {
        let others =
            self.names.get(bytes.clone()).is_some_and(|it| it.iter().any(|it| *it != name));
        let is_read = usage == Use::Write
            && self.n_readers.get(bytes.clone()).is_some_and(|it| it.iter().any(|it| *it != 0));
        let known = &self.known[bytes];
        if usage == Use::Read && others && !known.contains(&Known::InFlight) {
            return Some(Obstacle::Unwritten);
        }
        // Without an early end, so that the loop is vectorised.
        let accepted = known.iter().fold(true, |acc, &it| acc & (it == Known::Written));
        if accepted {
            return is_read.then_some(Obstacle::BeingRead);
        }
        let obstacle = |it: &Known| match it {
            Known::InFlight => Some(Obstacle::InFlight),
            Known::Nothing => (usage == Use::Read).then_some(Obstacle::Unwritten),
            Known::Written => None,
        };
        known.iter().find_map(obstacle).or(is_read.then_some(Obstacle::BeingRead))
    }
}

impl View {
    /// The view of the whole of a buffer that begins anew.
    pub(super) fn begin_again(&self) -> View {
        self.buffer.borrow_mut().begin_again();
        View { place: Contribution::default(), ..self.clone() }
    }

    /// One of the names of the buffer.
    pub(super) fn named(&self, name: Value) -> View {
        let mut buffer = self.buffer.borrow_mut();
        let n_bytes = buffer.bytes.len();
        buffer.names.resize(n_bytes, self.whole);
        View { whole: name, ..self.clone() }
    }

    /// A buffer that begins, as the view of the whole.
    pub(super) fn of_new(whole: Value, ty: &Type, rank: usize) -> View {
        let buffer = Rc::new(RefCell::new(Buffer::new(ty)));
        View { buffer, rank, whole, place: Contribution::default() }
    }

    /// The same place of another block's buffer.
    pub(super) fn on(&self, other: &View) -> View {
        View { place: self.place, ..other.clone() }
    }

    /// The view with something added to its place.
    pub(super) fn at(&self, more: Contribution) -> View {
        View { place: self.place.and(more), ..self.clone() }
    }

    /// The same place, counted in elements of another width.
    pub(super) fn rescaled(&self, from: Elem, to: Elem) -> View {
        let rescale = |it: u32| {
            let bits = u64::from(it) * u64::from(from.bits());
            u32::try_from(bits / u64::from(to.bits()))
                .expect("V2: a buffer has less than 2^32 elements")
        };
        let place =
            Contribution { start: rescale(self.place.start), shift: rescale(self.place.shift) };
        View { place, ..self.clone() }
    }
}

impl Runs {
    pub(super) fn of(ty: &Type) -> Runs {
        let map = ty.map().clone();
        let Elem::Shared(dtype) = ty.elem else { panic!("V3: numbers are read and written") };
        let len = neighbours(&map);
        let shape = map.shape();
        let mut firsts = vec![Contribution::default()];
        for (axis, &extent) in shape.iter().enumerate() {
            let along: Vec<Contribution> =
                (0..extent).map(|it| map.contribution(axis, it)).collect();
            firsts = firsts.iter().flat_map(|it| along.iter().map(|more| it.and(*more))).collect();
        }
        let firsts = firsts.into_iter().step_by(len).collect();
        Runs { map, dtype, n_elements: ty.len(), len, firsts }
    }

    /// The offset of an element in its buffer, padding included.
    pub(super) fn offset(&self, view: &View, position: usize) -> u32 {
        let first = view.place.and(self.firsts[position / self.len]);
        self.map.with_padding(first.offset() + (position % self.len) as u32)
    }

    /// The first byte of an element in its buffer.
    pub(super) fn first_byte(&self, view: &View, position: usize) -> usize {
        let offset = self.offset(view, position) as usize;
        self.bytes(&(offset..offset + 1)).start
    }

    /// Calls `f` with the position of every stretch of elements that are neighbours in memory, and with its offsets.
    fn stretches<E>(
        &self,
        view: &View,
        mut f: impl FnMut(usize, Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (number, &first) in self.firsts.iter().enumerate() {
            let mut offset = view.place.and(first).offset();
            let (mut at, mut left) = (number * self.len, self.len as u32);
            while left > 0 {
                let whole = |&(interval, _): &(u32, u32)| interval - offset % interval;
                let len = self.map.padding().iter().map(whole).fold(left, u32::min);
                let there = self.map.with_padding(offset) as usize;
                f(at, there..there + len as usize)?;
                (at, offset, left) = (at + len as usize, offset + len, left - len);
            }
        }
        Ok(())
    }

    /// The bytes of elements.
    fn bytes(&self, elements: &Range<usize>) -> Range<usize> {
        let width = self.dtype.storage_bits() as usize;
        elements.start * width / 8..(elements.end * width).div_ceil(8)
    }

    /// Refuses the first element that cannot be accessed.
    fn check(&self, view: &View, usage: Use) -> Result<(), Refusal> {
        let buffer = view.buffer.borrow();
        self.stretches(view, |at, elements| {
            let Some(found) = buffer.find(self.bytes(&elements), usage, view.whole) else {
                return Ok(());
            };
            let single = |it: usize| self.bytes(&(it..it + 1));
            let refused =
                |it: &usize| buffer.find(single(elements.start + it), usage, view.whole).is_some();
            let at = at + (0..elements.len()).find(refused).unwrap_or(0);
            Err(refusal(found, at))
        })
    }

    /// All elements of a view.
    pub(super) fn load(&self, view: &View) -> Result<Elements, Refusal> {
        self.check(view, Use::Read)?;
        let elem = Elem::Data(self.dtype);
        let mut res = Elements::with_capacity(elem, self.n_elements);
        let buffer = view.buffer.borrow();
        if self.is_packed() {
            let positions = (0..self.n_elements).map(|it| self.element(&buffer, view, it));
            return Ok(Elements::from_bits(elem, positions));
        }
        let mut bytes = Vec::with_capacity(self.n_elements * self.width());
        let copy = |_, elements: Range<usize>| -> Result<(), Refusal> {
            bytes.extend_from_slice(&buffer.bytes[self.bytes(&elements)]);
            Ok(())
        };
        self.stretches(view, copy)?;
        res.extend_from_bytes(&bytes);
        Ok(res)
    }

    /// Writes all elements of a view.
    pub(super) fn store(&self, view: &View, values: &Elements) -> Result<(), Refusal> {
        self.check(view, Use::Write)?;
        self.put(view, values, Known::Written);
        Ok(())
    }

    /// Notes that a copy in flight will write all elements of a view.
    fn take_off(&self, view: &View) -> Result<(), Refusal> {
        self.check(view, Use::Write)?;
        let mut buffer = view.buffer.borrow_mut();
        self.stretches(view, |_, elements| {
            buffer.known[self.bytes(&elements)].fill(Known::InFlight);
            Ok(())
        })
    }

    /// Notes that one operation in flight more, or one fewer, reads all elements of a view.
    fn count_readers(&self, view: &View, by: i16) {
        let mut buffer = view.buffer.borrow_mut();
        let n_bytes = buffer.bytes.len();
        buffer.n_readers.resize(n_bytes, 0);
        let count = |_, elements: Range<usize>| -> Result<(), std::convert::Infallible> {
            let counts = &mut buffer.n_readers[self.bytes(&elements)];
            counts.iter_mut().for_each(|it| *it = it.saturating_add_signed(by));
            Ok(())
        };
        let Ok(()) = self.stretches(view, count);
    }

    fn put(&self, view: &View, values: &Elements, now: Known) {
        let mut buffer = view.buffer.borrow_mut();
        let Buffer { bytes, known, names, .. } = &mut *buffer;
        let mut from = vec![];
        if !self.is_packed() {
            from.resize(self.n_elements * self.width(), 0);
            values.write_bytes(0, self.n_elements, &mut from);
        }
        let put = |at: usize, elements: Range<usize>| -> Result<(), std::convert::Infallible> {
            let range = self.bytes(&elements);
            known[range.clone()].fill(now);
            if let Some(names) = names.get_mut(range.clone()) {
                names.fill(view.whole);
            }
            if self.is_packed() {
                for (position, offset) in (at..).zip(elements) {
                    self.write(bytes, offset, values.bits(position));
                }
            } else {
                let first = at * self.width();
                bytes[range.clone()].copy_from_slice(&from[first..first + range.len()]);
            }
            Ok(())
        };
        let Ok(()) = self.stretches(view, put);
    }

    /// The bits of one element.
    pub(super) fn load_one(&self, view: &View, position: usize) -> Result<u64, Refusal> {
        self.check_one(view, position, Use::Read)?;
        Ok(self.element(&view.buffer.borrow(), view, position))
    }

    /// Writes one element.
    pub(super) fn store_one(&self, view: &View, position: usize, bits: u64) -> Result<(), Refusal> {
        self.check_one(view, position, Use::Write)?;
        let offset = self.offset(view, position) as usize;
        let Buffer { bytes, known, names, .. } = &mut *view.buffer.borrow_mut();
        let range = self.bytes(&(offset..offset + 1));
        known[range.clone()].fill(Known::Written);
        if let Some(names) = names.get_mut(range) {
            names.fill(view.whole);
        }
        self.write(bytes, offset, bits);
        Ok(())
    }

    fn check_one(&self, view: &View, position: usize, usage: Use) -> Result<(), Refusal> {
        let offset = self.offset(view, position) as usize;
        let bytes = self.bytes(&(offset..offset + 1));
        let found = view.buffer.borrow().find(bytes, usage, view.whole);
        found.map_or(Ok(()), |it| Err(refusal(it, position)))
    }

    fn element(&self, buffer: &Buffer, view: &View, position: usize) -> u64 {
        let offset = self.offset(view, position);
        value::read(self.dtype, &buffer.bytes, offset.into())
            .expect("M3: a view lies in its buffer")
    }

    fn write(&self, bytes: &mut [u8], offset: usize, bits: u64) {
        value::write(self.dtype, bytes, offset as u64, bits)
            .expect("M3: a view lies in its buffer");
    }

    fn is_packed(&self) -> bool {
        !self.dtype.storage_bits().is_multiple_of(8)
    }

    /// Bytes of an element that is not packed.
    fn width(&self) -> usize {
        self.dtype.storage_bits() as usize / 8
    }
}

fn refusal(found: Obstacle, at: usize) -> Refusal {
    match found {
        Obstacle::Unwritten => Refusal::Unwritten(at),
        Obstacle::InFlight => Refusal::InFlight(at),
        Obstacle::BeingRead => Refusal::BeingRead(at),
    }
}

/// How many elements are neighbours in memory from every multiple of that number on, padding aside.
fn neighbours(map: &MemoryMap) -> usize {
    let mut len = 1;
    for dim in map.dims().iter().rev() {
        for &column in &dim.columns {
            if column != len || map.mixed() & column != 0 {
                return len as usize;
            }
            len *= 2;
        }
        let n_units = dim.extent >> dim.columns.len();
        if n_units > 1 {
            if dim.stride != len {
                return len as usize;
            }
            len *= n_units;
        }
    }
    len as usize
}

/// What a role has in flight, the oldest first.
#[derive(Default)]
pub(super) struct Flights {
    /// Groups of copies that have not landed.
    groups: VecDeque<Vec<Flight>>,
    /// The copies since the last group was closed.
    open: Vec<Flight>,
    /// Products, each a group with what it reads.
    pub(super) products: VecDeque<Vec<Reading>>,
    /// Boxes on their way out.
    pub(super) boxes_out: VecDeque<Reading>,
}

/// What a product or a box on its way out reads, from its start until it is dropped.
pub(super) struct Reading {
    view: View,
    runs: Rc<Runs>,
}

impl Reading {
    /// All elements of a view are read from now on.
    pub(super) fn start(view: View, runs: Rc<Runs>) -> Reading {
        runs.count_readers(&view, 1);
        Reading { view, runs }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.runs.count_readers(&self.view, -1);
    }
}

/// A copy in flight.
pub(super) struct Flight {
    view: View,
    runs: Rc<Runs>,
    values: Elements,
    /// The buffer's when it started.
    age: u32,
    site: SiteId,
}

impl Flight {
    /// A copy of these values into a view that is in nobody's hands yet.
    pub(super) fn start(
        view: View,
        runs: Rc<Runs>,
        values: Elements,
        site: SiteId,
    ) -> Result<Flight, Refusal> {
        runs.take_off(&view)?;
        let age = view.buffer.borrow().age;
        Ok(Flight { view, runs, values, age, site })
    }

    /// Whether it will write the byte of a buffer.
    fn writes(&self, buffer: &Rc<RefCell<Buffer>>, byte: usize) -> bool {
        let mut offsets =
            (0..self.runs.n_elements).map(|at| self.runs.offset(&self.view, at) as usize);
        Rc::ptr_eq(&self.view.buffer, buffer)
            && offsets.any(|it| self.runs.bytes(&(it..it + 1)).contains(&byte))
    }

    pub(super) fn land(&self) {
        let is_awaited = self.view.buffer.borrow().age == self.age;
        let now = if is_awaited { Known::Written } else { Known::Nothing };
        self.runs.put(&self.view, &self.values, now);
    }
}

impl Flights {
    /// A copy of these values into a view starts.
    pub(super) fn start(
        &mut self,
        view: View,
        runs: Rc<Runs>,
        values: Elements,
        site: SiteId,
    ) -> Result<(), Refusal> {
        self.open.push(Flight::start(view, runs, values, site)?);
        Ok(())
    }

    /// The copies that are in no group, which leave it to somebody else to land.
    pub(super) fn take_open(&mut self) -> Vec<Flight> {
        std::mem::take(&mut self.open)
    }

    /// Closes the group.
    pub(super) fn commit(&mut self) {
        self.groups.push_back(std::mem::take(&mut self.open));
    }

    /// All groups but the youngest `in_flight` land.
    pub(super) fn wait(&mut self, in_flight: usize) {
        while self.groups.len() > in_flight {
            self.groups.pop_front().iter().flatten().for_each(Flight::land);
        }
    }

    /// Where the copy in flight was started that will write the byte of a buffer, if it is one of these or one that
    /// was handed to a barrier.
    pub(super) fn writer<'f>(
        &'f self,
        handed: impl Iterator<Item = &'f Flight>,
        buffer: &Rc<RefCell<Buffer>>,
        byte: usize,
    ) -> Option<SiteId> {
        let mut all = self.groups.iter().flatten().chain(&self.open).chain(handed);
        all.find(|it| it.writes(buffer, byte)).map(|it| it.site)
    }
}
