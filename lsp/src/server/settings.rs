//! What the user chose, as the client sends it: the section `tile` of its settings.
//!
//! Unknown names are passed over, and a value that cannot be read leaves what was there: settings
//! come from people.

use serde_json::Value;
use tile_language::target::TargetId;

/// What a file is checked for if nothing is chosen: one target of each vendor, as the command line does.
const TARGETS_USUAL: [&str; 2] = ["sm_90a", "gfx942"];

/// The settings.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// `tile.targets`: what files are checked for. The first one is shown where one is.
    pub targets: Vec<TargetId>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            targets: TARGETS_USUAL.iter().filter_map(|it| TargetId::from_name(it)).collect(),
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
}
