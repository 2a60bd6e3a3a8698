//! `show`: texts, pictures, arrays and bytes, on standard output and in files.

use super::*;

#[test]
fn a_text_is_printed_unchanged() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("MySharedMemory");
    for text in ["", "one line", "two\nlines\n", "日本語 🙂 العربية\0\u{1b}"] {
        publisher.publish_text(text).unwrap();
        assert_eq!(directory.print(&["show"]), text.as_bytes());
        assert_eq!(directory.print(&["show", "--output", "-"]), text.as_bytes());
    }
}

#[test]
fn a_long_text_is_printed_and_written_in_full() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("long");
    let text = "0123456789\n".repeat(300_000);
    publisher.publish_text(&text).unwrap();
    assert!(directory.print(&["show", "--key", "long"]) == text.as_bytes());
    let file = directory.path("text");
    assert!(
        directory
            .print(&["show", "--key", "long", "--output", &file])
            .is_empty()
    );
    assert!(fs::read_to_string(&file).unwrap() == text);
}

#[test]
fn a_missing_content_is_an_error_with_a_remedy() {
    let directory = TestDirectory::new();
    for arguments in [&["show"][..], &["info"], &["show", "--json"]] {
        let message = directory.fail(arguments);
        assert!(message.starts_with("Enter a text first\n"), "{message}");
        assert!(message.contains("MySharedMemory"), "{message}");
        assert!(message.contains("loader-app text"), "{message}");
    }
    let publisher = directory.publisher("MySharedMemory");
    assert!(
        directory
            .fail(&["show"])
            .starts_with("Enter a text first\n")
    );
    publisher.publish_text("secret").unwrap();
    publisher.clear().unwrap();
    assert!(
        directory
            .fail(&["show"])
            .starts_with("Enter a text first\n")
    );
}

#[test]
fn wait_ends_with_the_first_sample() {
    let directory = TestDirectory::new();
    let viewer = directory.start(&["show", "--wait", "60"]);
    let publisher = directory.publisher("MySharedMemory");
    publisher.publish_text("at last").unwrap();
    let output = viewer.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"at last");
}

#[test]
fn wait_continues_after_publishers_detach_without_a_sample() {
    let directory = TestDirectory::new();
    let key = Key::new("MySharedMemory").unwrap();
    let persistent = directory.options().persistent(true);
    drop(Publisher::open(&key, &persistent).unwrap());
    let viewer = directory.start(&["show", "--wait", "60"]);
    drop(directory.publisher("MySharedMemory"));
    segment::remove(&key, &directory.options(), segment::Removal::Forced).unwrap();
    drop(directory.publisher("MySharedMemory"));
    let publisher = directory.publisher("MySharedMemory");
    publisher.publish_text("at last").unwrap();
    let output = viewer.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"at last");
}

#[test]
fn wait_ends_with_its_timeout() {
    let directory = TestDirectory::new();
    let message = directory.fail(&["show", "--wait", "50ms"]);
    assert!(message.starts_with("Enter a text first\n"), "{message}");
    assert!(message.contains("within 0.05 s"), "{message}");
    // A publisher is attached, and publishes nothing.
    let _publisher = directory.publisher("MySharedMemory");
    directory.fail(&["show", "--wait", "50ms"]);
}

#[test]
fn ctrl_c_ends_wait_without_a_message() {
    const SIGINT: i32 = 2;
    let directory = TestDirectory::new();
    let viewer = directory.start(&["show", "--wait", "60"]);
    // Until the exec it is `env`, which may ignore the signal.
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
    // A shell reports this as 130.
    assert_eq!(output.status.signal(), Some(SIGINT));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_picture_is_written_losslessly_in_each_format() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("P");
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
        let file = directory.path(&format!("picture.{ending}"));
        assert!(
            directory
                .print(&["show", "--key", "P", "--output", &file])
                .is_empty()
        );
        let picture = image::open(&file).unwrap().to_rgba8();
        assert_eq!(picture.dimensions(), (2, 2), "{ending}");
        assert_eq!(picture.into_raw(), pixels.concat(), "{ending}");
    }
    let jpeg = directory.path("picture.jpg");
    directory.print(&["show", "--key", "P", "--output", &jpeg]);
    assert_eq!(image::open(&jpeg).unwrap().color(), image::ColorType::Rgb8);
    let png = directory.print(&["show", "--key", "P", "--output", "-"]);
    let picture = image::load_from_memory_with_format(&png, image::ImageFormat::Png).unwrap();
    assert_eq!(picture.to_rgba8().get_pixel(1, 1).0, [255, 255, 255, 128]);
}

