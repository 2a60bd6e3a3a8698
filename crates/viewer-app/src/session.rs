//! Between shared memory and the rest of the program: the only file that may block.

mod hand;
pub(crate) mod qt;
mod segments;

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use app_kit::explain::Explain;
use app_kit::follower::{Begin, FollowError, Follower, Time, Wanted};
use app_kit::polling;
use app_kit::snapshot::{self, Snapshot, SnapshotError};
use app_kit::worker::{self, WorkerError};
use iced::Task;
use qt_bridge::{Address, Digest, Form, Reading, ReadingError};
use shm_core::presence::PresenceClient;
use shm_core::segment::{self, Info, Listed, Permissions};
use shm_core::{
    AttachError, AttachErrorKind, Block, ImageMetadata, Key, KeyWatch, ListError, LockError,
    Message, Metadata, Options, Participant, ReadError, RemoveError, Sample, Subscriber,
    WaitResult,
};

use crate::user::User;

pub(crate) use hand::{CopyError, Copying, Kept, Newest, SaveError, Saving, copy, keep, save};
pub(crate) use segments::{
    Entry, Listing, MOST_LEFT_ALONE, RemovalError, remove_in_background, segments,
};

/// How long a request may take without a word.
const PATIENCE: Duration = Duration::from_millis(500);

/// Why the window has nothing to show.
#[derive(Clone, Debug)]
pub(crate) enum ShowError {
    /// Shared memory gave nothing.
    Snapshot(Arc<SnapshotError>),
    /// Nobody could go and look.
    Worker(WorkerError),
}

impl ShowError {
    /// Returns `true` if there simply is nothing of that key.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, ShowError::Snapshot(error) if error.is_not_found())
    }
}

impl From<Arc<SnapshotError>> for ShowError {
    fn from(error: Arc<SnapshotError>) -> ShowError {
        ShowError::Snapshot(error)
    }
}

/// Reads what is under `key`, on a thread of its own; of a Qt program as a form, or as what it is
/// recognised to be.
pub(crate) fn show(key: Address, form: Option<Form>) -> Task<Result<Box<Snapshot>, ShowError>> {
    let read = move || match &key {
        Address::Own(key) => snapshot::read(key, &Options::new()),
        Address::Qt(key) => app_kit::qt::read(key, form),
    };
    worker::run("show", read).map(|worked| {
        worked
            .map_err(ShowError::Worker)?
            .map(Box::new)
            .map_err(|error| ShowError::Snapshot(Arc::new(error)))
    })
}

/// Ends when a request that is not answered yet is worth a word.
pub(crate) fn patience() -> Task<()> {
    worker::run("patience", || thread::sleep(PATIENCE)).map(|_| ())
}

/// What a command found under a key.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) content: Content,
    pub(crate) persistent: bool,
    /// Who may open the segment; `None` of one of Qt programs, or where that was not asked.
    pub(crate) permissions: Option<Permissions>,
    pub(crate) attached: Vec<Participant>,
    /// What tells the content of a Qt program from others.
    pub(crate) digest: Option<Digest>,
    /// Where the loaders of a sample are told that it was shown.
    pub(crate) seat: Option<PresenceClient>,
    /// How much the segment keeps; `None` where it has no ring, or that was not asked.
    pub(crate) kept: Option<RingSize>,
    /// How many came unseen between the one before and this; 0 where nothing is counted.
    pub(crate) skipped: u64,
}

/// How much a segment keeps of what was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingSize {
    /// The length of its ring, bytes.
    pub(crate) ring: u64,
    /// How much of what is too long for the ring, beside the newest.
    pub(crate) retain: u64,
}

impl RingSize {
    /// Returns what a segment says of itself.
    pub(crate) fn of(info: &Info) -> Option<RingSize> {
        match info.content {
            segment::Content::Samples {
                ring_bytes,
                retain_bytes,
                ..
            } => Some(RingSize {
                ring: ring_bytes,
                retain: retain_bytes,
            }),
            segment::Content::Block { .. }
            | segment::Content::Semaphore { .. }
            | segment::Content::Damaged { .. } => None,
        }
    }
}

