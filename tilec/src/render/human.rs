//! Findings for people, drawn by ariadne: the text with its reasons as labels, help below.

use std::fmt;
use std::ops::Range;

use ariadne::{Cache, Color, Config, IndexType, Label, Report, ReportKind, Source};
use tile_language::diagnostic::Severity;

use super::{Finding, Sources, Stretch, timeline, word};
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
        let mut drawn = Vec::new();
        report(finding, &kind, sources, colour)
            .write(&mut texts, &mut drawn)
            .map_err(Failure::Output)?;
        let drawn = String::from_utf8_lossy(&drawn);
        let drawn = if colour { drawn.into_owned() } else { without_colours(&drawn) };
        for line in drawn.lines() {
            io.note(line.trim_end())?;
        }
        io.note("")?;
    }
    Ok(())
}

/// A file's number and characters. Bytes would do, but ariadne takes a character apart where a
/// stretch ends before a line's end.
type Place = (usize, Range<usize>);

fn report<'a>(
    finding: &Finding,
    kind: &'a str,
    sources: &Sources,
    colour: bool,
) -> Report<'a, Place> {
    let severity = colour_of(finding.severity);
    let config = Config::default().with_color(colour).with_index_type(IndexType::Char);
    let place = place(&finding.place, sources);
    let mut report = Report::build(ReportKind::Custom(kind, severity), place.clone())
        .with_config(config)
        .with_message(&finding.message);
    for (order, (at, message)) in labels(finding, &place, sources).into_iter().enumerate() {
        let colour = if at == place { severity } else { Color::Cyan };
        let label = Label::new(at).with_color(colour).with_order(order as i32);
        report.add_label(label.with_message(message));
    }
    report.with_notes(timeline::text(finding, sources).iter().chain(&finding.notes));
    report.with_helps(help(finding));
    report.finish()
}

/// Reasons where they stand, in the order of the text, the finding's own file first: ariadne draws
/// one picture as long as the lines ascend. The finding's place is pointed at where no reason
/// stands in it.
fn labels<'a>(finding: &'a Finding, own: &Place, sources: &Sources) -> Vec<(Place, &'a str)> {
    let reasons = finding.reasons.iter();
    let mut labels: Vec<(Place, &str)> =
        reasons.map(|(at, message)| (place(at, sources), message.as_str())).collect();
    let overlaps = |at: &Place| at.0 == own.0 && at.1.start <= own.1.end && own.1.start <= at.1.end;
    if !labels.iter().any(|(at, _)| overlaps(at)) {
        labels.push((own.clone(), "here"));
    }
    labels.sort_by_key(|(at, _)| (at.0 != own.0, at.0, at.1.start, at.1.end));
    labels
}

fn help(finding: &Finding) -> Option<String> {
    let mark = if finding.fixes.is_empty() { "" } else { "   [quick fix]" };
    let text = finding.help.as_ref().or(finding.fixes.first().map(|it| &it.title))?;
    Some(format!("{text}{mark}"))
}

fn place(stretch: &Stretch, sources: &Sources) -> Place {
    let bytes = sources.clamp(stretch);
    let text = sources.text(stretch.file);
    let start = text[..bytes.start].chars().count();
    (stretch.file, start..start + text[bytes].chars().count())
}

/// `text` without the sequences that colour it. ariadne colours the head of a report always.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut parts = text.split("\x1b[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
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
