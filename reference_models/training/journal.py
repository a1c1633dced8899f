"""The log of a training, one JSON object a line, and the picture of its losses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

FILE, PICTURE = "log.jsonl", "loss.png"


class Journal:
    """`log.jsonl`: every so many steps their mean losses, and each validation. Lines wait for `flush`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._waiting: list[str] = []
        self._sums: dict[str, float] = {}
        self._count = 0

    def step(self, step: int, loss: float, parts: Mapping[str, Tensor], norm: float, rate: float, every: int) -> None:
        """Add a step; each `every` steps one line holds their means."""
        terms = {"loss": loss, "norm": norm, **{name: float(value.detach()) for name, value in parts.items()}}
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        if step % every == 0:
            means = {name: round(total / self._count, 6) for name, total in self._sums.items()}
            self._waiting.append(json.dumps({"step": step, "rate": rate, **means}))
            self._sums, self._count = {}, 0

    def valid(self, step: int, loss: float) -> None:
        """Add a validation."""
        self._waiting.append(json.dumps({"step": step, "valid": round(loss, 6)}))

    def flush(self) -> None:
        """Append what waits to the file."""
        with self._path.open("a", encoding="utf-8") as stream:
            stream.writelines(line + "\n" for line in self._waiting)
        self._waiting = []

    def cut(self, step: int) -> None:
        """Drop lines after a step: a killed training may have told more than it saved."""
        kept = [row for row in self.rows() if row["step"] <= step]
        self._path.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")

    def rows(self) -> list[dict[str, Any]]:
        """All lines that are written."""
        if not self._path.is_file():
            return []
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]


def plot_losses(folder: Path, title: str) -> Path:
    """Draw `loss.png` from the log: training and validation loss against steps."""
    from matplotlib.figure import Figure

    rows = Journal(folder).rows()
    figure = Figure(figsize=(6.0, 3.4), layout="constrained")
    axes = figure.subplots()
    for key, style in (
        ("loss", {"color": "#0072b2", "linewidth": 1.0}),
        ("valid", {"color": "#d55e00", "marker": "o"}),
    ):
        found = [(row["step"], row[key]) for row in rows if key in row]
        if found:
            label = "training" if key == "loss" else "validation, averaged weights"
            axes.plot(*zip(*found, strict=True), label=label, markersize=3.5, **style)
    axes.set(title=title, xlabel="step", ylabel="loss")
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    figure.savefig(folder / PICTURE, dpi=150)
    return folder / PICTURE
