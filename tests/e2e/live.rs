//! The switch "Live" of ShowSharedMem, on a display.

use std::thread;
use std::time::Duration;

use e2e_tests::{
    Desktop, Fixture, LoaderWindow, Picture, PictureFile, Program, Signal, ViewerWindow,
};

/// Opens the viewer with "Live" on.
fn live<'d>(fixture: &Fixture, desktop: &'d Desktop) -> ViewerWindow<'d> {
    let viewer = ViewerWindow::open(fixture, desktop);
    viewer.toggle_live();
    viewer.program.wait_for_status("Live: what is loaded");
    viewer
}

/// Starts a loader and waits until it has loaded `text`.
fn loaded(fixture: &Fixture, text: &str) -> Program {
    let loader = fixture.loader(["text", text]).start();
    loader.wait_for(fixture.key());
    loader
}

#[test]
fn loaded_text_is_shown_automatically_and_remains() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = live(&fixture, &desktop);
    viewer.program.wait_for_status("Waiting for something");

    let loader = loaded(&fixture, "one");
    viewer.program.wait_for_status("Showing the text");
    assert_eq!(viewer.shown_text(), "one");
    loader.kill();
    viewer
        .program
        .wait_for_status("The loader has left; this is the last copy.");
    assert_eq!(viewer.shown_text(), "one");

    let loader = loaded(&fixture, "back again");
    viewer.program.wait_for_status("Showing the text");
    assert_eq!(viewer.shown_text(), "back again");
    loader.terminate().done();
    viewer.program.wait_for_status("The loader has left");
    fixture.assert_empty();
}

#[test]
fn a_loaded_picture_is_shown_automatically_and_remains() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = live(&fixture, &desktop);
    let picture = Picture::draw(240, 160, 1);
    let path = fixture.file("p.png", &picture.encode(PictureFile::Png));
    let loader = fixture.loader(["image"]).args([&path]).start();
    viewer.window.wait_for_picture(picture.pixels());
    loader.terminate().done();
    viewer.program.wait_for_status("The loader has left");
    viewer.window.wait_for_picture(picture.pixels());
    fixture.assert_empty();
}

#[test]
fn with_live_off_new_content_needs_the_button() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = live(&fixture, &desktop);
    let first = loaded(&fixture, "one");
    viewer.program.wait_for_status("Showing the text");
    viewer.toggle_live();
    viewer.program.wait_for_status("Live is off");
    let second = loaded(&fixture, "and two");
    assert_eq!(viewer.shown_text(), "one");
    viewer.show("Showing the text");
    assert_eq!(viewer.shown_text(), "and two");
    first.terminate().done();
    second.terminate().done();
}

/// Returns how many pictures were shown and how many skipped, from the viewer's next report.
fn figures(viewer: &ViewerWindow<'_>) -> [u64; 2] {
    let line = viewer.program.wait_for_stderr("live: ");
    let numbers: Vec<u64> = line
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    let &[shown, skipped, _milliseconds] = &numbers[..] else {
        panic!("not three numbers: {line}");
    };
    [shown, skipped]
}

#[test]
fn a_stopped_viewer_skips_frames_and_delays_no_publisher() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = live(&fixture, &desktop);
    let pattern = ["frames", "--test-pattern", "--size", "320x180"];
    let loader = fixture.loader(pattern).args(["--fps", "60"]).start();
    let [_, skipped_before] = figures(&viewer);
    viewer.program.signal(Signal::STOP);
    const MISSED: u64 = 60;
    let other = fixture.viewer(["follow", "--count", &MISSED.to_string()]);
    other.run().done();
    viewer.program.signal(Signal::CONT);
    while figures(&viewer)[1] < skipped_before + MISSED / 2 {}
    loader.terminate().done();
}

#[test]
fn successive_pictures_are_shown_and_counted() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = live(&fixture, &desktop);
    const FRAMES: u64 = 60;
    let count = FRAMES.to_string();
    let pattern = [
        "frames",
        "--test-pattern",
        "--size",
        "640x360",
        "--fps",
        "30",
    ];
    let loader = fixture.loader(pattern).args(["--count", &count]).start();
    loader.finish().done();

    // Twice a second: "live: 58 shown, 2 skipped, 9 ms".
    let mut last = 0;
    let mut shown = 0;
    while last == 0 || last < FRAMES / 2 {
        let [now_shown, skipped] = figures(&viewer);
        assert!(now_shown >= shown, "{now_shown} after {shown}");
        shown = now_shown;
        last = shown + skipped;
    }
    assert!(
        last < FRAMES,
        "{last} of {FRAMES}: what is shown now is counted later"
    );
    assert!(shown > 0);
}

/// Returns the number of context switches of a process's threads.
fn context_switches(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .map(|task| {
            let status = std::fs::read_to_string(task.unwrap().path().join("status"));
            // A thread may end meanwhile.
            let status = status.unwrap_or_default();
            let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
            counts
                .filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok())
                .sum::<u64>()
        })
        .sum()
}

/// Asserts that a process is idle: at most two context switches a second.
fn assert_idle(pid: u32) {
    const SECONDS: u32 = 8;
    // Idleness can only be measured over time. Work that had begun may end first.
    thread::sleep(Duration::from_secs(2));
    let before = context_switches(pid);
    thread::sleep(Duration::from_secs(SECONDS.into()));
    let switches = context_switches(pid) - before;
    println!("{switches} switches in {SECONDS} s");
    assert!(
        switches <= u64::from(2 * SECONDS),
        "{switches} switches in {SECONDS} s"
    );
}

#[test]
fn an_idle_viewer_window_sleeps() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = live(&fixture, &desktop);
    viewer.program.wait_for_status("Waiting for something");
    assert_idle(viewer.program.pid());
    let loader = loaded(&fixture, "once");
    viewer.program.wait_for_status("Showing the text");
    assert_idle(viewer.program.pid());
    loader.kill();
    viewer.program.wait_for_status("The loader has left");
    assert_idle(viewer.program.pid());
}

#[test]
fn an_idle_loader_window_sleeps() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.load_text("held");
    assert_idle(loader.program.pid());
}
