//! The sample programs parse without a mistake.

mod samples;

use samples::programs;

#[test]
fn every_program_parses() {
    for (name, text) in programs() {
        let file = tile_syntax::parse_file(&text);
        if let Some(error) = file.all_errors().first() {
            let line = text[..error.span.lo as usize].matches('\n').count() + 1;
            panic!("{name}:{line}: {error:?}");
        }
    }
}

#[test]
fn every_item_is_found() {
    use tile_syntax::ast::ItemKind;
    let found: Vec<String> = programs()
        .iter()
        .flat_map(|(name, text)| {
            let file = tile_syntax::parse_file(text);
            file.items.into_iter().map(move |(at, it)| {
                let kind = match it.item.kind {
                    ItemKind::Use(_) => "use".to_owned(),
                    ItemKind::Const(it) => format!("const {}", it.name.text),
                    ItemKind::Struct(it) => {
                        format!("struct {} of {}", it.name.text, it.fields.len())
                    }
                    ItemKind::Permit(it) => format!("permit {}", it.name.text),
                    ItemKind::Enum(it) => format!("enum {} of {}", it.name.text, it.variants.len()),
                    ItemKind::Impl(it) => format!("impl {} of {}", it.name.text, it.members.len()),
                    ItemKind::Fn(it) => format!("{:?} {}", it.kind, it.name.text),
                    ItemKind::Kernel(it) => {
                        let body = it.body.expect("it has one");
                        let clauses = it.clauses.len();
                        format!(
                            "kernel {}, {clauses} clauses, {} statements",
                            it.name.text,
                            body.stmts.len()
                        )
                    }
                    ItemKind::Test(it) => format!("test {:?}", it.title),
                    other => format!("{other:?}"),
                };
                format!("{name} {at}: {kind}; {}", it.item.docs.lines().next().unwrap_or(""))
            })
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"));
}
