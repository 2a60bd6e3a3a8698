//! The commands as a process: output, exit status, and what remains in shared memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};

use shm_core::{Key, Message, Options, Subscriber, segment};
use tempfile::TempDir;

struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        // `nohup` and CI may ignore SIGHUP, and child processes inherit that.
        let mut command = Command::new("env");
        command
            .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_loader-app")])
            .args(arguments)
            .env("SHM_CORE_DIR", self.directory.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Starts a loader and waits for its first line.
    fn load(&self, arguments: &[&str]) -> Loader {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        Loader { child, line }
    }

    fn options(&self) -> Options {
        Options::new().directory(self.directory.path())
    }

    fn message(&self) -> Option<Message> {
        let mut subscriber = Subscriber::attach(&key(), &self.options()).ok()?;
        let sample = subscriber.latest().unwrap()?;
        Some(sample.to_message().unwrap())
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(self.directory.path()).unwrap().count() == 0
    }
}

/// A loader that stays attached. Dropping it kills the process.
struct Loader {
    child: Child,
    line: String,
}

impl Loader {
    /// Sends a signal by name, waits for the process, and returns its exit status.
    fn signal(mut self, name: &str) -> Option<i32> {
        let pid = self.child.id();
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -s {name} {pid}"))
            .status()
            .unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }

    fn stderr(mut self) -> String {
        let mut words = String::new();
        self.child.kill().unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut words)
            .unwrap();
        words
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn key() -> Key {
    Key::new("MySharedMemory").unwrap()
}

fn text(text: &str) -> Option<Message> {
    Some(Message::Text(text.to_owned()))
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_loader_stays_until_a_signal_and_leaves_nothing() {
    for signal in ["INT", "TERM", "HUP"] {
        let fixture = Fixture::new();
        let loader = fixture.load(&["text", "Hello, 世界"]);
        assert_eq!(
            loader.line,
            "Loaded text, 13 bytes, into MySharedMemory (sequence 1).\n"
        );
        assert_eq!(fixture.message(), text("Hello, 世界"));
        assert_eq!(loader.signal(signal), Some(0), "SIG{signal}");
        assert!(fixture.is_empty(), "SIG{signal}");
    }
}

#[test]
fn a_loader_exits_after_its_duration() {
    let fixture = Fixture::new();
    let output = fixture.run(&["text", "--for", "10ms", "brief"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(fixture.is_empty());
}

#[test]
fn persist_returns_at_once_and_keeps_the_segment() {
    let fixture = Fixture::new();
    let output = fixture.run(&["text", "--persist", "stays"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fixture.message(), text("stays"));
    let info = segment::info(&key(), &fixture.options()).unwrap();
    assert!(info.persistent && info.attached.is_empty());
    // No process is attached, so there is no warning about replaced content.
    let output = fixture.run(&["text", "--persist", "next"]);
    assert_eq!(stderr(&output), "");
    assert_eq!(fixture.message(), text("next"));
    segment::remove(&key(), &fixture.options(), segment::Removal::IfUnused).unwrap();
}

#[test]
fn text_is_read_from_standard_input() {
    for arguments in [
        ["text", "--persist"].as_slice(),
        &["text", "--persist", "-"],
    ] {
        let fixture = Fixture::new();
        let output = fixture.run_with_input(arguments, "zwei\nZeilen\n".as_bytes());
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(fixture.message(), text("zwei\nZeilen\n"));
    }
    let fixture = Fixture::new();
    let output = fixture.run_with_input(&["text", "--persist"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fixture.message(), text(""));
}

#[test]
fn invalid_utf_8_is_refused_with_its_offset() {
    let fixture = Fixture::new();
    let output = fixture.run_with_input(&["text"], b"abc\xFF");
    assert_eq!(output.status.code(), Some(1));
    let words = stderr(&output);
    assert!(words.contains("offset 3"), "{words}");
    assert!(words.contains("loader-app file -"), "{words}");
    assert!(fixture.is_empty());
    let output = fixture.run_with_input(&["file", "--persist", "-"], b"abc\xFF");
    assert_eq!(output.status.code(), Some(0));
    assert!(matches!(
        fixture.message(),
        Some(Message::Bytes { data, .. }) if data == b"abc\xFF"
    ));
}

#[test]
fn a_warning_names_the_process_whose_content_is_replaced() {
    let fixture = Fixture::new();
    let first = fixture.load(&["text", "first"]);
    let pid = first.child.id();
    let second = fixture.load(&["text", "second"]);
    assert_eq!(fixture.message(), text("second"));
    let words = second.stderr();
    let expected = format!("replaces what loader-app (pid {pid}) had loaded");
    assert!(words.contains(&expected), "{words}");
    assert_eq!(first.signal("TERM"), Some(0));
}

#[test]
fn failures_exit_with_1_and_usage_errors_with_2() {
    let fixture = Fixture::new();
    let no_picture = fixture.directory.path().join("notes.txt");
    fs::write(&no_picture, "words").unwrap();
    let output = fixture.run(&["image", no_picture.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("Selected file is not an image, please select another."),
        "{}",
        stderr(&output)
    );
    for wrong in [
        ["--key", "a/b", "text", "x"].as_slice(),
        &["--key", "", "text", "x"],
        &["--key", "qt:", "text", "x"],
        &["--as", "raw"],
        &["--key", "qt:K", "--as", "qpixmap"],
        &["--key", "qt:K", "--as", "raw", "text", "x"],
        &["image"],
        &["text", "--for", "soon", "x"],
        &["text", "--persist", "--for", "1s", "x"],
        &["paint"],
    ] {
        let output = fixture.run(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(!stderr(&output).is_empty(), "{wrong:?}");
    }
}

#[test]
fn a_form_without_a_qt_key_is_refused() {
    let fixture = Fixture::new();
    for wrong in [
        ["--key", "K", "--as", "raw"].as_slice(),
        &["text", "--key", "K", "--as", "raw", "x"],
    ] {
        let output = fixture.run(wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(stderr(&output).contains("write it as qt:KEY"), "{wrong:?}");
    }
}

#[test]
fn without_a_display_the_error_names_the_command_line() {
    let fixture = Fixture::new();
    let output = fixture.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let words = stderr(&output);
    assert!(words.contains("There is no display"), "{words}");
    assert!(words.contains("loader-app text"), "{words}");
    assert!(!words.contains("panicked"), "{words}");
    let output = fixture
        .command(&[])
        .env("DISPLAY", ":64999")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("does not answer"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_closed_standard_output_does_not_panic() {
    let fixture = Fixture::new();
    let mut child = fixture
        .command(&["text", "--for", "10ms", "unread"])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn help_has_examples() {
    let fixture = Fixture::new();
    for arguments in [
        ["--help"].as_slice(),
        &["text", "--help"],
        &["image", "--help"],
        &["file", "--help"],
    ] {
        let output = fixture.run(arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("Examples:"), "{arguments:?}");
    }
}
