//! Publishes each line of the standard input as a text.
//!
//!     cargo run --example publish -- greeting
//!
//! Run `cargo run --example subscribe -- greeting` in other terminals to read the lines. The
//! segment is removed when the input ends and the publisher detaches.

use std::env;
use std::error::Error;
use std::io;

use shm_core::{Key, Options, Publisher};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name] = arguments.as_slice() else {
        return Err("usage: publish KEY".into());
    };
    // Creates the segment, or joins it if another publisher has created it.
    let publisher = Publisher::open(&Key::new(name)?, &Options::new())?;
    for line in io::stdin().lines() {
        let sequence = publisher.publish_text(&line?)?;
        println!("published sample {sequence}");
    }
    Ok(())
}
