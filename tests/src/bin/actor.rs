//! A scripted peer: runs the library call that each line of its standard input names.
//!
//! Answers each line with one line, `ok …` or `error …`, so that a test waits for answers and not
//! for time. The first argument is the key, the optional second one the user id of the segment's
//! owner. The directory comes from `SHM_CORE_DIR`, the size of a ring that it creates from
//! `ACTOR_RING_BYTES`; with `ACTOR_NO_NOTIFY` its publications do not wake subscribers.

#[path = "actor/semaphore.rs"]
mod semaphore;

use std::error::Error;
use std::io::{self, BufRead, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use shm_core::presence::{PresenceClient, PresenceServer, Viewer};
use shm_core::segment::Watch;
use shm_core::{
    Block, Guard, Key, KeyWatch, Loan, LockState, Locked, Metadata, Options, Publisher, ReadOnly,
    ReadWrite, Sample, Subscriber, segment,
};

/// Fills a payload for the readers' check: each byte is the low byte of the number in the first
/// eight.
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
    let options = options.notify(std::env::var_os("ACTOR_NO_NOTIFY").is_none());
    let actor = Actor { key, options };
    let mut state = State::default();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match actor.act(&words, &mut state) {
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

/// Everything that the actor keeps from one line to the next. Handles that a guard or a loan
/// borrows are leaked: an actor is short-lived.
#[derive(Default)]
struct State {
    block: Option<&'static Block<ReadWrite>>,
    guard: Option<Guard<'static, ReadWrite>>,
    reader: Option<Block<ReadOnly>>,
    publisher: Option<&'static Publisher>,
    loans: Vec<Loan<'static>>,
    subscriber: Option<Subscriber>,
    samples: Vec<Sample>,
    joined: Option<Box<dyn FnOnce() -> bool>>,
    server: Option<(PresenceServer, Receiver<Vec<Viewer>>)>,
    client: Option<PresenceClient>,
    listeners: Vec<UnixListener>,
    watches: Vec<OwnedFd>,
    semaphore: semaphore::SemaphoreHandle,
}

impl Actor {
    fn act(&self, words: &[&str], state: &mut State) -> Result<String, Box<dyn Error>> {
        match *words {
            ["create", size] => {
                let block = Block::create(&self.key, size.parse()?, &self.options)?;
                state.block = Some(Box::leak(Box::new(block)));
            }
            ["attach"] => {
                let block = Block::attach(&self.key, &self.options)?;
                state.block = Some(Box::leak(Box::new(block)));
            }
            ["lock", milliseconds] => {
                let block = state.block.ok_or("not attached")?;
                let timeout = Duration::from_millis(milliseconds.parse()?);
                return Ok(match block.lock_for(timeout)? {
                    Locked::Clean(guard) => {
                        state.guard = Some(guard);
                        "clean".into()
                    }
                    Locked::Abandoned(abandoned) => {
                        state.guard = Some(abandoned.repaired());
                        "abandoned".into()
                    }
                });
            }
            ["unlock"] => state.guard = None,
            ["count", rounds] => {
                let block = state.block.ok_or("not attached")?;
                for _ in 0..rounds.parse::<u64>()? {
                    let mut guard = block.lock()?.ignore_abandonment();
                    let seen: u64 = guard.read(0)?;
                    guard.write(0, &(seen + 1))?;
                }
            }
            ["number"] => {
                let block = state.block.ok_or("not attached")?;
                let number: u64 = block.lock()?.ignore_abandonment().read(0)?;
                return Ok(number.to_string());
            }
            ["semaphore", ref words @ ..] => {
                return state.semaphore.act(words, &self.key, &self.options);
            }
            _ => return self.act_on_changes(words, state),
        }
        Ok(String::new())
    }

    /// Announces changes of the block and waits for them; locks it without a guard.
    fn act_on_changes(&self, words: &[&str], state: &mut State) -> Result<String, Box<dyn Error>> {
        match *words {
            ["announce"] => state.guard.take().ok_or("the lock is not held")?.announce(),
            ["detached", "lock"] => {
                let block = state.block.ok_or("not attached")?;
                let state = block.lock_detached(None)?;
                return Ok((state == LockState::Abandoned).to_string());
            }
            ["detached", "announce"] => state.block.ok_or("not attached")?.announce()?,
            ["detached", "unlock"] => state.block.ok_or("not attached")?.unlock_detached()?,
            ["attach", "read-only"] => {
                let reader = Block::attach_read_only(&self.key, &self.options)?;
                state.reader = Some(reader);
            }
            ["await", "change", seen] => {
                let reader = state.reader.as_ref().ok_or("not attached read-only")?;
                println!("ok waiting");
                io::stdout().flush()?;
                return Ok(format!(
                    "{:?}",
                    reader.wait_for_change(seen.parse()?, None)?
                ));
            }
            _ => return self.act_on_names(words, state),
        }
        Ok(String::new())
    }

    /// Attaches, detaches and removes; includes the way to detach.
    fn act_on_names(&self, words: &[&str], state: &mut State) -> Result<String, Box<dyn Error>> {
        match *words {
            // Kept as a boxed closure, because a handle that is borrowed elsewhere is leaked.
            ["join", "block"] => {
                let block = Block::open_or_create(&self.key, 64, &self.options)?;
                state.joined = Some(Box::new(|| block.detach().removed));
            }
            ["join", "samples"] => {
                let publisher = Publisher::open(&self.key, &self.options)?;
                state.joined = Some(Box::new(|| publisher.detach().removed));
            }
            // A forked child stays alive and reads the same input, so the actor takes no more
            // commands.
            ["leave", "behind", "child"] => {
                fork()?;
                return Ok(state.joined.take().ok_or("not joined")?().to_string());
            }
            ["leave"] => return Ok(state.joined.take().ok_or("not joined")?().to_string()),
            ["open", "persistent"] => {
                let options = self.options.clone().persistent(true);
                let publisher = Publisher::open(&self.key, &options)?;
                state.publisher = Some(Box::leak(Box::new(publisher)));
            }
            ["remove"] => segment::remove(&self.key, &self.options, segment::Removal::IfUnused)?,
            ["remove", "--force"] => {
                segment::remove(&self.key, &self.options, segment::Removal::Forced)?
            }
            ["watch", milliseconds] => {
                let watch = Watch::new(&self.options)?;
                println!("ok {}", watch.polling().is_some());
                io::stdout().flush()?;
                let timeout = Duration::from_millis(milliseconds.parse()?);
                return Ok(watch.wait(timeout)?.to_string());
            }
            ["await", milliseconds] => {
                let watch = KeyWatch::new(&self.key, &self.options)?;
                println!("ok {}", watch.polling().is_some());
                io::stdout().flush()?;
                let timeout = Duration::from_millis(milliseconds.parse()?);
                state.subscriber = Some(watch.attach_within(Some(timeout))?);
            }
            // Takes every inotify instance that the user may have.
            ["exhaust", "inotify"] => {
                let flags = rustix::fs::inotify::CreateFlags::CLOEXEC;
                state
                    .watches
                    .extend(std::iter::from_fn(|| rustix::fs::inotify::init(flags).ok()));
                return Ok(state.watches.len().to_string());
            }
            ["list"] => return Ok(segment::list(&self.options)?.len().to_string()),
            _ => return self.act_on_samples(words, state),
        }
        Ok(String::new())
    }

    fn act_on_samples(&self, words: &[&str], state: &mut State) -> Result<String, Box<dyn Error>> {
        match *words {
            ["open"] => {
                let publisher = Publisher::open(&self.key, &self.options)?;
                state.publisher = Some(Box::leak(Box::new(publisher)));
            }
            ["loan", size] => {
                let publisher = state.publisher.ok_or("no publisher")?;
                let mut loan = publisher.loan(size.parse()?)?;
                fill(&mut loan, 255);
                state.loans.push(loan);
            }
            ["publish", number, size] => {
                let publisher = state.publisher.ok_or("no publisher")?;
                publish(publisher, number.parse()?, size.parse()?)?;
            }
            ["copy", number, size] => {
                let publisher = state.publisher.ok_or("no publisher")?;
                let mut payload = vec![0; size.parse()?];
                fill(&mut payload, number.parse()?);
                publisher.publish(&octets(), &payload)?;
            }
            ["copies", count, size] => {
                let publisher = state.publisher.ok_or("no publisher")?;
                let (metadata, payload) = (octets(), vec![7; size.parse()?]);
                for _ in 0..count.parse()? {
                    publisher.publish(&metadata, &payload)?;
                }
            }
            ["flood", size] => {
                // Until killed: sizes around the given one, some of them small.
                let publisher = state.publisher.ok_or("no publisher")?;
                let size: usize = size.parse()?;
                println!("ok flooding");
                io::stdout().flush()?;
                for number in 1.. {
                    let divisor = [1, 2, 40, 3][usize::try_from(number % 4)?];
                    publish(publisher, number, (size / divisor).max(8))?;
                }
            }
            ["subscribe"] => {
                state.subscriber = Some(Subscriber::attach(&self.key, &self.options)?);
            }
            ["pin"] => {
                let subscriber = state.subscriber.as_mut().ok_or("no subscriber")?;
                let sample = subscriber.latest()?.ok_or("nothing there")?;
                let sequence = sample.sequence();
                state.samples.push(sample);
                return Ok(sequence.to_string());
            }
            ["wait", milliseconds] => {
                let subscriber = state.subscriber.as_mut().ok_or("no subscriber")?;
                let timeout = Duration::from_millis(milliseconds.parse()?);
                return Ok(format!("{:?}", subscriber.wait(timeout)?));
            }
            _ => return self.act_on_presence(words, state),
        }
        Ok(String::new())
    }

    /// Connects as a viewer, and reports viewers.
    fn act_on_presence(&self, words: &[&str], state: &mut State) -> Result<String, Box<dyn Error>> {
        match *words {
            ["connect"] => {
                let id = segment::info(&self.key, &self.options)?.id;
                state.client = Some(PresenceClient::connect(id, &self.options)?);
            }
            ["show", sequence, milliseconds] => {
                let client = state.client.as_ref().ok_or("not connected")?;
                let took = Duration::from_millis(milliseconds.parse()?);
                client.report(sequence.parse::<u64>()?, took);
            }
            ["listen"] => {
                let publisher = state.publisher.ok_or("no publisher")?;
                let (sender, told) = mpsc::channel();
                let tell = move |watchers: &[Viewer]| drop(sender.send(watchers.to_vec()));
                state.server = Some((PresenceServer::listen(publisher, tell)?, told));
            }
            // Waits until any report arrives.
            ["viewers"] => {
                let (_, told) = state.server.as_ref().ok_or("no server")?;
                let watchers: Vec<String> = told.recv()?.iter().map(described).collect();
                return Ok(watchers.join(", "));
            }
            _ => return act_on_sockets(words, state),
        }
        Ok(String::new())
    }
}

/// Connects to sockets without the library, or creates some.
fn act_on_sockets(words: &[&str], state: &mut State) -> Result<String, Box<dyn Error>> {
    match *words {
        // Sends the greeting of docs/PRESENCE.md, and waits until the connection is closed.
        ["greet", path] => {
            let mut stream = match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Ok("refused".into());
                }
                other => other?,
            };
            let mut greeting =
                b"SHM-PRES\x01\0\0\0\x67\x12\0\0\xcd\xab\0\0\0\0\0\0intruder".to_vec();
            greeting.resize(64, 0);
            // Either call may fail: then the connection was closed.
            let _ended = stream
                .write_all(&greeting)
                .and_then(|()| stream.read(&mut [0]));
            return Ok("closed".into());
        }
        ["bind", path] => {
            let listener = UnixListener::bind(path)?;
            listener.set_nonblocking(true)?;
            state.listeners.push(listener);
        }
        // Everything that closed connections have sent to the listener sockets so far.
        ["received"] => {
            let mut said = String::new();
            for (mut stream, _) in state.listeners.iter().flat_map(UnixListener::accept) {
                stream.read_to_string(&mut said)?;
            }
            return Ok(format!("{said:?}"));
        }
        _ => return act_on_block_bytes(words, state),
    }
    Ok(String::new())
}

