//! Threads that sleep on the words of rings.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::reactor;
use crate::readiness::{DATA, LIVENESS, Readiness};
use crate::sample::Reader;
use crate::sys::{self, Awaited, ForkMark, MOST_WORDS};

/// How often a thread that can sleep on one word alone looks whether it is to end.
const SLICE: Duration = Duration::from_secs(1);

/// All rings that are waited for, a group for each thread.
#[derive(Debug, Default)]
pub(super) struct Futexes(Mutex<Vec<Group>>);

/// What one thread waits for.
#[derive(Debug)]
struct Group {
    /// Raised whenever the entries change: the thread sleeps on it, too.
    changes: Arc<AtomicU32>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    reader: Arc<Reader>,
    /// What the word is as long as nothing is new; `None` where something was told and not cleared.
    seen: Option<u64>,
    readiness: Arc<Readiness>,
}

/// A ring that is waited for until this is dropped.
#[derive(Debug)]
pub(crate) struct FutexWatch {
    id: u64,
    fork: ForkMark,
}

impl FutexWatch {
    /// Waits for a ring to show something else than `seen`; for nothing where that is `None`.
    ///
    /// # Errors
    ///
    /// Where there is no thread to be had.
    pub(crate) fn new(
        reader: &Arc<Reader>,
        seen: Option<u64>,
        readiness: &Arc<Readiness>,
    ) -> io::Result<Self> {
        let id = sys::random_u64();
        let entry = Entry {
            id,
            reader: Arc::clone(reader),
            seen,
            readiness: Arc::clone(readiness),
        };
        reactor().futexes.add(entry)?;
        Ok(Self {
            id,
            fork: ForkMark::here(),
        })
    }

    /// Waits for the ring to show something else than `seen`, until that is told.
    pub(crate) fn arm(&self, seen: u64) {
        if !self.fork.is_elsewhere() {
            reactor().futexes.change(self.id, |entries, at| {
                entries[at].seen = Some(seen);
                Arc::clone(&entries[at].reader)
            });
        }
    }
}

impl Drop for FutexWatch {
    fn drop(&mut self) {
        // In a forked child there is no such thread, and nothing to tell it.
        if !self.fork.is_elsewhere() {
            reactor()
                .futexes
                .change(self.id, |entries, at| entries.swap_remove(at).reader);
        }
    }
}

impl Futexes {
    fn groups(&self) -> MutexGuard<'_, Vec<Group>> {
        // Every change under it is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, entry: Entry) -> io::Result<()> {
        let most = if sys::can_wait_any() {
            MOST_WORDS - 1
        } else {
            1
        };
        let mut groups = self.groups();
        if let Some(group) = groups.iter_mut().find(|group| group.entries.len() < most) {
            group.entries.push(entry);
            tell(&group.changes);
            return Ok(());
        }
        let changes = Arc::new(AtomicU32::new(0));
        let its = Arc::clone(&changes);
        // It looks for its group only after this has let go of all.
        sys::spawn_helper("shm-core futex", move || serve(&its))?;
        groups.push(Group {
            changes,
            entries: vec![entry],
        });
        Ok(())
    }

    /// Changes an entry, and tells its thread.
    fn change(&self, id: u64, change: impl FnOnce(&mut Vec<Entry>, usize) -> Arc<Reader>) {
        let mut groups = self.groups();
        let found = groups.iter_mut().find_map(|group| {
            let at = group.entries.iter().position(|entry| entry.id == id)?;
            Some((group, at))
        });
        let Some((group, at)) = found else { return };
        let reader = change(&mut group.entries, at);
        tell(&group.changes);
        if !sys::can_wait_any() {
            // The thread sleeps on the ring alone; this wakes other sleepers, too, for nothing.
            sys::wake_all_low(reader.ring().last_word());
        }
    }
}

fn tell(changes: &AtomicU32) {
    changes.fetch_add(1, Ordering::SeqCst);
    sys::wake_private(changes);
}

/// The thread of a group: ends when the group is empty.
fn serve(changes: &Arc<AtomicU32>) {
    loop {
        let seen_changes = changes.load(Ordering::SeqCst);
        let Some((armed, news)) = look(changes) else {
            return;
        };
        // Not under the lock: a task that is woken may drop what it waits with.
        for readiness in news {
            readiness.notify(DATA);
        }
        if let Some(woken) = sleep(&armed, changes, seen_changes) {
            disarm(changes, woken.id);
            let is_new = woken.reader.ring().last() != woken.seen;
            // A wake-up without news: a publisher has left.
            woken
                .readiness
                .notify(if is_new { DATA } else { DATA | LIVENESS });
        }
    }
}

/// A ring that is slept on; its mapping stays as long as this.
struct Armed {
    id: u64,
    reader: Arc<Reader>,
    seen: u64,
    readiness: Arc<Readiness>,
}

/// What a group waits for, and what has come already; `None` where it waits for nothing any more.
fn look(changes: &Arc<AtomicU32>) -> Option<(Vec<Armed>, Vec<Arc<Readiness>>)> {
    let mut groups = reactor().futexes.groups();
    let at = place_of(&groups, changes)?;
    if groups[at].entries.is_empty() {
        groups.swap_remove(at);
        return None;
    }
    let (mut armed, mut news) = (Vec::new(), Vec::new());
    for entry in &mut groups[at].entries {
        let Some(seen) = entry.seen else { continue };
        if entry.reader.ring().last() == seen {
            armed.push(Armed {
                id: entry.id,
                reader: Arc::clone(&entry.reader),
                seen,
                readiness: Arc::clone(&entry.readiness),
            });
        } else {
            entry.seen = None;
            news.push(Arc::clone(&entry.readiness));
        }
    }
    Some((armed, news))
}

fn disarm(changes: &Arc<AtomicU32>, id: u64) {
    let mut groups = reactor().futexes.groups();
    let Some(at) = place_of(&groups, changes) else {
        return;
    };
    let mut entries = groups[at].entries.iter_mut();
    if let Some(entry) = entries.find(|entry| entry.id == id) {
        entry.seen = None;
    }
}

fn place_of(groups: &[Group], changes: &Arc<AtomicU32>) -> Option<usize> {
    groups
        .iter()
        .position(|group| Arc::ptr_eq(&group.changes, changes))
}

/// Sleeps until something may have happened; returns whose word was woken, if one was.
fn sleep<'a>(armed: &'a [Armed], changes: &AtomicU32, seen_changes: u32) -> Option<&'a Armed> {
    if sys::can_wait_any() {
        let rings = armed
            .iter()
            .map(|armed| Awaited::low_half(armed.reader.ring().last_word(), armed.seen));
        let mut words = vec![Awaited::private(changes, seen_changes)];
        words.extend(rings);
        let woken = sys::wait_any(&words, None).ok().flatten()?;
        return armed.get(woken.checked_sub(1)?);
    }
    match armed.first() {
        Some(armed) => {
            let word = armed.reader.ring().last_word();
            sys::wait_low(word, armed.seen, SLICE);
        }
        None => sys::wait_private(changes, seen_changes, None),
    }
    None
}
