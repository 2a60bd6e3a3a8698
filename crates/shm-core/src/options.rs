//! How and where segments are opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::key::Key;
use crate::layout::{DEFAULT_RING_BYTES, RING_BYTES};
use crate::sys;

/// Where segments are unless told otherwise.
pub(crate) const DEFAULT_DIRECTORY: &str = "/dev/shm";

/// Says how and where a segment is created, attached to or looked at.
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
    mode: u32,
    group: Option<u32>,
    persistent: bool,
    reserve: u64,
    ring_bytes: u64,
    retain_bytes: u64,
    notify: bool,
    timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            directory: None,
            owner: None,
            mode: 0o600,
            group: None,
            persistent: false,
            reserve: 0,
            ring_bytes: DEFAULT_RING_BYTES,
            retain_bytes: 0,
            notify: true,
            timeout: Duration::from_secs(5),
        }
    }
}

impl Options {
    /// The defaults: the user's own segments in `$SHM_CORE_DIR`, or `/dev/shm` where that is not
    /// set; nobody else may open them; gone with the last one who leaves; five seconds of timeout.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps segments in another directory than `$SHM_CORE_DIR` or `/dev/shm`.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Looks for segments of another user, by user id.
    ///
    /// What that user shares ([`mode`](Self::mode)) can be read, pinned and waited for by
    /// [`Subscriber`](crate::Subscriber) and [`KeyWatch`](crate::KeyWatch), and told of by
    /// [`segment::info`](crate::segment::info) and [`segment::list`](crate::segment::list). Root
    /// reads what is not shared, too; without this option it sees its own segments only, as
    /// everybody does.
    ///
    /// Nothing is written for another user, by nobody, whatever the system permits: a
    /// [`Publisher`](crate::Publisher), a [`Block`](crate::Block) (who reads a block
    /// takes its lock) and [`segment::remove`](crate::segment::remove) fail with `OtherUser`. What
    /// a crash of that user left behind is not shown, and stays for that user to remove.
    #[must_use]
    pub fn owner(mut self, uid: u32) -> Self {
        self.owner = Some(uid);
        self
    }

    /// Sets the permission bits of a segment that is created; 0600 unless told otherwise.
    ///
    /// Only bits to read make sense for others, and only for samples: 0640 for
    /// the group, 0644 for everybody. (Reading a block takes its lock, so its
    /// owner alone does it.) It is the creator who decides; a segment that is there
    /// already keeps its bits.
    ///
    /// Whoever may read a segment cannot change a byte of it, nor keep a dead
    /// one alive, but can take read locks on its lock bytes, and so, until its
    /// process ends:
    ///
    /// - deny others to attach for writing or to remove what is alive or persistent
    ///   ([`Busy`](crate::AttachErrorKind::Busy) after the [`timeout`](Self::timeout), or
    ///   [`SlotsBlocked`](crate::AttachErrorKind::SlotsBlocked));
    /// - pin every region, so that publishers find none to fill
    ///   ([`RegionsFull`](crate::PublishErrorKind::RegionsFull));
    /// - pretend to be any number of readers, or hide some.
    ///
    /// These errors name the process ([`LockHolder`](crate::LockHolder)). So grant it to users
    /// you trust.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & 0o777;
        self
    }

    /// Gives a segment that is created to a group, by group id; without it the system chooses, which
    /// mostly is the creator's own.
    ///
    /// It says which group the bits of [`mode`](Self::mode) for the group are about, and grants
    /// nothing by itself. The file belongs to the group before anybody but its owner may open it.
    /// Opening fails with [`Group`](crate::AttachErrorKind::Group) where the process is no member of it.
    /// A segment that is there already keeps its group.
    #[must_use]
    pub fn group(mut self, gid: u32) -> Self {
        self.group = Some(gid);
        self
    }

    /// Keeps the segment when the last one leaves, until it is removed by name.
    ///
    /// The property sticks to the segment: once somebody asked for it, it stays.
    #[must_use]
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// Reserves and warms memory for samples of this many bytes when a publisher opens, so that
    /// its first sample is as fast as later ones.
    #[must_use]
    pub fn reserve(mut self, bytes: u64) -> Self {
        self.reserve = bytes;
        self
    }

    /// Sets how long the ring of a segment that is created is: it keeps as many of the last samples as
    /// fit; 256 KiB unless set.
    ///
    /// Rounded up to a power of two, at least 16 KiB and at most 1 GiB. A sample takes 64 bytes or
    /// more beside its payload; one whose payload is longer than 16 KiB (or an eighth of the ring) takes 64
    /// in the ring, and see [`retain_bytes`](Self::retain_bytes). Who joins a segment takes the ring that is there.
    #[must_use]
    pub fn ring_bytes(mut self, bytes: u64) -> Self {
        let (least, most) = (*RING_BYTES.start(), *RING_BYTES.end());
        self.ring_bytes = bytes.clamp(least, most).next_power_of_two();
        self
    }

    /// Sets how much memory of large samples a segment that is created keeps beside the newest, so
    /// that a late subscriber finds them; 0 unless set.
    ///
    /// At most 190 samples, however short they are. Where memory runs out, publishers give it up. Who joins a segment
    /// takes what its creator set.
    #[must_use]
    pub fn retain_bytes(mut self, bytes: u64) -> Self {
        self.retain_bytes = bytes;
        self
    }

    /// Sets whether publishing wakes subscribers that sleep, `true` unless set.
    ///
    /// Waking is the one system call of a small sample, and most of its time. Where subscribers poll
    /// ([`has_unread`](crate::Subscriber::has_unread)) it is for nothing. One that sleeps all the same
    /// notices within a second.
    #[must_use]
    pub fn notify(mut self, notify: bool) -> Self {
        self.notify = notify;
        self
    }

    /// Bounds every wait for another process that holds a lock for a moment; five seconds unless
    /// told otherwise.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

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
        // A handle looks for its name again and again, also after its program went elsewhere.
        std::path::absolute(&path).unwrap_or(path)
    }

    pub(crate) fn owner_id(&self) -> u32 {
        self.owner.unwrap_or_else(sys::effective_user)
    }

    /// Returns `true` if the segments are the caller's own, so that it may write to them.
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
    fn a_name_stays_where_it_is_when_the_program_goes_elsewhere() {
        let key = Key::new("K").unwrap();
        let path = Options::new().directory("segments").path_of(&key);
        let here = std::env::current_dir().unwrap();
        assert_eq!(path.parent(), Some(here.join("segments").as_path()));
    }
}
