//! Any bytes as what a Qt program streamed.

use qt_bridge::{Form, Stream};

use super::victim::assert_text;

/// Takes the bytes for the content of a Qt segment.
pub fn stream(data: &[u8]) {
    let segment = data.to_vec();
    // A guess may be wrong, but there is always one.
    Form::recognise(&segment).expect("bytes in memory can be read");
    for (_, form) in Form::NAMES {
        match form.read(&segment) {
            Ok(value) => {
                if let Some(message) = value.into_message() {
                    assert_comes_back(&message);
                }
            }
            Err(error) => assert_text(&error),
        }
    }
}

/// Asserts that what was read can be written, and read once more.
fn assert_comes_back(message: &shm_core::Message) {
    let form = Form::of(message);
    let written = Stream::new(message, form).expect("its own form holds it");
    let bytes = written.to_vec();
    assert_eq!(bytes.len(), written.size());
    let read = form.read(&bytes).expect("it was just written");
    let again = read.into_message().expect("it is there");
    assert_eq!(again.payload(), message.payload());
}
