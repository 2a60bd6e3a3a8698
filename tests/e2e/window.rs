//! Both windows on a display of their own, driven by mouse and keyboard.
use e2e_tests::{Desktop, LoaderWindow, Scene, ViewerWindow};

#[test]
fn look() {
    let scene = Scene::new();
    let desktop = Desktop::open().unwrap();
    let loader = LoaderWindow::open(&scene, &desktop);
    let viewer = ViewerWindow::open(&scene, &desktop);
    std::thread::sleep(std::time::Duration::from_secs(1));
    eprintln!("{:?} {:?}", loader.window.area(), viewer.window.area());
    desktop.screen().save(std::path::Path::new("/tmp/both.png"));
    loader.open_dialog();
    desktop
        .screen()
        .save(std::path::Path::new("/tmp/dialog.png"));
}
