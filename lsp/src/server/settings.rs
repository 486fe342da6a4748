//! What the user chose, as the client sends it: the section `tile` of its settings.
//!
//! Unknown names are passed over, and a value that cannot be read leaves what was there: settings
//! come from people.

use std::path::PathBuf;

use rustc_hash::FxHashMap;
use serde_json::Value;
use smol_str::SmolStr;
use tile_language::target::TargetId;

use crate::ide::inlay::HintKind;
use crate::ide::shown::Shown;

/// What a file is checked for if nothing is chosen: one target of each vendor, as the command line does.
const TARGETS_USUAL: [&str; 2] = ["sm_90a", "gfx942"];

/// The settings.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// `tile.targets`: what files are checked for. The first one is shown where one is.
    pub targets: Vec<TargetId>,
    /// `tile.target`: what is shown, where it is not the first of `targets`.
    pub target: Option<TargetId>,
    /// `tile.instances`: which instance of a kernel is shown, by the kernel's name.
    pub instances: FxHashMap<SmolStr, SmolStr>,
    /// `tile.compiler`: the program `tilec`; looked for if left out.
    pub compiler: Option<PathBuf>,
    /// `tile.hints.types`, `.constants`, `.bytes`, `.costs`: which inlay hints are shown.
    pub hints: Vec<HintKind>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            targets: TARGETS_USUAL.iter().filter_map(|it| TargetId::from_name(it)).collect(),
            target: None,
            instances: FxHashMap::default(),
            compiler: None,
            hints: HintKind::ALL.to_vec(),
        }
    }
}

impl Settings {
    /// Takes over what `section`, or its entry `tile`, says.
    pub fn read(&mut self, section: &Value) {
        let section = section.get("tile").unwrap_or(section);
        if let Some(names) = section.get("targets").and_then(Value::as_array) {
            let names = names.iter().filter_map(Value::as_str);
            let targets: Vec<TargetId> = names.filter_map(TargetId::from_name).collect();
            if !targets.is_empty() {
                self.targets = targets;
            }
        }
        if let Some(name) = section.get("target").and_then(Value::as_str) {
            self.target = TargetId::from_name(name);
        }
        if let Some(path) = section.get("compiler").and_then(Value::as_str) {
            self.compiler = (!path.is_empty()).then(|| PathBuf::from(path));
        }
        if let Some(chosen) = section.get("instances").and_then(Value::as_object) {
            let name = |(kernel, name): (&String, &Value)| {
                Some((SmolStr::new(kernel), SmolStr::new(name.as_str()?)))
            };
            self.instances = chosen.iter().filter_map(name).collect();
        }
        if let Some(hints) = section.get("hints") {
            let is_on = |it: &HintKind| {
                let told = hints.get(it.setting()).and_then(Value::as_bool);
                told.unwrap_or_else(|| self.hints.contains(it))
            };
            self.hints = HintKind::ALL.into_iter().filter(is_on).collect();
        }
    }

    /// What the user sees of a kernel.
    pub fn shown(&self) -> Shown {
        let first = self.targets.first().copied();
        let target = self.target.or(first).expect("there is always a target");
        Shown { instances: self.instances.clone(), ..Shown::of(target) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_targets_are_passed_over() {
        let mut settings = Settings::default();
        settings.read(&json!({ "tile": { "targets": ["sm_80", "z80"] } }));
        let names: Vec<&str> = settings.targets.iter().map(|it| it.row().name).collect();
        assert_eq!(names, ["sm_80"]);
        settings.read(&json!({ "targets": ["z80"], "colour": 3 }));
        assert_eq!(settings.targets.len(), 1);
    }

    #[test]
    fn what_is_shown_can_be_chosen() {
        let mut settings = Settings::default();
        settings.read(&json!({ "target": "gfx942", "instances": { "gemm": "big", "other": 3 } }));
        let shown = settings.shown();
        assert_eq!(shown.target.row().name, "gfx942");
        assert_eq!(shown.instances.get("gemm").map(SmolStr::as_str), Some("big"));
        assert_eq!(shown.instances.len(), 1);
    }

    #[test]
    fn hints_that_are_not_named_stay_as_they_are() {
        let mut settings = Settings::default();
        settings.read(&json!({ "hints": { "types": false } }));
        settings.read(&json!({ "hints": { "costs": false } }));
        assert_eq!(settings.hints, [HintKind::Constant, HintKind::Bytes]);
    }
}
