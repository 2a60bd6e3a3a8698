//! What callers decide by an error of a source, a sink or a removal.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;

use qt_bridge::{LockErrorKind, QtKey, ReadingError, SegmentError, SegmentErrorKind, StreamError};
use shm_core::{AttachError, AttachErrorKind, Key, PublishError, PublishErrorKind};
use shm_io::{SinkError, SourceError};

fn own() -> Key {
    Key::new("K").unwrap()
}

fn qt() -> QtKey {
    "qt:K".parse().unwrap()
}

fn qt_lock(kind: LockErrorKind) -> qt_bridge::LockError {
    qt_bridge::LockError::new(&qt(), kind)
}

fn timeout() -> LockErrorKind {
    LockErrorKind::Timeout {
        holder: None,
        users: Vec::new(),
    }
}

#[test]
fn source_errors_are_classified() {
    let attach = |kind| SourceError::Attach(AttachError::new(&own(), kind));
    let segment = |kind| SourceError::Qt(ReadingError::Segment(SegmentError::new(&qt(), kind)));
    let lock = |kind| SourceError::Qt(ReadingError::Lock(qt_lock(kind)));
    let stream = SourceError::Qt(ReadingError::Stream {
        key: qt(),
        source: StreamError::Truncated,
    });
    // The columns: not found, attaching failed, not shared, passing, about the content.
    let cases = [
        (
            attach(AttachErrorKind::NotFound),
            [true, true, false, false, false],
        ),
        (
            attach(AttachErrorKind::Permission),
            [false, true, true, false, false],
        ),
        (
            segment(SegmentErrorKind::NotFound),
            [true, true, false, false, false],
        ),
        (
            segment(SegmentErrorKind::Permission),
            [false, true, false, false, false],
        ),
        (lock(timeout()), [false, false, false, true, true]),
        (lock(LockErrorKind::Lost), [false, false, false, true, true]),
        (
            lock(LockErrorKind::NoFolder),
            [false, false, false, false, true],
        ),
        (stream, [false, false, false, false, true]),
    ];
    for (error, expected) in cases {
        let found = [
            error.is_not_found(),
            error.is_attach(),
            error.is_not_shared(),
            error.is_passing(),
            error.is_about_content(),
        ];
        assert_eq!(found, expected, "{error:?}");
    }
}

#[test]
fn sink_errors_are_classified() {
    use qt_bridge::PublishError as Qt;
    let publish = |kind| SinkError::Publish(PublishError::new(&own(), kind));
    let segment = |kind| SinkError::Qt(Qt::Segment(SegmentError::new(&qt(), kind)));
    let attach = AttachError::new(&own(), AttachErrorKind::Permission);
    let too_small = Qt::TooSmall {
        key: qt(),
        size: 1,
        needed: 2,
        users: Vec::new(),
    };
    let write = Qt::Write {
        key: qt(),
        source: io::ErrorKind::Other.into(),
    };
    // The columns: removed, about the segment, passing.
    let cases = [
        (SinkError::Attach(attach), [false, true, false]),
        (publish(PublishErrorKind::Removed), [true, false, false]),
        (
            publish(PublishErrorKind::NoSpace { bytes: 1 }),
            [false, true, true],
        ),
        (publish(PublishErrorKind::Busy), [false, false, true]),
        (publish(PublishErrorKind::Forked), [false, false, false]),
        (
            segment(SegmentErrorKind::OutOfResources),
            [false, true, true],
        ),
        (
            segment(SegmentErrorKind::Lock(timeout())),
            [false, true, true],
        ),
        (segment(SegmentErrorKind::Permission), [false, true, false]),
        (
            SinkError::Qt(Qt::Lock(qt_lock(timeout()))),
            [false, false, true],
        ),
        (
            SinkError::Qt(Qt::Lock(qt_lock(LockErrorKind::Lost))),
            [false, false, true],
        ),
        (
            SinkError::Qt(Qt::Lock(qt_lock(LockErrorKind::ReadOnly))),
            [false, false, false],
        ),
        (SinkError::Qt(too_small), [false, false, true]),
        (SinkError::Qt(write), [false, false, false]),
        (
            SinkError::Stream(StreamError::NoMemory { bytes: 1 }),
            [false, false, true],
        ),
        (
            SinkError::Stream(StreamError::Truncated),
            [false, false, false],
        ),
    ];
    for (error, expected) in cases {
        let found = [
            error.is_removed(),
            error.is_about_segment(),
            error.is_passing(),
        ];
        assert_eq!(found, expected, "{error:?}");
    }
}
