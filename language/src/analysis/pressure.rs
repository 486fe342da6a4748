//! How many registers a thread needs at every instruction, and which values live in them.
//!
//! # Definition
//! The kernel is looked at as the lowering takes it ([`pass::prepare`]). A value lives from the
//! instruction that makes it to its last use; through the whole of a loop that uses it and does not
//! make it. It takes as many 32-bit registers as its elements differ by more than constants
//! ([`form`](super::form)); none if it is another value under a new name, and those of one element if a
//! scheduler makes and uses it element by element ([`streams`](super::streams)). An instruction works
//! element by element, so what it reads for the last time makes room for what it gives: what counts is
//! what lives *between* instructions. A matrix unit with registers of its own keeps accumulators there;
//! whatever else reads one copies it first.
//!
//! The sum is an estimate. Assemblers keep addresses and loads in flight that no source line shows,
//! and reorder what they like; [`Model`] is what that costs on average, a target's vendor each.
//!
//! Absent on purpose: predicates, which have registers of their own, and scalars that all threads
//! share, which have a register file or a memory of their own.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::form::forms;
use super::streams::{Streams, streams};
use crate::ir::{Inst, Kernel, Place, Region, SiteId, Value};
use crate::op::{FlowOp, Op};
use crate::pass;
use crate::target::{Cap, Target, Vendor};

/// Registers that one thread needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pressure {
    /// Of the whole kernel: the peak, with what the machine needs besides.
    pub registers: u32,
    /// The same, were there no end to them.
    pub wanted: u32,
    /// Where most values live at once, in the kernel's own text.
    pub peak: Option<Place>,
    /// The values that live there, the largest first.
    pub held: Vec<Held>,
    /// What each role wants, in the order of the roles; empty if there are none.
    pub roles: Vec<u32>,
    /// The most registers with values at each place of the kernel's own text, in its order.
    pub places: Vec<(Place, u32)>,
}

/// A value that lives in registers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The variable that it was first bound to; empty if none.
    pub name: SmolStr,
    /// How many registers of a thread it takes.
    pub registers: u32,
    /// Where it is made.
    pub place: Option<Place>,
}

/// What an assembler needs besides the values of the program, as a line through what it needed for
/// the examples (`cargo run -p tile-codegen --example registers` prints how far off it is).
struct Model {
    /// In every kernel: addresses, the thread's number, what is on its way.
    base: u32,
    /// For a hundred registers of values.
    per_hundred: u32,
}

impl Model {
    fn of(target: &Target) -> Model {
        match target.vendor {
            Vendor::Nvidia => Model { base: 12, per_hundred: 105 },
            Vendor::Amd => Model { base: 7, per_hundred: 120 },
        }
    }

    fn registers(&self, most: Total) -> u32 {
        self.base + (most.plain + most.matrix) * self.per_hundred / 100
    }
}

/// The registers of a thread of the kernel.
pub fn pressure(kernel: &Kernel) -> Pressure {
    let kernel = pass::prepare(kernel).kernel;
    let forms = forms(&kernel);
    let Streams { roots, streamed } = streams(&kernel);
    let words = |n: usize| {
        let (ty, form) = (&kernel.values[n].ty, &forms[n]);
        match (form.is_uniform || roots[n] != Value(n as u32), streamed[n]) {
            (true, _) => 0,
            (false, true) => form.words(ty).min(ty.elem.bits().div_ceil(32)),
            (false, false) => form.words(ty),
        }
    };
    let mut walk = Walk {
        kernel: &kernel,
        words: (0..kernel.values.len()).map(words).collect(),
        accumulators: accumulators(&kernel, &roots),
        roots,
        live: vec![false; kernel.values.len()],
        total: Total::default(),
        at_sites: vec![0; kernel.sites.len()],
        most: Total::default(),
        roles: Vec::new(),
        peak: None,
    };
    walk.region(&kernel.body);
    walk.finish()
}

/// Registers of a thread: of the file of every instruction, and of the matrix unit's own.
#[derive(Clone, Copy, Default)]
struct Total {
    plain: u32,
    matrix: u32,
}

impl Total {
    fn max(self, other: Total) -> Total {
        Total { plain: self.plain.max(other.plain), matrix: self.matrix.max(other.matrix) }
    }
}

