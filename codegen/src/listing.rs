//! Code as people read it: each line with the place of the program that it came from.
//!
//! The kernel is compiled with the number of every instruction's site, counted from 1, as its line.
//! Those numbers come back in LLVM's metadata, in the `.loc` of an assembly and in what `nvdisasm`
//! says of machine code; here they are read and taken out of the text again. Lines change nothing
//! that is compiled: the code is that of [`build`](crate::build).

use std::collections::HashMap;
use std::io::Write as _;
use std::process::Command;

use inkwell::context::Context;
use tile_language::ir::{Kernel, SiteId};
use tile_language::target::Vendor;

use crate::assembler::{self, find_nvdisasm, find_ptxas};
use crate::backend::Backend;
use crate::error::BuildError;
use crate::lower::LowerOptions;
use crate::report::Resources;

/// How far a kernel is compiled for a listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListingForm {
    /// The optimised LLVM module.
    Llvm,
    /// PTX, or AMD's assembly.
    Assembly,
    /// What NVIDIA's machine executes, disassembled; AMD's assembly is that already.
    Machine,
}

/// Code with where it comes from.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Listing {
    /// The text.
    pub text: String,
    /// The site of each line; `None` for labels, directives and what belongs to none.
    pub lines: Vec<Option<SiteId>>,
    /// What the kernel costs, as far as it was compiled.
    pub resources: Resources,
}

impl Listing {
    fn push(&mut self, line: &str, site: Option<SiteId>) {
        self.text.push_str(line);
        self.text.push('\n');
        self.lines.push(site);
    }
}

/// Compiles a kernel as far as `form` says.
pub fn list(kernel: &Kernel, form: ListingForm) -> Result<Listing, BuildError> {
    let backend = Backend::new(kernel.target)?;
    let context = Context::create();
    let options = LowerOptions { has_lines: true, ..LowerOptions::default() };
    let lowered = backend.module(&context, kernel, options)?;
    if form == ListingForm::Llvm {
        return Ok(of_module(&lowered.module.print_to_string().to_string()));
    }
    let mut resources = Resources {
        shared_bytes: lowered.shared_bytes,
        dynamic_shared_bytes: lowered.dynamic_shared_bytes,
        accesses: lowered.accesses.clone(),
        ..Resources::default()
    };
    backend.resolve_hooks(&lowered);
    let assembly = backend.assembly(&lowered, &kernel.name)?;
    let target = kernel.target.row();
    let mut listing = match (target.vendor, form) {
        (Vendor::Amd, _) => {
            resources.add_amd_metadata(&assembly);
            of_assembly(&assembly)
        }
        (Vendor::Nvidia, ListingForm::Machine) => machine_code(kernel, &assembly, &mut resources)?,
        (Vendor::Nvidia, ListingForm::Llvm | ListingForm::Assembly) => of_assembly(&assembly),
    };
    resources.estimate_occupancy(target, kernel.warps);
    listing.resources = resources;
    Ok(listing)
}

/// The site that a line's number stands for.
fn site(line: &str) -> Option<SiteId> {
    let digits: String = line.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<u32>().ok()?.checked_sub(1).map(SiteId)
}

/// A module without its metadata.
fn of_module(text: &str) -> Listing {
    let mut places: HashMap<&str, SiteId> = HashMap::new();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(" = !DILocation(line: ") else { continue };
        places.extend(site(rest).map(|it| (name, it)));
    }
    let mut listing = Listing::default();
    let code = text.lines().take_while(|it| !it.starts_with("!llvm.") && !it.starts_with("!0 ="));
    for line in code.filter(|it| !it.starts_with("source_filename")) {
        match line.split_once(", !dbg ") {
            Some((code, rest)) => {
                let end = rest.find([',', ' ']).unwrap_or(rest.len());
                let site = places.get(&rest[..end]).copied();
                listing.push(&format!("{code}{}", &rest[end..]), site);
            }
            None => listing.push(&without_scope(line), None),
        }
    }
    listing
}

/// The head of a function without the name of its scope.
fn without_scope(line: &str) -> String {
    match line.split_once(" !dbg ") {
        Some((head, rest)) => {
            let end = rest.find(' ').unwrap_or(rest.len());
            format!("{head}{}", &rest[end..])
        }
        None => line.to_owned(),
    }
}

/// An assembly without its line tables.
fn of_assembly(text: &str) -> Listing {
    let mut listing = Listing::default();
    let mut at = None;
    for line in without_tables(text) {
        let code = line.trim_start();
        if let Some(rest) = code.strip_prefix(".loc") {
            // The file's number, then the line's.
            at = rest.split_whitespace().nth(1).and_then(site);
            continue;
        }
        if is_made_for_tables(code) {
            continue;
        }
        let is_instruction =
            line.starts_with('\t') && code.starts_with(|it: char| it.is_alphabetic() || it == '@');
        listing.push(&line, at.filter(|_| is_instruction));
    }
    listing
}

