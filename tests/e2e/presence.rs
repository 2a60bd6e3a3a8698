//! Who watches: told while they live, gone when they die, and nobody else's business.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e_tests::{
    Area, Desktop, Launch, LoaderWindow, OtherUser, PrivateDir, Program, Fixture, Screen, Signal,
    ViewerWindow, skip,
};

use crate::actor::{Actor, timed};

/// A loader that tells who watches.
fn loader(fixture: &Fixture) -> Program {
    let loader = fixture.loader(["text", "--verbose", "on stage"]).start();
    loader.wait_for(fixture.key());
    loader
}

/// An actor that sits in the server, known to the loader.
fn watcher(fixture: &Fixture, loader: &Program) -> Actor {
    let mut actor = Actor::new(fixture);
    actor.run("sit");
    loader.wait_for_complaint(&format!("watched by actor (pid {})", actor.program().pid()));
    actor
}

/// The sockets in a directory.
fn sockets(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.symlink_metadata().unwrap().file_type().is_socket())
        .collect()
}

#[test]
fn a_viewer_tells_what_it_has_shown_and_how_soon() {
    let fixture = Fixture::new();
    let loader = loader(&fixture);
    let mut actor = watcher(&fixture, &loader);
    actor.run("show 12 3");
    loader.wait_for_complaint(": sequence 12 after 3 ms");
    drop(actor.finish().done());
    loader.wait_for_complaint("has left");

    // One that only comes and goes is told of as well.
    let viewer = fixture.viewer(["show"]).start();
    let name = format!("viewer-app (pid {})", viewer.pid());
    loader.wait_for_complaint(&format!("watched by {name}: sequence 1 after"));
    loader.wait_for_complaint(&format!("{name} has left"));
    drop(viewer.finish().done());
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_viewer_that_waits_is_watching_already() {
    let fixture = Fixture::new();
    let mut publisher = Actor::new(&fixture);
    publisher.run("open");
    publisher.run("gather");
    let viewer = fixture.viewer(["show", "--wait", "60"]).start();
    assert_eq!(
        publisher.run("attends"),
        format!("viewer-app {} -", viewer.pid())
    );
    publisher.run("publish 7 100");
    drop(viewer.finish().done());
    let said = publisher.run("attends");
    assert!(said.ends_with(" 1") || said.is_empty(), "{said}");
    publisher.kill();
    fixture.assert_empty();
}

#[test]
fn a_viewer_that_dies_disappears_at_once() {
    let fixture = Fixture::new();
    let loader = loader(&fixture);
    let gone_after = || {
        let actor = watcher(&fixture, &loader);
        let name = format!("actor (pid {}) has left", actor.program().pid());
        actor.program().signal(Signal::KILL);
        timed(|| loader.wait_for_complaint(&name)).1
    };
    let quickest = (0..5).map(|_| gone_after()).min().unwrap();
    // Who looks once a second who is there does not reach this in five times.
    assert!(quickest < Duration::from_millis(150), "{quickest:?}");
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn every_loader_of_a_key_is_told_also_the_one_that_comes_later() {
    let fixture = Fixture::new();
    let first = loader(&fixture);
    let mut actor = watcher(&fixture, &first);
    let second = loader(&fixture);
    second.wait_for_complaint("watched by actor");
    actor.run("show 2 1");
    for loader in [&first, &second] {
        loader.wait_for_complaint("sequence 2 after 1 ms");
    }
    first.kill();
    actor.run("show 3 1");
    second.wait_for_complaint("sequence 3 after 1 ms");
    second.terminate().done();
    drop(actor.finish().done());
    fixture.assert_empty();
}

#[test]
fn what_a_killed_loader_leaves_is_cleared_away() {
    let fixture = Fixture::new();
    let killed = loader(&fixture);
    let survivor = loader(&fixture);
    assert_eq!(sockets(fixture.segments()).len(), 2);
    killed.kill();
    // By viewers, while the segment lives …
    let mut actor = watcher(&fixture, &survivor);
    actor.run("show 1 1");
    survivor.wait_for_complaint("sequence 1");
    assert_eq!(sockets(fixture.segments()).len(), 1);
    survivor.kill();
    drop(actor.finish().done());
    // … and by whoever lists, when it is gone.
    fixture.assert_empty();
}

#[test]
fn a_stopped_loader_keeps_no_viewer_waiting() {
    let fixture = Fixture::new();
    let loader = loader(&fixture);
    loader.signal(Signal::STOP);
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "on stage");
    loader.signal(Signal::CONT);
    loader.wait_for_complaint("sequence 1");
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn another_user_is_not_listened_to_whatever_the_mode() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let directory = PrivateDir::in_memory();
    directory.set_mode(0o1777);
    let fixture = Fixture::within(directory.path());
    let loader = fixture
        .loader(["text", "--verbose", "--mode", "644", "on stage"])
        .start();
    loader.wait_for(fixture.key());
    let [socket] = sockets(fixture.segments()).try_into().unwrap();
    let facts = fs::symlink_metadata(&socket).unwrap();
    assert_eq!(facts.permissions().mode() & 0o777, 0o600);

    let knock = format!("knock {}", socket.display());
    let mut other = Actor::start(other_user.launch_as(Actor::launch(&fixture)));
    assert_eq!(other.run(&knock), "refused");
    // The mode is one door; who is behind it is asked as well.
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(other.run(&knock), "hung up");

    let _watcher = watcher(&fixture, &loader);
    let loader = loader.terminate().done();
    assert!(!loader.stderr.contains("other_user"), "{loader:?}");
    fixture.assert_empty();
}

#[test]
fn another_users_socket_is_not_spoken_to() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let directory = PrivateDir::in_memory();
    directory.set_mode(0o1777);
    let fixture = Fixture::within(directory.path());
    let loader = loader(&fixture);
    let [socket] = sockets(fixture.segments()).try_into().unwrap();
    let (prefix, _) = socket.to_str().unwrap().rsplit_once('.').unwrap();
    let traps = [
        format!("{prefix}.{:016x}", 1),
        format!("{prefix}.{:016x}", 2),
    ];
    let mut trapper = Actor::start(other_user.launch_as(Actor::launch(&fixture)));
    for trap in &traps {
        trapper.run(&format!("trap {trap}"));
    }
    // Even one that looks as if it were ours.
    chown(&traps[0], Some(rustix::process::getuid().as_raw()), None).unwrap();

    let mut actor = watcher(&fixture, &loader);
    actor.run("show 1 1");
    loader.wait_for_complaint("sequence 1");
    drop(actor.finish().done());
    assert_eq!(trapper.run("caught"), "\"\"", "it was greeted");
    loader.terminate().done();
    for trap in &traps {
        fs::remove_file(trap).unwrap();
    }
    fixture.assert_empty();
}

