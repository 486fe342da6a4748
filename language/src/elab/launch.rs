//! Launch expressions: what `grid`, `where` and sizes say, for a launcher to evaluate; and the facts
//! that follow from a `where`.

use smol_str::SmolStr;
use tile_plan::{Expr as Plan, Fun};
use tile_syntax::ast::{BinaryOp, Expr, ExprKind, Span, UnaryOp};

use super::cx::Elab;
use super::kernel::Head;
use super::params::dotted;
use super::value::Value;
use crate::ir::{self, Fact, FactKind};
use crate::report;

impl Elab<'_> {
    /// An expression over sizes, scalar arguments and compile-time numbers; `None`, reported, for others.
    pub(super) fn launch_expr(&mut self, expr: &Expr, head: &Head) -> Option<Plan> {
        stacker::maybe_grow(64 * 1024, 2 * 1024 * 1024, || self.launch_expr_grown(expr, head))
    }

    fn launch_expr_grown(&mut self, expr: &Expr, head: &Head) -> Option<Plan> {
        let apply = |fun, args| Some(Plan::Apply(fun, args));
        match &*expr.kind {
            ExprKind::Paren(inner) => self.launch_expr(inner, head),
            ExprKind::Path(_) | ExprKind::Field(..) => match dotted(expr) {
                Some(path) => self.launch_name(&path, expr, head),
                None => self.launch_number(expr),
            },
            ExprKind::Unary(op, operand) => {
                let fun = match op {
                    UnaryOp::Neg => Fun::Neg,
                    UnaryOp::Not => Fun::Not,
                    UnaryOp::Pointer => return self.launch_number(expr),
                };
                match self.launch_expr(operand, head)? {
                    Plan::Int(it) if fun == Fun::Neg => Some(Plan::Int(it.checked_neg()?)),
                    it => apply(fun, vec![it]),
                }
            }
            ExprKind::Binary(op, lhs, rhs) => {
                let (a, b) = (self.launch_expr(lhs, head), self.launch_expr(rhs, head));
                let (a, b) = (a?, b?);
                if matches!((&a, &b), (Plan::Int(_), Plan::Int(_))) {
                    return self.launch_number(expr);
                }
                match fun_of(*op) {
                    Some(fun) => apply(fun, vec![a, b]),
                    None => {
                        self.report(report::types::not_a_launch_expression(self.place(expr.span)));
                        None
                    }
                }
            }
            ExprKind::Call(callee, args) => {
                let fun = match &*callee.kind {
                    ExprKind::Path(path) if path.len() == 1 => match (&*path[0].text, args.len()) {
                        ("num_sms", 0) => return Some(Plan::NumSms),
                        ("max_resident", 0) => return Some(Plan::MaxResident),
                        ("cdiv", 2) => Fun::CeilDiv,
                        ("min", 2) => Fun::Min,
                        ("max", 2) => Fun::Max,
                        _ => return self.launch_number(expr),
                    },
                    _ => return self.launch_number(expr),
                };
                let (a, b) = (
                    self.launch_expr(&args[0].value, head)?,
                    self.launch_expr(&args[1].value, head)?,
                );
                if matches!((&a, &b), (Plan::Int(_), Plan::Int(_))) {
                    return self.launch_number(expr);
                }
                apply(fun, vec![a, b])
            }
            _ => self.launch_number(expr),
        }
    }

    fn launch_name(&mut self, name: &SmolStr, expr: &Expr, head: &Head) -> Option<Plan> {
        let path = format!("{}{name}", head.owner);
        if let Some(n) = head.plan.symbols.iter().position(|it| it.name == path) {
            return Some(Plan::Symbol(n as u32));
        }
        if let Some((n, ..)) = head.scalars.iter().find(|it| it.1 == path) {
            return Some(Plan::Scalar(*n));
        }
        self.launch_number(expr)
    }

    /// A number known at compile time.
    fn launch_number(&mut self, expr: &Expr) -> Option<Plan> {
        match self.eval_const(expr) {
            Value::Int(it) => i64::try_from(it).ok().map(Plan::Int),
            Value::Bool(it) => Some(Plan::Int(it.into())),
            Value::Error => None,
            _ => {
                self.report(report::types::not_a_launch_expression(self.place(expr.span)));
                None
            }
        }
    }

    /// The relations in a `where` clause that analyses understand.
    pub(super) fn facts_of(&mut self, expr: &Plan, head: &Head, span: Span) {
        let Plan::Apply(fun, args) = expr else { return };
        if *fun == Fun::And {
            args.iter().for_each(|it| self.facts_of(it, head, span));
            return;
        }
        let [a, b] = &args[..] else { return };
        let (va, vb) = (value_of(a, head), value_of(b, head));
        let mut kinds = Vec::new();
        match (fun, a, b) {
            (Fun::Eq, Plan::Apply(Fun::Rem, parts), Plan::Int(0))
            | (Fun::Eq, Plan::Int(0), Plan::Apply(Fun::Rem, parts)) => {
                if let [x, Plan::Int(divisor)] = &parts[..]
                    && let (Some(value), Ok(divisor)) = (value_of(x, head), u64::try_from(*divisor))
                {
                    kinds.push(FactKind::Divisible { value, divisor });
                }
            }
            _ => match (va, b, vb, a) {
                (Some(value), Plan::Int(n), ..) => kinds.extend(bound(*fun, value, *n)),
                (_, _, Some(value), Plan::Int(n)) => kinds.extend(bound(flip(*fun), value, *n)),
                (Some(a), _, Some(b), _) => match fun {
                    Fun::Le | Fun::Lt => kinds.push(FactKind::AtMost { a, b }),
                    Fun::Ge | Fun::Gt => kinds.push(FactKind::AtMost { a: b, b: a }),
                    Fun::Eq => {
                        kinds.push(FactKind::AtMost { a, b });
                        kinds.push(FactKind::AtMost { a: b, b: a });
                    }
                    _ => {}
                },
                _ => {}
            },
        }
        let site = self.site(span);
        self.ir.facts.extend(kinds.into_iter().map(|kind| Fact { kind, site }));
    }
}

