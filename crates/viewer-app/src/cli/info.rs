//! `viewer-app info`: prints the state of one segment.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use clap::Args;
use gui_common::picture::limit;
use gui_common::text::explain::Explain;
use gui_common::text::hex;
use gui_common::text::sharing;
use gui_common::text::terminal;
use gui_common::text::units;
use qt_bridge::QtKey;
use shm_core::segment::{Content, Info, Latest, Permissions};
use shm_core::{Metadata, Participant};
use shm_io::{Address, RingSize, Source, SourceError};

use super::describe;
use super::failure::Failure;
use crate::output;
use crate::owner::Owner;
use crate::report::{self, SegmentReport, annotation};
use crate::session::{self, FetchError};

/// The number of leading bytes that `--hex` prints.
const HEX_BYTES: usize = 256;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  viewer-app info                   print the state of MySharedMemory and the processes attached
  viewer-app info --hex             print its first 256 bytes too
  viewer-app info --json --key K    print the state of K as JSON, for scripts")]
pub(crate) struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// Print the first 256 bytes of the content too, in the format of hexdump -C
    #[arg(long, conflicts_with = "json")]
    hex: bool,

    /// Use the segments of USER, a name or a user id, instead of your own. They are only read. Root
    /// can read segments that USER does not share
    #[arg(long, value_name = "USER")]
    owner: Option<Owner>,
}

pub(super) fn run(address: &Address, arguments: &Arguments) -> Result<(), Failure> {
    let owner = arguments.owner.as_ref();
    let source = session::source(address, owner);
    match source
        .info()
        .map_err(|error| FetchError::new(error, &source, owner))?
    {
        shm_io::Info::Own(info) => print_own(&info, &source, arguments),
        shm_io::Info::Qt { key, size } => print_qt(&key, size, &source, arguments),
    }
}

fn print_own(info: &Info, source: &Source, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.json {
        return Ok(output::print_json(&SegmentReport::of_info(info))?);
    }
    let mut lines = describe_own(info, SystemTime::now());
    if arguments.hex && has_content(info) {
        let content = session::fetch(source, arguments.owner.as_ref(), None)?;
        add_dump(&mut lines, &content)?;
    }
    print(&lines)
}

/// Prints the state of a Qt segment, which includes reading its content.
fn print_qt(key: &QtKey, size: u64, source: &Source, arguments: &Arguments) -> Result<(), Failure> {
    let found = match session::fetch(source, arguments.owner.as_ref(), None) {
        Ok(content) => Ok(content),
        // The segment exists: its other properties can be printed.
        Err(FetchError::Source(reason)) if reason.is_about_content() => Err(reason),
        Err(error) => return Err(error.into()),
    };
    let users = source.users();
    if arguments.json {
        let report = match &found {
            Ok(content) => SegmentReport::of_content(content),
            Err(reason) => SegmentReport::of_unreadable(source.address(), size, reason),
        };
        return Ok(output::print_json(&report.with_users(&users))?);
    }
    let mut lines = describe_qt(key, size, found.as_ref(), &users);
    if let (true, Ok(content)) = (arguments.hex, &found) {
        add_dump(&mut lines, content)?;
    }
    print(&lines)
}

fn print(lines: &str) -> Result<(), Failure> {
    Ok(output::print(|stdout| stdout.write_all(lines.as_bytes()))?)
}

/// Appends the first bytes of a content in the format of `hexdump -C`.
fn add_dump(lines: &mut String, content: &shm_io::Content) -> Result<(), Failure> {
    let bytes = content.bytes();
    let dump = hex::dump(&bytes[..bytes.len().min(HEX_BYTES)]);
    content.verify()?;
    lines.push_str(&format!("\n{dump}\n"));
    Ok(())
}

fn describe_qt(
    key: &QtKey,
    size: u64,
    found: Result<&shm_io::Content, &SourceError>,
    users: &[qt_bridge::User],
) -> String {
    let mut lines = LabelledLines::default();
    lines.add("key", key.as_str());
    lines.add("native key", &key.native_name());
    lines.add("lock", &key.native_lock_name());
    match found {
        Ok(content) => {
            let form = content.form().map(|form| format!(", as {form}"));
            lines.add(
                "kind",
                &(content.kind().to_owned() + &form.unwrap_or_default()),
            );
            if let Some((metadata, pixels)) = content.image() {
                lines.add("pixels", &describe::image(metadata, pixels.len()));
            }
        }
        Err(reason) => lines.add("kind", &format!("cannot be read: {}", reason.explain())),
    }
    lines.add("size", &units::bytes(size));
    if users.is_empty() {
        lines.add("attached", "no process seen");
    }
    for (index, user) in users.iter().enumerate() {
        let label = if index == 0 { "attached" } else { "" };
        lines.add(label, &user.to_string());
    }
    lines.text
}

