//! Operators on elements whose types are written.

use tile_syntax::ast::{BinaryOp, Span, UnaryOp};

use super::Walk;
use super::sort::Sort;
use crate::dtype::DType;
use crate::elab::rules::{Takes, symbol, takes, takes_unary};
use crate::ir::Elem;
use crate::report;

impl Walk<'_> {
    pub(super) fn unary(&mut self, op: UnaryOp, operand: Sort, span: Span) -> Sort {
        let Some((symbol, takes)) = takes_unary(op) else { return Sort::Unknown };
        match operand.elem() {
            Some(elem) if !takes.takes(Elem::Data(elem)) => {
                self.wrong_elements(symbol, takes, elem, span)
            }
            _ => operand,
        }
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        (lhs, lhs_span): (&Sort, Span),
        (rhs, rhs_span): (&Sort, Span),
        span: Span,
    ) -> Sort {
        let is_logic = matches!(op, BinaryOp::And | BinaryOp::Or);
        let may_fold = |it: &Sort| matches!(it, Sort::Bool | Sort::Unknown);
        if is_logic && (may_fold(lhs) || may_fold(rhs)) {
            return Sort::Unknown;
        }
        let elem = match (lhs.elem(), rhs.elem()) {
            (Some(a), Some(b)) if a != b => {
                let place = self.place(span);
                let (a, b) = (Elem::Data(a), Elem::Data(b));
                self.found.push(report::ops::elements_differ(place, symbol(op), a, b));
                return Sort::Unknown;
            }
            (Some(it), _) | (_, Some(it)) => it,
            (None, None) => return Sort::Unknown,
        };
        let takes = takes(op);
        if !takes.takes(Elem::Data(elem)) {
            return self.wrong_elements(symbol(op), takes, elem, span);
        }
        for (side, at) in [(lhs, lhs_span), (rhs, rhs_span)] {
            if *side == Sort::Float && elem.is_int() {
                let number = self.text(at).to_owned();
                let place = self.place(at);
                self.found.push(report::ops::does_not_fit(place, &number, Elem::Data(elem)));
                return Sort::Unknown;
            }
        }
        result(op, lhs, rhs, elem)
    }

    fn wrong_elements(&mut self, symbol: &str, takes: Takes, elem: DType, span: Span) -> Sort {
        let (place, what) = (self.place(span), format!("`{symbol}`"));
        let elem = Elem::Data(elem);
        self.found.push(report::ops::wrong_elements(place, &what, takes.words(), elem));
        Sort::Unknown
    }
}

/// What an operator gives on elements of type `elem`.
fn result(op: BinaryOp, lhs: &Sort, rhs: &Sort, elem: DType) -> Sort {
    // A pointer moved by a number is a pointer.
    if matches!(op, BinaryOp::Add | BinaryOp::Sub) && *lhs == Sort::Unknown {
        return Sort::Unknown;
    }
    let rank = match (lhs.rank(), rhs.rank()) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (Some(one), None) | (None, Some(one)) if one >= 1 => Some(one),
        _ => None,
    };
    let is_question = matches!(
        op,
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge
    );
    Sort::of_elem(if is_question { DType::Bool } else { elem }, rank)
}
