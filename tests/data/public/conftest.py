"""Small data sets in the layouts of the large ones, made of real clips."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from tones import tone

from calm_eval.data.item import Item
from calm_eval.data.load import suite_items
from calm_eval.specs.suite import load_suite


@dataclass(frozen=True)
class RealClip:
    id: str
    speaker: str | None
    text: str
    path: Path
    seconds: float


def _clips(wanted: str) -> list[RealClip]:
    root = os.environ.get("CALM_EVAL_TEST_DATA")
    if not root:
        pytest.skip("CALM_EVAL_TEST_DATA is not set")
    rows = map(json.loads, (Path(root) / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    told = [(row, row.get("text") or row["caption"]) for row in rows if row["set"] == wanted]
    return [
        RealClip(row["id"], row.get("speaker"), text, Path(root) / row["path"], row["duration"]) for row, text in told
    ]


@pytest.fixture(scope="session")
def speech() -> list[RealClip]:
    """Twelve LibriSpeech utterances of two speakers with transcripts, FLAC of 16 kHz."""
    clips = _clips("librispeech_test-other")
    return [*clips[:6], *clips[-6:]]


@pytest.fixture(scope="session")
def music() -> list[RealClip]:
    """Two tracks of about 31 s with captions, Opus of 48 kHz in stereo."""
    return _clips("acestep_immich")[:2]


@pytest.fixture(scope="session")
def sounds() -> list[RealClip]:
    """Six recordings of 10 s with captions, FLAC of 44.1 or 48 kHz in stereo."""
    return _clips("ibm_max")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts and records of first use belong to one test."""
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CALM_EVAL_DATA", raising=False)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of the suite that `read` writes."""
    folder = tmp_path / "suite"
    folder.mkdir()
    return folder


@pytest.fixture
def read(place: Path) -> Callable[..., list[Item]]:
    """Items of a suite that names a loader with options; `suite` replaces keys of the suite."""

    def call(loader: str, suite: dict[str, Any] | None = None, **options: Any) -> list[Item]:
        spec = {
            "name": "small",
            "version": 1,
            "task": "tts",
            "title": "Small",
            "items": {"dataset": {"loader": loader, "options": options}},
            "metrics": ["rtf"],
            **(suite or {}),
        }
        file = place / "small.yaml"
        file.write_text(yaml.safe_dump(spec), encoding="utf-8")
        return suite_items(load_suite(str(file)))

    return call


@pytest.fixture
def write_tone(place: Path) -> Callable[..., Path]:
    """Write a tone of a length in seconds at 8 kHz below the suite's folder; returns its path."""

    def make(name: str, seconds: float = 0.5, frequency: float = 300) -> Path:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = tone(seconds, frequency)[: round(8000 * seconds)] if seconds else np.zeros(0)
        soundfile.write(path, samples, 8000)
        return path

    return make


@pytest.fixture
def librispeech_tree(place: Path, speech: list[RealClip]) -> Path:
    """All clips as LibriSpeech unpacks them: SPEAKER/CHAPTER/ID.flac (links) and capital transcripts."""
    top = place / "LibriSpeech" / "test-other"
    for clip in speech:
        speaker, chapter, _ = clip.id.split("-")
        folder = top / speaker / chapter
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{clip.id}.flac").symlink_to(clip.path)
        with (folder / f"{speaker}-{chapter}.trans.txt").open("a", encoding="utf-8") as file:
            file.write(f"{clip.id} {clip.text.upper()}\n")
    return top
