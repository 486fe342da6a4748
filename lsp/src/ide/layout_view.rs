//! A layout as data for a picture: which place holds each element of what stands under the cursor,
//! and what it costs to get from one layout to another.
//!
//! Everything is asked of [`tile_layout`], so a picture shows the map that is compiled. What waits for
//! its layout or its shape has no picture.

use tile_language::db::{Db, SourceFile};
use tile_language::elab::observe::Nature;
use tile_language::ir::Elem;
use tile_language::target::Target;
use tile_layout::banks::Direction;
use tile_layout::{Coords, CostClass, In, Layout, LayoutError, MemoryMap, Plan};
use tile_syntax::ast::Span;

use super::cost::{Cost, Moved, bytes_text};
use super::shown::{self, Shown};
use super::{picture, syntax};

/// The most elements that are drawn.
pub const ELEMENTS_MAX: u32 = 1 << 16;

/// Bytes that every lane reads at a time where banks are shown.
const ACCESS_BYTES: u32 = 16;

/// A tile or a view, element by element.
#[derive(Clone, PartialEq, Debug)]
pub struct LayoutView {
    /// What it is the layout of, in bytes of the file.
    pub span: Span,
    /// As the program calls it.
    pub name: String,
    /// `f32[32, 64]`
    pub elements: String,
    /// The layout, as a program would write it.
    pub layout: String,
    /// A line on it.
    pub summary: String,
    /// The target that it is shown for.
    pub target: &'static str,
    /// Bits of an element.
    pub bits: u32,
    /// Extents, outermost first.
    pub shape: Vec<u32>,
    /// Where the elements are, the last dimension fastest.
    pub places: Places,
}

/// Where elements are.
#[derive(Clone, PartialEq, Debug)]
pub enum Places {
    /// In registers.
    Registers {
        /// The map.
        layout: Layout,
        /// Register, lane and warp of the first copy of each element.
        owners: Vec<(u32, u32, u32)>,
    },
    /// In shared memory.
    Memory {
        /// The offset of each element, in elements.
        offsets: Vec<u32>,
        /// How many banks of 4 bytes serve it.
        banks: u32,
    },
}

/// The layout of the smallest tile or view around a byte; `None` where none has one that can be drawn.
pub fn layout_at(db: &dyn Db, file: SourceFile, byte: u32, shown: &Shown) -> Option<LayoutView> {
    let item = syntax::item_at(db, file, byte)?;
    let at = byte - item.start;
    let mut best: Option<LayoutView> = None;
    for instance in shown::around(db, file, &item.key, shown) {
        let seen = instance.observed(db).of_item(&item.key);
        for it in seen.iter().filter(|it| it.span.lo <= at && at <= it.span.hi) {
            let length = it.span.hi - it.span.lo;
            if best.as_ref().is_some_and(|best| best.span.hi - best.span.lo <= length) {
                continue;
            }
            let view = it.natures.iter().find_map(|it| view(it, instance.target.row()));
            if let Some(view) = view {
                let span = it.span.shifted(item.start);
                let name = file.text(db)[span.lo as usize..span.hi as usize].to_owned();
                best = Some(LayoutView { span, name, ..view });
            }
        }
    }
    best
}

