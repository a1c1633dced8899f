"""The ends of a scale: the reference, and the worse of noise and silence, by tests and intervals made by hand."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from calm_eval.stats.paired import PairedDifference

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
KINDS = {"reference": "reference", "noise": "noise", "silence": "silence", "swapped": "shuffled_texts"}


@pytest.fixture
def scale(monkeypatch, variant, cell, pairs) -> Callable[..., Any]:
    """The scale of one metric: rows by name, each a value or (value, low, high)."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    controls = importlib.import_module("suites_controls")

    def told(metric: str, p: dict[tuple[str, str, str], PairedDifference] | None = None, **rows: Any) -> Any:
        cells = []
        for name, values in rows.items():
            row = dataclasses.replace(variant(name, control=name in KINDS), identity={"control": KINDS.get(name, "")})
            cells.append(cell(row, metric, *(values if isinstance(values, tuple) else (values,))))
        return controls.scale(cells, pairs(p).p)

    return told


def test_reference_best_and_noise_or_silence_worst(scale) -> None:
    assert scale("wer", reference=0.1, ours=0.2, noise=0.5, silence=1.0).wrong == ()
    assert scale("speaker_similarity", reference=0.9, ours=0.8, noise=0.5).wrong == ()
    assert scale("wer", reference=0.1, ours=0.2, silence=1.0, swapped=1.4).wrong == ()
    assert scale("wer", reference=0.1, ours=0.05, silence=1.0).wrong == ("ours 0.05 above reference 0.1",)
    assert scale("wer", reference=0.1, ours=1.5, silence=1.0, noise=0.5).wrong == ("ours 1.5 below silence 1",)
    assert scale("speaker_similarity", reference=0.5, ours=0.6, noise=0.4).wrong == ("ours 0.6 above reference 0.5",)


def test_what_cannot_be_told_from_an_end_is_not_beyond_it(scale) -> None:
    rows = {"reference": 0.10, "ours": 0.09, "other": 0.08, "silence": 1.0}
    near = {("wer", "reference", name): PairedDifference(0.1, 0.0, 0.2, 0.03, 40) for name in ("ours", "other")}
    # 0.03 twice: Holm makes 0.06 of both.
    assert scale("wer", near, **rows).wrong == ()
    near["wer", "reference", "other"] = PairedDifference(0.1, 0.0, 0.2, 0.01, 40)
    assert scale("wer", near, **rows).wrong == ("ours 0.09 above reference 0.1", "other 0.08 above reference 0.1")


def test_a_metric_of_the_set_goes_by_intervals(scale) -> None:
    rows = {"reference": (5.0, 4.0, 6.0), "ours": (4.0, 3.0, 4.5), "noise": (9.0, 8.0, 10.0)}
    assert scale("fad", **rows).wrong == ()
    assert scale("fad", **{**rows, "ours": (3.0, 2.0, 3.9)}).wrong == ("ours 3 above reference 5",)
    assert scale("fad", **{**rows, "ours": (11.0, 10.5, 12.0)}).wrong == ("ours 11 below noise 9",)


def test_without_an_end_nothing_is_told(scale) -> None:
    assert scale("wer", ours=0.2, noise=0.3).untold == "no value for the reference"
    assert scale("wer", reference=0.2, ours=0.3).untold == "no value for noise or silence"
