//! `loader-app frames`: raw video through a pipe, and the test pattern.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use e2e_tests::{Fixture, Launch, Program, Signal, SmallDisk, skip};
use shm_core::{ImageMetadata, PixelFormat};

use crate::reader::{Reader, number_in};

fn has_ffmpeg() -> bool {
    let found = Command::new("ffmpeg").arg("-version").output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        skip("ffmpeg is not installed");
    }
    is_there
}

/// Asserts that frames from ffmpeg arrive as ffmpeg writes them to a file.
fn assert_arrives(pixel_format: &str, format: &str, bytes_per_pixel: usize) {
    const FRAMES: usize = 30;
    const SCRIPT: &str = "ffmpeg -nostdin -loglevel error -f lavfi -i testsrc=size=322x242:rate=50 \
                          -frames:v 30 -f rawvideo -pix_fmt";
    let fixture = Fixture::new();
    let file = fixture.path("frames.raw");
    let written = Launch::new("sh")
        .args(["-c", &format!("{SCRIPT} {pixel_format} \"$0\"")])
        .args([&file]);
    written.run().done();
    let expected = fs::read(file).unwrap();
    let frame_bytes = 322 * 242 * bytes_per_pixel;
    assert_eq!(expected.len(), FRAMES * frame_bytes);

    let arguments = ["frames", "--size", "322x242", "--fps", "50", "--persist"];
    let loader = fixture.loader(arguments).args(["--format", format, "-"]);
    let piped = format!("{SCRIPT} {pixel_format} - | exec \"$@\"");
    let loader = loader.through("sh", ["-c", &piped, "sh"]).start();
    let mut reader = Reader::attach(&fixture);
    let mut seen = 0;
    while let Some(frame) = reader.next() {
        let index = usize::try_from(frame.sequence - 1).unwrap();
        let expected = &expected[index * frame_bytes..][..frame_bytes];
        assert!(frame.pixels == expected, "{pixel_format}, frame {index}");
        assert_eq!((frame.shape.width, frame.shape.height), (322, 242));
        assert_eq!(frame.shape.format.name(), format);
        seen += 1;
    }
    drop(reader);
    println!("{pixel_format}: {seen} of {FRAMES} frames were seen");
    assert!(seen > 0);
    let said = loader.finish().done();
    assert!(said.text().contains("Streamed 30 frames"), "{said:?}");
    let shown = fixture.viewer(["info", "--json"]).run().done().json();
    assert_eq!(shown["sequence"], FRAMES, "{shown}");
    fixture.viewer(["remove"]).run().done();
    fixture.assert_empty();
}

#[test]
fn frames_from_ffmpeg_arrive_pixel_for_pixel() {
    if has_ffmpeg() {
        for (pixel_format, format, bytes) in [
            ("rgba", "rgba", 4),
            ("bgra", "bgra", 4),
            ("rgb24", "rgb", 3),
            ("gray", "gray", 1),
            ("bgr24", "bgr", 3),
            ("gray16le", "gray16", 2),
        ] {
            assert_arrives(pixel_format, format, bytes);
        }
    }
}

#[test]
fn frames_piped_to_ffmpeg_become_a_video() {
    const FRAMES: usize = 8;
    if !has_ffmpeg() {
        return;
    }
    let fixture = Fixture::new();
    let shape = ImageMetadata::packed(PixelFormat::Rgba8, 320, 240).unwrap();
    let raw = "-f rawvideo -pixel_format rgba -video_size 320x240 -framerate 25 -i -";
    // Lossless, so that each frame's number is preserved.
    let script =
        format!("\"$@\" | exec ffmpeg -loglevel error {raw} -c:v ffv1 -pix_fmt bgra \"$0\"");
    let video = fixture.path("copy.mkv");
    let count = FRAMES.to_string();
    let follow = fixture
        .viewer(["follow", "--raw", "-", "--timeout", "60", "--count", &count])
        .through("sh", ["-c".as_ref(), script.as_ref(), video.as_os_str()])
        .start();
    let loader = fixture
        .loader(["frames", "--test-pattern", "--size", "320x240"])
        .args(["--fps", "25"])
        .start();
    follow.finish().done();
    loader.terminate().done();

    let decoded = Launch::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .args([&video])
        .args(["-f", "rawvideo", "-pix_fmt", "rgba", "-"])
        .run()
        .done();
    let frames = decoded.stdout.chunks(shape.payload_bytes());
    let numbers: Vec<u64> = frames.map(|pixels| number_in(pixels, &shape)).collect();
    assert_eq!(numbers.len(), FRAMES, "{numbers:?}");
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    fixture.assert_empty();
}

