//! What must be true after a death, whoever comes first.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    process,
    time::Duration,
};

use e2e_tests::{Scene, layout};
use shm_core::{
    AttachErrorKind, Block, LockErrorKind, Locked, Next, PublishErrorKind, Publisher, ReadWrite,
    RemoveErrorKind, Sample, Semaphore, SemaphoreErrorKind, Subscriber, segment,
};

use crate::{
    actor::{key, options, timed},
    company::{BLOCK, COMPANYS_UNITS, Company, PINNED, RING_BYTES, UNITS, number, publish},
    image::Image,
    operation::{Death, Fate, Found, Operation},
};

/// How long the lock may take after its holder died. It takes about 10 ms; a loaded machine is
/// given time.
const SOON: Duration = Duration::from_secs(2);
/// What a region has of a large sample here, in whole pages.
const REGION: usize = 20_480;
/// Control area and ring, and the memory of as many regions as all these few processes use at once.
const MEMORY: u64 = layout::RING as u64 + RING_BYTES + 12 * REGION as u64;
/// What is published afterwards: so often that memory of former large samples is given back.
const AFTERWARDS: u64 = 40;
const SMALL: usize = 64;

/// Who comes first after the death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Successor {
    /// Somebody who lists.
    List,
    /// Who is attached already goes on.
    Company,
    /// Somebody who creates, or joins.
    Newcomer,
    /// Somebody who wants what is there.
    Attacher,
    /// Somebody who removes.
    Remover,
}

impl Successor {
    pub(crate) fn kinds(company: &Company) -> &'static [Successor] {
        match company {
            Company::None => &[Self::List, Self::Newcomer, Self::Attacher, Self::Remover],
            Company::Block(_) | Company::Semaphore(_) | Company::Samples(_) => {
                &[Self::List, Self::Company, Self::Newcomer]
            }
        }
    }
}

/// Checks that everything goes on after a death, and that nothing is left in the end.
pub(crate) fn check(operation: &Operation, death: Death, successor: Successor) {
    let accompanied = !matches!(death.company, Company::None);
    let alive = death
        .image
        .is_some_and(|image| !image.is_removed() && (accompanied || image.is_persistent()));
    match operation.fate {
        Fate::Stays => assert!(alive, "the company's segment is gone"),
        Fate::Goes => assert!(!alive, "it is there without anybody attached"),
        Fate::StaysOrGoes => {}
    }
    let scene = &death.scene;
    match death.company {
        Company::None if alive => kept(operation, scene),
        Company::None => gone(scene, successor),
        Company::Block(Some(block)) if alive => {
            let abandoned = death.image.is_some_and(Image::is_abandoned);
            block_goes_on(scene, &block, successor, abandoned);
            assert!(block.detach().removed, "the last one out");
            assert_empty(scene);
        }
        Company::Semaphore(Some(semaphore)) if alive => {
            semaphore_goes_on(scene, &semaphore, successor);
            assert!(semaphore.detach().removed, "the last one out");
            assert_empty(scene);
        }
        Company::Samples(Some(samples)) if alive => {
            samples_go_on(operation, scene, *samples, successor);
        }
        orphans => {
            find_themselves_orphaned(&orphans);
            gone(scene, Successor::Newcomer);
        }
    }
}

/// Those who were attached are told, as soon as they publish or wait.
fn find_themselves_orphaned(company: &Company) {
    match company {
        Company::Block(Some(block)) => {
            // A free lock can still be taken: what it guards is there as long as the handle.
            let locked = block.lock_for(SOON).map(drop);
            assert!(
                locked.is_ok()
                    || matches!(&locked, Err(error) if *error.kind() == LockErrorKind::Removed)
            );
        }
        Company::Semaphore(Some(semaphore)) => {
            let refused = semaphore.acquire(UNITS, SOON);
            assert!(matches!(&refused, Err(error) if *error.kind() == SemaphoreErrorKind::Removed));
        }
        Company::Samples(Some(samples)) => {
            let refused = publish(&samples.0, (2, SMALL));
            assert!(matches!(&refused, Err(error) if *error.kind() == PublishErrorKind::Removed));
        }
        plan => unreachable!("nobody arrived: {plan:?}"),
    }
}

