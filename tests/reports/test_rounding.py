"""Numbers by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from calm_eval.reports.rounding import decimals, three_digits, with_interval


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [(3.1, 9.0, 1), (0.0, 100.0, 0), (0.0, 20.0, 0), (0.0, 19.0, 1), (0.49, 0.51, 3), (1000.0, 5000.0, 0),
     (0.0, 2e-9, 10), (5.0, 5.0, 3)],
)  # fmt: skip
def test_decimals(low: float, high: float, places: int) -> None:
    assert decimals(low, high) == places


@pytest.mark.parametrize(
    ("value", "low", "high", "scale", "text"),
    [
        (0.058, 0.031, 0.0901, 100, "5.8 [3.1, 9.0]"),
        (0.0583, 0.0551, 0.0612, 100, "5.83 [5.51, 6.12]"),
        (1.18, 1.07, 1.31, 100, "118 [107, 131]"),
        (12345.6, 10000.2, 15000.9, 1, "12346 [10000, 15001]"),
        (2e-9, 1e-9, 3e-9, 1, "2e-09 [1e-09, 3e-09]"),
        (-0.05, -0.2, 0.1, 1, "-0.05 [-0.20, 0.10]"),
        (-0.001, -0.51, 0.49, 1, "0.00 [-0.51, 0.49]"),
        (0.3, -0.04, 19.8, 1, "0.3 [0.0, 19.8]"),
        (1.0, 1.0, 1.0, 100, "100 [100, 100]"),
        (0.0, 0.0, 0.0, 100, "0 [0, 0]"),
        (1234.5, 1234.5, 1234.5, 1, "1234 [1234, 1234]"),
        (0.0614, None, None, 1, "0.0614"),
        (1.2345, None, None, 1000, "1234"),
        (0.9996, None, None, 1000, "1000"),
        (-3.14159, None, None, 1, "-3.14"),
        (0.5, 0.4, None, 1, "0.5"),
    ],
)
def test_with_interval(value: float, low: float | None, high: float | None, scale: float, text: str) -> None:
    assert with_interval(value, low, high, scale=scale) == text


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-0.0, "0"), (999.4, "999"), (1e6, "1000000"), (0.1, "0.1")])
def test_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


def test_what_is_shown_is_never_further_off_than_a_twentieth_of_the_half_width() -> None:
    generator = np.random.default_rng(1)
    for _ in range(2000):
        value = float(generator.normal() * 10 ** generator.uniform(-3, 4))
        half = float(10 ** generator.uniform(-4, 3))
        shown = with_interval(value, value - half, value + half)
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", shown)]
        # Two significant digits of the half width; from 10 on nothing is cut before the point.
        allowed = max(half / 20, 0.0) * 1.001
        for number, truth in zip(numbers, (value, value - half, value + half), strict=True):
            assert abs(number - truth) <= allowed or half > 10
            assert abs(number - truth) <= max(allowed, 0.5001)
