//! `tilec listing`: what a kernel is compiled to, with the line of the program behind each line.

use serde_json::{Value, json};
use tile_codegen::{Listing, ListingForm};
use tile_language::ir::Kernel;
use tile_language::target::Vendor;

use crate::cli::{self, CodeForm, Format, TableFormat};
use crate::render::{self, Tally};
use crate::session::{Session, target};
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Listing, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let target = target(&args.target)?;
    let session = Session::open(std::slice::from_ref(&args.path))?;
    let findings = session.findings(&[target]);
    if Tally::of(&findings).errors > 0 {
        render::show(&findings, session.sources(), Format::Human, io)?;
        return Ok(Exit::Program);
    }
    let kernels = session.kernels(target);
    let kernel = kernels.iter().find(|it| it.name == args.kernel.as_str()).ok_or_else(|| {
        let known: Vec<&str> = kernels.iter().map(|it| it.name.as_str()).collect();
        let (name, known) = (&args.kernel, known.join(", "));
        Failure::Call(format!(
            "no kernel is called `{name}` for {}; there are: {known}",
            args.target
        ))
    })?;
    let form = form(args.form, target.row().vendor)
        .ok_or_else(|| Failure::Call(format!("{} has no such code", args.target)))?;
    let listing = tile_codegen::list(kernel, form).map_err(Failure::Build)?;
    match args.format {
        TableFormat::Human => io.text(listing.text)?,
        TableFormat::Json => io.line(described(&session, kernel, &listing).to_string())?,
    }
    Ok(Exit::Fine)
}

/// How far to compile; `None` for code of another vendor.
fn form(form: CodeForm, vendor: Vendor) -> Option<ListingForm> {
    match (form, vendor) {
        (CodeForm::Ll, _) => Some(ListingForm::Llvm),
        (CodeForm::Ptx, Vendor::Nvidia) | (CodeForm::S, Vendor::Amd) => Some(ListingForm::Assembly),
        (CodeForm::Sass, Vendor::Nvidia) => Some(ListingForm::Machine),
        (CodeForm::Ptx | CodeForm::Sass, Vendor::Amd) | (CodeForm::S, Vendor::Nvidia) => None,
    }
}

/// The listing with, for every line that has one, its line in the kernel's own text; both from 0.
fn described(session: &Session, kernel: &Kernel, listing: &Listing) -> Value {
    let lines = listing.lines.iter().enumerate().filter_map(|(n, site)| {
        let (_, line) = session.own_line(kernel, (*site)?)?;
        Some(json!([n, line]))
    });
    let resources = &listing.resources;
    json!({
        "text": listing.text,
        "lines": lines.collect::<Vec<_>>(),
        "registers": resources.registers,
        "spill_bytes": resources.spill_bytes,
        "shared_bytes": resources.shared_bytes,
        "occupancy": resources.occupancy_percent.map(|it| f64::from(it) / 100.0),
    })
}
