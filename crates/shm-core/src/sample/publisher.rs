//! The writing end.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::{AttachError, PublishError};
use crate::key::Key;
use crate::layout::{Entry, LatestWord, METADATA_CAPACITY, access};
use crate::message::{Message, Metadata};
use crate::options::Options;
use crate::sample::exchange;
use crate::sample::exchange::Exchange;
use crate::sample::pool::Pool;
use crate::sample::subscriber::Subscriber;
use crate::segment::{Attached, Attachment, Kind, Permissions};
use crate::sys::{self, WritableMapping};

/// How many regions [`Options::reserve`] warms: the latest, the one before, the next.
const RESERVED_REGIONS: usize = 3;

/// Publishes samples under a key; creates the segment or joins the one that is there.
///
/// Several publishers may share a key: what was published last is the latest.
/// May be used by several threads at once. Dropping it leaves the segment; the
/// last publisher out removes it, unless it is persistent.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use shm_core::{Key, Metadata, Options, Publisher, Subscriber};
///
/// let options = Options::new().directory(directory.path());
/// let key = Key::new("frames")?;
/// let publisher = Publisher::open(&key, &options)?;
/// let mut subscriber = Subscriber::attach(&key, &options)?;
///
/// let mut loan = publisher.loan(1 << 20)?; // filled where it will be read
/// loan.fill(7);
/// loan.publish(&Metadata::Bytes { media_type: "application/octet-stream".into(), source: None })?;
///
/// let sample = subscriber.latest()?.expect("something was published");
/// assert_eq!(sample.payload(), vec![7; 1 << 20]);
/// # Ok(()) }
/// ```
pub struct Publisher {
    attachment: Attachment,
    pool: Mutex<Pool>,
    patience: Duration,
    wakes: bool,
}

impl Publisher {
    /// Creates the segment, or joins it where it exists.
    ///
    /// # Errors
    ///
    /// [`AttachError`] says what is wrong and what to do.
    pub fn open(key: &Key, options: &Options) -> Result<Self, AttachError> {
        let attachment =
            Attachment::open_or_create(key, options, Kind::Samples, access::PUBLISHER)?;
        let publisher = Self {
            attachment,
            pool: Mutex::new(Pool::new(options.reserved_bytes())),
            patience: options.patience(),
            wakes: !options.is_polled(),
        };
        publisher.warm(options.reserved_bytes())?;
        Ok(publisher)
    }

