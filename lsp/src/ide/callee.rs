//! The call around a byte: what it calls, and which argument stands there.
//!
//! Found in the tokens, so that it works while the call is being typed; what the name means comes
//! from the names of the file and from what the receiver is in the shown instance.

use smol_str::SmolStr;
use tile_language::db::{self, Db, SourceFile};
use tile_language::elab::observe::Nature;
use tile_language::ir::ItemKey;
use tile_language::names::mentions::Meaning;
use tile_language::names::{self, DeclKind, Found, TypeRef};
use tile_language::op::surface::{Builtin, Row};
use tile_syntax::ast::{Field, FnKind, Generic, ItemKind, Param, PatternKind, Span};
use tile_syntax::{Lexeme, Token, lex};

use super::docs;
use super::shown::{self, ShownInstance};

/// A call whose argument stands at a byte.
#[derive(Clone, PartialEq, Debug)]
pub struct CallAt {
    /// The names of the callee: a path, or the method's name alone.
    pub path: Vec<SmolStr>,
    /// Where the receiver of a method ends.
    pub receiver: Option<u32>,
    /// Whether the byte stands in brackets, among compile-time arguments.
    pub in_brackets: bool,
    /// How many arguments stand before the one at the byte.
    pub n_before: usize,
    /// The name of the argument at the byte, if it has one.
    pub named: Option<SmolStr>,
    /// The names of all named arguments.
    pub names: Vec<SmolStr>,
    /// Whether nothing but a word stands there yet.
    pub is_fresh: bool,
}

/// The innermost call around a byte of an item's text.
pub fn call_at(text: &str, at: u32) -> Option<CallAt> {
    let tokens = lex(text).tokens;
    let n = tokens.partition_point(|it| it.span.hi <= at && it.span.lo < at);
    let (open, commas) = opener(&tokens[..n])?;
    let word = |it: &Lexeme| SmolStr::new(&text[it.span.lo as usize..it.span.hi as usize]);
    let mut end = open;
    if tokens[open].token == Token::LParen && open > 0 && tokens[open - 1].token == Token::RBracket
    {
        end = matching(&tokens[..open - 1])?;
    }
    let mut path = Vec::new();
    let mut first = end.checked_sub(1)?;
    if !tokens[first].token.is_word() {
        return None;
    }
    path.push(word(&tokens[first]));
    while first >= 2 && tokens[first - 1].token == Token::Path && tokens[first - 2].token.is_word()
    {
        first -= 2;
        path.insert(0, word(&tokens[first]));
    }
    let dot = first.checked_sub(1).filter(|&it| tokens[it].token == Token::Dot);
    let receiver = dot.and_then(|it| Some(tokens[it.checked_sub(1)?].span.hi));
    let current = commas.first().map_or(open + 1, |it| it + 1);
    let is_named = |it: usize| {
        tokens.get(it).is_some_and(|it| it.token.is_word())
            && tokens.get(it + 1).is_some_and(|it| it.token == Token::Colon)
    };
    let starts = commas.iter().map(|it| it + 1).chain([open + 1]);
    let before: Vec<SmolStr> =
        starts.filter(|&it| is_named(it)).map(|it| word(&tokens[it])).collect();
    Some(CallAt {
        path,
        receiver,
        in_brackets: tokens[open].token == Token::LBracket,
        n_before: commas.len(),
        named: is_named(current).then(|| word(&tokens[current])),
        names: before,
        is_fresh: current + 1 >= n && !is_named(current),
    })
}

/// The bracket that is open at the end of `tokens`, and the commas between its arguments, last first.
fn opener(tokens: &[Lexeme]) -> Option<(usize, Vec<usize>)> {
    let (mut depth, mut commas) = (0usize, Vec::new());
    for (n, it) in tokens.iter().enumerate().rev() {
        match it.token {
            token if token.is_closer() => depth += 1,
            Token::LParen | Token::LBracket if depth == 0 => return Some((n, commas)),
            Token::LBrace | Token::Semi if depth == 0 => return None,
            token if token.is_opener() => depth = depth.checked_sub(1)?,
            Token::Comma if depth == 0 => commas.push(n),
            _ => {}
        }
    }
    None
}

