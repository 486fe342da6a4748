//! Texts that findings point into, and the way from bytes to lines and columns.

use std::ops::Range;

/// A stretch of a file: its number in [`Sources`] and absolute bytes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Stretch {
    pub(crate) file: usize,
    pub(crate) bytes: Range<usize>,
}

/// A place as people count: both from 1, the column in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// The texts of one run, by number.
#[derive(Default, Debug)]
pub(crate) struct Sources {
    files: Vec<Text>,
}

#[derive(Debug)]
struct Text {
    name: String,
    text: String,
    /// First bytes of the lines, ascending; the first is 0.
    line_starts: Vec<usize>,
}

impl Sources {
    /// Adds a text under the name that it is shown by; the answer is its number.
    pub(crate) fn add(&mut self, name: String, text: String) -> usize {
        let breaks = text.bytes().enumerate().filter(|&(_, it)| it == b'\n');
        let line_starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        self.files.push(Text { name, text, line_starts });
        self.files.len() - 1
    }

    /// The name of a file.
    pub(crate) fn name(&self, file: usize) -> &str {
        &self.files[file].name
    }

    /// The text of a file.
    pub(crate) fn text(&self, file: usize) -> &str {
        &self.files[file].text
    }

    /// Numbers of all files.
    pub(crate) fn numbers(&self) -> Range<usize> {
        0..self.files.len()
    }

    /// First and last place of a stretch.
    pub(crate) fn positions(&self, stretch: &Stretch) -> (Position, Position) {
        let bytes = self.clamp(stretch);
        (self.position(stretch.file, bytes.start), self.position(stretch.file, bytes.end))
    }

    /// The stretch inside its text, at the borders of characters.
    pub(crate) fn clamp(&self, stretch: &Stretch) -> Range<usize> {
        let text = self.text(stretch.file);
        let start = floor_char_boundary(text, stretch.bytes.start);
        let end = floor_char_boundary(text, stretch.bytes.end).max(start);
        start..end
    }

    fn position(&self, file: usize, byte: usize) -> Position {
        let Text { text, line_starts, .. } = &self.files[file];
        let line = line_starts.partition_point(|&it| it <= byte);
        let start = line_starts[line - 1];
        Position { line, column: 1 + text[start..byte].chars().count() }
    }
}

fn floor_char_boundary(text: &str, byte: usize) -> usize {
    let byte = byte.min(text.len());
    (0..=byte).rev().find(|&it| text.is_char_boundary(it)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, byte: usize, line: usize, column: usize) {
        let mut sources = Sources::default();
        let file = sources.add("a.tile".to_owned(), text.to_owned());
        let (first, _) = sources.positions(&Stretch { file, bytes: byte..byte });
        assert_eq!(first, Position { line, column }, "byte {byte} of {text:?}");
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        check("", 0, 1, 1);
        check("ab\ncd", 0, 1, 1);
        check("ab\ncd", 2, 1, 3);
        check("ab\ncd", 3, 2, 1);
        check("ab\n", 3, 2, 1);
    }

    #[test]
    fn columns_count_characters() {
        check("// é·x", 7, 1, 6);
        check("// é·x", 4, 1, 4);
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        check("ab", 99, 1, 3);
    }
}