fn view(nature: &Nature, target: &'static Target) -> Option<LayoutView> {
    let text = nature.text();
    let (elements, layout_text) = text.split_once(" @ ").unwrap_or((&text, ""));
    let (bits, shape, summary, places) = match nature {
        Nature::Tile { ty, .. } => {
            let layout = ty.layout.as_ref()?;
            let bits = match ty.elem {
                Elem::Data(it) | Elem::Shared(it) => it.bits(),
                Elem::Pointer(_) | Elem::Barrier | Elem::Map => ty.elem.bits(),
            };
            let owners = indices(layout.shape())?.map(|it| layout.owner(&it)).collect();
            let places = Places::Registers { layout: layout.clone(), owners };
            (bits, layout.shape().to_vec(), picture::summary(layout), places)
        }
        Nature::View { dtype, map, .. } => {
            let (bits, shape) = (dtype.storage_bits(), map.shape().to_vec());
            let offsets = indices(&shape)?.map(|it| map.offset_of(&it)).collect();
            let banks = target.banks.group(ACCESS_BYTES, Direction::Read).banks;
            (bits, shape, memory_summary(map, bits), Places::Memory { offsets, banks })
        }
        _ => return None,
    };
    Some(LayoutView {
        span: Span::new(0, 0),
        name: String::new(),
        elements: elements.to_owned(),
        layout: layout_text.to_owned(),
        summary,
        target: target.name,
        bits,
        shape,
        places,
    })
}

fn memory_summary(map: &MemoryMap, bits: u32) -> String {
    let swizzle = if map.mixed() == 0 { "not swizzled" } else { "swizzled" };
    format!("{} of shared memory, {swizzle}", bytes_text(map.buffer_len() * bits / 8))
}

/// The indices of a shape, the last dimension fastest; `None` if there are too many, or none.
fn indices(shape: &[u32]) -> Option<impl Iterator<Item = Coords>> {
    let n = shape.iter().try_fold(1u32, |n, &it| n.checked_mul(it))?;
    let shape = shape.to_vec();
    let index = move |mut flat: u32| {
        let mut index: Coords = shape.iter().map(|_| 0).collect();
        for (axis, &extent) in shape.iter().enumerate().rev() {
            index[axis] = flat % extent;
            flat /= extent;
        }
        index
    };
    (1..=ELEMENTS_MAX).contains(&n).then(|| (0..n).map(index))
}

/// What it costs a warp to get from one layout to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversion {
    /// The dearest means: `nothing`, `registers`, `shuffles`, `shared`.
    pub class: &'static str,
    /// A sentence.
    pub text: String,
}

/// Why there is no conversion between two layouts.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoConversion {
    /// One of the maps is none.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// One of them is of memory.
    #[error("a conversion is between registers; a view is loaded and stored")]
    Memory,
    /// The tiles differ in their shape.
    #[error("the shapes differ: a conversion keeps the shape")]
    Shape,
    /// The tiles are of different roles or targets.
    #[error("the tiles are spread over different numbers of lanes or warps")]
    Machine,
    /// More elements than anybody looks at.
    #[error("a tile of more than {ELEMENTS_MAX} elements is not drawn")]
    Elements,
    /// No element is that wide.
    #[error("elements have 1 to 64 bits, not {0}")]
    Bits(u32),
}

/// A layout by its shape and, for each input, the images of its bits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bases {
    /// Extents, outermost first.
    pub shape: Vec<u32>,
    /// Images of the bits of each input, lowest first.
    pub inputs: Vec<(In, Vec<Coords>)>,
}

impl Bases {
    fn layout(self) -> Result<Layout, NoConversion> {
        let n = self.shape.iter().try_fold(1u32, |n, &it| n.checked_mul(it));
        match n {
            Some(n) if n <= ELEMENTS_MAX => Ok(Layout::try_new(&self.shape, self.inputs)?),
            _ => Err(NoConversion::Elements),
        }
    }
}

