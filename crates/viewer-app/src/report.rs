//! What is in a segment, as other programs read it: one JSON object.

pub(crate) mod beside;

use std::time::SystemTime;

use app_kit::group::Group;
use app_kit::sharing;
use qt_bridge::{Address, Form, QtKey, ReadingError, User};
use serde::Serialize;
use shm_core::segment::{self, Info, Latest, Listed, Permissions, Readers};
use shm_core::{Access, Attached, Message, Metadata};

use crate::session::{Content, Found};
use beside::Beside;

/// One segment. A field that does not apply is `null`; none is ever left out, but `reason`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    key: String,
    kind: Option<&'static str>,
    bytes: Option<u64>,
    width: Option<u32>,
    height: Option<u32>,
    media_type: Option<String>,
    sequence: Option<u64>,
    writer_pid: Option<u32>,
    age_ms: Option<u64>,
    persistent: Option<bool>,
    /// The permission bits of its file, as chmod takes them.
    mode: Option<String>,
    /// The group that they are about, by name, or by number where it has none.
    group: Option<String>,
    /// Whether anybody but its owner may read it: the group, or everybody.
    others_may_read: Option<bool>,
    attached: Vec<Peer>,
    /// What stands beside the kind; only where something does.
    #[serde(flatten)]
    beside: Beside,
    /// As what a Qt program streamed it; only where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<&'static str>,
    /// Why this is no segment that can be shown; only where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// One who is attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Peer {
    pid: u32,
    program: String,
    access: &'static str,
}

impl Report {
    /// Reports what a command found in a segment.
    pub(crate) fn of_found(key: &Address, found: &Found, now: SystemTime) -> Report {
        let report = Report::new(key.to_string(), found.persistent, &found.attached);
        let report = report.with_permissions(found.permissions);
        match &found.content {
            Content::Sample(sample) => report.with_latest(
                &Latest {
                    metadata: sample.metadata().clone(),
                    annotations: sample.annotations().clone(),
                    bytes: sample.len() as u64,
                    sequence: sample.sequence(),
                    writer: sample.writer(),
                    published: sample.published(),
                },
                now,
            ),
            Content::Block { bytes, .. } => report.with_block(bytes.len() as u64),
            Content::Qt(message, form) => report.with_streamed(message.as_ref(), *form),
        }
    }

    /// Reports a segment of a Qt program from outside: nobody tells what is in it.
    pub(crate) fn of_qt(listed: &qt_bridge::Listed) -> Report {
        Report {
            bytes: Some(listed.size as u64),
            attached: Peer::of_users(&listed.users),
            ..Report::new(listed.key.to_string(), false, &[])
        }
    }

    /// Reports a segment of a Qt program whose content cannot be read.
    pub(crate) fn of_unreadable_qt(key: &QtKey, reason: &ReadingError) -> Report {
        Report {
            bytes: qt_bridge::size(key).ok().map(|size| size as u64),
            attached: Peer::of_users(&qt_bridge::users(key)),
            reason: Some(reason.to_string()),
            ..Report::new(key.to_string(), false, &[])
        }
    }

    /// Adds who is seen to use a segment of a Qt program.
    pub(crate) fn with_users(self, key: &QtKey) -> Report {
        Report {
            attached: Peer::of_users(&qt_bridge::users(key)),
            ..self
        }
    }

    fn with_streamed(self, message: Option<&Message>, form: Form) -> Report {
        let metadata = message.map(Message::metadata);
        let (width, height) = match &metadata {
            Some(Metadata::Image(image)) => (Some(image.width), Some(image.height)),
            _ => (None, None),
        };
        Report {
            kind: metadata.as_ref().map(Metadata::kind),
            bytes: Some(message.map_or(0, |message| message.payload().len() as u64)),
            width,
            height,
            media_type: metadata.map(|metadata| metadata.media_type().to_owned()),
            form: Some(form.name()),
            ..self
        }
    }

    /// Reports what is to be seen of a segment from outside.
    pub(crate) fn of_info(info: &Info, now: SystemTime) -> Report {
        let report = Report::new(info.key.to_string(), info.persistent, &info.attached);
        let report = report.with_permissions(Some(info.permissions()));
        match &info.content {
            segment::Content::Block { size } => report.with_block(*size),
            segment::Content::Samples {
                latest: Some(latest),
                ..
            } => report.with_latest(latest, now),
            segment::Content::Samples { latest: None, .. } => report,
            segment::Content::Damaged { damage } => Report {
                kind: Some("damaged"),
                bytes: None,
                reason: Some(damage.to_string()),
                ..report
            },
        }
    }

    /// Reports one line of a list, be it a segment or not.
    pub(crate) fn of_listed(listed: &Listed, now: SystemTime) -> Report {
        match &listed.segment {
            Ok(info) => Report::of_info(info, now),
            Err(reason) => Report {
                bytes: None,
                persistent: None,
                reason: Some(reason.clone()),
                ..Report::new(listed.name.clone(), false, &[])
            },
        }
    }

    fn new(key: String, persistent: bool, attached: &[Attached]) -> Report {
        Report {
            key,
            kind: None,
            bytes: Some(0),
            width: None,
            height: None,
            media_type: None,
            sequence: None,
            writer_pid: None,
            age_ms: None,
            persistent: Some(persistent),
            mode: None,
            group: None,
            others_may_read: None,
            attached: attached.iter().map(Peer::new).collect(),
            beside: Beside::default(),
            form: None,
            reason: None,
        }
    }

    fn with_permissions(self, permissions: Option<Permissions>) -> Report {
        Report {
            mode: permissions.map(sharing::mode),
            group: permissions.map(|permissions| Group::of(permissions.group).to_string()),
            others_may_read: permissions.map(|permissions| permissions.readers() != Readers::Owner),
            ..self
        }
    }

    fn with_block(self, size: u64) -> Report {
        Report {
            kind: Some("bytes"),
            bytes: Some(size),
            ..self
        }
    }

    fn with_latest(self, latest: &Latest, now: SystemTime) -> Report {
        let (width, height) = match &latest.metadata {
            Metadata::Image(image) => (Some(image.width), Some(image.height)),
            _ => (None, None),
        };
        // A clock that was set back makes the content younger than now.
        let age = now.duration_since(latest.published).unwrap_or_default();
        Report {
            kind: Some(latest.metadata.kind()),
            bytes: Some(latest.bytes),
            width,
            height,
            media_type: Some(latest.metadata.media_type().to_owned()),
            sequence: Some(latest.sequence),
            writer_pid: Some(latest.writer.pid()),
            beside: Beside::of(latest, now),
            age_ms: u64::try_from(age.as_millis()).ok(),
            ..self
        }
    }
}

impl Peer {
    /// Those who are seen to use a segment of a Qt program: what for, nobody tells.
    fn of_users(users: &[User]) -> Vec<Peer> {
        let peer = |user: &User| Peer {
            pid: user.pid,
            program: user.program.clone(),
            access: "unknown",
        };
        users.iter().map(peer).collect()
    }

    fn new(attached: &Attached) -> Peer {
        Peer {
            pid: attached.process.pid(),
            program: attached.program.clone(),
            access: access(attached.access),
        }
    }
}

/// Names what somebody may do, in the words of the JSON reports.
pub(crate) fn access(access: Access) -> &'static str {
    match access {
        Access::ReadWrite => "read-write",
        Access::ReadOnly => "read-only",
    }
}
