"""`kill -9` at any moment, then the same command: same quality columns, nothing finished is made twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd

SYSTEM = """
import os, time
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo

class Slow:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000, version=1)
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return None
    def generate(self, requests, sampling):
        for request in requests:
            time.sleep(0.04)
            level = 0.1 + int(request.item.split("-")[1]) / 100
            yield Chunk(request.item, request.seed, array("f", [level, -level] * 2000), 16000)
            with open(os.environ["GENERATION_LOG"], "a") as log:
                log.write(request.item + "\\n")
            yield Done(request.item, request.seed)

def create():
    return Slow()
"""

QUALITY = ["suite", "variant", "metric", "preset", "value", "low", "high", "n_scored", "n_expected", "fingerprint"]


def quality(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "summary.csv")
    return table[table["metric"] == "demo_level"][QUALITY].reset_index(drop=True)


def finished(folder: Path) -> dict[str, float]:
    """Items of the slow system whose row is stored, with their measured seconds."""
    path = folder / "run.sqlite"
    if not path.is_file():
        return {}
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        query = "SELECT item, generate_seconds FROM samples WHERE system = 'slow' AND audio IS NOT NULL"
        return dict(connection.execute(query).fetchall())
    except sqlite3.OperationalError:
        return {}
    finally:
        connection.close()


def test_ten_kills_lose_nothing_and_repeat_nothing(tmp_path, tone_suite, write_system):
    n = 24
    suite, system = tone_suite(n), write_system("slow", SYSTEM)
    log = tmp_path / "generations.log"
    argv = [sys.executable, "-m", "calm_eval.cli", "run", str(suite), "--systems", str(system), "reference", "--out"]
    environment = {**os.environ, "GENERATION_LOG": str(log)}

    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*argv, str(folder)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    whole = start(tmp_path / "whole")
    began = time.monotonic()
    assert whole.wait(timeout=120) == 0
    duration = time.monotonic() - began
    expected = quality(tmp_path / "whole")

    chance = random.Random(20261121)
    kills = []
    for attempt in range(10):
        folder = tmp_path / f"killed-{attempt}"
        log.write_text("")
        killed = start(folder)
        if attempt % 2:
            # Half of the kills fall on a run that is at work, however long it took to start.
            while not log.read_text() and killed.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.2) * duration)
        else:
            time.sleep(chance.uniform(0.02, 1.0) * duration)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        made_before = Counter(log.read_text().split())
        stored_before = finished(folder)
        kills.append(len(stored_before))
        resumed = start(folder)
        _, said = resumed.communicate(timeout=120)
        assert resumed.returncode == 0, said.decode()
        made_after = Counter(log.read_text().split()) - made_before
        # Nothing that was stored is made again; what was in flight may be.
        assert not set(stored_before) & set(made_after)
        assert set(stored_before) | set(made_after) == {f"item-{number}" for number in range(n)}
        assert max(made_after.values(), default=1) == 1
        pd.testing.assert_frame_equal(quality(folder), expected, check_exact=True)
        # Timing keeps its first measurement.
        stored_after = finished(folder)
        assert {item: stored_after[item] for item in stored_before} == stored_before
        assert not list(folder.rglob(".writing-*"))
        assert not (folder / "scratch").exists()
    # The kills hit the middle of the work, not only its edges.
    assert any(0 < count < n for count in kills)


def test_a_killed_harness_takes_its_child_along(tmp_path, tone_suite, write_system):
    pid_file = tmp_path / "pid"
    code = SYSTEM.replace("time.sleep(0.04)", f"open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    suite, system = tone_suite(1), write_system("slow", code)
    argv = [sys.executable, "-m", "calm_eval.cli", "run", str(suite), "--systems", str(system), "--out", "r"]
    parent = subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 30
    while not (pid_file.is_file() and pid_file.read_text()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    child = int(pid_file.read_text())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    while _alive(child):
        assert time.monotonic() < limit, "the child outlived the harness"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
