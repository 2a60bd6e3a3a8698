//! What others chose reaches a terminal escaped, and a pipe as it is.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path};

use e2e_tests::{Launch, OtherUser, Outcome, PrivateDir, Program, Scene, binaries_folder};
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

fn loads(launch: Launch, words: &str) -> Program {
    let loader = launch.start();
    loader.wait_for(words);
    loader
}

/// What a program has printed on a terminal.
fn printed(launch: Launch) -> String {
    let outcome = launch.printing_on_terminal().run().done();
    safe(&outcome, &String::from_utf8_lossy(&outcome.stdout))
}

/// What a program has complained on a terminal.
fn complained(launch: Launch) -> String {
    let outcome = launch.complaining_on_terminal().run();
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    safe(&outcome, &outcome.stderr)
}

/// Copies one of the programs. Not by ourselves: a child that another test starts meanwhile would have
/// the copy open, and then it cannot be started.
fn copy(scene: &Scene, name: &str, to: &Path) {
    let copy = scene.program("install").args(["-m", "755"]);
    copy.args([&binaries_folder().join(name), to]).run().done();
}

fn safe(outcome: &Outcome, seen: &str) -> String {
    let is_safe = !seen.contains(is_hidden_in_text) && !seen.contains('\u{fffd}');
    assert!(is_safe, "{seen:?} reached the terminal: {outcome:?}");
    seen.to_owned()
}

#[test]
fn a_text_is_escaped_on_a_terminal_and_raw_in_a_pipe() {
    let scene = Scene::new();
    let _loader = loads(scene.loader(["text"]).input(HOSTILE), scene.key());
    let show = |arguments: &[&str]| scene.viewer(["show"]).args(arguments);
    assert_eq!(printed(show(&[])), HOSTILE_SHOWN);
    assert_eq!(show(&[]).run().done().stdout, HOSTILE.as_bytes());
    let raw = show(&["--no-escape"]).printing_on_terminal().run().done();
    assert_eq!(raw.stdout, HOSTILE.as_bytes());
    // Where only the errors go to a terminal, the text goes into a pipe.
    let piped = show(&[]).complaining_on_terminal().run().done();
    assert_eq!(piped.stdout, HOSTILE.as_bytes());

    let follow = |arguments: &[&str]| scene.viewer(["follow", "--count", "1"]).args(arguments);
    let line = printed(follow(&[]));
    assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    assert!(line.starts_with(r"one\ttab\ntwo \u{1b}]0;owned"), "{line}");
    assert!(line.contains(r"over\u{202e}txt\u{2066}\u{200b}"), "{line}");
    printed(scene.viewer(["info", "--hex"]));
}

#[test]
fn a_text_of_another_user_is_escaped_too() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let directory = PrivateDir::in_memory();
    directory.set_mode(0o1777);
    let scene = Scene::within(directory.path());
    let loader = scene.loader(["text", "--mode", "644"]).input(HOSTILE);
    let loader = loads(other_user.starts(loader), scene.key());
    let show = || scene.viewer(["show", "--owner", "nobody"]);
    assert_eq!(printed(show()), HOSTILE_SHOWN);
    assert_eq!(show().run().done().stdout, HOSTILE.as_bytes());
    loader.terminate().done();
}

#[test]
fn whatever_characters_a_text_has_none_that_is_hidden_reaches_a_terminal() {
    let scene = Scene::new();
    let every: String = ('\0'..='\u{323af}')
        .chain('\u{e0000}'..='\u{e1fff}')
        .filter(|character| *character != '\u{fffd}')
        .collect();
    let _loader = loads(scene.loader(["text"]).input(every.as_str()), scene.key());
    let shown = printed(scene.viewer(["show"]));
    assert!(shown.contains(r"\u{206f}") && shown.contains(r"\u{e0fff}"));
    assert!(shown.contains("鍵") && shown.contains('\u{fe0f}'));
    printed(scene.viewer(["follow", "--count", "1"]));
    assert!(scene.viewer(["show"]).run().done().stdout == every.as_bytes());
}

