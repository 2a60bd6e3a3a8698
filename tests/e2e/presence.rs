//! Presence: viewers are reported while they live, disappear when they die, and are visible only to
//! their own user.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e_tests::{
    Area, Desktop, Fixture, Launch, LoaderWindow, OtherUser, PrivateDir, Program, Screen, Signal,
    ViewerWindow, skip,
};

use crate::actor::{Actor, timed};

/// Starts a loader that reports its viewers.
fn loader(fixture: &Fixture) -> Program {
    let loader = fixture.loader(["text", "--verbose", "on stage"]).start();
    loader.wait_for(fixture.key());
    loader
}

/// Starts an actor that is connected to the loader as a viewer.
fn watcher(fixture: &Fixture, loader: &Program) -> Actor {
    let mut actor = Actor::new(fixture);
    actor.run("connect");
    loader.wait_for_stderr(&format!("watched by actor (pid {})", actor.program().pid()));
    actor
}

/// Returns the sockets in a directory.
fn sockets(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.symlink_metadata().unwrap().file_type().is_socket())
        .collect()
}

#[test]
fn a_viewer_reports_the_shown_sequence_and_its_latency() {
    let fixture = Fixture::new();
    let loader = loader(&fixture);
    let mut actor = watcher(&fixture, &loader);
    actor.run("show 12 3");
    loader.wait_for_stderr(": sequence 12 after 3 ms");
    drop(actor.finish().done());
    loader.wait_for_stderr("has left");

    // A viewer that connects only briefly is reported as well.
    let viewer = fixture.viewer(["show"]).start();
    let name = format!("viewer-app (pid {})", viewer.pid());
    loader.wait_for_stderr(&format!("watched by {name}: sequence 1 after"));
    loader.wait_for_stderr(&format!("{name} has left"));
    drop(viewer.finish().done());
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_waiting_viewer_is_already_connected() {
    let fixture = Fixture::new();
    let mut publisher = Actor::new(&fixture);
    publisher.run("open");
    publisher.run("listen");
    let viewer = fixture.viewer(["show", "--wait", "60"]).start();
    assert_eq!(
        publisher.run("viewers"),
        format!("viewer-app {} -", viewer.pid())
    );
    publisher.run("publish 7 100");
    drop(viewer.finish().done());
    let said = publisher.run("viewers");
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
        timed(|| loader.wait_for_stderr(&name)).1
    };
    let quickest = (0..5).map(|_| gone_after()).min().unwrap();
    // Polling once a second could not pass this five times.
    assert!(quickest < Duration::from_millis(150), "{quickest:?}");
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn every_loader_of_a_key_gets_reports_even_a_later_one() {
    let fixture = Fixture::new();
    let first = loader(&fixture);
    let mut actor = watcher(&fixture, &first);
    let second = loader(&fixture);
    second.wait_for_stderr("watched by actor");
    actor.run("show 2 1");
    for loader in [&first, &second] {
        loader.wait_for_stderr("sequence 2 after 1 ms");
    }
    first.kill();
    actor.run("show 3 1");
    second.wait_for_stderr("sequence 3 after 1 ms");
    second.terminate().done();
    drop(actor.finish().done());
    fixture.assert_empty();
}

#[test]
fn leftovers_of_a_killed_loader_are_removed() {
    let fixture = Fixture::new();
    let killed = loader(&fixture);
    let survivor = loader(&fixture);
    assert_eq!(sockets(fixture.segments()).len(), 2);
    killed.kill();
    // By viewers, while the segment lives …
    let mut actor = watcher(&fixture, &survivor);
    actor.run("show 1 1");
    survivor.wait_for_stderr("sequence 1");
    assert_eq!(sockets(fixture.segments()).len(), 1);
    survivor.kill();
    drop(actor.finish().done());
    // … and by any list, when it is gone.
    fixture.assert_empty();
}

#[test]
fn a_stopped_loader_blocks_no_viewer() {
    let fixture = Fixture::new();
    let loader = loader(&fixture);
    loader.signal(Signal::STOP);
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "on stage");
    loader.signal(Signal::CONT);
    loader.wait_for_stderr("sequence 1");
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn another_user_is_refused_regardless_of_the_mode() {
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

    let greet = format!("greet {}", socket.display());
    let mut other = Actor::start(other_user.launch_as(Actor::launch(&fixture)));
    assert_eq!(other.run(&greet), "refused");
    // The mode is one barrier; the peer's user id is checked as well.
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(other.run(&greet), "closed");

    let _watcher = watcher(&fixture, &loader);
    let loader = loader.terminate().done();
    assert!(!loader.stderr.contains("other_user"), "{loader:?}");
    fixture.assert_empty();
}

#[test]
fn another_users_socket_receives_no_greeting() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let directory = PrivateDir::in_memory();
    directory.set_mode(0o1777);
    let fixture = Fixture::within(directory.path());
    let loader = loader(&fixture);
    let [socket] = sockets(fixture.segments()).try_into().unwrap();
    let (prefix, _) = socket.to_str().unwrap().rsplit_once('.').unwrap();
    let sockets_of_other = [
        format!("{prefix}.{:016x}", 1),
        format!("{prefix}.{:016x}", 2),
    ];
    let mut binder = Actor::start(other_user.launch_as(Actor::launch(&fixture)));
    for socket in &sockets_of_other {
        binder.run(&format!("bind {socket}"));
    }
    // Even one that seems to belong to us.
    chown(
        &sockets_of_other[0],
        Some(rustix::process::getuid().as_raw()),
        None,
    )
    .unwrap();

    let mut actor = watcher(&fixture, &loader);
    actor.run("show 1 1");
    loader.wait_for_stderr("sequence 1");
    drop(actor.finish().done());
    assert_eq!(
        binder.run("received"),
        "\"\"",
        "the socket received a greeting"
    );
    loader.terminate().done();
    for socket in &sockets_of_other {
        fs::remove_file(socket).unwrap();
    }
    fixture.assert_empty();
}