/// Program, process id, and the sequence that it reported.
fn described(watcher: &Viewer) -> String {
    let shown = watcher.report.map(|shown| shown.sequence.to_string());
    let shown = shown.unwrap_or_else(|| "-".into());
    format!("{} {} {shown}", watcher.program, watcher.process)
}

fn act_on_block_bytes(words: &[&str], state: &mut State) -> Result<String, Box<dyn Error>> {
    match *words {
        // Writes into the block while it holds the lock.
        ["scrawl", bytes] => {
            let guard = state.guard.as_mut().ok_or("the lock is not held")?;
            guard[..bytes.parse()?].fill(255);
        }
        ["clear"] => {
            let publisher = state.publisher.ok_or("no publisher")?;
            return Ok(publisher.clear()?.to_string());
        }
        ["others"] => {
            let publisher = state.publisher.ok_or("no publisher")?;
            return Ok(publisher.peers().len().to_string());
        }
        ["fork"] => return Ok(fork()?.to_string()),
        _ => return act_on_loans(words, state),
    }
    Ok(String::new())
}

/// Runs the steps of `publish` one at a time, and the way back from each.
fn act_on_loans(words: &[&str], state: &mut State) -> Result<String, Box<dyn Error>> {
    match *words {
        ["lend", size] => {
            let publisher = state.publisher.ok_or("no publisher")?;
            state.loans.push(publisher.loan(size.parse()?)?);
        }
        ["fill", number] => {
            let loan = state.loans.last_mut().ok_or("nothing on loan")?;
            fill(loan, number.parse()?);
        }
        ["grow", size] => {
            let loan = state.loans.last_mut().ok_or("nothing on loan")?;
            loan.resize(size.parse()?)?;
        }
        ["send"] => {
            let loan = state.loans.pop().ok_or("nothing on loan")?;
            return Ok(loan.publish(&octets())?.to_string());
        }
        ["forget"] => drop(state.loans.pop()),
        ["unpin"] => drop(state.samples.pop()),
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

/// Forks without exec and returns the child's process id. The child keeps every descriptor except
/// its outputs, does nothing, and exits when the actor's input ends.
#[expect(unsafe_code, reason = "no safe API forks")]
fn fork() -> io::Result<i32> {
    let (mut started, start) = io::pipe()?;
    // SAFETY: the actor has only one thread, so the child finds every structure intact; the child
    // makes plain system calls and exits without running any code of the parent.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => wait_as_child(&start),
        child => {
            drop(start);
            // The end of the pipe: the child has run the library's fork handler.
            started.read_to_end(&mut Vec::new())?;
            Ok(child)
        }
    }
}

#[expect(unsafe_code, reason = "a forked child may only make system calls")]
fn wait_as_child(start: &PipeWriter) -> ! {
    for output in [libc::STDOUT_FILENO, libc::STDERR_FILENO, start.as_raw_fd()] {
        // SAFETY: no code in this process uses these descriptors any more. The test waits for the
        // end of the outputs, and the parent for that of the pipe.
        unsafe { libc::close(output) };
    }
    let mut byte = 0_u8;
    // SAFETY: one byte is writable at that address.
    while unsafe { libc::read(libc::STDIN_FILENO, (&raw mut byte).cast(), 1) } > 0 {}
    // SAFETY: the call only ends the process.
    unsafe { libc::_exit(0) }
}