/// Nobody is there: the next of whatever kind finds nothing, and nothing is in its way.
fn gone(scene: &Scene, successor: Successor) {
    let (key, options) = (key(scene), options(scene));
    match successor {
        Successor::List | Successor::Company => {}
        Successor::Newcomer => {
            let newcomer = Publisher::open(&key, &options).unwrap();
            assert!(newcomer.created());
            publish(&newcomer, (3, SMALL)).unwrap();
            assert!(newcomer.detach().removed, "the last one out");
            let block = Block::create(&key, BLOCK, &options).unwrap();
            lock_is(&block, false);
        }
        Successor::Attacher => {
            let block = Block::attach(&key, &options).map(drop);
            assert!(matches!(&block, Err(error) if *error.kind() == AttachErrorKind::NotFound));
            let samples = Subscriber::attach(&key, &options).map(drop);
            assert!(matches!(&samples, Err(error) if *error.kind() == AttachErrorKind::NotFound));
        }
        Successor::Remover => {
            let removed = segment::remove(&key, &options, segment::Removal::IfUnused);
            assert!(matches!(&removed, Err(error) if *error.kind() == RemoveErrorKind::NotFound));
        }
    }
    assert_empty(scene);
    drop(Block::create(&key, BLOCK, &options).unwrap());
    assert_empty(scene);
}

/// Nobody is there, but the segment was to be kept.
fn kept(operation: &Operation, scene: &Scene) {
    let (key, options) = (key(scene), options(scene));
    assert_eq!(attached(scene), [] as [u32; 0]);
    let mut subscriber = Subscriber::attach(&key, &options).unwrap();
    assert_found(operation, subscriber.latest().unwrap().as_ref());
    let newcomer = Publisher::open(&key, &options).unwrap();
    assert!(!newcomer.created());
    publish(&newcomer, (3, SMALL)).unwrap();
    assert_eq!(shown(&mut subscriber), (3, SMALL));
    assert!(!newcomer.detach().removed, "it is persistent");
    drop(subscriber);
    segment::remove(&key, &options, segment::Removal::IfUnused).unwrap();
    assert_empty(scene);
}

fn block_goes_on(scene: &Scene, company: &Block<ReadWrite>, successor: Successor, abandoned: bool) {
    let newcomer = || Block::open_or_create(&key(scene), BLOCK, &options(scene)).unwrap();
    match successor {
        Successor::Newcomer => lock_is(&newcomer(), abandoned),
        Successor::List => {
            assert_eq!(attached(scene), [process::id()]);
            lock_is(company, abandoned);
        }
        _ => lock_is(company, abandoned),
    }
    lock_is(company, false);
    let second = newcomer();
    lock_is(&second, false);
    assert_eq!(attached(scene), [process::id(); 2]);
    second.lock().unwrap().ignore_abandonment().fill(9);
    drop(second);
    let (bytes, _) = company.snapshot(SOON).unwrap();
    assert_eq!(bytes, [9; BLOCK]);
}

fn semaphore_goes_on(scene: &Scene, company: &Semaphore, successor: Successor) {
    let newcomer = || Semaphore::open_or_create(&key(scene), 9, &options(scene)).unwrap();
    match successor {
        Successor::Newcomer => units_are_all_there(&newcomer(), UNITS - COMPANYS_UNITS),
        Successor::List => assert_eq!(attached(scene), [process::id()]),
        _ => {}
    }
    units_are_all_there(company, UNITS - COMPANYS_UNITS);
    assert_eq!(company.held().unwrap(), COMPANYS_UNITS);
    company.release(COMPANYS_UNITS).unwrap();
    units_are_all_there(&newcomer(), UNITS);
    assert_eq!((company.available(), company.held().unwrap()), (UNITS, 0));
}

/// Acquires all that is left in time, and not one unit more.
fn units_are_all_there(semaphore: &Semaphore, units: u32) {
    let (acquired, time) = timed(|| semaphore.acquire(units, SOON));
    acquired.unwrap();
    assert!(time < SOON, "the units took {time:?}");
    assert!(!semaphore.try_acquire(1).unwrap(), "a unit was made");
    semaphore.release(units).unwrap();
}

