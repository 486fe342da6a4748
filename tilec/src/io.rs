//! The streams of one command, and what the terminal behind them can show.

use std::fmt;
use std::io::{IsTerminal, Write};

use crate::Failure;
use crate::cli::Color;

/// Where a command writes, and how.
pub struct Io<'a> {
    /// The answer: tables, JSON, reports.
    pub out: &'a mut dyn Write,
    /// What is said about the work: findings for people, progress, failures.
    pub err: &'a mut dyn Write,
    colour: bool,
    interactive: bool,
}

impl<'a> Io<'a> {
    /// Streams that remember everything and show no colours, for tests.
    pub fn plain(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Io { out, err, colour: false, interactive: false }
    }

    /// The streams of this process; colours and progress if its standard error is a terminal.
    pub fn of_process(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        let interactive = std::io::stderr().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        Io { out, err, colour: interactive && !no_colour, interactive }
    }

    /// Whether colours are shown.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Whether a person watches, so that progress is worth showing.
    pub fn interactive(&self) -> bool {
        self.interactive
    }

    pub(crate) fn apply(&mut self, color: Color) {
        self.colour = match color {
            Color::Auto => self.colour,
            Color::Always => true,
            Color::Never => false,
        };
    }

    /// Writes a line of the answer.
    pub fn line(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        writeln!(self.out, "{text}").map_err(Failure::Output)
    }

    /// Writes text of the answer as it is.
    pub fn text(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        write!(self.out, "{text}").map_err(Failure::Output)
    }

    /// Writes a line about the work, after what was answered before.
    pub fn note(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::Output)?;
        writeln!(self.err, "{text}").map_err(Failure::Output)
    }

    pub(crate) fn complain(&mut self, failure: &Failure) {
        let word = self.paint(Style::Error, "error");
        // Nothing is left to be done about a stream that takes no more text.
        let _ = writeln!(self.err, "{word}: {failure}");
    }

    /// `text` in a style, or as it is where colours are not shown.
    pub(crate) fn paint(&self, style: Style, text: impl fmt::Display) -> String {
        if !self.colour {
            return text.to_string();
        }
        format!("\x1b[{}m{text}\x1b[0m", style.sequence())
    }
}

/// What a piece of text is, and so how it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    Error,
    Warning,
    Good,
    Strong,
    Faint,
    Code,
}

impl Style {
    fn sequence(self) -> &'static str {
        match self {
            Style::Error => "1;31",
            Style::Warning => "1;33",
            Style::Good => "32",
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Code => "36",
        }
    }
}
