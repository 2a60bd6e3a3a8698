//! A scripted peer: does with the library what each line of its standard input says.
//!
//! Answers each line with one line, `ok …` or `error …`, so that a test waits
//! for answers and never for time. Takes the key as its argument, and maybe the
//! user id of the segment's owner; the directory comes from `SHM_CORE_DIR`, the length of a ring that
//! it creates from `ACTOR_RING_BYTES`; with `ACTOR_WAKES_NOBODY` what it publishes wakes nobody.

#[path = "actor/semaphore.rs"]
mod semaphore;

use std::error::Error;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use shm_core::presence::{PresenceClient, PresenceServer, Viewer};
use shm_core::segment::Watch;
use shm_core::{
    Block, Guard, Key, KeyWatch, Loan, Locked, Metadata, Options, Publisher, ReadOnly, ReadWrite,
    Sample, Subscriber, segment,
};

/// What a reader checks: each byte is the low byte of the first eight, which are a number.
fn fill(bytes: &mut [u8], number: u64) {
    bytes.fill(number.to_le_bytes()[0]);
    bytes[..8].copy_from_slice(&number.to_le_bytes());
}

fn main() -> Result<(), Box<dyn Error>> {
    let key = Key::new(&std::env::args().nth(1).ok_or("the key is missing")?)?;
    let options = match std::env::args().nth(2) {
        Some(owner) => Options::new().owner(owner.parse()?),
        None => Options::new(),
    };
    let options = match std::env::var("ACTOR_RING_BYTES") {
        Ok(bytes) => options.ring_bytes(bytes.parse()?),
        Err(_) => options,
    };
    let options = options.notify(std::env::var_os("ACTOR_WAKES_NOBODY").is_none());
    let actor = Actor { key, options };
    let mut hands = Hands::default();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match actor.act(&words, &mut hands) {
            Ok(answer) => println!("ok {answer}"),
            Err(error) => println!("error {error}"),
        }
        io::stdout().flush()?;
    }
    Ok(())
}

struct Actor {
    key: Key,
    options: Options,
}

/// What the actor holds on to from one line to the next. Handles are leaked
/// where a guard or a loan borrows them: an actor does not live long.
#[derive(Default)]
struct Hands {
    block: Option<&'static Block<ReadWrite>>,
    guard: Option<Guard<'static, ReadWrite>>,
    reader: Option<Block<ReadOnly>>,
    publisher: Option<&'static Publisher>,
    loans: Vec<Loan<'static>>,
    subscriber: Option<Subscriber>,
    samples: Vec<Sample>,
    visit: Option<Box<dyn FnOnce() -> bool>>,
    server: Option<(PresenceServer, Receiver<Vec<Viewer>>)>,
    client: Option<PresenceClient>,
    traps: Vec<UnixListener>,
    watches: Vec<OwnedFd>,
    semaphore: semaphore::Participant,
}

impl Actor {
    fn act(&self, words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
        match *words {
            ["create", size] => {
                let block = Block::create(&self.key, size.parse()?, &self.options)?;
                hands.block = Some(Box::leak(Box::new(block)));
            }
            ["attach"] => {
                let block = Block::attach(&self.key, &self.options)?;
                hands.block = Some(Box::leak(Box::new(block)));
            }
            ["lock", milliseconds] => {
                let block = hands.block.ok_or("not attached")?;
                let patience = Duration::from_millis(milliseconds.parse()?);
                return Ok(match block.lock_for(patience)? {
                    Locked::Clean(guard) => {
                        hands.guard = Some(guard);
                        "clean".into()
                    }
                    Locked::Abandoned(abandoned) => {
                        hands.guard = Some(abandoned.repaired());
                        "abandoned".into()
                    }
                });
            }
            ["unlock"] => hands.guard = None,
            ["count", rounds] => {
                let block = hands.block.ok_or("not attached")?;
                for _ in 0..rounds.parse::<u64>()? {
                    let mut guard = block.lock()?.ignore_abandonment();
                    let seen: u64 = guard.read(0)?;
                    guard.write(0, &(seen + 1))?;
                }
            }
            ["number"] => {
                let block = hands.block.ok_or("not attached")?;
                let number: u64 = block.lock()?.ignore_abandonment().read(0)?;
                return Ok(number.to_string());
            }
            ["semaphore", ref words @ ..] => {
                return hands.semaphore.act(words, &self.key, &self.options);
            }
            _ => return self.act_on_changes(words, hands),
        }
        Ok(String::new())
    }

