#!/usr/bin/env python3
"""Shows the content of named shared memory: texts, pictures and other bytes.

A reader for segments of shm-core that needs only Python 3.9 and Linux. It was written from
docs/LAYOUT.md alone; numbers in parentheses, such as (7), are that document's sections.

    with Subscriber.attach(Place(), "MySharedMemory") as subscriber:
        with subscriber.latest() as sample:
            print(sample.facts())

A subscriber opens the segment read-only, so it cannot change a byte of it.

Words that other processes change (the flags, `last`, `oldest`, the entries of regions) are loaded
from a read-only mapping: ctypes loads an aligned integer in one instruction. Everything else is
copied with `pread` and never accessed in place, so a truncated file causes an error there and not a
SIGBUS (12, I9). A copy may be torn, because publishers write concurrently; the reader uses it only
after loading `oldest` again (7). Python has no fences: between the copy and that load are a system
call and the locks that the interpreter takes around it, which order more than a fence does.
"""

from __future__ import annotations

import argparse
import codecs
import collections
import contextlib
import ctypes
import dataclasses
import errno
import fcntl
import io
import itertools
import math
import os
import platform
import pwd
import re
import signal
import stat
import struct
import sys
import time
import unicodedata
import zlib
from pathlib import Path
from typing import BinaryIO, Callable, Counter, Iterator, NamedTuple, Optional, Union

DEFAULT_KEY = "MySharedMemory"

# (1) The invisible characters that a key must not contain: first and last of each range.
INVISIBLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0D), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)

# (2) The map of the file.
SLOTS, SLOT_BYTES = 0x400, 64
ENTRIES, ENTRY_BYTES = 0x2400, 32
CONTROL_BYTES = RING = 0x4000
BLOCK_BYTES = 0x10000
LAST_REGION = 191
REGION_STEP = 2**36

# (3) The header.
HEADER = struct.Struct("<8sIIII16sQQ")
RING_BYTES = 0x38
MAGIC = b"SHM-CORE"
VERSION = 2
SLOT_COUNT = 128
MOST_SLOTS = 65_536
FLAGS = 0x10
PERSISTENT, REMOVED = 1, 2
BLOCK, SAMPLES, SEMAPHORE = 1, 2, 3
LAST, OLDEST = 0x100, 0x180

# (4) The lock bytes.
LIFECYCLE = 2**60
SLOT = LIFECYCLE + 0x10000
REGION = LIFECYCLE + 0x20000
READER = LIFECYCLE + 2**32
READERS = 2**22
MOST_READERS = 1024
"""Limits how many are listed: a process with read access can pretend to be millions."""

# (7) The ring.
LINE = 64
POSITIONS = 2**62
RECORD = struct.Struct("<QIHHQQQII")
INLINE, PADDING, CLEARED, LARGE = 0, 1, 2, 4
REGION_NUMBER = struct.Struct("<Q")

CHUNK = 1 << 20
PATIENCE = 2.0
"""How long to retry, in seconds, while another process is briefly in the way."""


class ViewError(Exception):
    """An error with a message for the user: what failed and what to do about it."""


class Ended(ViewError):
    """The last publisher has detached, or the segment was removed."""


