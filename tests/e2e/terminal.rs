//! Untrusted text reaches a terminal escaped, and a pipe unchanged.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path};

use e2e_tests::{Fixture, Launch, OtherUser, Outcome, PrivateDir, Program, binaries_folder};
use serde_json::Value;
use shm_core::escape::{is_hidden, is_hidden_in_text};

/// Sets a title, clears the screen, overwrites a line, reads from right to left, hides, and more.
const HOSTILE: &str = "one\ttab\ntwo \u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\rover\u{202e}txt\u{2066}\
                       \u{200b}\u{feff}\u{ad}\u{7f}\u{e0041}\u{0} 日本 🙂❤\u{fe0f}\n";
const HOSTILE_SHOWN: &str = r"one	tab
two \u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\rover\u{202e}txt\u{2066}\u{200b}\u{feff}\u{ad}\u{7f}\u{e0041}\u{0} 日本 🙂❤️
";

/// A name of a file or a program.
const NAME: &str = "ev\u{1b}[2J\u{202e}il\n\t\u{200b}";
const NAME_SHOWN: &str = r"ev\u{1b}[2J\u{202e}il\n\t\u{200b}";

fn load(launch: Launch, words: &str) -> Program {
    let loader = launch.start();
    loader.wait_for(words);
    loader
}

/// Returns the output of a program on a terminal.
fn stdout_on_terminal(launch: Launch) -> String {
    let outcome = launch.with_stdout_on_terminal().run().done();
    safe(&outcome, &String::from_utf8_lossy(&outcome.stdout))
}

/// Returns the error output of a program on a terminal.
fn stderr_on_terminal(launch: Launch) -> String {
    let outcome = launch.with_stderr_on_terminal().run();
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    safe(&outcome, &outcome.stderr)
}

/// Copies one of the programs in another process: a child that another test starts meanwhile would
/// inherit the copy open for writing, and then it cannot be executed.
fn copy(fixture: &Fixture, name: &str, to: &Path) {
    let copy = fixture.program("install").args(["-m", "755"]);
    copy.args([&binaries_folder().join(name), to]).run().done();
}

fn safe(outcome: &Outcome, seen: &str) -> String {
    let is_safe = !seen.contains(is_hidden_in_text) && !seen.contains('\u{fffd}');
    assert!(is_safe, "{seen:?} reached the terminal: {outcome:?}");
    seen.to_owned()
}

#[test]
fn a_text_is_escaped_on_a_terminal_and_raw_in_a_pipe() {
    let fixture = Fixture::new();
    let _loader = load(fixture.loader(["text"]).input(HOSTILE), fixture.key());
    let show = |arguments: &[&str]| fixture.viewer(["show"]).args(arguments);
    assert_eq!(stdout_on_terminal(show(&[])), HOSTILE_SHOWN);
    assert_eq!(show(&[]).run().done().stdout, HOSTILE.as_bytes());
    let raw = show(&["--no-escape"])
        .with_stdout_on_terminal()
        .run()
        .done();
    assert_eq!(raw.stdout, HOSTILE.as_bytes());
    // If only standard error is a terminal, the text goes to a pipe.
    let piped = show(&[]).with_stderr_on_terminal().run().done();
    assert_eq!(piped.stdout, HOSTILE.as_bytes());

    let follow = |arguments: &[&str]| fixture.viewer(["follow", "--count", "1"]).args(arguments);
    let line = stdout_on_terminal(follow(&[]));
    assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    assert!(line.starts_with(r"one\ttab\ntwo \u{1b}]0;owned"), "{line}");
    assert!(line.contains(r"over\u{202e}txt\u{2066}\u{200b}"), "{line}");
    stdout_on_terminal(fixture.viewer(["info", "--hex"]));
}

#[test]
fn a_text_of_another_user_is_escaped() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let directory = PrivateDir::in_memory();
    directory.set_mode(0o1777);
    let fixture = Fixture::within(directory.path());
    let loader = fixture.loader(["text", "--mode", "644"]).input(HOSTILE);
    let loader = load(other_user.launch_as(loader), fixture.key());
    let show = || fixture.viewer(["show", "--owner", "nobody"]);
    assert_eq!(stdout_on_terminal(show()), HOSTILE_SHOWN);
    assert_eq!(show().run().done().stdout, HOSTILE.as_bytes());
    loader.terminate().done();
}