/// The bracket that the one after the end of `tokens` closes.
fn matching(tokens: &[Lexeme]) -> Option<usize> {
    let mut depth = 0usize;
    for (n, it) in tokens.iter().enumerate().rev() {
        match it.token {
            token if token.is_closer() => depth += 1,
            token if token.is_opener() && depth == 0 => return Some(n),
            token if token.is_opener() => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A parameter of something that can be called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: SmolStr,
    /// How it is declared, as it stands in the label.
    pub label: String,
    /// Whether it can be left out.
    pub optional: bool,
    /// What its author says of it.
    pub docs: String,
}

/// Something that can be called.
#[derive(Clone, PartialEq, Debug)]
pub struct Callable {
    /// What it is.
    pub means: Meaning,
    /// The declaration as code.
    pub label: String,
    /// Parameters without the receiver, or compile-time parameters.
    pub params: Vec<Parameter>,
}

/// What a call can mean, best first.
pub fn callables(
    db: &dyn Db,
    file: SourceFile,
    item: &ItemKey,
    call: &CallAt,
    instances: &[ShownInstance<'_>],
) -> Vec<Callable> {
    let mut found = Vec::new();
    match call.receiver {
        Some(end) => {
            let receiver = receiver(db, instances, item, end);
            methods(db, file, &call.path[0], receiver.as_ref(), call.in_brackets, &mut found);
        }
        None => functions(db, file, &call.path, call.in_brackets, &mut found),
    }
    found
}

/// What ends at a byte of an item: the smallest expression there.
pub fn receiver(
    db: &dyn Db,
    instances: &[ShownInstance<'_>],
    item: &ItemKey,
    end: u32,
) -> Option<Nature> {
    let of_test = shown::observed_test(db, instances, item);
    let mut observed = instances.iter().map(|it| it.observed(db)).chain(of_test);
    observed.find_map(|it| {
        let seen = it.of_item(item).iter().filter(|it| it.span.hi == end);
        let smallest = seen.min_by_key(|it| it.span.hi - it.span.lo)?;
        smallest.natures.last().cloned()
    })
}

fn functions(
    db: &dyn Db,
    file: SourceFile,
    path: &[SmolStr],
    in_brackets: bool,
    found: &mut Vec<Callable>,
) {
    for it in names::resolve(db, file, path) {
        let Found::Decl(decl) = it else { continue };
        match decl.kind {
            DeclKind::Fn { .. } | DeclKind::Iter { .. } | DeclKind::Kernel => {
                found.extend(declared(db, &decl.item, None, in_brackets));
            }
            DeclKind::Struct => {
                let init = member(db, &TypeRef { item: decl.item.clone() }, "init");
                let init = init.and_then(|(key, n)| declared(db, &key, Some(n), in_brackets));
                found.extend(init.or_else(|| fields_of(db, &decl.item, in_brackets)));
            }
            DeclKind::Const | DeclKind::Enum(_) | DeclKind::Build => {}
        }
    }
    if let Some(it) = Builtin::function(path).filter(|_| !in_brackets) {
        found.push(of_row(it));
    }
}

fn methods(
    db: &dyn Db,
    file: SourceFile,
    name: &SmolStr,
    receiver: Option<&Nature>,
    in_brackets: bool,
    found: &mut Vec<Callable>,
) {
    if let Some(Nature::Struct { ty, .. }) = receiver
        && let Some((key, n)) = member(db, ty, name)
    {
        found.extend(declared(db, &key, Some(n), in_brackets));
        return;
    }
    let in_memory = matches!(receiver, Some(Nature::View { .. } | Nature::Tensor { .. }));
    let builtin = Builtin::method(name).filter(|_| !in_brackets).map(of_row);
    let of_library = names::resolve(db, file, std::slice::from_ref(name));
    let of_library = of_library.into_iter().filter_map(|it| match it {
        Found::Decl(it) if it.kind == DeclKind::Fn { method: true } => {
            declared(db, &it.item, None, in_brackets)
        }
        _ => None,
    });
    let of_library: Vec<Callable> = of_library.collect();
    if in_memory || of_library.is_empty() {
        found.extend(builtin);
    }
    found.extend(of_library);
}

/// The member of a type's `impl`s of that name.
pub fn member(db: &dyn Db, ty: &TypeRef, name: &str) -> Option<(ItemKey, u32)> {
    let file = db::file(db, ty.item.file)?;
    let impls = names::module(db, file).impls.iter().filter(|it| it.name == ty.item.item);
    impls.into_iter().find_map(|it| {
        let n = it.members.iter().position(|it| it.name == name)?;
        Some((it.item.clone(), n as u32))
    })
}

fn declared(
    db: &dyn Db,
    item: &ItemKey,
    member: Option<u32>,
    in_brackets: bool,
) -> Option<Callable> {
    let tree = db::item(db, item)?;
    let decl = docs::function(&tree, member)?;
    let text = |span: Span| docs::text_of(db, item, span).unwrap_or_default();
    let params: Vec<Parameter> = match in_brackets {
        true => decl.generics.iter().map(|it| of_generic(it, text)).collect(),
        false => decl.params.iter().filter_map(|it| of_param(it, text)).collect(),
    };
    let means = match member {
        Some(n) => Meaning::Member(item.clone(), n),
        None => Meaning::Item(item.clone()),
    };
    let name = match (&tree.kind, decl.kind) {
        (ItemKind::Impl(it), FnKind::Init) => &it.name.text,
        _ => &decl.name.text,
    };
    let result = decl.result.as_ref().map(|it| text(it.span));
    Some(Callable { means, label: label(name, &params, in_brackets, result), params })
}

fn label(name: &str, params: &[Parameter], in_brackets: bool, result: Option<String>) -> String {
    let params: Vec<&str> = params.iter().map(|it| it.label.as_str()).collect();
    let params = params.join(", ");
    match (in_brackets, result) {
        (true, _) => format!("{name}[{params}]"),
        (false, Some(result)) => format!("{name}({params}) -> {result}"),
        (false, None) => format!("{name}({params})"),
    }
}

fn of_param(it: &Param, text: impl std::ops::Fn(Span) -> String) -> Option<Parameter> {
    let PatternKind::Name(name) = &it.pattern.kind else { return None };
    if name.text == "self" {
        return None;
    }
    let end = it.default.as_ref().or(it.ty.as_ref()).map_or(name.span, |it| it.span);
    Some(Parameter {
        name: name.text.clone(),
        label: text(name.span.to(end)),
        optional: it.default.is_some() || it.rest,
        docs: it.docs.to_string(),
    })
}

fn of_generic(it: &Generic, text: impl std::ops::Fn(Span) -> String) -> Parameter {
    let end = it.default.as_ref().or(it.ty.as_ref()).map_or(it.name.span, |it| it.span);
    Parameter {
        name: it.name.text.clone(),
        label: text(it.name.span.to(end)),
        optional: it.default.is_some(),
        docs: String::new(),
    }
}

fn fields_of(db: &dyn Db, item: &ItemKey, in_brackets: bool) -> Option<Callable> {
    let tree = db::item(db, item)?;
    let (ItemKind::Struct(it) | ItemKind::Permit(it)) = &tree.kind else { return None };
    let text = |span: Span| docs::text_of(db, item, span).unwrap_or_default();
    let of_field = |it: &Field| {
        let end = it.default.as_ref().map_or(it.ty.span, |it| it.span);
        Parameter {
            name: it.name.text.clone(),
            label: text(it.name.span.to(end)),
            optional: it.default.is_some(),
            docs: it.docs.to_string(),
        }
    };
    let params: Vec<Parameter> = match in_brackets {
        true => it.generics.iter().map(|it| of_generic(it, text)).collect(),
        false => it.fields.iter().map(of_field).collect(),
    };
    let label = label(&it.name.text, &params, in_brackets, None);
    Some(Callable { means: Meaning::Item(item.clone()), label, params })
}

fn of_row(builtin: Builtin) -> Callable {
    let row: &Row = builtin.row();
    let label = row.signature.to_owned();
    Callable { means: Meaning::Builtin(builtin), params: parameters(row.signature), label }
}

/// The parameters in the parentheses of a signature.
fn parameters(signature: &str) -> Vec<Parameter> {
    let Some(open) = signature.find('(') else { return Vec::new() };
    let (mut depth, mut start, mut found) = (0, open + 1, Vec::new());
    for (at, it) in signature.char_indices().skip_while(|it| it.0 < open) {
        match it {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        let ends = (it == ',' && depth == 1) || depth == 0;
        if ends {
            found.extend(parameter(signature[start..at].trim()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

fn parameter(text: &str) -> Option<Parameter> {
    let name = text.split([':', ' ', '=']).next().filter(|it| !it.is_empty() && *it != "…")?;
    Some(Parameter {
        name: SmolStr::new(name),
        label: text.to_owned(),
        optional: text.contains('='),
        docs: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Option<CallAt> {
        let at = text.find("$0").expect("a cursor") as u32;
        call_at(&text.replace("$0", ""), at)
    }

    #[test]
    fn the_innermost_call_is_meant() {
        let found = call("f(a, x.g(1, mask: b, $0), c)").expect("a call");
        assert_eq!(found.path, ["g"]);
        assert_eq!((found.receiver, found.n_before), (Some(6), 2));
        assert_eq!(found.names, ["mask"]);
    }

    #[test]
    fn compile_time_arguments_stand_before_the_others() {
        let found = call("std::gemm[BM: 64](a, $0").expect("a call");
        assert_eq!(found.path, ["std", "gemm"]);
        assert!(!found.in_brackets);
        assert!(call("gemm[BM: $0").is_some_and(|it| it.in_brackets && it.named.is_some()));
    }

    #[test]
    fn a_statement_is_no_argument() {
        assert_eq!(call("f(a); let b = $0"), None);
        assert_eq!(call("fn f() { $0 }"), None);
    }

    #[test]
    fn signatures_are_read() {
        let names: Vec<SmolStr> = parameters("load(p, mask: bool = true, evict: a|b = a) -> tile")
            .into_iter()
            .map(|it| it.name)
            .collect();
        assert_eq!(names, ["p", "mask", "evict"]);
    }
}
