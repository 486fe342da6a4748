//! The text of a kernel's IR: what tests are written in and what `--emit ir` shows.
//!
//! ```text
//! kernel "add" for sm_90a warps 4 {
//!     plan add threads 128
//!     param x: tensor f32 [n] align 16
//!     symbol n: 32
//!     check "n % 4 == 0": eq(rem(n, 4), 0)
//!     grid [ceil_div(n, 1024)]
//!     layout #0 = [1024] register [1] [2] lane [4] [8] [16] [32] [64] warp [128] [256]
//!     tensor x: f32 at %0 dims [%1] strides [1] align 16 !0 dims_at [!1]
//!     fact divisible %1 by 4 !0
//!     clauses !0
//!     body (%0 x: *f32 = address x, %1 n: i32 = symbol n) {
//!         %2: i32 = tile.block_id<0> !1
//!         %3: i32[1024] @ #0 = tile.index<0> !1
//!     }
//!     site !0 = file 0 item "kernel add" 10..20
//! }
//! ```
//! A view's type is `shared f16 @ #m0`, its map `memory #m0 = 64 [8, 16] 0, 8 [1, 2, 4] 0`: for every
//! dimension the extent, the columns of its low bits and the stride of the units above.
//! Line ends mean nothing; `//` begins a comment. `!n` names the site of an instruction. What an
//! instruction's angle brackets hold is in `ir/attributes.rs`. Regions stand in braces after their
//! instruction, `{ (parameters) instructions yield values }`. A value that no instruction defines
//! any more is kept as `value %n: type`.
//!
//! Law: `parse(print(kernel)) == kernel` ([`super::parse`]).

use std::fmt::{self, Write};

use rustc_hash::FxHashMap;
use tile_layout::{In, Layout, MemoryMap};
use tile_plan::{AbiSlot, Expr, Fun, LaunchPlan, Param, ParamKind, Scalar, TensorMap};

use super::attributes::{Attr, attributes};
use super::{
    Elem, Extent, Fact, FactKind, Inst, Kernel, Region, Site, SiteId, Tensor, Type, Value, literal,
};
use crate::op::{Op, TileOp};

/// The inputs of a layout in the order of the text, with their words.
pub(super) const INPUTS: [(In, &str); 4] =
    [(In::Register, "register"), (In::Lane, "lane"), (In::Warp, "warp"), (In::Offset, "offset")];

/// Names of launch operators in the text.
pub(super) const FUNS: [(Fun, &str); 18] = [
    (Fun::Add, "add"),
    (Fun::Sub, "sub"),
    (Fun::Mul, "mul"),
    (Fun::Div, "div"),
    (Fun::Rem, "rem"),
    (Fun::CeilDiv, "ceil_div"),
    (Fun::Min, "min"),
    (Fun::Max, "max"),
    (Fun::Neg, "neg"),
    (Fun::Not, "not"),
    (Fun::And, "and"),
    (Fun::Or, "or"),
    (Fun::Eq, "eq"),
    (Fun::Ne, "ne"),
    (Fun::Lt, "lt"),
    (Fun::Le, "le"),
    (Fun::Gt, "gt"),
    (Fun::Ge, "ge"),
];

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::new(self, f).kernel()
    }
}

struct Printer<'a, 'f, 'o> {
    kernel: &'a Kernel,
    layouts: FxHashMap<&'a Layout, usize>,
    in_order: Vec<&'a Layout>,
    maps: Vec<&'a MemoryMap>,
    printed: Vec<bool>,
    out: &'o mut fmt::Formatter<'f>,
}

impl<'a, 'f, 'o> Printer<'a, 'f, 'o> {
    fn new(kernel: &'a Kernel, out: &'o mut fmt::Formatter<'f>) -> Self {
        let mut layouts = FxHashMap::default();
        let mut in_order = vec![];
        let mut maps = vec![];
        for decl in &kernel.values {
            if let Some(layout) = &decl.ty.layout {
                layouts.entry(layout).or_insert_with(|| {
                    in_order.push(layout);
                    in_order.len() - 1
                });
            }
            if let Some(map) = decl.ty.memory.as_ref().filter(|it| !maps.contains(it)) {
                maps.push(map);
            }
        }
        Printer { kernel, layouts, in_order, maps, printed: vec![false; kernel.values.len()], out }
    }

