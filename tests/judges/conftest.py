from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from calm_eval.assets import fetch
from calm_eval.errors import UnavailableError
from calm_eval.judges.dnsmos import DnsmosJudge
from calm_eval.judges.faster_whisper import FasterWhisperJudge, whisper_tiny_en
from calm_eval.judges.resemblyzer import ResemblyzerJudge


@dataclass(frozen=True)
class Utterance:
    speaker: str
    text: str
    audio: NDArray[np.float32]


@pytest.fixture(scope="session")
def utterances() -> list[Utterance]:
    """Fifty LibriSpeech utterances of five speakers, 16 kHz."""
    root = os.environ.get("CALM_EVAL_TEST_DATA")
    if not root:
        pytest.skip("CALM_EVAL_TEST_DATA is not set")
    rows = (Path(root) / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for row in map(json.loads, rows):
        if row["set"] == "librispeech_test-other":
            audio, rate = soundfile.read(Path(root) / row["path"], dtype="float32")
            assert rate == 16000
            found.append(Utterance(row["speaker"], row["text"], audio))
    assert len(found) == 50
    return found


@pytest.fixture(scope="session")
def voice() -> NDArray[np.float32]:
    """Four seconds at 16 kHz of something a voice detector takes for speech: glottal pulses through two formants."""
    rng = np.random.default_rng(7)
    time = np.arange(64000) / 16000
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * time)
    phase = np.cumsum(pitch) / 16000
    pulses = np.diff(np.floor(phase), prepend=0.0)
    envelope = np.clip(np.sin(2 * np.pi * 2.5 * time), 0, None)
    audio = np.zeros_like(time)
    for hertz, width in ((600, 90), (1300, 120)):
        decay = np.exp(-np.pi * width * time[:800]) * np.sin(2 * np.pi * hertz * time[:800])
        audio += np.convolve(pulses, decay)[: time.size]
    audio = audio * envelope + 1e-3 * rng.standard_normal(time.size)
    return (0.3 * audio / np.abs(audio).max()).astype(np.float32)


def available(asset: str) -> None:
    try:
        fetch(asset)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")


@pytest.fixture(scope="session")
def tiny_en() -> Iterator[FasterWhisperJudge]:
    available("whisper-tiny.en-ct2")
    judge = whisper_tiny_en()
    judge.load("cpu", 2)
    yield judge
    judge.close()


@pytest.fixture(scope="session")
def encoder() -> Iterator[ResemblyzerJudge]:
    available("resemblyzer")
    judge = ResemblyzerJudge()
    judge.load("cpu", 2)
    yield judge
    judge.close()


@pytest.fixture(scope="session")
def dnsmos() -> Iterator[DnsmosJudge]:
    available("dnsmos")
    judge = DnsmosJudge()
    judge.load("cpu", 2)
    yield judge
    judge.close()


@pytest.fixture(scope="session")
def unpacked_wheel(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A peer package, downloaded without its dependencies and unpacked, not installed."""

    def unpack(requirement: str) -> Path:
        folder = tmp_path_factory.mktemp("peer")
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
        done = subprocess.run([*pip, "--dest", str(folder), requirement], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"cannot download {requirement}: {done.stderr.strip()[-200:]}")
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        return folder

    return unpack
