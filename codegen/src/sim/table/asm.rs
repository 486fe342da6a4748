//! PTX in inline assembly: a row for every mnemonic.
//!
//! A template is statements between semicolons, each perhaps under a predicate (`@$3`, `@!$3`).
//! `$n` is the operand `n` of all constraints, outputs first; braces may hold registers of their
//! own (`.reg .b32 t;`). An input that is tied to an output is copied before the first statement.
//! What a statement under a false predicate would have written keeps its value.

mod boxes;
mod mbarrier;
mod ptx;

use std::collections::HashMap;

use super::super::bytecode::Space;
use super::super::llvm::Value;
use super::*;

/// A mnemonic.
pub(super) struct AsmRow {
    /// Its first words.
    pub(super) name: &'static str,
    /// Where its meaning is written.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people and by a test"))]
    pub(super) source: &'static str,
    /// What it becomes.
    pub(super) rule: AsmRule,
}

/// What a mnemonic becomes.
pub(super) enum AsmRule {
    /// Nothing: a hint.
    Ignore,
    /// An operation on one real operand.
    Unary(Real1),
    /// An operation on two operands; which, their type says.
    Binary { unsigned: IntOp, signed: IntOp, real: Option<Real2> },
    /// Anything else.
    With(for<'m> fn(&mut Lower<'m>, &mut Statement) -> Result<(), SimError>),
}

/// A statement with its operands resolved.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// The words of the mnemonic after the row's name.
    pub(super) words: Vec<String>,
    pub(super) operands: Vec<Operand>,
    /// The carry of extended arithmetic.
    pub(super) carry: Option<Slot>,
    /// What the whole template gives.
    pub(super) outputs: Vec<Slot>,
}

/// What a statement works on.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Operand {
    Register(Slot),
    Immediate(u64),
    Registers(Vec<Slot>),
    /// `[register + offset]`
    Address(Slot, u32),
    /// `[register, {register, …}]`
    Tensor(Slot, Vec<Slot>),
    /// `_`
    Sink,
}

impl Statement {
    /// Whether `word` is in the mnemonic.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|it| it == word)
    }

    /// The operands `i` as registers, one or several.
    pub(super) fn registers(&self, i: usize) -> Result<Vec<Slot>, SimError> {
        match self.operands.get(i) {
            Some(Operand::Register(slot)) => Ok(vec![*slot]),
            Some(Operand::Registers(slots)) => Ok(slots.clone()),
            Some(Operand::Sink) => Ok(Vec::new()),
            _ => Err(SimError::unsupported(format!("operand {i} of inline assembly"))),
        }
    }

    /// The address that operand `i` is.
    pub(super) fn address(&self, i: usize) -> Result<(Slot, u32), SimError> {
        match self.operands.get(i) {
            Some(Operand::Address(slot, offset)) => Ok((*slot, *offset)),
            _ => Err(SimError::unsupported(format!("operand {i} of inline assembly"))),
        }
    }
}

/// The operands of the template while it is translated.
struct Frame {
    operands: Vec<Slot>,
    locals: HashMap<String, Slot>,
    carry: Option<Slot>,
    outputs: Vec<Slot>,
}

/// Translates inline assembly.
pub(in crate::sim) fn lower<'m>(
    lower: &mut Lower<'m>,
    inst: Value<'m>,
    text: &str,
    constraints: &str,
) -> Result<(), SimError> {
    let outputs = lower.fresh_all(inst.ty())?;
    let mut frame = Frame {
        operands: outputs.clone(),
        locals: HashMap::new(),
        carry: None,
        outputs: outputs.clone(),
    };
    let mut args = inst.args().into_iter();
    let mut seen = 0;
    for constraint in constraints.split(',').filter(|it| !it.is_empty() && !it.starts_with('~')) {
        if constraint.starts_with('=') {
            seen += 1;
            continue;
        }
        let arg = args.next().ok_or_else(|| refuse(text))?;
        let slot = lower.slot(arg)?;
        if let Ok(tied) = constraint.parse::<usize>() {
            let d = *outputs.get(tied).ok_or_else(|| refuse(text))?;
            lower.emit(Op::Copy { d, a: slot });
            frame.operands.push(d);
        } else {
            frame.operands.push(slot);
        }
    }
    if seen != outputs.len() {
        return Err(refuse(text));
    }
    for statement in statements(text) {
        lower.asm_statement(&mut frame, &statement)?;
    }
    lower.bind(inst, outputs);
    Ok(())
}