    fn kernel(&mut self) -> fmt::Result {
        let kernel = self.kernel;
        let target = kernel.target.row().name;
        writeln!(
            self.out,
            "kernel {} for {target} warps {} {{",
            quoted(&kernel.name),
            kernel.warps
        )?;
        plan(&kernel.plan, self.out)?;
        for (number, layout) in self.in_order.iter().enumerate() {
            writeln!(self.out, "    layout #{number} = {}", LayoutText(layout))?;
        }
        for (number, map) in self.maps.iter().enumerate() {
            writeln!(self.out, "    memory #m{number} ={}", MapText(map))?;
        }
        for tensor in &kernel.tensors {
            writeln!(self.out, "    {}", TensorText(tensor))?;
        }
        for fact in &kernel.facts {
            writeln!(self.out, "    {}", FactText(fact))?;
        }
        write!(self.out, "    clauses {}", kernel.clauses.head)?;
        if let Some(last) = kernel.clauses.last {
            write!(self.out, " last {last}")?;
        }
        writeln!(self.out)?;
        self.body()?;
        self.unused_values()?;
        for (number, site) in kernel.sites.iter().enumerate() {
            writeln!(self.out, "    site !{number} = {}", SiteText(site))?;
        }
        writeln!(self.out, "}}")
    }

    fn body(&mut self) -> fmt::Result {
        let body = &self.kernel.body;
        write!(self.out, "    body (")?;
        for (place, &param) in body.params.iter().enumerate() {
            write!(self.out, "{}\n        ", if place == 0 { "" } else { "," })?;
            self.definition(param)?;
            if let Some(slot) = self.kernel.plan.abi.get(place) {
                write!(self.out, " = {}", SlotText(slot, &self.kernel.plan))?;
            }
        }
        for slot in self.kernel.plan.abi.iter().skip(body.params.len()) {
            write!(self.out, "\n        = {}", SlotText(slot, &self.kernel.plan))?;
        }
        writeln!(self.out, ") {{")?;
        self.contents(body, 2)?;
        writeln!(self.out, "    }}")
    }

    fn unused_values(&mut self) -> fmt::Result {
        for number in 0..self.kernel.values.len() {
            if !self.printed[number] {
                write!(self.out, "    value ")?;
                self.definition(Value(number as u32))?;
                writeln!(self.out)?;
            }
        }
        Ok(())
    }

    /// The instructions and yields of a region.
    fn contents(&mut self, region: &Region, depth: usize) -> fmt::Result {
        for inst in &region.insts {
            self.inst(inst, depth)?;
        }
        if !region.yields.is_empty() {
            writeln!(self.out, "{:1$}yield {2}", "", depth * 4, Values(&region.yields))?;
        }
        Ok(())
    }

    fn inst(&mut self, inst: &Inst, depth: usize) -> fmt::Result {
        write!(self.out, "{:1$}", "", depth * 4)?;
        for (place, &value) in inst.results.iter().enumerate() {
            if place > 0 {
                write!(self.out, ", ")?;
            }
            self.definition(value)?;
        }
        if !inst.results.is_empty() {
            write!(self.out, " = ")?;
        }
        write!(self.out, "{}", inst.op.row().name)?;
        self.attributes(inst)?;
        if !inst.operands.is_empty() {
            write!(self.out, " {}", Values(&inst.operands))?;
        }
        write!(self.out, " {}", inst.site)?;
        for region in &inst.regions {
            self.region(region, depth)?;
        }
        writeln!(self.out)
    }