#[test]
fn no_hidden_character_reaches_a_terminal() {
    let fixture = Fixture::new();
    let every: String = ('\0'..='\u{323af}')
        .chain('\u{e0000}'..='\u{e1fff}')
        .filter(|character| *character != '\u{fffd}')
        .collect();
    let _loader = load(
        fixture.loader(["text"]).input(every.as_str()),
        fixture.key(),
    );
    let shown = stdout_on_terminal(fixture.viewer(["show"]));
    assert!(shown.contains(r"\u{206f}") && shown.contains(r"\u{e0fff}"));
    assert!(shown.contains("鍵") && shown.contains('\u{fe0f}'));
    stdout_on_terminal(fixture.viewer(["follow", "--count", "1"]));
    assert!(fixture.viewer(["show"]).run().done().stdout == every.as_bytes());
}

#[test]
fn json_encodes_the_same_value_without_hidden_characters() {
    let fixture = Fixture::new();
    let file = fixture.file(NAME, b"content");
    let text = load(fixture.loader(["text"]).input(HOSTILE), fixture.key());
    let follow = || fixture.viewer(["follow", "--count", "1", "--json"]);
    for line in [
        stdout_on_terminal(follow()),
        follow().run().done().text().to_owned(),
    ] {
        assert!(!line.trim_end().contains(is_hidden), "{line:?}");
        assert!(
            line.contains(r"\u202e") && line.contains(r"\udb40\udc41"),
            "{line}"
        );
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["text"], HOSTILE);
    }
    text.terminate().done();
    let _file = load(fixture.loader(["file"]).args([&file]), fixture.key());
    for command in [
        &["show", "--json"],
        &["info", "--json"],
        &["list", "--json"],
    ] {
        let json = fixture.bare_viewer(command);
        let json = match command[0] {
            "list" => json,
            _ => fixture.viewer(command.iter()),
        };
        stdout_on_terminal(json);
    }
}

#[test]
fn names_of_files_are_escaped_and_add_no_line() {
    let fixture = Fixture::new();
    let file = fixture.file(NAME, b"some bytes");
    let loader = fixture.loader(["file"]).args([&file]);
    let loader = loader.with_stdout_on_terminal().start();
    let said = loader.wait_for(fixture.key());
    assert!(!said.contains(is_hidden), "{said:?}");
    for command in [&["info"][..], &["follow", "--count", "1"]] {
        let shown = stdout_on_terminal(fixture.viewer(command));
        assert!(shown.contains(NAME_SHOWN), "{shown}");
        let piped = fixture.viewer(command).run().done();
        // A line stays a line, and everything else is unchanged.
        let in_a_line = NAME.replace('\n', r"\n").replace('\t', r"\t");
        assert!(piped.text().contains(&in_a_line), "{piped:?}");
    }
    loader.terminate().done();

    // A file that cannot be loaded or written is named in the error.
    let missing = fixture.path(&format!("{NAME}.png"));
    for launch in [
        fixture.loader(["image"]).args([&missing]),
        fixture.loader(["file"]).args([&missing]),
    ] {
        let complaint = stderr_on_terminal(launch);
        assert!(complaint.contains(NAME_SHOWN), "{complaint}");
        assert_eq!(complaint.matches('\n').count(), 1, "{complaint:?}");
    }
    let _loader = load(fixture.loader(["text", "hi"]), fixture.key());
    let place = fixture.path(NAME).join("x");
    let complaint = stderr_on_terminal(fixture.viewer(["show", "--output"]).args([&place]));
    assert!(complaint.contains(NAME_SHOWN), "{complaint}");
    let raw = fixture.viewer(["show", "--output"]).args([&place]).run();
    assert!(raw.stderr.contains("\u{1b}[2J\u{202e}il"), "{raw:?}");
    let raw = fixture.viewer(["show", "--no-escape", "--output"]);
    let raw = raw.args([&place]).with_stderr_on_terminal().run();
    assert!(raw.stderr.contains("\u{1b}[2J\u{202e}il"), "{raw:?}");
}

