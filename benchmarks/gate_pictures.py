"""`python benchmarks/gate_pictures.py WORK`: what a gate says of a broken checkpoint, and a trend, for docs/ci.md.

Sentences of mini-speech by mini-calm-tts. The broken checkpoint has noise on its head. The series is of 24 checkpoints
with a little noise drawn anew for each, and more from the 17th on. WORK keeps the runs.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from gate_planted import SUITE as PLANTED
from gate_planted import SYSTEM
from noisy_head import noisy_head

import calm_eval
from calm_eval.gate.as_markdown import gate_markdown
from calm_eval.gate.baseline import accept
from calm_eval.gate.gate_run import Blame, gate_run
from calm_eval.gate.trend import note_run, trends
from calm_eval.gate.trend_plot import trend_plot
from calm_eval.runs.run import Run

IMG = Path(__file__).resolve().parent.parent / "docs" / "img"
ITEMS = 12
BROKEN = 0.2
NIGHTS, MOVED = 24, 17
BEFORE, AFTER = 0.03, 0.14
SUITE: Mapping[str, Any] = {
    **PLANTED,
    "name": "nightly",
    "title": "Sentences by one voice",
    "items": {**PLANTED["items"], "count": ITEMS},
    "metrics": ["speaker_similarity", "wer"],
}
POLICY: Mapping[str, Any] = {
    "policy": "nightly",
    "gates": [
        {"suite": "nightly", "row": SYSTEM, "metric": "speaker_similarity", "margin": 0.01, "unit": "cosine"},
        {"suite": "nightly", "row": SYSTEM, "metric": "wer", "margin": 3.0, "unit": "%"},
    ],
}


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    if len(sys.argv) != 2:
        print("usage: python benchmarks/gate_pictures.py WORK", file=sys.stderr)
        return 2
    work = Path(sys.argv[1])
    work.mkdir(parents=True, exist_ok=True)
    (work / "nightly.yaml").write_text(yaml.safe_dump(dict(SUITE)), encoding="utf-8")
    (work / "policy.yaml").write_text(yaml.safe_dump(dict(POLICY)), encoding="utf-8")
    baseline = work / "baseline"
    shutil.rmtree(baseline, ignore_errors=True)
    accept(_run(work, "accepted", SYSTEM), baseline, "as trained", policy=work / "policy.yaml")
    _run(work, "broken", noisy_head(SYSTEM, BROKEN, 0, work / "broken-weights"))
    told = gate_run(work / "broken", baseline, blame=Blame(items=4, system=SYSTEM))
    (IMG / "gate-comment.md").write_text(gate_markdown(told), encoding="utf-8")
    for night in range(1, NIGHTS + 1):
        share = BEFORE if night < MOVED else AFTER
        system = noisy_head(SYSTEM, share, night, work / f"weights-{night}")
        note_run(_run(work, f"night-{night}", system), baseline)
    trend_plot(trends(baseline, None), IMG / "gate-trend")
    return 0


def _run(work: Path, name: str, system: str) -> Run:
    run: Run = calm_eval.evaluate(str(work / "nightly.yaml"), [system], out=work / name, full=True, seeds=1)
    return run


if __name__ == "__main__":
    sys.exit(main())
