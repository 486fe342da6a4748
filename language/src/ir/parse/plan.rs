//! Reading the launch plan at the head of a kernel's text.

use tile_plan::{AbiSlot, Check, Expr, LaunchPlan, Param, ParamKind, Scalar, Symbol, TensorMap};

use super::lex::Token;
use super::{Parse, Parser};
use crate::ir::text::FUNS;

impl Parser<'_> {
    /// From `plan` to `grid […]`.
    pub(super) fn plan(&mut self) -> Parse<LaunchPlan> {
        self.expect_word("plan")?;
        let mut plan = LaunchPlan { kernel: self.name()?.to_string(), ..LaunchPlan::default() };
        self.expect_word("threads")?;
        plan.threads = self.number()?;
        if self.eat_word("cluster") {
            plan.cluster = self.list(Self::number)?;
        }
        plan.resident = self.eat_word("resident");
        self.declare_names(&mut plan);
        let mut number = 0;
        while number < plan.params.len() && self.eat_word("param") {
            plan.params[number] = self.param(&plan)?;
            number += 1;
        }
        number = 0;
        while number < plan.symbols.len() && self.eat_word("symbol") {
            let name = self.name()?.to_string();
            self.expect_sign(':')?;
            plan.symbols[number] = Symbol { name, bits: self.number()? };
            number += 1;
        }
        while self.eat_word("check") {
            let text = self.string()?;
            self.expect_sign(':')?;
            plan.checks.push(Check { text, expr: self.expr(&plan)? });
        }
        while self.eat_word("map") {
            let map = self.tensor_map(&plan)?;
            plan.maps.push(map);
        }
        self.expect_word("grid")?;
        plan.grid = self.list(|it| it.expr(&plan))?;
        Ok(plan)
    }

    /// Puts in the names of parameters and symbols, which expressions use before they are declared.
    fn declare_names(&mut self, plan: &mut LaunchPlan) {
        let head = self.tokens[self.at..].split(|it| it.token == Token::Word("grid".into())).next();
        for pair in head.unwrap_or_default().windows(2) {
            let name = match &pair[1].token {
                Token::Word(it) => it.to_string(),
                Token::Text(it) => it.clone(),
                _ => continue,
            };
            if pair[0].token == Token::Word("param".into()) {
                let kind = ParamKind::Scalar { dtype: String::new(), default: None };
                plan.params.push(Param { name, kind });
            } else if pair[0].token == Token::Word("symbol".into()) {
                plan.symbols.push(Symbol { name, bits: 0 });
            }
        }
    }

    fn param(&mut self, plan: &LaunchPlan) -> Parse<Param> {
        let name = self.name()?.to_string();
        self.expect_sign(':')?;
        let kind = if self.eat_word("tensor") {
            let dtype = self.dtype()?.name().to_owned();
            let dims = self.list(|it| it.expr(plan))?;
            let strides =
                if self.eat_word("strides") { Some(self.list(|it| it.expr(plan))?) } else { None };
            let align = if self.eat_word("align") { self.number()? } else { 16 };
            let mutable = self.eat_word("mut");
            let optional = self.eat_word("optional");
            ParamKind::Tensor { dtype, dims, strides, align, mutable, optional }
        } else if self.eat_word("pointer") {
            let dtype = self.dtype()?.name().to_owned();
            self.expect_word("align")?;
            ParamKind::Pointer { dtype, align: self.number()? }
        } else {
            self.expect_word("scalar")?;
            let dtype = self.dtype()?.name().to_owned();
            let default = if self.eat_sign('=') { Some(self.scalar()?) } else { None };
            ParamKind::Scalar { dtype, default }
        };
        Ok(Param { name, kind })
    }

    fn tensor_map(&mut self, plan: &LaunchPlan) -> Parse<TensorMap> {
        let param = self.param_number(plan)?;
        self.expect_word("axes")?;
        let axes = self.list(Self::number)?;
        self.expect_word("box")?;
        let extents = self.list(Self::number)?;
        self.expect_word("of")?;
        let dtype = self.dtype()?;
        self.expect_word("swizzle")?;
        let (bits, dtype) = (dtype.storage_bits(), dtype.name().to_owned());
        Ok(TensorMap { param, axes, extents, dtype, bits, swizzle: self.number()? })
    }

    fn scalar(&mut self) -> Parse<Scalar> {
        if self.eat_word("int") {
            return self.number().map(Scalar::Int);
        }
        self.expect_word("float")?;
        match self.peek().clone() {
            Token::Word(it) if it == "inf" || it == "NaN" => {
                self.next();
                Ok(Scalar::Float(if it == "inf" { f64::INFINITY } else { f64::NAN }))
            }
            _ => self.number().map(Scalar::Float),
        }
    }

    pub(super) fn expr(&mut self, plan: &LaunchPlan) -> Parse<Expr> {
        let token = self.at;
        match self.next() {
            Token::Number(it) => it
                .parse()
                .map(Expr::Int)
                .or_else(|_| self.error_at(token, format!("`{it}` is no integer of 64 bits"))),
            Token::Sigil('#', it) => match it.parse() {
                Ok(number) => Ok(Expr::Symbol(number)),
                Err(_) => self.error_at(token, format!("`#{it}` is no number of a symbol")),
            },
            Token::Word(word) if matches!(self.peek(), Token::Sign('(')) => {
                self.nested(|it| it.apply(&word, token, plan))
            }
            Token::Word(word) => self.symbol(&word, token, plan).map(Expr::Symbol),
            Token::Text(name) => self.symbol(&name, token, plan).map(Expr::Symbol),
            other => {
                self.error_at(token, format!("a launch expression is wanted here, not {other}"))
            }
        }
    }

    fn apply(&mut self, word: &str, token: usize, plan: &LaunchPlan) -> Parse<Expr> {
        self.expect_sign('(')?;
        if word == "scalar" {
            let number = self.param_number(plan)?;
            self.expect_sign(')')?;
            return Ok(Expr::Scalar(number));
        }
        let mut args = vec![];
        while !self.eat_sign(')') {
            if !args.is_empty() {
                self.expect_sign(',')?;
            }
            args.push(self.expr(plan)?);
        }
        match (word, FUNS.iter().find(|it| it.1 == word)) {
            ("num_sms", _) => Ok(Expr::NumSms),
            ("max_resident", _) => Ok(Expr::MaxResident),
            (_, Some(&(fun, _))) => Ok(Expr::Apply(fun, args)),
            _ => self.error_at(token, format!("there is no launch operator `{word}`")),
        }
    }

    /// After `=` in the body's parameters.
    pub(super) fn slot(&mut self, plan: &LaunchPlan) -> Parse<AbiSlot> {
        if self.eat_word("address") {
            return self.param_number(plan).map(AbiSlot::Address);
        }
        if self.eat_word("scalar") {
            return self.param_number(plan).map(AbiSlot::Scalar);
        }
        if self.eat_word("map") {
            return self.number().map(AbiSlot::Map);
        }
        self.expect_word("symbol")?;
        let token = self.at;
        match self.next() {
            Token::Word(name) => self.symbol(&name, token, plan).map(AbiSlot::Symbol),
            Token::Text(name) => self.symbol(&name, token, plan).map(AbiSlot::Symbol),
            Token::Sigil('#', it) => it
                .parse()
                .map(AbiSlot::Symbol)
                .or_else(|_| self.error_at(token, "a symbol's number is wanted here")),
            other => self.error_at(token, format!("a symbol is wanted here, not {other}")),
        }
    }

    fn symbol(&self, name: &str, token: usize, plan: &LaunchPlan) -> Parse<u32> {
        match plan.symbols.iter().position(|it| it.name == name) {
            Some(number) => Ok(number as u32),
            None => self.error_at(token, format!("there is no symbol `{name}`")),
        }
    }

    fn param_number(&mut self, plan: &LaunchPlan) -> Parse<u32> {
        let token = self.at;
        if let Token::Sigil('#', it) = self.peek().clone() {
            self.next();
            return it
                .parse()
                .or_else(|_| self.error_at(token, "a parameter's number is wanted here"));
        }
        let name = self.name()?;
        match plan.params.iter().position(|it| it.name == name) {
            Some(number) => Ok(number as u32),
            None => self.error_at(token, format!("there is no parameter `{name}`")),
        }
    }
}
