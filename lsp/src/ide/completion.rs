//! Completion: what could be written at the cursor.
//!
//! # How
//! The item is read again with a name where the cursor is, so that a text in the middle of being
//! written is a tree ([`context`]). What stands around that name decides what is offered: members of a
//! value, names of a path, arguments of a call, rows of a table, words of the grammar, or everything
//! in scope. Members are those of what the value is in the shown instance ([`members`]).
//!
//! # Order
//! What fits best comes first ([`Rank`]); within a rank the client orders by how well a name matches.
//! Functions of the library that the file does not use yet come last and bring their `use`.

mod context;
mod fit;
mod members;
mod scope;

use smol_str::SmolStr;
use tile_language::db::{self, Db, Package, SourceFile};
use tile_language::dtype::DType;
use tile_language::elab::observe::Nature;
use tile_language::ir::ItemKey;
use tile_language::names::mentions::Meaning;
use tile_language::names::{self, DeclKind};
use tile_language::op::surface::{Builtin, CONSTANTS, Form};
use tile_language::target::{Cap, TARGETS};
use tile_syntax::ast::{Item, ItemKind, Span};

use self::context::{Context, Site};
use super::callee;
use super::docs::{self, Docs};
use super::shown::{self, Shown, ShownInstance};
use super::words;

/// Suggestions beyond these are left out; the client asks again as more is typed.
const SUGGESTIONS_MAX: usize = 250;

/// What a suggestion is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SuggestionKind {
    Local,
    Function,
    Method,
    Field,
    Type,
    Constant,
    Variant,
    Module,
    Argument,
    Keyword,
    Snippet,
    Target,
    Capability,
}

/// How well a suggestion fits, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rank {
    /// Exactly this is wanted here.
    Wanted,
    /// In scope, and nearby.
    Near,
    /// Of the file, or what every file has.
    Known,
    /// Of the language.
    Word,
    /// Must be brought here first.
    Far,
    /// Cannot stand here; the detail says why.
    Unfit,
}

/// What could be written.
#[derive(Clone, PartialEq, Debug)]
pub struct Suggestion {
    /// What the list shows, and the text that is matched.
    pub label: SmolStr,
    /// What it is.
    pub kind: SuggestionKind,
    /// Its type, value or signature.
    pub detail: String,
    /// What is written, a snippet if it has places to fill in.
    pub insert: Insert,
    /// What else changes: a `use` at the head of the file.
    pub edits: Vec<(Span, String)>,
    /// How well it fits.
    pub rank: Rank,
    /// What it means, for its documentation.
    pub means: Option<Meaning>,
}

/// What is written for a suggestion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Insert {
    /// This text.
    Text(String),
    /// A snippet in the protocol's form.
    Snippet(String),
}

/// What could be written at a byte.
#[derive(Clone, PartialEq, Debug)]
pub struct Suggestions {
    /// The word that they replace, in bytes of the file.
    pub span: Span,
    /// They.
    pub list: Vec<Suggestion>,
    /// Whether some were left out.
    pub is_cut: bool,
}

impl Suggestion {
    fn new(
        label: impl Into<SmolStr>,
        kind: SuggestionKind,
        rank: Rank,
        detail: impl Into<String>,
    ) -> Suggestion {
        let label = label.into();
        let insert = Insert::Text(label.to_string());
        let (detail, edits, means) = (detail.into(), Vec::new(), None);
        Suggestion { label, kind, detail, insert, edits, rank, means }
    }

    fn meaning(self, means: Meaning) -> Suggestion {
        Suggestion { means: Some(means), ..self }
    }

    /// With parentheses, and the cursor in them.
    fn called(self) -> Suggestion {
        let insert = Insert::Snippet(format!("{}($0)", self.label));
        Suggestion { insert, ..self }
    }

    fn snippet(label: &str, detail: &str, text: &str) -> Suggestion {
        let insert = Insert::Snippet(text.to_owned());
        let plain = Suggestion::new(label, SuggestionKind::Snippet, Rank::Word, detail);
        Suggestion { insert, ..plain }
    }

