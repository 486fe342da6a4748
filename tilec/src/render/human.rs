//! Findings for people, drawn by ariadne: the text with its reasons as labels, help below.

use std::fmt;
use std::ops::Range;

use ariadne::{Cache, CharSet, Color, Config, IndexType, Label, Report, ReportKind, Source};
use tile_language::diagnostic::Severity;

use super::{Finding, Sources, word};
use crate::{Failure, Io};

/// Draws every finding, with an empty line after each.
pub(super) fn show(
    findings: &[Finding],
    sources: &Sources,
    io: &mut Io<'_>,
) -> Result<(), Failure> {
    let mut texts = Texts::new(sources);
    let colour = io.colour();
    for finding in findings {
        // `warning[P0101]`, as the code is searched for.
        let kind = format!("{}[{}]", word(finding.severity), finding.code);
        report(finding, &kind, sources, colour)
            .write(&mut texts, &mut *io.err)
            .map_err(Failure::Output)?;
        io.note("")?;
    }
    Ok(())
}

type Place = (usize, Range<usize>);

fn report<'a>(
    finding: &Finding,
    kind: &'a str,
    sources: &Sources,
    colour: bool,
) -> Report<'a, Place> {
    let kind = ReportKind::Custom(kind, colour_of(finding.severity));
    let config = Config::default()
        .with_color(colour)
        .with_index_type(IndexType::Byte)
        .with_char_set(CharSet::Unicode)
        .with_compact(false);
    let place = (finding.place.file, sources.clamp(&finding.place));
    let mut report =
        Report::build(kind, place.clone()).with_config(config).with_message(&finding.message);
    let shown_there = |it: &Place| {
        finding.reasons.iter().any(|(at, _)| at.file == it.0 && sources.clamp(at) == it.1)
    };
    if !shown_there(&place) {
        report
            .add_label(Label::new(place).with_color(colour_of(finding.severity)).with_priority(1));
    }
    for (order, (stretch, message)) in finding.reasons.iter().enumerate() {
        let label = Label::new((stretch.file, sources.clamp(stretch)))
            .with_message(message)
            .with_color(if *stretch == finding.place {
                colour_of(finding.severity)
            } else {
                Color::Cyan
            })
            .with_order(order as i32);
        report.add_label(label);
    }
    report.with_notes(&finding.notes);
    if let Some(help) = &finding.help {
        let mark = if finding.fixes.is_empty() { "" } else { "   [quick fix]" };
        report.set_help(format!("{help}{mark}"));
    } else if let Some(fix) = finding.fixes.first() {
        report.set_help(format!("{}   [quick fix]", fix.title));
    }
    report.finish()
}

fn colour_of(severity: Severity) -> Color {
    match severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Note => Color::Blue,
    }
}

/// The texts as ariadne wants them.
struct Texts<'a> {
    names: Vec<&'a str>,
    sources: Vec<Source<&'a str>>,
}

impl<'a> Texts<'a> {
    fn new(sources: &'a Sources) -> Self {
        Texts {
            names: sources.numbers().map(|it| sources.name(it)).collect(),
            sources: sources.numbers().map(|it| Source::from(sources.text(it))).collect(),
        }
    }
}

impl<'a> Cache<usize> for &mut Texts<'a> {
    type Storage = &'a str;

    fn fetch(&mut self, file: &usize) -> Result<&Source<&'a str>, impl fmt::Debug> {
        self.sources.get(*file).ok_or("a finding points into a file of its run")
    }

    fn display<'b>(&self, file: &'b usize) -> Option<impl fmt::Display + 'b> {
        self.names.get(*file).map(|it| (*it).to_owned())
    }
}
