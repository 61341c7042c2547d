//! Medians, and how sure they are.

/// The median; `NaN` of nothing.
pub(crate) fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The interval that holds the true median with a probability of at least 95 per cent, by order
/// statistics: nothing is assumed of how the values are spread. All of the values where they are
/// too few for it, fewer than 6.
pub(crate) fn median_interval(values: &[f64]) -> (f64, f64) {
    let sorted = sorted(values);
    let count = sorted.len();
    if count == 0 {
        return (f64::NAN, f64::NAN);
    }
    // How many values at each end lie outside: as many as a fair coin makes unlikely enough.
    let mut outside = 0;
    let mut probability = 0.5_f64.powi(i32::try_from(count).unwrap());
    let mut tail = probability;
    while 2.0 * tail <= 0.05 {
        outside += 1;
        probability *= (count - outside + 1) as f64 / outside as f64;
        tail += probability;
    }
    let outside = outside.saturating_sub(1);
    (sorted[outside], sorted[count - 1 - outside])
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(count: usize) -> Vec<f64> {
        (1..=count).rev().map(|n| n as f64).collect()
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!(median(&[]).is_nan());
        assert_eq!(median(&[7.0]), 7.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    /// The ranks are those of the tables of the sign test.
    #[test]
    fn the_interval_has_the_ranks_of_the_sign_test() {
        assert_eq!(median_interval(&first(5)), (1.0, 5.0));
        assert_eq!(median_interval(&first(6)), (1.0, 6.0));
        assert_eq!(median_interval(&first(9)), (2.0, 8.0));
        assert_eq!(median_interval(&first(20)), (6.0, 15.0));
        assert_eq!(median_interval(&first(24)), (7.0, 18.0));
        assert_eq!(median_interval(&first(100)), (40.0, 61.0));
    }
}
