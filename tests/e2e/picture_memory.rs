//! The memory of a picture: never more than `--limit`, whether it is loaded or refused.

use std::{fs, path::Path};

use e2e_tests::{Fixture, Launch, Outcome};
use shm_core::{ImageMetadata, Metadata, PixelFormat, Subscriber};

use crate::actor::{key, options};
use crate::bomb;

const MIB: u64 = 1 << 20;

/// The program's own memory, including freed memory that its allocator keeps.
const SLACK: u64 = 64 * MIB;

/// The result of a program, and its peak memory.
struct Measured {
    outcome: Outcome,
    peak: u64,
}

fn measure(fixture: &Fixture, launch: Launch) -> Measured {
    let file = fixture.path("peak");
    let launch = launch.through(env!("CARGO_BIN_EXE_peak"), [&file]);
    let outcome = launch.run();
    let peak = fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    Measured {
        outcome,
        peak: peak.parse().unwrap(),
    }
}

/// Loads a picture file persistently; asserts that it takes no more than `limit` MiB.
fn load(fixture: &Fixture, path: &Path, limit: u64) -> Outcome {
    let launch = fixture
        .loader(["image", "--persist", "--limit", &format!("{limit}M")])
        .args([path]);
    let Measured { outcome, peak } = measure(fixture, launch);
    assert!(
        peak <= limit * MIB + SLACK,
        "{} took {} MiB of {limit}: {outcome:?}",
        path.display(),
        peak / MIB
    );
    outcome
}

/// Asserts that a file is refused as too large with the remedy, and that nothing is left behind.
fn assert_refused(name: &str, file: &[u8], limit: u64, words: &str) {
    let fixture = Fixture::new();
    let path = fixture.file(name, file);
    let outcome = load(&fixture, &path, limit).refused(words);
    for words in ["too large", "limit", "--limit", name] {
        assert!(outcome.stderr.contains(words), "{words:?}: {outcome:?}");
    }
    fixture.assert_empty();
}

/// Asserts that a file that is damaged or not a picture is reported as such.
fn assert_damaged(name: &str, file: &[u8], limit: u64) {
    let fixture = Fixture::new();
    let path = fixture.file(name, file);
    drop(load(&fixture, &path, limit).refused("Selected file is not an image"));
    fixture.assert_empty();
}

/// Asserts that a file is loaded; returns its metadata and its pixels.
fn assert_loaded(name: &str, file: &[u8], limit: u64) -> (ImageMetadata, Vec<u8>) {
    let fixture = Fixture::new();
    let path = fixture.file(name, file);
    drop(load(&fixture, &path, limit).done());
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    let sample = subscriber.latest().unwrap().expect("a sample is there");
    let Metadata::Image(metadata) = sample.metadata() else {
        panic!("{name} is not a picture");
    };
    (metadata.clone(), sample.payload().to_vec())
}

#[test]
fn a_progressive_jpeg_is_refused_by_its_header() {
    let whole = bomb::progressive_jpeg((32_000, 32_000), 90);
    assert!(whole.len() < 4_096);
    assert_refused("bomb.jpg", &whole, 1_024, "32000 × 32000");
    assert_refused("bomb.jpg", &whole, 64, "32000 × 32000");
    // The pixels alone would fit.
    let tight = bomb::progressive_jpeg((7_000, 7_000), 1);
    assert_refused("tight.jpg", &tight, 64, "would take 141 MiB");
    // They would also fit with one component after the other.
    let scans = [([0, 63, 0], vec![0; 8])];
    let one_by_one = bomb::jpeg(0xC0, (30_000, 30_000), &scans);
    assert_refused("one-by-one.jpg", &one_by_one, 64, "30000 × 30000");
}

#[test]
fn a_jpeg_with_too_many_scans_is_refused() {
    let scans = bomb::progressive_jpeg((4_000, 4_000), 99);
    assert_refused("scans.jpg", &scans, 64, "4000 × 4000");
}

#[test]
fn a_progressive_jpeg_just_below_the_limit_is_loaded() {
    let (width, height) = (5_200, 4_000);
    let blocks = usize::from(width / 8) * usize::from(height / 8);
    // No coefficient differs from the one before: everything is grey.
    let scans = [([0, 0, 0], vec![0; blocks.div_ceil(8)])];
    let file = bomb::jpeg(0xC2, (width, height), &scans);
    let (metadata, pixels) = assert_loaded("grey.jpg", &file, 64);
    assert_eq!((metadata.width, metadata.height), (5_200, 4_000));
    assert_eq!(metadata.format, PixelFormat::Gray8);
    assert!(pixels.iter().all(|pixel| *pixel == 128));
}

