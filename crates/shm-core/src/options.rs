//! The choices of a process that opens segments.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::key::Key;
use crate::layout::{DEFAULT_RING_BYTES, RING_BYTES};
use crate::sys;

/// The directory of segments unless the environment or the caller names another.
pub(crate) const DEFAULT_DIRECTORY: &str = "/dev/shm";

/// The choices of a process that creates, attaches to or inspects segments.
///
/// Every method sets one option and returns the options, so that calls can be chained. Operations
/// ignore options that do not concern them:
///
/// | option | default | concerns |
/// | --- | --- | --- |
/// | [`directory`](Self::directory) | `$SHM_CORE_DIR`, else `/dev/shm` | every participant |
/// | [`owner`](Self::owner) | the effective user | subscribers, and operations that only read |
/// | [`timeout`](Self::timeout) | 5 s | every participant |
/// | [`persistent`](Self::persistent) | `false` | the creator, and each participant that writes |
/// | [`mode`](Self::mode) | 0600 | the creator |
/// | [`group`](Self::group) | chosen by the kernel | the creator |
/// | [`ring_bytes`](Self::ring_bytes) | 256 KiB | the creator of a segment of samples |
/// | [`retain_bytes`](Self::retain_bytes) | 0 | the creator of a segment of samples |
/// | [`reserve`](Self::reserve) | 0 | a publisher |
/// | [`notify`](Self::notify) | `true` | a publisher |
///
/// The *creator* is the participant that finds no segment under the key. What it chooses belongs to
/// the segment; participants that attach later take it as it is.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use shm_core::Options;
///
/// let options = Options::new().persistent(true).timeout(Duration::from_secs(1));
/// # let _: Options = options;
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    directory: Option<PathBuf>,
    owner: Option<u32>,
    timeout: Duration,
    persistent: bool,
    mode: u32,
    group: Option<u32>,
    ring_bytes: u64,
    retain_bytes: u64,
    reserve: u64,
    notify: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            directory: None,
            owner: None,
            timeout: Duration::from_secs(5),
            persistent: false,
            mode: 0o600,
            group: None,
            ring_bytes: DEFAULT_RING_BYTES,
            retain_bytes: 0,
            reserve: 0,
            notify: true,
        }
    }
}

/// # Options of every participant
impl Options {
    /// Creates the default options: the user's own segments in `$SHM_CORE_DIR`, or `/dev/shm` if
    /// that is not set, accessible to that user only, removed when the last participant detaches,
    /// with a timeout of 5 s.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the directory of the segments.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Selects the segments of another user, by user id.
    ///
    /// [`Subscriber`](crate::Subscriber) and [`KeyWatch`](crate::KeyWatch) read, pin and wait for
    /// what that user [shares](Self::mode), and [`segment::info`](crate::segment::info) and
    /// [`segment::list`](crate::segment::list) describe it. Root also reads what is not shared;
    /// without this option root finds its own segments only, as every user does.
    ///
    /// Nothing is ever written for another user, whatever the system permits: a
    /// [`Publisher`](crate::Publisher), a [`Block`](crate::Block) (a reader of a block takes its
    /// lock) and [`segment::remove`](crate::segment::remove) fail with `OtherUser`. What a crash of
    /// that user left is not listed, and stays for that user to remove.
    #[must_use]
    pub fn owner(mut self, uid: u32) -> Self {
        self.owner = Some(uid);
        self
    }

    /// Limits how long operations wait for another process's internal lock, such as while it
    /// attaches or publishes (default 5 s).
    ///
    /// Waits for events, such as [`Subscriber::next`](crate::Subscriber::next) and
    /// [`Block::lock_for`](crate::Block::lock_for), have a timeout of their own.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Keeps the segment when the last participant detaches, until it is removed by name.
    ///
    /// The property is sticky: once a participant has set it, the segment keeps it.
    #[must_use]
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }
}

