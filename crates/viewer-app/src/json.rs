//! JSON with hidden characters escaped as `\uXXXX`, which is the same value.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use shm_core::escape::is_hidden;

/// Writes a value as indented JSON.
pub(crate) fn write_pretty(writer: impl Write, value: &impl Serialize) -> io::Result<()> {
    write(writer, value, PrettyFormatter::new())
}

/// Returns a value as one line of JSON.
pub(crate) fn to_line(value: &impl Serialize) -> io::Result<String> {
    let mut line = Vec::new();
    write(&mut line, value, CompactFormatter)?;
    String::from_utf8(line).map_err(io::Error::other)
}

fn write(writer: impl Write, value: &impl Serialize, layout: impl Formatter) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(writer, EscapeHidden(layout));
    Ok(value.serialize(&mut serializer)?)
}

/// Formats as the inner formatter does, and escapes the hidden characters of strings.
struct EscapeHidden<F>(F);

/// Forwards methods to the inner formatter.
macro_rules! forward_to_inner {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for EscapeHidden<F> {
    forward_to_inner! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_hidden) {
            let (plain, hidden) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut characters = hidden.chars();
            for character in characters.by_ref().take(1) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn hidden_characters_are_escaped_without_changing_the_value() {
        let text = "a\"\\\n\u{1b}\u{7f}\u{9b}\u{202e}\u{feff}\u{e0041}é日🙂";
        let value = json!({ "text": text, text: [1, "x", null, {}], "none": [] });
        let line = to_line(&value).expect("there is room");
        assert!(!line.contains(is_hidden), "{line:?}");
        assert!(
            line.contains(r"\u007f\u009b\u202e\ufeff\udb40\udc41é日🙂"),
            "{line}"
        );
        assert_eq!(
            serde_json::from_str::<Value>(&line).expect("it is JSON"),
            value
        );

        let mut pretty = Vec::new();
        write_pretty(&mut pretty, &value).expect("there is room");
        let usual =
            serde_json::to_string_pretty(&json!({ "a": [1, {}], "b": {} })).expect("it is JSON");
        let mut ours = Vec::new();
        write_pretty(&mut ours, &json!({ "a": [1, {}], "b": {} })).expect("there is room");
        assert_eq!(String::from_utf8(ours).expect("it is text"), usual);
        assert_eq!(
            serde_json::from_slice::<Value>(&pretty).expect("it is JSON"),
            value
        );
    }
}