#[test]
fn json_has_the_same_value_without_a_hidden_character() {
    let scene = Scene::new();
    let file = scene.file(NAME, b"content");
    let text = loads(scene.loader(["text"]).input(HOSTILE), scene.key());
    let follow = || scene.viewer(["follow", "--count", "1", "--json"]);
    for line in [printed(follow()), follow().run().done().text().to_owned()] {
        assert!(!line.trim_end().contains(is_hidden), "{line:?}");
        assert!(
            line.contains(r"\u202e") && line.contains(r"\udb40\udc41"),
            "{line}"
        );
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["text"], HOSTILE);
    }
    text.terminate().done();
    let _file = loads(scene.loader(["file"]).args([&file]), scene.key());
    for command in [
        &["show", "--json"],
        &["info", "--json"],
        &["list", "--json"],
    ] {
        let json = scene.bare_viewer(command);
        let json = match command[0] {
            "list" => json,
            _ => scene.viewer(command.iter()),
        };
        printed(json);
    }
}

#[test]
fn names_of_files_are_escaped_and_stay_in_their_line() {
    let scene = Scene::new();
    let file = scene.file(NAME, b"some bytes");
    let loader = scene.loader(["file"]).args([&file]);
    let loader = loader.printing_on_terminal().start();
    let said = loader.wait_for(scene.key());
    assert!(!said.contains(is_hidden), "{said:?}");
    for command in [&["info"][..], &["follow", "--count", "1"]] {
        let shown = printed(scene.viewer(command));
        assert!(shown.contains(NAME_SHOWN), "{shown}");
        let piped = scene.viewer(command).run().done();
        // A line stays a line, and all else is as it is.
        let in_a_line = NAME.replace('\n', r"\n").replace('\t', r"\t");
        assert!(piped.text().contains(&in_a_line), "{piped:?}");
    }
    loader.terminate().done();

    // What cannot be loaded, or written, is named in the error.
    let missing = scene.path(&format!("{NAME}.png"));
    for launch in [
        scene.loader(["image"]).args([&missing]),
        scene.loader(["file"]).args([&missing]),
    ] {
        let complaint = complained(launch);
        assert!(complaint.contains(NAME_SHOWN), "{complaint}");
        assert_eq!(complaint.matches('\n').count(), 1, "{complaint:?}");
    }
    let _loader = loads(scene.loader(["text", "hi"]), scene.key());
    let place = scene.path(NAME).join("x");
    let complaint = complained(scene.viewer(["show", "--output"]).args([&place]));
    assert!(complaint.contains(NAME_SHOWN), "{complaint}");
    let raw = scene.viewer(["show", "--output"]).args([&place]).run();
    assert!(raw.stderr.contains("\u{1b}[2J\u{202e}il"), "{raw:?}");
    let raw = scene.viewer(["show", "--no-escape", "--output"]);
    let raw = raw.args([&place]).complaining_on_terminal().run();
    assert!(raw.stderr.contains("\u{1b}[2J\u{202e}il"), "{raw:?}");
}

#[test]
fn programs_with_hostile_names_are_escaped() {
    let scene = Scene::new();
    let name = "p\u{1b}[2J\u{202e}\u{200b}\r";
    let shown = r"p\u{1b}[2J\u{202e}\u{200b}\r";
    let program = scene.path(name);
    copy(&scene, "loader-app", &program);
    let loader = scene.program(&program);
    let loader = loader.args(["text", "--verbose", "hi", "--key", scene.key()]);
    let loader = loads(loader, scene.key());
    for command in ["info", "list"] {
        let printed = printed(scene.viewer([command]));
        assert!(printed.contains(shown), "{printed}");
    }
    let complaint = complained(scene.viewer(["remove"]));
    assert!(complaint.contains(shown), "{complaint}");
    loader.terminate().done();

    // Those who watch have names too, and the loader tells them.
    let viewer = scene.path(&format!("v{name}"));
    copy(&scene, "viewer-app", &viewer);
    let loader = scene.loader(["text", "--verbose", "hi"]);
    let loader = loader.complaining_on_terminal().start();
    loader.wait_for(scene.key());
    let follow = scene
        .program(&viewer)
        .args(["follow", "--key", scene.key()]);
    let follow = follow.start();
    let told = loader.wait_for_complaint(r"v");
    follow.wait_for("hi");
    follow.terminate().done();
    let told = told + &loader.terminate().stderr;
    assert!(!told.contains(is_hidden_in_text), "{told:?}");
    assert!(told.contains(&format!("v{shown}")), "{told}");
}

