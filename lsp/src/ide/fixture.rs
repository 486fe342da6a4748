//! Texts for the tests of features: `$0` is the cursor, `//- name.tile` begins another file.

use tile_language::db::SourceFile;
use tile_language::query::Database;
use tile_syntax::ast::Span;

/// Files in a database, and where the cursor stands in one of them.
pub(crate) struct Fixture {
    pub(crate) db: Database,
    pub(crate) file: SourceFile,
    pub(crate) cursor: u32,
}

impl Fixture {
    /// Reads a text with its marks. A text without a cursor has it at its beginning.
    pub(crate) fn new(text: &str) -> Fixture {
        let mut db = Database::default();
        let mut first = None;
        let mut cursor = None;
        for (name, text) in parts(text) {
            let at = text.find("$0");
            let file = db.add_file(&name, &text.replacen("$0", "", 1));
            cursor = cursor.or(at.map(|it| (file, it as u32)));
            first = first.or(Some((file, 0)));
        }
        let (file, cursor) = cursor.or(first).expect("there is a first file");
        Fixture { db, file, cursor }
    }

    /// The text of the cursor's file.
    pub(crate) fn text(&self) -> &str {
        self.file.text(&self.db)
    }

    /// The text of a span of the cursor's file.
    pub(crate) fn slice(&self, span: Span) -> &str {
        &self.text()[span.lo as usize..span.hi as usize]
    }
}

fn parts(text: &str) -> Vec<(String, String)> {
    let mut parts = vec![("main.tile".to_owned(), String::new())];
    for line in text.split_inclusive('\n') {
        match line.trim().strip_prefix("//- ") {
            Some(name) if parts.len() == 1 && parts[0].1.trim().is_empty() => {
                parts[0] = (name.to_owned(), String::new());
            }
            Some(name) => parts.push((name.to_owned(), String::new())),
            None => parts.last_mut().expect("there is a first part").1.push_str(line),
        }
    }
    parts
}
