//! Saving among other users, without a reader, and through kills and signals: the file is complete
//! or unchanged, it belongs to the user, and nothing else is left behind.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use e2e_tests::{
    Desktop, Fixture, Launch, OtherUser, PrivateDir, Program, Signal, SmallDisk, Stores, TIMEOUT,
    Tracer, ViewerWindow, skip,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{CWD, Mode, OFlags, inotify, mkfifoat},
};
use shm_core::{ImageMetadata, Metadata, PixelFormat, Publisher};

use crate::actor::{key, options};

const OLD: &str = "old, and whole";
const NEW: &str = "new, and whole";

/// A directory to save in, and a small picture to save.
struct SaveFixture {
    fixture: Fixture,
    folder: PrivateDir,
    publisher: Publisher,
}

impl SaveFixture {
    /// Creates one in a private folder.
    fn new() -> SaveFixture {
        let fixture = Fixture::new();
        let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
        let save = SaveFixture {
            fixture,
            folder: PrivateDir::on_disk(),
            publisher,
        };
        save.publish_picture(2);
        save
    }

    /// Creates one in a folder that every user may write to, like /tmp.
    fn in_shared_directory() -> SaveFixture {
        let save = SaveFixture::new();
        save.folder.set_mode(0o1777);
        save
    }

    fn publish_picture(&self, side: u32) {
        let metadata = ImageMetadata::packed(PixelFormat::Rgba8, side, side).unwrap();
        let bytes = u64::from(side) * u64::from(side) * 4;
        let pixels: Vec<u8> = (0..bytes)
            .map(|number| (number * number).to_le_bytes()[1])
            .collect();
        let metadata = Metadata::Image(metadata);
        self.publisher.publish(&metadata, &pixels).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes another user create a file here, by a shell command with `$0` for its path.
    fn plant(&self, other_user: &OtherUser, command: &str, path: &Path) {
        let shell = self
            .fixture
            .program("sh")
            .args(["-c", command])
            .args([path]);
        other_user.launch_as(shell).run().done();
    }

    fn show(&self, path: &Path) -> Launch {
        self.fixture.viewer(["show", "--output"]).args([path])
    }

    /// Returns every command that writes a file named `1.png`.
    fn commands(&self, path: &Path) -> [Launch; 3] {
        let pattern = path.with_file_name("%d.png");
        let count = ["follow", "--count", "1"];
        [
            self.show(path),
            self.fixture
                .viewer(count)
                .args(["--output"])
                .args([pattern]),
            self.fixture.viewer(count).args(["--raw"]).args([path]),
        ]
    }
}

#[test]
fn a_file_planted_by_another_user_grants_no_permissions() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let save = SaveFixture::in_shared_directory();
    let path = save.path("1.png");
    for command in save.commands(&path) {
        save.plant(&other_user, r#"cp /bin/true "$0"; chmod 6777 "$0""#, &path);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o6777);
        command.run().done();
        let saved = fs::metadata(&path).unwrap();
        assert_eq!(saved.uid(), rustix::process::geteuid().as_raw());
        assert_eq!(saved.mode() & 0o7022, 0, "{:o}", saved.mode());
        fs::remove_file(&path).unwrap();
    }
    // Nor does one of the same user.
    for command in save.commands(&path) {
        fs::write(&path, OLD).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4750)).unwrap();
        command.run().done();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o750);
    }
    assert_eq!(save.folder.names(), ["1.png"]);
}

#[test]
fn a_link_planted_by_another_user_is_not_followed() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let save = SaveFixture::in_shared_directory();
    let precious = save.fixture.file("precious.png", OLD.as_bytes());
    let path = save.path("1.png");
    let link = format!(r#"ln -s {} "$0""#, precious.display());
    save.plant(&other_user, &link, &path);
    for command in save.commands(&path) {
        drop(command.run().refused("a symbolic link that is not yours"));
        assert_eq!(fs::read_to_string(&precious).unwrap(), OLD);
        assert!(path.is_symlink());
    }
    // A link of the same user is followed, and stays a link.
    fs::remove_file(&path).unwrap();
    symlink(&precious, &path).unwrap();
    for command in save.commands(&path) {
        command.run().done();
        assert!(path.is_symlink());
        assert_ne!(fs::read(&precious).unwrap(), OLD.as_bytes());
        fs::write(&precious, OLD).unwrap();
    }
    assert_eq!(save.folder.names(), ["1.png"]);
}

