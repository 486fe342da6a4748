//! Mending the part of an item in which the parser stopped.
//!
//! The *region* is the smallest part that can be judged alone: a statement, a role, a member of an
//! `impl`; in a head an element of a list or a clause. Statements end at `;`, at a block, and before
//! a line at their own indentation. If the region is sound alone, the one before it is unfinished.
//! Edits and ways to finish are tried on the region alone; what resists becomes a hole. A head that
//! is beyond help keeps its block.

use crate::brackets::partners;
use crate::error::Unreadable;
use crate::lex::Lexeme;
use crate::parse::Stop;
use crate::repair::{Edit, Work, apply, single_edits};
use crate::token::Token;
use crate::words::leads_with;

/// What the regions between two braces are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Statements,
    Roles,
    Members,
}

impl Kind {
    fn go(self) -> Token {
        match self {
            Kind::Statements => Token::GoBody,
            Kind::Roles => Token::GoRoles,
            Kind::Members => Token::GoMembers,
        }
    }
}

/// A part of the tokens that can be judged alone.
#[derive(Clone, Copy, Debug)]
struct Region {
    lo: usize,
    hi: usize,
    kind: Kind,
    /// Whether another of its kind follows, so that it must be complete.
    followed: bool,
}

/// Changes the tokens of `work` so that the parser gets past `stop`. `false` if nothing helped.
pub(crate) fn mend(work: &mut Work<'_>, stop: &Stop) -> bool {
    let partners = partners(&work.tokens);
    match regions(work, &partners, stop.at) {
        Some((kind, regions)) => mend_regions(work, &partners, stop, kind, &regions),
        None => mend_head(work, &partners, stop),
    }
}

/// The regions of the innermost block that holds `at`; `None` if that is the head of an item or of
/// a member.
fn regions(work: &Work<'_>, partners: &[usize], at: usize) -> Option<(Kind, Vec<Region>)> {
    let tokens = &work.tokens;
    let mut here = at;
    loop {
        let open = opener_around(tokens, partners, here);
        let (lo, hi, kind) = match open {
            Some(open) if tokens[open].token != Token::LBrace => {
                here = open;
                continue;
            }
            Some(open) => match block_kind(work, partners, open) {
                Some(kind) => (open + 1, partners[open].max(open + 1), kind),
                None => {
                    here = open;
                    continue;
                }
            },
            None if work.go == Token::GoBody => (0, tokens.len(), Kind::Statements),
            None => return None,
        };
        return Some((kind, cut(tokens, partners, lo, hi, kind)));
    }
}

/// The innermost opening bracket whose inside holds the place before `at`.
fn opener_around(tokens: &[Lexeme], partners: &[usize], at: usize) -> Option<usize> {
    let mut here = at.min(tokens.len());
    while here > 0 {
        here -= 1;
        if tokens[here].token.is_opener() {
            return Some(here);
        }
        if tokens[here].token.is_closer() {
            here = partners[here].min(here);
        }
    }
    None
}

/// What stands in the braces that open at `open`; `None` for fields, variants and the like.
fn block_kind(work: &Work<'_>, partners: &[usize], open: usize) -> Option<Kind> {
    let tokens = &work.tokens;
    if open.checked_sub(1).is_some_and(|it| tokens[it].token == Token::Roles) {
        return Some(Kind::Roles);
    }
    if work.go == Token::GoItem && opener_around(tokens, partners, open).is_none() {
        if leads_with(tokens, Token::Impl) {
            return Some(Kind::Members);
        }
        let lists = [Token::Struct, Token::Permit, Token::Enum, Token::Use];
        if lists.iter().any(|&it| leads_with(tokens, it)) {
            return None;
        }
    }
    Some(Kind::Statements)
}

/// Cuts the tokens from `lo` to `hi` into regions.
fn cut(tokens: &[Lexeme], partners: &[usize], lo: usize, hi: usize, kind: Kind) -> Vec<Region> {
    let mut starts = vec![];
    let margin = tokens[lo..hi].iter().find(|it| it.first).map_or(0, |it| it.indent);
    let mut at = lo;
    let mut fresh = true;
    while at < hi {
        let it = tokens[at];
        let new_line = it.first && it.indent <= margin && continues(it.token).is_none();
        if fresh || (new_line && (kind != Kind::Members || begins_member(it.token))) {
            starts.push(at);
        }
        let next = partners[at].max(at) + 1;
        let last = tokens[next - 1].token;
        fresh = (last == Token::Semi)
            || matches!(it.token, Token::Hole)
            || (last == Token::RBrace && ends_after_block(tokens, next, hi));
        at = next;
    }
    starts.push(hi);
    starts
        .windows(2)
        .map(|it| Region { lo: it[0], hi: it[1], kind, followed: it[1] < hi })
        .collect()
}

