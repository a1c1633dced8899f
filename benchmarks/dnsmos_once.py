"""`python benchmarks/dnsmos_once.py RUN`: DNSMOS in one window against the original's several, on a run's audio.

Writes `benchmarks/results/dnsmos_once.md`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from calm_eval import load_run
from calm_eval.audio.read import read_audio
from calm_eval.audio.resample import to_mono
from calm_eval.judges.dnsmos import DnsmosJudge

EVERY = 4


def main() -> int:
    """Judge every fourth distinct sound of the run by both rules. Returns 0, or 2 on a wrong call."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    table = load_run(sys.argv[1]).samples()
    paths = sorted({Path(str(path)) for path in table.loc[table["variant"] != "silence", "path"].dropna()})[::EVERY]
    sounds = [to_mono(read_audio(path), 16000) for path in paths]
    scores: dict[str, np.ndarray] = {}
    seconds: dict[str, float] = {}
    for rule in ("speechmos", "once"):
        judge = DnsmosJudge(windows=rule)
        judge.load("cpu", 2)
        began = time.perf_counter()
        scores[rule] = np.array([[one.scores["ovrl"], one.scores["p808"]] for one in judge.judge(sounds)])
        seconds[rule] = (time.perf_counter() - began) / len(sounds)
    lines = [
        "# DNSMOS in one window against the original's windows",
        "",
        f"Made by `benchmarks/dnsmos_once.py` on {len(sounds)} clips of the default run of `more/readings`; "
        f"{seconds['speechmos']:.2f} s and {seconds['once']:.2f} s a clip.",
        "",
        "| scale | mean difference | mean absolute difference | largest | correlation |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for place, name in enumerate(("P.835 overall", "P.808")):
        first, second = scores["speechmos"][:, place], scores["once"][:, place]
        away = second - first
        correlation = np.corrcoef(first, second)[0, 1]
        sizes = np.abs(away)
        lines.append(f"| {name} | {away.mean():+.3f} | {sizes.mean():.3f} | {sizes.max():.3f} | {correlation:.4f} |")
    text = "\n".join(lines) + "\n"
    print(text)
    (Path(__file__).parent / "results" / "dnsmos_once.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
