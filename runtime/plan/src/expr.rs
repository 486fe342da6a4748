//! Launch expressions: their value in checked 64 bits, and their text.
//!
//! Law L1 lives here: an operator whose result does not fit 64 bits is an [`EvalError`], never a
//! wrap. A name that nothing binds (every tensor that has it is absent) has no value, and neither
//! has an expression that reads it; what that means is the caller's decision.

use std::fmt;

use crate::{Device, Expr, Fun};

/// Why an expression has no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EvalError {
    /// The result of the operator does not fit 64 bits.
    Overflow {
        /// The operator.
        fun: Fun,
        /// Its left operand, or its only one.
        a: i64,
        /// Its right operand.
        b: i64,
    },
    /// The right operand of a division or remainder is zero.
    DivisionByZero {
        /// What was to be divided.
        a: i64,
    },
    /// The symbol of that number is bound by no tensor that is present.
    Unbound(u32),
    /// The parameter of that number is not an integer.
    NotAnInteger(u32),
}

/// What names mean while an expression is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// Values of the symbols, by number; `None` if nothing binds one.
    pub symbols: &'a [Option<i64>],
    /// Values of the integer scalar arguments, by the parameter's number; `None` for others.
    pub scalars: &'a [Option<i64>],
    /// What expressions may ask of the device.
    pub device: Device,
}

impl Expr {
    /// Its value, or why it has none. `&&` and `||` evaluate both sides.
    pub fn eval(&self, env: &Environment<'_>) -> Result<i64, EvalError> {
        match self {
            Expr::Int(value) => Ok(*value),
            Expr::Symbol(it) => {
                env.symbols.get(*it as usize).copied().flatten().ok_or(EvalError::Unbound(*it))
            }
            Expr::Scalar(it) => {
                env.scalars.get(*it as usize).copied().flatten().ok_or(EvalError::NotAnInteger(*it))
            }
            Expr::NumSms => Ok(i64::from(env.device.sms)),
            Expr::MaxResident => {
                Ok(i64::from(env.device.sms) * i64::from(env.device.blocks_per_sm))
            }
            Expr::Apply(fun, operands) => {
                let mut values = operands.iter().map(|it| it.eval(env));
                let a = values.next().unwrap_or(Ok(0))?;
                let b = values.next().unwrap_or(Ok(0))?;
                fun.apply(a, b)
            }
        }
    }

    /// The symbol that an extent binds, and its value where the extent is `value`: a symbol alone, or with a number
    /// added or taken away. No size is below zero; the extent that is declared then differs from the one given.
    pub fn solve(&self, value: i64) -> Option<(u32, i64)> {
        match self {
            Expr::Symbol(it) => Some((*it, value)),
            Expr::Apply(fun, operands) => match (fun, operands.as_slice()) {
                (Fun::Add, [Expr::Symbol(it), Expr::Int(by)]) => {
                    Some((*it, value.saturating_sub(*by).max(0)))
                }
                (Fun::Sub, [Expr::Symbol(it), Expr::Int(by)]) => {
                    Some((*it, value.saturating_add(*by).max(0)))
                }
                _ => None,
            },
            Expr::Int(_) | Expr::Scalar(_) | Expr::NumSms | Expr::MaxResident => None,
        }
    }

    /// Calls `f` on every symbol and scalar in it, in reading order.
    pub fn walk_names(&self, f: &mut impl FnMut(&Expr)) {
        match self {
            Expr::Symbol(_) | Expr::Scalar(_) => f(self),
            Expr::Apply(_, operands) => operands.iter().for_each(|it| it.walk_names(f)),
            Expr::Int(_) | Expr::NumSms | Expr::MaxResident => {}
        }
    }

    /// Its text, with names from `symbol` and `scalar`.
    pub fn text(&self, symbol: &dyn Fn(u32) -> String, scalar: &dyn Fn(u32) -> String) -> String {
        match self {
            Expr::Int(value) => value.to_string(),
            Expr::Symbol(it) => symbol(*it),
            Expr::Scalar(it) => scalar(*it),
            Expr::NumSms => "num_sms()".to_owned(),
            Expr::MaxResident => "max_resident()".to_owned(),
            Expr::Apply(fun, operands) => {
                let operands: Vec<String> =
                    operands.iter().map(|it| it.operand_text(symbol, scalar)).collect();
                match operands.as_slice() {
                    [a, b] if fun.is_infix() => format!("{a} {fun} {b}"),
                    [a] if fun.is_prefix() => format!("{fun}{a}"),
                    _ => format!("{fun}({})", operands.join(", ")),
                }
            }
        }
    }

    fn operand_text(
        &self,
        symbol: &dyn Fn(u32) -> String,
        scalar: &dyn Fn(u32) -> String,
    ) -> String {
        let text = self.text(symbol, scalar);
        match self {
            Expr::Apply(fun, _) if fun.is_infix() => format!("({text})"),
            _ => text,
        }
    }
}