    fn keyword(word: &str) -> Suggestion {
        let doc = words::word(word).unwrap_or_default();
        Suggestion::new(word, SuggestionKind::Keyword, Rank::Word, doc)
    }
}

/// What a suggestion means, as Markdown; `None` if there is nothing to say.
pub fn documentation(db: &dyn Db, means: &Meaning) -> Option<String> {
    let Docs { head, text } = docs::of(db, means)?;
    let head = if head.is_empty() { head } else { format!("```tile\n{head}\n```\n\n") };
    Some(format!("{head}{text}"))
}

/// What could be written at a byte of a file.
pub fn suggestions(db: &dyn Db, file: SourceFile, byte: u32, shown: &Shown) -> Suggestions {
    let context = Context::at(db, file, byte);
    let instances = match &context.item {
        Some(item) => shown::around(db, file, &item.key, shown),
        None => Vec::new(),
    };
    let mut writer =
        Writer { db, file, context: &context, instances: &instances, list: Vec::new() };
    writer.write();
    let mut list = writer.list;
    let word = context.word_text(file.text(db)).to_owned();
    list.retain(|it| matches_word(&it.label, &word));
    list.sort_by(|a, b| (a.rank, &a.label).cmp(&(b.rank, &b.label)));
    list.dedup_by(|a, b| a.label == b.label && a.kind == b.kind);
    let is_cut = list.len() > SUGGESTIONS_MAX;
    list.truncate(SUGGESTIONS_MAX);
    Suggestions { span: context.word, list, is_cut }
}

/// Whether a name has the letters of a word in their order, the first one at its beginning or after `_`.
fn matches_word(label: &str, word: &str) -> bool {
    let (label, word) = (label.to_lowercase(), word.to_lowercase());
    let Some(first) = word.chars().next() else { return true };
    let starts = label
        .char_indices()
        .filter(|&(at, it)| it == first && (at == 0 || label[..at].ends_with(['_', ':', ' '])));
    starts.into_iter().any(|(at, _)| {
        let mut letters = label[at..].chars();
        word.chars().all(|wanted| letters.any(|it| it == wanted))
    })
}

struct Writer<'a> {
    db: &'a dyn Db,
    file: SourceFile,
    context: &'a Context,
    instances: &'a [ShownInstance<'a>],
    list: Vec<Suggestion>,
}