    /// Announces changes of the block and waits for them; locks it without a guard.
    fn act_on_changes(&self, words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
        match *words {
            ["announce"] => hands.guard.take().ok_or("the lock is not held")?.announce(),
            ["detached", "lock"] => {
                let block = hands.block.ok_or("not attached")?;
                return Ok(block.lock_detached(None)?.to_string());
            }
            ["detached", "announce"] => hands.block.ok_or("not attached")?.announce()?,
            ["detached", "unlock"] => hands.block.ok_or("not attached")?.unlock_detached()?,
            ["attach", "read-only"] => {
                let reader = Block::attach_read_only(&self.key, &self.options)?;
                hands.reader = Some(reader);
            }
            ["await", "change", seen] => {
                let reader = hands.reader.as_ref().ok_or("not attached read-only")?;
                println!("ok waiting");
                io::stdout().flush()?;
                return Ok(format!(
                    "{:?}",
                    reader.wait_for_change(seen.parse()?, None)?
                ));
            }
            _ => return self.act_on_names(words, hands),
        }
        Ok(String::new())
    }

    /// Comes, goes and removes, the way back included.
    fn act_on_names(&self, words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
        match *words {
            // For a visit there is a way back: what is attached to otherwise is borrowed for ever.
            ["visit", "block"] => {
                let block = Block::open_or_create(&self.key, 64, &self.options)?;
                hands.visit = Some(Box::new(|| block.detach().removed));
            }
            ["visit", "samples"] => {
                let publisher = Publisher::open(&self.key, &self.options)?;
                hands.visit = Some(Box::new(|| publisher.detach().removed));
            }
            // With a child that lives on; it reads along, so nothing more can be said to the actor.
            ["leave", "behind", "child"] => {
                fork()?;
                return Ok(hands.visit.take().ok_or("on no visit")?().to_string());
            }
            ["leave"] => return Ok(hands.visit.take().ok_or("on no visit")?().to_string()),
            ["open", "persistent"] => {
                let options = self.options.clone().persistent(true);
                let publisher = Publisher::open(&self.key, &options)?;
                hands.publisher = Some(Box::leak(Box::new(publisher)));
            }
            ["remove"] => segment::remove(&self.key, &self.options, segment::Removal::IfUnused)?,
            ["remove", "--force"] => {
                segment::remove(&self.key, &self.options, segment::Removal::Forced)?
            }
            ["watch", milliseconds] => {
                let watch = Watch::new(&self.options)?;
                println!("ok {}", watch.polling().is_some());
                io::stdout().flush()?;
                let patience = Duration::from_millis(milliseconds.parse()?);
                return Ok(watch.wait(patience)?.to_string());
            }
            ["await", milliseconds] => {
                let watch = KeyWatch::new(&self.key, &self.options)?;
                println!("ok {}", watch.polling().is_some());
                io::stdout().flush()?;
                let patience = Duration::from_millis(milliseconds.parse()?);
                hands.subscriber = Some(watch.attach_within(Some(patience))?);
            }
            // Takes all that the user may have.
            ["exhaust", "inotify"] => {
                let flags = rustix::fs::inotify::CreateFlags::CLOEXEC;
                hands
                    .watches
                    .extend(std::iter::from_fn(|| rustix::fs::inotify::init(flags).ok()));
                return Ok(hands.watches.len().to_string());
            }
            ["list"] => return Ok(segment::list(&self.options)?.len().to_string()),
            _ => return self.act_on_samples(words, hands),
        }
        Ok(String::new())
    }

