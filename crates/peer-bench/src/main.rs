//! Compares this project with its peers and with the hardware's lower bounds, in one run.
//!
//! `make bench` runs it. In each round of a contest every contender is measured once, so that all
//! run under the same conditions; the goals are ratios. The other process of a contest is this
//! program again, with a role as its argument.

mod contest;
mod ground;
mod lock;
mod machine;
mod payload;
mod peer;
mod plot;
mod report;
mod round;
mod spread;
mod way;

use std::path::PathBuf;
use std::process::ExitCode;

use contest::Arena;
use machine::Cores;
use report::Report;

/// An error ends the run with a message.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The name of a contest on the command line, and its function.
type Contest = (&'static str, fn(&Arena, &mut Report) -> Outcome);

const CONTESTS: &[Contest] = &[
    ("lock", contest::lock::run),
    ("semaphore", contest::semaphore::run),
    ("small", contest::small::run),
    ("wait", contest::small::wait),
    ("wake", contest::wake::run),
    ("burst", contest::burst::run),
    ("python", contest::python::run),
    ("frame", contest::frame::run),
    ("first-frame", contest::first_frame::run),
    ("picture", contest::picture::run),
    ("readers", contest::readers::run),
    ("attach", contest::attach::run),
    ("reserved", contest::reserved::run),
    ("create", contest::create::run),
    ("qt-bridge", contest::qt_bridge::run),
];

/// The contest whose results are tables and plots.
const GROWTH: &str = "growth";

const USAGE: &str =
    "usage: peer-bench [--quick] [--qt PROGRAM] [--aeron LIBRARY] [--output FOLDER] [CONTEST...]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.split_first() {
        Some((first, rest)) if first == "role" => play(rest),
        _ => Choice::parse(arguments).and_then(run),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the other process of a contest.
fn play(arguments: &[String]) -> Outcome {
    let [role, core, rest @ ..] = arguments else {
        return Err("a role and a core are required".into());
    };
    // A process that polls forever notices neither the end of its orders nor of the contest.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    machine::pin(core.parse()?)?;
    match role.as_str() {
        "lock" => contest::lock::peer(rest),
        "echo" => contest::small::peer(rest),
        "drain" => contest::burst::peer(rest),
        "sleeper" => contest::wake::peer(rest),
        "look" => contest::frame::peer(rest),
        "reader" => contest::readers::peer(rest),
        other => Err(format!("unknown role {other}").into()),
    }
}

/// The parsed command line.
#[derive(Default)]
struct Choice {
    is_quick: bool,
    qt: Option<PathBuf>,
    aeron: Option<PathBuf>,
    output: PathBuf,
    contests: Vec<String>,
}

impl Choice {
    fn parse(arguments: Vec<String>) -> Outcome<Self> {
        let mut choice = Self {
            output: "target/bench".into(),
            ..Self::default()
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => choice.is_quick = true,
                "--qt" => choice.qt = Some(arguments.next().ok_or(USAGE)?.into()),
                "--aeron" => choice.aeron = Some(arguments.next().ok_or(USAGE)?.into()),
                "--output" => choice.output = arguments.next().ok_or(USAGE)?.into(),
                name if name == GROWTH || CONTESTS.iter().any(|(contest, _)| *contest == name) => {
                    choice.contests.push(argument);
                }
                _ => return Err(USAGE.into()),
            }
        }
        Ok(choice)
    }

    fn wants(&self, contest: &str) -> bool {
        self.contests.is_empty() || self.contests.iter().any(|wanted| wanted == contest)
    }
}

fn run(choice: Choice) -> Outcome {
    let cores = Cores::find()?;
    machine::pin(cores.ours)?;
    let mut report = Report::new(&machine::describe(cores));
    report.line(&format!("load at the start: {}", machine::load()));
    let arena = Arena::new(
        cores,
        choice.is_quick,
        choice.qt.clone(),
        choice.aeron.as_deref(),
    )?;
    for (name, contest) in CONTESTS {
        if choice.wants(name) {
            contest(&arena, &mut report)?;
        }
    }
    if choice.wants(GROWTH) {
        contest::growth::run(&arena, &mut report, &choice.output)?;
    }
    report.conclude();
    report.line(&format!("load at the end: {}", machine::load()));
    report.save(&choice.output)
}
