//! Bulk copies of boxes in inline assembly (PTX ISA 9.7.9.25.5, 9.7.9.25.6) and the fence of their proxy (9.7.13.4).

use super::super::super::bytecode::{BoxCopy, BoxWay, Combining};
use super::*;

const SOURCE: &str = "PTX ISA 9.7.9.25.5, cp.async.bulk.tensor, cp.reduce.async.bulk.tensor; 9.7.9.25.6, cp.async.bulk.commit_group";

/// The rows.
pub(super) const ROWS: &[AsmRow] = &[
    row_of("cp.async.bulk.tensor", tensor),
    row_of("cp.reduce.async.bulk.tensor", reduce),
    AsmRow { name: "cp.async.bulk.prefetch.tensor", source: SOURCE, rule: AsmRule::Ignore },
    row_of("cp.async.bulk.commit_group", commit),
    row_of("cp.async.bulk.wait_group", wait),
    row_of("fence.proxy.async", show),
    AsmRow { name: "prefetch.tensormap", source: SOURCE, rule: AsmRule::Ignore },
];

const fn row_of(
    name: &'static str,
    with: for<'m> fn(&mut Lower<'m>, &mut Statement) -> Result<(), SimError>,
) -> AsmRow {
    AsmRow { name, source: SOURCE, rule: AsmRule::With(with) }
}

/// Words that a copy may have besides the way that it goes and its rank.
const PLAIN: &[&str] = &["tile", "L2::cache_hint"];

/// `cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [to], [map, {x, y}], [told]` and
/// `cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [map, {x, y}], [from]`
fn tensor<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    moved(lower, statement, None)
}

/// `cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group [map, {x, y}], [from]`
fn reduce<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let kinds = [
        ("add", Combining::Add),
        ("min", Combining::Min),
        ("max", Combining::Max),
        ("and", Combining::And),
        ("or", Combining::Or),
        ("xor", Combining::Xor),
    ];
    let Some((word, kind)) = kinds.into_iter().find(|it| statement.has(it.0)) else {
        return Err(refuse("a reduction that says not how"));
    };
    statement.words.retain(|it| it != word);
    moved(lower, statement, Some(kind))
}

fn moved<'m>(
    lower: &mut Lower<'m>,
    statement: &mut Statement,
    reduce: Option<Combining>,
) -> Result<(), SimError> {
    let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
    let (rank, rest) = words.split_first().ok_or_else(|| refuse("a copy without a rank"))?;
    let inward = ["shared::cluster", "global", "mbarrier::complete_tx::bytes"];
    let is_cast = rest.contains(&"multicast::cluster");
    let outward = ["global", "shared::cta", "bulk_group"];
    let moves: Vec<&str> = rest
        .iter()
        .copied()
        .filter(|it| !PLAIN.contains(it) && *it != "multicast::cluster")
        .collect();
    let (is_inward, at_map, at_shared) = match moves[..] {
        _ if moves == inward && reduce.is_none() => (true, 1, 0),
        _ if moves == outward && !is_cast => (false, 0, 1),
        _ => return Err(refuse(&format!("cp.async.bulk.tensor.{}", words.join(".")))),
    };
    let Some(Operand::Tensor(map, corner)) = statement.operands.get(at_map).cloned() else {
        return Err(refuse("a copy of a box without a tensor map"));
    };
    if *rank != format!("{}d", corner.len()) {
        return Err(refuse("a corner of another rank than the copy"));
    }
    let (shared, offset) = statement.address(at_shared)?;
    let way = if is_inward {
        let (told, offset) = statement.address(2)?;
        let blocks = if is_cast { Some(lower.asm_source(statement, 3, 16)?) } else { None };
        BoxWay::In { told, offset, blocks }
    } else {
        BoxWay::Out { reduce }
    };
    let corner = corner.into_iter().map(row).collect();
    let table = lower.code.boxes.len() as u32;
    lower.code.boxes.push(BoxCopy { way, map, corner, shared, offset });
    lower.emit(Op::MoveBox { table });
    Ok(())
}

fn commit<'m>(lower: &mut Lower<'m>, _: &mut Statement) -> Result<(), SimError> {
    lower.emit(Op::CommitBoxes);
    Ok(())
}

/// `cp.async.bulk.wait_group.read n`
fn wait<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let Some(Operand::Immediate(pending)) = statement.operands.first() else {
        return Err(refuse("a wait for groups without their number"));
    };
    let (pending, read) = (*pending as u32, statement.has("read"));
    lower.emit(Op::AwaitBoxes { pending, read });
    Ok(())
}

/// `fence.proxy.async.shared::cta`
fn show<'m>(lower: &mut Lower<'m>, _: &mut Statement) -> Result<(), SimError> {
    lower.emit(Op::ShowEngine);
    Ok(())
}
