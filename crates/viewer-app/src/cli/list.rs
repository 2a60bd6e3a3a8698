//! `viewer-app list`: all segments.

use std::time::SystemTime;

use app_kit::units;
use clap::Args;
use shm_core::segment::{Content, Info, Listed};

use super::{Failure, info, printable};
use crate::output;
use crate::report::Report;
use crate::session;
use crate::user::User;

const HEADINGS: [&str; 8] = [
    "KEY",
    "KIND",
    "SIZE",
    "GEN",
    "LOADER",
    "ATTACHED",
    "AGE",
    "PERSISTENT",
];

type Row = [String; HEADINGS.len()];

#[derive(Debug, Args)]
#[command(
    after_help = "What crashed programs left behind is swept away first. What looks like a segment and is none
is named with the reason, and left alone. Segments of Qt programs (KIND qt) are found by the
names of their key files in $TMPDIR and /tmp, and in /dev/shm.

Examples:
  viewer-app list
  viewer-app list --json            one array, for programs
  viewer-app list --owner anna      what anna has loaded"
)]
pub(crate) struct Arguments {
    /// Print one JSON array
    #[arg(long)]
    json: bool,

    /// Look among what USER shares, a name or a user id, instead of your own. Root names it to read
    /// what is not shared, too. Nobody writes or removes what is of others
    #[arg(long, value_name = "USER")]
    owner: Option<User>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut listed = session::list(arguments.owner.as_ref())?;
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    let now = SystemTime::now();
    // Qt programs share with nobody else.
    let of_qt = match arguments.owner {
        None => qt_bridge::list(),
        Some(_) => Vec::new(),
    };
    if arguments.json {
        let own = listed.iter().map(|listed| Report::of_listed(listed, now));
        let reports: Vec<Report> = own.chain(of_qt.iter().map(Report::of_qt)).collect();
        return super::print_json(&reports);
    }
    if listed.is_empty() && of_qt.is_empty() {
        // Not on standard output, where scripts count lines.
        super::warn(match &arguments.owner {
            Some(owner) => format!("There is no shared memory of {owner} now."),
            None => "There is no shared memory now. Load something first: loader-app text Hello"
                .to_owned(),
        });
        return Ok(());
    }
    let text = table(&listed, &of_qt, now);
    Ok(output::print(|stdout| stdout.write_all(text.as_bytes()))?)
}

fn table(listed: &[Listed], of_qt: &[qt_bridge::Listed], now: SystemTime) -> String {
    let mut rows: Vec<Row> = Vec::new();
    let mut foreign = Vec::new();
    for listed in listed {
        match &listed.segment {
            Ok(info) => rows.push(row(info, now)),
            Err(reason) => foreign.push(format!(
                "{}: {}\n",
                printable(&listed.name),
                printable(reason)
            )),
        }
    }
    rows.extend(of_qt.iter().map(qt_row));
    let mut text = String::new();
    if !rows.is_empty() {
        rows.insert(0, HEADINGS.map(str::to_owned));
        text.push_str(&align(&rows));
    }
    if !foreign.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str("Left alone:\n");
        text.extend(foreign.iter().map(|line| format!("  {line}")));
    }
    text
}

fn row(info: &Info, now: SystemTime) -> Row {
    let none = || "-".to_owned();
    let persistent = if info.persistent { "yes" } else { "no" }.to_owned();
    let key = info.key.to_string();
    let attached = info.attached.len().to_string();
    match &info.content {
        Content::Block { size } => {
            let size = units::bytes(*size);
            [
                key,
                "block".to_owned(),
                size,
                none(),
                none(),
                attached,
                none(),
                persistent,
            ]
        }
        Content::Samples { latest: None } => [
            key,
            none(),
            none(),
            none(),
            none(),
            attached,
            none(),
            persistent,
        ],
        Content::Damaged { .. } => [
            key,
            "damaged".to_owned(),
            none(),
            none(),
            none(),
            attached,
            none(),
            persistent,
        ],
        Content::Samples {
            latest: Some(latest),
        } => [
            key,
            latest.metadata.kind().to_owned(),
            units::bytes(latest.bytes),
            latest.generation.to_string(),
            printable(&info::loader(latest, &info.attached)),
            attached,
            units::age(now.duration_since(latest.published).unwrap_or_default()),
            persistent,
        ],
    }
}

/// A segment of a Qt program. What is in it only its content tells.
fn qt_row(listed: &qt_bridge::Listed) -> Row {
    let none = || "-".to_owned();
    let attached = match listed.attached {
        Some(attached) => attached.to_string(),
        None => listed.users.len().to_string(),
    };
    [
        printable(listed.key.as_str()),
        "qt".to_owned(),
        units::bytes(listed.size as u64),
        none(),
        none(),
        attached,
        none(),
        none(),
    ]
}

/// Pads every column to its widest cell; two spaces stand between columns.
fn align(rows: &[Row]) -> String {
    let mut widths = [0; HEADINGS.len()];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let line: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}