fn begins_member(token: Token) -> bool {
    matches!(token, Token::Pub | Token::Fn | Token::Iter | Token::Init | Token::Const)
}

/// Whether the token goes on with what stands before it.
fn continues(token: Token) -> Option<Token> {
    let goes_on = (token.is_joint() && token != Token::Star && token != Token::Minus)
        || token.is_closer()
        || matches!(token, Token::LBrace | Token::Question | Token::Semi | Token::Where);
    goes_on.then_some(token)
}

fn ends_after_block(tokens: &[Lexeme], next: usize, hi: usize) -> bool {
    next >= hi || continues(tokens[next].token).is_none() || tokens[next].token == Token::LBrace
}

fn mend_regions(
    work: &mut Work<'_>,
    partners: &[usize],
    stop: &Stop,
    kind: Kind,
    regions: &[Region],
) -> bool {
    let Some(mut nth) = regions.iter().rposition(|it| it.lo <= stop.at) else {
        return false;
    };
    // At the first token of a region it may be the one before that is unfinished.
    if stop.at == regions[nth].lo && 0 < nth && is_sound(work, regions[nth]) {
        nth -= 1;
    }
    let region = regions[nth];
    let edits = finish(work, partners, region)
        .or_else(|| element_hole(work, partners, region))
        .unwrap_or_else(|| hole(work, partners, region, kind));
    work.accept(edits, stop);
    true
}

/// Whether `tokens`, taken from `region`, parse alone.
fn complete(work: &Work<'_>, region: Region, tokens: &[Lexeme]) -> Option<Stop> {
    if region.followed && region.kind == Kind::Statements {
        let mut tokens = tokens.to_vec();
        let end = tokens.last().map_or(work.tokens[region.lo], |it| *it);
        tokens.push(Lexeme { token: Token::Hole, ..end });
        work.stop(region.kind.go(), &tokens)
    } else {
        work.stop(region.kind.go(), tokens)
    }
}

fn is_sound(work: &Work<'_>, region: Region) -> bool {
    complete(work, region, &work.tokens[region.lo..region.hi]).is_none()
}

/// Ways to finish what was begun, with their costs. The first finishes nothing.
const FINISHES: Finishes = {
    use Token::*;
    &[
        (&[], 0),
        (&[Semi], 2),
        (&[LBrace, RBrace], 5),
        (&[Name, Semi], 6),
        (&[Assign, Name, Semi], 8),
        (&[Name, LBrace, RBrace], 9),
        (&[In, Name, LBrace, RBrace], 11),
        (&[Name, In, Name, LBrace, RBrace], 13),
        (&[Name, Assign, Name, Semi], 13),
    ]
};

/// Ways to finish a head whose block stands there.
const HEAD_FINISHES: Finishes = {
    use Token::*;
    &[
        (&[], 0),
        (&[Name], 4),
        (&[In, Name], 7),
        (&[Name, In, Name], 9),
        (&[Colon], 5),
        (&[Name, Colon], 7),
    ]
};

/// The cheapest edit and finish after which the region parses alone.
fn finish(work: &Work<'_>, partners: &[usize], region: Region) -> Option<Vec<Edit>> {
    let tokens = &work.tokens[region.lo..region.hi];
    let stop = complete(work, region, tokens)?;
    let block = last_block(&work.tokens, partners, region).map(|it| it - region.lo);
    let stop_of = |tokens: &[Lexeme]| complete(work, region, tokens).map(|it| it.at);
    let mut ends = vec![(tokens.len(), FINISHES)];
    ends.extend(block.map(|it| (it, HEAD_FINISHES)));
    let candidates = candidates(tokens, &stop, &ends, stop_of);
    let mut found =
        candidates.into_iter().find(|it| complete(work, region, &apply(tokens, it)).is_none())?;
    found.iter_mut().for_each(|it| it.at += region.lo);
    Some(found)
}

/// Ways to finish, with their costs.
type Finishes = &'static [(&'static [Token], u32)];

