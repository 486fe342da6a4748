//! How a run comes to what is wrong, for people: a line for each step, a column for each role.

use super::{Finding, Sources};

/// Characters of a column at least.
const COLUMN_MIN: usize = 12;

/// The run of a finding, if it has one.
pub(super) fn text(finding: &Finding, sources: &Sources) -> Option<String> {
    let mut actors: Vec<&str> = Vec::new();
    for (actor, ..) in &finding.steps {
        if !actors.contains(&actor.as_str()) {
            actors.push(actor);
        }
    }
    // In an order that does not depend on who moved first.
    actors.sort_unstable();
    if actors.is_empty() {
        return None;
    }
    let width = actors.iter().map(|it| it.chars().count() + 2).max().unwrap_or(0).max(COLUMN_MIN);
    let head: String = actors.iter().map(|it| format!("{it:width$}")).collect();
    let mut res = format!("the shortest run that shows it\n  line  {}", head.trim_end());
    for (actor, message, place) in &finding.steps {
        let line = sources.positions(place).0.line;
        let column = actors.iter().position(|it| it == actor).unwrap_or(0);
        let indent = " ".repeat(column * width);
        res.push_str(&format!("\n  {line:>4}  {indent}{message}"));
    }
    Some(res)
}
