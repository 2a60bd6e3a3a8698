"""One side of 64-byte round trips through multiprocessing.shared_memory: ask | answer NAME CORE."""

import os
import struct
import sys
import time
from multiprocessing import shared_memory

role, name, core = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.sched_setaffinity(0, {core})
asks = role == "ask"
if asks:
    memory = shared_memory.SharedMemory(name=name, create=True, size=8192)
else:
    memory = shared_memory.SharedMemory(name=name)
    # Older resource trackers destroy the segment when a process that only attached exits.
    from multiprocessing import resource_tracker
    resource_tracker.unregister(memory._name, "shared_memory")
there, back = (0, 4096) if asks else (4096, 0)
words = memory.buf.cast("Q")
number = 0


def put():
    payload = struct.pack("<8Q", *[number] * 8)
    memory.buf[there + 64 : there + 128] = payload
    words[there // 8] = number


def take():
    while words[back // 8] != number:
        pass
    payload = bytes(memory.buf[back + 64 : back + 128])
    if payload != struct.pack("<8Q", *[number] * 8):
        sys.exit("a payload did not arrive whole")


print("ready", flush=True)
for order in sys.stdin:
    figures = []
    for _ in range(int(order)):
        number += 1
        if asks:
            began = time.perf_counter_ns()
            put()
            take()
            figures.append((time.perf_counter_ns() - began) / 2)
        else:
            take()
            put()
    print(*figures if asks else ["done"], flush=True)

words.release()
memory.close()
if asks:
    memory.unlink()