fn refuse(text: &str) -> SimError {
    SimError::unsupported(format!("the inline assembly `{}`", text.trim()))
}

/// The statements of a template, without comments and braces of blocks.
fn statements(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or(""));
    let joined: Vec<&str> = lines.collect();
    let mut res = Vec::new();
    for statement in joined.join(" ").split(';') {
        let mut statement = statement.trim();
        while let Some(rest) = statement.strip_prefix(['{', '}']) {
            statement = rest.trim_start();
        }
        if !statement.is_empty() {
            res.push(statement.to_owned());
        }
    }
    res
}

impl Lower<'_> {
    fn asm_statement(&mut self, frame: &mut Frame, text: &str) -> Result<(), SimError> {
        if let Some(declaration) = text.strip_prefix(".reg") {
            return self.asm_registers(frame, declaration);
        }
        let (predicate, rest) = match text.strip_prefix('@') {
            Some(rest) => {
                let (name, rest) =
                    rest.split_once(char::is_whitespace).ok_or_else(|| refuse(text))?;
                let (keep, name) = name.strip_prefix('!').map_or((true, name), |it| (false, it));
                match self.asm_register(frame, name) {
                    Some(Slot::Flag(flag)) => (Some((flag, keep)), rest.trim_start()),
                    _ => return Err(refuse(text)),
                }
            }
            None => (None, text),
        };
        let (mnemonic, operands) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (row, words) = find_row(mnemonic).ok_or_else(|| refuse(text))?;
        let outputs = frame.outputs.clone();
        let mut statement = Statement { words, operands: Vec::new(), carry: frame.carry, outputs };
        for operand in split_operands(operands) {
            let parsed = self.asm_operand(frame, &operand).ok_or_else(|| refuse(text))?;
            statement.operands.push(parsed);
        }
        if let Some((flag, keep)) = predicate {
            self.emit(Op::Restrict { flag, keep });
        }
        self.asm_rule(&row.rule, &mut statement).map_err(|error| error.because(text))?;
        frame.carry = statement.carry;
        if predicate.is_some() {
            self.emit(Op::Restore);
        }
        Ok(())
    }

    /// `.reg .b32 a, b`
    fn asm_registers(&mut self, frame: &mut Frame, text: &str) -> Result<(), SimError> {
        let text = text.trim();
        let (kind, names) = text.split_once(char::is_whitespace).ok_or_else(|| refuse(text))?;
        let bits = match kind {
            ".pred" => 1,
            _ => kind
                .trim_start_matches(|c: char| !c.is_ascii_digit())
                .parse()
                .map_err(|_| refuse(text))?,
        };
        for name in names.split(',') {
            let slot = self.fresh(Scalar::Int(bits));
            frame.locals.insert(name.trim().to_owned(), slot);
        }
        Ok(())
    }

    fn asm_register(&mut self, frame: &Frame, name: &str) -> Option<Slot> {
        match name.strip_prefix('$') {
            Some(digits) => frame.operands.get(digits.parse::<usize>().ok()?).copied(),
            None => frame.locals.get(name).copied(),
        }
    }

    fn asm_operand(&mut self, frame: &Frame, text: &str) -> Option<Operand> {
        let text = text.trim();
        if text == "_" {
            return Some(Operand::Sink);
        }
        if let Some(inner) = text.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            let slots: Option<Vec<Slot>> =
                inner.split(',').map(|name| self.asm_register(frame, name.trim())).collect();
            return slots.map(Operand::Registers);
        }
        if let Some(inner) = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            if let Some((map, corner)) = inner.split_once(',') {
                let map = self.asm_register(frame, map.trim())?;
                let corner = corner.trim().strip_prefix('{')?.strip_suffix('}')?;
                let slots = corner.split(',').map(|name| self.asm_register(frame, name.trim()));
                return Some(Operand::Tensor(map, slots.collect::<Option<Vec<Slot>>>()?));
            }
            let (base, offset) = inner.split_once('+').unwrap_or((inner, "0"));
            let base = self.asm_register(frame, base.trim())?;
            return Some(Operand::Address(base, immediate(offset.trim())? as u32));
        }
        if let Some(slot) = self.asm_register(frame, text) {
            return Some(Operand::Register(slot));
        }
        immediate(text).map(Operand::Immediate)
    }

    /// Operand `i` as a row of `bits` bits, immediates included.
    pub(super) fn asm_source(
        &mut self,
        statement: &Statement,
        i: usize,
        bits: u32,
    ) -> Result<Slot, SimError> {
        match statement.operands.get(i) {
            Some(Operand::Register(slot)) => Ok(*slot),
            Some(Operand::Immediate(value)) => {
                Ok(self
                    .constant(Scalar::Int(bits), super::super::translate::truncate(*value, bits)))
            }
            _ => Err(SimError::unsupported(format!("operand {i} of inline assembly"))),
        }
    }

    /// Writes `value` to the register that operand `i` is.
    pub(super) fn asm_result(
        &mut self,
        statement: &Statement,
        i: usize,
        value: Slot,
    ) -> Result<(), SimError> {
        if let Some(&d) = statement.registers(i)?.first() {
            self.emit(Op::Copy { d, a: value });
        }
        Ok(())
    }
}

