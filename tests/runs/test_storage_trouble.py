"""A full disk, a folder that cannot be written, a second process, a foreign folder: said in words, nothing lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time

import pytest

from calm_eval import evaluate, load_run
from calm_eval.errors import StoreError


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if done.returncode:
        pytest.skip("mounting needs rights that this machine does not give")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk_is_said_and_nothing_finished_is_lost(tmp_path, small_disk, tone_suite, write_system, cli):
    noise = """
import random
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo
class Noise:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000, version=1)
    def load(self, device, dtype, threads): pass
    def generate(self, requests, sampling):
        for r in requests:
            draw = random.Random(r.item)
            yield Chunk(r.item, r.seed, array("f", [draw.uniform(-1, 1) for _ in range(60000)]), 16000)
            yield Done(r.item, r.seed)
def create(): return Noise()
"""
    suite, system = tone_suite(16), write_system("noise", noise)
    out = small_disk / "run"
    full = cli("run", suite, "--systems", system, "--out", out)
    assert full.returncode == 2
    assert "the disk is full" in full.stderr
    assert "run the same command again" in full.stderr
    assert "Traceback" not in full.stderr
    kept = load_run(out).samples().dropna(subset=["audio"])
    assert 0 < len(kept) < 16
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    again = cli("run", suite, "--systems", system, "--out", out)
    assert again.returncode == 0, again.stderr
    run = load_run(out)
    assert run.samples()["audio"].notna().all()
    assert run.samples().set_index("item").loc[kept["item"], "made_at"].tolist() == kept["made_at"].tolist()


def test_an_out_that_cannot_be_a_folder(tmp_path, tone_suite, cli):
    (tmp_path / "file").write_text("x")
    for out in ("file", "file/below", "/proc/nothing"):
        done = cli("run", tone_suite(1), "--out", out)
        assert done.returncode == 2
        assert "--out" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder(tmp_path, tone_suite, cli):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = cli("run", tone_suite(1), "--out", "locked/run")
    assert done.returncode == 2
    assert "--out" in done.stderr


def test_a_folder_with_other_things_is_left_alone(tmp_path, tone_suite):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError, match=r"is not a run and not empty \(holds thesis.tex\)"):
        evaluate(str(tone_suite(1)), out=tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_a_second_process_on_the_same_run_is_refused(tmp_path, tone_suite, write_system):
    slow = """
import time
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo
class Slow:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000, version=1)
    def load(self, device, dtype, threads): pass
    def generate(self, requests, sampling):
        for r in requests:
            time.sleep(1.5)
            yield Chunk(r.item, r.seed, array("f", [0.25, -0.25] * 4000), 16000)
            yield Done(r.item, r.seed)
def create(): return Slow()
"""
    suite, system = tone_suite(2), write_system("slow", slow)
    argv = [sys.executable, "-m", "calm_eval.cli", "run", str(suite), "--systems", str(system), "--out", "run"]
    first = subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 30
    while not (tmp_path / "run" / "run.sqlite").is_file():
        assert time.monotonic() < limit
        time.sleep(0.05)
    second = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert f"another process (pid {first.pid}) is working on this run" in second.stderr
    assert first.wait(timeout=60) == 0
    assert (load_run(tmp_path / "run").summary()["n_scored"] == 2).all()


def test_reading_while_another_writes_is_allowed(tmp_path, tone_suite):
    from calm_eval.runs.database import Database

    evaluate(str(tone_suite(1)), out=tmp_path / "run")
    writer = Database(tmp_path / "run", write=True)
    try:
        assert len(load_run(tmp_path / "run").summary()) == 4
    finally:
        writer.close()


def test_what_is_no_run_or_from_another_version_or_damaged(tmp_path, tone_suite, cli):
    assert "no run here" in cli("report", tmp_path).stderr
    out = tmp_path / "run"
    evaluate(str(tone_suite(1)), out=out)
    with sqlite3.connect(out / "run.sqlite") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    connection.close()
    done = cli("report", out)
    assert (done.returncode, "schema 99" in done.stderr) == (2, True)
    (out / "run.sqlite").write_bytes(b"this is no database" * 1000)
    done = cli("report", out)
    assert (done.returncode, "damaged" in done.stderr, "Traceback" in done.stderr) == (2, True, False)
