//! What is in a segment, as other programs read it: one JSON object.

pub(crate) mod beside;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gui_common::text::explain::Explain;
use gui_common::text::group::Group;
use gui_common::text::sharing;
use qt_bridge::User;
use serde::Serialize;
use shm_core::segment::{self, Info, Latest, Listed, Permissions, Readers};
use shm_core::{Access, Metadata, Participant};
use shm_io::{Address, Content, Entry, RingSize, SourceError};

use beside::Beside;

/// One segment. A field that does not apply is `null`; only what is said to be left out is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    key: String,
    kind: Option<&'static str>,
    bytes: Option<u64>,
    width: Option<u32>,
    height: Option<u32>,
    /// The name of the pixel format.
    format: Option<&'static str>,
    /// Bytes from one row of pixels to the next.
    stride: Option<u32>,
    media_type: Option<String>,
    /// The name of the file that it was loaded from.
    file_name: Option<String>,
    sequence: Option<u64>,
    writer_pid: Option<u32>,
    /// The program that published it, while it is attached.
    writer_program: Option<String>,
    /// When it was published, by the wall clock: milliseconds since 1970-01-01 UTC.
    published_ms: Option<u64>,
    /// How long ago that is, by a clock that nobody sets.
    age_ms: Option<u64>,
    persistent: Option<bool>,
    /// The length of the ring, and how much it keeps beside it of what is too long for it.
    ring_bytes: Option<u64>,
    retain_bytes: Option<u64>,
    /// The permission bits of its file, as chmod takes them.
    mode: Option<String>,
    /// The group that they are about, by name, or by number where it has none.
    group: Option<String>,
    /// Whether anybody but its owner may read it: the group, or everybody.
    others_may_read: Option<bool>,
    attached: Vec<Peer>,
    /// What stands beside the kind.
    #[serde(flatten)]
    beside: Beside,
    /// Of a semaphore: how many units can be acquired, and how many are held; only where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<u32>,
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
    /// Reports what was read from a segment.
    pub(crate) fn of_content(content: &Content) -> Report {
        let stat = content.stat();
        let key = content.address().to_string();
        let report = Report::new(key, stat.persistent, &stat.attached)
            .with_permissions(stat.permissions)
            .with_ring(stat.ring);
        let bytes = content.bytes().len() as u64;
        if let Some(latest) = content.latest() {
            return report.with_latest(&latest, &stat.attached);
        }
        let Some(form) = content.form() else {
            return report.with_block(bytes);
        };
        let report = Report {
            bytes: Some(bytes),
            form: Some(form.name()),
            ..report
        };
        match content.metadata() {
            Some(metadata) => report.with_metadata(metadata),
            None => report,
        }
    }

    /// Reports a segment of a Qt program from outside: nobody tells what is in it.
    fn of_qt(listed: &qt_bridge::Listed) -> Report {
        Report {
            bytes: Some(listed.size as u64),
            attached: Peer::of_users(&listed.users),
            ..Report::new(listed.key.to_string(), false, &[])
        }
    }

    /// Reports a segment of a Qt program whose content cannot be read.
    pub(crate) fn of_unreadable(key: &Address, size: u64, reason: &SourceError) -> Report {
        Report {
            bytes: Some(size),
            reason: Some(reason.explain()),
            ..Report::new(key.to_string(), false, &[])
        }
    }

    /// Adds who is seen to use a segment of a Qt program.
    pub(crate) fn with_users(mut self, users: &[User]) -> Report {
        self.attached.extend(Peer::of_users(users));
        self
    }

    fn with_metadata(self, metadata: &Metadata) -> Report {
        let image = match metadata {
            Metadata::Image(image) => Some(image),
            _ => None,
        };
        Report {
            kind: Some(metadata.kind()),
            width: image.map(|image| image.width),
            height: image.map(|image| image.height),
            format: image.map(|image| image.format.name()),
            stride: image.map(|image| image.stride),
            media_type: Some(metadata.media_type().to_owned()),
            file_name: metadata.file_name().map(str::to_owned),
            ..self
        }
    }

    fn with_ring(self, kept: Option<RingSize>) -> Report {
        Report {
            ring_bytes: kept.map(|kept| kept.ring),
            retain_bytes: kept.map(|kept| kept.retain),
            ..self
        }
    }

    /// Reports what is to be seen of a segment from outside.
    pub(crate) fn of_info(info: &Info) -> Report {
        let report = Report::new(info.key.to_string(), info.persistent, &info.attached);
        let report = report.with_permissions(Some(info.permissions()));
        let report = report.with_ring(RingSize::of(info));
        match &info.content {
            segment::Content::Block { size } => report.with_block(*size),
            segment::Content::Semaphore { available, held } => Report {
                kind: Some("semaphore"),
                available: Some(*available),
                held: Some(*held),
                ..report
            },
            segment::Content::Samples {
                latest: Some(latest),
                ..
            } => report.with_latest(latest, &info.attached),
            segment::Content::Samples { latest: None, .. } => report,
            segment::Content::Damaged { damage } => Report {
                kind: Some("damaged"),
                bytes: None,
                reason: Some(damage.explain()),
                ..report
            },
        }
    }

    /// Reports one line of a list, be it a segment or not.
    pub(crate) fn of_entry(entry: &Entry) -> Report {
        match entry {
            Entry::Own(listed) => Report::of_listed(listed),
            Entry::Qt(listed) => Report::of_qt(listed),
        }
    }

    fn of_listed(listed: &Listed) -> Report {
        match &listed.segment {
            Ok(info) => Report::of_info(info),
            Err(reason) => Report {
                bytes: None,
                persistent: None,
                reason: Some(reason.explain()),
                ..Report::new(listed.name.clone(), false, &[])
            },
        }
    }

    fn new(key: String, persistent: bool, attached: &[Participant]) -> Report {
        Report {
            key,
            bytes: Some(0),
            persistent: Some(persistent),
            attached: attached.iter().map(Peer::new).collect(),
            ..Report::default()
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

    fn with_latest(self, latest: &Latest, attached: &[Participant]) -> Report {
        let writer = attached.iter().find(|peer| peer.process.is(latest.writer));
        let published = latest.published.duration_since(UNIX_EPOCH).ok();
        Report {
            bytes: Some(latest.bytes),
            sequence: Some(latest.sequence.get()),
            writer_pid: Some(latest.writer.pid()),
            writer_program: writer.map(|peer| peer.program.clone()),
            published_ms: published.and_then(milliseconds),
            age_ms: milliseconds(latest.age),
            beside: Beside::of(latest, SystemTime::now()),
            ..self.with_metadata(&latest.metadata)
        }
    }
}

fn milliseconds(time: Duration) -> Option<u64> {
    u64::try_from(time.as_millis()).ok()
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

    fn new(attached: &Participant) -> Peer {
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