/// What it costs a warp of `target` to bring a tile of elements of `bits` bits from one layout to another.
pub fn conversion(
    from: Bases,
    to: Bases,
    bits: u32,
    target: &Target,
) -> Result<Conversion, NoConversion> {
    let (from, to) = (from.layout()?, to.layout()?);
    if !(1..=64).contains(&bits) {
        return Err(NoConversion::Bits(bits));
    }
    if !from.is_register_layout() || !to.is_register_layout() {
        return Err(NoConversion::Memory);
    }
    if from.shape() != to.shape() {
        return Err(NoConversion::Shape);
    }
    if (from.lanes(), from.warps()) != (to.lanes(), to.warps()) {
        return Err(NoConversion::Machine);
    }
    let moved = Moved::of(&Plan::convert(&from, &to, bits, &target.shared_model()), bits);
    let class = match moved.class() {
        CostClass::Nothing => "nothing",
        CostClass::Registers => "registers",
        CostClass::Shuffles => "shuffles",
        CostClass::Shared => "shared",
    };
    Ok(Conversion { class, text: Cost::Move(moved).sentence() })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use tile_language::target::TargetId;

    use super::*;
    use crate::ide::fixture::Fixture;

    const TEXT: &str = "kernel k(x: global f32[m, 32], y: global mut f32[m, 32]) grid [1] warps 1 {\n    \
        const L = blocked(regs: [1, 4], lanes: [4, 8], warps: [1, 1]);\n    \
        let (i, j) = coords([8, 32] @ L);\n    let v = load(x.at(i, j), mask: i < m, other: 0.0);\n    \
        let s: shared f32[8, 32] @ swizzled(vec: 4, per_phase: 1, max_phase: 8);\n    s.store(v);\n    \
        let t = s.load(blocked(regs: [4, 1], lanes: [2, 16], warps: [1, 1]));\n    \
        let c = t.convert(L);\n    store(y.at(i, j), c, mask: i < m);\n}\n";

    fn seen(mark: &str) -> Option<LayoutView> {
        let fixture = Fixture::new(&TEXT.replacen(mark, &format!("{mark}$0"), 1));
        let target = TargetId::from_name("sm_90a").expect("a target of the table");
        layout_at(&fixture.db, fixture.file, fixture.cursor, &Shown::of(target))
    }

    #[test]
    fn a_tile_has_an_owner_for_each_element() {
        let it = seen("let v").expect("v is a tile");
        assert_snapshot!(format!("{} {} @ {}\n{}", it.name, it.elements, it.layout, it.summary));
        let Places::Registers { layout, owners } = it.places else { panic!("v is in registers") };
        assert_eq!(owners.len(), 8 * 32);
        for (flat, &(register, lane, warp)) in owners.iter().enumerate() {
            let index = layout.index_of(register, lane, warp);
            assert_eq!(index[..], [flat as u32 / 32, flat as u32 % 32]);
        }
    }

    #[test]
    fn a_view_has_an_offset_for_each_element() {
        let it = seen("let s").expect("s is a view");
        assert_snapshot!(format!("{} {} @ {}\n{}", it.name, it.elements, it.layout, it.summary));
        let Places::Memory { mut offsets, banks } = it.places else { panic!("s is in memory") };
        assert_eq!(banks, 32);
        assert_eq!(offsets[32..37], [36, 37, 38, 39, 32]);
        offsets.sort_unstable();
        assert_eq!(offsets, (0..256).collect::<Vec<u32>>());
    }

    #[test]
    fn what_has_no_elements_has_no_picture() {
        assert_eq!(seen("grid"), None);
    }

    #[test]
    fn a_conversion_costs_what_a_hover_says() {
        let registers = |mark: &str| match seen(mark).expect("a tile").places {
            Places::Registers { layout, .. } => layout,
            Places::Memory { .. } => panic!("a tile is in registers"),
        };
        let (from, to) = (registers("let t"), registers("let c"));
        let bases =
            |it: &Layout| Bases { shape: it.shape().to_vec(), inputs: it.inputs().to_vec() };
        let target = TargetId::from_name("sm_90a").expect("a target of the table").row();
        let of = |from: &Layout, to: &Layout| conversion(bases(from), bases(to), 32, target);
        assert_snapshot!(of(&from, &to).expect("one shape").text);
        assert_eq!(of(&to, &to).map(|it| it.class), Ok("nothing"));
        let no_map = Bases { shape: vec![8], inputs: Vec::new() };
        let refused = conversion(no_map, bases(&to), 32, target);
        assert!(matches!(refused, Err(NoConversion::Layout(_))), "{refused:?}");
    }
}