impl Found {
    /// Adds what is told of its segment; one that is gone does not stay.
    pub(crate) fn within(self, info: Option<&Info>, attached: Vec<Participant>) -> Found {
        Found {
            persistent: info.is_some_and(|info| info.persistent),
            permissions: info.map(Info::permissions),
            kept: info.and_then(RingSize::of),
            attached,
            ..self
        }
    }

    /// A sample, of whose segment nothing more is told.
    pub(crate) fn of_sample(sample: Sample, skipped: u64) -> Found {
        Found {
            content: Content::Sample(sample),
            persistent: false,
            permissions: None,
            attached: Vec::new(),
            digest: None,
            seat: None,
            kept: None,
            skipped,
        }
    }

    /// What was read from a segment of Qt programs.
    pub(crate) fn of_reading(reading: Reading) -> Found {
        Found {
            content: Content::Qt(reading.value.into_message(), reading.form),
            persistent: false,
            permissions: None,
            attached: Vec::new(),
            digest: Some(reading.digest),
            seat: None,
            kept: None,
            skipped: 0,
        }
    }

    /// Tells the loaders of a sample that it is shown now.
    pub(crate) fn tell_shown(&self) {
        if let (Content::Sample(sample), Some(seat)) = (&self.content, &self.seat) {
            seat.shown(sample.sequence(), sample.age());
        }
    }
}

/// The content itself, whole.
#[derive(Debug)]
pub(crate) enum Content {
    /// The latest sample, pinned: its payload is read in place.
    Sample(Sample),
    /// What a Qt program streamed, and as what; nothing where that was null.
    Qt(Option<Message>, Form),
    /// A copy of a block.
    Block {
        bytes: Vec<u8>,
        is_half_written: bool,
    },
}

impl Content {
    /// Returns the bytes, those of a large sample in place.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Content::Sample(sample) => sample.payload(),
            Content::Qt(message, _) => message.as_ref().map_or(&[], Message::payload),
            Content::Block { bytes, .. } => bytes,
        }
    }

    /// Returns a picture and its pixels, those of a large sample in place; `None` where it is none.
    pub(crate) fn picture(&self) -> Option<(&ImageMetadata, &[u8])> {
        match self {
            Content::Sample(sample) => match sample.metadata() {
                Metadata::Image(metadata) => Some((metadata, sample.payload())),
                _ => None,
            },
            Content::Qt(Some(Message::Image { metadata, pixels }), _) => Some((metadata, pixels)),
            Content::Qt(..) | Content::Block { .. } => None,
        }
    }

    /// Names the kind of content: `text`, `image`, `array`, `bytes`, or `nothing`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Content::Sample(sample) => sample.metadata().kind(),
            Content::Qt(Some(message), _) => message.metadata().kind(),
            Content::Qt(None, _) => "nothing",
            Content::Block { .. } => "bytes",
        }
    }

    /// Writes the bytes, and ends before those of a sample that are not there any more: [`Self::verify`]
    /// then says so.
    pub(crate) fn write_to(&self, writer: &mut dyn Write) -> io::Result<()> {
        const CHUNK: usize = 64 * 1024;
        for chunk in self.bytes().chunks(CHUNK) {
            // Copied first: the kernel writes nothing from memory that a peer has taken away.
            let chunk = chunk.to_vec();
            if self.verify().is_err() {
                break;
            }
            writer.write_all(&chunk)?;
        }
        Ok(())
    }

    /// Returns `true` if all that was read in place was really there.
    pub(crate) fn verify(&self) -> Result<(), ReadError> {
        match self {
            Content::Sample(sample) => sample.verify(),
            Content::Qt(..) | Content::Block { .. } => Ok(()),
        }
    }
}

/// Takes what is under `key` now; with `wait`, waits that long for the first sample.
pub(crate) fn fetch(
    key: &Key,
    owner: Option<&User>,
    wait: Option<Duration>,
) -> Result<Found, FetchError> {
    fetch_own(&options(owner), key, owner, wait)
}

