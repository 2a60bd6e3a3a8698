//! The results: a table for people, and the ratios for programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::round::{Ratio, Rounds};
use crate::spread::{Of, Spread};

/// The bound of a ratio.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(bound) => ratio <= bound,
            Self::AtLeast(bound) => ratio >= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(bound) => format!("<= {bound}"),
            Self::AtLeast(bound) => format!(">= {bound}"),
        }
    }
}

/// The rows of the summary in docs/PERFORMANCE.md, and their labels.
const SUMMARY: [(&str, &str); 16] = [
    ("lock_uncontended", "lock + unlock"),
    ("lock_vs_qt", "the same"),
    ("lock_contended_2p", "lock, add, unlock: two processes"),
    ("small_polled_p50", "64 bytes one way, both poll"),
    ("small_polled_vs_iceoryx2", "the same"),
    ("small_polled_vs_aeron", "the same"),
    ("small_blocking_p50", "64 bytes to a reader that sleeps"),
    (
        "frame4k_in_place",
        "a 4K frame: put there, seen by another process",
    ),
    ("frame4k_vs_socket", "the same"),
    ("frame4k_first", "the first frame, into fresh memory"),
    ("frame4k_first_reserved", "the same, with memory reserved"),
    ("picture4k_vs_qt", "a 4K picture, from loader to viewer"),
    ("readers_8", "publish a frame with 8 readers"),
    ("attach_detach", "attach and detach"),
    ("burst_msgs", "a million of 64 bytes, in order"),
    ("burst_msgs_vs_iceoryx2", "the same"),
];

/// One goal, as in `ratios.json`.
#[derive(Debug, Serialize)]
struct Verdict {
    name: &'static str,
    ours: f64,
    reference: f64,
    reference_name: String,
    ratio: f64,
    goal: String,
    holds: bool,
    /// The extremes of the rounds. They do not affect the verdict.
    ratio_least: f64,
    ratio_most: f64,
    #[serde(skip)]
    unit: Unit,
}

/// The results of a run so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    text: String,
    verdicts: Vec<Verdict>,
    /// The results of the last contest.
    unit: Unit,
}

/// The unit of a contest's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nanoseconds, printed in a suitable unit of time.
    #[default]
    Time,
    /// Millions of operations a second.
    Rate,
}

impl Unit {
    pub(crate) fn show(self, figure: f64) -> String {
        match self {
            Self::Rate => format!("{figure:.2} M/s"),
            Self::Time if figure < 1e3 => format!("{figure:.1} ns"),
            Self::Time if figure < 1e6 => format!("{:.2} µs", figure / 1e3),
            Self::Time if figure < 1e9 => format!("{:.2} ms", figure / 1e6),
            Self::Time => format!("{:.2} s", figure / 1e9),
        }
    }
}

impl Unit {
    /// Formats a number on an axis, a power of ten.
    pub(crate) fn show_short(self, figure: f64) -> String {
        self.show(figure).replace(".00", "").replace(".0", "")
    }
}

impl Report {
    /// Starts the table with a description of the machine.
    pub(crate) fn new(machine: &str) -> Self {
        let mut report = Self::default();
        report.line(machine);
        report
    }

