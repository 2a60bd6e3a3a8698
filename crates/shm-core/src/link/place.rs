//! Where the sockets are: a directory that strangers cannot disturb, and the names in it.

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
use crate::error::{LinkError, LinkErrorKind, UnsafeDirectory, UnsafeReason};
use crate::options::DEFAULT_DIRECTORY;
use crate::segment::is_hex;
use crate::sys::{self, Directory};

/// The most bytes of a socket's path that the system takes (`sun_path`, with its NUL).
const LONGEST_ADDRESS: usize = 107;
/// What the names of sockets begin with; they are no names of segments.
const PREFIX: &str = ".shm-core-link.";
/// What the name of a socket ends with before anybody listens at it.
const DRAFT: &str = ".new";
/// How often a socket is made anew because somebody took it for a dead one.
const ATTEMPTS: usize = 8;

/// A directory of sockets.
#[derive(Debug)]
pub(super) struct Place {
    directory: Directory,
    path: PathBuf,
}

/// Where a place can be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Location {
    /// In the directory of the segments, where that is not the usual one.
    Beside(PathBuf),
    /// In a directory that is ours alone, within one that is, too.
    Runtime(PathBuf),
    /// In a directory that is ours alone, within one for everybody.
    Temporary(PathBuf, String),
}

/// Whether a directory is made where none is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Make,
    Leave,
}

impl Place {
    /// Every place for the segments in this directory that is there and safe, the best one first.
    ///
    /// # Errors
    ///
    /// [`LinkErrorKind::NoDirectory`](crate::LinkErrorKind::NoDirectory) where there is none.
    pub(super) fn all(segments: &Path, missing: Missing) -> Result<Vec<Self>, LinkError> {
        let mut places = Vec::new();
        let mut candidates = Vec::new();
        let runtime = env::var_os("XDG_RUNTIME_DIR");
        for location in locations(segments, runtime, sys::effective_user()) {
            // One is enough to be made.
            let missing = if places.is_empty() {
                missing
            } else {
                Missing::Leave
            };
            match location.open(missing) {
                Ok(place) => places.push(place),
                Err(error) => candidates.push(error),
            }
        }
        if places.is_empty() {
            return Err(LinkError::new(LinkErrorKind::NoDirectory { candidates }));
        }
        Ok(places)
    }