class Damaged(ViewError):
    """A peer wrote invalid data. The next sample may be intact again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The segment is damaged: {what}. Load something new into it.")


class Unreadable(ViewError):
    """A sample is intact, but its payload contradicts its metadata or cannot be shown here."""


class Busy(ViewError):
    """The publishers repeatedly overran this program."""


# -- Where segments are (1) ------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Place:
    """The owner of the segments, and their directory."""

    owner: int = dataclasses.field(default_factory=os.geteuid)
    directory: Path = dataclasses.field(
        default_factory=lambda: Path(os.environ.get("SHM_CORE_DIR") or "/dev/shm")
    )

    def path(self, key: str) -> Path:
        """Returns the path of the segment `key`."""
        check_key(key)
        return self.directory / f"shm-core.{self.owner}.{key}"

    def keys(self) -> list[str]:
        """Returns the keys of all files that are named like a segment of this owner."""
        try:
            names = os.listdir(self.directory)
        except OSError as error:
            raise ViewError(
                f"{self.directory} cannot be listed: {error.strerror}."
                " Does SHM_CORE_DIR name the right directory?"
            ) from error
        prefix = f"shm-core.{self.owner}."
        keys = (name[len(prefix) :] for name in names if name.startswith(prefix))
        return sorted(key for key in keys if is_key(key))

    def owner_name(self) -> str:
        """Returns the name of the owner, for display."""
        try:
            return pwd.getpwuid(self.owner).pw_name
        except KeyError:
            return f"user {self.owner}"


def check_key(key: str) -> None:
    """Raises ViewError unless `key` can name a segment."""
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise ViewError("The key is not UTF-8.") from None
    if not 1 <= length <= 128:
        raise ViewError(f"A key has 1 to 128 bytes; this one has {length}.")
    if "/" in key or key != printable(key):
        raise ViewError(
            f"The key {key} contains a slash, a control character, or one that is invisible."
        )
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", key):
        raise ViewError(
            f"The key {key} begins like an address, which is reserved. Leave out the colon."
        )


def is_key(text: str) -> bool:
    """Returns True if `text` can name a segment."""
    try:
        check_key(text)
    except ViewError:
        return False
    return True


# -- System calls ----------------------------------------------------------------------------------

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.syscall.restype = ctypes.c_long

_FUTEX_NUMBER: Optional[int] = {"x86_64": 202, "aarch64": 98, "riscv64": 98}.get(platform.machine())
_FUTEX_WAIT = 0  # Not FUTEX_WAIT_PRIVATE: another process wakes.


class Timespec(ctypes.Structure):
    """The timeout of a futex: a duration, not a point in time."""

    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class Mapping:
    """The first bytes of a file, mapped shared and read-only.

    Not `mmap.mmap`, because that does not expose the address of a read-only mapping, which a futex
    call needs.
    """

    PROT_READ, MAP_SHARED = 1, 1

    def __init__(self, descriptor: int, length: int) -> None:
        address = _libc.mmap(None, length, self.PROT_READ, self.MAP_SHARED, descriptor, 0)
        if address == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), "it cannot be mapped")
        self._address: Optional[int] = address
        self._descriptor, self._length = descriptor, length

    def close(self) -> None:
        """Unmaps it. Closing twice has no effect."""
        if self._address is not None:
            _libc.munmap(self._address, self._length)
            self._address = None

    def u32(self, offset: int) -> int:
        """Loads the 32-bit word at `offset`."""
        return ctypes.c_uint32.from_address(self._at(offset)).value

    def u64(self, offset: int) -> int:
        """Loads the 64-bit word at `offset`."""
        return ctypes.c_uint64.from_address(self._at(offset)).value

    def sleep_while(self, offset: int, value: int, seconds: float) -> None:
        """Sleeps while the 32 bits at `offset` are `value`, until woken; may return earlier."""
        if _FUTEX_NUMBER is None:
            time.sleep(min(seconds, 0.05))
            return
        whole = int(seconds)
        timeout = Timespec(whole, int((seconds - whole) * 1e9))
        # EAGAIN, EINTR and ETIMEDOUT all mean: check again. So does success.
        _libc.syscall(
            ctypes.c_long(_FUTEX_NUMBER),
            ctypes.c_void_p(self._at(offset)),
            ctypes.c_int(_FUTEX_WAIT),
            ctypes.c_uint32(value),
            ctypes.byref(timeout),
            ctypes.c_void_p(None),
            ctypes.c_uint32(0),
        )

    def _at(self, offset: int) -> int:
        if self._address is None:
            raise ValueError("the segment is closed")
        # A load beyond the end of the file is a SIGBUS. Checking before each load leaves only a
        # short race with a peer that violates the layout (12, I9); a futex call returns an error.
        if os.fstat(self._descriptor).st_size < self._length:
            raise ViewError("The segment was cut short while it was read. Remove it with rm.")
        return self._address + offset


class ByteLocks:
    """Locks of an open file description on single bytes of the file (4).

    They belong to the open file and not to the process: closing another descriptor of the same file
    releases the locks of `fcntl.lockf`, but not these.
    """

    F_OFD_GETLK, F_OFD_SETLK = 36, 37
    # struct flock: type, whence, start, length, pid (0 for these commands), padding.
    FLOCK = struct.Struct("@hhqqi4x")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def try_share(self, byte: int) -> bool:
        """Locks one byte for reading; returns False if another process refuses the lock."""
        try:
            self._fcntl(self.F_OFD_SETLK, fcntl.F_RDLCK, byte, 1)
        except (BlockingIOError, PermissionError):  # EAGAIN, EACCES
            return False
        return True

    def share(self, byte: int, deadline: float) -> bool:
        """Locks one byte for reading; retries until the deadline."""
        while not self.try_share(byte):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def release(self, byte: int) -> None:
        """Unlocks one byte."""
        self._fcntl(self.F_OFD_SETLK, fcntl.F_UNLCK, byte, 1)

    def held(self, first: int, count: int, against: int) -> Iterator[range]:
        """Yields which of `count` bytes other processes hold, by their distance from the first.

        A lock may span millions of bytes: each lock is yielded as one range, in no order.

        `against` is the lock type that they would refuse: F_RDLCK finds only write locks, F_WRLCK
        finds read locks too.
        """
        gaps = [(first, first + count)]
        while gaps:
            start, end = gaps.pop()
            if start >= end:
                continue
            answer = self._fcntl(self.F_OFD_GETLK, against, start, end - start)
            kind, _, found, length, _ = self.FLOCK.unpack(answer)
            if kind == fcntl.F_UNLCK:
                continue
            last = min(end, found + length) if length else end
            found = max(start, found)
            yield range(found - first, last - first)
            gaps += [(start, found), (last, end)]

    def _fcntl(self, command: int, kind: int, start: int, length: int) -> bytes:
        return fcntl.fcntl(
            self._descriptor, command, self.FLOCK.pack(kind, os.SEEK_SET, start, length, 0)
        )


# -- A segment (3, 5) ------------------------------------------------------------------------------


class Slot(NamedTuple):
    """A process that is attached for writing, as it describes itself."""

    pid: int
    program: str


class Segment:
    """An open segment. Changes nothing, and is invisible to other processes."""

    def __init__(self, place: Place, key: str) -> None:
        self.place, self.key = place, key
        self.path = place.path(key)
        self.descriptor = self._open()
        self._mapping: Optional[Mapping] = None
        self.ring_bytes = 0
        try:
            self._check_head()
        except BaseException:
            self.close()
            raise
        self.locks = ByteLocks(self.descriptor)

    def __enter__(self) -> Segment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file, and so releases every lock."""
        if self._mapping is not None:
            self._mapping.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _open(self) -> int:
        owner, key = self.place.owner_name(), self.key
        try:
            descriptor = os.open(
                self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            )
        except FileNotFoundError:
            raise self.absent() from None
        except PermissionError:
            raise ViewError(
                f"{key} belongs to {owner} and is not shared with you. After `viewer-app remove`"
                f" and `loader-app text --mode 644` by {owner} all users can read it."
            ) from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise ViewError(
                    f"{self.path} is a symbolic link, not a segment."
                ) from None
            raise ViewError(f"{self.path} cannot be opened: {error.strerror}.") from error
        facts = os.fstat(descriptor)
        if stat.S_ISREG(facts.st_mode) and facts.st_uid == self.place.owner:
            return descriptor
        os.close(descriptor)
        raise ViewError(
            f"{self.path} is not a regular file of {owner}, and so not a segment."
        )

    def absent(self) -> ViewError:
        """Returns the error for a segment that does not exist."""
        return ViewError(
            f"There is no shared memory {self.key} of {self.place.owner_name()}"
            f" in {self.place.directory}."
            f" Load something first: loader-app text --key {self.key} Hello"
        )

    def _check_head(self) -> None:
        head = os.pread(self.descriptor, HEADER.size, 0).ljust(HEADER.size, b"\0")
        magic, self.version, self.slot_count, self._flags, self.kind, _, _, self.block_bytes = (
            HEADER.unpack(head)
        )
        if magic != MAGIC or self.slot_count > MOST_SLOTS:
            raise ViewError(f"{self.path} is not a segment of shm-core. Choose another key.")
        if self.version != VERSION:
            return
        wrong = self._check_version_2()
        if wrong:
            raise ViewError(
                f"{self.path} is damaged: {wrong}. End the programs that use it; viewer-app list"
                " then removes it."
            )
        self._mapping = Mapping(self.descriptor, CONTROL_BYTES)

    def _check_version_2(self) -> Optional[str]:
        """Returns what is wrong with the head, or None."""
        if self.slot_count != SLOT_COUNT:
            return f"it says that it has {self.slot_count} slots"
        if self.kind == SAMPLES:
            field = os.pread(self.descriptor, 8, RING_BYTES)
            self.ring_bytes = int.from_bytes(field, "little")
            if self.ring_bytes not in (2**power for power in range(14, 31)):
                return f"a ring of {self.ring_bytes:,} bytes is impossible"
            size = memory = RING + self.ring_bytes
        elif self.kind == BLOCK:
            if not 1 <= self.block_bytes <= REGION_STEP:
                return f"a block of {self.block_bytes:,} bytes is impossible"
            size = BLOCK_BYTES + self.block_bytes
            memory = CONTROL_BYTES + self.block_bytes
        elif self.kind == SEMAPHORE:
            size = memory = CONTROL_BYTES
        else:
            return f"there is no kind {self.kind} of segment"
        if not self.has_memory(size, memory):
            return "the file was cut short"
        return None

    def has_memory(self, size: int, memory: int) -> bool:
        """Returns True if the file has at least `size` bytes, and memory for `memory` bytes."""
        facts = os.fstat(self.descriptor)
        # stat(2): blocks of 512 bytes, on every file system.
        return facts.st_size >= size and facts.st_blocks * 512 >= memory

    @property
    def words(self) -> Mapping:
        """The control area. Raises ViewError for a version of which only the head is known."""
        if self._mapping is None:
            raise ViewError(
                f"{self.key} has layout version {self.version}; this program knows version"
                f" {VERSION}. Use programs of one release."
            )
        return self._mapping

    def check_samples(self) -> None:
        """Raises ViewError unless it is a segment of samples in a known layout."""
        if self.words and self.kind != SAMPLES:
            kind = "a semaphore" if self.kind == SEMAPHORE else "a block of bytes under a lock"
            raise ViewError(f"{self.key} is {kind}; this program shows samples only.")

    def has_flag(self, flag: int) -> bool:
        """Returns True if a flag is set now. Works for every version."""
        flags = self._flags if self._mapping is None else self._mapping.u32(FLAGS)
        return bool(flags & flag)

    def is_stale(self) -> bool:
        """Returns True if it is removed, or no process keeps it alive (5), in any version."""
        if self.has_flag(REMOVED):
            return True
        return not self.has_flag(PERSISTENT) and not self.has_holder()

    def has_holder(self) -> bool:
        """Returns True if a process is attached for writing or to a block, in any version."""
        return next(self._held_slots(), None) is not None

    def _held_slots(self) -> Iterator[range]:
        # (4) The holder of a slot has locked its byte for writing, and so may write to the file.
        # Read locks say nothing: any process with read access can hold them.
        return self.locks.held(SLOT, self.slot_count, fcntl.F_RDLCK)

    def has_name(self) -> bool:
        """Returns True if the name still refers to the open file."""
        try:
            named = os.stat(self.path, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return os.path.samestat(named, os.fstat(self.descriptor))

    def slots(self) -> list[Slot]:
        """Returns the processes that are attached for writing or to a block."""
        slots = []
        for index in sorted(itertools.chain.from_iterable(self._held_slots())):
            slot = self.read(SLOTS + index * SLOT_BYTES, SLOT_BYTES)
            _, pid, _, _, _, program = struct.unpack("<IIQII40s", slot)
            slots.append(Slot(pid, program.rstrip(b"\0").decode(errors="replace")))
        return slots

    def readers(self) -> list[int]:
        """Returns the process ids, modulo 2^22, of the other attached subscribers.

        The ids are what the subscribers claim. A lock of more than one byte is not a subscriber's.
        """
        held = self.locks.held(READER, READERS, fcntl.F_WRLCK)
        found = (locked[0] for locked in held if len(locked) == 1)
        return sorted(itertools.islice(found, MOST_READERS))

    def read(self, offset: int, length: int) -> bytes:
        """Copies bytes of the file."""
        parts = []
        while length > 0:
            part = os.pread(self.descriptor, min(length, CHUNK), offset)
            if not part:
                raise ViewError(f"{self.path} was cut short while it was read. Remove it with rm.")
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)


