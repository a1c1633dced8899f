"""Figures over real runs: drawn, captioned, the same bytes twice, and refused where there is nothing to draw."""

from __future__ import annotations

import dataclasses

import matplotlib.image
import numpy as np
import pytest

import calm_eval
from calm_eval.cli import main
from calm_eval.errors import InputError
from calm_eval.figure_command import KINDS
from calm_eval.reports.figures.make import FIGURES
from calm_eval.reports.figures.wish import FigureWish
from calm_eval.reports.source import Source

SYSTEM = """
import math
from array import array
from calm_eval.systems.protocol import Chunk, Done, Parameter, SystemInfo

class System:
    info = SystemInfo(("tts",), "continuous", 16000, version=1, config={},
                      sampling={"temperature": Parameter(0.8), "steps": Parameter(1)})
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return 12.5 * sampling["steps"]
    def generate(self, requests, sampling):
        for one in requests:
            level = 0.1 * sampling["temperature"] * (1 + len(one.text) / 40) + 0.02 * sampling["steps"]
            wave = array("f", [level * math.sin(n / 7) for n in range(4000)])
            yield Chunk(one.item, one.seed, wave, 16000)
            yield Done(one.item, one.seed)

create = System
"""


@pytest.fixture
def run(tmp_path, tone_suite, write_system):
    system = write_system("calm", SYSTEM)
    suite = tone_suite(6, metrics=["demo_level", "log_mel_distance", "rtf"], systems=["reference"], pick="demo_level")
    return calm_eval.evaluate(
        str(suite),
        [str(system), "reference"],
        out=tmp_path / "run",
        sweep={"temperature": [0.6, 0.8, 1.0], "steps": [1, 4]},
    )


WORDS = {
    "differences": ["--rows", "calm", "calm steps=4"],
    "distribution": [],
    "heat-map": [],
    "quality-diversity": ["--second", "log_mel_distance"],
}


def test_the_words_are_those_of_the_registry() -> None:
    assert set(KINDS) == set(FIGURES) == {*WORDS, "set-size"}


@pytest.mark.parametrize("kind", WORDS)
def test_drawn_twice_alike_with_a_caption_that_says_how(run, tmp_path, capsys, kind) -> None:
    stems = [tmp_path / "one", tmp_path / "two"]
    for stem in stems:
        assert main(["figure", str(run.folder), kind, *WORDS[kind], "--out", str(stem)]) == 0
    said = capsys.readouterr().out
    assert "Tones: " in said
    assert "Fingerprints: items " in said
    for ending in ("svg", "png"):
        first, second = (stem.with_suffix(f".{ending}").read_bytes() for stem in stems)
        assert first == second
    picture = matplotlib.image.imread(stems[0].with_suffix(".png"))
    assert np.unique(picture.reshape(-1, picture.shape[-1]), axis=0).shape[0] > 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["differences"], "name two rows, got 0"),
        (["differences", "--rows", "*"], "name two rows, got 7"),
        (["differences", "--rows", "calm", "nobody"], "no row 'nobody' in tones; rows: calm"),
        (["distribution", "--metric", "clap"], "no metric 'clap' in tones; metrics: demo_level"),
        (["distribution", "--suite", "other"], "no suite 'other'"),
        (["quality-diversity"], "name the second metric"),
        (["heat-map", "--rows", "reference"], "heat-map: nothing to draw in tones"),
        (["heat-map", "--out", "no/folder/stem"], "no/folder: no such folder"),
    ],
)
def test_what_cannot_be_drawn_is_said(run, capsys, words, said) -> None:
    assert main(["figure", str(run.folder), *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["differences", "distribution"])
def test_a_metric_of_the_set_has_no_items(plan, variant, cell, pairs, tmp_path, kind) -> None:
    rows = [variant("a"), variant("b")]
    source = Source(plan(*rows), [cell(row, "fad", 1.0) for row in rows], pairs())
    with pytest.raises(InputError, match="fad has no value for each item"):
        FIGURES[kind](source, FigureWish("fad", rows=("a", "b")), tmp_path / "x")


def test_a_field_that_was_not_made_is_hatched(plan, variant, cell, pairs, tmp_path) -> None:
    """A star has no corner: three of four fields, and the caption says what the hatching is."""
    samplings = [(1, 0.6), (1, 1.0), (4, 0.6)]
    rows = [
        dataclasses.replace(variant(name), system="calm", sampling={"steps": steps, "temperature": temperature})
        for name, (steps, temperature) in zip(["calm", "calm t", "calm s"], samplings, strict=True)
    ]
    source = Source(plan(*rows), [cell(row, "wer", 0.1 * (place + 1)) for place, row in enumerate(rows)], pairs())
    drawn = FIGURES["heat-map"](source, FigureWish("wer"), tmp_path / "grid")
    assert drawn is not None
    assert "Hatched: not made." in drawn.caption
    assert "pattern" in (tmp_path / "grid.svg").read_text()


def test_the_size_of_the_set_has_its_line_through_the_points(plan, variant, cell, pairs, tmp_path) -> None:
    """Points on 2 + 300 / n: the line ends at 2, and without points there is nothing to draw."""
    one = cell(variant("a"), "fad_infinity", 2.0, 1.5, 2.5)
    curve = [[frames, 2 + 300 / frames] for frames in (100.0, 200.0, 400.0, 800.0)]
    told = dataclasses.replace(one, estimate=dataclasses.replace(one.estimate, notes={"curve": curve}))
    drawn = FIGURES["set-size"](Source(plan(variant("a")), [told], pairs()), FigureWish(), tmp_path / "size")
    assert drawn is not None
    assert (tmp_path / "size.png").stat().st_size > 5000
    assert FIGURES["set-size"](Source(plan(variant("a")), [one], pairs()), FigureWish(), tmp_path / "no") is None
