//! The command line, as its own process, beside publishers of this one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use shm_core::{
    Annotations, ArrayMetadata, Block, BytesMetadata, ElementType, ImageMetadata, Key, Metadata,
    Options, Origin, PixelFormat, Publisher, segment,
};
use tempfile::TempDir;

/// A directory of segments of its own.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn options(&self) -> Options {
        Options::new().directory(self.directory.path())
    }

    fn publisher(&self, key: &str) -> Publisher {
        Publisher::open(&Key::new(key).unwrap(), &self.options()).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        // A shell's background jobs ignore SIGINT, and children inherit that.
        Command::new("env")
            .args(["--default-signal=INT", env!("CARGO_BIN_EXE_viewer-app")])
            .args(arguments)
            .env("SHM_CORE_DIR", self.directory.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.start(arguments).wait_with_output().unwrap()
    }

    /// Runs what must work and say nothing on the side; returns what it printed.
    fn print(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.run(arguments);
        assert_eq!(stderr(&output), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        output.stdout
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.print(arguments)).unwrap()
    }

    /// Runs what must fail with 1; returns what it said.
    fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        stderr(&output)
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn bytes(media_type: &str) -> Metadata {
    Metadata::from(BytesMetadata::new(media_type).with_file_name("data.bin"))
}

/// Two by two pixels: red, green; blue, half transparent white. Three bytes lie between the rows.
fn publish_picture(publisher: &Publisher) {
    let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 2, 2).unwrap();
    let metadata = metadata.with_file_name("flag.png").with_stride(11).unwrap();
    let metadata = Metadata::Image(metadata);
    let payload = [
        &[255, 0, 0, 255, 0, 255, 0, 255, 9, 9, 9][..],
        &[0, 0, 255, 255, 255, 255, 255, 128, 9, 9, 9],
    ]
    .concat();
    publisher.publish(&metadata, &payload).unwrap();
}

#[test]
fn a_text_comes_out_as_it_went_in() {
    let place = Place::new();
    let publisher = place.publisher("MySharedMemory");
    for text in ["", "one line", "two\nlines\n", "日本語 🙂 العربية\0\u{1b}"] {
        publisher.publish_text(text).unwrap();
        assert_eq!(place.print(&["show"]), text.as_bytes());
        assert_eq!(place.print(&["show", "--output", "-"]), text.as_bytes());
    }
}

#[test]
fn a_long_text_comes_out_whole_and_into_a_file() {
    let place = Place::new();
    let publisher = place.publisher("long");
    let text = "0123456789\n".repeat(300_000);
    publisher.publish_text(&text).unwrap();
    assert!(place.print(&["show", "--key", "long"]) == text.as_bytes());
    let file = place.path("text");
    assert!(
        place
            .print(&["show", "--key", "long", "--output", &file])
            .is_empty()
    );
    assert!(fs::read_to_string(&file).unwrap() == text);
}

#[test]
fn nothing_there_says_what_to_do() {
    let place = Place::new();
    for arguments in [&["show"][..], &["info"], &["show", "--json"]] {
        let said = place.fail(arguments);
        assert!(said.starts_with("Enter a text first\n"), "{said}");
        assert!(said.contains("MySharedMemory"), "{said}");
        assert!(said.contains("loader-app text"), "{said}");
    }
    let publisher = place.publisher("MySharedMemory");
    assert!(place.fail(&["show"]).starts_with("Enter a text first\n"));
    publisher.publish_text("secret").unwrap();
    publisher.clear().unwrap();
    assert!(place.fail(&["show"]).starts_with("Enter a text first\n"));
}

#[test]
fn waiting_ends_with_the_first_sample() {
    let place = Place::new();
    let viewer = place.start(&["show", "--wait", "60"]);
    let publisher = place.publisher("MySharedMemory");
    publisher.publish_text("at last").unwrap();
    let output = viewer.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"at last");
}

#[test]
fn waiting_outlives_loaders_that_leave_without_a_word() {
    let place = Place::new();
    let key = Key::new("MySharedMemory").unwrap();
    let persistent = place.options().persistent(true);
    drop(Publisher::open(&key, &persistent).unwrap());
    let viewer = place.start(&["show", "--wait", "60"]);
    drop(place.publisher("MySharedMemory"));
    segment::remove(&key, &place.options(), segment::Removal::Forced).unwrap();
    drop(place.publisher("MySharedMemory"));
    let publisher = place.publisher("MySharedMemory");
    publisher.publish_text("at last").unwrap();
    let output = viewer.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"at last");
}

