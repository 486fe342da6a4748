//! What stands in the angle brackets of an operation's text: `memory.load<all, normal>`.
//!
//! [`attributes`] and [`operation`] are inverse to each other for every row of every family; the
//! test of that name holds them together. The printer and the parser know no operation.
//!
//! A constant's number is the one attribute that depends on a type; the printer and the parser turn
//! it into the element's bits themselves (`ir/literal.rs`) and it appears here as an integer.

use smol_str::{SmolStr, format_smolstr};

use crate::op::flow::Role;
use crate::op::memory::{AtomicOp, Cache, Evict, Order, Scope};
use crate::op::tile::{BinaryOp, CmpOp, Round, UnaryOp};
use crate::op::{CopyOp, FlowOp, MemoryOp, MmaOp, Op, SharedOp, SyncOp, TileOp};
use crate::target::Cap;
use crate::target::mma::MatrixId;
use crate::target::wgmma::WgmmaId;

/// One attribute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Attr {
    /// A word of a list: `nearest`.
    Word(SmolStr),
    /// A number as it is written.
    Number(SmolStr),
    /// A string, without its quotes.
    Text(String),
    /// `[a, b]`
    List(Vec<Attr>),
}

/// The attributes of an operation, in order.
pub(super) fn attributes(op: &Op) -> Vec<Attr> {
    match op {
        Op::Flow(it) => flow_attributes(it),
        Op::Tile(it) => tile_attributes(it),
        Op::Memory(it) => memory_attributes(it),
        Op::Shared(it) => shared_attributes(it),
        Op::Copy(it) => copy_attributes(it),
        Op::Sync(it) => sync_attributes(it),
        Op::Mma(it) => mma_attributes(it),
    }
}

fn flow_attributes(op: &FlowOp) -> Vec<Attr> {
    match op {
        FlowOp::If | FlowOp::While => vec![],
        FlowOp::Roles { roles } => roles.iter().map(role_attribute).collect(),
        FlowOp::For { unroll: None, stages: None } => vec![],
        FlowOp::For { unroll, stages: None } => vec![number(unroll.unwrap_or(0))],
        FlowOp::For { unroll, stages: Some(stages) } => {
            vec![number(unroll.unwrap_or(0)), number(*stages)]
        }
    }
}

/// `["math", copy + 1 or 0, warps, first warp, registers or 0]`
fn role_attribute(it: &Role) -> Attr {
    Attr::List(vec![
        Attr::Text(it.name.to_string()),
        number(it.copy.map_or(0, |it| it + 1)),
        number(it.warps),
        number(it.first_warp),
        number(it.regs.unwrap_or(0)),
    ])
}

fn tile_attributes(op: &TileOp) -> Vec<Attr> {
    match op {
        TileOp::Const { bits } => vec![Attr::Number(format_smolstr!("{bits}"))],
        TileOp::Index { axis }
        | TileOp::BlockId { axis }
        | TileOp::NumBlocks { axis }
        | TileOp::Expand { axis }
        | TileOp::Squeeze { axis }
        | TileOp::Gather { axis } => vec![number(*axis)],
        TileOp::Unary { op } => vec![word(op.name())],
        TileOp::Binary { op } => vec![word(op.name())],
        TileOp::Cmp { op } => vec![word(op.name())],
        TileOp::Cast { round } => vec![word(round.name())],
        TileOp::Permute { perm } => vec![Attr::List(perm.iter().map(|&it| number(it)).collect())],
        TileOp::Halves { axis, bit } => vec![number(*axis), number(*bit)],
        TileOp::Butterfly { axis, mask } => vec![number(*axis), number(*mask)],
        TileOp::ClusterRank
        | TileOp::Fma
        | TileOp::Select
        | TileOp::Bits
        | TileOp::Splat
        | TileOp::Broadcast
        | TileOp::Reshape
        | TileOp::Join
        | TileOp::Split
        | TileOp::Histogram
        | TileOp::Convert => vec![],
    }
}

