//! The directory of the sockets, which no other user can change, and the names in it.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use interprocess::ConnectWaitMode;
use interprocess::local_socket::{
    ConnectOptions, GenericFilePath, ListenerNonblockingMode, ListenerOptions, ToFsName,
};
use interprocess::os::unix::local_socket::ListenerOptionsExt;
use interprocess::os::unix::uds_local_socket::{Listener, Stream};
use rustix::fs::FileType;

use crate::directory_watch::DirectoryWatch;
use crate::error::{PresenceError, PresenceErrorKind, UnsafeDirectory, UnsafeReason};
use crate::options::DEFAULT_DIRECTORY;
use crate::segment::SegmentId;
use crate::segment::is_hex;
use crate::sys::{self, Directory};

/// The longest path of a socket (`sun_path` without its NUL), bytes.
const MAX_ADDRESS_BYTES: usize = 107;
/// The prefix of every socket's name; no segment's name begins with it.
const PREFIX: &str = ".shm-core-presence.";
/// The suffix of a socket's name until its publisher listens.
const UNFINISHED: &str = ".new";
/// How often a socket is created again after another process removed it as dead.
const ATTEMPTS: usize = 8;

/// A directory of sockets.
#[derive(Debug)]
pub(super) struct SocketDirectory {
    directory: Directory,
    path: PathBuf,
}

/// A candidate for the directory of sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Location {
    /// The directory of the segments, if that is not `/dev/shm`.
    Beside(PathBuf),
    /// A directory that only this user may open, within another such.
    Runtime(PathBuf),
    /// A directory that only this user may open, within one that every user may write.
    Temporary(PathBuf, String),
}

/// What to do about a missing directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Make,
    Leave,
}

impl SocketDirectory {
    /// Returns every safe directory for the segments in this one, the preferred first.
    ///
    /// # Errors
    ///
    /// [`PresenceErrorKind::NoDirectory`](crate::PresenceErrorKind::NoDirectory) if there is none.
    pub(super) fn all(segments: &Path, missing: Missing) -> Result<Vec<Self>, PresenceError> {
        let mut directories = Vec::new();
        let mut candidates = Vec::new();
        let runtime = env::var_os("XDG_RUNTIME_DIR");
        for location in locations(segments, runtime, sys::effective_user()) {
            // Creates at most one.
            let missing = if directories.is_empty() {
                missing
            } else {
                Missing::Leave
            };
            match location.open(missing) {
                Ok(directory) => directories.push(directory),
                Err(error) => candidates.push(error),
            }
        }
        if directories.is_empty() {
            return Err(PresenceError::new(PresenceErrorKind::NoDirectory {
                candidates,
            }));
        }
        Ok(directories)
    }

