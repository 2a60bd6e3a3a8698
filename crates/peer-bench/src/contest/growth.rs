//! How costs grow with longer payloads, more readers and more segments.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use shm_core::{Key, Options, Publisher, Subscriber, segment};

use super::frame::Deliveries;
use super::readers::Audience;
use super::{Arena, timed};
use crate::Outcome;
use crate::payload::FRAME;
use crate::plot::{Line, Plot};
use crate::report::{Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Spread;
use crate::way::Way;

const PAYLOADS: [usize; 9] = [
    64,
    1 << 10,
    4 << 10,
    64 << 10,
    1 << 20,
    8 << 20,
    32 << 20,
    128 << 20,
    512 << 20,
];
const READERS: [usize; 5] = [1, 2, 4, 8, 16];
const SEGMENTS: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// One series: its values, and the figures of each contender.
struct Growth {
    name: &'static str,
    title: &'static str,
    axis: (&'static str, fn(f64) -> String),
    contenders: Vec<String>,
    rows: Vec<(f64, Vec<Spread>)>,
}

/// Measures all three, and writes tables and plots into a directory.
pub(crate) fn run(arena: &Arena, report: &mut Report, folder: &Path) -> Outcome {
    let growths = [payloads(arena)?, readers(arena)?, segments(arena)?];
    let plots = folder.join("plots");
    fs::create_dir_all(&plots)?;
    let mut text = String::new();
    for growth in &growths {
        report.line("");
        let table = growth.table();
        report.line(&table);
        text.push_str(&table);
        let file = format!("{}.svg", growth.name);
        fs::write(plots.join(&file), growth.plot())?;
        let _always_fits = writeln!(text, "\n![{}](plots/{file})\n", growth.title);
    }
    fs::write(folder.join("growth.md"), text)?;
    Ok(())
}

/// From the first byte written until the other process has read it.
fn payloads(arena: &Arena) -> Outcome<Growth> {
    let ways = [Way::OursBlocking, Way::Futex, Way::UnixSocket];
    let sizes = PAYLOADS.iter().copied();
    let sizes = sizes.filter(|&bytes| !arena.is_quick || bytes <= FRAME);
    let rows = sizes
        .map(|bytes| {
            let turns = ((64 << 20) / bytes).clamp(2, 100);
            let contenders = ways
                .iter()
                .map(|&way| {
                    let mut deliveries = Deliveries::open(arena, way, bytes)?;
                    Ok(Contender::new(way.name(), move || deliveries.turn(turns)))
                })
                .collect::<Outcome<_>>()?;
            row(bytes, Rounds::play(arena.rounds(9), contenders)?)
        })
        .collect::<Outcome<_>>()?;
    Ok(Growth {
        name: "payload",
        title: "Delivering a payload: put there, woken, looked at",
        axis: ("payload", bytes),
        contenders: ways.iter().map(|way| way.name().to_owned()).collect(),
        rows,
    })
}

/// The time inside `publish`.
fn readers(arena: &Arena) -> Outcome<Growth> {
    let payloads = [("64 bytes", 64), ("a 4K frame", FRAME)];
    let rows = READERS
        .iter()
        .map(|&readers| {
            let contenders = payloads
                .iter()
                .map(|&(name, bytes)| {
                    let mut audience = Audience::gather(arena, readers, bytes)?;
                    Ok(Contender::new(name, move || audience.turn(10)))
                })
                .collect::<Outcome<_>>()?;
            row(readers, Rounds::play(arena.rounds(9), contenders)?)
        })
        .collect::<Outcome<_>>()?;
    Ok(Growth {
        name: "readers",
        title: "Time inside publish, with readers that sleep, pin and look",
        axis: ("readers", count),
        contenders: payloads.iter().map(|(name, _)| (*name).into()).collect(),
        rows,
    })
}

/// Persistent segments without attached processes, so that open files do not limit their number.
fn segments(arena: &Arena) -> Outcome<Growth> {
    let place = arena.fresh_place()?;
    let options = Options::new().directory(&place).persistent(true);
    let mut there = 0;
    let rows = SEGMENTS
        .iter()
        .map(|&segments| {
            for number in there..segments {
                let key = Key::new(&format!("segment-{number}"))?;
                Publisher::open(&key, &options)?.publish_text("here")?;
            }
            there = segments;
            let key = Key::new("segment-0")?;
            let contenders = vec![
                Contender::new("list all", || {
                    let (listed, nanoseconds) = timed(|| segment::list(&options));
                    match listed?.len() {
                        listed if listed == segments => Ok(vec![nanoseconds]),
                        listed => Err(format!("{listed} of {segments} were listed").into()),
                    }
                }),
                Contender::new("attach to one", || {
                    let attach = || timed(|| Subscriber::attach(&key, &options).map(drop));
                    (0..20)
                        .map(|_| {
                            let (attached, nanoseconds) = attach();
                            attached?;
                            Ok(nanoseconds)
                        })
                        .collect()
                }),
            ];
            row(segments, Rounds::play(arena.rounds(9), contenders)?)
        })
        .collect::<Outcome<_>>()?;
    Ok(Growth {
        name: "segments",
        title: "Listing, and attaching, with so many segments there",
        axis: ("segments", count),
        contenders: vec!["list all".into(), "attach to one".into()],
        rows,
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn row(value: usize, rounds: Rounds) -> Outcome<(f64, Vec<Spread>)> {
    Ok((
        value as f64,
        rounds.spreads().map(|(_, spread)| spread).collect(),
    ))
}

impl Growth {
    /// Returns a table of medians, with minimum and p99.
    fn table(&self) -> String {
        let (axis, show) = self.axis;
        let mut table = format!("{}: median (minimum .. p99)\n\n| {axis} |", self.title);
        for contender in &self.contenders {
            let _always_fits = write!(table, " {contender} |");
        }
        table.push_str("\n| --- |");
        table.push_str(&" --- |".repeat(self.contenders.len()));
        for (value, spreads) in &self.rows {
            let _always_fits = write!(table, "\n| {} |", show(*value));
            for spread in spreads {
                let figure = |figure| Unit::Time.show(figure);
                let _always_fits = write!(
                    table,
                    " {} ({} .. {}) |",
                    figure(spread.median),
                    figure(spread.minimum),
                    figure(spread.p99)
                );
            }
        }
        table.push('\n');
        table
    }

    fn plot(&self) -> String {
        let lines = self
            .contenders
            .iter()
            .enumerate()
            .map(|(index, name)| Line {
                name: name.clone(),
                points: self
                    .rows
                    .iter()
                    .map(|(value, spreads)| (*value, spreads[index].median))
                    .collect(),
            });
        let plot = Plot {
            title: self.title,
            x: self.axis,
            y: ("median", |figure| Unit::Time.show_short(figure)),
            lines: lines.collect(),
        };
        plot.svg()
    }
}

/// Formats a number of bytes on an axis.
fn bytes(bytes: f64) -> String {
    match bytes {
        _ if bytes < 1e3 => format!("{bytes} B"),
        _ if bytes < 1e6 => format!("{:.0} kB", bytes / 1e3),
        _ => format!("{:.0} MB", bytes / 1e6),
    }
}

fn count(count: f64) -> String {
    count.to_string()
}
