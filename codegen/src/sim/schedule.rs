//! Runs a launch: which blocks are resident, which warp has its turn, who waits for whom.
//!
//! Blocks become resident in the order of the grid, at most [`Launch::resident`] at a time. In every
//! round each warp that can run has one turn, in an order that the seed decides. A round in which
//! nobody can run is a deadlock.
//!
//! Seeds other than 0 also decide the order of blocks, and let copies that an mbarrier waits for land before anybody
//! asks: sooner than they would have to, which a program must bear as well.

use std::collections::BTreeMap;

use super::bytecode::{Barrier, BarrierMode, Slot};
use super::count::Counts;
use super::error::{Kind, SimError};
use super::exec::{
    Arrival, Pause, Peer, Place, Scratch, Turn, Wait, Warp, lanes_of, mask_text, tally,
};
use super::mbarrier::Mbarriers;
use super::memory::{
    ARGUMENTS, BY_VALUE_AT, DISPATCH_AT, EngineMap, IMPLICIT_AT, Memory, PATTERN, Tracked, Written,
    buffer_address,
};
use super::race::Race;
use super::{HookReport, Launch, Param, Program, Report, Vendor};

/// Threads of a block, at most.
const THREADS_MAX: u64 = 1024;

/// The shape of a launch.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    pub(super) grid: [u32; 3],
    pub(super) threads: [u32; 3],
    /// Warps in a block.
    pub(super) warps: u32,
    pub(super) dynamic_shared_bytes: u32,
    /// Blocks of a cluster along each axis.
    pub(super) cluster: [u32; 3],
}

impl Geometry {
    /// Blocks of a cluster.
    fn cluster_size(&self) -> u32 {
        self.cluster.iter().product()
    }

    /// The block that is `at` in the order of clusters: those of one after another.
    fn in_clusters(&self, at: u32) -> u32 {
        let [w, h, _] = self.cluster;
        let size = self.cluster_size();
        let (number, rank) = (at / size, at % size);
        let [x, y, _] = std::array::from_fn(|it| self.grid[it] / self.cluster[it]);
        let first = [number % x, number / x % y, number / x / y];
        let inside = [rank % w, rank / w % h, rank / w / h];
        let [i, j, k] = std::array::from_fn(|it| first[it] * self.cluster[it] + inside[it]);
        (k * self.grid[1] + j) * self.grid[0] + i
    }

    /// The number of a block in its cluster.
    fn rank(&self, linear: u32) -> u32 {
        let at = self.block(linear);
        let [i, j, k] = std::array::from_fn(|it| at[it] % self.cluster[it]);
        (k * self.cluster[1] + j) * self.cluster[0] + i
    }

    /// The number of the cluster that a warp is in.
    pub(super) fn cluster_of(&self, agent: u32) -> u32 {
        let at = self.block(agent / self.warps);
        let [i, j, k] = std::array::from_fn(|it| at[it] / self.cluster[it]);
        let [x, y, _] = std::array::from_fn(|it| self.grid[it] / self.cluster[it]);
        (k * y + j) * x + i
    }

    /// The coordinates of a block.
    pub(super) fn block(&self, linear: u32) -> [u32; 3] {
        let [x, y, _] = self.grid;
        [linear % x, linear / x % y, linear / (x * y)]
    }
}

/// A stream of numbers that the seed decides (Vigna's splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `n`, which is not zero.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (((self.next() >> 32) * u64::from(n)) >> 32) as u32
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u32 + 1) as usize);
        }
    }
}

/// Who has come to a barrier.
#[derive(Clone, Debug)]
struct Gathering {
    table: u32,
    arrived: Vec<u64>,
    votes: Vec<u64>,
    threads: Option<u32>,
}

/// A resident block.
struct Block<const L: usize> {
    linear: u32,
    coords: [u32; 3],
    warps: Vec<Warp<L>>,
    shared: Tracked,
    barriers: BTreeMap<u32, Gathering>,
    mbarriers: Mbarriers,
}

