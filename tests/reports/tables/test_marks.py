"""Which rows are best, by tests and intervals made by hand."""

from __future__ import annotations

import dataclasses

import pytest

from calm_eval.reports.tables.marks import marks
from calm_eval.stats.paired import PairedDifference


def difference(p: float | None) -> PairedDifference:
    return PairedDifference(0.1, 0.0, 0.2, p, 40)


def test_the_best_those_not_distinguishable_from_it_and_the_best_of_the_others(variant, cell, pairs) -> None:
    values = {"a": 0.30, "b": 0.10, "c": 0.11, "d": 0.20, "e": None}
    cells = [cell(variant(name), "wer", value) for name, value in values.items()]
    # Holm over the three pairs: 0.02 is the second smallest of three, so 0.04; 0.06 stays above the level.
    told = {
        ("wer", "b", "a"): difference(0.001),
        ("wer", "b", "c"): difference(0.06),
        ("wer", "b", "d"): difference(0.02),
    }
    assert marks(cells, pairs(told).p) == {"b": "best", "c": "tied", "d": "second"}


def test_holm_over_the_rows_and_not_each_by_itself(variant, cell, pairs) -> None:
    """Each p-value of 0.03 would do alone; together neither does, and where nothing is told nothing is marked."""
    cells = [cell(variant(name), "wer", value) for name, value in {"a": 0.1, "b": 0.2, "c": 0.3}.items()]
    told = {("wer", "a", "b"): difference(0.03), ("wer", "a", "c"): difference(0.03)}
    assert marks(cells, pairs(told).p) == {}
    assert marks(cells[:2], pairs(told).p) == {"a": "best", "b": "second"}


def test_what_cannot_be_tested_cannot_be_told_apart(variant, cell, pairs) -> None:
    cells = [cell(variant(name), "wer", value) for name, value in {"a": 0.1, "b": 0.2, "c": 0.3}.items()]
    assert marks(cells, pairs({("wer", "a", "b"): difference(None)}).p) == {"a": "best", "b": "tied", "c": "second"}


def test_higher_is_better_where_the_metric_says_so(variant, cell, pairs) -> None:
    cells = [cell(variant(name), "speaker_similarity", value) for name, value in {"a": 0.1, "b": 0.2}.items()]
    assert marks(cells, pairs().p) == {"b": "best", "a": "second"}


def test_a_metric_of_the_set_goes_by_its_intervals(variant, cell, pairs) -> None:
    ends = {"a": (3.0, 2.0, 4.0), "b": (4.5, 4.0, 5.0), "c": (4.6, 4.1, 5.1), "d": (2.9, None, None)}
    cells = [cell(variant(name), "fad", *values) for name, values in ends.items()]
    assert marks(cells[:3], pairs().p) == {"a": "best", "b": "tied", "c": "second"}
    # Of a value without an interval nobody knows how far it may be off: where it is the best, none is told from it.
    assert marks(cells, pairs().p) == {}


@pytest.mark.parametrize("metric", ["wer", "fad"])
def test_controls_and_a_row_alone_have_no_mark(variant, cell, pairs, metric) -> None:
    alone = [cell(variant("a"), metric, 0.5, 0.4, 0.6), cell(variant("silence", control=True), metric, 0.1, 0.0, 0.2)]
    assert marks(alone, pairs().p) == {}
    invalid = cell(variant("b"), metric, 0.2)
    invalid = dataclasses.replace(invalid, estimate=dataclasses.replace(invalid.estimate, value=None, invalid="deaf"))
    assert marks([*alone, invalid], pairs().p) == {}
