//! A viewer's connection, at the publisher's end.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use interprocess::os::unix::uds_local_socket::Stream;

use crate::presence::Viewer;
use crate::presence::protocol::{self, GREETING, REPORT};

/// How long a connection may take to send its greeting.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of reports a second: ten times what a viewer sends. A connection that sends
/// more is closed.
const MAX_REPORTS: u32 = 100;

/// A connection to a viewer, open or just closed. What it sends is untrusted.
#[derive(Debug)]
pub(super) struct Connection {
    /// `None` once it is closed.
    stream: Option<Stream>,
    viewer: Option<Viewer>,
    /// The beginning of a record whose rest has not arrived.
    partial: PartialRecord,
    accepted_at: Instant,
    quota: ReportQuota,
    is_dirty: bool,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream: Some(stream),
            viewer: None,
            partial: PartialRecord::default(),
            accepted_at: Instant::now(),
            quota: ReportQuota::new(),
            is_dirty: false,
        }
    }

    /// Returns the socket while it is open.
    pub(super) fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// Returns the viewer once it has sent its greeting.
    pub(super) fn viewer(&self) -> Option<&Viewer> {
        self.viewer.as_ref()
    }

    /// Returns `true` if it sent something that was not reported to the callback.
    pub(super) fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// Records that everything was reported to the callback.
    pub(super) fn mark_flushed(&mut self) {
        self.is_dirty = false;
    }

    /// Returns `true` if it is closed and everything was reported to the callback.
    pub(super) fn is_finished(&self) -> bool {
        self.stream.is_none() && !self.is_dirty
    }

    /// Returns the time left for its greeting; `None` once that has arrived.
    pub(super) fn greeting_due(&self) -> Option<Duration> {
        let left = || GREETING_TIMEOUT.saturating_sub(self.accepted_at.elapsed());
        self.viewer.is_none().then(left)
    }

    /// Reads what has arrived.
    pub(super) fn receive(&mut self) {
        let mut arrived = [0; 1024];
        let Some(mut stream) = self.stream.as_ref() else {
            return;
        };
        match stream.read(&mut arrived) {
            Ok(count @ 1..) => {
                if self.parse(&arrived[..count]).is_none() {
                    self.close();
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(0) | Err(_) => self.close(),
        }
    }

    /// Closes the socket.
    pub(super) fn close(&mut self) {
        self.stream = None;
    }

    /// Parses bytes, in pieces or many records at once; returns `None` if they are invalid.
    fn parse(&mut self, mut arrived: &[u8]) -> Option<()> {
        while !arrived.is_empty() {
            match &mut self.viewer {
                None => {
                    let Some(greeting) = self.partial.complete::<GREETING>(&mut arrived) else {
                        break;
                    };
                    let (process, program) = protocol::parse_greeting(&greeting)?;
                    self.viewer = Some(Viewer {
                        process,
                        program,
                        report: None,
                    });
                }
                Some(viewer) => {
                    let Some(report) = self.partial.complete::<REPORT>(&mut arrived) else {
                        break;
                    };
                    viewer.report = Some(protocol::parse_report(&report)?);
                    self.quota.spend()?;
                }
            }
            self.is_dirty = true;
        }
        Some(())
    }
}

/// A record that has not arrived whole.
#[derive(Debug, Default)]
struct PartialRecord {
    bytes: Vec<u8>,
}

impl PartialRecord {
    /// Adds the missing bytes of a record of this length; returns the record once it is whole.
    fn complete<const LENGTH: usize>(&mut self, arrived: &mut &[u8]) -> Option<[u8; LENGTH]> {
        let missing = LENGTH.saturating_sub(self.bytes.len());
        let (taken, rest) = arrived.split_at(missing.min(arrived.len()));
        self.bytes.extend_from_slice(taken);
        *arrived = rest;
        let whole = self.bytes.as_slice().try_into().ok()?;
        self.bytes.clear();
        Some(whole)
    }
}

/// How many more reports may arrive in this second.
#[derive(Debug)]
struct ReportQuota {
    began: Instant,
    left: u32,
}

impl ReportQuota {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            left: MAX_REPORTS,
        }
    }

    /// Returns `None` if the quota is used up.
    fn spend(&mut self) -> Option<()> {
        if self.began.elapsed() >= Duration::from_secs(1) {
            *self = Self::new();
        }
        self.left = self.left.checked_sub(1)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use crate::presence::Report;
    use crate::process::Process;

    fn connection() -> (Connection, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Connection::new(ours.into()), theirs)
    }

    fn greeting() -> [u8; GREETING] {
        protocol::encode_greeting(Process::stored(7, 9), "viewer")
    }

    fn report(sequence: u64) -> [u8; REPORT] {
        let latency = Duration::from_millis(sequence);
        protocol::encode_report(Report {
            sequence: sequence.into(),
            latency,
        })
    }

    fn last_sequence(connection: &Connection) -> Option<u64> {
        Some(connection.viewer()?.report?.sequence.get())
    }

    #[test]
    fn records_may_arrive_in_pieces_or_many_at_once() {
        let all = [greeting().as_slice(), &report(3), &report(4)].concat();
        for piece in 1..=all.len() {
            let (mut connection, mut peer) = connection();
            for part in all.chunks(piece) {
                peer.write_all(part).unwrap();
                connection.receive();
            }
            assert_eq!(
                last_sequence(&connection),
                Some(4),
                "{piece} bytes at a time"
            );
            assert_eq!(connection.viewer().unwrap().program, "viewer");
            assert!(connection.stream().is_some() && connection.is_dirty());
        }
    }

    #[test]
    fn the_last_report_is_kept_until_it_is_passed_on() {
        let (mut connection, mut peer) = connection();
        peer.write_all(&greeting()).unwrap();
        peer.write_all(&report(5)).unwrap();
        drop(peer);
        connection.receive();
        connection.receive();
        assert!(connection.stream().is_none() && !connection.is_finished());
        assert_eq!(last_sequence(&connection), Some(5));
        connection.mark_flushed();
        assert!(connection.is_finished());
    }

    #[test]
    fn invalid_records_and_a_missing_greeting_close_the_connection() {
        for invalid in [[0; GREETING], [255; GREETING]] {
            let (mut connection, mut peer) = connection();
            peer.write_all(&invalid).unwrap();
            connection.receive();
            assert!(connection.is_finished() && connection.viewer().is_none());
        }
        let (mut connection, mut peer) = connection();
        peer.write_all(&greeting()).unwrap();
        peer.write_all(&[0; REPORT]).unwrap();
        connection.receive();
        assert!(connection.stream().is_none(), "there is no sequence 0");

        let (connection, _peer) = self::connection();
        assert!(connection.greeting_due() <= Some(GREETING_TIMEOUT));
    }

    #[test]
    fn a_connection_over_its_quota_is_closed() {
        let (mut connection, mut peer) = connection();
        peer.write_all(&greeting()).unwrap();
        let reports = u64::from(MAX_REPORTS) + 1;
        for sequence in 1..=reports {
            peer.write_all(&report(sequence)).unwrap();
        }
        for _ in 0..reports {
            connection.receive();
        }
        assert!(connection.stream().is_none());
    }
}
