//! Calls: which row of the tables an intrinsic or a line of inline assembly belongs to.

use super::super::bytecode::HookCall;
use super::super::table;
use super::*;

/// A call with its operands.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Call<'m> {
    /// The instruction, for its type and to bind its result.
    pub(in crate::sim) inst: Value<'m>,
    /// The name of the callee.
    pub(in crate::sim) name: String,
    /// The words of the name that its row leaves open: types, roundings.
    pub(in crate::sim) words: Vec<String>,
    /// Its arguments.
    pub(in crate::sim) args: Vec<Value<'m>>,
}

impl<'m> Lower<'m> {
    pub(super) fn call(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let callee = inst.called();
        if let Some((text, constraints)) = callee.inline_asm() {
            return table::asm::lower(self, inst, &text, &constraints);
        }
        let name = callee.name();
        if let Some(hook) = self.hooks.iter().position(|hook| hook.function == name) {
            return self.hook(inst, hook);
        }
        let Some((row, words)) = table::find(self.vendor, &name) else {
            let what = if name.is_empty() {
                "through a pointer".to_owned()
            } else {
                format!("of `{name}`")
            };
            return Err(SimError::unsupported(format!("a call {what}")));
        };
        let words = words.into_iter().map(str::to_owned).collect();
        let call = Call { inst, name: name.clone(), words, args: inst.args() };
        table::lower(self, row, &call)
    }

    fn hook(&mut self, inst: Value<'m>, hook: usize) -> Result<(), SimError> {
        let mut args = Vec::new();
        for arg in inst.args() {
            args.extend_from_slice(&self.slots(arg)?);
        }
        let table = self.code.hook_calls.len() as u32;
        let stops = self.hooks[hook].stops;
        self.code.hook_calls.push(HookCall { hook, stops, args });
        self.emit(Op::Hook { table });
        let result = self.fresh_all(inst.ty())?;
        self.bind(inst, result);
        Ok(())
    }

    /// The constant argument `i`.
    pub(in crate::sim) fn immediate(&mut self, call: &Call<'m>, i: usize) -> Result<u64, SimError> {
        if !call.args[i].is_constant() {
            let message = format!("`{}` with a variable argument {i}", call.name);
            return Err(SimError::unsupported(message));
        }
        Ok(self.constant_bits(call.args[i])?[0])
    }
}
