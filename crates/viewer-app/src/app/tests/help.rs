//! The shortcuts and the help that lists them.

use super::*;

/// Presses a shortcut that no field captures.
fn press_key(state: &mut State, chord: Chord) -> Task<Message> {
    let event = Event::Keyboard(press(chord));
    let message = shortcut::message_of(event, event::Status::Ignored, window::Id::unique());
    state.update(message.unwrap_or_else(|| panic!("{chord} is in the table")))
}

/// Returns the message of a shortcut, in its debug format.
fn message_of_chord(chord: Chord) -> String {
    let event = Event::Keyboard(press(chord));
    match shortcut::message_of(event, event::Status::Ignored, window::Id::unique()) {
        Some(Message::Shortcut(action)) => format!("{:?}", action()),
        other => panic!("{chord} is not a shortcut: {other:?}"),
    }
}

#[test]
fn every_shortcut_of_the_help_sends_its_message() {
    for (label, message) in [
        ("Show what is in shared memory", "Show"),
        ("Turn Live on or off", "LiveToggled"),
        ("Go to the key", "Window(FocusKey)"),
        ("Go to the next field", "Window(Focus(Forward))"),
        ("Go to the previous field", "Window(Focus(Backward))"),
        ("Open or close this help", "Window(ToggleHelp)"),
        ("Close what is open", "Escape"),
        ("Close the window", "Window(Quit)"),
    ] {
        let shortcut = shortcut::TABLE
            .iter()
            .find(|shortcut| shortcut.label() == label);
        let shortcut = shortcut.unwrap_or_else(|| panic!("{label} is in the table"));
        for chord in shortcut.chords {
            // A duplicate chord would find the earlier shortcut.
            assert_eq!(message_of_chord(*chord), message, "{chord}");
        }
    }
}

#[test]
fn the_help_lists_every_shortcut() {
    let mut state = state();
    drop(press_key(&mut state, Chord::named(Named::F1)));
    let mut ui = ui(&state);
    for shortcut in shortcut::TABLE {
        ui.find(shortcut.label()).expect(shortcut.label_id);
        for chord in shortcut.chords {
            ui.find(chord.to_string().as_str()).expect("it is drawn");
        }
    }
    drop(ui);
    drop(press_key(&mut state, Chord::named(Named::Escape)));
    assert!(!state.window.is_help_open());
    drop(press_key(&mut state, Chord::sign("?")));
    assert!(state.window.is_help_open());
    drop(press_key(&mut state, Chord::sign("?")));
    assert!(!state.window.is_help_open());
}

#[test]
fn a_shortcut_closes_the_help_and_is_executed() {
    let mut state = state();
    let mut ui = ui(&state);
    ui.click("?").expect("the button is there");
    let messages: Vec<Message> = ui.into_messages().collect();
    assert!(matches!(
        messages[..],
        [Message::Window(main_window::Message::ToggleHelp)]
    ));
    drop(state.update(Message::Window(main_window::Message::ToggleHelp)));
    assert!(state.window.is_help_open());
    drop(press_key(&mut state, Chord::named(Named::F5)));
    assert!(!state.window.is_help_open());
    assert_eq!(state.request, 1);
}
