//! What the bytes of a segment are, where nobody says.

use super::{Form, HEAD, NULL, Source, StreamError};

/// How much of it is looked at.
const SAMPLE: usize = 4096;

/// How a PNG file begins.
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The most likely form, from the surest sign to the weakest.
///
/// A `QByteArray` of printable ASCII could as well be a `QString` of rare Chinese characters, and is
/// taken for the former.
pub(super) fn form_of(source: &impl Source) -> Result<Form, StreamError> {
    let mut sample = [0; SAMPLE];
    let count = SAMPLE.min(source.size());
    let sample = &mut sample[..count];
    source.read_at(0, sample)?;
    let Some((head, body)) = sample.split_first_chunk::<HEAD>() else {
        return Ok(Form::Raw);
    };
    let length = u32::from_be_bytes(*head);
    if length == 1 && body.starts_with(&PNG) {
        return Ok(Form::QImage);
    }
    if length == NULL || length == 0 {
        return Ok(Form::QString);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let room = source.size() - HEAD;
    if length > room {
        return Ok(Form::Raw);
    }
    let is_whole = length <= body.len();
    let body = &body[..length.min(body.len())];
    if is_whole
        && let [text @ .., 0] = body
        && is_text(text)
    {
        return Ok(Form::CString);
    }
    let is_utf16 = length.is_multiple_of(2) && is_utf16(body);
    let is_ascii = body.iter().all(|byte| is_printable(*byte));
    if is_utf16 && !is_ascii {
        return Ok(Form::QString);
    }
    // A length that is right to the byte is no accident.
    if length == room || is_ascii || is_text(body) {
        return Ok(Form::QByteArray);
    }
    Ok(Form::Raw)
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Tells whether bytes are UTF-8 without control characters; the sample may cut the last one.
fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.contains(is_odd)
}

/// Tells whether bytes are UTF-16 without control characters; the sample may cut the last pair.
fn is_utf16(bytes: &[u8]) -> bool {
    let (mut pairs, _) = bytes.as_chunks::<2>();
    if let [before @ .., [0xd8..=0xdb, _]] = pairs {
        pairs = before;
    }
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    char::decode_utf16(units).all(|character| {
        character.is_ok_and(|character| !is_odd(character) && !is_noncharacter(character))
    })
}

fn is_odd(character: char) -> bool {
    character.is_control() && !character.is_whitespace()
}

fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}
