//! The names that live inside an item and can be meant at a byte.

use smol_str::SmolStr;
use tile_syntax::ast::{Const, Expr, Generic, Item, Name, Param, Pattern, PatternKind, Span};

use crate::ide::syntax::{self, Visitor};

/// A name in scope.
pub(super) struct InScope {
    /// What it is called.
    pub(super) name: SmolStr,
    /// Where it is declared.
    pub(super) span: Span,
}

/// The names in scope at a byte, a shadowed one left out, innermost first.
pub(super) fn at(item: &Item, byte: u32) -> Vec<InScope> {
    let mut finder = Finder { byte, marks: Vec::new(), names: Vec::new() };
    syntax::walk(item, &mut finder);
    let mut found: Vec<InScope> = Vec::new();
    for it in finder.names.into_iter().rev() {
        if !found.iter().any(|known| known.name == it.name) {
            found.push(it);
        }
    }
    found
}

struct Finder {
    byte: u32,
    marks: Vec<usize>,
    names: Vec<InScope>,
}

impl Finder {
    fn declare(&mut self, name: &Name) {
        if name.span.hi < self.byte && !name.text.is_empty() {
            self.names.push(InScope { name: name.text.clone(), span: name.span });
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Name(name) => self.declare(name),
            PatternKind::Tuple(parts) => parts.iter().for_each(|it| self.pattern(it)),
            PatternKind::Ignore => {}
        }
    }
}

impl<'t> Visitor<'t> for Finder {
    fn binding(&mut self, pattern: &'t Pattern, _ty: Option<&'t Expr>, value: Option<&'t Expr>) {
        // A value does not see the name that it is given.
        let is_inside = value.is_some_and(|it| it.span.lo <= self.byte && self.byte <= it.span.hi);
        if !is_inside {
            self.pattern(pattern);
        }
    }

    fn constant(&mut self, it: &'t Const) {
        if it.value.span.hi < self.byte {
            self.declare(&it.name);
        }
    }

    fn generic(&mut self, it: &'t Generic) {
        self.declare(&it.name);
    }

    fn param(&mut self, it: &'t Param) {
        self.pattern(&it.pattern);
    }

    fn size(&mut self, name: &'t Name) {
        self.declare(name);
    }

    fn enter(&mut self, _span: Span) {
        self.marks.push(self.names.len());
    }

    fn leave(&mut self, span: Span) {
        let mark = self.marks.pop().expect("blocks are entered before they are left");
        if self.byte < span.lo || span.hi < self.byte {
            self.names.truncate(mark);
        }
    }
}
