//! Untrusted lengths, which count only if their own range has memory.

mod common;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::Duration;

use common::{TestDirectory, bytes_metadata, key};
use shm_core::{AttachErrorKind, Block, Key, Publisher, ReadErrorKind, Subscriber};

/// The offsets of the position of the newest record, the region table and the ring (LAYOUT.md).
const LAST: u64 = 0x100;
const TABLE: u64 = 0x2400;
const RING: u64 = 0x4000;
const MIB: usize = 1 << 20;

fn segment(directory: &TestDirectory, key: &Key) -> File {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).open(directory.file(key));
    file.expect("it is there")
}

fn memory(file: &File) -> u64 {
    file.metadata().expect("it is open").blocks() * 512
}

/// Forges a record which says that the newest sample is in a region and has this length.
fn forge_record(file: &File, region: u64, sequence: u64, bytes: u64) -> io::Result<()> {
    const METADATA: &[u8] = b"\x02\x03a/b\0";
    let position = 64 * sequence;
    let record = RING + position;
    let lengths = 64 | (METADATA.len() as u64) << 32 | 4 << 48;
    for (at, word) in [
        (record, sequence),
        (record + 8, lengths),
        (record + 16, bytes),
        (record + 56, region),
        (TABLE + 32 * region, position),
        (LAST, position),
    ] {
        file.write_all_at(&word.to_le_bytes(), at)?;
        if at == record {
            file.write_all_at(METADATA, record + 48)?;
        }
    }
    Ok(())
}

#[test]
fn memory_of_other_regions_does_not_count_for_a_sample() {
    let directory = TestDirectory::new();
    let key = key("forged");
    let publisher = Publisher::open(&key, &directory.options()).unwrap();
    publisher
        .publish(&bytes_metadata(), &vec![7; 8 * MIB])
        .unwrap();
    let mut subscriber = Subscriber::attach(&key, &directory.options()).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    let file = segment(&directory, &key);
    file.set_len(192 << 36).unwrap();
    let before = memory(&file);
    // If any memory of the file counted, each of these would double it.
    for (shift, region) in (10..18).enumerate() {
        let claimed = (8 * MIB as u64) << shift;
        forge_record(
            &file,
            region,
            100 + shift as u64,
            claimed.min(memory(&file)),
        )
        .unwrap();
        let read = subscriber.latest();
        if let Ok(Some(sample)) = &read {
            std::hint::black_box(
                sample
                    .payload()
                    .iter()
                    .map(|&byte| u64::from(byte))
                    .sum::<u64>(),
            );
        }
        assert!(
            matches!(&read, Err(error) if matches!(error.kind(), ReadErrorKind::Invalid(_))),
            "{region}: {read:?}"
        );
    }
    let added = memory(&file) - before;
    assert!(added < MIB as u64, "{added} bytes were added");
}

/// Longer than the library takes until it trusts a change time.
const SETTLED: Duration = Duration::from_millis(60);

#[test]
fn a_sample_whose_region_loses_its_memory_is_invalid() {
    let directory = TestDirectory::new();
    let key = key("punched");
    let publisher = Publisher::open(&key, &directory.options()).unwrap();
    publisher
        .publish(&bytes_metadata(), &vec![7; 8 * MIB])
        .unwrap();
    let mut subscriber = Subscriber::attach(&key, &directory.options()).unwrap();
    let file = segment(&directory, &key);
    let punch = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
    for wait in [Duration::ZERO, SETTLED] {
        // Sleeps because there is no event to wait for.
        std::thread::sleep(wait);
        for _ in 0..2 {
            subscriber.reread();
            let sample = subscriber.latest().unwrap().unwrap();
            assert!(sample.payload().iter().all(|&byte| byte == 7));
        }
        rustix::fs::fallocate(&file, punch, (1 << 36) + 4 * MIB as u64, 4096).unwrap();
        // As much memory as was removed is in another range.
        file.write_all_at(&[1; 8192], 9 << 36).unwrap();
        subscriber.reread();
        let read = subscriber.latest();
        assert!(
            matches!(&read, Err(error) if matches!(error.kind(), ReadErrorKind::Invalid(_))),
            "{read:?}"
        );
        file.write_all_at(&[7; 4096], (1 << 36) + 4 * MIB as u64)
            .unwrap();
    }
}

#[test]
fn a_block_without_memory_in_its_range_is_refused() {
    let directory = TestDirectory::new();
    let key = key("block");
    let block = Block::create(&key, 4 * MIB, &directory.options()).unwrap();
    // Reserved memory suffices, even if it was never written.
    drop(Block::attach(&key, &directory.options()).unwrap());
    drop(Block::attach_read_only(&key, &directory.options()).unwrap());
    let file = segment(&directory, &key);
    file.write_all_at(&vec![1; 4 * MIB], 1 << 36).unwrap();
    file.write_all_at(&(8 * MIB as u64 - 0x8000).to_le_bytes(), 48)
        .unwrap();
    let before = memory(&file);
    let refused = Block::attach(&key, &directory.options()).map(drop);
    assert!(
        matches!(&refused, Err(error) if matches!(error.kind(), AttachErrorKind::Foreign { .. })),
        "{refused:?}"
    );
    assert_eq!(memory(&file), before);
    drop(block);
}

#[test]
fn an_unfilled_loan_is_a_valid_sample() {
    let directory = TestDirectory::new();
    let key = key("unfilled");
    let publisher = Publisher::open(&key, &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key, &directory.options()).unwrap();
    for bytes in [5 * MIB, 5 * MIB + 1, 20_000, 9 * MIB - 1024, 16_385] {
        publisher
            .loan(bytes)
            .unwrap()
            .publish(&bytes_metadata())
            .unwrap();
        let sample = subscriber.latest().unwrap().unwrap();
        assert_eq!(sample.payload().len(), bytes);
        // A process that cannot query reserved memory sees it as written.
        let file = segment(&directory, &key);
        let word = |offset| {
            let mut word = [0; 8];
            file.read_exact_at(&mut word, offset).unwrap();
            u64::from_le_bytes(word)
        };
        // The region of the newest record.
        let last = word(LAST);
        let region = (1..=191)
            .find(|region| word(TABLE + 32 * region) == last)
            .unwrap();
        let hole = rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(region << 36)).unwrap();
        assert!(
            hole >= (region << 36) + bytes as u64,
            "{bytes}: hole at {hole:x}"
        );
    }
}
