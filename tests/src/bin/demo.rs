//! Drives both windows on a virtual display as a user would, and reports the results.
//!
//! `demo FOLDER` loads a text and a picture in SharedMemoryLoad, shows both in ShowSharedMem, reads
//! them back from there, and saves screenshots in FOLDER.

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use e2e_tests::{Area, Desktop, Fixture, LoaderWindow, ViewerWindow, demo_image};

const KEY: &str = "MySharedMemory";
const TEXT: &str = "Hello from SharedMemoryLoad!\n\nThis text was written in one window and is read in another:\n\
    你好，世界 · こんにちは · Привет · שלום · 🦀\n\nNothing was sent. Both look at the same memory.";

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: demo FOLDER");
        return ExitCode::from(2);
    };
    let Some(desktop) = Desktop::open() else {
        return ExitCode::FAILURE;
    };
    if play(&desktop, &folder) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs the whole demonstration; returns `true` if the content read back equals the loaded content.
fn play(desktop: &Desktop, folder: &Path) -> bool {
    let fixture = Fixture::new().with_key(KEY);
    let began = Instant::now();
    let loader = LoaderWindow::open(&fixture, desktop);
    let drawn = began.elapsed();
    let viewer = ViewerWindow::open(&fixture, desktop);
    println!(
        "Both windows are open; the first was drawn after {} ms.",
        drawn.as_millis()
    );

    println!("\nA text, pasted into the input dialog of SharedMemoryLoad:");
    println!("  {}", loader.load_text(TEXT));
    let waited = time_to_show(desktop, &viewer).as_millis();
    println!("  ShowSharedMem showed it within {waited} ms of the click.");
    save(desktop, &folder.join("text.png"));
    let text = viewer.shown_text();
    println!("  Read back from ShowSharedMem, through the clipboard:\n");
    for line in text.lines() {
        println!("    {line}");
    }

    println!("\nA picture, by its path:");
    let picture = demo_image(400, 225);
    let path = fixture.path("demo_image.png");
    picture.save(&path).expect("there is space for a picture");
    println!("  {}", loader.load_picture(&path));
    viewer.show("Showing the picture");
    let area = viewer.window.wait_for_picture(&picture);
    println!(
        "  Read back from ShowSharedMem, from the screen: {} x {} pixels, each as it was loaded.",
        area.width, area.height
    );
    save(desktop, &folder.join("picture.png"));
    println!(
        "\nThe screenshots: {}/text.png and picture.png",
        folder.display()
    );
    text == TEXT
}

/// Returns the time from a click on the viewer's button until the viewer shows something else.
fn time_to_show(desktop: &Desktop, viewer: &ViewerWindow<'_>) -> Duration {
    let window = viewer.window.area();
    let content = Area {
        x: window.x + 24,
        y: window.y + 145,
        width: 590,
        height: 250,
    };
    let before = desktop.screen().crop(content);
    viewer.window.activate();
    let began = Instant::now();
    thread::scope(|scope| {
        // xdotool sleeps a tenth of a second after a click, so its end is not waited for.
        scope.spawn(|| viewer.press_show());
        desktop.wait_to_see("something else", |screen| {
            (screen.crop(content).pixels() != before.pixels()).then(|| began.elapsed())
        })
    })
}

/// Saves the part of the screen that the two windows cover.
fn save(desktop: &Desktop, path: &Path) {
    let both = Area {
        x: 0,
        y: 20,
        width: 1352,
        height: 640,
    };
    desktop.screen().crop(both).save(path);
}