    /// Makes a socket that viewers of this segment find, and its name.
    pub(super) fn listen(&self, segment: u128) -> io::Result<(Listener, String)> {
        for _ in 0..ATTEMPTS {
            let name = format!("{}{:016x}", prefix(segment), sys::random_u64());
            // It gets the name by which it is found only once somebody listens: whoever is
            // refused there knows for sure that the listener is dead, and may remove it.
            let draft = format!("{name}{DRAFT}");
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

    /// Goes to a socket; never waits. `WouldBlock` where too many others are about to.
    pub(super) fn connect(&self, name: &str) -> io::Result<Stream> {
        let address = self.address(name);
        let stream = ConnectOptions::new()
            .name(address.to_fs_name::<GenericFilePath>()?)
            .wait_mode(ConnectWaitMode::Deferred)
            .nonblocking_stream(true)
            .connect_sync_as::<Stream>()?;
        // Of a local socket nothing is deferred: it is connected, or its listener's queue is full.
        if stream.inner().peer_addr().is_err() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if sys::peer_user(&stream)? != sys::effective_user() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(stream)
    }

    /// Our own sockets of this segment, those that nobody listens at yet left out.
    pub(super) fn sockets_of(&self, segment: u128) -> Vec<String> {
        let prefix = prefix(segment);
        self.sockets(|name| name.starts_with(&prefix) && !name.ends_with(DRAFT))
    }

    /// The names that are those of sockets of the layout, and lead to sockets of ours.
    fn sockets(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut names = self.directory.names().unwrap_or_default();
        names.retain(|name| {
            is_socket_name(name) && is_wanted(name) && self.own_socket(name).is_some()
        });
        names
    }

    /// The identity of a socket of ours; nothing where the name leads to something else.
    fn own_socket(&self, name: &str) -> Option<(u64, u64)> {
        let facts = self.directory.facts_of(name).ok()?;
        let is_ours = facts.kind == FileType::Socket && facts.owner == sys::effective_user();
        is_ours.then_some(facts.identity)
    }

    /// Removes the sockets that died with their publishers; those of `living` segments are left
    /// to the viewers, who go there anyway.
    pub(super) fn sweep(&self, living: &[u128]) {
        let living: Vec<String> = living.iter().copied().map(prefix).collect();
        let is_wanted = |name: &str| !living.iter().any(|prefix| name.starts_with(prefix));
        for name in self.sockets(is_wanted) {
            self.remove_if_dead(&name);
        }
    }

    /// Removes a socket of ours where nobody listens any more.
    pub(super) fn remove_if_dead(&self, name: &str) {
        // Looked at before, so that what is removed is what refused.
        let identity = self.own_socket(name);
        if let Err(error) = self.connect(name)
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            self.remove_exactly(name, identity);
        }
    }

    /// Removes a socket of ours.
    pub(super) fn remove(&self, name: &str) {
        self.remove_exactly(name, self.own_socket(name));
    }

    fn remove_exactly(&self, name: &str, identity: Option<(u64, u64)>) {
        let Some(identity) = identity else { return };
        let aside = format!("{}{:016x}{DRAFT}", prefix(0), sys::random_u64());
        // Where this fails it is removed as a dead one later.
        let _swept_later = self.directory.remove_exactly(name, identity, &aside);
    }

    pub(super) fn watch_with(&self, watch: &mut DirectoryWatch) -> io::Result<()> {
        watch.add(&self.path)
    }

    /// The path of a socket, by way of /proc where it is too long for the system.
    fn address(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        if path.as_os_str().as_bytes().len() <= LONGEST_ADDRESS {
            path
        } else {
            self.directory.own_path().join(name)
        }
    }
}

/// Returns `true` if this is the name of a socket of some segment, or of one before anybody listens.
fn is_socket_name(name: &str) -> bool {
    let numbers = name
        .strip_prefix(PREFIX)
        .map(|rest| rest.strip_suffix(DRAFT).unwrap_or(rest))
        .and_then(|rest| rest.split_once('.'));
    numbers.is_some_and(|(segment, random)| is_hex(segment, 32) && is_hex(random, 16))
}

fn prefix(segment: u128) -> String {
    format!("{PREFIX}{segment:032x}.")
}

/// Where sockets can be for the segments in this directory, the best place first.
fn locations(segments: &Path, runtime: Option<OsString>, user: u32) -> Vec<Location> {
    if segments != Path::new(DEFAULT_DIRECTORY) {
        return vec![Location::Beside(segments.to_owned())];
    }
    // Programs that are not started by the desktop often lack the variable; where systemd is,
    // the directory is there all the same.
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
    /// Opens the directory; the reason where it is not there or not safe.
    fn open(&self, missing: Missing) -> Result<Place, UnsafeDirectory> {
        match self {
            Self::Beside(path) => {
                let directory = open(path)?;
                let path = path.clone();
                Ok(Place { directory, path })
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
) -> Result<Place, UnsafeDirectory> {
    let path = path.join(name);
    let failed = |error| unusable(&path, error);
    if missing == Missing::Make {
        base.make_in(name).map_err(failed)?;
    }
    let directory = base.open_in(name).map_err(failed)?;
    check_private(&directory, &path)?;
    Ok(Place { directory, path })
}

/// Checks that nobody else can put anything there, or put anything else in its place.
fn check_private(directory: &Directory, path: &Path) -> Result<(), UnsafeDirectory> {
    let facts = directory.facts().map_err(|error| unusable(path, error))?;
    let reason = if facts.owner != sys::effective_user() {
        UnsafeReason::Owner { owner: facts.owner }
    } else if facts.mode & 0o077 != 0 {
        UnsafeReason::Mode { mode: facts.mode }
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

    /// A directory that is ours alone.
    fn own_directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        directory
    }

    fn private(base: &Path) -> Result<Place, UnsafeDirectory> {
        Location::Temporary(base.to_owned(), "place".to_owned()).open(Missing::Make)
    }

    fn is_there(place: &Place, name: &str) -> bool {
        place.directory.facts_of(name).is_ok()
    }

    #[test]
    fn each_directory_of_segments_has_its_places() {
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
    fn a_place_is_made_for_us_alone_and_found_again() {
        let base = own_directory();
        let location = Location::Runtime(base.path().to_owned());
        assert!(location.open(Missing::Leave).is_err());
        assert!(location.open(Missing::Make).is_ok());
        let made = fs::metadata(base.path().join("shm-core")).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o700);
        assert!(location.open(Missing::Leave).is_ok());
    }

    #[test]
    fn what_others_could_disturb_is_refused() {
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
    fn a_socket_is_ours_alone_and_of_one_segment() {
        let base = own_directory();
        let place = private(base.path()).unwrap();
        let (_listener, name) = place.listen(7).unwrap();
        assert_eq!(place.directory.facts_of(&name).unwrap().mode, 0o600);
        assert_eq!(place.sockets_of(7), [name.as_str()]);
        assert_eq!(place.sockets_of(8), [] as [&str; 0]);
        assert!(place.connect(&name).is_ok());
    }

    #[test]
    fn only_what_is_dead_is_swept() {
        let base = own_directory();
        let place = private(base.path()).unwrap();
        let (_listener, living) = place.listen(7).unwrap();
        let (dead_listener, dead) = place.listen(7).unwrap();
        let (kept_listener, kept) = place.listen(8).unwrap();
        drop((dead_listener, kept_listener));
        let file = format!("{PREFIX}file");
        fs::write(place.path.join(&file), "no socket").unwrap();
        let unrelated = place.path.join("unrelated");
        drop(UnixListener::bind(&unrelated).unwrap());

        place.sweep(&[8]);
        assert!(!is_there(&place, &dead));
        for name in [&living, &kept, &file, &"unrelated".to_owned()] {
            assert!(is_there(&place, name), "{name}");
        }
        place.sweep(&[]);
        assert!(!is_there(&place, &kept));
        assert!(is_there(&place, &living));
    }

    #[test]
    fn a_path_may_be_longer_than_an_address() {
        let base = own_directory();
        let long = base.path().join("long".repeat(30)).join("long".repeat(60));
        fs::create_dir_all(&long).unwrap();
        let place = Location::Beside(long).open(Missing::Leave).unwrap();
        let (listener, name) = place.listen(7).unwrap();
        assert!(place.connect(&name).is_ok());
        drop(listener);
        place.sweep(&[]);
        assert!(!is_there(&place, &name));
    }
}
