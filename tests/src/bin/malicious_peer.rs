//! A peer that violates the protocol: `malicious_peer FILE ATTACK`, with raw access to the
//! segment's file.
//!
//! It knows the layout only from docs/LAYOUT.md. It prints a line once the attack has started, and
//! continues until it is killed.

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
    // An attack does not end by itself, and must not outlive an aborted test.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut arguments = env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("the file is missing")?);
    let attack = arguments.next().ok_or("the attack is missing")?;
    match attack.as_str() {
        "swap-name" => swap_name(&path)?,
        "huge-block" => huge(&path, Claim::Block)?,
        "huge-text" => huge(&path, Claim::Sample(&[]))?,
        // 65,535 pixels by as many rows, four bytes each.
        "huge-image" => huge(
            &path,
            Claim::Sample(&[1, 2, 251, 255, 255, 251, 255, 255, 252, 252, 255, 3, 0, 0]),
        )?,
        _ => {
            // Read locks need only read access.
            let writes = !attack.starts_with("read-");
            let file = File::options().read(true).write(writes).open(&path)?;
            attack_file(&file, &attack)?;
        }
    }
    Ok(())
}

fn attack_file(file: &File, attack: &str) -> Result<(), Box<dyn Error>> {
    match attack {
        "truncate" => truncate(file)?,
        "overwrite" => overwrite(file)?,
        "wake" => wake(&map(file)?),
        "flood" => flood(&map(file)?),
        "hold-lock" => {
            take(file, libc::F_WRLCK, SLOT + 127..SLOT + 128)?;
            store(file, LOCK, &lock_word(127, 1).to_le_bytes())?;
            wait_for_kill();
        }
        "dead-holder" => {
            store(file, LOCK, &lock_word(100, 1).to_le_bytes())?;
            wait_for_kill();
        }
        "invalid-holder" => {
            store(file, LOCK, &lock_word(254, 1).to_le_bytes())?;
            wait_for_kill();
        }
        "pass-lock-around" => pass_lock_around(file)?,
        "all-slots" => {
            for slot in SLOT..SLOT + 128 {
                // Slots of other processes remain locked by them.
                take(file, libc::F_WRLCK, slot..slot + 1).ok();
            }
            wait_for_kill();
        }
        "hold-lifecycle" => {
            take(file, libc::F_WRLCK, LIFECYCLE..LIFECYCLE + 1)?;
            wait_for_kill();
        }
        "read-regions" | "write-regions" => {
            let kind = if attack == "read-regions" {
                libc::F_RDLCK
            } else {
                libc::F_WRLCK
            };
            for region in REGION + 1..REGION + 192 {
                take(file, kind, region..region + 1).ok();
            }
            wait_for_kill();
        }
        "read-most-regions" => {
            take(file, libc::F_RDLCK, REGION + 1..REGION + 188)?;
            wait_for_kill();
        }
        "read-slots" => {
            for slot in SLOT..SLOT + 128 {
                take(file, libc::F_RDLCK, slot..slot + 1).ok();
            }
            wait_for_kill();
        }
        "read-lifecycle" => {
            take(file, libc::F_RDLCK, LIFECYCLE..LIFECYCLE + 1)?;
            wait_for_kill();
        }
        "read-all" => read_all(file, libc::F_OFD_SETLK, libc::F_OFD_SETLKW)?,
        "read-all-as-a-process" => read_all(file, libc::F_SETLK, libc::F_SETLKW)?,
        "many-readers" => {
            take(file, libc::F_RDLCK, READER..READER + (1 << 22))?;
            wait_for_kill();
        }
        _ => return Err(format!("unknown: {attack}").into()),
    }
    Ok(())
}

/// Reports to the test that the attack has started.
fn report_started() {
    println!("attacking");
}

/// Keeps the current state until the process is killed.
fn wait_for_kill() -> ! {
    report_started();
    loop {
        std::thread::park();
    }
}

/// Read-locks every byte that is not write-locked, and the others as soon as they are released.
fn read_all(file: &File, at_once: i32, waiting: i32) -> io::Result<()> {
    const END: u64 = i64::MAX as u64;
    let single = [SLOT..SLOT + 128, REGION..REGION + 256];
    for byte in single.into_iter().flatten() {
        lock(file, at_once, libc::F_RDLCK, byte..byte + 1).ok();
    }
    for bytes in [0..SLOT, SLOT + 128..REGION, REGION + 256..END] {
        lock(file, at_once, libc::F_RDLCK, bytes)?;
    }
    report_started();
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

/// Truncates the file at any length and restores it, as often as it can.
fn truncate(file: &File) -> io::Result<()> {
    const HEAD: usize = 1 << 16;
    let whole = file.metadata()?.len();
    let mut control = vec![0; RING + RING_BYTES];
    file.read_exact_at(&mut control, 0)?;
    let mut region = vec![0; HEAD];
    file.read_exact_at(&mut region, REGION_STRIDE)?;
    let mut rng = Rng(1);
    report_started();
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
            rng.roll() % whole,
        ];
        file.set_len(*rng.pick(&lengths))?;
        file.set_len(whole)?;
        file.write_all_at(&control, 0)?;
        file.write_all_at(&region, REGION_STRIDE)?;
    }
}