fn has_content(info: &Info) -> bool {
    !matches!(
        info.content,
        Content::Samples { latest: None, .. } | Content::Semaphore { .. } | Content::Damaged { .. }
    )
}

fn describe_own(info: &Info, now: SystemTime) -> String {
    let mut lines = LabelledLines::default();
    lines.add("key", info.key.as_str());
    match &info.content {
        Content::Block { size } => {
            lines.add("kind", "bytes, a block under a lock");
            lines.add("size", &units::bytes(*size));
        }
        Content::Semaphore { available, held } => {
            lines.add("kind", "semaphore");
            lines.add("units", &format!("{available} available, {held} held"));
        }
        Content::Samples { latest: None, .. } => {
            lines.add("kind", "nothing loaded yet, or cleared");
        }
        Content::Damaged { damage } => {
            let reason = damage.explain();
            lines.add("kind", &format!("damaged: {reason}. Load something new"));
        }
        Content::Samples {
            latest: Some(latest),
            ..
        } => lines.add_latest(latest, &info.attached),
    }
    if let Some(RingSize { ring, retain }) = RingSize::of(info) {
        let (ring, retain) = (limit::format(ring), limit::format(retain));
        lines.add(
            "ring",
            &format!("{ring}; retains {retain} of samples longer than 16 KiB"),
        );
    }
    lines.add("memory", &units::bytes(info.reserved_bytes));
    lines.add(
        "created",
        &ago(now.duration_since(info.created).unwrap_or_default()),
    );
    lines.add(
        "persistent",
        if info.persistent {
            "yes, stays until removed"
        } else {
            "no, removed when its last writer detaches"
        },
    );
    lines.add("access", &readers(info.permissions()));
    if info.attached.is_empty() {
        lines.add("attached", "none");
    }
    for (index, peer) in info.attached.iter().enumerate() {
        let label = if index == 0 { "attached" } else { "" };
        lines.add(label, &describe_peer(peer, now));
    }
    lines.text
}

/// Describes the read permission of a segment: `other users may read it (mode 644)`.
fn readers(permissions: Permissions) -> String {
    sharing::describe(permissions).unwrap_or_else(|| {
        format!(
            "only its owner may read it (mode {})",
            sharing::mode(permissions)
        )
    })
}

fn describe_peer(peer: &Participant, now: SystemTime) -> String {
    let mut line = format!(
        "{} (pid {}), {}",
        peer.program,
        peer.process,
        report::access(peer.access)
    );
    if let Some(since) = peer.since {
        let time = now.duration_since(since).unwrap_or_default();
        match time.as_secs() {
            0 => line.push_str(", just attached"),
            _ => line.push_str(&format!(", for {}", units::age(time))),
        }
    }
    line
}

/// Names the program that published the latest sample, if it is still attached, else its process.
pub(super) fn loader(latest: &Latest, attached: &[Participant]) -> String {
    match attached.iter().find(|peer| peer.process.is(latest.writer)) {
        Some(peer) => format!("{} (pid {})", peer.program, peer.process),
        None => format!("pid {}, no longer attached", latest.writer),
    }
}

fn ago(age: Duration) -> String {
    match age.as_secs() {
        0 => "just now".to_owned(),
        _ => format!("{} ago", units::age(age)),
    }
}

/// Lines of a label and a value in two columns.
#[derive(Debug, Default)]
struct LabelledLines {
    text: String,
}

impl LabelledLines {
    fn add(&mut self, label: &str, value: &str) {
        let value = terminal::line(value);
        // Writing to a `String` never fails.
        writeln!(self.text, "{label:<12}{value}").ok();
    }

    fn add_latest(&mut self, latest: &Latest, attached: &[Participant]) {
        self.add("kind", latest.metadata.kind());
        self.add("size", &units::bytes(latest.bytes));
        if let Metadata::Image(image) = &latest.metadata {
            let format = image.format.name();
            self.add(
                "pixels",
                &format!("{} × {}, {format}", image.width, image.height),
            );
        }
        self.add("media type", latest.metadata.media_type());
        if let Metadata::Array(array) = &latest.metadata {
            self.add("array", &array.to_string());
        }
        if let Some(file_name) = latest.metadata.file_name() {
            self.add("file name", file_name);
        }
        self.add("sequence", &latest.sequence.to_string());
        self.add(
            "loaded",
            &format!("{}, by {}", ago(latest.age), loader(latest, attached)),
        );
        if let Some(origin) = &latest.annotations.origin {
            self.add(
                "origin",
                &annotation::describe_origin(origin, SystemTime::now()),
            );
        }
        if !latest.annotations.user.is_empty() {
            self.add(
                "user data",
                &annotation::describe_user(&latest.annotations.user),
            );
        }
    }
}
