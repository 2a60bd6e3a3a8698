//! Scripted peer.
fn main() {}
