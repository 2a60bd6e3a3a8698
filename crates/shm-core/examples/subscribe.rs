//! Prints every text that is published under a key, in order, until the last publisher detaches.
//!
//!     cargo run --example subscribe -- greeting
//!
//! `cargo run --example publish -- greeting` publishes texts. Either program may start first.

use std::env;
use std::error::Error;

use shm_core::{Key, Message, Next, Options, Subscriber};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name] = arguments.as_slice() else {
        return Err("usage: subscribe KEY".into());
    };
    // Blocks until a publisher has created the segment, then starts with the oldest sample of the
    // ring.
    let mut subscriber =
        Subscriber::attach_within(&Key::new(name)?, &Options::new(), None)?.from_oldest();
    loop {
        match subscriber.next(None)? {
            Next::Sample(sample) => {
                if sample.skipped() > 0 {
                    eprintln!("{} samples were skipped", sample.skipped());
                }
                // Copies the payload and checks that it is UTF-8.
                match sample.to_message()? {
                    Message::Text(text) => println!("{}: {text}", sample.sequence()),
                    other => println!("{}: {}", sample.sequence(), other.metadata().kind()),
                }
            }
            Next::Cleared { .. } => println!("cleared"),
            Next::PublisherGone | Next::Removed => return Ok(()),
            // There is no timeout and no interrupter.
            _ => {}
        }
    }
}