impl<const L: usize> Block<L> {
    fn is_done(&self) -> bool {
        self.warps.iter().all(|warp| warp.fragments.is_empty())
    }
}

/// Of so many turns, copies land early in one.
const EARLY: u32 = 8;

/// The order of clusters (of blocks, where a cluster is one): that of the grid for seed 0, otherwise one that the
/// seed picks.
fn cluster_order(clusters: u32, seed: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..clusters).collect();
    if seed != 0 {
        Random(!seed).shuffle(&mut order);
    }
    order
}

/// Everything a launch needs while it runs.
struct Machine<'p, 'a, const L: usize> {
    program: &'p Program,
    geometry: Geometry,
    memory: Memory<'a>,
    race: Option<Race>,
    counts: Counts,
    scratch: Scratch,
    random: Random,
    printed: Vec<String>,
    calls: Vec<HookReport>,
    resident: Vec<Block<L>>,
    /// Finished blocks whose memory the next ones take over.
    spare: Vec<Block<L>>,
    options: Options,
}

/// The choices of a launch that the machine keeps.
#[derive(Clone, Copy)]
struct Options {
    resident: usize,
    steps_max: u64,
    check_uninitialised: bool,
    reconvergence: super::Reconvergence,
    /// Whether copies may land before anybody asks.
    lands_early: bool,
}

/// Runs `launch`.
pub(super) fn run<const L: usize>(
    program: &Program,
    launch: Launch<'_>,
) -> Result<Report, SimError> {
    let geometry = geometry::<L>(program, &launch)?;
    let blocks: u64 = geometry.grid.iter().map(|&n| u64::from(n)).product();
    let arguments = arguments(program, &launch, &geometry)?;
    let params = launch.params.to_vec();
    check_params(program, &params, launch.buffers)?;
    let lanes_race = program.vendor == Vendor::Nvidia;
    let mut machine = Machine::<L> {
        program,
        race: launch.race_check.then(|| Race::new(geometry.warps, lanes_race)),
        geometry,
        memory: Memory {
            written: launch
                .undefined
                .iter()
                .filter_map(|&i| Some((i, Written::new(launch.buffers.get(i as usize)?.len()))))
                .collect(),
            buffers: launch.buffers,
            variables: program.code.variables.iter().map(|v| v.bytes.clone()).collect(),
            arguments,
            maps: maps(program, launch.params),
        },
        counts: Counts::new(&program.code),
        scratch: Scratch::new(),
        random: Random(launch.seed),
        printed: Vec::new(),
        calls: Vec::new(),
        resident: Vec::new(),
        spare: Vec::new(),
        options: Options {
            resident: launch.resident.max(1) as usize,
            steps_max: launch.steps_max,
            check_uninitialised: launch.check_uninitialised,
            reconvergence: launch.reconvergence,
            lands_early: launch.seed != 0,
        },
    };
    let clusters = blocks as u32 / machine.geometry.cluster_size();
    machine.run_blocks(&cluster_order(clusters, launch.seed), &params)?;
    let mut counts = machine.counts.report(&program.code, L as u32);
    counts.insert("same_value_writes".to_owned(), machine.race.map_or(0, |race| race.rewrites));
    let sites = machine.counts.sites(&program.code);
    Ok(Report { printed: machine.printed, calls: machine.calls, counts, sites })
}

