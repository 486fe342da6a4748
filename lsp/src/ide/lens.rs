//! Code lenses: what a kernel needs, which instance and target is shown, and what can be run or opened.

use tile_language::db::{self, Db, SourceFile};
use tile_language::query;
use tile_language::target::Vendor;
use tile_syntax::ast::{Item, ItemKind, Span};

use super::code::Form;
use super::cost::bytes_text;
use super::hover::Needs;
use super::shown::{self, Shown, ShownInstance};

/// A line above an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lens {
    /// The name that it stands above, in bytes of the file.
    pub span: Span,
    /// What it says.
    pub title: String,
    /// What happens if it is clicked.
    pub action: Action,
}

/// What a lens does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Lets the user choose the instance and the target that are shown.
    Choose {
        /// The kernel.
        kernel: String,
        /// The instances that there are, the shown one first.
        instances: Vec<String>,
    },
    /// Opens what an instance is compiled to.
    Open {
        /// The instance.
        instance: String,
        /// The target.
        target: &'static str,
        /// In which form.
        form: Form,
    },
    /// Runs a test or a bench.
    Run {
        /// Its title.
        title: String,
        /// Whether it is a `bench`.
        is_bench: bool,
    },
    /// Builds an instance for its targets.
    Build {
        /// The instance.
        instance: String,
        /// Its targets; empty means those of the settings.
        targets: Vec<String>,
    },
}

/// The lenses of a file, in the order of the text.
pub fn lenses(db: &dyn Db, file: SourceFile, shown: &Shown) -> Vec<Lens> {
    let mut found = Vec::new();
    let instances = shown::of_file(db, file, shown);
    for (source, (key, start)) in db::items(db, file).iter().zip(db::item_starts(db, file)) {
        let tree = &db::parsed(db, *source).item;
        let at = |span: Span| span.shifted(*start);
        match &tree.kind {
            ItemKind::Kernel(it) => {
                let own = instances.iter().find(|it| it.kernel == key);
                found.extend(
                    own.into_iter()
                        .flat_map(|one| of_kernel(db, file, at(it.name.span), one, shown)),
                );
            }
            ItemKind::Test(it) | ItemKind::Bench(it) => {
                let is_bench = matches!(tree.kind, ItemKind::Bench(_));
                let title = if is_bench { "run bench" } else { "run test" };
                let action = Action::Run { title: it.title.to_string(), is_bench };
                found.push(Lens { span: at(it.title_span), title: title.to_owned(), action });
            }
            ItemKind::Build(_) => found.extend(of_build(tree, at)),
            _ => {}
        }
    }
    found
}

fn of_build(tree: &Item, at: impl Fn(Span) -> Span) -> Option<Lens> {
    let ItemKind::Build(it) = &tree.kind else { return None };
    let targets = it.targets.iter().map(|it| it.text.to_string()).collect();
    let action = Action::Build { instance: it.name.text.to_string(), targets };
    Some(Lens { span: at(it.name.span), title: "build".to_owned(), action })
}

fn of_kernel(
    db: &dyn Db,
    file: SourceFile,
    span: Span,
    it: &ShownInstance<'_>,
    shown: &Shown,
) -> Vec<Lens> {
    let target = it.target.row();
    let mut title = format!("{} for {}", it.name, target.name);
    if let Some(needs) = Needs::of(db, file, *it, shown) {
        let occupancy = target.occupancy(needs.block);
        title.push_str(&format!(" · {}", needs.registers_text()));
        if needs.block.shared_bytes > 0 {
            title.push_str(&format!(" · {} shared", bytes_text(needs.block.shared_bytes)));
        }
        title.push_str(&format!(" · {} % of the warps", occupancy.percent));
    }
    let mut instances = vec![it.name.to_string()];
    let others = query::instances(db, file, it.target).0.into_iter();
    let others = others.filter(|other| other.kernel == *it.kernel && other.name != *it.name);
    instances.extend(others.map(|it| it.name.to_string()));
    let action = Action::Choose { kernel: it.kernel.item.to_string(), instances };
    let mut found = vec![Lens { span, title, action }];
    let forms = match target.vendor {
        Vendor::Nvidia => [Form::TileIr, Form::Llvm, Form::Ptx],
        Vendor::Amd => [Form::TileIr, Form::Llvm, Form::Amdgcn],
    };
    for form in forms {
        let action = Action::Open { instance: it.name.to_string(), target: target.name, form };
        found.push(Lens { span, title: form.title().to_owned(), action });
    }
    found
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use tile_language::target::TargetId;

    use super::*;
    use crate::ide::fixture::Fixture;

    fn listed(text: &str, target: &str) -> String {
        let fixture = Fixture::new(text);
        let target = TargetId::from_name(target).expect("a target of the table");
        let found = lenses(&fixture.db, fixture.file, &Shown::of(target));
        let line =
            |it: &Lens| format!("{}: {} {:?}\n", fixture.slice(it.span), it.title, it.action);
        found.iter().map(line).collect()
    }

    const TEXT: &str = "\
kernel one[N: int = 64](x: global mut f32[n]) grid [1] warps 1 {
    let j = iota(N) @ blocked(regs: [2], lanes: [32], warps: [1]);
    store(x.at(j), j.to(f32), mask: j < n);
}
build big = one[N: 256] for sm_80;
test \"it writes\" { let x = zeros(f32[64]); one(x); }
bench \"it writes fast\" { let x = zeros(f32[64]); one(x); }
";

    #[test]
    fn kernels_tests_and_builds_have_lenses() {
        assert_snapshot!(listed(TEXT, "sm_80"));
    }

    #[test]
    fn a_kernel_for_another_target_is_shown_for_that() {
        let text = TEXT.replace(" warps 1", " requires mfma warps 1").replace("build", "// build");
        assert_snapshot!(listed(&text, "sm_90a").lines().next().unwrap_or_default(), @r#"one: one for gfx942 · about 11 registers · 100 % of the warps Choose { kernel: "one", instances: ["one"] }"#);
    }
}