fn value_of(expr: &Plan, head: &Head) -> Option<ir::Value> {
    match expr {
        Plan::Symbol(n) => head.symbols.get(*n as usize).copied(),
        Plan::Scalar(n) => head.scalars.iter().find(|it| it.0 == *n).map(|it| it.2),
        _ => None,
    }
}

fn bound(fun: Fun, value: ir::Value, n: i64) -> Option<FactKind> {
    let range = |lo, hi| Some(FactKind::Range { value, lo, hi });
    match fun {
        Fun::Le => range(None, Some(n)),
        Fun::Lt => range(None, n.checked_sub(1)),
        Fun::Ge => range(Some(n), None),
        Fun::Gt => range(n.checked_add(1), None),
        Fun::Eq => range(Some(n), Some(n)),
        _ => None,
    }
}

fn flip(fun: Fun) -> Fun {
    match fun {
        Fun::Le => Fun::Ge,
        Fun::Lt => Fun::Gt,
        Fun::Ge => Fun::Le,
        Fun::Gt => Fun::Lt,
        other => other,
    }
}

fn fun_of(op: BinaryOp) -> Option<Fun> {
    Some(match op {
        BinaryOp::Add => Fun::Add,
        BinaryOp::Sub => Fun::Sub,
        BinaryOp::Mul => Fun::Mul,
        BinaryOp::Div => Fun::Div,
        BinaryOp::Rem => Fun::Rem,
        BinaryOp::And => Fun::And,
        BinaryOp::Or => Fun::Or,
        BinaryOp::Eq => Fun::Eq,
        BinaryOp::Ne => Fun::Ne,
        BinaryOp::Lt => Fun::Lt,
        BinaryOp::Le => Fun::Le,
        BinaryOp::Gt => Fun::Gt,
        BinaryOp::Ge => Fun::Ge,
        BinaryOp::Shl | BinaryOp::Shr | BinaryOp::BitAnd | BinaryOp::BitXor | BinaryOp::BitOr => {
            return None;
        }
    })
}
