//! Linear algebra over F2 with vectors of at most 64 bits.
//!
//! A matrix is a list of columns, a vector a `u64`; addition is exclusive or. [`Echelon`] is the one
//! elimination that everything else uses: it takes columns in order and keeps those independent of
//! the earlier ones, so earlier columns are preferred wherever there is a choice.

/// The image of `x` under the matrix with these columns.
pub fn apply(columns: &[u64], x: u64) -> u64 {
    ones(x).fold(0, |sum, bit| sum ^ columns[bit as usize])
}

/// Positions of the one bits of `x`, lowest first.
pub fn ones(x: u64) -> impl Iterator<Item = u32> {
    let mut rest = x;
    std::iter::from_fn(move || {
        (rest != 0).then(|| {
            let bit = rest.trailing_zeros();
            rest &= rest - 1;
            bit
        })
    })
}

/// Whether an odd number of bits of `x` are one.
pub fn parity(x: u64) -> bool {
    x.count_ones() % 2 == 1
}

/// `log2` of a power of two.
pub fn log2(x: u64) -> u32 {
    debug_assert!(x.is_power_of_two(), "log2 of {x}");
    x.trailing_zeros()
}

/// A growing basis of the space spanned by columns, in echelon form.
#[derive(Clone, Debug, Default)]
pub struct Echelon {
    // Invariant: leading bits are distinct; `sources` names columns that were independent when added.
    rows: Vec<Row>,
    n_columns: u32,
}

#[derive(Clone, Debug)]
struct Row {
    vector: u64,
    sources: u64,
}

impl Echelon {
    /// The span of `columns`.
    pub fn new(columns: impl IntoIterator<Item = u64>) -> Echelon {
        let mut res = Echelon::default();
        for column in columns {
            res.add(column);
        }
        res
    }

    /// Adds a column; says whether it was independent of the earlier ones.
    pub fn add(&mut self, column: u64) -> bool {
        let (rest, sources) = self.reduce(column);
        let source = 1u64.checked_shl(self.n_columns).unwrap_or(0);
        self.n_columns += 1;
        if rest != 0 {
            self.rows.push(Row { vector: rest, sources: sources | source });
        }
        rest != 0
    }

    /// The independent columns whose sum is `vector`, as a mask; `None` outside the span.
    pub fn solve(&self, vector: u64) -> Option<u64> {
        let (rest, sources) = self.reduce(vector);
        (rest == 0).then_some(sources)
    }

    /// Whether `vector` lies in the span.
    pub fn contains(&self, vector: u64) -> bool {
        self.reduce(vector).0 == 0
    }

    /// Dimension of the span.
    pub fn rank(&self) -> u32 {
        self.rows.len() as u32
    }

    fn reduce(&self, vector: u64) -> (u64, u64) {
        let mut rest = vector;
        let mut sources = 0;
        for row in &self.rows {
            let lead = 1 << (63 - row.vector.leading_zeros());
            if rest & lead != 0 {
                rest ^= row.vector;
                sources ^= row.sources;
            }
        }
        (rest, sources)
    }
}

/// Dimension of the space spanned by `columns`.
pub fn rank(columns: &[u64]) -> u32 {
    Echelon::new(columns.iter().copied()).rank()
}

/// A basis of all `x` whose image under the matrix is zero.
pub fn kernel(columns: &[u64]) -> Vec<u64> {
    let mut span = Echelon::default();
    let mut res = Vec::new();
    for (i, &column) in columns.iter().enumerate() {
        if let Some(sources) = span.solve(column) {
            res.push(sources | 1 << i);
        }
        span.add(column);
    }
    res
}

/// A basis of the vectors that lie in both spans.
pub fn intersection(a: &[u64], b: &[u64]) -> Vec<u64> {
    let independent = |columns: &[u64]| {
        let mut span = Echelon::default();
        columns.iter().copied().filter(|&it| span.add(it)).collect::<Vec<_>>()
    };
    let a = independent(a);
    let joined: Vec<u64> = a.iter().copied().chain(independent(b)).collect();
    let mask = (1u64 << a.len()) - 1;
    kernel(&joined).into_iter().map(|it| apply(&a, it & mask)).collect()
}

/// Unit vectors below `n_bits` that, with `columns`, span everything; lowest first.
pub fn complement(columns: &[u64], n_bits: u32) -> Vec<u64> {
    let mut span = Echelon::new(columns.iter().copied());
    (0..n_bits).map(|bit| 1 << bit).filter(|&it| span.add(it)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matrix() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(0u64..256, 0..10)
    }

    proptest! {
        #[test]
        fn a_solution_solves(columns in matrix(), x in 0u64..1024) {
            let x = x & ((1 << columns.len()) - 1);
            let b = apply(&columns, x);
            let solution = Echelon::new(columns.iter().copied()).solve(b).expect("in the image");
            prop_assert_eq!(apply(&columns, solution), b);
        }

        #[test]
        fn rank_and_kernel_add_up_to_the_columns(columns in matrix()) {
            let kernel = kernel(&columns);
            prop_assert_eq!(rank(&columns) as usize + kernel.len(), columns.len());
            prop_assert!(kernel.iter().all(|&it| apply(&columns, it) == 0));
        }

        #[test]
        fn an_intersection_holds_exactly_the_shared_vectors(a in matrix(), b in matrix()) {
            let both = Echelon::new(intersection(&a, &b));
            let (in_a, in_b) = (Echelon::new(a), Echelon::new(b));
            for v in 0..256 {
                prop_assert_eq!(both.contains(v), in_a.contains(v) && in_b.contains(v));
            }
        }

        #[test]
        fn a_complement_completes_a_basis(columns in matrix()) {
            let rest = complement(&columns, 8);
            prop_assert_eq!(rank(&columns) as usize + rest.len(), 8);
            let all: Vec<u64> = columns.iter().copied().chain(rest).collect();
            prop_assert_eq!(rank(&all), 8);
        }
    }
}
