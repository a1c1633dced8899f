"""Run a command under an outer stopwatch and watch the memory of its whole process tree."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """Wall seconds, exit code, and the highest resident memory seen (bytes): of the process itself, and of its tree."""

    seconds: float
    code: int
    peak_own: int
    peak_tree: int
    output: str


def run_measured(argv: list[str], cwd: Path, interval: float = 0.1) -> Measured:
    """Run to the end; memory is read from /proc every `interval` seconds."""
    began = time.perf_counter()
    process = subprocess.Popen(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peaks = [0, 0]
    watching = threading.Event()

    def watch() -> None:
        while not watching.wait(interval):
            own, tree = _resident(process.pid)
            peaks[0], peaks[1] = max(peaks[0], own), max(peaks[1], tree)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - began
    watching.set()
    thread.join()
    return Measured(seconds, process.returncode, peaks[0], peaks[1], output)


def _resident(root: int) -> tuple[int, int]:
    """Resident bytes of a process and of it with all its descendants."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    page = os.sysconf("SC_PAGE_SIZE")
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(folder.name)] = int(fields[1])
        sizes[int(folder.name)] = int(fields[21]) * page
    family = {root}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sizes.get(root, 0), sum(sizes.get(pid, 0) for pid in family)
