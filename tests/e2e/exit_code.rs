//! The table in `docs/EXIT-CODES.md`, row by row.

use std::fs;

use e2e_tests::{Desktop, Fixture, Launch, Program, Signal};

use crate::actor::Actor;

fn loaded(fixture: &Fixture, arguments: &[&str]) -> Program {
    let loader = fixture.loader(arguments).start();
    loader.wait_for(fixture.key());
    loader
}

fn signalled(program: Program, signal: Signal) {
    program.signal(signal);
    drop(program.finish().done());
}

#[test]
fn every_command_has_a_row_in_the_document() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/EXIT-CODES.md");
    let table = fs::read_to_string(folder).unwrap();
    let fixture = Fixture::new();
    for (program, help) in [
        ("loader-app", fixture.bare_loader(["--help"])),
        ("viewer-app", fixture.bare_viewer(["--help"])),
    ] {
        let help = help.run().done();
        let commands = help.text().split("Commands:\n").nth(1).unwrap();
        let commands = commands.split("\n\n").next().unwrap().lines();
        // A continued line is indented further than a command.
        let is_command = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
        let names: Vec<&str> = commands
            .filter(is_command)
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help")
            .collect();
        assert!(names.len() >= 4, "{names:?}");
        let mut rows = table.lines().filter(|line| line.contains(program));
        let rows = rows.by_ref().collect::<String>();
        for name in names {
            let is_there = rows.contains(&format!("`{name}`"))
                || rows.contains(&format!("`{program} {name}`"));
            assert!(is_there, "{program} {name}");
        }
    }
    for launch in [
        fixture.bare_loader(["--version"]),
        fixture.bare_viewer(["--version"]),
    ] {
        drop(launch.run().done());
    }
}

#[test]
fn exit_codes_of_loading() {
    let fixture = Fixture::new();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let text = fixture.loader(["text", "words"]);
        let text = text.through("env", ["--default-signal=INT,HUP"]).start();
        text.wait_for(fixture.key());
        signalled(text, signal);
    }
    let done: [&[&str]; 3] = [
        &["text", "--persist", "words"],
        &["text", "--for", "1ms", "words"],
        &["file", "--persist", "-"],
    ];
    for arguments in done {
        drop(fixture.loader(arguments).input("bytes").run().done());
    }
    let source = fixture.file("no.png", b"no picture");
    let refused: [(&[&str], &str); 4] = [
        (&["image", "/nonexistent.png"], "nonexistent"),
        (&["image", source.to_str().unwrap()], "no.png"),
        (&["file", "/nonexistent"], "nonexistent"),
        (&["text", "-"], "UTF-8"),
    ];
    for (arguments, words) in refused {
        drop(
            fixture
                .loader(arguments)
                .input(vec![255])
                .run()
                .refused(words),
        );
    }
    let taken = loaded(&fixture, &["text", "soon gone"]);
    fixture.viewer(["remove", "--force"]).run().done();
    drop(taken.finish().refused("removed"));
    let misused: [&[&str]; 5] = [
        &["text", "--nonsense"],
        &["text", "--mode", "777", "x"],
        &["text", "--ring", "1K", "x"],
        &["image", "--limit", "much", "x.png"],
        &["sing"],
    ];
    for arguments in misused {
        drop(fixture.loader(arguments).run().misused("error: "));
    }
    let wrong_key = fixture.bare_loader(["text", "--key", "a/b", "x"]);
    drop(wrong_key.run().misused("error: "));
}

#[test]
fn exit_codes_of_streaming() {
    let fixture = Fixture::new();
    let pattern = ["frames", "--test-pattern", "--size", "64x48"];
    let few = fixture
        .loader(pattern)
        .args(["--fps", "max", "--count", "2"]);
    drop(few.run().done());
    signalled(loaded(&fixture, &pattern), Signal::TERM);
    let nothing = fixture.loader(["frames", "--size", "64x48"]).input("");
    drop(nothing.run().refused("before the first frame"));
    for arguments in [&["frames"][..], &["frames", "--size", "0x1"]] {
        drop(fixture.loader(arguments).run().misused("error: "));
    }
}

#[test]
fn exit_codes_of_showing_and_inspecting() {
    let fixture = Fixture::new();
    let viewer = |arguments: &[&str]| fixture.viewer(arguments).run();
    drop(viewer(&["list"]).done());
    for arguments in [
        &["show"][..],
        &["show", "--wait", "10ms"],
        &["info"],
        &["remove"],
    ] {
        drop(viewer(arguments).refused(fixture.key()));
    }
    for arguments in [
        &["show", "--nonsense"][..],
        &["show", "--json", "--output", "-"],
        &["info", "--json", "--hex"],
        &["list", "--nonsense"],
        &["remove", "--nonsense"],
        &["sing"],
    ] {
        drop(viewer(arguments).misused("error: "));
    }
    let long = fixture.loader(["text"]).input("words ".repeat(100_000));
    let loader = long.start();
    loader.wait_for(fixture.key());
    for arguments in [&["show"][..], &["info"], &["list"]] {
        drop(viewer(arguments).done());
    }
    let early = fixture
        .viewer(["show"])
        .through("sh", ["-c", r#""$0" "$@" | head -c 1"#]);
    drop(early.run().done());
    let unwritable = ["show", "--output", "/nonexistent/file"];
    drop(viewer(&unwritable).refused("/nonexistent"));
    drop(viewer(&["remove"]).refused("in use"));
    drop(viewer(&["remove", "--force"]).done());
    drop(loader.finish());
    let gone = fixture
        .bare_viewer(["list"])
        .env("SHM_CORE_DIR", "/nonexistent");
    drop(gone.run().refused("/nonexistent"));
}

#[test]
fn exit_codes_of_following() {
    let fixture = Fixture::new();
    let follow = |arguments: &[&str]| fixture.viewer(["follow"]).args(arguments);
    drop(
        follow(&["--timeout", "10ms"])
            .run()
            .refused("No new content"),
    );
    for arguments in [
        &["--nonsense"][..],
        &["--oldest", "--new"],
        &["--output", "a.png"],
        &["--json", "--raw", "-"],
    ] {
        drop(follow(arguments).run().misused("error: "));
    }
    let loader = loaded(&fixture, &["text", "words"]);
    drop(follow(&["--count", "1"]).run().done());
    drop(follow(&["--raw", "-"]).run().refused("not a picture"));
    let ended = follow(&["--until-end"]).start();
    ended.wait_for("words");
    let signal = follow(&[]).start();
    signal.wait_for("words");
    signalled(signal, Signal::TERM);
    signalled(loader, Signal::TERM);
    drop(ended.finish().done());

    let fixture = Fixture::new();
    let mut actor = Actor::new(&fixture);
    actor.run("create 64");
    drop(fixture.viewer(["follow"]).run().refused("block"));
}

#[test]
fn exit_codes_of_the_windows() {
    let fixture = Fixture::new();
    let windows = |arguments: &[&str]| -> [Launch; 2] {
        [fixture.loader(arguments), fixture.viewer(arguments)]
    };
    for launch in windows(&[]) {
        drop(launch.run().refused("display"));
    }
    for launch in windows(&["--lang", "xx"]) {
        drop(launch.run().misused("error: "));
    }
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let titles = ["SharedMemoryLoad", "ShowSharedMem"];
    for (launch, title) in windows(&["--verbose"]).into_iter().zip(titles) {
        let program = launch.on(&desktop).start();
        program.wait_for_stderr("status: ");
        desktop.window_of(&program, title).close();
        drop(program.finish().done());
    }
}