impl Writer<'_> {
    fn write(&mut self) {
        match &self.context.site {
            Site::Nothing => {}
            Site::Items => self.items(),
            Site::Members { end } => self.members(*end),
            Site::Path(path) => self.path(path),
            Site::Use(path) => self.used(path),
            Site::Capabilities => self.capabilities(),
            Site::Targets => self.targets(),
            Site::Engines => self.keywords(&["interp", "sim", "gpu"], Rank::Wanted),
            Site::Clauses => self.clauses(),
            Site::Notes => self.notes(),
            Site::Type => {
                self.scope();
                let is_type = |it: &Suggestion| {
                    matches!(it.kind, SuggestionKind::Type | SuggestionKind::Local)
                };
                self.list.retain(is_type);
                self.types(Rank::Wanted);
            }
            Site::Layout { .. } => {
                self.layouts();
                self.scope();
            }
            Site::Statement => {
                self.statements();
                self.expression();
            }
            Site::Expression => self.expression(),
        }
    }

    fn keywords(&mut self, words: &[&str], rank: Rank) {
        let words = words.iter().map(|it| Suggestion { rank, ..Suggestion::keyword(it) });
        self.list.extend(words);
    }

    fn items(&mut self) {
        let words = ["pub", "const", "struct", "enum", "impl", "fn", "iter", "permit", "use"];
        self.keywords(&words, Rank::Word);
        self.keywords(&["kernel", "build", "tune", "test", "bench"], Rank::Known);
        let snippets = [
            (
                "kernel …",
                "a kernel with its clauses",
                "kernel ${1:name}[${2:BLOCK}: int = ${3:1024}](\n    x: global f32[n],\n    y: \
                 global mut f32[n],\n)\n    where n % 4 == 0\n    grid [cdiv(n, \
                 ${2:BLOCK})]\n    warps 4\n{\n    $0\n}\n",
            ),
            ("fn …", "a function", "fn ${1:name}(${2:x}) {\n    $0\n}\n"),
            ("test …", "a test", "test \"${1:title}\" {\n    $0\n}\n"),
        ];
        self.list
            .extend(snippets.map(|(label, detail, text)| Suggestion::snippet(label, detail, text)));
    }

    fn clauses(&mut self) {
        let is_kernel = self.context.in_kernel;
        let words: &[&str] = match is_kernel {
            true => &["where", "grid", "warps", "cluster", "requires", "expect", "allow", "pdl"],
            false => &["where", "requires"],
        };
        self.keywords(words, Rank::Wanted);
        if is_kernel {
            self.list.push(Suggestion::snippet("grid […]", "how many blocks run", "grid [$1]"));
        }
    }

    fn notes(&mut self) {
        let notes = ["pipelined", "unroll"].map(|it| {
            let word = Suggestion { rank: Rank::Wanted, ..Suggestion::keyword(it) };
            word.called()
        });
        self.list.extend(notes);
        self.keywords(&["step"], Rank::Wanted);
    }

    fn capabilities(&mut self) {
        let caps = Cap::ALL.iter().map(|cap| {
            let detail = docs::having(&[*cap]);
            Suggestion::new(cap.name(), SuggestionKind::Capability, Rank::Wanted, detail)
        });
        self.list.extend(caps);
    }

    fn targets(&mut self) {
        let targets = TARGETS
            .iter()
            .map(|it| Suggestion::new(it.name, SuggestionKind::Target, Rank::Wanted, it.doc));
        self.list.extend(targets);
    }

    fn members(&mut self, end: u32) {
        let Some(item) = &self.context.item else { return };
        let nature = callee::receiver(self.db, self.instances, &item.key, end);
        members::of(self.db, self.file, nature.as_ref(), &mut self.list);
    }

    /// What can follow `path::`.
    fn path(&mut self, path: &[SmolStr]) {
        for it in names::resolve(self.db, self.file, path) {
            match it {
                names::Found::Module(module) => self.module(module),
                names::Found::Decl(decl) => {
                    let DeclKind::Enum(variants) = &decl.kind else { continue };
                    let variant = |(n, it): (usize, &SmolStr)| {
                        let plain = Suggestion::new(
                            it.clone(),
                            SuggestionKind::Variant,
                            Rank::Wanted,
                            decl.name.as_str(),
                        );
                        plain.meaning(Meaning::Variant(decl.item.clone(), n as u32))
                    };
                    self.list.extend(variants.iter().enumerate().map(variant));
                }
                names::Found::Variant(..) | names::Found::Private(_) | names::Found::Circle => {}
            }
        }
        let prefix = format!("{}::", path.join("::"));
        for it in Builtin::all().filter(|it| it.row().form != Form::Method) {
            if let Some(rest) = it.row().path.strip_prefix(&prefix) {
                self.list.push(operation(it, rest, Rank::Wanted));
            }
        }
        self.modules_below(path);
    }

    /// The public declarations of a file.
    fn module(&mut self, module: SourceFile) {
        let decls = names::module(self.db, module).decls.iter();
        let public = decls.filter(|it| it.public || module == self.file);
        self.list.extend(public.map(|it| declaration(self.db, it, Rank::Wanted)));
    }

    fn modules_below(&mut self, path: &[SmolStr]) {
        for it in Package::get(self.db).files(self.db) {
            let module = it.module(self.db);
            let rest = module.strip_prefix(path);
            if let Some([name, ..]) = rest {
                let number = it.number(self.db);
                let plain =
                    Suggestion::new(name.clone(), SuggestionKind::Module, Rank::Known, "module");
                self.list.push(plain.meaning(Meaning::Module(number)));
            }
        }
    }

    /// What can follow in a `use`.
    fn used(&mut self, path: &[SmolStr]) {
        if path.is_empty() {
            self.modules_below(&[]);
            return;
        }
        let path = if path[0] == "self" { &path[1..] } else { path };
        self.path(path);
    }

    fn types(&mut self, rank: Rank) {
        let elements = DType::ALL.iter().map(|it| {
            let detail = format!("{} bits", it.bits());
            Suggestion::new(it.name(), SuggestionKind::Type, rank, detail)
        });
        self.list.extend(elements);
        self.keywords(&["int", "float", "str", "type", "layout", "record"], rank);
        self.keywords(&["global", "shared"], rank);
        let snippets = [
            ("global …", "a tensor argument", "global ${1:mut }${2:f32}[${3:n}]"),
            ("shared …", "a buffer in shared memory", "shared ${1:f32}[${2:BLOCK}]"),
        ];
        self.list
            .extend(snippets.map(|(label, detail, text)| Suggestion::snippet(label, detail, text)));
    }

    /// Layouts in scope, those that values here have, and constructors.
    fn layouts(&mut self) {
        for it in Builtin::all().filter(|it| it.row().signature.ends_with("-> layout")) {
            if it.row().form != Form::Method {
                self.list.push(operation(it, it.name(), Rank::Near));
            }
        }
        let warps = self.instances.iter().find_map(|it| it.ir(self.db)).map_or(4, |it| it.warps);
        let lanes = self.instances.first().map_or(32, |it| it.target.row().lanes);
        let text = format!("blocked(regs: [${{1:4}}], lanes: [{lanes}], warps: [{warps}])$0");
        let detail = "rows of a block's threads";
        let snippet = Suggestion::snippet("blocked(…)", detail, &text);
        self.list.push(Suggestion { rank: Rank::Near, ..snippet });
    }

    fn statements(&mut self) {
        let words = ["let", "var", "const", "if", "for", "while", "return", "static"];
        self.keywords(&words, Rank::Word);
        let snippets = [
            ("for …", "a loop over a span", "for ${1:i} in 0..${2:n} {\n    $0\n}"),
            ("if …", "a branch", "if ${1:cond} {\n    $0\n}"),
            (
                "static for …",
                "a loop at compile time",
                "static for ${1:i} in 0..${2:n} {\n    $0\n}",
            ),
            ("let shared …", "a buffer", "let ${1:s}: shared ${2:f32}[${3:BLOCK}];"),
        ];
        self.list
            .extend(snippets.map(|(label, detail, text)| Suggestion::snippet(label, detail, text)));
    }

    fn expression(&mut self) {
        self.arguments();
        self.scope();
        self.types(Rank::Word);
        self.library();
    }

    /// Names of the arguments of the call around the cursor that are not given yet.
    fn arguments(&mut self) {
        let Some(item) = &self.context.item else { return };
        let Some(source) = db::item_source(self.db, &item.key) else { return };
        let Some(call) = callee::call_at(source.text(self.db), self.context.word.lo - item.start)
        else {
            return;
        };
        if !call.is_fresh {
            return;
        }
        let found = callee::callables(self.db, self.file, &item.key, &call, self.instances);
        let n_by_place = call.n_before.saturating_sub(call.names.len());
        let open = found.into_iter().flat_map(|it| it.params.into_iter().skip(n_by_place));
        let free = open.filter(|it| !call.names.contains(&it.name));
        let arguments = free.map(|it| {
            let label = format!("{}:", it.name);
            let rank = if it.optional { Rank::Near } else { Rank::Wanted };
            let plain = Suggestion::new(label, SuggestionKind::Argument, rank, it.label);
            let insert = Insert::Text(format!("{}: ", it.name));
            Suggestion { insert, ..plain }
        });
        self.list.extend(arguments);
    }

    /// Everything that a lone name can mean here.
    fn scope(&mut self) {
        if let Some(item) = &self.context.item {
            let names = scope::at(&item.tree, item.at);
            let placed = self.placed(&item.key);
            for it in names {
                let natures = shown::natures(self.db, self.instances, &item.key, it.span);
                let detail: Vec<String> = natures.iter().map(Nature::short_text).collect();
                let detail = detail.join(" | ");
                let (rank, detail) = match placed.as_ref().and_then(|it| it.verdict(&natures)) {
                    Some(Ok(())) => (Rank::Wanted, detail),
                    Some(Err(why)) => (Rank::Unfit, why),
                    None => (Rank::Near, detail),
                };
                self.list.push(Suggestion::new(it.name, SuggestionKind::Local, rank, detail));
            }
        }
        for name in names::visible(self.db, self.file) {
            for it in names::resolve(self.db, self.file, &[name]) {
                if let names::Found::Decl(it) = it {
                    self.list.push(declaration(self.db, &it, Rank::Known));
                }
            }
        }
        for it in Builtin::all().filter(|it| it.row().form != Form::Method) {
            self.list.push(operation(it, it.name(), Rank::Known));
        }
        self.list.extend(
            CONSTANTS
                .iter()
                .map(|it| Suggestion::new(it.name, SuggestionKind::Constant, Rank::Known, it.doc)),
        );
        self.keywords(&["true", "false", "none", "target"], Rank::Word);
    }

    /// What the layout after `@` is for, if the cursor stands there.
    fn placed(&self, item: &ItemKey) -> Option<fit::Placed> {
        let Site::Layout { end } = self.context.site else { return None };
        let nature = callee::receiver(self.db, self.instances, item, end);
        Some(fit::Placed::of(self.instances, nature.as_ref()))
    }

    /// Functions and types of other files that this one does not use yet.
    fn library(&mut self) {
        let visible = names::visible(self.db, self.file);
        let head = head_of(self.db, self.file);
        for it in Package::get(self.db).files(self.db) {
            let path = it.module(self.db).join("::");
            let is_library = it.module(self.db).first().is_some_and(|it| it == "std");
            if !is_library || *it == self.file {
                continue;
            }
            let decls = names::module(self.db, *it).decls.iter();
            for decl in decls.filter(|it| it.public && !visible.contains(&it.name)) {
                let text = format!("use {path}::{};\n", decl.name);
                let plain = declaration(self.db, decl, Rank::Far);
                let detail = format!("use {path}::{}", decl.name);
                self.list.push(Suggestion { edits: vec![(head, text)], detail, ..plain });
            }
        }
    }
}