/// Takes what is under an address now; of a Qt program as a form, or as what it is recognised to be.
fn fetch_with(
    options: &Options,
    address: &Address,
    form: Option<Form>,
) -> Result<Found, FetchError> {
    match address {
        Address::Own(key) => fetch_own(options, key, None, None),
        Address::Qt(key) => qt::fetch(key, form, None, None),
    }
}

fn fetch_own(
    options: &Options,
    key: &Key,
    owner: Option<&User>,
    wait: Option<Duration>,
) -> Result<Found, FetchError> {
    let time = Time::within(wait);
    loop {
        let options = &options.clone().timeout(time.patience());
        let attached = match wait {
            None => Subscriber::attach(key, options),
            Some(_) => wait_for(key, options, time.left()),
        };
        let mut subscriber = match attached {
            Ok(subscriber) => subscriber,
            Err(error) if *error.kind() == AttachErrorKind::WrongKind => {
                return fetch_block(key, options, time);
            }
            Err(error) if *error.kind() == AttachErrorKind::NotFound => {
                return Err(FetchError::nothing(key, owner, wait));
            }
            Err(error) if *error.kind() == AttachErrorKind::Timeout && wait.is_some() => {
                return Err(FetchError::nothing(key, owner, wait));
            }
            Err(error) => return Err(FetchError::attach(error, owner)),
        };
        if let Some(found) = fetch_sample(&mut subscriber, options, wait.map(|_| time))? {
            return Ok(found);
        }
        // The segment went away before anything was in it; with time left, another may come.
        if wait.is_none() || time.is_over() {
            return Err(FetchError::nothing(key, owner, wait));
        }
    }
}

/// Attaches as soon as there is something under the key.
fn wait_for(
    key: &Key,
    options: &Options,
    timeout: Option<Duration>,
) -> Result<Subscriber, AttachError> {
    let watch = KeyWatch::new(key, options)?;
    polling::tell_once(watch.polling());
    watch.attach_within(timeout)
}

/// Takes the latest sample; `None` where there is none and, with time to wait, none will come.
fn fetch_sample(
    subscriber: &mut Subscriber,
    options: &Options,
    time: Option<Time>,
) -> Result<Option<Found>, FetchError> {
    // Already while it waits: it watches from now on. Without a seat all else works.
    let seat = PresenceClient::connect(subscriber.id(), options).ok();
    loop {
        let patience = time.unwrap_or(Time::within(None)).patience();
        let latest = subscriber.latest_within(patience);
        if let Some(sample) = latest.map_err(FetchError::Read)? {
            // Somebody may remove the segment right now: then it is not persistent.
            let info = segment::info(subscriber.key(), options).ok();
            let found = Found::of_sample(sample, 0).within(info.as_ref(), subscriber.peers());
            return Ok(Some(Found { seat, ..found }));
        }
        let Some(time) = time else {
            return Ok(None);
        };
        match subscriber.wait(time.left()).map_err(FetchError::Read)? {
            // After the last loader left, another may come: to the same segment if it persists.
            WaitResult::New | WaitResult::PublisherGone => {}
            WaitResult::Removed | WaitResult::Timeout | WaitResult::Interrupted => return Ok(None),
        }
    }
}

fn fetch_block(key: &Key, options: &Options, time: Time) -> Result<Found, FetchError> {
    // Before attaching, so that the reader does not find itself among the attached.
    let info = segment::info(key, options).map_err(FetchError::Attach)?;
    let block = Block::attach_read_only(key, options).map_err(FetchError::Attach)?;
    let copied = block.snapshot(time.patience());
    let (bytes, is_half_written) = copied.map_err(FetchError::Lock)?;
    Ok(Found {
        content: Content::Block {
            bytes,
            is_half_written,
        },
        persistent: info.persistent,
        permissions: Some(info.permissions()),
        attached: info.attached,
        digest: None,
        seat: None,
        kept: None,
        skipped: 0,
    })
}

/// Begins to follow a key, each sample in order; blocks only when it is asked for more.
pub(crate) fn follower(key: &Key, owner: Option<&User>, begin: Begin) -> Follower {
    Follower::new(key.clone(), options(owner), Wanted::InOrder(begin))
}

