//! Operations on mbarriers, lane by lane.
//!
//! A lane that finds its phase open sleeps until it is complete; sometimes it is told so first, as `try_wait` may and
//! `test_wait` does. Of the lanes of a wait those whose phase is complete go on by themselves.

use super::super::bytecode::{Mbarrier, MbarrierMode, Space};
use super::super::error::{Kind, SimError};
use super::super::mbarrier::{BYTES, Hold};
use super::super::memory::{Region, region_of};
use super::super::race::How;
use super::warp::Wait;
use super::{Flow, Turn, lanes_of};

/// What an mbarrier is initialised with; nobody may read it.
const OPAQUE: [u8; BYTES as usize] = [0xb0; BYTES as usize];

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn mbarrier(&mut self, op: &Mbarrier) -> Result<Flow, SimError> {
        if let MbarrierMode::Test { d } = op.mode {
            return self.test_phase(op, d);
        }
        for lane in lanes_of(self.mask) {
            self.apply(op, lane).map_err(|it| it.at_lane(lane as u32))?;
        }
        Ok(Flow::Next)
    }

    /// The byte of shared memory at which a lane's mbarrier is. To initialise one and to end it are writes, what else is
    /// done to it reads.
    fn barrier_at(&mut self, op: &Mbarrier, lane: usize) -> Result<(Region, u64), SimError> {
        let address = self.warp.rows.read(op.address, lane) + u64::from(op.offset);
        let (region, at) = region_of(Space::Shared, address);
        let is_remote = self.own_name(region) != Region::Shared;
        let reaches = matches!(op.mode, MbarrierMode::Arrive | MbarrierMode::ArriveExpect);
        if is_remote && !reaches {
            let message = "this operation is for mbarriers of the block's own shared memory";
            return Err(SimError::new(Kind::Undefined, message));
        }
        let mut addresses = [0; L];
        addresses[lane] = at;
        self.check_aligned(Space::Shared, &addresses, (BYTES as u32, BYTES as u32), 1 << lane)?;
        let (_, mut window) = self.open(region);
        match op.mode {
            MbarrierMode::Init | MbarrierMode::Inval => {
                window.claim(at, OPAQUE.len(), lane, How::Write)?.copy_from_slice(&OPAQUE);
            }
            _ => {
                window.read_any(at, OPAQUE.len(), lane)?;
            }
        }
        Ok((region, at))
    }

    fn apply(&mut self, op: &Mbarrier, lane: usize) -> Result<(), SimError> {
        let (region, at) = self.barrier_at(op, lane)?;
        let block = self.block_of(region)?;
        let n = self.warp.rows.words[op.n as usize][lane];
        let completes = match op.mode {
            MbarrierMode::Init => {
                self.mbarriers.init(at, n, self.warp.index)?;
                if let Some(race) = &mut self.race {
                    race.reset_mbarrier(block, at);
                }
                return Ok(());
            }
            MbarrierMode::Inval => return self.mbarriers.inval(at),
            MbarrierMode::Expect => return self.mbarriers.get(at)?.expect(n),
            MbarrierMode::Copies { counts_more } => {
                let time = self.warp.flights.hand_over(lane);
                let hold = Hold { warp: self.warp.index, lane: lane as u8, time };
                self.mbarriers.get(at)?.hold(hold, counts_more);
                return Ok(());
            }
            MbarrierMode::Complete => self.mbarriers.get(at)?.complete(n)?,
            MbarrierMode::Arrive | MbarrierMode::ArriveExpect => {
                if let Some(race) = &mut self.race {
                    race.arrive_mbarrier(self.agent, (block, at), self.mask);
                }
                let it = self.mbarriers_in(region)?.get(at)?;
                if op.mode == MbarrierMode::ArriveExpect {
                    it.expect(n)?;
                    it.arrive(1)?
                } else {
                    it.arrive(n)?
                }
            }
            MbarrierMode::Test { .. } => unreachable!("it is asked by all lanes together"),
        };
        if completes && let Some(race) = &mut self.race {
            race.complete_mbarrier(block, at);
        }
        Ok(())
    }

    fn test_phase(&mut self, op: &Mbarrier, d: u32) -> Result<Flow, SimError> {
        let mut complete = 0;
        for lane in lanes_of(self.mask) {
            let (_, at) = self.barrier_at(op, lane).map_err(|it| it.at_lane(lane as u32))?;
            let parity = self.warp.rows.words[op.n as usize][lane];
            let it = self.mbarriers.get(at).map_err(|it| it.at_lane(lane as u32))?;
            if it.asks(parity) {
                complete |= 1 << lane;
                if let Some(race) = &mut self.race {
                    race.pass_mbarrier(self.agent, at);
                }
            }
        }
        if complete == 0 && self.random.below(2) == 0 {
            self.park(Wait::Phase);
            return Ok(Flow::Pick);
        }
        let flags = &mut self.warp.rows.flags[d as usize];
        *flags = *flags & !self.mask | complete;
        Ok(Flow::Next)
    }
}
