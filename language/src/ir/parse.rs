//! Reading the IR's text; the form is described in [`super::text`].
//!
//! A text written by hand may leave out what a printed one has: sites (an instruction's own bytes in
//! the text are its site then), numbers (`%acc` and `#ROW` are names that get the next free number;
//! a value so written has that name), and bases of layouts (`[1024] blocked regs [4] lanes [32]
//! warps [4] order [0]`, `[32] slice 1 of blocked …`).
//!
//! Parsing checks the text only; [`super::verify`] checks the kernel.

mod lex;
mod plan;

use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;
use tile_layout::{In, Layout, Machine, MapDim, MemoryMap, Spec};
use tile_syntax::ast::Span;

use super::attributes::{Attr, operation};
use super::text::INPUTS;
use super::{
    Clauses, Elem, Extent, Fact, FactKind, Inst, ItemKey, Kernel, Place, Region, Shape, Site,
    SiteId, Tensor, Type, Value, ValueDecl, literal,
};
use crate::dtype::DType;
use crate::op::Op;
use crate::target::TargetId;
use lex::{Spanned, Token};

/// How deep regions and launch expressions may nest.
const NESTING_MAX: u32 = 200;

/// How large a number after `%` and `!` may be.
const NUMBER_MAX: u32 = 1 << 24;

/// Why a text is no kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong, in a sentence without full stop.
    pub message: String,
}

impl ParseError {
    fn at(text: &str, byte: usize, message: String) -> ParseError {
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |it| it + 1);
        let line = before.matches('\n').count() + 1;
        ParseError { line, column: before[line_start..].chars().count() + 1, message }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

type Parse<T> = Result<T, ParseError>;

/// The kernel that `text` describes.
pub fn parse(text: &str) -> Result<Kernel, ParseError> {
    let tokens = lex::tokens(text)?;
    let mut parser = Parser::new(text, tokens);
    let kernel = parser.kernel()?;
    parser.expect(&Token::End)?;
    Ok(kernel)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Spanned>,
    at: usize,
    depth: u32,
    // Numbers of values and layouts that are written as names.
    value_names: FxHashMap<SmolStr, u32>,
    values: Vec<Option<ValueDecl>>,
    layouts: FxHashMap<SmolStr, Layout>,
    maps: FxHashMap<SmolStr, MemoryMap>,
    written_sites: Vec<Option<Site>>,
    own_sites: Vec<Span>,
    item: SmolStr,
    machine: Machine,
}

/// The own sites of a text are numbered after the written ones when the text has been read.
const OWN_SITE: u32 = 1 << 30;

impl<'a> Parser<'a> {
    fn new(text: &'a str, tokens: Vec<Spanned>) -> Parser<'a> {
        let numbers = tokens.iter().filter_map(|it| match &it.token {
            Token::Sigil('%', it) => it.parse::<u32>().ok().filter(|&it| it < NUMBER_MAX),
            _ => None,
        });
        let numbered = numbers.max().map_or(0, |it| it as usize + 1);
        Parser {
            text,
            tokens,
            at: 0,
            depth: 0,
            value_names: FxHashMap::default(),
            values: vec![None; numbered],
            layouts: FxHashMap::default(),
            maps: FxHashMap::default(),
            written_sites: vec![],
            own_sites: vec![],
            item: SmolStr::default(),
            machine: Machine { lanes: 32, warps: 1 },
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].token
    }

    fn peek_second(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].token
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// An error at the next token.
    fn error<T>(&self, message: impl Into<String>) -> Parse<T> {
        self.error_at(self.at, message)
    }

    fn error_at<T>(&self, token: usize, message: impl Into<String>) -> Parse<T> {
        Err(ParseError::at(self.text, self.tokens[token].lo, message.into()))
    }

    fn wanted<T>(&self, what: &str) -> Parse<T> {
        self.error(format!("{what} is wanted here, not {}", self.peek()))
    }

    fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        if found {
            self.next();
        }
        found
    }

    fn eat_sign(&mut self, sign: char) -> bool {
        self.eat(&Token::Sign(sign))
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(it) if it == word);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, token: &Token) -> Parse<()> {
        if self.eat(token) { Ok(()) } else { self.wanted(&token.to_string()) }
    }

