//! "Did you mean": the known name that is nearest to an unknown one.

use smol_str::SmolStr;

/// The nearest of `known` to `name`, if it is near enough to be a slip.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<SmolStr> {
    let length = name.chars().count();
    let limit = if length < 3 { 0 } else { 1 + length / 4 };
    known
        .into_iter()
        .filter(|it| *it != name && !it.is_empty())
        .map(|it| (distance(&name.to_lowercase(), &it.to_lowercase()), it))
        .filter(|it| it.0 <= limit)
        .min()
        .map(|it| SmolStr::new(it.1))
}

/// Edits (insert, delete, replace, swap neighbours) from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        assert_eq!(nearest("sofmax", ["softmax", "max"]).as_deref(), Some("softmax"));
        assert_eq!(nearest("lenght", ["length", "load"]).as_deref(), Some("length"));
        assert_eq!(nearest("banana", ["length", "load"]), None);
        assert_eq!(nearest("y", ["x", "Y"]).as_deref(), Some("Y"));
    }
}
