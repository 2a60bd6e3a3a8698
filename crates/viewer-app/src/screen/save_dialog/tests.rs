use gui_common::session::snapshot::Text;
use iced::keyboard::key::Named;
use iced_test::simulator;
use shm_core::Key;

use super::*;

fn snapshot(content: Preview) -> Snapshot {
    Snapshot {
        key: Key::new("Notes").expect("it is a key").into(),
        content,
        form: None,
        digest: None,
        bytes: 10_000_000,
        origin: None,
        persistent: false,
        permissions: None,
        attached: vec![],
    }
}

fn text() -> Snapshot {
    snapshot(Preview::Text(Text {
        shown: "Hello".to_owned(),
        is_whole: true,
    }))
}

fn picture(file_name: &str) -> Snapshot {
    snapshot(Preview::Picture(gui_common::picture::drawable::Picture {
        handle: iced::widget::image::Handle::from_rgba(1, 1, vec![0; 4]),
        width: 1,
        height: 1,
        format: shm_core::PixelFormat::Rgba8,
        file_name: Some(file_name.to_owned()),
        original: None,
        is_opaque: true,
    }))
}

fn dialog(snapshot: Snapshot) -> SaveDialog {
    let (dialog, focus) = SaveDialog::open::<()>(snapshot);
    drop(focus);
    dialog
}

/// Presses a button and returns the last action.
fn press(dialog: &mut SaveDialog, label: &str) -> Action {
    let messages: Vec<Message> = {
        let mut ui = simulator(dialog.view());
        ui.click(label)
            .unwrap_or_else(|_| panic!("\"{label}\" is drawn"));
        ui.into_messages().collect()
    };
    let mut action = Action::None;
    for message in messages {
        action = dialog.update(message);
    }
    action
}

fn request(action: Action) -> SaveRequest {
    match action {
        Action::Save(request) => *request,
        other => panic!("{other:?} saves nothing"),
    }
}

fn type_path(dialog: &mut SaveDialog, path: &str) {
    let edited = dialog.update(Message::PathEdited(path.to_owned()));
    assert!(matches!(edited, Action::None));
}

#[test]
fn the_suggested_path_is_a_sanitized_file_name() {
    assert_eq!(dialog(text()).path, "~/Notes.txt");
    assert_eq!(dialog(picture("cat.jpg")).path, "~/cat.png");
    assert_eq!(dialog(picture("../.ev\nil/..")).path, "~/Notes.png");
    assert_eq!(dialog(picture(".profile")).path, "~/profile.png");
    let mut home = dialog(text());
    let save = request(press(&mut home, "Save"));
    assert!(save.path.is_absolute() && save.path.ends_with("Notes.txt"));
}

#[test]
fn replacing_an_existing_file_is_confirmed() {
    let mut dialog = dialog(text());
    type_path(&mut dialog, "/tmp/notes.txt");
    let first = request(press(&mut dialog, "Save"));
    assert_eq!(first.existing, Existing::Keep);
    assert!(!first.accepts_part);
    // A second Enter while saving has no effect.
    assert!(matches!(dialog.update(Message::Accepted), Action::None));

    dialog.update(Message::Saved(Err(SaveError::Exists(first.path))));
    simulator(dialog.view())
        .find("/tmp/notes.txt already exists. Replace it?")
        .expect("it is asked");
    // Another path discards the question.
    type_path(&mut dialog, "/tmp/other.txt");
    let other = request(press(&mut dialog, "Save"));
    assert_eq!(other.existing, Existing::Keep);

    dialog.update(Message::Saved(Err(SaveError::Exists(other.path.clone()))));
    let replacing = request(press(&mut dialog, "Replace"));
    assert_eq!(replacing.existing, Existing::Replace);
    assert_eq!(replacing.path, other.path);
    let saved = dialog.update(Message::Saved(Ok(replacing.path)));
    assert!(matches!(saved, Action::Saved(path) if path == other.path));
}

#[test]
fn saving_a_part_is_confirmed() {
    let mut dialog = dialog(text());
    type_path(&mut dialog, "/tmp/notes.txt");
    let path = request(press(&mut dialog, "Save")).path;
    let part = "the first 131 kB of 10 MB".to_owned();
    dialog.update(Message::Saved(Err(SaveError::Partial { part, path })));
    simulator(dialog.view())
        .find(
            "The content of Notes has changed, and only the first 131 kB of 10 MB is left here. \
             Save that?",
        )
        .expect("it is asked");
    let part = request(press(&mut dialog, "Save part"));
    assert!(part.accepts_part);
    assert_eq!(part.existing, Existing::Keep);
}

#[test]
fn a_picture_path_without_extension_gets_png() {
    let mut dialog = dialog(picture("cat.jpg"));
    type_path(&mut dialog, "/tmp/cat");
    let save = request(press(&mut dialog, "Save"));
    assert_eq!(save.path, PathBuf::from("/tmp/cat.png"));
}

#[test]
fn the_file_dialog_confirms_replacing_only_the_path_it_returned() {
    let mut chosen = dialog(picture("cat.jpg"));
    let action = chosen.update(Message::DialogEnded(Answer::Chosen("/tmp/cat.bmp".into())));
    assert_eq!(request(action).existing, Existing::Replace);
    let mut renamed = dialog(picture("cat.jpg"));
    let action = request(renamed.update(Message::DialogEnded(Answer::Chosen("/tmp/cat".into()))));
    assert_eq!(action.existing, Existing::Keep);
    assert_eq!(action.path, PathBuf::from("/tmp/cat.png"));

    let mut none = dialog(text());
    assert!(matches!(
        press(&mut none, "Browse..."),
        Action::Browse(name) if name == "Notes.txt"
    ));
    for (answer, words) in [
        (
            Answer::NotShown,
            "The file dialog could not be opened. Enter the path here.",
        ),
        (
            Answer::Died,
            "The file dialog closed unexpectedly. Enter the path here.",
        ),
    ] {
        none.update(Message::DialogEnded(answer));
        simulator(none.view()).find(words).expect("it is drawn");
    }
    assert!(matches!(press(&mut none, "Browse..."), Action::Browse(_)));
    none.update(Message::DialogEnded(Answer::Cancelled));
    assert_eq!(none.state, SaveState::EnterPath);
}

#[test]
fn a_failure_is_shown_and_saving_can_be_retried() {
    let mut dialog = dialog(text());
    type_path(&mut dialog, "  ");
    assert!(matches!(press(&mut dialog, "Save"), Action::None));
    simulator(dialog.view())
        .find("The path field is empty. Enter a path, such as ~/copy.txt.")
        .expect("it is drawn");
    type_path(&mut dialog, "/nowhere/notes.txt");
    drop(request(press(&mut dialog, "Save")));
    let problem = "Could not write to /nowhere/notes.txt.".to_owned();
    dialog.update(Message::Saved(Err(SaveError::Failed(problem.clone()))));
    simulator(dialog.view())
        .find(problem.as_str())
        .expect("it is drawn");
    drop(request(press(&mut dialog, "Save")));
    assert!(matches!(press(&mut dialog, "Cancel"), Action::Close));
}

#[test]
fn enter_in_the_path_field_saves() {
    let dialog = dialog(text());
    let mut ui = simulator(dialog.view());
    ui.click(iced::widget::Id::new(PATH))
        .expect("the field is drawn");
    ui.tap_key(Named::Enter);
    let messages: Vec<Message> = ui.into_messages().collect();
    assert!(matches!(messages.last(), Some(Message::Accepted)));
}