/// What Qt's example says where there is nothing: a line of its own before what is wrong.
pub(crate) const ENTER_TEXT_FIRST: &str = "Enter a text first";

/// Why there is nothing to take.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// Nothing was loaded, for as long as was waited.
    Nothing {
        key: Address,
        owner: Option<User>,
        waited: Option<Duration>,
    },
    /// It belongs to another user, who does not let us read it.
    NotShared { key: Key, owner: User },
    /// The segment cannot be attached to.
    Attach(AttachError),
    /// The segment is damaged, or changes too fast.
    Read(ReadError),
    /// Somebody holds the lock of a block.
    Lock(LockError),
    /// A segment of a Qt program gives nothing.
    Qt(ReadingError),
}

impl FetchError {
    fn nothing(
        key: impl Into<Address>,
        owner: Option<&User>,
        waited: Option<Duration>,
    ) -> FetchError {
        FetchError::Nothing {
            key: key.into(),
            owner: owner.cloned(),
            waited,
        }
    }

    pub(crate) fn follow(error: FollowError, owner: Option<&User>) -> FetchError {
        match error {
            FollowError::Attach(error) => FetchError::attach(error, owner),
            FollowError::Read(error) => FetchError::Read(error),
        }
    }

    fn attach(error: AttachError, owner: Option<&User>) -> FetchError {
        match (error, owner) {
            (error, Some(owner)) if *error.kind() == AttachErrorKind::Permission => {
                FetchError::NotShared {
                    key: error.key().clone(),
                    owner: owner.clone(),
                }
            }
            (error, _) => FetchError::Attach(error),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::Nothing { key, owner, waited } => {
                let whose = match owner {
                    Some(owner) => format!(" of {owner}"),
                    None => String::new(),
                };
                match waited {
                    None => write!(formatter, "There is nothing in {key}{whose} now. ")?,
                    Some(waited) => write!(
                        formatter,
                        "Nothing came into {key}{whose} within {} s. ",
                        waited.as_secs_f32()
                    )?,
                }
                formatter.write_str(
                    "Load something with the same key, in the window SharedMemoryLoad or with \
                     loader-app text, then try again.",
                )
            }
            FetchError::NotShared { key, owner } => write!(
                formatter,
                "{key} belongs to {owner}, who does not share it with you. After `viewer-app remove` \
                 and `loader-app text --mode 644` by {owner} everybody can read it."
            ),
            FetchError::Attach(error) => formatter.write_str(&error.explain()),
            FetchError::Read(error) => formatter.write_str(&error.explain()),
            FetchError::Lock(error) => formatter.write_str(&error.explain()),
            FetchError::Qt(error) => formatter.write_str(&error.explain()),
        }
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FetchError::Nothing { .. } | FetchError::NotShared { .. } => None,
            FetchError::Attach(error) => Some(error),
            FetchError::Read(error) => Some(error),
            FetchError::Lock(error) => Some(error),
            FetchError::Qt(error) => Some(error),
        }
    }
}

/// Looks at one segment without attaching to it.
pub(crate) fn info(key: &Key, owner: Option<&User>) -> Result<Info, FetchError> {
    segment::info(key, &options(owner)).map_err(|error| match error {
        error if *error.kind() == AttachErrorKind::NotFound => {
            FetchError::nothing(key, owner, None)
        }
        error => FetchError::attach(error, owner),
    })
}

/// Looks at all there are, and at what only seems to be one.
pub(crate) fn list(owner: Option<&User>) -> Result<Vec<Listed>, ListError> {
    segment::list(&options(owner))
}

/// Where to look: among another user's segments, or one's own.
pub(crate) fn options(owner: Option<&User>) -> Options {
    match owner {
        Some(owner) => Options::new().owner(owner.id()),
        None => Options::new(),
    }
}

/// Removes a segment; with `force`, although somebody is attached.
pub(crate) fn remove(key: &Key, force: bool) -> Result<(), RemoveError> {
    segment::remove(key, &Options::new(), force)
}