/// Where a `use` goes: before the first item, after the head of the file.
fn head_of(db: &dyn Db, file: SourceFile) -> Span {
    let starts = db::item_starts(db, file);
    let items = db::items(db, file);
    let first_use = items
        .iter()
        .zip(starts)
        .find(|it| matches!(&db::parsed(db, *it.0).item.kind, ItemKind::Use(_)));
    let first = first_use.map(|it| it.1.1).or_else(|| starts.first().map(|it| it.1)).unwrap_or(0);
    Span::new(first, first)
}

fn operation(it: Builtin, label: &str, rank: Rank) -> Suggestion {
    let plain = Suggestion::new(label, SuggestionKind::Function, rank, it.row().signature);
    plain.meaning(Meaning::Builtin(it)).called()
}

fn declaration(db: &dyn Db, decl: &names::Decl, rank: Rank) -> Suggestion {
    let (kind, is_called) = match decl.kind {
        DeclKind::Const | DeclKind::Build => (SuggestionKind::Constant, false),
        DeclKind::Struct | DeclKind::Enum(_) => (SuggestionKind::Type, false),
        DeclKind::Fn { .. } | DeclKind::Iter { .. } | DeclKind::Kernel => {
            (SuggestionKind::Function, true)
        }
    };
    let detail = summary(db, &decl.item);
    let plain = Suggestion::new(decl.name.clone(), kind, rank, detail);
    let plain = plain.meaning(Meaning::Item(decl.item.clone()));
    if is_called { plain.called() } else { plain }
}

/// The first line of an item's head.
fn summary(db: &dyn Db, key: &ItemKey) -> String {
    let tree = db::item(db, key);
    let head = tree.as_deref().and_then(|it: &Item| docs::head(db, key, it));
    head.and_then(|it| it.lines().next().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
