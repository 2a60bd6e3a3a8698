//! Our side of tests/qt: runs with `qt_bridge` the commands that tests/qt-peer/main.cpp runs with
//! Qt, by the same names.
//!
//! Two commands have no counterpart in Qt: `timeout` sets how long an operation may wait, and
//! `publish` replaces any present content.

use std::error::Error;
use std::fs;
use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use qt_bridge::{
    Departure, Form, LockError, Meaning, Publisher, QtKey, ReadOnly, ReadWrite, Segment,
    SegmentError, Semaphore, Stream, Value,
};
use shm_core::Message;

fn main() -> io::Result<()> {
    let mut actor = Actor {
        timeout: Duration::from_secs(30),
        ..Actor::default()
    };
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split('\t').collect();
        match actor.run(&words) {
            Ok(answer) => println!("> ok {answer}"),
            Err(error) => println!("> error {}: {error}", qt_error_name(error.as_ref())),
        }
    }
    // Without further commands it detaches in order.
    if let Some(Memory::Locked(holder)) = actor.memory.take() {
        drop(holder.stop());
    }
    Ok(())
}

type Answer = Result<String, Box<dyn Error>>;

#[derive(Default)]
struct Actor {
    timeout: Duration,
    key: Option<QtKey>,
    memory: Option<Memory>,
    publisher: Option<Publisher>,
    semaphore: Option<Semaphore>,
}

enum Memory {
    Writable(Segment<ReadWrite>),
    Readable(Segment<ReadOnly>),
    Locked(Holder),
}

/// A thread that holds the lock until it is told to release it, because a guard cannot outlive a
/// command.
struct Holder {
    detach: mpsc::Sender<()>,
    thread: JoinHandle<(Segment<ReadWrite>, Result<(), LockError>)>,
}

impl Holder {
    /// Takes the lock; on failure the segment is returned.
    fn start(
        mut segment: Segment<ReadWrite>,
        timeout: Duration,
    ) -> Result<Self, Box<(Segment<ReadWrite>, LockError)>> {
        let (detach, told) = mpsc::channel();
        let (tell, taken) = mpsc::channel();
        let thread = thread::spawn(move || {
            let result = match segment.lock(timeout) {
                Ok(guard) => {
                    tell.send(true).ok();
                    // There is no receiver if the program ends.
                    told.recv().ok();
                    guard.unlock()
                }
                Err(error) => {
                    tell.send(false).ok();
                    Err(error)
                }
            };
            (segment, result)
        });
        let holder = Self { detach, thread };
        if taken.recv().unwrap_or(false) {
            return Ok(holder);
        }
        match holder.thread.join() {
            Ok((segment, Err(error))) => Err(Box::new((segment, error))),
            _ => panic!("the thread reports why it has no lock"),
        }
    }

    fn stop(self) -> (Segment<ReadWrite>, Result<(), LockError>) {
        self.detach.send(()).ok();
        self.thread
            .join()
            .unwrap_or_else(|_| panic!("the thread does not panic"))
    }
}

impl Actor {
    fn run(&mut self, words: &[&str]) -> Answer {
        let word = |index: usize| words.get(index).copied().unwrap_or_default();
        match word(0) {
            "timeout" => {
                self.timeout = Duration::from_millis(word(1).parse()?);
                Ok(String::new())
            }
            "key" => {
                let key: QtKey = word(1).parse()?;
                self.publisher = Some(Publisher::new(&key, self.timeout));
                self.key = Some(key);
                self.memory = None;
                Ok(String::new())
            }
            "create" => {
                let segment = Segment::create(self.key()?, word(1).parse()?, self.timeout)?;
                self.memory = Some(Memory::Writable(segment));
                Ok(String::new())
            }
            "attach" => self.attach(word(1) == "ro"),
            "detach" => self.detach(),
            "lock" => self.lock(),
            "unlock" => self.unlock(),
            "size" => Ok(self.size().to_string()),
            "load" | "publish" => self.load(word(0) == "publish", word(1), word(2)),
            "read" => self.read(word(1), word(2)),
            "add" => self.add(word(1).parse()?),
            "forget" => {
                self.memory = None;
                self.publisher = None;
                Ok(String::new())
            }
            "remove" => {
                qt_bridge::remove(self.key()?, word(1) == "force")?;
                Ok(String::new())
            }
            "semaphore" => self.use_semaphore(word(1), word(2).parse()?, word(3)),
            "acquire" => {
                let timeout = self.timeout;
                self.semaphore()?.acquire(timeout)?;
                Ok(String::new())
            }
            "release" => {
                self.semaphore()?.release(word(1).parse()?)?;
                Ok(String::new())
            }
            "bench" => self.bench(word(1).parse()?),
            other => Err(format!("{other} is no command").into()),
        }
    }

