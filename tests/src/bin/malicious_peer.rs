//! A peer that keeps to nothing: `peer FILE LIE`, with plain access to the segment's file.
//!
//! Knows the layout only from docs/LAYOUT.md. Prints a line once it has begun, and goes on until it is killed.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io,
    ops::Range,
    os::{
        fd::AsRawFd,
        unix::fs::{FileExt, symlink},
    },
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use e2e_tests::layout::{
    CONTROL, ENTRY, LARGE_BYTES, LAST, LOCK, OLDEST, REGION_STRIDE, RING, RING_BYTES, SLOTS, TABLE,
};
use memmap2::{MmapOptions, MmapRaw};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    process::{Signal, set_parent_process_death_signal},
    thread::futex,
};

const LIFECYCLE: u64 = 1 << 60;
const SLOT: u64 = LIFECYCLE + 0x10000;
const REGION: u64 = LIFECYCLE + 0x20000;
const READER: u64 = LIFECYCLE + (1 << 32);

fn main() -> Result<(), Box<dyn Error>> {
    // A storm does not end by itself, and must not outlive a test that was aborted.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut arguments = env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("the file is missing")?);
    let lie = arguments.next().ok_or("the lie is missing")?;
    match lie.as_str() {
        "dance" => dance(&path)?,
        "huge-block" => huge(&path, Claim::Block)?,
        "huge-text" => huge(&path, Claim::Sample(&[]))?,
        // 65,535 pixels and as many rows, four bytes each.
        "huge-image" => huge(
            &path,
            Claim::Sample(&[1, 2, 251, 255, 255, 251, 255, 255, 252, 252, 255, 3, 0, 0]),
        )?,
        _ => {
            // Who takes read locks needs to be no more than a reader.
            let writes = !lie.starts_with("read-");
            let file = File::options().read(true).write(writes).open(&path)?;
            lie_about(&file, &lie)?;
        }
    }
    Ok(())
}

fn lie_about(file: &File, lie: &str) -> Result<(), Box<dyn Error>> {
    match lie {
        "cut" => cut(file)?,
        "scribble" => scribble(file)?,
        "wake" => wake(&map(file)?),
        "flood" => flood(&map(file)?),
        "hold" => {
            take(file, libc::F_WRLCK, SLOT + 127..SLOT + 128)?;
            store(file, LOCK, &lock_word(127, 1).to_le_bytes())?;
            sit();
        }
        "nobody" => {
            store(file, LOCK, &lock_word(100, 1).to_le_bytes())?;
            sit();
        }
        "no-slot" => {
            store(file, LOCK, &lock_word(254, 1).to_le_bytes())?;
            sit();
        }
        "juggle" => juggle(file)?,
        "slots" => {
            for slot in SLOT..SLOT + 128 {
                // Those of others stay theirs.
                take(file, libc::F_WRLCK, slot..slot + 1).ok();
            }
            sit();
        }
        "lifecycle" => {
            take(file, libc::F_WRLCK, LIFECYCLE..LIFECYCLE + 1)?;
            sit();
        }
        "read-regions" | "write-regions" => {
            let kind = if lie == "read-regions" {
                libc::F_RDLCK
            } else {
                libc::F_WRLCK
            };
            for region in REGION + 1..REGION + 192 {
                take(file, kind, region..region + 1).ok();
            }
            sit();
        }
        "read-most-regions" => {
            take(file, libc::F_RDLCK, REGION + 1..REGION + 188)?;
            sit();
        }
        "read-slots" => {
            for slot in SLOT..SLOT + 128 {
                take(file, libc::F_RDLCK, slot..slot + 1).ok();
            }
            sit();
        }
        "read-lifecycle" => {
            take(file, libc::F_RDLCK, LIFECYCLE..LIFECYCLE + 1)?;
            sit();
        }
        "read-all" => read_all(file, libc::F_OFD_SETLK, libc::F_OFD_SETLKW)?,
        "read-all-as-a-process" => read_all(file, libc::F_SETLK, libc::F_SETLKW)?,
        "readers" => {
            take(file, libc::F_RDLCK, READER..READER + (1 << 22))?;
            sit();
        }
        _ => return Err(format!("unknown: {lie}").into()),
    }
    Ok(())
}

/// Tells the test that the lie is told.
fn say() {
    println!("lies");
}

/// Lets what was done stay until it is killed.
fn sit() -> ! {
    say();
    loop {
        std::thread::park();
    }
}

