//! Inline assembly.

use super::super::llvm::Value;
use super::*;

/// Translates inline assembly.
pub(in crate::sim) fn lower<'m>(
    lower: &mut Lower<'m>,
    inst: Value<'m>,
    text: &str,
    _constraints: &str,
) -> Result<(), SimError> {
    if text.trim().is_empty() {
        let slots = lower.fresh_all(inst.ty())?;
        lower.bind(inst, slots);
        return Ok(());
    }
    Err(SimError::unsupported(format!("inline assembly `{text}`")))
}