fn geometry<const L: usize>(program: &Program, launch: &Launch<'_>) -> Result<Geometry, SimError> {
    let bad = |message: String| Err(SimError::new(Kind::BadLaunch, message));
    let threads: u64 = launch.threads.iter().map(|&n| u64::from(n)).product();
    if threads == 0 || threads > THREADS_MAX {
        return bad(format!("a block of {threads} threads; it has 1 to {THREADS_MAX}"));
    }
    let blocks: u64 = launch.grid.iter().map(|&n| u64::from(n)).product();
    if blocks == 0 || blocks > u64::from(u32::MAX) {
        return bad(format!("a grid of {blocks} blocks"));
    }
    let cluster = program.code.cluster;
    if let Some(axis) = (0..3).find(|&it| !launch.grid[it].is_multiple_of(cluster[it])) {
        let (blocks, n) = (launch.grid[axis], cluster[axis]);
        return bad(format!("a grid of {blocks} blocks along axis {axis} in clusters of {n}"));
    }
    if launch.params.len() != program.code.params.len() {
        let (given, wanted) = (launch.params.len(), program.code.params.len());
        return bad(format!("{given} arguments for a kernel with {wanted} parameters"));
    }
    Ok(Geometry {
        grid: launch.grid,
        threads: launch.threads,
        warps: (threads as u32).div_ceil(L as u32),
        dynamic_shared_bytes: launch.dynamic_shared_bytes,
        cluster: program.code.cluster,
    })
}

fn check_params(_program: &Program, params: &[Param], buffers: &[Vec<u8>]) -> Result<(), SimError> {
    for (i, param) in params.iter().enumerate() {
        if let Param::Buffer { index, .. } | Param::Map { index, .. } = param
            && *index >= buffers.len()
        {
            let message = format!("argument {i} names buffer {index} of {}", buffers.len());
            return Err(SimError::new(Kind::BadLaunch, message));
        }
    }
    Ok(())
}

/// What lies in memory for the kernel to read: implicit arguments (code object version 5 and
/// later), the dispatch packet (HSA runtime), and parameters that are passed by value.
fn arguments(
    program: &Program,
    launch: &Launch<'_>,
    geometry: &Geometry,
) -> Result<Vec<u8>, SimError> {
    let mut res = vec![0u8; BY_VALUE_AT as usize];
    let (implicit, dispatch) = (IMPLICIT_AT as usize, DISPATCH_AT as usize);
    let mut put = |at: usize, bytes: &[u8]| res[at..at + bytes.len()].copy_from_slice(bytes);
    for axis in 0..3 {
        let (blocks, threads) = (geometry.grid[axis], geometry.threads[axis]);
        put(implicit + 4 * axis, &blocks.to_le_bytes());
        put(implicit + 12 + 2 * axis, &(threads as u16).to_le_bytes());
        put(dispatch + 4 + 2 * axis, &(threads as u16).to_le_bytes());
        put(dispatch + 12 + 4 * axis, &blocks.wrapping_mul(threads).to_le_bytes());
    }
    put(implicit + 64, &3u16.to_le_bytes());
    for (i, (param, byval)) in launch.params.iter().zip(&program.code.byval).enumerate() {
        let (size, bytes) = match (byval, param) {
            (Some(size), Param::Bytes(bytes)) => (size, bytes),
            // How a tensor map lies in memory is the driver's own matter.
            (Some(size), _) => {
                res.resize(res.len() + *size as usize, PATTERN);
                res.resize(res.len().next_multiple_of(64), 0);
                continue;
            }
            (None, _) => continue,
        };
        if bytes.len() != *size as usize {
            let message =
                format!("argument {i} has {} bytes, the kernel wants {size}", bytes.len());
            return Err(SimError::new(Kind::BadLaunch, message));
        }
        res.extend_from_slice(bytes);
        res.resize(res.len().next_multiple_of(64), 0);
    }
    Ok(res)
}

/// The tensor maps among the arguments, by the address that the kernel finds them at.
fn maps(program: &Program, params: &[Param]) -> BTreeMap<u64, EngineMap> {
    let mut found = BTreeMap::new();
    let mut address = ARGUMENTS + BY_VALUE_AT;
    for (param, byval) in params.iter().zip(&program.code.byval) {
        let Some(size) = byval else { continue };
        if let Param::Map { index, map } = param {
            let bound = (**map).clone();
            found.insert(address, EngineMap { buffer: *index as u32, bound });
        }
        address = (address + u64::from(*size)).next_multiple_of(64);
    }
    found
}

