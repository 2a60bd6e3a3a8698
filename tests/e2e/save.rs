//! Saving among other users, without a reader, and through kills and signals: a file is there whole or
//! not at all, it is the user's own, and nothing else is left.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use e2e_tests::{
    Desktop, Launch, OtherUser, PATIENCE, PrivateDir, Program, Scene, Signal, SmallDisk, Stores,
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

/// A place to save in, and a small picture to save.
struct Bench {
    scene: Scene,
    folder: PrivateDir,
    publisher: Publisher,
}

impl Bench {
    /// In a folder that nobody else may enter.
    fn new() -> Bench {
        let scene = Scene::new();
        let publisher = Publisher::open(&key(&scene), &options(&scene)).unwrap();
        let bench = Bench {
            scene,
            folder: PrivateDir::on_disk(),
            publisher,
        };
        bench.publish_picture(2);
        bench
    }

    /// In a folder that everybody may write to, as /tmp is.
    fn in_common() -> Bench {
        let bench = Bench::new();
        bench.folder.set_mode(0o1777);
        bench
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

    /// Another user makes something here, by a shell's command with `$0` for its path.
    fn plant(&self, other_user: &OtherUser, command: &str, path: &Path) {
        let shell = self.scene.program("sh").args(["-c", command]).args([path]);
        other_user.starts(shell).run().done();
    }

    fn show(&self, path: &Path) -> Launch {
        self.scene.viewer(["show", "--output"]).args([path])
    }

    /// Every command that writes a file named `1.png`.
    fn commands(&self, path: &Path) -> [Launch; 3] {
        let pattern = path.with_file_name("%d.png");
        let count = ["follow", "--count", "1"];
        [
            self.show(path),
            self.scene.viewer(count).args(["--output"]).args([pattern]),
            self.scene.viewer(count).args(["--raw"]).args([path]),
        ]
    }
}

#[test]
fn what_another_user_planted_gives_the_new_file_no_power() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let bench = Bench::in_common();
    let path = bench.path("1.png");
    for command in bench.commands(&path) {
        bench.plant(&other_user, r#"cp /bin/true "$0"; chmod 6777 "$0""#, &path);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o6777);
        command.run().done();
        let saved = fs::metadata(&path).unwrap();
        assert_eq!(saved.uid(), rustix::process::geteuid().as_raw());
        assert_eq!(saved.mode() & 0o7022, 0, "{:o}", saved.mode());
        fs::remove_file(&path).unwrap();
    }
    // Nor does one's own.
    for command in bench.commands(&path) {
        fs::write(&path, OLD).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4750)).unwrap();
        command.run().done();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o750);
    }
    assert_eq!(bench.folder.names(), ["1.png"]);
}

#[test]
fn a_link_that_another_user_planted_is_not_followed() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let bench = Bench::in_common();
    let precious = bench.scene.file("precious.png", OLD.as_bytes());
    let path = bench.path("1.png");
    let link = format!(r#"ln -s {} "$0""#, precious.display());
    bench.plant(&other_user, &link, &path);
    for command in bench.commands(&path) {
        drop(command.run().refused("a symbolic link that is not yours"));
        assert_eq!(fs::read_to_string(&precious).unwrap(), OLD);
        assert!(path.is_symlink());
    }
    // One's own leads where it led, and stays one.
    fs::remove_file(&path).unwrap();
    symlink(&precious, &path).unwrap();
    for command in bench.commands(&path) {
        command.run().done();
        assert!(path.is_symlink());
        assert_ne!(fs::read(&precious).unwrap(), OLD.as_bytes());
        fs::write(&precious, OLD).unwrap();
    }
    assert_eq!(bench.folder.names(), ["1.png"]);
}

