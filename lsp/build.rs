//! Embeds the pages of `docs/diagnostics`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let folder = Path::new("../docs/diagnostics");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut pages: Vec<PathBuf> = fs::read_dir(folder)
        .map(|it| it.filter_map(Result::ok).map(|it| it.path()).collect())
        .unwrap_or_default();
    pages.retain(|it| it.extension().is_some_and(|it| it == "md"));
    pages.sort();
    let rows = pages.iter().map(|page| {
        let page = page.canonicalize().expect("a page that was listed can be reached");
        let name = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        format!("    ({name:?}, include_str!({:?})),\n", page.display().to_string())
    });
    let table = format!(
        "/// Pages by code, in order.\nconst PAGES: &[(&str, &str)] = &[\n{}];\n",
        rows.collect::<String>()
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("pages.rs"), table).expect("OUT_DIR can be written");
}
