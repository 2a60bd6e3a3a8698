//! Semaphores between processes that are killed, stopped and refused.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use e2e_tests::layout::LAST;
use e2e_tests::{Fixture, OtherUser, Schema, Signal};
use shm_core::{Semaphore, segment};

use crate::actor::{Actor, key, options, timed};
use crate::permission::{SharedDirectory, other_users_actor};

/// The limit for the return of a dead process's units. It takes about 20 ms; the rest is for a
/// loaded machine.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(2);
/// A timeout that no wait of these tests reaches.
const LONG: Duration = Duration::from_secs(60);

fn attached_actor(fixture: &Fixture) -> Actor {
    let mut actor = Actor::new(fixture);
    actor.run("semaphore open");
    actor
}

/// Returns the number of changes of the semaphore's word, modulo 2^16.
fn changes(fixture: &Fixture) -> u16 {
    let file = File::open(fixture.segment()).unwrap();
    let mut sequence = [0; 2];
    file.read_exact_at(&mut sequence, LAST as u64 + 2).unwrap();
    u16::from_le_bytes(sequence)
}

/// Waits until a waiter has set the bit in the word that it sleeps.
fn await_sleeper_bit(fixture: &Fixture) {
    let file = File::open(fixture.segment()).unwrap();
    let mut low = [0; 2];
    while low[1] & 0x80 == 0 {
        file.read_exact_at(&mut low, LAST as u64).unwrap();
        thread::yield_now();
    }
}

/// Waits until a thread of this process sleeps on a futex.
fn await_sleep(thread: rustix::thread::Pid) {
    let call = format!("/proc/self/task/{}/syscall", thread.as_raw_nonzero());
    let futex = format!("{} ", libc::SYS_futex);
    while !std::fs::read_to_string(&call).unwrap().starts_with(&futex) {
        thread::yield_now();
    }
}

#[test]
fn a_waiter_gets_the_unit_of_a_rival_that_was_woken_first_and_killed() {
    let fixture = Fixture::new();
    let releasing = Semaphore::create(&key(&fixture), 0, &options(&fixture)).unwrap();
    let waiting = Semaphore::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut repeats = 0;
    let mut times = [(); 5].map(|()| {
        let mut rival = attached_actor(&fixture);
        rival.send("semaphore acquire 1 60000");
        await_sleeper_bit(&fixture);
        thread::scope(|scope| {
            // The rival was first in the kernel's queue, but a waiter goes to the end of that queue
            // after each 20 ms of sleep: the release may wake the waiter of this process instead.
            let waiter = loop {
                let (sender, asleep) = std::sync::mpsc::channel();
                let waiting = &waiting;
                let waiter = scope.spawn(move || {
                    sender.send(rustix::thread::gettid()).unwrap();
                    waiting.acquire(1, LONG)
                });
                await_sleep(asleep.recv().unwrap());
                releasing.release(1).unwrap();
                while releasing.available() > 0 {
                    thread::yield_now();
                }
                if waiting.held().unwrap() == 0 {
                    break waiter;
                }
                waiter.join().unwrap().unwrap();
                assert_eq!(waiting.forget(1).unwrap(), 1);
                repeats += 1;
            };
            rival.wait_done("acquire");
            let (waited, time) = timed(|| {
                rival.kill();
                waiter.join().unwrap()
            });
            waited.unwrap();
            assert_eq!(waiting.forget(1).unwrap(), 1);
            time
        })
    });
    times.sort_unstable();
    println!("{times:?} after the kill, {repeats} rounds repeated");
    // It takes 20 ms at most. A loaded machine may take longer, but not in most rounds.
    assert!(times[2] < Duration::from_millis(500), "{times:?}");
}

