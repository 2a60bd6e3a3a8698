//! The report fields of an array's shape and of a sample's annotations: user data and origin.

use std::time::{Duration, SystemTime};

use gui_common::text::terminal;
use gui_common::text::units;
use serde::Serialize;
use shm_core::segment::Latest;
use shm_core::{Metadata, Origin};
use shm_io::Content;

/// The fields of a report that only arrays and annotated samples have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct AnnotationFields {
    /// The element type of an array, by its `NumPy` name.
    element: Option<&'static str>,
    /// The shape of an array.
    shape: Option<Vec<u64>>,
    user: Option<UserFields>,
    origin: Option<OriginFields>,
}

/// The user data of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct UserFields {
    hex: String,
    /// The bytes as a text, if they are valid UTF-8.
    text: Option<String>,
}

/// The origin of a sample that was forwarded from another host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct OriginFields {
    host: String,
    program: String,
    sequence: u64,
    age_ms: u64,
    last_heard_ms: u64,
    stale: bool,
}

impl AnnotationFields {
    pub(super) fn of(latest: &Latest, now: SystemTime) -> AnnotationFields {
        let array = match &latest.metadata {
            Metadata::Array(array) => Some(array),
            _ => None,
        };
        let user = Some(&latest.annotations.user).filter(|user| !user.is_empty());
        AnnotationFields {
            element: array.map(|array| array.element().name()),
            shape: array.map(|array| array.shape().to_vec()),
            user: user.map(|user| UserFields {
                hex: hex(user),
                text: str::from_utf8(user).ok().map(str::to_owned),
            }),
            origin: latest
                .annotations
                .origin
                .as_ref()
                .map(|origin| OriginFields {
                    host: origin.host.clone(),
                    program: origin.program.clone(),
                    sequence: origin.sequence.get(),
                    age_ms: milliseconds(since(origin.published, now)),
                    last_heard_ms: milliseconds(since(origin.last_heard, now)),
                    stale: origin.is_stale,
                }),
        }
    }
}

/// Returns the end of a line about a sample: its origin, if it was forwarded.
pub(crate) fn origin_suffix(content: &Content) -> String {
    content.origin().map_or_else(String::new, |origin| {
        let origin = describe_origin(origin, SystemTime::now());
        format!(" · {}", terminal::line(&origin))
    })
}

/// Describes an origin: `by loader-app on hostA, 12 ms ago, stale`.
pub(crate) fn describe_origin(origin: &Origin, now: SystemTime) -> String {
    format!(
        "by {} on {}, {} ago{}",
        origin.program,
        origin.host,
        units::lapse(since(origin.published, now)),
        if origin.is_stale { ", stale" } else { "" }
    )
}

/// Describes user data: hexadecimal digits, and the text if it is valid UTF-8.
pub(crate) fn describe_user(user: &[u8]) -> String {
    match str::from_utf8(user) {
        Ok(text) => format!("{} ({text})", hex(user)),
        Err(_) => hex(user),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the time since `then`; zero if the clock of the other host is ahead.
fn since(then: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