impl<const L: usize> Machine<'_, '_, L> {
    fn run_blocks(&mut self, clusters: &[u32], params: &[Param]) -> Result<(), SimError> {
        let mut clusters = clusters.iter();
        let mut steps = 0;
        loop {
            // Clusters run as a whole, so there is room for one.
            let size = self.geometry.cluster_size();
            while self.resident.len() + size as usize <= self.options.resident.max(size as usize)
                && let Some(cluster) = clusters.next()
            {
                for rank in 0..size {
                    let linear = self.geometry.in_clusters(cluster * size + rank);
                    let block = self.start(linear, params);
                    self.resident.push(block);
                }
            }
            if self.resident.is_empty() {
                return Ok(());
            }
            steps += self.round()?;
            if steps > self.options.steps_max {
                let message = format!("the launch did not end after {steps} instructions");
                return Err(SimError::new(Kind::TooLong, message));
            }
            self.retire();
        }
    }

    fn start(&mut self, linear: u32, params: &[Param]) -> Block<L> {
        let program = self.program;
        let threads: u32 = self.geometry.threads.iter().product();
        if let Some(race) = &mut self.race {
            race.start_block(linear);
        }
        let coords = self.geometry.block(linear);
        if let Some(mut block) = self.spare.pop() {
            (block.linear, block.coords) = (linear, coords);
            block.shared.reset();
            for warp in &mut block.warps {
                warp.restart(threads - warp.index * L as u32);
            }
            return block;
        }
        let bytes = program.code.shared_bytes + self.geometry.dynamic_shared_bytes;
        let warp = |index| {
            let mut warp = Warp::new(program, index, threads - index * L as u32);
            set_params(program, params, &mut warp);
            warp
        };
        Block {
            linear,
            coords,
            warps: (0..self.geometry.warps).map(warp).collect(),
            shared: Tracked::new(bytes as usize),
            barriers: BTreeMap::new(),
            mbarriers: Mbarriers::default(),
        }
    }

    fn retire(&mut self) {
        let mut at = 0;
        while at < self.resident.len() {
            // Memory is given away when no block of the cluster runs.
            let cluster = self.cluster_at(at);
            let is_done = |it: &Block<L>| {
                self.geometry.cluster_of(it.linear * self.geometry.warps) != cluster || it.is_done()
            };
            if !self.resident.iter().all(is_done) {
                at += 1;
                continue;
            }
            let mut block = self.resident.remove(at);
            block.barriers.clear();
            block.mbarriers.clear();
            if let Some(race) = &mut self.race {
                race.end_block(block.linear);
            }
            self.spare.push(block);
        }
    }

    /// One turn for every warp that can run; the answer is how many operations they ran.
    fn round(&mut self) -> Result<u64, SimError> {
        let mut order = Vec::new();
        for (at, block) in self.resident.iter().enumerate() {
            let ready = |warp: &Warp<L>| warp.fragments.iter().any(|f| f.wait == Wait::Ready);
            let warps = block.warps.iter().enumerate().filter(|(_, warp)| ready(warp));
            order.extend(warps.map(|(warp, _)| (at, warp)));
        }
        if order.is_empty() {
            return Err(self.deadlock());
        }
        self.random.shuffle(&mut order);
        let mut steps = 0;
        for (at, warp) in order {
            steps += self.turn(at, warp)?;
        }
        Ok(steps)
    }

    /// The number of the cluster of a resident block.
    fn cluster_at(&self, at: usize) -> u32 {
        self.geometry.cluster_of(self.resident[at].linear * self.geometry.warps)
    }

