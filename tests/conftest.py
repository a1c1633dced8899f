"""What every test may use: the third-party package, a suite of tones, and the command line as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import yaml
from tones import tone

THIRD_PARTY = Path(__file__).parent / "third_party"


@pytest.fixture(autouse=True)
def _third_party_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the demo package where an installed one would be, for this process and its children."""
    monkeypatch.syspath_prepend(str(THIRD_PARTY))
    monkeypatch.setenv("PYTHONPATH", str(THIRD_PARTY))


@pytest.fixture
def tone_suite(tmp_path: Path) -> Callable[..., Path]:
    """Write a suite of `n` short tone items judged by level and timed; returns its file."""

    def make(n: int = 4, **changes: object) -> Path:
        folder = tmp_path / "suite"
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        rows = []
        for number in range(n):
            for kind, frequency in (("reference", 300 + 10 * number), ("prompt", 200)):
                path = folder / "audio" / f"{kind}-{number}.wav"
                soundfile.write(path, tone(0.3, frequency), 16000)
            rows.append(
                {
                    "id": f"item-{number}",
                    "text": "a tone " + "la " * (number + 1),
                    "speaker": "sine",
                    "reference": f"audio/reference-{number}.wav",
                    "prompt": f"audio/prompt-{number}.wav",
                }
            )
        (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        suite = {
            "name": "tones",
            "version": 1,
            "task": "tts",
            "title": "Tones",
            "items": {"manifest": "items.jsonl"},
            "metrics": ["demo_level", "rtf"],
            "systems": ["demo-sine", "reference"],
            **changes,
        }
        file = folder / "tones.yaml"
        file.write_text(yaml.safe_dump(suite))
        return file

    return make


@pytest.fixture
def write_system(tmp_path: Path) -> Callable[..., Path]:
    """Write a Python system (its `generate` body) and its file; returns the file."""

    def make(name: str, code: str, **spec: object) -> Path:
        folder = tmp_path / f"system_{name}"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}_module.py").write_text(code)
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({"name": name, "python": f"{name}_module:create", **spec}))
        return file

    return make


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as a user does, in an empty folder."""

    def call(*words: object, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "calm_eval.cli", *map(str, words)]
        env = {**os.environ, **environment}
        return subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=timeout, check=False)

    return call


@pytest.fixture
def renamed(tmp_path: Path) -> Callable[[str], str]:
    """The file of a bundled preset under another name, to which no checkpoint belongs: an untrained model."""

    def copy(name: str) -> str:
        from reference_models.presets import names

        text = names()[name].read_text(encoding="utf-8")
        path = tmp_path / "untrained.yaml"
        path.write_text(text.replace(f"name: {name}", "name: untrained", 1), encoding="utf-8")
        return str(path)

    return copy