#[test]
fn a_pipe_without_a_reader_is_an_error_at_once() {
    let save = SaveFixture::new();
    let path = save.path("1.png");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    for command in save.commands(&path) {
        drop(command.run().refused("Start its reader first."));
    }
    for command in save.commands(&path) {
        let mut reader = File::options();
        let reader = reader
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let mut reader = reader.open(&path).unwrap();
        command.run().done();
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        assert!(!got.is_empty());
    }
    assert_eq!(save.folder.names(), ["1.png"]);
}

#[test]
fn a_terminal_is_refused_as_an_output_file() {
    let save = SaveFixture::new();
    save.publisher.publish_text("\u{1b}[31mred").unwrap();
    for device in ["/dev/tty", "/dev/stdout"] {
        // `script` runs it on a terminal.
        let arguments = [
            "--quiet",
            "--return",
            "--command",
            r#""$VIEWER" show --key "$KEY" --output "$OUT""#,
        ];
        let viewer = e2e_tests::binaries_folder().join("viewer-app");
        let script = save
            .fixture
            .program("script")
            .args(arguments)
            .args(["/dev/null"]);
        let script = script.env("VIEWER", viewer).env("KEY", save.fixture.key());
        let outcome = script.env("OUT", device).run();
        let said = outcome.text();
        assert!(
            outcome.code == Some(1) && said.contains("it is a terminal"),
            "{outcome:?}"
        );
        assert!(!said.contains('\u{1b}'), "{outcome:?}");
    }
}