#[test]
fn camera_data_in_a_jpeg_is_not_kept_in_memory() {
    let scans = [([0, 63, 0], vec![0; 8])];
    let file = bomb::jpeg(0xC0, (16, 16), &scans);
    let stuffing = bomb::jpeg_segment(0xE2, &[7; 65_000]).repeat(1_500);
    let stuffed = [&file[..2], &stuffing, &file[2..]].concat();
    let fixture = Fixture::new();
    let path = fixture.file("stuffed.jpg", &stuffed);
    // After the end there is a film, of any length.
    let longer = fs::OpenOptions::new().write(true).open(&path).unwrap();
    longer.set_len(100 << 30).unwrap();
    let launch = fixture.loader(["image", "--persist"]).args([&path]);
    let measured = measure(&fixture, launch);
    drop(measured.outcome.done());
    assert!(measured.peak < SLACK, "{} MiB", measured.peak / MIB);
}

#[test]
fn a_jpeg_without_an_end_is_not_read_to_it() {
    let scans = [([0, 63, 0], vec![0; 8])];
    let file = bomb::jpeg(0xC0, (16, 16), &scans);
    let fixture = Fixture::new();
    let path = fixture.file("endless.jpg", &file[..file.len() - 2]);
    let longer = fs::OpenOptions::new().write(true).open(&path).unwrap();
    longer.set_len(100 << 30).unwrap();
    drop(load(&fixture, &path, 64).refused("too large"));
}

#[test]
fn compressed_ancillary_data_in_a_png_is_not_decompressed() {
    const ZEROS: usize = 300 << 20;
    let profile = [b"icc\0\0".to_vec(), bomb::packed_zeros(ZEROS)].concat();
    let text = [b"words\0\0".to_vec(), bomb::packed_zeros(ZEROS)].concat();
    let international = [
        b"words\0\x01\0en\0words\0".to_vec(),
        bomb::packed_zeros(ZEROS),
    ]
    .concat();
    // A row of four RGBA pixels, and the filter byte before it.
    let row = bomb::packed_zeros(1 + 16);
    let row = [&row[..2], &stored(&[0; 17]), &[0; 4]].concat();
    let chunks: &[(&[u8; 4], Vec<u8>)] = &[
        (b"iCCP", profile),
        (b"zTXt", text),
        (b"iTXt", international),
    ];
    let png = bomb::png((4, 1), (8, 6), chunks, &checked(&row));
    let (metadata, pixels) = assert_loaded("bomb.png", &png, 1);
    assert_eq!((metadata.width, metadata.height), (4, 1));
    assert_eq!(pixels, [0; 16]);
    let icon = bomb::ico(&png, 4);
    assert_eq!(assert_loaded("bomb.ico", &icon, 1).1, pixels);
}

/// Returns bytes as deflate stores them: one block, the last.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let lengths = [length, !length].map(u16::to_le_bytes).concat();
    [&[1], lengths.as_slice(), bytes].concat()
}

/// Returns a zlib stream with the checksum of seventeen zeros.
fn checked(stream: &[u8]) -> Vec<u8> {
    let length = stream.len() - 4;
    [&stream[..length], &(17_u32 << 16 | 1).to_be_bytes()].concat()
}

/// The period of a deep picture's rows.
const PERIOD: u32 = 100;

/// The size of a deep picture: its pixels take more than 30 of 32 MiB.
const DEEP: (u32, u32) = (3_300, 3_200);

/// Returns a pixel of a deep picture as the camera stored it.
fn sample(x: u32, y: u32) -> [u16; 3] {
    let at = x + y % PERIOD;
    [at * 16, at * 7, at].map(|value| u16::try_from(value % 65_536).unwrap())
}

/// Returns a row of a deep picture, and a few more pixels.
fn row(width: u32, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let samples = (0..width + PERIOD).flat_map(|x| sample(x, 0));
    samples.flat_map(bytes).collect()
}

