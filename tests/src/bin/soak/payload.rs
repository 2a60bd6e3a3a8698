//! Payloads with a checksum.

/// The shortest payload: length, number, checksum.
pub(crate) const SHORTEST: usize = 24;

/// Fills a payload with its length, numbers determined by `seed`, and their checksum.
pub(crate) fn fill(payload: &mut [u8], seed: u64) {
    let length = payload.len() as u64;
    let (body, end) = payload.split_at_mut(payload.len() - 8);
    let mut word = seed;
    for chunk in body.chunks_mut(8) {
        word = next(word);
        chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
    }
    body[..8].copy_from_slice(&length.to_le_bytes());
    end.copy_from_slice(&checksum(body).to_le_bytes());
}

/// Returns `true` if a payload is intact.
pub(crate) fn is_whole(payload: &[u8]) -> bool {
    let (body, end) = payload.split_at(payload.len().saturating_sub(8));
    payload.len() >= SHORTEST
        && body[..8] == (payload.len() as u64).to_le_bytes()
        && end == checksum(body).to_le_bytes()
}

fn checksum(body: &[u8]) -> u64 {
    body.chunks(8).fold(1, |sum: u64, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        next(sum ^ u64::from_le_bytes(word))
    })
}

fn next(word: u64) -> u64 {
    (word.rotate_left(23) ^ word >> 7)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0xd1b5_4a32_d192_ed03)
}