    fn key(&self) -> Result<&QtKey, Box<dyn Error>> {
        self.key.as_ref().ok_or_else(|| "no key".into())
    }

    fn semaphore(&mut self) -> Result<&mut Semaphore, Box<dyn Error>> {
        self.semaphore.as_mut().ok_or_else(|| "no semaphore".into())
    }

    fn writable(&mut self) -> Result<&mut Segment<ReadWrite>, Box<dyn Error>> {
        match &mut self.memory {
            Some(Memory::Writable(segment)) => Ok(segment),
            _ => Err("not attached for writing".into()),
        }
    }

    fn size(&self) -> usize {
        match &self.memory {
            Some(Memory::Writable(segment)) => segment.size(),
            Some(Memory::Readable(segment)) => segment.size(),
            Some(Memory::Locked(_)) | None => 0,
        }
    }

    fn attach(&mut self, is_read_only: bool) -> Answer {
        let key = self.key()?;
        self.memory = Some(if is_read_only {
            Memory::Readable(Segment::attach_read_only(key, self.timeout)?)
        } else {
            Memory::Writable(Segment::attach(key, self.timeout)?)
        });
        Ok(String::new())
    }

    fn detach(&mut self) -> Answer {
        let departure = match self.memory.take() {
            Some(Memory::Writable(segment)) => segment.detach(),
            Some(Memory::Readable(segment)) => segment.detach(),
            Some(Memory::Locked(_)) | None => return Err("not attached".into()),
        };
        Ok(match departure {
            Departure::Removed => "removed",
            Departure::InUse => "in use",
            Departure::Kept => "kept",
        }
        .to_owned())
    }

    fn lock(&mut self) -> Answer {
        match self.memory.take() {
            Some(Memory::Writable(segment)) => match Holder::start(segment, self.timeout) {
                Ok(holder) => {
                    self.memory = Some(Memory::Locked(holder));
                    Ok(String::new())
                }
                Err(failed) => {
                    let (segment, error) = *failed;
                    self.memory = Some(Memory::Writable(segment));
                    Err(error.into())
                }
            },
            other => {
                self.memory = other;
                Err("not attached for writing, or locked".into())
            }
        }
    }

    fn unlock(&mut self) -> Answer {
        match self.memory.take() {
            Some(Memory::Locked(holder)) => {
                let (segment, result) = holder.stop();
                self.memory = Some(Memory::Writable(segment));
                result?;
                Ok(String::new())
            }
            other => {
                self.memory = other;
                Err("not locked".into())
            }
        }
    }

