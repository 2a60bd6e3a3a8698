//! The compiled example of Qt's own documentation beside the two windows, on one display.
//!
//! Its key cannot be chosen; the folder of its key file can, and so nobody else meets it.

use std::path::PathBuf;

use e2e_tests::{
    Desktop, Launch, LoaderWindow, Picture, PictureFile, Program, Scene, ViewerWindow, Window, skip,
};

use crate::peer::Stage;

const TITLE: &str = "SharedMemory Example";
const KEY: &str = "qt:QSharedMemoryExample";

/// The example with its window open.
struct Example<'d> {
    _program: Program,
    window: Window<'d>,
    desktop: &'d Desktop,
}

impl<'d> Example<'d> {
    fn open(program: PathBuf, stage: &Stage, desktop: &'d Desktop) -> Example<'d> {
        let program = Launch::new(program)
            .env("TMPDIR", stage.directory())
            // Its file dialog remembers what it was shown.
            .env("XDG_CONFIG_HOME", stage.directory())
            .on(desktop)
            .start();
        let window = desktop.window_of(&program, TITLE);
        window.move_to(20, 640);
        Example {
            _program: program,
            window,
            desktop,
        }
    }

    /// "Load Image From File...", which has the focus at first; then the path, in Qt's own file dialog.
    fn load(&self, path: &str) {
        self.window.press(&["space"]);
        let dialog = self.desktop.window("Open");
        dialog.paste(path);
        dialog.press(&["Return"]);
    }

    /// "Display Image From Shared Memory", the button after it.
    fn display(&self) {
        self.window.press(&["Tab", "space"]);
    }
}

/// Where Debian has the example.
fn example() -> Option<PathBuf> {
    let tail = "qt5/examples/corelib/ipc/sharedmemory/sharedmemory";
    let architectures = std::fs::read_dir("/usr/lib").ok()?.flatten();
    let found = architectures
        .map(|entry| entry.path().join(tail))
        .find(|path| path.is_file());
    if found.is_none() {
        skip("the example of Qt is not installed (qtbase5-examples)");
    }
    found
}

#[test]
fn a_picture_that_the_example_loaded_is_shown_by_our_window() {
    let (Some(desktop), Some(program)) = (Desktop::open(), example()) else {
        return;
    };
    let Some(stage) = Stage::with(&[]) else {
        return;
    };
    let scene = Scene::new().with_key(KEY);
    let picture = Picture::draw(160, 120, 3);
    let file = scene.file("cat.png", &picture.encode(PictureFile::Png));
    let example = Example::open(program, &stage, &desktop);
    example.load(file.to_str().unwrap());
    example.window.wait_for_picture(picture.pixels());

    let viewer = scene
        .viewer(["--verbose"])
        .env("TMPDIR", stage.directory())
        .on(&desktop)
        .start();
    let viewer = ViewerWindow::of(viewer, &desktop);
    viewer.show("Showing the picture");
    viewer.window.wait_for_picture(picture.pixels());

    // It follows what the example loads next.
    viewer.throw_live();
    let next = Picture::draw(150, 110, 5);
    let file = scene.file("dog.png", &next.encode(PictureFile::Png));
    example.load(file.to_str().unwrap());
    viewer.window.wait_for_picture(next.pixels());
    viewer.window.close();
    viewer.program.finish().done();
    example.window.close();
    drop(example);
    stage.assert_clean();
}

#[test]
fn a_picture_that_our_window_loaded_is_shown_by_the_example() {
    let (Some(desktop), Some(program)) = (Desktop::open(), example()) else {
        return;
    };
    let Some(stage) = Stage::with(&[]) else {
        return;
    };
    let scene = Scene::new().with_key(KEY);
    let picture = Picture::draw(160, 120, 4);
    let file = scene.file("cat.png", &picture.encode(PictureFile::Png));
    let loader = scene
        .loader(["--verbose"])
        .env("TMPDIR", stage.directory())
        .on(&desktop)
        .start();
    let loader = LoaderWindow::of(loader, &desktop);
    loader.enter_path(&file);
    loader.program.wait_for_status("as qimage");
    loader.window.wait_for_picture(picture.pixels());

    let example = Example::open(program, &stage, &desktop);
    example.display();
    example.window.wait_for_picture(picture.pixels());
    example.window.close();
    drop(example);
    loader.window.close();
    loader.program.finish().done();
    stage.assert_clean();
}
