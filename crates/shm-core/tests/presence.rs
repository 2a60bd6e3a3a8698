//! Presence: publishers learn their viewers, and other connections to the socket do no harm.

mod common;

use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use common::{TestDirectory, key};
use shm_core::presence::{self, PresenceClient, PresenceServer, Viewer};
use shm_core::{Options, PresenceErrorKind, Process, Publisher, segment};

const MILLISECOND: Duration = Duration::from_millis(1);

/// A publisher with a presence server, and the changes that it reports.
struct Server {
    publisher: Publisher,
    changes: Receiver<Vec<Viewer>>,
    _server: PresenceServer,
}

impl Server {
    fn open(options: &Options) -> Server {
        let publisher = Publisher::open(&key("server"), options).expect("a publisher");
        let (sender, changes) = mpsc::channel();
        let tell = move |viewers: &[Viewer]| {
            // The receiver is gone when the test is over.
            sender.send(viewers.to_vec()).ok();
        };
        let server = PresenceServer::listen(&publisher, tell).expect("a server");
        Server {
            publisher,
            changes,
            _server: server,
        }
    }

    fn client(&self, directory: &TestDirectory) -> PresenceClient {
        PresenceClient::connect(self.publisher.id(), &directory.options()).expect("a client")
    }

    /// Waits until the reported viewers meet a condition.
    fn wait_for(&self, condition: impl Fn(&[Viewer]) -> bool) -> Vec<Viewer> {
        loop {
            let viewers = self.changes.recv().expect("the server runs");
            if condition(&viewers) {
                return viewers;
            }
        }
    }

    fn wait_for_number(&self, number: usize) -> Vec<Viewer> {
        self.wait_for(|viewers| viewers.len() == number)
    }

    fn wait_for_sequence(&self, sequence: u64) -> Vec<Viewer> {
        self.wait_for(|viewers| {
            let shown = viewers.first().and_then(|viewer| viewer.report);
            shown.is_some_and(|shown| shown.sequence == sequence)
        })
    }
}

/// Returns the sockets in a directory.
fn sockets(directory: &TestDirectory) -> Vec<PathBuf> {
    let paths = directory
        .names()
        .into_iter()
        .map(|name| directory.path().join(name));
    paths
        .filter(|path| {
            let metadata = path.symlink_metadata().expect("it is there");
            metadata.file_type().is_socket()
        })
        .collect()
}

/// Encodes a greeting as docs/PRESENCE.md specifies it.
fn greeting(program: &[u8]) -> Vec<u8> {
    let mut bytes = b"SHM-PRES\x01\0\0\0\x67\x12\0\0\xcd\xab\0\0\0\0\0\0".to_vec();
    bytes.extend(program);
    bytes.resize(64, 0);
    bytes
}

#[test]
fn viewers_are_reported_with_their_last_sample() {
    let directory = TestDirectory::new();
    let server = Server::open(&directory.options());
    let first = server.client(&directory);
    let viewers = server.wait_for_number(1);
    assert!(viewers[0].process.is(Process::current()));
    assert!(viewers[0].program.starts_with("presence-"), "{viewers:?}");
    assert_eq!(viewers[0].report, None);

    let second = server.client(&directory);
    server.wait_for_number(2);
    first.report(3, 2 * MILLISECOND);
    second.report(4, 5 * MILLISECOND);
    let both = |viewers: &[Viewer]| viewers.iter().all(|viewer| viewer.report.is_some());
    let viewers = server.wait_for(both);
    let shown: Vec<_> = viewers.iter().filter_map(|viewer| viewer.report).collect();
    assert_eq!(shown.len(), 2);
    assert_eq!(
        (shown[0].sequence, shown[0].latency),
        (3.into(), 2 * MILLISECOND)
    );
    assert_eq!(
        (shown[1].sequence, shown[1].latency),
        (4.into(), 5 * MILLISECOND)
    );

    drop(first);
    let left = server.wait_for_number(1);
    assert_eq!(left[0].report, Some(shown[1]));
    drop(second);
    server.wait_for_number(0);
}

#[test]
fn publishers_that_start_later_are_reported_to() {
    let directory = TestDirectory::new();
    let first = Server::open(&directory.options());
    let client = first.client(&directory);
    first.wait_for_number(1);
    client.report(7, MILLISECOND);
    first.wait_for_sequence(7);

    let second = Server::open(&directory.options());
    second.wait_for_sequence(7);
    drop(first);
    client.report(8, MILLISECOND);
    second.wait_for_sequence(8);
}

#[test]
fn a_client_may_connect_before_a_server_listens() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("server"), &directory.options()).unwrap();
    let client = PresenceClient::connect(publisher.id(), &directory.options()).unwrap();
    client.report(1, MILLISECOND);
    let server = Server::open(&directory.options());
    server.wait_for_sequence(1);
}

#[test]
fn only_the_last_of_many_reports_is_sent() {
    let directory = TestDirectory::new();
    let server = Server::open(&directory.options());
    let client = server.client(&directory);
    let last = 100_000;
    for sequence in 1..=last {
        client.report(sequence, MILLISECOND);
    }
    let calls = std::cell::Cell::new(0);
    server.wait_for(|viewers| {
        calls.set(calls.get() + 1);
        viewers
            .iter()
            .any(|viewer| viewer.report.is_some_and(|shown| shown.sequence == last))
    });
    assert!(calls.get() < 100, "{} calls", calls.get());
}

