//! What stands beside the kind of a sample: the shape of an array, the publisher's own bytes, and where it
//! comes from.

use std::time::{Duration, SystemTime};

use gui_common::text::terminal;
use gui_common::text::units;
use serde::Serialize;
use shm_core::segment::Latest;
use shm_core::{Metadata, Origin};
use shm_io::Content;

/// The fields of a report that only some samples have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Beside {
    /// What an element of an array is, as `NumPy` calls it.
    element: Option<&'static str>,
    /// The dimensions of an array.
    shape: Option<Vec<u64>>,
    user: Option<UserData>,
    origin: Option<Elsewhere>,
}

/// The publisher's own bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct UserData {
    hex: String,
    /// The same as a text, if they are UTF-8.
    text: Option<String>,
}

/// Where a sample was published first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Elsewhere {
    host: String,
    program: String,
    sequence: u64,
    age_ms: u64,
    last_heard_ms: u64,
    stale: bool,
}

impl Beside {
    pub(super) fn of(latest: &Latest, now: SystemTime) -> Beside {
        let array = match &latest.metadata {
            Metadata::Array(array) => Some(array),
            _ => None,
        };
        let user = Some(&latest.annotations.user).filter(|user| !user.is_empty());
        Beside {
            element: array.map(|array| array.element().name()),
            shape: array.map(|array| array.shape().to_vec()),
            user: user.map(|user| UserData {
                hex: hex(user),
                text: str::from_utf8(user).ok().map(str::to_owned),
            }),
            origin: latest.annotations.origin.as_ref().map(|origin| Elsewhere {
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

/// Writes what a line about a sample ends with: where it was published first, if elsewhere.
pub(crate) fn origin_of(content: &Content) -> String {
    content.origin().map_or_else(String::new, |origin| {
        let origin = describe_origin(origin, SystemTime::now());
        format!(" · {}", terminal::line(&origin))
    })
}

/// Writes where a sample was published first: `by loader-app on hostA, 12 ms ago, stale`.
pub(crate) fn describe_origin(origin: &Origin, now: SystemTime) -> String {
    format!(
        "by {} on {}, {} ago{}",
        origin.program,
        origin.host,
        units::lapse(since(origin.published, now)),
        if origin.is_stale { ", stale" } else { "" }
    )
}

/// Writes the publisher's own bytes: as hexadecimal digits, and the text that they are, if any.
pub(crate) fn describe_user(user: &[u8]) -> String {
    match str::from_utf8(user) {
        Ok(text) => format!("{} ({text})", hex(user)),
        Err(_) => hex(user),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Two computers have two clocks: what is to come has just been.
fn since(then: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