/// Single edits at `stop`, each alone and with the ways to finish at each of `ends`, cheapest
/// first. A way to finish can only help if the parser gets as far as it: `stop_of` says how far.
fn candidates(
    tokens: &[Lexeme],
    stop: &Stop,
    ends: &[(usize, Finishes)],
    stop_of: impl Fn(&[Lexeme]) -> Option<usize>,
) -> Vec<Vec<Edit>> {
    let mut candidates: Vec<Vec<Edit>> = vec![];
    let edits = single_edits(tokens, stop).into_iter().map(Some);
    for edit in std::iter::once(None).chain(edits) {
        let (reached, longer) = match &edit {
            None => (stop.at, 0),
            Some(it) => {
                let edited = apply(tokens, std::slice::from_ref(it));
                let longer = edited.len() as isize - tokens.len() as isize;
                (stop_of(&edited).unwrap_or(usize::MAX), longer)
            }
        };
        candidates.extend(edit.iter().map(|it| vec![it.clone()]));
        for &(end, finishes) in ends {
            let in_order = edit.as_ref().is_none_or(|it| it.at + it.removed <= end);
            if !in_order || reached < end.saturating_add_signed(longer) {
                continue;
            }
            for &(finish, cost) in finishes.iter().filter(|it| !it.0.is_empty()) {
                let finish = Edit::insert(end, finish, cost);
                candidates.push(edit.iter().cloned().chain([finish]).collect());
            }
        }
    }
    candidates.sort_by_key(|it| it.iter().map(|it| it.cost).sum::<u32>());
    candidates
}

/// The last block in braces at the region's own level, if it ends the region.
fn last_block(tokens: &[Lexeme], partners: &[usize], region: Region) -> Option<usize> {
    let last = region.hi - 1;
    (tokens[last].token == Token::RBrace && region.lo <= partners[last]).then(|| partners[last])
}

/// What can stand for an element: an expression, a parameter or field, a name, nothing.
const ELEMENT_HOLES: &[&[Token]] = {
    use Token::*;
    &[&[ExprHole], &[Name, Colon, Name], &[Name], &[]]
};

/// A hole for the element of the innermost list in which the region cannot be read.
fn element_hole(work: &Work<'_>, partners: &[usize], region: Region) -> Option<Vec<Edit>> {
    let tokens = &work.tokens[region.lo..region.hi];
    let stop = complete(work, region, tokens)?;
    let open = opener_around(&work.tokens, partners, region.lo + stop.at)?;
    if open < region.lo || work.tokens[open].token == Token::LBrace {
        return None;
    }
    let (lo, hi) = element(&work.tokens, partners, open, region.lo + stop.at);
    let elements = ELEMENT_HOLES
        .iter()
        .map(|with| Edit::hole(lo - region.lo, hi - lo, with, Unreadable::Element, 15));
    let mut tries = elements.flat_map(|it| FINISHES.iter().map(move |finish| (it.clone(), finish)));
    tries.find_map(|(edit, &(finish, cost))| {
        let mut edits = vec![edit];
        if !finish.is_empty() {
            edits.push(Edit::insert(tokens.len(), finish, cost));
        }
        let sound = complete(work, region, &apply(tokens, &edits)).is_none();
        sound.then(|| {
            edits.iter_mut().for_each(|it| it.at += region.lo);
            edits
        })
    })
}

/// The element that holds `at` of the list that opens at `open`: between commas.
fn element(tokens: &[Lexeme], partners: &[usize], open: usize, at: usize) -> (usize, usize) {
    let (mut lo, mut here) = (open + 1, open + 1);
    while here < partners[open] {
        if tokens[here].token == Token::Comma {
            if at <= here {
                return (lo, here);
            }
            lo = here + 1;
        }
        here = partners[here].max(here) + 1;
    }
    (lo, here)
}

/// A hole in place of the region, which keeps its blocks.
fn hole(work: &Work<'_>, partners: &[usize], region: Region, kind: Kind) -> Vec<Edit> {
    let tokens = &work.tokens;
    let blocks = blocks(tokens, partners, region);
    match kind {
        Kind::Statements if blocks.is_empty() => {
            vec![Edit::hole(
                region.lo,
                region.hi - region.lo,
                &[Token::Hole],
                Unreadable::Statement,
                0,
            )]
        }
        Kind::Statements => {
            let mut edits = vec![];
            let mut from = region.lo;
            for open in blocks {
                edits.push(Edit::hole(from, open - from, &[Token::HoleHead], Unreadable::Head, 0));
                from = partners[open] + 1;
            }
            if from < region.hi {
                edits.push(Edit::hole(from, region.hi - from, &[], Unreadable::Head, 0));
            }
            edits
        }
        Kind::Roles => named_hole(tokens, partners, region, &blocks, region.lo, &[Token::Colon]),
        Kind::Members => {
            let tail = &[Token::LParen, Token::RParen];
            let word = tokens[region.lo..region.hi]
                .iter()
                .position(|it| matches!(it.token, Token::Fn | Token::Iter | Token::Init));
            match word {
                Some(word) => {
                    let is_init = tokens[region.lo + word].token == Token::Init;
                    let name = region.lo + word + usize::from(!is_init);
                    named_hole(tokens, partners, region, &blocks, name, tail)
                }
                None => member_hole(partners, region, &blocks),
            }
        }
    }
}

