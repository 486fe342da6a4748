//! mbarriers and `setmaxnreg`. Source: PTX ISA 9.7.13.15, 9.7.19.5; LLVM 22, `IntrinsicsNVVM.td`.
//!
//! LLVM's intrinsics of mbarriers say that they touch nothing but the barrier, so that accesses to what it
//! guards could move across them. Inline assembly is an access to all memory.

use inkwell::IntPredicate;
use inkwell::values::{IntValue, PointerValue};
use tile_language::target::Cap;

use super::{ALL_LANES, Ptx};
use crate::chip::Reach;
use crate::chip::sync::{Mbarriers, Meeting};
use crate::emit::{Emit, Val};

impl Ptx {
    /// Whether mbarriers count bytes, several arrivals at once, and let those that wait sleep (`sm_90` and later).
    fn counts_bytes(&self) -> bool {
        self.target.has(Cap::Tma)
    }

    /// Whether this lane is one of `n` of the warp.
    pub(super) fn is_one_of<'c>(&self, emit: &Emit<'c>, n: u32) -> IntValue<'c> {
        if n == 1 && self.counts_bytes() {
            let members = emit.int(ALL_LANES).into();
            let elected = emit.intrinsic("llvm.nvvm.elect.sync", &[], &[members]);
            return emit.field(elected.expect("it has a value"), 1).into_int_value();
        }
        let lane = self.register(emit, "llvm.nvvm.read.ptx.sreg.laneid");
        emit.icmp(IntPredicate::ULT, lane, emit.int(n))
    }

    /// Whether the phase of that parity is complete, asked with the words of `try_wait` or `test_wait`.
    fn is_complete<'c>(
        &self,
        emit: &Emit<'c>,
        word: &str,
        at: PointerValue<'c>,
        parity: IntValue<'c>,
    ) -> IntValue<'c> {
        let space = if self.counts_bytes() { "shared::cta" } else { "shared" };
        let text = format!("mbarrier.{word}.{space}.b64 $0, [$1], $2;");
        let args: [Val<'c>; 2] = [at.into(), parity.into()];
        let answer = emit.assembly(text, "=b,r,r".to_owned(), Some(emit.i1().into()), &args);
        answer.expect("it has a value").into_int_value()
    }

    fn arrive_at_once<'c>(&self, emit: &Emit<'c>, at: PointerValue<'c>, count: u32) {
        let count = if count == 1 { String::new() } else { format!(", {count}") };
        let text = format!("mbarrier.arrive.shared::cta.b64 _, [$0]{count};");
        emit.assembly(text, "r".to_owned(), None, &[at.into()]);
    }
}

impl Mbarriers for Ptx {
    fn init_mbarrier<'c>(&self, emit: &Emit<'c>, at: PointerValue<'c>, count: u32) {
        let text = format!("mbarrier.init.shared.b64 [$0], {count};");
        emit.assembly(text, "r".to_owned(), None, &[at.into()]);
    }

    fn publish_mbarriers(&self, emit: &Emit<'_>) {
        if self.counts_bytes() {
            emit.intrinsic("llvm.nvvm.fence.mbarrier_init.release.cluster", &[], &[]);
        }
    }

    fn arrive<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        count: u32,
        bytes: Option<(IntValue<'c>, u32)>,
    ) {
        if !self.counts_bytes() {
            // An arrival counts for one: as many lanes arrive.
            let is_one = self.is_one_of(emit, count);
            emit.when(is_one, || {
                let text = "mbarrier.arrive.shared.b64 $0, [$1];".to_owned();
                emit.assembly(text, "=l,r".to_owned(), Some(emit.i64().into()), &[at.into()]);
            });
            return;
        }
        let elected = self.is_one_of(emit, 1);
        emit.when(elected, || match bytes {
            Some((tells, bytes)) if count == 1 && tells.is_const() => {
                let text = format!("mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], {bytes};");
                emit.assembly(text, "r".to_owned(), None, &[at.into()]);
            }
            Some((tells, bytes)) => {
                emit.when(tells, || {
                    let text =
                        format!("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [$0], {bytes};");
                    emit.assembly(text, "r".to_owned(), None, &[at.into()]);
                });
                self.arrive_at_once(emit, at, count);
            }
            None => self.arrive_at_once(emit, at, count),
        });
    }

    fn await_mbarrier<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        parity: IntValue<'c>,
        reach: Reach,
    ) {
        let word = match reach {
            Reach::Cluster => "try_wait.parity.acquire.cluster",
            Reach::Block if self.counts_bytes() => "try_wait.parity",
            Reach::Block => "test_wait.parity",
        };
        let (again, done) = (emit.block(), emit.block());
        emit.jump(again);
        emit.enter(again);
        let is_complete = self.is_complete(emit, word, at, parity);
        emit.branch(is_complete, done, again);
        emit.enter(done);
    }

    fn ask_mbarrier<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        parity: IntValue<'c>,
    ) -> IntValue<'c> {
        self.is_complete(emit, "test_wait.parity", at, parity)
    }

    fn all<'c>(&self, emit: &Emit<'c>, meeting: Meeting, flag: IntValue<'c>) -> IntValue<'c> {
        let made = match meeting {
            Meeting::Block => {
                let name = "llvm.nvvm.barrier.cta.red.and.aligned.all";
                emit.intrinsic(name, &[], &[emit.int(0).into(), flag.into()])
            }
            Meeting::Warp => {
                let args = [emit.int(ALL_LANES).into(), flag.into()];
                emit.intrinsic("llvm.nvvm.vote.all.sync", &[], &args)
            }
            Meeting::Named { id, threads } => {
                let name = "llvm.nvvm.barrier.cta.red.and.aligned.count";
                let args = [emit.int(id).into(), emit.int(threads).into(), flag.into()];
                emit.intrinsic(name, &[], &args)
            }
        };
        made.expect("it has a value").into_int_value()
    }

    fn come(&self, emit: &Emit<'_>, id: u32, threads: u32) {
        let args = [emit.int(id).into(), emit.int(threads).into()];
        emit.intrinsic("llvm.nvvm.barrier.cta.arrive.aligned.count", &[], &args);
    }

    fn hold_for_copies<'c>(&self, emit: &Emit<'c>, at: PointerValue<'c>) {
        let text = "cp.async.mbarrier.arrive.shared.b64 [$0];".to_owned();
        emit.assembly(text, "r".to_owned(), None, &[at.into()]);
    }

    fn hand_registers(&self, emit: &Emit<'_>, start: u32, wanted: u32) {
        let way = match wanted.cmp(&start) {
            std::cmp::Ordering::Less => "dec",
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => "inc",
        };
        let name = format!("llvm.nvvm.setmaxnreg.{way}.sync.aligned.u32");
        emit.intrinsic(&name, &[], &[emit.int(wanted).into()]);
    }
}