fn memory_attributes(op: &MemoryOp) -> Vec<Attr> {
    match op {
        MemoryOp::At { tensor } | MemoryOp::IsPresent { tensor } => vec![number(*tensor)],
        MemoryOp::Load { cache, evict } | MemoryOp::Store { cache, evict } => {
            vec![word(cache.name()), word(evict.name())]
        }
        MemoryOp::Atomic { op, order, scope } => {
            vec![word(op.name()), word(order.name()), word(scope.name())]
        }
        MemoryOp::AtomicCas { order, scope } => vec![word(order.name()), word(scope.name())],
        MemoryOp::Print { pieces } => pieces.iter().cloned().map(Attr::Text).collect(),
        MemoryOp::Assert { message } => vec![Attr::Text(message.clone())],
        MemoryOp::Offset | MemoryOp::Assume => vec![],
    }
}

fn shared_attributes(op: &SharedOp) -> Vec<Attr> {
    match op {
        SharedOp::Alloc { align } => vec![number(*align)],
        SharedOp::Index { axis }
        | SharedOp::Slice { axis }
        | SharedOp::Gather { axis }
        | SharedOp::Scatter { axis } => vec![number(*axis)],
        SharedOp::Atomic { op, axis } => vec![word(op.name()), number(*axis)],
        SharedOp::Recast | SharedOp::Overlay | SharedOp::On | SharedOp::Load | SharedOp::Store => {
            vec![]
        }
    }
}

fn copy_attributes(op: &CopyOp) -> Vec<Attr> {
    match op {
        CopyOp::Wait { in_flight } => vec![number(*in_flight)],
        CopyOp::Fetch { align } => vec![number(*align)],
        CopyOp::Signal { bytes } => vec![number(*bytes)],
        CopyOp::Box { evict, multicast } => with_flag(word(evict.name()), *multicast, MULTICAST),
        CopyOp::Prefetch { evict } => vec![word(evict.name())],
        CopyOp::BoxOut { evict, reduce } => {
            let reduce = reduce.map(|it| word(it.name()));
            std::iter::once(word(evict.name())).chain(reduce).collect()
        }
        CopyOp::WaitOut { in_flight, read } => vec![number(*in_flight), number(u32::from(*read))],
        CopyOp::Async | CopyOp::Land | CopyOp::Commit | CopyOp::Hold => vec![],
    }
}

fn sync_attributes(op: &SyncOp) -> Vec<Attr> {
    match op {
        SyncOp::Mbarriers { arrivals, across } => with_flag(number(*arrivals), *across, ACROSS),
        SyncOp::Arrive { everywhere: true } => vec![word(EVERYWHERE)],
        SyncOp::Expect { bytes } => vec![number(*bytes)],
        SyncOp::Meet { barrier, waits } => vec![number(*barrier), number(u32::from(*waits))],
        SyncOp::Barrier
        | SyncOp::ClusterBarrier
        | SyncOp::FenceAsync
        | SyncOp::Wait
        | SyncOp::Test
        | SyncOp::Arrive { everywhere: false }
        | SyncOp::Permit
        | SyncOp::End => vec![],
    }
}

/// Words that stand where a flag is set.
const MULTICAST: &str = "multicast";
const ACROSS: &str = "across";
const EVERYWHERE: &str = "everywhere";

fn with_flag(first: Attr, is_set: bool, flag: &'static str) -> Vec<Attr> {
    std::iter::once(first).chain(is_set.then(|| word(flag))).collect()
}

/// The name alone does not tell CDNA3's products of f8 from CDNA4's.
fn mma_attributes(op: &MmaOp) -> Vec<Attr> {
    match op {
        MmaOp::Mma { instruction } => {
            let row = instruction.row();
            vec![Attr::Text(row.name.to_owned()), word(row.cap.name())]
        }
        MmaOp::Wgmma { instruction, n } => {
            vec![Attr::Text(instruction.row().name.to_owned()), number(*n)]
        }
        MmaOp::Wait { in_flight } => in_flight.map(number).into_iter().collect(),
    }
}

fn number(it: u32) -> Attr {
    Attr::Number(format_smolstr!("{it}"))
}

fn word(it: &'static str) -> Attr {
    Attr::Word(SmolStr::new_static(it))
}

