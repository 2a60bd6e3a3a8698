//! The text of a row in the segment list.

use std::time::SystemTime;

use gui_common::session::snapshot::kind_name;
use gui_common::text::explain::{Explain, peer_name};
use gui_common::text::sharing;
use gui_common::text::units;
use gui_common::tr;
use qt_bridge::User;
use shm_core::segment::{Content, Info};
use shm_core::{Access, AttachErrorKind, ListedError, Participant};
use shm_io::Entry;

/// The kind of Qt segments; a name, never translated.
const QT: &str = "Qt";

/// Returns `true` if the name, kind, programs or error of an entry contain `words`, in lower case.
pub(super) fn is_match(entry: &Entry, words: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(words);
    has(entry.name())
        || match entry {
            Entry::Own(listed) => match &listed.segment {
                Ok(info) => {
                    has(&kind_name(kind(info)))
                        || info.attached.iter().any(|peer| has(&peer.program))
                }
                Err(reason) => has(&reason.explain()),
            },
            Entry::Qt(listed) => has(QT) || listed.users.iter().any(|user| has(&user.program)),
        }
}

/// Describes an entry in one line: the state of a segment, or why a file is ignored.
pub(super) fn line(entry: &Entry, now: SystemTime) -> String {
    match entry {
        Entry::Own(listed) => match &listed.segment {
            Ok(info) => own_line(info, now),
            Err(error) => ignored_line(error),
        },
        Entry::Qt(listed) => qt_line(listed),
    }
}

/// Names the users of a segment, or returns `None` if it is unused.
pub(super) fn in_use_by(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Own(listed) => {
            let attached = &listed.segment.as_ref().ok()?.attached;
            (!attached.is_empty()).then(|| names(attached))
        }
        Entry::Qt(listed) => {
            let is_used = listed.attached.is_some_and(|count| count > 0);
            (is_used || !listed.users.is_empty()).then(|| qt_names(&listed.users))
        }
    }
}

fn kind(info: &Info) -> &'static str {
    match &info.content {
        Content::Block { .. } => "block",
        Content::Semaphore { .. } => "semaphore",
        Content::Samples { latest: None, .. } => "empty",
        Content::Damaged { .. } => "damaged",
        Content::Samples {
            latest: Some(latest),
            ..
        } => latest.metadata.kind(),
    }
}

/// Describes a segment in one line:
/// `text · 42 bytes · loader-app (pid 4711) · 2 watching · 3 min old`.
fn own_line(info: &Info, now: SystemTime) -> String {
    let mut parts = vec![kind_name(kind(info))];
    let since = match &info.content {
        Content::Block { size } => {
            parts.push(units::bytes(*size));
            info.created
        }
        Content::Semaphore { available, held } => {
            parts.push(tr!("segment-units", available = *available, held = *held));
            info.created
        }
        Content::Samples { latest: None, .. } | Content::Damaged { .. } => info.created,
        Content::Samples {
            latest: Some(latest),
            ..
        } => {
            parts.push(units::bytes(latest.bytes));
            latest.published
        }
    };
    let (writers, readers): (Vec<&Participant>, Vec<&Participant>) = info
        .attached
        .iter()
        .partition(|peer| peer.access == Access::ReadWrite);
    parts.push(match writers.as_slice() {
        [] if matches!(kind(info), "block" | "semaphore") => tr!("segment-unattached"),
        [] => tr!("segment-left"),
        [first, others @ ..] => first_and_more(peer_name(first), others.len()),
    });
    if !readers.is_empty() {
        parts.push(tr!("segment-watching", count = readers.len()));
    }
    // The age is zero if the wall clock was set back.
    let age = now.duration_since(since).unwrap_or_default();
    parts.push(units::old(age));
    if info.persistent {
        parts.push(tr!("segment-persistent"));
    }
    parts.extend(sharing::describe(info.permissions()));
    parts.join(" · ")
}

/// Describes a Qt segment in one line, without reading its content:
/// `Qt · 42 bytes · paint (pid 4711) · 1 attached`.
fn qt_line(listed: &qt_bridge::Listed) -> String {
    let mut parts = vec![QT.to_owned(), units::bytes(listed.size as u64)];
    if !listed.users.is_empty() {
        parts.push(qt_names(&listed.users));
    }
    match listed.attached {
        Some(0) => parts.push(tr!("segment-unattached")),
        Some(count) => parts.push(tr!("segment-attached", count = count)),
        // POSIX segments of Qt have no attach count.
        None if listed.users.is_empty() => parts.push(tr!("segment-unseen")),
        None => {}
    }
    parts.join(" · ")
}

/// Describes why a file is ignored, without its path: the row has its name.
fn ignored_line(error: &ListedError) -> String {
    let reason = match error {
        ListedError::Attach(attach) => match attach.kind() {
            AttachErrorKind::Foreign { reason, .. } => reason.explain(),
            _ => attach.explain(),
        },
        error => error.explain(),
    };
    tr!(
        "segment-left-alone",
        reason = reason.trim_end_matches(['.', '。'])
    )
}

/// Names the attached processes.
fn names(peers: &[Participant]) -> String {
    match peers {
        [] => tr!("segment-unknown-program"),
        [first, others @ ..] => first_and_more(peer_name(first), others.len()),
    }
}

/// Names the processes that were seen to use a Qt segment.
fn qt_names(users: &[User]) -> String {
    match users {
        [] => tr!("segment-unknown-program"),
        [first, others @ ..] => {
            let name = tr!("peer", program = first.program, pid = first.pid);
            first_and_more(name, others.len())
        }
    }
}

fn first_and_more(name: String, others: usize) -> String {
    match others {
        0 => name,
        others => tr!("peer-and-more", name = name, count = others),
    }
}