#[test]
fn programs_with_hostile_names_are_escaped() {
    let fixture = Fixture::new();
    let name = "p\u{1b}[2J\u{202e}\u{200b}\r";
    let shown = r"p\u{1b}[2J\u{202e}\u{200b}\r";
    let program = fixture.path(name);
    copy(&fixture, "loader-app", &program);
    let loader = fixture.program(&program);
    let loader = loader.args(["text", "--verbose", "hi", "--key", fixture.key()]);
    let loader = load(loader, fixture.key());
    for command in ["info", "list"] {
        let printed = stdout_on_terminal(fixture.viewer([command]));
        assert!(printed.contains(shown), "{printed}");
    }
    let complaint = stderr_on_terminal(fixture.viewer(["remove"]));
    assert!(complaint.contains(shown), "{complaint}");
    loader.terminate().done();

    // Viewers have names too, and the loader prints them.
    let viewer = fixture.path(&format!("v{name}"));
    copy(&fixture, "viewer-app", &viewer);
    let loader = fixture.loader(["text", "--verbose", "hi"]);
    let loader = loader.with_stderr_on_terminal().start();
    loader.wait_for(fixture.key());
    let follow = fixture
        .program(&viewer)
        .args(["follow", "--key", fixture.key()]);
    let follow = follow.start();
    let told = loader.wait_for_stderr(r"v");
    follow.wait_for("hi");
    follow.terminate().done();
    let told = told + &loader.terminate().stderr;
    assert!(!told.contains(is_hidden_in_text), "{told:?}");
    assert!(told.contains(&format!("v{shown}")), "{told}");
}

#[test]
fn keys_with_hidden_characters_are_refused_and_existing_ones_are_listed() {
    let fixture = Fixture::new();
    for (key, code) in [
        ("a\u{202e}b", "U+202E"),
        ("a\u{200b}b", "U+200B"),
        ("a\u{1b}[2Jb", "U+001B"),
        ("a\u{e0041}b", "U+E0041"),
    ] {
        for launch in [
            fixture.bare_loader(["text", "--key", key, "x"]),
            fixture.bare_viewer(["show", "--key", key]),
            fixture.bare_viewer(["remove", "--key", key]),
            fixture.bare_viewer(["--key", key]),
        ] {
            let outcome = launch.with_stderr_on_terminal().run();
            assert_eq!(outcome.code, Some(2), "{outcome:?}");
            let complaint = safe(&outcome, &outcome.stderr);
            assert!(complaint.contains(code), "{complaint}");
        }
    }
    fixture.assert_empty();

    // Another program has created one nonetheless.
    let uid = rustix::process::getuid().as_raw();
    for name in ["a\u{202e}'b\n", "\u{1b}[2J", "c\u{200b}"] {
        let path = fixture.segments().join(format!("shm-core.{uid}.{name}"));
        fs::write(&path, "theirs").unwrap();
        let list = stdout_on_terminal(fixture.bare_viewer(["list"]));
        // Segments of Qt programs may be listed before it.
        let line = list.lines().last().unwrap();
        assert!(line.contains("which no key may contain"), "{line}");
        // The remedy is a command that works.
        let (_, command) = line.split_once("remove it: ").unwrap();
        fixture.program("bash").args(["-c", command]).run().done();
        assert!(!path.exists(), "{command}");
    }
    let path = fixture.segments().join(OsStr::from_bytes(
        &[format!("shm-core.{uid}.").as_bytes(), b"\xff\x9b"].concat(),
    ));
    fs::write(&path, "theirs").unwrap();
    let list = fixture
        .bare_viewer(["list"])
        .with_stdout_on_terminal()
        .run();
    assert!(!list.done().text().contains(is_hidden_in_text));
    fs::remove_file(path).unwrap();
}

#[test]
fn keys_of_qt_programs_are_escaped_and_remain_usable() {
    let fixture = Fixture::new();
    let folder = fixture.path(NAME);
    fs::create_dir(&folder).unwrap();
    let key = "qt:K\u{202e}\u{200b}";
    let shown = r"qt:K\u{202e}\u{200b}";
    let loader = fixture.bare_loader(["text", "--key", key, "--as", "qstring"]);
    let loader = loader.env("TMPDIR", &folder).input(HOSTILE);
    let loader = loader.with_stdout_on_terminal().start();
    let said = loader.wait_for(shown);
    assert!(!said.contains(is_hidden), "{said:?}");
    let viewer = |command: &[&str]| {
        let viewer = fixture.bare_viewer(command).args(["--key", key]);
        viewer.env("TMPDIR", &folder)
    };
    assert_eq!(
        stdout_on_terminal(viewer(&["show", "--as", "qstring"])),
        HOSTILE_SHOWN
    );
    assert!(stdout_on_terminal(viewer(&["info"])).contains(shown));
    stdout_on_terminal(viewer(&["info", "--json"]));
    stdout_on_terminal(viewer(&["list"]));
    let complaint = stderr_on_terminal(viewer(&["remove"]));
    assert!(complaint.contains(shown), "{complaint}");
    loader.terminate().done();
    let complaint = stderr_on_terminal(viewer(&["show"]));
    assert!(complaint.contains(shown), "{complaint}");
}