/// Locks for reading all that nobody holds for writing, and the rest as soon as it is let go of.
fn read_all(file: &File, at_once: i32, waiting: i32) -> io::Result<()> {
    const END: u64 = i64::MAX as u64;
    let single = [SLOT..SLOT + 128, REGION..REGION + 256];
    for byte in single.into_iter().flatten() {
        lock(file, at_once, libc::F_RDLCK, byte..byte + 1).ok();
    }
    for bytes in [0..SLOT, SLOT + 128..REGION, REGION + 256..END] {
        lock(file, at_once, libc::F_RDLCK, bytes)?;
    }
    say();
    lock(file, waiting, libc::F_RDLCK, 0..END)?;
    loop {
        std::thread::park();
    }
}

fn lock_word(slot: u32, sequence: u32) -> u32 {
    sequence << 10 | (slot + 1) << 2
}

fn store(file: &File, offset: usize, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, offset as u64)
}

/// Cuts the file anywhere, and puts it right again, as often as it can.
fn cut(file: &File) -> io::Result<()> {
    const HEAD: usize = 1 << 16;
    let whole = file.metadata()?.len();
    let mut control = vec![0; RING + RING_BYTES];
    file.read_exact_at(&mut control, 0)?;
    let mut region = vec![0; HEAD];
    file.read_exact_at(&mut region, REGION_STRIDE)?;
    let mut dice = Dice(1);
    say();
    loop {
        let lengths = [
            0,
            100,
            0x1000,
            0x3fff,
            0x4000,
            (RING + RING_BYTES - 1) as u64,
            REGION_STRIDE,
            REGION_STRIDE + 1024,
            REGION_STRIDE + 4096,
            dice.roll() % whole,
        ];
        file.set_len(*dice.pick(&lengths))?;
        file.set_len(whole)?;
        file.write_all_at(&control, 0)?;
        file.write_all_at(&region, REGION_STRIDE)?;
    }
}

/// Rewrites positions, lengths, sequences, the region table, the header and the slots, as often as it can.
fn scribble(file: &File) -> io::Result<()> {
    let mut control = vec![0; RING + RING_BYTES];
    file.read_exact_at(&mut control, 0)?;
    let mut dice = Dice(2);
    say();
    loop {
        let values = [
            0,
            1,
            64,
            16_384,
            16_385,
            u64::from(u32::MAX),
            RING_BYTES as u64,
            REGION_STRIDE,
            1 << 62,
            u64::MAX,
            dice.roll(),
            (dice.roll() % (2 * RING_BYTES as u64)) & !63,
        ];
        let word = *dice.pick(&values);
        let entry = TABLE + ENTRY * *dice.pick(&[1, 2, 3, 191]);
        let record = RING + ((usize::try_from(dice.roll()).unwrap_or(0) % 4096) & !63);
        let offsets = [
            0x14,
            0x18,
            0x30,
            0x38,
            LAST,
            LAST,
            OLDEST,
            OLDEST,
            LARGE_BYTES,
            record,
            record + 8,
            record + 8,
            record + 16,
            record + 48,
            entry,
            entry,
            entry + 8,
            entry + 16,
            entry + 24,
            SLOTS,
            SLOTS + 16,
        ];
        store(file, *dice.pick(&offsets), &word.to_le_bytes())?;
        if dice.roll().is_multiple_of(4) {
            store(file, 0, &control)?;
        }
    }
}

/// Wakes everybody all the time, for nothing.
fn wake(control: &MmapRaw) {
    say();
    loop {
        for offset in [LOCK, LAST] {
            // It cannot fail on a mapped word, and nothing depends on it.
            futex::wake(word(control, offset), futex::Flags::empty(), 1 << 30).ok();
        }
    }
}

/// Announces samples that do not exist, all the time.
fn flood(control: &MmapRaw) {
    let last = word(control, LAST);
    // Before the word is given: who comes then finds nothing true any more.
    last.fetch_add(64, Ordering::Relaxed);
    say();
    loop {
        last.fetch_add(64, Ordering::Relaxed);
        futex::wake(last, futex::Flags::empty(), 1 << 30).ok();
    }
}

/// Gives the lock from one of its own slots to the next, and never away.
fn juggle(file: &File) -> io::Result<()> {
    for slot in SLOT + 120..SLOT + 128 {
        take(file, libc::F_WRLCK, slot..slot + 1)?;
    }
    let control = map(file)?;
    let lock = word(&control, LOCK);
    for turn in 0_u32.. {
        if turn == 1 {
            say();
        }
        lock.store(lock_word(120 + turn % 8, turn & 0xffff), Ordering::Relaxed);
    }
    Ok(())
}

