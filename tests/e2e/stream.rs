//! "Stream..." in the loader's window: a test pattern, an animated GIF, a folder of pictures.

use std::{
    fs::{self, File},
    path::PathBuf,
    time::{Duration, Instant},
};

use e2e_tests::{Bus, Desktop, Fixture, LoaderWindow, Picture, PictureFile};
use image::{Delay, DynamicImage, Frame, RgbaImage, codecs::gif::GifEncoder};

use crate::file_dialog;
use crate::reader::{Reader, ReceivedFrame};

/// Encodes a GIF that shows each picture for this many milliseconds.
fn gif<'p>(
    fixture: &Fixture,
    pictures: impl IntoIterator<Item = &'p RgbaImage>,
    milliseconds: u32,
) -> PathBuf {
    let path = fixture.path("moving.gif");
    let mut encoder = GifEncoder::new_with_speed(File::create(&path).unwrap(), 30);
    for picture in pictures {
        let delay = Delay::from_numer_denom_ms(milliseconds, 1);
        let frame = Frame::from_parts(picture.clone(), 0, 0, delay);
        encoder.encode_frame(frame).unwrap();
    }
    path
}

fn rgba(picture: &Picture) -> RgbaImage {
    DynamicImage::ImageRgb8(picture.pixels().clone()).into_rgba8()
}

/// Reads frames until each of `pictures` was received twice, in order.
fn assert_loops(reader: &mut Reader, pictures: &[RgbaImage]) {
    let mut seen = vec![0; pictures.len()];
    while seen.iter().any(|times| *times < 2) {
        let ReceivedFrame {
            sequence, pixels, ..
        } = reader.next().expect("the stream continues");
        let index = usize::try_from(sequence - 1).unwrap() % pictures.len();
        assert!(
            pixels == *pictures[index].as_raw(),
            "sequence {sequence} is not picture {index}"
        );
        seen[index] += 1;
    }
}

#[test]
fn a_gif_loops_at_its_own_rate_until_it_is_stopped() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let pictures = [1, 2, 3].map(|seed| rgba(&Picture::draw(120, 90, seed)));
    let path = gif(&fixture, &pictures, 60);
    let began = Instant::now();
    let said = loader.stream(&path);
    assert!(said.contains("moving.gif into"), "{said}");
    let mut reader = Reader::attach(&fixture);
    assert_loops(&mut reader, &pictures);
    let last = reader.next().expect("the stream continues").sequence;
    // It may be late, and never early.
    let intervals = u32::try_from(last - 1).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(60) * intervals);

    let said = loader.stop_stream();
    assert!(said.contains(fixture.key()), "{said}");
    drop(reader);
    let copy = fixture.path("copy.png");
    let show = fixture.viewer(["show", "--output"]).args([&copy]);
    show.run().done();
    let last = image::open(copy).unwrap().into_rgba8();
    assert!(pictures.contains(&last), "the last frame stays");
    loader.release();
    fixture.assert_empty();
    loader.program.terminate().done();
}

/// Returns the private memory of a process, in kilobytes.
fn own_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

#[test]
fn a_gif_of_many_frames_is_never_fully_in_memory() {
    const SIDE: u32 = 1_000;
    const FRAMES: u8 = 60;
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let pictures: Vec<RgbaImage> = (0..FRAMES)
        .map(|gray| RgbaImage::from_pixel(SIDE, SIDE, image::Rgba([gray, gray, gray, 255])))
        .collect();
    let path = gif(&fixture, &pictures, 20);
    let before = own_memory(loader.program.pid());
    loader.stream(&path);
    let mut reader = Reader::attach(&fixture);
    while reader.next().expect("the stream continues").sequence < u64::from(FRAMES) {}
    let grown = own_memory(loader.program.pid()).saturating_sub(before);
    let whole = u64::from(SIDE * SIDE) * 4 * u64::from(FRAMES) / 1_024;
    println!("{grown} kB more, where all frames have {whole} kB");
    assert!(grown < whole / 4, "{grown} kB");
    drop(reader);
    loader.program.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_folder_plays_in_name_order_until_a_text_is_loaded() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let folder = fixture.path("pictures");
    fs::create_dir(&folder).unwrap();
    let pictures = [1, 2].map(|seed| Picture::draw(100, 80, seed));
    for (picture, name) in pictures.iter().zip(["picture9.png", "picture10.png"]) {
        fs::write(folder.join(name), picture.encode(PictureFile::Png)).unwrap();
    }
    fs::write(folder.join("notes.txt"), "no picture").unwrap();
    loader.stream(&folder);
    let first = Reader::oldest(&fixture);
    assert!(first.pixels == *pictures[0].pixels().as_raw());
    loader.window.wait_for_picture(pictures[1].pixels());
    loader
        .program
        .wait_for_status("1 file that is not a picture is skipped.");
    loader.load_text("instead");
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "instead");
    loader.program.terminate().done();
    fixture.assert_empty();
}

#[test]
fn the_test_pattern_ends_with_the_window() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.stream_test_pattern();
    let mut reader = Reader::attach(&fixture);
    for _ in 0..20 {
        let frame = reader.next().expect("the stream continues");
        assert_eq!(frame.number(), frame.sequence);
    }
    loader.program.terminate().done();
    while reader.next().is_some() {}
    drop(reader);
    fixture.assert_empty();
}

#[test]
fn unstreamable_files_are_reported_and_the_window_continues() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let plain = fixture.file("plain.gif", b"no GIF");
    loader.enter_stream_path(&plain);
    let said = loader.program.wait_for_status("not an animated GIF");
    assert!(said.contains("plain.gif"), "{said}");
    loader.window.press(&["Escape"]);
    loader.load_text("after all");
    loader.program.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_folder_is_chosen_in_the_system_dialog() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    let program = fixture
        .loader(["--verbose"])
        .on(&desktop)
        .with(&bus)
        .start();
    let loader = LoaderWindow::of(program, &desktop);
    let folder = fixture.path("pictures");
    fs::create_dir(&folder).unwrap();
    let picture = Picture::draw(200, 120, 3).encode(PictureFile::Png);
    fs::write(folder.join("only.png"), picture).unwrap();

    loader.open_stream_card();
    loader.choose_folder();
    let dialog = desktop.window("Select a folder of pictures");
    file_dialog::choose_folder(&desktop, &dialog, &folder);
    let said = loader.program.wait_for_status("Streaming");
    assert!(said.contains("pictures into"), "{said}");
    loader.program.terminate().done();
    fixture.assert_empty();
}