    /// Adds a line, and prints it at once: a run takes minutes.
    pub(crate) fn line(&mut self, line: &str) {
        println!("{line}");
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds the spread of every contender, and its ratio to a reference.
    pub(crate) fn rounds(&mut self, title: &str, unit: Unit, reference: &str, rounds: &Rounds) {
        self.unit = unit;
        self.heading(title, reference);
        for (name, spread) in rounds.spreads() {
            let ratio = rounds.ratio(name, reference, Of::Median);
            self.row(name, unit, spread, ratio);
        }
    }

    fn heading(&mut self, title: &str, reference: &str) {
        self.line("");
        self.line(&format!(
            "{title:<46} {:>11} {:>11} {:>11}   x of {reference} (least .. most of the rounds)",
            "minimum", "median", "p99"
        ));
    }

    fn row(&mut self, name: &str, unit: Unit, spread: Spread, ratio: Ratio) {
        let Ratio {
            least,
            median,
            most,
        } = ratio;
        self.line(&format!(
            "  {name:<44} {:>11} {:>11} {:>11}   {median:.3} ({least:.3} .. {most:.3})",
            unit.show(spread.minimum),
            unit.show(spread.median),
            unit.show(spread.p99),
        ));
    }

    /// Compares a ratio with its goal.
    pub(crate) fn judge(
        &mut self,
        name: &'static str,
        rounds: &Rounds,
        (ours, reference): (&str, &str),
        of: Of,
        goal: Goal,
    ) {
        if !rounds.has(ours) || !rounds.has(reference) {
            self.line(&format!(
                "  {name}: not measured, because {reference} is not here"
            ));
            return;
        }
        let ratio = rounds.ratio(ours, reference, of);
        self.verdicts.push(Verdict {
            name,
            ours: of.pick(rounds.spread(ours)),
            reference: of.pick(rounds.spread(reference)),
            reference_name: reference.to_owned(),
            ratio: ratio.median,
            goal: goal.text(),
            holds: goal.holds(ratio.median),
            ratio_least: ratio.least,
            ratio_most: ratio.most,
            unit: self.unit,
        });
    }

    /// Ends the table with all goals. The last column says if they hold.
    pub(crate) fn conclude(&mut self) {
        self.line("");
        self.line(&format!(
            "{:<28} {:>8} {:>19}  {:<10} {:<7} beside",
            "goal", "ratio", "of the rounds", "goal", "holds"
        ));
        for index in 0..self.verdicts.len() {
            let verdict = &self.verdicts[index];
            let mut line = String::new();
            let _always_fits = write!(
                line,
                "{:<28} {:>8.4} {:>8.4} .. {:<8.4} {:<10} {:<7} {}",
                verdict.name,
                verdict.ratio,
                verdict.ratio_least,
                verdict.ratio_most,
                verdict.goal,
                if verdict.holds { "yes" } else { "NO" },
                verdict.reference_name,
            );
            self.line(&line);
        }
    }

    /// Writes `ratios.json` and the tables.
    pub(crate) fn save(&self, folder: &Path) -> Outcome {
        fs::create_dir_all(folder)?;
        let json = serde_json::to_string_pretty(&self.verdicts)?;
        fs::write(folder.join("ratios.json"), json + "\n")?;
        fs::write(folder.join("goals.md"), self.goals())?;
        fs::write(folder.join("summary.md"), self.summary())?;
        fs::write(
            folder.join("table.md"),
            format!("```text\n{}```\n", self.text),
        )?;
        Ok(())
    }

    /// Returns the summary in docs/PERFORMANCE.md. Ratios that miss their goals are bold.
    fn summary(&self) -> String {
        let mut table = "| | ours | beside | | times |\n".to_owned();
        table.push_str("| --- | --- | --- | --- | --- |\n");
        for (name, words) in SUMMARY {
            let Some(verdict) = self.verdicts.iter().find(|verdict| verdict.name == name) else {
                continue;
            };
            let show = |figure| verdict.unit.show(figure);
            let emphasis = if verdict.holds { "" } else { "**" };
            let _always_fits = writeln!(
                table,
                "| {words} | {} | {} | {} | {emphasis}{}{emphasis} |",
                show(verdict.ours),
                verdict.reference_name,
                show(verdict.reference),
                times(verdict.ratio),
            );
        }
        table
    }

    /// Returns all goals as a Markdown table.
    fn goals(&self) -> String {
        let mut table = "| | ours beside | ratio | in the rounds | goal | |\n".to_owned();
        table.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for verdict in &self.verdicts {
            let _always_fits = writeln!(
                table,
                "| {} | {} | **{}** | {} .. {} | {} | {} |",
                verdict.name,
                verdict.reference_name,
                times(verdict.ratio),
                times(verdict.ratio_least),
                times(verdict.ratio_most),
                verdict.goal,
                if verdict.holds {
                    "holds"
                } else {
                    "does not hold"
                },
            );
        }
        table
    }
}

/// Formats a ratio with enough digits to distinguish it from its goal.
fn times(ratio: f64) -> String {
    if ratio < 0.1 {
        format!("{ratio:.4}")
    } else {
        format!("{ratio:.2}")
    }
}
