//! Measuring contenders in turn, round after round, so that all run under the same conditions.

use crate::Outcome;
use crate::spread::{Of, Spread};

/// A contender, and the function that measures it once.
pub(crate) struct Contender<'a> {
    name: String,
    turn: Box<dyn FnMut() -> Outcome<Vec<f64>> + 'a>,
}

impl<'a> Contender<'a> {
    /// `turn` returns the figures of one turn, in nanoseconds unless the contest defines another
    /// unit.
    pub(crate) fn new(
        name: impl Into<String>,
        turn: impl FnMut() -> Outcome<Vec<f64>> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            turn: Box::new(turn),
        }
    }
}

/// The figures of each contender in one round.
struct Round(Vec<Vec<f64>>);

/// All rounds of a contest.
pub(crate) struct Rounds {
    names: Vec<String>,
    rounds: Vec<Round>,
}

/// The ratio of two contenders: the median of the rounds, and the extremes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Rounds {
    /// Measures each contender once in each round. The first round warms up caches, page tables and
    /// frequencies, and does not count.
    pub(crate) fn play(rounds: usize, mut contenders: Vec<Contender<'_>>) -> Outcome<Self> {
        for contender in &mut contenders {
            (contender.turn)()?;
        }
        let rounds = (0..rounds)
            .map(|_| {
                contenders
                    .iter_mut()
                    .map(|contender| (contender.turn)())
                    .collect::<Outcome<_>>()
                    .map(Round)
            })
            .collect::<Outcome<_>>()?;
        let names = contenders.into_iter().map(|contender| contender.name);
        Ok(Self {
            names: names.collect(),
            rounds,
        })
    }

    /// Returns every contender with the spread of its figures.
    pub(crate) fn spreads(&self) -> impl Iterator<Item = (&str, Spread)> {
        let names = self.names.iter().map(String::as_str);
        names.map(|name| (name, self.spread(name)))
    }

    /// Returns the spread of a contender's figures; an empty one if there is no such contender.
    pub(crate) fn spread(&self, name: &str) -> Spread {
        Spread::of(self.turns(name).flat_map(|figures| figures.iter().copied()))
    }

    /// Returns the ratio of two contenders, computed for each round: a disturbance affects both.
    pub(crate) fn ratio(&self, ours: &str, reference: &str, of: Of) -> Ratio {
        let figure = |figures: &Vec<f64>| of.pick(Spread::of(figures.iter().copied()));
        let mut ratios: Vec<f64> = self
            .turns(ours)
            .zip(self.turns(reference))
            .map(|(ours, reference)| figure(ours) / figure(reference))
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let at = |index: usize| ratios.get(index).copied().unwrap_or(f64::NAN);
        Ratio {
            least: at(0),
            median: at(ratios.len() / 2),
            most: at(ratios.len().saturating_sub(1)),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn turns(&self, name: &str) -> impl Iterator<Item = &Vec<f64>> {
        let index = self.names.iter().position(|known| known == name);
        self.rounds
            .iter()
            .filter_map(move |Round(figures)| figures.get(index?))
    }
}