    fn act_on_samples(&self, words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
        match *words {
            ["open"] => {
                let publisher = Publisher::open(&self.key, &self.options)?;
                hands.publisher = Some(Box::leak(Box::new(publisher)));
            }
            ["loan", size] => {
                let publisher = hands.publisher.ok_or("no publisher")?;
                let mut loan = publisher.loan(size.parse()?)?;
                fill(&mut loan, 255);
                hands.loans.push(loan);
            }
            ["publish", number, size] => {
                let publisher = hands.publisher.ok_or("no publisher")?;
                publish(publisher, number.parse()?, size.parse()?)?;
            }
            ["copy", number, size] => {
                let publisher = hands.publisher.ok_or("no publisher")?;
                let mut payload = vec![0; size.parse()?];
                fill(&mut payload, number.parse()?);
                publisher.publish(&octets(), &payload)?;
            }
            ["copies", count, size] => {
                let publisher = hands.publisher.ok_or("no publisher")?;
                let (metadata, payload) = (octets(), vec![7; size.parse()?]);
                for _ in 0..count.parse()? {
                    publisher.publish(&metadata, &payload)?;
                }
            }
            ["flood", size] => {
                // Until killed: sizes around the given one, small ones among them.
                let publisher = hands.publisher.ok_or("no publisher")?;
                let size: usize = size.parse()?;
                println!("ok flooding");
                io::stdout().flush()?;
                for number in 1.. {
                    let divisor = [1, 2, 40, 3][usize::try_from(number % 4)?];
                    publish(publisher, number, (size / divisor).max(8))?;
                }
            }
            ["subscribe"] => {
                hands.subscriber = Some(Subscriber::attach(&self.key, &self.options)?);
            }
            ["pin"] => {
                let subscriber = hands.subscriber.as_mut().ok_or("no subscriber")?;
                let sample = subscriber.latest()?.ok_or("nothing there")?;
                let sequence = sample.sequence();
                hands.samples.push(sample);
                return Ok(sequence.to_string());
            }
            ["wait", milliseconds] => {
                let subscriber = hands.subscriber.as_mut().ok_or("no subscriber")?;
                let patience = Duration::from_millis(milliseconds.parse()?);
                return Ok(format!("{:?}", subscriber.wait(patience)?));
            }
            _ => return self.act_on_the_link(words, hands),
        }
        Ok(String::new())
    }

    /// Watches, and knows who watches.
    fn act_on_the_link(&self, words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
        match *words {
            ["sit"] => {
                let id = segment::info(&self.key, &self.options)?.id;
                hands.client = Some(PresenceClient::connect(id, &self.options)?);
            }
            ["show", sequence, milliseconds] => {
                let client = hands.client.as_ref().ok_or("not seated")?;
                let took = Duration::from_millis(milliseconds.parse()?);
                client.report(sequence.parse()?, took);
            }
            ["gather"] => {
                let publisher = hands.publisher.ok_or("no publisher")?;
                let (sender, told) = mpsc::channel();
                let tell = move |watchers: &[Viewer]| drop(sender.send(watchers.to_vec()));
                hands.server = Some((PresenceServer::listen(publisher, tell)?, told));
            }
            // Waits until it is told anything.
            ["attends"] => {
                let (_, told) = hands.server.as_ref().ok_or("no server")?;
                let watchers: Vec<String> = told.recv()?.iter().map(described).collect();
                return Ok(watchers.join(", "));
            }
            _ => return act_on_sockets(words, hands),
        }
        Ok(String::new())
    }
}

