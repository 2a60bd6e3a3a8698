//! Numbered payloads, so that a receiver can check that they are complete.

use crate::Outcome;

/// The size of a 4K RGBA frame in bytes.
pub(crate) const FRAME: usize = 3840 * 2160 * 4;

/// The distance between numbers: every word of a short payload, one a page of a long one.
fn stride(bytes: usize) -> usize {
    if bytes <= 4096 { 8 } else { 4096 }
}

/// Writes the number into a payload.
pub(crate) fn stamp(payload: &mut [u8], number: u64) {
    let stride = stride(payload.len());
    for place in payload.chunks_exact_mut(stride) {
        place[..8].copy_from_slice(&number.to_le_bytes());
    }
}

/// Checks the number at every place.
pub(crate) fn check(payload: &[u8], number: u64) -> Outcome {
    let expected = number.to_le_bytes();
    let whole = payload
        .chunks_exact(stride(payload.len()))
        .all(|place| place[..8] == expected);
    if whole {
        Ok(())
    } else {
        Err(format!("payload {number} is incomplete").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_old_page_is_noticed() {
        for bytes in [64, 4096, 3 * 4096] {
            let mut payload = vec![0; bytes];
            stamp(&mut payload, 7);
            assert!(check(&payload, 7).is_ok());
            assert!(check(&payload, 8).is_err());
            let last = bytes - stride(bytes);
            payload[last..last + 8].copy_from_slice(&6u64.to_le_bytes());
            assert!(check(&payload, 7).is_err());
        }
    }
}
