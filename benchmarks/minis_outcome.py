"""What a measurement of the minis gives: bars, and figures by preset that the tables of the docs are made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bar import Bar
from minis_words import Rate

RESULTS = Path(__file__).resolve().parent / "results" / "minis.json"

Figure = Mapping[str, Any]


@dataclass
class Outcome:
    """Bars in order, and figures: preset name, then name of the figure, then `value` and what belongs to it."""

    bars: list[Bar] = field(default_factory=list)
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)

    def bar(self, name: str, limit: str, measured: str, passed: bool | None) -> None:
        """Add a bar."""
        self.bars.append(Bar(name, limit, measured, passed))

    def note(self, preset: str, name: str, figure: Figure) -> None:
        """Add a figure."""
        self.figures.setdefault(preset, {})[name] = figure

    def missing(self, name: str, limit: str, why: str) -> None:
        """A bar that cannot be measured, and why."""
        self.bar(name, limit, why, None)

    def add(self, other: Outcome) -> None:
        """All of another outcome behind this one."""
        self.bars.extend(other.bars)
        for preset, figures in other.figures.items():
            self.figures.setdefault(preset, {}).update(figures)


def rate_figure(rate: Rate, **more: Any) -> Figure:
    """A WER or a difference of two as a figure."""
    bounds = {"value": rate.value, "low": rate.low, "high": rate.high}
    return {**{name: round(value, 5) for name, value in bounds.items()}, "items": rate.items, **more}


def save(figures: Mapping[str, Mapping[str, Figure]], path: Path = RESULTS) -> None:
    """Merge figures into the JSON file. What it holds of a preset with other weights (`weights`) goes first."""
    kept: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for preset, found in figures.items():
        before = kept.get(preset, {})
        if before.get("weights") != found.get("weights"):
            before = {}
        kept[preset] = {**before, **found}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