/// The operation of that name with these attributes, or why there is none.
pub(super) fn operation(name: &str, attrs: Vec<Attr>) -> Result<Op, String> {
    let mut read = Reader { attrs: attrs.into_iter(), name };
    let op = match name.split_once('.') {
        Some(("flow", rest)) => flow(rest, &mut read)?.map(Op::Flow),
        Some(("tile", rest)) => tile(rest, &mut read)?.map(Op::Tile),
        Some(("memory", rest)) => memory(rest, &mut read)?.map(Op::Memory),
        Some(("shared", rest)) => shared(rest, &mut read)?.map(Op::Shared),
        Some(("copy", rest)) => copy(rest, &mut read)?.map(Op::Copy),
        Some(("sync", rest)) => sync(rest, &mut read)?.map(Op::Sync),
        Some(("mma", rest)) => mma(rest, &mut read)?.map(Op::Mma),
        _ => None,
    };
    let op = op.ok_or_else(|| format!("there is no operation `{name}`"))?;
    read.end()?;
    Ok(op)
}

fn flow(name: &str, read: &mut Reader) -> Result<Option<FlowOp>, String> {
    Ok(Some(match name {
        "if" => FlowOp::If,
        "while" => FlowOp::While,
        "roles" => FlowOp::Roles { roles: read.roles()? },
        "for" => {
            let mut asked = || {
                let it = if read.is_empty() { 0 } else { read.number()? };
                Ok::<_, String>(Some(it).filter(|&it| it != 0))
            };
            FlowOp::For { unroll: asked()?, stages: asked()? }
        }
        _ => return Ok(None),
    }))
}

fn tile(name: &str, read: &mut Reader) -> Result<Option<TileOp>, String> {
    Ok(Some(match name {
        "const" => TileOp::Const { bits: read.number()? },
        "index" => TileOp::Index { axis: read.number()? },
        "block_id" => TileOp::BlockId { axis: read.number()? },
        "num_blocks" => TileOp::NumBlocks { axis: read.number()? },
        "cluster_rank" => TileOp::ClusterRank,
        "unary" => TileOp::Unary { op: read.word(UnaryOp::from_name)? },
        "binary" => TileOp::Binary { op: read.word(BinaryOp::from_name)? },
        "cmp" => TileOp::Cmp { op: read.word(CmpOp::from_name)? },
        "fma" => TileOp::Fma,
        "select" => TileOp::Select,
        "cast" => TileOp::Cast { round: read.word(Round::from_name)? },
        "bits" => TileOp::Bits,
        "splat" => TileOp::Splat,
        "broadcast" => TileOp::Broadcast,
        "expand" => TileOp::Expand { axis: read.number()? },
        "squeeze" => TileOp::Squeeze { axis: read.number()? },
        "reshape" => TileOp::Reshape,
        "permute" => TileOp::Permute { perm: read.numbers()? },
        "join" => TileOp::Join,
        "split" => TileOp::Split,
        "halves" => TileOp::Halves { axis: read.number()?, bit: read.number()? },
        "butterfly" => TileOp::Butterfly { axis: read.number()?, mask: read.number()? },
        "gather" => TileOp::Gather { axis: read.number()? },
        "histogram" => TileOp::Histogram,
        "convert" => TileOp::Convert,
        _ => return Ok(None),
    }))
}

fn memory(name: &str, read: &mut Reader) -> Result<Option<MemoryOp>, String> {
    Ok(Some(match name {
        "at" => MemoryOp::At { tensor: read.number()? },
        "is_present" => MemoryOp::IsPresent { tensor: read.number()? },
        "offset" => MemoryOp::Offset,
        "load" => MemoryOp::Load {
            cache: read.word_or(Cache::from_name, Cache::All)?,
            evict: read.word_or(Evict::from_name, Evict::Normal)?,
        },
        "store" => MemoryOp::Store {
            cache: read.word_or(Cache::from_name, Cache::All)?,
            evict: read.word_or(Evict::from_name, Evict::Normal)?,
        },
        "atomic" => MemoryOp::Atomic {
            op: read.word(AtomicOp::from_name)?,
            order: read.word_or(Order::from_name, Order::Relaxed)?,
            scope: read.word_or(Scope::from_name, Scope::Device)?,
        },
        "atomic_cas" => MemoryOp::AtomicCas {
            order: read.word_or(Order::from_name, Order::Relaxed)?,
            scope: read.word_or(Scope::from_name, Scope::Device)?,
        },
        "print" => MemoryOp::Print { pieces: read.texts()? },
        "assert" => MemoryOp::Assert { message: read.text()? },
        "assume" => MemoryOp::Assume,
        _ => return Ok(None),
    }))
}

