//! An event loop: one thread waits with epoll for three keys and for its standard input.
//!
//!     cargo run --example epoll
//!
//! Each line of the input is published under one of the keys in turn, read, and printed. The
//! program ends with its input.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use shm_core::{Key, Next, Notifier, Options, Publisher, Subscriber};

const NAMES: [&str; 3] = ["epoll-left", "epoll-middle", "epoll-right"];
/// The data of the events of the standard input; the events of keys have the key's number.
const INPUT: u64 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::new();
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let (mut publishers, mut sources) = (Vec::new(), Vec::<(Subscriber, Notifier)>::new());
    for (number, name) in NAMES.iter().enumerate() {
        let key = Key::new(name)?;
        publishers.push(Publisher::open(&key, &options)?);
        let subscriber = Subscriber::attach(&key, &options)?;
        let notifier = subscriber.notifier()?;
        watch(&epoll, &notifier, number as u64)?;
        sources.push((subscriber, notifier));
    }
    let input = io::stdin();
    watch(&epoll, &input, INPUT)?;
    let mut next_publisher = publishers.iter().cycle();
    let mut events = Vec::with_capacity(8);
    let (mut published, mut shown, mut is_open) = (0, 0, true);
    while is_open || shown < published {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            if event.data.u64() == INPUT {
                let mut line = String::new();
                is_open = input.lock().read_line(&mut line)? > 0;
                if is_open {
                    let publisher = next_publisher.next().expect("there are three");
                    publisher.publish_text(line.trim_end())?;
                    published += 1;
                } else {
                    epoll::delete(&epoll, &input)?;
                }
                continue;
            }
            let (subscriber, notifier) = &mut sources[usize::try_from(event.data.u64())?];
            // Before reading, so that a later sample makes the notifier readable again.
            notifier.clear();
            while let Next::Sample(sample) = subscriber.next(Duration::ZERO)? {
                let text = String::from_utf8_lossy(sample.payload()).into_owned();
                writeln!(io::stdout(), "{}: {text}", subscriber.key())?;
                shown += 1;
            }
        }
    }
    Ok(())
}

fn watch(epoll: impl AsFd, fd: impl AsFd, number: u64) -> io::Result<()> {
    let events = EventFlags::IN;
    Ok(epoll::add(epoll, fd, EventData::new_u64(number), events)?)
}