    fn attributes(&mut self, inst: &Inst) -> fmt::Result {
        if let (Op::Tile(TileOp::Const { bits }), [result, ..]) = (&inst.op, &inst.results[..]) {
            return write!(self.out, "<{}>", literal::print(self.kernel.ty(*result).elem, *bits));
        }
        let attrs = attributes(&inst.op);
        if attrs.is_empty() { Ok(()) } else { write!(self.out, "<{}>", Attrs(&attrs)) }
    }

    fn region(&mut self, region: &Region, depth: usize) -> fmt::Result {
        writeln!(self.out, " {{")?;
        if !region.params.is_empty() {
            write!(self.out, "{:1$}(", "", (depth + 1) * 4)?;
            for (place, &param) in region.params.iter().enumerate() {
                if place > 0 {
                    write!(self.out, ", ")?;
                }
                self.definition(param)?;
            }
            writeln!(self.out, ")")?;
        }
        self.contents(region, depth + 1)?;
        write!(self.out, "{:1$}}}", "", depth * 4)
    }

    /// `%3 name: type`
    fn definition(&mut self, value: Value) -> fmt::Result {
        let Some(decl) = self.kernel.values.get(value.0 as usize) else {
            return write!(self.out, "{value}");
        };
        self.printed[value.0 as usize] = true;
        write!(self.out, "{value}")?;
        if !decl.name.is_empty() {
            write!(self.out, " {}", name(&decl.name))?;
        }
        write!(self.out, ": ")?;
        self.ty(&decl.ty)
    }

    /// The number of a view's map.
    fn map(&self, ty: &Type) -> usize {
        let map = self.maps.iter().position(|it| Some(*it) == ty.memory.as_ref());
        map.expect("V2: the maps of all views were collected")
    }

    fn ty(&mut self, ty: &'a Type) -> fmt::Result {
        match ty.elem {
            Elem::Data(it) => write!(self.out, "{it}")?,
            Elem::Pointer(it) => write!(self.out, "*{it}")?,
            Elem::Shared(it) => return write!(self.out, "shared {it} @ #m{}", self.map(ty)),
            Elem::Barrier => return write!(self.out, "barrier @ #m{}", self.map(ty)),
            Elem::Map => return write!(self.out, "map"),
        }
        if !ty.shape.is_empty() {
            write!(self.out, "{}", List(&ty.shape))?;
        }
        match &ty.layout {
            Some(layout) => write!(self.out, " @ #{}", self.layouts[layout]),
            None => Ok(()),
        }
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "!{}", self.0)
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Const(it) => write!(f, "{it}"),
            Extent::Value(it) => write!(f, "{it}"),
        }
    }
}

/// A name as a word if it is one, otherwise as a string.
fn name(text: &str) -> String {
    let mut chars = text.chars();
    let word = chars.next().is_some_and(|it| it.is_ascii_alphabetic() || it == '_')
        && chars.all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '.');
    if word { text.to_owned() } else { quoted(text) }
}

/// A string in quotes, with `\"`, `\\`, `\n`, `\r`, `\t` for what would break it.
fn quoted(text: &str) -> String {
    let mut res = String::with_capacity(text.len() + 2);
    res.push('"');
    for c in text.chars() {
        match c {
            '"' => res.push_str("\\\""),
            '\\' => res.push_str("\\\\"),
            '\n' => res.push_str("\\n"),
            '\r' => res.push_str("\\r"),
            '\t' => res.push_str("\\t"),
            other => res.push(other),
        }
    }
    res.push('"');
    res
}

/// Items with commas between.
fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    show: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            f.write_str(", ")?;
        }
        show(item, f)?;
    }
    Ok(())
}

struct Values<'a>(&'a [Value]);

impl fmt::Display for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, self.0, |it, f| write!(f, "{it}"))
    }
}

/// `[a, b]`
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        separated(f, self.0, |it, f| write!(f, "{it}"))?;
        f.write_char(']')
    }
}

struct Attrs<'a>(&'a [Attr]);

