//! A1: what is said of a value holds for every element, checked against plain evaluation.
//!
//! Random expressions over an index, a size of which a divisor is known, and constants are written as IR,
//! analysed, and evaluated element by element.

use proptest::prelude::*;

use super::facts::Known;
use super::*;
use crate::ir::parse::parse;

const SHAPE: [usize; 2] = [8, 16];

/// An integer expression over a tile of [`SHAPE`].
#[derive(Clone, Debug)]
enum Expr {
    Index(usize),
    Size,
    Const(i64),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Select(&'static str, Box<[Expr; 4]>),
}

/// The IR of an expression, line by line, and the elements of every line's value.
struct Program {
    size: i64,
    lines: Vec<String>,
    values: Vec<Vec<i64>>,
}

impl Program {
    fn push(&mut self, ty: &str, op: &str, value: Vec<i64>) -> usize {
        let number = self.lines.len();
        self.lines.push(format!("%v{number}: {ty}[8, 16] @ #L = {op}"));
        self.values.push(value);
        number
    }

    fn each(&self, f: impl Fn(usize, usize) -> i64) -> Vec<i64> {
        (0..SHAPE[0])
            .flat_map(|i| (0..SHAPE[1]).map(move |j| (i, j)))
            .map(|(i, j)| f(i, j))
            .collect()
    }

    /// Writes the expression; `None` if an element leaves 32 bits.
    fn write(&mut self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Index(axis) => {
                let value = self.each(|i, j| [i, j][*axis] as i64);
                Some(self.push("i32", &format!("tile.index<{axis}>"), value))
            }
            Expr::Size => {
                let value = self.each(|_, _| self.size);
                Some(self.push("i32", "tile.splat %n", value))
            }
            Expr::Const(c) => {
                let value = self.each(|_, _| *c);
                Some(self.push("i32", &format!("tile.const<{c}>"), value))
            }
            Expr::Binary(op, x, y) => {
                let (x, y) = (self.write(x)?, self.write(y)?);
                let pairs = self.values[x].iter().zip(&self.values[y]);
                let value: Vec<i64> =
                    pairs.map(|(a, b)| evaluate(op, *a, *b)).collect::<Option<_>>()?;
                Some(self.push("i32", &format!("tile.binary<{op}> %v{x}, %v{y}"), value))
            }
            Expr::Select(op, parts) => {
                let mut numbers = [0; 4];
                for (number, part) in numbers.iter_mut().zip(parts.iter()) {
                    *number = self.write(part)?;
                }
                let [a, b, x, y] = numbers;
                let holds: Vec<i64> = self.values[a]
                    .iter()
                    .zip(&self.values[b])
                    .map(|(a, b)| i64::from(compare(op, *a, *b)))
                    .collect();
                let c = self.push("bool", &format!("tile.cmp<{op}> %v{a}, %v{b}"), holds);
                let value = (0..128)
                    .map(|k| self.values[if self.values[c][k] == 1 { x } else { y }][k])
                    .collect();
                Some(self.push("i32", &format!("tile.select %v{c}, %v{x}, %v{y}"), value))
            }
        }
    }

    fn text(&self) -> String {
        format!(
            "kernel \"k\" for sm_90a warps 1 {{
                plan k threads 32
                param x: tensor i32 [n] align 16
                symbol n: 32
                grid [1]
                layout #L = [8, 16] register [0, 1] [0, 2] lane [0, 4] [0, 8] [1, 0] [2, 0] [4, 0]
                tensor x: i32 at %x dims [%n] strides [1] align 16
                fact divisible %n by 8
                body (%x: *i32 = address x, %n: i32 = symbol n) {{
                    {}
                }}
            }}",
            self.lines.join("\n")
        )
    }
}

fn evaluate(op: &str, a: i64, b: i64) -> Option<i64> {
    let value = match op {
        "add" => a + b,
        "sub" => a - b,
        "mul" => a * b,
        "div" => a.checked_div(b)?,
        "rem" => a.checked_rem(b)?,
        "min" => a.min(b),
        "max" => a.max(b),
        "and" => a & b,
        "or" => a | b,
        "xor" => a ^ b,
        "shl" => a.checked_mul(1 << u32::try_from(b).ok().filter(|it| *it < 31)?)?,
        "shr" => a >> u32::try_from(b).ok().filter(|it| *it < 31)?,
        other => panic!("no meaning for {other}"),
    };
    i32::try_from(value).ok().map(i64::from)
}

fn compare(op: &str, a: i64, b: i64) -> bool {
    match op {
        "lt" => a < b,
        "le" => a <= b,
        "gt" => a > b,
        "ge" => a >= b,
        "eq" => a == b,
        _ => a != b,
    }
}

/// What is wrong with a claim about these elements.
fn refuted(known: &Known, value: &[i64]) -> Option<String> {
    for (d, axis) in known.axes.iter().enumerate() {
        let (step, extent) = if d == 0 { (SHAPE[1], SHAPE[0]) } else { (1, SHAPE[1]) };
        for k in 0..value.len() {
            let along = (k / step) % extent;
            let start = |group: u32| k - along % (group as usize) * step;
            let counted = value[start(axis.contiguity)] + (along % axis.contiguity as usize) as i64;
            if axis.contiguity > 1 && value[k] != counted {
                return Some(format!("contiguity {} along {d}", axis.contiguity));
            }
            if value[k] != value[start(axis.constancy)] {
                return Some(format!("constancy {} along {d}", axis.constancy));
            }
            if value[start(axis.contiguity)] % (axis.divisor as i64) != 0 {
                return Some(format!("divisor {} along {d}", axis.divisor));
            }
        }
    }
    let least = *value.iter().min().expect("tiles are not empty");
    let most = *value.iter().max().expect("tiles are not empty");
    let below = known.lo.is_some_and(|it| it > least);
    let above = known.hi.is_some_and(|it| it < most);
    (below || above).then(|| format!("range {:?} ..= {:?}", known.lo, known.hi))
}

fn expressions() -> impl Strategy<Value = Expr> {
    let constants =
        prop_oneof![Just(0), Just(1), Just(4), Just(7), Just(8), Just(12), Just(-8), -5i64..20];
    let leaf = prop_oneof![
        (0usize..2).prop_map(Expr::Index),
        Just(Expr::Size),
        constants.prop_map(Expr::Const),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        let ops = prop::sample::select(vec![
            "add", "sub", "mul", "div", "rem", "min", "max", "and", "or", "xor", "shl", "shr",
        ]);
        let signs = prop::sample::select(vec!["lt", "le", "gt", "ge", "eq", "ne"]);
        prop_oneof![
            3 => (ops, inner.clone(), inner.clone())
                .prop_map(|(op, x, y)| Expr::Binary(op, Box::new(x), Box::new(y))),
            1 => (signs, inner.clone(), inner.clone(), inner.clone(), inner)
                .prop_map(|(op, a, b, x, y)| Expr::Select(op, Box::new([a, b, x, y]))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a1_facts_hold_for_every_element(expr in expressions(), size in 0i64..9) {
        let mut program = Program { size: size * 8, lines: Vec::new(), values: Vec::new() };
        prop_assume!(program.write(&expr).is_some());
        let text = program.text();
        let kernel = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let facts = Facts::of(&kernel);
        for (inst, value) in kernel.body.insts.iter().zip(&program.values) {
            let known = facts.of_value(inst.results[0]);
            let wrong = refuted(known, value);
            prop_assert!(wrong.is_none(), "{} of {:?}: {known:?}\n{text}\n{value:?}", wrong.unwrap(), inst.op);
        }
    }
}
