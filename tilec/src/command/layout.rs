//! `tilec layout`: draws which thread and register holds each element of a tile, and the reverse.

use tile_layout::{Layout, Machine, Spec};

use crate::cli::{self, Format};
use crate::files;
use crate::render;
use crate::session::{Session, target};
use crate::{Exit, Failure, Io};

/// Warps of a block, fewest first.
const WARPS: &[u32] = &[1, 2, 4, 8, 16, 32];

/// The most elements that are drawn: more fill no screen and help nobody.
const ELEMENTS_MAX: u64 = 1 << 16;

pub(super) fn run(args: &cli::Layout, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let target = target(&args.target)?;
    let shape = shape(&args.shape)?;
    let mut session = Session::empty();
    let spec = match session.layout(&args.layout, target, args.warps.unwrap_or(4)) {
        Ok(spec) => spec,
        Err(findings) => {
            render::show(&findings, session.sources(), Format::Human, io)?;
            return Ok(Exit::Program);
        }
    };
    let layout = apply(&spec, &shape, target.row().lanes, args)?;
    io.text(tile_layout::draw_text(&layout))?;
    if let Some(path) = &args.svg {
        files::write(path, tile_layout::draw_svg(&layout).as_bytes())?;
    }
    Ok(Exit::Fine)
}

/// The map for this shape; without `--warps`, of a block with as many as the layout names.
fn apply(spec: &Spec, shape: &[u32], lanes: u32, args: &cli::Layout) -> Result<Layout, Failure> {
    let refused =
        |it| Failure::Call(format!("this layout does not fit a tile of {}: {it}", args.shape));
    if !spec.is_for_registers() {
        return spec.apply_in_memory(shape, args.bits).map_err(refused);
    }
    let fits = |&warps: &u32| spec.apply(shape, Machine { lanes, warps }).is_ok();
    let fewest = WARPS.iter().copied().find(fits).unwrap_or(4);
    let warps = args.warps.unwrap_or(fewest);
    spec.apply(shape, Machine { lanes, warps }).map_err(refused)
}

/// Reads `32x64`.
fn shape(text: &str) -> Result<Vec<u32>, Failure> {
    let extent = |it: &str| it.trim().parse().ok().filter(|&it: &u32| it > 0);
    let shape: Option<Vec<u32>> = text.split('x').map(extent).collect();
    let shape = shape.ok_or_else(|| {
        Failure::Call(format!("`{text}` is no shape: extents are written like 32x64"))
    })?;
    let elements = shape.iter().try_fold(1u64, |n, &it| n.checked_mul(it.into()));
    match elements {
        Some(n) if n <= ELEMENTS_MAX => Ok(shape),
        _ => Err(Failure::Call(format!("a tile of {text} has more than {ELEMENTS_MAX} elements"))),
    }
}