#[test]
fn keys_with_hidden_characters_are_refused_and_shown_where_they_exist() {
    let scene = Scene::new();
    for (key, code) in [
        ("a\u{202e}b", "U+202E"),
        ("a\u{200b}b", "U+200B"),
        ("a\u{1b}[2Jb", "U+001B"),
        ("a\u{e0041}b", "U+E0041"),
    ] {
        for launch in [
            scene.bare_loader(["text", "--key", key, "x"]),
            scene.bare_viewer(["show", "--key", key]),
            scene.bare_viewer(["remove", "--key", key]),
            scene.bare_viewer(["--key", key]),
        ] {
            let outcome = launch.complaining_on_terminal().run();
            assert_eq!(outcome.code, Some(2), "{outcome:?}");
            let complaint = safe(&outcome, &outcome.stderr);
            assert!(complaint.contains(code), "{complaint}");
        }
    }
    scene.assert_empty();

    // Another program has made one all the same.
    let uid = rustix::process::getuid().as_raw();
    for name in ["a\u{202e}'b\n", "\u{1b}[2J", "c\u{200b}"] {
        let path = scene.segments().join(format!("shm-core.{uid}.{name}"));
        fs::write(&path, "theirs").unwrap();
        let list = printed(scene.bare_viewer(["list"]));
        // Before it may stand what Qt programs share, whoever started them.
        let line = list.lines().last().unwrap();
        assert!(line.contains("which no key may contain"), "{line}");
        // The remedy is a command that works.
        let (_, command) = line.split_once("remove it: ").unwrap();
        scene.program("bash").args(["-c", command]).run().done();
        assert!(!path.exists(), "{command}");
    }
    let path = scene.segments().join(OsStr::from_bytes(
        &[format!("shm-core.{uid}.").as_bytes(), b"\xff\x9b"].concat(),
    ));
    fs::write(&path, "theirs").unwrap();
    let list = scene.bare_viewer(["list"]).printing_on_terminal().run();
    assert!(!list.done().text().contains(is_hidden_in_text));
    fs::remove_file(path).unwrap();
}

#[test]
fn keys_of_qt_programs_are_escaped_and_usable() {
    let scene = Scene::new();
    let folder = scene.path(NAME);
    fs::create_dir(&folder).unwrap();
    let key = "qt:K\u{202e}\u{200b}";
    let shown = r"qt:K\u{202e}\u{200b}";
    let loader = scene.bare_loader(["text", "--key", key, "--as", "qstring"]);
    let loader = loader.env("TMPDIR", &folder).input(HOSTILE);
    let loader = loader.printing_on_terminal().start();
    let said = loader.wait_for(shown);
    assert!(!said.contains(is_hidden), "{said:?}");
    let viewer = |command: &[&str]| {
        let viewer = scene.bare_viewer(command).args(["--key", key]);
        viewer.env("TMPDIR", &folder)
    };
    assert_eq!(printed(viewer(&["show", "--as", "qstring"])), HOSTILE_SHOWN);
    assert!(printed(viewer(&["info"])).contains(shown));
    printed(viewer(&["info", "--json"]));
    printed(viewer(&["list"]));
    let complaint = complained(viewer(&["remove"]));
    assert!(complaint.contains(shown), "{complaint}");
    loader.terminate().done();
    let complaint = complained(viewer(&["show"]));
    assert!(complaint.contains(shown), "{complaint}");
}

