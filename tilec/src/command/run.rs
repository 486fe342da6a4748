//! `tilec run`: compiles kernels, runs their tests on the CPU engines, and reports on both.

use std::collections::BTreeMap;

use serde_json::json;

use super::report;
use crate::cli::{self, Format, TableFormat};
use crate::io::Style;
use crate::library;
use crate::render::{self, Tally};
use crate::session::{CaseKind, Session, targets};
use crate::table::{Align, Cell, Table};
use crate::testing::{self, Outcome, Schedules};
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Run, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let targets = targets(&args.sources.targets)?;
    let session = Session::open(&args.sources.paths)?;
    let findings = session.findings(&targets);
    render::show(&findings, session.sources(), Format::Human, io)?;
    if Tally::of(&findings).errors > 0 {
        return Ok(Exit::Program);
    }
    let compiled = library::compile(&session, &targets, &library::options(&[]), io)?;
    let jobs = testing::jobs(&session, CaseKind::Test, &args.selection, &targets);
    let schedule = Schedules::one(args.selection.seed);
    let outcomes = testing::run_all(&session, &jobs, schedule, io, |_, _| Ok(()))?;
    let failed = outcomes.iter().filter(|it| !it.passed()).count();
    if args.format == TableFormat::Json {
        io.line(format!("{:#}", object(&compiled, &outcomes, &session)))?;
    } else {
        heading("What the kernels need", io)?;
        report::show(&compiled, io)?;
        heading("What their tests say", io)?;
        verdicts(&outcomes).show(io)?;
        for outcome in outcomes.iter().filter(|it| !it.passed()) {
            render::show(&outcome.verdict.findings, session.sources(), Format::Human, io)?;
        }
        io.line(format!("\n{} passed, {failed} failed", outcomes.len() - failed))?;
    }
    Ok(if failed == 0 { Exit::Fine } else { Exit::Program })
}

fn heading(text: &str, io: &mut Io<'_>) -> Result<(), Failure> {
    io.line(format!("\n{}\n", io.paint(Style::Strong, text)))
}

/// A row for each test with its largest error on any engine, a column for each engine and target.
fn verdicts(outcomes: &[Outcome]) -> Table {
    let mut columns: Vec<String> = Vec::new();
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut cells = BTreeMap::new();
    for outcome in outcomes {
        let column = format!("{} {}", outcome.job.engine.word(), outcome.job.target.row().name);
        let row = (outcome.job.case.file.clone(), outcome.job.case.title.clone());
        let column_idx = position(&mut columns, column);
        let row_idx = position(&mut rows, row);
        cells.insert((row_idx, column_idx), outcome);
    }
    let mut head = vec![
        ("test", Align::Left),
        ("", Align::Left),
        ("error", Align::Right),
        ("of its bound", Align::Right),
    ];
    head.extend(columns.iter().map(|it| (it.as_str(), Align::Left)));
    let mut table = Table::new(&head);
    let mut last = String::new();
    for (row_idx, (file, title)) in rows.iter().enumerate() {
        let stem = stem(file);
        let shown = if stem == last { String::new() } else { stem.clone() };
        last = stem;
        let mut row = vec![Cell::styled(shown, Style::Strong), title.as_str().into()];
        row.extend(errors(cells.range((row_idx, 0)..(row_idx + 1, 0)).map(|it| *it.1)));
        row.extend((0..columns.len()).map(|it| cell(cells.get(&(row_idx, it)).copied())));
        table.row(row);
    }
    table
}

/// Where `item` stands in `items`, at the end if it is new.
fn position<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    items.iter().position(|it| *it == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    })
}

fn stem(file: &str) -> String {
    let stem = std::path::Path::new(file).file_stem();
    stem.map_or_else(|| file.to_owned(), |it| it.to_string_lossy().into_owned())
}

/// The largest error of a test, and how much of what it allows that is.
fn errors<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> [Cell; 2] {
    let closest = outcomes.filter_map(Outcome::closest);
    match closest.max_by(|a, b| a.share.total_cmp(&b.share)) {
        None => ["".into(), "".into()],
        Some(it) if it.error == 0.0 => [Cell::styled("none", Style::Good), "".into()],
        Some(it) => {
            let share = format!("{:.0} %", (it.share * 100.0).max(1.0));
            let style = if it.share > 0.5 { Style::Warning } else { Style::Good };
            [format!("{:.1e}", it.error).into(), Cell::styled(share, style)]
        }
    }
}

fn cell(outcome: Option<&Outcome>) -> Cell {
    match outcome {
        None => "".into(),
        Some(it) if !it.passed() => Cell::styled("FAILED", Style::Error),
        Some(it) => Cell::styled(format!("ok {} ms", it.time.as_millis()), Style::Good),
    }
}

fn object(
    compiled: &[library::Compiled],
    outcomes: &[Outcome],
    session: &Session,
) -> serde_json::Value {
    let mut report = library::report(compiled);
    let tests = outcomes.iter().map(|it| super::test::object(it, session));
    report["tests"] = json!(tests.collect::<Vec<_>>());
    report
}
