"""Watches programs start on a virtual display: startup.py ROUNDS FOLDER QT_DIALOG (see startup.sh)."""

import mmap
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 20.0
# Every so many pixels, in both directions, are looked at.
STEP = 12
# So many colours that were not there before are a drawing, not a background.
COLOURS = 3


class Display:
    """A display without a window manager, whose frame buffer is a file."""

    def __init__(self, folder):
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1200x24", "-noreset",
             "-nolisten", "tcp", "-fbdir", folder],
            pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.name = ":" + pipe.readline().strip()
        with open(Path(folder, "Xvfb_screen0"), "rb") as file:
            self.memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        header = struct.unpack(">25I", self.memory[:100])
        size, self.width, self.height, self.line, colours = (header[i] for i in (0, 4, 5, 12, 19))
        self.begin = size + 12 * colours

    def colours(self):
        """The colours on a grid."""
        seen = set()
        for y in range(0, self.height, STEP):
            start = self.begin + y * self.line
            row = memoryview(self.memory)[start : start + 4 * self.width].cast("I")
            seen.update(row[::STEP])
        return seen

    def wait_for_drawing(self, before):
        """The moment at which enough appears that was not there before."""
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            if len(self.colours() - before) >= COLOURS:
                return time.perf_counter()
        sys.exit("nothing was drawn in time")


def resident(pid):
    """Resident memory in MB: all of it, and what is the program's own."""
    fields = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "RssAnon"):
            fields[name] = int(value.split()[0]) / 1000
    return fields["VmRSS"], fields["RssAnon"]


def start(command, environment):
    """Starts a program on a display of its own; seconds to its first drawing, its memory a second later."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="startup.") as place:
        display = Display(place)
        environment = environment | {
            "DISPLAY": display.name, "SHM_CORE_DIR": place, "XDG_CONFIG_HOME": place + "/config"}
        program = None
        try:
            before = display.colours()
            began = time.perf_counter()
            program = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            drawn = display.wait_for_drawing(before) - began
            time.sleep(1)
            return drawn, *resident(program.pid)
        finally:
            for one in (program, display.server):
                if one:
                    one.kill()
                    one.wait()


def spread(figures, unit):
    ordered = sorted(figures)
    return f"{statistics.median(ordered):.0f} {unit} ({ordered[0]:.0f} .. {ordered[-1]:.0f})"


def main():
    rounds, folder, qt = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    programs = {"SharedMemoryLoad": folder / "loader-app", "ShowSharedMem": folder / "viewer-app"}
    if qt.exists():
        programs["Qt's dialog"] = qt
    # Neither a session bus nor Wayland, whatever the machine has.
    environment = os.environ | {
        "QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": "", "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    figures = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            figure = start([str(program)], environment)
            # The first turn fetches files from the disk.
            if turn:
                figures[name].append(figure)
    print(f"load {os.getloadavg()[0]:.1f}; median (least .. most) of {rounds} rounds")
    print("| | start to first drawing | resident memory | of it the program's own | program |")
    print("| --- | --- | --- | --- | --- |")
    for name, rows in figures.items():
        drawn, all_of_it, own = zip(*rows)
        size = programs[name].stat().st_size / 1e6
        print(f"| {name} | {spread([1e3 * value for value in drawn], 'ms')} | {spread(all_of_it, 'MB')} "
              f"| {spread(own, 'MB')} | {size:.1f} MB |")
    if "Qt's dialog" in figures:
        for name in list(figures)[:2]:
            ratios = [statistics.median(a[i] / b[i] for a, b in zip(figures[name], figures["Qt's dialog"]))
                      for i in (0, 1)]
            print(f"{name} beside Qt's dialog: start {ratios[0]:.2f}, resident memory {ratios[1]:.2f}")


main()