/// # Options of the creator
impl Options {
    /// Sets the permission bits of the segment (default 0600).
    ///
    /// Only read bits make sense for other users, and only for samples: 0640 for the group, 0644
    /// for every user. (Reading a block takes its lock, so only its owner can.)
    ///
    /// A process of another user that may read a segment cannot change it, nor keep a dead one
    /// alive. It can take read locks on the segment's lock bytes, and so, until it ends:
    ///
    /// - keep others from attaching for writing, and from removing a segment that is in use or
    ///   persistent ([`Busy`](crate::AttachErrorKind::Busy) after the [`timeout`](Self::timeout),
    ///   or [`SlotsBlocked`](crate::AttachErrorKind::SlotsBlocked));
    /// - pin every region, so that publishers find no free one
    ///   ([`RegionsFull`](crate::PublishErrorKind::RegionsFull));
    /// - pretend to be any number of subscribers, or hide some.
    ///
    /// These errors name the process ([`LockHolder`](crate::LockHolder)). Grant access only to
    /// users that you trust.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & 0o777;
        self
    }

    /// Sets the group of the segment, by group id (default: chosen by the kernel, usually the
    /// creator's own group).
    ///
    /// The group's bits of [`mode`](Self::mode) apply to it; this option alone grants nothing. The
    /// file belongs to the group before any user but its owner may open it. Opening fails with
    /// [`Group`](crate::AttachErrorKind::Group) if the process is not a member.
    #[must_use]
    pub fn group(mut self, gid: u32) -> Self {
        self.group = Some(gid);
        self
    }

    /// Sets the size of the ring in bytes (default 256 KiB). The ring keeps as many of the last
    /// samples as fit.
    ///
    /// Rounded up to a power of two between 16 KiB and 1 GiB. A sample takes at least 64 bytes
    /// beside its payload. A sample whose payload is longer than 16 KiB (or an eighth of the ring)
    /// takes 64 bytes of the ring; its payload is kept elsewhere, see
    /// [`retain_bytes`](Self::retain_bytes).
    #[must_use]
    pub fn ring_bytes(mut self, bytes: u64) -> Self {
        let (least, most) = (*RING_BYTES.start(), *RING_BYTES.end());
        self.ring_bytes = bytes.clamp(least, most).next_power_of_two();
        self
    }

    /// Sets how many bytes of large samples the segment retains beside the newest, for subscribers
    /// that attach late (default 0).
    ///
    /// At most 190 samples are retained, however short they are. If memory runs out, publishers
    /// reuse what is retained.
    #[must_use]
    pub fn retain_bytes(mut self, bytes: u64) -> Self {
        self.retain_bytes = bytes;
        self
    }
}

/// # Options of a publisher
impl Options {
    /// Sets the sample size in bytes for which a publisher reserves memory when it opens (default
    /// 0), so that its first sample is as fast as later ones.
    #[must_use]
    pub fn reserve(mut self, bytes: u64) -> Self {
        self.reserve = bytes;
        self
    }

    /// Sets whether publishing wakes subscribers that sleep (default `true`).
    ///
    /// The wake-up is the only system call of publishing a small sample, and takes most of its
    /// time. It is not needed if all subscribers poll ([`has_unread`](crate::Subscriber::has_unread)).
    /// Without it, a subscriber that sleeps finds the sample within a second.
    #[must_use]
    pub fn notify(mut self, notify: bool) -> Self {
        self.notify = notify;
        self
    }
}

impl Options {
    pub(crate) fn directory_path(&self) -> PathBuf {
        let from_environment = || std::env::var_os("SHM_CORE_DIR").filter(|path| !path.is_empty());
        let path = match &self.directory {
            Some(directory) => directory.clone(),
            None => {
                from_environment().map_or_else(|| Path::new(DEFAULT_DIRECTORY).into(), Into::into)
            }
        };
        if path.is_absolute() {
            return path;
        }
        // A handle looks its name up again later, after the program may have changed its directory.
        std::path::absolute(&path).unwrap_or(path)
    }

    pub(crate) fn owner_id(&self) -> u32 {
        self.owner.unwrap_or_else(sys::effective_user)
    }

    /// Returns `true` if the segments belong to the caller, so that it may write to them.
    pub(crate) fn is_of_caller(&self) -> bool {
        self.owner_id() == sys::effective_user()
    }

    pub(crate) fn path_of(&self, key: &Key) -> PathBuf {
        self.directory_path().join(key.file_name(self.owner_id()))
    }

    pub(crate) fn mode_bits(&self) -> u32 {
        self.mode
    }

    pub(crate) fn group_id(&self) -> Option<u32> {
        self.group
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.persistent
    }

    pub(crate) fn reserved_bytes(&self) -> u64 {
        self.reserve
    }

    pub(crate) fn ring_length(&self) -> u64 {
        self.ring_bytes
    }

    pub(crate) fn retained_bytes(&self) -> u64 {
        self.retain_bytes
    }

    pub(crate) fn notifies(&self) -> bool {
        self.notify
    }

    pub(crate) fn lock_timeout(&self) -> Duration {
        self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_directory_is_made_absolute() {
        let key = Key::new("K").unwrap();
        let path = Options::new().directory("segments").path_of(&key);
        let current = std::env::current_dir().unwrap();
        assert_eq!(path.parent(), Some(current.join("segments").as_path()));
    }
}