#[test]
fn the_last_report_is_sent_before_the_client_disconnects() {
    let directory = TestDirectory::new();
    let server = Server::open(&directory.options());
    for sequence in 1..=5 {
        let client = server.client(&directory);
        client.report(sequence, MILLISECOND);
        drop(client);
        server.wait_for(|viewers| {
            let mut shown = viewers.iter().filter_map(|viewer| viewer.report);
            shown.any(|shown| shown.sequence == sequence)
        });
    }
    server.wait_for_number(0);
}

#[test]
fn sockets_are_private_and_leave_nothing_behind() {
    let directory = TestDirectory::new();
    let server = Server::open(&directory.options());
    let _client = server.client(&directory);
    let sockets = sockets(&directory);
    let [socket] = sockets.as_slice() else {
        panic!("one socket, not {sockets:?}");
    };
    let mode = socket.symlink_metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(server);
    assert_eq!(directory.names(), [] as [&str; 0]);
}

#[test]
fn viewers_and_sweeps_remove_dead_sockets_and_no_live_ones() {
    let directory = TestDirectory::new();
    let server = Server::open(&directory.options());
    let id = server.publisher.id();
    let dead = |segment: shm_core::SegmentId| {
        let path = directory
            .path()
            .join(format!(".shm-core-presence.{segment}.{:016x}", 1));
        drop(UnixListener::bind(&path).unwrap());
        path
    };
    let (of_this, of_another) = (dead(id), dead(shm_core::SegmentId::new(!id.get())));
    presence::sweep(
        &directory.options(),
        &segment::list(&directory.options()).unwrap(),
    );
    assert!(!of_another.exists());
    assert!(of_this.exists(), "its clients remove it");
    let _client = server.client(&directory);
    server.wait_for_number(1);
    drop(server.client(&directory));
    assert!(!of_this.exists());
    assert_eq!(sockets(&directory).len(), 1);
}

#[test]
fn untrusted_records_are_checked_and_escaped() {
    let directory = TestDirectory::new();
    let server = Server::open(&directory.options());
    let socket = &sockets(&directory)[0];
    for garbage in [vec![0; 64], vec![255; 4096], greeting(b"x").repeat(2)] {
        let mut peer = UnixStream::connect(socket).unwrap();
        peer.write_all(&garbage).unwrap();
        // The server closes it, at the latest because of the bytes after the greeting.
        let _ended = peer.read(&mut [0]);
    }
    let mut peer = UnixStream::connect(socket).unwrap();
    peer.write_all(&greeting(b"bell\x07\x1b[31m\xff")).unwrap();
    let viewers = server.wait_for(|viewers| viewers.iter().any(|one| one.program != "x"));
    let programs: Vec<_> = viewers.iter().map(|one| one.program.as_str()).collect();
    assert_eq!(programs, ["bell\\u{7}\\u{1b}[31m\u{fffd}"]);
    assert_eq!(viewers[0].process.pid(), 4711);
}

#[test]
fn connections_without_a_greeting_are_closed() {
    let directory = TestDirectory::new();
    let server = Server::open(&directory.options());
    let socket = &sockets(&directory)[0];
    let crowd: Vec<UnixStream> = (0..300)
        .map(|_| UnixStream::connect(socket).unwrap())
        .collect();
    // There is room for 256 connections; publishing is not affected.
    server.publisher.publish_text("not affected").unwrap();
    for mut silent in crowd {
        assert!(matches!(silent.read(&mut [0]), Ok(0) | Err(_)));
    }
    let _client = server.client(&directory);
    server.wait_for_number(1);
}

#[test]
fn a_server_that_does_not_read_does_not_block_clients() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("server"), &directory.options()).unwrap();
    let name = format!(".shm-core-presence.{}.{:016x}", publisher.id(), 1);
    let listener = UnixListener::bind(directory.path().join(name)).unwrap();
    let client = PresenceClient::connect(publisher.id(), &directory.options()).unwrap();
    client.report(1, MILLISECOND);
    drop(client);
    // It sent its greeting and report before the server accepted it.
    let (mut peer, _) = listener.accept().unwrap();
    let mut said = Vec::new();
    peer.read_to_end(&mut said).unwrap();
    assert_eq!(said.len(), 64 + 16);
    assert_eq!(said[..12], *b"SHM-PRES\x01\0\0\0");
    assert_eq!(said[64..72], 1_u64.to_le_bytes());

    // A peer that sends bytes is not one of our servers.
    let client = PresenceClient::connect(publisher.id(), &directory.options()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    peer.read_exact(&mut [0; 64]).unwrap();
    peer.write_all(b"hello").unwrap();
    assert!(matches!(peer.read(&mut [0]), Ok(0) | Err(_)));
    drop(client);
}

#[test]
fn publishing_works_without_a_directory_for_sockets() {
    let directory = TestDirectory::new();
    let long = directory
        .path()
        .join("long".repeat(20))
        .join("long".repeat(20));
    std::fs::create_dir_all(&long).unwrap();
    let server = Server::open(&Options::new().directory(&long));
    let _client =
        PresenceClient::connect(server.publisher.id(), &Options::new().directory(&long)).unwrap();
    server.wait_for_number(1);

    let gone = directory.path().join("gone");
    std::fs::create_dir(&gone).unwrap();
    let nowhere = Options::new().directory(&gone);
    let publisher = Publisher::open(&key("server"), &nowhere.clone().persistent(true)).unwrap();
    std::fs::remove_dir_all(&gone).unwrap();
    let error = PresenceServer::listen(&publisher, |_| {}).unwrap_err();
    let PresenceErrorKind::NoDirectory { candidates } = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(candidates[0].path, gone);
    let client = PresenceClient::connect(publisher.id(), &nowhere).unwrap();
    client.report(1, MILLISECOND);
}