/// Starts a program under a tracer, stopped when it has created its first file; `None` if tracing
/// is not permitted.
fn traced(
    save: &SaveFixture,
    launch: Launch,
    lacks_unnamed_files: bool,
) -> Option<(Program, Tracer)> {
    // It waits for a line first.
    let wait = ["-c", r#"read -r line; exec "$@""#, "sh"];
    let mut program = launch.through("sh", wait).input_kept_open().start();
    let Ok(tracer) = Tracer::seize(&program, save.fixture.segments()) else {
        skip("tracing is not permitted here");
        return None;
    };
    let mut tracer = tracer.stopping_at(Stores::new());
    if lacks_unnamed_files {
        tracer = tracer.refusing_unnamed_files();
    }
    program.write(b"\n");
    tracer.take_line();
    assert!(tracer.run_to_creation());
    Some((program, tracer))
}

/// Kills a save after each of its steps from the first file that it creates.
fn kill_at_every_step(save: &SaveFixture, lacks_unnamed_files: bool) {
    let path = save.path("text");
    for step in 0.. {
        fs::write(&path, OLD).unwrap();
        let Some((program, mut tracer)) = traced(save, save.show(&path), lacks_unnamed_files)
        else {
            return;
        };
        let is_over = (0..step).any(|_| tracer.step().is_none());
        drop(program.kill());
        let found = fs::read_to_string(&path).unwrap();
        assert!(
            found == OLD || found == NEW,
            "after {step} steps: {found:?}"
        );
        // The next save of the same target removes the leftovers.
        save.show(&path).run().done();
        assert_eq!(save.folder.names(), ["text"], "after {step} steps");
        assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
        if is_over {
            println!("killed {step} times");
            return;
        }
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_file_or_the_new_one() {
    let save = SaveFixture::new();
    save.publisher.publish_text(NEW).unwrap();
    kill_at_every_step(&save, false);
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_or_new_file_without_unnamed_files() {
    let save = SaveFixture::new();
    save.publisher.publish_text(NEW).unwrap();
    kill_at_every_step(&save, true);
}

#[test]
fn a_signal_while_the_file_has_a_temporary_name_leaves_nothing() {
    let save = SaveFixture::new();
    save.publisher.publish_text(NEW).unwrap();
    let path = save.path("text");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        fs::write(&path, OLD).unwrap();
        let Some((program, mut tracer)) = traced(&save, save.show(&path), false) else {
            return;
        };
        // Without a name until the moment before it takes the target's.
        while save.folder.names() == ["text"] {
            assert!(
                tracer.step().is_some(),
                "it has a temporary name for a moment"
            );
        }
        program.signal(signal);
        tracer.detach();
        let outcome = program.finish();
        assert!(
            outcome.signal.is_some() || outcome.code == Some(0),
            "{outcome:?}"
        );
        assert_eq!(save.folder.names(), ["text"], "{signal:?}");
        let found = fs::read_to_string(&path).unwrap();
        assert!(found == OLD || found == NEW, "{found:?}");
    }
}

/// Reports files that are created in a folder.
struct CreationWatch(rustix::fd::OwnedFd);

impl CreationWatch {
    fn watch(folder: &Path) -> CreationWatch {
        let events = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&events, folder, inotify::WatchFlags::CREATE).unwrap();
        CreationWatch(events)
    }

    fn wait(&self) {
        let timeout = Timespec::try_from(TIMEOUT).unwrap();
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        assert!(
            poll(&mut polled, Some(&timeout)).unwrap() > 0,
            "nothing was created"
        );
    }
}

/// Runs it where unnamed files are not supported, so that a partial file has a name for long.
fn without_unnamed_files(launch: Launch) -> Launch {
    launch.through(env!("CARGO_BIN_EXE_without"), ["O_TMPFILE"])
}

/// Starts a save that takes a second, and waits until a partial file is there.
fn start_partial_save(save: &SaveFixture, launch: Launch) -> Program {
    let creations = CreationWatch::watch(save.folder.path());
    // At a high niceness, so that the waiting test runs first, also on a loaded machine.
    let program = without_unnamed_files(launch)
        .through("nice", ["-n", "19"])
        .start();
    creations.wait();
    assert_eq!(
        save.folder.names().len(),
        2,
        "a partial file beside the old one"
    );
    program
}

#[test]
fn no_way_to_end_leaves_a_partial_file() {
    let save = SaveFixture::new();
    save.publish_picture(5000);
    let path = save.path("1.png");
    fs::write(&path, OLD).unwrap();
    for (signal, ends_by) in [
        (Signal::INT, Signal::INT),
        (Signal::TERM, Signal::TERM),
        (Signal::HUP, Signal::HUP),
        (Signal::QUIT, Signal::QUIT),
        (Signal::USR1, Signal::USR1),
        (Signal::XCPU, Signal::XCPU),
        (Signal::ABORT, Signal::ABORT),
        (Signal::POWER, Signal::TERM),
    ] {
        // The environment of the tests may ignore some, which is inherited.
        let show = save.show(&path).through("env", ["--default-signal"]);
        let program = start_partial_save(&save, show);
        program.signal(signal);
        let outcome = program.finish();
        // As without a handler.
        assert_eq!(outcome.signal, Some(ends_by.as_raw()), "{outcome:?}");
        assert_eq!(save.folder.names(), ["1.png"], "{signal:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    }
    // Only SIGKILL leaves the partial file, until the next save.
    drop(start_partial_save(&save, save.show(&path)).kill());
    assert_eq!(save.folder.names().len(), 2);
    save.publish_picture(2);
    save.show(&path).run().done();
    assert_eq!(save.folder.names(), ["1.png"]);
    assert!(image::open(&path).is_ok());
}

#[test]
fn a_terminated_follower_finishes_its_file() {
    let save = SaveFixture::new();
    save.publish_picture(1000);
    let path = save.path("1.png");
    fs::write(&path, OLD).unwrap();
    let [_, follow, _] = save.commands(&path);
    let follow = start_partial_save(&save, follow);
    follow.terminate().done();
    assert_eq!(save.folder.names(), ["1.png"]);
    assert_eq!(image::open(&path).unwrap().width(), 1000);
}

#[test]
fn a_window_closed_while_it_saves_leaves_nothing() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let save = SaveFixture::new();
    save.publish_picture(4000);
    let path = save.path("1.png");
    let viewer = save
        .fixture
        .viewer([] as [&str; 0])
        .args(["--verbose"])
        .on(&desktop);
    let viewer = ViewerWindow::of(without_unnamed_files(viewer).start(), &desktop);
    viewer.window.press(&["F5"]);
    viewer.program.wait_for_status("Showing the picture");
    let creations = CreationWatch::watch(save.folder.path());
    viewer.save_as(&path);
    creations.wait();
    viewer.program.terminate().done();
    assert_eq!(save.folder.names(), [] as [&str; 0]);
}

#[test]
fn a_full_disk_or_a_limit_of_file_sizes_leaves_the_old_file() {
    let save = SaveFixture::new();
    save.publisher
        .publish_text(&"long ".repeat(200_000))
        .unwrap();
    let path = save.path("text");
    fs::write(&path, OLD).unwrap();
    for command in [save.show(&path), without_unnamed_files(save.show(&path))] {
        let limited = command.through("prlimit", ["--fsize=100000"]);
        drop(limited.run().refused("ulimit -f"));
        assert_eq!(save.folder.names(), ["text"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    }
    let Some(disk) = SmallDisk::mount(256) else {
        return;
    };
    let path = disk.path().join("text");
    fs::write(&path, OLD).unwrap();
    for command in [save.show(&path), without_unnamed_files(save.show(&path))] {
        drop(command.run().refused("Free some space"));
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_segment_truncated_while_it_is_written_is_reported() {
    const BYTES: usize = 8 << 20;
    let save = SaveFixture::new();
    let path = save.path("1.png");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let ppm = save.path("1.ppm");
    mkfifoat(CWD, &ppm, Mode::RUSR | Mode::WUSR).unwrap();
    let bytes = Metadata::bytes("application/octet-stream");
    let picture = ImageMetadata::packed(PixelFormat::Rgb8, 2048, 1365).unwrap();
    let picture = Metadata::Image(picture);
    let pixels = vec![7; 2048 * 1365 * 3];
    let raw = ["follow", "--raw"];
    let shell = ["-c", r#"exec "$@" > "$OUT""#, "sh"];
    let to_stdout = || {
        save.fixture
            .viewer(["show"])
            .through("sh", shell)
            .env("OUT", &path)
    };
    for (metadata, content, fifo, command) in [
        (&bytes, &vec![7; BYTES], &path, save.show(&path)),
        (&bytes, &vec![7; BYTES], &path, to_stdout()),
        (&picture, &pixels, &ppm, save.show(&ppm)),
        (
            &picture,
            &pixels,
            &path,
            save.fixture.viewer(raw).args([&path]),
        ),
    ] {
        let publisher = Publisher::open(&key(&save.fixture), &options(&save.fixture)).unwrap();
        publisher.publish(metadata, content).unwrap();
        let mut reader = File::options();
        let reader = reader
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let mut reader = reader.open(fifo).unwrap();
        let program = command.start();
        // More than the pipe holds: the program is in the middle of it.
        let mut polled = [PollFd::new(&reader, PollFlags::IN)];
        let timeout = Timespec::try_from(TIMEOUT).unwrap();
        assert!(poll(&mut polled, Some(&timeout)).unwrap() > 0);
        let segment = File::options().write(true).open(save.fixture.segment());
        segment.unwrap().set_len(0).unwrap();
        rustix::fs::fcntl_setfl(&reader, OFlags::empty()).unwrap();
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        drop(program.finish().refused("was cut short by another program"));
        assert!(got.len() < content.len() + 100);
        fs::remove_file(save.fixture.segment()).unwrap();
    }
}