#[test]
fn units_of_a_killed_holder_are_returned_to_a_waiter() {
    let fixture = Fixture::new();
    let ours = Semaphore::create(&key(&fixture), 2, &options(&fixture)).unwrap();
    let mut longest = Duration::ZERO;
    for _ in 0..10 {
        let mut holder = attached_actor(&fixture);
        holder.run("semaphore acquire 2 1000");
        let waiter = thread::scope(|scope| {
            let waiter = scope.spawn(|| ours.acquire(2, LONG));
            await_sleeper_bit(&fixture);
            let (waited, time) = timed(|| {
                holder.kill();
                waiter.join().unwrap()
            });
            longest = longest.max(time);
            waited
        });
        waiter.unwrap();
        ours.release(2).unwrap();
    }
    println!("units of a killed holder were back within {longest:?}");
    assert!(longest < TAKEOVER_LIMIT, "{longest:?}");
    assert!(ours.detach().removed);
    fixture.assert_empty();
}

#[test]
fn a_process_in_the_slot_of_a_killed_holder_finds_its_units() {
    let fixture = Fixture::new();
    let ours = Semaphore::create(&key(&fixture), 2, &options(&fixture)).unwrap();
    let mut holder = attached_actor(&fixture);
    holder.run("semaphore acquire 2 1000");
    holder.kill();
    let mut next = attached_actor(&fixture);
    assert_eq!(next.run("semaphore units"), "2 0");
    assert!(ours.try_acquire(2).unwrap());
}

#[test]
fn forgotten_units_are_not_returned() {
    let fixture = Fixture::new();
    let ours = Semaphore::create(&key(&fixture), 3, &options(&fixture)).unwrap();
    let mut consumer = attached_actor(&fixture);
    consumer.run("semaphore acquire 3 1000");
    assert_eq!(consumer.run("semaphore forget 2"), "2");
    consumer.kill();
    assert!(!ours.try_acquire(2).unwrap());
    assert!(ours.try_acquire(1).unwrap());
    assert_eq!((ours.available(), ours.held().unwrap()), (0, 1));
}

#[test]
fn a_stopped_holder_keeps_its_units() {
    let fixture = Fixture::new();
    let ours = Semaphore::create(&key(&fixture), 1, &options(&fixture)).unwrap();
    let mut holder = attached_actor(&fixture);
    holder.run("semaphore acquire 1 1000");
    holder.program().signal(Signal::STOP);
    let refused = ours.acquire(1, Duration::from_millis(200)).unwrap_err();
    let pid = holder.program().pid().to_string();
    assert!(refused.to_string().contains(&pid), "{refused}");
    holder.program().signal(Signal::CONT);
    holder.run("semaphore release 1");
    ours.acquire(1, LONG).unwrap();
}

#[test]
fn a_detaching_holder_returns_its_units_and_the_last_one_removes() {
    let fixture = Fixture::new();
    let mut first = Actor::new(&fixture);
    first.run("semaphore create 3");
    let mut second = attached_actor(&fixture);
    first.run("semaphore acquire 2 1000");
    assert_eq!(first.run("semaphore leave"), "false");
    assert_eq!(second.run("semaphore units"), "3 0");
    // The exit of a process has the same effect.
    let mut third = attached_actor(&fixture);
    third.run("semaphore acquire 3 1000");
    drop(third.finish().done());
    assert_eq!(second.run("semaphore try 3"), "true");
    assert_eq!(second.run("semaphore leave"), "true");
    fixture.assert_empty();
}

/// The referee of the kills, two System V semaphores: see the actor. Removed on drop.
struct Referee(i32);

impl Referee {
    #[expect(unsafe_code, reason = "no safe API creates System V semaphores")]
    fn new(units: i32) -> Referee {
        // SAFETY: the call takes numbers only.
        let id = unsafe { libc::semget(libc::IPC_PRIVATE, 2, 0o600) };
        assert!(id >= 0, "{}", std::io::Error::last_os_error());
        for (which, value) in [(0, units), (1, 0)] {
            // SAFETY: the command takes a number.
            let set = unsafe { libc::semctl(id, which, libc::SETVAL, value) };
            assert_eq!(set, 0);
        }
        Referee(id)
    }

    #[expect(unsafe_code, reason = "no safe API reads System V semaphores")]
    fn violations(&self) -> i32 {
        // SAFETY: the command takes no argument.
        unsafe { libc::semctl(self.0, 1, libc::GETVAL) }
    }
}

impl Drop for Referee {
    #[expect(unsafe_code, reason = "no safe API removes System V semaphores")]
    fn drop(&mut self) {
        // SAFETY: the command takes no argument.
        unsafe { libc::semctl(self.0, 0, libc::IPC_RMID) };
    }
}