    fn load(&mut self, is_published: bool, form: &str, path: &str) -> Answer {
        let form: Form = form.parse()?;
        let message = match path {
            "null" => None,
            path if form == Form::QImage => Form::QImage.read(&png_stream(path)?)?.into_message(),
            path => Some(Message::bytes("", None, fs::read(path)?)),
        };
        let message = match message {
            // As bytes it would be written without the terminating NUL of a string.
            Some(Message::Bytes { data, .. }) if form == Form::Raw => {
                Some(Message::Text(String::from_utf8(data)?))
            }
            message => message,
        };
        let stream = match &message {
            Some(message) => Stream::new(message, form)?,
            None => Stream::null(form),
        };
        if is_published {
            let publisher = self.publisher.as_mut().ok_or("no key")?;
            publisher.publish(&stream)?;
            return Ok(String::new());
        }
        self.memory = None;
        let timeout = self.timeout;
        let mut segment = Segment::create(self.key()?, stream.size(), timeout)?;
        let mut guard = segment.lock(timeout)?;
        stream.write_to(&mut guard.writer())?;
        guard.unlock()?;
        self.memory = Some(Memory::Writable(segment));
        Ok(String::new())
    }

    fn read(&mut self, form: &str, path: &str) -> Answer {
        let form = match form {
            "recognised" => None,
            form => Some(form.parse::<Form>()?),
        };
        let reading = qt_bridge::read(self.key()?, form, self.timeout)?;
        let is_null = match &reading.value {
            Value::Text(text) => text.is_none(),
            Value::Bytes(bytes) => bytes.is_none(),
            Value::Picture(picture) => picture.is_none(),
        };
        match reading.value.into_message() {
            // The stream of a picture is a PNG file after four bytes.
            Some(image @ Message::Image { .. }) => {
                fs::write(path, &Stream::new(&image, Form::QImage)?.to_vec()[4..])?;
            }
            Some(message) => fs::write(path, message.payload())?,
            None => fs::write(path, "")?,
        }
        let null = if is_null { "null " } else { "" };
        Ok(format!("{null}{}", reading.form))
    }

    fn add(&mut self, count: u32) -> Answer {
        let timeout = self.timeout;
        let segment = self.writable()?;
        for _ in 0..count {
            let mut guard = segment.lock(timeout)?;
            let mut number = [0; 8];
            guard.copy_to(0, &mut number)?;
            let sum = u64::from_ne_bytes(number) + 1;
            guard.copy_from(0, &sum.to_ne_bytes())?;
            guard.unlock()?;
        }
        Ok(String::new())
    }

    fn use_semaphore(&mut self, key: &str, initial: u16, mode: &str) -> Answer {
        let key: QtKey = key.parse()?;
        self.semaphore = Some(match mode {
            "create" => Semaphore::create(&key, initial)?,
            _ => Semaphore::open(&key, initial)?,
        });
        Ok(String::new())
    }

    fn bench(&mut self, count: u32) -> Answer {
        let timeout = self.timeout;
        let segment = self.writable()?;
        let began = Instant::now();
        for _ in 0..count {
            drop(segment.lock(timeout)?);
        }
        Ok((began.elapsed() / count).as_nanos().to_string())
    }
}

fn png_stream(path: &str) -> io::Result<Vec<u8>> {
    let file = fs::read(path)?;
    Ok([&1u32.to_be_bytes()[..], &file].concat())
}

/// Returns the name of the corresponding Qt error.
fn qt_error_name(error: &(dyn Error + 'static)) -> String {
    let segment = error.downcast_ref::<SegmentError>();
    let segment = segment.map(SegmentError::meaning);
    let lock = error.downcast_ref::<LockError>().map(LockError::meaning);
    let published = match error.downcast_ref() {
        Some(qt_bridge::PublishError::Segment(error)) => Some(error.meaning()),
        Some(qt_bridge::PublishError::Lock(error)) => Some(error.meaning()),
        _ => None,
    };
    let read = match error.downcast_ref() {
        Some(qt_bridge::ReadingError::Segment(error)) => Some(error.meaning()),
        Some(qt_bridge::ReadingError::Lock(error)) => Some(error.meaning()),
        _ => None,
    };
    let key = error.downcast_ref::<qt_bridge::KeyError>();
    let meaning = segment.or(lock).or(published).or(read);
    let meaning = meaning.or(key.map(|_| Meaning::KeyError));
    meaning.map_or_else(|| "Misuse".to_owned(), |meaning| format!("{meaning:?}"))
}