/// A member without a word is a function if it has a block.
fn member_hole(partners: &[usize], region: Region, blocks: &[usize]) -> Vec<Edit> {
    use Token::{Fn, LParen, Name, RParen};
    let Some(&block) = blocks.first() else {
        return vec![Edit::hole(region.lo, region.hi - region.lo, &[], Unreadable::Item, 0)];
    };
    let head = &[Fn, Name, LParen, RParen];
    let end = partners[block] + 1;
    let mut edits = vec![Edit::hole(region.lo, block - region.lo, head, Unreadable::Head, 0)];
    if end < region.hi {
        edits.push(Edit::hole(end, region.hi - end, &[], Unreadable::Head, 0));
    }
    edits
}

/// The opening braces of the blocks at the region's own level.
fn blocks(tokens: &[Lexeme], partners: &[usize], region: Region) -> Vec<usize> {
    let mut blocks = vec![];
    let mut at = region.lo;
    while at < region.hi {
        if tokens[at].token == Token::LBrace {
            blocks.push(at);
        }
        at = partners[at].max(at) + 1;
    }
    blocks
}

/// What stands between the name at `name` and the block becomes `tail`.
fn named_hole(
    tokens: &[Lexeme],
    partners: &[usize],
    region: Region,
    blocks: &[usize],
    name: usize,
    tail: &[Token],
) -> Vec<Edit> {
    let Some(&block) = blocks.first() else {
        let all = region.hi - region.lo;
        return vec![Edit::hole(region.lo, all, &[], Unreadable::Head, 0)];
    };
    let is_name = tokens
        .get(name)
        .is_some_and(|it| name < block && matches!(it.token, Token::Name | Token::Init));
    let from = if is_name { name + 1 } else { name.min(block) };
    let mut inserted = if is_name { vec![] } else { vec![Token::Name] };
    inserted.extend_from_slice(tail);
    let mut edits = vec![Edit::hole(from, block - from, &inserted, Unreadable::Head, 0)];
    if region.lo < name && !is_name {
        edits.clear();
        inserted.insert(0, Token::Fn);
        edits.push(Edit::hole(region.lo, block - region.lo, &inserted, Unreadable::Head, 0));
    }
    let end = partners[block] + 1;
    if end < region.hi {
        edits.push(Edit::hole(end, region.hi - end, &[], Unreadable::Head, 0));
    }
    edits
}

/// Ways to finish an item, with their costs.
const ITEM_FINISHES: Finishes = {
    use Token::*;
    &[
        (&[], 0),
        (&[Semi], 2),
        (&[Name], 4),
        (&[LBrace, RBrace], 5),
        (&[Name, Semi], 6),
        (&[Colon, Name], 6),
        (&[LParen, RParen], 6),
        (&[Name, LBrace, RBrace], 7),
        (&[LBracket, RBracket], 7),
        (&[LParen, RParen, LBrace, RBrace], 8),
        (&[Assign, Name, Semi], 8),
        (&[LBracket, RBracket, LBrace, RBrace], 9),
        (&[Name, LParen, RParen], 10),
        (&[Name, LParen, RParen, LBrace, RBrace], 11),
        (&[Name, Assign, Name, Semi], 12),
        (&[Str, LBrace, RBrace], 12),
    ]
};