impl fmt::Display for Attrs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, self.0, |it, f| match it {
            Attr::Word(it) | Attr::Number(it) => f.write_str(it),
            Attr::Text(it) => f.write_str(&quoted(it)),
            Attr::List(it) => write!(f, "[{}]", Attrs(it)),
        })
    }
}

struct LayoutText<'a>(&'a Layout);

impl fmt::Display for LayoutText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", List(self.0.shape()))?;
        for (input, word) in INPUTS {
            let bases = self.0.bases(input);
            if !bases.is_empty() {
                write!(f, " {word}")?;
            }
            for basis in bases {
                write!(f, " {}", List(basis))?;
            }
        }
        Ok(())
    }
}

struct MapText<'a>(&'a MemoryMap);

impl fmt::Display for MapText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.dims().is_empty() {
            f.write_str(" ")?;
        }
        separated(f, self.0.dims(), |it, f| {
            write!(f, "{} {} {}", it.extent, List(&it.columns), it.stride)
        })?;
        if self.0.mixed() != 0 {
            write!(f, " mixed {}", self.0.mixed())?;
        }
        if !self.0.padding().is_empty() {
            f.write_str(" padding")?;
        }
        self.0.padding().iter().try_for_each(|(interval, pad)| write!(f, " [{interval}, {pad}]"))
    }
}

struct TensorText<'a>(&'a Tensor);

impl fmt::Display for TensorText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tensor {
            name: label,
            dtype,
            base,
            dims,
            strides,
            mutable,
            optional,
            align,
            site,
            dim_sites,
        } = self.0;
        write!(
            f,
            "tensor {}: {dtype} at {base} dims {} strides {} align {align}",
            name(label),
            List(dims),
            List(strides)
        )?;
        if *mutable {
            f.write_str(" mut")?;
        }
        if *optional {
            f.write_str(" optional")?;
        }
        write!(f, " {site}")?;
        // Extents that are written where the tensor is need no place of their own.
        if dim_sites.iter().any(|it| it != site) {
            write!(f, " dims_at {}", List(dim_sites))?;
        }
        Ok(())
    }
}

struct FactText<'a>(&'a Fact);

impl fmt::Display for FactText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fact ")?;
        match &self.0.kind {
            FactKind::Divisible { value, divisor } => write!(f, "divisible {value} by {divisor}")?,
            FactKind::Range { value, lo, hi } => {
                write!(f, "range {value}")?;
                if let Some(lo) = lo {
                    write!(f, " from {lo}")?;
                }
                if let Some(hi) = hi {
                    write!(f, " to {hi}")?;
                }
            }
            FactKind::AtMost { a, b } => write!(f, "at_most {a} {b}")?,
        }
        write!(f, " {}", self.0.site)
    }
}

struct SiteText<'a>(&'a Site);

impl fmt::Display for SiteText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.0.place;
        let (lo, hi) = (place.span.lo, place.span.hi);
        write!(f, "file {} item {} {lo}..{hi}", place.item.file, quoted(&place.item.item))?;
        match self.0.caller {
            Some(caller) => write!(f, " from {caller}"),
            None => Ok(()),
        }
    }
}

fn plan(plan: &LaunchPlan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "    plan {} threads {}", name(&plan.kernel), plan.threads)?;
    if !plan.cluster.is_empty() {
        write!(f, " cluster {:?}", plan.cluster)?;
    }
    writeln!(f, "{}", if plan.resident { " resident" } else { "" })?;
    for param in &plan.params {
        writeln!(f, "    param {}", ParamText(param, plan))?;
    }
    for symbol in &plan.symbols {
        writeln!(f, "    symbol {}: {}", name(&symbol.name), symbol.bits)?;
    }
    for check in &plan.checks {
        writeln!(f, "    check {}: {}", quoted(&check.text), ExprText(&check.expr, plan))?;
    }
    for map in &plan.maps {
        writeln!(f, "    map {}", TensorMapText(map, plan))?;
    }
    writeln!(f, "    grid {}", ExprList(&plan.grid, plan))
}

