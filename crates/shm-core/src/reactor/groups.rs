//! The fallback where io_uring cannot wait for futexes: threads that sleep on up to 127 words each
//! (`futex_waitv`), or on one where the kernel does not know that either.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::futexes::{Armed, Entry, look_at};
use super::reactor;
use crate::readiness::{DATA, LIVENESS, Readiness};
use crate::sys::{self, Awaited, MOST_WORDS};

/// How often a thread that can sleep on one word alone looks whether it is to end.
const SLICE: Duration = Duration::from_secs(1);

/// All rings that are waited for, a group for each thread.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<Vec<Group>>);

/// What one thread waits for.
#[derive(Debug)]
struct Group {
    /// Raised whenever the entries change: the thread sleeps on it, too.
    changes: Arc<AtomicU32>,
    entries: Vec<Entry>,
}

impl Groups {
    fn groups(&self) -> MutexGuard<'_, Vec<Group>> {
        // Every change under it is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, entry: Entry) -> io::Result<()> {
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
        let reader = Arc::clone(&group.entries[at].reader);
        let changed = change(&mut group.entries, at);
        tell(&group.changes);
        if !sys::can_wait_any() {
            // The thread sleeps on the ring alone; this wakes other sleepers, too, for nothing.
            sys::wake_all_low(reader.ring().last_word());
        }
        Some(changed)
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

/// What a group waits for, and what has come already; `None` where it waits for nothing any more.
fn look(changes: &Arc<AtomicU32>) -> Option<(Vec<Armed>, Vec<Arc<Readiness>>)> {
    let mut groups = reactor().groups.groups();
    let at = place_of(&groups, changes)?;
    if groups[at].entries.is_empty() {
        groups.swap_remove(at);
        return None;
    }
    Some(look_at(&mut groups[at].entries))
}

fn disarm(changes: &Arc<AtomicU32>, id: u64) {
    let mut groups = reactor().groups.groups();
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
