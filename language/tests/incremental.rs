//! What is computed again after an edit, read off the database's log of events.

use std::sync::{Arc, Mutex};

use tile_language::query::Database;
use tile_language::target::TargetId;

const TEXT: &str = "\
/// Adds one.
kernel first(x: global mut f32[n])
    grid [1]
    warps 1
{
    store(x.at(0), 1.0, mask: n > 0);
}

fn twice(x) { x + x }

kernel second(x: global mut f32[n])
    grid [1]
    warps 1
{
    store(x.at(0), twice(2.0), mask: n > 0);
}
";

/// Queries that ran, as `name(key)`, after `edit` and a check of the file.
fn rerun(edit: impl Fn(&str) -> String) -> Vec<String> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&log);
    let mut db = Database::with_events(Some(Box::new(move |event| {
        if let salsa::EventKind::WillExecute { database_key } = event.kind {
            told.lock().unwrap().push(database_key);
        }
    })));
    let targets = [TargetId::from_name("sm_90a").unwrap()];
    let file = db.set_file("two.tile", TEXT);
    db.check(file, &targets);
    log.lock().unwrap().clear();
    db.set_file("two.tile", &edit(TEXT));
    db.check(file, &targets);
    let keys = std::mem::take(&mut *log.lock().unwrap());
    salsa::attach(&db, || keys.iter().map(|it| format!("{it:?}")).collect())
}

fn count(ran: &[String], query: &str) -> usize {
    ran.iter().filter(|it| it.starts_with(&format!("{query}("))).count()
}

#[test]
fn editing_one_body_reruns_that_bodys_queries_only() {
    let ran = rerun(|text| text.replace("1.0, mask", "3.0, mask"));
    assert_eq!(
        ["parsed", "instance", "item", "body"].map(|it| count(&ran, it)),
        [1; 4],
        "{ran:#?}"
    );
}

#[test]
fn editing_a_function_reruns_the_instances_that_inline_it() {
    let ran = rerun(|text| text.replace("x + x", "x * 2.0"));
    assert_eq!((count(&ran, "parsed"), count(&ran, "instance")), (1, 1), "{ran:#?}");
}

#[test]
fn a_line_above_everything_reruns_no_body() {
    let ran = rerun(|text| format!("// A comment.\n\n{text}"));
    assert_eq!(
        ["parsed", "instance", "item", "body", "signatures"].map(|it| count(&ran, it)),
        [0; 5],
        "{ran:#?}"
    );
}

#[test]
fn an_edit_of_a_body_leaves_the_names_of_the_file_as_they_are() {
    let ran = rerun(|text| text.replace("1.0, mask", "3.0, mask"));
    assert_eq!(count(&ran, "module"), 1, "it is asked again, and equal: {ran:#?}");
}
