//! One finding, as people and as tools read it.

use super::*;

const TEXT: &str = "\
kernel double(x: global f32[rows, cols], y: global mut f32[rows, cols]) grid [rows] warps 4 {
    let j = iota(128) @ blocked(regs: [4], lanes: [32], warps: [1]);
    let v = load(x.at(block_id(0), j), mask: j < cols, other: 0.0);
    store(y.at(block_id(0), j), v + v, mask: j < cols);
}
";

fn sample() -> (Vec<Finding>, Sources) {
    let mut sources = Sources::default();
    let file = sources.add("double.tile".to_owned(), TEXT.to_owned());
    let stretch = |text: &str| {
        let start = TEXT.find(text).expect("the text has it");
        Stretch { file, bytes: start..start + text.len() }
    };
    let end_of_head = stretch("warps 4").bytes.end;
    let finding = Finding {
        code: Code::P0101,
        severity: Severity::Warning,
        message: "this load is 4 bytes a thread where 16 would fit".to_owned(),
        place: stretch("load(x.at(block_id(0), j), mask: j < cols, other: 0.0)"),
        reasons: vec![
            (stretch("cols"), "nothing is known to divide `cols`".to_owned()),
            (stretch("x.at(block_id(0), j)"), "rows begin at multiples of `cols`".to_owned()),
        ],
        steps: vec![],
        notes: vec!["measured on nothing".to_owned()],
        help: Some("if the callers allow it, add `where cols % 4 == 0`".to_owned()),
        fixes: vec![Repair {
            title: "add `where cols % 4 == 0`".to_owned(),
            edits: vec![(
                Stretch { file, bytes: end_of_head..end_of_head },
                " where cols % 4 == 0".to_owned(),
            )],
        }],
    };
    (vec![finding], sources)
}

fn shown(format: Format) -> (String, String) {
    let (findings, sources) = sample();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    show(&findings, &sources, format, &mut Io::plain(&mut out, &mut err)).expect("memory takes it");
    let text = |it| String::from_utf8(it).expect("renderers write text");
    (text(out), text(err))
}

#[test]
fn people_see_reasons_where_they_stand_and_help_below() {
    let (out, err) = shown(Format::Human);
    assert_eq!(out, "", "findings for people are no answer");
    insta::assert_snapshot!(err);
}

#[test]
fn tools_see_one_object_with_every_place() {
    let (out, err) = shown(Format::Json);
    assert_eq!(err, "");
    insta::assert_snapshot!(out);
}

#[test]
fn code_hosts_see_a_log() {
    let (out, _) = shown(Format::Sarif);
    let log: serde_json::Value = serde_json::from_str(&out).expect("a log is one JSON value");
    insta::assert_snapshot!(format!("{log:#}"));
}

#[test]
fn people_see_a_run_with_a_column_for_each_role() {
    let (mut findings, sources) = sample();
    let at = |text: &str| {
        let start = TEXT.find(text).expect("the text has it");
        Stretch { file: findings[0].place.file, bytes: start..start + text.len() }
    };
    let step = |who: &str, what: &str, place| (who.to_owned(), what.to_owned(), place);
    let steps = vec![
        step("load", "waits for no phase of `empty[0]`, goes on", at("load(x")),
        step("math[0]", "arrives at `empty[0]`", at("store(y")),
        step("load", "waits for 1 phase of `empty[0]`, for ever", at("load(x")),
    ];
    findings[0].steps = steps;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    show(&findings, &sources, Format::Human, &mut Io::plain(&mut out, &mut err))
        .expect("memory takes it");
    insta::assert_snapshot!(String::from_utf8(err).expect("renderers write text"));
}