    /// The segment's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.attachment.key()
    }

    /// The segment's random id.
    #[must_use]
    pub fn id(&self) -> u128 {
        self.attachment.id()
    }

    pub(crate) fn directory(&self) -> &Path {
        self.attachment.directory()
    }

    /// Tells whether this publisher made the segment; false where it joined one.
    #[must_use]
    pub fn created(&self) -> bool {
        self.attachment.created()
    }

    /// Lends a region of `len` bytes to be filled in place; nobody sees it before it is published.
    ///
    /// Its bytes are whatever stood there before. It can grow.
    ///
    /// # Errors
    ///
    /// [`PublishError::NoSpace`] where the file system is full,
    /// [`PublishError::RegionsFull`] where readers and loans hold all regions.
    pub fn loan(&self, len: usize) -> Result<Loan<'_>, PublishError> {
        self.check_process()?;
        let (region, mapping) = self.pool().take(&self.attachment, len as u64)?;
        Ok(Loan {
            publisher: self,
            region,
            mapping,
            len,
            published: false,
        })
    }

    /// Copies `payload` into a loan and publishes it; the sample's generation.
    ///
    /// # Errors
    ///
    /// Those of [`loan`](Self::loan) and [`Loan::publish`].
    pub fn publish(&self, metadata: &Metadata, payload: &[u8]) -> Result<u64, PublishError> {
        self.check_process()?;
        let mut pool = self.pool();
        let region = pool.take_filled(&self.attachment, payload)?;
        let published = self.put(&mut pool, region, metadata, payload.len() as u64);
        if published.is_err() {
            pool.put_back(&self.attachment, region);
        }
        published
    }

    /// Publishes a text; the sample's generation.
    ///
    /// # Errors
    ///
    /// Those of [`publish`](Self::publish).
    pub fn publish_text(&self, text: &str) -> Result<u64, PublishError> {
        self.publish(&Metadata::Text, text.as_bytes())
    }

    /// Publishes a message; the sample's generation.
    ///
    /// # Errors
    ///
    /// Those of [`publish`](Self::publish).
    pub fn send(&self, message: &Message) -> Result<u64, PublishError> {
        self.publish(&message.metadata(), message.payload())
    }

    /// Blanks the content without leaving: afterwards there is no latest sample.
    ///
    /// Samples that nobody reads at the moment are overwritten or given back
    /// to the system. The number says how many regions could not be, because
    /// readers or other publishers hold them; those are overwritten when they
    /// are used again.
    ///
    /// # Errors
    ///
    /// [`PublishError::Orphaned`] where the segment was removed,
    /// [`PublishError::Busy`] where another publisher does not get done.
    pub fn clear(&self) -> Result<usize, PublishError> {
        self.check_process()?;
        let mut pool = self.pool();
        self.exchange(|exchange| Ok(exchange.clear()))?;
        sys::wake_all_low(&self.attachment.control().header.latest);
        pool.erase(&self.attachment)
            .map_err(|error| PublishError::io(self.key(), "overwriting", 0, error))
    }

    /// Tells whether the segment was removed, moved away or replaced: whoever looks for its key finds
    /// another or none, and publishing fails with [`PublishError::Orphaned`].
    ///
    /// Asks the kernel where the name leads. A program that publishes nothing for long, and only
    /// keeps what it has published alive, asks once a second.
    #[must_use]
    pub fn is_orphaned(&self) -> bool {
        self.attachment.is_orphaned()
    }

    /// Who may open the segment: one that was there already keeps the mode and the group that its
    /// creator chose. `None` where the system does not say.
    #[must_use]
    pub fn permissions(&self) -> Option<Permissions> {
        let facts = self.attachment.segment.facts().ok()?;
        Some(Permissions::of(&facts))
    }

    /// Tells whether the segment stays when the last one leaves.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.attachment.is_persistent()
    }

    /// Keeps the segment when the last one leaves, as [`Options::persistent`] does from the
    /// beginning.
    ///
    /// # Errors
    ///
    /// [`AttachError::NotFound`] where the segment is [orphaned](Self::is_orphaned), so that nobody
    /// would find it; [`AttachError::Busy`] where somebody else does not get done.
    pub fn persist(&self) -> Result<(), AttachError> {
        let deadline = Deadline::after(self.patience);
        if self.attachment.persist(deadline)? {
            Ok(())
        } else {
            Err(AttachError::NotFound {
                key: self.key().clone(),
            })
        }
    }

    /// Attaches a subscriber to this very segment, wherever its name leads by now: what was
    /// published into a segment that is [orphaned](Self::is_orphaned) can be read back with it.
    ///
    /// # Errors
    ///
    /// [`AttachError::Io`] where the system does not let the file be opened once more (it takes
    /// /proc).
    pub fn subscribe(&self) -> Result<Subscriber, AttachError> {
        Subscriber::within(&self.attachment, self.patience)
    }

    /// Everybody else who is attached, from other processes: publishers and subscribers.
    #[must_use]
    pub fn others(&self) -> Vec<Attached> {
        self.attachment.others()
    }

    /// Leaves the segment; true where this was the last publisher and the segment was removed.
    ///
    /// Dropping does the same.
    #[must_use = "tells whether the segment is gone; drop the publisher where that does not matter"]
    pub fn detach(mut self) -> bool {
        self.attachment.leave()
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        // A panic while it was held leaves at worst a region claimed that nobody uses.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_process(&self) -> Result<(), PublishError> {
        if self.attachment.is_forked() {
            return Err(PublishError::Forked {
                key: self.key().clone(),
            });
        }
        Ok(())
    }

    /// Reserves and touches the regions that samples of this size will use.
    fn warm(&self, bytes: u64) -> Result<(), AttachError> {
        let Ok(len @ 1..) = usize::try_from(bytes) else {
            return Ok(());
        };
        let warmed: Result<Vec<Loan<'_>>, PublishError> = (0..RESERVED_REGIONS)
            .map(|_| {
                let mut loan = self.loan(len)?;
                loan.fill(0);
                Ok(loan)
            })
            .collect();
        match warmed {
            Ok(_) => Ok(()),
            Err(PublishError::FileSizeLimit { key }) => Err(AttachError::FileSizeLimit { key }),
            Err(error) => Err(AttachError::NoSpace {
                key: self.key().clone(),
                source: io::Error::other(error),
            }),
        }
    }

    /// Publishes a region that was claimed and filled; the sample's generation.
    fn put(
        &self,
        pool: &mut Pool,
        region: u16,
        metadata: &Metadata,
        payload_bytes: u64,
    ) -> Result<u64, PublishError> {
        let (key, attachment) = (self.key(), &self.attachment);
        let metadata_bytes = pool
            .describe(region, metadata, payload_bytes)
            .map_err(|error| PublishError::Metadata {
                key: key.clone(),
                reason: error.to_string(),
            })?;
        pool.touch(region, payload_bytes);
        if pool.was_truncated(region) {
            return Err(PublishError::Orphaned { key: key.clone() });
        }
        let published = pool.moment(payload_bytes);
        // The lock looks too, but lets many through unseen after a burst.
        if attachment.is_found_orphaned(published) {
            return Err(PublishError::Orphaned { key: key.clone() });
        }
        let entry = Entry {
            generation: 0,
            payload_bytes,
            metadata_bytes,
            writer: attachment.process(),
            published,
        };
        let published = self.exchange(|exchange| exchange.publish(attachment, region, entry))?;
        if self.wakes {
            sys::wake_all_low(&attachment.control().header.latest);
        }
        let generation = published.generation();
        pool.published(
            attachment,
            region,
            &Entry {
                generation,
                ..entry
            },
        );
        Ok(generation)
    }

    /// Changes the word that names the latest sample, under the lock.
    fn exchange(
        &self,
        change: impl FnOnce(Exchange<'_>) -> io::Result<LatestWord>,
    ) -> Result<LatestWord, PublishError> {
        let deadline = || Deadline::after(self.patience);
        let mut held = self.attachment.lock(deadline).map_err(PublishError::lock)?;
        // A publisher that died here left nothing half-done: the word is one store.
        held.repaired();
        let control = self.attachment.control();
        let changed = change(exchange(control))
            .map_err(|error| PublishError::io(self.key(), "admitting readers", 0, error))?;
        drop(held);
        Ok(changed)
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("key", self.key())
            .finish_non_exhaustive()
    }
}

