//! Sorts: what is known of a value from the text alone.
//!
//! # Definition
//! A [`Sort`] is a set of values. A type as it is written names the set of its members; a literal is
//! of the sort of its kind; whatever needs an instance is [`Sort::Unknown`], the set of all values.
//! [`Sort::may_be`] asks whether two sets meet: only where they do not is there a mistake.

use smol_str::SmolStr;
use tile_syntax::ast::{BracketArg, Expr, ExprKind, Generic, Space};

use crate::db::{Db, SourceFile};
use crate::dtype::DType;
use crate::names::{self, DeclKind, Found, TypeRef};

/// What is known of a value from the text alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// Any value.
    Unknown,
    /// An integer known at compile time.
    Int,
    /// A float known at compile time.
    Float,
    /// One bool, known or not.
    Bool,
    /// A string.
    Str,
    /// A type.
    Type,
    /// A layout.
    Layout,
    /// A tile, or with rank 0 a scalar.
    Tile {
        /// Its elements, if they are written.
        elem: Option<DType>,
        /// Its rank, if it is written.
        rank: Option<u32>,
    },
    /// A tensor argument that is there.
    Tensor {
        /// Its elements, if they are written.
        elem: Option<DType>,
        /// Its rank.
        rank: u32,
    },
    /// A struct's value.
    Struct(TypeRef),
}

impl Sort {
    /// A number or a tile of numbers of that type.
    pub(super) fn of_elem(dtype: DType, rank: Option<u32>) -> Sort {
        match (dtype, rank) {
            (DType::Bool, Some(0)) => Sort::Bool,
            _ => Sort::Tile { elem: Some(dtype), rank },
        }
    }

    /// The elements, if they are known.
    pub(super) fn elem(&self) -> Option<DType> {
        match self {
            Sort::Tile { elem, .. } => *elem,
            Sort::Bool => Some(DType::Bool),
            _ => None,
        }
    }

    /// The rank, if it is known; a number has rank 0.
    pub(super) fn rank(&self) -> Option<u32> {
        match self {
            Sort::Tile { rank, .. } => *rank,
            Sort::Int | Sort::Float | Sort::Bool => Some(0),
            _ => None,
        }
    }

    /// Whether a value of this sort can be a member of the type whose members are `want`.
    pub(super) fn may_be(&self, want: &Sort) -> bool {
        let same = |a: Option<DType>, b: Option<DType>| a.is_none() || b.is_none() || a == b;
        match (want, self) {
            (Sort::Unknown, _) | (_, Sort::Unknown) => true,
            // A scalar parameter holds a compile-time number where the function runs at compile time.
            (Sort::Int | Sort::Float | Sort::Bool, Sort::Tile { rank, .. }) => {
                rank.is_none_or(|it| it == 0)
            }
            (Sort::Float, Sort::Int) => true,
            (Sort::Tile { elem, rank }, Sort::Int | Sort::Float | Sort::Bool) => {
                rank.is_none_or(|it| it == 0) && elem.is_none_or(|it| self.is_literal_of(it))
            }
            (Sort::Tile { elem: a, rank: r }, Sort::Tile { elem: b, rank: s }) => {
                same(*a, *b) && (r.is_none() || s.is_none() || r == s)
            }
            (Sort::Tensor { elem: a, rank: r }, Sort::Tensor { elem: b, rank: s }) => {
                same(*a, *b) && r == s
            }
            (want, got) => want == got,
        }
    }

    /// Whether a number of this sort may stand where an element is wanted.
    fn is_literal_of(&self, dtype: DType) -> bool {
        match self {
            Sort::Bool => dtype == DType::Bool,
            Sort::Float => dtype.is_float(),
            _ => dtype != DType::Bool,
        }
    }

    /// How it reads in a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Sort::Unknown => "a value".to_owned(),
            Sort::Int => "an `int`".to_owned(),
            Sort::Float => "a `float`".to_owned(),
            Sort::Bool => "bool".to_owned(),
            Sort::Str => "a `str`".to_owned(),
            Sort::Type => "a `type`".to_owned(),
            Sort::Layout => "a `layout`".to_owned(),
            Sort::Tile { elem, rank } => shaped("a tile", *elem, *rank),
            Sort::Tensor { elem, rank } => shaped("a tensor", *elem, Some(*rank)),
            Sort::Struct(it) => it.item.item.to_string(),
        }
    }
}