# -- The ring (7) ----------------------------------------------------------------------------------


class Record(NamedTuple):
    """The header of a record."""

    sequence: int
    total_bytes: int
    metadata_bytes: int
    flags: int
    payload_bytes: int
    published: int
    monotonic: int
    writer_pid: int
    writer_token: int

    @property
    def stored_bytes(self) -> int:
        """The length of the payload part: the payload, or the number of its region."""
        return REGION_NUMBER.size if self.flags == LARGE else self.payload_bytes

    @property
    def payload_at(self) -> int:
        """The offset of the payload part from the start of the record."""
        behind = RECORD.size + self.metadata_bytes
        near = _round_up(behind, 8)
        return near if near + self.stored_bytes <= LINE else _round_up(behind, LINE)

    def check(self, offset: int, ring_bytes: int) -> None:
        """Raises Damaged unless the record is valid at `offset` of a ring of that length."""
        room = min(ring_bytes // 4, ring_bytes - offset)
        if self.total_bytes % LINE or not LINE <= self.total_bytes <= room:
            raise Damaged(f"a record of {self.total_bytes:,} bytes is impossible there")
        if self.flags == PADDING:
            return
        limits = {INLINE: min(2**14, ring_bytes // 8), CLEARED: 0, LARGE: REGION_STEP}
        if self.flags not in limits:
            raise Damaged(f"no record has the flags {self.flags}")
        if self.sequence >= POSITIONS:
            raise Damaged(f"the sequence {self.sequence} is impossible")
        if self.payload_bytes > limits[self.flags]:
            raise Damaged(f"a payload of {self.payload_bytes:,} bytes is impossible there")
        if (
            self.metadata_bytes > ring_bytes // 8 - 2 * LINE
            or self.payload_at + self.stored_bytes > self.total_bytes
        ):
            raise Damaged("a record is shorter than what is in it")


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step


class Copied(NamedTuple):
    """An intact copy of a record. The `payload` of a large record is its region's number."""

    position: int
    header: Record
    metadata: bytes
    payload: bytes

    @property
    def end(self) -> int:
        """The position of the next record."""
        return self.position + self.header.total_bytes


class Retry(Exception):
    """The copy may be torn, because the record was evicted, or the region is briefly in use."""


class Ring:
    """The records of a segment, one after the other, from `oldest` to `last`."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self.length = segment.ring_bytes

    def last_word(self) -> int:
        """Loads `last` without a check."""
        return self._segment.words.u64(LAST)

    def last(self) -> int:
        """Loads the position of the newest record."""
        return self._position(self.last_word())

    def oldest(self) -> int:
        """Loads the position of the oldest intact record."""
        return self._position(self._segment.words.u64(OLDEST))

    @staticmethod
    def _position(word: int) -> int:
        if word % LINE or word >= POSITIONS:
            raise Damaged(f"{word} is no position in the ring")
        return word

    def copy(self, position: int) -> Copied:
        """Copies the record at `position`. Raises Retry if the copy may be torn."""
        try:
            copied = self._copy(position)
        except Damaged:
            # A header that is being overwritten is not damaged.
            self._check_intact(position)
            raise
        self._check_intact(position)
        return copied

    def _copy(self, position: int) -> Copied:
        offset = position % self.length
        read = self._segment.read
        header = Record._make(RECORD.unpack(read(RING + offset, RECORD.size)))
        header.check(offset, self.length)
        if header.flags == PADDING:
            return Copied(position, header, b"", b"")
        end = header.payload_at + header.stored_bytes
        rest = read(RING + offset + RECORD.size, end - RECORD.size)
        payload = rest[header.payload_at - RECORD.size :]
        return Copied(position, header, rest[: header.metadata_bytes], payload)

    def _check_intact(self, position: int) -> None:
        if self.oldest() > position:
            raise Retry


# -- A subscriber (5, 7, 8) ------------------------------------------------------------------------


class Subscriber:
    """Reads the newest sample, and follows later ones."""

    def __init__(self, segment: Segment) -> None:
        """Reads a segment without attaching. To stay attached, use `Subscriber.attach`."""
        segment.check_samples()
        self.segment = segment
        self.ring = Ring(segment)
        # Locks of one open file do not nest, and several samples may pin one region.
        self._pins: Counter[int] = collections.Counter()

    @classmethod
    def attach(cls, place: Place, key: str) -> Subscriber:
        """Attaches to the samples under `key`. Raises ViewError if that fails."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.ExitStack() as stack:
                segment = stack.enter_context(Segment(place, key))
                if segment.locks.share(LIFECYCLE, deadline) and segment.has_name():
                    cls._admit(segment)
                    segment.locks.release(LIFECYCLE)
                    stack.pop_all()
                    return cls(segment)
            # Removed between open and lock: there may be a new segment with the same name.
        raise ViewError(
            f"Another process keeps {key} busy: attaching timed out after {PATIENCE:g} s."
        )

    @staticmethod
    def _admit(segment: Segment) -> None:
        """Registers as a reader, if the segment can be attached to. LIFECYCLE is locked."""
        if segment.is_stale():
            # Left over from a crash. Removing it requires write access: other processes do it.
            raise segment.absent()
        segment.check_samples()
        segment.locks.try_share(READER + os.getpid() % READERS)  # if refused, it is just not listed

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Detaches. Open samples can no longer be read, unless they are inline."""
        self.segment.close()

    def latest(self) -> Optional[Sample]:
        """Returns the newest sample, or None."""
        return Cursor(self).next(newest=True)

    def sample(self, record: Copied) -> Optional[Sample]:
        """Makes a sample from a record, and pins a large one. None: its region was reused."""
        if record.header.flags != LARGE:
            payload = record.payload
            return Sample(record, lambda at, size: payload[at : at + size])
        (region,) = REGION_NUMBER.unpack(record.payload)
        if not 1 <= region <= LAST_REGION:
            raise Damaged(f"there is no region {region}")
        if not self._pin(region, record.position):
            return None
        try:
            return self._pinned(region, record)
        except BaseException:
            self._unpin(region)
            raise

    def _pinned(self, region: int, record: Copied) -> Sample:
        begin, length = region * REGION_STEP, record.header.payload_bytes
        # (8) Publishers reserve memory before they publish: a sample that claims more memory than
        # its region has was never written, and may be 64 GiB of zeros.
        if not self.segment.has_memory(begin + length, RING + self.ring.length + length):
            raise Damaged(f"there is no memory for its {length:,} bytes")
        return Sample(
            record,
            lambda at, size: self.segment.read(begin + at, size),
            lambda: self._unpin(region),
        )

    def _pin(self, region: int, position: int) -> bool:
        """Pins a region if it belongs to the record at `position`; False if it was reused."""
        entry = ENTRIES + region * ENTRY_BYTES
        if not self.segment.locks.try_share(REGION + region):
            if self.segment.words.u64(entry) == position:
                raise Retry  # Its publisher is about to unlock it: try again.
            return False
        self._pins[region] += 1
        if self.segment.words.u64(entry) == position:
            return True
        self._unpin(region)
        return False

    def _unpin(self, region: int) -> None:
        self._pins[region] -= 1
        if self._pins[region] == 0 and self.segment.descriptor >= 0:
            self.segment.locks.release(REGION + region)


class Cursor:
    """Reads the records in order (7). Starts with the newest."""

    EAGER = 64
    """The number of fruitless attempts in a row before a pause."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber, self._segment = subscriber, subscriber.segment
        self._ring = subscriber.ring
        self._position = self._ring.last_word()  # Checked when it is read.
        # Of the previous sample or clearing; None: unknown.
        self.sequence: Optional[int] = None
        self.missed = 0
        self._overruns = 0
        self._after_padding = False
        self._damaged_last: Optional[int] = None
        # A segment that is not persistent had one when this program attached.
        self._had_publisher = not self._segment.has_flag(PERSISTENT)

    def rewind(self) -> None:
        """Goes back to the oldest record in the ring."""
        with contextlib.suppress(Damaged):  # Reading it raises and reports the error again.
            self._position = self._ring.oldest()

    def skip_all(self) -> None:
        """Advances past the newest record."""
        for _ in self._tries():
            try:
                self._go_to(self._ring.last())
                record = self._copy()
            except Retry:
                continue
            except Damaged:
                return  # Reading it raises and reports the error again.
            self._pass(record)
            return

    def take_missed(self) -> int:
        """Returns how many samples were missed since the last call."""
        missed, self.missed = self.missed, 0
        return missed

    def has_news(self) -> bool:
        """Returns True if there is something unread, including damage."""
        return self._is_news(self._ring.last_word())

    def _is_news(self, last: int) -> bool:
        if self._damaged_last is not None:
            return last != self._damaged_last
        return last >= self._position or self._position - last > self._ring.length

    def next(self, newest: bool = False) -> Optional[Sample]:
        """Reads the next sample, or the newest one. None if there is nothing new.

        Raises Damaged once for each damage, and Busy; the caller may retry after both.
        """
        try:
            for _ in self._tries():
                if not self.has_news():
                    self._overruns = 0
                    return None
                with contextlib.suppress(Retry):
                    sample = self._attempt(newest)
                    if sample is not None:
                        return sample
        except Damaged:
            self._leave_damage()
            raise
        raise AssertionError("tries end with an error")

    def _tries(self) -> Iterator[None]:
        """Yields once per attempt, pauses after fruitless ones, and finally raises Busy."""
        deadline = time.monotonic() + PATIENCE
        idle, position = 0, self._position
        while time.monotonic() < deadline:
            yield
            # Progress past any number of records is no reason for a pause.
            idle = idle + 1 if self._position <= position or self._overruns else 0
            position = self._position
            if idle > self.EAGER:
                time.sleep(0.001)
        raise Busy(f"{self._segment.key} changes faster than it can be read. Try again.")

    def _attempt(self, newest: bool) -> Optional[Sample]:
        """Attempts once to read a record. None, or raising Retry: try again."""
        last = self._ring.last()
        if self._damaged_last is not None or (newest and self._position <= last):
            self._go_to(last)
        if self._position - last > self._ring.length:
            self._position = last  # No publisher goes back that far.
            raise Damaged("its newest record is older than before")
        record = self._copy()
        self._check_order(record.header)
        if record.header.flags == PADDING:
            self._position, self._after_padding = record.end, True
            return None
        if record.header.flags == CLEARED:
            self._pass(record)
            return None
        return self._take(record)

    def _copy(self) -> Copied:
        """Copies the record at the cursor. If it was evicted, moves on and raises Retry."""
        try:
            return self._ring.copy(self._position)
        except Retry:
            self._overrun()
            raise

    def _take(self, record: Copied) -> Optional[Sample]:
        try:
            sample = self._subscriber.sample(record)
        except Unreadable:
            self._pass(record)
            raise
        if sample is None:
            # Its region was reused. The next record counts it as missed.
            if self.sequence is None:
                self.sequence = record.header.sequence - 1
            self._go_to(record.end)
        else:
            self._pass(record)
        return sample

    def _check_order(self, header: Record) -> None:
        if header.flags == PADDING:
            if self._after_padding:
                raise Damaged("its ring is padded twice")
        elif self.sequence is not None and header.sequence <= self.sequence:
            raise Damaged(f"sequence {header.sequence} follows {self.sequence}")

    def _pass(self, record: Copied) -> None:
        """Advances past a record that was read."""
        sequence = record.header.sequence
        if self.sequence is not None:
            self.missed += sequence - self.sequence - 1
        self.sequence, self._overruns = sequence, 0
        self._go_to(record.end)

    def _go_to(self, position: int) -> None:
        self._position, self._damaged_last, self._after_padding = position, None, False

    def _overrun(self) -> None:
        """Goes to the oldest record, or, after two overruns in a row, to the newest."""
        oldest = self._ring.oldest()
        last = self._ring.last()  # Loaded after `oldest`, so that it is not below it.
        if oldest > last:
            raise Damaged("its oldest record is newer than its newest")
        self._overruns += 1
        self._go_to(last if self._overruns >= 2 else oldest)

    def _leave_damage(self) -> None:
        """Goes to the newest record. If that one is damaged, waits until `last` changes."""
        last = self._ring.last_word()
        if last % LINE or last >= POSITIONS or last <= self._position:
            self._damaged_last = last
        else:
            self._go_to(last)
        # The sequence itself may be wrong, so later ones are not compared with it.
        self.sequence = None

    def wait(self, seconds: float) -> bool:
        """Sleeps until there is something new, 1 s at most. Raises Ended if nothing will come."""
        last = self._ring.last_word()
        if self._is_news(last):
            return True
        is_removed = self._segment.has_flag(REMOVED) or not self._segment.has_name()
        has_publisher = self._segment.has_holder()
        if self.has_news():
            return True  # Published before it detached.
        if is_removed:
            raise Ended(f"{self._segment.key} was removed.")
        if self._had_publisher and not has_publisher:
            raise Ended(f"The last publisher of {self._segment.key} has gone.")
        self._had_publisher = has_publisher
        # The low half of the word is first. The publisher may have died before it woke us.
        self._segment.words.sleep_while(LAST, last % 2**32, min(seconds, 1.0))
        return self.has_news()


# -- What is published (7, 10) ---------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Text:
    """UTF-8."""

    def __str__(self) -> str:
        return "text"


@dataclasses.dataclass(frozen=True)
class Image:
    """Rows of pixels, from the top."""

    FORMATS = (("gray", 1), ("rgb", 3), ("rgba", 4), ("bgra", 4), ("bgr", 3), ("gray16", 2))

    format: str
    pixel_bytes: int
    width: int
    height: int
    stride: int
    file_name: str

    def __str__(self) -> str:
        return f"image · {self.width} × {self.height} · {self.format}{_named(self.file_name)}"

    def check(self, payload_bytes: int) -> None:
        if not (1 <= self.width <= 65_535 and 1 <= self.height <= 65_535):
            raise Unreadable(
                f"A picture of {self.width} × {self.height} pixels is impossible. Load another."
            )
        row_bytes = self.width * self.pixel_bytes
        if self.stride < row_bytes or self.stride * self.height != payload_bytes:
            raise Unreadable("The picture is not as long as its description says. Load it again.")


@dataclasses.dataclass(frozen=True)
class Array:
    """Little-endian numbers in C order."""

    ELEMENTS = tuple("u1 i1 u2 i2 u4 i4 u8 i8 f2 f4 f8 b1".split())

    element: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"array · {self.element} · {' × '.join(map(str, self.shape))}"

    def check(self, payload_bytes: int) -> None:
        if math.prod(self.shape) * int(self.element[1]) != payload_bytes:
            raise Unreadable("The array is not as long as its description says. Load it again.")


@dataclasses.dataclass(frozen=True)
class Bytes:
    """Any other bytes, and kinds of a later version."""

    media_type: str = ""
    file_name: str = ""

    def __str__(self) -> str:
        media_type = self.media_type or "application/octet-stream"
        return f"bytes · {media_type}{_named(self.file_name)}"


Metadata = Union[Text, Image, Array, Bytes]


def _named(file_name: str) -> str:
    return f" · {file_name}" if file_name else ""


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a sample was first published, if elsewhere."""

    sequence: int
    published: int
    last_heard: int
    is_stale: bool
    host: str
    program: str

    def __str__(self) -> str:
        age = max(0.0, time.time() - self.published / 1e9)
        return f"by {self.program} on {self.host}, {age:,.0f} s ago{', stale' * self.is_stale}"


class Decoder:
    """Decodes metadata: annotations, kind and fields, one value after the other (10)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.user: Optional[bytes] = None
        self.origin: Optional[Origin] = None

    def metadata(self) -> Metadata:
        """Decodes all of it. Raises Unreadable if it is invalid."""
        if not self._data:
            return Text()
        try:
            while (number := self._integer(1)) >= 128:
                self._annotation(number, self._take(self._integer(2)))
            metadata = self._kind(number)
            if metadata is None:
                return Bytes()  # Only a later version can decode what follows.
            self._end()
        except ValueError as error:
            raise Unreadable(
                f"What is loaded cannot be understood: its description is wrong ({error})."
            ) from error
        return metadata

    def _annotation(self, number: int, value: bytes) -> None:
        if number == 128:
            if self.user is not None or len(value) > 255:
                raise ValueError("user data stands there twice, or is too long")
            self.user = value
        elif number == 129:
            if self.origin is not None:
                raise ValueError("two origins stand there")
            self.origin = Decoder(value)._whole_origin()

    def _whole_origin(self) -> Origin:
        sequence, published, last_heard = self._integer(8), self._integer(8), self._integer(8)
        flags = self._integer(1)
        origin = Origin(
            sequence, published, last_heard, flags % 2 == 1, self._name(), self._name()
        )
        self._end()
        return origin

    def _kind(self, number: int) -> Optional[Metadata]:
        if number == 0:
            return Text()
        if number == 1:
            form = self._integer(1)
            if form >= len(Image.FORMATS):
                return None
            width, height, stride = self._integer(4), self._integer(4), self._integer(4)
            return Image(*Image.FORMATS[form], width, height, stride, self._name())
        if number == 2:
            return Bytes(self._name(), self._name())
        if number == 3:
            element = self._take(2).decode("latin-1")
            if element not in Array.ELEMENTS:
                return None
            dimensions = self._integer(1)
            if not 1 <= dimensions <= 8:
                raise ValueError(f"an array has {dimensions} dimensions")
            return Array(element, tuple(self._integer(8) for _ in range(dimensions)))
        return None

    def _end(self) -> None:
        if self._at != len(self._data):
            raise ValueError("something follows it")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("it ends too early")
        self._at += count
        return taken

    def _integer(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little")

    def _name(self) -> str:
        return self._take(self._integer(1)).decode()  # UnicodeDecodeError is a ValueError


class Sample:
    """A published sample. Later publications do not change it until it is closed."""

    def __init__(
        self,
        record: Copied,
        read: Callable[[int, int], bytes],
        unpin: Callable[[], None] = lambda: None,
    ) -> None:
        """Use `Subscriber.latest` or `Cursor.next`."""
        self.header = record.header
        self._read, self._unpin = read, unpin
        decoder = Decoder(record.metadata)
        self.metadata = decoder.metadata()
        self.user, self.origin = decoder.user or b"", decoder.origin
        if isinstance(self.metadata, (Image, Array)):
            self.metadata.check(record.header.payload_bytes)

    def __enter__(self) -> Sample:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """The length of the payload, in bytes."""
        return self.header.payload_bytes

    def close(self) -> None:
        """Releases its memory. Closing twice has no effect."""
        unpin, self._unpin = self._unpin, lambda: None
        unpin()

    def read(self, offset: int, length: int) -> bytes:
        """Copies bytes of the payload, fewer at its end."""
        return self._read(offset, max(0, min(length, self.size - offset)))

    def chunks(self) -> Iterator[bytes]:
        """Copies the payload in chunks."""
        for offset in range(0, self.size, CHUNK):
            yield self.read(offset, CHUNK)

    def text(self) -> Iterator[str]:
        """Decodes the payload as text, in chunks."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for chunk in self.chunks():
                yield decoder.decode(chunk)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise Unreadable(
                "What is loaded says that it is a text, but it is not UTF-8."
            ) from None

    def rows(self) -> Iterator[bytes]:
        """Copies a picture row by row in the format of PNG: RGBA order, high byte first."""
        image = self.metadata
        assert isinstance(image, Image), "only pictures have rows"
        for y in range(image.height):
            row = bytearray(self.read(y * image.stride, image.width * image.pixel_bytes))
            step = image.pixel_bytes
            if image.format in ("bgra", "bgr"):
                row[0::step], row[2::step] = row[2::step], row[0::step]
            if image.format == "gray16":
                row[0::2], row[1::2] = row[1::2], row[0::2]
            yield bytes(row)

    def facts(self) -> str:
        """Describes it in one line."""
        age = max(0.0, time.time() - self.header.published / 1e9)
        return (
            f"{self.metadata} · {self.size:,} bytes · sequence {self.header.sequence}"
            f" · by process {self.header.writer_pid}, {age:,.0f} s ago"
            + (f" · {self.origin}" if self.origin else "")
            + (f" · user data {self.user.hex()}" if self.user else "")
        )


def write_png(sample: Sample, file: BinaryIO) -> None:
    """Writes a picture as PNG."""
    image = sample.metadata
    assert isinstance(image, Image), "only pictures become PNG"

    def chunk(name: bytes, data: bytes) -> None:
        file.write(struct.pack(">I", len(data)) + name + data)
        file.write(struct.pack(">I", zlib.crc32(name + data)))

    colour = {1: 0, 2: 0, 3: 2, 4: 6}[image.pixel_bytes]  # gray, RGB, RGBA
    depth = 16 if image.format == "gray16" else 8
    file.write(b"\x89PNG\r\n\x1a\n")
    chunk(b"IHDR", struct.pack(">IIBBBBB", image.width, image.height, depth, colour, 0, 0, 0))
    packer = zlib.compressobj(level=1)
    for row in sample.rows():
        if packed := packer.compress(b"\0" + row):  # each row starts with its filter type: none
            chunk(b"IDAT", packed)
    chunk(b"IDAT", packer.flush())
    chunk(b"IEND", b"")


# -- The command line ------------------------------------------------------------------------------

EXAMPLES = """\
examples:
  shm_view.py list                        all segments and the processes that hold them
  shm_view.py show                        print the text in MySharedMemory
  shm_view.py show --key Photo --output photo.png
  shm_view.py show --next --timeout 30    wait until something new is loaded
  shm_view.py follow                      each sample in order, until the last publisher exits
  shm_view.py follow --oldest             start with the oldest sample
  shm_view.py show --owner anna           what user anna shares (loader-app --mode)

A description of each sample goes to standard error, its content to standard output. The environment
variable SHM_CORE_DIR overrides the directory /dev/shm.
"""


def is_hidden(character: str) -> bool:
    """Returns True if a character controls a terminal or is invisible."""
    code = ord(character)
    return unicodedata.category(character) in ("Cc", "Cs") or any(
        first <= code <= last for first, last in INVISIBLE
    )


def printable(text: str, but: str = "") -> str:
    """Escapes hidden characters in untrusted text, except those in `but`."""

    def shown(character: str) -> str:
        hidden = is_hidden(character) and character not in but
        return f"\\u{{{ord(character):x}}}" if hidden else character

    return "".join(map(shown, text))


def say(line: str) -> None:
    """Prints a line of content. It may contain untrusted text."""
    print(printable(line), flush=True)


def tell(line: str) -> None:
    """Prints a message to stderr. It may contain untrusted text."""
    print(printable(line), file=sys.stderr, flush=True)


def list_segments(arguments: argparse.Namespace) -> None:
    """Prints a line about each segment."""
    place = Place(arguments.owner)
    keys = place.keys()
    if not keys:
        tell(f"There is no shared memory of {place.owner_name()} in {place.directory} now.")
    for key in keys:
        try:
            with Segment(place, key) as segment:
                say(f"{key}: {describe(segment)}")
        except ViewError as error:
            say(f"{key}: {error}")


def describe(segment: Segment) -> str:
    """Describes in one line the content of a segment and the processes that hold it."""
    if segment.is_stale():
        return "left over from a crash; viewer-app list removes it"
    if segment.words and segment.kind == BLOCK:
        content = f"block of {segment.block_bytes:,} bytes"
    elif segment.words and segment.kind == SEMAPHORE:
        content = f"semaphore, {segment.words.u64(LAST) & 0x7FFF:,} units available"
    else:
        content = describe_latest(Subscriber(segment))
    holders = [f"{slot.program} (process {slot.pid})" for slot in segment.slots()]
    readers = segment.readers()
    if readers:
        holders.append(f"{len(readers)} reading ({', '.join(map(str, readers[:8]))})")
    if segment.has_flag(PERSISTENT):
        holders.append("persistent")
    return f"{content}; {', '.join(holders)}"


def describe_latest(subscriber: Subscriber) -> str:
    """Describes the newest sample in one line."""
    sample = subscriber.latest()
    if sample is None:
        return "nothing loaded yet, or cleared"
    with sample:
        return sample.facts()


def show(arguments: argparse.Namespace) -> None:
    """Shows the newest sample, or the next one."""
    with Subscriber.attach(Place(arguments.owner), arguments.key) as subscriber:
        sample = (
            wait_for_next(subscriber, arguments.timeout) if arguments.next else subscriber.latest()
        )
        if sample is None:
            raise ViewError(
                f"Nothing is loaded into {arguments.key} yet. Wait for it: shm_view.py show --next"
            )
        with sample:
            deliver(sample, arguments)


def wait_for_next(subscriber: Subscriber, timeout: Optional[float]) -> Sample:
    """Waits for a sample that is newer than all present ones."""
    cursor = Cursor(subscriber)
    cursor.skip_all()
    tell(f"Waiting for what comes after sequence {cursor.sequence}.")
    waiting = Waiting(cursor, timeout)
    while True:
        sample = cursor.next()
        if sample is not None:
            return sample
        waiting.wait()


class Waiting:
    """Bounds the time without a new sample."""

    def __init__(self, cursor: Cursor, timeout: Optional[float]) -> None:
        self._cursor, self._timeout = cursor, timeout
        self.begin()
        if _FUTEX_NUMBER is None:
            tell(
                "The futex call of this processor is not known here: looking 20 times a second"
                " instead."
            )

    def begin(self) -> None:
        """Restarts the measurement."""
        self._deadline = time.monotonic() + (
            float("inf") if self._timeout is None else self._timeout
        )

    def wait(self) -> None:
        """Waits for one second at most. Raises ViewError when the time is up."""
        left = self._deadline - time.monotonic()
        if not self._cursor.wait(max(left, 0.0)) and left <= 0:
            raise ViewError(f"Nothing new was loaded within {self._timeout:g} s.")


def follow(arguments: argparse.Namespace) -> None:
    """Shows the newest sample and each later one, until the last publisher has detached."""
    with Subscriber.attach(Place(arguments.owner), arguments.key) as subscriber:
        cursor = Cursor(subscriber)
        if arguments.oldest:
            cursor.rewind()
        if arguments.new:
            cursor.skip_all()
            tell(f"Waiting for what comes after sequence {cursor.sequence}.")
        missed = Missed(cursor)
        try:
            follow_cursor(cursor, missed, arguments)
        except Ended as ended:
            tell(str(ended))
        finally:
            missed.tell()


def follow_cursor(cursor: Cursor, missed: Missed, arguments: argparse.Namespace) -> None:
    """Outputs one sample after the other."""
    waiting = Waiting(cursor, arguments.timeout)
    trouble = ""
    while True:
        try:
            sample = cursor.next()
            missed.tell_now_and_then()
            if sample is None:
                waiting.wait()
                continue
            trouble = ""
            waiting.begin()
            with sample:
                deliver(sample, arguments, ends_line=True)
        except (Damaged, Unreadable, Busy) as error:
            # The next sample may be intact. Damage that persists is reported once.
            if str(error) != trouble:
                trouble = str(error)
                tell(trouble)


class Missed:
    """Reports how many samples were missed, once a second at most."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._told = float("-inf")

    def tell_now_and_then(self) -> None:
        """Reports it, unless the last report is less than a second old."""
        if self._cursor.missed and time.monotonic() - self._told >= 1.0:
            self.tell()

    def tell(self) -> None:
        """Reports it, if any were missed since the last report."""
        missed = self._cursor.take_missed()
        if missed:
            tell(f"Missed {missed:,}: they came faster than they were shown.")
            self._told = time.monotonic()


def deliver(sample: Sample, arguments: argparse.Namespace, ends_line: bool = False) -> None:
    """Describes a sample and writes it to its destination; text as a line if `ends_line`."""
    tell(sample.facts())
    if arguments.hold:
        tell("Held until the end of standard input, or Ctrl-D.")
        sys.stdin.buffer.read()
    to_stdout = arguments.output in (None, "-")
    if isinstance(sample.metadata, Image) and arguments.output is None:
        tell("A picture goes to a file: --output FILE.png")
        return
    if not isinstance(sample.metadata, Text) and to_stdout and sys.stdout.isatty():
        raise Unreadable(
            "These bytes would garble the terminal. Write them to a file: --output FILE"
        )
    if to_stdout:
        with contextlib.ExitStack() as stack:
            # Output what was read, even if the rest cannot be read.
            stack.callback(sys.stdout.buffer.flush)
            write_content(sample, sys.stdout.buffer, ends_line, sys.stdout.isatty())
        return
    try:
        with open(arguments.output, "wb") as file:
            write_content(sample, file)
    except OSError as error:
        raise ViewError(f"{arguments.output} cannot be written: {error.strerror}.") from error


def write_content(
    sample: Sample, file: BinaryIO, ends_line: bool = False, escaped: bool = False
) -> None:
    """Writes text as UTF-8, a picture as PNG, anything else unchanged."""
    if isinstance(sample.metadata, Image):
        write_png(sample, file)
    elif isinstance(sample.metadata, Text):
        write_text(sample.text(), file, ends_line, escaped)
    else:
        file.writelines(sample.chunks())


def write_text(pieces: Iterator[str], file: BinaryIO, ends_line: bool, escaped: bool) -> None:
    """Writes text; escapes characters that control a terminal if `escaped`."""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    last = ""
    for piece in pieces:
        if escaped:
            # Line ends and tabs stay, and so do the joiners of emoji and of some scripts.
            piece = printable(newlines.decode(piece), but="\n\t\u200c\u200d")
        file.write(piece.encode())
        last = piece or last
    if ends_line and not last.endswith("\n"):
        file.write(b"\n")


def user(text: str) -> int:
    """Parses a user name or number."""
    if text.isdecimal():
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError:
        raise argparse.ArgumentTypeError(
            f"there is no user {text}; a number does as well"
        ) from None


def seconds(text: str) -> float:
    """Parses a duration in seconds."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return number


def command_line() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        description="Shows the content of named shared memory: texts, pictures and other bytes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    owner = argparse.ArgumentParser(add_help=False)
    owner.add_argument(
        "--owner", type=user, default=os.geteuid(), metavar="USER", help="whose shared memory"
    )
    common = argparse.ArgumentParser(add_help=False, parents=[owner])
    common.add_argument(
        "--key", default=DEFAULT_KEY, help="the name of the shared memory (%(default)s)"
    )
    common.add_argument(
        "--output", metavar="FILE", help="write to FILE, a picture as PNG; - is standard output"
    )
    common.add_argument(
        "--timeout", type=seconds, metavar="SECONDS", help="wait no longer than this"
    )
    common.add_argument(
        "--hold", action="store_true", help="hold it until standard input ends, then write it"
    )

    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", parents=[owner], help="list all segments").set_defaults(
        run=list_segments
    )
    one = commands.add_parser("show", parents=[common], help="show the newest sample")
    one.add_argument("--next", action="store_true", help="wait for the next sample instead")
    one.set_defaults(run=show)
    each = commands.add_parser(
        "follow", parents=[common], help="show each sample in order, starting with the newest"
    )
    begin = each.add_mutually_exclusive_group()
    begin.add_argument("--oldest", action="store_true", help="start with the oldest sample")
    begin.add_argument("--new", action="store_true", help="show only later samples")
    each.set_defaults(run=follow)
    return parser


def main() -> int:
    """Runs the command line. Returns the exit code."""
    # Like other filters, exit quietly in front of `| head`.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # where the locale is not UTF-8
    arguments = command_line().parse_args()
    try:
        arguments.run(arguments)
    except ViewError as error:
        tell(f"shm_view.py: {error}")
        return 1
    except OSError as error:
        tell(f"shm_view.py: The system does not go along: {error}.")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