struct Walk<'a> {
    kernel: &'a Kernel,
    /// Registers of every value.
    words: Vec<u32>,
    /// Whether a value is kept in the matrix unit's own registers.
    accumulators: Vec<bool>,
    /// The value whose registers each value lives in.
    roots: Vec<Value>,
    /// What lives after the point at hand.
    live: Vec<bool>,
    /// Registers of all of it.
    total: Total,
    at_sites: Vec<u32>,
    most: Total,
    /// The most of every role.
    roles: Vec<Total>,
    peak: Option<Peak>,
}

struct Peak {
    registers: u32,
    site: SiteId,
    live: Vec<Value>,
}

impl Walk<'_> {
    /// From the end of a region to its beginning.
    fn region(&mut self, region: &Region) {
        region.yields.iter().for_each(|&it| self.begin(it));
        for inst in region.insts.iter().rev() {
            self.mark(inst.site, 0);
            inst.results.iter().for_each(|&it| self.end(it));
            match inst.op {
                _ if is_loop(inst) => self.looped(&inst.regions),
                Op::Flow(FlowOp::Roles { .. }) => self.roles(&inst.regions),
                _ => self.branches(&inst.regions),
            }
            inst.operands.iter().for_each(|&it| self.begin(it));
            self.mark(inst.site, self.copies(inst));
        }
        region.params.iter().for_each(|&it| self.end(it));
    }

    /// Registers into which an instruction copies what lives in the matrix unit's own.
    fn copies(&self, inst: &Inst) -> u32 {
        match inst.op {
            Op::Mma(_) | Op::Flow(_) => 0,
            Op::Tile(_) | Op::Memory(_) | Op::Shared(_) | Op::Copy(_) | Op::Sync(_) => {
                let roots = inst.operands.iter().map(|it| self.roots[it.0 as usize].0 as usize);
                roots.filter(|&it| self.accumulators[it]).map(|it| self.words[it]).sum()
            }
        }
    }

    /// Branches: before them lives what any of them needs.
    fn branches(&mut self, regions: &[Region]) {
        let (live, total) = (self.live.clone(), self.total);
        let mut needed: Vec<Value> = Vec::new();
        for region in regions {
            self.region(region);
            let lives = (0..live.len()).filter(|&it| self.live[it] && !live[it]);
            needed.extend(lives.map(|it| Value(it as u32)));
            (self.live, self.total) = (live.clone(), total);
        }
        needed.into_iter().for_each(|it| self.begin(it));
    }

    /// Roles: branches of which each has registers of its own.
    fn roles(&mut self, regions: &[Region]) {
        let most = self.most;
        for region in regions {
            self.most = Total::default();
            self.branches(std::slice::from_ref(region));
            self.roles.push(self.most);
        }
        self.most = self.roles.iter().fold(most, |all, &it| all.max(it));
    }

    /// The bodies of a loop: what they use from around them lives through them, since it may come
    /// back to its use.
    fn looped(&mut self, regions: &[Region]) {
        let mut used = Vec::new();
        regions.iter().for_each(|it| outer_uses(it, &mut used));
        used.iter().for_each(|&it| self.begin(it));
        let (live, total) = (self.live.clone(), self.total);
        for region in regions {
            self.region(region);
            (self.live, self.total) = (live.clone(), total);
        }
    }

    fn begin(&mut self, value: Value) {
        let at = self.roots[value.0 as usize].0 as usize;
        if !self.live[at] {
            self.live[at] = true;
            *self.file_of(at) += self.words[at];
        }
    }

    fn end(&mut self, value: Value) {
        let at = value.0 as usize;
        if self.live[at] {
            self.live[at] = false;
            *self.file_of(at) -= self.words[at];
        }
    }

    fn file_of(&mut self, at: usize) -> &mut u32 {
        match self.accumulators[at] {
            true => &mut self.total.matrix,
            false => &mut self.total.plain,
        }
    }

    fn mark(&mut self, site: SiteId, copies: u32) {
        let plain = self.total.plain + copies;
        let registers = plain + self.total.matrix;
        let here = &mut self.at_sites[site.0 as usize];
        *here = (*here).max(registers);
        self.most.plain = self.most.plain.max(plain);
        self.most.matrix = self.most.matrix.max(self.total.matrix);
        if self.peak.as_ref().is_none_or(|it| it.registers < registers) {
            let live = (0..self.live.len() as u32).map(Value);
            let live = live.filter(|it| self.live[it.0 as usize] && self.words[it.0 as usize] > 0);
            self.peak = Some(Peak { registers, site, live: live.collect() });
        }
    }

    fn finish(self) -> Pressure {
        let target = self.kernel.target.row();
        let place = |site| self.kernel.own_place(site);
        let made = makers(self.kernel);
        let hold = |it: &Value| Held {
            name: self.kernel.values[it.0 as usize].name.clone(),
            registers: self.words[it.0 as usize],
            place: made[it.0 as usize].map(place),
        };
        let peak = self.peak;
        let mut held: Vec<Held> = peak.iter().flat_map(|it| &it.live).map(hold).collect();
        held.sort_by_key(|it| std::cmp::Reverse(it.registers));
        let mut places: FxHashMap<Place, u32> = FxHashMap::default();
        for (n, &words) in self.at_sites.iter().enumerate().filter(|it| *it.1 > 0) {
            let most = places.entry(place(SiteId(n as u32))).or_default();
            *most = (*most).max(words);
        }
        let mut places: Vec<(Place, u32)> = places.into_iter().collect();
        places.sort();
        let model = Model::of(target);
        let wanted = model.registers(self.most);
        Pressure {
            registers: wanted.min(target.regs_thread_max),
            wanted,
            peak: peak.map(|it| place(it.site)),
            held,
            roles: self.roles.iter().map(|&it| model.registers(it)).collect(),
            places,
        }
    }
}