#[test]
fn invalid_arguments_are_escaped_in_errors() {
    let fixture = Fixture::new();
    for launch in [
        fixture.bare_viewer([HOSTILE.replace('\0', "")]),
        fixture.bare_viewer(["show", "--wait", NAME]),
        fixture.bare_loader(["frames", "--size", NAME]),
        fixture.bare_loader(["text", "--mode", NAME]),
        fixture.bare_loader([format!("--{NAME}")]),
    ] {
        let outcome = launch.with_stderr_on_terminal().run();
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        let complaint = safe(&outcome, &outcome.stderr);
        assert!(complaint.contains(r"\u{202e}"), "{complaint}");
    }
    // The help is the program's own text, in its own colours.
    let help = fixture
        .bare_viewer(["--help"])
        .with_stdout_on_terminal()
        .run();
    assert!(help.done().text().contains("--no-escape"));
}

#[test]
fn bytes_are_written_to_a_terminal_only_on_request() {
    let fixture = Fixture::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let _loader = load(
        fixture.loader(["file", "-"]).input(bytes.as_slice()),
        fixture.key(),
    );
    let show = |arguments: &[&str]| {
        let show = fixture.viewer(["show"]).args(arguments);
        show.with_stdout_on_terminal().run()
    };
    let refused = show(&[]).refused("--no-escape");
    assert!(refused.stdout.is_empty(), "{refused:?}");
    assert_eq!(show(&["--no-escape"]).done().stdout, bytes);
    assert_eq!(fixture.viewer(["show"]).run().done().stdout, bytes);
}

#[test]
fn many_foreign_files_are_summarised_in_one_line() {
    const COUNT: usize = 3_000;
    let fixture = Fixture::new();
    let uid = rustix::process::getuid().as_raw();
    let _loader = load(fixture.loader(["text", "hi"]), fixture.key());
    let foreign = |number: usize| {
        let name = format!("shm-core.{uid}.{number}{}", "\u{202e}".repeat(30));
        fixture.segments().join(name)
    };
    for number in 0..COUNT {
        fs::write(foreign(number), "junk").unwrap();
    }
    let list = |arguments: &[&str]| fixture.bare_viewer(["list"]).args(arguments);
    let brief = stdout_on_terminal(list(&[]));
    assert!(brief.contains(fixture.key()), "{brief}");
    assert!(
        brief.ends_with(
            "\nIgnored: 3000 files that are not segments (viewer-app list --all lists each).\n"
        ),
        "{brief}"
    );
    assert!(!brief.contains(r"\u{202e}"), "{brief}");
    let all = stdout_on_terminal(list(&["--all"]));
    let named: Vec<&str> = all.lines().filter(|line| line.contains("U+202E")).collect();
    assert_eq!(named.len(), COUNT);
    let names = named
        .iter()
        .map(|line| line.trim().split(": ").next().unwrap());
    assert!(names.clone().all(|name| name.chars().count() <= 129));
    assert!(names.clone().all(|name| name.ends_with('…')));
    let json = list(&["--json"]).run().done().json();
    let reasons = json.as_array().unwrap().iter();
    assert_eq!(
        reasons.filter(|entry| entry["reason"].is_string()).count(),
        COUNT
    );
}

#[test]
fn stream_progress_is_overwritten_on_a_terminal_and_omitted_in_a_pipe() {
    const ERASE: &str = "\r\u{1b}[K";
    let fixture = Fixture::new();
    let stream = || fixture.loader(["frames", "--test-pattern", "--count", "120", "--fps", "100"]);
    let seen = stream().with_stderr_on_terminal().run().done();
    assert!(seen.stderr.contains(ERASE), "{seen:?}");
    let rest = seen.stderr.replace(ERASE, "");
    assert!(!rest.contains(is_hidden_in_text), "{rest:?}");
    assert!(!stream().run().done().stderr.contains(ERASE));
}
