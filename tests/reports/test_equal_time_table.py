"""Continuous against discrete on a plan made by hand: which rows are compared, and what the lines say."""

from __future__ import annotations

import dataclasses

import pytest

from calm_eval.reports.equal_time_table import EQUAL_TIME, OWN_BEST, equal_time_section, matches
from calm_eval.stats.paired import PairedDifference

FAMILIES = {"calm": "continuous", "rq": "discrete", "delay": "discrete", "piper": "other"}


@pytest.fixture
def made(variant, cell):
    """By row: WER on the tuning items, RTF; the cells of both kinds."""

    def make(rows):
        tuning, told = [], []
        for name, (wer, rtf) in rows.items():
            system = name.split()[0]
            row = dataclasses.replace(variant(name), family=FAMILIES[system], head_evaluations=25.0)
            tuning.append(cell(row, "wer", wer, scored=10))
            told.append(cell(row, "wer", None if wer is None else wer + 0.01, scored=40))
            told.append(cell(row, "rtf", rtf))
        return tuning, told

    return make


ROWS = {
    "calm": (0.30, 0.20),
    "calm steps=4": (0.10, 0.50),
    "calm steps=2": (0.20, 0.33),
    "rq": (0.15, 0.30),
    "rq depth=4": (0.40, 0.10),
    "piper": (0.01, 0.01),
}


def named(match):
    return tuple(None if one is None else one.variant.name for one in match.cells)


def times(told):
    return {one.variant.name: one.estimate.value for one in told if one.metric.spec.name == "rtf"}


def test_the_slower_system_brings_its_best_row_that_is_fast_enough(made) -> None:
    tuning, told = made(ROWS)
    best, equal = matches(tuning, times(told))
    assert (best.at, named(best), best.seconds) == (OWN_BEST, ("calm steps=4", "rq"), None)
    # 0.30 s/s of rq's best allow 0.33: two steps, just so; four steps are too slow.
    assert (equal.at, named(equal), equal.seconds, equal.note) == (EQUAL_TIME, ("calm steps=2", "rq"), 0.30, "")
    _, slower = matches(*(lambda tuned, shown: (tuned, times(shown)))(*made({**ROWS, "calm steps=2": (0.20, 0.331)})))
    assert named(slower) == ("calm", "rq")


def test_the_budget_is_the_faster_ones_whichever_family_it_is(made) -> None:
    tuning, told = made({"calm": (0.1, 0.2), "rq": (0.2, 0.9), "rq depth=4": (0.5, 0.21)})
    _, equal = matches(tuning, times(told))
    assert (named(equal), equal.seconds) == (("calm", "rq depth=4"), 0.2)


def test_without_a_row_so_fast_the_fastest_row_sets_the_time_and_the_line_says_so(made) -> None:
    tuning, told = made({"calm": (0.3, 0.1), "calm steps=4": (0.4, 0.21), "rq": (0.2, 0.5), "rq depth=4": (0.5, 0.2)})
    _, equal = matches(tuning, times(told))
    assert (named(equal), equal.seconds) == (("calm", "rq depth=4"), 0.2)
    page = equal_time_section(tuning, told, ["wer", "rtf"], lambda *_: PairedDifference(-0.1, -0.2, 0.0, 0.2, 40))
    assert "| calm (0.1) | rq depth=4 (0.2) | equal time, 0.2 s/s (rq has no row within 0.1 s/s) | -10" in page[-1]


def test_with_more_time_the_faster_system_may_bring_another_row(made) -> None:
    # The own best of the faster one is its best row of all: within more time it stays.
    tuning, told = made({"calm": (0.3, 0.1), "calm steps=4": (0.25, 0.9), "rq": (0.2, 0.5)})
    best, equal = matches(tuning, times(told))
    assert (named(best), named(equal), equal.seconds) == (("calm steps=4", "rq"), ("calm", "rq"), 0.5)


def test_a_system_that_is_not_timed_is_named(made) -> None:
    tuning, told = made({"calm": (0.1, 0.5), "rq": (0.2, 0.5), "delay": (0.3, None)})
    page = equal_time_section(tuning, told, ["wer", "rtf"], lambda *_: PairedDifference(-0.1, -0.2, 0.0, 0.2, 40))
    assert "| – | – | equal time (delay: not timed) | – | – | – | – |" in page[-1]
    assert "| delay | discrete | own best | 30 | 31 |" in page[2]


def test_few_items_are_told(made) -> None:
    tuning, told = made({"calm": (0.1, 0.5), "rq": (0.2, 0.5)})
    page = equal_time_section(tuning, told, ["wer"], lambda *_: PairedDifference(-0.1, -0.2, 0.0, 0.0625, 5))
    assert page[-1].startswith("With 5 items no p can be below 0.062")


def test_the_section_by_hand(made) -> None:
    tuning, told = made(ROWS)
    results = {
        ("calm steps=4", "rq"): PairedDifference(-0.05, -0.08, -0.02, 0.02, 40),
        ("calm steps=2", "rq"): PairedDifference(0.05, -0.03, 0.13, 0.3, 38),
    }
    page = equal_time_section(tuning, told, ["wer", "rtf"], lambda _, one, other: results[one, other])
    assert page[0] == "### Continuous and discrete"
    assert page[2].splitlines()[2:] == [
        "| calm steps=4 | continuous | own best | 10 | 11 | 0.5 | 25 | 40 × 1 |",
        "| calm steps=2 | continuous | equal time | 20 | 21 | 0.33 | 25 | 40 × 1 |",
        "| rq | discrete | own best, equal time | 15 | 16 | 0.3 | 25 | 40 × 1 |",
    ]
    # Holm: 0.02 of two tests is 0.04.
    assert page[4].splitlines()[2:] == [
        "| calm steps=4 (0.5) | rq (0.3) | own best | -5.0 [-8.0, -2.0] | 40 | 0.04 | **continuous** |",
        "| calm steps=2 (0.33) | rq (0.3) | equal time, 0.3 s/s | 5.0 [-3.0, 13.0] | 38 | 0.3 | not distinguishable |",
    ]


def test_the_same_two_rows_are_tested_once(made) -> None:
    tuning, told = made({"calm": (0.1, 0.2), "rq": (0.2, 0.2)})
    asked = []

    def compare(_, one, other):
        asked.append((one, other))
        return PairedDifference(-0.1, -0.2, -0.05, 0.03, 40)

    page = equal_time_section(tuning, told, ["wer"], compare)
    assert asked == [("calm", "rq")]
    assert page[-1].splitlines()[-1] == "| calm (0.2) | rq (0.2) | equal time, 0.2 s/s | the same rows | – | – | – |"
    assert "| 0.03 | **continuous** |" in page[-1]


@pytest.mark.parametrize(
    "rows", [{"calm": (0.1, 0.2), "piper": (0.2, 0.2)}, {"calm": (None, 0.2), "rq": (0.2, 0.2)},
             {"calm": (0.1, None), "rq": (0.2, None)}],
)  # fmt: skip
def test_nothing_to_compare_no_section(made, rows) -> None:
    tuning, told = made(rows)
    assert equal_time_section(tuning, told, ["wer"], lambda *_: None) == []
    assert equal_time_section([], told, ["wer"], lambda *_: None) == []
