//! `tilec report`: what each kernel needs.

use tile_codegen::Resources;
use tile_language::analysis::meetings::named_barriers;
use tile_language::analysis::{self, Mbarriers, RoleMap, role_map};
use tile_language::ir::SiteId;
use tile_language::pass::{self, Order, Verb};
use tile_language::report;

use crate::cli::{self, Format, TableFormat};
use crate::io::Style;
use crate::library::{self, Compiled};
use crate::render::{self, Tally};
use crate::session::{Session, targets};
use crate::table::{Align, Cell, Table};
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Report, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let targets = targets(&args.sources.targets)?;
    let session = Session::open(&args.sources.paths)?;
    let findings = session.findings(&targets);
    if Tally::of(&findings).errors > 0 {
        render::show(&findings, session.sources(), Format::Human, io)?;
        return Ok(Exit::Program);
    }
    let compiled = library::compile(&session, &targets, &library::options(&[]), io)?;
    match args.format {
        TableFormat::Json => io.line(format!("{:#}", library::report(&compiled)))?,
        TableFormat::Human => {
            show(&compiled, io)?;
            for it in &compiled {
                let head = format!("{} for {}", it.kernel.name, it.target());
                io.line(format!("\n{}", io.paint(Style::Strong, head)))?;
                most_frequent(it, io)?;
                cluster(it, io)?;
                roles(it, io)?;
                shared_memory(&session, it, io)?;
                moved(&session, it, io)?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// The table, and below it where its question marks come from.
pub(super) fn show(compiled: &[Compiled], io: &mut Io<'_>) -> Result<(), Failure> {
    table(compiled).show(io)?;
    if compiled.iter().any(|it| it.artifacts.resources.registers.is_none()) {
        let text =
            "?: only `ptxas` knows, and it was not found; `tilec doctor` says where to get it";
        io.line(format!("\n  {}", io.paint(Style::Faint, text)))?;
    }
    Ok(())
}

/// A row for each kernel and target.
fn table(compiled: &[Compiled]) -> Table {
    let mut table = Table::new(&[
        ("kernel", Align::Left),
        ("target", Align::Left),
        ("threads", Align::Right),
        ("registers", Align::Right),
        ("spills", Align::Right),
        ("shared", Align::Right),
        ("occupancy", Align::Right),
        ("access", Align::Right),
    ]);
    let mut last = "";
    for it in compiled {
        let resources = &it.artifacts.resources;
        let name = it.kernel.name.as_str();
        let shown = if name == last { "" } else { name };
        last = name;
        table.row(vec![
            Cell::styled(shown, Style::Strong),
            it.target().into(),
            it.kernel.plan.threads.to_string().into(),
            number(resources.registers),
            spills(resources),
            bytes(resources.shared_bytes).into(),
            resources.occupancy_percent.map_or_else(unknown, |it| format!("{it} %").into()),
            widths(resources),
        ]);
    }
    table
}

fn number(value: Option<u32>) -> Cell {
    value.map_or_else(unknown, |it| it.to_string().into())
}

/// What no tool could tell.
fn unknown() -> Cell {
    Cell::styled("?", Style::Faint)
}

fn spills(resources: &Resources) -> Cell {
    match resources.spill_bytes {
        Some(0) => Cell::styled("none", Style::Good),
        Some(it) => Cell::styled(bytes(it), Style::Warning),
        None => unknown(),
    }
}

fn bytes(value: u32) -> String {
    if value < 10_000 { format!("{value} B") } else { format!("{} KiB", value.div_ceil(1024)) }
}

/// The widths of accesses to global memory, the widest first.
fn widths(resources: &Resources) -> Cell {
    let mut widths: Vec<u32> = resources.accesses.iter().map(|it| it.bytes).collect();
    widths.sort_unstable_by(|a, b| b.cmp(a));
    widths.dedup();
    match widths.as_slice() {
        [] => "".into(),
        widths => {
            let words: Vec<String> = widths.iter().map(u32::to_string).collect();
            format!("{} B", words.join("/")).into()
        }
    }
}

/// The instructions that stand most often in a kernel.
fn most_frequent(it: &Compiled, io: &mut Io<'_>) -> Result<(), Failure> {
    let mut counts: Vec<(&String, &u32)> = it.artifacts.resources.instructions.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let words: Vec<String> =
        counts.iter().take(8).map(|(name, count)| format!("{count} {name}")).collect();
    io.line(format!("  {}", words.join(" · ")))
}

/// What moving elements costs, place by place.
fn moved(session: &Session, it: &Compiled, io: &mut Io<'_>) -> Result<(), Failure> {
    let mut last = String::new();
    for expense in analysis::expenses(&it.kernel) {
        let at = session.line(&it.kernel, expense.site);
        let line = format!("  {at} {}", report::costs::moved(&expense.what));
        // Steps of one reduction that cost the same are told once.
        if line != last {
            io.line(&line)?;
        }
        last = line;
    }
    Ok(())
}

/// How blocks run together, if they do.
fn cluster(it: &Compiled, io: &mut Io<'_>) -> Result<(), Failure> {
    match it.kernel.plan.cluster.as_slice() {
        [] => Ok(()),
        extents => {
            let reaches = analysis::Neighbours::of(&it.kernel).exist();
            io.line(format!("  {}", report::cluster::extent(extents, reaches)))
        }
    }
}

/// The map of roles: warps, groups and registers, and where each role's threads meet.
fn roles(it: &Compiled, io: &mut Io<'_>) -> Result<(), Failure> {
    let Some((_, roles)) = it.kernel.roles() else { return Ok(()) };
    let target = it.kernel.target.row();
    let map = RoleMap::of(roles, it.kernel.warps, target);
    for group in &map.groups {
        io.line(format!("  {}", report::roles::group(group, roles)))?;
    }
    if let Some(line) = report::roles::start(&map, target) {
        io.line(format!("  {line}"))?;
    }
    for (role, &wanted) in roles.iter().zip(&analysis::pressure(&it.kernel).roles) {
        io.line(format!("  {}", report::roles::wanted(role, wanted)))?;
    }
    for (role, id) in roles.iter().zip(role_map::meeting_ids(roles)) {
        if let Some(line) = report::roles::meeting(role, id) {
            io.line(format!("  {line}"))?;
        }
    }
    for barrier in named_barriers(&it.kernel) {
        io.line(format!("  {}", report::roles::named(&barrier, roles, target.lanes)))?;
    }
    Ok(())
}

/// Where a kernel's buffers lie, and the waits and barriers that the compiler put in.
fn shared_memory(session: &Session, it: &Compiled, io: &mut Io<'_>) -> Result<(), Failure> {
    let prepared = pass::prepare(&it.kernel);
    let barriers = Mbarriers::of(&prepared.kernel);
    for buffer in prepared.allocation.buffers.iter().filter(|it| 0 < it.bytes) {
        let unnamed = if barriers.lists.iter().any(|it| it.value == buffer.value) {
            "barriers"
        } else {
            "a buffer"
        };
        let name = if buffer.name.is_empty() { unnamed } else { buffer.name.as_str() };
        if let Some(list) = barriers.lists.iter().find(|it| it.value == buffer.value) {
            let roles = it.kernel.roles().map(|it| it.1).unwrap_or_default();
            let (what, offset) = (report::roles::barriers(list, roles), buffer.offset);
            io.line(format!("  {name} at byte {offset}: {what}"))?;
            continue;
        }
        let stages = match buffer.n_stages {
            1 => String::new(),
            n => format!(", {n} of {}", bytes(buffer.bytes / n)),
        };
        let (size, offset) = (bytes(buffer.bytes), buffer.offset);
        io.line(format!("  {name}: {size} at byte {offset}{stages}"))?;
    }
    for placed in &prepared.placed {
        let place = |(verb, site): (Verb, SiteId)| {
            format!("{} at {}", verb.name(), session.line(&it.kernel, site))
        };
        let what = match placed.order {
            Order::Commit => "end of a group".to_owned(),
            Order::WaitOut { in_flight: 0 } => "wait for boxes on their way out".to_owned(),
            Order::WaitOut { in_flight } => {
                format!("wait that leaves {in_flight} boxes on their way out")
            }
            Order::Written => "wait until boxes are written".to_owned(),
            Order::Wait { in_flight: 0 } => "wait".to_owned(),
            Order::Wait { in_flight } => format!("wait that leaves {in_flight} in flight"),
            Order::Products { in_flight } => format!("wait for products, {in_flight} in flight"),
            Order::Barrier => "barrier".to_owned(),
            Order::Fence => "fence for the matrix unit".to_owned(),
        };
        let (first, second) = (place(placed.why.first), place(placed.why.second));
        io.line(format!("  {what} before the {second}, after the {first}"))?;
    }
    Ok(())
}
