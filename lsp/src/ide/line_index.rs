//! Lines of a text, and positions in them in any of the units that clients count in.
//!
//! A line ends at `\n`, `\r\n` or a lone `\r`, as the protocol says. Positions beyond a line's end mean
//! its end, and a position inside a character means the character's first byte, so that every
//! position means a byte at which the text can be cut.

use std::sync::Arc;

use tile_language::db::{Db, SourceFile};
use tile_syntax::ast::Span;
use tower_lsp::ls_types::{Position, Range};

/// What a column counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16, which every client knows.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    fn units(self, c: char) -> u32 {
        match self {
            Encoding::Utf8 => c.len_utf8() as u32,
            Encoding::Utf16 => c.len_utf16() as u32,
            Encoding::Utf32 => 1,
        }
    }
}

/// Where the lines of a text begin, and what characters of more than one byte it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineIndex {
    /// The first byte of each line; the first is 0.
    starts: Vec<u32>,
    /// One past the last byte of each line, without its end.
    ends: Vec<u32>,
    /// Characters of more than one byte, in order.
    wide: Vec<(u32, char)>,
}

/// The lines of a file.
#[salsa::tracked(returns(ref))]
pub fn line_index(db: &dyn Db, file: SourceFile) -> Arc<LineIndex> {
    Arc::new(LineIndex::new(file.text(db)))
}

impl LineIndex {
    /// Reads a text.
    pub fn new(text: &str) -> LineIndex {
        let bytes = text.as_bytes();
        let mut res = LineIndex { starts: vec![0], ends: Vec::new(), wide: Vec::new() };
        let mut at = 0;
        while at < bytes.len() {
            let end = match bytes[at] {
                b'\n' => at + 1,
                b'\r' => at + 1 + usize::from(bytes.get(at + 1) == Some(&b'\n')),
                0x80.. => {
                    let c = text[at..].chars().next().expect("a character begins here");
                    res.wide.push((at as u32, c));
                    at += c.len_utf8();
                    continue;
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            res.ends.push(at as u32);
            res.starts.push(end as u32);
            at = end;
        }
        res.ends.push(bytes.len() as u32);
        res
    }

    /// The number of lines.
    pub fn n_lines(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The line of a byte.
    pub fn line(&self, at: u32) -> u32 {
        self.starts.partition_point(|&it| it <= at) as u32 - 1
    }

    /// The bytes of a line, without its end.
    pub fn line_span(&self, line: u32) -> Span {
        match self.starts.get(line as usize) {
            Some(&lo) => Span::new(lo, self.ends[line as usize]),
            None => Span::new(self.len(), self.len()),
        }
    }

    /// Bytes of the text.
    fn len(&self) -> u32 {
        self.ends.last().copied().unwrap_or_default()
    }

    /// The position of a byte.
    pub fn position(&self, at: u32, encoding: Encoding) -> Position {
        let at = at.min(self.len());
        let line = self.line(at);
        let start = self.starts[line as usize];
        let wide = self.wide_between(start, at);
        let less: u32 = wide.map(|&(_, c)| c.len_utf8() as u32 - encoding.units(c)).sum();
        Position { line, character: at - start - less }
    }

    /// The byte of a position.
    pub fn offset(&self, position: Position, encoding: Encoding) -> u32 {
        let Span { lo, hi } = self.line_span(position.line);
        let mut at = lo;
        let mut left = position.character;
        for &(wide, c) in self.wide_between(lo, hi) {
            let before = wide - at;
            if left <= before {
                break;
            }
            left -= before;
            at = wide;
            if left < encoding.units(c) {
                return at;
            }
            left -= encoding.units(c);
            at += c.len_utf8() as u32;
        }
        at.saturating_add(left).min(hi)
    }

    /// The range of a span.
    pub fn range(&self, span: Span, encoding: Encoding) -> Range {
        Range { start: self.position(span.lo, encoding), end: self.position(span.hi, encoding) }
    }

    /// The span of a range.
    pub fn span(&self, range: Range, encoding: Encoding) -> Span {
        let (a, b) = (self.offset(range.start, encoding), self.offset(range.end, encoding));
        Span::new(a.min(b), a.max(b))
    }

    /// Columns between two bytes of one line.
    pub fn columns(&self, span: Span, encoding: Encoding) -> u32 {
        let wide = self.wide_between(span.lo, span.hi);
        let less: u32 = wide.map(|&(_, c)| c.len_utf8() as u32 - encoding.units(c)).sum();
        span.hi - span.lo - less
    }

    fn wide_between(&self, lo: u32, hi: u32) -> impl Iterator<Item = &(u32, char)> {
        let first = self.wide.partition_point(|it| it.0 < lo);
        self.wide[first..].iter().take_while(move |it| it.0 < hi)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    #[test]
    fn columns_count_what_the_client_counts() {
        let text = "let é = 1;\r\nlet 中🙂x = 2;\rend";
        let lines = LineIndex::new(text);
        let x = text.find('x').expect("there is an x") as u32;
        let columns = ENCODINGS.map(|it| lines.position(x, it).character);
        assert_eq!(columns, [11, 7, 6]);
        assert_eq!(lines.n_lines(), 3);
        assert_eq!(lines.line_span(0), Span::new(0, 11));
    }

    #[test]
    fn a_position_beyond_a_line_is_its_end() {
        let lines = LineIndex::new("ab\ncd");
        let at = |line, character| lines.offset(Position { line, character }, Encoding::Utf16);
        assert_eq!([at(0, 99), at(1, 99), at(9, 0)], [2, 5, 5]);
    }

    proptest! {
        #[test]
        fn every_boundary_comes_back(text in "[a\u{e9}\u{4e2d}\u{1f642}\r\n]{0,40}") {
            let lines = LineIndex::new(&text);
            for (at, _) in text.char_indices() {
                let is_inside_an_end = text[..at].ends_with('\r') && text[at..].starts_with('\n');
                for encoding in ENCODINGS {
                    let position = lines.position(at as u32, encoding);
                    if !is_inside_an_end {
                        prop_assert_eq!(lines.offset(position, encoding), at as u32);
                    }
                }
            }
        }

        #[test]
        fn every_position_is_a_boundary(
            text in "[a\u{e9}\u{4e2d}\u{1f642}\r\n]{0,40}",
            line in 0u32..8,
            character in 0u32..50,
        ) {
            let lines = LineIndex::new(&text);
            for encoding in ENCODINGS {
                let at = lines.offset(Position { line, character }, encoding);
                prop_assert!(text.is_char_boundary(at as usize));
            }
        }
    }
}