#[test]
fn kills_at_any_moment_never_create_units() {
    const UNITS: u32 = 2;
    const KILLS: u16 = 60;
    let fixture = Fixture::new();
    let ours = Semaphore::create(&key(&fixture), UNITS, &options(&fixture)).unwrap();
    let referee = Referee::new(2);
    let competitor = || {
        let mut actor = attached_actor(&fixture);
        actor.run(&format!("semaphore compete {}", referee.0));
        actor
    };
    let mut competitors: Vec<Actor> = std::iter::repeat_with(competitor).take(4).collect();
    for kill in 0..KILLS {
        // After a different number of operations each time.
        let from = changes(&fixture);
        while changes(&fixture).wrapping_sub(from) < 1 + kill * 37 % 211 {
            thread::yield_now();
        }
        competitors.remove(usize::from(kill) % 4).kill();
        competitors.push(competitor());
    }
    for competitor in competitors {
        competitor.kill();
    }
    assert_eq!(referee.violations(), 0);
    ours.acquire(UNITS, LONG).unwrap();
    assert!(!ours.try_acquire(1).unwrap(), "a unit was created");
    assert!(ours.detach().removed);
    fixture.assert_empty();
}

#[test]
fn removal_ends_every_wait() {
    let fixture = Fixture::new();
    let mut waiter = Actor::new(&fixture);
    waiter.run("semaphore create 0");
    waiter.send("semaphore acquire 1 60000");
    await_sleeper_bit(&fixture);
    segment::remove(&key(&fixture), &options(&fixture), segment::Removal::Forced).unwrap();
    let answer = waiter.wait_answer();
    assert!(answer.contains("was removed"), "{answer}");
    fixture.assert_empty();
}

#[test]
fn another_user_is_refused() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let options = options(fixture).mode(0o644);
    let ours = Semaphore::create(&key(fixture), 1, &options).unwrap();
    let mut actor = other_users_actor(&other_user, fixture);
    for line in ["semaphore open", "semaphore create 1", "remove --force"] {
        let answer = actor.try_run(line);
        assert!(answer.contains("belongs to user"), "{line}: {answer}");
    }
    drop(actor.finish().done());
    assert_eq!(ours.available(), 1);
}

#[test]
fn the_command_line_lists_inspects_and_removes_it() {
    let fixture = Fixture::new();
    let mut holder = Actor::new(&fixture);
    holder.run("semaphore create 5");
    holder.run("semaphore acquire 2 1000");

    let info = fixture.viewer(["info", "--json"]).run().done().json();
    let violations = Schema::read("info").violations(&info);
    assert!(violations.is_empty(), "{violations:#?}\n{info:#}");
    assert_eq!(info["kind"], "semaphore", "{info}");
    assert_eq!(info["bytes"], 0, "{info}");
    assert_eq!((&info["available"], &info["held"]), (&3.into(), &2.into()));
    assert_eq!(info["attached"][0]["pid"], holder.program().pid());
    let list = fixture.bare_viewer(["list", "--json"]).run().done().json();
    let violations = Schema::read("list").violations(&list);
    assert!(violations.is_empty(), "{violations:#?}\n{list:#}");
    assert_eq!(list[0]["kind"], "semaphore", "{list}");
    assert_eq!(
        (&list[0]["available"], &list[0]["held"]),
        (&3.into(), &2.into())
    );

    let told = fixture.viewer(["info"]).run().done();
    assert!(told.text().contains("3 available, 2 held"), "{told:?}");
    let told = fixture.bare_viewer(["list"]).run().done();
    assert!(told.text().contains("semaphore"), "{told:?}");
    // It has no content to show.
    drop(fixture.viewer(["show"]).run().refused("another kind"));

    drop(fixture.viewer(["remove"]).run().refused("actor"));
    fixture.viewer(["remove", "--force"]).run().done();
    assert!(
        holder
            .try_run("semaphore acquire 1 1000")
            .contains("was removed")
    );
    drop(holder.finish().done());
    fixture.assert_empty();
}