/// Mends what stands outside all blocks: lists of parameters and fields, clauses, whole heads. An
/// edit is good if the parser gets past the part that it is about.
fn mend_head(work: &mut Work<'_>, partners: &[usize], stop: &Stop) -> bool {
    let rest = work.tokens.len() - stop.at;
    if 0 < rest && work.parses(work.go, &work.tokens[..stop.at]) {
        let after = Edit::hole(stop.at, rest, &[], Unreadable::Item, 0);
        work.accept(vec![after], stop);
        return true;
    }
    let (lo, hi) = head_part(work, partners, stop.at);
    let in_list = opener_around(&work.tokens, partners, stop.at).is_some();
    let stop_of = |tokens: &[Lexeme]| work.stop(work.go, tokens).map(|it| it.at);
    let mut candidates = candidates(&work.tokens, stop, &[(hi, ITEM_FINISHES)], stop_of);
    let ends_item = |it: &Edit| it.at == hi && it.inserted.contains(&Token::Semi);
    candidates.retain(|it| !in_list || !it.iter().any(ends_item));
    for (nth, with) in ELEMENT_HOLES.iter().enumerate() {
        let what = if in_list { Unreadable::Element } else { Unreadable::Clause };
        if lo < hi {
            candidates.push(vec![Edit::hole(lo, hi - lo, with, what, 15 + nth as u32)]);
        }
    }
    candidates.sort_by_key(|it| it.iter().map(|it| it.cost).sum::<u32>());
    let found = candidates.into_iter().find(|edits| passes(work, edits, hi));
    match found {
        Some(edits) => work.accept(edits, stop),
        None => match signature_hole(work, partners) {
            Some(edits) => work.accept(edits, stop),
            None => return false,
        },
    }
    true
}

/// Whether after `edits` the parser gets past the token that is now at `hi`.
fn passes(work: &Work<'_>, edits: &[Edit], hi: usize) -> bool {
    let after: usize = edits.iter().map(|it| it.inserted.len()).sum();
    let before: usize = edits.iter().map(|it| it.removed).sum();
    let tokens = apply(&work.tokens, edits);
    match work.stop(work.go, &tokens) {
        None => true,
        Some(stop) => stop.at > hi + after - before && stop.at < tokens.len(),
    }
}

/// The element of a list, or the clause, in which `at` stands.
fn head_part(work: &Work<'_>, partners: &[usize], at: usize) -> (usize, usize) {
    let tokens = &work.tokens;
    if let Some(open) = opener_around(tokens, partners, at) {
        return element(tokens, partners, open, at);
    }
    let begins = |it: &Lexeme| is_clause(it.token);
    let lo = tokens[..at].iter().rposition(begins).unwrap_or(at.saturating_sub(1));
    let mut hi = at;
    while hi < tokens.len() && !begins(&tokens[hi]) && tokens[hi].token != Token::LBrace {
        hi = partners[hi].max(hi) + 1;
    }
    (lo, hi)
}

fn is_clause(token: Token) -> bool {
    use Token::*;
    matches!(token, Where | Grid | Warps | Cluster | Requires | Expect | Allow | Pdl)
}

/// Keeps an item's word, name and body, and nothing between.
fn signature_hole(work: &Work<'_>, partners: &[usize]) -> Option<Vec<Edit>> {
    use Token::*;
    let tokens = &work.tokens;
    let at = tokens.iter().position(|it| {
        matches!(it.token, Kernel | Fn | Iter | Struct | Permit | Enum | Impl | Test | Bench)
    })?;
    let word = tokens[at].token;
    let wanted = if matches!(word, Test | Bench) { Str } else { Name };
    let named = tokens.get(at + 1).is_some_and(|it| it.token == wanted);
    let from = at + 1 + usize::from(named);
    let all = Region {
        lo: from.min(tokens.len()),
        hi: tokens.len(),
        kind: Kind::Members,
        followed: false,
    };
    let block = blocks(tokens, partners, all).last().copied();
    let mut inserted = if named { vec![] } else { vec![wanted] };
    if matches!(word, Kernel | Fn | Iter) {
        inserted.extend([LParen, RParen]);
    }
    let end = block.unwrap_or(tokens.len());
    if block.is_none() {
        inserted.extend([LBrace, RBrace]);
    }
    let mut edits = vec![];
    if 0 < at && !(at == 1 && tokens[0].token == Pub) {
        edits.push(Edit::hole(0, at, &[], Unreadable::Signature, 0));
    }
    edits.push(Edit::hole(from, end.saturating_sub(from), &inserted, Unreadable::Signature, 0));
    if let Some(block) = block
        && partners[block] + 1 < tokens.len()
    {
        let after = partners[block] + 1;
        edits.push(Edit::hole(after, tokens.len() - after, &[], Unreadable::Signature, 0));
    }
    let mended = apply(tokens, &edits);
    let changed =
        mended.len() != tokens.len() || mended.iter().zip(tokens).any(|(a, b)| a.token != b.token);
    changed.then_some(edits)
}