struct ParamText<'a>(&'a Param, &'a LaunchPlan);

impl fmt::Display for ParamText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", name(&self.0.name))?;
        match &self.0.kind {
            ParamKind::Tensor { dtype, dims, strides, align, mutable, optional } => {
                write!(f, "tensor {dtype} {}", ExprList(dims, self.1))?;
                if let Some(strides) = strides {
                    write!(f, " strides {}", ExprList(strides, self.1))?;
                }
                write!(f, " align {align}")?;
                write!(
                    f,
                    "{}{}",
                    if *mutable { " mut" } else { "" },
                    if *optional { " optional" } else { "" }
                )
            }
            ParamKind::Pointer { dtype, align } => write!(f, "pointer {dtype} align {align}"),
            ParamKind::Scalar { dtype, default } => {
                write!(f, "scalar {dtype}")?;
                match default {
                    Some(Scalar::Int(it)) => write!(f, " = int {it}"),
                    Some(Scalar::Float(it)) => write!(f, " = float {it:?}"),
                    None => Ok(()),
                }
            }
        }
    }
}

struct TensorMapText<'a>(&'a TensorMap, &'a LaunchPlan);

impl fmt::Display for TensorMapText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TensorMap { param, axes, extents, dtype, bits: _, swizzle } = self.0;
        write!(f, "{} axes {} box {}", param_name(self.1, *param), List(axes), List(extents))?;
        write!(f, " of {dtype} swizzle {swizzle}")
    }
}

struct ExprList<'a>(&'a [Expr], &'a LaunchPlan);

impl fmt::Display for ExprList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        separated(f, self.0, |it, f| write!(f, "{}", ExprText(it, self.1)))?;
        f.write_char(']')
    }
}

struct ExprText<'a>(&'a Expr, &'a LaunchPlan);

impl fmt::Display for ExprText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExprText(expr, plan) = self;
        match expr {
            Expr::Int(it) => write!(f, "{it}"),
            Expr::Symbol(it) => f.write_str(&symbol_name(plan, *it)),
            Expr::Scalar(it) => write!(f, "scalar({})", param_name(plan, *it)),
            Expr::NumSms => f.write_str("num_sms()"),
            Expr::MaxResident => f.write_str("max_resident()"),
            Expr::Apply(fun, args) => {
                let word =
                    FUNS.iter().find(|it| it.0 == *fun).expect("FUNS lists every operator").1;
                write!(f, "{word}(")?;
                separated(f, args, |it, f| write!(f, "{}", ExprText(it, plan)))?;
                f.write_char(')')
            }
        }
    }
}

struct SlotText<'a>(&'a AbiSlot, &'a LaunchPlan);

impl fmt::Display for SlotText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            AbiSlot::Address(it) => write!(f, "address {}", param_name(self.1, *it)),
            AbiSlot::Symbol(it) => write!(f, "symbol {}", symbol_name(self.1, *it)),
            AbiSlot::Scalar(it) => write!(f, "scalar {}", param_name(self.1, *it)),
            AbiSlot::Map(it) => write!(f, "map {it}"),
        }
    }
}

/// The symbol's name, or its number where the name is not its own.
fn symbol_name(plan: &LaunchPlan, number: u32) -> String {
    by_name_or_number(plan.symbols.iter().map(|it| it.name.as_str()), number)
}

/// The parameter's name, or its number where the name is not its own.
fn param_name(plan: &LaunchPlan, number: u32) -> String {
    by_name_or_number(plan.params.iter().map(|it| it.name.as_str()), number)
}

fn by_name_or_number<'a>(mut names: impl Iterator<Item = &'a str> + Clone, number: u32) -> String {
    let own = names.clone().nth(number as usize);
    match own {
        Some(own) if names.position(|it| it == own) == Some(number as usize) => name(own),
        _ => format!("#{number}"),
    }
}
