"""The table of trained minis: sizes from the catalogue, training from the cards, figures from the benchmarks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reference_models.catalogue import PresetCard, catalogue, checkpoint_file

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "minis.json"
ROW = re.compile(r"^\| ([\w ]+) \| (.+) \|$", re.MULTILINE)


def trained_table() -> str:
    """One row for each mini with a checkpoint."""
    measured: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    rows = [
        "| preset | parameters (M) | steps | minutes | validation loss | on clips that no training saw |",
        "| :-- | --: | --: | --: | --: | :-- |",
    ]
    for card in catalogue().values():
        file = checkpoint_file(card.name)
        if not card.name.startswith("mini-") or not file.is_file():
            continue
        facts = dict(ROW.findall(file.with_suffix(".md").read_text(encoding="utf-8")))
        steps = facts["steps"].partition(" of ")[0]
        minutes = facts["time"].removesuffix(" minutes")
        loss = re.search(r"validation ([\d.e+-]+)", facts["losses"])
        figures = "; ".join(_figures(card, measured.get(card.name, {}))) or "not measured yet"
        cells = [card.name, f"{card.parameters / 1e6:.2f}", steps, minutes, loss[1] if loss else "–", figures]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _figures(card: PresetCard, found: Mapping[str, Any]) -> list[str]:
    told = []
    for name, figure in found.items():
        if name == "wer" and "above_input" in figure:
            told.append(f"WER {_interval(figure)}, {_points(figure['above_input'])}")
        elif name == "wer_depth_16":
            told.insert(0, f"WER at 16 codebooks {_interval(figure)}, {_points(figure['above_input'])}")
        elif name == "log_mel_db":
            told.append(f"log-mel distance {figure['value']:.2f} dB")
        elif name in ("wer_best", "wer_one_step"):
            how = ", ".join(f"{key} {value:g}" for key, value in figure["setting"].items())
            told.append(f"WER {_interval(figure)} at {how} (the readings {figure['readings']['value']:.3f})")
        elif name.startswith("nearer_"):
            what = name.removeprefix("nearer_").replace("_", " ")
            told.append(f"{what} nearer to its own continuation in {100 * figure['nearer']:.0f} %")
        elif name == "instrument":
            told.append(
                f"instrument of the caption {100 * figure['value']:.0f} % (chance {100 * figure['chance']:.0f} %)"
            )
    deeper = [f"{depth}: {found[key]['value']:.3f}" for depth in (8, 4, 2, 1) if (key := f"wer_depth_{depth}") in found]
    return [*told, f"at {', '.join(deeper)}"] if deeper else told


def _interval(figure: Mapping[str, Any]) -> str:
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _points(figure: Mapping[str, Any]) -> str:
    return (
        f"{100 * figure['value']:+.1f} points [{100 * figure['low']:+.1f}, {100 * figure['high']:+.1f}] from its input"
    )