#[test]
fn a_picture_without_output_is_described() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("P");
    publish_picture(&publisher);
    let line = String::from_utf8(directory.print(&["show", "--key", "P"])).unwrap();
    assert!(line.starts_with("image · 2 × 2 · "), "{line}");
    assert!(line.contains("flag.png"), "{line}");
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn a_failure_leaves_no_partial_file_and_keeps_the_old_one() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("P");
    publish_picture(&publisher);
    fs::create_dir(directory.path("out")).unwrap();
    for name in ["picture.xpm", "picture"] {
        let file = directory.path(&format!("out/{name}"));
        fs::write(&file, "old").unwrap();
        let message = directory.fail(&["show", "--key", "P", "--output", &file]);
        assert!(message.contains("png, jpg"), "{message}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        fs::remove_file(&file).unwrap();
    }
    // A WebP holds at most 16,383 pixels a row, which is detected while writing.
    let metadata = ImageMetadata::packed(PixelFormat::Gray8, 65_535, 1).unwrap();
    publisher
        .publish(&Metadata::Image(metadata), &[7; 65_535])
        .unwrap();
    let message = directory.fail(&[
        "show",
        "--key",
        "P",
        "--output",
        &directory.path("out/wide.webp"),
    ]);
    assert!(message.contains("png holds any"), "{message}");
    let message = directory.fail(&[
        "show",
        "--key",
        "P",
        "--output",
        &directory.path("none/a.png"),
    ]);
    assert!(message.contains("Create the folder first"), "{message}");
    assert_eq!(fs::read_dir(directory.path("out")).unwrap().count(), 0);
}

#[test]
fn a_file_is_replaced_with_its_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = TestDirectory::new();
    let publisher = directory.publisher("MySharedMemory");
    publisher.publish_text("new").unwrap();
    let (file, link) = (directory.path("file"), directory.path("link"));
    fs::write(&file, "something that is longer").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&file, &link).unwrap();
    directory.print(&["show", "--output", &link]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    directory.print(&["show", "--output", "/dev/null"]);
}

#[test]
fn bytes_and_blocks_are_printed_in_full() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("B");
    let payload: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    publisher
        .publish(&bytes("application/pdf"), &payload)
        .unwrap();
    assert!(directory.print(&["show", "--key", "B"]) == payload);

    let key = Key::new("block").unwrap();
    let block = Block::create(&key, 5000, &directory.options()).unwrap();
    block.lock().unwrap().ignore_abandonment()[..5].copy_from_slice(b"Hello");
    let shown = directory.print(&["show", "--key", "block"]);
    assert_eq!(shown.len(), 5000);
    assert!(shown.starts_with(b"Hello\0"));
    let printed = String::from_utf8(directory.print(&["info", "--key", "block", "--hex"])).unwrap();
    assert!(
        printed.contains("00000000  48 65 6c 6c 6f 00 "),
        "{printed}"
    );
    assert!(printed.contains("|Hello...........|"), "{printed}");
    let report = directory.json(&["info", "--key", "block", "--json"]);
    assert_eq!(report["kind"], "bytes");
    assert_eq!(report["bytes"], 5000);
    assert_eq!(report["sequence"], Value::Null);
}

#[test]
fn an_array_is_described_and_written_for_numpy() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("A");
    let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).unwrap();
    let payload: Vec<u8> = (0..48).collect();
    publisher.publish(&array.into(), &payload).unwrap();

    let report = directory.json(&["info", "--key", "A", "--json"]);
    assert_eq!(report["kind"], "array");
    assert_eq!(report["element"], "f4");
    assert_eq!(report["shape"], json!([3, 4]));
    let printed = String::from_utf8(directory.print(&["info", "--key", "A"])).unwrap();
    assert!(printed.contains("array       f4 · 3 × 4\n"), "{printed}");
    assert_eq!(directory.print(&["show", "--key", "A"]), payload);
    let list = String::from_utf8(directory.print(&["list"])).unwrap();
    assert!(list.contains("array"), "{list}");

    let write = |name: &str| {
        let file = directory.path(name);
        directory.print(&["show", "--key", "A", "--output", &file]);
        fs::read(file).unwrap()
    };
    assert_eq!(write("raw"), payload);
    let npy = write("a.npy");
    assert!(npy.starts_with(b"\x93NUMPY\x01\0"));
    assert_eq!(npy.len(), 128 + 48);
    assert!(npy.ends_with(&payload));
}

#[test]
fn a_png_file_keeps_16_bit_gray() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("G");
    let gray = ImageMetadata::packed(PixelFormat::Gray16, 2, 1).unwrap();
    publisher
        .publish(&gray.into(), &[0x34, 0x12, 0xff, 0xff])
        .unwrap();
    let printed = String::from_utf8(directory.print(&["show", "--key", "G"])).unwrap();
    assert!(
        printed.starts_with("image · 2 × 1 · gray16 · 4 bytes"),
        "{printed}"
    );
    let png = directory.print(&["show", "--key", "G", "--output", "-"]);
    let picture = image::load_from_memory(&png).unwrap();
    assert_eq!(picture.to_luma16().into_raw(), [0x1234, 0xffff]);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("MySharedMemory");
    // More than a pipe buffers.
    publisher.publish_text(&"line\n".repeat(1_000_000)).unwrap();
    let mut viewer = directory.start(&["show"]);
    drop(viewer.stdout.take());
    let output = viewer.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}
