//! Dropped files and the clipboard.

use super::*;

#[test]
fn a_dropped_file_is_loaded_by_its_content() {
    let mut bench = Bench::new();
    let text = bench.file("notes.md", "# 日本\n".as_bytes());
    bench.drop_files(&[&text]);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("# 日本\n")
    );
    let picture = bench.file("picture", b"P6\n1 1\n255\nabc");
    bench.drop_files(&[&picture]);
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Preview::Picture(picture)) if (picture.width, picture.height) == (1, 1)
    ));
    let archive = bench.file("archive.zip", b"PK\x03\x04\0\xff");
    bench.drop_files(&[&archive]);
    match bench.in_memory("MySharedMemory") {
        Some(Preview::Bytes(bytes)) => {
            assert_eq!(bytes.media_type.as_deref(), Some("application/zip"));
            assert_eq!(bytes.file_name.as_deref(), Some("archive.zip"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.level(), Level::Success);
}

#[test]
fn only_the_first_of_several_files_is_loaded_with_a_warning() {
    let mut bench = Bench::new();
    let (one, two) = (bench.file("1.txt", b"one"), bench.file("2.txt", b"two"));
    bench.send(Message::Window(main_window::Message::Dragged(
        drop_target::Event::Hovered(one.clone()),
    )));
    assert!(bench.shows("1.txt"));
    assert!(bench.shows("Drop it to load it into MySharedMemory."));
    bench.send(Message::Window(main_window::Message::Dragged(
        drop_target::Event::Left,
    )));
    assert!(!bench.shows("1.txt"));

    bench.drop_files(&[&one, &two]);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("one")
    );
    assert_eq!(bench.level(), Level::Warning);
    assert_eq!(
        bench.state.window.status.current().remedy(),
        Some("Only the first of the two files was loaded: one fits at a time.")
    );
}

#[test]
fn a_dropped_folder_is_refused_with_a_remedy() {
    let mut bench = Bench::new();
    bench.load_text("kept");
    let folder = bench.directory.path().to_owned();
    bench.drop_files(&[&folder]);
    assert_eq!(bench.level(), Level::Error);
    let remedy = bench.state.window.status.current().remedy();
    assert_eq!(remedy, Some("It is a folder: choose a file in it."));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("kept")
    );
    bench.edit_key("a/b");
    bench.send(Message::Window(main_window::Message::Dragged(
        drop_target::Event::Hovered(folder),
    )));
    assert!(bench.shows("Cannot load it: choose another key first."));
}

#[test]
fn the_clipboard_is_loaded_at_once() {
    let mut bench = Bench::new();
    let text = "copied elsewhere\r\n";
    bench.send(Message::Pasted(Ok(Pasted::Text(text.to_owned()))));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some(text)
    );
    let picture = Pixels {
        width: 2,
        height: 1,
        rgba: vec![1, 2, 3, 255, 4, 5, 6, 0],
    };
    bench.send(Message::Pasted(Ok(Pasted::Picture(picture.clone()))));
    match bench.in_memory("MySharedMemory") {
        Some(Preview::Picture(found)) => assert_eq!((found.width, found.height), (2, 1)),
        other => panic!("{other:?}"),
    }
    let file = bench.file("copied.txt", b"from a file manager");
    bench.send(Message::Pasted(Ok(Pasted::Files(vec![file]))));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("from a file manager")
    );
    let damaged = Pixels {
        width: 3,
        ..picture
    };
    bench.send(Message::Pasted(Ok(Pasted::Picture(damaged))));
    assert_eq!(bench.status(), "The clipboard does not hold a picture.");
}

#[test]
fn an_empty_clipboard_is_not_an_error() {
    let mut bench = Bench::new();
    for pasted in [Pasted::Nothing, Pasted::Text(String::new())] {
        bench.send(Message::Pasted(Ok(pasted)));
        assert_eq!(bench.status(), "There is nothing to paste.");
        assert_eq!(bench.level(), Level::Neutral);
    }
    bench.send(Message::Pasted(Err(ClipboardError::Closed)));
    assert_eq!(bench.level(), Level::Error);
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn paste_in_a_field_or_the_dialog_does_not_load() {
    let paste = Event::Keyboard(press(Chord::ctrl('v')));
    let captured = shortcut::message_of(paste, event::Status::Captured, window::Id::unique());
    assert!(captured.is_none());
    let ignored = message_of(Chord::ctrl('v'));
    assert!(matches!(
        ignored,
        Some(Message::Shortcut(action)) if matches!(action(), Message::PastePressed)
    ));
    // While the dialog is open, the clipboard is not read.
    let mut bench = Bench::new();
    bench.click("Load");
    assert!(task::into_stream(bench.state.update(Message::PastePressed)).is_none());
}
