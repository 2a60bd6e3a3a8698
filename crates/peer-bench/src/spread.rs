//! Summaries of many figures: minimum, median, 99th percentile.

/// The three are always reported together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) minimum: f64,
    pub(crate) median: f64,
    pub(crate) p99: f64,
}

impl Spread {
    /// Summarises figures; all zero if there are none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |hundredths: usize| {
            let index = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
            sorted.get(index).copied().unwrap_or(0.0)
        };
        Self {
            minimum: at(0),
            median: at(50),
            p99: at(99),
        }
    }
}

/// The figure of a spread that a ratio is computed from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    Median,
    P99,
}

impl Of {
    pub(crate) fn pick(self, spread: Spread) -> f64 {
        match self {
            Self::Median => spread.median,
            Self::P99 => spread.p99,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up_in_whatever_order() {
        let spread = Spread::of((1..=100).rev().map(f64::from));
        assert_eq!(
            (spread.minimum, spread.median, spread.p99),
            (1.0, 51.0, 100.0)
        );
        assert_eq!(Spread::of([7.0]).p99, 7.0);
        assert_eq!(Spread::of([]).median, 0.0);
    }
}
