//! Texts that nobody wrote: programs with a few things done to them.

use std::collections::BTreeSet;

use tile_syntax::{Lexeme, Token, lex};

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `count`, which is not 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Programs, and the tokens that occur in them.
pub(crate) struct Corpus {
    texts: Vec<String>,
    names: Vec<String>,
    tokens: Vec<String>,
}

/// Integers at which something changes.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "32",
    "33",
    "64",
    "128",
    "1024",
    "65536",
    "2147483647",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "170141183460469231731687303715884105727",
    "340282366920938463463374607431768211456",
    "1.0",
    "0.0",
    "1e-5",
    "1e308",
    "1e999",
];

const BYTES: &[&str] = &[
    "\0",
    "\"",
    "\\",
    "\r\n",
    "\t",
    "é",
    "\u{1F980}",
    "//",
    "///",
    "/*",
    "'",
    "$",
    "`",
    "\u{feff}",
    "#",
];

impl Corpus {
    pub(crate) fn new(texts: Vec<String>) -> Corpus {
        let (mut names, mut tokens) = (BTreeSet::new(), BTreeSet::new());
        for text in &texts {
            for it in lex(text).tokens {
                let text = slice(text, it).to_owned();
                if it.token == Token::Name {
                    names.insert(text.clone());
                }
                tokens.insert(text);
            }
        }
        Corpus { texts, names: names.into_iter().collect(), tokens: tokens.into_iter().collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// A program with one to eight things done to it.
    pub(crate) fn text(&self, random: &mut Random) -> String {
        let mut text = random.pick(&self.texts).clone();
        for _ in 0..1 + random.below(8) {
            let tokens = lex(&text).tokens;
            if tokens.is_empty() {
                break;
            }
            self.mutate(&mut text, &tokens, random);
        }
        text
    }

    fn mutate(&self, text: &mut String, tokens: &[Lexeme], random: &mut Random) {
        let at = random.below(tokens.len());
        let it = tokens[at];
        let range = it.span.lo as usize..it.span.hi as usize;
        match random.below(14) {
            // What keeps the shape, so that the checker has something to check.
            0..=3 => text.replace_range(range, &self.alike(it.token, random)),
            4 => text.replace_range(range, random.pick(&self.tokens).as_str()),
            5 => text.replace_range(range, ""),
            6 => text.insert_str(range.start, &format!("{} ", random.pick(&self.tokens))),
            7 => {
                let doubled = slice(text, it).to_owned();
                text.insert_str(range.start, &format!("{doubled} "));
            }
            8 => {
                let other = tokens[random.below(tokens.len())];
                let (lo, hi) = (
                    range.start.min(other.span.lo as usize),
                    range.end.max(other.span.hi as usize),
                );
                let part = text[lo..hi].chars().take(400).collect::<String>();
                text.insert_str(hi, &format!(" {part}"));
            }
            9 => {
                let end = text[range.end..].find('\n').map_or(text.len(), |it| range.end + it);
                text.replace_range(range.end..end, "");
            }
            10 => text.insert_str(range.start, random.pick::<&str>(BYTES)),
            11 => {
                let (open, close) = *random.pick(&[
                    ("(", ")"),
                    ("[", "]"),
                    ("{", "}"),
                    ("-", ""),
                    ("x.", ""),
                    ("", ".t()"),
                ]);
                let count = 1 << random.below(10);
                let inner = slice(text, it).to_owned();
                text.replace_range(
                    range,
                    &format!("{}{inner}{}", open.repeat(count), close.repeat(count)),
                );
            }
            12 => self.splice(text, range.start, random),
            _ => text.truncate(range.end),
        }
    }

    /// A token of the same kind.
    fn alike(&self, token: Token, random: &mut Random) -> String {
        match token {
            Token::Name => random.pick(&self.names).clone(),
            Token::Int | Token::Float => (*random.pick(NUMBERS)).to_owned(),
            token if token.is_joint() => (*random.pick(&[
                "+", "-", "*", "/", "%", "<<", ">>", "&", "|", "==", "<", "&&", "@", "..", ".",
            ]))
            .to_owned(),
            token if token.is_written() => token.text().to_owned(),
            _ => "\"\"".to_owned(),
        }
    }

    /// Some lines of another program.
    fn splice(&self, text: &mut String, at: usize, random: &mut Random) {
        let other: Vec<&str> = random.pick(&self.texts).lines().collect();
        let from = random.below(other.len().max(1));
        let lines: Vec<&str> = other.into_iter().skip(from).take(1 + random.below(6)).collect();
        text.insert_str(at, &lines.join("\n"));
    }
}

fn slice(text: &str, it: Lexeme) -> &str {
    &text[it.span.lo as usize..it.span.hi as usize]
}
