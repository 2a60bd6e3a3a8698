//! Rust values and arrays of numbers as samples, without serialization.
//!
//!     cargo run --example typed -- publish robot   # until the input ends (Ctrl-D)
//!     cargo run --example typed -- read robot
//!
//! Any type that is `bytemuck::NoUninit` can be published, and any that is
//! `bytemuck::AnyBitPattern` can be read: `#[derive(bytemuck::Pod, bytemuck::Zeroable)]` on a
//! `#[repr(C)]` struct gives both.

use std::env;
use std::error::Error;
use std::io;

use shm_core::{Key, Options, Publisher, Subscriber};

/// A position in metres: x, y, z.
type Position = [f64; 3];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["publish", name] => publish(name),
        ["read", name] => read(name),
        _ => Err("usage: typed publish KEY | typed read KEY".into()),
    }
}

/// Publishes a value under `NAME.position` and an array under `NAME.ranges`, and keeps both.
fn publish(name: &str) -> Result<(), Box<dyn Error>> {
    let options = Options::new();
    let positions = Publisher::open(&Key::new(&format!("{name}.position"))?, &options)?;
    let ranges = Publisher::open(&Key::new(&format!("{name}.ranges"))?, &options)?;
    let position: Position = [1.5, -2.0, 0.25];
    positions.publish_value(&position)?;
    // Sends the element type and the length along, as an array of one dimension.
    ranges.publish_slice(&[0.5_f32, 1.0, 2.0])?;
    println!("published");
    // The segments are removed when their last publisher detaches.
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Reads both.
fn read(name: &str) -> Result<(), Box<dyn Error>> {
    let options = Options::new();
    let mut positions = Subscriber::attach(&Key::new(&format!("{name}.position"))?, &options)?;
    let sample = positions.latest()?.ok_or("no position was published")?;
    // Copies the value; fails if the payload has another length.
    let [x, y, z]: Position = sample.read()?;
    println!("position: {x} {y} {z}");

    let mut ranges = Subscriber::attach(&Key::new(&format!("{name}.ranges"))?, &options)?;
    let sample = ranges.latest()?.ok_or("no ranges were published")?;
    // In place if the payload lies aligned in shared memory, else copied; `None` if its length is
    // no multiple of the element's.
    let ranges = sample.as_slice::<f32>().ok_or("not an array of f32")?;
    println!("ranges: {ranges:?}");
    Ok(())
}