/// Overwrites positions, lengths, sequences, the region table, the header and the slots, as often
/// as it can.
fn overwrite(file: &File) -> io::Result<()> {
    let mut control = vec![0; RING + RING_BYTES];
    file.read_exact_at(&mut control, 0)?;
    let mut rng = Rng(2);
    report_started();
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
            rng.roll(),
            (rng.roll() % (2 * RING_BYTES as u64)) & !63,
        ];
        let word = *rng.pick(&values);
        let entry = TABLE + ENTRY * *rng.pick(&[1, 2, 3, 191]);
        let record = RING + ((usize::try_from(rng.roll()).unwrap_or(0) % 4096) & !63);
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
        store(file, *rng.pick(&offsets), &word.to_le_bytes())?;
        if rng.roll().is_multiple_of(4) {
            store(file, 0, &control)?;
        }
    }
}

/// Wakes every waiter continuously, without a publication.
fn wake(control: &MmapRaw) {
    report_started();
    loop {
        for offset in [LOCK, LAST] {
            // It cannot fail on a mapped word, and nothing depends on the result.
            futex::wake(word(control, offset), futex::Flags::empty(), 1 << 30).ok();
        }
    }
}

/// Announces samples that do not exist, continuously.
fn flood(control: &MmapRaw) {
    let last = word(control, LAST);
    // Before the lock is passed on: a process that attaches from then on finds nothing valid.
    last.fetch_add(64, Ordering::Relaxed);
    report_started();
    loop {
        last.fetch_add(64, Ordering::Relaxed);
        futex::wake(last, futex::Flags::empty(), 1 << 30).ok();
    }
}

/// Passes the lock from one of its own slots to the next, and never releases it.
fn pass_lock_around(file: &File) -> io::Result<()> {
    for slot in SLOT + 120..SLOT + 128 {
        take(file, libc::F_WRLCK, slot..slot + 1)?;
    }
    let control = map(file)?;
    let lock = word(&control, LOCK);
    for turn in 0_u32.. {
        if turn == 1 {
            report_started();
        }
        lock.store(lock_word(120 + turn % 8, turn & 0xffff), Ordering::Relaxed);
    }
    Ok(())
}

/// Replaces the segment's name by other files and restores it, as often as it can.
fn swap_name(path: &Path) -> Result<(), Box<dyn Error>> {
    let beside = |name: &str| path.with_file_name(name);
    let decoys = ["fifo", "link", "directory", "notes", "sparse"].map(beside);
    let [fifo, link, directory, notes, sparse] = &decoys;
    rustix::fs::mkfifoat(CWD, fifo, rustix::fs::Mode::RWXU)?;
    symlink("/etc/passwd", link)?;
    fs::create_dir(directory)?;
    fs::write(notes, "another program's notes")?;
    File::create(sparse)?.set_len(1 << 44)?;
    report_started();
    loop {
        for decoy in &decoys {
            // Twice, so that the segment is back.
            for _ in 0..2 {
                // A process that found the name free may have taken it meanwhile.
                renameat_with(CWD, decoy, CWD, path, RenameFlags::EXCHANGE).ok();
            }
        }
    }
}

/// The size that a file of this peer claims.
enum Claim<'a> {
    Block,
    /// A sample with this metadata.
    Sample(&'a [u8]),
}

/// Creates a valid segment that claims 64 GiB, or what its metadata claims, without memory for any
/// of it.
fn huge(path: &Path, claim: Claim<'_>) -> io::Result<()> {
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    file.set_len(REGION_STRIDE * 3)?;
    let ring_bytes = match claim {
        Claim::Block => 0,
        // The ring has memory: only the payload is false.
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
            // One line if the number of the region fits into it, otherwise two.
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
    wait_for_kill();
}

fn map(file: &File) -> io::Result<MmapRaw> {
    MmapOptions::new().len(CONTROL).map_raw(file)
}

#[expect(unsafe_code, reason = "a word of shared memory")]
fn word(control: &MmapRaw, offset: usize) -> &AtomicU32 {
    let address = control.as_mut_ptr().wrapping_add(offset).cast::<u32>();
    // SAFETY: aligned and within the mapping, which the borrow keeps alive; every process accesses
    // it with atomics.
    unsafe { AtomicU32::from_ptr(address) }
}

/// Locks bytes of the file's open description, without waiting.
fn take(file: &File, kind: i32, bytes: Range<u64>) -> io::Result<()> {
    lock(file, libc::F_OFD_SETLK, kind, bytes)
}

#[expect(unsafe_code, reason = "no safe API takes these locks")]
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

/// Pseudo-random numbers, the same in each run (xorshift64).
struct Rng(u64);

impl Rng {
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
