//! The fallback if io_uring cannot wait for futexes: threads that wait on up to 127 words each
//! (`futex_waitv`), or on one if the kernel does not support that either.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::futexes::{Armed, Entry, split_changed};
use crate::readiness::{DATA, Readiness};
use crate::sys::{self, Awaited, MAX_WORDS, PerProcess};

/// How often a thread that can wait on only one word checks whether it must end.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The registered words, in one group per thread.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<Vec<Group>>);

/// Returns the groups of this process.
pub(super) fn groups() -> &'static Groups {
    static GROUPS: PerProcess<Groups> = PerProcess::new();
    GROUPS.get(Groups::default)
}

/// The words that one thread waits on.
#[derive(Debug)]
struct Group {
    /// Incremented whenever the entries change; the thread waits on it, too.
    changes: Arc<AtomicU32>,
    entries: Vec<Entry>,
}

impl Groups {
    fn groups(&self) -> MutexGuard<'_, Vec<Group>> {
        // Every change under the lock is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, entry: Entry) -> io::Result<()> {
        let capacity = if sys::can_wait_any() {
            MAX_WORDS - 1
        } else {
            1
        };
        let mut groups = self.groups();
        if let Some(group) = groups
            .iter_mut()
            .find(|group| group.entries.len() < capacity)
        {
            group.entries.push(entry);
            wake(&group.changes);
            return Ok(());
        }
        let changes = Arc::new(AtomicU32::new(0));
        let own_changes = Arc::clone(&changes);
        // The thread looks up its group only after this function has released the lock.
        sys::spawn_helper("shm-core futex", move || serve(&own_changes))?;
        groups.push(Group {
            changes,
            entries: vec![entry],
        });
        Ok(())
    }

    /// Changes an entry, and wakes the thread of its group.
    pub(super) fn change<T>(
        &self,
        id: u64,
        change: impl FnOnce(&mut Vec<Entry>, usize) -> T,
    ) -> Option<T> {
        let mut groups = self.groups();
        let (group, at) = groups.iter_mut().find_map(|group| {
            let at = group.entries.iter().position(|entry| entry.id == id)?;
            Some((group, at))
        })?;
        let source = Arc::clone(&group.entries[at].source);
        let result = change(&mut group.entries, at);
        wake(&group.changes);
        if !sys::can_wait_any() {
            // The thread waits on the ring alone; this also wakes other waiters, spuriously.
            sys::wake_all_low(source.futex_word());
        }
        Some(result)
    }
}

fn wake(changes: &AtomicU32) {
    changes.fetch_add(1, Ordering::SeqCst);
    sys::wake_private(changes);
}

/// Runs the thread of a group, which ends when the group is empty.
fn serve(changes: &Arc<AtomicU32>) {
    loop {
        let seen_changes = changes.load(Ordering::SeqCst);
        let Some((armed, changed)) = poll_group(changes) else {
            return;
        };
        // Not under the lock: a task that is woken may drop its registration.
        for readiness in changed {
            readiness.notify(DATA);
        }
        if let Some(woken) = wait(&armed, changes, seen_changes) {
            disarm(changes, woken.id);
            woken.notify();
        }
    }
}

/// Returns the entries to wait on, and those that have changed; `None` if the group is empty.
fn poll_group(changes: &Arc<AtomicU32>) -> Option<(Vec<Armed>, Vec<Arc<Readiness>>)> {
    let mut groups = groups().groups();
    let at = index_of(&groups, changes)?;
    if groups[at].entries.is_empty() {
        groups.swap_remove(at);
        return None;
    }
    Some(split_changed(&mut groups[at].entries))
}

fn disarm(changes: &Arc<AtomicU32>, id: u64) {
    let mut groups = groups().groups();
    let Some(at) = index_of(&groups, changes) else {
        return;
    };
    let mut entries = groups[at].entries.iter_mut();
    if let Some(entry) = entries.find(|entry| entry.id == id) {
        entry.seen = None;
    }
}

fn index_of(groups: &[Group], changes: &Arc<AtomicU32>) -> Option<usize> {
    groups
        .iter()
        .position(|group| Arc::ptr_eq(&group.changes, changes))
}

/// Waits until an entry may have changed; returns the entry whose word was woken, if any.
fn wait<'a>(armed: &'a [Armed], changes: &AtomicU32, seen_changes: u32) -> Option<&'a Armed> {
    if sys::can_wait_any() {
        let rings = armed
            .iter()
            .map(|armed| Awaited::low_half(armed.source.futex_word(), armed.seen));
        let mut words = vec![Awaited::private(changes, seen_changes)];
        words.extend(rings);
        let woken = sys::wait_any(&words, None).ok().flatten()?;
        return armed.get(woken.checked_sub(1)?);
    }
    match armed.first() {
        Some(armed) => {
            let word = armed.source.futex_word();
            sys::wait_low(word, armed.seen, CHECK_INTERVAL);
        }
        None => sys::wait_private(changes, seen_changes, None),
    }
    None
}