/// The products of a target whose matrix unit has registers of its own, and what they are carried by.
fn accumulators(kernel: &Kernel, roots: &[Value]) -> Vec<bool> {
    let mut is = vec![false; kernel.values.len()];
    if !kernel.target.row().has(Cap::Mfma) {
        return is;
    }
    kernel.body.walk(&mut |inst| {
        if let Op::Mma(_) = inst.op {
            let acc = roots[inst.operands[2].0 as usize];
            is[acc.0 as usize] = true;
            is[inst.results[0].0 as usize] = true;
        }
    });
    // A loop's result is what its body carries.
    kernel.body.walk(&mut |inst| {
        for region in &inst.regions {
            let carried = region.yields.iter().zip(&inst.results);
            for (inner, outer) in carried.filter(|it| is_loop(inst) && it.0 != it.1) {
                let it = is[roots[inner.0 as usize].0 as usize];
                is[outer.0 as usize] |= it;
            }
        }
    });
    is
}

fn is_loop(inst: &Inst) -> bool {
    matches!(inst.op, Op::Flow(FlowOp::For { .. } | FlowOp::While))
}

/// The values that a region uses and does not define.
fn outer_uses(region: &Region, used: &mut Vec<Value>) {
    let mut defined: rustc_hash::FxHashSet<Value> = region.params.iter().copied().collect();
    region.walk(&mut |inst| {
        defined.extend(&inst.results);
        defined.extend(inst.regions.iter().flat_map(|it| &it.params));
    });
    let mut note = |it: Value| {
        if !defined.contains(&it) {
            used.push(it);
        }
    };
    region.walk(&mut |inst| {
        inst.operands.iter().for_each(|&it| note(it));
        inst.regions.iter().flat_map(|it| &it.yields).for_each(|&it| note(it));
    });
    region.yields.iter().for_each(|&it| note(it));
}

/// The site of the instruction that makes each value.
fn makers(kernel: &Kernel) -> Vec<Option<SiteId>> {
    let mut made = vec![None; kernel.values.len()];
    kernel.body.walk(&mut |inst| {
        for it in inst.results.iter().chain(inst.regions.iter().flat_map(|it| &it.params)) {
            made[it.0 as usize].get_or_insert(inst.site);
        }
    });
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::parse::parse;
    use crate::ir::samples;

    /// The estimate and what lives at the peak, a line each.
    fn told(text: &str) -> String {
        let found = pressure(&parse(text).unwrap_or_else(|error| panic!("{error}")));
        let held = found.held.iter().map(|it| format!("\n{} {}", it.registers, it.name));
        format!("{} registers{}", found.registers, held.collect::<String>())
    }

    #[test]
    fn loads_in_flight_are_what_an_addition_needs() {
        insta::assert_snapshot!(told(samples::ADD), @r"
        30 registers
        8 a
        8 b
        2 pz
        ");
    }

    #[test]
    fn a_row_lives_through_its_reductions() {
        insta::assert_snapshot!(told(samples::SOFTMAX), @r"
        19 registers
        4 e
        1 j
        1 sl1
        1 sh1
        ");
    }

    #[test]
    fn every_instruction_has_its_place() {
        let kernel = parse(samples::SOFTMAX).unwrap();
        let found = pressure(&kernel);
        let most = found.places.iter().map(|it| it.1).max();
        let values: u32 = found.held.iter().map(|it| it.registers).sum();
        assert_eq!(most, Some(values));
    }
}