fn samples_go_on(
    operation: &Operation,
    scene: &Scene,
    (publisher, mut subscriber, pinned): (Publisher, Subscriber, Sample),
    successor: Successor,
) {
    let (key, options) = (key(scene), options(scene));
    if successor == Successor::List {
        assert_eq!(attached(scene), [process::id()]);
    }
    let found = subscriber.latest().unwrap().as_ref().map(number);
    let mut other = Subscriber::attach(&key, &options).unwrap();
    assert_eq!(other.latest().unwrap().as_ref().map(number), found);
    assert!(operation.found.contains(&found), "found {found:?}");
    assert_in_order(scene, found);

    let newcomer = (successor == Successor::Newcomer).then(|| {
        let newcomer = Publisher::open(&key, &options).unwrap();
        publishes(&newcomer, (3, 5000), &mut [&mut subscriber, &mut other]);
        newcomer
    });
    for next in 0..AFTERWARDS {
        publishes(&publisher, (100 + next, SMALL), &mut [&mut subscriber]);
    }
    let newcomer = newcomer.unwrap_or_else(|| Publisher::open(&key, &options).unwrap());
    assert!(!newcomer.created());
    publishes(&newcomer, (4, SMALL), &mut [&mut subscriber, &mut other]);
    let memory = segment::info(&key, &options).unwrap().reserved_bytes;
    assert!(memory <= MEMORY, "{memory} bytes are in use");

    assert_eq!(number(&pinned), PINNED, "the pin held");
    drop(pinned);
    assert_eq!(publisher.clear().unwrap(), 0, "nothing is pinned");
    assert_blank(scene);
    let loans: Vec<_> = std::iter::from_fn(|| newcomer.loan(5000).ok()).collect();
    assert_eq!(loans.len(), layout::REGIONS, "every region can be claimed");
    drop(loans);
    drop((newcomer, other, subscriber));
    assert!(publisher.detach().removed, "the last one out");
    assert_empty(scene);
}

/// Publishes a sample in time, and has subscribers find it.
fn publishes(publisher: &Publisher, sample: (u64, usize), subscribers: &mut [&mut Subscriber]) {
    let (published, time) = timed(|| publish(publisher, sample));
    published.unwrap();
    assert!(time < SOON, "publishing took {time:?}");
    for subscriber in subscribers {
        assert_eq!(shown(subscriber), sample);
    }
}

/// Reads all that the ring has: whole samples, in order, the last of them the newest.
fn assert_in_order(scene: &Scene, newest: Found) {
    let subscriber = Subscriber::attach(&key(scene), &options(scene)).unwrap();
    let mut subscriber = subscriber.from_oldest();
    let (mut last, mut sequence) = (None, 0);
    loop {
        match subscriber.next(Duration::ZERO).unwrap() {
            Next::Sample(sample) => {
                assert!(sample.sequence() > sequence, "{sample:?} after {sequence}");
                sequence = sample.sequence();
                last = Some(number(&sample));
            }
            Next::Cleared { .. } => last = None,
            _ => break,
        }
    }
    // A cleared ring has nothing but the clearing, which is no news for who comes late.
    assert!(
        newest.is_none() || last == newest,
        "{last:?} is not {newest:?}"
    );
}

fn shown(subscriber: &mut Subscriber) -> (u64, usize) {
    number(&subscriber.latest().unwrap().unwrap())
}

fn assert_found(operation: &Operation, sample: Option<&Sample>) {
    let found: Found = sample.map(number);
    assert!(operation.found.contains(&found), "found {found:?}");
}

/// Takes the lock in time, is told of a death exactly where there was one, and repairs.
fn lock_is(block: &Block<ReadWrite>, abandoned: bool) {
    let (locked, time) = timed(|| block.lock_for(SOON).unwrap());
    assert!(time < SOON, "the lock took {time:?}");
    assert_eq!(matches!(locked, Locked::Abandoned(_)), abandoned);
    drop(locked.repair_with(|bytes| bytes.fill(0)));
}

/// Process ids of who is attached for writing; the segment is the only one that is listed.
fn attached(scene: &Scene) -> Vec<u32> {
    let listed = segment::list(&options(scene)).unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let info = listed[0].segment.as_ref().unwrap();
    info.attached.iter().map(|one| one.process.pid()).collect()
}

fn assert_empty(scene: &Scene) {
    let listed = segment::list(&options(scene)).unwrap();
    assert!(listed.is_empty(), "{listed:?}");
    let left: Vec<_> = fs::read_dir(scene.segments())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// Asserts that of all that was ever published not a byte is left.
fn assert_blank(scene: &Scene) {
    let file = File::open(scene.segment()).unwrap();
    let memory = segment::info(&key(scene), &options(scene)).unwrap();
    assert!(memory.reserved_bytes <= MEMORY, "{memory:?}");
    let mut ring = vec![0; usize::try_from(RING_BYTES).unwrap()];
    file.read_exact_at(&mut ring, layout::RING as u64).unwrap();
    // The record that says so is all there is.
    let lines = ring
        .chunks(64)
        .filter(|line| line.iter().any(|byte| *byte != 0));
    assert_eq!(lines.count(), 1, "the ring still holds something");
    for region in 1..=layout::REGIONS as u64 {
        let mut memory = vec![0; REGION];
        let length = file
            .read_at(&mut memory, region * layout::REGION_STRIDE)
            .unwrap();
        let blank = memory[..length].iter().all(|byte| *byte == 0);
        assert!(blank, "region {region} still holds something");
    }
}