#[test]
fn wrong_arguments_are_escaped_where_they_are_quoted() {
    let scene = Scene::new();
    for launch in [
        scene.bare_viewer([HOSTILE.replace('\0', "")]),
        scene.bare_viewer(["show", "--wait", NAME]),
        scene.bare_loader(["frames", "--size", NAME]),
        scene.bare_loader(["text", "--mode", NAME]),
        scene.bare_loader([format!("--{NAME}")]),
    ] {
        let outcome = launch.complaining_on_terminal().run();
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        let complaint = safe(&outcome, &outcome.stderr);
        assert!(complaint.contains(r"\u{202e}"), "{complaint}");
    }
    // Help is the program's own, in its own colours.
    let help = scene.bare_viewer(["--help"]).printing_on_terminal().run();
    assert!(help.done().text().contains("--no-escape"));
}

#[test]
fn bytes_go_to_a_terminal_only_when_asked_for() {
    let scene = Scene::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let _loader = loads(
        scene.loader(["file", "-"]).input(bytes.as_slice()),
        scene.key(),
    );
    let show = |arguments: &[&str]| {
        let show = scene.viewer(["show"]).args(arguments);
        show.printing_on_terminal().run()
    };
    let refused = show(&[]).refused("--no-escape");
    assert!(refused.stdout.is_empty(), "{refused:?}");
    assert_eq!(show(&["--no-escape"]).done().stdout, bytes);
    assert_eq!(scene.viewer(["show"]).run().done().stdout, bytes);
}

#[test]
fn a_crowd_of_foreign_files_is_one_line() {
    const CROWD: usize = 3_000;
    let scene = Scene::new();
    let uid = rustix::process::getuid().as_raw();
    let _loader = loads(scene.loader(["text", "hi"]), scene.key());
    let foreign = |number: usize| {
        let name = format!("shm-core.{uid}.{number}{}", "\u{202e}".repeat(30));
        scene.segments().join(name)
    };
    for number in 0..CROWD {
        fs::write(foreign(number), "junk").unwrap();
    }
    let list = |arguments: &[&str]| scene.bare_viewer(["list"]).args(arguments);
    let brief = printed(list(&[]));
    assert!(brief.contains(scene.key()), "{brief}");
    assert!(
        brief.ends_with(
            "\nIgnored: 3000 files that are not segments (viewer-app list --all lists each).\n"
        ),
        "{brief}"
    );
    assert!(!brief.contains(r"\u{202e}"), "{brief}");
    let all = printed(list(&["--all"]));
    let named: Vec<&str> = all.lines().filter(|line| line.contains("U+202E")).collect();
    assert_eq!(named.len(), CROWD);
    let names = named
        .iter()
        .map(|line| line.trim().split(": ").next().unwrap());
    assert!(names.clone().all(|name| name.chars().count() <= 129));
    assert!(names.clone().all(|name| name.ends_with('…')));
    let json = list(&["--json"]).run().done().json();
    let reasons = json.as_array().unwrap().iter();
    assert_eq!(
        reasons.filter(|entry| entry["reason"].is_string()).count(),
        CROWD
    );
}

#[test]
fn how_far_a_stream_is_is_written_over_on_a_terminal_and_left_out_of_a_pipe() {
    const ERASE: &str = "\r\u{1b}[K";
    let scene = Scene::new();
    let stream = || scene.loader(["frames", "--test-pattern", "--count", "120", "--fps", "100"]);
    let seen = stream().complaining_on_terminal().run().done();
    assert!(seen.stderr.contains(ERASE), "{seen:?}");
    let rest = seen.stderr.replace(ERASE, "");
    assert!(!rest.contains(is_hidden_in_text), "{rest:?}");
    assert!(!stream().run().done().stderr.contains(ERASE));
}
