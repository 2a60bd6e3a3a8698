//! The facts of the shown content, in words.

use std::time::{Duration, SystemTime};

use shm_core::{Access, Participant, Process};
use shm_io::Publication;

use crate::session::snapshot::{self, Bytes, Preview, Snapshot, Text};
use crate::text::explain;
use crate::text::language;
use crate::text::sharing;
use crate::text::shell;
use crate::text::units;
use crate::tr;

/// Formats the facts of the content in one line: `text · 42 bytes · sequence 3 · 2 min old`.
pub fn facts(snapshot: &Snapshot, now: SystemTime) -> String {
    let mut parts = vec![snapshot.kind_and_form()];
    if let Preview::Picture(picture) = &snapshot.content {
        parts.push(format!("{} × {}", picture.width, picture.height));
    }
    if let Preview::Bytes(Bytes {
        array: Some(array), ..
    }) = &snapshot.content
    {
        parts.push(array.to_string());
    }
    if !snapshot.is_empty() {
        parts.push(units::bytes(snapshot.bytes));
    }
    if let Some(origin) = &snapshot.origin {
        parts.push(tr!("fact-sequence", number = origin.sequence));
        parts.push(units::rough_age(age_of(origin, now)));
    }
    if snapshot.persistent {
        parts.push(tr!("fact-persistent"));
    }
    parts.extend(snapshot.permissions.and_then(sharing::describe));
    parts.join(" · ")
}

/// Formats the publisher of the content: `loaded by loader-app (pid 4711)`.
pub fn loaded_by(snapshot: &Snapshot, now: SystemTime) -> Option<String> {
    let origin = snapshot.origin.as_ref()?;
    if let Some(elsewhere) = &origin.elsewhere {
        return Some(loaded_elsewhere(elsewhere, now));
    }
    let pid = origin.writer;
    if pid.is_current() {
        return Some(tr!("loaded-by-here", pid = pid));
    }
    let is_here = snapshot.attached.iter().any(|peer| peer.process.is(pid));
    Some(match (&origin.writer_program, is_here) {
        (Some(program), true) => tr!("loaded-by", program = program, pid = pid),
        (Some(program), false) => tr!("loaded-by-left", program = program, pid = pid),
        (None, _) => tr!("loaded-by-unknown", pid = pid),
    })
}

/// Formats the publisher of a content from another computer: `loaded by loader-app on hostA, 12 ms
/// ago, stale`.
fn loaded_elsewhere(origin: &shm_core::Origin, now: SystemTime) -> String {
    // The clocks of two computers differ: a publication in the future counts as new.
    let age = now.duration_since(origin.published).unwrap_or_default();
    let said = tr!(
        "loaded-by-elsewhere",
        program = origin.program,
        host = origin.host,
        ago = tr!("age-ago", age = units::lapse(age)),
    );
    if origin.is_stale {
        return tr!("loaded-by-stale", loaded = said);
    }
    said
}

/// Lists the attached processes other than this one, the publisher of the content, and those in
/// `shown_elsewhere`, which are shown elsewhere.
pub fn also_attached(snapshot: &Snapshot, shown_elsewhere: &[Process]) -> Option<String> {
    let is_writer = |peer: &Participant| {
        let origin = snapshot.origin.as_ref();
        origin.is_some_and(|origin| origin.writer.is(peer.process))
    };
    let mut others: Vec<&Participant> = snapshot
        .attached
        .iter()
        .filter(|peer| !peer.process.is_current() && !is_writer(peer))
        .filter(|peer| !shown_elsewhere.iter().any(|one| one.is(peer.process)))
        .collect();
    others.sort_by_key(|peer| peer.process.pid());
    others.dedup_by(|one, other| one.process.is(other.process));
    if others.is_empty() {
        return None;
    }
    let names = language::names(others.into_iter().map(peer));
    Some(tr!("also-attached", names = names))
}

fn peer(peer: &Participant) -> String {
    match peer.access {
        Access::ReadWrite => explain::peer_name(peer),
        Access::ReadOnly => tr!("peer-reading", program = peer.program, pid = peer.process),
    }
}

/// Returns the note that a text is shown in part, with the command that saves all of it.
pub(super) fn cut_notice(snapshot: &Snapshot, text: &Text) -> String {
    let key = shell::quoted(snapshot.key.as_str());
    tr!(
        "pane-cut",
        part = units::bytes(text.shown.len() as u64),
        whole = units::bytes(snapshot.bytes),
        key = match snapshot.form {
            Some(form) => format!("{key} --as {form}"),
            None => key,
        },
    )
}

/// Describes bytes, and how many of them are shown.
pub(super) fn bytes_notice(bytes: &Bytes, size: u64) -> String {
    let mut parts = Vec::new();
    parts.push(match &bytes.media_type {
        Some(media_type) => media_type.clone(),
        None => tr!("pane-block"),
    });
    parts.extend(bytes.file_name.clone());
    if size > snapshot::HEAD_LIMIT as u64 {
        parts.push(tr!("pane-head", count = snapshot::HEAD_LIMIT));
    }
    if bytes.is_half_written {
        parts.push(tr!("pane-half-written"));
    }
    parts.join(" · ")
}

/// Returns the age of a content.
pub(super) fn age_of(origin: &Publication, now: SystemTime) -> Duration {
    // A clock that was set back makes the content younger than now.
    now.duration_since(origin.published).unwrap_or_default()
}

/// Formats a colour as in CSS: red, green, blue, opacity.
pub(super) fn hex_color([red, green, blue, alpha]: [u8; 4]) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}{alpha:02X}")
}

/// Formats a zoom: `200 %`, and `1.5 %` only where it is so small.
pub(super) fn percent(zoom: f64) -> String {
    format!("{} %", (zoom * 1000.0).round() / 10.0)
}
