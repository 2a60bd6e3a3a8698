//! Publishers know their viewers; other connections to the socket cost nothing.

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

/// A publisher that keeps an eye on its server.
struct Stage {
    publisher: Publisher,
    changes: Receiver<Vec<Viewer>>,
    _server: PresenceServer,
}

impl Stage {
    fn open(options: &Options) -> Stage {
        let publisher = Publisher::open(&key("stage"), options).expect("a publisher");
        let (sender, changes) = mpsc::channel();
        let tell = move |watchers: &[Viewer]| {
            // Nobody listens any more where the test is over.
            sender.send(watchers.to_vec()).ok();
        };
        let server = PresenceServer::listen(&publisher, tell).expect("an server");
        Stage {
            publisher,
            changes,
            _server: server,
        }
    }

    fn client(&self, directory: &TestDirectory) -> PresenceClient {
        PresenceClient::connect(self.publisher.id(), &directory.options()).expect("a client")
    }

    /// Waits until what is told is so.
    fn wait_for(&self, is_so: impl Fn(&[Viewer]) -> bool) -> Vec<Viewer> {
        loop {
            let watchers = self.changes.recv().expect("the server goes on");
            if is_so(&watchers) {
                return watchers;
            }
        }
    }

    fn wait_for_number(&self, number: usize) -> Vec<Viewer> {
        self.wait_for(|watchers| watchers.len() == number)
    }

    fn wait_for_sequence(&self, sequence: u64) -> Vec<Viewer> {
        self.wait_for(|watchers| {
            let shown = watchers.first().and_then(|watcher| watcher.report);
            shown.is_some_and(|shown| shown.sequence == sequence)
        })
    }
}

/// The sockets in a directory.
fn sockets(directory: &TestDirectory) -> Vec<PathBuf> {
    let paths = directory
        .names()
        .into_iter()
        .map(|name| directory.path().join(name));
    paths
        .filter(|path| {
            let facts = path.symlink_metadata().expect("it is there");
            facts.file_type().is_socket()
        })
        .collect()
}

/// A greeting, written down from docs/PRESENCE.md.
fn greeting(program: &[u8]) -> Vec<u8> {
    let mut bytes = b"SHM-PRES\x01\0\0\0\x67\x12\0\0\xcd\xab\0\0\0\0\0\0".to_vec();
    bytes.extend(program);
    bytes.resize(64, 0);
    bytes
}

#[test]
fn everybody_is_told_of_with_what_was_shown() {
    let directory = TestDirectory::new();
    let stage = Stage::open(&directory.options());
    let first = stage.client(&directory);
    let watchers = stage.wait_for_number(1);
    assert!(watchers[0].process.is(Process::current()));
    assert!(watchers[0].program.starts_with("presence-"), "{watchers:?}");
    assert_eq!(watchers[0].report, None);

    let second = stage.client(&directory);
    stage.wait_for_number(2);
    first.report(3, 2 * MILLISECOND);
    second.report(4, 5 * MILLISECOND);
    let both = |watchers: &[Viewer]| watchers.iter().all(|watcher| watcher.report.is_some());
    let watchers = stage.wait_for(both);
    let shown: Vec<_> = watchers
        .iter()
        .filter_map(|watcher| watcher.report)
        .collect();
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
    let left = stage.wait_for_number(1);
    assert_eq!(left[0].report, Some(shown[1]));
    drop(second);
    stage.wait_for_number(0);
}

#[test]
fn every_publisher_is_told_whenever_it_comes() {
    let directory = TestDirectory::new();
    let first = Stage::open(&directory.options());
    let client = first.client(&directory);
    first.wait_for_number(1);
    client.report(7, MILLISECOND);
    first.wait_for_sequence(7);

    let second = Stage::open(&directory.options());
    second.wait_for_sequence(7);
    drop(first);
    client.report(8, MILLISECOND);
    second.wait_for_sequence(8);
}

#[test]
fn a_seat_may_be_taken_before_anybody_listens() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("stage"), &directory.options()).unwrap();
    let client = PresenceClient::connect(publisher.id(), &directory.options()).unwrap();
    client.report(1, MILLISECOND);
    let stage = Stage::open(&directory.options());
    stage.wait_for_sequence(1);
}

#[test]
fn only_the_last_of_many_is_told() {
    let directory = TestDirectory::new();
    let stage = Stage::open(&directory.options());
    let client = stage.client(&directory);
    let last = 100_000;
    for sequence in 1..=last {
        client.report(sequence, MILLISECOND);
    }
    let told = std::cell::Cell::new(0);
    stage.wait_for(|watchers| {
        told.set(told.get() + 1);
        watchers
            .iter()
            .any(|watcher| watcher.report.is_some_and(|shown| shown.sequence == last))
    });
    assert!(told.get() < 100, "told {} times", told.get());
}

#[test]
fn what_is_shown_last_is_told_although_the_seat_is_left() {
    let directory = TestDirectory::new();
    let stage = Stage::open(&directory.options());
    for sequence in 1..=5 {
        let client = stage.client(&directory);
        client.report(sequence, MILLISECOND);
        drop(client);
        stage.wait_for(|watchers| {
            let mut shown = watchers.iter().filter_map(|watcher| watcher.report);
            shown.any(|shown| shown.sequence == sequence)
        });
    }
    stage.wait_for_number(0);
}

