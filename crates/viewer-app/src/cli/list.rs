//! `viewer-app list`: prints all segments.

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
use crate::owner::Owner;
use crate::report::SegmentReport;
use crate::session::MAX_IGNORED_LISTED;

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
    after_help = "Leftovers of crashed programs are removed first. Segments that other users may
read are named below the table. Files that are named like segments but are not valid ones are
ignored and listed with the reason; more than ten are only counted, unless --all or --json is
given. Segments of Qt programs (KIND qt) are found by the names of their key files in $TMPDIR
and /tmp, and in /dev/shm.

Examples:
  viewer-app list
  viewer-app list --json            print one JSON array, for scripts
  viewer-app list --all             list each ignored file too
  viewer-app list --owner anna      list the segments of anna"
)]
pub(crate) struct Arguments {
    /// Print one JSON array of all segments and all ignored files
    #[arg(long)]
    json: bool,

    /// List each ignored file, even if there are more than ten
    #[arg(long)]
    all: bool,

    /// Use the segments of USER, a name or a user id, instead of your own. They are only read. Root
    /// can read segments that USER does not share
    #[arg(long, value_name = "USER")]
    owner: Option<Owner>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let entries = shm_io::list(arguments.owner.as_ref().map(Owner::id))?;
    if arguments.json {
        let reports: Vec<SegmentReport> = entries.iter().map(SegmentReport::of_entry).collect();
        return Ok(output::print_json(&reports)?);
    }
    if entries.is_empty() {
        // On standard error, because scripts count the lines of standard output.
        terminal::print_error(match &arguments.owner {
            Some(owner) => format!("There are no segments of {owner}."),
            None => "There are no segments. Load something first: loader-app text Hello".to_owned(),
        });
        return Ok(());
    }
    let text = table(&entries, arguments.all);
    Ok(output::print(|stdout| stdout.write_all(text.as_bytes()))?)
}

fn table(entries: &[Entry], lists_all: bool) -> String {
    let mut rows: Vec<Row> = Vec::new();
    let (mut shared, mut ignored) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Own(listed) => match &listed.segment {
                Ok(info) => {
                    rows.push(row(info));
                    let readers = sharing::describe(info.permissions());
                    shared.extend(readers.map(|readers| format!("  {}: {readers}\n", info.key)));
                }
                Err(reason) => ignored.push((&**listed, reason.explain())),
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
    let ignored = (!ignored.is_empty()).then(|| ignored_lines(&ignored, lists_all));
    for section in [shared, ignored].into_iter().flatten() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&section);
    }
    text
}

/// Returns the lines about ignored files: one for each, or only their number if there are many.
fn ignored_lines(ignored: &[(&Listed, String)], lists_all: bool) -> String {
    if ignored.len() > MAX_IGNORED_LISTED && !lists_all {
        return format!(
            "Ignored: {} files that are not segments (viewer-app list --all lists each).\n",
            ignored.len()
        );
    }
    let lines = ignored.iter().map(|(listed, reason)| {
        let reason = hidden_name_reason(listed).unwrap_or_else(|| reason.clone());
        format!(
            "  {}: {}\n",
            shortened(&listed.name),
            terminal::line(&reason)
        )
    });
    "Ignored:\n".to_owned() + &lines.collect::<String>()
}

/// Explains a name with a hidden character, and how to remove the file: no command accepts such a
/// key.
fn hidden_name_reason(listed: &Listed) -> Option<String> {
    let hidden = listed.name.chars().find(|one| escape::is_hidden(*one))?;
    Some(format!(
        "its name contains the character U+{:04X}, which no key may contain. Its owner can \
         remove it: rm -- {}",
        u32::from(hidden),
        shell::quoted_path(&listed.path)
    ))
}

/// Shortens a file name to the length of a key, because names are untrusted input.
fn shortened(name: &str) -> String {
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

/// Returns the row of a Qt segment, whose kind is not known without reading its content.
fn qt_row(listed: &qt_bridge::Listed) -> Row {
    let none = || "-".to_owned();
    let key = terminal::line(listed.key.as_str()).into_owned();
    let size = units::bytes(listed.size as u64);
    let attached = listed.attached.unwrap_or(listed.users.len() as u64);
    let (kind, attached) = ("qt".to_owned(), attached.to_string());
    [key, kind, size, none(), none(), attached, none(), none()]
}

/// Pads every column to its widest cell, with two spaces between columns.
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