#[test]
fn each_frame_of_the_test_pattern_shows_its_number() {
    let fixture = Fixture::new();
    let arguments = ["frames", "--test-pattern", "--size", "640x360"];
    let rest = ["--count", "60", "--fps", "60", "--format", "bgra"];
    let began = Instant::now();
    let loader = fixture.loader(arguments).args(rest).start();
    let mut reader = Reader::attach(&fixture);
    let mut last = 0;
    while let Some(frame) = reader.next() {
        assert_eq!(frame.number(), frame.sequence);
        assert_eq!(frame.shape.format, PixelFormat::Bgra8);
        assert!(frame.sequence > last, "backwards");
        last = frame.sequence;
    }
    assert!((1..=60).contains(&last), "{last}");
    let outcome = loader.finish().done();
    // 60 frames have 59 intervals between them, and the last one is shown as long as the others.
    assert!(began.elapsed() >= Duration::from_millis(999));
    let lines: Vec<&str> = outcome.text().lines().collect();
    let [first, last] = lines[..] else {
        panic!("{outcome:?}");
    };
    assert!(first.starts_with("Streaming 640 × 360 bgra"), "{first}");
    assert!(last.starts_with("Streamed 60 frames (55.2 MB)"), "{last}");
    assert!(outcome.stderr.is_empty(), "{outcome:?}");
    fixture.assert_empty();
}

#[test]
fn progress_is_printed_on_request() {
    let fixture = Fixture::new();
    let loader = fixture
        .loader(["frames", "--test-pattern", "--size", "64x48", "--verbose"])
        .start();
    let line = loader.wait_for_stderr("fps");
    assert!(line.contains("frames · "), "{line}");
    loader.wait_for_stderr("fps");
    loader.terminate().done();
    fixture.assert_empty();
}

/// Returns raw video of gray frames with 100 pixels, `frames` complete ones and `more` bytes.
fn video(frames: u8, more: usize) -> Vec<u8> {
    let whole = (1..=frames).flat_map(|gray| [gray; 100]);
    whole.chain([0; 100].into_iter().take(more)).collect()
}

fn gray_frames(fixture: &Fixture) -> Launch {
    fixture.loader(["frames", "--size", "10x10", "--format", "gray"])
}

/// From a camera's pipe to a file, converted as the window of another machine would show it.
#[test]
fn bgr_and_16_bits_of_gray_are_streamed_and_saved() {
    let fixture = Fixture::new();
    for (format, frame, shown) in [
        ("bgr24", &[1, 2, 3][..], [3, 2, 1]),
        ("gray16le", &[0x34, 0x12], [0x12; 3]),
    ] {
        let video = frame.repeat(100);
        fixture
            .loader(["frames", "--size", "10x10", "--persist", "--format", format])
            .args(["-"])
            .input(video)
            .run()
            .done();
        fixture
            .viewer(["show", "--output", "last.png"])
            .run()
            .done();
        let last = image::open(fixture.path("last.png")).unwrap();
        if format == "gray16le" {
            let gray = last.to_luma16();
            assert!(gray.pixels().all(|pixel| pixel.0 == [0x1234]), "{format}");
        }
        fixture
            .viewer(["show", "--output", "last.bmp"])
            .run()
            .done();
        let last = image::open(fixture.path("last.bmp")).unwrap().into_rgb8();
        assert!(last.pixels().all(|pixel| pixel.0 == shown), "{format}");
        fixture.viewer(["remove"]).run().done();
    }
    fixture.assert_empty();
}

#[test]
fn a_truncated_frame_is_reported_and_not_published() {
    let fixture = Fixture::new();
    let cut = gray_frames(&fixture)
        .args(["--persist"])
        .input(video(3, 40));
    let outcome = cut.run().refused("60 of its 100 bytes are missing");
    assert!(outcome.text().contains("Streamed 3 frames"), "{outcome:?}");
    let shown = fixture
        .viewer(["show", "--output", "last.png"])
        .run()
        .done();
    drop(shown);
    let last = image::open(fixture.path("last.png")).unwrap().into_luma8();
    assert!(last.pixels().all(|pixel| pixel.0 == [3]));
    fixture.viewer(["remove"]).run().done();
    fixture.assert_empty();
}

#[test]
fn a_stream_without_a_frame_fails_and_publishes_nothing() {
    let fixture = Fixture::new();
    let empty = gray_frames(&fixture).input([]).run();
    drop(empty.refused("ended before the first frame"));
    let short = gray_frames(&fixture).input(video(0, 99)).run();
    drop(short.refused("1 of its 100 bytes are missing"));
    fixture.assert_empty();
}

