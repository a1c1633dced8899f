"""The `model-index` block of a Hugging Face model card: one model, with its value for each metric of each suite.

The form is that of the hub's model cards (`huggingface_hub`, `ModelCardData.eval_results`): task, dataset, metrics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from calm_eval.errors import InputError

TASKS = {
    "tts": "text-to-speech",
    "text_to_music": "text-to-audio",
    "text_to_audio": "text-to-audio",
    "speech_continuation": "audio-to-audio",
    "music_continuation": "audio-to-audio",
}
"""The hub's name of each task."""


def model_index(told: Mapping[str, Any], row: str) -> str:
    """YAML to put between the `---` lines of a card. `told` is of `results`.

    Values are in display units, with the interval and n in `args`; what has no value stays out. Raises InputError for
    a row that no suite has, and for one without any value.
    """
    found = [entry for suite in told["suites"] if (entry := _entry(suite, row)) is not None]
    if not found:
        names = ", ".join(dict.fromkeys(one["name"] for suite in told["suites"] for one in suite["rows"]))
        raise InputError(f"no values of a row '{row}'; rows: {names}")
    text: str = yaml.safe_dump({"model-index": [{"name": row, "results": found}]}, sort_keys=False, allow_unicode=True)
    return text


def _entry(suite: Mapping[str, Any], row: str) -> dict[str, Any] | None:
    valued = [one for one in suite["estimates"] if one["row"] == row and one["value"] is not None]
    if not valued:
        return None
    return {
        "task": {"type": TASKS[suite["task"]], "name": suite["title"]},
        "dataset": {
            "type": suite["name"],
            "name": f"{suite['name']} version {suite['version']}",
            "args": {"items": suite["n_items"], "seeds": suite["seeds"], "items_digest": suite["items_digest"][:16]},
        },
        "metrics": _metrics(valued),
    }


def _metrics(valued: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "type": one["metric"],
            "name": f"{one['title']} ({one['unit']})",
            "value": one["value"] * one["scale"],
            "args": {
                "low": None if one["low"] is None else one["low"] * one["scale"],
                "high": None if one["high"] is None else one["high"] * one["scale"],
                "n": one["n_scored"],
                "judge": one["judge"],
                "fingerprint": one["fingerprint"][:16],
            },
        }
        for one in valued
    ]