#[test]
fn sockets_are_private_and_leave_nothing_behind() {
    let directory = TestDirectory::new();
    let stage = Stage::open(&directory.options());
    let _client = stage.client(&directory);
    let sockets = sockets(&directory);
    let [socket] = sockets.as_slice() else {
        panic!("one socket, not {sockets:?}");
    };
    let mode = socket.symlink_metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(stage);
    assert_eq!(directory.names(), [] as [&str; 0]);
}

#[test]
fn viewers_and_sweeps_remove_dead_sockets_and_no_live_ones() {
    let directory = TestDirectory::new();
    let stage = Stage::open(&directory.options());
    let id = stage.publisher.id();
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
    assert!(of_this.exists(), "its viewers go there anyway");
    let _client = stage.client(&directory);
    stage.wait_for_number(1);
    drop(stage.client(&directory));
    assert!(!of_this.exists());
    assert_eq!(sockets(&directory).len(), 1);
}

#[test]
fn untrusted_records_are_checked_and_escaped() {
    let directory = TestDirectory::new();
    let stage = Stage::open(&directory.options());
    let socket = &sockets(&directory)[0];
    for nonsense in [vec![0; 64], vec![255; 4096], greeting(b"x").repeat(2)] {
        let mut peer = UnixStream::connect(socket).unwrap();
        peer.write_all(&nonsense).unwrap();
        // It hangs up, at the latest for the bytes behind the greeting.
        let _ended = peer.read(&mut [0]);
    }
    let mut peer = UnixStream::connect(socket).unwrap();
    peer.write_all(&greeting(b"bell\x07\x1b[31m\xff")).unwrap();
    let watchers = stage.wait_for(|watchers| watchers.iter().any(|one| one.program != "x"));
    let programs: Vec<_> = watchers.iter().map(|one| one.program.as_str()).collect();
    assert_eq!(programs, ["bell\\u{7}\\u{1b}[31m\u{fffd}"]);
    assert_eq!(watchers[0].process.pid(), 4711);
}

#[test]
fn connections_without_a_greeting_are_closed() {
    let directory = TestDirectory::new();
    let stage = Stage::open(&directory.options());
    let socket = &sockets(&directory)[0];
    let crowd: Vec<UnixStream> = (0..300)
        .map(|_| UnixStream::connect(socket).unwrap())
        .collect();
    // There is no room for more than 256; nobody is kept from publishing.
    stage.publisher.publish_text("all the same").unwrap();
    for mut silent in crowd {
        assert!(matches!(silent.read(&mut [0]), Ok(0) | Err(_)));
    }
    let _client = stage.client(&directory);
    stage.wait_for_number(1);
}

#[test]
fn a_publisher_that_does_not_listen_keeps_no_viewer_waiting() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("stage"), &directory.options()).unwrap();
    let name = format!(".shm-core-presence.{}.{:016x}", publisher.id(), 1);
    let listener = UnixListener::bind(directory.path().join(name)).unwrap();
    let client = PresenceClient::connect(publisher.id(), &directory.options()).unwrap();
    client.report(1, MILLISECOND);
    drop(client);
    // It had greeted and reported before anybody let it in.
    let (mut peer, _) = listener.accept().unwrap();
    let mut said = Vec::new();
    peer.read_to_end(&mut said).unwrap();
    assert_eq!(said.len(), 64 + 16);
    assert_eq!(said[..12], *b"SHM-PRES\x01\0\0\0");
    assert_eq!(said[64..72], 1_u64.to_le_bytes());

    // One that says something is none of ours.
    let client = PresenceClient::connect(publisher.id(), &directory.options()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    peer.read_exact(&mut [0; 64]).unwrap();
    peer.write_all(b"hello").unwrap();
    assert!(matches!(peer.read(&mut [0]), Ok(0) | Err(_)));
    drop(client);
}

#[test]
fn without_a_place_nothing_else_is_lost() {
    let directory = TestDirectory::new();
    let long = directory
        .path()
        .join("long".repeat(20))
        .join("long".repeat(20));
    std::fs::create_dir_all(&long).unwrap();
    let stage = Stage::open(&Options::new().directory(&long));
    let _client =
        PresenceClient::connect(stage.publisher.id(), &Options::new().directory(&long)).unwrap();
    stage.wait_for_number(1);

    let gone = directory.path().join("gone");
    std::fs::create_dir(&gone).unwrap();
    let nowhere = Options::new().directory(&gone);
    let publisher = Publisher::open(&key("stage"), &nowhere.clone().persistent(true)).unwrap();
    std::fs::remove_dir_all(&gone).unwrap();
    let error = PresenceServer::listen(&publisher, |_| {}).unwrap_err();
    let PresenceErrorKind::NoDirectory { candidates } = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(candidates[0].path, gone);
    let client = PresenceClient::connect(publisher.id(), &nowhere).unwrap();
    client.report(1, MILLISECOND);
}
