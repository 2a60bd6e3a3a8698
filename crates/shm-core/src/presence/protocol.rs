//! The bytes that a viewer sends to a publisher, as docs/PRESENCE.md defines them.

use std::time::Duration;

use crate::escape;
use crate::escape::escaped_name;
use crate::presence::Report;
use crate::process::Process;

/// The first bytes of a greeting.
const MAGIC: [u8; 8] = *b"SHM-PRES";
/// The highest valid sequence: at a million samples a second a segment reaches it in nine years.
const MAX_SEQUENCE: u64 = (1 << 48) - 1;
/// Both ends need the same version: they run on one computer and are upgraded together.
const VERSION: u32 = 1;
const PROGRAM_OFFSET: usize = 24;

/// The length of a greeting.
pub(super) const GREETING: usize = 64;
/// The length of a report.
pub(super) const REPORT: usize = 16;

/// Encodes the greeting, which identifies the viewer. Sent once, first.
pub(super) fn encode_greeting(process: Process, program: &str) -> [u8; GREETING] {
    let mut bytes = [0; GREETING];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&process.pid().to_le_bytes());
    bytes[16..20].copy_from_slice(&process.token().to_le_bytes());
    let program = escape::truncated(program, GREETING - PROGRAM_OFFSET);
    bytes[PROGRAM_OFFSET..][..program.len()].copy_from_slice(program.as_bytes());
    bytes
}

/// Parses a greeting; returns `None` if it is invalid.
pub(super) fn parse_greeting(bytes: &[u8; GREETING]) -> Option<(Process, String)> {
    let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    if bytes[..8] != MAGIC || u32_at(8) != VERSION {
        return None;
    }
    let program = bytes[PROGRAM_OFFSET..].split(|&byte| byte == 0).next()?;
    let program = escaped_name(&String::from_utf8_lossy(program));
    Some((Process::stored(u32_at(12), u32_at(16)), program))
}

/// Encodes a report of the sample that was shown last.
pub(super) fn encode_report(report: Report) -> [u8; REPORT] {
    let latency = u64::try_from(report.latency.as_nanos()).unwrap_or(u64::MAX);
    let mut bytes = [0; REPORT];
    bytes[..8].copy_from_slice(&report.sequence.get().to_le_bytes());
    bytes[8..].copy_from_slice(&latency.to_le_bytes());
    bytes
}

/// Parses a report; returns `None` if its sequence is out of bounds.
pub(super) fn parse_report(bytes: &[u8; REPORT]) -> Option<Report> {
    let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let sequence = u64_at(0);
    (1..=MAX_SEQUENCE).contains(&sequence).then_some(Report {
        sequence: sequence.into(),
        latency: Duration::from_nanos(u64_at(8)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::is_hidden;

    #[test]
    fn the_bytes_match_the_document() {
        let greeting = encode_greeting(Process::stored(4711, 0xabcd), "viewer-app");
        assert_eq!(greeting[..12], *b"SHM-PRES\x01\0\0\0");
        assert_eq!(greeting[12..24], *b"\x67\x12\0\0\xcd\xab\0\0\0\0\0\0");
        assert_eq!(greeting[24..35], *b"viewer-app\0");
        let report = Report {
            sequence: 12.into(),
            latency: Duration::from_millis(3),
        };
        assert_eq!(
            encode_report(report),
            *b"\x0c\0\0\0\0\0\0\0\xc0\xc6\x2d\0\0\0\0\0"
        );
    }

    #[test]
    fn records_survive_a_round_trip() {
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
            let latency = Duration::from_nanos(sequence);
            let report = Report {
                sequence: sequence.into(),
                latency,
            };
            assert_eq!(parse_report(&encode_report(report)), Some(report));
        }
        let longest = Report {
            sequence: 1.into(),
            latency: Duration::MAX,
        };
        let arrived = parse_report(&encode_report(longest)).unwrap();
        assert_eq!(arrived.latency, Duration::from_nanos(u64::MAX));
    }

    /// Returns pseudo-random bytes, the same ones for a seed.
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
    fn arbitrary_bytes_are_refused_or_valid() {
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
            if let Some(report) = parse_report(&report) {
                assert!((1..=MAX_SEQUENCE).contains(&report.sequence.get()));
                accepted += 1;
            }
        }
        assert!(accepted < 10, "two bytes of a sequence are always 0");
        assert_eq!(parse_report(&[0; REPORT]), None);
    }
}