#[test]
fn a_pipe_that_nobody_reads_costs_an_error_and_no_time() {
    let bench = Bench::new();
    let path = bench.path("1.png");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    for command in bench.commands(&path) {
        drop(command.run().refused("Start its reader first."));
    }
    for command in bench.commands(&path) {
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
    assert_eq!(bench.folder.names(), ["1.png"]);
}

#[test]
fn a_terminal_is_not_written_to_as_a_file() {
    let bench = Bench::new();
    bench.publisher.publish_text("\u{1b}[31mred").unwrap();
    for device in ["/dev/tty", "/dev/stdout"] {
        // `script` runs it on a terminal.
        let arguments = [
            "--quiet",
            "--return",
            "--command",
            r#""$VIEWER" show --key "$KEY" --output "$OUT""#,
        ];
        let viewer = e2e_tests::binaries_folder().join("viewer-app");
        let script = bench
            .scene
            .program("script")
            .args(arguments)
            .args(["/dev/null"]);
        let script = script.env("VIEWER", viewer).env("KEY", bench.scene.key());
        let outcome = script.env("OUT", device).run();
        let said = outcome.text();
        assert!(
            outcome.code == Some(1) && said.contains("it is a terminal"),
            "{outcome:?}"
        );
        assert!(!said.contains('\u{1b}'), "{outcome:?}");
    }
}

/// Starts a program under a tracer, stopped when it has created its first file; nothing where tracing
/// is not permitted.
fn traced(bench: &Bench, launch: Launch, lacks_unnamed_files: bool) -> Option<(Program, Tracer)> {
    // It waits for a line first.
    let wait = ["-c", r#"read -r line; exec "$@""#, "sh"];
    let mut program = launch.through("sh", wait).input_kept_open().start();
    let Ok(tracer) = Tracer::seize(&program, bench.scene.segments()) else {
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
fn kill_at_every_step(bench: &Bench, lacks_unnamed_files: bool) {
    let path = bench.path("text");
    for step in 0.. {
        fs::write(&path, OLD).unwrap();
        let Some((program, mut tracer)) = traced(bench, bench.show(&path), lacks_unnamed_files)
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
        // What was left goes with the next save of the same target.
        bench.show(&path).run().done();
        assert_eq!(bench.folder.names(), ["text"], "after {step} steps");
        assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
        if is_over {
            println!("killed {step} times");
            return;
        }
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_file_or_the_new_one() {
    let bench = Bench::new();
    bench.publisher.publish_text(NEW).unwrap();
    kill_at_every_step(&bench, false);
}

#[test]
fn a_kill_at_any_moment_does_so_without_unnamed_files() {
    let bench = Bench::new();
    bench.publisher.publish_text(NEW).unwrap();
    kill_at_every_step(&bench, true);
}

#[test]
fn a_signal_while_the_file_has_another_name_leaves_nothing() {
    let bench = Bench::new();
    bench.publisher.publish_text(NEW).unwrap();
    let path = bench.path("text");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        fs::write(&path, OLD).unwrap();
        let Some((program, mut tracer)) = traced(&bench, bench.show(&path), false) else {
            return;
        };
        // Without a name until the moment before it takes the target's.
        while bench.folder.names() == ["text"] {
            assert!(tracer.step().is_some(), "it has another name for a moment");
        }
        program.signal(signal);
        tracer.let_go();
        let outcome = program.finish();
        assert!(
            outcome.signal.is_some() || outcome.code == Some(0),
            "{outcome:?}"
        );
        assert_eq!(bench.folder.names(), ["text"], "{signal:?}");
        let found = fs::read_to_string(&path).unwrap();
        assert!(found == OLD || found == NEW, "{found:?}");
    }
}

/// Tells of files that are created in a folder.
struct Arrivals(rustix::fd::OwnedFd);

impl Arrivals {
    fn watch(folder: &Path) -> Arrivals {
        let events = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&events, folder, inotify::WatchFlags::CREATE).unwrap();
        Arrivals(events)
    }

    fn wait(&self) {
        let patience = Timespec::try_from(PATIENCE).unwrap();
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        assert!(
            poll(&mut polled, Some(&patience)).unwrap() > 0,
            "nothing was created"
        );
    }
}

/// Lets it run where no file can be created without a name, so that half a file has one for long.
fn without_unnamed_files(launch: Launch) -> Launch {
    launch.through(env!("CARGO_BIN_EXE_without"), ["O_TMPFILE"])
}

/// Starts a save that takes a second, and waits until half a file is there.
fn half_saved(bench: &Bench, launch: Launch) -> Program {
    let arrivals = Arrivals::watch(bench.folder.path());
    // So that whoever waits comes first, also on a machine that has much to do.
    let program = without_unnamed_files(launch)
        .through("nice", ["-n", "19"])
        .start();
    arrivals.wait();
    assert_eq!(
        bench.folder.names().len(),
        2,
        "half a file, beside the old one"
    );
    program
}

#[test]
fn no_way_out_leaves_half_a_file() {
    let bench = Bench::new();
    bench.publish_picture(5000);
    let path = bench.path("1.png");
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
        // Who runs the tests may ignore some, which is inherited.
        let show = bench.show(&path).through("env", ["--default-signal"]);
        let program = half_saved(&bench, show);
        program.signal(signal);
        let outcome = program.finish();
        // As if nobody had caught it.
        assert_eq!(outcome.signal, Some(ends_by.as_raw()), "{outcome:?}");
        assert_eq!(bench.folder.names(), ["1.png"], "{signal:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    }
    // Only this one does, until the next save.
    drop(half_saved(&bench, bench.show(&path)).kill());
    assert_eq!(bench.folder.names().len(), 2);
    bench.publish_picture(2);
    bench.show(&path).run().done();
    assert_eq!(bench.folder.names(), ["1.png"]);
    assert!(image::open(&path).is_ok());
}

#[test]
fn a_follower_that_is_asked_to_end_finishes_its_file() {
    let bench = Bench::new();
    bench.publish_picture(1000);
    let path = bench.path("1.png");
    fs::write(&path, OLD).unwrap();
    let [_, follow, _] = bench.commands(&path);
    let follow = half_saved(&bench, follow);
    follow.terminate().done();
    assert_eq!(bench.folder.names(), ["1.png"]);
    assert_eq!(image::open(&path).unwrap().width(), 1000);
}

#[test]
fn a_window_that_closes_while_it_saves_leaves_nothing() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let bench = Bench::new();
    bench.publish_picture(4000);
    let path = bench.path("1.png");
    let viewer = bench
        .scene
        .viewer([] as [&str; 0])
        .args(["--verbose"])
        .on(&desktop);
    let viewer = ViewerWindow::of(without_unnamed_files(viewer).start(), &desktop);
    viewer.window.press(&["F5"]);
    viewer.program.wait_for_status("Showing the picture");
    let arrivals = Arrivals::watch(bench.folder.path());
    viewer.save_as(&path);
    arrivals.wait();
    viewer.program.terminate().done();
    assert_eq!(bench.folder.names(), [] as [&str; 0]);
}

#[test]
fn a_full_disk_or_a_limit_of_file_sizes_leaves_the_old_file() {
    let bench = Bench::new();
    bench
        .publisher
        .publish_text(&"long ".repeat(200_000))
        .unwrap();
    let path = bench.path("text");
    fs::write(&path, OLD).unwrap();
    for command in [bench.show(&path), without_unnamed_files(bench.show(&path))] {
        let limited = command.through("prlimit", ["--fsize=100000"]);
        drop(limited.run().refused("ulimit -f"));
        assert_eq!(bench.folder.names(), ["text"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    }
    let Some(disk) = SmallDisk::mount(256) else {
        return;
    };
    let path = disk.path().join("text");
    fs::write(&path, OLD).unwrap();
    for command in [bench.show(&path), without_unnamed_files(bench.show(&path))] {
        drop(command.run().refused("Free some space"));
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_segment_cut_while_it_is_written_is_what_is_told() {
    const BYTES: usize = 8 << 20;
    let bench = Bench::new();
    let path = bench.path("1.png");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let ppm = bench.path("1.ppm");
    mkfifoat(CWD, &ppm, Mode::RUSR | Mode::WUSR).unwrap();
    let bytes = Metadata::bytes("application/octet-stream");
    let picture = ImageMetadata::packed(PixelFormat::Rgb8, 2048, 1365).unwrap();
    let picture = Metadata::Image(picture);
    let pixels = vec![7; 2048 * 1365 * 3];
    let raw = ["follow", "--raw"];
    let shell = ["-c", r#"exec "$@" > "$OUT""#, "sh"];
    let to_stdout = || {
        bench
            .scene
            .viewer(["show"])
            .through("sh", shell)
            .env("OUT", &path)
    };
    for (metadata, content, fifo, command) in [
        (&bytes, &vec![7; BYTES], &path, bench.show(&path)),
        (&bytes, &vec![7; BYTES], &path, to_stdout()),
        (&picture, &pixels, &ppm, bench.show(&ppm)),
        (
            &picture,
            &pixels,
            &path,
            bench.scene.viewer(raw).args([&path]),
        ),
    ] {
        let publisher = Publisher::open(&key(&bench.scene), &options(&bench.scene)).unwrap();
        publisher.publish(metadata, content).unwrap();
        let mut reader = File::options();
        let reader = reader
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let mut reader = reader.open(fifo).unwrap();
        let program = command.start();
        // More than the pipe holds: the program is in the middle of it.
        let mut polled = [PollFd::new(&reader, PollFlags::IN)];
        let patience = Timespec::try_from(PATIENCE).unwrap();
        assert!(poll(&mut polled, Some(&patience)).unwrap() > 0);
        let segment = File::options().write(true).open(bench.scene.segment());
        segment.unwrap().set_len(0).unwrap();
        rustix::fs::fcntl_setfl(&reader, OFlags::empty()).unwrap();
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        drop(program.finish().refused("was cut short by another program"));
        assert!(got.len() < content.len() + 100);
        fs::remove_file(bench.scene.segment()).unwrap();
    }
}