fn shaped(what: &str, elem: Option<DType>, rank: Option<u32>) -> String {
    let of = elem.map_or_else(String::new, |it| format!(" of `{it}`"));
    match (elem, rank) {
        (Some(elem), Some(0)) => elem.to_string(),
        (None, Some(0)) => "a scalar".to_owned(),
        (_, Some(rank)) => format!("{what}{of} of rank {rank}"),
        (_, None) => format!("{what}{of}"),
    }
}

/// Where types are written: the file, and the names that mean something else than the file says.
#[derive(Clone, Copy)]
pub(super) struct Types<'a> {
    pub(super) db: &'a dyn Db,
    pub(super) file: SourceFile,
    pub(super) scope: &'a [(SmolStr, Sort)],
}

impl Types<'_> {
    /// The sort of a type's members.
    pub(super) fn members(self, ty: &Expr) -> Sort {
        match &*ty.kind {
            ExprKind::Paren(inner) => self.members(inner),
            ExprKind::At(shape, _) => self.members(shape),
            ExprKind::Path(path) => match &path[..] {
                [name] => self.named(&name.text).unwrap_or_else(|| self.declared(ty)),
                _ => self.declared(ty),
            },
            ExprKind::Bracket(base, args) => self.bracketed(base, args),
            ExprKind::Memory(it) if it.space == Space::Global && it.of.is_none() => {
                match &*it.ty.kind {
                    ExprKind::Bracket(base, dims) => {
                        Sort::Tensor { elem: self.elem(base), rank: dims.len() as u32 }
                    }
                    _ => Sort::Unknown,
                }
            }
            _ => Sort::Unknown,
        }
    }

    /// Words of the language that are types.
    fn named(self, name: &str) -> Option<Sort> {
        if self.scope.iter().any(|it| it.0 == name) {
            return Some(Sort::Unknown);
        }
        match name {
            "int" => Some(Sort::Int),
            "float" => Some(Sort::Float),
            "str" => Some(Sort::Str),
            "type" => Some(Sort::Type),
            "layout" => Some(Sort::Layout),
            other => DType::from_name(other).map(|it| Sort::of_elem(it, Some(0))),
        }
    }

    fn declared(self, ty: &Expr) -> Sort {
        self.struct_of(ty).map_or(Sort::Unknown, Sort::Struct)
    }

    /// The struct that a path names.
    pub(super) fn struct_of(self, ty: &Expr) -> Option<TypeRef> {
        let ExprKind::Path(path) = &*ty.kind else { return None };
        let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
        let found = names::resolve(self.db, self.file, &texts);
        found.into_iter().find_map(|it| match it {
            Found::Decl(it) if it.kind == DeclKind::Struct => Some(TypeRef { item: it.item }),
            _ => None,
        })
    }

    /// `f32[M, N]`, or a struct with its arguments.
    fn bracketed(self, base: &Expr, args: &[BracketArg]) -> Sort {
        if let Some(it) = self.struct_of(base) {
            return Sort::Struct(it);
        }
        let is_elem = self.elem(base).is_some() || self.is_local(base, &Sort::Type);
        if !is_elem {
            return Sort::Unknown;
        }
        let rank = match args {
            [BracketArg::Value(only)] => self.is_number(only).then_some(1),
            _ => Some(args.len() as u32),
        };
        Sort::Tile { elem: self.elem(base), rank }
    }

    fn elem(self, base: &Expr) -> Option<DType> {
        let ExprKind::Path(path) = &*base.kind else { return None };
        let [name] = &path[..] else { return None };
        let shadowed = self.scope.iter().any(|it| it.0 == name.text);
        DType::from_name(&name.text).filter(|_| !shadowed)
    }

    /// Whether a lone extent is one number and not a list of them.
    fn is_number(self, extent: &Expr) -> bool {
        matches!(&*extent.kind, ExprKind::Int(_)) || self.is_local(extent, &Sort::Int)
    }

    /// Whether a lone name stands for a value of that sort.
    fn is_local(self, expr: &Expr, sort: &Sort) -> bool {
        let ExprKind::Path(path) = &*expr.kind else { return false };
        let [name] = &path[..] else { return false };
        self.scope.iter().rev().find(|it| it.0 == name.text).is_some_and(|it| it.1 == *sort)
    }
}

/// Compile-time parameters with the sorts of their kinds.
pub(super) fn generics(
    db: &dyn Db,
    file: SourceFile,
    generics: &[Generic],
) -> Vec<(SmolStr, Sort)> {
    let mut scope: Vec<(SmolStr, Sort)> = Vec::new();
    for it in generics {
        let sort = match &it.ty {
            Some(ty) => Types { db, file, scope: &scope }.members(ty),
            None => Sort::Unknown,
        };
        scope.push((it.name.text.clone(), sort));
    }
    scope
}