impl Fun {
    /// The operator on two numbers; one of one operand ignores `b`.
    pub fn apply(self, a: i64, b: i64) -> Result<i64, EvalError> {
        let truth = |it: bool| Ok(i64::from(it));
        let checked = |it: Option<i64>| it.ok_or(EvalError::Overflow { fun: self, a, b });
        let divided = |it: fn(i64, i64) -> Option<i64>| match b {
            0 => Err(EvalError::DivisionByZero { a }),
            _ => checked(it(a, b)),
        };
        match self {
            Fun::Add => checked(a.checked_add(b)),
            Fun::Sub => checked(a.checked_sub(b)),
            Fun::Mul => checked(a.checked_mul(b)),
            Fun::Div => divided(i64::checked_div),
            Fun::Rem => divided(i64::checked_rem),
            Fun::CeilDiv => divided(checked_ceil_div),
            Fun::Min => Ok(a.min(b)),
            Fun::Max => Ok(a.max(b)),
            Fun::Neg => checked(a.checked_neg()),
            Fun::Not => truth(a == 0),
            Fun::And => truth(a != 0 && b != 0),
            Fun::Or => truth(a != 0 || b != 0),
            Fun::Eq => truth(a == b),
            Fun::Ne => truth(a != b),
            Fun::Lt => truth(a < b),
            Fun::Le => truth(a <= b),
            Fun::Gt => truth(a > b),
            Fun::Ge => truth(a >= b),
        }
    }

    fn is_infix(self) -> bool {
        !matches!(self, Fun::CeilDiv | Fun::Min | Fun::Max | Fun::Neg | Fun::Not)
    }

    fn is_prefix(self) -> bool {
        matches!(self, Fun::Neg | Fun::Not)
    }
}

fn checked_ceil_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    let inexact = a.checked_rem(b)? != 0;
    if inexact && (a < 0) == (b < 0) { quotient.checked_add(1) } else { Some(quotient) }
}

impl fmt::Display for Fun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fun::Add => "+",
            Fun::Sub | Fun::Neg => "-",
            Fun::Mul => "*",
            Fun::Div => "/",
            Fun::Rem => "%",
            Fun::CeilDiv => "cdiv",
            Fun::Min => "min",
            Fun::Max => "max",
            Fun::Not => "!",
            Fun::And => "&&",
            Fun::Or => "||",
            Fun::Eq => "==",
            Fun::Ne => "!=",
            Fun::Lt => "<",
            Fun::Le => "<=",
            Fun::Gt => ">",
            Fun::Ge => ">=",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEVICE: Device = Device { sms: 132, blocks_per_sm: 2 };

    fn eval(expr: &Expr, symbols: &[Option<i64>]) -> Result<i64, EvalError> {
        expr.eval(&Environment { symbols, scalars: &[], device: DEVICE })
    }

    fn apply(fun: Fun, a: Expr, b: Expr) -> Expr {
        Expr::Apply(fun, vec![a, b])
    }

    #[test]
    fn max_resident_is_blocks_of_the_whole_device() {
        assert_eq!(eval(&Expr::MaxResident, &[]), Ok(264));
    }

    #[test]
    fn a_name_that_nothing_binds_has_no_value() {
        assert_eq!(eval(&Expr::Symbol(1), &[Some(4), None]), Err(EvalError::Unbound(1)));
    }

    #[test]
    fn ceiling_division_goes_up_for_both_signs() {
        let exact = |a: i64, b: i64| (a as f64 / b as f64).ceil() as i64;
        for a in -9..=9 {
            for b in (-4..=4).filter(|&it| it != 0) {
                assert_eq!(Fun::CeilDiv.apply(a, b), Ok(exact(a, b)), "cdiv({a}, {b})");
            }
        }
    }

    #[test]
    fn text_is_what_was_written() {
        let rem = apply(Fun::Rem, Expr::Symbol(0), Expr::Int(4));
        let expr = apply(Fun::Eq, rem, Expr::Int(0));
        assert_eq!(expr.text(&|_| "cols".to_owned(), &|_| String::new()), "(cols % 4) == 0");
    }

    proptest! {
        /// L1: every operator is the one of the integers, or an error.
        #[test]
        fn l1_an_overflow_is_an_error_never_a_wrap(a: i64, b: i64) {
            let (wide_a, wide_b) = (i128::from(a), i128::from(b));
            let cases = [
                (Fun::Add, Some(wide_a + wide_b)),
                (Fun::Sub, Some(wide_a - wide_b)),
                (Fun::Mul, Some(wide_a * wide_b)),
                (Fun::Div, wide_a.checked_div(wide_b)),
                (Fun::Neg, Some(-wide_a)),
            ];
            for (fun, exact) in cases {
                let expect = exact.and_then(|it| i64::try_from(it).ok());
                prop_assert_eq!(fun.apply(a, b).ok(), expect, "{} {} {}", a, fun, b);
            }
        }
    }
}