    /// Creates a socket that viewers of this segment find; returns it with its name.
    pub(super) fn listen(&self, segment: SegmentId) -> io::Result<(Listener, String)> {
        for _ in 0..ATTEMPTS {
            let name = format!("{}{:016x}", prefix(segment), sys::random_u64());
            // Gets its final name only once it listens: a process whose connection is refused there
            // knows that the listener is dead, and may remove the socket.
            let draft = format!("{name}{UNFINISHED}");
            let address = self.address(&draft);
            let listener = ListenerOptions::new()
                .name(address.to_fs_name::<GenericFilePath>()?)
                .mode(0o600)
                .nonblocking(ListenerNonblockingMode::Both)
                .reclaim_name(false)
                .create_sync_as::<Listener>()?;
            match self.directory.rename(&draft, &name) {
                Ok(()) => return Ok((listener, name)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    self.remove(&draft);
                    return Err(error);
                }
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// Connects to a socket without waiting; `WouldBlock` if the listener's queue is full.
    pub(super) fn connect(&self, name: &str) -> io::Result<Stream> {
        let address = self.address(name);
        let stream = ConnectOptions::new()
            .name(address.to_fs_name::<GenericFilePath>()?)
            .wait_mode(ConnectWaitMode::Deferred)
            .nonblocking_stream(true)
            .connect_sync_as::<Stream>()?;
        // A local socket connects at once unless its listener's queue is full.
        if stream.inner().peer_addr().is_err() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if sys::peer_user(&stream)? != sys::effective_user() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(stream)
    }

    /// Returns the names of this user's listening sockets of a segment.
    pub(super) fn sockets_of(&self, segment: SegmentId) -> Vec<String> {
        let prefix = prefix(segment);
        self.sockets(|name| name.starts_with(&prefix) && !name.ends_with(UNFINISHED))
    }

    /// Returns the names of this user's sockets.
    fn sockets(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut names = self.directory.names().unwrap_or_default();
        names.retain(|name| {
            is_socket_name(name) && is_wanted(name) && self.own_socket(name).is_some()
        });
        names
    }

    /// Returns the identity of a socket; `None` if the name leads to anything but a socket of this
    /// user.
    fn own_socket(&self, name: &str) -> Option<(u64, u64)> {
        let stat = self.directory.stat_of(name).ok()?;
        let is_ours = stat.kind == FileType::Socket && stat.owner == sys::effective_user();
        is_ours.then_some(stat.identity)
    }

    /// Removes dead sockets, except those of `live` segments: their viewers connect and remove
    /// them.
    pub(super) fn sweep(&self, live: &[SegmentId]) {
        let live: Vec<String> = live.iter().copied().map(prefix).collect();
        let is_wanted = |name: &str| !live.iter().any(|prefix| name.starts_with(prefix));
        for name in self.sockets(is_wanted) {
            self.remove_if_dead(&name);
        }
    }

    /// Removes a socket whose listener is dead.
    pub(super) fn remove_if_dead(&self, name: &str) {
        // Read before connecting, so that the socket that refused is the one that is removed.
        let identity = self.own_socket(name);
        let connected = self.connect(name);
        if connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            self.remove_exactly(name, identity);
        }
    }

    /// Removes a socket of this user.
    pub(super) fn remove(&self, name: &str) {
        self.remove_exactly(name, self.own_socket(name));
    }

    fn remove_exactly(&self, name: &str, identity: Option<(u64, u64)>) {
        let Some(identity) = identity else { return };
        let aside = format!(
            "{}{:016x}{UNFINISHED}",
            prefix(SegmentId::new(0)),
            sys::random_u64()
        );
        // If this fails, it is removed as a dead socket later.
        let _swept_later = self.directory.remove_exactly(name, identity, &aside);
    }

    pub(super) fn watch_with(&self, watch: &mut DirectoryWatch) -> io::Result<()> {
        watch.add(&self.path)
    }

    /// Returns the path of a socket, through /proc if it is too long for an address.
    fn address(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        if path.as_os_str().as_bytes().len() <= MAX_ADDRESS_BYTES {
            path
        } else {
            self.directory.own_path().join(name)
        }
    }
}

/// Returns `true` if this is the name of a socket, listening or not yet.
fn is_socket_name(name: &str) -> bool {
    let numbers = name
        .strip_prefix(PREFIX)
        .map(|rest| rest.strip_suffix(UNFINISHED).unwrap_or(rest))
        .and_then(|rest| rest.split_once('.'));
    numbers.is_some_and(|(segment, random)| is_hex(segment, 32) && is_hex(random, 16))
}

fn prefix(segment: SegmentId) -> String {
    format!("{PREFIX}{segment}.")
}

/// Returns the candidate directories of sockets for the segments in this directory, the preferred
/// first.
fn locations(segments: &Path, runtime: Option<OsString>, user: u32) -> Vec<Location> {
    if segments != Path::new(DEFAULT_DIRECTORY) {
        return vec![Location::Beside(segments.to_owned())];
    }
    // Programs that the desktop does not start often lack the variable, although systemd creates
    // the directory.
    let runtime = runtime
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| format!("/run/user/{user}").into());
    vec![
        Location::Runtime(runtime),
        Location::Temporary("/tmp".into(), format!("shm-core-{user}")),
    ]
}

impl Location {
    /// Opens the directory; fails with the reason if it does not exist or is not safe.
    fn open(&self, missing: Missing) -> Result<SocketDirectory, UnsafeDirectory> {
        match self {
            Self::Beside(path) => {
                let directory = open(path)?;
                let path = path.clone();
                Ok(SocketDirectory { directory, path })
            }
            Self::Runtime(base) => {
                let runtime = open(base)?;
                check_private(&runtime, base)?;
                open_private(&runtime, base, "shm-core", missing)
            }
            Self::Temporary(base, name) => open_private(&open(base)?, base, name, missing),
        }
    }
}

fn open(path: &Path) -> Result<Directory, UnsafeDirectory> {
    Directory::open(path).map_err(|error| unusable(path, error))
}

fn open_private(
    base: &Directory,
    path: &Path,
    name: &str,
    missing: Missing,
) -> Result<SocketDirectory, UnsafeDirectory> {
    let path = path.join(name);
    let failed = |error| unusable(&path, error);
    if missing == Missing::Make {
        base.make_in(name).map_err(failed)?;
    }
    let directory = base.open_in(name).map_err(failed)?;
    check_private(&directory, &path)?;
    Ok(SocketDirectory { directory, path })
}

/// Checks that no other user can write there or replace the directory.
fn check_private(directory: &Directory, path: &Path) -> Result<(), UnsafeDirectory> {
    let stat = directory.stat().map_err(|error| unusable(path, error))?;
    let reason = if stat.owner != sys::effective_user() {
        UnsafeReason::Owner { owner: stat.owner }
    } else if stat.mode & 0o077 != 0 {
        UnsafeReason::Mode { mode: stat.mode }
    } else {
        return Ok(());
    };
    let path = path.to_owned();
    Err(UnsafeDirectory { path, reason })
}

fn unusable(path: &Path, error: io::Error) -> UnsafeDirectory {
    UnsafeDirectory {
        path: path.to_owned(),
        reason: UnsafeReason::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    /// Creates a directory that only this user may open.
    fn own_directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        directory
    }

    fn private(base: &Path) -> Result<SocketDirectory, UnsafeDirectory> {
        Location::Temporary(base.to_owned(), "place".to_owned()).open(Missing::Make)
    }

    fn is_there(socket_directory: &SocketDirectory, name: &str) -> bool {
        socket_directory.directory.stat_of(name).is_ok()
    }

    #[test]
    fn the_directory_of_segments_selects_that_of_sockets() {
        let usual = Path::new("/dev/shm/");
        let temporary = Location::Temporary("/tmp".into(), "shm-core-7".into());
        let runtime = |path: &str| Location::Runtime(path.into());
        assert_eq!(
            locations(usual, Some("/run/mine".into()), 7),
            [runtime("/run/mine"), temporary.clone()]
        );
        for nothing in [None, Some("".into()), Some("relative".into())] {
            assert_eq!(
                locations(usual, nothing, 7),
                [runtime("/run/user/7"), temporary.clone()]
            );
        }
        let own = Path::new("/srv/own");
        assert_eq!(
            locations(own, Some("/run/mine".into()), 7),
            [Location::Beside(own.into())]
        );
    }

    #[test]
    fn a_missing_directory_is_created_private() {
        let base = own_directory();
        let location = Location::Runtime(base.path().to_owned());
        assert!(location.open(Missing::Leave).is_err());
        assert!(location.open(Missing::Make).is_ok());
        let made = fs::metadata(base.path().join("shm-core")).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o700);
        assert!(location.open(Missing::Leave).is_ok());
    }

