//! Tokens of the IR's text.

use smol_str::SmolStr;

use super::ParseError;

/// One token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// A word, dots included: `tile.const`.
    Word(SmolStr),
    /// A number as written, with its sign.
    Number(SmolStr),
    /// A string without its quotes.
    Text(String),
    /// `%x`, `#x` and `!x`: the sign and the word or number after it.
    Sigil(char, SmolStr),
    /// `..`
    To,
    /// Any other sign.
    Sign(char),
    /// The end of the text, for ever.
    End,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Word(it) | Token::Number(it) => write!(f, "`{it}`"),
            Token::Text(it) => write!(f, "the string {it:?}"),
            Token::Sigil(sign, it) => write!(f, "`{sign}{it}`"),
            Token::To => f.write_str("`..`"),
            Token::Sign(it) => write!(f, "`{it}`"),
            Token::End => f.write_str("the end"),
        }
    }
}

/// A token with the bytes that it covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) lo: usize,
    pub(super) hi: usize,
}

/// All tokens of `text`, with [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<Spanned>, ParseError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut res = vec![];
    loop {
        lexer.skip_blank();
        let lo = lexer.at;
        let token = lexer.next()?;
        let done = token == Token::End;
        res.push(Spanned { token, lo, hi: lexer.at });
        if done {
            return Ok(res);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blank(&mut self) {
        loop {
            let blank = self.rest().len() - self.rest().trim_start().len();
            self.at += blank;
            if !self.rest().starts_with("//") {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|it| !keep(it)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    fn next(&mut self) -> Result<Token, ParseError> {
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        let second = self.rest().chars().nth(1);
        match first {
            '"' => self.string().map(Token::Text),
            '%' | '#' | '!' if second.is_some_and(in_word) => {
                self.at += 1;
                Ok(Token::Sigil(first, self.take_while(in_word).into()))
            }
            '.' if second == Some('.') => {
                self.at += 2;
                Ok(Token::To)
            }
            '-' if second.is_some_and(in_word) => {
                let lo = self.at;
                self.at += 1;
                self.number();
                Ok(Token::Number(self.text[lo..self.at].into()))
            }
            _ if first.is_ascii_digit() => Ok(Token::Number(self.number().into())),
            _ if starts_word(first) => Ok(Token::Word(self.take_while(in_word).into())),
            _ => {
                self.at += first.len_utf8();
                Ok(Token::Sign(first))
            }
        }
    }

    /// Digits, words like `inf`, exponents with their sign; stops before `..`.
    fn number(&mut self) -> &'a str {
        let lo = self.at;
        let hexadecimal = self.rest().starts_with("0x");
        let mut last = ' ';
        while let Some(c) = self.peek() {
            let signed_exponent =
                (c == '-' || c == '+') && matches!(last, 'e' | 'E') && !hexadecimal;
            let range = self.rest().starts_with("..");
            if range || !(in_word(c) || signed_exponent) {
                break;
            }
            last = c;
            self.at += 1;
        }
        &self.text[lo..self.at]
    }

    fn string(&mut self) -> Result<String, ParseError> {
        let lo = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        let mut res = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = lo + at + 1;
                    return Ok(res);
                }
                '\\' => match chars.next().map(|it| it.1) {
                    Some('n') => res.push('\n'),
                    Some('r') => res.push('\r'),
                    Some('t') => res.push('\t'),
                    Some(other) => res.push(other),
                    None => break,
                },
                other => res.push(other),
            }
        }
        Err(ParseError::at(self.text, lo, "this string does not end".to_owned()))
    }
}
