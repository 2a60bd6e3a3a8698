//! The JSON report of a segment; docs/json/ has its schemas.

pub(crate) mod annotation;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gui_common::text::explain::Explain;
use gui_common::text::group::Group;
use gui_common::text::sharing;
use qt_bridge::User;
use serde::Serialize;
use shm_core::segment::{self, Info, Latest, Listed, Permissions, Readers};
use shm_core::{Access, Metadata, Participant};
use shm_io::{Address, Content, Entry, RingSize, SourceError};

use annotation::AnnotationFields;

/// The report of one segment. A field that does not apply is `null`, unless it is documented as
/// omitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct SegmentReport {
    key: String,
    kind: Option<&'static str>,
    bytes: Option<u64>,
    width: Option<u32>,
    height: Option<u32>,
    /// The name of the pixel format.
    format: Option<&'static str>,
    /// The distance of two rows of pixels, bytes.
    stride: Option<u32>,
    media_type: Option<String>,
    /// The name of the file that the content was loaded from.
    file_name: Option<String>,
    sequence: Option<u64>,
    writer_pid: Option<u32>,
    /// The program of the publisher, while it is attached.
    writer_program: Option<String>,
    /// The time of publication by the wall clock, milliseconds since 1970-01-01 UTC.
    published_ms: Option<u64>,
    /// The time since publication by the monotonic clock, milliseconds.
    age_ms: Option<u64>,
    persistent: Option<bool>,
    /// The length of the ring, bytes; `retain_bytes` is the retention of samples too long for it.
    ring_bytes: Option<u64>,
    retain_bytes: Option<u64>,
    /// The permission bits of the file, octal.
    mode: Option<String>,
    /// The group of the file, by name, or by number if it has no name.
    group: Option<String>,
    /// Whether the group or all users may read the segment.
    others_may_read: Option<bool>,
    attached: Vec<AttachedProcess>,
    #[serde(flatten)]
    annotation: AnnotationFields,
    /// The units of a semaphore that can be acquired; omitted for other kinds, like `held`.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<u32>,
    /// The form of a Qt content; omitted for other segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<&'static str>,
    /// Why the segment cannot be read; omitted if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// One attached process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct AttachedProcess {
    pid: u32,
    program: String,
    access: &'static str,
}

impl SegmentReport {
    /// Reports a content that was read.
    pub(crate) fn of_content(content: &Content) -> SegmentReport {
        let stat = content.stat();
        let key = content.address().to_string();
        let report = SegmentReport::new(key, stat.persistent, &stat.attached)
            .with_permissions(stat.permissions)
            .with_ring(stat.ring);
        let bytes = content.bytes().len() as u64;
        if let Some(latest) = content.latest() {
            return report.with_latest(&latest, &stat.attached);
        }
        let Some(form) = content.form() else {
            return report.with_block(bytes);
        };
        let report = SegmentReport {
            bytes: Some(bytes),
            form: Some(form.name()),
            ..report
        };
        match content.metadata() {
            Some(metadata) => report.with_metadata(metadata),
            None => report,
        }
    }

    /// Reports a Qt segment without its content, so without its kind.
    fn of_qt(listed: &qt_bridge::Listed) -> SegmentReport {
        SegmentReport {
            bytes: Some(listed.size as u64),
            attached: AttachedProcess::of_users(&listed.users),
            ..SegmentReport::new(listed.key.to_string(), false, &[])
        }
    }

    /// Reports a Qt segment whose content cannot be read.
    pub(crate) fn of_unreadable(key: &Address, size: u64, reason: &SourceError) -> SegmentReport {
        SegmentReport {
            bytes: Some(size),
            reason: Some(reason.explain()),
            ..SegmentReport::new(key.to_string(), false, &[])
        }
    }

    /// Adds the processes that were seen to use a Qt segment.
    pub(crate) fn with_users(mut self, users: &[User]) -> SegmentReport {
        self.attached.extend(AttachedProcess::of_users(users));
        self
    }

