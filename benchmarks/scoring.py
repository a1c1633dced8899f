"""Memory and time of scoring many clips, and how fast clips are read: the harness around the judges.

`python benchmarks/scoring.py [MANY] [FEW]`. Audio is synthetic and the embedder is a stub (`scoring_child.py`). The
reading speed of the package frechet-audio-distance 0.3.4 is measured beside ours when `CALM_EVAL_FAD_PYTHON` names an
interpreter that has it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from bar import Bar
from measured_process import Measured, run_measured

from calm_eval.audio.read import read_sound
from calm_eval.audio.resample import to_mono

MANY, FEW, CACHED = 10_000, 500, 1_000
SECONDS = 10
MEGABYTES = 100
SECOND_SCORING = 2.0
TIMES = 10
READ = 40

PEER = """
import sys, time
from frechet_audio_distance.fad import load_audio_task
import glob
files = sorted(glob.glob(sys.argv[1] + "/*.wav"))
load_audio_task(files[0], 16000, 1)
began = time.perf_counter()
from multiprocessing.dummy import Pool
with Pool(2) as pool:
    pool.starmap(load_audio_task, [(file, 16000, 1) for file in files])
print(len(files) / (time.perf_counter() - began))
"""


def write_clips(folder: Path, count: int, rate: int = 16000, seconds: float = SECONDS, kind: str = "flac") -> None:
    """`count` different clips: tones of many pitches, which compress well."""
    folder.mkdir(parents=True)
    times = np.arange(int(rate * seconds)) / rate
    for number in range(count):
        tone = 0.3 * np.sin(2 * np.pi * (100 + 0.37 * number) * times) * (0.2 + np.sin(0.5 * np.pi * times) ** 2)
        soundfile.write(folder / f"clip-{number:05d}.{kind}", tone, rate, subtype="PCM_16")


def scored(work: Path, count: int) -> Measured:
    """Score `count` clips against 200 others in a process of its own."""
    write_clips(work / f"made-{count}", count)
    if not (work / "true").exists():
        write_clips(work / "true", 200, seconds=SECONDS / 2)
    child = Path(__file__).with_name("scoring_child.py")
    argv = [str(child), str(work / f"made-{count}"), str(work / "true"), str(work / f"run-{count}")]
    found = run_measured([sys.executable, *argv], cwd=work)
    if found.code:
        raise RuntimeError(found.output)
    return found


def second_scoring(found: Measured) -> float:
    """What the child printed."""
    said = re.search(r"second scoring: ([\d.]+) s", found.output)
    if said is None:
        raise RuntimeError(found.output)
    return float(said[1])


def reading_speed(folder: Path) -> float:
    """Clips per second, read and brought to 16 kHz mono by two threads."""
    files = sorted(folder.glob("*.wav"))
    to_mono(read_sound(files[0]), 16000)
    began = time.perf_counter()
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda file: to_mono(read_sound(file), 16000), files))
    return len(files) / (time.perf_counter() - began)


def peer_speed(folder: Path) -> float | None:
    """The same by frechet-audio-distance, or None without an interpreter that has it."""
    interpreter = os.environ.get("CALM_EVAL_FAD_PYTHON")
    if interpreter is None:
        return None
    argv = [interpreter, "-c", PEER, str(folder)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout.split()[-1])


def bars(many: int = MANY, few: int = FEW) -> list[Bar]:
    """Memory of many clips over that of few, the time of a second scoring, and the speed of reading."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        large, small, cached = (scored(work, count) for count in (many, few, CACHED))
        more = (large.peak_tree - small.peak_tree) / 1e6
        text = f"{more:+.0f} MB ({large.peak_tree / 1e6:.0f} against {small.peak_tree / 1e6:.0f})"
        name = f"memory for {many:,} clips of {SECONDS} s above that for {few:,}, stub embedder"
        found.append(Bar(name, f"at most {MEGABYTES} MB", text, more <= MEGABYTES))
        spent = second_scoring(cached)
        name = f"second scoring of {CACHED:,} clips whose embeddings are cached"
        found.append(Bar(name, f"under {SECOND_SCORING:g} s", f"{spent:.2f} s", spent < SECOND_SCORING))
        write_clips(work / "read", READ, rate=44100, kind="wav")
        ours, theirs = reading_speed(work / "read"), peer_speed(work / "read")
        name = "reading 44.1 kHz clips to 16 kHz, against frechet-audio-distance 0.3.4"
        if theirs is None:
            found.append(Bar(name, f"at least {TIMES} times", f"{ours:.0f} clips/s; the package is not here", None))
        else:
            text = f"{ours / theirs:.1f} times ({ours:.0f} against {theirs:.1f} clips/s)"
            found.append(Bar(name, f"at least {TIMES} times", text, ours >= TIMES * theirs))
    return found


if __name__ == "__main__":
    for one in bars(*map(int, sys.argv[1:3])):
        print(one)
