"""Planted regressions of a real mini: does the gate find each one, and blame it rightly?

Everything is measured on sentences of the corpus mini-speech by mini-calm-tts, two seeds. The baseline keeps its audio.
Each candidate is a whole run of its own in which one thing is wrong.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from bar import Bar
from noisy_head import noisy_head

import calm_eval
from calm_eval.assets import fetch
from calm_eval.gate.baseline import accept
from calm_eval.gate.decide import GateReport, Line
from calm_eval.gate.gate_run import Blame, gate_run
from calm_eval.metrics import word_error_rate
from calm_eval.metrics.normalisers import NONE
from calm_eval.runs.run import Run

SYSTEM, ITEMS, SEEDS, ANEW = "mini-calm-tts", 24, 2, 4
MISSING = 10
HEAD_NOISE = 0.2
"""Standard deviation of the noise, as a share of that of each weight matrix of the head."""
SILU = """
import torch

torch.nn.functional.silu = lambda x, inplace=False: torch.relu(x)
"""
SUITE: Mapping[str, Any] = {
    "name": "planted",
    "version": 1,
    "task": "tts",
    "title": "Planted regressions",
    "items": {
        "corpus": "mini-speech",
        "tag": "sentence",
        "speaker": "piper-joe",
        "prompt_seconds": 3.0,
        "count": ITEMS,
    },
    "metrics": ["wer", "speaker_similarity"],
    "systems": [SYSTEM],
}
POLICY: Mapping[str, Any] = {
    "policy": "planted",
    "gates": [
        {"suite": "planted", "row": SYSTEM, "metric": "wer", "margin": 3.0, "unit": "%"},
        {"suite": "planted", "row": SYSTEM, "metric": "speaker_similarity", "margin": 0.005, "unit": "cosine"},
    ],
}


@dataclass(frozen=True)
class Planted:
    """One thing that is wrong in the candidate: what, how it is made, how it is asked about, and the right answer."""

    what: str
    metric: str
    cause: str
    suite: Mapping[str, Any] = field(default_factory=dict)
    system: Callable[[Path], str] = lambda _: SYSTEM
    today: Callable[[], AbstractContextManager[Any]] = nullcontext
    blame: Blame = field(default_factory=Blame)


def bars(work: Path | None) -> list[Bar]:
    """One for each planted regression, and one for a candidate in which nothing is wrong."""
    with tempfile.TemporaryDirectory() as spare:
        folder = work / "planted" if work is not None else Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        baseline = _baseline(folder)
        return [
            _unchanged(folder, baseline),
            _nothing_lost(folder, baseline),
            *(_bar(one, folder, baseline) for one in planted(folder)),
        ]


def planted(folder: Path) -> Iterator[Planted]:
    """The regressions that the project names, each with the cause that the gate must tell."""
    yield Planted(
        f"noise of {HEAD_NOISE:.0%} on the weights of the head; {ANEW} items made anew",
        "speaker_similarity",
        "model",
        system=_noisy_head,
        blame=Blame(items=ANEW, system=SYSTEM),
    )
    yield Planted(
        "WER without its normaliser; the baseline's sounds scored again",
        "wer",
        "metric",
        today=_no_normaliser,
        blame=Blame(again=True),
    )
    yield Planted(
        f"a PyTorch whose SiLU is a ReLU; {ANEW} items made anew",
        "speaker_similarity",
        "environment",
        today=partial(_other_silu, folder),
        blame=Blame(items=ANEW),
    )
    yield Planted(f"a folder of the same sounds without {MISSING} files", "wer", "coverage", system=_folder_with_gaps)
    weights = str(_other_weights(folder))
    judge = {"name": "resemblyzer", "options": {"path": weights}}
    yield Planted(
        "a judge with other weights",
        "speaker_similarity",
        "fingerprint",
        suite={"metrics": ["wer", {"name": "speaker_similarity", "judge": judge}]},
    )


def _baseline(folder: Path) -> Path:
    target = folder / "baseline"
    if not target.is_dir():
        policy = folder / "policy.yaml"
        policy.write_text(yaml.safe_dump(dict(POLICY)), encoding="utf-8")
        accept(_run(folder, "before", {}, SYSTEM, {}), target, "as trained", policy=policy, audio=True)
    return target


def _unchanged(folder: Path, baseline: Path) -> Bar:
    _run(folder, "again", {}, SYSTEM, {})
    report = gate_run(folder / "again", baseline)
    return Bar("nothing is wrong: made again", "PASS", _told(report), report.verdict == "PASS")


def _nothing_lost(folder: Path, baseline: Path) -> Bar:
    """Another precision changes every sound, which is no loss by itself."""
    _run(folder, "bfloat16", {}, SYSTEM, {"dtype": "bfloat16"})
    report = gate_run(folder / "bfloat16", baseline)
    alike = max(line.alike for line in report.lines)
    told = f"{_told(report)}; {alike} of {report.lines[0].sounds} sounds alike"
    return Bar("bfloat16 in place of float32: other sounds, as good", "PASS", told, report.verdict == "PASS")


def _bar(one: Planted, folder: Path, baseline: Path) -> Bar:
    name = one.cause
    with one.today():
        _run(folder, name, one.suite, one.system(folder), {})
        report = gate_run(folder / name, baseline, blame=one.blame)
    line = next(line for line in report.lines if line.gate.metric == one.metric)
    found = report.verdict == "FAIL" and line.verdict == "FAIL" and line.cause == one.cause
    return Bar(f"planted: {one.what}", f"FAIL, {one.metric}: {one.cause}", _told(report), found)


def _run(folder: Path, name: str, changes: Mapping[str, Any], system: str, wishes: Mapping[str, Any]) -> Run:
    suite = folder / f"{name}.yaml"
    suite.write_text(yaml.safe_dump({**SUITE, **changes}), encoding="utf-8")
    run: Run = calm_eval.evaluate(str(suite), [system], out=folder / name, seeds=SEEDS, full=True, **wishes)
    return run


def _told(report: GateReport) -> str:
    return f"{report.verdict}; " + "; ".join(_line(line) for line in report.lines)


def _line(line: Line) -> str:
    cause = f", {line.cause}: {line.why}" if line.cause is not None else ""
    return f"{line.gate.metric} {line.verdict}{cause}"


def _noisy_head(folder: Path) -> str:
    return noisy_head(SYSTEM, HEAD_NOISE, 0, folder / "noisy")


def _folder_with_gaps(folder: Path) -> str:
    """The baseline's sounds as a folder of audio, the first of them left out."""
    samples = calm_eval.load_run(folder / "before").samples().sort_values(["seed", "item"])
    sounds = folder / "sounds"
    sounds.mkdir(exist_ok=True)
    lines = []
    for place, sample in enumerate(samples.itertuples()):
        name = f"{place}.flac"
        lines.append(json.dumps({"id": sample.item, "path": name, "seed": int(str(sample.seed))}))
        if place >= MISSING:
            (sounds / name).write_bytes(Path(str(sample.path)).read_bytes())
    (folder / "sounds.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _system_file(folder / "folder.yaml", {"folder": "sounds", "manifest": "sounds.jsonl", "tasks": ["tts"]})


def _system_file(file: Path, told: Mapping[str, Any]) -> str:
    file.write_text(yaml.safe_dump({"name": SYSTEM, **told}), encoding="utf-8")
    return str(file)


def _other_weights(folder: Path) -> Path:
    """Resemblyzer's checkpoint with a little noise."""
    import torch

    state = torch.load(fetch("resemblyzer") / "pretrained.pt", map_location="cpu", weights_only=True)
    generator = torch.Generator().manual_seed(0)
    linear = state["model_state"]["linear.weight"]
    state["model_state"]["linear.weight"] = linear + 0.01 * torch.randn(linear.shape, generator=generator)
    torch.save(state, folder / "other.pt")
    return folder / "other.pt"


@contextmanager
def _other_silu(folder: Path) -> Iterator[None]:
    """What a child process finds where a library has changed: the weights stay, the sounds do not."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(SILU, encoding="utf-8")
    with mock.patch.dict(os.environ, {"PYTHONPATH": str(site)}):
        yield


@contextmanager
def _no_normaliser() -> Iterator[None]:
    was = word_error_rate.WER
    spec = replace(was.spec, parameters={**was.spec.parameters, "normaliser": NONE.name})
    with mock.patch.object(word_error_rate, "WER", replace(was, normaliser=NONE, spec=spec)):
        yield