#[test]
fn invalid_arguments_are_reported_with_the_remedy() {
    let fixture = Fixture::new();
    for (arguments, words) in [
        ["frames", "", "", ""].as_slice(),
        &["frames", "--size", "1280", ""],
        &["frames", "--size", "65536x1", ""],
    ]
    .into_iter()
    .zip([
        "such as --size 1280x720",
        "such as 1280x720",
        "at most 65535 each",
    ]) {
        let arguments = arguments.iter().filter(|argument| !argument.is_empty());
        drop(fixture.loader(arguments).run().misused(words));
    }
    let large = fixture.loader(["frames", "--size", "65535x65535"]).run();
    drop(large.misused("16384 MiB"));
    let both = fixture.loader(["frames", "--test-pattern", "-"]).run();
    drop(both.misused("--test-pattern"));
    let speed = fixture
        .loader(["frames", "--test-pattern", "--fps", "0"])
        .run();
    drop(speed.misused("such as 25"));
    fixture.assert_empty();
}

#[test]
fn signals_end_it_while_it_waits_for_input() {
    for signal in [Signal::INT, Signal::TERM] {
        // Before the first frame, between two, and in the middle of one.
        for (bytes, frames) in [(video(0, 0), 0), (video(2, 0), 2), (video(2, 1), 2)] {
            let fixture = Fixture::new();
            let mut loader = gray_frames(&fixture).input_kept_open().start();
            loader.write(&bytes);
            let mut reader = Reader::attach(&fixture);
            while frames > 0 && reader.next().unwrap().sequence < frames {}
            loader.signal(signal);
            loader.wait_for_end();
            let outcome = loader.finish().done();
            assert_eq!(outcome.text().contains("Streamed 2 frames"), frames == 2);
            assert!(outcome.stderr.is_empty(), "{outcome:?}");
            fixture.assert_empty();
        }
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_later_frame() {
    let fixture = Fixture::new();
    let slow = [
        "frames",
        "--test-pattern",
        "--size",
        "64x48",
        "--fps",
        "0.001",
    ];
    let loader = fixture.loader(slow).start();
    loader.wait_for("Streaming");
    loader.terminate().done();
    fixture.assert_empty();
}

/// Starts a loader that has published a frame of 400 kB, and keeps its input open.
fn streaming_large(fixture: &Fixture) -> Program {
    let mut loader = fixture
        .loader(["frames", "--size", "1000x400", "--format", "gray"])
        .input_kept_open()
        .start();
    loader.write(&[1; 400_000]);
    loader.wait_for("Streaming");
    loader
}

#[test]
fn frames_without_room_are_dropped_and_the_previous_one_remains() {
    // Room for the ring and two frames, not for three.
    let Some(disk) = SmallDisk::mount(1280) else {
        return;
    };
    let fixture = Fixture::within(disk.path());
    let mut loader = streaming_large(&fixture);
    let filler = disk.path().join("filler");
    // As many as fit; that they do not all fit is intended.
    drop(fs::write(&filler, vec![1; 2 << 20]));
    loader.write(&[2; 800_000]);
    let warning = loader.wait_for_stderr("being skipped");
    assert!(
        warning.contains("There is not enough shared memory"),
        "{warning}"
    );
    let mut reader = Reader::attach(&fixture);
    let shown = reader.0.latest().unwrap().unwrap();
    assert_eq!((shown.sequence().get(), shown.payload()[0]), (1, 1));
    drop(shown);
    fs::remove_file(&filler).unwrap();
    loader.write(&[4; 400_000]);
    while reader.next().unwrap().pixels[0] != 4 {}
    let outcome = loader.finish().done();
    let said = outcome.text();
    assert!(said.contains("Streamed 2 frames"), "{said}");
    assert!(said.contains("2 more were skipped."), "{said}");
    assert_eq!(
        outcome.stderr.matches("being skipped").count(),
        1,
        "reported once"
    );
    fixture.assert_empty();
}

#[test]
fn no_room_for_the_first_frame_is_an_error() {
    let Some(disk) = SmallDisk::mount(1024) else {
        return;
    };
    let fixture = Fixture::within(disk.path());
    let loader = fixture.loader(["frames", "--test-pattern"]).run();
    drop(loader.refused("There is not enough shared memory"));
    fixture.assert_empty();
}

#[test]
fn a_stream_whose_segment_is_removed_ends_with_an_error() {
    for is_rm in [false, true] {
        let fixture = Fixture::new();
        let pattern = ["frames", "--test-pattern", "--size", "64x48"];
        let loader = fixture.loader(pattern).start();
        loader.wait_for("Streaming");
        if is_rm {
            fs::remove_file(fixture.segment()).unwrap();
        } else {
            fixture.viewer(["remove", "--force"]).run().done();
        }
        let outcome = loader.finish().refused("removed");
        assert!(outcome.text().contains("Streamed "), "{outcome:?}");
        fixture.assert_empty();
    }
}