fn immediate(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex.trim_end_matches('U'), 16).ok();
    }
    if let Some(single) = text.strip_prefix("0f") {
        return u64::from_str_radix(single, 16).ok();
    }
    text.parse::<i64>().ok().map(|it| it as u64)
}

/// Operands at commas that are not inside brackets or braces.
fn split_operands(text: &str) -> Vec<String> {
    let mut res = Vec::new();
    let mut depth = 0;
    let mut part = String::new();
    for c in text.chars() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ',' if depth == 0 => {
                res.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.trim().is_empty() {
        res.push(part);
    }
    res
}

fn rows() -> impl Iterator<Item = &'static AsmRow> {
    ptx::ROWS.iter().chain(mbarrier::ROWS).chain(boxes::ROWS)
}

fn find_row(mnemonic: &str) -> Option<(&'static AsmRow, Vec<String>)> {
    let mut end = mnemonic.len();
    loop {
        if let Some(row) = rows().find(|row| row.name == &mnemonic[..end]) {
            let words = mnemonic[end..].split('.').filter(|it| !it.is_empty());
            return Some((row, words.map(str::to_owned).collect()));
        }
        end = mnemonic[..end].rfind('.')?;
    }
}

/// The memory that the words of a mnemonic name.
pub(super) fn space_of(statement: &Statement) -> Space {
    if statement.words.iter().any(|it| it.starts_with("shared")) {
        Space::Shared
    } else if statement.has("global") {
        Space::Global
    } else {
        Space::Generic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_split_into_statements_without_comments() {
        let text = "{\n .reg .b32 t; // a comment with $0, $1\n @$3 ld.global.v2.b32 { $0, $1 }, [ $2 + 0 ];\n}";
        assert_eq!(
            statements(text),
            [".reg .b32 t", "@$3 ld.global.v2.b32 { $0, $1 }, [ $2 + 0 ]"]
        );
        assert_eq!(split_operands("{ $0, $1 }, [ $2 + 0 ]").len(), 2);
    }

    #[test]
    fn every_mnemonic_has_a_name_of_its_own_and_a_source() {
        let mut names: Vec<&str> = rows().map(|row| row.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(rows().all(|row| !row.source.is_empty()));
    }
}