fn shared(name: &str, read: &mut Reader) -> Result<Option<SharedOp>, String> {
    Ok(Some(match name {
        "alloc" => SharedOp::Alloc { align: read.number()? },
        "index" => SharedOp::Index { axis: read.number()? },
        "slice" => SharedOp::Slice { axis: read.number()? },
        "recast" => SharedOp::Recast,
        "overlay" => SharedOp::Overlay,
        "on" => SharedOp::On,
        "load" => SharedOp::Load,
        "store" => SharedOp::Store,
        "gather" => SharedOp::Gather { axis: read.number()? },
        "scatter" => SharedOp::Scatter { axis: read.number()? },
        "atomic" => SharedOp::Atomic { op: read.word(AtomicOp::from_name)?, axis: read.number()? },
        _ => return Ok(None),
    }))
}

fn copy(name: &str, read: &mut Reader) -> Result<Option<CopyOp>, String> {
    Ok(Some(match name {
        "async" => CopyOp::Async,
        "land" => CopyOp::Land,
        "commit" => CopyOp::Commit,
        "hold" => CopyOp::Hold,
        "signal" => CopyOp::Signal { bytes: read.number()? },
        "wait" => CopyOp::Wait { in_flight: read.number()? },
        "fetch" => CopyOp::Fetch { align: read.number()? },
        "box" => CopyOp::Box {
            evict: read.word_or(Evict::from_name, Evict::Normal)?,
            multicast: read.flag(MULTICAST)?,
        },
        "box_out" => CopyOp::BoxOut {
            evict: read.word_or(Evict::from_name, Evict::Normal)?,
            reduce: if read.is_empty() { None } else { Some(read.word(AtomicOp::from_name)?) },
        },
        "prefetch" => CopyOp::Prefetch { evict: read.word_or(Evict::from_name, Evict::Normal)? },
        "wait_out" => {
            CopyOp::WaitOut { in_flight: read.number()?, read: read.number::<u32>()? != 0 }
        }
        _ => return Ok(None),
    }))
}

fn sync(name: &str, read: &mut Reader) -> Result<Option<SyncOp>, String> {
    Ok(Some(match name {
        "barrier" => SyncOp::Barrier,
        "fence_async" => SyncOp::FenceAsync,
        "cluster_barrier" => SyncOp::ClusterBarrier,
        "mbarriers" => SyncOp::Mbarriers { arrivals: read.number()?, across: read.flag(ACROSS)? },
        "wait" => SyncOp::Wait,
        "test" => SyncOp::Test,
        "meet" => SyncOp::Meet { barrier: read.number()?, waits: read.number::<u32>()? != 0 },
        "expect" => SyncOp::Expect { bytes: read.number()? },
        "arrive" => SyncOp::Arrive { everywhere: read.flag(EVERYWHERE)? },
        "permit" => SyncOp::Permit,
        "end" => SyncOp::End,
        _ => return Ok(None),
    }))
}

fn mma(name: &str, read: &mut Reader) -> Result<Option<MmaOp>, String> {
    Ok(Some(match name {
        "mma" => {
            let (name, cap) = (read.text()?, read.word(Cap::from_name)?);
            let instruction = MatrixId::from_name(&name, cap)
                .ok_or_else(|| format!("there is no matrix instruction `{name}`"))?;
            MmaOp::Mma { instruction }
        }
        "wgmma" => {
            let name = read.text()?;
            let instruction = WgmmaId::from_name(&name)
                .ok_or_else(|| format!("there is no matrix instruction `{name}`"))?;
            MmaOp::Wgmma { instruction, n: read.number()? }
        }
        "wait" => {
            let in_flight = if read.is_empty() { None } else { Some(read.number()?) };
            MmaOp::Wait { in_flight }
        }
        _ => return Ok(None),
    }))
}

