//! The command line, run as a child process with publishers in the test process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod removal;
mod report;
mod show;
mod usage;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use shm_core::{
    Annotations, ArrayMetadata, Block, BytesMetadata, ElementType, ImageMetadata, Key, Metadata,
    Options, Origin, PixelFormat, Publisher, segment,
};
use tempfile::TempDir;

/// A temporary directory for the segments and files of one test.
struct TestDirectory {
    temporary: TempDir,
}

impl TestDirectory {
    fn new() -> TestDirectory {
        TestDirectory {
            temporary: tempfile::tempdir().unwrap(),
        }
    }

    fn options(&self) -> Options {
        Options::new().directory(self.temporary.path())
    }

    fn publisher(&self, key: &str) -> Publisher {
        Publisher::open(&Key::new(key).unwrap(), &self.options()).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.temporary.path().join(name).display().to_string()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        // Background jobs of a shell ignore SIGINT, which child processes inherit.
        Command::new("env")
            .args(["--default-signal=INT", env!("CARGO_BIN_EXE_viewer-app")])
            .args(arguments)
            .env("SHM_CORE_DIR", self.temporary.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.start(arguments).wait_with_output().unwrap()
    }

    /// Runs a command that must succeed without messages. Returns its standard output.
    fn print(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.run(arguments);
        assert_eq!(stderr(&output), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        output.stdout
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.print(arguments)).unwrap()
    }

    /// Runs a command that must fail with code 1. Returns its standard error.
    fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        stderr(&output)
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn bytes(media_type: &str) -> Metadata {
    Metadata::from(BytesMetadata::new(media_type).with_file_name("data.bin"))
}

/// Publishes 2 × 2 pixels: red, green; blue, half transparent white; with three padding bytes a
/// row.
fn publish_picture(publisher: &Publisher) {
    let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 2, 2).unwrap();
    let metadata = metadata.with_file_name("flag.png").with_stride(11).unwrap();
    let metadata = Metadata::Image(metadata);
    let payload = [
        &[255, 0, 0, 255, 0, 255, 0, 255, 9, 9, 9][..],
        &[0, 0, 255, 255, 255, 255, 255, 128, 9, 9, 9],
    ]
    .concat();
    publisher.publish(&metadata, &payload).unwrap();
}
