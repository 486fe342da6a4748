//! Random numbers for tests: the same seed gives the same numbers on every machine, for ever.
//!
//! Element `i` of a tensor with seed `s` depends on `(s, i)` alone. Its word is the output of
//! SplitMix64 at state `mix(s) + i · γ`; a second, independent word takes the state of seed `s ^ ~0`.
//! * [`uniform`]: the word's upper 53 bits over 2^53, in `[0, 1)`;
//! * [`normal`]: Box and Muller's `sqrt(-2 ln u) · cos(2π v)` of two uniform numbers, `u` in `(0, 1]`;
//! * [`integer`]: `lo + ⌊word · (hi - lo) / 2^64⌋`.
//!
//! Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators" (2014).

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

fn word(seed: u64, i: u64) -> u64 {
    mix(mix(seed).wrapping_add(i.wrapping_add(1).wrapping_mul(GAMMA)))
}

/// A number in `[0, 1)`.
pub fn uniform(seed: u64, i: u64) -> f64 {
    (word(seed, i) >> 11) as f64 / (1u64 << 53) as f64
}

/// A number of mean 0 and variance 1.
pub fn normal(seed: u64, i: u64) -> f64 {
    let u = 1.0 - uniform(seed, i);
    let v = uniform(!seed, i);
    (-2.0 * libm::log(u)).sqrt() * libm::cos(2.0 * std::f64::consts::PI * v)
}

/// An integer in `lo..hi`; `lo` if that is empty.
pub fn integer(seed: u64, i: u64, lo: i128, hi: i128) -> i128 {
    let span = (hi - lo).clamp(0, i128::from(u64::MAX)) as u128;
    lo + ((u128::from(word(seed, i)) * span) >> 64) as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_never_changes() {
        assert_eq!(uniform(1, 0), 0.749_748_241_358_030_1);
        assert_eq!(normal(1, 0), -1.451_590_792_820_814);
        assert_eq!(uniform(2, 7), 0.574_004_247_918_364_9);
        assert_eq!(integer(1, 0, -5, 5), 2);
    }

    #[test]
    fn moments_and_ranges_are_right() {
        let n = 20_000;
        let normals: Vec<f64> = (0..n).map(|it| normal(3, it)).collect();
        let mean = normals.iter().sum::<f64>() / n as f64;
        let variance = normals.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        let mut counts = [0; 7];
        (0..n).for_each(|it| counts[(integer(4, it, -3, 4) + 3) as usize] += 1);
        assert!(counts.iter().all(|&it| (2600..3100).contains(&it)), "{counts:?}");
        assert!((0..n).all(|it| (0.0..1.0).contains(&uniform(5, it))));
        assert_eq!(integer(1, 1, 4, 4), 4);
    }
}