    #[test]
    fn a_directory_that_other_users_can_change_is_refused() {
        let base = own_directory();
        let at = base.path().join("place");

        symlink("/tmp", &at).unwrap();
        let refused = private(base.path()).unwrap_err();
        assert!(matches!(refused.reason, UnsafeReason::Io(_)), "{refused}");
        assert_eq!(refused.path, at);
        fs::remove_file(&at).unwrap();

        fs::write(&at, "a file").unwrap();
        assert!(private(base.path()).is_err());
        fs::remove_file(&at).unwrap();

        fs::create_dir(&at).unwrap();
        fs::set_permissions(&at, fs::Permissions::from_mode(0o750)).unwrap();
        let refused = private(base.path()).unwrap_err();
        assert!(
            refused
                .to_string()
                .ends_with("is open to others (mode 750)"),
            "{refused}"
        );

        fs::set_permissions(base.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let runtime = Location::Runtime(base.path().to_owned());
        let refused = runtime.open(Missing::Make).unwrap_err();
        assert!(
            matches!(refused.reason, UnsafeReason::Mode { mode: 0o755 }),
            "{refused}"
        );
    }

    #[test]
    fn a_socket_belongs_to_one_user_and_one_segment() {
        let base = own_directory();
        let socket_directory = private(base.path()).unwrap();
        let (_listener, name) = socket_directory.listen(SegmentId::new(7)).unwrap();
        assert_eq!(
            socket_directory.directory.stat_of(&name).unwrap().mode,
            0o600
        );
        assert_eq!(
            socket_directory.sockets_of(SegmentId::new(7)),
            [name.as_str()]
        );
        assert_eq!(
            socket_directory.sockets_of(SegmentId::new(8)),
            [] as [&str; 0]
        );
        assert!(socket_directory.connect(&name).is_ok());
    }

    #[test]
    fn only_dead_sockets_are_swept() {
        let base = own_directory();
        let socket_directory = private(base.path()).unwrap();
        let (_listener, live) = socket_directory.listen(SegmentId::new(7)).unwrap();
        let (dead_listener, dead) = socket_directory.listen(SegmentId::new(7)).unwrap();
        let (kept_listener, kept) = socket_directory.listen(SegmentId::new(8)).unwrap();
        drop((dead_listener, kept_listener));
        let file = format!("{PREFIX}file");
        fs::write(socket_directory.path.join(&file), "no socket").unwrap();
        let unrelated = socket_directory.path.join("unrelated");
        drop(UnixListener::bind(&unrelated).unwrap());

        socket_directory.sweep(&[SegmentId::new(8)]);
        assert!(!is_there(&socket_directory, &dead));
        for name in [&live, &kept, &file, &"unrelated".to_owned()] {
            assert!(is_there(&socket_directory, name), "{name}");
        }
        socket_directory.sweep(&[]);
        assert!(!is_there(&socket_directory, &kept));
        assert!(is_there(&socket_directory, &live));
    }

    #[test]
    fn a_path_may_be_longer_than_a_socket_address() {
        let base = own_directory();
        let long = base.path().join("long".repeat(30)).join("long".repeat(60));
        fs::create_dir_all(&long).unwrap();
        let socket_directory = Location::Beside(long).open(Missing::Leave).unwrap();
        let (listener, name) = socket_directory.listen(SegmentId::new(7)).unwrap();
        assert!(socket_directory.connect(&name).is_ok());
        drop(listener);
        socket_directory.sweep(&[]);
        assert!(!is_there(&socket_directory, &name));
    }
}
