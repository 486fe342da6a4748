//! `tilec layout`: draws which thread and register holds each element of a tile, and the reverse; says
//! what another layout costs, and how shared memory serves the tile.

use tile_language::analysis::{conversion_cost, shared_cost};
use tile_language::report::costs;
use tile_language::target::{Target, TargetId};
use tile_layout::banks::Direction;
use tile_layout::{Layout, Machine, MemoryMap, Spec};

use crate::cli::{self, Format};
use crate::files;
use crate::render::{self, Finding};
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
    let read = |text: &Option<String>, session: &mut Session| {
        text.as_ref().map(|it| constructed(it, args, target, session)).transpose()
    };
    let own = constructed(&args.layout, args, target, &mut session);
    let others = own.and_then(|own| {
        Ok((own, read(&args.to, &mut session)?, read(&args.access, &mut session)?))
    });
    let (own, to, memory) = match others {
        Ok(it) => it,
        Err(findings) => {
            render::show(&findings, session.sources(), Format::Human, io)?;
            return Ok(Exit::Program);
        }
    };
    let asked = Asked { args, shape: &shape, target: target.row() };
    let registers: Vec<&Spec> = [Some(&own), to.as_ref()]
        .into_iter()
        .flatten()
        .filter(|it| it.is_for_registers())
        .collect();
    let warps = asked.warps(&registers);
    let layout = asked.applied(&own, warps)?;
    if let Some(path) = &args.svg {
        files::write(path, tile_layout::draw_svg(&layout).as_bytes())?;
    }
    if to.is_none() && memory.is_none() && !args.banks {
        io.text(tile_layout::draw_text(&layout))?;
    }
    if args.banks {
        let n_banks = target.row().banks.group(4, Direction::Read).banks;
        let buffer = asked.of_memory(&own, warps)?;
        io.text(tile_layout::draw_banks(&buffer, args.bits, n_banks))?;
    }
    if let Some(to) = to {
        let (from, to) = (asked.of_registers(&own, warps)?, asked.of_registers(&to, warps)?);
        let cost = conversion_cost(target.row(), &from, &to, args.bits);
        io.line(format!("convert: {}", costs::between(&cost)))?;
    }
    if let Some(memory) = memory {
        let (tile, buffer) = (asked.of_registers(&own, warps)?, asked.of_memory(&memory, warps)?);
        accesses(&asked, &tile, &MemoryMap::of(&buffer), io)?;
    }
    Ok(Exit::Fine)
}

fn constructed(
    text: &str,
    args: &cli::Layout,
    target: TargetId,
    session: &mut Session,
) -> Result<Spec, Vec<Finding>> {
    session.layout(text, target, args.warps.unwrap_or(4))
}

/// How a tile is read from and written to a buffer: in words, and by the lanes of the first access.
fn accesses(
    asked: &Asked<'_>,
    tile: &Layout,
    map: &MemoryMap,
    io: &mut Io<'_>,
) -> Result<(), Failure> {
    let (bits, model) = (asked.args.bits, asked.target.shared_model());
    for direction in [Direction::Read, Direction::Write] {
        let cost = shared_cost(asked.target, tile, map, bits, direction);
        io.line(costs::shared(&cost))?;
        let access = model.access(tile, map, bits, direction);
        io.text(tile_layout::draw_access(&access, bits, &model.banks, direction))?;
    }
    Ok(())
}

/// What the layouts are applied to.
struct Asked<'a> {
    args: &'a cli::Layout,
    shape: &'a [u32],
    target: &'static Target,
}

impl Asked<'_> {
    fn machine(&self, warps: u32) -> Machine {
        Machine { lanes: self.target.lanes, warps }
    }

    /// Without `--warps` the fewest that all of the layouts fit.
    fn warps(&self, layouts: &[&Spec]) -> u32 {
        let fits = |&warps: &u32| {
            layouts.iter().all(|it| it.apply(self.shape, self.machine(warps)).is_ok())
        };
        let fewest = WARPS.iter().copied().find(fits).unwrap_or(4);
        self.args.warps.unwrap_or(fewest)
    }

    fn applied(&self, spec: &Spec, warps: u32) -> Result<Layout, Failure> {
        let refused = |it| {
            Failure::Call(format!("this layout does not fit a tile of {}: {it}", self.args.shape))
        };
        if spec.is_for_registers() {
            spec.apply(self.shape, self.machine(warps)).map_err(refused)
        } else {
            spec.apply_in_memory(self.shape, self.args.bits).map_err(refused)
        }
    }

    fn of_registers(&self, spec: &Spec, warps: u32) -> Result<Layout, Failure> {
        if !spec.is_for_registers() {
            return Err(Failure::Call(
                "`--to` and `--access` ask for a layout of registers".to_owned(),
            ));
        }
        self.applied(spec, warps)
    }

    fn of_memory(&self, spec: &Spec, warps: u32) -> Result<Layout, Failure> {
        let layout = self.applied(spec, warps)?;
        if spec.is_for_registers() || !layout.bases(tile_layout::In::Row).is_empty() {
            let text = "`--banks` and `--access` ask for a layout of shared memory";
            return Err(Failure::Call(text.to_owned()));
        }
        Ok(layout)
    }
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