    /// The resident blocks of the cluster of one of them.
    fn cluster_around(&self, at: usize) -> Vec<usize> {
        if self.geometry.cluster_size() == 1 {
            return vec![at];
        }
        let cluster = self.cluster_at(at);
        (0..self.resident.len()).filter(|&it| self.cluster_at(it) == cluster).collect()
    }

    fn turn(&mut self, at: usize, index: usize) -> Result<u64, SimError> {
        let around = self.cluster_around(at);
        let (block, place) = block_and_peers(&mut self.resident, at, &around, &self.geometry);
        let agent = block.linear * self.geometry.warps + index as u32;
        let mut turn = Turn {
            program: self.program,
            geometry: &self.geometry,
            block: block.coords,
            warp: &mut block.warps[index],
            shared: &mut block.shared,
            mbarriers: &mut block.mbarriers,
            place,
            memory: &mut self.memory,
            race: self.race.as_mut(),
            agent,
            counts: &mut self.counts,
            scratch: &mut self.scratch,
            random: &mut self.random,
            printed: &mut self.printed,
            calls: &mut self.calls,
            arrivals: Vec::new(),
            reconvergence: self.options.reconvergence,
            check_uninitialised: self.options.check_uninitialised,
            mask: 0,
            saved_mask: 0,
            pc: 0,
            steps: 0,
        };
        let result = turn.run();
        let (pc, steps) = (turn.pc, turn.steps);
        let arrivals = std::mem::take(&mut turn.arrivals);
        let pause = result.map_err(|mut error| {
            error.block = Some(block.coords);
            error.warp = Some(index as u16);
            self.program.locate(error, pc)
        })?;
        if pause == Pause::Blocked {
            self.counts.barrier_waits += 1;
        }
        for arrival in arrivals {
            self.gather(at, index, arrival);
        }
        self.release(at);
        self.release_cluster(&around);
        for at in around {
            self.land_copies(at)?;
            self.wake(at);
        }
        Ok(steps)
    }

    /// Opens the meeting of a cluster at which all have arrived. Lanes that returned count as arrived.
    fn release_cluster(&mut self, around: &[usize]) {
        let mut warps = around.iter().flat_map(|&it| &self.resident[it].warps);
        let has_come = warps.clone().any(|it| it.arrived != 0);
        if !has_come || !warps.all(|it| it.live & !it.arrived == 0) {
            return;
        }
        for &at in around {
            for warp in &mut self.resident[at].warps {
                warp.met |= std::mem::take(&mut warp.arrived);
                let asleep = warp.fragments.iter_mut().filter(|it| it.wait == Wait::Cluster);
                asleep.for_each(|it| it.wait = Wait::Ready);
            }
        }
        let cluster = self.cluster_at(around[0]);
        if let Some(race) = &mut self.race {
            race.complete_cluster(cluster);
        }
    }

    /// Ends the copies that nothing but a phase waits for: one that is asked for, or now and then any.
    fn land_copies(&mut self, at: usize) -> Result<(), SimError> {
        let early = self.options.lands_early && self.random.below(EARLY) == 0;
        let block = &mut self.resident[at];
        for (byte, holds, landings) in block.mbarriers.held(early) {
            for hold in holds {
                let agent = block.linear * self.geometry.warps + hold.warp;
                let warp = &mut block.warps[hold.warp as usize];
                let time = warp.end_copies(hold, &mut block.shared);
                if let Some(race) = &mut self.race {
                    race.land_at_mbarrier(agent, (block.linear, byte), time);
                }
                let completes = block.mbarriers.get(byte)?.arrive(1)?;
                if completes && let Some(race) = &mut self.race {
                    race.complete_mbarrier(block.linear, byte);
                }
            }
            for landing in landings {
                for (at, bytes) in &landing.pieces {
                    block.shared.write(*at as usize, bytes);
                }
                if let Some(race) = &mut self.race {
                    race.land_at_mbarrier(landing.agent, (block.linear, byte), landing.time);
                }
                let completes = block.mbarriers.get(byte)?.complete(landing.bytes)?;
                if completes && let Some(race) = &mut self.race {
                    race.complete_mbarrier(block.linear, byte);
                }
            }
        }
        Ok(())
    }

