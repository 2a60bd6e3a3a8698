//! The settings that the window saves and loads.

use super::*;

/// Returns the settings that the next window would load.
fn saved_settings(path: &std::path::Path) -> gui_common::settings::Settings<Switches> {
    settings::load(Some(path.to_owned())).settings
}

#[test]
fn size_and_key_are_saved_and_the_command_line_has_priority() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("viewer-app.json");
    let open = |key: Option<Address>| {
        State::new(&Settings {
            key,
            form: None,
            is_verbose: false,
            remembered: settings::load(Some(path.clone())),
        })
    };
    let mut state = open(None);
    drop(
        state.update(Message::Window(main_window::Message::Resized(Size::new(
            700.0, 500.0,
        )))),
    );
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "Mine".to_owned(),
        ))),
    );
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "no/key".to_owned(),
        ))),
    );
    drop(state);
    assert_eq!(saved_settings(&path).size, Size::new(700.0, 500.0));
    assert_eq!(saved_settings(&path).key, "Mine".parse().ok());

    let state = open("Theirs".parse().ok());
    assert_eq!(state.window.key.text(), "Theirs");
    drop(state);
    assert_eq!(
        saved_settings(&path).key,
        "Mine".parse().ok(),
        "the key of the command line is not saved"
    );

    let mut state = open(None);
    assert_eq!(state.window.key.text(), "Mine");
    let live =
        |settings: &mut gui_common::settings::Settings<Switches>| settings.switches.live = true;
    drop(state.window.change_settings(live));
    drop(state);
    assert!(saved_settings(&path).switches.live);
}

#[test]
fn unreadable_settings_are_reported() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("viewer-app.json");
    std::fs::write(&path, "{").expect("there is room");
    let state = State::new(&Settings {
        remembered: settings::load(Some(path)),
        ..Settings::default()
    });
    ui(&state)
        .find("The saved settings of this window cannot be read, so it starts with the defaults.")
        .expect("the status line is drawn");
}
