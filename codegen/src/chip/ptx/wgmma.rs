//! `wgmma` through inline assembly. Source: PTX ISA 9.7.15.
//!
//! A sum goes in and out in the same registers: every one is an output with an input tied to it. Halves share
//! registers, two in one.

use inkwell::types::BasicTypeEnum;
use inkwell::values::IntValue;
use tile_language::target::wgmma::WgmmaRow;

use super::Ptx;
use crate::chip::matrix::{Left, WarpGroups};
use crate::emit::{Emit, Val, width};

/// Values as registers of 32 bits, several of the narrower ones in one.
fn pack<'c>(emit: &Emit<'c>, values: &[Val<'c>]) -> Vec<Val<'c>> {
    let element = values[0].get_type();
    if width(element) == 32 {
        return values.to_vec();
    }
    let n = (32 / width(element)) as usize;
    values.chunks_exact(n).map(|it| emit.bitcast(emit.pack(it), emit.i32().into())).collect()
}

/// The inverse of [`pack`].
fn unpack<'c>(emit: &Emit<'c>, words: &[Val<'c>], element: BasicTypeEnum<'c>) -> Vec<Val<'c>> {
    if width(element) == 32 {
        return words.to_vec();
    }
    let n = 32 / width(element);
    let ty = crate::emit::vector_type(element, n);
    words.iter().flat_map(|&it| emit.unpack(emit.bitcast(it, ty), n as usize)).collect()
}

/// The constraint of a register of this type.
fn constraint(ty: BasicTypeEnum<'_>) -> &'static str {
    if ty.is_float_type() { "f" } else { "r" }
}

fn numbered(range: std::ops::Range<usize>) -> String {
    range.map(|it| format!("${it}")).collect::<Vec<_>>().join(", ")
}

/// What assembly with these outputs gives, one value each.
fn outputs<'c>(
    emit: &Emit<'c>,
    text: String,
    constraints: &[String],
    types: &[BasicTypeEnum<'c>],
    args: &[Val<'c>],
) -> Vec<Val<'c>> {
    let result = emit.context.struct_type(types, false);
    let made = emit
        .assembly(text, constraints.join(","), Some(result.into()), args)
        .expect("assembly with outputs has a value");
    (0..types.len() as u32).map(|it| emit.field(made, it)).collect()
}

/// Words that go into assembly and come out of it in the same registers.
fn pass_through<'c>(emit: &Emit<'c>, text: String, words: &[Val<'c>]) -> Vec<Val<'c>> {
    let types: Vec<BasicTypeEnum<'c>> = words.iter().map(|it| it.get_type()).collect();
    let out = types.iter().map(|it| format!("={}", constraint(*it)));
    let constraints: Vec<String> = out.chain((0..words.len()).map(|it| it.to_string())).collect();
    outputs(emit, text, &constraints, &types, words)
}

impl WarpGroups for Ptx {
    fn fence_registers(&self, emit: &Emit<'_>) {
        emit.intrinsic("llvm.nvvm.wgmma.fence.sync.aligned", &[], &[]);
    }

    fn multiply<'c>(
        &self,
        emit: &Emit<'c>,
        row: &WgmmaRow,
        n: u32,
        element: BasicTypeEnum<'c>,
        left: &Left<'c>,
        (right, right_turned): (IntValue<'c>, bool),
        sum: Option<&[Val<'c>]>,
    ) -> Vec<Val<'c>> {
        let is_packed = width(element) < 32;
        let word: BasicTypeEnum<'c> = if is_packed { emit.i32().into() } else { element };
        let n_words = (n / 2 * width(element) / 32) as usize;
        let mut constraints = vec![format!("={}", constraint(word)); n_words];
        let mut args: Vec<Val<'c>> = sum.map_or(vec![], |it| pack(emit, it));
        constraints.extend((0..args.len()).map(|it| it.to_string()));
        let place = |args: &mut Vec<Val<'c>>, constraints: &mut Vec<String>, arg, of: &str| {
            args.push(arg);
            constraints.push(of.to_owned());
            n_words + args.len() - 1
        };
        let left_text = match left {
            Left::Registers(values) => {
                let first = n_words + args.len();
                for it in pack(emit, values) {
                    let of = constraint(it.get_type());
                    place(&mut args, &mut constraints, it, of);
                }
                format!("{{{}}}", numbered(first..n_words + args.len()))
            }
            Left::Memory { word, .. } => {
                format!("${}", place(&mut args, &mut constraints, (*word).into(), "l"))
            }
        };
        let right = place(&mut args, &mut constraints, right.into(), "l");
        let adds = place(&mut args, &mut constraints, emit.bool(sum.is_some()).into(), "b");
        let shape = row.name.replace("nN", &format!("n{n}"));
        let modifiers = modifiers(row, left, right_turned);
        let text = format!(
            "wgmma.mma_async.sync.aligned.{shape} {{{}}}, {left_text}, ${right}, ${adds}{modifiers};",
            numbered(0..n_words)
        );
        let words = outputs(emit, text, &constraints, &vec![word; n_words], &args);
        unpack(emit, &words, element)
    }

    fn anchor<'c>(&self, emit: &Emit<'c>, words: &[Val<'c>]) -> Vec<Val<'c>> {
        pass_through(emit, String::new(), words)
    }

    fn commit(&self, emit: &Emit<'_>) {
        emit.intrinsic("llvm.nvvm.wgmma.commit_group.sync.aligned", &[], &[]);
    }

    fn wait<'c>(&self, emit: &Emit<'c>, in_flight: u32, values: &[Val<'c>]) -> Vec<Val<'c>> {
        if values.is_empty() {
            let n = emit.long(in_flight.into());
            emit.intrinsic("llvm.nvvm.wgmma.wait_group.sync.aligned", &[], &[n.into()]);
            return Vec::new();
        }
        // Neighbours of one type share words.
        let runs: Vec<&[Val<'c>]> = values.chunk_by(|a, b| a.get_type() == b.get_type()).collect();
        let args: Vec<Val<'c>> = runs.iter().flat_map(|it| pack(emit, it)).collect();
        let text = format!("wgmma.wait_group.sync.aligned {in_flight};");
        let handed = pass_through(emit, text, &args);
        let mut handed = handed.as_slice();
        let mut res = Vec::new();
        for run in runs {
            let element = run[0].get_type();
            let n_words = run.len() * width(element) as usize / 32;
            let (own, rest) = handed.split_at(n_words);
            res.extend(unpack(emit, own, element));
            handed = rest;
        }
        res
    }
}

/// The immediates at the end: the factors' signs, and which lie turned.
fn modifiers(row: &WgmmaRow, left: &Left<'_>, right_turned: bool) -> String {
    if row.a.is_int() {
        return String::new();
    }
    let mut text = ", 1, 1".to_owned();
    if row.turns() {
        if let Left::Memory { turned, .. } = left {
            text += &format!(", {}", u8::from(*turned));
        }
        text += &format!(", {}", u8::from(right_turned));
    }
    text
}
