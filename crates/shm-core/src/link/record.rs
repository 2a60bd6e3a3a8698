//! The bytes that go over a link, as docs/LINK.md has them.

use std::time::Duration;

use crate::link::Shown;
use crate::process::Process;
use crate::segment::readable;

/// What a greeting begins with.
const MAGIC: [u8; 8] = *b"SHM-LINK";
/// No segment counts further: at a million samples a second this takes nine years.
const MAX_SEQUENCE: u64 = (1 << 48) - 1;
/// Both sides speak this one or not at all: they run on one computer and are upgraded together.
const VERSION: u32 = 1;
const PROGRAM_OFFSET: usize = 24;

/// The length of a greeting.
pub(super) const GREETING: usize = 64;
/// The length of a report.
pub(super) const REPORT: usize = 16;

/// Says who watches; comes first, and once.
pub(super) fn encode_greeting(process: Process, program: &str) -> [u8; GREETING] {
    let mut bytes = [0; GREETING];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&process.pid().to_le_bytes());
    bytes[16..20].copy_from_slice(&process.token().to_le_bytes());
    let program = &program[..program.floor_char_boundary(GREETING - PROGRAM_OFFSET)];
    bytes[PROGRAM_OFFSET..][..program.len()].copy_from_slice(program.as_bytes());
    bytes
}

/// Takes a greeting apart; nothing where it is none.
pub(super) fn parse_greeting(bytes: &[u8; GREETING]) -> Option<(Process, String)> {
    let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    if bytes[..8] != MAGIC || u32_at(8) != VERSION {
        return None;
    }
    let program = bytes[PROGRAM_OFFSET..].split(|&byte| byte == 0).next()?;
    let program = readable(&String::from_utf8_lossy(program));
    Some((Process::stored(u32_at(12), u32_at(16)), program))
}

/// Says what was shown last.
pub(super) fn encode_report(shown: Shown) -> [u8; REPORT] {
    let took = u64::try_from(shown.took.as_nanos()).unwrap_or(u64::MAX);
    let mut bytes = [0; REPORT];
    bytes[..8].copy_from_slice(&shown.sequence.to_le_bytes());
    bytes[8..].copy_from_slice(&took.to_le_bytes());
    bytes
}

/// Takes a report apart; nothing where it names no sequence that can be.
pub(super) fn parse_report(bytes: &[u8; REPORT]) -> Option<Shown> {
    let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let sequence = u64_at(0);
    (1..=MAX_SEQUENCE).contains(&sequence).then_some(Shown {
        sequence,
        took: Duration::from_nanos(u64_at(8)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::is_hidden;

    #[test]
    fn the_bytes_are_those_of_the_document() {
        let greeting = encode_greeting(Process::stored(4711, 0xabcd), "viewer-app");
        assert_eq!(greeting[..12], *b"SHM-LINK\x01\0\0\0");
        assert_eq!(greeting[12..24], *b"\x67\x12\0\0\xcd\xab\0\0\0\0\0\0");
        assert_eq!(greeting[24..35], *b"viewer-app\0");
        let shown = Shown {
            sequence: 12,
            took: Duration::from_millis(3),
        };
        assert_eq!(
            encode_report(shown),
            *b"\x0c\0\0\0\0\0\0\0\xc0\xc6\x2d\0\0\0\0\0"
        );
    }

    #[test]
    fn what_is_sent_is_what_arrives() {
        for name in [
            "viewer-app",
            "",
            "語語語語語語語語語語語語語語語語語語",
            "a\u{7}b",
        ] {
            let process = Process::stored(7, 9);
            let (from, program) = parse_greeting(&encode_greeting(process, name)).unwrap();
            assert_eq!(from, process);
            match name {
                "" => assert_eq!(program, "unknown"),
                "a\u{7}b" => assert_eq!(program, r"a\u{7}b"),
                name => assert!(name.starts_with(&program) && program.len() >= 10),
            }
        }
        for sequence in [1, 12, MAX_SEQUENCE] {
            let took = Duration::from_nanos(sequence);
            let shown = Shown { sequence, took };
            assert_eq!(parse_report(&encode_report(shown)), Some(shown));
        }
        let for_ever = Shown {
            sequence: 1,
            took: Duration::MAX,
        };
        let arrived = parse_report(&encode_report(for_ever)).unwrap();
        assert_eq!(arrived.took, Duration::from_nanos(u64::MAX));
    }

    /// Bytes without any order, the same ones each time.
    fn noise(seed: u64) -> impl Iterator<Item = u8> {
        let mut state = seed | 1;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
    }

    #[test]
    fn any_bytes_are_refused_or_make_sense() {
        let mut accepted = 0;
        for seed in 1..20_000 {
            let mut bytes: [u8; GREETING] = [0; GREETING];
            bytes.iter_mut().zip(noise(seed)).for_each(|(b, n)| *b = n);
            assert_eq!(parse_greeting(&bytes), None, "no magic");
            bytes[..8].copy_from_slice(&MAGIC);
            assert_eq!(parse_greeting(&bytes), None, "no version");
            bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
            let (_, program) = parse_greeting(&bytes).unwrap();
            // Each byte may become an escape such as \u{1b}.
            assert!(!program.is_empty() && program.chars().count() <= 40 * 6);
            assert!(!program.contains(is_hidden), "{program:?}");

            let report: [u8; REPORT] = std::array::from_fn(|i| bytes[i + 40]);
            if let Some(shown) = parse_report(&report) {
                assert!((1..=MAX_SEQUENCE).contains(&shown.sequence));
                accepted += 1;
            }
        }
        assert!(accepted < 10, "two bytes of a sequence are always 0");
        assert_eq!(parse_report(&[0; REPORT]), None);
    }
}