/// Asserts that a picture was rotated to the right: its first row is the left column, from the
/// bottom.
fn assert_turned(metadata: &ImageMetadata, pixels: &[u8], y_of: fn(u32) -> u32) {
    let (width, height) = DEEP;
    assert_eq!((metadata.width, metadata.height), (height, width));
    assert_eq!(metadata.format, PixelFormat::Rgb8);
    let narrow = |value: u16| u8::try_from((u32::from(value) + 128) / 257).unwrap();
    for (x, row) in (0..).zip(pixels.chunks(height as usize * 3)) {
        let repeated: Vec<u8> = (0..PERIOD)
            .flat_map(|index| sample(x, y_of(height - 1 - index)).map(narrow))
            .collect();
        assert!(
            row == repeated.repeat((height / PERIOD) as usize),
            "row {x}"
        );
    }
}

/// Returns the orientation that requires rotating the picture to the right.
fn exif() -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([6, 0, 0, 0]);
    exif.extend([0; 4]);
    exif
}

#[test]
fn a_rotated_deep_png_is_correct_and_needs_no_copy() {
    let row = row(DEEP.0, u16::to_be_bytes);
    let rows = bomb::packed_rows(&row[..DEEP.0 as usize * 6], DEEP.1 as usize);
    let file = bomb::png(DEEP, (16, 2), &[(b"eXIf", exif())], &rows);
    let (metadata, pixels) = assert_loaded("deep.png", &file, 32);
    // All rows are alike.
    assert_turned(&metadata, &pixels, |_| 0);
    assert_refused("deep.png", &file, 16, "would take 31 MiB");
}

#[test]
fn a_rotated_deep_tiff_is_correct_and_needs_no_copy() {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const ROWS: u32 = 32;
    let (width, height) = DEEP;
    let row = row(width, u16::to_le_bytes);
    let row_bytes = width * 6;
    let row = |y: u32| &row[(y % PERIOD) as usize * 6..][..row_bytes as usize];
    let rows = (0..height).map(row).collect::<Vec<_>>().concat();
    let strips: Vec<u32> = (0..height / ROWS).collect();
    let file = bomb::tiff(
        &[
            (256, SHORT, &[width]),
            (257, SHORT, &[height]),
            (258, SHORT, &[16; 3]),
            (259, SHORT, &[1]),
            (262, SHORT, &[2]),
            (
                273,
                LONG,
                &strips
                    .iter()
                    .map(|strip| 8 + strip * ROWS * row_bytes)
                    .collect::<Vec<_>>(),
            ),
            (274, SHORT, &[6]),
            (277, SHORT, &[3]),
            (278, SHORT, &[ROWS]),
            (279, LONG, &vec![ROWS * row_bytes; strips.len()]),
        ],
        &rows,
    );
    let (metadata, pixels) = assert_loaded("deep.tiff", &file, 32);
    assert_turned(&metadata, &pixels, |y| y);
}

#[test]
fn claimed_sizes_above_the_limit_are_refused_in_every_format() {
    let header = |sides: [&[u8]; 2]| [b"qoif", sides[0], sides[1], b"\x04\0"].concat();
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\x04\0\0".to_vec();
    bmp.extend([40, 60_000, 30_000].map(u32::to_le_bytes).concat());
    bmp.extend([1, 8].map(u16::to_le_bytes).concat());
    // Runs of one colour, of which there are 256.
    bmp.extend([1, 0, 0, 0, 0, 0].map(u32::to_le_bytes).concat());
    bmp.extend([0; 1_024]);
    for (name, file) in [
        ("grey.pgm", b"P5\n60000 60000\n255\n".to_vec()),
        ("deep.ppm", b"P6\n5000 5000\n65535\n".to_vec()),
        (
            "any.pam",
            b"P7\nWIDTH 60000\nHEIGHT 60000\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n".to_vec(),
        ),
        (
            "large.xpm",
            b"/* XPM */\nstatic char *x[] = {\n\"4000 3000 1 1\",\n\"a c red\",\n".to_vec(),
        ),
        (
            "colours.xpm",
            b"/* XPM */\nstatic char *x[] = {\n\"4 4 90000000 8\",\n\"a c red\",\n".to_vec(),
        ),
        ("large.qoi", header([b"\0\0\x80\0", b"\0\0\x28\0"])),
        ("large.bmp", bmp),
        (
            "large.gif",
            b"GIF89a\xFF\xFF\xFF\xFF\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\xFF\xFF\xFF\xFF\0\x02\x02D\x01\0;".to_vec(),
        ),
        (
            "frame.gif",
            b"GIF89a\x04\0\x04\0\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\xFF\xFF\xFF\xFF\0\x02\x02D\x01\0;".to_vec(),
        ),
        // 56 MB of pixels, and 14 MB of colour numbers.
        (
            "indexed.gif",
            b"GIF89a\xA0\x0F\xAC\x0D\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\xA0\x0F\xAC\x0D\0\x02\x02D\x01\0;".to_vec(),
        ),
        ("large.webp", bomb::lossless_webp((16_383, 16_383))),
    ] {
        assert_refused(name, &file, 64, "");
    }
}