/// A region lent by a [`Publisher`], to be filled in place and published.
///
/// Dropping it publishes nothing.
pub struct Loan<'p> {
    publisher: &'p Publisher,
    region: u16,
    mapping: Arc<WritableMapping>,
    len: usize,
    published: bool,
}

impl Loan<'_> {
    /// Makes the loan longer or shorter; what both lengths share keeps its bytes.
    ///
    /// # Errors
    ///
    /// [`PublishError::NoSpace`] where the file system is full; the loan stays as it was.
    pub fn resize(&mut self, len: usize) -> Result<(), PublishError> {
        if len > self.len {
            let mut pool = self.publisher.pool();
            let grown = pool.grow(&self.publisher.attachment, self.region, len as u64)?;
            self.mapping = Arc::clone(grown);
        }
        self.len = len;
        Ok(())
    }

    /// Publishes the loan as the latest sample and wakes the subscribers; the sample's generation.
    ///
    /// # Errors
    ///
    /// [`PublishError::Metadata`] where the metadata does not fit the payload,
    /// [`PublishError::Orphaned`] where the segment was removed. What was
    /// published before stays.
    pub fn publish(mut self, metadata: &Metadata) -> Result<u64, PublishError> {
        let publisher = self.publisher;
        publisher.check_process()?;
        let mut pool = publisher.pool();
        let generation = publisher.put(&mut pool, self.region, metadata, self.len as u64)?;
        self.published = true;
        Ok(generation)
    }
}

#[expect(unsafe_code, reason = "a slice of claimed memory")]
impl Deref for Loan<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: as for `head`; `&self` lets nobody write through this loan.
        unsafe { self.mapping.slice(METADATA_CAPACITY, self.len) }
    }
}

#[expect(unsafe_code, reason = "a slice of claimed memory")]
impl DerefMut for Loan<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `head`.
        unsafe { self.mapping.slice_mut(METADATA_CAPACITY, self.len) }
    }
}

impl fmt::Debug for Loan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        // A loan that came along through a fork: the region is the parent's.
        if !self.published && !self.publisher.attachment.is_forked() {
            self.publisher
                .pool()
                .put_back(&self.publisher.attachment, self.region);
        }
    }
}
