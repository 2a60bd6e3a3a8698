//! `viewer-app list`: all segments.

use clap::Args;
use gui_common::text::explain::Explain;
use gui_common::text::sharing;
use gui_common::text::shell;
use gui_common::text::terminal;
use gui_common::text::units;
use shm_core::segment::{Content, Info, Listed};
use shm_core::{Key, escape};
use shm_io::Entry;

use super::failure::Failure;
use super::info;
use crate::output;
use crate::report::Report;
use crate::session::MOST_LEFT_ALONE;
use crate::user::User;

const HEADINGS: [&str; 8] = [
    "KEY",
    "KIND",
    "SIZE",
    "SEQUENCE",
    "LOADER",
    "ATTACHED",
    "AGE",
    "PERSISTENT",
];

type Row = [String; HEADINGS.len()];

#[derive(Debug, Args)]
#[command(
    after_help = "What crashed programs left behind is swept away first. What others than the owner may read is
named behind the table. What looks like a segment and is none is named with the reason, and left
alone; of more than ten such names only the number is told, unless --all or --json asks for each.
Segments of Qt programs (KIND qt) are found by the
names of their key files in $TMPDIR and /tmp, and in /dev/shm.

Examples:
  viewer-app list
  viewer-app list --json            one array, for programs
  viewer-app list --all             everything that only looks like a segment, too
  viewer-app list --owner anna      what anna has loaded"
)]
pub(crate) struct Arguments {
    /// Print one JSON array, of every segment and of everything that only looks like one
    #[arg(long)]
    json: bool,

    /// Name everything that only looks like a segment, however many there are
    #[arg(long)]
    all: bool,

    /// Look among what USER shares, a name or a user id, instead of your own. Root names it to read
    /// what is not shared, too. Nobody writes or removes what is of others
    #[arg(long, value_name = "USER")]
    owner: Option<User>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let entries = shm_io::list(arguments.owner.as_ref().map(User::id))?;
    if arguments.json {
        let reports: Vec<Report> = entries.iter().map(Report::of_entry).collect();
        return Ok(output::print_json(&reports)?);
    }
    if entries.is_empty() {
        // Not on standard output, where scripts count lines.
        terminal::print_error(match &arguments.owner {
            Some(owner) => format!("There is no shared memory of {owner} now."),
            None => "There are no segments. Load something first: loader-app text Hello"
                .to_owned(),
        });
        return Ok(());
    }
    let text = table(&entries, arguments.all);
    Ok(output::print(|stdout| stdout.write_all(text.as_bytes()))?)
}

fn table(entries: &[Entry], names_all: bool) -> String {
    let mut rows: Vec<Row> = Vec::new();
    let (mut shared, mut foreign) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Own(listed) => match &listed.segment {
                Ok(info) => {
                    rows.push(row(info));
                    let readers = sharing::describe(info.permissions());
                    shared.extend(readers.map(|readers| format!("  {}: {readers}\n", info.key)));
                }
                Err(reason) => foreign.push((&**listed, reason.explain())),
            },
            Entry::Qt(listed) => rows.push(qt_row(listed)),
        }
    }
    let mut text = String::new();
    if !rows.is_empty() {
        rows.insert(0, HEADINGS.map(str::to_owned));
        text.push_str(&align(&rows));
    }
    let shared = (!shared.is_empty()).then(|| format!("Shared:\n{}", shared.concat()));
    let foreign = (!foreign.is_empty()).then(|| left_alone(&foreign, names_all));
    for section in [shared, foreign].into_iter().flatten() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&section);
    }
    text
}

/// Tells of what is no segment: of each, or where there are many of their number.
fn left_alone(foreign: &[(&Listed, String)], names_all: bool) -> String {
    if foreign.len() > MOST_LEFT_ALONE && !names_all {
        return format!(
            "Left alone: {} names that are no segments (viewer-app list --all names each).\n",
            foreign.len()
        );
    }
    let lines = foreign.iter().map(|(listed, reason)| {
        let reason = of_hidden_name(listed).unwrap_or_else(|| reason.clone());
        format!("  {}: {}\n", brief(&listed.name), terminal::line(&reason))
    });
    "Left alone:\n".to_owned() + &lines.collect::<String>()
}

/// Says how a file is removed whose name nobody can type; no command here takes such a key.
fn of_hidden_name(listed: &Listed) -> Option<String> {
    let hidden = listed.name.chars().find(|one| escape::is_hidden(*one))?;
    Some(format!(
        "its name has the character U+{:04X}, which no key may have. Its owner can remove it: rm -- {}",
        u32::from(hidden),
        shell::quoted_path(&listed.path)
    ))
}

/// Bounds a name that anybody may have given to a file.
fn brief(name: &str) -> String {
    let shown = terminal::line(name);
    match shown.char_indices().nth(Key::MAX_BYTES) {
        None => shown.into_owned(),
        Some((end, _)) => format!("{}…", &shown[..end]),
    }
}

fn row(info: &Info) -> Row {
    let [mut kind, mut size, mut sequence, mut loader, mut age] = ["-"; 5].map(String::from);
    match &info.content {
        Content::Block { size: bytes } => {
            kind = "block".to_owned();
            size = units::bytes(*bytes);
        }
        Content::Semaphore { available, held } => {
            kind = "semaphore".to_owned();
            size = format!("{available} available, {held} held");
        }
        Content::Samples { latest: None, .. } => {}
        Content::Damaged { .. } => kind = "damaged".to_owned(),
        Content::Samples {
            latest: Some(latest),
            ..
        } => {
            kind = latest.metadata.kind().to_owned();
            size = units::bytes(latest.bytes);
            sequence = latest.sequence.to_string();
            loader = terminal::line(&info::loader(latest, &info.attached)).into_owned();
            age = units::age(latest.age);
        }
    }
    let attached = info.attached.len().to_string();
    let persistent = if info.persistent { "yes" } else { "no" }.to_owned();
    let key = info.key.to_string();
    [key, kind, size, sequence, loader, attached, age, persistent]
}

/// A segment of a Qt program. What is in it only its content tells.
fn qt_row(listed: &qt_bridge::Listed) -> Row {
    let none = || "-".to_owned();
    let key = terminal::line(listed.key.as_str()).into_owned();
    let size = units::bytes(listed.size as u64);
    let attached = listed.attached.unwrap_or(listed.users.len() as u64);
    let (kind, attached) = ("qt".to_owned(), attached.to_string());
    [key, kind, size, none(), none(), attached, none(), none()]
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