/// The usual directory of segments, with a key that nobody else has.
fn usual(launch: Launch) -> Launch {
    launch.env("SHM_CORE_DIR", "")
}

#[test]
fn the_usual_place_is_the_runtime_directory() {
    let fixture = Fixture::new();
    let runtime = PrivateDir::on_disk();
    let here = |launch| usual(launch).env("XDG_RUNTIME_DIR", runtime.path());
    let loader = here(fixture.loader(["text", "--verbose", "on stage"])).start();
    loader.wait_for(fixture.key());
    let place = runtime.path().join("shm-core");
    let mode = fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(sockets(&place).len(), 1);
    assert_eq!(here(fixture.viewer(["show"])).run().done().text(), "on stage");
    loader.wait_for_complaint("watched by viewer-app");
    loader.terminate().done();
    assert_eq!(sockets(&place), [] as [PathBuf; 0]);
}

/// Starts it where /tmp and /run are empty, and /tmp writable ("rw") or not ("ro").
///
/// The programs under test stay where they are, even if that is in /tmp.
fn bare(launch: Launch, temporary: &str) -> Option<Launch> {
    let script = format!(
        r#"set -e
        programs=$(dirname "$1")
        mount --bind /tmp /mnt
        mount -t tmpfs -o mode=1777 tmpfs /tmp
        case $programs in /tmp/*)
            mkdir -p "$programs"
            mount --bind "/mnt/${{programs#/tmp/}}" "$programs"
        esac
        mount -o remount,{temporary} /tmp
        mount -t tmpfs tmpfs /run
        exec "$@""#
    );
    let arguments = ["--mount", "sh", "-c", &script, "sh"];
    let attempt = Launch::new("true").through("unshare", arguments);
    if attempt.run().code != Some(0) {
        skip("mounts of a test's own are not permitted here");
        return None;
    }
    Some(launch.through("unshare", arguments))
}

#[test]
fn without_a_runtime_directory_the_temporary_one_serves() {
    let fixture = Fixture::new();
    let Some(loader) = bare(usual(fixture.loader(["text", "--verbose", "on stage"])), "rw") else {
        return;
    };
    let loader = loader.start();
    loader.wait_for(fixture.key());
    let inside = format!("--target={}", loader.pid());
    let show = usual(fixture.viewer(["show"])).through("nsenter", [inside.as_str(), "--mount"]);
    assert_eq!(show.run().done().text(), "on stage");
    loader.wait_for_complaint("watched by viewer-app");
    loader.terminate().done();
}

#[test]
fn without_any_place_all_else_works() {
    let fixture = Fixture::new();
    let loader = usual(fixture.loader(["text", "--verbose", "all the same"]));
    let Some(loader) = bare(loader.env("XDG_RUNTIME_DIR", "/etc"), "ro") else {
        return;
    };
    let loader = loader.start();
    let complaint = loader.wait_for_complaint("cannot be shown here");
    assert!(complaint.contains("/etc is open to others"), "{complaint}");
    loader.wait_for(fixture.key());
    let show = usual(fixture.viewer(["show"])).env("XDG_RUNTIME_DIR", "/etc");
    let show = bare(show, "ro").unwrap();
    assert_eq!(show.run().done().text(), "all the same");
    loader.terminate().done();
}

/// A line of small text in the loader's window, by its distance from the top.
fn line(loader: &LoaderWindow<'_>, y: u32) -> Screen {
    loader.window.screen().crop(Area {
        x: 16,
        y,
        width: 560,
        height: 18,
    })
}

fn is_blank(line: &Screen) -> bool {
    let first = line.pixel(0, 0);
    line.pixels().pixels().all(|pixel| *pixel == first)
}

#[test]
fn the_loaders_window_shows_who_watches_until_they_are_gone() {
    const FACTS: u32 = 423;
    const WATCHERS: u32 = 478;
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);
    loader.load_text("on stage");
    desktop.wait_for("what was loaded, and nobody who watches", || {
        let is_shown = !is_blank(&line(&loader, FACTS)) && is_blank(&line(&loader, WATCHERS));
        is_shown.then_some(())
    });

    viewer.show("Showing the text");
    let name = format!("viewer-app (pid {})", viewer.program.pid());
    let program = &loader.program;
    program.wait_for_complaint(&format!("watched by {name}: sequence 1 after"));
    desktop.wait_for("words about the viewer", || {
        (!is_blank(&line(&loader, WATCHERS))).then_some(())
    });

    viewer.program.kill();
    program.wait_for_complaint(&format!("{name} has left"));
    desktop.wait_for("an empty line", || {
        is_blank(&line(&loader, WATCHERS)).then_some(())
    });
}
