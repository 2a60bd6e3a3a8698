//! What a test says when it cannot run on this machine.

use std::{
    env,
    io::{self, Write},
};

/// Tells that the test cannot run here, and why. In CI that is a failure.
///
/// Written past the test runner, which would keep the words of a passing test to itself.
pub fn skip(reason: &str) {
    assert!(
        env::var("CI").as_deref() != Ok("true"),
        "SKIPPED: {reason} (in CI nothing may be skipped)"
    );
    // On a line of its own, whatever the test runner has begun to write.
    let line = format!("\nSKIPPED: {reason}\n");
    io::stderr()
        .write_all(line.as_bytes())
        .expect("stderr is open");
}
