//! Loads of files: progress, cancellation, and the file dialog.

use super::*;

#[test]
fn a_picture_is_loaded_by_its_path() {
    let mut bench = Bench::new();
    let path = bench.directory.path().join("red.png");
    image::RgbImage::from_pixel(3, 2, image::Rgb([255, 0, 0]))
        .save(&path)
        .unwrap();
    bench.load_path(&path);
    assert_eq!(
        bench.status(),
        "Loaded image, 18 bytes, into MySharedMemory (sequence 1)."
    );
    match bench.in_memory("MySharedMemory") {
        Some(Preview::Picture(picture)) => {
            assert_eq!((picture.width, picture.height), (3, 2));
            assert_eq!(picture.file_name.as_deref(), Some("red.png"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_picture_leaves_the_previous_content() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let no_picture = bench.file("notes.txt", b"plain words");
    bench.send(Message::FileDialogEnded(Answer::Chosen(no_picture)));
    assert_eq!(
        bench.status(),
        "Selected file is not an image, please select another."
    );
    bench.load_path(Path::new("/nonexistent/cat.png"));
    assert!(bench.status().contains("cannot be read"));
    let absurd = bench.file("huge.pgm", b"P5\n60000 60000\n255\n");
    bench.drop_files(&[&absurd]);
    assert_eq!(bench.status(), "The image is too large.");
    assert_eq!(bench.level(), Level::Error);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("kept")
    );
}

#[test]
fn a_slow_load_shows_its_progress_and_can_be_cancelled() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let path = bench.directory.path().join("large.png");
    image::RgbImage::new(300, 300).save(&path).unwrap();
    // The task has not run yet, so the load is pending.
    let task = bench.state.update(dropped(path));
    let begun = Instant::now();
    bench.send(Message::Tick(begun));
    assert!(!bench.shows("Cancel"), "no progress before the delay");
    bench.send(Message::Tick(begun + Duration::from_millis(400)));
    assert!(bench.shows("Loading large.png into MySharedMemory …"));
    bench.click("Cancel");
    assert_eq!(bench.status(), "Cancelling …");
    bench.settle(task);
    assert!(!bench.shows("Cancel"));
}

#[test]
fn progress_does_not_change_the_layout() {
    let mut bench = Bench::new();
    let path = bench.directory.path().join("photo.png");
    drop(bench.state.update(dropped(path)));
    let (loading, progress) = Loading::start(2);
    bench.state.loading = Some(loading);
    let mut file = ProgressReader::new(io::repeat(0), 100, progress);
    file.read_exact(&mut [0; 42]).unwrap();
    bench.assert_snapshot("loading-short");
    let later = Instant::now() + Duration::from_secs(1);
    bench.send(Message::Tick(later));
    assert!(bench.shows("42 % read"));
    bench.assert_snapshot("loading");
    file.read_exact(&mut [0; 58]).unwrap();
    bench.send(Message::Tick(later));
    assert!(bench.shows("all read, decoding"));
}

#[test]
fn a_cancelled_picture_leaves_the_previous_content() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let (number, error) = begin_and_fail(&mut bench);
    bench.press(Chord::named(Named::Escape));
    bench.send(Message::PictureLoaded(number, Ok(Err(error))));
    assert_eq!(
        bench.state.window.status.current().to_string(),
        "Cancelled: a.png was not loaded. The previous content stays."
    );
    assert_eq!(bench.level(), Level::Neutral);
    assert!(bench.state.loading.is_none());
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("kept")
    );
}

#[test]
fn the_cancellation_by_a_later_load_is_not_reported() {
    let mut bench = Bench::new();
    let (first, error) = begin_and_fail(&mut bench);
    let (second, _) = begin_and_fail(&mut bench);
    bench.send(Message::PictureLoaded(first, Ok(Err(error))));
    assert!(bench.status().starts_with("Loading"));
    assert_eq!(
        bench.state.loading.as_ref().map(|loading| loading.number),
        Some(second)
    );
}

/// Returns the message for a file that is dropped on the window.
fn dropped(path: PathBuf) -> Message {
    Message::Window(main_window::Message::Dragged(drop_target::Event::Dropped(
        path,
    )))
}

/// Starts a load without running it; returns its number and a failed result for later.
fn begin_and_fail(bench: &mut Bench) -> (u64, Arc<LoadError>) {
    drop(bench.state.update(dropped("a.png".into())));
    let loading = bench.state.loading.as_ref().expect("a load is pending");
    let path = "a.png".into();
    let error = LoadError::Picture(PictureError::Cancelled { path });
    (loading.number, Arc::new(error))
}

#[test]
fn escape_closes_the_dialog_before_it_cancels_a_load() {
    let mut bench = Bench::new();
    begin_and_fail(&mut bench);
    bench.click("Load");
    bench.press(Chord::named(Named::Escape));
    assert!(!bench.shows("Text to load"));
    assert!(bench.status().starts_with("Loading"));
    bench.press(Chord::named(Named::Escape));
    assert_eq!(bench.status(), "Cancelling …");
}

#[test]
fn an_empty_path_is_reported() {
    let mut bench = Bench::new();
    bench.send(Message::PathSubmitted);
    assert_eq!(bench.status(), "The path field is empty.");
}

#[test]
fn a_cancelled_file_dialog_is_not_an_error() {
    let mut bench = Bench::new();
    bench.send(Message::FileDialogEnded(Answer::Cancelled));
    assert_eq!(
        bench.state.window.status.current().to_string(),
        "No file was chosen."
    );
    assert_eq!(bench.level(), Level::Neutral);
}

#[test]
fn a_failed_file_dialog_is_reported_with_a_remedy() {
    let mut bench = Bench::new();
    for answer in [Answer::NotShown, Answer::Died] {
        bench.send(Message::FileDialogEnded(answer));
        let said = bench.state.window.status.current().to_string();
        assert!(
            said.contains("Type the path in the field beside the button"),
            "{said}"
        );
        assert_eq!(bench.level(), Level::Error);
        assert_eq!(bench.state.file_dialog, FileDialog::Closed);
    }
}

#[test]
fn a_file_dialog_that_never_ends_does_not_block_the_button() {
    let mut bench = Bench::new();
    // The tasks are dropped, so no dialog opens and none closes.
    drop(bench.state.update(Message::LoadImagePressed));
    drop(bench.state.update(Message::LoadImagePressed));
    assert!(bench.shows("A file dialog is already open."));
    drop(bench.state.update(Message::LoadImagePressed));
    assert_eq!(bench.state.file_dialog, FileDialog::Open);
}
