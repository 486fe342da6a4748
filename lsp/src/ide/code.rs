//! What an instance is compiled to, as documents of their own: which forms there are, and tile IR.
//!
//! Tile IR is printed from the database. Everything below it comes from the compiler, which runs as
//! a process of its own: no LLVM in a server.

use tile_language::db::{self, Db, SourceFile};
use tile_language::ir::Kernel;

use super::shown::{self, Shown, ShownInstance};
use super::syntax;

/// A form of code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// The compiler's own.
    TileIr,
    /// The optimised LLVM module.
    Llvm,
    /// NVIDIA's virtual assembly.
    Ptx,
    /// NVIDIA's machine code, disassembled.
    Sass,
    /// AMD's assembly.
    Amdgcn,
}

impl Form {
    /// All of them, from the program to the machine.
    pub const ALL: [Form; 5] = [Form::TileIr, Form::Llvm, Form::Ptx, Form::Sass, Form::Amdgcn];

    /// The word in requests and settings.
    pub fn name(self) -> &'static str {
        match self {
            Form::TileIr => "ir",
            Form::Llvm => "ll",
            Form::Ptx => "ptx",
            Form::Sass => "sass",
            Form::Amdgcn => "s",
        }
    }

    /// How it is called in a menu.
    pub fn title(self) -> &'static str {
        match self {
            Form::TileIr => "tile IR",
            Form::Llvm => "LLVM IR",
            Form::Ptx => "PTX",
            Form::Sass => "SASS",
            Form::Amdgcn => "assembly",
        }
    }

    /// The form of that name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Form> {
        Form::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// The instance whose code a byte of a file stands in: that of the kernel there, else the file's first.
pub fn instance_at<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    byte: u32,
    shown: &Shown,
) -> Option<ShownInstance<'db>> {
    let all = shown::of_file(db, file, shown);
    let item = syntax::item_at(db, file, byte);
    let own = item.and_then(|item| all.iter().find(|it| *it.kernel == item.key).copied());
    own.or_else(|| all.first().copied())
}

/// A line of a document and the line of the program that it came from, both from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LinePair {
    /// Of the document.
    pub code: u32,
    /// Of the program's file.
    pub source: u32,
}

/// The tile IR of a kernel, and from which lines of `file` its lines came.
pub fn tile_ir(db: &dyn Db, file: SourceFile, kernel: &Kernel) -> (String, Vec<LinePair>) {
    let printed = kernel.to_string();
    let starts: Vec<u32> = line_starts(file.text(db));
    let lines: Vec<Option<u32>> = kernel
        .sites
        .iter()
        .map(|site| {
            let site_of = |it: tile_language::ir::SiteId| &kernel.sites[it.0 as usize];
            let mut chain = std::iter::successors(Some(site), |it| it.caller.map(site_of));
            let own = chain.find(|it| it.place.item.file == file.number(db))?;
            let (_, span) = db::resolve(db, &own.place)?;
            Some(starts.partition_point(|it| *it <= span.lo) as u32 - 1)
        })
        .collect();
    let pairs = printed.lines().enumerate().filter_map(|(n, line)| {
        let site = line.split_whitespace().rev().find_map(|it| it.strip_prefix('!'));
        let site: usize = site?.parse().ok()?;
        Some(LinePair { code: n as u32, source: (*lines.get(site)?)? })
    });
    let pairs = pairs.collect();
    (printed, pairs)
}

fn line_starts(text: &str) -> Vec<u32> {
    std::iter::once(0).chain(text.match_indices('\n').map(|it| it.0 as u32 + 1)).collect()
}