/// The lines of an assembly outside sections of tables. A target that says `debug` would be
/// assembled without optimisation, so it does not say so.
fn without_tables(text: &str) -> impl Iterator<Item = String> {
    let mut in_tables = false;
    text.lines().filter_map(move |line| {
        let code = line.trim_start();
        if code.starts_with(".section") || code.starts_with(".amdgpu_metadata") {
            in_tables = code.contains(".debug_");
        }
        let line =
            if code.starts_with(".target") { line.replace(", debug", "") } else { line.to_owned() };
        (!in_tables).then_some(line)
    })
}

/// Directives and labels that stand there for tables alone.
fn is_made_for_tables(code: &str) -> bool {
    [".file", ".cfi_", "$L__tmp", ".Ltmp", "$L__func_", ".Lfunc_begin"]
        .iter()
        .any(|it| code.starts_with(it))
}

/// PTX through the assembler and back.
fn machine_code(
    kernel: &Kernel,
    ptx: &str,
    resources: &mut Resources,
) -> Result<Listing, BuildError> {
    let missing = |tool: &'static str| BuildError::Missing {
        kernel: kernel.name.to_string(),
        form: "machine code",
        tool,
        remedy: assembler::REMEDY,
    };
    let ptxas = find_ptxas().ok_or_else(|| missing("`ptxas`"))?;
    let tool = find_nvdisasm().ok_or_else(|| missing("`nvdisasm`"))?;
    let cpu = kernel.target.row().name;
    let ptx: String = without_tables(ptx).map(|it| it + "\n").collect();
    let (cubin, report) = assembler::assemble(&ptxas, &ptx, cpu, &kernel.name, &["-lineinfo"])?;
    resources.add_ptxas(report);
    let failed =
        |source| BuildError::Run { kernel: kernel.name.to_string(), tool: tool.clone(), source };
    let mut input = tempfile::Builder::new().suffix(".cubin").tempfile().map_err(failed)?;
    input.write_all(&cubin).map_err(failed)?;
    let done = Command::new(&tool)
        .args(["--print-line-info", "--print-code"])
        .arg(input.path())
        .output()
        .map_err(failed)?;
    if !done.status.success() {
        return Err(BuildError::Refused {
            kernel: kernel.name.to_string(),
            tool: tool.clone(),
            message: String::from_utf8_lossy(&done.stderr).trim().to_owned(),
        });
    }
    Ok(of_disassembly(&String::from_utf8_lossy(&done.stdout)))
}

/// What `nvdisasm` prints: `//## File "…", line N` stands before what came from there.
fn of_disassembly(text: &str) -> Listing {
    let mut listing = Listing::default();
    let mut at = None;
    for line in text.lines() {
        let code = line.trim_start();
        if let Some(rest) = code.strip_prefix("//## File") {
            at = rest.split_once(", line ").and_then(|it| site(it.1));
            continue;
        }
        let is_instruction = code.starts_with("/*");
        let is_padding = code.is_empty() || code.starts_with(".section");
        if !is_padding {
            listing.push(line.trim_end(), at.filter(|_| is_instruction));
        }
    }
    listing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(listing: &Listing) -> String {
        let lines = listing.text.lines().zip(&listing.lines);
        let mark = |it: &Option<SiteId>| it.map_or("-".to_owned(), |it| it.0.to_string());
        lines.map(|(line, site)| format!("{} {line}\n", mark(site))).collect()
    }

    #[test]
    fn places_are_taken_out_of_a_module() {
        let text = "define void @k() !dbg !4 {\n  %a = add i32 1, 2, !dbg !7\n  ret void, !dbg !8\n}\n\
                    \n!llvm.module.flags = !{!0}\n!7 = !DILocation(line: 3, scope: !4)\n\
                    !8 = !DILocation(line: 0, scope: !4)\n";
        let found = of_module(text);
        insta::assert_snapshot!(shown(&found), @r"
        - define void @k() {
        2   %a = add i32 1, 2
        -   ret void
        - }
        -
        ");
    }

    #[test]
    fn line_tables_are_taken_out_of_an_assembly() {
        let text = "\t.file\t1 \".\" \"k\"\nk:\n\t.loc\t1 5 0 prologue_end\n$L__tmp0:\n\tmov.u32 %r1, 0;\n\
                    \t.loc\t1 0 0\n\tret;\n\t.section\t.debug_abbrev\n\t{\n.b8 1\n\t}\n";
        insta::assert_snapshot!(shown(&of_assembly(text)), @r"
        - k:
        4 	mov.u32 %r1, 0;
        - 	ret;
        ");
    }

    #[test]
    fn a_disassembly_has_its_places_in_comments() {
        let text = ".text.k:\n\t//## File \"k\", line 2\n        /*0000*/ MOV R1, c[0x0][0x28] ;\n";
        insta::assert_snapshot!(shown(&of_disassembly(text)), @r"
        - .text.k:
        1         /*0000*/ MOV R1, c[0x0][0x28] ;
        ");
    }
}