#[test]
fn a_webp_frame_larger_than_the_picture_is_not_decoded() {
    let canvas = [2, 0, 0, 0, 15, 0, 0, 15, 0, 0].to_vec();
    let mut frame = b"\x10\0\0\x9D\x01\x2A".to_vec();
    frame.extend([16_383, 16_383].map(u16::to_le_bytes).concat());
    frame.extend([0; 64]);
    let still = [(b"VP8X", canvas.clone()), (b"VP8 ", frame.clone())];
    assert_refused("frame.webp", &bomb::webp(&still[1..]), 64, "16383 × 16383");
    let still = [
        (b"VP8X", [vec![0], canvas[1..].to_vec()].concat()),
        still[1].clone(),
    ];
    assert_refused("still.webp", &bomb::webp(&still), 64, "16 × 16");
    let inner = &bomb::webp(&[(b"VP8 ", frame)])[12..];
    let place = [0, 0, 0, 0, 0, 0, 15, 0, 0, 15, 0, 0, 0, 0, 0, 0];
    let moving = [
        (b"VP8X", canvas),
        (b"ANIM", vec![0; 6]),
        (b"ANMF", [&place, inner].concat()),
    ];
    assert_refused("moving.webp", &bomb::webp(&moving), 64, "16 × 16");
}

#[test]
fn decoder_tables_are_bounded_by_the_limit() {
    let file = bomb::many_codes_webp(20_000);
    assert!(file.len() < 4 << 20);
    assert_refused("codes.webp", &file, 16, "");
    // The usual number of tables is built.
    let file = bomb::many_codes_webp(100);
    assert_damaged("few.webp", &file[..file.len() - 2], 64);
}

#[test]
fn strips_and_tiles_of_a_tiff_are_bounded() {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    // A picture of a few pixels in a tile as wide as the memory permits, compressed.
    let tile = bomb::packed_zeros(200 << 20);
    let length = u32::try_from(tile.len()).unwrap();
    let wide = bomb::tiff(
        &[
            (256, SHORT, &[16]),
            (257, SHORT, &[16]),
            (258, SHORT, &[8, 8, 8, 8]),
            (259, SHORT, &[8]),
            (262, SHORT, &[2]),
            (277, SHORT, &[4]),
            (322, LONG, &[1 << 28]),
            (323, LONG, &[16]),
            (324, LONG, &[8]),
            (325, LONG, &[length]),
            (338, SHORT, &[0]),
        ],
        &tile,
    );
    assert_refused("wide.tiff", &wide, 64, "16 × 16");
    // A JPEG that is larger than its strip.
    let jpeg = bomb::progressive_jpeg((16_000, 16_000), 1);
    let length = u32::try_from(jpeg.len()).unwrap();
    let inner = |side: u32| {
        bomb::tiff(
            &[
                (256, SHORT, &[side]),
                (257, SHORT, &[side]),
                (258, SHORT, &[8]),
                (259, SHORT, &[7]),
                (262, SHORT, &[1]),
                (273, LONG, &[8]),
                (277, SHORT, &[1]),
                (278, LONG, &[side]),
                (279, LONG, &[length]),
            ],
            &jpeg,
        )
    };
    assert_damaged("inner.tiff", &inner(16), 64);
    assert_refused("outer.tiff", &inner(16_000), 256, "16000 × 16000");
}

#[test]
fn the_limit_can_be_raised_and_is_validated() {
    let fixture = Fixture::new();
    let path = fixture.file(
        "grey.pgm",
        &[b"P5\n2000 1000\n255\n".to_vec(), vec![7; 2_000_000]].concat(),
    );
    let refused = load(&fixture, &path, 1).refused("would take 2 MiB");
    assert!(refused.stderr.contains("--limit 2M"), "{refused:?}");
    drop(load(&fixture, &path, 2).done());
    for wrong in ["0", "much", "1.5G", "99999999T"] {
        let outcome = fixture
            .loader(["image", "--limit", wrong])
            .args([&path])
            .run();
        drop(outcome.misused("such as 512M"));
    }
    let frames = [
        "frames",
        "--size",
        "2000x1000",
        "--format",
        "gray",
        "--limit",
    ];
    let frames = |limit| {
        fixture
            .loader(frames)
            .args([limit])
            .input(vec![7; 2_000_000])
    };
    drop(frames("1M").run().misused("--limit 2M"));
    drop(frames("2M").run().done());
}