    /// Lets those ask again that sleep until a phase completes, if one has.
    fn wake(&mut self, at: usize) {
        let block = &mut self.resident[at];
        if !block.mbarriers.has_completed() {
            return;
        }
        let fragments = block.warps.iter_mut().flat_map(|warp| &mut warp.fragments);
        let asleep = fragments.filter(|it| it.wait == Wait::Phase);
        asleep.for_each(|it| it.wait = Wait::Ready);
    }

    fn gather(&mut self, at: usize, warp: usize, arrival: Arrival) {
        let block = &mut self.resident[at];
        let warps = block.warps.len();
        let gathering = block.barriers.entry(arrival.id).or_insert_with(|| Gathering {
            table: arrival.table,
            arrived: vec![0; warps],
            votes: vec![0; warps],
            threads: arrival.threads,
        });
        gathering.arrived[warp] |= arrival.mask;
        gathering.votes[warp] |= arrival.votes;
    }

    /// Opens every barrier at which all have arrived. Lanes that returned count as arrived.
    fn release(&mut self, at: usize) {
        let block = &mut self.resident[at];
        let complete = |gathering: &Gathering, warps: &[Warp<L>]| {
            let present = gathering.arrived.iter().zip(warps);
            match gathering.threads {
                None => present.clone().all(|(arrived, warp)| warp.live & !arrived == 0),
                Some(threads) => {
                    let whole = present
                        .filter(|(arrived, warp)| **arrived != 0 && warp.live & !**arrived == 0);
                    whole.count() as u32 * L as u32 >= threads
                }
            }
        };
        let mut open: Vec<(u32, Gathering)> = Vec::new();
        for (&id, gathering) in &block.barriers {
            if complete(gathering, &block.warps) {
                open.push((id, gathering.clone()));
            }
        }
        for (id, gathering) in open {
            block.barriers.remove(&id);
            let barrier = &self.program.code.barriers[gathering.table as usize];
            for warp in &mut block.warps {
                let agent = block.linear * self.geometry.warps + warp.index;
                if pass(warp, id, &gathering, &self.program.code.barriers)
                    && let Some(race) = &mut self.race
                {
                    race.depart(agent, id, barrier.orders_memory);
                }
            }
            if let Some(race) = &mut self.race {
                race.reset_barrier(block.linear, id);
            }
        }
    }

    fn deadlock(&self) -> SimError {
        let mut error =
            SimError::new(Kind::Deadlock, "every warp waits, and nothing can end the wait");
        for block in &self.resident {
            let [x, y, z] = block.coords;
            for warp in &block.warps {
                for fragment in &warp.fragments {
                    // At a barrier it has arrived and waits behind it.
                    let behind = u32::from(matches!(fragment.wait, Wait::Barrier { .. }));
                    let place = self.program.place_text(fragment.pc.saturating_sub(behind));
                    let lanes = mask_text(fragment.mask);
                    let what = match fragment.wait {
                        Wait::Phase => "the phase of an mbarrier".to_owned(),
                        Wait::Barrier { id, .. } => format!("barrier {id}"),
                        Wait::Cluster => "the other blocks of the cluster".to_owned(),
                        Wait::Lanes => "other lanes".to_owned(),
                        Wait::Ready => "its turn".to_owned(),
                    };
                    error = error.because(format!(
                        "block ({x}, {y}, {z}), warp {}, lanes {lanes} wait for {what} at {place}",
                        warp.index
                    ));
                }
                if warp.fragments.is_empty() {
                    error = error.because(format!(
                        "block ({x}, {y}, {z}), warp {} has returned",
                        warp.index
                    ));
                }
            }
        }
        error
    }
}