/// Puts something else at the name, and the segment back, as often as it can.
fn dance(path: &Path) -> Result<(), Box<dyn Error>> {
    let beside = |name: &str| path.with_file_name(name);
    let decoys = ["fifo", "link", "directory", "notes", "sparse"].map(beside);
    let [fifo, link, directory, notes, sparse] = &decoys;
    rustix::fs::mkfifoat(CWD, fifo, rustix::fs::Mode::RWXU)?;
    symlink("/etc/passwd", link)?;
    fs::create_dir(directory)?;
    fs::write(notes, "somebody's notes")?;
    File::create(sparse)?.set_len(1 << 44)?;
    say();
    loop {
        for decoy in &decoys {
            // Twice, so that the segment is back.
            for _ in 0..2 {
                // Somebody who thinks that the name is free may have taken it meanwhile.
                renameat_with(CWD, decoy, CWD, path, RenameFlags::EXCHANGE).ok();
            }
        }
    }
}

/// What a file of this peer's own says to hold.
enum Claim<'a> {
    Block,
    /// A sample with this metadata.
    Sample(&'a [u8]),
}

/// Makes a segment in good order that says to hold 64 GiB, or what its metadata says, and has memory for nothing.
fn huge(path: &Path, claim: Claim<'_>) -> io::Result<()> {
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    file.set_len(REGION_STRIDE * 3)?;
    let ring_bytes = match claim {
        Claim::Block => 0,
        // The ring has memory: only the payload is a lie.
        Claim::Sample(_) => RING_BYTES,
    };
    let mut control = vec![0_u8; CONTROL + ring_bytes];
    let mut put = |offset: usize, bytes: &[u8]| {
        control[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    put(0, b"SHM-CORE");
    put(8, &2_u32.to_le_bytes());
    put(12, &128_u32.to_le_bytes());
    match claim {
        Claim::Block => {
            put(0x14, &1_u32.to_le_bytes());
            put(0x30, &REGION_STRIDE.to_le_bytes());
        }
        Claim::Sample(metadata) => {
            // A sample at position 64: its record, and the entry of region 1.
            const POSITION: u64 = 64;
            const RECORD: usize = RING + 64;
            let payload: u64 = match metadata {
                [] => REGION_STRIDE,
                _ => 65_535 * 4 * 65_535,
            };
            let length = u64::try_from(metadata.len()).map_err(io::Error::other)?;
            // One line where the number of the region fits it, else two.
            let (total, place) = if metadata.is_empty() {
                (64, 48)
            } else {
                (128, 64)
            };
            put(0x14, &2_u32.to_le_bytes());
            put(0x38, &(RING_BYTES as u64).to_le_bytes());
            put(LAST, &POSITION.to_le_bytes());
            put(RECORD, &1_u64.to_le_bytes());
            put(RECORD + 8, &(total | length << 32 | 4 << 48).to_le_bytes());
            put(RECORD + 16, &payload.to_le_bytes());
            put(RECORD + 48, metadata);
            put(RECORD + place, &1_u64.to_le_bytes());
            put(TABLE + ENTRY, &POSITION.to_le_bytes());
        }
    }
    store(&file, 0, &control)?;
    take(&file, libc::F_WRLCK, SLOT..SLOT + 1)?;
    sit();
}

fn map(file: &File) -> io::Result<MmapRaw> {
    MmapOptions::new().len(CONTROL).map_raw(file)
}

#[expect(unsafe_code, reason = "a word of shared memory")]
fn word(control: &MmapRaw, offset: usize) -> &AtomicU32 {
    let address = control.as_mut_ptr().wrapping_add(offset).cast::<u32>();
    // SAFETY: aligned, within the mapping, which the borrow keeps; all who share it use atomics.
    unsafe { AtomicU32::from_ptr(address) }
}

/// Locks bytes of the file's open description, without waiting.
fn take(file: &File, kind: i32, bytes: Range<u64>) -> io::Result<()> {
    lock(file, libc::F_OFD_SETLK, kind, bytes)
}

#[expect(unsafe_code, reason = "nothing safe takes these locks")]
fn lock(file: &File, command: i32, kind: i32, bytes: Range<u64>) -> io::Result<()> {
    // SAFETY: `flock` consists of integers, for which zeros are valid.
    let mut request: libc::flock = unsafe { std::mem::zeroed() };
    request.l_type = kind.try_into().map_err(io::Error::other)?;
    request.l_whence = libc::SEEK_SET.try_into().map_err(io::Error::other)?;
    request.l_start = bytes.start.try_into().map_err(io::Error::other)?;
    request.l_len = (bytes.end - bytes.start)
        .try_into()
        .map_err(io::Error::other)?;
    // SAFETY: the descriptor is open and the request valid.
    match unsafe { libc::fcntl(file.as_raw_fd(), command, &raw mut request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Numbers that look random and are the same each time (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        let index = usize::try_from(self.roll() % things.len() as u64).unwrap_or(0);
        &things[index]
    }
}
