"""`calm-eval doctor`: what can run here, what is missing, and how to get it."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Mapping
from importlib import metadata

from calm_eval import __version__
from calm_eval.assets import cache_folder
from calm_eval.doctor_suites import suite_needs
from calm_eval.judges import JUDGES
from calm_eval.judges.readiness import readiness
from calm_eval.specs.locate import bundled_names
from calm_eval.specs.suite import load_suite

_HEAVY = ("torch", "torchaudio", "onnxruntime", "faster_whisper", "whisper", "piper", "espeakng_loader", "music21")
"""Packages of extras that are told by version, or by why they cannot be imported."""


def doctor() -> str:
    """A report in plain text. Loads no weights and fetches nothing."""
    lines = [f"calm-eval {__version__}, Python {platform.python_version()}, {platform.platform()}, {_devices()}"]
    lines += [f"cache: {cache_folder()} ({_writable()})", "", "judges"]
    states = {name: readiness(name) for name in JUDGES.targets()}
    width = max(map(len, states))
    lines += [f"  {name:<{width}}  {state.told}" for name, state in states.items()]
    lines += ["", "bundled suites"]
    lines += [f"  {line}" for line in suite_lines()]
    lines += ["", "data of the bundled suites"]
    lines += [f"  {line}" for line in data_lines()]
    lines += ["", "packages"]
    found = metadata.packages_distributions()
    lines += [f"  {name:<{width}}  {_version(name, found)}" for name in _HEAVY]
    return "\n".join(lines)


def suite_lines() -> list[str]:
    """For each bundled suite, what its judges still need here and the one command that fetches it."""
    return [f"{name}: {suite_needs(name).told(name)}" for name in bundled_names("suite")]


def data_lines() -> list[str]:
    """The data root, and for each bundled suite with public data whether it is there."""
    from calm_eval.data.datasets.root import VARIABLE, data_root, missing_parts

    lines = [f"data root: {data_root()} (set {VARIABLE} to use another)"]
    for name in bundled_names("suite"):
        data = load_suite(name).spec.data
        if data is None:
            continue
        missing = [f"{part.name} (at {part.put})" for part in missing_parts(data)]
        told = f"missing: {', '.join(missing)}; `calm-eval run {name} --dry-run` says where to get it"
        lines.append(f"{name}: " + (told if missing else "there"))
    return lines


def _devices() -> str:
    try:
        import torch
    except (ImportError, OSError, RuntimeError):
        return "no torch"
    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name()}"
    return "mps" if torch.backends.mps.is_available() else "cpu alone"


def _writable() -> str:
    folder = cache_folder()
    there = folder if folder.exists() else next(one for one in folder.parents if one.exists())
    return "writable" if os.access(there, os.W_OK) else "NOT writable: set CALM_EVAL_CACHE"


def _version(package: str, distributions: Mapping[str, list[str]]) -> str:
    try:
        module = importlib.import_module(package)
    except ImportError:
        return "not installed"
    except (OSError, RuntimeError) as error:
        return f"cannot be imported: {type(error).__name__}: {str(error).splitlines()[0]}"
    names = distributions.get(module.__name__, [])
    return metadata.version(names[0]) if names else "installed"