#[test]
fn waiting_ends_with_its_time() {
    let place = Place::new();
    let said = place.fail(&["show", "--wait", "50ms"]);
    assert!(said.starts_with("Enter a text first\n"), "{said}");
    assert!(said.contains("within 0.05 s"), "{said}");
    // Somebody is there, and loads nothing.
    let _publisher = place.publisher("MySharedMemory");
    place.fail(&["show", "--wait", "50ms"]);
}

#[test]
fn waiting_ends_quietly_with_ctrl_c() {
    const SIGINT: i32 = 2;
    let place = Place::new();
    let viewer = place.start(&["show", "--wait", "60"]);
    // Before that it is `env` still, and may ignore the signal.
    let executable = format!("/proc/{}/exe", viewer.id());
    while !fs::read_link(&executable).is_ok_and(|path| path.ends_with("viewer-app")) {
        std::thread::yield_now();
    }
    let kill = format!("kill -INT {}", viewer.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    let output = viewer.wait_with_output().unwrap();
    // A shell makes 130 of it.
    assert_eq!(output.status.signal(), Some(SIGINT));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_picture_is_written_pixel_by_pixel() {
    let place = Place::new();
    let publisher = place.publisher("P");
    publish_picture(&publisher);
    for (ending, pixels) in [
        (
            "png",
            [
                [255, 0, 0, 255],
                [0, 255, 0, 255],
                [0, 0, 255, 255],
                [255, 255, 255, 128],
            ],
        ),
        (
            "BMP",
            [
                [255, 0, 0, 255],
                [0, 255, 0, 255],
                [0, 0, 255, 255],
                [255, 255, 255, 128],
            ],
        ),
        (
            "webp",
            [
                [255, 0, 0, 255],
                [0, 255, 0, 255],
                [0, 0, 255, 255],
                [255, 255, 255, 128],
            ],
        ),
        (
            "qoi",
            [
                [255, 0, 0, 255],
                [0, 255, 0, 255],
                [0, 0, 255, 255],
                [255, 255, 255, 128],
            ],
        ),
        (
            "ppm",
            [
                [255, 0, 0, 255],
                [0, 255, 0, 255],
                [0, 0, 255, 255],
                [255, 255, 255, 255],
            ],
        ),
    ] {
        let file = place.path(&format!("picture.{ending}"));
        assert!(
            place
                .print(&["show", "--key", "P", "--output", &file])
                .is_empty()
        );
        let picture = image::open(&file).unwrap().to_rgba8();
        assert_eq!(picture.dimensions(), (2, 2), "{ending}");
        assert_eq!(picture.into_raw(), pixels.concat(), "{ending}");
    }
    let jpeg = place.path("picture.jpg");
    place.print(&["show", "--key", "P", "--output", &jpeg]);
    assert_eq!(image::open(&jpeg).unwrap().color(), image::ColorType::Rgb8);
    let png = place.print(&["show", "--key", "P", "--output", "-"]);
    let picture = image::load_from_memory_with_format(&png, image::ImageFormat::Png).unwrap();
    assert_eq!(picture.to_rgba8().get_pixel(1, 1).0, [255, 255, 255, 128]);
}

#[test]
fn a_picture_without_a_file_tells_of_itself() {
    let place = Place::new();
    let publisher = place.publisher("P");
    publish_picture(&publisher);
    let line = String::from_utf8(place.print(&["show", "--key", "P"])).unwrap();
    assert!(line.starts_with("image · 2 × 2 · "), "{line}");
    assert!(line.contains("flag.png"), "{line}");
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn a_failure_leaves_no_half_file_and_no_old_one_broken() {
    let place = Place::new();
    let publisher = place.publisher("P");
    publish_picture(&publisher);
    fs::create_dir(place.path("out")).unwrap();
    for name in ["picture.xpm", "picture"] {
        let file = place.path(&format!("out/{name}"));
        fs::write(&file, "old").unwrap();
        let said = place.fail(&["show", "--key", "P", "--output", &file]);
        assert!(said.contains("png, jpg"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        fs::remove_file(&file).unwrap();
    }
    // A WebP holds 16,383 pixels in a row. This is noticed while the file is being written.
    let metadata = ImageMetadata::packed(PixelFormat::Gray8, 65_535, 1).unwrap();
    publisher
        .publish(&Metadata::Image(metadata), &[7; 65_535])
        .unwrap();
    let said = place.fail(&[
        "show",
        "--key",
        "P",
        "--output",
        &place.path("out/wide.webp"),
    ]);
    assert!(said.contains("png holds any"), "{said}");
    let said = place.fail(&["show", "--key", "P", "--output", &place.path("none/a.png")]);
    assert!(said.contains("Create the folder first"), "{said}");
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 0);
}

#[test]
fn what_was_there_is_replaced_and_stays_private() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    let publisher = place.publisher("MySharedMemory");
    publisher.publish_text("new").unwrap();
    let (file, link) = (place.path("file"), place.path("link"));
    fs::write(&file, "something that is longer").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&file, &link).unwrap();
    place.print(&["show", "--output", &link]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    place.print(&["show", "--output", "/dev/null"]);
}

#[test]
fn bytes_and_blocks_come_out_whole() {
    let place = Place::new();
    let publisher = place.publisher("B");
    let payload: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    publisher
        .publish(&bytes("application/pdf"), &payload)
        .unwrap();
    assert!(place.print(&["show", "--key", "B"]) == payload);

    let key = Key::new("block").unwrap();
    let block = Block::create(&key, 5000, &place.options()).unwrap();
    block.lock().unwrap().ignore_abandonment()[..5].copy_from_slice(b"Hello");
    let shown = place.print(&["show", "--key", "block"]);
    assert_eq!(shown.len(), 5000);
    assert!(shown.starts_with(b"Hello\0"));
    let told = String::from_utf8(place.print(&["info", "--key", "block", "--hex"])).unwrap();
    assert!(told.contains("00000000  48 65 6c 6c 6f 00 "), "{told}");
    assert!(told.contains("|Hello...........|"), "{told}");
    let report = place.json(&["info", "--key", "block", "--json"]);
    assert_eq!(report["kind"], "bytes");
    assert_eq!(report["bytes"], 5000);
    assert_eq!(report["sequence"], Value::Null);
}

#[test]
fn reports_have_the_promised_fields() {
    let place = Place::new();
    let publisher = place.publisher("P");
    publish_picture(&publisher);
    let pid = std::process::id();
    for arguments in [
        &["info", "--key", "P", "--json"][..],
        &["show", "--key", "P", "--json"],
    ] {
        let mut report = place.json(arguments);
        assert!(report["age_ms"].take().is_u64(), "{report}");
        assert!(report["published_ms"].take().is_u64(), "{report}");
        let writer = report["writer_program"].take();
        assert!(writer.is_string(), "{writer}");
        let program = report["attached"][0]["program"].take();
        assert!(program.is_string(), "{program}");
        let group = report["group"].clone();
        assert!(group.is_string(), "{group}");
        assert_eq!(
            report,
            json!({
                "key": "P",
                "kind": "image",
                "bytes": 22,
                "width": 2,
                "height": 2,
                "format": "rgba",
                "stride": 11,
                "element": null,
                "shape": null,
                "user": null,
                "origin": null,
                "media_type": "image/x-raw",
                "file_name": "flag.png",
                "sequence": 1,
                "writer_pid": pid,
                "writer_program": null,
                "published_ms": null,
                "age_ms": null,
                "persistent": false,
                "ring_bytes": 256 << 10,
                "retain_bytes": 0,
                "mode": "600",
                "group": group,
                "others_may_read": false,
                "attached": [{"pid": pid, "program": null, "access": "read-write"}],
            })
        );
    }
    // Beside a file, the report still goes to standard output.
    let file = place.path("p.png");
    let report = place.json(&["show", "--key", "P", "--json", "--output", &file]);
    assert_eq!(report["width"], 2);
    assert!(fs::exists(&file).unwrap());
}

#[test]
fn an_array_is_described_and_written_for_numpy() {
    let place = Place::new();
    let publisher = place.publisher("A");
    let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).unwrap();
    let payload: Vec<u8> = (0..48).collect();
    publisher.publish(&array.into(), &payload).unwrap();

    let report = place.json(&["info", "--key", "A", "--json"]);
    assert_eq!(report["kind"], "array");
    assert_eq!(report["element"], "f4");
    assert_eq!(report["shape"], json!([3, 4]));
    let told = String::from_utf8(place.print(&["info", "--key", "A"])).unwrap();
    assert!(told.contains("array       f4 · 3 × 4\n"), "{told}");
    assert_eq!(place.print(&["show", "--key", "A"]), payload);
    let list = String::from_utf8(place.print(&["list"])).unwrap();
    assert!(list.contains("array"), "{list}");

    let write = |name: &str| {
        let file = place.path(name);
        place.print(&["show", "--key", "A", "--output", &file]);
        fs::read(file).unwrap()
    };
    assert_eq!(write("raw"), payload);
    let npy = write("a.npy");
    assert!(npy.starts_with(b"\x93NUMPY\x01\0"));
    assert_eq!(npy.len(), 128 + 48);
    assert!(npy.ends_with(&payload));
}

#[test]
fn what_stands_beside_a_sample_is_told() {
    let place = Place::new();
    let publisher = place.publisher("O");
    let published = SystemTime::now() - Duration::from_secs(90);
    let mut origin = Origin::new("host\u{202e}A", "camera", 41, published);
    origin.is_stale = true;
    let annotations = Annotations::new().with_user(b"n\x1b7").with_origin(origin);
    publisher
        .publish_with(&Metadata::Text, &annotations, b"text")
        .unwrap();

    for command in ["info", "show"] {
        let mut report = place.json(&[command, "--key", "O", "--json"]);
        let mut origin = report["origin"].take();
        assert!(origin["age_ms"].take().as_u64().unwrap() >= 90_000);
        assert!(origin["last_heard_ms"].take().as_u64().unwrap() < 90_000);
        assert_eq!(
            origin,
            json!({
                "host": "host\u{202e}A",
                "program": "camera",
                "sequence": 41,
                "age_ms": null,
                "last_heard_ms": null,
                "stale": true,
            })
        );
        assert_eq!(report["user"], json!({"hex": "6e1b37", "text": "n\u{1b}7"}));
    }
    let told = String::from_utf8(place.print(&["info", "--key", "O", "--no-escape"])).unwrap();
    assert!(told.contains("by camera on host"), "{told}");
    assert!(told.contains(", 1 min ago, stale\n"), "{told}");
    assert!(told.contains("user data   6e1b37"), "{told}");

    // What is not there is null, as everywhere.
    publisher
        .publish_with(&Metadata::Text, &Annotations::new(), b"text")
        .unwrap();
    let report = place.json(&["info", "--key", "O", "--json"]);
    assert_eq!(report.get("origin"), Some(&json!(null)));
    assert_eq!(report.get("user"), Some(&json!(null)));
}

#[test]
fn pictures_of_16_bits_keep_them_in_a_png_file() {
    let place = Place::new();
    let publisher = place.publisher("G");
    let gray = ImageMetadata::packed(PixelFormat::Gray16, 2, 1).unwrap();
    publisher
        .publish(&gray.into(), &[0x34, 0x12, 0xff, 0xff])
        .unwrap();
    let told = String::from_utf8(place.print(&["show", "--key", "G"])).unwrap();
    assert!(
        told.starts_with("image · 2 × 1 · gray16 · 4 bytes"),
        "{told}"
    );
    let png = place.print(&["show", "--key", "G", "--output", "-"]);
    let picture = image::load_from_memory(&png).unwrap();
    assert_eq!(picture.to_luma16().into_raw(), [0x1234, 0xffff]);
}

#[test]
fn a_list_tells_of_segments_and_of_what_is_none() {
    let place = Place::new();
    assert_eq!(place.json(&["list", "--json"]), json!([]));
    let output = place.run(&["list"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert!(stderr(&output).contains("There are no segments"));

    let one = place.publisher("one");
    one.publish_text("Hello").unwrap();
    let _two = place.publisher("two words");
    let uid = fs::read_dir(place.directory.path())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .find_map(|name| name.strip_suffix(".one").map(str::to_owned))
        .unwrap();
    fs::write(place.path(&format!("{uid}.odd")), "no segment").unwrap();

    let list = place.json(&["list", "--json"]);
    assert_eq!(list.as_array().unwrap().len(), 3, "{list}");
    assert_eq!(list[0]["key"], "odd");
    assert!(list[0]["reason"].is_string());
    assert_eq!(list[0]["kind"], Value::Null);
    assert_eq!(list[1]["kind"], "text");
    assert_eq!(list[1].get("reason"), None);
    assert_eq!(list[2]["key"], "two words");
    assert_eq!(list[2]["bytes"], 0);

    let table = String::from_utf8(place.print(&["list"])).unwrap();
    let mut lines = table.lines();
    let heading = lines.next().unwrap();
    assert_eq!(
        heading.split_whitespace().collect::<Vec<_>>(),
        [
            "KEY",
            "KIND",
            "SIZE",
            "SEQUENCE",
            "LOADER",
            "ATTACHED",
            "AGE",
            "PERSISTENT"
        ]
    );
    let first = lines.next().unwrap();
    assert_eq!(first.find("text"), heading.find("KIND"), "{table}");
    assert!(
        first.starts_with("one ") && first.contains("5 bytes"),
        "{table}"
    );
    assert!(table.contains("Ignored:\n  odd: "), "{table}");
}

#[test]
fn removal_is_refused_while_somebody_is_there() {
    let place = Place::new();
    let said = place.fail(&["remove"]);
    assert!(said.contains("MySharedMemory"), "{said}");

    let publisher = place.publisher("MySharedMemory");
    publisher.publish_text("Hello").unwrap();
    let said = place.fail(&["remove"]);
    assert!(
        said.contains(&format!("(pid {})", std::process::id())),
        "{said}"
    );
    assert!(said.contains("--force"), "{said}");
    assert_eq!(place.print(&["show"]), b"Hello");

    assert_eq!(
        place.print(&["remove", "--force"]),
        b"Removed MySharedMemory.\n"
    );
    place.fail(&["show"]);
    assert!(publisher.publish_text("into the void").is_err());
}

#[test]
fn what_persists_can_be_removed() {
    let place = Place::new();
    let key = Key::new("K").unwrap();
    let publisher = Publisher::open(&key, &place.options().persistent(true)).unwrap();
    publisher.publish_text("Hello").unwrap();
    drop(publisher);
    let report = place.json(&["info", "--key", "K", "--json"]);
    assert_eq!(report["persistent"], true);
    assert_eq!(report["attached"], json!([]));
    place.print(&["remove", "--key", "K"]);
    place.fail(&["info", "--key", "K"]);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    let publisher = place.publisher("MySharedMemory");
    // More than any pipe holds.
    publisher.publish_text(&"line\n".repeat(1_000_000)).unwrap();
    let mut viewer = place.start(&["show"]);
    drop(viewer.stdout.take());
    let output = viewer.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_form_is_for_a_qt_key() {
    let place = Place::new();
    for wrong in [
        ["--key", "K", "--as", "raw"].as_slice(),
        &["show", "--key", "K", "--as", "raw"],
    ] {
        let output = place.run(wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(stderr(&output).contains("write it as qt:KEY"), "{wrong:?}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let place = Place::new();
    for arguments in [
        &["show", "--key", "a/b"][..],
        &["show", "--key", ""],
        &["--key", "qt:"],
        &["show", "--wait", "soon"],
        &["show", "--json", "--output", "-"],
        &["nonsense"],
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn no_display_names_the_command_line() {
    let place = Place::new();
    let said = place.fail(&["--key", "two words"]);
    assert!(said.contains("display"), "{said}");
    assert!(said.contains("viewer-app show --key 'two words'"), "{said}");
}

#[test]
fn help_has_examples() {
    let place = Place::new();
    for arguments in [
        &["--help"][..],
        &["show", "--help"],
        &["info", "--help"],
        &["list", "--help"],
        &["remove", "--help"],
    ] {
        let help = String::from_utf8(place.print(arguments)).unwrap();
        assert!(help.contains("Examples:"), "{arguments:?}");
    }
}
