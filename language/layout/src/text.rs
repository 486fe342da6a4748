//! The text of a layout: `layout(64x128; reg 0,1 8,0; lane 0,2 0,4; warp 16,0)`.
//!
//! The shape, then for every input that has bits the images of its bits, lowest first, a coordinate
//! a dimension; a buffer's padding last, `pad 128+4`. Printing and reading give the same layout.

use std::fmt;
use std::str::FromStr;

use crate::layout::{Coords, In, Layout, LayoutError};

/// Why a text is no layout.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseLayoutError {
    /// Something else stands where `wanted` should.
    #[error("expected {wanted}, found `{found}`")]
    Syntax {
        /// What should stand there.
        wanted: &'static str,
        /// What stands there.
        found: String,
    },
    /// The bases are no layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layout({}", join(self.shape(), "x"))?;
        for (input, bases) in self.inputs() {
            write!(f, "; {}", input.name())?;
            for basis in bases {
                write!(f, " {}", join(basis, ","))?;
            }
        }
        if !self.padding().is_empty() {
            write!(f, "; pad")?;
            for (interval, pad) in self.padding() {
                write!(f, " {interval}+{pad}")?;
            }
        }
        f.write_str(")")
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Layout {
    type Err = ParseLayoutError;

    fn from_str(text: &str) -> Result<Layout, ParseLayoutError> {
        let body = text
            .trim()
            .strip_prefix("layout(")
            .and_then(|it| it.strip_suffix(')'))
            .ok_or_else(|| syntax("`layout(…)`", text))?;
        let mut parts = body.split(';').map(str::trim);
        let shape = numbers(parts.next().unwrap_or_default(), 'x')?;
        let mut ins = Vec::new();
        let mut padding = Vec::new();
        for part in parts {
            let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
            if word == "pad" {
                padding = rest.split_whitespace().map(pad).collect::<Result<_, _>>()?;
            } else {
                let input = In::ALL.into_iter().find(|it| it.name() == word);
                let input = input.ok_or_else(|| syntax("an input", word))?;
                let bases = rest.split_whitespace().map(|it| numbers(it, ','));
                ins.push((input, bases.collect::<Result<_, _>>()?));
            }
        }
        Ok(Layout::with_padding(&shape, ins, padding)?)
    }
}

fn pad(text: &str) -> Result<(u32, u32), ParseLayoutError> {
    match numbers(text, '+')?[..] {
        [interval, pad] if interval > 0 => Ok((interval, pad)),
        _ => Err(syntax("`interval+pad`", text)),
    }
}

fn numbers(text: &str, separator: char) -> Result<Coords, ParseLayoutError> {
    text.split(separator).map(|it| it.trim().parse().map_err(|_| syntax("a number", it))).collect()
}

fn join(numbers: &[u32], separator: &str) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(separator)
}

fn syntax(wanted: &'static str, found: &str) -> ParseLayoutError {
    ParseLayoutError::Syntax { wanted, found: found.to_owned() }
}