    fn expect_sign(&mut self, sign: char) -> Parse<()> {
        self.expect(&Token::Sign(sign))
    }

    fn expect_word(&mut self, word: &str) -> Parse<()> {
        if self.eat_word(word) { Ok(()) } else { self.wanted(&format!("`{word}`")) }
    }

    fn word(&mut self) -> Parse<SmolStr> {
        match self.peek().clone() {
            Token::Word(it) => {
                self.next();
                Ok(it)
            }
            _ => self.wanted("a word"),
        }
    }

    fn string(&mut self) -> Parse<String> {
        match self.peek().clone() {
            Token::Text(it) => {
                self.next();
                Ok(it)
            }
            _ => self.wanted("a string"),
        }
    }

    /// A word or a string.
    fn name(&mut self) -> Parse<SmolStr> {
        match self.peek() {
            Token::Text(_) => self.string().map(SmolStr::from),
            _ => self.word(),
        }
    }

    fn number<T: std::str::FromStr>(&mut self) -> Parse<T> {
        let token = self.at;
        match self.next() {
            Token::Number(it) => {
                it.parse().or_else(|_| self.error_at(token, format!("`{it}` does not fit here")))
            }
            other => self.error_at(token, format!("a number is wanted here, not {other}")),
        }
    }

    /// `[a, b, …]`
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        self.expect_sign('[')?;
        let mut res = vec![];
        while !self.eat_sign(']') {
            if !res.is_empty() {
                self.expect_sign(',')?;
            }
            res.push(item(self)?);
        }
        Ok(res)
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.depth += 1;
        if NESTING_MAX < self.depth {
            return self.error(format!("nested more than {NESTING_MAX} deep"));
        }
        let res = inner(self);
        self.depth -= 1;
        res
    }

    fn kernel(&mut self) -> Parse<Kernel> {
        self.expect_word("kernel")?;
        self.item = self.name()?;
        self.expect_word("for")?;
        let token = self.at;
        let word = self.word()?;
        let Some(target) = TargetId::from_name(&word) else {
            return self.error_at(token, format!("there is no target `{word}`"));
        };
        self.expect_word("warps")?;
        let warps = self.number()?;
        self.machine = Machine { lanes: target.row().lanes, warps };
        self.expect_sign('{')?;
        let mut plan = self.plan()?;
        while self.eat_word("layout") {
            self.layout()?;
        }
        while self.eat_word("memory") {
            self.map()?;
        }
        let mut tensors = vec![];
        while self.eat_word("tensor") {
            tensors.push(self.tensor()?);
        }
        let mut facts = vec![];
        while self.eat_word("fact") {
            facts.push(self.fact()?);
        }
        let clauses = self.clauses()?;
        let body = self.body(&mut plan)?;
        while self.eat_word("value") {
            self.definition()?;
        }
        while self.eat_word("site") {
            self.site()?;
        }
        self.expect_sign('}')?;
        let mut kernel = Kernel {
            name: self.item.clone(),
            target,
            warps,
            plan: Arc::new(plan),
            values: self.finish_values()?,
            tensors,
            facts,
            clauses,
            sites: vec![],
            body,
        };
        self.finish_sites(&mut kernel)?;
        Ok(kernel)
    }

    fn finish_values(&mut self) -> Parse<Vec<ValueDecl>> {
        let values = std::mem::take(&mut self.values);
        let missing = values.iter().position(Option::is_none);
        if let Some(number) = missing {
            let name = self.value_names.iter().find(|it| *it.1 as usize == number);
            let name = name.map_or_else(|| number.to_string(), |it| it.0.to_string());
            return self.error(format!("`%{name}` is never defined"));
        }
        Ok(values.into_iter().flatten().collect())
    }

    fn finish_sites(&mut self, kernel: &mut Kernel) -> Parse<()> {
        let written = std::mem::take(&mut self.written_sites);
        if let Some(number) = written.iter().position(Option::is_none) {
            return self.error(format!("`!{number}` is never described"));
        }
        let first_own = written.len() as u32;
        let item = ItemKey { file: 0, item: self.item.clone() };
        let own = self
            .own_sites
            .iter()
            .map(|&span| Site { place: Place { item: item.clone(), span }, caller: None });
        kernel.sites = written.into_iter().flatten().chain(own).collect();
        let renumber = |site: &mut SiteId| {
            if OWN_SITE <= site.0 {
                site.0 = site.0 - OWN_SITE + first_own;
            }
        };
        for tensor in &mut kernel.tensors {
            renumber(&mut tensor.site);
            tensor.dim_sites.iter_mut().for_each(renumber);
        }
        kernel.facts.iter_mut().for_each(|it| renumber(&mut it.site));
        renumber(&mut kernel.clauses.head);
        kernel.clauses.last.iter_mut().for_each(renumber);
        renumber_region(&mut kernel.body, &renumber);
        Ok(())
    }

    fn body(&mut self, plan: &mut tile_plan::LaunchPlan) -> Parse<Region> {
        self.expect_word("body")?;
        self.expect_sign('(')?;
        let mut params = vec![];
        while !self.eat_sign(')') {
            if !params.is_empty() {
                self.eat_sign(',');
            }
            if !matches!(self.peek(), Token::Sign('=')) {
                params.push(self.definition()?);
            }
            if self.eat_sign('=') {
                plan.abi.push(self.slot(plan)?);
            }
        }
        self.expect_sign('{')?;
        let mut region = self.contents()?;
        region.params = params;
        Ok(region)
    }

    /// Instructions and yields, up to the closing brace.
    fn contents(&mut self) -> Parse<Region> {
        let mut region = Region::default();
        loop {
            if self.eat_sign('}') {
                return Ok(region);
            }
            if self.eat_word("yield") {
                region.yields = self.values()?;
                self.expect_sign('}')?;
                return Ok(region);
            }
            region.insts.push(self.inst()?);
        }
    }

    fn region(&mut self) -> Parse<Region> {
        let mut params = vec![];
        if self.eat_sign('(') {
            while !self.eat_sign(')') {
                if !params.is_empty() {
                    self.expect_sign(',')?;
                }
                params.push(self.definition()?);
            }
        }
        let mut region = self.contents()?;
        region.params = params;
        Ok(region)
    }

    fn inst(&mut self) -> Parse<Inst> {
        let first = self.at;
        let mut results = SmallVec::new();
        if matches!(self.peek(), Token::Sigil('%', _)) {
            results.push(self.definition()?);
            while self.eat_sign(',') {
                results.push(self.definition()?);
            }
            self.expect_sign('=')?;
        }
        let op_token = self.at;
        let name = self.word()?;
        let mut attrs = if self.eat_sign('<') { self.attributes('>')? } else { vec![] };
        if name == "tile.const" {
            self.literal(&mut attrs, results.first().copied(), op_token)?;
        }
        let op = operation(&name, attrs).or_else(|message| self.error_at(op_token, message))?;
        let operands = if matches!(self.peek(), Token::Sigil('%', _)) && !self.begins_definition() {
            self.values()?.into()
        } else {
            SmallVec::new()
        };
        let site = self.site_of(first)?;
        let mut regions = vec![];
        while self.eat_sign('{') {
            regions.push(self.nested(Self::region)?);
        }
        if matches!(&op, Op::Flow(crate::op::FlowOp::If)) && regions.len() == 1 {
            regions.push(Region::default());
        }
        Ok(Inst { op, operands, results, regions, site })
    }

    /// Whether the value that comes next is being defined: a type or a name follows it.
    fn begins_definition(&self) -> bool {
        matches!(self.peek_second(), Token::Sign(':') | Token::Word(_) | Token::Text(_))
            && !matches!(self.peek_second(), Token::Word(it) if it == "yield" || it.contains('.'))
    }

    /// Turns the readable number of a constant into bits.
    fn literal(&mut self, attrs: &mut [Attr], result: Option<Value>, token: usize) -> Parse<()> {
        let elem = result.and_then(|it| self.values[it.0 as usize].as_ref()).map(|it| it.ty.elem);
        let (Some(elem), [Attr::Number(text) | Attr::Word(text)]) = (elem, &*attrs) else {
            return self.error_at(token, "`tile.const` defines a value and takes one number");
        };
        let Some(bits) = literal::parse(elem, text) else {
            return self.error_at(token, format!("`{text}` is no number of this type"));
        };
        attrs[0] = Attr::Number(smol_str::format_smolstr!("{bits}"));
        Ok(())
    }

    fn attributes(&mut self, end: char) -> Parse<Vec<Attr>> {
        let mut res = vec![];
        while !self.eat_sign(end) {
            if !res.is_empty() {
                self.expect_sign(',')?;
            }
            let token = self.at;
            res.push(match self.next() {
                Token::Word(it) => Attr::Word(it),
                Token::Number(it) => Attr::Number(it),
                Token::Text(it) => Attr::Text(it),
                Token::Sign('[') => Attr::List(self.nested(|it| it.attributes(']'))?),
                other => {
                    return self.error_at(
                        token,
                        format!("a word, a number or a string is wanted here, not {other}"),
                    );
                }
            });
        }
        Ok(res)
    }

    fn values(&mut self) -> Parse<Vec<Value>> {
        let mut res = vec![self.value()?];
        while self.eat_sign(',') {
            res.push(self.value()?);
        }
        Ok(res)
    }

    fn value(&mut self) -> Parse<Value> {
        let token = self.at;
        match self.next() {
            Token::Sigil('%', it) => self.numbered(&it, token),
            other => self.error_at(token, format!("a value is wanted here, not {other}")),
        }
    }

    fn numbered(&mut self, text: &SmolStr, token: usize) -> Parse<Value> {
        if text.starts_with(|it: char| it.is_ascii_digit()) {
            return match text.parse::<u32>() {
                Ok(it) if it < NUMBER_MAX => Ok(Value(it)),
                _ => self.error_at(token, format!("`%{text}` is no number of a value")),
            };
        }
        let next = self.values.len() as u32;
        let number = *self.value_names.entry(text.clone()).or_insert(next);
        if number == next {
            self.values.push(None);
        }
        Ok(Value(number))
    }

    /// `%3 name: type`
    fn definition(&mut self) -> Parse<Value> {
        let token = self.at;
        let written = self.peek().clone();
        let value = self.value()?;
        let mut name = match written {
            Token::Sigil(_, it) if !it.starts_with(|it: char| it.is_ascii_digit()) => it,
            _ => SmolStr::default(),
        };
        if !matches!(self.peek(), Token::Sign(':')) {
            name = self.name()?;
        }
        self.expect_sign(':')?;
        let ty = self.ty()?;
        let decl = &mut self.values[value.0 as usize];
        if decl.is_some() {
            return self.error_at(token, format!("`{value}` is defined twice"));
        }
        *decl = Some(ValueDecl { ty, name });
        Ok(value)
    }

    fn ty(&mut self) -> Parse<Type> {
        if self.eat_word("shared") {
            let dtype = self.dtype()?;
            self.expect_sign('@')?;
            return Ok(Type::view(dtype, self.map_name()?));
        }
        if self.eat_word("barrier") {
            self.expect_sign('@')?;
            return Ok(Type::barriers(self.map_name()?));
        }
        if self.eat_word("map") {
            return Ok(Type::single(Elem::Map));
        }
        let pointer = self.eat_sign('*');
        let dtype = self.dtype()?;
        let elem = if pointer { Elem::Pointer(dtype) } else { Elem::Data(dtype) };
        let shape: Shape = if matches!(self.peek(), Token::Sign('[')) {
            self.list(Self::number)?.into()
        } else {
            Shape::new()
        };
        let layout = if self.eat_sign('@') { Some(self.layout_name()?) } else { None };
        Ok(Type { elem, shape, layout, memory: None })
    }

    fn map_name(&mut self) -> Parse<MemoryMap> {
        let token = self.at;
        match self.next() {
            Token::Sigil('#', it) => match self.maps.get(&it) {
                Some(map) => Ok(map.clone()),
                None => self.error_at(token, format!("`#{it}` is not declared")),
            },
            other => self.error_at(token, format!("a memory map is wanted here, not {other}")),
        }
    }

    /// After `memory`: `#m0 = 128 [32, 64] 0, 32 [1, 2, 4] 0 mixed 24 padding [32, 8]`.
    fn map(&mut self) -> Parse<()> {
        let token = self.at;
        let Token::Sigil('#', name) = self.next() else {
            return self.error_at(token, "the map's name is wanted here");
        };
        self.expect_sign('=')?;
        let mut dims = vec![];
        while matches!(self.peek(), Token::Number(_)) {
            dims.push(self.map_dim()?);
            if !self.eat_sign(',') {
                break;
            }
        }
        let mixed = if self.eat_word("mixed") { self.number()? } else { 0 };
        let mut padding = vec![];
        if self.eat_word("padding") {
            while matches!(self.peek(), Token::Sign('[')) {
                let token = self.at;
                match self.list(Self::number)?[..] {
                    [0, _] => return self.error_at(token, "padding has an interval of at least 1"),
                    [interval, pad] => padding.push((interval, pad)),
                    _ => return self.error_at(token, "padding is an interval and a pad"),
                }
            }
        }
        self.maps.insert(name, MemoryMap::new(dims, padding, mixed));
        Ok(())
    }

    fn map_dim(&mut self) -> Parse<MapDim> {
        let token = self.at;
        let extent: u32 = self.number()?;
        let columns: Vec<u32> = self.list(Self::number)?;
        if extent == 0 || columns.len() > extent.trailing_zeros() as usize {
            let n_columns = columns.len();
            return self
                .error_at(token, format!("an extent of {extent} has not {n_columns} columns"));
        }
        Ok(MapDim { extent, columns: columns.into(), stride: self.number()? })
    }

    fn dtype(&mut self) -> Parse<DType> {
        let token = self.at;
        let word = self.word()?;
        DType::from_name(&word)
            .map_or_else(|| self.error_at(token, format!("there is no element type `{word}`")), Ok)
    }

    fn layout_name(&mut self) -> Parse<Layout> {
        let token = self.at;
        match self.next() {
            Token::Sigil('#', it) => match self.layouts.get(&it) {
                Some(layout) => Ok(layout.clone()),
                None => self.error_at(token, format!("`#{it}` is not declared")),
            },
            other => self.error_at(token, format!("a layout is wanted here, not {other}")),
        }
    }

    /// After `layout`: `#0 = [8, 4] register [1, 0] …` or `#0 = [8, 4] blocked …`.
    fn layout(&mut self) -> Parse<()> {
        let token = self.at;
        let Token::Sigil('#', name) = self.next() else {
            return self.error_at(token, "the layout's name is wanted here");
        };
        self.expect_sign('=')?;
        let shape: Vec<u32> = self.list(Self::number)?;
        let token = self.at;
        let layout = match self.peek().clone() {
            Token::Word(it) if it == "blocked" || it == "slice" => {
                let spec = self.spec()?;
                match spec.apply(&shape, self.machine) {
                    Ok(layout) => layout,
                    Err(error) => {
                        return self.error_at(token, format!("this layout does not fit: {error}"));
                    }
                }
            }
            _ => match Layout::try_new(&shape, self.bases()?) {
                Ok(layout) => layout,
                Err(error) => return self.error_at(token, format!("this is no layout: {error}")),
            },
        };
        self.layouts.insert(name, layout);
        Ok(())
    }

    fn spec(&mut self) -> Parse<Spec> {
        if self.eat_word("slice") {
            let axis = self.number()?;
            self.expect_word("of")?;
            return Ok(Spec::Slice(Box::new(self.nested(Self::spec)?), axis));
        }
        self.expect_word("blocked")?;
        let mut part = |word: &str| {
            self.expect_word(word)?;
            self.list(Self::number)
        };
        Ok(Spec::Blocked {
            regs: part("regs")?,
            lanes: part("lanes")?,
            warps: part("warps")?,
            order: Some(part("order")?),
        })
    }

    fn bases(&mut self) -> Parse<Vec<(In, Vec<Shape>)>> {
        let mut res = vec![];
        for (input, word) in INPUTS {
            if self.eat_word(word) {
                let mut bases = vec![];
                while matches!(self.peek(), Token::Sign('[')) {
                    bases.push(self.list(Self::number)?.into());
                }
                res.push((input, bases));
            }
        }
        Ok(res)
    }

    fn extent(&mut self) -> Parse<Extent> {
        match self.peek() {
            Token::Sigil('%', _) => self.value().map(Extent::Value),
            _ => self.number().map(Extent::Const),
        }
    }

    fn tensor(&mut self) -> Parse<Tensor> {
        let first = self.at;
        let name = self.name()?;
        self.expect_sign(':')?;
        let dtype = self.dtype()?;
        self.expect_word("at")?;
        let base = self.value()?;
        self.expect_word("dims")?;
        let dims = self.list(Self::extent)?;
        self.expect_word("strides")?;
        let strides = self.list(Self::extent)?;
        self.expect_word("align")?;
        let align = self.number()?;
        let mutable = self.eat_word("mut");
        let optional = self.eat_word("optional");
        let site = self.site_of(first)?;
        let dim_sites = if self.eat_word("dims_at") {
            self.list(Self::site_id)?
        } else {
            vec![site; dims.len()]
        };
        if dim_sites.len() != dims.len() {
            return self.wanted("a place for every extent");
        }
        Ok(Tensor { name, dtype, base, dims, strides, mutable, optional, align, site, dim_sites })
    }

    fn fact(&mut self) -> Parse<Fact> {
        let first = self.at;
        let kind = if self.eat_word("divisible") {
            let value = self.value()?;
            self.expect_word("by")?;
            FactKind::Divisible { value, divisor: self.number()? }
        } else if self.eat_word("range") {
            let value = self.value()?;
            let lo = if self.eat_word("from") { Some(self.number()?) } else { None };
            let hi = if self.eat_word("to") { Some(self.number()?) } else { None };
            FactKind::Range { value, lo, hi }
        } else if self.eat_word("at_most") {
            FactKind::AtMost { a: self.value()?, b: self.value()? }
        } else {
            return self.wanted("`divisible`, `range` or `at_most`");
        };
        Ok(Fact { kind, site: self.site_of(first)? })
    }

    /// `clauses !0 last !1`; left out, the word `body` stands for the head.
    fn clauses(&mut self) -> Parse<Clauses> {
        if !self.eat_word("clauses") {
            return Ok(Clauses { head: self.own_site(self.at, self.at + 1), last: None });
        }
        let head = self.site_id()?;
        let last = if self.eat_word("last") { Some(self.site_id()?) } else { None };
        Ok(Clauses { head, last })
    }

    /// `!n`, or the bytes since the token `first` as a site of its own.
    fn site_of(&mut self, first: usize) -> Parse<SiteId> {
        if matches!(self.peek(), Token::Sigil('!', _)) {
            return self.site_id();
        }
        Ok(self.own_site(first, self.at))
    }

    /// The bytes from token `first` up to and without token `end` as a site.
    fn own_site(&mut self, first: usize, end: usize) -> SiteId {
        self.own_sites
            .push(Span::new(self.tokens[first].lo as u32, self.tokens[end - 1].hi as u32));
        SiteId(OWN_SITE + self.own_sites.len() as u32 - 1)
    }

    fn site_id(&mut self) -> Parse<SiteId> {
        let token = self.at;
        match self.next() {
            Token::Sigil('!', it) => match it.parse::<u32>() {
                Ok(number) if number < NUMBER_MAX => {
                    let len = self.written_sites.len().max(number as usize + 1);
                    self.written_sites.resize(len, None);
                    Ok(SiteId(number))
                }
                _ => self.error_at(token, format!("`!{it}` is no number of a site")),
            },
            other => self.error_at(token, format!("a site is wanted here, not {other}")),
        }
    }

    /// After `site`: `!0 = file 0 item "kernel add" 10..20 from !1`.
    fn site(&mut self) -> Parse<()> {
        let id = self.site_id()?;
        self.expect_sign('=')?;
        self.expect_word("file")?;
        let file = self.number()?;
        self.expect_word("item")?;
        let item = self.string()?.into();
        let lo = self.number()?;
        self.expect(&Token::To)?;
        let span = Span::new(lo, self.number()?);
        let caller = if self.eat_word("from") { Some(self.site_id()?) } else { None };
        self.written_sites[id.0 as usize] =
            Some(Site { place: Place { item: ItemKey { file, item }, span }, caller });
        Ok(())
    }
}

fn renumber_region(region: &mut Region, renumber: &impl Fn(&mut SiteId)) {
    for inst in &mut region.insts {
        renumber(&mut inst.site);
        inst.regions.iter_mut().for_each(|it| renumber_region(it, renumber));
    }
}

#[cfg(test)]
mod tests;