/// A resident block, and how its warps reach the other blocks of its cluster, which stand `around` it.
fn block_and_peers<'b, const L: usize>(
    resident: &'b mut [Block<L>],
    at: usize,
    around: &[usize],
    geometry: &Geometry,
) -> (&'b mut Block<L>, Place<'b>) {
    let rank = geometry.rank(resident[at].linear);
    if around.len() == 1 {
        return (&mut resident[at], Place { rank, peers: Vec::new() });
    }
    let mut peers: Vec<Option<Peer<'b>>> = around.iter().map(|_| None).collect();
    let mut own = None;
    for (number, block) in resident.iter_mut().enumerate() {
        if number == at {
            own = Some(block);
        } else if around.contains(&number) && !block.is_done() {
            let rank = geometry.rank(block.linear) as usize;
            let (shared, mbarriers) = (&mut block.shared, &mut block.mbarriers);
            peers[rank] = Some(Peer { linear: block.linear, shared, mbarriers });
        }
    }
    (own.expect("the block is resident"), Place { rank, peers })
}

/// Lets the fragments of `warp` that wait at barrier `id` go on. Whether there were any.
fn pass<const L: usize>(
    warp: &mut Warp<L>,
    id: u32,
    gathering: &Gathering,
    barriers: &[Barrier],
) -> bool {
    let mut answers: Vec<(Slot, u64, u64)> = Vec::new();
    let mut passed = false;
    for fragment in &mut warp.fragments {
        let Wait::Barrier { id: waits, table } = fragment.wait else {
            continue;
        };
        if waits != id {
            continue;
        }
        passed = true;
        fragment.wait = Wait::Ready;
        let barrier = &barriers[table as usize];
        if let (BarrierMode::Reduce(mode), Some(d)) = (barrier.mode, barrier.d) {
            answers.push((d, fragment.mask, reduce(mode, gathering)));
        }
    }
    for (d, mask, bits) in answers {
        lanes_of(mask).for_each(|lane| warp.rows.write(d, lane, bits));
    }
    passed
}

/// The answer of `barrier.red` about the threads that came.
fn reduce(mode: super::bytecode::VoteMode, gathering: &Gathering) -> u64 {
    use super::bytecode::VoteMode;
    let threads = gathering.arrived.iter().zip(&gathering.votes);
    match mode {
        VoteMode::Ballot => gathering.votes.iter().map(|votes| u64::from(votes.count_ones())).sum(),
        VoteMode::All => u64::from(threads.clone().all(|(all, yes)| tally(mode, *yes, *all) != 0)),
        _ => u64::from(threads.clone().any(|(_, yes)| *yes != 0)),
    }
}

/// Writes the arguments into the rows of the parameters.
fn set_params<const L: usize>(program: &Program, params: &[Param], warp: &mut Warp<L>) {
    let mut by_value = ARGUMENTS + BY_VALUE_AT;
    for ((parts, param), byval) in program.code.params.iter().zip(params).zip(&program.code.byval) {
        if let Some(size) = byval {
            if let Some(part) = parts.first() {
                warp.rows.fill(part.slot, by_value);
            }
            by_value = (by_value + u64::from(*size)).next_multiple_of(64);
            continue;
        }
        for part in parts {
            let bits = match param {
                Param::Bits(bits) => *bits,
                Param::Buffer { index, offset } => buffer_address(*index).wrapping_add(*offset),
                Param::Null | Param::Map { .. } => 0,
                Param::Bytes(bytes) => {
                    let mut word = [0; 8];
                    let at = (part.offset as usize).min(bytes.len());
                    let len = usize::from(part.bytes).min(bytes.len() - at);
                    word[..len].copy_from_slice(&bytes[at..at + len]);
                    u64::from_le_bytes(word)
                }
            };
            let mask = if part.bytes >= 8 { !0 } else { (1 << (8 * part.bytes)) - 1 };
            warp.rows.fill(part.slot, bits & mask);
        }
    }
}