#[test]
fn a_picture_for_qt_is_bounded_together_with_its_stream() {
    let fixture = Fixture::new();
    let file = [b"P5\n4000 5000\n255\n".to_vec(), vec![7; 20_000_000]].concat();
    let path = fixture.file("grey.pgm", &file);
    let key = format!("qt:{}", fixture.key());
    let loader = |limit: &str| {
        let launch = fixture.program(e2e_tests::binaries_folder().join("loader-app"));
        let launch = launch.args(["--key", &key, "image", "--for", "1ms", "--limit", limit]);
        measure(&fixture, launch.args([&path]))
    };
    let measured = loader("40M");
    drop(measured.outcome.refused("would take 58 MiB"));
    assert!(measured.peak <= 40 * MIB + SLACK, "{}", measured.peak);
    let measured = loader("58M");
    drop(measured.outcome.done());
    assert!(measured.peak <= 58 * MIB + SLACK, "{}", measured.peak);
}

#[test]
fn a_decoder_panic_is_reported_as_an_error() {
    // The opaque part of a frame has more pixels than the frame and its opacity.
    let mut colours = b"\x10\x04\0\x9D\x01\x2A".to_vec();
    colours.extend([64, 64].map(u16::to_le_bytes).concat());
    colours.extend([0; 512]);
    let frame = bomb::webp(&[(b"ALPH", vec![0; 257]), (b"VP8 ", colours)]);
    let moving = [
        (b"VP8X", vec![0x12, 0, 0, 0, 15, 0, 0, 15, 0, 0]),
        (b"ANIM", vec![0; 6]),
        (
            b"ANMF",
            [
                &[0, 0, 0, 0, 0, 0, 15, 0, 0, 15, 0, 0, 0, 0, 0, 0],
                &frame[12..],
            ]
            .concat(),
        ),
    ];
    let fixture = Fixture::new();
    let path = fixture.file("moving.webp", &bomb::webp(&moving));
    let outcome = load(&fixture, &path, 64).refused("its decoder failed");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
}

#[test]
fn memory_for_encoding_a_picture_is_bounded() {
    const SIDES: (usize, usize) = (5_000, 4_000);
    let fixture = Fixture::new();
    let frames = [
        "frames",
        "--size",
        "5000x4000",
        "--format",
        "gray",
        "--persist",
    ];
    // Every byte differs from its neighbours: it cannot be compressed.
    let noise: Vec<u8> = (0..SIDES.0 * SIDES.1)
        .scan(1_u32, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(state.to_le_bytes()[3])
        })
        .collect();
    drop(fixture.loader(frames).input(noise.clone()).run().done());
    let show = |name: &str, limit: u64| {
        let limit_option = format!("{limit}M");
        let arguments = ["show", "--limit", &limit_option, "--output", name];
        let launch = fixture.viewer(arguments);
        let measured = measure(&fixture, launch.in_directory(fixture.path("").as_path()));
        let peak = measured.peak / MIB;
        assert!(measured.peak <= limit * MIB + SLACK, "{name}: {peak} MiB");
        measured.outcome
    };
    for (name, needed) in [
        ("a.gif", 210),
        ("a.png", 67),
        ("a.webp", 115),
        ("a.qoi", 153),
    ] {
        let words = format!("takes {needed} MiB of memory, and the limit is 64M");
        let outcome = show(name, 64).refused(&words);
        assert!(outcome.stderr.contains("--limit"), "{outcome:?}");
        assert!(!fixture.path(name).exists());
    }
    // Row by row: it needs no further memory.
    drop(show("a.bmp", 20).done());
    drop(show("a.png", 67).done());
    let written = image::open(fixture.path("a.png")).unwrap().into_luma8();
    assert!(written.into_raw() == noise);
    let follow = ["follow", "--count", "1", "--output", "%d.png"];
    let follow = |limit| fixture.viewer(follow).args(["--limit", limit]);
    let directory = fixture.path("");
    let follow = |limit| follow(limit).in_directory(&directory).run();
    drop(follow("66M").refused("takes 67 MiB"));
    drop(follow("67M").done());
    drop(follow("none").misused("such as 512M"));
}
