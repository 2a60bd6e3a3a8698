//! What a test says when it cannot run on this machine.

use std::{
    env,
    io::{self, Write},
};

/// Reports that the test cannot run here, and why. In CI this is a failure.
///
/// Written directly to standard error: the test runner hides the output of a passing test.
pub fn skip(reason: &str) {
    assert!(
        env::var("CI").as_deref() != Ok("true"),
        "SKIPPED: {reason} (in CI nothing may be skipped)"
    );
    // On a line of its own, whatever the test runner has printed before.
    let line = format!("\nSKIPPED: {reason}\n");
    io::stderr()
        .write_all(line.as_bytes())
        .expect("stderr is open");
}