    fn with_metadata(self, metadata: &Metadata) -> SegmentReport {
        let image = match metadata {
            Metadata::Image(image) => Some(image),
            _ => None,
        };
        SegmentReport {
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

    fn with_ring(self, size: Option<RingSize>) -> SegmentReport {
        SegmentReport {
            ring_bytes: size.map(|size| size.ring),
            retain_bytes: size.map(|size| size.retain),
            ..self
        }
    }

    /// Reports a segment from its state, without reading its content.
    pub(crate) fn of_info(info: &Info) -> SegmentReport {
        let report = SegmentReport::new(info.key.to_string(), info.persistent, &info.attached);
        let report = report.with_permissions(Some(info.permissions()));
        let report = report.with_ring(RingSize::of(info));
        match &info.content {
            segment::Content::Block { size } => report.with_block(*size),
            segment::Content::Semaphore { available, held } => SegmentReport {
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
            segment::Content::Damaged { damage } => SegmentReport {
                kind: Some("damaged"),
                bytes: None,
                reason: Some(damage.explain()),
                ..report
            },
        }
    }

    /// Reports one entry of a list, valid segment or not.
    pub(crate) fn of_entry(entry: &Entry) -> SegmentReport {
        match entry {
            Entry::Own(listed) => SegmentReport::of_listed(listed),
            Entry::Qt(listed) => SegmentReport::of_qt(listed),
        }
    }

    fn of_listed(listed: &Listed) -> SegmentReport {
        match &listed.segment {
            Ok(info) => SegmentReport::of_info(info),
            Err(reason) => SegmentReport {
                bytes: None,
                persistent: None,
                reason: Some(reason.explain()),
                ..SegmentReport::new(listed.name.clone(), false, &[])
            },
        }
    }

    fn new(key: String, persistent: bool, attached: &[Participant]) -> SegmentReport {
        SegmentReport {
            key,
            bytes: Some(0),
            persistent: Some(persistent),
            attached: attached.iter().map(AttachedProcess::new).collect(),
            ..SegmentReport::default()
        }
    }

    fn with_permissions(self, permissions: Option<Permissions>) -> SegmentReport {
        SegmentReport {
            mode: permissions.map(sharing::mode),
            group: permissions.map(|permissions| Group::of(permissions.group).to_string()),
            others_may_read: permissions.map(|permissions| permissions.readers() != Readers::Owner),
            ..self
        }
    }

    fn with_block(self, size: u64) -> SegmentReport {
        SegmentReport {
            kind: Some("bytes"),
            bytes: Some(size),
            ..self
        }
    }

    fn with_latest(self, latest: &Latest, attached: &[Participant]) -> SegmentReport {
        let writer = attached.iter().find(|peer| peer.process.is(latest.writer));
        let published = latest.published.duration_since(UNIX_EPOCH).ok();
        SegmentReport {
            bytes: Some(latest.bytes),
            sequence: Some(latest.sequence.get()),
            writer_pid: Some(latest.writer.pid()),
            writer_program: writer.map(|peer| peer.program.clone()),
            published_ms: published.and_then(milliseconds),
            age_ms: milliseconds(latest.age),
            annotation: AnnotationFields::of(latest, SystemTime::now()),
            ..self.with_metadata(&latest.metadata)
        }
    }
}

fn milliseconds(time: Duration) -> Option<u64> {
    u64::try_from(time.as_millis()).ok()
}

impl AttachedProcess {
    /// Converts the processes that were seen to use a Qt segment; their access is not known.
    fn of_users(users: &[User]) -> Vec<AttachedProcess> {
        let process = |user: &User| AttachedProcess {
            pid: user.pid,
            program: user.program.clone(),
            access: "unknown",
        };
        users.iter().map(process).collect()
    }

    fn new(attached: &Participant) -> AttachedProcess {
        AttachedProcess {
            pid: attached.process.pid(),
            program: attached.program.clone(),
            access: access(attached.access),
        }
    }
}

/// Returns the name of an access in the JSON reports.
pub(crate) fn access(access: Access) -> &'static str {
    match access {
        Access::ReadWrite => "read-write",
        Access::ReadOnly => "read-only",
    }
}