/// Sets the default directory of segments, with a unique key.
fn in_default_directory(launch: Launch) -> Launch {
    launch.env("SHM_CORE_DIR", "")
}

#[test]
fn the_default_directory_is_the_runtime_directory() {
    let fixture = Fixture::new();
    let runtime = PrivateDir::on_disk();
    let here = |launch| in_default_directory(launch).env("XDG_RUNTIME_DIR", runtime.path());
    let loader = here(fixture.loader(["text", "--verbose", "on stage"])).start();
    loader.wait_for(fixture.key());
    let place = runtime.path().join("shm-core");
    let mode = fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(sockets(&place).len(), 1);
    assert_eq!(
        here(fixture.viewer(["show"])).run().done().text(),
        "on stage"
    );
    loader.wait_for_stderr("watched by viewer-app");
    loader.terminate().done();
    assert_eq!(sockets(&place), [] as [PathBuf; 0]);
}

/// Starts it with empty /tmp and /run, with /tmp writable ("rw") or not ("ro").
///
/// The programs under test stay reachable, even if they are in /tmp.
fn with_empty_directories(launch: Launch, temporary: &str) -> Option<Launch> {
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
fn without_a_runtime_directory_the_temporary_directory_is_used() {
    let fixture = Fixture::new();
    let Some(loader) = with_empty_directories(
        in_default_directory(fixture.loader(["text", "--verbose", "on stage"])),
        "rw",
    ) else {
        return;
    };
    let loader = loader.start();
    loader.wait_for(fixture.key());
    let inside = format!("--target={}", loader.pid());
    let show = in_default_directory(fixture.viewer(["show"]))
        .through("nsenter", [inside.as_str(), "--mount"]);
    assert_eq!(show.run().done().text(), "on stage");
    loader.wait_for_stderr("watched by viewer-app");
    loader.terminate().done();
}

#[test]
fn without_any_socket_directory_everything_else_works() {
    let fixture = Fixture::new();
    let loader = in_default_directory(fixture.loader(["text", "--verbose", "all the same"]));
    let Some(loader) = with_empty_directories(loader.env("XDG_RUNTIME_DIR", "/etc"), "ro") else {
        return;
    };
    let loader = loader.start();
    let complaint = loader.wait_for_stderr("Viewers cannot be shown");
    assert!(complaint.contains("/etc is open to others"), "{complaint}");
    loader.wait_for(fixture.key());
    let show = in_default_directory(fixture.viewer(["show"])).env("XDG_RUNTIME_DIR", "/etc");
    let show = with_empty_directories(show, "ro").unwrap();
    assert_eq!(show.run().done().text(), "all the same");
    loader.terminate().done();
}

/// Returns a line of small text in the loader's window, by its distance from the top.
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
fn the_loader_window_shows_viewers_until_they_disconnect() {
    const FACTS: u32 = 423;
    const WATCHERS: u32 = 478;
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);
    loader.load_text("on stage");
    desktop.wait_for("the loaded content without viewers", || {
        let is_shown = !is_blank(&line(&loader, FACTS)) && is_blank(&line(&loader, WATCHERS));
        is_shown.then_some(())
    });

    viewer.show("Showing the text");
    let name = format!("viewer-app (pid {})", viewer.program.pid());
    let program = &loader.program;
    program.wait_for_stderr(&format!("watched by {name}: sequence 1 after"));
    desktop.wait_for("a text about the viewer", || {
        (!is_blank(&line(&loader, WATCHERS))).then_some(())
    });

    viewer.program.kill();
    program.wait_for_stderr(&format!("{name} has left"));
    desktop.wait_for("an empty line", || {
        is_blank(&line(&loader, WATCHERS)).then_some(())
    });
}