/// Goes to sockets past the library, or makes some.
fn act_on_sockets(words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
    match *words {
        // Says the greeting of docs/PRESENCE.md, and waits until it is hung up on.
        ["knock", path] => {
            let mut door = match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Ok("refused".into());
                }
                other => other?,
            };
            let mut greeting =
                b"SHM-PRES\x01\0\0\0\x67\x12\0\0\xcd\xab\0\0\0\0\0\0stranger".to_vec();
            greeting.resize(64, 0);
            // Whichever of these fails: then it was hung up on.
            let _ended = door.write_all(&greeting).and_then(|()| door.read(&mut [0]));
            return Ok("hung up".into());
        }
        ["trap", path] => {
            let trap = UnixListener::bind(path)?;
            trap.set_nonblocking(true)?;
            hands.traps.push(trap);
        }
        // What was said to the traps until now by those who have left.
        ["caught"] => {
            let mut said = String::new();
            for (mut caught, _) in hands.traps.iter().flat_map(UnixListener::accept) {
                caught.read_to_string(&mut said)?;
            }
            return Ok(format!("{said:?}"));
        }
        _ => return act_on_the_rest(words, hands),
    }
    Ok(String::new())
}

/// Program, process id, and the sequence that was shown.
fn described(watcher: &Viewer) -> String {
    let shown = watcher.report.map(|shown| shown.sequence.to_string());
    let shown = shown.unwrap_or_else(|| "-".into());
    format!("{} {} {shown}", watcher.program, watcher.process)
}

fn act_on_the_rest(words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
    match *words {
        // Writes into the block while it holds the lock.
        ["scrawl", bytes] => {
            let guard = hands.guard.as_mut().ok_or("the lock is not held")?;
            guard[..bytes.parse()?].fill(255);
        }
        ["clear"] => {
            let publisher = hands.publisher.ok_or("no publisher")?;
            return Ok(publisher.clear()?.to_string());
        }
        ["others"] => {
            let publisher = hands.publisher.ok_or("no publisher")?;
            return Ok(publisher.peers().len().to_string());
        }
        ["fork"] => return Ok(fork()?.to_string()),
        _ => return act_on_loans(words, hands),
    }
    Ok(String::new())
}

/// What `publish` does, one thing a line, and the way back from each.
fn act_on_loans(words: &[&str], hands: &mut Hands) -> Result<String, Box<dyn Error>> {
    match *words {
        ["lend", size] => {
            let publisher = hands.publisher.ok_or("no publisher")?;
            hands.loans.push(publisher.loan(size.parse()?)?);
        }
        ["fill", number] => {
            let loan = hands.loans.last_mut().ok_or("nothing on loan")?;
            fill(loan, number.parse()?);
        }
        ["grow", size] => {
            let loan = hands.loans.last_mut().ok_or("nothing on loan")?;
            loan.resize(size.parse()?)?;
        }
        ["send"] => {
            let loan = hands.loans.pop().ok_or("nothing on loan")?;
            return Ok(loan.publish(&octets())?.to_string());
        }
        ["forget"] => drop(hands.loans.pop()),
        ["unpin"] => drop(hands.samples.pop()),
        _ => return Err(format!("unknown: {words:?}").into()),
    }
    Ok(String::new())
}

fn octets() -> Metadata {
    Metadata::bytes("application/octet-stream")
}

fn publish(publisher: &Publisher, number: u64, size: usize) -> Result<(), Box<dyn Error>> {
    let mut loan = publisher.loan(size)?;
    fill(&mut loan, number);
    loan.publish(&octets())?;
    Ok(())
}

/// Forks without exec; the child's process id. The child keeps every descriptor but its outputs,
/// does nothing, and ends when the actor's input does.
#[expect(unsafe_code, reason = "nothing safe forks")]
fn fork() -> io::Result<i32> {
    // SAFETY: the actor has one thread only, so the child finds everything whole; it makes plain
    // system calls and ends without running anything of the parent's.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => linger(),
        child => Ok(child),
    }
}

#[expect(unsafe_code, reason = "a forked child is left with system calls")]
fn linger() -> ! {
    for output in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: nothing in this process uses the outputs any more. The test waits for their end.
        unsafe { libc::close(output) };
    }
    let mut byte = 0_u8;
    // SAFETY: one byte is writable at that address.
    while unsafe { libc::read(libc::STDIN_FILENO, (&raw mut byte).cast(), 1) } > 0 {}
    // SAFETY: ends the process, and nothing else.
    unsafe { libc::_exit(0) }
}
