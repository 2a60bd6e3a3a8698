//! Contenders measured in turn, round after round, so that all meet the same machine.

use crate::Outcome;
use crate::spread::{Of, Spread};

/// One way of doing a thing, and how it is measured once.
pub(crate) struct Contender<'a> {
    name: String,
    turn: Box<dyn FnMut() -> Outcome<Vec<f64>> + 'a>,
}

impl<'a> Contender<'a> {
    /// `turn` gives the figures of one turn: nanoseconds, unless the contest says otherwise.
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

/// What each contender measured in one round.
struct Round(Vec<Vec<f64>>);

/// All rounds of a contest.
pub(crate) struct Rounds {
    names: Vec<String>,
    rounds: Vec<Round>,
}

/// How many times one contender is of another: the middle of the rounds, and their extremes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Rounds {
    /// Lets each contender have its turn in each round, after one that does not count: caches,
    /// page tables, frequencies.
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

    /// Every contender with the spread of all of its figures.
    pub(crate) fn spreads(&self) -> impl Iterator<Item = (&str, Spread)> {
        let names = self.names.iter().map(String::as_str);
        names.map(|name| (name, self.spread(name)))
    }

    /// The spread of a contender's figures; of none where nobody has that name.
    pub(crate) fn spread(&self, name: &str) -> Spread {
        Spread::of(self.turns(name).flat_map(|figures| figures.iter().copied()))
    }

    /// One contender beside another, round by round: what disturbs a round disturbs both.
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
