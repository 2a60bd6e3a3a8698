//! One viewer's connection, at the publisher's end.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use interprocess::os::unix::uds_local_socket::Stream;

use crate::link::Watcher;
use crate::link::record::{self, GREETING, REPORT};

/// How long a connection may say nothing before it says who it is.
const GREETING_TIME: Duration = Duration::from_secs(5);
/// More than a viewer has to say in a second; who says more is not listened to any longer.
const MOST_REPORTS: u32 = 100;

/// Somebody who is connected, or was a moment ago. What it says is a stranger's word.
#[derive(Debug)]
pub(super) struct Guest {
    /// None once it has gone, or was sent away.
    stream: Option<Stream>,
    watcher: Option<Watcher>,
    /// What there is of a record that has not arrived whole.
    begun: Begun,
    arrived: Instant,
    allowance: Allowance,
    has_news: bool,
}

impl Guest {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream: Some(stream),
            watcher: None,
            begun: Begun::default(),
            arrived: Instant::now(),
            allowance: Allowance::new(),
            has_news: false,
        }
    }

    /// Its connection, while there is one.
    pub(super) fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// Who it is, once it has said so.
    pub(super) fn watcher(&self) -> Option<&Watcher> {
        self.watcher.as_ref()
    }

    /// Returns `true` if it said something that was not passed on yet.
    pub(super) fn has_news(&self) -> bool {
        self.has_news
    }

    /// Notes that everything was passed on.
    pub(super) fn passed_on(&mut self) {
        self.has_news = false;
    }

    /// Returns `true` if it can be forgotten: it has gone, and everything it said was passed on.
    pub(super) fn is_over(&self) -> bool {
        self.stream.is_none() && !self.has_news
    }

    /// How long it may still keep silent; none where it has said who it is.
    pub(super) fn silence_left(&self) -> Option<Duration> {
        let left = || GREETING_TIME.saturating_sub(self.arrived.elapsed());
        self.watcher.is_none().then(left)
    }

    /// Listens to what has arrived.
    pub(super) fn listen(&mut self) {
        let mut arrived = [0; 1024];
        let Some(mut stream) = self.stream.as_ref() else {
            return;
        };
        match stream.read(&mut arrived) {
            Ok(count @ 1..) => {
                if self.take(&arrived[..count]).is_none() {
                    self.send_away();
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(0) | Err(_) => self.send_away(),
        }
    }

    /// Ends the connection, if the guest has not.
    pub(super) fn send_away(&mut self) {
        self.stream = None;
    }

    /// Takes in bytes as they come, in pieces or many records at once; nothing where they make no sense.
    fn take(&mut self, mut arrived: &[u8]) -> Option<()> {
        while !arrived.is_empty() {
            match &mut self.watcher {
                None => {
                    let Some(greeting) = self.begun.complete::<GREETING>(&mut arrived) else {
                        break;
                    };
                    let (process, program) = record::parse_greeting(&greeting)?;
                    self.watcher = Some(Watcher {
                        process,
                        program,
                        shown: None,
                    });
                }
                Some(watcher) => {
                    let Some(report) = self.begun.complete::<REPORT>(&mut arrived) else {
                        break;
                    };
                    watcher.shown = Some(record::parse_report(&report)?);
                    self.allowance.spend()?;
                }
            }
            self.has_news = true;
        }
        Some(())
    }
}

/// The beginning of a record.
#[derive(Debug, Default)]
struct Begun {
    bytes: Vec<u8>,
}

impl Begun {
    /// Adds what is missing of a record of this length; the record, once it is whole.
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

/// How many more reports there may be in this second.
#[derive(Debug)]
struct Allowance {
    began: Instant,
    left: u32,
}

impl Allowance {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            left: MOST_REPORTS,
        }
    }

    /// Nothing where too much was said.
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

    use crate::link::Shown;
    use crate::process::Process;

    fn guest() -> (Guest, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Guest::new(ours.into()), theirs)
    }

    fn greeting() -> [u8; GREETING] {
        record::encode_greeting(Process::stored(7, 9), "viewer")
    }

    fn report(sequence: u64) -> [u8; REPORT] {
        let took = Duration::from_millis(sequence);
        record::encode_report(Shown { sequence, took })
    }

    fn shown(guest: &Guest) -> Option<u64> {
        Some(guest.watcher()?.shown?.sequence)
    }

    #[test]
    fn records_may_arrive_in_pieces_or_many_at_once() {
        let all = [greeting().as_slice(), &report(3), &report(4)].concat();
        for piece in 1..=all.len() {
            let (mut guest, mut peer) = guest();
            for part in all.chunks(piece) {
                peer.write_all(part).unwrap();
                guest.listen();
            }
            assert_eq!(shown(&guest), Some(4), "{piece} bytes at a time");
            assert_eq!(guest.watcher().unwrap().program, "viewer");
            assert!(guest.stream().is_some() && guest.has_news());
        }
    }

    #[test]
    fn what_was_said_last_is_kept_until_it_is_passed_on() {
        let (mut guest, mut peer) = guest();
        peer.write_all(&greeting()).unwrap();
        peer.write_all(&report(5)).unwrap();
        drop(peer);
        guest.listen();
        guest.listen();
        assert!(guest.stream().is_none() && !guest.is_over());
        assert_eq!(shown(&guest), Some(5));
        guest.passed_on();
        assert!(guest.is_over());
    }

    #[test]
    fn nonsense_and_silence_end_the_connection() {
        for nonsense in [[0; GREETING], [255; GREETING]] {
            let (mut guest, mut peer) = guest();
            peer.write_all(&nonsense).unwrap();
            guest.listen();
            assert!(guest.is_over() && guest.watcher().is_none());
        }
        let (mut guest, mut peer) = guest();
        peer.write_all(&greeting()).unwrap();
        peer.write_all(&[0; REPORT]).unwrap();
        guest.listen();
        assert!(guest.stream().is_none(), "there is no sequence 0");

        let (guest, _peer) = self::guest();
        assert!(guest.silence_left() <= Some(GREETING_TIME));
    }

    #[test]
    fn a_flood_is_cut_off() {
        let (mut guest, mut peer) = guest();
        peer.write_all(&greeting()).unwrap();
        let reports = u64::from(MOST_REPORTS) + 1;
        for sequence in 1..=reports {
            peer.write_all(&report(sequence)).unwrap();
        }
        for _ in 0..reports {
            guest.listen();
        }
        assert!(guest.stream().is_none());
    }
}
