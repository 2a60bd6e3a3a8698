//! Any bytes as the stream of a Qt program.

use qt_bridge::{Form, Stream};

use super::operations::assert_text;

/// Uses the bytes as the content of a Qt segment.
pub fn stream(data: &[u8]) {
    let segment = data.to_vec();
    // A guess may be wrong, but there is always one.
    Form::recognise(&segment).expect("bytes in memory can be read");
    for (_, form) in Form::NAMES {
        match form.read(&segment) {
            Ok(value) => {
                if let Some(message) = value.into_message() {
                    assert_round_trip(&message);
                }
            }
            Err(error) => assert_text(&error),
        }
    }
}

/// Asserts that the decoded content can be encoded, and decoded again.
fn assert_round_trip(message: &shm_core::Message) {
    let form = Form::of(message);
    let written = Stream::new(message, form).expect("its own form can encode it");
    let bytes = written.to_vec();
    assert_eq!(bytes.len(), written.size());
    let read = form.read(&bytes).expect("it was just encoded");
    let again = read.into_message().expect("the content is there");
    assert_eq!(again.payload(), message.payload());
}
