"""The environment of a number: recorded beside it, compared when something moved, never part of its identity."""

from __future__ import annotations

import functools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from calm_eval import __version__
from calm_eval.runs.database import Database
from calm_eval.systems.engine import Conditions

_PACKAGES = (
    "numpy", "soundfile", "soxr", "jiwer", "whisper-normalizer", "faster-whisper", "ctranslate2", "openai-whisper",
    "onnxruntime", "onnx", "torch", "torchaudio", "transformers", "webrtcvad-wheels", "piper-tts", "espeakng-loader",
    "pandas",
)  # fmt: skip


def describe_environment(conditions: Conditions) -> dict[str, Any]:
    """Versions, machine, conditions and the revision of the source checkout, as JSON values."""
    return {
        "calm_eval": __version__,
        "revision": _revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "packages": _versions(),
        **asdict(conditions),
    }


@functools.cache
def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


@functools.cache
def _revision() -> str | None:
    """Git revision of a source checkout, with `+` when it has local changes; None for an installed package."""
    root = Path(__file__).resolve().parent.parent.parent
    if not (root / ".git").exists():
        return None
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
        changes = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


def last_environment(database: Database) -> dict[str, Any]:
    """What `describe_environment` said for the newest environment that worked on a run; empty where none did."""
    row = database.connection.execute("SELECT json FROM environments ORDER BY rowid DESC LIMIT 1").fetchone()
    told: dict[str, Any] = json.loads(row[0]) if row is not None else {}
    return told


def flat_environment(about: Mapping[str, Any]) -> dict[str, str]:
    """An environment as names and words, each package by its own name."""
    flat = {name: str(value) for name, value in about.items() if name != "packages"}
    return {**flat, **{f"package {name}": str(version) for name, version in about.get("packages", {}).items()}}