/// Takes attributes one by one.
struct Reader<'a> {
    attrs: std::vec::IntoIter<Attr>,
    name: &'a str,
}

impl Reader<'_> {
    fn is_empty(&self) -> bool {
        self.attrs.len() == 0
    }

    fn next(&mut self, wanted: &str) -> Result<Attr, String> {
        self.attrs
            .next()
            .ok_or_else(|| format!("`{}` lacks {wanted} in its angle brackets", self.name))
    }

    fn mismatch<T>(&self, wanted: &str) -> Result<T, String> {
        Err(format!("`{}` takes {wanted} in its angle brackets", self.name))
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        match self.next("a number")? {
            Attr::Number(it) => it.parse().or_else(|_| self.mismatch("a smaller number")),
            Attr::Word(_) | Attr::Text(_) | Attr::List(_) => self.mismatch("a number"),
        }
    }

    fn numbers(&mut self) -> Result<Vec<u32>, String> {
        let Attr::List(items) = self.next("a list of numbers")? else {
            return self.mismatch("a list of numbers");
        };
        let mut inner = Reader { attrs: items.into_iter(), name: self.name };
        let mut res = vec![];
        while !inner.is_empty() {
            res.push(inner.number()?);
        }
        Ok(res)
    }

    fn roles(&mut self) -> Result<Vec<Role>, String> {
        let mut res = vec![];
        while !self.is_empty() {
            let Attr::List(items) = self.next("a role")? else { return self.mismatch("roles") };
            let mut inner = Reader { attrs: items.into_iter(), name: self.name };
            let name = inner.text()?.into();
            let copy: u32 = inner.number()?;
            let (warps, first_warp, regs) = (inner.number()?, inner.number()?, inner.number()?);
            res.push(Role {
                name,
                copy: copy.checked_sub(1),
                warps,
                first_warp,
                regs: Some(regs).filter(|&it: &u32| it != 0),
            });
        }
        Ok(res)
    }

    fn word<T>(&mut self, from_name: fn(&str) -> Option<T>) -> Result<T, String> {
        match self.next("a word")? {
            Attr::Word(it) => {
                from_name(&it).ok_or_else(|| format!("`{}` does not know `{it}`", self.name))
            }
            Attr::Number(_) | Attr::Text(_) | Attr::List(_) => self.mismatch("a word"),
        }
    }

    fn word_or<T>(&mut self, from_name: fn(&str) -> Option<T>, default: T) -> Result<T, String> {
        if self.is_empty() { Ok(default) } else { self.word(from_name) }
    }

    /// Whether the word of a flag stands next.
    fn flag(&mut self, flag: &str) -> Result<bool, String> {
        if self.is_empty() {
            return Ok(false);
        }
        match self.next("a word")? {
            Attr::Word(it) if it == flag => Ok(true),
            Attr::Word(_) | Attr::Number(_) | Attr::Text(_) | Attr::List(_) => {
                self.mismatch("a word")
            }
        }
    }

    fn text(&mut self) -> Result<String, String> {
        match self.next("a string")? {
            Attr::Text(it) => Ok(it),
            Attr::Word(_) | Attr::Number(_) | Attr::List(_) => self.mismatch("a string"),
        }
    }

    fn texts(&mut self) -> Result<Vec<String>, String> {
        let mut res = vec![];
        while !self.is_empty() {
            res.push(self.text()?);
        }
        Ok(res)
    }

    fn end(mut self) -> Result<(), String> {
        match self.attrs.next() {
            None => Ok(()),
            Some(_) => Err(format!("`{}` has too many words in its angle brackets", self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invert(op: Op) {
        assert_eq!(operation(op.row().name, attributes(&op)), Ok(op));
    }

    #[test]
    fn attributes_and_operation_are_inverse_for_every_word() {
        UnaryOp::ALL.iter().for_each(|&op| invert(Op::Tile(TileOp::Unary { op })));
        BinaryOp::ALL.iter().for_each(|&op| invert(Op::Tile(TileOp::Binary { op })));
        CmpOp::ALL.iter().for_each(|&op| invert(Op::Tile(TileOp::Cmp { op })));
        Round::ALL.iter().for_each(|&round| invert(Op::Tile(TileOp::Cast { round })));
        for &op in AtomicOp::ALL {
            invert(Op::Memory(MemoryOp::Atomic { op, order: Order::AcqRel, scope: Scope::System }));
        }
        for &cache in Cache::ALL {
            invert(Op::Memory(MemoryOp::Load { cache, evict: Evict::Last }));
        }
        MatrixId::all().for_each(|it| invert(Op::Mma(MmaOp::Mma { instruction: it })));
        WgmmaId::all().for_each(|it| invert(Op::Mma(MmaOp::Wgmma { instruction: it, n: 128 })));
        invert(Op::Mma(MmaOp::Wait { in_flight: Some(1) }));
        invert(Op::Mma(MmaOp::Wait { in_flight: None }));
        invert(Op::Tile(TileOp::Permute { perm: vec![2, 0, 1] }));
        invert(Op::Tile(TileOp::Halves { axis: 1, bit: 4 }));
        invert(Op::Memory(MemoryOp::Print { pieces: vec!["a\n\"".to_owned(), String::new()] }));
        invert(Op::Flow(FlowOp::For { unroll: Some(4), stages: None }));
        invert(Op::Flow(FlowOp::For { unroll: None, stages: Some(3) }));
        invert(Op::Flow(FlowOp::For { unroll: None, stages: None }));
        let role = |copy, regs| Role { name: "math".into(), copy, warps: 4, first_warp: 8, regs };
        invert(Op::Flow(FlowOp::Roles { roles: vec![role(None, None), role(Some(1), Some(232))] }));
        invert(Op::Shared(SharedOp::Atomic { op: AtomicOp::Max, axis: 1 }));
        invert(Op::Copy(CopyOp::Wait { in_flight: 2 }));
        for is_set in [false, true] {
            invert(Op::Sync(SyncOp::Mbarriers { arrivals: 8, across: is_set }));
            invert(Op::Sync(SyncOp::Arrive { everywhere: is_set }));
            invert(Op::Copy(CopyOp::Box { evict: Evict::First, multicast: is_set }));
        }
        invert(Op::Sync(SyncOp::Expect { bytes: 64 }));
        for waits in [false, true] {
            invert(Op::Sync(SyncOp::Meet { barrier: 3, waits }));
        }
        invert(Op::Copy(CopyOp::Hold));
        invert(Op::Copy(CopyOp::Signal { bytes: 64 }));
        for &evict in Evict::ALL {
            invert(Op::Copy(CopyOp::Box { evict, multicast: false }));
            invert(Op::Copy(CopyOp::Prefetch { evict }));
            for reduce in [None, Some(AtomicOp::Max)] {
                invert(Op::Copy(CopyOp::BoxOut { evict, reduce }));
            }
        }
        for read in [false, true] {
            invert(Op::Copy(CopyOp::WaitOut { in_flight: 1, read }));
        }
    }

    #[test]
    fn every_row_has_a_reading() {
        let rows = TileOp::ROWS.iter().chain(MemoryOp::ROWS).chain(FlowOp::ROWS);
        let rows =
            rows.chain(SharedOp::ROWS).chain(CopyOp::ROWS).chain(SyncOp::ROWS).chain(MmaOp::ROWS);
        for row in rows {
            let found = operation(row.name, vec![]);
            assert!(!matches!(&found, Err(it) if it.starts_with("there is no")), "{}", row.name);
        }
    }

    #[test]
    fn too_few_and_too_many_words_are_refused() {
        assert!(operation("tile.halves", vec![number(1)]).is_err());
        assert!(operation("tile.fma", vec![number(1)]).is_err());
        assert!(operation("tile.unary", vec![word("leap")]).is_err());
    }
}
